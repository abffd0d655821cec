"""Contracts are kept durably and found again, on both store engines, and what is in force is known at once."""

import asyncio
from base64 import urlsafe_b64encode
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from tests.unit.gateway.contracts.making import (
    CONSUMER,
    DIRECTORY,
    NOW,
    PRINCIPAL,
    PROVIDER,
    STRANGER,
    as_json,
    connection,
    content,
    delegated_connection,
    delegated_publication,
    publication,
)

from sluis.gateway.allowance import Allowance
from sluis.gateway.contracts import (
    Action,
    Content,
    Contract,
    Contracts,
    Kept,
    Order,
    Signature,
    open_contracts,
    read_content,
    state,
)
from sluis.gateway.faults import FscProblem
from sluis.kernel import PeerId, Unkept
from sluis.store import Store, open_store

OWN = PeerId(CONSUMER)


def opened(store: Store, own: str = OWN, now: int = NOW) -> Contracts:
    return open_contracts(store, PeerId(own), lambda: datetime.fromtimestamp(now, UTC))


@pytest.fixture
def contracts(store: Store) -> Contracts:
    return opened(store)


def made(*grants: dict[str, Any], **changes: Any) -> Content:
    return read_content(as_json(content(*grants, **changes)))


def signed(
    peer: str,
    action: Action = "accept",
    at: int = NOW,
    by: str = "a" * 43,
    jws: str = "",
    until: int = 2**40,
) -> Signature:
    return Signature(PeerId(peer), action, jws or f"{peer}.{action}.{at}", at, by, until)


async def agree(contracts: Contracts, agreed: Content) -> None:
    for peer in sorted(agreed.parties):
        await contracts.add_signature(agreed, signed(peer))


async def test_what_was_received_is_there_as_it_was_sent(contracts: Contracts) -> None:
    sent = read_content(b'{ "own": [1.50, null] ,' + as_json(content())[1:])
    assert await contracts.receive(sent, signed(CONSUMER)) is True
    assert contracts.get(sent.hash) == Contract(sent, (signed(CONSUMER),), OWN)


@pytest.mark.parametrize("brought_by", [PRINCIPAL, PROVIDER])
async def test_who_brought_a_contract_stays_so_whatever_is_signed_later(url: str, brought_by: str) -> None:
    """The date under a signature is its signer's own word: it must not make somebody the submitter."""
    one = made(delegated_connection())
    others = one.parties - {brought_by, OWN}
    heard = list[PeerId | None]()
    with closing(open_store(url)) as store:
        contracts = opened(store)
        contracts.on_change(lambda kept, _: heard.append(kept.contract.submitter))
        await contracts.receive(one, signed(brought_by))
        for peer in others:
            await contracts.add_signature(one, signed(peer, at=1))
        await contracts.add_signature(one, signed(brought_by, at=NOW + 9, by="b" * 43))
        await contracts.add_signature(one, signed(OWN))
    with closing(open_store(url)) as store:
        found = opened(store).get(one.hash)
    assert found is not None
    assert {found.submitter, *heard} == {PeerId(brought_by)}


async def test_what_is_kept_is_known(contracts: Contracts) -> None:
    one = made()
    assert not contracts.knows(one.hash)
    await contracts.receive(one, signed(CONSUMER))
    assert contracts.knows(one.hash)


async def test_the_same_contract_twice_is_one(contracts: Contracts) -> None:
    one = made()
    assert [await contracts.receive(one, signed(CONSUMER)) for _ in range(3)] == [True, False, False]
    assert contracts.page(OWN)[0] == [Contract(one, (signed(CONSUMER),), OWN)]


async def test_many_at_once_with_the_same_content_are_one(contracts: Contracts) -> None:
    one = made()
    new = await asyncio.gather(*[contracts.receive(one, signed(CONSUMER)) for _ in range(20)])
    assert sorted(new) == [False] * 19 + [True]


