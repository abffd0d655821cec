"""What this room keeps: requests, sealed but for what they are found by. Every method blocks and takes a connection, so that whoever
calls decides what stands or falls together."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, String, bindparam, text

from sluis.crypto import KeyStore, Vault, canonical_texts
from sluis.identity.sessions import person_of
from sluis.kernel import PeerId, decode, encode
from sluis.rights import sql
from sluis.rights.model import Content, DataSubject, Kind, Request, Side, State


class Keeping:
    """The table of this room.

    Args:
        keys: seal, and name people.
    """

    def __init__(self, keys: KeyStore) -> None:
        self._keys, self._vault = keys, Vault(keys, "rights")

    def person(self, whom: DataSubject) -> str:
        """This node's pseudonym of a person, as when they sign in; or of a company."""
        if whom.kind == "BSN":
            return person_of(self._keys, "BSN", whom.value)
        return self._keys.mac("rights", canonical_texts("company", whom.kind, whom.value)).hex()

    def trace(self, receipt: str) -> str:
        """The trace of all records about one request: 32 hex digits."""
        return self._keys.mac("rights", canonical_texts("trace", receipt))[:16].hex()

    def add(self, connection: Connection, request: Request) -> None:
        """Keep a new one."""
        connection.execute(text(sql.ADD), self._values(request))

    def keep(self, connection: Connection, request: Request) -> None:
        """Keep a request in the place of what it was."""
        connection.execute(text(sql.KEEP), self._values(request))

    def one(self, connection: Connection, side: Side, peer: str, receipt: str) -> Request | None:
        """One request; None when there is none."""
        values = {"side": side, "peer": str.__str__(peer), "receipt": receipt}
        row = connection.execute(text(sql.ONE), values).one_or_none()
        return None if row is None else self._request(row)

    def of_person(
        self, connection: Connection, person: str, side: Side, most: int, skip: int = 0
    ) -> list[Request]:
        """The requests of a person, newest first."""
        values = {"person": person, "side": side, "most": most, "skip": skip}
        return [self._request(row) for row in connection.execute(text(sql.OF_PERSON), values)]

    def count_of_person(self, connection: Connection, person: str, side: Side, since: int) -> int:
        """How many a person has made since a moment."""
        values = {"person": person, "side": side, "since": since}
        return int(connection.execute(text(sql.COUNT_OF_PERSON), values).scalar_one())

    def count_open(self, connection: Connection, peer: str) -> int:
        """How many that came in from an organisation are not finished."""
        return int(connection.execute(text(sql.COUNT_OPEN), {"peer": str.__str__(peer)}).scalar_one())

    def desk(
        self, connection: Connection, kinds: Sequence[Kind], states: Sequence[State], most: int, skip: int
    ) -> tuple[list[Request], int]:
        """What came in of these kinds and in these states, newest first; and how many there are in all."""
        values = {"kinds": [*kinds], "states": [*states]}
        total = int(connection.execute(_listed(sql.COUNT_DESK), values).scalar_one())
        rows = connection.execute(_listed(sql.DESK), {**values, "most": most, "skip": skip})
        return [self._request(row) for row in rows], total

    def due(self, connection: Connection, now: int, most: int) -> list[Request]:
        """What must be sent, the longest waiting first."""
        rows = connection.execute(text(sql.DUE), {"now": now, "most": most})
        return [self._request(row) for row in rows]

    def sent(self, connection: Connection, request: Request) -> None:
        """How far a request is has arrived where it came from."""
        connection.execute(text(sql.SENT), {**_key(request), "state": request.state})

    def again(self, connection: Connection, request: Request, due: int, trouble: str) -> None:
        """What had to be sent did not arrive, and is sent again."""
        values = {**_key(request), "due": due, "trouble": trouble[:100]}
        connection.execute(text(sql.AGAIN), values)

    def sweep(self, connection: Connection, now: int) -> None:
        """Destroy what was kept long enough."""
        connection.execute(text(sql.SWEEP), {"now": now})

    def _values(self, request: Request) -> dict[str, Any]:
        values = msgspec.structs.asdict(request)
        content = values.pop("content")
        values |= _key(request)
        return values | {
            "sealed": self._vault.seal(encode(content), _place(request.side, request.peer, request.receipt))
        }

    def _request(self, row: Row[Any]) -> Request:
        opened = self._vault.open(bytes(row.sealed), _place(row.side, row.peer, row.receipt))
        return Request(
            row.receipt, row.side, PeerId(row.peer), row.person, row.kind, row.state, row.created, row.changed,
            row.ends, row.due, row.attempts, row.trouble, decode(opened, Content),
        )  # fmt: skip


def _key(request: Request) -> dict[str, str]:
    return {"side": request.side, "peer": str.__str__(request.peer), "receipt": request.receipt}


def _place(side: str, peer: str, receipt: str) -> str:
    return f"{side}|{str.__str__(peer)}|{receipt}"


def _listed(statement: str) -> Any:
    return text(statement).bindparams(
        bindparam("kinds", expanding=True, type_=String), bindparam("states", expanding=True, type_=String)
    )
