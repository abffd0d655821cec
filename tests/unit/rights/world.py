"""Two nodes whose people ask each other something about their own data, without sockets: what one sends, the other takes in."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sluis.crypto import FileKeyStore
from sluis.gateway import Answer
from sluis.kernel import Acting, PeerId, Problem, Text, Upstream, decode, encode
from sluis.ledger import open_ledger
from sluis.rights import DataSubject, Rights, Sending, open_rights
from sluis.rights.model import About, Asked, Confirmed, Kind, Placed, Progress, Request, Signed
from sluis.rights.sending import PLACE
from sluis.store import open_store

NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
ANN, BOB = (
    DataSubject("BSN", "999990019"),
    DataSubject("BSN", "999990020"),
)  # of nobody: they fail the eleven-test
TOWN, TAXES = PeerId("00000001001000001000"), PeerId("00000001826002785000")
NAMES = {TOWN: "Gemeente Fictief", TAXES: "Belastingen <script>alert(1)</script>"}
DAYS, MOST_OPEN = 30, 40
SIGNED = Signed(Acting("by"), "acr", "substantial", 1)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def later(self, **other: float) -> None:
        self.now += timedelta(**other)


class Side:
    """One node."""

    def __init__(self, folder: Path, own: PeerId, clock: Clock, link: "Direct") -> None:
        folder.mkdir()
        self.own, self.clock = own, clock
        self.store, keys = open_store(folder / "node.db"), FileKeyStore(folder / "keys")
        self.ledger = open_ledger(self.store, keys, f"{own!s}.example/log", clock)
        self.believed: dict[str, Confirmed] = {}
        self.asserted: list[str | Problem] = []
        self.rights: Rights = open_rights(
            self.store, self.ledger, keys, clock, NAMES, timedelta(days=DAYS), MOST_OPEN, self._confirmed
        )
        self.sending = Sending(self.rights, self.store, link.of(own), clock, self._asserted)

    async def _confirmed(self, peer: PeerId, placed: Placed) -> Confirmed | None:
        return self.believed.get(placed.assertion)

    async def _asserted(self, request: Request) -> str:
        found = self.asserted.pop(0) if self.asserted else ""
        if isinstance(found, Problem):
            raise found
        return found

    def records(self) -> list[dict[str, Any]]:
        log = self.ledger.log
        return [decode(log.stored(index).json or b"{}", dict[str, Any]) for index in range(log.size())]

    def raw(self) -> bytes:
        """All that stands in the files of its database."""
        assert self.store.path is not None
        return b"".join(path.read_bytes() for path in self.store.path.parent.glob("node.db*"))


class Direct:
    """The way between them. `away` cannot be reached; `says` answers in the place of the next."""

    def __init__(self) -> None:
        self.sides: dict[PeerId, Side] = {}
        self.away: set[PeerId] = set()
        self.says: list[tuple[int, bytes]] = []
        self.lost = 0  # answers of which only the arrival is lost
        self.sent: list[tuple[str, bytes]] = []

    def of(self, own: PeerId) -> Any:
        return _From(self, own)


class _From:
    def __init__(self, way: Direct, own: PeerId) -> None:
        self._way, self._own = way, own

    @asynccontextmanager
    async def send(
        self, peer: PeerId, method: str, path: str, headers: Mapping[str, str], body: bytes, seconds: float,
        covers: Any = None, ready: Any = None,
    ) -> AsyncIterator[Answer]:  # fmt: skip
        way = self._way
        if peer in way.away:
            raise Upstream("peer-unreachable", Text("-", "-"), Text("-", "-"), Text("-", "-"), retry=True)
        way.sent.append((path, body))
        if way.says:
            status, content = way.says.pop(0)
        else:
            status, content = await self._answered(way.sides[peer].rights, path, body)
        if way.lost:
            way.lost -= 1
            raise Upstream("peer-broke-off", Text("-", "-"), Text("-", "-"), Text("-", "-"), retry=True)

        async def whole() -> AsyncIterator[bytes]:
            yield content

        yield Answer(status, {}, whole())

    async def _answered(self, rights: Rights, path: str, body: bytes) -> tuple[int, bytes]:
        try:
            if path == PLACE:
                return 200, encode(await rights.receive(self._own, decode(body, Placed)))
            await rights.told(self._own, decode(body, Progress))
        except Problem as problem:
            return problem.status, encode(problem.members())
        return 200, b"{}"

    async def close(self) -> None:
        pass


class World:
    """A town where people ask, and a tax office that must answer."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.way = Clock(), Direct()
        self.town, self.taxes = (
            Side(folder / name, own, self.clock, self.way) for name, own in (("town", TOWN), ("taxes", TAXES))
        )
        self.way.sides = {TOWN: self.town, TAXES: self.taxes}

    async def place(
        self, whom: DataSubject = ANN, to: PeerId = TAXES, kind: Kind = "correction", **asked: str
    ) -> Request:
        said = Asked(**{"now": "loon: 1", "should": "loon: 2", "remark": "", **asked})
        return await self.town.rights.place(
            SIGNED, whom, str.__str__(to), kind, About("inkomen", "Inkomen"), said
        )

    async def settle(self) -> None:
        """Send until nothing is due any more."""
        for _ in range(20):
            if not sum([await self.town.sending.round(), await self.taxes.sending.round()]):
                return
        raise AssertionError("it goes on for ever")

    async def known(self, whom: DataSubject = ANN) -> Request:
        return (await self.town.rights.of_person(whom))[0]

    def close(self) -> None:
        for one in (self.town, self.taxes):
            one.store.close()
