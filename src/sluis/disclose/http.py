"""The owner's side over HTTP, for peers on mTLS: what is open to them, and their questions.

The answer is an Arrow IPC stream. Everything that can be refused is refused before its first byte, as a problem; what
goes wrong later ends the stream without the receipt that makes it an answer, and breaks the connection off.
"""

import re
from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.crypto import Peer
from sluis.disclose.service import Discloser
from sluis.grounds import Offer
from sluis.kernel import Invalid, Text, Trace
from sluis.statement import MEDIA_TYPE, SubQuestion
from sluis.web import streamed

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def routes(discloser: Discloser) -> list[HTTPRouteHandler]:
    """The routes of this room, around one discloser."""

    @get("/offers", summary="Wat voor u open is", tags=["bronhouder"])
    async def offers(peer: Peer) -> list[Offer]:
        """De verstrekkingen die vandaag voor de vragende organisatie gelden, met hun kolommen en kenmerk."""
        return list(discloser.offers(peer.id))

    @post(
        "/consultations",
        status_code=200,
        media_type=MEDIA_TYPE,
        summary="Stel deze bronhouder een deelvraag",
        tags=["bronhouder"],
    )
    async def consult(data: SubQuestion, peer: Peer, trace: Trace, request: Request[Any, Any, Any]) -> Response[Any]:
        """Het antwoord is een Arrow IPC-stroom; de laatste, lege batch draagt het ontvangstbewijs."""
        transaction = request.headers.get("fsc-transaction-id", "").lower()
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
        answer = await discloser.consult(peer.id, trace, transaction, data)
        return await streamed(answer.body, MEDIA_TYPE)

    return [offers, consult]
