"""The sign-in provider of a node, from its settings."""

from urllib.parse import urlsplit

from litestar.handlers import HTTPRouteHandler

from sluis.config import Config, client_of
from sluis.crypto import KeyStore
from sluis.identity.clients import Clients
from sluis.identity.provider import Provider, open_provider, routes
from sluis.identity.sessions import Leaving, Sessions
from sluis.identity.tokens import Tokens, open_tokens
from sluis.kernel import Clock
from sluis.serve.people import Representing
from sluis.store import Store, open_once


def tokens_of(config: Config, keys: KeyStore, clock: Clock) -> Tokens | None:
    """What this node signs as a sign-in provider, and reads of others; one for all its rooms, since they share their keys.
    None when nobody signs in here and nobody elsewhere is believed. Raises `Problem`."""
    if config.portal.address is None and not config.trust:
        return None
    issuer = str(config.portal.address or config.node.url).rstrip("/")
    return open_tokens(issuer, keys, config.keys.directory / "tokens", clock)


def provider_of(
    config: Config,
    store: Store,
    tokens: Tokens,
    sessions: Sessions,
    leaving: Leaving,
    representing: Representing,
    clock: Clock,
) -> tuple[Provider, list[HTTPRouteHandler]]:
    """The sign-in provider of a node with a portal, and its endpoints. Raises `Problem`."""
    registered = {name: client_of(name, settings) for name, settings in config.clients.items()}
    clients = Clients(registered, open_once(store), clock)
    provider = open_provider(store, clients, tokens, sessions, representing, clock, _mutual(config))
    sessions.on_end(provider.endings.ended)
    representing.people.on_change(provider.endings.look_again)
    return provider, routes(provider, clients, leaving)


def _mutual(config: Config) -> str | None:
    """Where programs show certificates, when they have a port of their own (RFC 8705, 5)."""
    portal = config.portal
    if portal.machine_port is None:
        return None
    return f"https://{urlsplit(str(portal.address)).hostname}:{portal.machine_port}"
