"""Managers of a group over real sockets: contracts are made, travel and are signed; what is lost heals, and what others
answer harms nothing."""

import asyncio
import json
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from tests.integration.calls import Foreign, code, contract, ok, signing_path
from tests.integration.managers import (
    DAY,
    DIRECTORY,
    GEMEENTE,
    MANAGEMENT,
    SVB,
    UWV,
    Member,
    Place,
    World,
    connection,
    member,
    now,
    publication,
    until,
)
from tests.integration.test_revocation import revoke
from tests.servers import Server
from tests.unit.gateway.contracts.making import hashes

from sluis.crypto import Identity, client_context
from sluis.gateway.allowance import Allowance
from sluis.gateway.contracts import Contract
from sluis.gateway.manager import AutoSign, DecisionPoint, elsewhere
from sluis.kernel import Conflict, NotFound, PeerId, Problem, Upstream

ANYTHING = AutoSign("anything", any_properties=True)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
async def directory(world: World) -> AsyncIterator[Member]:
    rule = AutoSign("publications", grants=("GRANT_TYPE_SERVICE_PUBLICATION",), any_properties=True)
    async with member(world.place(DIRECTORY), auto_sign=(rule,)) as running:
        yield running


@pytest.fixture
async def uwv(world: World, directory: Member) -> AsyncIterator[Member]:
    async with member(world.place(UWV), services=("loon",)) as running:
        yield running


@pytest.fixture
async def gemeente(world: World, directory: Member) -> AsyncIterator[Member]:
    async with member(world.place(GEMEENTE)) as running:
        yield running


async def offered(asker: Member, **more: Any) -> Contract:
    """A connection to the service of UWV, proposed."""
    grant = connection(asker.place, UWV, "loon", **more)
    return await asker.manager.propose([grant], now() - 60, now() + DAY)


def lose_letters(sender: Member) -> None:
    """As if the outbox had been lost, with a backup that was put back."""
    with sender.running.outbox._store.engine.begin() as database:
        database.execute(text("DELETE FROM outbox"))


def signatures(at: Member, one: Contract) -> set[tuple[str, str]]:
    found = at.contracts.get(one.content.hash)
    return {(str.__str__(each.peer), each.action) for each in found.signatures} if found else set()


# The whole way


async def test_a_contract_goes_the_whole_way_from_proposal_to_token(
    directory: Member, uwv: Member, gemeente: Member
) -> None:
    published = await uwv.manager.propose([publication(UWV, "loon")], now(), now() + DAY)
    await uwv.reaches(published, "valid")
    found = [one async for one in gemeente.running.directory.services(name="LOO")]
    assert [(one.name, one.peer.manager_address) for one in found] == [("loon", uwv.place.address)]

    proposed = await offered(gemeente, properties={"activity": "urn:test:bijstand"})
    await uwv.reaches(proposed, "proposed")
    await uwv.manager.act(proposed.content.hash, "accept")
    await gemeente.reaches(proposed, "valid")
    assert uwv.state(proposed) == "valid"

    token = await gemeente.running.managers.token(UWV, GEMEENTE, proposed.content.grants[0].hash)
    assert token.count(".") == 2

    await uwv.manager.act(proposed.content.hash, "revoke")
    await gemeente.reaches(proposed, "revoked")
    with pytest.raises(Upstream) as refused:
        await gemeente.running.managers.token(UWV, GEMEENTE, proposed.content.grants[0].hash)
    assert "invalid_grant" in str(refused.value)


@pytest.mark.postgres
async def test_a_manager_works_on_postgresql_too(
    world: World, directory: Member, gemeente: Member, postgres: Server
) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as database:
        database.execute("CREATE DATABASE manager_test")
    url = postgres.url.rpartition("/")[0] + "/manager_test"
    async with member(world.place(UWV), services=("loon",), auto_sign=(ANYTHING,), database=url) as uwv:
        made = await offered(gemeente)
        await gemeente.reaches(made, "valid")
        assert uwv.state(made) == "valid"
        await uwv.manager.act(made.content.hash, "revoke")
        await gemeente.reaches(made, "revoked")
        assert await uwv.running.reconciler.everything([GEMEENTE]) == 0


