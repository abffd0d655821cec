"""Writing records: the ledger's lane in the store's group commit. Owns their order, and says what is a duplicate.

Preparing (checking, canonical JSON, hashing) is done where the records come from; here they get their place. Only
when one of a batch is refused, or may have been here before, are the records of the batch looked at one by one.
"""

import os
from array import array
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import accumulate, chain
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from sluis.kernel import Conflict, Text
from sluis.ledger import sql, terms
from sluis.ledger.destroying import destroy
from sluis.ledger.model import Destruction, Epoch, Position, Record
from sluis.ledger.rules import SALT, Columns, identity, prepare, prepare_act, raw
from sluis.ledger.runs import Seen, Tail
from sluis.ledger.tree import WIDTH, Tree
from sluis.store import Commit, attempt, insert_values

_HASH = 32  # bytes
_NOTHING = Columns([], [], [], [], [], [], [])


class OwnAct(list[Any]):
    """A payload of one `Epoch` or `Destruction`: recorded, and carried out in the same transaction."""


class Along(list[Any]):
    """A payload of records that stand or fall with a change elsewhere in the database.

    Args:
        records: what to keep.
        work: the change, on the writer's thread; what it raises refuses records and change alike.
    """

    def __init__(self, records: Sequence[Record], work: Callable[[Connection], object]) -> None:
        super().__init__(records)
        self.work = work


class Batch(msgspec.Struct, frozen=True, gc=False):
    """What came together, prepared. `columns` is None when not everything in it is in order; `along` says whether a
    payload of it brings a change."""

    payloads: Sequence[Sequence[Record]]
    columns: Columns | None
    along: bool = False


