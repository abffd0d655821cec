"""What the transaction log is about: who crossed to whose service under which grant, and when (FSC Logging 1.0.0)."""

from typing import Final, Literal

import msgspec

from sluis.kernel import PeerId

Direction = Literal["DIRECTION_INCOMING", "DIRECTION_OUTGOING"]

INCOMING: Final = "DIRECTION_INCOMING"
OUTGOING: Final = "DIRECTION_OUTGOING"


Outcome = Literal["no-answer", "refused"]
"""What an outway notes beside a line of which the inway may have none: nothing came back, or the inway refused."""


class Crossing(msgspec.Struct, frozen=True):
    """What all requests under one grant have in common.

    Args:
        grant_hash: of the connection grant.
        service_name: at the peer that offers it.
        outway_peer: who asks.
        outway_delegator: on whose behalf, when the connection is delegated.
        service_peer: who answers.
        service_delegator: on whose behalf, when the service is delegated.
        additional: what is added to the record (`additional_data` of Logging), a JSON object as text: by an extension
            (External Contract Reference 1.0.0), or the outcome that was noted (`rules.noted`).
    """

    grant_hash: str
    service_name: str
    outway_peer: PeerId
    service_peer: PeerId
    outway_delegator: PeerId | None = None
    service_delegator: PeerId | None = None
    additional: str | None = None


class Passage(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A crossing in one direction, as the log knows it: `TransactionLog.passage` gives the one there is of each. It is
    told apart by being that object, so that a line costs no comparing of texts."""

    direction: Direction
    crossing: Crossing


Line = tuple[bytes, Passage]
"""What one request adds to the log: the 16 bytes of its transaction id, and its passage."""


class TransactionRecord(msgspec.Struct, frozen=True):
    """One line of the log.

    Args:
        number: its place in this log; lines are numbered as they come.
        transaction_id: as the outway made it.
        direction: seen from this node.
        crossing: under which grant.
        created_at: milliseconds since the epoch at which it was written; never lower than of an earlier line.
    """

    number: int
    transaction_id: str
    direction: Direction
    crossing: Crossing
    created_at: int


class Search(msgspec.Struct, frozen=True):
    """What is looked for, as `GET /logs` asks it (FSC Logging 1.0.0).

    Args:
        after: Unix seconds; only lines of a later second, None for no bound.
        before: Unix seconds; only lines of an earlier second.
        grant_hashes: of one of these grants, or
        service_names: of one of these services; both empty for any.
        cursor: from an earlier page; empty for the first.
        limit: the largest number of lines, 1 to 1000.
        ascending: oldest first.
    """

    after: int | None = None
    before: int | None = None
    grant_hashes: frozenset[str] = frozenset()
    service_names: frozenset[str] = frozenset()
    cursor: str = ""
    limit: int = 25
    ascending: bool = False


class Counted(msgspec.Struct, frozen=True):
    """How many lines were written under one crossing in a span of time.

    Args:
        direction: seen from this node.
        crossing: under which grant; with an outcome when these are notes beside lines (`rules.outcome_of`).
        since: where the span begins, milliseconds since the epoch.
        lines: as many.
        newest: when the last of them was written, milliseconds since the epoch.
    """

    direction: Direction
    crossing: Crossing
    since: int
    lines: int
    newest: int


class Page(msgspec.Struct, frozen=True):
    """Lines found, and the cursor of the next page; empty when there is none."""

    records: tuple[TransactionRecord, ...]
    next_cursor: str


class Stretched(msgspec.Struct, frozen=True):
    """How many lines of one crossing were written on a day.

    Args:
        direction: seen from this node.
        crossing: under which grant, without what was noted.
        day: days since the epoch (UTC).
        number: of lines; of notes, where `failed`.
        failed: whether these are notes of requests of which nothing came.
    """

    direction: Direction
    crossing: Crossing
    day: int
    number: int
    failed: bool