async def test_an_iv_belongs_to_one_content(contracts: Contracts) -> None:
    first = made()
    await contracts.receive(first, signed(CONSUMER))
    other = made(connection("adressen"), iv=first.iv.upper())
    with pytest.raises(FscProblem) as refused:
        await contracts.receive(other, signed(CONSUMER))
    assert (refused.value.code, refused.value.status) == ("contract-iv-taken", 422)
    assert contracts.get(other.hash) is None
    assert await contracts.receive(made(), signed(CONSUMER)) is True


async def test_a_grant_is_in_force_when_all_have_accepted_and_not_before(contracts: Contracts) -> None:
    one = made()
    await contracts.receive(one, signed(CONSUMER))
    assert contracts.in_force(one.grants[0].hash, NOW) is None
    assert await contracts.add_signature(one, signed(PROVIDER)) is True
    assert contracts.in_force(one.grants[0].hash, NOW) == one.grants[0]


@pytest.mark.parametrize("action", ["reject", "revoke"])
@pytest.mark.parametrize("peer", [CONSUMER, PROVIDER])
async def test_any_party_takes_it_back_at_once(contracts: Contracts, peer: str, action: Action) -> None:
    one = made()
    await agree(contracts, one)
    await contracts.add_signature(one, signed(peer, action))
    assert contracts.in_force(one.grants[0].hash, NOW) is None
    assert contracts.connections(PeerId(PROVIDER), "personen", NOW) == []


@pytest.mark.parametrize("action", ["reject", "revoke"])
async def test_nothing_that_comes_later_brings_it_back(contracts: Contracts, action: Action) -> None:
    one = made()
    await contracts.receive(one, signed(CONSUMER))
    await contracts.add_signature(one, signed(PROVIDER, action))
    for late in (signed(PROVIDER), signed(CONSUMER, at=NOW + 5)):
        assert await contracts.add_signature(one, late) is True
        assert contracts.in_force(one.grants[0].hash, NOW) is None


async def test_a_stranger_does_nothing_to_a_contract(contracts: Contracts) -> None:
    one = made()
    await agree(contracts, one)
    with pytest.raises(FscProblem) as refused:
        await contracts.add_signature(one, signed(STRANGER, "revoke"))
    assert refused.value.fsc_code == "ERROR_CODE_SUBMITTING_PEER_NOT_PART_OF_CONTRACT"
    assert contracts.in_force(one.grants[0].hash, NOW) == one.grants[0]


async def test_the_time_in_which_it_holds_is_looked_at_on_each_call(contracts: Contracts) -> None:
    one = made(validity={"not_before": NOW + 10, "not_after": NOW + 20})
    await agree(contracts, one)
    held = [second for second in range(NOW, NOW + 30) if contracts.in_force(one.grants[0].hash, second)]
    assert held == list(range(NOW + 10, NOW + 21))
    peer = PeerId(PROVIDER)
    assert [
        second for second in range(NOW, NOW + 30) if contracts.connections(peer, "personen", second)
    ] == held


async def test_what_is_in_force_is_so_after_a_restart(store: Store) -> None:
    before = opened(store)
    agreed, proposed, revoked = made(), made(), made()
    over = made(validity={"not_before": NOW - 10, "not_after": NOW - 1})
    for one in (agreed, revoked, over):
        await agree(before, one)
    await before.receive(proposed, signed(CONSUMER))
    await before.add_signature(revoked, signed(PROVIDER, "revoke"))
    after = opened(store)
    found = [after.in_force(one.grants[0].hash, NOW - 5) for one in (agreed, proposed, revoked, over)]
    assert found == [agreed.grants[0], None, None, None]


async def test_what_is_over_leaves_the_memory(store: Store) -> None:
    now = NOW
    contracts = open_contracts(store, OWN, lambda: datetime.fromtimestamp(now, UTC))
    await agree(contracts, made(validity={"not_before": NOW, "not_after": NOW + 5}))
    assert len(contracts.connections(PeerId(PROVIDER), "personen", NOW)) == 1
    now = NOW + 6
    await contracts.receive(made(), signed(CONSUMER))
    assert contracts.connections(PeerId(PROVIDER), "personen", NOW) == []


