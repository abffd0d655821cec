"""The event as its recipient gets it, and why one did not arrive, in words. Pure."""

from collections.abc import Callable, Collection

import msgspec

from sluis.events.cloudevent import CloudEvent
from sluis.events.queue.model import Delivery
from sluis.kernel import PeerId, Text, new_span_id

Agreed = Callable[[str, PeerId], Collection[str] | None]
"""What of its data a notice (its id) may tell a recipient now, by name; None when nothing of it may leave."""

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])

TROUBLES: dict[str, Text] = {
    "unreachable": Text("Op het adres van de afnemer antwoordde niemand.", "Nobody answered at the recipient's address."),
    "too-slow": Text("De afnemer antwoordde niet op tijd.", "The recipient did not answer in time."),
    "broke-off": Text("De verbinding brak af voor er een antwoord was.", "The connection broke off before there was an answer."),
    "not-trusted": Text("Het certificaat van de afnemer wordt niet vertrouwd.", "The recipient's certificate is not trusted."),
    "inside": Text(
        "Het adres van de afnemer ligt in het eigen netwerk van dit knooppunt; daar wordt niets heen gestuurd.",
        "The recipient's address lies inside the network of this node; nothing is sent there.",
    ),
    "redirected": Text(
        "De afnemer verwees naar een ander adres; dat volgt dit knooppunt niet (CloudEvents Webhook 2.2).",
        "The recipient pointed to another address; this node does not follow (CloudEvents Webhook 2.2).",
    ),
    "gone": Text("De afnemer wil op dit adres niets meer ontvangen (410).", "The recipient wants nothing more at this address (410)."),
    "not-authorised": Text(
        "De afnemer liet dit knooppunt niet toe (401, 403 of 407): kijk naar het toegangsbewijs van het abonnement.",
        "The recipient did not admit this node (401, 403 or 407): look at the credential of the subscription.",
    ),
    "credential-expired": Text(
        "Het toegangsbewijs van het abonnement is verlopen.", "The credential of the subscription has expired."
    ),
    "not-found": Text("Op dit adres is bij de afnemer niets (404).", "There is nothing at this address (404)."),
    "wrong-format": Text(
        "De afnemer begrijpt de vorm niet waarin gebeurtenissen komen (415): kies een andere `content`.",
        "The recipient does not understand the format of the events (415): choose another `content`.",
    ),
    "too-large": Text("De gebeurtenis is de afnemer te groot (413).", "The event is too large for the recipient (413)."),
    "refused": Text("De afnemer weigerde deze gebeurtenis.", "The recipient refused this event."),
    "too-busy": Text("De afnemer had het te druk (429 of 503).", "The recipient was too busy (429 or 503)."),
    "failed": Text("Bij de afnemer ging iets mis (5xx).", "Something went wrong at the recipient (5xx)."),
    "crowded": Text(
        "Er gingen al zoveel verzoeken tegelijk naar deze afnemer als mag, en zij antwoordden niet snel genoeg.",
        "As many requests as may be were under way to this recipient, and they were not answered fast enough.",
    ),
    "no-contract": Text("Er is geen contract meer waaronder dit mag.", "There is no contract any more under which this may be sent."),
    "withdrawn": Text(
        "De afnemersindicatie waaronder dit gemeld werd, is beëindigd.", "The interest under which this was told has ended."
    ),
    "expired": Text(
        "De gebeurtenis kwam niet aan binnen de tijd die het abonnement stelt.",
        "The event did not arrive within the time that the subscription sets.",
    ),
    "overflow": Text(
        "Er wachtte te veel voor dit abonnement; het oudste werd niet meer geprobeerd.",
        "Too much was waiting for this subscription; the oldest was tried no longer.",
    ),
}  # fmt: skip
"""Every code that an outcome may have, with its explanation."""

_OTHER = Text("De bezorging lukte niet.", "The delivery did not succeed.")


def explained(trouble: str) -> Text:
    """What a code says in words. A code may be of several parts (`expired:too-slow`): why it is tried no longer, and what was
    wrong the last time."""
    found = [TROUBLES[part] for part in trouble.split(":") if part in TROUBLES]
    if not found:
        return _OTHER
    return Text(" ".join(text.nl for text in found), " ".join(text.en for text in found))


def held_to(delivery: Delivery, names: Collection[str]) -> Delivery:
    """A delivery with no more data than is agreed now: a notice may have named more when the event was written.

    Args:
        delivery: by a notice, so that its data is one JSON object.
        names: of the data that may leave.
    """
    event = delivery.event
    if event.data is None:
        return delivery
    members = _MEMBERS.decode(event.data)
    kept = {name: value for name, value in members.items() if name in names}
    if len(kept) == len(members):
        return delivery
    data = msgspec.json.encode(kept) if kept else None
    form = event.datacontenttype if kept else None
    return msgspec.structs.replace(
        delivery, event=msgspec.structs.replace(event, data=data, datacontenttype=form)
    )


def event_of(delivery: Delivery) -> CloudEvent:
    """The event as its recipient gets it: with its own handle and number."""
    event = delivery.event
    extensions = {**event.extensions, "sequence": str(delivery.sequence), "sequencetype": "Integer"}
    return msgspec.structs.replace(event, subject=delivery.subject, extensions=extensions)


def crossing_event(delivery: Delivery) -> CloudEvent:
    """The event as another node gets it: also with the notice by which it is told, and the trace that both record."""
    event = event_of(delivery)
    more = {"traceparent": f"00-{delivery.trace_id}-{new_span_id()}-01"}
    if delivery.notice:
        more["notice"] = delivery.notice
    return msgspec.structs.replace(event, extensions={**event.extensions, **more})
