"""Calls over the network to one provider: only over TLS, bounded in time and size, never followed elsewhere."""

from collections.abc import Mapping
from typing import Protocol

import aiohttp
import msgspec

from sluis.crypto import calling_context
from sluis.identity.upstream import faults
from sluis.identity.upstream.model import Method
from sluis.kernel import Text

SECONDS = 10.0
"""That one answer may take, all of it."""

MOST_BYTES = 256 * 1024
"""Of one answer."""

_CONNECTIONS = 32


class Answer(msgspec.Struct, frozen=True):
    """What came back: status, body, and media type without parameters."""

    status: int
    body: bytes
    media_type: str


class Calls(Protocol):
    """A way to call a provider. Guarantee: no redirect is followed, and no answer is longer than `MOST_BYTES`."""

    async def call(
        self, method: str, url: str, form: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> Answer:
        """The answer to one request. Raises `Upstream`."""

    async def close(self) -> None:
        """Close every connection."""


class TlsCalls:
    """Calls over HTTPS. For one event loop.

    Args:
        method: whose authorities are trusted.

    Raises `Invalid` when an authority file cannot be read.
    """

    def __init__(self, method: Method) -> None:
        self._title = method.title
        self._context = calling_context(method.authorities)
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self, method: str, url: str, form: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> Answer:
        sent = {"accept": "application/json, application/jwt", "accept-encoding": "identity", **headers}
        try:
            async with self._opened().request(
                method, url, data=form, headers=sent, allow_redirects=False
            ) as response:
                body = bytearray()
                async for piece in response.content.iter_any():
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise faults.not_understood(self._title, _TOO_MUCH)
                return Answer(response.status, bytes(body), response.content_type)
        except TimeoutError:
            raise faults.unreachable(self._title, _TOO_SLOW) from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise faults.unreachable(self._title, _NO_CONNECTION) from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._context, limit=_CONNECTIONS),
                timeout=aiohttp.ClientTimeout(total=SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


_TOO_SLOW = Text("De inlogdienst antwoordt niet op tijd.", "The sign-in service does not answer in time.")
_NO_CONNECTION = Text(
    "Er komt geen goede verbinding met de inlogdienst.",
    "There is no good connection with the sign-in service.",
)
_TOO_MUCH = Text("De inlogdienst antwoordt te veel.", "The sign-in service answers too much.")
