"""What a decision is made on, and what it is."""

from datetime import date

import msgspec

from sluis.grounds import Disclosure
from sluis.kernel import Level, PeerId, Period


class Facts(msgspec.Struct, frozen=True):
    """What is known when a peer asks to use a dataset.

    `person` is the asking node's pseudonym of who acts, `level` the assurance that it reached; `day` is the owner's own; `candidates` are the owner's
    disclosures of this dataset, whomever they are for; `activity_valid` is None for an activity it does not know;
    `agreed` are the ids of those that the contract covers under which the peer came, None where there are no contracts.
    """

    peer: PeerId
    person: str
    acr: str
    activity: str
    dataset: str
    day: date
    candidates: tuple[Disclosure, ...]
    activity_valid: Period | None
    agreed: frozenset[str] | None = None
    level: Level | None = None


class Decision(msgspec.Struct, frozen=True):
    """Yes or no. `disclosure` is the id of the one that permits, or that came closest; `rule` the rule that decided;
    `legal` the article behind it, where there is one."""

    permit: bool
    rule: str
    disclosure: str | None = None
    legal: str | None = None
