"""Which contracts are taken, who signs them, and their states (FSC Core 2.0.0, Contract Validation; Signatures)."""

from itertools import chain, combinations, permutations, product
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.unit.gateway.contracts.making import (
    CONSUMER,
    DIRECTORY,
    GROUP,
    NOW,
    OWNER,
    PRINCIPAL,
    PROVIDER,
    STRANGER,
    as_json,
    connection,
    content,
    delegated_connection,
    delegated_publication,
    of_another,
    publication,
)
from tests.unit.gateway.contracts.signing import Root, key_for

from sluis.crypto import public_key_thumbprint
from sluis.gateway.contracts import (
    STATES,
    Action,
    Content,
    Contract,
    OutwayId,
    Signature,
    State,
    check_content,
    check_own_act,
    fits_outway,
    read_content,
    signers,
    state,
    waiting_for,
)
from sluis.gateway.contracts.model import Event
from sluis.gateway.contracts.rules import counts_instead
from sluis.gateway.faults import FscProblem
from sluis.kernel import Conflict, PeerId, Problem, Refused


def made(*grants: dict[str, Any], **changes: Any) -> Content:
    return read_content(as_json(content(*grants, **changes)))


def check(one: Content, own: str = PROVIDER, submitter: str = CONSUMER, **more: Any) -> None:
    check_content(one, PeerId(own), PeerId(submitter), GROUP, NOW, **more)


def refusal(one: Content, **more: Any) -> tuple[str, int, str]:
    with pytest.raises(FscProblem) as refused:
        check(one, **more)
    return refused.value.fsc_code, refused.value.status, refused.value.code


INVALID = "ERROR_CODE_CONTRACT_INVALID"


def test_the_group_must_be_this_one() -> None:
    assert refusal(made(group_id="andere"))[:2] == ("ERROR_CODE_INCORRECT_GROUP_ID", 422)


def test_the_submitter_must_be_in_a_grant() -> None:
    assert refusal(made(), submitter=STRANGER)[:2] == ("ERROR_CODE_SUBMITTING_PEER_NOT_PART_OF_CONTRACT", 422)


def test_the_receiver_must_be_in_a_grant() -> None:
    assert refusal(made(), own=STRANGER)[:2] == ("ERROR_CODE_RECEIVING_PEER_NOT_PART_OF_CONTRACT", 422)


ALL = [connection(), delegated_connection(), publication(), delegated_publication()]


@pytest.mark.parametrize(("one", "other"), list(combinations(ALL, 2)))
def test_publications_are_not_mixed_with_other_grants(one: dict[str, Any], other: dict[str, Any]) -> None:
    mixed = ("PUBLICATION" in one["type"]) is not ("PUBLICATION" in other["type"])
    if mixed:
        for pair in ((one, other), (other, one)):
            assert refusal(made(*pair), submitter=PROVIDER)[:2] == (
                "ERROR_CODE_GRANT_COMBINATION_NOT_ALLOWED",
                422,
            )
    else:
        check(made(one, other), submitter=PROVIDER, proposes=False)


def test_it_was_not_made_in_the_future() -> None:
    check(made(created_at=NOW + 60))
    assert refusal(made(created_at=NOW + 61)) == (INVALID, 422, "contract-from-the-future")


def test_its_end_lies_in_the_future() -> None:
    check(made(validity={"not_before": NOW - 9, "not_after": NOW + 1}))
    assert refusal(made(validity={"not_before": NOW - 9, "not_after": NOW})) == (
        INVALID,
        422,
        "contract-over",
    )


@pytest.mark.parametrize("end", [NOW + 9, NOW + 10])
def test_its_end_comes_after_its_begin(end: int) -> None:
    one = made(validity={"not_before": NOW + 10, "not_after": end})
    assert refusal(one) == (INVALID, 422, "contract-ends-before-it-begins")


PROPOSERS = [
    (connection(), {CONSUMER}),
    (of_another(connection()), {CONSUMER}),
    (delegated_connection(), {CONSUMER, PRINCIPAL}),
    (publication(), {PROVIDER}),
    (delegated_publication(), {PROVIDER, PRINCIPAL}),
]


@pytest.mark.parametrize(("grant", "proposers"), PROPOSERS)
def test_who_is_asked_for_something_is_asked_by_whoever_acts_or_delegates(
    grant: dict[str, Any], proposers: set[str]
) -> None:
    one = made(grant)
    asked = one.grants[0].directory or one.grants[0].service_peer
    for peer in one.parties - {asked}:
        if peer in proposers:
            check(one, own=asked, submitter=peer)
        else:
            assert refusal(one, own=asked, submitter=peer) == (INVALID, 422, "contract-of-another")
            check(one, own=asked, submitter=peer, proposes=False)


def test_whoever_is_asked_nothing_may_be_offered_a_contract_by_any_party() -> None:
    check(made(connection()), own=CONSUMER, submitter=PROVIDER)


