"""The rooms of identity, furnished, where the settings name a portal: who signs in, how, and what their pages are."""

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import msgspec
from litestar.handlers import HTTPRouteHandler

from sluis.config import ClientConfig, Config
from sluis.crypto import KeyStore
from sluis.identity import pages, provider
from sluis.identity.clients import Client, Clients, make_client
from sluis.identity.provider import Provider, open_provider
from sluis.identity.sessions import Choice, Sessions, SigningIn, Way, open_sessions
from sluis.identity.tokens import open_tokens
from sluis.kernel import Clock, Invalid, Text
from sluis.store import Store, open_once
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
    provider: Provider
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
    issuer = config.portal.address.rstrip("/")
    tokens = open_tokens(issuer, keys, config.keys.directory, clock)
    registered = {name: _client(name, settings) for name, settings in config.clients.items()}
    clients = Clients(registered, open_once(store), clock)
    own = open_provider(store, clients, tokens, sessions, clock, _mutual(config))
    sessions.on_end(own.ended)
    ways = list[Way]()
    return IdentityRooms(
        sessions=sessions,
        signing_in=signing_in,
        visiting=Visiting(sessions, own.by_token),
        provider=own,
        routes=(
            *pages.routes(sessions, signing_in, lambda: ways, own.programs),
            *provider.routes(own, clients, sessions),
        ),
        navigation=pages.NAVIGATION,
        forms=keys.mac("portal", b"forms"),
    )


async def _choices(signed_in: SignedIn) -> Sequence[Choice]:
    """For whom somebody may act: whom the way of signing in named, and nobody else."""
    return ()


def _client(name: str, settings: ClientConfig) -> Client:
    """A client from its settings. Raises `Invalid`."""
    try:
        keys = None if settings.keys is None else settings.keys.read_bytes()
    except OSError as failure:
        raise _unreadable(name, failure) from None
    return make_client(name, **{**msgspec.structs.asdict(settings), "keys": keys})


def _mutual(config: Config) -> str | None:
    """Where programs show certificates, when they have a port of their own (RFC 8705, 5)."""
    portal = config.portal
    if portal.machine_port is None:
        return None
    return f"https://{urlsplit(str(portal.address)).hostname}:{portal.machine_port}"


def _unreadable(name: str, failure: OSError) -> Invalid:
    cause = failure.strerror or "?"
    return Invalid(
        "client-keys-unreadable",
        Text(
            f"De sleutels van [clients.{name}] zijn niet te lezen.",
            f"The keys of [clients.{name}] cannot be read.",
        ),
        Text(f"Het bestand: {cause}.", f"The file: {cause}."),
        Text("Controleer `keys` in de instellingen.", "Check `keys` in the settings."),
    )
