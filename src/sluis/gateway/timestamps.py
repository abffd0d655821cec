"""The way to a timestamping authority: RFC 3161 section 3.4, one POST over HTTP.

What comes back is not believed here: `ledger` checks it against the authority's certificate, so plain HTTP will do.
"""

from typing import TYPE_CHECKING

from sluis.ledger import anchoring

if TYPE_CHECKING:
    from aiohttp import ClientResponse

_SECONDS = 30.0


class TimestampAuthority:
    """A timestamping authority at a URL."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def send(self, request: bytes) -> bytes:
        """Ask for one timestamp; see `anchoring.Send`. No redirect is followed."""
        import aiohttp

        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as session,
                session.post(
                    self._url,
                    data=request,
                    headers={"content-type": "application/timestamp-query"},
                    allow_redirects=False,
                ) as answer,
            ):
                if answer.status != 200 or answer.content_type != "application/timestamp-reply":
                    raise OSError(f"HTTP {answer.status}, {answer.content_type}")
                return await _whole(answer)
        except (aiohttp.ClientError, TimeoutError, ValueError) as failure:
            raise OSError(type(failure).__name__) from None


async def _whole(answer: "ClientResponse") -> bytes:
    read = bytearray()
    async for chunk in answer.content.iter_any():
        read += chunk
        if len(read) > anchoring.MOST_BYTES:
            raise OSError("too long")
    return bytes(read)
