"""The rooms of identity, furnished, where the settings name a portal: who signs in, how, and what their pages are."""

from collections.abc import Callable, Sequence

import msgspec
from litestar.handlers import HTTPRouteHandler

from sluis.config import Config
from sluis.crypto import KeyStore
from sluis.identity import pages
from sluis.identity.sessions import Choice, Sessions, SigningIn, Way, open_sessions
from sluis.kernel import Clock
from sluis.store import Store
from sluis.web import Entry, SignedIn


class Visiting:
    """Who a request to the portal comes from: the `Visitors` of this node.

    Args:
        sessions: of this node.
        by_token: who is behind an access token.
    """

    def __init__(self, sessions: Sessions, by_token: Callable[[str], SignedIn | None]) -> None:
        self._sessions, self._by_token = sessions, by_token

    def by_cookie(self, secret: str) -> SignedIn | None:
        """Whose session this is the secret of."""
        return self._sessions.by_cookie(secret)

    def by_token(self, token: str) -> SignedIn | None:
        """Whose access token this is."""
        return self._by_token(token)


class IdentityRooms(msgspec.Struct, frozen=True):
    """The rooms of identity, furnished."""

    sessions: Sessions
    signing_in: SigningIn
    visiting: Visiting
    routes: tuple[HTTPRouteHandler, ...]
    navigation: tuple[Entry, ...]
    forms: bytes
    """What the tokens of forms are made with."""


def identity_rooms(config: Config, store: Store, keys: KeyStore, clock: Clock) -> IdentityRooms | None:
    """These rooms, from a node's settings; None when it has no portal. Raises `Problem`."""
    if config.portal.address is None:
        return None
    sessions = open_sessions(store, keys, clock)
    signing_in = SigningIn(sessions, _choices)
    ways = list[Way]()
    return IdentityRooms(
        sessions=sessions,
        signing_in=signing_in,
        visiting=Visiting(sessions, lambda token: None),
        routes=(*pages.routes(sessions, signing_in, lambda: ways),),
        navigation=pages.NAVIGATION,
        forms=keys.mac("portal", b"forms"),
    )


async def _choices(signed_in: SignedIn) -> Sequence[Choice]:
    """For whom somebody may act: whom the way of signing in named, and nobody else."""
    return ()
