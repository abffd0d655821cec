"""What is done to the tables of the queue: rows read, added, settled and let go, in a transaction of the caller. SQLite takes its
rows by themselves, PostgreSQL many in one round trip."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Connection, Text, bindparam, text

from sluis.events.queue import sql
from sluis.events.queue.model import DEAD, WAITING, Course, Outcome, Place, Seen, Wanted
from sluis.store import insert_values

_LATELY = 200  # outcomes that are looked at
_MINUTE = 60_000  # milliseconds


class _Told(msgspec.Struct, frozen=True, gc=False):
    """A delivery as PostgreSQL reads it; bytes are base64 in JSON."""

    place: int
    subscription: str
    event: int
    stream: str
    subject: bytes | None
    notice: str
    trace: str


def read(connection: Connection, subscription: str, wanted: Wanted, most: int) -> list[Sequence[Any]]:
    """First what comes after a number, then the heads, then what there is of the streams; of the first and the last up to `most`."""
    values: dict[str, Any] = {"subscription": subscription, "most": most}
    found: list[Sequence[Any]] = [(), (), ()]
    if wanted.after is not None:
        found[0] = connection.execute(text(sql.PAGE), {**values, "after": wanted.after}).all()
    if wanted.heads:
        heads = {"subscription": subscription, "heads": [*wanted.heads]}
        found[1] = connection.execute(listed(sql.HEADS, "heads"), heads).all()
    if wanted.streams:
        stretch = {"after": min(wanted.streams.values()), "last": wanted.last, "streams": [*wanted.streams]}
        found[2] = connection.execute(listed(sql.STREAMS, "streams", Text), {**values, **stretch}).all()
    return found


def add(
    connection: Connection, kept: Sequence[tuple[Any, ...]], told: Sequence[tuple[Any, ...]], now: int
) -> None:
    """Add events (`sql.KEPT_COLUMNS`), and of each delivery its subscription, event, stream, subject, notice and trace, in their
    order."""
    if connection.dialect.name == "sqlite":
        _add_sqlite(connection, kept, told, now)
    else:
        _add_postgresql(connection, kept, told, now)


def settle(
    connection: Connection, outcomes: Sequence[Outcome], places: Mapping[str, Place], now: int
) -> Counter[str]:
    """Write outcomes, and how far their subscriptions are. What waited no longer before stays as it is.

    Args:
        connection: of the transaction, on the writer's thread.
        outcomes: of deliveries, each once.
        places: how far each of their subscriptions is.
        now: ms since the epoch.

    Returns:
        of each subscription how many wait no longer.
    """
    write = _settle_sqlite if connection.dialect.name == "sqlite" else _settle_postgresql
    ended = write(connection.connection.driver_connection, outcomes, now)
    dead = [{"subscription": o.subscription, "sequence": o.sequence} for o in outcomes if o.state == DEAD]
    if dead:
        connection.execute(text(sql.BURY), dead)
    lanes = [
        {"subscription": name, "ended": ended[name], "settled": place.settled, "turn": place.turn}
        for name, place in sorted(places.items())  # in one order, so that no two wait for each other
    ]
    if lanes:
        connection.execute(text(sql.COUNT_DOWN), lanes)
    return ended


def place_of(connection: Connection, subscription: str) -> Place:
    """How far a lane is."""
    found = connection.execute(text(sql.PLACE), {"subscription": subscription}).one_or_none()
    return Place(found.settled, found.turn) if found is not None else Place()


def seen(connection: Connection) -> dict[str, Seen]:
    """How all subscriptions stand."""
    return {
        row.subscription: Seen(
            row.newest, Place(row.settled, row.turn), row.waiting, row.holder, bool(row.gone)
        )
        for row in connection.execute(text(sql.COUNTERS))
    }


def _add_sqlite(
    connection: Connection, kept: Sequence[tuple[Any, ...]], told: Sequence[tuple[Any, ...]], now: int
) -> None:
    driver: Any = connection.connection.driver_connection
    counts = Counter(one[0] for one in told)
    last = {
        name: driver.execute(sql.COUNT_UP, (name, count, count)).fetchall()[0][0]
        for name, count in counts.items()
    }
    place = {name: last[name] - count for name, count in counts.items()}
    rows = list[Any]()
    for name, *rest in told:
        place[name] += 1
        rows += (name, place[name], *rest, WAITING, 0, 0, "", now, 0)
    insert_values(connection, "events_kept", sql.KEPT_COLUMNS, [*chain.from_iterable(kept)])
    if rows:
        insert_values(connection, "events_deliveries", sql.COLUMNS, rows)


def _add_postgresql(
    connection: Connection, kept: Sequence[tuple[Any, ...]], told: Sequence[tuple[Any, ...]], now: int
) -> None:
    driver: Any = connection.connection.driver_connection
    rows = msgspec.json.encode([_Told(place, *one) for place, one in enumerate(told)])
    kept_columns = [*map(list, zip(*kept, strict=True))] or [[] for _ in sql.KEPT_COLUMNS]
    with driver.cursor() as cursor:
        cursor.execute(sql.ADD, (rows.decode(), *kept_columns, now))


def _settle_sqlite(driver: Any, outcomes: Sequence[Outcome], now: int) -> Counter[str]:
    of = defaultdict[tuple[str, bool], list[Any]](list)
    for o in outcomes:
        row = (o.state, o.trouble, o.due, now, o.subscription, o.sequence)
        of[o.subscription, o.state != WAITING].append(row)
    ended = Counter[str]()
    for (name, over), rows in of.items():
        changed = driver.executemany(sql.SETTLE, rows).rowcount
        ended[name] += changed if over else 0
    return ended


def _settle_postgresql(driver: Any, outcomes: Sequence[Outcome], now: int) -> Counter[str]:
    with driver.cursor() as cursor:
        changed = cursor.execute(sql.SETTLE_ALL, (now, msgspec.json.encode(outcomes).decode())).fetchall()
    return Counter(name for name, state in changed if state != WAITING)


def oldest(connection: Connection, subscription: str, lane: Seen) -> int | None:
    """Since when the first of those that wait does (ms); None when none does."""
    values = {"subscription": subscription, "settled": lane.place.settled}
    found: int | None = connection.execute(text(sql.OLDEST), values).scalar() if lane.waiting else None
    return found


def course(connection: Connection, subscription: str, now: int) -> Course:
    """How it goes with a subscription; `now` in milliseconds since the epoch."""
    place, values = place_of(connection, subscription), {"subscription": subscription}
    first = connection.execute(text(sql.FIRST_WAITING), {**values, "settled": place.settled}).one_or_none()
    lately = {**values, "newest": place.settled + _LATELY // 2, "most": _LATELY}
    arrived = [row.ended for row in connection.execute(text(sql.LATELY), lately)]
    last, minute = max(arrived, default=0), sum(now - ended < _MINUTE for ended in arrived)
    if first is None or not first.attempts:
        return Course(last, minute)
    return Course(last, minute, first.began, first.trouble, first.attempts, first.due)


def forget(connection: Connection, subscription: str, rows: Iterable[Any]) -> int:
    """Let go of deliveries (`sequence`, `event`), and of events that nobody speaks of any more; gives how many went."""
    found = list(rows)
    if not found:
        return 0
    values = {"subscription": subscription, "sequences": [row.sequence for row in found]}
    for statement in (sql.FORGET, sql.FORGET_DEAD):
        connection.execute(listed(statement, "sequences"), values)
    fewer = Counter(row.event for row in found)
    connection.execute(
        text(sql.RELEASE), [{"number": number, "fewer": count} for number, count in fewer.items()]
    )
    connection.execute(listed(sql.DESTROY, "numbers"), {"numbers": [*fewer]})
    return len(found)


def listed(statement: str, name: str, type: Any = BigInteger) -> Any:
    """A statement in which `name` stands for a list."""
    return text(statement).bindparams(bindparam(name, expanding=True, type_=type))
