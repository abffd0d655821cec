"""A room's route, given what it asks for by name: its caller, the trace, and the services of the node.

The framework could inject these, at a tenth of a millisecond per request for its task group; a plain call does it
for nothing, and says at start-up, not at the first request, when a name is unknown.
"""

import inspect
import typing
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from litestar import Request
from litestar.handlers import HTTPRouteHandler

from sluis.kernel import Trace
from sluis.web.access import Callers, identified

_CALLERS: dict[str, Callers] = {"peer": "peers", "person": "people", "caller": "both"}


def bound(handler: HTTPRouteHandler, services: Mapping[str, object]) -> HTTPRouteHandler:
    """A copy of `handler` whose caller, trace and services are filled in, and that says whom it serves.

    Raises `TypeError` for a route that serves nobody in particular without being marked open, or is not async.
    """
    function: Any = handler.fn
    if not inspect.iscoroutinefunction(function):
        raise TypeError(f"route {function.__name__} is not async")
    signature = inspect.signature(function)
    sources = _sources(set(signature.parameters), services)

    async def call(request: Request[Any, Any, Any], **given: Any) -> Any:
        scope = request.scope
        for name, source in sources.items():
            given[name] = source(scope)
        return await function(**given)

    taken = [parameter for name, parameter in signature.parameters.items() if name not in sources]
    hints = typing.get_type_hints(function, include_extras=True)
    wants_request = "request" in signature.parameters
    if wants_request:
        raise TypeError(f"route {function.__name__} takes the request itself; take what it needs by name")
    own = inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request[Any, Any, Any])
    keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in taken]
    adapter: Any = call
    adapter.__signature__ = signature.replace(parameters=[*keyword, own])
    adapter.__annotations__ = {
        **{name: hint for name, hint in hints.items() if name not in sources},
        "request": Request[Any, Any, Any],
    }
    adapter.__name__, adapter.__doc__, adapter.__module__ = (
        function.__name__,
        function.__doc__,
        function.__module__,
    )
    made = copy(handler)
    made.opt = {**handler.opt, "callers": _callers_of(handler, set(signature.parameters))}
    return made(adapter)


def _sources(names: set[str], services: Mapping[str, object]) -> dict[str, Callable[[Any], Any]]:
    found: dict[str, Callable[[Any], Any]] = dict.fromkeys(names & set(_CALLERS), identified)
    found |= {name: _constant(services[name]) for name in names & set(services)}
    if "trace" in names:
        found["trace"] = _trace
    return found


def _callers_of(handler: HTTPRouteHandler, names: set[str]) -> Callers:
    named = names & set(_CALLERS)
    if handler.opt.get("open") and not named:
        return "anyone"
    if len(named) != 1:
        raise TypeError(
            f"route {handler.fn.__name__} must take one of peer, person, caller, or be marked open"
        )
    return _CALLERS[named.pop()]


def _trace(scope: Mapping[str, Any]) -> Trace:
    header = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
    return Trace.parse(header.decode("latin-1")) or Trace.begin()


def _constant(value: object) -> Callable[[Any], Any]:
    return lambda scope: value
