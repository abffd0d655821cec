"""Catalogues of peers are read when they changed, kept while a peer is away, and a broken one is told of and passed over."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.catalogue.examples import NOW, described
from tests.unit.catalogue.world import Node
from tests.unit.web.conftest import Reply

from sluis.catalogue import Harvest, harvesting, open_harvester
from sluis.catalogue.model import Faults
from sluis.catalogue.reading import Reading, read_catalogue_of
from sluis.gateway import Answer
from sluis.kernel import PeerId, Problem, Refused, Text, Upstream
from sluis.store import open_store

ONE, OTHER = PeerId("00000001000000000002"), PeerId("00000001000000000003")
NAMES = {ONE: "Een (fictief)", OTHER: "Ander (fictief)"}
SAY = Text("Nee.", "No.")


class World:
    """A harvester, and peers that answer what a test says. It is a `Link`."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.store = open_store(folder / "node.db")
        self.harvester = open_harvester(self.store, self, NAMES, lambda: self.now)  # type: ignore[arg-type]
        self.peers: dict[PeerId, Node | Reply | Problem] = {}
        self.asked: list[tuple[PeerId, int]] = []
        self.slow = 0.0

    @asynccontextmanager
    async def send(
        self,
        peer: PeerId,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
        **more: Any,
    ) -> AsyncIterator[Answer]:
        assert (method, path, body) == ("GET", "/v1/catalogue", b"")
        there = self.peers.get(peer, Upstream("peer-unreachable", SAY, SAY, SAY))
        if isinstance(there, Problem):
            raise there
        reply = await there.call(method, path, None, dict(headers)) if isinstance(there, Node) else there
        self.asked.append((peer, reply.status))

        async def pieces() -> AsyncIterator[bytes]:
            await asyncio.sleep(self.slow)
            for at in range(0, len(reply.body), 65_536):
                yield reply.body[at : at + 65_536]

        yield Answer(reply.status, reply.headers, pieces())

    async def harvest(self) -> dict[PeerId, Harvest]:
        await self.harvester.round()
        return {one.peer: one for one in self.harvester.found()}


@pytest.fixture
def world(tmp_path: Path) -> Any:
    made = World(tmp_path)
    yield made
    made.store.close()


def broken(raw: bytes, status: int = 200) -> Reply:
    return Reply(status, {"etag": '"x"'}, raw, True)


async def test_a_catalogue_of_a_peer_is_kept_with_when_it_was_read(world: World, tmp_path: Path) -> None:
    world.peers[ONE] = Node(tmp_path, described("dataset", "inkomen"))
    found = (await world.harvest())[ONE]
    assert (found.name, found.at, found.trouble) == (NAMES[ONE], NOW, "")
    assert [one.title.nl for one in found.entries] == [
        "Inkomen per jaar",
        "Sluis-knooppunt van Dienst Voorbeeld (fictief)",
    ]


async def test_what_did_not_change_is_not_sent_again(world: World, tmp_path: Path) -> None:
    world.peers[ONE] = Node(tmp_path)
    first = (await world.harvest())[ONE]
    world.now += timedelta(hours=1)
    second = (await world.harvest())[ONE]
    assert world.asked == [(ONE, 200), (ONE, 304)]
    assert (second.at, second.entries) == (world.now, first.entries)


async def test_what_changed_takes_the_place_of_what_was_there(world: World, tmp_path: Path) -> None:
    node = Node(tmp_path)
    world.peers[ONE] = node
    before = (await world.harvest())[ONE]
    node.services.discard("api")
    after = (await world.harvest())[ONE]
    assert (
        {one.iri for one in before.entries} - {one.iri for one in after.entries}
        == {one.iri for one in before.entries if one.iri.endswith("/services/api")}
        != set()
    )


@pytest.mark.parametrize(
    ("there", "trouble"),
    [
        (Upstream("peer-unreachable", SAY, SAY, SAY), "peer-unreachable"),
        (Refused("contract-missing", SAY, SAY, SAY), "contract-missing"),
        (broken(b"{}"), "unreadable-catalogue"),
        (broken(b'{"@context": "https://elders.nl/", "@graph": []}'), "unreadable-catalogue"),
        (broken(b"<html>", 500), "unreadable-catalogue"),
        (broken(b'{"status": 404, "code": "no-catalogue"}', 404), "no-catalogue"),
        (broken(b"", 304), "unreadable-catalogue"),
    ],
)
async def test_one_that_is_broken_is_told_of_and_passed_over(
    world: World, tmp_path: Path, there: Reply | Problem, trouble: str
) -> None:
    world.peers |= {ONE: there, OTHER: Node(tmp_path)}
    found = await world.harvest()
    assert (found[ONE].trouble, found[ONE].at, found[ONE].entries) == (trouble, None, ())
    assert (found[OTHER].trouble, len(found[OTHER].entries)) == ("", 5)


