"""Which versions of its disclosures a node used, and since when: so that an owner sees what the last change was."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

import msgspec
from sqlalchemy import text

from sluis.grounds import Disclosure
from sluis.kernel import Clock, decode, encode, from_milliseconds, milliseconds
from sluis.owning import sql
from sluis.store import Store, migrate

_LOOKED_BACK = 20


class Version(msgspec.Struct, frozen=True):
    """A version, and when this node first started with it."""

    disclosure: Disclosure
    since: datetime


class History:
    """The versions in a node's database. Made by `open_history`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def before(self, one: Disclosure) -> tuple[datetime | None, Version | None]:
        """Since when a disclosure is as it is, and what it was before that; None where that was never kept. Blocks."""
        with self._store.read() as connection:
            rows = connection.execute(text(sql.NEWEST), {"disclosure": one.id, "most": _LOOKED_BACK}).all()
        since: datetime | None = None
        for row in rows:
            moment = from_milliseconds(row.since)
            if row.digest == _digest(one):
                since = moment
                continue
            try:
                return since, Version(decode(bytes(row.body), Disclosure), moment)
            except msgspec.MsgspecError:  # written by code that knew other fields
                continue
        return since, None


def open_history(store: Store, disclosures: Iterable[Disclosure], clock: Clock) -> History:
    """The versions, with those of now among them. Blocks. Raises as `migrate`."""
    migrate(store, "owning", sql.MIGRATIONS)
    with store.read() as connection:
        known = {tuple(row) for row in connection.execute(text(sql.KNOWN))}
    since = milliseconds(clock())
    new = [
        {"disclosure": one.id, "digest": digest, "since": since, "body": encode(one)}
        for one in disclosures
        if (one.id, digest := _digest(one)) not in known
    ]
    if new:
        store.write_blocking(lambda connection: connection.execute(text(sql.KEEP), new) and None)
    return History(store)


def _digest(one: Disclosure) -> str:
    return sha256(encode(one)).hexdigest()
