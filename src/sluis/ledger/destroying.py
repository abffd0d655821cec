"""Destroying records: what stays of one is its leaf, and what that is the hash of. Neither what it was found by nor its
idempotency key is left anywhere.

Everybody who writes waits for this, and ten thousand records may go at once: so each part of the search terms, and each run's
keys, are written once, however many of its records go.
"""

import hashlib
from array import array
from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, text

from sluis.ledger import sql, terms
from sluis.ledger.rules import raw


def destroy(connection: Connection, stretches: Iterable[tuple[int, int]], runs: int) -> list[int]:
    """Destroy records; those that are destroyed already stay as they are.

    Args:
        connection: in a transaction.
        stretches: first and last index of each.
        runs: how many runs are searched by terms.

    Returns:
        The indexes of those that were destroyed now and come after the runs.
    """
    places, after = defaultdict[int, set[int]](set), list[int]()
    for first, last in stretches:
        rows = connection.execute(text(sql.SPAN), {"first": first, "end": last + 1}).all()
        gone = {row.idx: hashlib.sha256(raw(row.salted)).digest() for row in rows if row.salted is not None}
        if gone:
            values = [{"idx": index, "entry": entry} for index, entry in gone.items()]
            connection.execute(text(sql.DESTROY), values)
        for index in gone:
            if index < runs * sql.RUN:
                places[index // sql.RUN].add(index % sql.RUN)
            else:
                after.append(index)
    for run, some in places.items():
        terms.take_out(connection, run, some)
        _forget_keys(connection, run, some)
    return after


def _forget_keys(connection: Connection, run: int, places: Iterable[int]) -> None:
    spots = array("q", connection.execute(text(sql.SPOTS_OF_RUN), {"run": run}).scalar_one())
    for place in places:
        spots[place] = 0
    connection.execute(text(sql.CHANGE_SPOTS), {"run": run, "spots": spots.tobytes()})
