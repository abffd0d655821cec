"""How every API of a node behaves: the app factory, its headers, its problems and its access log.

REST API Design Rules 2.2 (Logius): version header, security headers, problem details, no redirects for trailing
slashes, 400 for input that is not right. Routes come from the rooms; what all of them share is here.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.enums import ScopeType
from litestar.exceptions import (
    ClientException,
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.types import HTTPScope, Receive, Scope, Send

from sluis.kernel import Bsn, Kvk, Oin, Problem
from sluis.web import problems
from sluis.web.access import Access, caller_label
from sluis.web.answer import Sending
from sluis.web.openapi import API_VERSION, BASE, About, Identifiers, configuration, finished
from sluis.web.routes import bound, served
from sluis.web.short import SHORT, JsonRequest, ShortWay, header, holds_nul

MAX_BODY = 16 * 1024 * 1024
"""Bytes of a request body, unless a route sets its own `request_max_body_size`."""

access_log = logging.getLogger("sluis.access")

_IDENTIFIERS: tuple[type, ...] = (Oin, Bsn, Kvk)

HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"api-version", API_VERSION.encode()),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)


class Api:
    """One node's API as an ASGI app: the framework inside, the rules for all answers around it."""

    def __init__(
        self,
        make_framework: Callable[[OpenAPIConfig | None], Litestar],
        about: About,
        access: Access,
    ) -> None:
        self._make_framework, self._about = make_framework, about
        self._framework = make_framework(None)
        self._short = {
            (method, path): ShortWay(handler, path, access)
            for method, path, handler in served(self._framework)
            if handler.opt.get(SHORT)
        }
        self._document: bytes | None = None

    @property
    def routes(self) -> list[tuple[str, str, str]]:
        """Every route as (method, path, callers), for whoever wants to prove something about all of them."""
        return [(method, path, one.opt["callers"]) for method, path, one in served(self._framework)]

    def document(self) -> dict[str, Any]:
        """The OpenAPI document of this API. Made by a framework of its own, so that serving carries none of it."""
        callers = {(method, path): callers for method, path, callers in self.routes}
        return finished(self._make_framework(configuration(self._about)), callers, self._about)

    def document_json(self) -> bytes:
        """The same as JSON text, made once."""
        if self._document is None:
            self._document = msgspec.json.encode(self.document())
        return self._document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return
        started, sending = time.perf_counter(), Sending(send, HEADERS)
        try:
            short = self._short.get((scope["method"], scope["path"]))
            if short is not None:
                await short(scope, receive, sending)
            elif _odd(scope["path"]) or holds_nul(scope):
                await _send(problems.unknown_path(), scope, sending)
            else:
                await self._framework(scope, receive, sending)
        except Exception as exception:
            most = most_body(scope, MAX_BODY)
            failure = problems.failure_of(exception) if sending.status else problem_of(exception, most)
            if not sending.status:
                await _send(failure, scope, sending)
            # Otherwise the answer had begun: the server breaks it off, so that nobody takes it for whole.
        finally:
            if access_log.isEnabledFor(logging.INFO):
                log_request(scope, sending.status, time.perf_counter() - started, caller_label(scope))


