"""The rooms of identity, furnished, where the settings name a portal: who signs in, how, and what their pages are."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import msgspec
from litestar.handlers import HTTPRouteHandler

from sluis.config import Config
from sluis.crypto import KeyStore
from sluis.identity import pages, people
from sluis.identity.people import Folder, People, Vouched, open_people
from sluis.identity.sessions import Choice, Sessions, SigningIn, Way, open_sessions
from sluis.kernel import Clock
from sluis.ledger import Ledger
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
    people: People
    signing_in: SigningIn
    visiting: Visiting
    routes: tuple[HTTPRouteHandler, ...]
    navigation: tuple[Entry, ...]
    forms: bytes
    """What the tokens of forms are made with."""


def identity_rooms(
    config: Config, store: Store, ledger: Ledger, keys: KeyStore, clock: Clock
) -> IdentityRooms | None:
    """These rooms, from a node's settings; None when it has no portal. Raises `Problem`."""
    if config.portal.address is None:
        return None
    sessions = open_sessions(store, keys, clock)
    representing = Representing(sessions, people_of(config, store, ledger, keys, clock))
    signing_in = SigningIn(sessions, representing.choices)
    ways = list[Way]()
    return IdentityRooms(
        sessions=sessions,
        people=representing.people,
        signing_in=signing_in,
        visiting=Visiting(sessions, lambda token: None),
        routes=(
            *pages.routes(sessions, signing_in, lambda: ways),
            *people.routes(representing.people, representing.vouched),
        ),
        navigation=(*people.NAVIGATION, *pages.NAVIGATION),
        forms=keys.mac("portal", b"forms"),
    )


def people_of(config: Config, store: Store, ledger: Ledger, keys: KeyStore, clock: Clock) -> People:
    """The people and companies that this node knows. Raises `Problem`."""
    register = Folder(config.register.directory) if config.register.directory is not None else None
    longest = timedelta(hours=config.register.longest_hours)
    return open_people(store, ledger, keys, clock, register=register, longest=longest)


class Representing:
    """For whom those who signed in may act.

    Args:
        sessions: of this node; they remember what a way of signing in said.
        known: people and companies.
    """

    def __init__(self, sessions: Sessions, known: People) -> None:
        self._sessions, self.people = sessions, known

    def vouched(self, signed_in: SignedIn) -> Vouched | None:
        """What the way of signing in said about representation; None when it said nothing."""
        established = self._sessions.established(signed_in.session)
        said = established.vouched
        if said.entity is None:
            return None
        return Vouched(
            said.entity, said.name or "", said.intermediary, established.services, established.issuer
        )

    async def choices(self, signed_in: SignedIn) -> Sequence[Choice]:
        """For whom somebody may act; who signed in for a company does not act for themselves, and an official for nobody."""
        if signed_in.audience == "staff":
            return ()
        found = self.people.entities_for(signed_in.acting.person, self.vouched(signed_in))
        return [
            Choice(one.entity, one.name or signed_in.name or "", one.intermediary, one.why)
            for one in found
            if one.entity is not None or signed_in.audience == "citizen"
        ]
