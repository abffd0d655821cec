"""Companies and organisations: their numbers, and what the trade register says of them.

Numbers decide, never names: two companies may differ by one letter. Of an officer no name is kept, but a keyed hash of it.
"""

import re
from datetime import date
from typing import Literal

import msgspec

from sluis.kernel import Invalid, Kvk, Oin, Rsin, Text, Vestiging

# Who

Identifier = Kvk | Rsin | Oin | Vestiging

PERSON = "urn:sluis:person:"
"""Before this node's pseudonym of a person, where a person is represented."""

KVK = "urn:nl:kvk:"
"""Before the number of a company in the trade register."""

_PREFIXES: dict[str, type[Identifier]] = {
    KVK: Kvk,
    "urn:nl:rsin:": Rsin,
    "urn:nld:oin:": Oin,
    "urn:nl:vestiging:": Vestiging,
}
_PSEUDONYM = re.compile(r"[A-Za-z0-9_-]{43}")


def urn_of(identifier: Identifier) -> str:
    """The number of a company, organisation or establishment as a URN."""
    (prefix,) = (one for one, kind in _PREFIXES.items() if type(identifier) is kind)
    return prefix + str.__str__(identifier)


def person_urn(person: str) -> str:
    """A person, as one who is represented or who holds a mandate."""
    return PERSON + person


def read_urn(urn: str) -> Identifier | str:
    """What a URN names: a number, checked; or the pseudonym of a person. Raises `Invalid`."""
    for prefix, kind in _PREFIXES.items():
        if urn.startswith(prefix):
            return kind(urn.removeprefix(prefix))
    if urn.startswith(PERSON) and _PSEUDONYM.fullmatch(urn.removeprefix(PERSON)):
        return urn.removeprefix(PERSON)
    raise Invalid(
        "unknown-entity",
        Text("Dit is geen bedrijf, organisatie of persoon.", "This is no company, organisation or person."),
        Text("Een URN met een KVK-nummer, RSIN, OIN, vestigingsnummer of pseudoniem werd verwacht.",
             "A URN with a KVK number, RSIN, OIN, establishment number or pseudonym was expected."),
        Text("Schrijf bijvoorbeeld urn:nl:kvk:90000003.", "Write urn:nl:kvk:90000003, for example."),
    )  # fmt: skip


class Establishment(msgspec.Struct, frozen=True):
    """A place where a company works (vestiging)."""

    number: Vestiging
    name: str
    main: bool = False


class RegisteredName(msgspec.Struct, frozen=True):
    """What the trade register calls a person. Never kept: `Officer.key` is made of it."""

    given: str
    prefix: str
    surname: str
    born: date

    def __repr__(self) -> str:
        return "RegisteredName(•)"


Authority = Literal["sole", "joint", "none"]
"""Alone; with a fellow director; or not at all, also when what was read was not understood."""


class Officer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What someone is in a company, as an answer of the trade register says.

    Args:
        key: of the person, an HMAC of `RegisteredName`; empty when the name is incomplete or it is no natural person.
        kind: `director` also stands for a partner and the owner of a one-man business; `mandate` for a registered
            authorised representative (gemachtigde).
        function: code in the register's list FunctionarisRol; `owner` for the owner.
        authority: what comes of it.
        cap: in cents, where the register gives one.
        why: with no authority, the reason: a key of `reasons.REASONS`.
        adult: from which day on the person is of age, when that was not so at the time of reading.
    """

    key: str
    kind: Literal["director", "mandate"]
    function: str
    authority: Authority
    cap: int | None = None
    why: str = ""
    adult: date | None = None


Standing = Literal[
    "active",
    "bankrupt",
    "payments-suspended",
    "debts-restructured",
    "dissolved",
    "ended",
    "restricted",
    "unstated",
    "not-understood",
]
"""Whether a company can act at all. `unstated`: the answer does not say whether it is bankrupt."""


class Company(msgspec.Struct, frozen=True, omit_defaults=True):
    """A company as one answer of the trade register shows it.

    Args:
        kvk: its number.
        name: for people to read; decides nothing.
        form: its legal form, for people to read.
        standing: whether it can act.
        rsin: when the register gives one that is valid.
        establishments: its places.
        officers: whoever is something in it.
        notes: what was there and was not understood, as codes; for the evidence.
        as_of: of which moment the register says that its answer is, as it is written there.
    """

    kvk: Kvk
    name: str
    form: str
    standing: Standing
    rsin: Rsin | None = None
    establishments: tuple[Establishment, ...] = ()
    officers: tuple[Officer, ...] = ()
    notes: tuple[str, ...] = ()
    as_of: str = ""


class Held(msgspec.Struct, frozen=True):
    """A company, when the register was read (seconds), and SHA-256 (hex) of the answer."""

    company: Company
    at: int
    digest: str


def birthday(born: date, age: int) -> date:
    """The day on which somebody reaches an age; who was born on 29 February does so on 1 March. The last day there is, where it
    would come after that."""
    if born.year + age > date.max.year:
        return date.max
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)
