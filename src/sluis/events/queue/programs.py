"""What programs of this organisation read themselves, over the portal with an access token: of the subscriptions that an operator
gave them to read (`reader` in `config`), and no other."""

from collections.abc import Sequence
from typing import Annotated, Any, Protocol

import msgspec
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import HeaderParameter, PathParameter
from litestar.response import Stream

from sluis.events.cloudevent import encode_structured
from sluis.events.queue.http import MOST, Number, PageView
from sluis.events.queue.model import Delivery
from sluis.events.queue.reading import LONGEST_WAIT, Readers
from sluis.events.queue.rules import event_of
from sluis.events.subscriptions import Subscription, unknown
from sluis.kernel import PeerId
from sluis.policy import Who

_TAGS = ["gebeurtenissen"]
_ID = Annotated[str, PathParameter()]


class ReadableView(msgspec.Struct, frozen=True):
    """A subscription as the program sees it that reads it."""

    id: str
    sink: str
    types: Sequence[str]


class Own(Protocol):
    """Subscriptions by their owner (`subscriptions.Subscriptions`)."""

    def of(self, owner: PeerId) -> Sequence[Subscription]:
        """Those of one owner."""


def program_routes(readers: Readers, subscriptions: Own, own: PeerId, who: Who) -> list[HTTPRouteHandler]:
    """The routes for programs.

    Args:
        readers: who reads along.
        subscriptions: of this node.
        own: this organisation, whose the programs are.
        who: knows who calls (`client:NAME` for a program), and that it may.
    """

    async def readable(request: Request[Any, Any, Any]) -> list[Subscription]:
        """What the caller may read. Raises `Unidentified`, `Refused`."""
        caller = await who(request)
        return [
            one
            for one in subscriptions.of(own)
            if one.config.reader and caller == f"client:{one.config.reader}"
        ]

    async def meant(request: Request[Any, Any, Any], id: str) -> Subscription:
        """Raises `NotFound` too, whosoever it is."""
        found = next((one for one in await readable(request) if one.id == id), None)
        if found is None:
            raise unknown()
        return found

    @get("/subscriptions", opt={"open": True}, summary="Welke abonnementen dit programma leest", tags=_TAGS,
         response_description="De oudste eerst.")  # fmt: skip
    async def listed(request: Request[Any, Any, Any]) -> list[ReadableView]:
        return [ReadableView(one.id, one.sink, one.types) for one in await readable(request)]

    @get("/subscriptions/{id:str}/events", opt={"open": True}, summary="Wat er was na een nummer", tags=_TAGS,
         response_description="In de volgorde van het abonnement.")  # fmt: skip
    async def events(
        request: Request[Any, Any, Any], id: _ID, after: Number = 0, most: int = 100, wait: int = 0, done: Number = 0
    ) -> PageView:  # fmt: skip
        """Met `wait` wacht het antwoord, hoogstens 30 seconden, tot er iets is. Met `done` zegt het programma dat het alles tot en met
        dat nummer heeft."""
        one = await meant(request, id)
        await readers.confirm(one, done)
        found = await readers.page(
            _name(one), one.id, after, min(max(most, 1), MOST), min(max(wait, 0), LONGEST_WAIT)
        )
        last = found[-1].sequence if found else after
        return PageView([msgspec.Raw(event) for _, event in _shown(found)], last)

    @get("/subscriptions/{id:str}/stream", opt={"open": True}, summary="Lees mee", tags=_TAGS, media_type="text/event-stream",
         response_description="Server-sent events, in de volgorde van het abonnement.")  # fmt: skip
    async def stream(
        request: Request[Any, Any, Any], id: _ID,
        last: Annotated[str | None, HeaderParameter(name="Last-Event-ID", pattern=r"^[0-9]{1,18}$(?!\n)")] = None,
    ) -> Stream:  # fmt: skip
        """Een volgende verbinding voor hetzelfde abonnement beëindigt deze. Na vijf minuten eindigt zij vanzelf; verbind dan opnieuw,
        met een token dat nog geldt en met `Last-Event-ID`, die zegt wat het programma heeft."""
        one, after = await meant(request, id), int(last or 0)
        await readers.confirm(one, after)
        pieces = readers.stream(_name(one), one.id, after, _shown)
        return Stream(pieces, media_type="text/event-stream", headers={"cache-control": "no-store"})

    return [listed, events, stream]


def _shown(found: Sequence[Delivery]) -> list[tuple[int, bytes]]:
    return [(one.sequence, encode_structured(event_of(one))) for one in found]


def _name(one: Subscription) -> str:
    """Who waits: programs of one organisation take no room from each other."""
    return f"client:{one.config.reader}"