async def test_three_parties_end_up_with_the_same_signatures(
    world: World, directory: Member, uwv: Member, gemeente: Member
) -> None:
    async with member(world.place(SVB)) as svb:
        grant = connection(gemeente.place, UWV, "loon", delegator={"peer_id": str.__str__(SVB)})
        grant["type"] = "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION"
        made = await gemeente.manager.propose([grant], now() - 60, now() + DAY)
        for one in (uwv, svb):
            await one.reaches(made, "proposed")
            await one.manager.act(made.content.hash, "accept")
        for one in (gemeente, uwv, svb):
            await one.reaches(made, "valid")
        assert signatures(uwv, made) == signatures(svb, made) == signatures(gemeente, made)
        await svb.manager.act(made.content.hash, "revoke")
        for one in (gemeente, uwv):
            await one.reaches(made, "revoked")


async def test_a_rejection_arrives(uwv: Member, gemeente: Member) -> None:
    made = await offered(gemeente)
    await uwv.reaches(made, "proposed")
    await uwv.manager.act(made.content.hash, "reject")
    await gemeente.reaches(made, "rejected")
    with pytest.raises(Conflict):
        await gemeente.manager.act(made.content.hash, "revoke")


async def test_a_contract_that_nobody_knows_cannot_be_signed(gemeente: Member) -> None:
    with pytest.raises(NotFound):
        await gemeente.manager.act("$1$1$" + "A" * 86, "accept")


async def test_a_contract_that_breaks_a_rule_is_not_even_proposed(gemeente: Member) -> None:
    with pytest.raises(Problem):
        await gemeente.manager.propose([publication(UWV, "loon")], now(), now() + DAY)


# Away and back


async def test_what_was_signed_while_a_peer_was_away_arrives_when_it_is_back(
    world: World, directory: Member, gemeente: Member
) -> None:
    place = world.place(UWV)
    made = await offered(gemeente)
    await until(lambda: any(one.attempts for one in gemeente.running.outbox.waiting()))
    async with member(place, services=("loon",)) as uwv:  # its announcement ends the waiting
        await uwv.reaches(made, "proposed", 5)


async def test_a_push_that_was_lost_heals_when_the_parties_compare(uwv: Member, gemeente: Member) -> None:
    made = await offered(gemeente)
    await uwv.reaches(made, "proposed")
    await gemeente.server.stop(seconds=0)  # nothing reaches it, and then what waits is lost
    await uwv.manager.act(made.content.hash, "accept")
    await until(lambda: any(one.attempts for one in uwv.running.outbox.waiting()))
    lose_letters(uwv)
    assert (uwv.state(made), gemeente.state(made)) == ("valid", "proposed")
    assert await gemeente.running.reconciler.unsettled() == 1
    assert gemeente.state(made) == "valid"


async def test_a_proposal_that_was_lost_is_offered_again(
    world: World, directory: Member, gemeente: Member
) -> None:
    place = world.place(UWV)
    made = await offered(gemeente)
    lose_letters(gemeente)
    async with member(place, services=("loon",)) as uwv:
        await until(lambda: directory.running.peers.known(UWV))

        async def offered_again() -> bool:
            await gemeente.running.reconciler.unsettled()
            return uwv.state(made) == "proposed"

        await until(offered_again)


async def test_a_revocation_that_was_lost_heals_at_the_slower_pace(uwv: Member, gemeente: Member) -> None:
    made = await offered(gemeente)
    await uwv.reaches(made, "proposed")
    await uwv.manager.act(made.content.hash, "accept")
    await gemeente.reaches(made, "valid")
    await gemeente.server.stop(seconds=0)
    await uwv.manager.act(made.content.hash, "revoke")
    await until(lambda: any(one.attempts for one in uwv.running.outbox.waiting()))
    lose_letters(uwv)
    assert await gemeente.running.reconciler.unsettled() == 0
    assert await gemeente.running.reconciler.everything([UWV]) == 1
    assert gemeente.state(made) == "revoked"