async def test_connections_are_the_own_ones_newest_first(store: Store) -> None:
    contracts = opened(store)
    old, new, other = made(created_at=NOW - 50), made(), made(connection("adressen"))
    for one in (old, new, other):
        await agree(contracts, one)
    found = contracts.connections(PeerId(PROVIDER), "personen", NOW)
    assert found == [new.grants[0], old.grants[0]]
    assert opened(store, PROVIDER).connections(PeerId(PROVIDER), "personen", NOW) == []


async def test_publications_are_those_in_force(store: Store) -> None:
    contracts = opened(store, DIRECTORY)
    plain, delegated, proposed = (
        made(publication()),
        made(delegated_publication()),
        made(publication("adressen")),
    )
    await agree(contracts, plain)
    await agree(contracts, delegated)
    await contracts.receive(proposed, signed(PROVIDER))
    found = contracts.publications(NOW)
    assert [(one.grant, one.content_hash) for one in found] == [
        (one.grants[0], one.hash) for one in (plain, delegated)
    ]
    assert contracts.publications(NOW + 10**6) == []
    await contracts.add_signature(plain, signed(PROVIDER, "revoke"))
    assert [one.content_hash for one in contracts.publications(NOW)] == [delegated.hash]


async def test_a_renewed_signature_takes_the_place_of_the_old_one(contracts: Contracts) -> None:
    one = made()
    await agree(contracts, one)
    heard = list[Contract]()
    contracts.on_change(lambda kept, _signature: heard.append(kept.contract))
    renewed = signed(PROVIDER, at=NOW + 60, by="b" * 43)
    assert await contracts.add_signature(one, renewed) is True
    kept = contracts.get(one.hash)
    assert kept is not None
    assert set(kept.signatures) == {signed(CONSUMER), renewed}
    assert set(heard[0].signatures) == set(kept.signatures)
    assert len(heard[0].signatures) == 2
    assert contracts.connections(PeerId(PROVIDER), "personen", NOW) == [one.grants[0]]
    assert contracts.in_force(one.grants[0].hash, NOW) == one.grants[0]
    assert await contracts.add_signature(one, signed(PROVIDER)) is False


async def test_two_signatures_of_one_second_end_up_the_same_in_any_order(contracts: Contracts) -> None:
    one, other = made(), made()
    first, second = signed(CONSUMER, jws="a.a.a"), signed(CONSUMER, jws="b.b.b")
    for each, order in ((one, (first, second)), (other, (second, first))):
        for signature in order:
            await contracts.add_signature(each, signature)
    kept = [contracts.get(each.hash) for each in (one, other)]
    assert [each and each.signatures for each in kept] == [(second,), (second,)]


async def test_a_signature_heals_a_contract_that_never_came(contracts: Contracts) -> None:
    one = made()
    assert await contracts.add_signature(one, signed(PROVIDER)) is True
    assert await contracts.receive(one, signed(CONSUMER)) is False
    assert contracts.in_force(one.grants[0].hash, NOW) == one.grants[0]


