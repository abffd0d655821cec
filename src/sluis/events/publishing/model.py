"""What happened here, as a system of this organisation tells its node, and what became of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Protocol

import msgspec
from sqlalchemy import Connection

from sluis.events.interests import Whom
from sluis.events.queue import Addition
from sluis.grounds import EventTypeName, FactName
from sluis.kernel import PeerId

MOST = 1000
"""Occurrences in one request."""

Scalar = str | int | bool | None

TOLD = "told"
"""Under this name it is counted what recipients were told, beside what was withheld from them, by rule."""


class Occurrence(msgspec.Struct, frozen=True):
    """Something that happened. It stays here: what leaves of it, notices say.

    Args:
        type: of a file in `event-types/`.
        id: by which its system knows it; never anything personal, for recipients see it. The same id once more is the
            same occurrence.
        time: aware; when that system recorded it (CloudEvents NL GOV profile 1.1). None: now.
        about: whom it is about; None for a type that is about nobody.
        facts: by name, what conditions look at; what is left out is not known.
        data: by name, what may leave.
        dataref: where a recipient reads of it; None: as the event type says.
        trace_id: of what it is part of, 32 hex digits; None: a trace of its own.
    """

    type: EventTypeName
    id: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,200}$(?!\n)")]
    time: datetime | None = None
    about: Whom | None = None
    facts: Mapping[FactName, Scalar] = {}
    data: Mapping[FactName, Scalar] = {}
    dataref: Annotated[str, msgspec.Meta(pattern=r"^https?://[^@#\s]+$(?!\n)", max_length=2000)] | None = None
    trace_id: Annotated[str, msgspec.Meta(pattern=r"^(?!0{32})[0-9a-f]{32}$(?!\n)")] | None = None


class Published(msgspec.Struct, frozen=True):
    """What became of an occurrence, durably.

    What was told and what was not is known to who publishes it now, and kept of no occurrence: together with whom it is about it
    would be a list of who has a relation with whom. It is kept as counts per day.

    Args:
        id: of the occurrence.
        repeated: whether it was published before, and nothing happened now.
        told: how many notices told their recipient; None when that is not said.
        withheld: how many did not, by rule; None when that is not said.
    """

    id: str
    repeated: bool = False
    told: int | None = None
    withheld: dict[str, int] | None = None


class Counted(msgspec.Struct, frozen=True):
    """How often a rule decided about the events of one type on one day; `told` is a rule too."""

    day: str
    type: str
    rule: str
    count: int


class Subscribed(Protocol):
    """A subscription as far as publishing needs it."""

    @property
    def id(self) -> str: ...


class Subscriptions(Protocol):
    """Who wants to hear of what."""

    def matching(self, owner: PeerId, attributes: Mapping[str, Any]) -> Sequence[Subscribed]:
        """The subscriptions of a peer that an event with these attributes is for; from memory."""

    def has(self, owner: PeerId) -> bool:
        """Whether a peer has any that gets something; from memory."""


class Deliveries(Protocol):
    """Where events go on from here."""

    def check_room(self) -> None:
        """Raises `Unkept` when too much waits."""

    def add(self, connection: Connection, additions: Sequence[Addition]) -> object:
        """Keep events, each with everyone who is to be told, in the transaction of the fact."""


class Hearer(Protocol):
    """A room of this node that hears of every occurrence, in the transaction in which it is published."""

    def __call__(self, connection: Connection, occurrence: Occurrence) -> object: ...
