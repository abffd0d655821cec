"""Everything this room knows, in memory by whatever it is looked up by, and sealed in the store.

What changes is durable, together with its records in the ledger, before it is known here and before anybody is told.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, text

from sluis.crypto import Vault
from sluis.identity.people import sql
from sluis.identity.people.model import AskedAct, Contact, Guardianship, Mandate, Office
from sluis.identity.register import Held, Officer, urn_of
from sluis.kernel import decode, encode
from sluis.ledger import Arrangement, Ledger
from sluis.store import Store, migrate, see_through

T = TypeVar("T")


class Known(msgspec.Struct, frozen=True):
    """That a person who signs in here has this officer key: the name and date of birth that the register knows."""

    person: str
    key: str


Thing = Held | Known | Mandate | Guardianship | AskedAct | Contact

KINDS: dict[str, type[Thing]] = {
    "company": Held,
    "known": Known,
    "mandate": Mandate,
    "guardianship": Guardianship,
    "act": AskedAct,
    "contact": Contact,
}
_NAMES: dict[Any, str] = {kind: name for name, kind in KINDS.items()}


class Index:
    """Things by some of their properties. Each thing stands under every key that `keys` gives for it."""

    def __init__(self) -> None:
        self._by: defaultdict[Hashable, dict[str, Any]] = defaultdict(dict)

    def of(self, key: Hashable) -> list[Any]:
        """What stands under a key."""
        return [*self._by[key].values()] if key in self._by else []

    def add(self, keys: Iterable[Hashable], name: str, thing: Any) -> None:
        """Put a thing under keys."""
        for key in keys:
            self._by[key][name] = thing

    def remove(self, keys: Iterable[Hashable], name: str) -> None:
        """Take it away again."""
        for key in keys:
            found = self._by.get(key, {})
            found.pop(name, None)
            if not found:
                self._by.pop(key, None)


class Keeping:
    """Made by `open_keeping`. Reading is from memory and never waits."""

    def __init__(self, store: Store, ledger: Ledger, vault: Vault) -> None:
        self._store, self._ledger, self._vault = store, ledger, vault
        self._things: dict[tuple[str, str], Thing] = {}
        self._index = Index()
        self._one_at_a_time = asyncio.Lock()
        self._on_change: list[Callable[[], None]] = []

    def load(self) -> None:
        """Go on with what is kept. Blocks. Raises `Invalid` when the keys of this node do not open it."""
        with self._store.read() as connection:
            rows = connection.execute(text(sql.ALL)).all()
        for row in rows:
            thing = decode(self._vault.open(bytes(row.sealed), f"{row.kind}|{row.id}"), KINDS[row.kind])
            self._know(thing)

    # Reading

    def company(self, urn: str) -> Held | None:
        """What was read of a company."""
        return self._get(Held, urn)

    def mandate(self, number: str) -> Mandate | None:
        return self._get(Mandate, number)

    def invited(self, digest: str) -> Mandate | None:
        """The mandate of the invitation with a code of this digest."""
        return next(iter(self._index.of(("invited", digest))), None)

    def guardianship(self, number: str) -> Guardianship | None:
        return self._get(Guardianship, number)

    def contact(self, number: str) -> Contact | None:
        return self._get(Contact, number)

    def key_of(self, person: str) -> str:
        """The officer key of a person; empty when it is not known."""
        known = self._get(Known, person)
        return known.key if known is not None else ""

    def given_by(self, giver: str) -> list[Mandate]:
        """Mandates of a giver (URN)."""
        return self._index.of(("giver", giver))

    def held_by(self, holder: str) -> list[Mandate]:
        """Mandates of a holder (URN)."""
        return self._index.of(("holder", holder))

    def between(self, giver: str, holder: str) -> list[Mandate]:
        """Mandates of a giver for a holder (URNs)."""
        return self._index.of(("between", giver, holder))

    def guarded_by(self, guardian: str) -> list[Guardianship]:
        """Guardianships of a person."""
        return self._index.of(("guardian", guardian))

    def guardians_of(self, ward: str) -> list[Guardianship]:
        """Guardianships over a person."""
        return self._index.of(("ward", ward))

    def guardianships(self) -> list[Guardianship]:
        """All of them."""
        return [one for one in self._things.values() if isinstance(one, Guardianship)]

    def act(self, number: str) -> AskedAct | None:
        return self._get(AskedAct, number)

    def acts_of(self, company: str) -> list[AskedAct]:
        """Acts that were asked for, by the company (URN) whose directors do them."""
        return self._index.of(("acts", company))

    def acts(self) -> list[AskedAct]:
        """All of them."""
        return [one for one in self._things.values() if isinstance(one, AskedAct)]

    def contacts_of(self, entity: str) -> list[Contact]:
        """Contact persons of a company (URN)."""
        return self._index.of(("contact", entity))

    def offices_of(self, person: str) -> list[Office]:
        """What somebody is in the companies that were read."""
        key = self.key_of(person)
        found: list[Held] = self._index.of(("officer", key)) if key else []
        return [
            Office(person, urn_of(held.company.kvk), officer)
            for held in found
            for officer in held.company.officers
            if officer.key == key
        ]

    def whole_of(self, establishment: str) -> str | None:
        """The company of an establishment (URN), when exactly one of those that were read has it."""
        found: list[Held] = self._index.of(("place", establishment))
        return urn_of(found[0].company.kvk) if len(found) == 1 else None

    # Changing

    async def change(
        self, things: Sequence[Thing], records: Sequence[Arrangement], gone: Sequence[Thing] = ()
    ) -> None:
        """Keep things, and put on record what was done; all of it durable when this returns. Goes on when whoever waits is
        cancelled: what is kept must be known here. Raises `Unkept`."""
        await see_through(self._change(things, records, gone))

    async def _change(
        self, things: Sequence[Thing], records: Sequence[Arrangement], gone: Sequence[Thing]
    ) -> None:
        def work(connection: Connection) -> None:
            for thing in things:
                kind, name = _name(thing)
                sealed = self._vault.seal(encode(thing), f"{kind}|{name}")
                connection.execute(text(sql.KEEP), {"kind": kind, "id": name, "sealed": sealed})
            for thing in gone:
                kind, name = _name(thing)
                connection.execute(text(sql.FORGET), {"kind": kind, "id": name})

        if records:
            await self._ledger.append(records, along=work)
        else:
            await self._store.write(work)
        for thing in gone:
            self._forget(thing)
        for thing in things:
            self._know(thing)
        for told in self._on_change:
            told()

    def on_change(self, told: Callable[[], None]) -> None:
        """Have `told` called after each change."""
        self._on_change.append(told)

    @property
    def one_at_a_time(self) -> asyncio.Lock:
        """Held by whoever looks at something and then changes it."""
        return self._one_at_a_time

    def _get(self, kind: type[T], name: str) -> T | None:
        found: Any = self._things.get((_NAMES[kind], name))
        thing: T | None = found
        return thing

    def _know(self, thing: Thing) -> None:
        self._forget(thing)
        self._things[_name(thing)] = thing
        self._index.add(_keys(thing), "|".join(_name(thing)), thing)

    def _forget(self, thing: Thing) -> None:
        before = self._things.pop(_name(thing), None)
        if before is not None:
            self._index.remove(_keys(before), "|".join(_name(before)))


def open_keeping(store: Store, ledger: Ledger, vault: Vault) -> Keeping:
    """What is kept of people in a store. Blocks. Raises `Conflict`, `Invalid`, `Unkept`."""
    migrate(store, "identity.people", sql.MIGRATIONS)
    keeping = Keeping(store, ledger, vault)
    keeping.load()
    return keeping


def _name(thing: Thing) -> tuple[str, str]:
    match thing:
        case Held():
            return "company", urn_of(thing.company.kvk)
        case Known():
            return "known", thing.person
        case _:
            return _NAMES[type(thing)], thing.id


def _keys(thing: Thing) -> list[Hashable]:
    match thing:
        case Held():
            company = thing.company
            places = [("place", urn_of(one.number)) for one in company.establishments]
            return [*places, *(("officer", key) for key in _officer_keys(company.officers))]
        case Mandate():
            giver, holder = thing.terms.giver, thing.holder
            invited = [("invited", thing.invitation)] if thing.invitation else []
            return [("giver", giver), ("holder", holder), ("between", giver, holder), *invited]
        case Guardianship():
            return [("guardian", thing.guardian), ("ward", thing.ward)]
        case AskedAct():
            return [("acts", thing.act.entity if thing.act.intermediary is None else thing.act.intermediary)]
        case Contact():
            return [("contact", thing.entity)]
        case _:
            return []


def _officer_keys(officers: Iterable[Officer]) -> set[str]:
    return {one.key for one in officers if one.key}
