"""The Manager API (FSC Core 2.0.0, Manager; Logging 1.0.0, `GET /logs`), as an ASGI app for a listener of its own.

Any peer of the group may call: whoever TLS let in with a certificate under the group's anchors, that speaks for a peer
and was not revoked. What it may see or sign, its Peer ID says. Errors have FSC's form, `{message, domain, code}`.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from math import ceil
from typing import Any
from uuid import UUID

import msgspec

from sluis.crypto import Peer
from sluis.crypto.jose import certificate_thumbprint
from sluis.gateway.contracts import (
    MAX_BODY,
    VERSION,
    Action,
    Order,
    Submission,
    check_path,
    plain_hash,
    read_submission,
)
from sluis.gateway.faults import FscProblem, manager_fault
from sluis.gateway.manager.callers import Caller, Callers
from sluis.gateway.manager.client import ADDRESS
from sluis.gateway.manager.listing import (
    GRANT_TYPES,
    Query,
    contract_document,
    log_document,
    page_of,
    peer_document,
    services_page,
    wrong_parameter,
)
from sluis.gateway.manager.service import Manager
from sluis.gateway.manager.shares import Shares
from sluis.gateway.manager.token import Refusal, granted
from sluis.gateway.peers import Peers, manager_address
from sluis.gateway.tokens import issue
from sluis.gateway.transactions import Search, TransactionLog
from sluis.kernel import Clock, Invalid, NotFound, Problem, Text, new_transaction_id

log = logging.getLogger("sluis.manager")
access_log = logging.getLogger("sluis.access")

_FORM_BYTES = 16 * 1024
_QUICK = 32 * 1024  # bytes of JSON that are read before another task would have been let go first
_JSON = "application/json"

_SHARE = Text("Uw organisatie gebruikte haar deel.", "Your organisation used its share.")
_HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]

_EXTENSIONS = {"EXTENSION_DELEGATION": "1.0.0", "EXTENSION_TRANSACTION_LOGGING": "1.0.0"}


class Answer(msgspec.Struct, frozen=True):
    """What goes back."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Request(msgspec.Struct, frozen=True):
    """What came, and from whom.

    Args:
        caller: by its certificate.
        part: what stands in the path where the route has a gap.
        query: the parameters in the URL.
        headers: names in lower case; of a header that comes twice, nothing.
        receive: the ASGI channel of the body.
    """

    caller: Caller
    part: str
    query: Query
    headers: Mapping[str, str]
    receive: Any

    async def body(self, most: int) -> bytes:
        """The whole body. Raises `FscProblem` when it is larger than `most` bytes, or ends too soon."""
        read = bytearray()
        while True:
            message = await self.receive()
            if message["type"] != "http.request":
                raise _malformed("?")
            read += message.get("body", b"")
            if len(read) > most:
                raise _malformed("content-length")
            if not message.get("more_body", False):
                return bytes(read)


Handler = Callable[[Request], Awaitable[Answer]]


