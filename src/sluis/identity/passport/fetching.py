"""Fetching status lists (draft-ietf-oauth-status-list, 8.1): over TLS alone, bounded in time and size, never followed
elsewhere. From which hosts, `status` says."""

from collections.abc import Sequence
from pathlib import Path

import aiohttp

from sluis.crypto import calling_context
from sluis.identity.passport.status import LARGEST
from sluis.kernel import Text, Upstream

SECONDS = 10.0
"""That one list may take."""

_OK = 200


class Fetching:
    """Fetches status lists. For one event loop.

    Args:
        authorities: that vouch for the hosts (PEM files); empty: those of the system.

    Raises `Invalid` when an authority file cannot be read.
    """

    def __init__(self, authorities: Sequence[Path] = ()) -> None:
        self._context = calling_context(authorities)

    async def __call__(self, url: str) -> bytes:
        """The list at an address. Raises `Upstream` when it cannot be had."""
        headers = {"accept": "application/statuslist+jwt", "accept-encoding": "identity"}
        try:
            async with (
                aiohttp.ClientSession(
                    timeout=aiohttp.ClientTimeout(SECONDS),
                    connector=aiohttp.TCPConnector(ssl=self._context),
                    auto_decompress=False,
                ) as session,
                session.get(url, headers=headers, allow_redirects=False) as response,
            ):
                body = await response.content.read(LARGEST + 1) if response.status == _OK else b""
                while body and len(body) <= LARGEST and (more := await response.content.readany()):
                    body += more
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            raise _away() from None
        if not body or len(body) > LARGEST:
            raise _away()
        return body


def _away() -> Upstream:
    return Upstream(
        "status-away",
        Text("Of uw gegevens nog gelden, is nu niet na te gaan.", "It cannot be found out whether your credential is still good."),
        Text("De lijst van de uitgever is niet te bereiken.", "The list of its issuer cannot be reached."),
        Text("Probeer het straks opnieuw, of log op een andere manier in.",
             "Try again later, or sign in in another way."),
        retry=True,
    )  # fmt: skip