class Records:
    """The lane that appends records. One per log; the store calls its methods from one thread at a time, but for
    `prepare`, which touches nothing.

    Attributes:
        origin: of the epoch the log is in.
        epoch: its number, from 1.
        size: how many leaves are committed; other threads may read it.
        witnesses: how many peers have cosigned the newest checkpoint.
    """

    def __init__(self, origin: str) -> None:
        self._first_origin = origin
        self.origin = origin
        self.size = 0
        self.epoch = 1
        self.witnesses = 0
        self._gone = False
        self._tree = Tree()
        self._runs = 0
        self._tail = Tail(0, 0, [])
        self._seen = Seen([])

    def load(self, connection: Connection) -> None:
        def rows(statement: str, **values: int) -> Sequence[Any]:
            return connection.execute(text(statement), values).all()

        size = int(rows(sql.SIZE)[0][0])
        self._tree = Tree(size, _edges(size, rows))
        connection.execute(text(sql.drop_stray_tiles(size)))
        spots = _spots_of_whole_runs(rows(sql.SPOTS), size)
        self._runs = len(spots) // sql.RUN
        for statement in sql.DROP_RUNS:  # what is said of others is not so, and would be in the way
            connection.execute(text(statement), {"run": self._runs, "part": self._runs * sql.PARTS})
        while (end := (self._runs + 1) * sql.RUN) <= size:  # as after a change of how runs are kept
            run = Tail(end - sql.RUN, end, rows(sql.TAIL, first=end - sql.RUN, end=end)).take_run()
            for table, columns, more in run.rows(self._runs):
                insert_values(connection, table, columns, [*chain.from_iterable(more)])
            spots.extend(run.spots)
            self._runs += 1
        first = self._runs * sql.RUN
        self._tail = Tail(first, size, rows(sql.TAIL, first=first, end=size))
        self._seen = Seen(spots + array("q", self._tail.spots))
        epoch = rows(sql.EPOCH)
        if not epoch:
            connection.execute(text(sql.NEW_EPOCH), {"number": 1, "origin": self._first_origin, "since": 0})
        self.origin, self.epoch = (epoch[0].origin, epoch[0].number) if epoch else (self._first_origin, 1)
        self.size = size

    def prepare(self, payloads: Sequence[Sequence[Record]]) -> Batch:
        kinds = set(map(type, payloads))
        if OwnAct in kinds:
            return Batch(payloads, None, Along in kinds)
        records = [record for payload in payloads for record in payload]
        try:
            return Batch(payloads, prepare(records, os.urandom(SALT * len(records))), Along in kinds)
        except Exception:  # whatever is wrong with one of them is for its own caller, and found one by one
            return Batch(payloads, None, Along in kinds)

    def is_brief(self, batch: Batch) -> bool:
        return batch.columns is not None and not batch.along

    def apply(self, commit: Commit, batch: Batch) -> list[Position | Exception]:
        failed = _changed_along(commit, batch) if batch.along else {}
        if failed:  # the others go on without them
            batch = self.prepare([[] if at in failed else one for at, one in enumerate(batch.payloads)])
        outcomes = self._added(commit, batch)
        for at, one in enumerate(batch.payloads):
            if type(one) is Along and isinstance(refused := outcomes[at], Exception):
                # Its change was made, so nothing of this commit may stay.
                raise RuntimeError("a change was made for records that are none") from refused
        return [failed.get(at, one) for at, one in enumerate(outcomes)] if failed else outcomes

    def _added(self, commit: Commit, batch: Batch) -> list[Position | Exception]:
        base = self._tree.size
        columns, last = batch.columns, self._all_new(commit, base, batch)
        if columns is None or last is None:
            columns, last = self._one_by_one(commit, base, batch.payloads)
        if columns.spots:
            self._insert(commit, base, columns)
        origin, size, witnesses = self.origin, self._tree.size, self.witnesses
        return [at if isinstance(at, Exception) else Position(origin, at, size, witnesses) for at in last]

    def committed(self, connection: Connection) -> bool:
        self.size = self._tree.size
        if self._gone and _swept(connection):
            self._gone = False
        return self._seen.is_full

    def tidy(self, connection: Connection) -> None:
        if self._seen.is_full:
            with connection.begin():
                self._seen = self._seen_in(connection)

    def _seen_in(self, connection: Connection) -> Seen:
        spots = array("q")
        for _, packed in connection.execute(text(sql.SPOTS)):
            spots.extend(terms.unpacked(packed))
        spots.extend(self._tail.spots)
        return Seen(spots)

    def _insert(self, commit: Commit, base: int, new: Columns) -> None:
        places = range(base, base + len(new.spots))
        *numbers, salted, leaves = msgspec.structs.astuple(new)
        # To sqlite3 a bytearray is plain; of bytes it asks, each time, whether somebody adapts them.
        rows = zip(places, *numbers, map(bytearray, salted), map(bytearray, leaves), strict=True)
        commit.insert("ledger_records", sql.RECORD_COLUMNS, rows)
        tiles = self._tree.extend(new.leaves)
        if tiles:
            commit.insert("ledger_tiles", sql.TILE_COLUMNS, map(msgspec.structs.astuple, tiles))
        self._seen.add(new.spots)
        self._tail.add(new)
        while self._tail.has_run:
            for table, columns, more in self._tail.take_run().rows(self._runs):
                commit.insert(table, columns, more)
            self._runs += 1

    def _all_new(self, commit: Commit, base: int, batch: Batch) -> list[int | Exception] | None:
        """Where each payload ends, when none is refused and none may have been here before; else None."""
        if batch.columns is None:
            return None
        spots = batch.columns.spots
        if len(set(spots)) < len(spots):
            return None
        for spot in self._seen.among(spots):
            if self._with_spot(commit, batch.columns.traces[spots.index(spot)], spot):
                return None
        return [base - 1 + end for end in accumulate(map(len, batch.payloads))]

    def _one_by_one(
        self, commit: Commit, base: int, payloads: Sequence[Sequence[Record]]
    ) -> tuple[Columns, list[int | Exception]]:
        """The records that are new, and per payload where it ends or what refuses it; of a refused payload, none."""
        taken = dict[int, Columns]()
        last: list[int | Exception] = []
        for records in payloads:
            try:
                prepared = _each(records)
            except Exception as problem:  # the caller's, not the database's: it refuses just this payload
                last.append(problem)
                continue
            last.append(self._take(commit, base, taken, records, prepared))
        return sum(taken.values(), _NOTHING), last

    def _take(
        self,
        commit: Commit,
        base: int,
        taken: dict[int, Columns],
        records: Sequence[Any],
        prepared: list[Columns],
    ) -> int | Exception:
        """Add what is new of one payload to `taken`, by idempotency key; gives where it ends, or the conflict that refuses
        it."""
        before = len(taken)
        at = base + before - 1
        try:
            for record, one in zip(records, prepared, strict=True):
                known = self._known(commit, base, taken, one)
                at = base + len(taken) if known is None else known
                if known is None:
                    taken[one.spots[0]] = one
                    if isinstance(records, OwnAct):
                        self._carry_out(commit, record)
        except Conflict as conflict:
            while len(taken) > before:
                taken.popitem()
            return conflict
        return at

    def _known(self, commit: Commit, base: int, taken: dict[int, Columns], one: Columns) -> int | None:
        """The index of the same record, when it is there already. Raises `Conflict` when its content differs."""
        trace, spot, body = one.traces[0], one.spots[0], one.salted[0][SALT:]
        if spot in taken:
            index = base + list(taken).index(spot)
            return _same_or_conflict([(index, taken[spot].salted[0][SALT:])], body)
        if not self._seen.among([spot]):
            return None
        found = self._with_spot(commit, trace, spot)
        return _same_or_conflict([(row.idx, raw(row.salted)[SALT:]) for row in found if row.salted], body)

    def _with_spot(self, commit: Commit, trace: int, spot: int) -> Sequence[Any]:
        """The records with this idempotency key, of which there is one at most but by accident."""
        place = self._tail.place(spot)
        if place is not None:
            return commit.connection.execute(text(sql.SALTED), {"idx": place}).all()
        led_to = terms.led_to(commit.connection, 0, self._runs, [trace])
        return list(terms.records(commit.connection, sql.SAME_SPOT, led_to, {"spot": spot}))

    def _carry_out(self, commit: Commit, act: Any) -> None:
        if isinstance(act, Epoch):
            values = {"number": act.number, "origin": act.origin, "since": act.found}
            commit.connection.execute(text(sql.NEW_EPOCH), values)
            self.origin, self.epoch, self.witnesses = act.origin, act.number, 0
        elif isinstance(act, Destruction):
            for index in destroy(commit.connection, act.stretches, self._runs):
                self._tail.forget(index)
            self._gone = True


