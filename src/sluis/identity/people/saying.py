"""What this room tells: refusals for people, and records for the ledger."""

from collections.abc import Mapping, Sequence
from typing import Any

from sluis.identity.people.model import Allowed, AskedAct, Denied, Evidence, Guardianship, Mandate
from sluis.kernel import NotFound, Refused, Text, new_span_id, plain
from sluis.ledger import Arrangement

WHY: Mapping[str, Text] = {
    "self": Text("Voor uzelf", "For yourself"),
    "director": Text("Volgens het handelsregister", "By the trade register"),
    "joint": Text(
        "Volgens het handelsregister, samen met een medebestuurder",
        "By the trade register, together with a fellow director",
    ),
    "mandate": Text("Door een machtiging", "By a mandate"),
    "chain": Text("Door een ketenmachtiging", "By a chain mandate"),
    "guardian": Text("Als wettelijk vertegenwoordiger", "As legal representative"),
    "sign-in": Text("Zoals u bent ingelogd", "As you signed in"),
}
"""On what a choice rests, for people."""


def refused(denied: Denied) -> Refused:
    """The problem of somebody who may not represent."""
    return Refused(
        "may-not-represent",
        Text("U mag dit niet namens een ander doen.", "You may not do this on behalf of somebody else."),
        denied.reason,
        Text(
            "Vraag wie wel mag tekenen, of kies voor wie u handelt.",
            "Ask who may sign, or choose for whom you act.",
        ),
        rule=denied.rule,
    )


def cannot_sign() -> Refused:
    """The problem of who signs for a company of which they are no director."""
    return Refused(
        "cannot-sign",
        Text("U kunt dit niet meetekenen.", "You cannot sign this with another."),
        Text(
            "Meetekenen kan een andere bestuurder van hetzelfde bedrijf.",
            "Another director of the same company can do so.",
        ),
        Text("Vraag een andere bestuurder.", "Ask another director."),
        rule="cannot-sign",
    )


def nobody_there() -> NotFound:
    """The problem of a company that is not there, or in which somebody is nobody: the two read the same."""
    return NotFound(
        "no-office-there",
        Text("U kunt niet voor dit bedrijf kiezen.", "You cannot choose this company."),
        Text(
            "Het handelsregister noemt u daar niet als bevoegd, of het bedrijf bestaat niet.",
            "The trade register does not name you as authorised there, or the company does not exist.",
        ),
        Text(
            "Controleer het KVK-nummer, of vraag het bedrijf om een machtiging.",
            "Check the KVK number, or ask the company for a mandate.",
        ),
    )


def not_there() -> NotFound:
    """The problem of a mandate, guardianship or contact person that is not there, or is none of the caller's."""
    return NotFound(
        "unknown-arrangement",
        Text("Dit bestaat hier niet.", "This does not exist here."),
        Text("Het is er niet, of het is niet van u.", "It is not there, or it is not yours."),
        Text("Kijk in uw eigen overzicht.", "See your own list."),
    )


def act_record(action: str, actor: str, one: AskedAct, now: int, found: Allowed | None = None) -> Arrangement:
    """The record of what happened to an act; its trace is the number of the act.

    Args:
        action: `act.ask`, `act.done`, `act.refuse` or `act.withdraw`.
        actor: pseudonym.
        one: which.
        now: seconds since the epoch.
        found: on what it rests.
    """
    body: dict[str, Any] = {
        "act": plain(one.act), "digest": one.act.digest, "state": one.state, "asked_by": one.person, "client": one.client,
    }  # fmt: skip
    if found is not None:
        body |= {"kind": found.kind, "evidence": _evidence(found.evidence)}
    if one.other:
        body["signed_with"] = [one.person]
    return Arrangement(one.id, new_span_id(), action, actor, f"urn:sluis:act:{one.id}", now * 1000, body=body)


def mandate_record(
    action: str, actor: str, mandate: Mandate, now: int, found: Allowed | None = None
) -> Arrangement:
    """The record of what happened to a mandate; its trace is the number of the mandate. Args: as `act_record`."""
    terms = mandate.terms
    body: dict[str, Any] = {
        "terms": plain(terms), "digest": terms.digest, "state": mandate.state, "holder": mandate.holder,
    }  # fmt: skip
    if found is not None:
        body |= {"kind": found.kind, "evidence": _evidence(found.evidence)}
    return Arrangement(mandate.id, new_span_id(), action, actor, mandate.urn, now * 1000, body=body)


def guardian_record(action: str, actor: str, one: Guardianship, now: int) -> Arrangement:
    """The record of what happened to a guardianship. Args: as `act_record`."""
    body: dict[str, Any] = {
        "kind": one.kind, "guardian": one.guardian, "ward": one.ward, "since": one.since, "evidence": one.evidence,
        "services": list(one.services),
    }  # fmt: skip
    if one.until is not None:
        body["until"] = one.until
    urn = f"urn:sluis:guardianship:{one.id}"
    return Arrangement(one.id, new_span_id(), action, actor, urn, now * 1000, body=body)


def contact_record(action: str, actor: str, number: str, entity: str, now: int) -> Arrangement:
    """The record that a contact person was changed; without who it is. Args: as `act_record`."""
    body: dict[str, Any] = {"entity": entity}
    urn = f"urn:sluis:contact:{number}"
    return Arrangement(number, new_span_id(), action, actor, urn, now * 1000, body=body)


def _evidence(found: Sequence[Evidence]) -> list[Any]:
    return [plain(one) for one in found]
