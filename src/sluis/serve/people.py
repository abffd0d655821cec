"""The people and companies that a node knows, and for whom those who sign in may act."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from sluis.config import Config
from sluis.crypto import KeyStore
from sluis.identity.people import Folder, People, Vouched, open_people, refused
from sluis.identity.sessions import Choice, Established, Sessions, person_of
from sluis.kernel import Acting, Clock, Refused
from sluis.ledger import Ledger
from sluis.store import Store
from sluis.web import Represents, SignedIn

_AHEAD = timedelta(minutes=10)


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
        keys: of this node.
    """

    def __init__(self, sessions: Sessions, known: People, keys: KeyStore) -> None:
        self._sessions, self.people, self._keys = sessions, known, keys

    async def recognised(self, established: Established) -> Established:
        """Let the trade register know who signed in, where the way told their name and date of birth; without these. Raises
        `Unkept`."""
        if established.registered is None:
            return established
        person = person_of(self._keys, established.kind, established.value)
        await self.people.recognise(person, established.registered)
        return msgspec.structs.replace(established, registered=None)

    async def represents(self, signed_in: SignedIn) -> SignedIn:
        """Somebody who acts for another, with how they represent them now; what is too old is read again first."""
        vouched = self.vouched(signed_in)
        await self.people.ready(signed_in.acting)
        return self._with(signed_in, vouched)

    def known(self, signed_in: SignedIn) -> SignedIn:
        """The same from memory, for who brings an access token; who acts for themselves stays as they are."""
        if signed_in.acting.entity is None:
            return signed_in
        return self._with(signed_in, self.vouched(signed_in))

    async def read_again(self, acting: Acting) -> None:
        """Have the trade register read again where that is needed, before anybody is signed out for want of it."""
        await self.people.ready(acting, _AHEAD)

    def refusal(self, session: str, acting: Acting) -> Refused | None:
        """Why somebody with a session (its handle) can do nothing for whom they act; None when they can. Raises `NotFound`
        when the session is over."""
        if acting.entity is None and acting.intermediary is None:
            return None
        denied = self.people.no_longer(acting, self._said(session))
        return None if denied is None else refused(denied)

    def vouched(self, signed_in: SignedIn) -> Vouched | None:
        """What the way of signing in said about representation; None when it said nothing."""
        return self._said(signed_in.session)

    def _with(self, signed_in: SignedIn, vouched: Vouched | None) -> SignedIn:
        acting = signed_in.acting
        denied = self.people.no_longer(acting, vouched)
        represents = Represents(
            self.people.properties(acting, vouched), None if denied is None else refused(denied)
        )
        return msgspec.structs.replace(signed_in, represents=represents)

    def _said(self, session: str) -> Vouched | None:
        established = self._sessions.established(session)
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
