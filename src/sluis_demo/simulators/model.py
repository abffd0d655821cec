"""What a simulator is, whom it invents, and what it keeps of a sign-in: the nouns."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from sluis.crypto import Keys
from sluis.kernel import Text

Outcome = Literal["signed-in", "cancelled", "unavailable", "wrong-nonce", "no-level", "lower-level"]
"""How a sign-in ends: as it should, or in one of the ways in which it can go wrong."""

OUTCOMES: dict[Outcome, Text] = {
    "signed-in": Text("Inloggen zoals het hoort", "Sign in as it should be"),
    "unavailable": Text("Storing: de dienst is er even niet", "Failure: the service is away for a while"),
    "lower-level": Text("Fout: een lager niveau dan gevraagd", "Fault: a lower level than was asked for"),
    "no-level": Text("Fout: geen niveau in het antwoord", "Fault: no level in the answer"),
    "wrong-nonce": Text("Aanval: het antwoord op een ander verzoek", "Attack: the answer to another request"),
}
"""What can be chosen; cancelling has a button of its own."""


CITIZEN, COMPANY = "urn:sluis:simulator:persoonsgegevens:1", "urn:sluis:simulator:bedrijfsgegevens:1"
"""Types of the credentials of the simulated issuer: of a person, of a company."""


class Grade(msgspec.Struct, frozen=True):
    """A level as people know it, the `acr` that tells it, and how one reaches it."""

    name: str
    acr: str
    means: Text


class Company(msgspec.Struct, frozen=True):
    """An invented company: number in the trade register, name, and of one establishment its number."""

    kvk: str
    name: str
    vestiging: str | None = None


class Choice(msgspec.Struct, frozen=True):
    """For whom somebody may sign in.

    Args:
        label: on the page.
        company: for a company.
        bsn: for another person.
        name: of that person.
        through: the intermediary, in a chain mandate.
        services: for which the mandate is; empty for all.
    """

    label: Text
    company: Company | None = None
    bsn: str | None = None
    name: str | None = None
    through: Company | None = None
    services: tuple[str, ...] = ()


class Persona(msgspec.Struct, frozen=True):
    """Somebody who does not exist: a number or account that nobody has, a name, a word about them, and for whom they may sign
    in."""

    number: str
    name: str
    about: Text
    choices: tuple[Choice, ...]


class Simulator(msgspec.Struct, frozen=True):
    """One of the three.

    Args:
        kind: the last part of its issuer.
        title: what it stands for.
        grades: its levels, from weak to strong.
        whom: what the page asks after who has signed in.
        tells: the claim in which its tokens carry the number of who signs in; None: a pseudonym alone.
    """

    kind: str
    title: str
    grades: tuple[Grade, ...]
    whom: Text
    tells: str | None


class Client(msgspec.Struct, frozen=True):
    """A node that may use the simulators.

    Args:
        id: its name here.
        redirect_uris: where answers may go, literally.
        sign_out_uris: where somebody may go after signing out, literally.
        secret: its secret; None when it signs.
        keys: those that it signs with.
    """

    id: str
    redirect_uris: tuple[str, ...]
    sign_out_uris: tuple[str, ...] = ()
    secret: str | None = None
    keys: Callable[[], Keys] | None = None


class Asked(msgspec.Struct, frozen=True):
    """What a client asked, and what the person has filled in so far."""

    client: Client
    redirect_uri: str
    state: str
    nonce: str | None
    challenge: str
    acr: tuple[str, ...]
    language: str
    ends: float
    persona: Persona | None = None
    grade: Grade | None = None
    outcome: Outcome = "signed-in"


class Issued(msgspec.Struct, frozen=True):
    """What a code or an access token stands for."""

    asked: Asked
    claims: dict[str, Any]
    more: dict[str, Any]
    ends: float
