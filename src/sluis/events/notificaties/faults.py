"""What is wrong with a request, and how the ZGW APIs say so: `Fout` and `ValidatieFout`, which are RFC 7807 with a code and,
for a body, the fields that are not right."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid4

import msgspec

from sluis.kernel import Conflict, Invalid, NotFound, Problem, Refused, Text, Unidentified, Unkept
from sluis.policy import Decided


class Param(msgspec.Struct, frozen=True):
    """A field that is not right: its name, a code as the ZGW APIs use them, and why."""

    name: str
    code: str
    reason: Text


class Unfit(Invalid):
    """A body with fields that are not right.

    Args:
        params: all of them.
    """

    def __init__(self, params: Sequence[Param]) -> None:
        super().__init__(
            "invalid",
            Text("Deze invoer klopt niet.", "This input is not right."),
            Text("Een of meer velden kunnen zo niet.", "One or more fields cannot be so."),
            Text("Verbeter de genoemde velden.", "Correct the fields that are named."),
        )
        self.params = params


class WrongMediaType(Invalid):
    """A body that is no JSON."""

    status = 415

    def __init__(self) -> None:
        super().__init__(
            "unsupported_media_type",
            Text("Deze API leest alleen JSON.", "This API only reads JSON."),
            Text("`Content-Type` is niet `application/json`.", "`Content-Type` is not `application/json`."),
            Text("Stuur JSON.", "Send JSON."),
        )


def unidentified(why: Text) -> Unidentified:
    """The token is missing, or not believed."""
    return Unidentified(
        "not_authenticated",
        Text("Deze toepassing heeft zich niet bekendgemaakt.", "This application did not identify itself."),
        why,
        Text(
            "Stuur een JWT met uw `client_id`, getekend met uw geheim.",
            "Send a JWT with your `client_id`, signed with your secret.",
        ),
    )


def not_allowed(scope: str) -> Refused:
    """An application may not do this."""
    return Refused(
        "permission_denied",
        Text("Deze toepassing mag dit niet.", "This application may not do this."),
        Text(f"Zij heeft de scope `{scope}` niet.", f"It does not have the scope `{scope}`."),
        Text("Vraag de beheerder van dit knooppunt om die scope.", "Ask who runs this node for that scope."),
        rule="scope",
    )


def not_permitted(decided: Decided, naam: str) -> Refused:
    """The policies of this node do not let an application use a channel."""
    return Refused(
        "permission_denied",
        Text("Deze toepassing mag dit niet.", "This application may not do this."),
        decided.reason or Text(f"Een regel van dit knooppunt staat het niet toe voor kanaal `{naam}`.",
                               f"A policy of this node does not allow it for channel `{naam}`."),
        Text("Vraag de beheerder van dit knooppunt.", "Ask who runs this node."),
        rule=decided.rule,
        legal=decided.legal,
    )  # fmt: skip


def unknown(kind: str) -> NotFound:
    """There is no such thing, or it is another's."""
    return NotFound(
        "not_found",
        Text(f"Dit {kind} bestaat niet.", f"There is no such {kind}."),
        Text("Het is er niet, of het is niet van u.", "It is not there, or it is not yours."),
        Text("Vraag de lijst op.", "Ask for the list."),
    )


def too_many(kind: str, most: int) -> Conflict:
    """There are as many as there may be."""
    return Conflict(
        "too_many",
        Text(f"Er kan geen {kind} meer bij.", f"There is no room for another {kind}."),
        Text(f"Er kunnen er {most} zijn.", f"There may be {most}."),
        Text("Verwijder er een.", "Delete one."),
    )


_CODES: Final[dict[type[Problem], str]] = {
    Unidentified: "not_authenticated",
    Refused: "permission_denied",
    NotFound: "not_found",
    Unkept: "service_unavailable",
}


def document(problem: Problem, language: str = "nl") -> dict[str, Any]:
    """A problem as `Fout` or `ValidatieFout`."""

    def say(text: Text) -> str:
        return text.said_in(language)

    found: dict[str, Any] = {
        "type": f"urn:sluis:problem:{problem.code}",
        "code": _CODES.get(type(problem), problem.code),
        "title": say(problem.what),
        "status": problem.status,
        "detail": f"{say(problem.why)} {say(problem.next)}",
        "instance": f"urn:uuid:{uuid4()}",
    }
    if problem.status == 400:
        params = problem.params if isinstance(problem, Unfit) else ()
        found["invalidParams"] = [
            {"name": one.name, "code": one.code, "reason": say(one.reason)} for one in params
        ]
    return found
