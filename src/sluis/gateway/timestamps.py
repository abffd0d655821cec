"""The way to a timestamping authority: RFC 3161 section 3.4, one POST over HTTP.

What comes back is not believed here: `ledger` checks it against the authority's certificate, so plain HTTP will do.
"""

from sluis.crypto import calling_context
from sluis.ledger import anchoring
from sluis.web import EVERYWHERE, Outgoing, Unreached

_SECONDS = 30.0
_ASKED = {"content-type": "application/timestamp-query"}


class TimestampAuthority:
    """A timestamping authority at a URL."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def send(self, request: bytes) -> bytes:
        """Ask for one timestamp; see `anchoring.Send`. No redirect is followed."""
        try:
            async with Outgoing(calling_context(), EVERYWHERE, plain=True) as web:
                answer = await web.call(
                    "POST", self._url, request, _ASKED, seconds=_SECONDS, most=anchoring.MOST_BYTES
                )
        except Unreached as failure:
            raise OSError(failure.code) from None
        if answer.status != 200 or answer.media_type != "application/timestamp-reply":
            raise OSError(f"HTTP {answer.status}, {answer.media_type}")
        if not answer.whole:
            raise OSError("too long")
        return answer.body
