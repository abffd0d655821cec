"""A group from the outside: operators declare, peers sign, programs call, both logs agree."""

import asyncio
import json
from collections.abc import AsyncIterator
from copy import copy
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from tests.integration.group import Peer, peer
from tests.integration.managers import DIRECTORY, GEMEENTE, NAMES, UWV, Place, World, until

from sluis.client import AsyncClient, Connection, InwayError, OutwayError
from sluis.crypto import make_request
from sluis.gateway.comparison import Comparison
from sluis.gateway.manager import AutoSign
from sluis.kernel import Conflict, utc_now
from sluis.ledger import Agreement

ALIASES = {"uwv": UWV, "gemeente": GEMEENTE}

OFFER = """\
apiVersion: sluis/v1
kind: Service
metadata: { name: loon }
spec:
  url: "%s"
  rules:
    - { organizations: [gemeente], permissions: [read] }
---
apiVersion: sluis/v1
kind: Publication
metadata: { name: loon }
spec: { service: loon }
"""

WISH = """\
apiVersion: sluis/v1
kind: Connection
metadata: { name: loon }
spec: { service: { peer: uwv, name: loon } }
---
apiVersion: sluis/v1
kind: Link
metadata: { name: lonen }
spec: { connection: loon }
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
async def directory(world: World) -> AsyncIterator[Peer]:
    rule = AutoSign("publications", grants=("GRANT_TYPE_SERVICE_PUBLICATION",), any_properties=True)
    async with peer(world.place(DIRECTORY), auto_sign=(rule,)) as running:
        yield running


@pytest.fixture
async def uwv(world: World, directory: Peer) -> AsyncIterator[Peer]:
    async with peer(world.place(UWV), aliases=ALIASES) as running:
        yield running


@pytest.fixture
async def gemeente(world: World, directory: Peer) -> AsyncIterator[Peer]:
    async with peer(world.place(GEMEENTE), aliases=ALIASES) as running:
        yield running


@pytest.fixture
async def service() -> AsyncIterator[str]:
    """An API that says what it was asked."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            target = head.split(b" ", 2)[:2]
            body = json.dumps({"asked": b" ".join(target).decode()}).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
                % (len(body), body)
            )

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(quietly, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    yield f"http://{host}:{port}/v2"
    server.close()


async def test_what_is_declared_on_both_sides_becomes_a_call_that_both_logs_hold(
    directory: Peer, uwv: Peer, gemeente: Peer, service: str
) -> None:
    assert await uwv.apply(OFFER % service) == [("loon", "made", None), ("loon", "made", "proposed")]
    await until(lambda: listed(gemeente, "loon"))
    assert await gemeente.apply(WISH) == [("loon", "made", "proposed"), ("lonen", "made", None)]
    [contract] = await until_proposed(uwv)
    async with AsyncClient(gemeente.outway) as sluis:
        with pytest.raises(OutwayError, match="NO_CONTRACT"):
            await sluis.get(Connection(link="lonen"), "/personen?jaar=2025")
        await uwv.membership.running.manager.act(contract, "accept")
        await until(lambda: gemeente.membership.applying.links and valid(gemeente, contract))
        answer = await sluis.get(Connection(link="lonen"), "/personen?jaar=2025")
        assert answer.json() == {"asked": "GET /v2/personen?jaar=2025"}
        assert (await sluis.get(Connection(peer=UWV, service="loon"), "/x")).status_code == 200
        with pytest.raises(InwayError, match="NOT_ALLOWED"):
            await sluis.post(Connection(link="lonen"), "/personen", json={})
    # Both logs tell the same, but for what the inway refused: that the outway wrote before, and noted after.
    await gemeente.membership.outway.settle()
    comparison = later(gemeente)
    assert [one.kind for one in await comparison.compare(UWV)] == ["failed-here"]


async def test_applying_twice_changes_nothing(directory: Peer, uwv: Peer, service: str) -> None:
    await uwv.apply(OFFER % service)
    await until(lambda: uwv.membership.contracts.publications(int(utc_now().timestamp())))
    assert await uwv.apply(OFFER % service) == [("loon", "unchanged", None), ("loon", "unchanged", "valid")]
    assert len(uwv.membership.contracts.page(UWV, "", 10, "SORT_ORDER_DESCENDING", None)[0]) == 1


async def test_a_connection_that_changes_keeps_what_it_had_until_the_new_contract_is_valid(
    directory: Peer, uwv: Peer, gemeente: Peer, service: str
) -> None:
    await uwv.apply(OFFER % service)
    await gemeente.apply(WISH)
    [first] = await until_proposed(uwv)
    await uwv.membership.running.manager.act(first, "accept")
    await until(lambda: valid(gemeente, first))
    links = dict(gemeente.membership.applying.links)
    changed = WISH.replace("name: loon } }", "name: loon }, properties: { reden: anders } }")
    assert (await gemeente.apply(changed))[0] == ("loon", "changed", "proposed")
    assert gemeente.membership.applying.links == links
    [second] = await until_proposed(uwv)
    await uwv.membership.running.manager.act(second, "accept")
    await until(lambda: gemeente.membership.applying.links != links)
    await until(lambda: not valid(uwv, first))
    async with AsyncClient(gemeente.outway) as sluis:
        assert (await sluis.get(Connection(link="lonen"), "/x")).status_code == 200


async def test_signatures_of_all_parties_are_on_record_once(
    world: World, directory: Peer, uwv: Peer, gemeente: Peer, service: str
) -> None:
    await uwv.apply(OFFER % service)
    await gemeente.apply(WISH)
    [contract] = await until_proposed(uwv)
    await uwv.membership.running.manager.act(contract, "accept")
    await until(lambda: valid(gemeente, contract))
    for party in (uwv, gemeente):
        await until(lambda party=party: len(agreements(party, contract)) == 2)  # type: ignore[misc]
        every, _ = party.membership.contracts.page(party.place.peer, "", 100)
        await party.membership.evidence.all_signed(every)
        assert {(one.peer, one.action) for one in agreements(party, contract)} == {
            (UWV, "accept"), (GEMEENTE, "accept")
        }  # fmt: skip
        assert len(agreements(party, contract)) == 2


async def test_what_was_declared_holds_after_a_restart(world: World, directory: Peer, service: str) -> None:
    place = world.place(UWV)
    async with peer(place, aliases=ALIASES) as running:
        await running.apply(OFFER % service)
    async with peer(place, aliases=ALIASES) as running:
        assert running.membership.applying.services.names() == {"loon", "sluis"}
        assert [one[1] for one in await running.apply(OFFER % service)] == ["unchanged", "unchanged"]


async def test_a_publication_is_renewed_before_it_ends_without_being_applied_again(
    world: World, service: str
) -> None:
    ahead = timedelta()
    rule = AutoSign("publications", grants=("GRANT_TYPE_SERVICE_PUBLICATION",))

    def clock() -> datetime:
        return utc_now() + ahead

    def published(party: Peer, days: int) -> int:
        at = utc_now() + timedelta(days=days)
        return len(party.membership.contracts.publications(int(at.timestamp())))

    # Contracts end with the certificates that they were accepted with.
    async with peer(world.place(DIRECTORY, 1000), auto_sign=(rule,), clock=clock) as directory:
        place = world.place(UWV, 1000)
        async with peer(place, aliases=ALIASES, clock=clock) as running:
            await running.apply(OFFER % service)
            await until(lambda: published(running, 1))
        ahead = timedelta(days=310)
        async with peer(place, aliases=ALIASES, clock=clock) as running:
            await until(lambda: published(running, 400))
            assert published(running, 364) == 2  # the first runs out by itself
            assert [one[1] for one in await running.apply(OFFER % service)] == ["unchanged", "unchanged"]
            await until(lambda: published(directory, 400))


def moved(world: World, place: Place, number: int) -> Place:
    """The same peer with the same key and database, at another address."""
    there = copy(place)
    there.host = f"{world.network}{number}"
    key = load_pem_private_key(place.key.read_bytes(), None)
    request = make_request(key, place.peer, NAMES[place.peer], [there.host])  # type: ignore[arg-type]
    there.certificate = place.home / f"moved{number}.pem"
    there.certificate.write_bytes(world.authority.certify(request).public_bytes(Encoding.PEM))
    return there


async def answers(gemeente: Peer) -> bool:
    async with AsyncClient(gemeente.outway) as sluis:
        try:
            return (await sluis.get(Connection(link="lonen"), "/x")).status_code == 200
        except (InwayError, OutwayError):
            return False


async def test_a_provider_that_moved_announces_itself_and_its_contracts_go_on(
    world: World, directory: Peer, gemeente: Peer, service: str
) -> None:
    place = world.place(UWV)
    async with peer(place, aliases=ALIASES) as uwv:
        await uwv.apply(OFFER % service)
        await gemeente.apply(WISH)
        [contract] = await until_proposed(uwv)
        await uwv.membership.running.manager.act(contract, "accept")
        await until(lambda: gemeente.membership.applying.links and valid(gemeente, contract))
        assert await answers(gemeente)
    there = moved(world, place, 77)
    async with peer(there, aliases=ALIASES) as uwv:
        for party in (directory, gemeente):
            known = party.membership.running.peers
            await until(lambda known=known: known.known(UWV).address == there.address)  # type: ignore[misc]
        await until(lambda: answers(gemeente), 5)
        assert valid(uwv, contract)
        services = [
            one.peer.manager_address async for one in gemeente.membership.running.directory.services()
        ]
        assert services == [there.address]


async def test_a_consumer_that_moved_goes_on_with_the_contracts_it_had(
    world: World, directory: Peer, uwv: Peer, service: str
) -> None:
    place = world.place(GEMEENTE)
    await uwv.apply(OFFER % service)
    async with peer(place, aliases=ALIASES) as gemeente:
        await gemeente.apply(WISH)
        [contract] = await until_proposed(uwv)
    there = moved(world, place, 78)
    async with peer(there, aliases=ALIASES) as gemeente:
        await uwv.membership.running.manager.act(contract, "accept")  # it goes to where gemeente is now
        await until(lambda: gemeente.membership.applying.links and valid(gemeente, contract))
        assert await answers(gemeente)


async def test_a_document_about_another_group_is_refused_whole(uwv: Peer, service: str) -> None:
    other = f"""\
apiVersion: sluis/v1
kind: Group
metadata: {{ name: other }}
spec: {{ id: other, directory: {{ peer: "{DIRECTORY}", address: "https://other.voorbeeld.nl:8443" }} }}
---
"""
    with pytest.raises(Conflict, match="another group"):
        await uwv.apply(other + OFFER % service)
    assert uwv.membership.applying.declared() == []


async def test_revoking_bites_at_the_next_request(
    directory: Peer, uwv: Peer, gemeente: Peer, service: str
) -> None:
    await uwv.apply(OFFER % service)
    await gemeente.apply(WISH)
    [contract] = await until_proposed(uwv)
    await uwv.membership.running.manager.act(contract, "accept")
    await until(lambda: valid(gemeente, contract))
    async with AsyncClient(gemeente.outway) as sluis:
        assert (await sluis.get(Connection(link="lonen"), "/x")).status_code == 200
        await uwv.membership.running.manager.act(contract, "revoke")
        with pytest.raises((InwayError, OutwayError)):
            await sluis.get(Connection(link="lonen"), "/x")
        await until(lambda: not valid(gemeente, contract), 5)


async def until_proposed(owner: Peer) -> list[str]:
    """The hashes of contracts that wait for this peer, once there are any."""

    def waiting() -> list[str]:
        found = owner.membership.contracts.proposed(int(utc_now().timestamp()))
        return [one.content.hash for one in found if owner.place.peer not in one.signed("accept")]

    await until(waiting)
    return waiting()


async def listed(party: Peer, name: str) -> list[str]:
    """What the directory lists under a name."""
    return [one.name async for one in party.membership.running.directory.services(name=name)]


def agreements(party: Peer, content_hash: str) -> list[Agreement]:
    """What the ledger of a peer holds of a contract."""
    log = party.ledger.log
    bodies = [log.stored(index).json or b"{}" for index in range(log.size())]
    found = [msgspec.json.decode(body, type=Agreement) for body in bodies if b'"kind":"contract"' in body]
    return [one for one in found if one.contract == content_hash]


def valid(party: Peer, content_hash: str) -> bool:
    contract = party.membership.contracts.get(content_hash)
    now = int(utc_now().timestamp())
    return bool(contract and party.membership.contracts.in_force(contract.content.grants[0].hash, now))


def later(party: Peer) -> Comparison:
    """The comparison as it will be in an hour."""
    comparison = party.membership.comparison
    comparison._clock = lambda: utc_now() + timedelta(hours=1)
    return comparison