async def test_a_peer_whose_database_was_lost_gets_its_contracts_back(
    world: World, directory: Member, gemeente: Member
) -> None:
    place = world.place(UWV)
    async with member(place, services=("loon",), auto_sign=(ANYTHING,)) as uwv:
        made = await offered(gemeente)
        await gemeente.reaches(made, "valid")
    for file in place.home.glob("node.db*"):
        file.unlink()
    async with member(place, services=("loon",)) as uwv:
        assert uwv.state(made) is None
        await gemeente.running.reconciler.everything([UWV])
        await uwv.reaches(made, "proposed")
        assert await uwv.running.reconciler.unsettled() == 1  # its own signature, which the other had kept
        assert uwv.state(made) == "valid"


async def test_comparing_what_is_the_same_changes_nothing(uwv: Member, gemeente: Member) -> None:
    made = await offered(gemeente)
    await uwv.reaches(made, "proposed")
    await until(lambda: not gemeente.running.outbox.waiting())
    for one in (uwv, gemeente):
        assert await one.running.reconciler.unsettled() == 0
        assert await one.running.reconciler.everything([UWV, GEMEENTE]) == 0
        assert one.running.outbox.waiting() == []


async def test_a_peer_that_moved_is_found_again(world: World, directory: Member, gemeente: Member) -> None:
    place = world.place(UWV)
    async with member(place, services=("loon",)):
        await offered(gemeente)
        await until(lambda: not gemeente.running.outbox.waiting())
    moved = place.__class__(**{name: getattr(place, name) for name in place.__struct_fields__})
    moved.host = f"{world.network}77"
    files = world.authority.issue(moved.home / "moved", UWV, "UWV Voorbeeld", [moved.host])
    moved.certificate, moved.key = files
    made = await offered(gemeente)
    async with member(moved, services=("loon",)) as uwv:
        await uwv.reaches(made, "proposed")
        assert gemeente.running.peers.known(UWV).address == moved.address  # type: ignore[union-attr]


PROCESSES = multiprocessing.get_context("forkserver")


def propose_for_ever(place: Place, told: Pipe) -> None:
    """Propose contracts, and tell of each that was acknowledged."""

    async def proposals() -> None:
        async with member(place) as asker:
            while True:
                made = await offered(asker)
                told.send(made.content.hash)

    asyncio.run(proposals())


async def test_a_manager_killed_while_it_tells_the_others_loses_and_doubles_nothing(
    world: World, directory: Member, uwv: Member
) -> None:
    place, told = world.place(GEMEENTE), list[str]()
    for _ in range(2):
        ours, theirs = PROCESSES.Pipe(duplex=False)
        child = PROCESSES.Process(target=propose_for_ever, args=(place, theirs))
        child.start()
        theirs.close()
        await asyncio.to_thread(hear_and_kill, child, ours, told)
    async with member(place) as gemeente:
        known = [one.content.hash for one in gemeente.contracts.page(GEMEENTE, limit=1000)[0]]
        assert set(told) <= set(known)
        await until(lambda: all(uwv.contracts.get(hash) for hash in known), 20)
        assert sorted(one.content.hash for one in uwv.contracts.page(UWV, limit=1000)[0]) == sorted(known)
        await until(lambda: not gemeente.running.outbox.waiting())


def hear_and_kill(child: Any, ours: Pipe, told: list[str]) -> None:
    try:
        for _ in range(15):
            told.append(ours.recv())
        os.kill(child.pid, signal.SIGKILL)
        while True:
            told.append(ours.recv())
    except EOFError:
        child.join()


# Others that are not as they should be


@pytest.fixture
async def svb(world: World) -> AsyncIterator[Foreign]:
    peer = Foreign(world, SVB)
    server = await peer.listen()
    yield peer
    server.close()


