"""What an answer costs, computed alike by both sides, and the line that each writes of it in its own log.

The terms are the disclosure's (`price`); the units are in the owner's signed receipt. So who pays can check the sum,
and each side adds up its own log without asking the other.
"""

from collections.abc import Iterable
from typing import Any

from sluis.grounds import Price
from sluis.kernel import PeerId
from sluis.statement.model import Charge

CHARGE = "sluis.charge"
"""Attribute of a processing record: who pays whom for one consultation, how much, and for what."""


def charge_for(prices: Iterable[Price | None], subjects: int) -> Charge | None:
    """What one consultation costs; None when none of its disclosures has a price.

    Args:
        prices: of the disclosures that opened its datasets.
        subjects: different people in it, as the receipt says.
    """
    asked = [price for price in prices if price is not None]
    if not asked:
        return None
    cents = sum(price.per_question + price.per_subject * subjects for price in asked)
    return Charge(cents, subjects)


def charge_attribute(charge: Charge, payer: PeerId, payee: PeerId) -> dict[str, Any]:
    """The attribute `CHARGE`: `payer` asked, `payee` answered."""
    return {
        "payer": str.__str__(payer),
        "payee": str.__str__(payee),
        "cents": charge.cents,
        "subjects": charge.subjects,
    }
