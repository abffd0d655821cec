"""The one place where what goes wrong becomes an HTTP answer: RFC 9457 problem details, in Dutch or English.

Rooms raise a `kernel.Problem`; decoding errors of msgspec and errors of the framework are made one here. Anything
else is a fault of ours: the caller gets an id, the operator's log the place in the code under the same id, and
neither gets a value.
"""

import logging
import re
import traceback
from collections.abc import Iterator
from typing import Any

import msgspec

from sluis.kernel import LEVELS, Invalid, NotFound, Problem, Text, new_transaction_id

MEDIA_TYPE = "application/problem+json"

log = logging.getLogger("sluis.web")

_FIELD = re.compile(r" - at `\$\.?([^`]*)`$")
_EXPECTED = re.compile(
    r"Expected .*?(?= - at `|$)"
)  # types and bounds of ours; other messages may quote values
_MISSING = re.compile(r"Object missing required field `([^`]*)`")
_BYTE = re.compile(r"\(byte (\d+)\)")


class NotAllowed(Invalid):
    """The path is known, the method is not (RFC 9110 §15.5.6)."""

    status = 405


class TooLarge(Invalid):
    """More than is taken (RFC 9110 §15.5.14)."""

    status = 413


class Failure(Problem):
    """A fault of ours."""

    status = 500


def body_of(problem: Problem, accept_language: str | None) -> tuple[bytes, str]:
    """The problem as JSON, and the language of its title and detail (`nl`, or `en` when that is preferred)."""
    language = preferred(accept_language)
    members = problem.members(language)
    if isinstance(problem, Failure):
        members["instance"] = f"urn:uuid:{problem.rule}"
        del members["rule"]
    return msgspec.json.encode(members), language


def preferred(accept_language: str | None) -> str:
    """`en` when Accept-Language (RFC 9110 §12.5.4) ranks English above Dutch, otherwise `nl`."""
    weights = {"nl": 0.0, "en": 0.0}
    for part in (accept_language or "").lower().split(","):
        tag, _, quality = part.strip().partition(";q=")
        language = tag[:2]
        if language in weights and tag[2:3] in ("", "-"):
            weights[language] = max(weights[language], _weight(quality))
    return "en" if weights["en"] > weights["nl"] else "nl"


def of_decoding(failure: msgspec.DecodeError) -> Invalid:
    """What a body that cannot be decoded is called: the field at fault and its type, never its value."""
    text = str(failure)
    if not isinstance(failure, msgspec.ValidationError):
        place = match[1] if (match := _BYTE.search(text)) else "?"
        return Invalid(
            "malformed-json",
            Text(
                "De inhoud van het verzoek is geen geldige JSON.",
                "The body of the request is not valid JSON.",
            ),
            Text(f"Het gaat mis bij byte {place}.", f"It breaks at byte {place}."),
            Text("Stuur geldige JSON in UTF-8.", "Send valid JSON in UTF-8."),
        )
    missing, where = _MISSING.match(text), _FIELD.search(text)
    path = ".".join(part for part in (where[1] if where else "", missing[1] if missing else "") if part)
    if missing:
        why = Text(f"Het veld '{path}' ontbreekt.", f"The field '{path}' is missing.")
    elif expected := _EXPECTED.match(text):
        why = Text(f"Veld '{path or '$'}': {expected[0]}.", f"Field '{path or '$'}': {expected[0]}.")
    else:
        why = Text(
            f"Veld '{path or '$'}' heeft een andere vorm.", f"Field '{path or '$'}' has another shape."
        )
    return Invalid(
        "invalid-body",
        Text("De inhoud van het verzoek klopt niet.", "The body of the request is not right."),
        why,
        Text("Vergelijk het verzoek met /v1/openapi.json.", "Compare the request with /v1/openapi.json."),
    )


def of_parameters(names: list[str]) -> Invalid:
    """Parameters, or a body, that are missing or of another type: by name, never by value."""
    listed = ", ".join(names) or "body"
    return Invalid(
        "invalid-request",
        Text("Het verzoek klopt niet.", "The request is not right."),
        Text(f"Ontbreekt of is van een ander type: {listed}.", f"Missing, or of another type: {listed}."),
        Text("Vergelijk het verzoek met /v1/openapi.json.", "Compare the request with /v1/openapi.json."),
    )


def unknown_path() -> NotFound:
    """No route has this path."""
    return NotFound(
        "unknown-path",
        Text("Dit adres bestaat niet.", "This address does not exist."),
        Text("Geen pad van deze API past erop.", "No path of this API matches it."),
        Text(
            "Kijk in /v1/openapi.json welke paden er zijn.", "See /v1/openapi.json for the paths there are."
        ),
    )


