"""When keys take turns, and what a token says of somebody. Pure.

A key is published long before it is used, so that who keeps the key set for a week knows it by then; it stays published
until the last token that it signed has ended.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sluis.identity.tokens.model import ID_TYPES, IdType, Standing
from sluis.kernel import Acting

USED_FOR = 90 * 86_400
"""Seconds that a key is used."""

AHEAD = 8 * 86_400
"""Seconds that a key is published before it is used. OIDC-NLGOV has others keep a key set for a week."""

AFTER = 8 * 86_400
"""Seconds that a key stays after the next took its place: no token lasts that long, and who keeps the key set for a week
may encrypt with it until then."""


def standing(made: Sequence[int], now: int) -> Standing:
    """What to do with each key.

    Args:
        made: when each was made, seconds since the epoch, oldest first; at least one. The first was used at once.
        now: seconds since the epoch.
    """
    begins = [made[0], *(one + AHEAD for one in made[1:])]
    current = max((at for at, begin in enumerate(begins) if begin <= now), default=0)
    ended = tuple(one for at, one in enumerate(made[:current]) if begins[at + 1] + AFTER <= now)
    return Standing(
        current=made[current],
        kept=tuple(one for one in made if one not in ended),
        ended=ended,
        due=begins[-1] + USED_FOR - AHEAD <= now,
    )


def identifier_of(urn: str) -> tuple[str, IdType]:
    """The identifier in the URN of a legal entity or person, and of what kind it is.

    What is no public number of a legal entity is a `Pseudonym`, and must be turned into one of the sector it goes to.
    """
    for prefix, kind in _URNS:
        if urn.startswith(prefix):
            return urn.removeprefix(prefix), kind
    return urn, "Pseudonym"


def represents(acting: Acting, issuer: str, pseudonym: Callable[[str], str]) -> dict[str, Any] | None:
    """For whom somebody acts, as nested `represents` (OIDC-NLGOV 1.0.1): through an intermediary, that one first.

    Args:
        acting: who, for whom, through whom.
        issuer: of the token.
        pseudonym: makes the sector's pseudonym of a person.

    Returns None when somebody acts for themselves.
    """
    if acting.entity is None:
        return None
    innermost = _represented(acting.entity, issuer, pseudonym)
    if acting.intermediary is None:
        return innermost
    return {**_represented(acting.intermediary, issuer, pseudonym), "represents": innermost}


def _represented(urn: str, issuer: str, pseudonym: Callable[[str], str]) -> dict[str, Any]:
    value, kind = identifier_of(urn)
    return {
        "sub": pseudonym(value) if kind == "Pseudonym" else value,
        "iss": issuer,
        "sub_id_type": ID_TYPES[kind],
    }


_URNS: tuple[tuple[str, IdType], ...] = (
    ("urn:nl:kvk:", "KvKnr"),
    ("urn:nl:rsin:", "RSIN"),
    ("urn:nld:oin:", "OIN"),
)
