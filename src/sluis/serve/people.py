"""The people and companies that a node knows, and for whom those who sign in may act."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from litestar import Request

from sluis.config import Config, RegisterConfig
from sluis.contact import MESSAGES
from sluis.crypto import KeyStore
from sluis.grounds import Grounds
from sluis.identity.people import (
    OWN_DATA,
    Act,
    Caller,
    Choice,
    Denied,
    People,
    Service,
    Vouched,
    open_people,
    refused,
)
from sluis.identity.provider import ACTS, Provider
from sluis.identity.register import PERSON, Folder, Online, Register, person_urn
from sluis.identity.sessions import Established, Sessions, person_of
from sluis.kernel import Acting, Clock, Invalid, Refused, Text, Unidentified, nine_digits
from sluis.ledger import Ledger
from sluis.store import Store
from sluis.web import Represents, SignedIn, thumbprint_of, token_of

_AHEAD = timedelta(minutes=10)


def people_of(
    config: Config, grounds: Grounds, store: Store, ledger: Ledger, keys: KeyStore, clock: Clock
) -> People:
    """The people and companies that this node knows. Raises `Problem`."""
    register = register_of(config.register, clock)
    longest = timedelta(hours=config.register.longest_hours)
    services = [*_configured(config), *_activities(grounds), *([_MESSAGES] if config.channels else [])]
    return open_people(store, ledger, keys, clock, register=register, longest=longest, services=services)


_MESSAGES = Service(
    MESSAGES,
    Text("Berichten", "Messages"),
    Text("Alle berichten van deze organisatie lezen, en kiezen hoe zij komen.",
         "Read all messages of this organisation, and choose how they come."),
)  # fmt: skip


def register_of(settings: RegisterConfig, clock: Clock) -> Register | None:
    """How the trade register is asked; None when it is not. Raises `Invalid` when an authority file cannot be read."""
    if settings.url is not None:
        return Online(settings.url, settings.key_file, clock, settings.authorities)
    return Folder(settings.directory) if settings.directory is not None else None


def _configured(config: Config) -> Iterator[Service]:
    for name, one in config.services.items():
        yield Service(one.id or name, Text(one.title, one.title), Text(one.about, one.about))


def _activities(grounds: Grounds) -> Iterator[Service]:
    """What this organisation does with data, under the same URI as in questions and policies."""
    for one in grounds.activities:
        yield Service(one.id, one.name, one.purpose)


def whom_of(config: Config, keys: KeyStore) -> Callable[[str], str]:
    """Who has a BSN, by this node's pseudonym, as when they sign in. Raises `Invalid` for a number that is none."""

    def whom(bsn: str) -> str:
        if not nine_digits(bsn, config.node.test):
            raise _no_bsn()
        return person_of(keys, "BSN", bsn)

    return whom


def caller_of(config: Config, provider: Provider) -> Callable[[Request[Any, Any, Any]], Awaitable[Caller]]:
    """Which portal asks for an act, and who is signed in there: by an access token that was given for that."""

    async def caller(request: Request[Any, Any, Any]) -> Caller:
        token, thumbprint = token_of(request.scope), thumbprint_of(request.scope)
        program, person = provider.program(token, thumbprint), provider.by_token(token, thumbprint)
        if program is None and person is None:
            raise _no_token()
        scope, client = (program.scope, program.client) if program else (person.scope, person.client)  # type: ignore[union-attr]
        if ACTS not in scope:
            raise _not_given_for_this()
        known = config.clients.get(client)
        return Caller(client, known.title if known else client, person)

    return caller


