"""Who acts, for whom, and how sure that is.

Levels of assurance as eIDAS knows them (Regulation (EU) 910/2014, article 8), and below them DigiD Basis, which has one
factor. What a broker or an operating system calls its own way of signing in is no level until a setting says which.
"""

import re
from typing import Literal

import msgspec

Level = Literal["basic", "low", "substantial", "high"]
"""From weak to strong. `basic` is DigiD Basis: below eIDAS low."""

LEVELS: tuple[Level, ...] = ("basic", "low", "substantial", "high")

ACR: dict[Level, str] = {
    "low": "http://eidas.europa.eu/LoA/low",
    "substantial": "http://eidas.europa.eu/LoA/substantial",
    "high": "http://eidas.europa.eu/LoA/high",
}
"""How a level is written in a token (OIDC NLGOV 1.0.1, `acr`). `basic` has no such name."""

_LEVEL_OF = {acr: level for level, acr in ACR.items()}


def level_of(acr: str) -> Level | None:
    """The level that an `acr` names; None for what is no eIDAS level, such as `local`."""
    return _LEVEL_OF.get(acr)


def reaches(level: Level | None, wanted: Level) -> bool:
    """Whether a level is at least the one wanted; none never is."""
    return level is not None and LEVELS.index(level) >= LEVELS.index(wanted)


_SIMULATOR = re.compile(r"[a-z]+://[^/]*/(?:[^?#]*/)?sluis-simulator(?:[/?#].*)?", re.IGNORECASE)


def is_simulator(issuer: str) -> bool:
    """Whether an issuer is a simulator of DigiD or eHerkenning, which says so in its address: it invents people, so nothing
    that rests on it means anything in production."""
    return _SIMULATOR.fullmatch(issuer) is not None


class Acting(msgspec.Struct, frozen=True, omit_defaults=True):
    """The key of whoever acts: always these three together, since the same person acts for more than one.

    Args:
        person: this node's pseudonym of the natural person.
        entity: for whom, as a URN (`urn:nl:kvk:90000003`, `urn:nl:rsin:…`, or the pseudonym of a person); None: for
            themselves, or as an official of this organisation.
        intermediary: through which company, in a chain mandate; as a URN.
    """

    person: str
    entity: str | None = None
    intermediary: str | None = None

    def __repr__(self) -> str:
        return "Acting(•)"
