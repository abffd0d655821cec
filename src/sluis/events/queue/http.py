"""What waits, what did not arrive, and what there was, over HTTP: for owners of subscriptions about their own, and for the
operators of this node about all of them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Protocol

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import HeaderParameter, PathParameter, QueryParameter
from litestar.response import Stream

from sluis.crypto import Peer
from sluis.events.cloudevent import encode_structured
from sluis.events.queue.faults import wrong_stretch
from sluis.events.queue.model import DeadLetter, Delivery, Standing
from sluis.events.queue.reading import LONGEST_WAIT, Readers
from sluis.events.queue.rules import Agreed, crossing_event, event_of, explained, held_to
from sluis.events.queue.service import Queue
from sluis.events.subscriptions import Subscription
from sluis.kernel import PeerId, Refused
from sluis.policy import CHANGE_EVENTS, EVENTS, READ_EVENTS, Resource
from sluis.web import Gate, Person

MOST = 500
"""Entries of one answer."""

_TAGS = ["gebeurtenissen"]
_ID = Annotated[str, PathParameter()]
_HIGHEST = 2**53 - 1  # that every reader of JSON knows, and every database
Number = Annotated[int, QueryParameter(ge=0, le=_HIGHEST)]


Refusal = Callable[[], Refused]
"""Makes the refusal of who may do nothing with events."""


class Known(Protocol):
    """The subscriptions of a node (`subscriptions.Subscriptions`)."""

    def get(self, owner: PeerId, name: str) -> Subscription:
        """One of an owner. Raises `NotFound`."""

    def named(self, name: str) -> Subscription:
        """One of whatever owner. Raises `NotFound`."""

    def all(self) -> Sequence[Subscription]:
        """Every one."""


class StandingView(msgspec.Struct, frozen=True):
    """How a subscription stands. `oldest` is when the first that waits began to (ms), and None when none does."""

    id: str
    owner: PeerId
    sink: str
    state: str
    because: str
    newest: int
    waiting: int
    dead: int
    oldest: int | None


class DeadLetterView(msgspec.Struct, frozen=True):
    """A delivery that is not tried any more, and why in words."""

    sequence: int
    since: int
    event: str
    type: str
    notice: str
    trace: str
    attempts: int
    trouble: str
    because: Mapping[str, str]


class Stretch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers of a subscription, both ends included."""

    first: Annotated[int, msgspec.Meta(le=_HIGHEST)]
    last: Annotated[int, msgspec.Meta(le=_HIGHEST)]


class Replayed(msgspec.Struct, frozen=True):
    """How many dead letters wait again."""

    replayed: int


class PageView(msgspec.Struct, frozen=True):
    """Events of a subscription in their order, and the number after which to go on."""

    events: Sequence[msgspec.Raw]
    after: int


