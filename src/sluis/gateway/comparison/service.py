"""Comparing this node's transaction log with those of its peers, on a schedule (the design's "two-sided" logs).

Each side asks the other for the lines in which both occur. What only one side has, or both have differently, is kept
and told to the operator; since the peer does the same, it is told at both. Where the outway that has the line noted that
its request failed on the way, that is no alarm: it is kept and counted by itself.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence

from sqlalchemy import Connection, text

from sluis.gateway.comparison import sql
from sluis.gateway.comparison.model import ALARMS, Difference, Kind, Remote, Seen, own_line, their_line
from sluis.gateway.comparison.rules import SKEW, Matching
from sluis.gateway.transactions import Search, TransactionLog, TransactionRecord, read_transaction_id
from sluis.kernel import Clock, PeerId, Text, Upstream, decode, encode
from sluis.store import Store, migrate

log = logging.getLogger("sluis.gateway")

_PAGE = 1000  # lines; the most that FSC Logging 1.0.0 gives at a time
_TOLD = 20  # differences that are each a line for the operator
_KEPT = 10_000  # differences of one kind with one peer; the newest, should a peer make them up

_MOST_ALONE = 100_000  # lines of a peer that this node may lack; far more than are kept of them
_MOST_WAITING = (
    500_000  # lines of a peer that wait for their other half: those of minutes, at thousands a second
)

MOST_PAGES = 100_000
"""Pages in one comparison; the rest is for the next. A peer could otherwise keep us reading for ever."""


class Comparison:
    """Compares with one peer at a time. Made by `open_comparison`.

    Args:
        store: where differences are kept.
        transactions: this node's own log.
        remote: the way to the logs of peers.
        own: this node.
        clock: the node's clock.
    """

    def __init__(
        self, store: Store, transactions: TransactionLog, remote: Remote, own: PeerId, clock: Clock
    ) -> None:
        self._store, self._transactions, self._remote = store, transactions, remote
        self._own, self._clock = own, clock

    async def compare(self, peer: PeerId) -> tuple[Difference, ...]:
        """Compare what was logged since the last time, but for the newest moments; gives what was found.

        Raises:
            Upstream: the peer's log cannot be read, or is none.
            Unkept: what was found cannot be kept.
        """
        until = int(self._clock().timestamp()) - SKEW
        since = await asyncio.to_thread(self._since, peer)
        if until <= since:
            return ()
        found = await self._differences(peer, since, until)
        await self._store.write(lambda connection: _keep(connection, peer, found, until))
        _tell(peer, found)
        return found

    def newest(self, most: int = 1000) -> list[Difference]:
        """The differences that were found, newest first; alarms before the rest. Blocks."""
        with self._store.read() as connection:
            rows = connection.execute(text(sql.NEWEST), {"most": most}).all()
        return [
            Difference(PeerId(row.peer), row.kind, decode(bytes(row.line), Seen), row.found_at)
            for row in rows
        ]

    def counts(self) -> dict[tuple[str, str], int]:
        """How many differences there are, by peer and kind. Blocks."""
        with self._store.read() as connection:
            return {(row.peer, row.kind): row.number for row in connection.execute(text(sql.COUNTS))}

    def compared(self) -> dict[PeerId, int]:
        """Up to when (seconds since the epoch) the log was compared with that of each peer, if ever. Blocks."""
        with self._store.read() as connection:
            return {PeerId(row.peer): row.until for row in connection.execute(text(sql.ALL_UNTIL))}

    def _since(self, peer: PeerId) -> int:
        with self._store.read() as connection:
            return connection.execute(text(sql.UNTIL), {"peer": str.__str__(peer)}).scalar() or 0

    async def _differences(self, peer: PeerId, since: int, until: int) -> tuple[Difference, ...]:
        """Lines of both logs after `since` and up to `until`; their other halves may be up to SKEW beyond these."""
        matching = Matching(self._own, peer)
        first, last = max(since - SKEW, 0), until + SKEW + 1
        ours, theirs = (
            _Reader(self._own_pages(peer, first, last)),
            _Reader(self._their_pages(peer, first, last)),
        )
        here, there = list[Seen](), list[Seen]()
        while not (ours.ended and theirs.ended):
            # Whichever log is behind goes on, so that little has to wait.
            if not ours.ended and (theirs.ended or ours.at <= theirs.at):
                matching.add_own(map(own_line, await ours.next()))
            else:
                matching.add_theirs(map(their_line, await theirs.next()))
            late = matching.unmatched_until(min(ours.at, theirs.at, until + SKEW) - SKEW)
            here += late[0]
            there += late[1][: _MOST_ALONE - len(there)]
            if matching.theirs_waiting > _MOST_WAITING:  # made up, all of one moment
                raise _no_log(peer)
        late = matching.unmatched_until(until)
        there += late[1][: _MOST_ALONE - len(there)]
        return await self._confirmed(peer, since, [*here, *late[0]], there, matching.differing)

    async def _confirmed(
        self, peer: PeerId, since: int, here: list[Seen], there: list[Seen], differing: list[Seen]
    ) -> tuple[Difference, ...]:
        """What is left after asking for each of them by its id: clocks may differ more than they should."""
        here, there = [line for line in here if line.at > since], [line for line in there if line.at > since]
        known_there, known_here = await self._known_there(peer, here), await self._known_here(peer, there)
        # Of an id that was used again, the other may have the lines of other requests.
        again_here = await self._known_here(peer, [line for line in here if known_there[line.key]])
        again_there = await self._known_there(peer, [line for line in there if known_here[line.key]])
        alone_here = [line for line in here if known_there[line.key] < max(again_here[line.key], 1)]
        alone_there = [line for line in there if known_here[line.key] < max(again_there[line.key], 1)]
        now = int(self._clock().timestamp())
        kinds: tuple[tuple[Kind, list[Seen]], ...] = (
            ("only-here", [line for line in alone_here if line.outcome is None]),
            ("only-there", [line for line in alone_there if line.outcome is None]),
            ("differs", differing),
            ("failed-here", [line for line in alone_here if line.outcome is not None]),
            ("failed-there", [line for line in alone_there if line.outcome is not None]),
        )
        return tuple(Difference(peer, kind, line, now) for kind, lines in kinds for line in lines)

    async def _known_there(self, peer: PeerId, lines: list[Seen]) -> Counter[tuple[str, str]]:
        known = Counter[tuple[str, str]]()
        for some in _parts(lines):
            found = await self._remote.logs_of(peer, [line.transaction_id for line in some])
            known.update(their_line(record).key for record in found)
        return known

    async def _known_here(self, peer: PeerId, lines: list[Seen]) -> Counter[tuple[str, str]]:
        known = Counter[tuple[str, str]]()
        for some in _parts(lines):
            ids = [read_transaction_id(line.transaction_id) for line in some]
            if None in ids:
                raise _no_log(peer)
            found = await self._transactions.find_transactions(self._own, [one for one in ids if one])
            known.update(own_line(record).key for record in found)
        return known

    async def _own_pages(
        self, peer: PeerId, after: int, before: int
    ) -> AsyncIterator[Sequence[TransactionRecord]]:
        cursor = ""
        while True:
            search = Search(after=after, before=before, cursor=cursor, limit=_PAGE, ascending=True)
            page = await self._transactions.find(peer, search)
            yield page.records
            cursor = page.next_cursor
            if not cursor:
                return

    async def _their_pages(
        self, peer: PeerId, after: int, before: int
    ) -> AsyncIterator[Sequence[TransactionRecord]]:
        cursor, seen = "", set[str]()
        for _ in range(MOST_PAGES):
            records, cursor = await self._remote.logs(peer, after, before, cursor)
            yield records
            if not cursor:
                return
            if cursor in seen or not records:
                break
            seen.add(cursor)
        raise _no_log(peer)


class _Reader:
    """The pages of one log, and how far they are (seconds; beyond everything once it has ended)."""

    def __init__(self, pages: AsyncIterator[Sequence[TransactionRecord]]) -> None:
        self._pages = pages
        self.at, self.ended = 0, False

    async def next(self) -> Sequence[TransactionRecord]:
        page = await anext(self._pages, None)
        if page is None:
            self.ended, self.at = True, 2**62
            return ()
        # A peer whose lines do not come in the order of time gets no further than its own lines allow.
        self.at = max(self.at, *(record.created_at // 1000 for record in page)) if page else self.at
        return page


def open_comparison(
    store: Store, transactions: TransactionLog, remote: Remote, own: PeerId, clock: Clock
) -> Comparison:
    """A comparison that goes on where the last one ended. Blocks.

    Raises:
        Conflict: another process writes this database, or it is newer than the code.
        Unkept: it cannot be reached or written.
    """
    migrate(store, "comparison", sql.MIGRATIONS)
    return Comparison(store, transactions, remote, own, clock)


def _keep(connection: Connection, peer: PeerId, found: Sequence[Difference], until: int) -> None:
    for one in found[: _KEPT * len(ALARMS)]:  # alarms come first
        values = {
            "peer": str.__str__(peer),
            "transaction_id": one.line.transaction_id,
            "direction": one.line.direction,
            "kind": one.kind,
            "line": encode(one.line),
            "found_at": one.found_at,
        }
        connection.execute(text(sql.ADD), values)
    for kind in {one.kind for one in found}:  # what failed does not push out what is an alarm
        connection.execute(text(sql.TRIM), {"peer": str.__str__(peer), "kind": kind, "kept": _KEPT})
    connection.execute(text(sql.COMPARED), {"peer": str.__str__(peer), "until": until})


def _tell(peer: PeerId, found: Sequence[Difference]) -> None:
    alarms = [one for one in found if one.kind in ALARMS]
    for one in alarms[:_TOLD]:
        log.warning("transaction %s with %s: %s", one.line.transaction_id, peer, one.kind)
    if len(alarms) > _TOLD:
        log.warning("%d transactions with %s in all on which the logs do not agree", len(alarms), peer)
    if len(found) > len(alarms):
        log.info("%d transactions with %s failed on the way", len(found) - len(alarms), peer)


def _parts(lines: list[Seen]) -> list[list[Seen]]:
    """These lines, each id once, in parts that may be asked for at a time."""
    each = list({line.transaction_id: line for line in lines}.values())
    return [each[at : at + _PAGE] for at in range(0, len(each), _PAGE)]


def _no_log(peer: PeerId) -> Upstream:
    return Upstream(
        "peer-log-unusable",
        Text("De transactielogboeken zijn niet te vergelijken.", "The transaction logs cannot be compared."),
        Text("Het logboek van de ander komt niet tot een einde.", "The other's log does not come to an end."),
        Text("Meld het bij die organisatie.", "Tell that organisation."),
        peer=str.__str__(peer),
    )
