"""The catalogues of peers, read over the link and kept: so that one search covers all, also while one of them is away.

Each is asked whether it changed. One that cannot be reached or read is told of and passed over, and what it had stays, with the
moment it was read. A peer's catalogue is bounded in bytes, time and entries; nothing in it is fetched.
"""

import asyncio
import logging
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection, text

from sluis.catalogue import sql
from sluis.catalogue.model import Faults, Found, Harvest
from sluis.catalogue.reading import Reading, read_catalogue_of
from sluis.gateway import Link, body_of, headers_for, problem_from
from sluis.kernel import (
    Clock,
    PeerId,
    Problem,
    Text,
    Trace,
    Upstream,
    cause_of,
    decode,
    encode,
    from_milliseconds,
    milliseconds,
)
from sluis.store import Store, migrate

log = logging.getLogger("sluis.catalogue")

MOST_BYTES = 32 * 1024 * 1024
SECONDS = 60.0
"""How long one peer may take in all."""

_AT_ONCE = 4
_TOO_LARGE = "catalogue-too-large"
_WILD = re.compile(r"[%_\\]")


class _Told(msgspec.Struct, frozen=True):
    """How a peer was last read: what was wrong, nothing when all is well, and whether its catalogue came."""

    trouble: str
    came: bool


class Harvester:
    """Reads the catalogues of peers. Belongs to one event loop. Made by `open_harvester`.

    Args:
        store: where they are kept.
        link: the way to peers.
        peers: their names.
        clock: aware UTC.
    """

    def __init__(self, store: Store, link: Link, peers: Mapping[PeerId, str], clock: Clock) -> None:
        self._store, self._link, self._peers, self._clock = store, link, dict(peers), clock
        self._one_at_a_time = asyncio.Lock()
        self._told: dict[PeerId, _Told] = {}
        self.changes = 0
        """How many times something else was kept; it changes when what `found` gives may."""

    def lacking(self) -> frozenset[PeerId]:
        """The peers whose catalogue was never got since this node started. One that came and cannot be used is no such: to read
        it again may take long, and gives the same until it is mended."""
        return frozenset(self._peers).difference(peer for peer, told in self._told.items() if told.came)

    async def round(self, only: Collection[PeerId] | None = None) -> None:
        """Read every peer's catalogue that changed. Raises `Unkept`.

        Args:
            only: these peers; None for all.
        """
        async with self._one_at_a_time:
            some = asyncio.Semaphore(_AT_ONCE)

            async def one(peer: PeerId) -> None:
                async with some:
                    await self._read(peer, again=only is not None)

            await asyncio.gather(*(one(peer) for peer in self._peers if only is None or peer in only))

    def found(self) -> list[Harvest]:
        """What is kept of every peer, by name. Blocks, and decodes all of it."""
        entries: dict[str, list[Found]] = {}
        with self._store.read() as connection:
            kept = {row.peer: row for row in connection.execute(text(sql.HARVESTS))}
            for row in connection.execute(text(sql.ENTRIES)):
                entries.setdefault(row.peer, []).append(decode(bytes(row.entry), Found))
        return self._every(kept, entries)

    def states(self) -> list[Harvest]:
        """The same without what was found. Blocks."""
        with self._store.read() as connection:
            return self._every({row.peer: row for row in connection.execute(text(sql.HARVESTS))}, {})

    def entry(self, peer: str, iri: str) -> tuple[Harvest, Found] | None:
        """One thing that a peer offers, and how its catalogue was read; None when it is not there. Blocks."""
        known = next((one for one in self._peers if str.__str__(one) == peer), None)
        if known is None:
            return None
        with self._store.read() as connection:
            row = connection.execute(text(sql.ENTRY), {"peer": peer, "iri": iri}).first()
            state = connection.execute(text(sql.HARVEST), {"peer": peer}).first()
        if row is None or state is None:
            return None
        return self._harvest(known, self._peers[known], state, ()), decode(bytes(row.entry), Found)

    def service(self, peer: PeerId, name: str) -> Found | None:
        """A service of a peer by its name, as its catalogue has it; None when it does not. Blocks."""
        ending = f"/services/{quote(name, safe='')}"
        given = {"peer": str.__str__(peer), "ending": "%" + _WILD.sub(r"\\\g<0>", ending)}
        with self._store.read() as connection:
            rows = connection.execute(text(sql.ENDING), given).all()
        found = (decode(bytes(row.entry), Found) for row in rows)
        return next((one for one in found if one.kind == "service" and one.iri.endswith(ending)), None)

    def _every(self, kept: Mapping[str, Any], entries: Mapping[str, Sequence[Found]]) -> list[Harvest]:
        return sorted(
            (
                self._harvest(peer, name, kept.get(str.__str__(peer)), entries.get(str.__str__(peer), ()))
                for peer, name in self._peers.items()
            ),
            key=lambda one: one.name,
        )

    def _harvest(self, peer: PeerId, name: str, row: Any, entries: Sequence[Found]) -> Harvest:
        if row is None:
            return Harvest(peer, name)
        at = None if row.at is None else from_milliseconds(row.at)
        faults = decode(bytes(row.faults), Faults)
        return Harvest(
            peer,
            name,
            from_milliseconds(row.tried),
            at,
            row.trouble,
            tuple(entries),
            row.many,
            row.size,
            faults,
        )

    async def _read(self, peer: PeerId, again: bool) -> None:
        given: dict[str, Any] = {"peer": str.__str__(peer), "now": milliseconds(self._clock())}
        raw: bytes | None = None
        try:
            async with asyncio.timeout(SECONDS):
                tag, raw = await self._fetched(peer, await asyncio.to_thread(self._tag, peer))
                found = None if raw is None else await asyncio.to_thread(read_catalogue_of, raw)
        except Exception as failure:  # whatever one of them brings about stops no other
            trouble = self._trouble(failure)
            before = self._told.get(peer)
            self._told[peer] = _Told(trouble, raw is not None or trouble == _TOO_LARGE)
            if again and before is not None and before.trouble == trouble:
                return  # it is told once; what is tried every few seconds would be told every few seconds
            log.warning("the catalogue of %s is passed over: %s", self._peers[peer], trouble)
            await self._write([(sql.TROUBLE, {**given, "trouble": trouble, "none": b"{}"})])
            return
        await self._keep(given, tag, raw, found)
        self._told[peer] = _Told("", came=True)

    @staticmethod
    def _trouble(failure: Exception) -> str:
        """Why a catalogue is passed over, as a code."""
        if isinstance(failure, Problem):
            return failure.code
        if isinstance(failure, TimeoutError):
            return "too-slow"
        log.error("reading a catalogue: %s", cause_of(failure))
        return "unreadable-catalogue"

    async def _keep(self, given: dict[str, Any], tag: str, raw: bytes | None, found: Reading | None) -> None:
        if found is None or raw is None:
            await self._write([(sql.SAME, given)])
            return
        rows = [
            {"peer": given["peer"], "place": place, "iri": one.iri, "entry": encode(one)}
            for place, one in enumerate(found.entries)
        ]
        kept = {**given, "tag": tag, "many": len(rows), "size": len(raw), "faults": encode(found.faults)}
        await self._write([(sql.EMPTY, given), (sql.FILL, rows), (sql.KEEP, kept)])
        self.changes += 1

    async def _fetched(self, peer: PeerId, tag: str) -> tuple[str, bytes | None]:
        """The tag and the bytes of a peer's catalogue; no bytes when it is what is kept already."""
        headers = headers_for(Trace.begin(), "application/ld+json")
        if tag:
            headers["if-none-match"] = tag
        async with self._link.send(peer, "GET", "/v1/catalogue", headers, b"", SECONDS) as answer:
            if answer.status == 304 and tag:
                return tag, None
            if answer.status != 200:
                raise await problem_from(answer, _unfit("unreadable-catalogue", self._peers[peer]))
            raw = await body_of(answer, MOST_BYTES, _unfit(_TOO_LARGE, self._peers[peer]))
            return answer.headers.get("etag", "")[:200], raw

    def _tag(self, peer: PeerId) -> str:
        with self._store.read() as connection:
            found = connection.execute(text(sql.TAG), {"peer": str.__str__(peer)}).scalar()
        return str(found or "")

    async def _write(self, statements: Sequence[tuple[str, Any]]) -> None:
        def work(connection: Connection) -> None:
            for statement, given in statements:
                if given:  # no rows: nothing to insert
                    connection.execute(text(statement), given)

        await self._store.write(work)


def open_harvester(store: Store, link: Link, peers: Mapping[PeerId, str], clock: Clock) -> Harvester:
    """What reads the catalogues of peers; its table is made when it is not there. Blocks. Raises as `migrate`."""
    migrate(store, "catalogue", sql.MIGRATIONS)
    return Harvester(store, link, peers, clock)


def _unfit(code: str, name: str) -> Upstream:
    return Upstream(
        code,
        Text("Een catalogus is niet te gebruiken.", "A catalogue cannot be used."),
        Text(f"{name} antwoordt anders dan is afgesproken.", f"{name} answers otherwise than was agreed."),
        Text("Meld het aan deze organisatie.", "Tell that organisation."),
        peer=name,
    )
