"""Who may act for whom, at this node: the companies that were read, the people who are known in them, and the facts that a
decision rests on.

Decisions are made from memory. What the trade register said is read again when it is too old; when that cannot be, the
company does not act. Mandates are `mandates`, contact persons `contacts`.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from sluis.crypto import KeyStore, Vault, canonical_texts, encode_base64url
from sluis.identity.people import rules
from sluis.identity.people.acts import Acts
from sluis.identity.people.catalogue import Catalogue, Service
from sluis.identity.people.contacts import CONTACTS, Contacts
from sluis.identity.people.guardians import Guardians
from sluis.identity.people.keeping import Keeping, Known, open_keeping
from sluis.identity.people.mandates import Mandates
from sluis.identity.people.model import (
    OWN_DATA,
    Act,
    Allowed,
    Choice,
    Denied,
    Facts,
    Kind,
    Mandate,
    Signature,
    Vouched,
)
from sluis.identity.people.saying import WHY, nobody_there
from sluis.identity.people.states import state_at
from sluis.identity.people.turning import TurningAway
from sluis.identity.register import (
    KVK,
    PERSON,
    Held,
    Officer,
    Register,
    RegisteredName,
    normal,
    person_urn,
    read_company,
    unavailable,
    urn_of,
)
from sluis.kernel import (
    Acting,
    Clock,
    Kvk,
    NotFound,
    Problem,
    Text,
    milliseconds,
    new_span_id,
    new_trace_id,
)
from sluis.ledger import Arrangement, Ledger
from sluis.store import Store

log = logging.getLogger("sluis.node")

LONGEST_AGE = timedelta(hours=24)
"""How old what the trade register said may be, unless a setting says otherwise."""

LOOK_AGAIN = 600
"""Seconds after which somebody who looks for their company has it read anew."""

REST = 10.0
"""Seconds in which a register that had nothing new to say of a company is not asked again for a decision."""

OWN_SERVICES = (
    Service(
        CONTACTS,
        Text("Contactpersonen", "Contact persons"),
        Text("Bekijken en veranderen wie deze organisatie bereikt bij het bedrijf.",
             "See and change whom this organisation reaches at the company."),
    ),
    Service(
        OWN_DATA,
        Text("Gegevens over deze persoon", "Data about this person"),
        Text("Zien wie naar de gegevens keek, en toegang geven of intrekken.",
             "See who looked at the data, and give or take back access."),
    ),
)  # fmt: skip
"""Services of this room."""

_MOST_RESTS = 10_000


class People:
    """Made by `open_people`; its methods are called on the event loop.

    Attributes:
        mandates: give, accept, revoke.
        acts: what portals ask to be done for another, and two directors sign.
        turning: puts on record who asked to act and may not.
        guardians: curators, administrators, and parents of minors.
        contacts: contact persons of companies.
        catalogue: the services that a mandate may be for.
    """

    def __init__(
        self,
        keeping: Keeping,
        ledger: Ledger,
        keys: KeyStore,
        clock: Clock,
        register: Register | None,
        longest: timedelta,
        catalogue: Catalogue,
    ) -> None:
        self.catalogue = catalogue
        self._keeping, self._keys, self._clock = keeping, keys, clock
        self._register, self._longest = register, longest
        self._reading: dict[Kvk, asyncio.Task[Held]] = {}
        self._rests: dict[Kvk, float] = {}
        self.mandates = Mandates(keeping, ledger, clock, self.facts, self.ready)
        self.turning = TurningAway(ledger, clock)
        self.acts = Acts(keeping, clock, self.facts, self.ready)
        self.guardians = Guardians(keeping, clock)
        self.contacts = Contacts(keeping, clock, self.may)

    def now(self) -> datetime:
        """The present, aware UTC."""
        return self._clock()

    # Deciding

    def facts(self, acting: Acting, vouched: Vouched | None = None, signed: Signature | None = None) -> Facts:
        """All that a decision about this representation may know, from memory.

        Args:
            acting: person, entity and intermediary.
            vouched: what the way of signing in said about representation, if anything.
            signed: what another has signed with them, if anything.
        """
        keeping, entity = self._keeping, rules.entity_of(acting)
        whole = keeping.whole_of(entity)
        concerned = [one for one in (whole or entity, acting.intermediary) if one is not None]
        signatures = () if signed is None else (signed,)
        signers = {acting.person, *(one.person for one in signatures)}
        holders = [person_urn(acting.person), *([acting.intermediary] if acting.intermediary else [])]
        return Facts(
            companies={urn: held for urn in concerned if (held := keeping.company(urn)) is not None},
            offices=tuple(
                one
                for person in sorted(signers)
                for one in keeping.offices_of(person)
                if one.company in concerned
            ),
            mandates=tuple(
                one for urn in concerned for holder in holders for one in keeping.between(urn, holder)
            ),
            guardianships=tuple(keeping.guarded_by(acting.person)),
            signatures=signatures,
            wholes={entity: whole} if whole is not None else {},
            vouched=vouched,
            oldest=int((self._clock() - self._longest).timestamp()),
            register=self._register is not None,
        )

    def decide(self, acting: Acting, act: Act, vouched: Vouched | None = None) -> Allowed | Denied:
        """Whether whoever acts may do this, from memory; see `rules.may_represent`. Raises `Invalid`."""
        return rules.may_represent(acting, act, self._clock(), self.facts(acting, vouched))

    def no_longer(self, acting: Acting, vouched: Vouched | None = None) -> Denied | None:
        """Why somebody can do nothing for whom they chose to act, from memory; see `rules.no_longer`."""
        return rules.no_longer(acting, self._clock(), self.facts(acting, vouched))

    def name(self, urn: str) -> str:
        """What the trade register calls a company (URN), or the place of one; empty when it was not read."""
        held = self._keeping.company(self._keeping.whole_of(urn) or urn)
        return "" if held is None else held.company.name

    def rsin(self, kvk: str) -> str | None:
        """The number as a legal person of a company (KVK number), as the trade register told it last; None when that is not known."""
        held = self._keeping.company(KVK + kvk)
        return None if held is None or held.company.rsin is None else str.__str__(held.company.rsin)

    async def tidy(self) -> None:
        """Forget what is over and nobody asks for any more. To be called every minute. Raises `Unkept`."""
        await self.turning.tidy()
        await self.acts.tidy()

    def on_change(self, told: Callable[[], None]) -> None:
        """Have `told` called when something changed that a representation may rest on."""
        self._keeping.on_change(told)

    async def seen(self, person: str, entity: str) -> None:
        """Put on record that somebody looks at what is about a person whom they represent by what their way of signing in said.
        Raises `Unkept`.

        Args:
            person: pseudonym of who looks.
            entity: about whom, as a URN.
        """
        at = milliseconds(self._clock())
        record = Arrangement(new_trace_id(), new_span_id(), "represented.read", person, entity, at)
        await self._keeping.change([], [record])

    def properties(self, acting: Acting, vouched: Vouched | None = None) -> dict[str, object]:
        """What the decision point gets to know of a representation, from memory; see `rules.properties`."""
        return rules.properties(acting, self._clock(), self.facts(acting, vouched))

    async def may(self, acting: Acting, act: Act, vouched: Vouched | None = None) -> Allowed | Denied:
        """The same as `decide`, after reading again what is too old. Raises `Invalid`."""
        await self.ready(acting)
        return self.decide(acting, act, vouched)

    async def ready(self, acting: Acting, ahead: timedelta = timedelta(0)) -> None:
        """Read the companies concerned again where that is needed, or will be so long from now; when it cannot be done, decisions
        say so."""
        for urn in (rules.entity_of(acting), acting.intermediary):
            whole = urn and (self._keeping.whole_of(urn) or urn)
            if whole and whole.startswith(KVK):  # nothing else is in the trade register
                number = Kvk(whole.removeprefix(KVK))
                held = self._keeping.company(urn_of(number))
                if held is None or held.at < (self._clock() + ahead - self._longest).timestamp():
                    await self._read_quietly(number)

    # For whom

    async def recognise(self, person: str, name: RegisteredName) -> None:
        """Let the trade register's officers of this name and date of birth be this person; durable when this returns.

        Args:
            person: pseudonym.
            name: as an authoritative source says it, such as the BRP or a digital passport; never the person's own word. A
                keyed hash is kept of it, and nothing else.

        Raises `Unkept`.
        """
        known = Known(person, self._officer_key(name))
        if self._keeping.key_of(person) != known.key:
            await self._keeping.change([known], [])

    async def look_up(self, person: str, kvk: Kvk) -> Choice:
        """Find out whether somebody is a director of a company, by reading the register now; not again within ten minutes, for
        whoever keeps asking.

        Raises `NotFound` when there is no such company, or this person is nobody in it: both read the same. `Upstream` when
        the register cannot be reached.
        """
        try:
            held = self._keeping.company(urn_of(kvk))
            if held is None or held.at + LOOK_AGAIN <= self._clock().timestamp():
                held = await self.read(kvk)
        except NotFound:
            raise nobody_there() from None
        for office in self._keeping.offices_of(person):
            if office.company == urn_of(kvk) and office.officer.authority != "none":
                return self._chosen(held, office.officer)
        raise nobody_there()

    def entities_for(self, person: str, vouched: Vouched | None = None) -> tuple[Choice, ...]:
        """For whom somebody may choose to act: from memory, without holding each company against the register again; a
        decision does that. Oneself comes first.

        Args:
            person: pseudonym.
            vouched: what the way of signing in said.
        """
        now = int(self._clock().timestamp())
        found = [Choice(None, "", why=WHY["self"])]
        if vouched is not None and vouched.entity is not None:
            kind: Kind = "mandate" if vouched.intermediary is None else "chain"
            found.append(Choice(vouched.entity, vouched.name, vouched.intermediary, WHY["sign-in"], kind))
        behind = list[str]()
        for office in self._keeping.offices_of(person):
            held = self._keeping.company(office.company)
            if held is not None and office.officer.authority != "none":
                found.append(self._chosen(held, office.officer))
                behind.append(office.company)
        for mandate in self._active(person_urn(person), now):
            found.append(self._by(mandate, "mandate"))
            if mandate.terms.onward:
                behind.append(mandate.terms.giver)
        for company in behind:
            found += [self._by(one, "chain", company) for one in self._active(company, now)]
        for one in self._keeping.guarded_by(person):
            if one.since <= now and (one.until is None or now < one.until):
                found.append(Choice(PERSON + one.ward, one.ward_name, why=WHY["guardian"], kind="guardian"))
        unique = {(one.entity, one.intermediary): one for one in reversed(found)}
        return tuple(
            sorted(unique.values(), key=lambda one: (one.entity is not None, one.name, one.entity or ""))
        )

    async def read(self, kvk: Kvk) -> Held:
        """Read a company in the register now, and keep what it says; who asks meanwhile shares the answer.

        Raises `NotFound`, `Invalid` (the answer cannot be understood), `Upstream`, `Unkept`.
        """
        task = self._reading.get(kvk)
        if task is None:
            task = self._reading[kvk] = asyncio.ensure_future(self._read(kvk))
            task.add_done_callback(lambda done: self._reading.pop(kvk, None) and done.exception())
        return await asyncio.shield(task)

    async def _read(self, kvk: Kvk) -> Held:
        if self._register is None:
            raise unavailable()
        answer = await self._register.company(kvk)
        company = await asyncio.to_thread(
            read_company, answer.body, kvk, self._clock().date(), self._officer_key
        )
        held = Held(company, int(answer.at.timestamp()), hashlib.sha256(answer.body).hexdigest())
        if self._keeping.company(urn_of(kvk)) != held:
            await self._keeping.change([held], [])
        return held

    async def _read_quietly(self, kvk: Kvk) -> None:
        now = self._clock().timestamp()
        if self._register is None or now < self._rests.get(kvk, 0):
            return
        self._rests[kvk] = now + REST
        if len(self._rests) > _MOST_RESTS:
            self._rests = {one: until for one, until in self._rests.items() if until > now}
        try:
            await self.read(kvk)
        except Problem as problem:
            log.warning("a company could not be read in the trade register: %s", problem.code)
            # An answer that says there is no such company any more, or that nobody understands, must not leave the one
            # before it in force.
            held = self._keeping.company(urn_of(kvk))
            if held is not None and problem.code in ("unknown-company", "register-answer"):
                await self._keeping.change([], [], [held])

    def _officer_key(self, name: RegisteredName) -> str:
        return encode_base64url(self._keys.mac("officer", canonical_texts(*normal(name))))

    def _active(self, holder: str, now: int) -> list[Mandate]:
        return [one for one in self._keeping.held_by(holder) if state_at(one, now) == "active"]

    def _by(self, mandate: Mandate, kind: Kind, intermediary: str | None = None) -> Choice:
        return Choice(mandate.terms.giver, self._name(mandate), intermediary, WHY[kind], kind)

    def _name(self, mandate: Mandate) -> str:
        held = self._keeping.company(mandate.terms.giver)
        return held.company.name if held is not None else mandate.giver_name

    @staticmethod
    def _chosen(held: Held, officer: Officer) -> Choice:
        why = WHY["joint" if officer.authority == "joint" else "director"]
        return Choice(urn_of(held.company.kvk), held.company.name, why=why, kind=officer.kind)


def open_people(
    store: Store,
    ledger: Ledger,
    keys: KeyStore,
    clock: Clock,
    *,
    register: Register | None = None,
    longest: timedelta = LONGEST_AGE,
    services: Iterable[Service] = (),
) -> People:
    """The people and companies that this node knows. Blocks.

    Args:
        store: the node's database.
        ledger: of the node.
        keys: seal what is kept, and hash the names of officers.
        clock: aware UTC.
        register: how to ask the trade register; without, companies are not held against it, and nobody is a director.
        longest: how old its answer may be.
        services: that a mandate may be for, besides those of this room.

    Raises `Conflict`, `Invalid`, `Unkept`.
    """
    keeping, catalogue = (
        open_keeping(store, ledger, Vault(keys, "people")),
        Catalogue((*services, *OWN_SERVICES)),
    )
    return People(keeping, ledger, keys, clock, register, longest, catalogue)