async def test_pages_hold_every_contract_once_in_order(contracts: Contracts) -> None:
    all_of_them = [made(created_at=NOW - number // 3) for number in range(25)]
    for one in all_of_them:
        await contracts.receive(one, signed(CONSUMER))
    orders: list[Order] = ["SORT_ORDER_ASCENDING", "SORT_ORDER_DESCENDING"]
    for order in orders:
        seen, cursor = list[Contract](), ""
        while True:
            page, cursor = contracts.page(OWN, cursor, 4, order)
            seen += page
            if not cursor:
                break
        times = [one.content.created_at for one in seen]
        assert times == sorted(times, reverse=order == "SORT_ORDER_DESCENDING")
        assert {one.content.hash for one in seen} == {one.hash for one in all_of_them}
        assert len(seen) == 25


async def test_a_contract_made_while_paging_disturbs_no_page(contracts: Contracts) -> None:
    first = [made(created_at=NOW - number) for number in range(6)]
    for one in first:
        await contracts.receive(one, signed(CONSUMER))
    begin, cursor = contracts.page(OWN, "", 3)
    await contracts.receive(made(created_at=NOW + 5), signed(CONSUMER))
    end, cursor = contracts.page(OWN, cursor, 3)
    assert ([one.content for one in begin + end], cursor) == (first, "")


async def test_a_peer_sees_only_contracts_it_is_in(contracts: Contracts) -> None:
    mine, other = made(), made(delegated_publication())
    await contracts.receive(mine, signed(CONSUMER))
    await contracts.receive(other, signed(PRINCIPAL))
    seen = {
        peer: [one.content for one in contracts.page(PeerId(peer))[0]]
        for peer in (CONSUMER, PRINCIPAL, STRANGER)
    }
    assert seen == {CONSUMER: [mine], PRINCIPAL: [other], STRANGER: []}
    hashes = [mine.grants[0].hash, other.grants[0].hash]
    assert [one.content for one in contracts.by_grant_hashes(PeerId(CONSUMER), hashes)] == [mine]
    assert contracts.by_grant_hashes(PeerId(STRANGER), hashes) == []


async def test_a_page_holds_only_the_type_of_grant_asked_for(contracts: Contracts) -> None:
    both = made(connection(), connection("adressen"))
    await contracts.receive(both, signed(CONSUMER))
    await contracts.receive(made(publication()), signed(PROVIDER))
    page, _ = contracts.page(PeerId(PROVIDER), grant_type="GRANT_TYPE_SERVICE_CONNECTION")
    assert [one.content for one in page] == [both]
    assert [one.content for one in contracts.by_grant_hashes(OWN, [grant.hash for grant in both.grants])] == [
        both
    ]


@pytest.mark.parametrize("cursor", ["x", "MS4", "Li4", "MTIzLjQ1Ng==", "é", "1.2", "A" * 4000])
async def test_a_cursor_that_was_not_given_out_is_refused(contracts: Contracts, cursor: str) -> None:
    with pytest.raises(FscProblem) as refused:
        contracts.page(OWN, cursor)
    assert (refused.value.status, refused.value.fsc_code) == (400, "ERROR_CODE_MALFORMED_REQUEST")


@pytest.mark.parametrize("place", ["-1.-1", f"{10**30}.{10**30}", f"-{10**30}.1"])
async def test_a_cursor_of_nowhere_breaks_nothing(contracts: Contracts, place: str) -> None:
    await contracts.receive(made(), signed(CONSUMER))
    cursor = urlsafe_b64encode(place.encode()).decode().rstrip("=")
    assert len(contracts.page(OWN, cursor)[0]) <= 1


async def test_what_waits_for_someone_is_found(contracts: Contracts) -> None:
    proposed, agreed, rejected = made(), made(), made()
    over = made(validity={"not_before": NOW - 10, "not_after": NOW - 1})
    for one in (proposed, rejected, over):
        await contracts.receive(one, signed(CONSUMER))
    await agree(contracts, agreed)
    await contracts.add_signature(rejected, signed(PROVIDER, "reject"))
    assert [one.content for one in contracts.proposed(NOW)] == [proposed]
    assert contracts.counts(NOW) == {"proposed": 1, "agreed": 1, "ended": 1, "closed": 1}
    assert contracts.counts(2**40) == {"proposed": 0, "agreed": 0, "ended": 3, "closed": 1}


async def test_everything_that_waits_is_found_however_much_it_is(contracts: Contracts) -> None:
    ends = [NOW + 5, NOW + 5, NOW + 5, NOW + 6]
    open = [made(validity={"not_before": NOW, "not_after": end}) for end in ends]
    for one in open:
        await contracts.receive(one, signed(CONSUMER))
    found = list[str]()
    last = None
    while page := contracts.proposed(NOW, last, 2):
        found, last = found + [one.content.hash for one in page], page[-1]
    assert found[3] == open[3].hash
    assert sorted(found) == sorted(one.hash for one in open)


async def test_what_will_end_is_found_in_time(contracts: Contracts) -> None:
    soon, late = made(validity={"not_before": NOW, "not_after": NOW + 100}), made()
    await agree(contracts, soon)
    await agree(contracts, late)
    assert [one.content for one in contracts.ending(NOW, NOW + 1000)] == [soon]


async def test_what_must_be_signed_again_is_found(contracts: Contracts) -> None:
    old, new, over = made(), made(), made()
    await contracts.receive(old, signed(CONSUMER, by="o" * 43))
    await contracts.receive(new, signed(CONSUMER, by="n" * 43))
    await contracts.receive(over, signed(CONSUMER, by="o" * 43))
    await contracts.add_signature(over, signed(PROVIDER, "reject"))
    assert [one.content for one in contracts.to_sign_again(OWN, "n" * 43, NOW)] == [old]


# Certificates that end or are revoked


async def test_what_was_accepted_with_a_certificate_that_ended_is_not_in_force(
    store: Store, contracts: Contracts
) -> None:
    one = made()
    await contracts.add_signature(one, signed(CONSUMER))
    await contracts.add_signature(one, signed(PROVIDER, until=NOW + 10))
    grant = one.grants[0].hash
    for known in (contracts, opened(store)):
        assert known.in_force(grant, NOW + 10) is not None
        assert known.in_force(grant, NOW + 11) is None


async def test_signing_again_with_a_renewed_certificate_brings_it_back(contracts: Contracts) -> None:
    one = made()
    await contracts.add_signature(one, signed(CONSUMER))
    await contracts.add_signature(one, signed(PROVIDER, until=NOW + 10))
    await contracts.add_signature(one, signed(PROVIDER, at=NOW + 1, by="b" * 43, until=NOW + 20))
    assert contracts.in_force(one.grants[0].hash, NOW + 20) is not None
    assert contracts.in_force(one.grants[0].hash, NOW + 21) is None


async def test_what_was_accepted_with_a_revoked_certificate_is_not_in_force(
    store: Store, contracts: Contracts
) -> None:
    one, other = made(), made()
    for agreed, by in ((one, "r" * 43), (other, "s" * 43)):
        await contracts.add_signature(agreed, signed(CONSUMER))
        await contracts.add_signature(agreed, signed(PROVIDER, by=by))
    held = {(one.peer, one.thumbprint) for one in contracts.certificates(NOW)}
    assert held == {(CONSUMER, "a" * 43), (PROVIDER, "r" * 43), (PROVIDER, "s" * 43)}
    assert await asyncio.to_thread(contracts.judge, "r" * 43, 0) == 1
    for known in (contracts, opened(store)):
        found = [known.in_force(agreed.grants[0].hash, NOW) for agreed in (one, other)]
        assert [grant is not None for grant in found] == [False, True]
    kept = contracts.get(one.hash)
    assert kept is not None
    assert state(kept, NOW) == "proposed"
    await asyncio.to_thread(contracts.judge, "r" * 43, NOW + 100)  # the revocation was taken back
    assert contracts.in_force(one.grants[0].hash, NOW + 100) is not None


async def test_a_signature_that_was_renewed_does_not_end_with_the_first(contracts: Contracts) -> None:
    one = made()
    await contracts.add_signature(one, signed(CONSUMER, until=NOW + 5))
    await contracts.add_signature(one, signed(PROVIDER))
    await contracts.add_signature(one, signed(CONSUMER, at=NOW + 1))
    contracts._keeper._clock = lambda: datetime.fromtimestamp(NOW + 50, UTC)
    await agree(contracts, made())  # whereupon what is over is taken out
    assert contracts.in_force(one.grants[0].hash, NOW + 50) is not None


# What one peer may leave here


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sluis.gateway.contracts.keeping.MOST_OPEN", 3)


async def refusal(contracts: Contracts, one: Content, by: Signature) -> tuple[str, int]:
    with pytest.raises(FscProblem) as refused:
        await contracts.receive(one, by)
    return refused.value.fsc_code, refused.value.status


TOO_MANY = ("ERROR_CODE_TOO_MANY_OPEN_CONTRACTS", 429)


@pytest.mark.usefixtures("few")
async def test_what_a_peer_leaves_open_is_bounded(store: Store, contracts: Contracts) -> None:
    for _ in range(3):
        await contracts.receive(made(), signed(PROVIDER))
    for known in (contracts, opened(store)):
        assert await refusal(known, made(), signed(PROVIDER)) == TOO_MANY
    await contracts.receive(
        made(connection(), delegated_publication()), signed(PRINCIPAL)
    )  # hinders nobody else
    for _ in range(4):
        await contracts.receive(made(), signed(CONSUMER))  # nor this peer itself


async def test_the_bytes_that_a_peer_leaves_open_are_bounded(
    contracts: Contracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = [made(connection(properties={"text": "x" * 5000})) for _ in range(2)]
    monkeypatch.setattr("sluis.gateway.contracts.keeping.MOST_OPEN_BYTES", len(large[0].json) + 1000)
    await contracts.receive(large[0], signed(PROVIDER))
    assert await refusal(contracts, large[1], signed(PROVIDER)) == TOO_MANY
    await contracts.receive(made(), signed(PROVIDER))


@pytest.mark.usefixtures("few")
async def test_what_is_known_may_be_signed_rejected_and_revoked_at_the_bound(contracts: Contracts) -> None:
    open = [made() for _ in range(3)]
    for one in open:
        await contracts.receive(one, signed(PROVIDER))
    assert await contracts.add_signature(open[0], signed(PROVIDER, at=NOW + 1))
    assert await contracts.add_signature(open[1], signed(PROVIDER, "revoke"))
    assert await contracts.add_signature(open[2], signed(PROVIDER, "reject"))
    assert await refusal(contracts, made(), signed(PROVIDER)) == TOO_MANY  # what is revoked still takes room


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("action", ["accept", "reject"])
async def test_what_this_peer_decided_on_is_open_no_longer(contracts: Contracts, action: Action) -> None:
    open = [made() for _ in range(3)]
    for one in open:
        await contracts.receive(one, signed(PROVIDER))
    await contracts.add_signature(open[0], signed(CONSUMER, action))
    assert await contracts.receive(made(), signed(PROVIDER)) is True


async def test_signatures_are_not_replaced_for_ever(contracts: Contracts) -> None:
    contracts._keeper._renewing = Allowance(2, 0.001)
    one = made()
    for at in range(3):
        assert await contracts.add_signature(one, signed(PROVIDER, at=NOW + at))
    assert await refusal(contracts, one, signed(PROVIDER, at=NOW + 3)) == (
        "ERROR_CODE_TOO_MANY_REQUESTS",
        429,
    )
    assert await contracts.add_signature(one, signed(PROVIDER, "revoke", at=NOW + 3))
    for at in range(4):
        assert await contracts.add_signature(one, signed(CONSUMER, at=NOW + at))


@pytest.mark.usefixtures("few")
async def test_a_revocation_of_something_unknown_counts_as_open_too(contracts: Contracts) -> None:
    for _ in range(3):
        await contracts.add_signature(made(), signed(PROVIDER, "revoke"))
    assert await refusal(contracts, made(), signed(PROVIDER)) == TOO_MANY


@pytest.mark.usefixtures("few")
async def test_what_is_over_and_was_never_signed_here_is_destroyed(
    contracts: Contracts, store: Store
) -> None:
    over = {"not_before": NOW, "not_after": NOW + 1}
    forgotten = [made(validity=over) for _ in range(2)]
    for one in forgotten:
        await contracts.receive(one, signed(PROVIDER))
    kept, ours = made(), made(validity=over)
    await contracts.receive(kept, signed(PROVIDER))
    await contracts.receive(ours, signed(CONSUMER))
    await contracts.add_signature(ours, signed(PROVIDER))
    await contracts.forget(NOW + 2)
    assert [contracts.get(one.hash) for one in forgotten] == [None, None]
    assert {one.content.hash for one in contracts.page(OWN)[0]} == {kept.hash, ours.hash}
    with store.read() as reading:
        for table in ("contract_signatures", "contract_parties", "contract_grants"):
            numbers = reading.execute(text(f"SELECT DISTINCT contract FROM {table}")).scalars().all()
            assert len(numbers) == 2
    assert await contracts.receive(made(), signed(PROVIDER)) is True


async def test_a_page_ends_before_it_is_too_large(
    contracts: Contracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = [made(connection(properties={"text": "x" * 5000}), created_at=NOW + at) for at in range(5)]
    for one in large:
        await contracts.receive(one, signed(CONSUMER))
    for most, expected in ((2 * len(large[0].json) + 100, [2, 2, 1]), (1, [1, 1, 1, 1, 1])):
        monkeypatch.setattr("sluis.gateway.contracts.service.LARGEST_ANSWER", most)
        sizes, cursor, seen = list[int](), "", list[str]()
        while not sizes or cursor:
            page, cursor = contracts.page(OWN, cursor, 4)
            sizes.append(len(page))
            seen += [one.content.hash for one in page]
        assert (sizes, seen) == (expected, [one.hash for one in reversed(large)])
    assert len(contracts.by_grant_hashes(OWN, [one.grants[0].hash for one in large])) == 1


async def test_what_belongs_to_the_commit_is_in_it_once(contracts: Contracts, store: Store) -> None:
    await store.write(lambda connection: connection.execute(text("CREATE TABLE told (hash TEXT)")) and None)

    def note(connection: Connection, kept: Kept) -> None:
        connection.execute(text("INSERT INTO told VALUES (:hash)"), {"hash": kept.contract.content.hash})

    one = made()
    for _ in range(2):
        await contracts.receive(one, signed(CONSUMER), note)
    with store.read() as reading:
        assert reading.execute(text("SELECT hash FROM told")).scalars().all() == [one.hash]


async def test_what_fails_in_the_commit_undoes_that_contract_alone(contracts: Contracts) -> None:
    def fail(_connection: Connection, _kept: Kept) -> None:
        raise LookupError("outbox")

    one, other = made(), made()
    outcomes = await asyncio.gather(
        contracts.receive(one, signed(CONSUMER), fail),
        contracts.receive(other, signed(CONSUMER)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [LookupError, bool]
    assert contracts.get(one.hash) is None
    assert contracts.get(other.hash) is not None
    assert await contracts.receive(one, signed(CONSUMER)) is True


async def test_what_a_failing_database_did_not_keep_is_not_in_force(contracts: Contracts) -> None:
    def fail(_connection: Connection, _kept: Kept) -> None:
        raise OperationalError("disk", None, OSError("full"))

    before, one, other = made(), made(), made()
    await agree(contracts, before)
    await contracts.receive(one, signed(CONSUMER))
    outcomes = await asyncio.gather(
        contracts.add_signature(one, signed(PROVIDER)),
        contracts.receive(other, signed(CONSUMER), fail),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [Unkept, Unkept]
    await contracts.receive(made(), signed(CONSUMER))
    assert contracts.in_force(one.grants[0].hash, NOW) is None
    assert contracts.in_force(before.grants[0].hash, NOW) == before.grants[0]
    assert contracts.get(other.hash) is None
    assert await contracts.add_signature(one, signed(PROVIDER)) is True
    assert contracts.in_force(one.grants[0].hash, NOW) == one.grants[0]


async def test_listeners_hear_of_what_is_new_and_of_nothing_else(contracts: Contracts) -> None:
    heard = list[tuple[bool, Action, str]]()
    contracts.on_change(
        lambda kept, signature: heard.append((kept.new_contract, signature.action, state(kept.contract, NOW)))
    )
    one = made()
    await contracts.receive(one, signed(CONSUMER))
    await contracts.receive(one, signed(CONSUMER))
    await contracts.add_signature(one, signed(PROVIDER))
    await contracts.add_signature(one, signed(PROVIDER, "revoke"))
    assert heard == [(True, "accept", "proposed"), (False, "accept", "valid"), (False, "revoke", "revoked")]


async def test_listeners_hear_of_what_was_kept_when_nobody_waits_any_more(contracts: Contracts) -> None:
    heard = asyncio.Event()
    contracts.on_change(lambda _kept, _signature: heard.set())
    waiting = asyncio.create_task(contracts.receive(made(), signed(CONSUMER)))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait_for(heard.wait(), 5)