async def both(asker: Member, svb: Foreign) -> Contract:
    """A contract of three, one of whom is no Sluis."""
    grant = connection(asker.place, UWV, "loon", delegator={"peer_id": str.__str__(SVB)})
    grant["type"] = "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION"
    return await asker.manager.propose([grant], now() - 60, now() + DAY)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n",  # and never the rest
        b"HTTP/1.1 302 Found\r\nlocation: https://127.0.0.1:443/\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 422 No\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 500 No\r\ncontent-length: 7\r\n\r\nbroken!",
        b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 100_000 + b"\r\n\r\n",
        b"",
    ],
)
async def test_one_that_answers_badly_does_not_keep_a_contract_from_the_others(
    world: World, directory: Member, uwv: Member, gemeente: Member, svb: Foreign, answer: bytes
) -> None:
    svb.answers["POST"] = answer
    await svb.call(directory.place.address, "PUT", "/v1/announce")
    made = await both(gemeente, svb)
    await uwv.reaches(made, "proposed")
    await until(lambda: any(one.attempts for one in gemeente.running.outbox.waiting()))
    svb.answers.clear()
    attempts = len(svb.pushed("POST"))
    await until(lambda: len(svb.pushed("POST")) > attempts and not gemeente.running.outbox.waiting())


def listing(*contracts: dict[str, Any], cursor: str = "") -> bytes:
    return ok(json.dumps({"contracts": contracts, "pagination": {"next_cursor": cursor}}).encode())


async def test_a_list_of_lies_changes_nothing(world: World, uwv: Member, svb: Foreign) -> None:
    await svb.call(uwv.place.address, "PUT", "/v1/announce")
    mine = contract("test-group", now(), connection(svb.place, UWV, "loon"))
    genuine = svb.signature(mine, "accept", now())
    forged = svb.signature(mine, "accept", now()).replace("a", "b")
    own, me = str.__str__(UWV), str.__str__(SVB)

    def signed(**maps: Any) -> dict[str, Any]:
        return {"accept": {}, "reject": {}, "revoke": {}} | maps

    lies: list[bytes] = [
        b"",
        ok(b"[]"),
        ok(b"\xff"),
        ok(b'{"contracts":[1]}'),
        ok(b"[" * 200_000),
        listing({"content": {}, "signatures": signed()}),
        listing({"content": mine, "signatures": signed(accept={own: genuine})}),  # not ours
        listing({"content": mine, "signatures": signed(accept={me: forged})}),
        listing({"content": mine, "signatures": signed(revoke={me: genuine})}),  # made for something else
        listing({"content": mine, "signatures": signed(accept={"x": genuine})}),
        listing(
            {"content": contract("other", now(), connection(svb.place, UWV, "loon")), "signatures": signed()}
        ),
        ok(b"x" * 20_000_000),
    ]
    for lie in lies:
        svb.answers["GET /v1/contracts"] = lie
        assert await uwv.running.reconciler.everything([SVB]) == 0
    assert uwv.contracts.page(UWV)[0] == []
    # The same way, the truth is taken.
    svb.answers["GET /v1/contracts"] = listing({"content": mine, "signatures": signed(accept={me: genuine})})
    assert await uwv.running.reconciler.everything([SVB]) == 1
    assert uwv.contracts.get(hashes(mine)[0]) is not None


async def test_pages_that_never_end_are_left(uwv: Member, svb: Foreign) -> None:
    await svb.call(uwv.place.address, "PUT", "/v1/announce")
    svb.answers["GET /v1/contracts"] = listing(cursor="again")
    assert await asyncio.wait_for(uwv.running.reconciler.everything([SVB]), 5) == 0


async def test_one_that_never_answers_is_given_up_and_tried_again(
    world: World, directory: Member, uwv: Member, gemeente: Member
) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        finally:
            writer.close()

    peer = Foreign(world, SVB)
    peer._serve = silent  # type: ignore[method-assign]
    server = await peer.listen()
    await peer.call(directory.place.address, "PUT", "/v1/announce")
    made = await both(gemeente, peer)
    await uwv.reaches(made, "proposed")
    await until(lambda: [one.trouble for one in gemeente.running.outbox.waiting()] == ["peer-too-slow"])
    server.close()


