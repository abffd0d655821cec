"""Fetching status lists (draft-ietf-oauth-status-list, 8.1). From which hosts, `status` says."""

from collections.abc import Sequence
from pathlib import Path

from sluis.crypto import calling_context
from sluis.identity.passport.status import LARGEST
from sluis.kernel import Text, Upstream
from sluis.web import EVERYWHERE, Outgoing, Unreached

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
        headers = {"accept": "application/statuslist+jwt"}
        try:
            async with Outgoing(self._context, EVERYWHERE) as web:
                got = await web.call("GET", url, None, headers, seconds=SECONDS, most=LARGEST)
        except Unreached:
            raise _away() from None
        if got.status != _OK or not got.body or not got.whole:
            raise _away()
        return got.body


def _away() -> Upstream:
    return Upstream(
        "status-away",
        Text("Of uw gegevens nog gelden, is nu niet na te gaan.", "It cannot be found out whether your credential is still good."),
        Text("De lijst van de uitgever is niet te bereiken.", "The list of its issuer cannot be reached."),
        Text("Probeer het straks opnieuw, of log op een andere manier in.",
             "Try again later, or sign in in another way."),
        retry=True,
    )  # fmt: skip
