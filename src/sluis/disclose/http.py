"""The owner's side over HTTP, for peers on mTLS: what is open to them, and their questions.

The answer is an Arrow IPC stream. Everything that can be refused is refused before its first byte, as a problem; what
goes wrong later ends the stream without the receipt that makes it an answer, and breaks the connection off.
"""

import asyncio
import re
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.crypto import Peer
from sluis.disclose.service import Discloser
from sluis.grounds import Offer
from sluis.kernel import Invalid, Text, Trace, Upstream
from sluis.statement import MEDIA_TYPE, SubQuestion
from sluis.web import SHORT, header, purpose_of, streamed, write_line

T = TypeVar("T")

_BRIEF = 0.05
"""Seconds in which nobody looks whether the asker is still there: looking takes longer than most answers do."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def routes(discloser: Discloser) -> list[HTTPRouteHandler]:
    """The routes of this room, around one discloser."""

    @get(
        "/offers",
        summary="Wat voor u open is",
        tags=["bronhouder"],
        response_description="Wat vandaag open is.",
    )
    async def offers(peer: Peer) -> list[Offer]:
        """De verstrekkingen die vandaag voor de vragende organisatie gelden, met hun kolommen en kenmerk."""
        return list(discloser.offers(peer.id))

    @post(
        "/consultations",
        opt={SHORT: True},
        status_code=200,
        media_type=MEDIA_TYPE,
        summary="Stel deze bronhouder een deelvraag",
        response_description="Een Arrow IPC-stroom; het ontvangstbewijs staat bij de laatste, lege batch.",
        tags=["bronhouder"],
    )
    async def consult(
        data: SubQuestion, peer: Peer, trace: Trace, request: Request[Any, Any, Any]
    ) -> Response[Any]:
        """Het antwoord is een Arrow IPC-stroom; de laatste, lege batch draagt het ontvangstbewijs."""
        transaction = header(request.scope, b"fsc-transaction-id").lower()
        if not _UUID.fullmatch(transaction):
            raise Invalid(
                "transaction-id-required",
                Text("Het transactienummer ontbreekt.", "The transaction id is missing."),
                Text(
                    "Het hoort als UUID in de kop Fsc-Transaction-Id.",
                    "It belongs in Fsc-Transaction-Id, as a UUID.",
                ),
                Text("Stuur de kop mee.", "Send that header."),
            )

        purpose = purpose_of(request.scope)

        async def answer() -> Response[Any]:
            line = partial(write_line, request.scope)
            consultation = await discloser.consult(peer.id, trace, transaction, data, purpose, line)
            return await streamed(consultation.body, MEDIA_TYPE)

        return await _unless_gone(request, answer())

    return [offers, consult]


async def _unless_gone(request: Request[Any, Any, Any], work: Coroutine[Any, Any, T]) -> T:
    """What is being worked on, unless the asker goes away first: then the work, and the source's own, is stopped."""
    working = asyncio.current_task()
    assert working is not None
    leaving: asyncio.Task[None] | None = None

    def look() -> None:
        nonlocal leaving
        leaving = asyncio.ensure_future(_gone(request))
        leaving.add_done_callback(left)

    def left(gone: "asyncio.Task[None]") -> None:
        if not gone.cancelled():
            working.cancel()

    looking = asyncio.get_running_loop().call_later(_BRIEF, look)
    try:
        return await work
    except asyncio.CancelledError:
        if leaving is None or not leaving.done() or leaving.cancelled():
            raise  # it is this node that stops
        working.uncancel()
        raise _asker_left() from None
    finally:
        looking.cancel()
        if leaving is not None:
            leaving.remove_done_callback(left)
            leaving.cancel()


def _asker_left() -> Upstream:
    return Upstream(
        "asker-left",
        Text("Het vragende knooppunt is weggegaan.", "The asking node went away."),
        Text(
            "De verbinding werd verbroken voor het antwoord begon.",
            "It broke off before the answer began.",
        ),
        Text("Stel de vraag opnieuw.", "Ask again."),
        retry=True,
    )


async def _gone(request: Request[Any, Any, Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