def test_one_contract_may_hold_the_connections_of_several_peers() -> None:
    one = made(connection(), connection("adressen", outway={**connection()["outway"], "peer_id": STRANGER}))
    check(one)


def test_a_connection_is_to_a_service_that_is_offered() -> None:
    check(made(), offers={"personen"}.__contains__)
    assert refusal(made(), offers={"adressen"}.__contains__) == (INVALID, 422, "service-not-offered")
    check(made(), own=CONSUMER, offers={"adressen"}.__contains__)
    check(made(publication()), own=DIRECTORY, submitter=PROVIDER, offers=set[str]().__contains__)


PURPOSE = {"sluis.purpose": {"activity": "https://register.example/bijstand"}}


@pytest.mark.parametrize("make", [publication, delegated_publication])
@pytest.mark.parametrize("own", [PROVIDER, DIRECTORY])
def test_a_purpose_stands_in_no_publication(make: Any, own: str) -> None:
    """The directory tells everyone what is published: it must not tell who looks at what."""
    other = DIRECTORY if own == PROVIDER else PROVIDER
    submitter = PRINCIPAL if make is delegated_publication else other
    one = made({**make(), "properties": {**PURPOSE, "eigen": 1}})
    assert refusal(one, own=own, submitter=submitter) == (INVALID, 422, "purpose-in-publication")
    check(one, own=own, submitter=submitter, proposes=False, new=False)
    check(made({**make(), "properties": {"eigen": {"sluis.purpose": 1}}}), own=own, submitter=submitter)
    check(made(connection(properties=PURPOSE)))


def test_no_service_of_this_peer_is_published_as_http_2() -> None:
    def of(make: Any) -> Content:
        grant = make()
        return made({**grant, "service": {**grant["service"], "protocol": "PROTOCOL_TCP_HTTP_2"}})

    assert refusal(of(publication), submitter=PROVIDER) == (INVALID, 422, "protocol-not-spoken")
    assert refusal(of(delegated_publication), submitter=PRINCIPAL) == (INVALID, 422, "protocol-not-spoken")
    check(of(publication), own=DIRECTORY, submitter=PROVIDER)


def test_a_service_may_be_published_before_it_is_offered() -> None:
    check(made(delegated_publication()), submitter=PRINCIPAL, offers=set[str]().__contains__)


@pytest.mark.parametrize(
    ("grant", "parties"),
    [
        (connection(), {PROVIDER, CONSUMER}),
        (of_another(connection()), {PROVIDER, CONSUMER, OWNER}),
        (delegated_connection(), {PROVIDER, CONSUMER, PRINCIPAL}),
        (of_another(delegated_connection()), {PROVIDER, CONSUMER, PRINCIPAL, OWNER}),
        (publication(), {PROVIDER, DIRECTORY}),
        (delegated_publication(), {PROVIDER, DIRECTORY, PRINCIPAL}),
    ],
)
def test_everyone_in_a_grant_must_accept(grant: dict[str, Any], parties: set[str]) -> None:
    one = made(grant)
    assert signers(one) == parties
    for count in range(len(parties) + 1):
        for some in combinations(sorted(parties), count):
            contract = Contract(one, tuple(signed(peer) for peer in some))
            assert waiting_for(contract, NOW) == parties - set(some)
            assert state(contract, NOW) == ("valid" if count == len(parties) else "proposed")


def signed(peer: str, action: Action = "accept", at: int = NOW, until: int = 2**40) -> Signature:
    return Signature(PeerId(peer), action, f"{peer}.{action}.{at}", at, "a" * 43, until)


def test_an_acceptance_counts_as_long_as_its_certificate_is_valid() -> None:
    contract = Contract(made(), (signed(PROVIDER), signed(CONSUMER, until=NOW)))
    assert (state(contract, NOW), waiting_for(contract, NOW)) == ("valid", set())
    assert (state(contract, NOW + 1), waiting_for(contract, NOW + 1)) == ("proposed", {CONSUMER})


def test_a_refusal_counts_whatever_became_of_its_certificate() -> None:
    for action, expected in (("reject", "rejected"), ("revoke", "revoked")):
        contract = Contract(made(), (signed(PROVIDER, action, until=0),))  # type: ignore[arg-type]
        assert state(contract, NOW) == expected


def test_the_table_of_states_is_complete() -> None:
    assert set(STATES) == set(get_args(State))
    assert all(set(row) == set(get_args(Event)) for row in STATES.values())


def test_the_same_events_in_any_order_lead_to_one_state() -> None:
    events = get_args(Event)
    for start in STATES:
        for some in chain.from_iterable(combinations(events, count) for count in range(len(events) + 1)):
            ends = set[State]()
            for order in permutations(some + some):
                reached: State = start
                for event in order:
                    reached = STATES[reached][event]
                ends.add(reached)
            assert len(ends) == 1


def test_nothing_leads_back_to_what_is_allowed() -> None:
    for over, event in product(("rejected", "revoked", "expired"), get_args(Event)):
        assert STATES[over][event] not in ("valid", "proposed")  # type: ignore[index]


