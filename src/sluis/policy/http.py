"""The decision point over HTTP: AuthZEN Authorization API 1.0 (§10, HTTPS binding) with AuthZEN NL GOV 1.0.0.

A denial is an answer like any other (200). What is wrong with a request is a problem (RFC 9457) with the status that the
standard asks; a caller need look at no more than the status. Every call but that of the metadata leaves one record.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from sluis.crypto import read_json
from sluis.kernel import Invalid, Text, Trace
from sluis.policy.calls import EVALUATION, EVALUATIONS, SEARCH_ACTION, SEARCH_RESOURCE, SEARCH_SUBJECT
from sluis.policy.records import Event
from sluis.policy.service import Call, DecisionPoint

Who = Callable[[Request[Any, Any, Any]], Awaitable[str]]
"""The name of the program or person that calls, as it stands in the record; never a secret. Raises `Unidentified` or
`Refused`."""

LARGEST = 262_144
"""Bytes in a request."""

MOST_VALUES = 4_000
"""In a request. A search takes in what policies look at once for every decision."""

_ENDPOINTS: dict[Event, tuple[str, str]] = {
    "adl.access_evaluation": ("access_evaluation_endpoint", "/access/v1/evaluation"),
    "adl.access_evaluations": ("access_evaluations_endpoint", "/access/v1/evaluations"),
    "adl.search_subject": ("search_subject_endpoint", "/access/v1/search/subject"),
    "adl.search_resource": ("search_resource_endpoint", "/access/v1/search/resource"),
    "adl.search_action": ("search_action_endpoint", "/access/v1/search/action"),
}
WELL_KNOWN = "/.well-known/authzen-configuration"

_TRANSACTION = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,200}")


def routes(point: DecisionPoint, who: Who, address: str) -> list[HTTPRouteHandler]:
    """The routes of the decision point, below the root: its calls, and where they are.

    Args:
        point: decides.
        who: knows who calls.
        address: URL of this decision point, as callers know it, without a slash at the end.
    """

    @get(WELL_KNOWN, opt={"open": True}, include_in_schema=False, middleware=[_with_request_id])
    async def configuration() -> Response[dict[str, Any]]:
        """Wat dit beslispunt kan, en waar (AuthZEN 1.0, PDP Metadata)."""
        endpoints = {name: address + path for name, path in _ENDPOINTS.values()}
        return Response({"policy_decision_point": address, **endpoints})

    return [configuration, *call_routes(point, who)]


def call_routes(point: DecisionPoint, who: Who) -> list[HTTPRouteHandler]:
    """The calls alone; arguments as `routes`."""

    async def answer(event: Event, request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
        caller = await who(request)
        asked = await _body(request)
        trace = _trace(asked, request)
        crossed = request.headers.get("fsc-transaction-id", "").lower()
        transaction_id = crossed if _TRANSACTION.fullmatch(crossed) else None
        return Response(await point.call(Call(event, asked, trace, caller, transaction_id)))

    def route(event: Event, what: str) -> HTTPRouteHandler:
        async def handle(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
            return await answer(event, request)

        handle.__doc__ = what
        made: HTTPRouteHandler = post(
            _ENDPOINTS[event][1], status_code=200, opt={"open": True, "cross_site": True}, include_in_schema=False,
            request_max_body_size=LARGEST, middleware=[_with_request_id],
        )(handle)  # fmt: skip
        return made

    return [
        route(EVALUATION, "Mag dit?"),
        route(EVALUATIONS, "Mogen deze dingen?"),
        route(SEARCH_SUBJECT, "Wie mag dit?"),
        route(SEARCH_RESOURCE, "Waarmee mag dit?"),
        route(SEARCH_ACTION, "Wat mag hier?"),
    ]


async def _body(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """The request as plain values. Raises Invalid when it is no JSON object, by its own word or in fact."""
    kind, _ = request.content_type
    if kind != "application/json":
        raise _no_object(
            Text(
                "De `Content-Type` is niet `application/json`.",
                "The `Content-Type` is not `application/json`.",
            )
        )
    value = read_json(await request.body(), most=MOST_VALUES)
    if not isinstance(value, dict):
        raise _no_object(Text("Het verzoek is geen object.", "The request is no object."))
    return value


def _trace(asked: dict[str, Any], request: Request[Any, Any, Any]) -> Trace | None:
    """The trace that the decision belongs to (NL GOV: `context.traceparent`), else that of the call itself."""
    context = asked.get("context")
    told = context.get("traceparent") if isinstance(context, dict) else None
    return Trace.parse(told if isinstance(told, str) else None) or Trace.parse(
        request.headers.get("traceparent")
    )


def _with_request_id(app: ASGIApp) -> ASGIApp:
    """Every answer to a request with an `X-Request-ID`, be it a problem, has the same one; and a 401 says how one identifies
    oneself (RFC 6750 §3)."""

    async def through(scope: Scope, receive: Receive, send: Send) -> None:
        sent = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = [(b"x-request-id", sent)] if _REQUEST_ID.fullmatch(sent) else []
                more += [(b"www-authenticate", b"Bearer")] if message["status"] == 401 else []
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await app(scope, receive, named)

    return through


def _no_object(why: Text) -> Invalid:
    return Invalid(
        "no-json-object",
        Text("Dit verzoek om een beslissing klopt niet.", "This request for a decision is not right."),
        why,
        Text("Stuur een JSON-object.", "Send a JSON object."),
    )
