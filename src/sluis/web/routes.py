"""A room's route, given what it asks for by name: its caller, the trace, and the services of the node.

The framework could inject these, at a tenth of a millisecond per request for its task group; a plain call does it
for nothing, and says at start-up, not at the first request, when a name is unknown.
"""

import inspect
from collections.abc import Callable, Mapping
from copy import copy
from typing import Annotated, Any, get_origin, get_type_hints

from litestar import Litestar, Request
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body, PathParameter, QueryParameter
from litestar.routes import HTTPRoute

from sluis.kernel import Trace
from sluis.web.access import Callers, identified

_CALLERS: dict[str, Callers] = {"peer": "peers", "person": "people", "caller": "both", "visitor": "visitors"}

Form = Mapping[str, str]
"""What was filled in on a page, by the name of the field; each is there once."""

FORM = "sluis.form"
"""Key in the scope of a request's `Form`, and in the `opt` of a route that takes one."""


def served(framework: Litestar) -> list[tuple[str, str, HTTPRouteHandler]]:
    """Every route that a room gave a framework, as (method, path, handler)."""
    return [
        (method, route.path_format, handler)
        for route in framework.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if "callers" in handler.opt
        for method in sorted(handler.http_methods)
    ]


def bound(handler: HTTPRouteHandler, services: Mapping[str, object]) -> HTTPRouteHandler:
    """A copy of `handler` whose caller, trace and services are filled in, and that says whom it serves.

    Raises `TypeError` for a route that serves nobody in particular without being marked open, or is not async.
    """
    function: Any = handler.fn
    if not inspect.iscoroutinefunction(function):
        raise TypeError(f"route {function.__name__} is not async")
    parameters = inspect.signature(function).parameters
    sources = _sources(set(parameters), services)
    wants_request = "request" in parameters

    async def call(request: Request[Any, Any, Any], **given: Any) -> Any:
        for name, source in sources.items():
            given[name] = source(request.scope)
        if wants_request:
            given["request"] = request
        return await function(**given)

    paths = "".join(handler.paths)
    told = {
        name: hint
        for name, hint in get_type_hints(function, include_extras=True).items()
        if name not in sources
    }
    hints = {name: _marked(name, hint, paths) for name, hint in told.items()} | {
        "request": Request[Any, Any, Any]
    }
    _dress(call, function, [one for one in parameters.values() if one.name not in sources], hints)
    made = copy(handler)
    made.opt = {**handler.opt, "callers": _callers_of(handler, set(parameters))}
    if "form" in parameters:
        made.opt[FORM] = True
    made.summary = handler.summary or (function.__doc__ or "").split("\n")[0].rstrip(".") or None
    return made(call)


def _dress(adapter: Any, function: Any, parameters: list[inspect.Parameter], hints: dict[str, Any]) -> None:
    """Give the adapter the face that the framework reads: what `function` takes from the request, and the request."""
    names = {parameter.name: parameter.default for parameter in parameters} | {
        "request": inspect.Parameter.empty
    }
    adapter.__signature__ = inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hints[name])
            for name, default in names.items()
        ],
        return_annotation=hints.get("return", inspect.Signature.empty),
    )
    adapter.__annotations__ = hints
    adapter.__name__, adapter.__doc__, adapter.__module__ = (
        function.__name__,
        function.__doc__,
        function.__module__,
    )


def _marked(name: str, hint: Any, paths: str) -> Any:
    """A type hint with the mark by which the framework knows where the value comes from."""
    if name in ("return", "request") or get_origin(hint) is Annotated:
        return hint
    if name == "data":
        return Annotated[hint, Body(media_type=RequestEncodingType.JSON)]
    return Annotated[hint, PathParameter() if f"{{{name}:" in paths else QueryParameter()]


def _sources(names: set[str], services: Mapping[str, object]) -> dict[str, Callable[[Any], Any]]:
    found: dict[str, Callable[[Any], Any]] = dict.fromkeys(names & set(_CALLERS), identified)
    found |= {name: _constant(services[name]) for name in names & set(services)}
    if "trace" in names:
        found["trace"] = _trace
    if "form" in names:
        found["form"] = _form
    return found


def _callers_of(handler: HTTPRouteHandler, names: set[str]) -> Callers:
    named = names & set(_CALLERS)
    if handler.opt.get("open") and not named:
        return "anyone"
    if len(named) != 1:
        raise TypeError(
            f"route {handler.fn.__name__} must take one of {', '.join(_CALLERS)}, or be marked open"
        )
    return _CALLERS[named.pop()]


def _trace(scope: Mapping[str, Any]) -> Trace:
    header = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
    return Trace.parse(header.decode("latin-1")) or Trace.begin()


def _form(scope: Mapping[str, Any]) -> Form:
    form: Form = scope[FORM]
    return form


def _constant(value: object) -> Callable[[Any], Any]:
    return lambda scope: value
