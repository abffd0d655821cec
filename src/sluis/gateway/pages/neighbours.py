"""The peers of the group as this node knows them: who they are, whether they answer, until when their certificate is valid, what
passed and what was agreed. What others must be asked for is asked beside the page (`lookout`), and shown with its time."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from sluis.crypto import WARN_BEFORE
from sluis.gateway.breaker import Standing
from sluis.gateway.operating import PeerView, ServiceView
from sluis.gateway.pages.contracts import Desk
from sluis.gateway.pages.lookout import Ear, Heard, at_once
from sluis.gateway.pages.model import Agreement, Section
from sluis.gateway.peers import Known
from sluis.gateway.traffic import Traffic
from sluis.kernel import PeerId, Problem, Text, Upstream

MOST = 1000
"""Peers that are shown; a group has some hundreds."""

ASKED = 200
"""Peers that are asked whether they answer, in one round."""

_CALL = 10.0  # seconds that one peer gets to answer

Health = Literal["ok", "warning", "error", "unknown"]


class Reach(msgspec.Struct, frozen=True):
    """Whether a peer's Manager answered when it was asked, and else why not."""

    answers: bool
    trouble: Text | None = None
    version: str = ""


class Neighbour(msgspec.Struct, frozen=True):
    """One peer. Times in seconds since the epoch; 0 for never or not known.

    Attributes:
        id: its Peer ID.
        name: of the organisation, as it says itself.
        address: of its Manager.
        directory: whether it is the group's directory.
        listed: whether the directory lists it; None when the directory did not answer.
        services: what the directory lists of it.
        reach: whether it answered; None when it was not asked yet.
        asked: when that was.
        until: until when its certificate is valid.
        circuit: whether requests go there.
        last: when something passed last.
        requests: that passed in the week that is kept.
        contracts: how many with it, by where they stand.
    """

    id: PeerId
    name: str
    address: str
    directory: bool
    listed: bool | None
    services: tuple[str, ...]
    reach: Reach | None
    asked: int
    until: int
    circuit: Standing
    last: int
    requests: int
    contracts: Mapping[Section, int]

    def health(self, now: int) -> Health:
        """How it is with this peer, in a word."""
        if self.circuit.state != "closed" or (self.reach is not None and not self.reach.answers):
            return "error"
        if self.until and self.until - now < WARN_BEFORE.total_seconds():
            return "warning"
        return "ok" if self.reach is not None else "unknown"


class Said(msgspec.Struct, frozen=True):
    """What was found out about all peers together: whether they answer, and until when their certificates are valid."""

    reach: Mapping[PeerId, Reach]
    until: Mapping[PeerId, int]


class Listed(msgspec.Struct, frozen=True):
    """What the directory lists."""

    peers: Sequence[PeerView]
    services: Sequence[ServiceView]


class Neighbours:
    """The peers of one node.

    Args:
        desk: of this node.
        traffic: its rings.
    """

    def __init__(self, desk: Desk, traffic: Traffic) -> None:
        self._desk, self._traffic = desk, traffic
        self._running = desk.membership.running
        self._counted: tuple[list[Agreement], dict[PeerId, dict[Section, int]]] | None = None
        self._round = Ear(self._find_out, desk.clock)
        self._directory = Ear(self._listed, desk.clock)

    async def directory(self, anew: bool = False) -> Heard[Listed]:
        """What the directory lists, as last heard."""
        return await self._directory.hear(anew=anew)

    async def every(self, anew: bool = False) -> tuple[list[Neighbour], Heard[Said], Heard[Listed]]:
        """All peers but this one, by name; what was last heard about them, and of the directory. `anew`: ask again."""
        heard, listed = await asyncio.gather(self._round.hear(anew=anew), self._directory.hear(anew=anew))
        rows, known = await self._desk.rows(), self._known()
        if self._counted is None or self._counted[0] is not rows:
            self._counted = rows, counted(rows)
        contracts, requests = self._counted[1], self._traffic.with_peers()
        said, told = heard.said or Said({}, {}), listed.said
        there = {one.id for one in told.peers} if told else set()
        services = by_peer(told.services if told else ())
        directory = self._running.manager.group.directory.peer
        found = [
            Neighbour(
                one.id, one.name, one.address, one.id == directory, one.id in there if told else None,
                services.get(one.id, ()), said.reach.get(one.id), heard.at, said.until.get(one.id, 0),
                self._desk.membership.outway.standing(one.id), self._traffic.last.get(one.id, 0),
                requests.get(one.id, 0), contracts.get(one.id, {}),
            )
            for one in known
        ]  # fmt: skip
        return sorted(found, key=lambda one: (one.name.casefold(), one.id)), heard, listed

    async def try_again(self, peer: PeerId) -> None:
        """Have a request go to a peer that is left alone, as its trial, whatever comes of it. Raises `Problem` when none can go."""
        desk = self._desk
        desk.membership.outway.end_pause(peer)
        async with desk.membership.link.send(peer, "GET", "/v1/node", {}, b"", _CALL) as answer:
            async for _ in answer.body:
                pass

    def _known(self) -> list[Known]:
        return [one for one in self._running.peers.every() if one.id != self._desk.own][:MOST]

    async def _listed(self) -> Listed:
        peers, services = await asyncio.gather(self._desk.operator.peers(), self._desk.operator.services())
        return Listed(peers[:MOST], services[: MOST * 10])

    async def _find_out(self) -> Said:
        some = [one.id for one in self._known()][:ASKED]
        until = await asyncio.to_thread(self._until, some)
        reach = await at_once([self._reach(peer) for peer in some])
        return Said(dict(zip(some, reach, strict=True)), until)

    async def _reach(self, peer: PeerId) -> Reach:
        try:
            info = await self._running.managers.info(peer)
        except Upstream as problem:
            return Reach(False, problem.why)
        except Problem as problem:
            return Reach(False, problem.what)
        return Reach(True, version=info.fsc_version[:50])

    def _until(self, some: Iterable[PeerId]) -> dict[PeerId, int]:
        ends = {peer: self._running.manager.certificates_of(peer) for peer in some}
        return {
            peer: max(int(one.not_valid_after_utc.timestamp()) for one in found)
            for peer, found in ends.items()
            if found
        }


def counted(rows: Iterable[Agreement]) -> dict[PeerId, dict[Section, int]]:
    """How many contracts there are with each peer, by where they stand."""
    found: dict[PeerId, dict[Section, int]] = {}
    for row in rows:
        for peer in row.others:
            counts = found.setdefault(peer, {})
            counts[row.section] = counts.get(row.section, 0) + 1
    return found


def by_peer(services: Iterable[ServiceView]) -> dict[str, tuple[str, ...]]:
    """The names of services, by who offers them."""
    found: dict[str, list[str]] = {}
    for one in services:
        found.setdefault(one.peer, []).append(one.name)
    return {peer: tuple(dict.fromkeys(names)) for peer, names in found.items()}