@pytest.mark.parametrize("keys", [b"", b"[]", b'{"keys":{}}', b'{"keys":[{"x5c":["!"]}]}', b"x" * 300_000])
async def test_keys_that_are_none_are_not_believed(uwv: Member, svb: Foreign, keys: bytes) -> None:
    svb.keys = keys
    mine = contract("test-group", now(), connection(svb.place, UWV, "loon"))
    body = json.dumps({"content": mine, "signature": svb.signature(mine, "accept", now())}).encode()
    status, _, answer = await svb.call(uwv.place.address, "POST", "/v1/contracts", body)
    assert (status, json.loads(answer)["code"]) == (422, "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED")


async def test_nothing_is_sent_to_whoever_else_listens_at_an_address(
    world: World, directory: Member, uwv: Member, gemeente: Member, svb: Foreign
) -> None:
    # The directory says, rightly or not, that UWV is where SVB listens.
    await directory.running.peers.heard(uwv.place.identity.peer, svb.place.address)
    gemeente.running.peers._known.pop(str.__str__(UWV), None)
    await offered(gemeente)
    await until(lambda: any(one.trouble == "wrong-peer" for one in gemeente.running.outbox.waiting()))
    assert svb.connections > 0
    assert svb.received == []


async def test_nobody_is_looked_for_because_a_stranger_named_them(uwv: Member, svb: Foreign) -> None:
    others = [f"{number:020}" for number in range(500, 530)]
    grants = [connection(svb.place, UWV, "loon")]
    grants += [
        connection(svb.place, UWV, "loon", outway=grants[0]["outway"] | {"peer_id": one}) for one in others
    ]
    mine = contract("test-group", now(), *grants)
    body = json.dumps({"content": mine, "signature": svb.signature(mine, "accept", now())}).encode()
    assert (await svb.call(uwv.place.address, "POST", "/v1/contracts", body))[0] == 201
    asked, locate = list[str](), uwv.running.reconciler._locate

    async def noted(peer: PeerId) -> bool:
        asked.append(str.__str__(peer))
        return await locate(peer)

    uwv.running.reconciler._locate = noted
    await uwv.running.reconciler.unsettled()
    assert set(asked) <= {str.__str__(SVB)}
    assert svb.pushed("GET /v1/contracts")
    await uwv.manager.act(hashes(mine)[0], "accept")  # from now on they are this peer's concern too
    await uwv.running.reconciler.unsettled()
    assert set(others) <= set(asked)


async def test_keys_of_others_are_not_taken_from_a_peer(world: World, uwv: Member, svb: Foreign) -> None:
    gemeente = Foreign(world, GEMEENTE)
    both = [json.loads(one.jwks())["keys"][0] for one in (gemeente, svb)]
    svb.keys = json.dumps({"keys": both}).encode()
    mine = contract("test-group", now(), connection(svb.place, UWV, "loon"))
    body = json.dumps({"content": mine, "signature": svb.signature(mine, "accept", now())}).encode()
    assert (await svb.call(uwv.place.address, "POST", "/v1/contracts", body))[0] == 201
    known = uwv.manager._certificates
    assert [len(await asyncio.to_thread(known.of, peer)) for peer in (SVB, GEMEENTE)] == [1, 0]


async def test_what_listens_at_an_address_is_not_told_to_who_named_it(
    world: World, uwv: Member, svb: Foreign
) -> None:
    async def closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    there = await asyncio.start_server(closed, f"{world.network}50", MANAGEMENT)
    told = set[str]()
    for host in (f"{world.network}50", f"{world.network}51", uwv.place.host):  # no TLS, nothing, another peer
        svb.says = f"https://{host}:{MANAGEMENT}"
        mine = contract("test-group", now(), connection(svb.place, UWV, "loon"))
        body = json.dumps({"content": mine, "signature": svb.signature(mine, "accept", now())}).encode()
        status, _, answer = await svb.call(uwv.place.address, "POST", "/v1/contracts", body)
        told.add(f"{status} {answer.decode()}")
        uwv.manager._certificates._looked.clear()
    there.close()
    assert len(told) == 1


