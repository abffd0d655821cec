"""The calls of the AuthZEN Authorization API 1.0, without the network: a request as plain values in, the answer out.

Evaluation (§6), evaluations with defaults and semantics (§7), and the three searches (§8). By the policies and the moment
alone, so that the record of a call can be replayed. Limits are ours; they keep one call from holding up the others.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, get_args

import msgspec

from sluis.crypto import canonical
from sluis.kernel import Invalid, Text, convert
from sluis.policy.engine import Engine
from sluis.policy.model import Action, Evaluation, Id, Label, Properties, Resource, Subject
from sluis.policy.records import Event, response_of
from sluis.policy.values import uid_of

EVALUATION, EVALUATIONS, SEARCH_SUBJECT, SEARCH_ACTION, SEARCH_RESOURCE = get_args(Event)

MOST_EVALUATIONS = 200
"""In one call."""

PAGE, LARGEST_PAGE = 100, 500
"""Results in a page when the request does not say, and at most."""

MOST_TRIED = 500
"""Decisions for one page: what comes after them is for the next, be it that this one is not full."""

Answer = tuple[dict[str, Any], bool]
"""The response, and whether no decision could be made."""

PARTS = ("subject", "action", "resource", "context", "evaluations", "options", "page")
"""What a request may hold; the rest is passed over, and not written down."""

SEMANTICS = ("execute_all", "deny_on_first_deny", "permit_on_first_permit")
_IDENTIFYING = {"subject": ("type", "id"), "action": ("name",), "resource": ("type", "id"), "context": ()}


class _Of(msgspec.Struct, frozen=True):
    """A subject or resource that is searched for: of this type."""

    type: Label
    properties: Properties = {}


class _Page(msgspec.Struct, frozen=True):
    """Which page: `token` as 1.0 has it, `next_token` as its drafts did."""

    limit: int | None = None
    token: str | None = None
    next_token: str | None = None


class _SubjectSearch(msgspec.Struct, frozen=True):
    subject: _Of
    action: Action
    resource: Resource
    context: Properties = {}
    page: _Page = _Page()


class _ResourceSearch(msgspec.Struct, frozen=True):
    subject: Subject
    action: Action
    resource: _Of
    context: Properties = {}
    page: _Page = _Page()


class _ActionSearch(msgspec.Struct, frozen=True):
    subject: Subject
    resource: Resource
    context: Properties = {}
    page: _Page = _Page()


_Search = _SubjectSearch | _ResourceSearch | _ActionSearch
_FORMS: dict[str, type[_Search]] = {
    SEARCH_SUBJECT: _SubjectSearch,
    SEARCH_RESOURCE: _ResourceSearch,
    SEARCH_ACTION: _ActionSearch,
}


def answer(engine: Engine, event: Event, request: dict[str, Any], moment: datetime) -> Answer:
    """Answer a call.

    Args:
        engine: the policies.
        event: which call.
        request: plain values; what is not known in them is passed over.
        moment: aware UTC.

    Raises:
        Invalid: the request misses something, or does not fit.
    """
    if event == EVALUATION or (event == EVALUATIONS and not request.get("evaluations")):
        return _one(engine, _read(request, Evaluation), moment)
    if event == EVALUATIONS:
        return _many(engine, request, moment)
    return _search(engine, event, _read(request, _FORMS[event]), request, moment)


def _one(engine: Engine, evaluation: Evaluation, moment: datetime) -> Answer:
    decided = engine.decide(evaluation, moment)
    return response_of(decided), decided.failed


def _many(engine: Engine, request: dict[str, Any], moment: datetime) -> Answer:
    items, semantic = request["evaluations"], _semantic(request.get("options"))
    if not isinstance(items, list) or len(items) > MOST_EVALUATIONS:
        raise _unreadable(
            Text(
                f"`evaluations` is een lijst van hoogstens {MOST_EVALUATIONS} verzoeken.",
                f"`evaluations` is a list of at most {MOST_EVALUATIONS} requests.",
            )
        )
    answers, any_failed = [], False
    for item in items:
        response, failed = _item(engine, _merged(request, item), moment)
        any_failed = any_failed or failed
        answers.append(response)
        if semantic == ("permit_on_first_permit" if response["decision"] else "deny_on_first_deny"):
            break
    return {"evaluations": answers}, any_failed


def _item(engine: Engine, item: Any, moment: datetime) -> Answer:
    """One of many: what is wrong with it is said in its own place, and it is denied."""
    try:
        return _one(engine, _read(item, Evaluation), moment)
    except Invalid as problem:
        error = {"status": problem.status, "message": f"{problem.what.en} {problem.why.en}"}
        return {"decision": False, "context": {"error": error}}, False


def _semantic(options: Any) -> str:
    wanted = options.get("evaluations_semantic", SEMANTICS[0]) if isinstance(options, dict) else SEMANTICS[0]
    if wanted not in SEMANTICS:
        raise _unreadable(
            Text(
                f"`evaluations_semantic` is een van {', '.join(SEMANTICS)}.",
                f"`evaluations_semantic` is one of {', '.join(SEMANTICS)}.",
            )
        )
    return str(wanted)


def _merged(request: dict[str, Any], item: Any) -> Any:
    """An evaluation with the defaults of the call: a part that it has itself stands whole, but for what identifies it."""
    if not isinstance(item, dict):
        return item
    merged: dict[str, Any] = {}
    for part, identifying in _IDENTIFYING.items():
        given, default = item.get(part), request.get(part)
        if isinstance(given, dict) and isinstance(default, dict):
            given = _whole(default, given, identifying)
        if given is not None or default is not None:
            merged[part] = default if given is None else given
    return merged


def written_out(request: dict[str, Any], types: Collection[str]) -> dict[str, Any]:
    """A call of many evaluations in which every subject and resource of these types says its own type and id, whichever of
    the two came from the defaults. Any other call is given back as it is."""
    items = request.get("evaluations")
    if not isinstance(items, list):
        return request
    made = dict(request)
    for part in ("subject", "resource"):
        default = request.get(part)
        if not isinstance(default, dict):
            continue
        written = []
        for item in items:
            given = item.get(part) if isinstance(item, dict) else None
            whole = _whole(default, given, _IDENTIFYING[part]) if isinstance(given, dict) else {}
            written.append({**item, part: whole} if is_of(whole, types) else item)
        if written != items and "type" not in default:  # its id is a number then, for all that is known
            made[part] = {name: value for name, value in default.items() if name != "id"}
        items = written
    return {**made, "evaluations": items}


def is_of(one: dict[str, Any], types: Collection[str]) -> bool:
    """Whether something in a request is of one of these types."""
    kind = one.get("type")
    return isinstance(kind, str) and kind in types


def _whole(default: dict[str, Any], given: dict[str, Any], identifying: Sequence[str]) -> dict[str, Any]:
    return {**{name: default[name] for name in identifying if name in default}, **given}


def _search(
    engine: Engine, event: Event, search: _Search, request: dict[str, Any], moment: datetime
) -> Answer:
    """Those of the known subjects, resources or actions for which the decision is yes, in order, by the page."""
    limit = PAGE if search.page.limit is None else min(search.page.limit, LARGEST_PAGE)
    if limit < 1:
        raise _unreadable(Text("`limit` is minstens 1.", "`limit` is at least 1."))
    asked = _digest(engine, event, request)
    after = _after(search.page.token or search.page.next_token, asked)
    results: list[dict[str, str]] = []
    tried, last, following = 0, "", ""
    any_failed = False
    for name, shown, evaluation in _candidates(engine, search):
        if after is not None and name <= after:
            continue
        if len(results) == limit or tried == MOST_TRIED:
            following = _token(last, asked)
            break
        decided = engine.decide(evaluation, moment)
        any_failed = any_failed or decided.failed
        tried, last = tried + 1, name
        if decided.permit:
            results.append(shown)
    return {"results": results, "page": {"next_token": following, "count": len(results)}}, any_failed


def _candidates(engine: Engine, search: _Search) -> Iterator[tuple[str, dict[str, str], Evaluation]]:
    """What could be found, by name. A subject or resource that is not known has nothing to be found."""

    def known(one: Subject | Resource) -> bool:
        return uid_of(one.type, one.id) in engine.entities

    match search:
        case _SubjectSearch(subject=one):
            for id in engine.known(one.type) if known(search.resource) else ():
                subject = Subject(one.type, id, one.properties)
                yield id, {"type": one.type, "id": id}, Evaluation(
                    subject, search.action, search.resource, search.context)  # fmt: skip
        case _ResourceSearch(resource=one):
            for id in engine.known(one.type) if known(search.subject) else ():
                resource = Resource(one.type, id, one.properties)
                yield id, {"type": one.type, "id": id}, Evaluation(
                    search.subject, search.action, resource, search.context)  # fmt: skip
        case _ActionSearch():
            for name in engine.actions() if known(search.subject) and known(search.resource) else ():
                yield name, {"name": name}, Evaluation(
                    search.subject, Action(name), search.resource, search.context)  # fmt: skip


def _digest(engine: Engine, event: Event, request: dict[str, Any]) -> str:
    """What a page token belongs to: this search, by these policies."""
    asked = {name: value for name, value in request.items() if name != "page"}
    return sha256(canonical([engine.version, event, asked])).hexdigest()[:32]


def _token(last: str, asked: str) -> str:
    return urlsafe_b64encode(canonical([asked, last])).decode().rstrip("=")


def _after(token: str | None, asked: str) -> str | None:
    if not token:
        return None
    try:
        digest, last = msgspec.json.decode(
            urlsafe_b64decode(token + "=" * (-len(token) % 4)), type=tuple[str, Id]
        )
    except (ValueError, msgspec.MsgspecError):
        digest, last = "", ""
    if digest != asked:
        raise _unreadable(
            Text(
                "De pagina hoort niet bij deze zoekvraag, of de regels zijn gewijzigd.",
                "The page does not belong to this search, or the policies have changed.",
            )
        )
    return last


def _read(request: Any, kind: type[Any]) -> Any:
    try:
        return convert(request, kind)
    except msgspec.ValidationError as problem:
        raise _unreadable(Text(f"De lezer meldt: {problem}.", f"The parser says: {problem}.")) from None


def _unreadable(why: Text) -> Invalid:
    return Invalid(
        "request-unreadable",
        Text("Dit verzoek om een beslissing klopt niet.", "This request for a decision is not right."),
        why,
        Text("Zie de Authorization API 1.0 van AuthZEN.", "See AuthZEN's Authorization API 1.0."),
    )
