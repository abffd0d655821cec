"""Calls over the network to one provider: only over TLS, bounded in time and size, never followed elsewhere."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from sluis.crypto import calling_context
from sluis.identity.upstream import faults
from sluis.identity.upstream.model import Method
from sluis.kernel import Text
from sluis.web import EVERYWHERE, Outgoing, Unreached

SECONDS = 10.0
"""That one answer may take, all of it."""

MOST_BYTES = 256 * 1024
"""Of one answer."""


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
        method: whose authorities are trusted; its provider may stand in the node's own network.

    Raises `Invalid` when an authority file cannot be read.
    """

    def __init__(self, method: Method) -> None:
        self._title = method.title
        self._web = Outgoing(calling_context(method.authorities), EVERYWHERE)
        self.close = self._web.close

    async def call(
        self, method: str, url: str, form: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> Answer:
        sent = {"accept": "application/json, application/jwt", **headers}
        try:
            got = await self._web.call(method, url, form, sent, seconds=SECONDS, most=MOST_BYTES)
        except Unreached as failure:
            raise faults.unreachable(
                self._title, _TOO_SLOW if failure.code == "call-late" else _NO_CONNECTION
            ) from None
        if not got.whole:
            raise faults.not_understood(self._title, _TOO_MUCH)
        return Answer(got.status, got.body, got.media_type)


_TOO_SLOW = Text("De inlogdienst antwoordt niet op tijd.", "The sign-in service does not answer in time.")
_NO_CONNECTION = Text(
    "Er komt geen goede verbinding met de inlogdienst.",
    "There is no good connection with the sign-in service.",
)
_TOO_MUCH = Text("De inlogdienst antwoordt te veel.", "The sign-in service answers too much.")
