"""Requests of people between two nodes: for peers, that come through the inway. What somebody asks stands in the body alone.

AVG art. 12 and 19. A 200 says that it is kept.
"""

from litestar import post
from litestar.handlers import HTTPRouteHandler

from sluis.crypto import Peer
from sluis.rights.model import Placed, Progress
from sluis.rights.service import Rights

_TAGS = ["verzoeken"]
_MOST = 64 * 1024  # bytes


def routes(rights: Rights) -> list[HTTPRouteHandler]:
    """The routes of this room, around the requests of one node."""

    @post(
        "/requests-of-people",
        status_code=200,
        summary="Geef een verzoek of melding van iemand door",
        tags=_TAGS,
        response_description="Het verzoek is bewaard; zo ver is het.",
        request_max_body_size=_MOST,
    )
    async def receive(data: Placed, peer: Peer) -> Progress:
        """Een melding dat iets niet klopt, of een beroep op een recht uit de AVG. Hetzelfde mag opnieuw komen."""
        return await rights.receive(peer.id, data)

    @post(
        "/requests-of-people/progress",
        status_code=200,
        summary="Vertel hoe ver een verzoek is",
        tags=_TAGS,
        response_description="Dat is bewaard.",
        request_max_body_size=_MOST,
    )
    async def progress(data: Progress, peer: Peer) -> dict[str, str]:
        """Alle stappen van een verzoek dat hier is gedaan en bij u in behandeling is. Hetzelfde mag opnieuw komen."""
        await rights.told(peer.id, data)
        return {"receipt": data.receipt}

    return [receive, progress]