def unknown_page() -> NotFound:
    """No page has this path."""
    return NotFound(
        "unknown-page",
        Text("Deze pagina bestaat niet.", "This page does not exist."),
        Text("Het adres klopt niet, of de pagina is weg.", "The address is wrong, or the page is gone."),
        Text(
            "Controleer het adres, of ga naar de beginpagina.", "Check the address, or go to the first page."
        ),
    )


def method_not_allowed() -> NotAllowed:
    """The path has no such method."""
    return NotAllowed(
        "method-not-allowed",
        Text("Deze methode kan hier niet.", "This method cannot be used here."),
        Text("Dit pad kent andere methoden.", "This path has other methods."),
        Text("Kijk in /v1/openapi.json welke dat zijn.", "See /v1/openapi.json which they are."),
    )


def body_too_large(limit: int) -> Invalid:
    """The body is over the published limit, in bytes."""
    return Invalid(
        "body-too-large",
        Text("Het verzoek is te groot.", "The request is too large."),
        Text(f"De inhoud mag hoogstens {limit} bytes zijn.", f"The body may be {limit} bytes at most."),
        Text("Verdeel de vraag in kleinere vragen.", "Split the question into smaller ones."),
    )


def form_too_large(limit: int) -> TooLarge:
    """What was filled in is over the limit, in bytes."""
    most = f"{limit // 1000:,}"
    return TooLarge(
        "form-too-large",
        Text("U stuurt te veel in één keer.", "You send too much at once."),
        Text(
            f"Alles samen mag ongeveer {most.replace(',', '.')}.000 tekens lang zijn. Er is niets verstuurd.",
            f"All together may be about {most},000 characters long. Nothing was sent.",
        ),
        Text(
            "Ga terug in uw browser, maak de tekst korter en verstuur opnieuw.",
            "Go back in your browser, make the text shorter and send it again.",
        ),
    )


def malformed_request() -> Invalid:
    """The request as such cannot be understood."""
    return Invalid(
        "malformed-request",
        Text("Het verzoek is niet te begrijpen.", "The request cannot be understood."),
        Text(
            "Het is geen geldig HTTP, of een parameter klopt niet.",
            "It is not valid HTTP, or a parameter is wrong.",
        ),
        Text("Vergelijk het verzoek met /v1/openapi.json.", "Compare the request with /v1/openapi.json."),
    )


def failure_of(exception: BaseException) -> Failure:
    """Log where an unforeseen exception came from, without its text, and give the caller the id of that line."""
    reference = new_transaction_id()
    log.error("failure %s: %s", reference, " | ".join(_places(exception)))
    return Failure(
        "internal-failure",
        Text("Hier gaat iets mis aan onze kant.", "Something went wrong on our side."),
        Text(
            f"De beheerder vindt de oorzaak onder {reference}.",
            f"The operator finds the cause under {reference}.",
        ),
        Text(
            "Probeer het later opnieuw, of geef dit nummer door.", "Try again later, or pass on this number."
        ),
        rule=reference,
        retry=True,
    )


def _places(exception: BaseException | None) -> Iterator[str]:
    while exception is not None:
        frames = traceback.extract_tb(exception.__traceback__)[-4:]
        places = " < ".join(
            f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in reversed(frames)
        )
        yield f"{type(exception).__qualname__} at {places or '-'}"
        exception = exception.__cause__ or exception.__context__


def _short(path: str) -> str:
    return "/".join(path.split("/")[-2:])


def _weight(quality: str) -> float:
    try:
        return float(quality or 1)
    except ValueError:
        return 0.0


def problem_schema() -> dict[str, Any]:
    """JSON Schema of the problem document, for OpenAPI."""
    string, text = {"type": "string"}, {"$ref": "#/components/schemas/ProblemText"}
    return {
        "type": "object",
        "description": "RFC 9457 problem details.",
        "required": ["type", "status", "title", "detail", "code", "retry", "texts"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "title": string,
            "detail": string,
            "instance": {"type": "string", "format": "uri"},
            "code": {"type": "string", "description": "Stable name of this problem."},
            "retry": {"type": "boolean", "description": "Whether sending the same again may succeed."},
            "texts": {"type": "object", "required": ["nl", "en"], "properties": {"nl": text, "en": text}},
            "rule": {"type": "string", "description": "The rule that decided, for refusals."},
            "legalBasis": {"type": "string", "description": "The article the rule rests on."},
            "peer": {"type": "string", "description": "The other organisation concerned."},
            "level": {
                "enum": list(LEVELS),
                "description": "The assurance level with which this would have been allowed.",
            },
            "place": {
                "type": "object",
                "properties": {"file": string, "line": {"type": "integer", "minimum": 0}},
            },
        },
    }