def routes(
    queue: Queue,
    readers: Readers,
    subscriptions: Known,
    gate: Gate,
    own: PeerId,
    refusal: Refusal,
    agreed: Agreed,
) -> list[HTTPRouteHandler]:
    """The routes of this room.

    Args:
        queue: the deliveries.
        readers: who reads along.
        subscriptions: whose they are.
        gate: asks which person may.
        own: this node.
        refusal: of a person who may not.
        agreed: asked for everything that leaves.
    """

    async def may(caller: Peer | Person, name: str, action: str) -> Subscription:
        """The subscription, for its owner or an operator. Raises `NotFound`, `Refused`."""
        if isinstance(caller, Peer):
            return subscriptions.get(caller.id, name)
        await gate.require(caller, action, Resource(EVENTS, str.__str__(own)), refusal())
        return subscriptions.named(name)

    @get("/events/standing", summary="Hoe alle abonnementen ervoor staan", tags=_TAGS,
         response_description="Per abonnement wat er wacht.")  # fmt: skip
    async def standing(person: Person) -> list[StandingView]:
        await gate.require(person, READ_EVENTS, Resource(EVENTS, str.__str__(own)), refusal())
        found = await asyncio.to_thread(queue.standing)
        return [_standing(one, found.get(one.id, Standing(0, 0, 0, None))) for one in subscriptions.all()]

    @get("/subscriptions/{id:str}/dead-letters", summary="Wat niet aankwam, en waarom", tags=_TAGS,
         response_description="In de volgorde van het abonnement.")  # fmt: skip
    async def dead_letters(
        caller: Peer | Person, id: _ID, after: Number = 0, most: int = 100
    ) -> list[DeadLetterView]:
        one = await may(caller, id, READ_EVENTS)
        found = await asyncio.to_thread(queue.dead_letters, one.id, after, min(max(most, 1), MOST))
        if isinstance(caller, Peer):
            found = [one if agreed(one.notice, caller.id) is not None else _closed(one) for one in found]
        return [_dead(letter) for letter in found]

    @post("/subscriptions/{id:str}/replays", status_code=200, summary="Probeer opnieuw wat niet aankwam", tags=_TAGS,
          response_description="Hoeveel er weer wachten.")  # fmt: skip
    async def replay(caller: Peer | Person, id: _ID, data: Stretch) -> Replayed:
        one = await may(caller, id, CHANGE_EVENTS)
        if not 0 < data.first <= data.last:
            raise wrong_stretch()
        return Replayed(await queue.replay(one.id, data.first, data.last))

    def shown(caller: Peer | Person, one: Subscription, found: Sequence[Delivery]) -> list[tuple[int, bytes]]:
        """What of these leaves, with its number. To a peer, only what is agreed now."""
        if isinstance(caller, Peer):
            told = [
                (each.sequence, crossing_event(held_to(each, names)))
                for each in found
                if (names := agreed(each.notice, one.owner)) is not None
            ]
        else:
            told = [(each.sequence, event_of(each)) for each in found]
        return [(number, encode_structured(event)) for number, event in told]

    @get("/subscriptions/{id:str}/events", summary="Wat er was na een nummer", tags=_TAGS,
         response_description="In de volgorde van het abonnement.")  # fmt: skip
    async def events(
        caller: Peer | Person, id: _ID, after: Number = 0, most: int = 100, wait: int = 0, done: Number = 0
    ) -> PageView:
        """Met `wait` wacht het antwoord, hoogstens 30 seconden, tot er iets is. Met `done` zegt u dat u alles tot en met dat nummer
        hebt."""
        one = await may(caller, id, CHANGE_EVENTS if done else READ_EVENTS)
        await readers.confirm(one, done)
        if isinstance(caller, Peer):
            queue.comes_itself(one.id)
        found = await readers.page(
            one.owner, one.id, after, min(max(most, 1), MOST), min(max(wait, 0), LONGEST_WAIT)
        )
        last = found[-1].sequence if found else after
        return PageView([msgspec.Raw(event) for _, event in shown(caller, one, found)], last)

    @get("/subscriptions/{id:str}/stream", summary="Lees mee", tags=_TAGS, media_type="text/event-stream",
         response_description="Server-sent events, in de volgorde van het abonnement.")  # fmt: skip
    async def stream(
        caller: Peer | Person, id: _ID,
        last: Annotated[str | None, HeaderParameter(name="Last-Event-ID", pattern=r"^[0-9]{1,18}$(?!\n)")] = None,
    ) -> Stream:  # fmt: skip
        """Een volgende verbinding voor hetzelfde abonnement beëindigt deze. Na vijf minuten eindigt zij vanzelf; verbind dan opnieuw
        met `Last-Event-ID`, die zegt wat u hebt."""
        after = int(last or 0)
        one = await may(caller, id, CHANGE_EVENTS if after else READ_EVENTS)
        await readers.confirm(one, after)
        pieces = readers.stream(one.owner, one.id, after, lambda found: shown(caller, one, found))
        return Stream(pieces, media_type="text/event-stream", headers={"cache-control": "no-store"})

    return [standing, dead_letters, replay, events, stream]


def _standing(one: Subscription, found: Standing) -> StandingView:
    return StandingView(
        one.id, one.owner, one.sink, one.state, one.because, found.newest, found.waiting, found.dead, found.oldest
    )  # fmt: skip


def _closed(letter: DeadLetter) -> DeadLetter:
    """As somebody sees it whom nothing may be told of it any more: that there is one, by which notice, and why."""
    return msgspec.structs.replace(letter, event_id="", event_type="", trace_id="")


def _dead(letter: DeadLetter) -> DeadLetterView:
    words = explained(letter.trouble)
    return DeadLetterView(
        letter.sequence, letter.since, letter.event_id, letter.event_type, letter.notice, letter.trace_id,
        letter.attempts, letter.trouble, {"nl": words.nl, "en": words.en},
    )  # fmt: skip
