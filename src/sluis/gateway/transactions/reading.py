"""Reading the transaction log for a peer: only lines in which it has part (FSC Logging 1.0.0, `GET /logs`).

Needs no writer. Every search is one snapshot of the database. What an outway noted of a request is a line of its own in
the tables; who reads finds it in the record of the request, as `additional_data`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, bindparam, text

from sluis.gateway.transactions import sql
from sluis.gateway.transactions.model import (
    OUTGOING,
    Counted,
    Crossing,
    Direction,
    Page,
    Search,
    Stretched,
    TransactionRecord,
)
from sluis.gateway.transactions.rules import OUTCOME, outcome_of, text_of, without_outcome
from sluis.kernel import Invalid, PeerId, Text

MOST = 1000
"""The most lines on a page, and the most transactions asked for by id."""

MOST_OF_IDS = 10 * MOST
"""The most lines of transactions that are asked for by id. A request has a line or two, with a note as many again; but
a program may send one id for ever."""

_Passages = dict[int, tuple[Direction, Crossing]]
_Notes = dict[int, tuple[int, Crossing]]


def find(connection: Connection, peer: PeerId, search: Search) -> Page:
    """The lines that a search finds, and where the next page begins. Raises `Invalid`."""
    if not 1 <= search.limit <= MOST:
        raise _wrong_limit()
    passages, notes = _told_apart(_passages(connection, peer))
    if search.grant_hashes or search.service_names:
        passages = {
            number: (direction, crossing)
            for number, (direction, crossing) in passages.items()
            if crossing.grant_hash in search.grant_hashes or crossing.service_name in search.service_names
        }
    first, end = _bounds(connection, search)
    lines: list[Any] = []
    for start, stop in _stretches(connection, passages, first, end, search.ascending):
        lines += _lines(connection, passages, start, stop, search, search.limit + 1 - len(lines))
        if len(lines) > search.limit:
            break
    page = lines[: search.limit]
    more = len(lines) > search.limit
    if page and notes:
        ids = [bytes(line.transaction_id) for line in page]
        found = _noted(_of_ids(connection, ids, [*passages, *notes]), notes)
    else:
        found = {}
    return Page(_records(page, passages, found), str(page[-1].number) if more else "")


def find_transactions(
    connection: Connection, peer: PeerId, transaction_ids: Sequence[bytes]
) -> tuple[TransactionRecord, ...]:
    """Every line of these transactions in which the peer has part, in the order of the log; when they have more lines than
    `MOST_OF_IDS`, of the newest. Raises `Invalid`."""
    if len(transaction_ids) > MOST:
        raise _wrong_limit()
    passages, notes = _told_apart(_passages(connection, peer))
    lines = _of_ids(connection, transaction_ids, [*passages, *notes])
    return _records([line for line in lines if line.passage in passages], passages, _noted(lines, notes))


def counted(
    connection: Connection, after: int, since: int, span: int, most: int
) -> tuple[int, tuple[Counted, ...]]:
    """How many lines there are behind a place in the log, by crossing and span of time; and where the log ends.

    Args:
        connection: to the database.
        after: the place.
        since: only lines that were written at or after this moment, in milliseconds since the epoch.
        span: milliseconds.
        most: only so many lines, the newest.
    """
    last = _last(connection)
    first = max(after, last - most)
    values = {"after": first, "last": last, "since": since, "span": span}
    rows = connection.execute(text(sql.COUNTS), values).all()
    if not rows:
        return last, ()
    passages = {
        row.id: (cast(Direction, row.direction), _crossing(row))
        for row in connection.execute(text(sql.PASSAGES))
    }
    return last, tuple(
        Counted(*passages[row.passage], row.stretch * span, row.lines, row.newest)
        for row in rows
        if row.passage in passages
    )


def stretch(connection: Connection, first: int, most: int) -> tuple[list[Stretched], int]:
    """What stands in the next stretch of the log, added up, and where to go on: see `TransactionLog.stretch`."""
    end = min(first + most, _last(connection) + 1)
    if end <= first:
        return [], first
    rows = connection.execute(text(sql.STRETCH), {"first": first, "end": end}).all()
    statement = text(sql.OF_ONE).bindparams(bindparam("ids", expanding=True))
    named = connection.execute(statement, {"ids": sorted({row.passage for row in rows})})
    passages = {row.id: (cast(Direction, row.direction), _crossing(row)) for row in named}
    found = []
    for row in rows:
        direction, crossing = passages[row.passage]
        failed = outcome_of(crossing) is not None
        bare = without_outcome(crossing) if failed else crossing
        found.append(Stretched(direction, bare, int(row.day), int(row.number), failed))
    return found, end


def left_under(connection: Connection, peer: PeerId, transaction_id: bytes) -> Crossing | None:
    """Under which crossing a request left for a peer; None when no line says so."""
    passages, _ = _told_apart(_passages(connection, peer))
    for line in reversed(_of_ids(connection, [transaction_id], [*passages])):
        direction, crossing = passages.get(line.passage, ("", None))
        if crossing is not None and direction == OUTGOING and crossing.service_peer == peer:
            return crossing
    return None


def _of_ids(
    connection: Connection, transaction_ids: Sequence[bytes], passages: Sequence[int]
) -> Sequence[Any]:
    if not transaction_ids or not passages:
        return ()
    statement = text(sql.OF_IDS).bindparams(
        bindparam("ids", expanding=True), bindparam("passages", expanding=True)
    )
    wanted = {"ids": list(set(transaction_ids)), "passages": passages, "most": MOST_OF_IDS}
    return connection.execute(statement, wanted).all()[::-1]


def _told_apart(passages: _Passages) -> tuple[_Passages, _Notes]:
    """The passages of lines; and those of notes, each with the passage of the lines that it is about."""
    lines = {
        number: passage
        for number, passage in passages.items()
        if OUTCOME not in (passage[1].additional or "")
    }
    numbers = {passage: number for number, passage in lines.items()}
    notes = {
        number: (numbers.get((direction, without_outcome(crossing)), -1), crossing)
        for number, (direction, crossing) in passages.items()
        if number not in lines
    }
    return lines, notes


def _noted(lines: Iterable[Any], notes: _Notes) -> dict[tuple[bytes, int], Crossing]:
    """What was noted, by transaction and passage of its line.

    A program may use one transaction id for several requests, and the note does not say of which of them it is: then it
    counts only when there is one for each, so that nothing that crossed passes for something that did not.
    """
    written, noted, found = Counter[tuple[bytes, int]](), Counter[tuple[bytes, int]](), {}
    for line in lines:
        passage, crossing = notes.get(line.passage, (line.passage, None))
        key = bytes(line.transaction_id), passage
        if crossing is None:
            written[key] += 1
        else:
            noted[key] += 1
            found[key] = crossing
    return {key: crossing for key, crossing in found.items() if noted[key] >= written[key]}


def _passages(connection: Connection, peer: PeerId) -> _Passages:
    rows = connection.execute(text(sql.OF_PEER), {"peer": str.__str__(peer)})
    return {row.id: (cast(Direction, row.direction), _crossing(row)) for row in rows}


def _crossing(row: Any) -> Crossing:
    return Crossing(
        row.grant_hash,
        row.service_name,
        PeerId(row.outway_peer),
        PeerId(row.service_peer),
        _maybe_peer(row.outway_delegator),
        _maybe_peer(row.service_delegator),
        row.additional,
    )


def _maybe_peer(value: str | None) -> PeerId | None:
    return None if value is None else PeerId(value)


def _bounds(connection: Connection, search: Search) -> tuple[int, int]:
    """The stretch of the log that times and cursor leave: its first place, and the first after it."""
    first = 0 if search.after is None else _place_of(connection, (search.after + 1) * 1000)
    end = _last(connection) + 1 if search.before is None else _place_of(connection, search.before * 1000)
    if search.cursor:
        at = _read_cursor(search.cursor)
        return (max(first, at + 1), end) if search.ascending else (first, min(end, at))
    return first, end


def _read_cursor(cursor: str) -> int:
    if cursor.isascii() and cursor.isdigit() and len(cursor) <= 18:
        return int(cursor)
    raise Invalid(
        "unknown-cursor",
        Text("Deze cursor is niet van dit knooppunt.", "This cursor is not of this node."),
        Text(
            "Een cursor is wat `next_cursor` van de vorige pagina gaf.",
            "A cursor is what `next_cursor` of the page before gave.",
        ),
        Text("Begin opnieuw, zonder cursor.", "Begin again, without a cursor."),
    )


def _last(connection: Connection) -> int:
    last = connection.execute(text(sql.LAST)).first()
    return last.number if last else -1


def _place_of(connection: Connection, moment: int) -> int:
    """The place of the first line at or after a time (ms), by halving: times never go down."""
    low, high = 0, _last(connection) + 1
    while low < high:
        middle = (low + high) // 2
        line = connection.execute(text(sql.FIRST_SINCE), {"number": middle}).first()
        if line is None or line.created_at >= moment:
            high = middle
        else:
            low = line.number + 1
    return low


def _stretches(
    connection: Connection, passages: _Passages, first: int, end: int, ascending: bool
) -> Iterator[tuple[int, int]]:
    """The stretches between two places in which one of the passages may occur, in the order of reading."""
    if not passages or first >= end:
        return
    tail = connection.execute(text(sql.RUNS)).scalar_one() * sql.RUN
    last = [(max(first, tail), end)] if end > tail else []
    statement = text(sql.RUNS_UP if ascending else sql.RUNS_DOWN).bindparams(
        bindparam("passages", expanding=True)
    )
    span = {"passages": list(passages), "first": first // sql.RUN, "last": (end - 1) // sql.RUN}
    runs = connection.execute(statement, span).scalars().all()
    noted = [(max(first, run * sql.RUN), min(end, (run + 1) * sql.RUN)) for run in runs]
    yield from noted + last if ascending else last + noted


def _lines(
    connection: Connection, passages: _Passages, first: int, end: int, search: Search, most: int
) -> Sequence[Any]:
    statement = text(sql.LINES_UP if search.ascending else sql.LINES_DOWN)
    return connection.execute(
        statement.bindparams(bindparam("passages", expanding=True)),
        {"passages": list(passages), "first": first, "end": end, "most": most},
    ).all()


def _records(
    lines: Sequence[Any], passages: _Passages, noted: Mapping[tuple[bytes, int], Crossing]
) -> tuple[TransactionRecord, ...]:
    found = []
    for line in lines:
        transaction_id = bytes(line.transaction_id)
        direction, crossing = passages[line.passage]
        crossing = noted.get((transaction_id, line.passage), crossing)
        found.append(
            TransactionRecord(line.number, text_of(transaction_id), direction, crossing, line.created_at)
        )
    return tuple(found)


def _wrong_limit() -> Invalid:
    return Invalid(
        "wrong-limit",
        Text("Zoveel regels geeft dit knooppunt niet.", "This node does not give so many records."),
        Text(f"Een vraag is om 1 tot {MOST} regels.", f"One may ask for 1 to {MOST} records."),
        Text("Vraag minder tegelijk.", "Ask for fewer at a time."),
    )