async def test_a_peer_at_its_bound_is_told_and_hinders_nobody(
    uwv: Member,
    gemeente: Member,
    svb: Foreign,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("sluis.gateway.contracts.keeping.MOST_OPEN", 2)
    answers = []
    for _ in range(3):
        mine = contract("test-group", now(), connection(svb.place, UWV, "loon"))
        body = json.dumps({"content": mine, "signature": svb.signature(mine, "accept", now())}).encode()
        answers.append(code(await svb.call(uwv.place.address, "POST", "/v1/contracts", body), fine=201))
    assert answers == [(201, ""), (201, ""), (429, "ERROR_CODE_TOO_MANY_OPEN_CONTRACTS")]
    told = f"{str.__str__(SVB)} is told to wait: too-many-open-contracts"
    assert [line for line in caplog.messages if "told to wait" in line] == [told]
    made = await offered(gemeente)
    await uwv.reaches(made, "proposed")


async def test_a_peer_that_asks_more_than_its_share_waits_and_hinders_nobody(
    uwv: Member, gemeente: Member, svb: Foreign
) -> None:
    uwv.running.api._shares._allowance = Allowance(45, 0.1)
    replies = [await svb.call(uwv.place.address, "GET", "/v1/peers") for _ in range(3)]
    assert [reply[0] for reply in replies] == [200, 200, 429]
    assert code(replies[2]) == (429, "ERROR_CODE_TOO_MANY_REQUESTS")
    assert 100 < int(replies[2][1]["retry-after"]) <= 200
    await until(lambda: gemeente.running.directory.locate(UWV))
    assert (await gemeente.running.managers.info(UWV)).peer_id == UWV


async def test_a_rule_signs_only_so_much_of_one_peer(
    world: World, directory: Member, gemeente: Member, caplog: pytest.LogCaptureFixture
) -> None:
    async with member(world.place(UWV), services=("loon",), auto_sign=(ANYTHING,)) as uwv:
        uwv.running._signing = Allowance(2, 0.001)
        made = [await offered(gemeente) for _ in range(3)]
        await until(lambda: any("waits for a person" in line for line in caplog.messages))
        await until(lambda: sorted(str(uwv.state(one)) for one in made) == ["proposed", "valid", "valid"])


async def test_a_rule_signs_nothing_that_names_a_peer_which_is_not_there(
    world: World, directory: Member, gemeente: Member, caplog: pytest.LogCaptureFixture
) -> None:
    # Of each of them this node would look for the address as long as the contract lasts.
    async with member(world.place(UWV), services=("loon",), auto_sign=(ANYTHING,)) as uwv:
        grants = [connection(gemeente.place, UWV, "loon")]
        for number in range(9):
            grants.append(connection(gemeente.place, UWV, "loon"))
            grants[-1]["outway"] = {**grants[0]["outway"], "peer_id": f"{900 + number:020}"}
        caplog.set_level(logging.INFO)
        made = await gemeente.running.manager.propose(grants, now(), now() + DAY)
        await until(lambda: any("waits for a person" in line for line in caplog.messages))
        assert uwv.state(made) == "proposed"
        assert [one for one in uwv.running.outbox.waiting() if one.stream == made.content.hash] == []


# By itself


async def test_a_rule_signs_what_came_while_nobody_looked(
    world: World, directory: Member, gemeente: Member
) -> None:
    place = world.place(UWV)
    async with member(place, services=("loon",)) as uwv:
        made = await offered(gemeente)
        await uwv.reaches(made, "proposed")
    async with member(place, services=("loon",), auto_sign=(ANYTHING,)) as uwv:
        await gemeente.reaches(made, "valid")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b'{"decision":true}', "valid"),
        (b'{"decision":false}', "proposed"),
        (b"broken", "proposed"),
        (None, "proposed"),
    ],
)
async def test_a_decision_point_is_asked_whether_to_sign(
    world: World, directory: Member, gemeente: Member, answer: bytes | None, expected: Any
) -> None:
    asked, over = list[Any](), asyncio.Event()

    async def decide(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        asked.append(json.loads(await reader.readexactly(length)))
        if answer is None:
            await over.wait()
        else:
            writer.write(ok(answer).replace(b"\r\n", b"\r\ncontent-type: application/json\r\n", 1))
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(decide, "127.0.0.1", 0)
    point = DecisionPoint(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/access/v1/evaluation", 0.5)
    async with member(world.place(UWV), services=("loon",), decision_point=elsewhere(point)) as uwv:
        made = await offered(gemeente)
        await until(lambda: asked)
        if expected == "valid":
            await gemeente.reaches(made, "valid")
        else:
            await asyncio.sleep(0.8)
            assert uwv.state(made) == "proposed"
        assert asked[0]["resource"]["id"] == made.content.hash
        assert asked[0]["subject"]["id"] == str.__str__(GEMEENTE)
    over.set()
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.05)


async def test_a_decision_point_is_told_who_brought_a_contract_whatever_date_another_writes(
    world: World, directory: Member, gemeente: Member, svb: Foreign
) -> None:
    asked, place = list[Any](), world.place(UWV)

    async def judge(question: Any) -> bool:
        asked.append(question["subject"]["id"])
        return False

    grant = connection(gemeente.place, UWV, "loon", delegator={"peer_id": str.__str__(SVB)})
    grant["type"] = "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION"
    async with member(place, services=("loon",)) as uwv:
        made = await gemeente.manager.propose([grant], now() - 60, now() + DAY)
        await uwv.reaches(made, "proposed")
        content = json.loads(made.content.json)
        body = json.dumps({"content": content, "signature": svb.signature(content, "accept", 1)}).encode()
        path = signing_path(content, "accept")
        assert (await svb.call(uwv.place.address, "PUT", path, body))[0] == 201
    async with member(place, services=("loon",), decision_point=judge):
        await until(lambda: asked)
    assert asked == [str.__str__(GEMEENTE)]


async def test_an_announcement_is_repeated_until_the_directory_took_it(world: World) -> None:
    async with AsyncExitStack() as stack:
        uwv = await stack.enter_async_context(member(world.place(UWV)))
        await until(lambda: any(one.attempts for one in uwv.running.outbox.waiting()))
        directory = await stack.enter_async_context(member(world.place(DIRECTORY)))
        await until(lambda: directory.running.peers.known(UWV))
        assert directory.running.peers.known(UWV).address == uwv.place.address  # type: ignore[union-attr]
        await until(lambda: not uwv.running.outbox.waiting())


async def test_a_renewed_certificate_signs_again_and_everyone_gets_it(
    world: World, directory: Member, uwv: Member, gemeente: Member
) -> None:
    made = await offered(gemeente)
    await uwv.reaches(made, "proposed")
    await uwv.manager.act(made.content.hash, "accept")
    await gemeente.reaches(made, "valid")
    files = world.authority.issue(uwv.place.home / "renewed", UWV, "UWV Voorbeeld", [uwv.place.host])
    renewed = Identity.load(*files)
    await asyncio.sleep(1.1)  # so that the two signatures are of different seconds
    await uwv.running.renew(renewed, client_context(*files, uwv.place.anchors))
    await uwv.running.sign_again()

    await until(lambda: made_by(gemeente, made) == made_by(uwv, made))
    assert uwv.state(made) == gemeente.state(made) == "valid"
    assert len(uwv.manager.jwks()["keys"]) == 2  # what was signed with the old one can still be verified
    before = uwv.contracts.get(made.content.hash)
    await uwv.running.sign_again()
    assert uwv.contracts.get(made.content.hash) == before  # what is signed with it is not signed again


async def test_a_start_with_a_renewed_certificate_signs_again(
    world: World, directory: Member, gemeente: Member
) -> None:
    place = world.place(UWV)
    async with member(place, services=("loon",), auto_sign=(ANYTHING,)):
        made = await offered(gemeente)
        await gemeente.reaches(made, "valid")
    before = made_by(gemeente, made)
    place.certificate, place.key = world.authority.issue(
        place.home / "new", UWV, "UWV Voorbeeld", [place.host]
    )
    async with member(place, services=("loon",)):
        await until(lambda: made_by(gemeente, made) != before)


def made_by(at: Member, one: Contract) -> str:
    """The certificate that UWV's acceptance was made with."""
    found = at.contracts.get(one.content.hash)
    assert found is not None
    return found.signed("accept")[UWV].thumbprint


# Certificates that are revoked


def in_force(at: Member, one: Contract) -> bool:
    return at.contracts.in_force(one.content.grants[0].hash, now()) is not None


async def test_a_contract_ends_when_a_certificate_under_it_is_revoked_until_it_is_signed_again(
    world: World, directory: Member
) -> None:
    places, crl = (world.place(UWV), world.place(GEMEENTE)), world.home / "revoked.pem"
    revoke(crl, world.authority)
    async with member(places[0], services=("loon",), auto_sign=(ANYTHING,), crl=crl) as uwv:
        async with member(places[1]) as gemeente:
            made = await offered(gemeente)
            await gemeente.reaches(made, "valid")
            assert in_force(uwv, made)
            revoke(crl, world.authority, places[1].certificate, age=0)
            assert uwv.revocations.renew()
            await until(lambda: not in_force(uwv, made), 5)
            assert uwv.state(made) == "proposed"
            assert in_force(gemeente, made)  # who has not heard of it yet
        names = [places[1].host]
        files = world.authority.issue(places[1].home / "renewed", GEMEENTE, "Gemeente Voorbeeld", names)
        places[1].certificate, places[1].key = files
        async with member(places[1]):
            await until(lambda: in_force(uwv, made))


async def test_a_start_holds_certificates_against_the_newest_list_before_anybody_comes(
    world: World, directory: Member, gemeente: Member
) -> None:
    place, crl = world.place(UWV), world.home / "revoked.pem"
    async with member(place, services=("loon",), auto_sign=(ANYTHING,)) as uwv:
        made = await offered(gemeente)
        await gemeente.reaches(made, "valid")
        assert in_force(uwv, made)
    revoke(crl, world.authority, gemeente.place.certificate)
    async with member(place, services=("loon",), crl=crl, started=False) as uwv:
        assert not in_force(uwv, made)


async def test_what_ends_soon_is_said_in_the_log(
    world: World, directory: Member, uwv: Member, gemeente: Member, caplog: pytest.LogCaptureFixture
) -> None:
    made = await offered(gemeente)
    await uwv.reaches(made, "proposed")
    await uwv.manager.act(made.content.hash, "accept")
    await gemeente.reaches(made, "valid")
    with caplog.at_level(logging.WARNING, "sluis.manager"):
        await uwv.running._warn()
        async with member(world.place(SVB, days=10)):
            await until(
                lambda: "the certificate that contracts are signed with ends in 9 days" in caplog.messages
            )
    assert any(one.startswith(f"contract {made.content.hash} ends in ") for one in caplog.messages)


async def test_a_revocation_arrives_within_five_seconds_though_much_else_waits(
    uwv: Member, gemeente: Member
) -> None:
    made = await offered(gemeente)
    await uwv.reaches(made, "proposed")
    await uwv.manager.act(made.content.hash, "accept")
    await gemeente.reaches(made, "valid")
    await asyncio.gather(*[offered(gemeente) for _ in range(100)])
    begun = time.monotonic()
    await gemeente.manager.act(made.content.hash, "revoke")
    await uwv.reaches(made, "revoked", 5)
    assert time.monotonic() - begun < 5