class ManagerApi:
    """The Manager API around a `Manager`.

    Args:
        manager: whose contracts these are.
        peers: those that are known.
        callers: tells who calls.
        heard: told where a caller says its Manager is.
        transactions: the transaction log.
        inway: the address of this peer's inway, `https://host:port`; tokens are for it.
        clock: aware UTC.
        near: whether peers may be on this machine (`manager_address`).
    """

    def __init__(
        self,
        manager: Manager,
        peers: Peers,
        callers: Callers,
        heard: Callable[[Peer, str], Awaitable[None]],
        transactions: TransactionLog,
        inway: str,
        clock: Clock,
        near: bool = False,
    ) -> None:
        self._manager, self._known, self._callers, self._heard = manager, peers, callers, heard
        self._transactions, self._inway, self._clock, self._near = transactions, inway, clock, near
        self._shares = Shares()
        self.routes: dict[tuple[str, str], Handler] = {
            ("PUT", "/v1/announce"): self._announce,
            ("POST", "/v1/contracts"): self._submit,
            ("GET", "/v1/contracts"): self._contracts,
            ("PUT", "/v1/contracts/{hash}/accept"): self._signing("accept"),
            ("PUT", "/v1/contracts/{hash}/reject"): self._signing("reject"),
            ("PUT", "/v1/contracts/{hash}/revoke"): self._signing("revoke"),
            ("POST", "/v1/token"): self._token,
            ("GET", "/v1/peer"): self._peer,
            ("GET", "/v1/peers"): self._peers,
            ("GET", "/v1/services"): self._services,
            ("GET", "/v1/.well-known/jwks.json"): self._jwks,
            ("GET", "/v1/logs"): self._logs,
        }
        self._paths: dict[str, list[str]] = {}
        for method, path in self.routes:
            self._paths.setdefault(path, []).append(method)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        started, who = time.perf_counter(), "-"
        path, part = _matched(scope["path"])
        template = path if path in self._paths else "-"  # in the log stands nothing that a caller made up
        try:
            caller = self._callers.caller(scope["extensions"])
            who = str.__str__(caller.peer.id)
            answer = self._too_much(who, scope["method"], template) or await self._answer(
                caller, template, part, scope, receive
            )
            self._shares.carried(who, len(answer.body))
        except Problem as problem:
            answer = _of(problem)
            if answer.status == 429:
                self._shares.tell(who, problem.code)
        except Exception as failure:
            answer = _unforeseen(failure)
        await _send(answer, send)
        took = (time.perf_counter() - started) * 1000
        access_log.info("%s %s %d %.1fms %s", scope["method"], template, answer.status, took, who)

    async def _answer(self, caller: Caller, template: str, part: str, scope: Any, receive: Any) -> Answer:
        handler = self.routes.get((scope["method"], template))
        if handler is None:
            return self._no_route(template)
        headers = _headers(scope["headers"])
        return await handler(Request(caller, part, Query.read(scope["query_string"]), headers, receive))

    def _too_much(self, who: str, method: str, template: str) -> Answer | None:
        """What a peer is told that asks more than its share; the others do not notice it."""
        wait = self._shares.wait(who, method, template)
        if not wait:
            return None
        self._shares.tell(who, "too-many-requests")
        answer = _of(manager_fault("ERROR_CODE_TOO_MANY_REQUESTS", _SHARE))
        return Answer(429, answer.body, {**answer.headers, "Retry-After": str(ceil(wait))})

    def _no_route(self, template: str) -> Answer:
        allowed = self._paths.get(template)
        if allowed is None:
            return _of(_unknown_path())
        answer = _of(_malformed("method"))
        return Answer(405, answer.body, {**answer.headers, "Allow": ", ".join(sorted(allowed))})

    async def _hear(self, request: Request) -> None:
        """Remember where the caller says its Manager is. It is believed of the caller alone, and never more than that
        its Manager may be there: whoever answers must prove to be that peer."""
        try:
            address = manager_address(
                request.headers.get(ADDRESS, ""), self._manager.group.ports, near=self._near
            )
        except Invalid as problem:
            raise manager_fault("ERROR_CODE_MALFORMED_REQUEST", problem.why, code=problem.code) from None
        await self._heard(request.caller.peer, address)

    # Peers

    async def _announce(self, request: Request) -> Answer:
        await self._hear(request)
        return Answer()

    async def _peer(self, request: Request) -> Answer:
        own = self._manager.own
        return _json(
            {
                "peer_id": str.__str__(own.id),
                "peer_name": own.name,
                "fsc_version": VERSION,
                "enabled_extensions": _EXTENSIONS,
            }
        )

    async def _peers(self, request: Request) -> Answer:
        query, peers = request.query, self._known
        ids = query.several("peer_id")
        if ids is not None:
            return Answer(200, page_of("peers", map(peer_document, peers.listed(ids))), _type())
        page, following = peers.page(query.text("peer_name"), query.cursor, query.limit, query.descending)
        return Answer(200, page_of("peers", map(peer_document, page), following), _type())

    async def _services(self, request: Request) -> Answer:
        grants = self._manager.published()
        known = {one.id: one for one in self._known.every()}
        page, following = services_page(grants, known, request.query)
        return Answer(200, page_of("services", page, following), _type())

    async def _jwks(self, request: Request) -> Answer:
        return _json(self._manager.jwks())

    # Contracts

    async def _submit(self, request: Request) -> Answer:
        await self._hear(request)
        submission = await self._submission(request)
        await self._manager.take(
            request.caller.peer.id, submission.content, "accept", submission.signature, proposes=True
        )
        return Answer(201)

    async def _submission(self, request: Request) -> Submission:
        body = await request.body(MAX_BODY)
        self._shares.carried(str.__str__(request.caller.peer.id), len(body))
        if len(body) < _QUICK:
            return read_submission(body)
        return await asyncio.to_thread(read_submission, body)

    def _signing(self, action: Action) -> Handler:
        async def sign(request: Request) -> Answer:
            await self._hear(request)
            submission = await self._submission(request)
            check_path(request.part, submission.content)
            await self._manager.take(
                request.caller.peer.id, submission.content, action, submission.signature, proposes=False
            )
            return Answer(201)

        return sign

    async def _contracts(self, request: Request) -> Answer:
        query, peer = request.query, request.caller.peer.id
        hashes = query.several("grant_hash")
        if hashes is not None:
            plain = [plain_hash(one) for one in hashes]
            found = await asyncio.to_thread(self._manager.contracts.by_grant_hashes, peer, plain)
            return Answer(200, page_of("contracts", map(contract_document, found)), _type())
        kind = query.text("grant_type")
        if kind and kind not in GRANT_TYPES:
            raise wrong_parameter("grant_type")
        order: Order = "SORT_ORDER_DESCENDING" if query.descending else "SORT_ORDER_ASCENDING"
        page, following = await asyncio.to_thread(
            self._manager.contracts.page,
            peer,
            query.cursor,
            query.limit,
            order,
            kind or None,  # type: ignore[arg-type]
        )
        return Answer(200, page_of("contracts", map(contract_document, page), following), _type())

    # Tokens and transactions

    async def _token(self, request: Request) -> Answer:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            if kind != "application/x-www-form-urlencoded":
                raise Refusal("invalid_request", "the body must be application/x-www-form-urlencoded")
            token = self._issued(request.caller, await request.body(_FORM_BYTES))
        except Refusal as refusal:
            said = {"error": refusal.error, "error_description": refusal.description}
            return Answer(400, msgspec.json.encode(said), _type())
        return _json({"access_token": token, "token_type": "bearer"})

    def _issued(self, caller: Caller, form: bytes) -> str:
        manager, now = self._manager, int(self._clock().timestamp())
        grant = granted(
            form, caller.peer.id, caller.certificate, manager.own.id,
            lambda hash: manager.contracts.in_force(hash, now), manager.offers().__contains__,
        )  # fmt: skip
        thumbprint = certificate_thumbprint(caller.certificate)
        return issue(grant, manager.identity, manager.group.id, self._inway, thumbprint, now)

    async def _logs(self, request: Request) -> Answer:
        query, peer = request.query, request.caller.peer.id
        ids = query.several("transaction_ids")
        if ids is not None:
            found = await self._transactions.find_transactions(peer, [_transaction(one) for one in ids])
            return Answer(200, page_of("records", map(log_document, found)), _type())
        else:
            search = Search(
                after=query.number("after", None, 0, 2**53),
                before=query.number("before", None, 0, 2**53),
                grant_hashes=frozenset(query.several("grant_hash") or ()),
                service_names=frozenset(query.several("service_name") or ()),
                cursor=query.cursor,
                limit=query.limit,
                ascending=not query.descending,
            )
            page = await self._transactions.find(peer, search)
        return Answer(200, page_of("records", map(log_document, page.records), page.next_cursor), _type())


