"""Whether interests may be registered, as pure functions."""

from collections.abc import Sequence
from datetime import date, timedelta

from sluis.events.interests.model import Bounds, NewInterest, Whom
from sluis.events.notices import Told
from sluis.kernel import Conflict, Invalid, Refused, Text, nine_digits

_BSN = "BSN"


def check_kept(told: Told) -> None:
    """Raises `Invalid` when the notice tells of everybody, and so asks for no interests."""
    if not told.notice.interest:
        raise Invalid(
            "no-interest-needed",
            Text("Voor deze kennisgeving is geen afnemersindicatie nodig.",
                 "This notice needs no interest."),
            Text("Zij meldt iedere gebeurtenis die aan de voorwaarde voldoet.",
                 "It tells of every event that meets its condition."),
            Text("Registreer niets; een abonnement is genoeg.", "Register nothing; a subscription is enough."),
        )  # fmt: skip


def check_subjects(told: Told, subjects: Sequence[Whom], test: bool) -> None:
    """Raises `Invalid` when one of these is not a person of the kind that the event is about, or is there twice.

    Args:
        told: the notice.
        subjects: in whom.
        test: whether this is a test node.
    """
    kind = told.event.subject
    for place, one in enumerate(subjects, 1):
        if one.kind != kind:
            raise _at(
                place, Text(f"Het soort sleutel hoort {kind} te zijn.", f"The kind of key must be {kind}.")
            )
        if not is_key(one, test):
            raise _at(place, Text("De sleutel is geen BSN.", "The key is no BSN."))
    if len(set(subjects)) < len(subjects):
        raise Invalid(
            "subject-twice",
            Text("Een persoon staat er twee keer in.", "A person is in it twice."),
            Text("Per kennisgeving is er één afnemersindicatie voor één persoon.",
                 "For each notice there is one interest in one person."),
            Text("Stuur ieder één keer.", "Send each once."),
        )  # fmt: skip


def check_references(interests: Sequence[NewInterest]) -> None:
    """Raises `Invalid` when two persons would be called the same: what is told of one would be taken for the other."""
    if len({one.reference for one in interests}) < len(interests):
        raise Invalid(
            "reference-twice",
            Text("Een kenmerk staat er twee keer in.", "A reference is in it twice."),
            Text("Aan het kenmerk ziet u over wie een gebeurtenis gaat.",
                 "By the reference you see whom an event is about."),
            Text("Geef ieder een eigen kenmerk.", "Give each a reference of its own."),
        )  # fmt: skip


def is_key(whom: Whom, test: bool) -> bool:
    """Whether this is a key of its kind, as far as that can be seen."""
    return whom.kind != _BSN or nine_digits(whom.value, test)


def check_ends(interests: Sequence[NewInterest], today: date, bounds: Bounds) -> None:
    """Raises `Invalid` when one of them is over already, or lasts longer than is allowed."""
    last = today + timedelta(days=bounds.days)
    for place, one in enumerate(interests, 1):
        if not today <= one.until <= last:
            raise _at(
                place,
                Text(f"De laatste dag hoort tussen {today} en {last} te liggen.",
                     f"The last day must lie between {today} and {last}."),
            )  # fmt: skip


def check_room(there: int, more: int, bounds: Bounds) -> None:
    """Raises `Conflict` when there would be too many for one notice."""
    if there + more > bounds.each:
        raise Conflict(
            "too-many-interests",
            Text("Er zijn te veel afnemersindicaties voor deze kennisgeving.",
                 "There are too many interests for this notice."),
            Text(f"Het mogen er {bounds.each} zijn.", f"There may be {bounds.each}."),
            Text("Beëindig wat voorbij is, of overleg met de bronhouder.",
                 "End what is over, or talk to the owner."),
        )  # fmt: skip


def not_yours(id: str) -> Refused:
    """The refusal of who is no recipient of the notice, whether or not there is one."""
    return Refused(
        "notice-not-yours",
        Text(f"De kennisgeving `{id}` is niet voor u.", f"The notice `{id}` is not for you."),
        Text("Geen kennisgeving met deze naam geldt vandaag voor uw organisatie.",
             "No notice of this name holds for your organisation today."),
        Text("Kijk met `sluis events interests notices` wat er voor u is.",
             "See with `sluis events interests notices` what there is for you."),
        rule="not-disclosed",
    )  # fmt: skip


def not_agreed(told: Told) -> Refused:
    """The refusal of who comes under a contract that does not cover the notice as it is now."""
    return Refused(
        "contract-missing",
        Text("Dit contract gaat niet over deze kennisgeving.", "This contract is not about this notice."),
        Text("Het noemt haar niet, of niet met haar regels van nu.",
             "It does not name it, or not with its rules as they are now."),
        Text("Vraag het contract opnieuw aan met `sluis fsc request`.",
             "Request the contract again with `sluis fsc request`."),
        rule="contract-missing",
        legal=str(told.notice.articles[0]),
    )  # fmt: skip


def not_permitted(told: Told, rule: str) -> Refused:
    """The refusal of the decision point."""
    return Refused(
        "notice-not-permitted",
        Text("Deze kennisgeving geldt nu niet voor u.", "This notice does not hold for you now."),
        Text("Het beslispunt van de bronhouder staat het niet toe.",
             "The decision point of the owner does not permit it."),
        Text("Vraag de bronhouder waarom.", "Ask the owner why."),
        rule=rule,
        legal=str(told.notice.articles[0]),
    )  # fmt: skip


def _at(place: int, why: Text) -> Invalid:
    return Invalid(
        "invalid-interest",
        Text(f"Afnemersindicatie {place} klopt niet.", f"Interest {place} is not right."),
        why,
        Text("Verbeter haar; er is nog niets geregistreerd.", "Correct it; nothing was registered yet."),
    )