SECONDS = {"early": NOW - 20, "during": NOW, "late": NOW + 100_000}
WHO = [(), ((CONSUMER, "accept"),), ((CONSUMER, "accept"), (PROVIDER, "accept"))]
TAKEN_BACK: list[tuple[tuple[str, Action], ...]] = [
    (), ((CONSUMER, "reject"),), ((PROVIDER, "reject"),), ((CONSUMER, "revoke"),), ((PROVIDER, "reject"), (CONSUMER, "revoke")),
]  # fmt: skip


@pytest.mark.parametrize(("accepted", "taken_back", "when"), list(product(WHO, TAKEN_BACK, SECONDS)))
def test_the_state_follows_from_signatures_and_time(
    accepted: tuple[tuple[str, Action], ...], taken_back: tuple[tuple[str, Action], ...], when: str
) -> None:
    actions = {action for _, action in taken_back}
    expected = (
        "revoked" if "revoke" in actions
        else "rejected" if "reject" in actions
        else "expired" if when == "late"
        else "valid" if len(accepted) == 2 and when == "during"
        else "proposed"
    )  # fmt: skip
    one = made()
    for order in permutations(accepted + taken_back):
        contract = Contract(one, tuple(signed(peer, action) for peer, action in order))
        assert state(contract, SECONDS[when]) == expected


def test_both_ends_of_its_time_are_in_it() -> None:
    one = made(validity={"not_before": NOW, "not_after": NOW + 10})
    contract = Contract(one, (signed(CONSUMER), signed(PROVIDER)))
    found = [state(contract, second) for second in (NOW - 1, NOW, NOW + 10, NOW + 11)]
    assert found == ["proposed", "valid", "valid", "expired"]


OWN_ACTS: dict[State, set[str]] = {
    "proposed": {"accept", "reject", "revoke"},
    "valid": {"accept", "revoke"},
    "rejected": set(),
    "revoked": set(),
    "expired": set(),
}
SIGNATURES: dict[State, tuple[Signature, ...]] = {
    "proposed": (signed(CONSUMER),),
    "valid": (signed(CONSUMER), signed(PROVIDER)),
    "rejected": (signed(CONSUMER), signed(PROVIDER, "reject")),
    "revoked": (signed(CONSUMER), signed(PROVIDER, "revoke")),
    "expired": (),
}


@pytest.mark.parametrize(("found", "action"), list(product(OWN_ACTS, get_args(Action))))
def test_own_acts_follow_the_state(found: State, action: Action) -> None:
    contract, now = Contract(made(), SIGNATURES[found]), NOW + (10**6 if found == "expired" else 0)
    assert state(contract, now) == found
    if action in OWN_ACTS[found]:
        check_own_act(contract, PeerId(PROVIDER), action, now)
    else:
        with pytest.raises(Conflict) as refused:
            check_own_act(contract, PeerId(PROVIDER), action, now)
        assert refused.value.code == ("contract-is-valid" if found == "valid" else "contract-is-over")


def test_who_is_no_party_does_nothing_with_a_contract() -> None:
    with pytest.raises(Refused):
        check_own_act(Contract(made()), PeerId(STRANGER), "reject", NOW)


def test_the_later_signature_counts_whatever_the_order() -> None:
    old, new, same = (
        signed(CONSUMER),
        signed(CONSUMER, at=NOW + 1),
        Signature(PeerId(CONSUMER), "accept", "z.z.z", NOW, "b" * 43, 2**40),
    )
    assert counts_instead(old, None)
    assert counts_instead(new, old)
    assert not counts_instead(old, new)
    assert not counts_instead(old, old)
    assert counts_instead(same, old) is not counts_instead(old, same)


def test_an_outway_fits_by_its_key_across_a_renewal() -> None:
    root, key = Root(), key_for("ES256")
    first, renewed, other = (
        root.issue(CONSUMER, key),
        root.issue(CONSUMER, key),
        root.issue(CONSUMER, ec.generate_private_key(ec.SECP256R1())),
    )
    outway = OutwayId(PeerId(CONSUMER), public_key_thumbprint(first))
    assert [fits_outway(outway, certificate) for certificate in (first, renewed, other)] == [
        True,
        True,
        False,
    ]


def test_an_outway_fits_by_a_name_in_its_certificate() -> None:
    certificate = Root().issue(CONSUMER, key_for("ES256"), ("a.voorbeeld.nl", "*.voorbeeld.nl"))
    names = ("a.voorbeeld.nl", "A.Voorbeeld.NL", "b.voorbeeld.nl", "voorbeeld.nl", "Gemeente Voorbeeld")
    assert [fits_outway(OutwayId(PeerId(CONSUMER), None, name), certificate) for name in names] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert not fits_outway(OutwayId(PeerId(CONSUMER)), certificate)


def test_every_refusal_speaks_both_languages() -> None:
    with pytest.raises(Problem) as refused:
        check(made(created_at=NOW + 100))
    assert refused.value.why.nl != refused.value.why.en
    assert str(NOW) in refused.value.why.nl