def _transaction(id: str) -> bytes:
    try:
        return UUID(id).bytes
    except ValueError:
        raise wrong_parameter("transaction_ids") from None


def _matched(path: str) -> tuple[str, str]:
    """The route of a path, and what stands in its gap."""
    start, end = "/v1/contracts/", path.rpartition("/")[2]
    if path.startswith(start) and path.count("/") == 4:
        return f"/v1/contracts/{{hash}}/{end}", path[len(start) : -len(end) - 1]
    return path, ""


def _headers(raw: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in raw:
        key = name.decode("latin-1").lower()
        found[key] = "" if key in found else value.decode("latin-1")
    return found


def _type() -> dict[str, str]:
    return {"Content-Type": _JSON}


def _json(value: Any) -> Answer:
    return Answer(200, msgspec.json.encode(value), _type())


def _of(problem: Problem) -> Answer:
    """Any problem in FSC's form; one that FSC has no code for goes by its own name."""
    if isinstance(problem, FscProblem):
        return Answer(problem.status, problem.body(), problem.headers())
    code = f"ERROR_CODE_{problem.code.upper().replace('-', '_')}"
    body = {"message": str(problem), "domain": "ERROR_DOMAIN_MANAGER", "code": code}
    return Answer(problem.status, msgspec.json.encode(body), {**_type(), "Fsc-Error-Code": code})


def _unforeseen(failure: Exception) -> Answer:
    """Log where it happened, without its text, and give the caller the number of that line."""
    frame = failure.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f"{frame.tb_frame.f_code.co_filename.rpartition('/')[2]}:{frame.tb_lineno}" if frame else "-"
    reference = new_transaction_id()
    log.error("failure %s: %s at %s", reference, type(failure).__name__, place)
    body = {
        "message": f"Something went wrong here. The operator finds the cause under {reference}.",
        "domain": "ERROR_DOMAIN_MANAGER",
        "code": "ERROR_CODE_INTERNAL_FAILURE",
    }
    return Answer(500, msgspec.json.encode(body), {**_type(), "Fsc-Error-Code": body["code"]})


async def _send(answer: Answer, send: Any) -> None:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
    headers += [*_HEADERS, (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


def _malformed(member: str) -> FscProblem:
    return manager_fault(
        "ERROR_CODE_MALFORMED_REQUEST",
        Text(f"'{member}' klopt niet.", f"'{member}' is wrong."),
        code="malformed-request",
    )


def _unknown_path() -> NotFound:
    return NotFound(
        "unknown-path",
        Text("Dit pad bestaat hier niet.", "This path does not exist here."),
        Text("Hier is alleen de Manager-API.", "Only the Manager API is here."),
        Text("Zie de OpenAPI van FSC Core 2.0.0.", "See the OpenAPI file of FSC Core 2.0.0."),
    )
