"""Event types and notices: whether the files agree with one another, what a recipient is told of a notice, and the facts
of an event as a condition sees them.

Pure. Whether a condition is a condition at all, `events` says, which knows the language.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from hashlib import sha256
from itertools import combinations
from typing import Any

import msgspec
import rfc8785

from sluis.grounds.model import EventType, Fact, Grounds, Notice, OfferedNotice
from sluis.grounds.rules import Item, Surroundings, finding, overlap, period_faults, twice, unknown
from sluis.grounds.shape import Fault, meant
from sluis.grounds.toml import Keys
from sluis.kernel import PeerId, Text, plain

Attribute = str | int | bool
"""A fact as a condition sees it: a value of the type system of CloudEvents 1.0."""

_RESERVED = frozenset(
    "id source specversion type subject time datacontenttype dataschema data data_base64 dataref sequence sequencetype "
    "traceparent tracestate and or xor not in like exists true false".split()
)
"""Attributes of every event, which a fact may not be taken for; and the words of conditions."""

_INTEGERS = range(-(2**31), 2**31)


def offered_notice(source: PeerId, event: EventType, notice: Notice) -> OfferedNotice:
    """A notice as its recipient gets it, with its digest: SHA-256 over the canonical JSON (RFC 8785) of the rest."""
    data = {name: event.data[name] for name in notice.data if name in event.data}
    offered = OfferedNotice(source, notice, event.title, event.description, "", event.subject, data)
    return msgspec.structs.replace(offered, digest=offered_digest(offered))


def offered_digest(offered: OfferedNotice) -> str:
    """The digest that a notice must have; who gets one compares it."""
    document = plain(offered)
    del document["digest"]
    return f"sha256:{sha256(rfc8785.dumps(document)).hexdigest()}"


def attributes_of(facts: Mapping[str, Any]) -> dict[str, Attribute]:
    """The facts of an event for conditions; a date is text (ISO 8601), and what is not known is not there."""
    return {
        name: value if isinstance(value, str | int) else str(value)
        for name, value in facts.items()
        if value is not None
    }


def value_fits(fact: Fact, value: Any) -> bool:
    """Whether a value, as JSON has it, is one for this fact; None always is, and says that it is not known."""
    if value is None:
        return True
    match fact.type:
        case "text":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int) and not isinstance(value, bool) and value in _INTEGERS
        case "date":
            return isinstance(value, str) and _is_date(value)


def notice_consistency(grounds: Grounds, around: Surroundings) -> Iterator[tuple[Item, Fault]]:
    """Every way in which event types and notices contradict themselves or other files, each with the item."""
    for event in grounds.events:
        for fault in _event_faults(event):
            yield event, fault
    for notice in grounds.notices:
        for fault in _notice_faults(notice, grounds, around):
            yield notice, fault
    yield from twice(((one, one.type) for one in grounds.events), ("type",))
    yield from twice(((one, f"{one.id}@{one.version}") for one in grounds.notices), ("id",))
    yield from _overlaps(grounds.notices)
    yield from _strangers(grounds.notices)


def _event_faults(event: EventType) -> Iterator[Fault]:
    for part, named in (("facts", event.facts), ("data", event.data)):
        for name in named:
            if name in _RESERVED:
                yield finding(
                    (part, name),
                    "reserved-name",
                    Text(f"`{name}` is al iets anders.", f"`{name}` is something else already."),
                    Text("Een kenmerk van elke gebeurtenis heet zo, of een woord van voorwaarden.",
                         "An attribute of every event has that name, or a word of conditions."),
                    Text("Kies een andere naam.", "Choose another name."),
                )  # fmt: skip


def _notice_faults(one: Notice, grounds: Grounds, around: Surroundings) -> Iterator[Fault]:
    yield from period_faults(one.valid, around.day, "notice")
    if grounds.activity(one.activity) is None:
        known = [activity.id for activity in grounds.activities]
        yield unknown(
            ("activity",), "activity", "verwerkingsactiviteit", "processing activity", one.activity, known
        )
    if around.own and one.recipient not in {*around.peers, around.own}:
        yield unknown(("recipient",), "peer", "organisatie", "peer", one.recipient, around.peers)
    if one.ground == "consent":
        yield _by_consent()
    event = grounds.event(one.event)
    if event is None:
        known = [each.type for each in grounds.events]
        yield unknown(("event",), "event-type", "gebeurtenistype", "event type", one.event, known)
        return
    if one.interest and event.subject is None:
        yield _nobody()
    for position, name in enumerate(one.data):
        if name not in event.data:
            yield _not_open(("data", position), name, event.data)


def _overlaps(notices: Iterable[Notice]) -> Iterator[tuple[Item, Fault]]:
    """Two notices that both hold on some day; told at the second."""
    alike: dict[tuple[str, ...], list[Notice]] = {}
    for one in notices:
        alike.setdefault((one.event, one.recipient, one.activity), []).append(one)
    for group in alike.values():
        for first, second in combinations(group, 2):
            if overlap(first.valid, second.valid):
                yield second, _overlapping(first)


def _strangers(notices: Iterable[Notice]) -> Iterator[tuple[Item, Fault]]:
    """Versions of a notice that are not of the same thing: interests are kept, and permits asked, by its id alone."""
    first: dict[str, Notice] = {}
    for one in notices:
        before = first.setdefault(one.id, one)
        if (before.event, before.recipient, before.activity) != (one.event, one.recipient, one.activity):
            yield one, _stranger(before)


def _stranger(first: Notice) -> Fault:
    return finding(
        ("id",),
        "another-notice",
        Text(f"Dit is een andere kennisgeving dan `{first.id}` versie {first.version}.",
             f"This is another notice than `{first.id}` version {first.version}."),
        Text("Versies van één kennisgeving hebben hetzelfde gebeurtenistype, ontvanger en activiteit.",
             "Versions of one notice have the same event type, recipient and activity."),
        Text("Kies een ander `id`.", "Choose another `id`."),
    )  # fmt: skip


def _overlapping(first: Notice) -> Fault:
    return finding(
        ("valid",),
        "overlapping-notices",
        Text(f"Dit overlapt met kennisgeving `{first.id}` versie {first.version}.",
             f"This overlaps with notice `{first.id}` version {first.version}."),
        Text("Per dag geldt één kennisgeving voor hetzelfde gebeurtenistype, ontvanger en activiteit.",
             "On one day one notice holds for the same event type, recipient and activity."),
        Text("Laat de eerste eindigen voor de tweede begint, of schrijf één voorwaarde met `OR`.",
             "Let the first end before the second begins, or write one condition with `OR`."),
    )  # fmt: skip


def _by_consent() -> Fault:
    return finding(
        ("ground",),
        "notice-by-consent",
        Text("Een kennisgeving kan niet op toestemming rusten.", "A notice cannot rest on consent."),
        Text("Van wie toestemming gaf, wordt bij een gebeurtenis niet gekeken.",
             "At an event nobody looks who consented."),
        Text("Kies een andere grondslag, of geef de gegevens met een verstrekking.",
             "Choose another ground, or give the data with a disclosure."),
    )  # fmt: skip


def _nobody() -> Fault:
    return finding(
        ("interest",),
        "no-subject",
        Text("Een afnemersindicatie kan hier niet.", "An interest is not possible here."),
        Text("Het gebeurtenistype gaat over niemand.", "The event type is about nobody."),
        Text("Schrijf `interest = false`, of zet `subject` in het gebeurtenistype.",
             "Write `interest = false`, or put `subject` in the event type."),
    )  # fmt: skip


def _not_open(keys: Keys, name: str, known: Mapping[str, Fact]) -> Fault:
    return finding(
        keys,
        "unknown-data",
        Text(f"Onbekend gegeven: `{name}`.", f"Unknown data: `{name}`."),
        Text("Het staat niet onder `data` van het gebeurtenistype.",
             "It is not under `data` of the event type."),
        meant(name, known),
    )  # fmt: skip


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
