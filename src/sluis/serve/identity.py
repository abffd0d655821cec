"""The rooms of identity, furnished, where the settings name a portal: who signs in, how, and what their pages are."""

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler

from sluis.config import Config
from sluis.crypto import KeyStore
from sluis.grounds import Grounds
from sluis.identity import pages, passkeys, passport, people, upstream
from sluis.identity.provider import Provider
from sluis.identity.sessions import Current, Established, Finish, Leaving, Sessions, SigningIn, open_sessions
from sluis.identity.start import Start
from sluis.identity.tokens import Tokens
from sluis.identity.upstream import Upstreams
from sluis.kernel import Clock
from sluis.ledger import Ledger
from sluis.serve.passports import passkeys_of, passports_of
from sluis.serve.people import Representing, caller_of, people_of, whom_of
from sluis.serve.provider import provider_of
from sluis.serve.upstream import upstreams_of
from sluis.store import Store
from sluis.web import Entry, Gate, OnRefusal, SignedIn


class Visiting:
    """Who a request to the portal comes from: the `Visitors` of this node.

    Args:
        sessions: of this node.
        by_token: who is behind an access token.
        representing: how they represent another.
    """

    def __init__(
        self,
        sessions: Sessions,
        by_token: Callable[[str, str | None], SignedIn | None],
        representing: Representing,
    ) -> None:
        self._sessions, self._by_token, self._representing = sessions, by_token, representing

    def by_cookie(self, secret: str) -> SignedIn | None:
        """Whose session this is the secret of."""
        return self._sessions.by_cookie(secret)

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        """Whose access token this is."""
        signed_in = self._by_token(token, thumbprint)
        return None if signed_in is None else self._representing.known(signed_in)


class IdentityRooms(msgspec.Struct, frozen=True):
    """The rooms of identity, furnished."""

    sessions: Sessions
    representing: Representing
    signing_in: SigningIn
    visiting: Visiting
    provider: Provider
    upstreams: Upstreams
    passkeys: passkeys.Passkeys | None
    start: Start
    routes: tuple[HTTPRouteHandler, ...]
    navigation: tuple[Entry, ...]
    forms: bytes
    """What the tokens of forms are made with."""


def identity_rooms(
    config: Config,
    grounds: Grounds,
    store: Store,
    ledger: Ledger,
    keys: KeyStore,
    tokens: Tokens | None,
    gate: Gate,
    on_refusal: OnRefusal,
    clock: Clock,
) -> IdentityRooms | None:
    """These rooms, from a node's settings; None when it has no portal. Raises `Problem`."""
    if config.portal.address is None or tokens is None:
        return None
    current = _current(config)
    sessions = open_sessions(store, keys, clock, current)
    representing = Representing(sessions, people_of(config, grounds, store, ledger, keys, clock), keys)
    signing_in = SigningIn(sessions, representing.choices)
    upstreams = upstreams_of(config, store, keys, tokens, clock)
    leaving = Leaving(sessions, [upstreams.farewell], clock)
    provider, endpoints = provider_of(config, store, tokens, sessions, leaving, representing, clock)
    keyed, wallets = passkeys_of(config, store, ledger, keys, clock, current), passports_of(config, clock)
    finish = _finishing(signing_in, keyed, representing)
    ways = [
        *upstreams.ways(),
        *([passkeys.way(keyed)] if keyed else []),
        *(passport.ways(wallets) if wallets else []),
    ]
    start = Start()
    return IdentityRooms(
        start=start,
        sessions=sessions,
        representing=representing,
        signing_in=signing_in,
        visiting=Visiting(sessions, provider.by_token, representing),
        provider=provider,
        upstreams=upstreams,
        passkeys=keyed,
        routes=(
            *pages.routes(
                sessions,
                signing_in,
                lambda: ways,
                provider.programs,
                leaving,
                provider.portal_behind,
                start,
            ),
            *_people_routes(config, representing, provider, keys, gate, on_refusal),
            *endpoints,
            *upstream.routes(upstreams, sessions, finish),
            *(passkeys.routes(keyed, sessions, finish) if keyed else ()),
            *(passport.routes(wallets, finish) if wallets else ()),
        ),
        navigation=(*people.NAVIGATION, *pages.NAVIGATION, *(passkeys.NAVIGATION if keyed else ())),
        forms=keys.mac("portal", b"forms"),
    )


def _people_routes(
    config: Config,
    representing: Representing,
    provider: Provider,
    keys: KeyStore,
    gate: Gate,
    on_refusal: OnRefusal,
) -> list[HTTPRouteHandler]:
    known, sign_at = representing.people, str(config.portal.address).rstrip("/") + people.SIGNING
    return [
        *people.page_routes(known, representing.vouched),
        *people.signing_routes(known),
        *people.desk_routes(known, gate, config.node.oin, whom_of(config, keys)),
        *people.act_routes(known, caller_of(config, provider), representing.vouched, sign_at, on_refusal),
    ]


def _current(config: Config) -> Current:
    """What the settings say now of an official who signed in before; nothing of who is none."""

    def current(established: Established) -> Established | None:
        if established.kind != "staff":
            return established
        person = config.people.get(established.value)
        if person is None or person.signin is None:
            return None
        return msgspec.structs.replace(established, roles=person.roles)

    return current


def _finishing(signing_in: SigningIn, keyed: passkeys.Passkeys | None, representing: Representing) -> Finish:
    """What happens with who signed in, whatever the way: their passkeys go on working when it was another way than those, and
    the trade register knows them when it was a way that tells their name and date of birth."""

    async def finish(
        established: Established, request: Request[Any, Any, Any], onward: str = "/"
    ) -> Response[Any]:
        if keyed is not None and established.audience == "staff" and established.method != "passkey":
            await keyed.confirm(established)
        return await signing_in.finish(await representing.recognised(established), request, onward)

    return finish
