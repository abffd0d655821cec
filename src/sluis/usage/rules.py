"""From counts and prices to a statement. Pure, and in whole cents: nothing is rounded but VAT, once to a statement, halves up."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from hashlib import sha256

from sluis.kernel import Text, encode, from_milliseconds
from sluis.usage.model import Agreed, Line, Tally, Tariff, Term, Unit

WORDS: dict[Unit, Text] = {
    "question": Text(
        "Vragen met een prijs, zoals in de ontvangstbewijzen", "Questions with a price, as in the receipts"
    ),
    "person": Text("Personen", "Persons"),
    "call": Text("Aanroepen van de dienst", "Calls of the service"),
    "run": Text("Keren gedraaid", "Runs"),
    "subscription": Text("Abonnement", "Subscription"),
}


def number_of(month: date, agreed: Agreed) -> str:
    """The number of a statement: alike each time, and at each node its own."""
    return f"{month:%Y-%m}-{sha256(encode(agreed)).hexdigest()[:10]}"


def lines_of(
    counted: Tally, tariffs: Sequence[Tariff], terms: Iterable[Term], month: date
) -> tuple[Line, ...]:
    """What is charged: answers as their receipts say, and the service as its tariffs say. What comes to nothing is left out.

    Args:
        counted: in the month.
        tariffs: of the service, in cents.
        terms: from when until when subscriptions are.
        month: its first day.
    """
    made = []
    if counted.questions:
        made.append(Line("question", WORDS["question"], counted.questions, None, counted.cents))
    every = tuple(terms)
    for one in tariffs:
        quantity = quantity_of(one, counted, every, month)
        if quantity and one.cents:
            made.append(Line(one.unit, WORDS[one.unit], quantity, one.cents, quantity * one.cents))
    return tuple(made)


def quantity_of(tariff: Tariff, counted: Tally, terms: Iterable[Term], month: date) -> int:
    """How many of what a tariff is for there were in a month. Runs are not counted yet: nothing runs at another's."""
    if tariff.unit == "call":
        return counted.calls - counted.failed
    if tariff.unit == "subscription":
        return periods_begun(terms, tariff.months, month)
    return 0


def periods_begun(terms: Iterable[Term], months: int, month: date) -> int:
    """Periods of a subscription that begin in a month: 1, or 0. The first begins in the month in which the first contract does, and
    they go on as long as some contract holds; a renewal begins nothing anew."""
    held = [one for one in terms if one.until > one.since]
    if not held:
        return 0
    first, last = _month(min(one.since for one in held)), _month(max(one.until for one in held))
    now = month.year * 12 + month.month
    return int(first <= now <= last and (now - first) % months == 0)


def tax_of(net: int, vat: int | None) -> int:
    """VAT over an amount in cents, in whole cents, halves up (away from zero).

    Args:
        net: cents.
        vat: whole percents; None for none.
    """
    if not vat:
        return 0
    tax = (abs(net) * vat + 50) // 100
    return tax if net >= 0 else -tax


def rate_of(tariffs: Sequence[Tariff]) -> int | None:
    """The rate of VAT of what a service costs; of one entry there is one."""
    return next((one.vat for one in tariffs if one.vat is not None), None)


def month_of(moment: int) -> date:
    """The month (UTC) of a moment in milliseconds since the epoch, as its first day."""
    at = from_milliseconds(moment)
    return date(at.year, at.month, 1)


def after(month: date) -> date:
    """The first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def read_month(text: str) -> date | None:
    """A month as people write it, such as 2026-11; None for what is none."""
    try:
        found = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        return None
    return date(found.year, found.month, 1) if 2000 <= found.year < 3000 else None


def _month(seconds: int) -> int:
    at = month_of(min(max(seconds, 0), 4_102_444_800) * 1000)
    return at.year * 12 + at.month
