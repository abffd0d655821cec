"""What was used in a month under an agreement, and the statement of what that costs.

An agreement is what one organisation uses of another: a service, for a purpose. Contracts come and go under it: when one is renewed,
its statements go on.
"""

from datetime import date, datetime
from typing import Literal

import msgspec

from sluis.kernel import PeerId, Text

Side = Literal["use", "supply"]
"""Seen from this node: it uses something of another organisation, or another uses something of it."""

Unit = Literal["question", "person", "call", "run", "subscription"]
"""What is counted and may be priced; a subscription is counted in the periods that begin."""


class Agreed(msgspec.Struct, frozen=True, order=True):
    """An agreement: with whom, which service of the one that supplies, and for which processing activity (empty for none)."""

    side: Side
    peer: PeerId
    service: str
    activity: str = ""


class Term(msgspec.Struct, frozen=True):
    """A contract under an agreement, with the time in which it holds (seconds since the epoch)."""

    contract: str
    since: int
    until: int


class Tally(msgspec.Struct, frozen=True):
    """What was counted of an agreement in a month.

    Args:
        calls: requests that passed, by the transaction log.
        failed: of these, those of which this node's outway noted that nothing came of them. Only who asks knows.
        questions: answers with a price, by the log.
        persons: in these.
        cents: what these cost, as both sides reckoned it from the owner's receipts.
    """

    calls: int = 0
    failed: int = 0
    questions: int = 0
    persons: int = 0
    cents: int = 0


class Tariff(msgspec.Struct, frozen=True):
    """What a service costs: each `unit` so many whole cents, a subscription for so many months; `vat` in whole percents, None where
    there is none."""

    unit: Unit
    cents: int
    months: int = 12
    vat: int | None = None


class Line(msgspec.Struct, frozen=True):
    """A line of a statement. `each` is in cents, None where it differs; `cents` is what the line comes to."""

    unit: Unit
    words: Text
    quantity: int
    each: int | None
    cents: int


class Compared(msgspec.Struct, frozen=True):
    """How this node's count of calls stands to the other's: calls that only one of them has a line of, and those that they know
    otherwise; `until` when that was looked at, None when it never was."""

    only_here: int = 0
    only_there: int = 0
    differs: int = 0
    until: datetime | None = None


class Statement(msgspec.Struct, frozen=True):
    """What was used under an agreement in a month, and what it costs. Amounts are in whole eurocents.

    Args:
        number: names it at this node; the month, and a part that is the same each month.
        month: its first day (UTC).
        agreed: under which agreement.
        supplier: name of who supplies.
        user: name of who uses.
        service: in words.
        contracts: hashes of the contracts under which it was used.
        counted: what was.
        lines: what is charged; empty when nothing is.
        net: of all lines.
        vat: rate in whole percents; None when there is none.
        tax: over `net`, rounded to whole cents, halves up.
        total: both.
        compared: with the count of the other.
        final: whether the month was over and everything counted when it was made; it does not change any more.
        made: when.
    """

    number: str
    month: date
    agreed: Agreed
    supplier: str
    user: str
    service: str
    contracts: tuple[str, ...]
    counted: Tally
    lines: tuple[Line, ...]
    net: int
    vat: int | None
    tax: int
    total: int
    compared: Compared
    final: bool
    made: datetime