def _changed_along(commit: Commit, batch: Batch) -> dict[int, Exception]:
    """Make the changes that come along with records, each in a savepoint; gives what refuses some, by place."""
    outcomes = {
        at: attempt(commit.connection, one.work)
        for at, one in enumerate(batch.payloads)
        if type(one) is Along
    }
    return {at: one for at, one in outcomes.items() if isinstance(one, Exception)}


def _each(records: Sequence[Any]) -> list[Columns]:
    own = isinstance(records, OwnAct)
    return [
        (prepare_act(one, salt) if own else prepare([one], salt))
        for one in records
        for salt in [os.urandom(SALT)]
    ]


def _swept(connection: Connection) -> bool:
    """Take what was destroyed out of the write-ahead log (SQLite) or out of the dead rows (PostgreSQL); whether that
    could be done now, with what others are reading."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        (patience,) = driver.execute("PRAGMA busy_timeout").fetchone()
        driver.execute("PRAGMA busy_timeout=0")  # who waits for a commit does not wait for who reads
        try:
            return bool(driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
        finally:
            driver.execute(f"PRAGMA busy_timeout={patience}")
    driver.autocommit = True  # VACUUM runs in no transaction
    try:
        driver.execute("VACUUM ledger_records, ledger_terms, ledger_runs")
    finally:
        driver.autocommit = False
    return True


def _edges(size: int, rows: Callable[..., Sequence[Any]]) -> list[list[bytes]]:
    """The unfinished tiles of a tree of `size` leaves: their own leaves, and the roots of the tiles below. Raises `Conflict` when
    one is not there: a tree that went on without it would prove nothing."""
    edges = [[raw(row.leaf) for row in rows(sql.LEAVES, first=size // WIDTH * WIDTH, end=size)]]
    counts = [size]
    while counts[-1] >= WIDTH:
        counts.append(counts[-1] // WIDTH)
        below = {"level": len(edges) - 1, "first": counts[-1] // WIDTH * WIDTH, "end": counts[-1]}
        edges.append([raw(row.root) for row in rows(sql.ROOTS, **below)])
    for count, edge in zip(counts, edges, strict=True):
        if len(edge) != count % WIDTH or any(len(one) != _HASH for one in edge):
            raise _not_whole()
    return edges


def _spots_of_whole_runs(kept: Sequence[Any], size: int) -> "array[int]":
    """The idempotency keys of the runs from the first on that are whole, of those that are kept (`sql.SPOTS`) and that a log of so
    many leaves reaches."""
    spots = array("q")
    for run, packed in kept:
        keys = raw(packed)
        if run * sql.RUN != len(spots) or len(keys) != 8 * sql.RUN or len(spots) + sql.RUN > size:
            break
        spots.frombytes(keys)
    return spots


def _same_or_conflict(found: list[tuple[int, bytes]], body: bytes) -> int | None:
    for index, kept in found:
        if kept == body:
            return index
        with suppress(msgspec.MsgspecError):  # what was kept can no longer be read, and is no record
            if identity(kept) == identity(body):
                raise _other_content()
    return None


def _not_whole() -> Conflict:
    return Conflict(
        "log-not-whole",
        Text("Dit logboek is niet heel.", "This log is not whole."),
        Text(
            "Aan het eind ontbreken regels of hashes. Daarom kan er niets bij.",
            "Records or hashes are missing at its end. So nothing can be added.",
        ),
        Text(
            "Kijk met `sluis ledger verify` wat er mist, en zet een reservekopie terug.",
            "See what is missing with `sluis ledger verify`, and put a backup back.",
        ),
    )


def _other_content() -> Conflict:
    return Conflict(
        "record-differs",
        Text("Deze logregel bestaat al met een andere inhoud.", "This log record exists with other content."),
        Text(
            "Dezelfde trace en span zijn eerder vastgelegd; wat vastligt verandert niet.",
            "The same trace and span were recorded before; what is recorded does not change.",
        ),
        Text("Geef de nieuwe handeling een eigen span.", "Give the new action a span of its own."),
    )
