"""What may be taken in, and in which order it goes on. Pure."""

from collections.abc import Collection, Sequence

from sluis.events.cloudevent import CloudEvent
from sluis.events.inbox.model import Came, Plan
from sluis.kernel import Invalid, PeerId, Refused, Text, Unkept


def arrange(upto: int, held: Collection[int], came: Collection[int], through: int | None = None) -> Plan:
    """In which order events go on, so that none passes an earlier one of its subscription.

    Args:
        upto: all up to this number went on.
        held: numbers that wait.
        came: numbers that are new here.
        through: what is not here up to this number, is not to be had any more; None when that is not known.

    What comes after it was given up goes on at once: late, but not lost.
    """
    release = sorted(number for number in came if number <= upto)
    waiting = sorted({*held, *came} - set(release))
    reached = max(upto, through or 0)
    at = 0
    while at < len(waiting) and waiting[at] <= reached + 1:
        reached = max(reached, waiting[at])
        at += 1
    hold = [number for number in waiting[at:] if number not in set(held)]
    return Plan([*release, *waiting[:at]], hold, reached)


def check_source(event: CloudEvent, peer: PeerId) -> None:
    """Raises `Refused` when an event says that it is of another organisation than who brings it (NL GOV profile, `source`)."""
    if not event.source.startswith(f"urn:nld:oin:{peer!s}:"):
        raise Refused(
            "not-your-event",
            Text("Deze gebeurtenis is van een andere organisatie.", "This event is another organisation's."),
            Text("De OIN in `source` is niet die van wie haar bezorgt.", "The OIN in `source` is not that of who brings it."),
            Text("Laat de organisatie die haar meldt, haar zelf bezorgen.", "Have the organisation that tells it bring it."),
            rule="source-is-peer",
        )  # fmt: skip


def numbered(events: Sequence[CloudEvent]) -> list[Came]:
    """Events with their numbers. Raises `Invalid` for one without (CloudEvents, Sequence)."""
    return [Came(_number(one.extensions.get("sequence")), one) for one in events]


def _number(said: object) -> int:
    text = str(said)
    if not text.isascii() or not text.isdecimal() or len(text) > 18 or int(text) < 1:
        raise unfit(Text("`sequence` ontbreekt of is geen getal", "`sequence` is missing or no number"))
    return int(text)


def unfit(why: Text) -> Invalid:
    """What came in is not as one node sends to another."""
    return Invalid(
        "unfit-delivery",
        Text("Deze bezorging klopt niet.", "This delivery is not right."),
        Text(f"{why.nl[0].upper()}{why.nl[1:]}.", f"{why.en[0].upper()}{why.en[1:]}."),
        Text("Bezorg zoals `docs/reference/events.md` beschrijft.", "Deliver as `docs/reference/events.md` describes."),
    )  # fmt: skip


def not_agreed() -> Refused:
    """No contract of this organisation names the notice."""
    return Refused(
        "notice-not-agreed",
        Text("Deze kennisgeving is niet afgesproken.", "This notice is not agreed."),
        Text("Geen geldig contract van deze organisatie noemt haar.", "No contract in force of this organisation names it."),
        Text("Laat de afnemer het contract aanvragen.", "Have the recipient request the contract."),
        rule="contract-required",
    )  # fmt: skip


def nobody_listens() -> Unkept:
    """No system of this organisation takes events."""
    return Unkept(
        "nobody-listens",
        Text("Hier neemt nog niemand gebeurtenissen aan.", "Nobody takes events here yet."),
        Text("Geen eigen systeem heeft een abonnement op dit knooppunt.", "No system of its own has a subscription at this node."),
        Text("Er is niets aangenomen. Probeer het later opnieuw.", "Nothing was taken in. Try again later."),
        retry=True,
    )  # fmt: skip


def too_many() -> Unkept:
    """Too much waits for an earlier event, or too many subscriptions are followed."""
    return Unkept(
        "inbox-busy",
        Text("Dit knooppunt neemt hiervan nu niets meer aan.", "This node takes no more of this now."),
        Text("Er wacht te veel op een eerdere gebeurtenis.", "Too much waits for an earlier event."),
        Text("Er is niets aangenomen. Probeer het straks opnieuw.", "Nothing was taken in. Try again in a moment."),
        retry=True,
    )  # fmt: skip
