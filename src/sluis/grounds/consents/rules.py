"""What a consent opens, what may be consented to, and what makes one narrower. Pure."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date

import msgspec

from sluis.grounds.consents.model import Consent, Datasets, Narrowing, Request, Terms
from sluis.grounds.model import Grounds
from sluis.kernel import Invalid, NotFound, Text, from_milliseconds


def in_force(consent: Consent, day: date) -> bool:
    """Whether it holds on this day."""
    return consent.revoked is None and consent.since <= day <= consent.until


def last_day(consent: Consent) -> date:
    """The last day on which it holds, or the one on which it was taken back."""
    if consent.revoked is None:
        return consent.until
    return min(consent.until, from_milliseconds(consent.revoked).date())


def opens(consents: Iterable[Consent], dataset: str, columns: Collection[str], day: date) -> bool:
    """Whether consents of one person, to one recipient and activity, together open these columns of a dataset. One
    that opens no column of it opens no row either, not even to be counted.

    Args:
        consents: of that person, recipient and activity; those that do not hold on this day count for nothing.
        dataset: that is asked about.
        columns: that the question uses.
        day: the owner's own.
    """
    given = [one.datasets[dataset] for one in consents if in_force(one, day) and dataset in one.datasets]
    return bool(given) and set().union(*given).issuperset(columns)


def requests_of(grounds: Grounds) -> tuple[Request, ...]:
    """What people may consent to at this node, in the order of its disclosures."""
    found = []
    for one in grounds.disclosures:
        dataset = grounds.dataset(one.dataset)
        if one.ground == "consent" and dataset is not None and dataset.subject is not None:
            columns = tuple(name for name in one.columns if name != dataset.subject.column)
            found.append(
                Request(
                    one.id, one.recipient, one.activity, one.dataset, columns, dataset.subject.type, one.valid.until
                )
            )  # fmt: skip
    return tuple(found)


def agreed(terms: Terms, kind: str, requests: Sequence[Request], today: date) -> tuple[Datasets, date]:
    """The columns per dataset that are consented to, by name, and the first day.

    Raises:
        NotFound: nobody asks for consent to this.
        Invalid: nothing is named, a column that is not asked for, or a period that is over before it begins.
    """
    asked: dict[str, tuple[str, ...]] = {}
    for one in requests:
        if (one.recipient, one.activity, one.kind) == (terms.recipient, terms.activity, kind):
            asked[one.dataset] = (*asked.get(one.dataset, ()), *one.columns)
    since = terms.since or today
    if not since <= terms.until or terms.until < today:
        raise _over_already()
    if not terms.datasets:
        raise _nothing_named()
    datasets = {}
    for name, columns in terms.datasets.items():
        if name not in asked:
            raise _nobody_asks()
        datasets[name] = _chosen(columns or asked[name], asked[name])
    return datasets, since


def narrowed(consent: Consent, change: Narrowing, today: date) -> Consent:
    """What is left of a consent.

    Raises:
        Invalid: the change would open more than the consent does, or it leaves nothing.
    """
    datasets, until = consent.datasets, consent.until
    if change.until is not None:
        if change.until > consent.until:
            raise _wider()
        if change.until < today:
            raise _over_already()
        until = change.until
    if change.datasets is not None:
        if not change.datasets:
            raise _nothing_named()
        if not change.datasets.keys() <= consent.datasets.keys():
            raise _wider()
        datasets = {
            name: _left(columns or consent.datasets[name], consent.datasets[name])
            for name, columns in change.datasets.items()
        }
    return msgspec.structs.replace(consent, datasets=datasets, until=until)


def _chosen(columns: Sequence[str], asked: Sequence[str]) -> tuple[str, ...]:
    """Each once, in the order of what is asked for."""
    if not set(columns) <= set(asked):
        raise _not_asked_for()
    return tuple(dict.fromkeys(name for name in asked if name in columns))


def _left(columns: Sequence[str], had: Sequence[str]) -> tuple[str, ...]:
    if not set(columns) <= set(had):
        raise _wider()
    return tuple(name for name in had if name in columns)


_NOT_GIVEN = Text("Deze toestemming is niet vastgelegd.", "This consent was not recorded.")


def _nobody_asks() -> NotFound:
    return NotFound(
        "consent-not-asked",
        _NOT_GIVEN,
        Text(
            "Geen verstrekking van dit knooppunt vraagt hiervoor toestemming aan deze betrokkene.",
            "No disclosure of this node asks this subject for consent to this.",
        ),
        Text(
            "Kijk waarvoor toestemming gevraagd wordt met `sluis access list`.",
            "See what consent is asked for with `sluis access list`.",
        ),
    )


def _not_asked_for() -> Invalid:
    return Invalid(
        "consent-column-not-asked",
        _NOT_GIVEN,
        Text(
            "Er staat een kolom in die de verstrekking niet opent.",
            "It names a column that the disclosure does not open.",
        ),
        Text("Noem alleen kolommen van de verstrekking.", "Name only columns of the disclosure."),
    )


def _nothing_named() -> Invalid:
    return Invalid(
        "consent-to-nothing",
        Text("Deze toestemming opent niets.", "This consent opens nothing."),
        Text("Er staat geen dataset in.", "It names no dataset."),
        Text("Noem er minstens één, of trek de toestemming in.", "Name at least one, or revoke the consent."),
    )


def _over_already() -> Invalid:
    return Invalid(
        "consent-period",
        Text("Deze periode kan niet.", "This period is not possible."),
        Text(
            "Zij is voorbij voor zij begint, of is nu al voorbij.",
            "It is over before it begins, or is over now.",
        ),
        Text(
            "Kies een latere laatste dag, of trek de toestemming in.",
            "Choose a later last day, or revoke the consent.",
        ),
    )


def _wider() -> Invalid:
    return Invalid(
        "consent-wider",
        Text("De toestemming is niet beperkt.", "The consent was not narrowed."),
        Text(
            "De wijziging opent meer dan de toestemming nu doet.",
            "The change opens more than the consent does now.",
        ),
        Text("Geef voor het meerdere een nieuwe toestemming.", "Give a new consent for what is more."),
    )
