"""Going through the log by time, for what no index leads to: what was permitted in the last hour, what a month cost.

Every stretch is a snapshot of its own, so that reading a long log holds up nobody.
"""

from collections.abc import Iterator

import msgspec
from sqlalchemy import text

from sluis.ledger import sql
from sluis.ledger.model import Crossings, Decision, Processing
from sluis.ledger.reading import Log
from sluis.ledger.rules import SALT, raw
from sluis.store import Store

_STRETCH = 4096
_decision = msgspec.json.Decoder(Decision)
_processing = msgspec.json.Decoder(Processing)
_crossings = msgspec.json.Decoder(Crossings)


def decisions(store: Store, since: int) -> Iterator[Decision]:
    """Decisions from a moment on, oldest first.

    Args:
        store: with the log.
        since: ms since the epoch. Records of one time are kept together: what was kept long before it is not read.
    """
    first = Log(store).size()
    while first > 0 and _newest(store, max(0, first - _STRETCH), first) >= since:
        first = max(0, first - _STRETCH)
    for body in _bodies(store, first, since, 2**63 - 1):
        if b'"kind":"decision"' in body:
            try:
                yield _decision.decode(body)
            except msgspec.MsgspecError:  # of another kind, and holding those words
                continue


def lines_with(store: Store, attribute: str, since: int, until: int) -> Iterator[Processing]:
    """Processing records of a period that have an attribute, oldest first.

    Args:
        store: with the log.
        attribute: its name.
        since: `start_time` at the earliest, ms since the epoch.
        until: before this.
    """
    mark = f'"{attribute}":'.encode()
    for body in _bodies(store, 0, since, until):
        if mark in body:
            try:
                line = _processing.decode(body)
            except msgspec.MsgspecError:
                continue
            if attribute in line.attributes:
                yield line


def crossings(store: Store) -> Iterator[Crossings]:
    """Every sealed stretch of the transaction log, oldest first."""
    for body in _bodies(store, 0, 0, 2**63 - 1):
        if b'"kind":"transaction"' in body:
            try:
                yield _crossings.decode(body)
            except msgspec.MsgspecError:  # of another kind, and holding those words
                continue


def _bodies(store: Store, first: int, since: int, until: int) -> Iterator[bytes]:
    size = Log(store).size()
    for start in range(first, size, _STRETCH):
        values = {"first": start, "end": min(start + _STRETCH, size), "since": since, "until": until}
        with store.read() as connection:
            rows = connection.execute(text(sql.IN_PERIOD), values).all()
        for row in rows:
            yield raw(row.salted)[SALT:]


def _newest(store: Store, first: int, end: int) -> int:
    with store.read() as connection:
        values = {"first": first, "end": end}
        return int(connection.execute(text(sql.NEWEST_START), values).scalar_one() or 0)
