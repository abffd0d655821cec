"""Who is told of an occurrence, as pure functions; and whether it is an occurrence of its type at all."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from sluis.events.interests import is_key
from sluis.events.notices import Told, Verdict
from sluis.events.publishing.model import Occurrence
from sluis.grounds import Attribute, EventType, Fact, value_fits
from sluis.kernel import Conflict, Invalid, NotFound, Text, Trace


class Tell(msgspec.Struct, frozen=True):
    """A notice that tells its recipient, and what the recipient calls whom it is about."""

    told: Told
    reference: str | None


def match(
    facts: Mapping[str, Attribute],
    notices: Sequence[Told],
    verdicts: Mapping[str, Verdict],
    reference: Callable[[str], str | None],
) -> tuple[list[Tell], Counter[str]]:
    """Which notices tell of an occurrence, and how many do not, by the first rule that says so.

    Args:
        facts: as conditions see them.
        notices: of its type, that hold today.
        verdicts: why each may tell nothing now, by id; None for one that may.
        reference: the recipient's reference for whom it is about, by the id of a notice; None without an interest.
    """
    tells, withheld = list[Tell](), Counter[str]()
    for one in notices:
        id = one.notice.id
        handle = reference(id)
        verdict = verdicts[id]
        if not one.holds(facts):
            withheld["condition"] += 1
        elif one.notice.interest and handle is None:
            withheld["no-relation"] += 1
        elif verdict is not None:
            withheld[verdict] += 1
        else:
            tells.append(Tell(one, handle))
    return tells, withheld


def check(one: Occurrence, event: EventType, test: bool) -> None:
    """Raises `Invalid` when an occurrence is not what its type says; never with a value of it.

    Args:
        one: the occurrence.
        event: its type.
        test: whether this is a test node.
    """
    kind = event.subject
    if (one.about is None) != (kind is None):
        raise _unfit("about", _NEEDS[kind is None])
    if one.about is not None and (one.about.kind != kind or not is_key(one.about, test)):
        raise _unfit(
            "about", Text(f"Het is geen sleutel van de soort {kind}.", f"It is no key of kind {kind}.")
        )
    if one.trace_id is not None and Trace.parse(f"00-{one.trace_id}-{'1' * 16}-01") is None:
        raise _unfit("trace_id", Text("Het is geen trace.", "It is no trace."))
    if one.time is not None and one.time.tzinfo is None:
        raise _unfit("time", Text("De tijdzone ontbreekt.", "The time zone is missing."))
    _check_values("facts", one.facts, event.facts)
    _check_values("data", one.data, event.data)


def unknown_type(type: str) -> NotFound:
    """No file describes events of this type."""
    return NotFound(
        "unknown-event-type",
        Text(f"Het gebeurtenistype `{type}` is er niet.", f"There is no event type `{type}`."),
        Text("Geen bestand in `event-types/` beschrijft het.", "No file in `event-types/` describes it."),
        Text("Maak dat bestand, controleer met `sluis check`, en start het knooppunt opnieuw.",
             "Write that file, check it with `sluis check`, and restart the node."),
    )  # fmt: skip


def other_content() -> Conflict:
    """An id that was used before, for something else."""
    return Conflict(
        "event-published-before",
        Text("Deze gebeurtenis is al met een andere inhoud gepubliceerd.",
             "This event was published before with another content."),
        Text("Eén id hoort bij één gebeurtenis.", "One id belongs to one event."),
        Text("Geef een nieuwe gebeurtenis een nieuw id.", "Give a new event a new id."),
    )  # fmt: skip


_NEEDS = {
    True: Text("Dit type gaat over niemand.", "This type is about nobody."),
    False: Text("Dit type gaat over een persoon.", "This type is about a person."),
}


def _check_values(part: str, given: Mapping[str, Any], known: Mapping[str, Fact]) -> None:
    for name, value in given.items():
        fact = known.get(name)
        if fact is None:
            raise _unfit(
                f"{part}.{name}",
                Text("Het gebeurtenistype kent deze naam niet.", "The event type does not know this name."),
            )
        if not value_fits(fact, value):
            raise _unfit(
                f"{part}.{name}",
                Text(
                    f"De waarde is niet van de soort {fact.type}.", f"The value is not of kind {fact.type}."
                ),
            )


def _unfit(where: str, why: Text) -> Invalid:
    return Invalid(
        "unfit-occurrence",
        Text(f"`{where}` van deze gebeurtenis klopt niet.", f"`{where}` of this event is not right."),
        why,
        Text("Vergelijk de gebeurtenis met het bestand in `event-types/`.",
             "Compare the event with the file in `event-types/`."),
    )  # fmt: skip