def make_api(
    handlers: Sequence[HTTPRouteHandler],
    access: Access,
    about: About,
    services: Mapping[str, object] | None = None,
) -> Api:
    """Gather the rooms' routes into one API.

    Args:
        handlers: routes, their paths below `/v1`. Each takes `peer`, `person` or `caller`, or is marked open.
            They may also take `trace: Trace`, the caller's trace or a new one.
        access: who is who.
        about: what the API's document says of the node.
        services: what routes take by name besides.

    Raises `TypeError` when a route serves nobody in particular without being marked open.
    """

    @get("/openapi.json", opt={"open": True}, include_in_schema=False)
    async def openapi() -> Response[bytes]:
        headers = {"access-control-allow-origin": "*"}
        return Response(api.document_json(), media_type="application/vnd.oai.openapi+json", headers=headers)

    def problem(request: Request[Any, Any, Any], failure: Problem) -> Response[bytes]:
        return _problem_response(failure, request.scope)

    def framework_error(request: Request[Any, Any, Any], failure: HTTPException) -> Response[bytes]:
        found = _translated(failure, most_body(request.scope, MAX_BODY))
        response = _problem_response(found, request.scope)
        if isinstance(failure, MethodNotAllowedException):
            allowed = (failure.headers or {}).get("allow", "").split(", ")
            response.headers["allow"] = ", ".join(sorted(set(allowed) - {"OPTIONS", ""}))
        return response

    def undecodable(request: Request[Any, Any, Any], failure: msgspec.DecodeError) -> Response[bytes]:
        return _problem_response(problems.of_decoding(failure), request.scope)

    def unforeseen(request: Request[Any, Any, Any], exception: Exception) -> Response[bytes]:
        return _problem_response(problems.failure_of(exception), request.scope)

    def framework(openapi_config: OpenAPIConfig | None) -> Litestar:
        return Litestar(
            route_handlers=[bound(handler, services or {}) for handler in (*handlers, openapi)],
            before_request=access.identify,
            exception_handlers={
                Problem: problem,
                HTTPException: framework_error,
                msgspec.DecodeError: undecodable,
                Exception: unforeseen,
            },
            path=BASE,
            request_class=JsonRequest,
            request_max_body_size=MAX_BODY,
            type_encoders=dict.fromkeys(_IDENTIFIERS, str.__str__),
            type_decoders=[(_is_identifier, lambda kind, value: kind(value))],
            openapi_config=openapi_config,
            plugins=[Identifiers()],
            logging_config=None,
            debug=False,
        )

    api = Api(framework, about, access)  # the document's own route, above, needs its name
    return api


def _is_identifier(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, _IDENTIFIERS)


def _odd(path: str) -> bool:
    """Paths that the framework would quietly take for another: the rules want 404 (core/no-trailing-slash)."""
    return "//" in path or (path.endswith("/") and path != "/")


def most_body(scope: Any, otherwise: int) -> int:
    """How many bytes a body may have at the route of a request; `otherwise` where no route is found yet."""
    handler = scope.get("route_handler")
    found = None if handler is None else handler.resolve_request_max_body_size()
    return found if isinstance(found, int) else otherwise


def problem_of(exception: Exception, most: int = MAX_BODY) -> Problem:
    """The problem that an exception is, whoever raised it. `most`: bytes of a body, as far as the route takes them."""
    if isinstance(exception, Problem):
        return exception
    if isinstance(exception, HTTPException):
        return _translated(exception, most)
    if isinstance(exception, msgspec.DecodeError):
        return problems.of_decoding(exception)
    return problems.failure_of(exception)


def _translated(failure: HTTPException, most: int) -> Problem:
    if isinstance(failure, NotFoundException):
        return problems.unknown_path()
    if isinstance(failure, MethodNotAllowedException):
        return problems.method_not_allowed()
    if isinstance(failure, RequestEntityTooLarge):
        return problems.body_too_large(most)
    if isinstance(failure, ValidationException):
        extra = failure.extra if isinstance(failure.extra, list) else []
        return problems.of_parameters(
            [str(part.get("key", "body")) for part in extra if isinstance(part, dict)]
        )
    if isinstance(failure, ClientException):
        return problems.malformed_request()
    return problems.failure_of(failure)


def _problem_response(problem: Problem, scope: Scope) -> Response[bytes]:
    content, language = problems.body_of(problem, header(scope, b"accept-language"))
    headers = {"content-language": language}
    if problem.seconds:
        headers["retry-after"] = str(problem.seconds)
    return Response(content, status_code=problem.status, media_type=problems.MEDIA_TYPE, headers=headers)


async def _send(problem: Problem, scope: Scope, send: Send) -> None:
    """The same, outside the framework."""
    content, language = problems.body_of(problem, header(scope, b"accept-language"))
    headers = [
        (b"content-type", problems.MEDIA_TYPE.encode()),
        (b"content-length", str(len(content)).encode()),
        (b"content-language", language.encode()),
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})


def log_request(scope: HTTPScope, status: int, seconds: float, caller: str) -> None:
    """A line in the access log: method, route template, status, time, caller; nothing of path or query, which may name somebody.

    Args:
        scope: of the request.
        status: of the answer (RFC 9110 §15); 0 when there was none.
        seconds: from request to the end of the answer.
        caller: a label of whoever asked that names no person.
    """
    template = scope.get("path_template", "-")
    access_log.info("%s %s %d %.1fms %s", scope["method"], template, status, seconds * 1000, caller)
