"""Group commit: many waiting callers, one writer thread, one transaction and one fsync for all of them.

On a disk where a commit takes two milliseconds this is the difference between 355 and 19,000 records a second.
Whoever waits is told only after the commit; when it fails, all who waited are told `Unkept` and nothing of theirs
is there. The queue is bounded: a node that cannot keep up says so at once instead of filling its memory.

Two threads share the work: what can be prepared is prepared where it comes from, while the writer is at the disk.
After a commit that was slow the writer waits a moment, so that more callers share the next. Where the disk is quick and
nobody else is writing, who brings a few rows writes them itself: waking another thread and being woken by it takes longer
than such a disk does.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from sluis.kernel import Problem, Text, Unkept
from sluis.store.commit import Commit
from sluis.store.lock import WriterLock
from sluis.store.wal import Wal

log = logging.getLogger("sluis.store")

P = TypeVar("P", contravariant=True)
R = TypeVar("R", covariant=True)

_BATCH = 4096  # records in one transaction; more gains nothing and makes the last one wait
_QUICK = 0.0011  # seconds; a commit that takes less waits less for the disk than it takes to prepare another
_NEAR = 0.002  # seconds; for a commit that takes less an event loop may wait: to hand over and be told takes 0.2 to 0.5
_RECENT = 8  # commits, about, that the pace of the disk is told by
_FEW = 256  # records that who brings them may write itself
_LINGER = 0.3  # share of a slow commit that the next may be put off, to be shared by more


class Lane(Protocol[P, R]):
    """What one room does with its share of a group commit. All but `prepare` and `is_brief` runs on the writer's thread, or
    on that of who brings something: on one at a time."""

    def load(self, connection: Connection) -> None:
        """Read the state that `apply` builds on, in a transaction. Before the first batch, and after a failure."""

    def prepare(self, payloads: Sequence[P]) -> Any:
        """Whatever can be done beforehand, without the lane's state; on the caller's thread. Raises nothing."""

    def is_brief(self, batch: Any) -> bool:
        """Whether what was prepared is rows to add and nothing else: then an event loop may wait for it."""

    def apply(self, commit: Commit, batch: Any) -> Sequence[R | Exception]:
        """Write what was prepared; gives per payload its result, or the Problem that refuses just that one.

        Whatever this raises undoes the whole commit.
        """

    def committed(self, connection: Connection) -> bool:
        """The commit is durable, and its callers are about to be told. Must be quick; gives whether `tidy` has work."""

    def tidy(self, connection: Connection) -> None:
        """The callers were told. May do what can wait, in a transaction of its own; a failure is made good later."""


class _Turn(msgspec.Struct, gc=False):
    """What came together for one lane: from the tasks of one turn of an event loop, or from a thread (None). Of each
    caller its payload and the future that gets the outcome; `weight` is how many records they are, `batch` what was
    prepared of them."""

    loop: asyncio.AbstractEventLoop | None
    lane: Lane[Any, Any]
    payloads: list[Any]
    weight: int
    futures: list[Any]
    batch: Any = None


class _Turns(msgspec.Struct, gc=False):
    """What the tasks of one turn of an event loop bring, by lane."""

    loop: asyncio.AbstractEventLoop
    of: dict[Lane[Any, Any], _Turn]


class _Taken(msgspec.Struct, gc=False):
    """The turns that are taken together, in `handed` times. `going` is false when the end came with them."""

    turns: list[_Turn] = []
    callers: int = 0
    weight: int = 0
    handed: int = 0
    going: bool = True

    def add(self, turns: list[_Turn] | None) -> None:
        """Take what was handed over together; None is the end."""
        if turns is None:
            self.going = False
            return
        self.handed += 1
        self.turns += turns
        for turn in turns:
            self.callers += len(turn.futures)
            self.weight += turn.weight


class _PlainLane:
    """Work of other rooms: functions, each in its own savepoint."""

    def load(self, connection: Connection) -> None:
        pass

    def prepare(self, payloads: Sequence[Callable[[Connection], Any]]) -> Any:
        return payloads

    def is_brief(self, batch: Any) -> bool:
        return False  # nobody knows what it does

    def apply(self, commit: Commit, batch: Sequence[Callable[[Connection], Any]]) -> list[Any]:
        return [attempt(commit.connection, work) for work in batch]

    def committed(self, connection: Connection) -> bool:
        return False

    def tidy(self, connection: Connection) -> None:
        pass


def attempt(connection: Connection, work: Callable[[Connection], Any]) -> Any:
    """Do `work` in a savepoint: gives what it gives, or what it raised, with nothing of it left. Raises what says that the
    database itself fails: then nothing of the commit is kept."""
    savepoint = connection.begin_nested()
    try:
        result = work(connection)
        savepoint.commit()
    except (DBAPIError, OSError) as problem:
        if not isinstance(problem, IntegrityError | DataError):
            raise
        savepoint.rollback()
        return problem
    except Exception as problem:
        savepoint.rollback()
        return problem
    return result


class GroupWriter:
    """The one writer of a store. Its thread starts with the first use.

    Args:
        engine: where to write.
        lock: taken before the first batch, held to the end; None beside a writer that has it.
        waiting: the largest number of records that may wait.
        wal: of a file here, which may be quicker than another thread; None for a server.
    """

    def __init__(self, engine: Engine, lock: WriterLock | None, waiting: int, wal: Wal | None) -> None:
        self._engine, self._lock, self._room, self._wal = engine, lock, waiting, wal
        self._queue: SimpleQueue[list[_Turn] | None] = SimpleQueue()
        self._turns: dict[int, _Turns] = {}  # by thread
        self._gate = threading.Lock()  # guards the four below
        self._waiting = self._handed = 0  # records that wait; what was handed to the thread and is not done
        self._closing = False
        self._thread: threading.Thread | None = None
        self._writing = threading.Lock() if wal is None else wal.writing  # guards the three below
        self._connection: Connection | None = None
        self._lanes: list[Lane[Any, Any]] = []
        self._seconds, self._pace = 0.0, 1.0  # how long the last commit took; how long they take of late
        # The rest belongs to the writer's thread.
        self._came = _Taken()
        self._linger = 0.0
        self._callers = 0
        self.plain_lane: Lane[Callable[[Connection], Any], Any] = _PlainLane()

    def register(self, lane: Lane[Any, Any]) -> None:
        """Add a lane, and load it: gives what loading it raises."""

        def load(connection: Connection) -> None:
            lane.load(connection)
            self._lanes.append(lane)

        self.submit_blocking(self.plain_lane, load, 1)

    def submit(self, lane: Lane[Any, Any], payload: Any, weight: int) -> asyncio.Future[Any]:
        """From a coroutine: a future of the outcome.

        What the tasks of one turn of the event loop bring, for whatever lane, is handed over together, at the end of that
        turn: waking the writer for the first of it would have two threads fight for the interpreter, and a second commit.
        """
        thread = threading.get_ident()  # to ask for the running loop is a call of the system
        turns = self._turns.get(thread)
        if turns is None or not turns.loop.is_running():  # it was stopped before its turn ended
            loop = asyncio.get_running_loop()
            self._turns[thread] = turns = _Turns(loop, {})
            loop.call_soon(self._end_turn, thread, turns)
        future: asyncio.Future[Any] = turns.loop.create_future()
        turn = turns.of.get(lane)
        if turn is None:
            turns.of[lane] = turn = _Turn(turns.loop, lane, [], 0, [])
        turn.payloads.append(payload)
        turn.weight += weight
        turn.futures.append(future)
        return future

    def submit_blocking(self, lane: Lane[Any, Any], payload: Any, weight: int) -> Any:
        """From a thread: the outcome."""
        future: Future[Any] = Future()
        self._put([_Turn(None, lane, [payload], weight, [future])])
        return future.result()

    def close(self) -> None:
        """Commit what waits, then stop. Who comes later is told `Unkept`."""
        with self._gate:
            self._closing = True
            thread = self._thread
        if thread is not None:
            self._queue.put(None)
            thread.join()
        if self._wal is not None:
            self._wal.close()
        if self._lock is not None:
            self._lock.give_back()

    def _end_turn(self, thread: int, turns: _Turns) -> None:
        if self._turns.get(thread) is turns:
            del self._turns[thread]
        self._put([*turns.of.values()])

    def _put(self, turns: list[_Turn]) -> None:
        taken, refused = list[_Turn](), list[_Turn]()
        for turn in turns:
            (taken if self._has_room(turn) else refused).append(turn)
        for turn in taken:
            turn.batch = turn.lane.prepare(turn.payloads)
        if taken and not self._wrote_here(taken) and not self._hand_over(taken):
            refused = turns
        for turn in refused:
            _settle(turn.futures, [too_much_waiting() for _ in turn.futures])

    def _has_room(self, turn: _Turn) -> bool:
        with self._gate:
            # A single call heavier than the bound still gets through when nothing else waits.
            if self._closing or (self._waiting and self._waiting + turn.weight > self._room):
                return False
            self._waiting += turn.weight
            return True

    def _wrote_here(self, turns: list[_Turn]) -> bool:
        """Write what this thread brings on this thread, if that is quick and overtakes nobody; whether it was done."""
        weight = sum(turn.weight for turn in turns)
        brief = weight <= _FEW and all(turn.lane.is_brief(turn.batch) for turn in turns)
        quick = self._wal is not None and self._pace < _NEAR
        if not (brief and quick and self._writing.acquire(blocking=False)):
            return False
        try:
            if self._handed or self._closing or self._connection is None:
                return False
            outcomes, untidy = self._commit(turns)
        finally:
            self._writing.release()
        with self._gate:
            self._waiting -= weight
        for turn, outcome in zip(turns, outcomes, strict=True):
            _settle(turn.futures, outcome)
        if untidy:
            self._hand_over([])
        return True

    def _hand_over(self, turns: list[_Turn]) -> bool:
        """Leave turns to the writer's thread; none, when all there is to do is tidying up."""
        with self._gate:
            if self._closing:  # the writer may be gone already
                return False
            self._queue.put(turns)
            self._handed += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sluis-writer", daemon=True)
                self._thread.start()
            return True

    def _run(self) -> None:
        going = True
        while going:
            taken = self._take()
            if taken.handed:
                with self._writing:
                    self._work_off(taken.turns)
            with self._gate:
                self._handed -= taken.handed
            going = taken.going
        with self._writing:
            self._drop_connection()

    def _take(self) -> _Taken:
        """Wait for a turn, then take all that came meanwhile.

        Those who were told of the last commit are likely to come back. After a slow one they are waited for, so that
        they share the next with those who came while it went on.
        """
        taken, before = self._came, self._came.callers
        if not taken.handed and taken.going:
            # Nothing stands between telling and this wait: who was told waits for the interpreter until it begins.
            taken.add(self._queue.get())
        slow = self._seconds > _QUICK and self._callers > 1
        expected = before + self._callers if slow else 1
        with suppress(Empty):
            while taken.going and 0 < taken.callers < expected and taken.weight < _BATCH:
                taken.add(self._queue.get(timeout=max(self._linger - time.monotonic(), 0.0)))
        self._add_waiting()
        self._came = _Taken()
        self._callers = taken.callers
        with self._gate:
            self._waiting -= taken.weight
        return taken

    def _add_waiting(self) -> None:
        came = self._came
        while came.going and came.weight < _BATCH and not self._queue.empty():
            came.add(self._queue.get())

    def _work_off(self, turns: list[_Turn]) -> None:
        outcomes, untidy = self._commit(turns) if turns else ([], True)
        self._linger = time.monotonic() + _LINGER * self._seconds
        self._add_waiting()
        for turn, outcome in zip(turns, outcomes, strict=True):
            _tell(turn.loop, turn.futures, outcome)
        if untidy:
            self._tidy()

    def _commit(self, turns: list[_Turn]) -> tuple[list[Sequence[Any]], bool]:
        """What became of each turn, and whether a lane has something to tidy up."""
        start = time.monotonic()
        try:
            connection = self._ready()
            with Commit(connection) as commit:
                outcomes = [turn.lane.apply(commit, turn.batch) for turn in turns]
        except Problem as problem:
            self._drop_connection()
            return [[problem] * len(turn.futures) for turn in turns], False
        except Exception as problem:  # a full disk, a lost server, a bug: nothing was kept, whatever it was
            self._drop_connection()
            return [[unkept(problem) for _ in turn.futures] for turn in turns], False
        self._seconds = time.monotonic() - start
        self._pace += (self._seconds - self._pace) / _RECENT
        if self._wal is not None:
            self._wal.wrote(sum(turn.weight for turn in turns))
        return outcomes, self._committed(connection)

    def _committed(self, connection: Connection) -> bool:
        """Tell the lanes; whether one has something to tidy up. What is durable stays so, whatever one makes of it."""
        try:
            told = [lane.committed(connection) for lane in self._lanes]
        except Exception as problem:  # the lanes load again before the next batch
            log.warning("after a commit: %s", type(problem).__name__)
            self._drop_connection()
            return False
        return any(told)

    def _ready(self) -> Connection:
        if self._connection is None:
            connection = self._engine.connect()
            try:
                if self._lock is not None:
                    self._lock.take(connection)
                with connection.begin():
                    for lane in self._lanes:
                        lane.load(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _tidy(self) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            for lane in self._lanes:
                lane.tidy(connection)
        except (
            Exception
        ) as problem:  # the records are safe; the lanes load again, and tidy up after a later batch
            log.warning("tidying up failed: %s", type(problem).__name__)
            self._drop_connection()

    def _drop_connection(self) -> None:
        """Close the connection, so that the next batch starts from what is really in the database."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


def _tell(loop: asyncio.AbstractEventLoop | None, futures: list[Any], outcomes: Sequence[Any]) -> None:
    if loop is None:
        _settle(futures, outcomes)
    else:
        with suppress(RuntimeError):  # the loop was closed; its tasks no longer wait
            loop.call_soon_threadsafe(_settle, futures, outcomes)


def _settle(futures: list[Any], outcomes: Sequence[Any]) -> None:
    for future, outcome in zip(futures, outcomes, strict=True):
        if not future.done():  # the caller may have been cancelled; its records are kept all the same
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)


def unkept(cause: BaseException | None = None) -> Unkept:
    """The problem of a database that does not take what must be kept."""
    problem = Unkept(
        "store-unavailable",
        Text("Dit knooppunt kan nu niets vastleggen.", "This node cannot record anything now."),
        Text(
            "De database is niet bereikbaar, vol of alleen-lezen.",
            "The database cannot be reached, is full, or is read-only.",
        ),
        Text(
            "Er is niets gedaan. Herstel de database en probeer het opnieuw.",
            "Nothing was done. Repair the database and try again.",
        ),
        retry=True,
    )
    problem.__cause__ = cause
    return problem


def too_much_waiting() -> Unkept:
    """The problem of a queue that is full, or of a node that is stopping."""
    return Unkept(
        "store-too-busy",
        Text("Dit knooppunt kan nu niet meer vastleggen.", "This node cannot record more now."),
        Text(
            "Er wacht al te veel werk, of het knooppunt stopt.",
            "Too much is waiting already, or the node is stopping.",
        ),
        Text("Er is niets gedaan. Probeer het straks opnieuw.", "Nothing was done. Try again in a moment."),
        retry=True,
    )