async def test_what_nobody_foresaw_in_one_catalogue_stops_no_other(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ended the round, so that nothing of anybody was found anew."""

    def read(raw: bytes) -> Reading:
        if raw == b"{}":
            raise TypeError
        return read_catalogue_of(raw)

    monkeypatch.setattr(harvesting, "read_catalogue_of", read)
    world.peers |= {ONE: broken(b"{}"), OTHER: Node(tmp_path)}
    found = await world.harvest()
    assert (found[ONE].trouble, found[OTHER].trouble) == ("unreadable-catalogue", "")


async def test_what_a_peer_had_stays_while_it_is_away_and_comes_back(world: World, tmp_path: Path) -> None:
    world.peers[ONE] = Node(tmp_path)
    had = (await world.harvest())[ONE]
    node, world.now = world.peers.pop(ONE), NOW + timedelta(hours=1)
    away = (await world.harvest())[ONE]
    assert (away.tried, away.at, away.trouble, away.entries) == (
        world.now,
        NOW,
        "peer-unreachable",
        had.entries,
    )
    world.peers[ONE] = node
    assert (await world.harvest())[ONE].trouble == ""


async def test_one_that_is_too_large_or_too_slow_is_passed_over(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.peers[ONE] = Node(tmp_path)
    monkeypatch.setattr(harvesting, "MOST_BYTES", 1000)
    assert (await world.harvest())[ONE].trouble == "catalogue-too-large"
    monkeypatch.setattr(harvesting, "MOST_BYTES", 10**7)
    monkeypatch.setattr(harvesting, "SECONDS", 0.05)
    world.slow = 1.0
    assert (await world.harvest())[ONE].trouble == "too-slow"


async def test_of_who_was_never_asked_nothing_is_known(world: World) -> None:
    assert [(one.peer, one.tried, one.entries) for one in world.harvester.found()] == [
        (OTHER, None, ()),
        (ONE, None, ()),
    ]


async def test_own_people_read_what_was_found_and_only_an_administrator_has_it_read(
    world: World, tmp_path: Path
) -> None:
    node = Node(tmp_path / "own", harvester=world.harvester)
    world.peers[ONE] = Node(tmp_path)
    local = {"sluis.local": {"uid": os.getuid()}}
    assert (await node.get("/harvests")).status == 401
    refused = await node.call("POST", "/v1/catalogue/harvests", None, {}, local)
    assert (refused.status, refused.json["code"], world.asked) == (403, "harvest-not-yours", [])
    node.allows = True
    reply = await node.call("POST", "/v1/catalogue/harvests", None, {}, local)
    assert [(one["name"], len(one["entries"])) for one in reply.json] == [(NAMES[OTHER], 0), (NAMES[ONE], 5)]
    assert (await node.get("/harvests", extensions=local)).json == reply.json


async def test_one_entry_is_read_without_reading_all(world: World, tmp_path: Path) -> None:
    world.peers[ONE] = Node(tmp_path, described("dataset", "inkomen"))
    entries = (await world.harvest())[ONE].entries
    found = world.harvester.entry(str.__str__(ONE), entries[0].iri)
    assert found is not None
    harvest, one = found
    assert (harvest.name, harvest.many, harvest.entries, one) == (NAMES[ONE], len(entries), (), entries[0])
    assert world.harvester.entry(str.__str__(OTHER), entries[0].iri) is None
    assert world.harvester.entry("x", entries[0].iri) is None


async def test_what_lacks_is_tried_again_without_being_told_again(world: World, tmp_path: Path) -> None:
    world.peers |= {ONE: Node(tmp_path), OTHER: Refused("not-connected", SAY, SAY, SAY)}
    assert world.harvester.lacking() == {ONE, OTHER}
    await world.harvester.round()
    tried, world.now = world.harvester.states()[0].tried, NOW + timedelta(seconds=5)
    await world.harvester.round(world.harvester.lacking())
    assert (world.harvester.states()[0].tried, world.harvester.lacking()) == (tried, {OTHER})
    world.peers[OTHER] = Node(tmp_path)
    await world.harvester.round(world.harvester.lacking())
    assert (world.harvester.lacking(), world.harvester.states()[0].trouble) == (frozenset(), "")


async def test_what_cannot_be_used_of_a_catalogue_is_counted(world: World) -> None:
    hostile = {
        "@context": {"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/"},
        "@graph": [
            {"@id": "https://a.nl", "@type": "dcat:Catalog"},
            {"@id": "javascript:alert(1)", "@type": "dcat:Dataset", "dct:title": "x"},
            {"@id": "https://a.nl/s", "@type": "dcat:DataService", "dct:title": "<script>",
             "dcat:endpointDescription": {"@id": "javascript:alert(1)"}},
        ],
    }  # fmt: skip
    world.peers[ONE] = broken(json.dumps(hostile).encode())
    found = (await world.harvest())[ONE]
    assert ([one.openapi for one in found.entries], found.faults) == ([None], Faults(1, 1))


@pytest.mark.parametrize("unfit", [b"no JSON", b"[]", b"{" + b" " * harvesting.MOST_BYTES + b"}"])
async def test_what_came_and_cannot_be_used_is_not_got_again_before_the_next_round_of_all(
    world: World, tmp_path: Path, unfit: bytes
) -> None:
    world.peers[ONE] = broken(unfit)
    assert world.harvester.lacking() == {ONE, OTHER}
    await world.harvester.round(world.harvester.lacking())
    assert world.harvester.lacking() == {OTHER}  # who was not reached is tried again soon
    world.peers[ONE] = Node(tmp_path, described("dataset", "inkomen"))
    assert (await world.harvest())[ONE].trouble == ""
    assert world.harvester.lacking() == {OTHER}
