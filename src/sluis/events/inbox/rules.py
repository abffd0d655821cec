"""What may be taken in, and in which order it goes on. Pure."""

from collections.abc import Collection, Sequence

from sluis.events.cloudevent import CloudEvent
from sluis.events.inbox.model import Came, Followed, Plan
from sluis.kernel import Invalid, PeerId, Refused, Text, Unkept


def arrange(
    upto: int, held: Collection[int], came: Collection[int], most: int, through: int | None = None
) -> Plan:
    """In which order events go on, so that none passes an earlier one of its subscription.

    Args:
        upto: all up to this number went on.
        held: numbers that wait.
        came: numbers that are new here.
        most: so many may wait. What fills a gap is never put off, however many do.
        through: what is not here up to this number, is not to be had any more; None when that is not known.

    What comes after it was given up goes on at once: late, but not lost.
    """
    waiting, reached = {*held, *came}, max(upto, through or 0)
    release = sorted(number for number in waiting if number <= reached)
    while reached + 1 in waiting:
        reached += 1
        release.append(reached)
    gone, before = {*release}, {*held}
    new = sorted(waiting - before - gone)
    room = max(most - len(before - gone), 0)
    return Plan(release, new[:room], new[room:], reached)


def is_full(one: Followed, came: Collection[int], most: int) -> bool:
    """Whether nothing of what came can be taken in before an earlier event is here."""
    held = one.held
    return len(held) >= most and all(number > one.upto + 1 and number not in held for number in came)


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
    """Events with their numbers (CloudEvents, Sequence), as far as they have one."""
    found = ((_number(one.extensions.get("sequence")), one) for one in events)
    return [Came(number, one) for number, one in found if number]


def all_numbered(events: Sequence[CloudEvent]) -> list[Came]:
    """The same. Raises `Invalid` when one has none, or two have the same."""
    found = numbered(events)
    if len({one.sequence for one in found}) < len(events):
        raise unfit(
            Text(
                "`sequence` ontbreekt, is geen getal of staat er twee keer",
                "`sequence` is missing, no number, or there twice",
            )
        )
    return found


def _number(said: object) -> int:
    text = str(said)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0


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
    """Too many subscriptions of one source."""
    return Unkept(
        "inbox-busy",
        Text("Dit knooppunt neemt van dit abonnement niets aan.", "This node takes nothing of this subscription."),
        Text("Van deze bron zijn er te veel abonnementen.", "There are too many subscriptions of this source."),
        Text("Beëindig er een, en probeer het opnieuw.", "End one, and try again."),
        retry=True,
    )  # fmt: skip


class PutOff(Unkept):
    """Too much waits for an earlier event, which is being asked of the source. What did not have to wait was taken in."""

    def __init__(self) -> None:
        super().__init__(
            "inbox-full",
            Text("Dit knooppunt kan nu niet alles aannemen.", "This node cannot take in everything now."),
            Text("Er wacht te veel op een eerdere gebeurtenis; die wordt nu bij u gelezen.",
                 "Too much waits for an earlier event, which is being read from you now."),
            Text("Stuur over een seconde hetzelfde opnieuw.", "Send the same again in a second."),
            retry=True,
        )  # fmt: skip
        self.seconds = 1