class Representing:
    """For whom those who signed in may act.

    Args:
        sessions: of this node; they remember what a way of signing in said.
        known: people and companies.
        keys: of this node.
    """

    def __init__(self, sessions: Sessions, known: People, keys: KeyStore) -> None:
        self._sessions, self.people, self._keys = sessions, known, keys
        self._met: Callable[[str, str], Awaitable[None]] | None = None

    def on_sign_in(self, met: Callable[[str, str], Awaitable[None]]) -> None:
        """Have `met` know the number, with its type, of each person who signs in."""
        self._met = met

    async def recognised(self, established: Established) -> Established:
        """Let the trade register know who signed in, where the way told their name and date of birth; without these. And whoever
        else wants to know. Raises `Unkept`."""
        if self._met is not None and established.kind == "BSN" and established.audience == "citizen":
            await self._met(established.kind, established.value)
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

    async def may(self, who: SignedIn, service: str, action: str) -> Refused | None:
        """Why somebody may not do this for whom they act; None when they may. Where two are jointly authorised, one will do: what
        is asked here binds the other to nothing."""
        act = Act(
            who.acting.entity or person_urn(who.acting.person), who.acting.intermediary, service, action
        )
        found = await self.people.may(who.acting, act, self.vouched(who))
        return refused(found) if isinstance(found, Denied) else None

    async def whose(self, who: SignedIn, action: str) -> tuple[str, str]:
        """Of whom somebody sees who looked, and gives or takes back access: themselves, or whom they act for.

        Args:
            who: signed in.
            action: `read` or `edit`.

        Returns:
            Type of the number, and number.

        Raises:
            Refused: they may not for this one, or the number was not written down.
            Unkept: that a guardian looks could not be put on record.
        """
        acting = who.acting
        entity = acting.entity
        if entity in (None, person_urn(acting.person)) and acting.intermediary is None:
            return self._sessions.subject(who.session)
        refusal = await self.may(who, OWN_DATA, action)
        if refusal is not None:
            raise refusal
        assert entity is not None
        kind, _, number = entity.rpartition(":")
        if f"{kind}:" != PERSON:
            return kind, number
        found = await self.people.guardians.number(acting.person, number)
        said = self.vouched(who)
        if found is None and said.entity == entity and said.number:
            await self.people.seen(acting.person, entity)
            found = said.number
        if found is None:
            raise _number_unknown()
        return "BSN", found

    async def read_again(self, acting: Acting) -> None:
        """Have the trade register read again where that is needed, before anybody is signed out for want of it."""
        await self.people.ready(acting, _AHEAD)

    async def turned_away(self, acting: Acting, client: str, refusal: Refused) -> None:
        """Put on record that a portal got nobody signed in, and why. Raises `Unkept`."""
        await self.people.turning.record(acting, client, refusal.rule or refusal.code)

    def refusal(self, session: str, acting: Acting) -> Refused | None:
        """Why somebody with a session (its handle) can do nothing for whom they act; None when they can. Raises `NotFound`
        when the session is over."""
        if acting.entity is None and acting.intermediary is None:
            return None
        denied = self.people.no_longer(acting, self._said(session))
        return None if denied is None else refused(denied)

    def vouched(self, signed_in: SignedIn) -> Vouched:
        """What the way of signing in said about representation."""
        return self._said(signed_in.session)

    def _with(self, signed_in: SignedIn, vouched: Vouched) -> SignedIn:
        acting = signed_in.acting
        denied = self.people.no_longer(acting, vouched)
        represents = Represents(
            self.people.properties(acting, vouched), None if denied is None else refused(denied)
        )
        return msgspec.structs.replace(signed_in, represents=represents)

    def _said(self, session: str) -> Vouched:
        return self._sessions.established(session).vouched

    async def choices(self, signed_in: SignedIn) -> Sequence[Choice]:
        """For whom somebody may act; who signed in for a company does not act for themselves, and an official for nobody."""
        if signed_in.audience == "staff":
            return ()
        found = self.people.entities_for(signed_in.acting.person, self.vouched(signed_in))
        return [
            msgspec.structs.replace(one, name=one.name or signed_in.name or "")
            for one in found
            if one.entity is not None or signed_in.audience == "citizen"
        ]


def _no_bsn() -> Invalid:
    return Invalid(
        "invalid-bsn",
        Text("Dit burgerservicenummer klopt niet.", "This citizen service number is not right."),
        Text("Een BSN heeft negen cijfers, waarvan het laatste de andere controleert.",
             "A BSN has nine digits, the last of which checks the others."),
        Text("Neem het nummer opnieuw over.", "Copy the number again."),
    )  # fmt: skip


def _number_unknown() -> Refused:
    return Refused(
        "own-data-number",
        Text("Dit kan nu niet voor deze persoon.", "This cannot be done for this person now."),
        Text("Dit knooppunt kent van deze persoon geen nummer waarmee het gegevens kan opzoeken.",
             "This node knows no number of this person by which it can look up data."),
        Text("Vraag de organisatie om opnieuw vast te leggen dat u voor deze persoon handelt.",
             "Ask the organisation to write down anew that you act for this person."),
        rule="representation",
    )  # fmt: skip


def _no_token() -> Unidentified:
    return Unidentified(
        "token-invalid",
        Text("Wie u bent, is niet vastgesteld.", "Who you are has not been established."),
        Text(
            "Het access token is niet geldig, of niet meer.",
            "The access token is not valid, or not any more.",
        ),
        Text("Vraag een nieuw token.", "Request a new token."),
    )


def _not_given_for_this() -> Refused:
    return Refused(
        "insufficient-scope",
        Text("Met dit token kan geen handeling worden gevraagd.", "With this token no act can be asked for."),
        Text(f"Het is niet voor de scope {ACTS} gegeven.", f"It was not given for the scope {ACTS}."),
        Text(f"Vraag een token met de scope {ACTS}.", f"Request a token with the scope {ACTS}."),
        rule="insufficient-scope",
    )
