"""Trying out a service: a request that its document describes, sent through this node's own outway under a contract that is in
force, with a line in both transaction logs as any call. Nothing else can be sent: the path and the parameters are those of the document.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from urllib.parse import quote, urlencode

import msgspec

from sluis.catalogue.openapi import Document, Operation, read_openapi
from sluis.gateway import Answer, Link, body_of, headers_for
from sluis.kernel import Invalid, NotFound, PeerId, Problem, Text, Trace, Upstream

SECONDS = 15.0
MOST_ANSWER, MOST_BODY, MOST_VALUE, MOST_HEADERS = 64 * 1024, 64 * 1024, 2000, 30
_KEPT, _MOST_KEPT = 300.0, 200  # seconds and documents of others that are kept in memory
_FAILED = 30.0  # seconds after which is asked again for one that could not be had
_LARGEST = 1024 * 1024


class Way(Protocol):
    """A way to the services of peers, under connections of this node's contracts. `GroupLink` is one."""

    def reach(
        self,
        peer: PeerId,
        service: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
    ) -> AbstractAsyncContextManager[Answer]:
        """Send one request to a service. Raises `Refused` (`contract-missing`), `Upstream`."""

    def connected(self, peer: PeerId, service: str) -> bool:
        """Whether a contract in force leads there."""


class Tried(msgspec.Struct, frozen=True):
    """What came back. `text` is None where it is no text; `size` counts what was read, `cut` says that there was more."""

    request: str
    status: int
    milliseconds: int
    headers: tuple[tuple[str, str], ...]
    text: str | None
    size: int
    cut: bool


class Trying:
    """Documents of services, and trying these out. Belongs to one event loop.

    Args:
        own: documents of this node's services, by name.
        link: to the nodes of peers, where documents of theirs are.
        way: to their services; None where there is no group.
        test: whether this node is a test: then everything may be tried.
        offered: whether the catalogue of a peer has a service. Blocks. Anybody may look at a document, and has others asked for
            nothing that they do not offer.
    """

    def __init__(
        self,
        own: Mapping[str, bytes],
        link: Link,
        way: Way | None,
        test: bool,
        offered: Callable[[PeerId, str], bool] | None = None,
    ) -> None:
        self._own, self._link, self._way, self._test, self._offered = dict(own), link, way, test, offered
        self._own_read: dict[str, Document] = {}
        self._read: dict[tuple[PeerId, str], tuple[float, Document | Problem]] = {}
        self._some = asyncio.Semaphore(4)

    def raw(self, service: str) -> bytes | None:
        """The document of a service of this node."""
        return self._own.get(service)

    async def own(self, service: str) -> Document | None:
        """The same, read; once, since it stays the same. Raises `Invalid`."""
        raw, found = self._own.get(service), self._own_read.get(service)
        if raw is None or found is not None:
            return found
        async with self._some:
            self._own_read[service] = await asyncio.to_thread(read_openapi, raw)
        return self._own_read[service]

    async def document(self, peer: PeerId, service: str) -> Document:
        """The document of a service of a peer, read at its node; kept for some minutes. Raises `NotFound`, `Invalid`, `Upstream`,
        `Refused`."""
        kept = self._kept(peer, service)
        if kept is None:
            async with self._some:
                kept = self._kept(peer, service) or await self._anew(peer, service)
        if isinstance(kept, Problem):
            raise kept.with_traceback(None)  # it is raised again and again
        return kept

    def _kept(self, peer: PeerId, service: str) -> Document | Problem | None:
        at, found = self._read.get((peer, service), (0.0, None))
        fresh = _FAILED if isinstance(found, Problem) else _KEPT
        return found if asyncio.get_running_loop().time() - at < fresh else None

    async def _anew(self, peer: PeerId, service: str) -> Document | Problem:
        if self._offered is not None and not await asyncio.to_thread(self._offered, peer, service):
            return no_document()
        found: Document | Problem
        try:
            raw = await self._fetched(peer, service)
            found = await asyncio.to_thread(read_openapi, raw)
        except Problem as problem:
            found = problem
        self._read.pop((peer, service), None)
        while len(self._read) >= _MOST_KEPT:
            self._read.pop(next(iter(self._read)))
        self._read[peer, service] = asyncio.get_running_loop().time(), found
        return found

    def may(self, document: Document, peer: PeerId, service: str) -> str:
        """Why it cannot be tried out: `not-marked` or `no-contract`; empty when it can."""
        if not (self._test or document.may_try):
            return "not-marked"
        return "" if self._way is not None and self._way.connected(peer, service) else "no-contract"

    async def send(
        self, peer: PeerId, service: str, document: Document, operation: str, given: Mapping[str, str]
    ) -> Tried:
        """Send a request.

        Args:
            peer: whose service.
            service: its name.
            document: what it says of itself.
            operation: `Operation.id`.
            given: values of parameters, by where and name (`query-jaar`), and `body`.

        Raises: Invalid: something that must be there is not; NotFound: no such operation; as `Way.reach`.
        """
        one = next((each for each in document.operations if each.id == operation), None)
        if one is None or self._way is None or self.may(document, peer, service):
            raise _no_operation()
        path, headers, body = made(document, one, given)
        began = time.perf_counter()
        raw, cut = bytearray(), False
        try:
            async with (
                asyncio.timeout(SECONDS),
                self._way.reach(peer, service, one.method.upper(), path, headers, body, SECONDS) as answer,
            ):
                async for piece in answer.body:
                    raw += piece
                    if len(raw) > MOST_ANSWER:
                        cut = True
                        break
        except TimeoutError:
            raise _too_slow() from None
        took = round((time.perf_counter() - began) * 1000)
        shown = tuple((name[:100], value[:500]) for name, value in answer.headers.items())[:MOST_HEADERS]
        content = bytes(raw[:MOST_ANSWER])
        text = _text(content, answer.headers.get("content-type", ""), cut)
        return Tried(
            f"{one.method.upper()} {path.partition('?')[0]}",
            answer.status,
            took,
            shown,
            text,
            len(content),
            cut,
        )

    async def _fetched(self, peer: PeerId, service: str) -> bytes:
        path = f"/v1/catalogue/services/{quote(service, safe='')}/openapi"
        async with self._link.send(peer, "GET", path, headers_for(Trace.begin()), b"", SECONDS) as answer:
            if answer.status != 200:
                raise no_document()
            return await body_of(answer, _LARGEST, _too_large())


def made(document: Document, one: Operation, given: Mapping[str, str]) -> tuple[str, dict[str, str], bytes]:
    """The path with its query, the headers and the body of a request. Pure. Raises `Invalid`."""
    path, query = document.prefix + one.path, list[tuple[str, str]]()
    headers = headers_for(Trace.begin(), "application/json, */*;q=0.5")
    for each in one.parameters:
        value = given.get(f"{each.where}-{each.name}", "")[:MOST_VALUE]
        if not value:
            if each.required:
                raise _lacking(each.name)
            continue
        if each.choices and value not in each.choices:
            raise _lacking(each.name)
        if each.where == "path":
            if value in (".", ".."):
                raise _lacking(each.name)
            path = path.replace("{" + each.name + "}", quote(value, safe=""))
        elif each.where == "query":
            query.append((each.name, value))
        elif value.isascii() and value.isprintable():
            headers[each.name.lower()] = value
        else:
            raise _lacking(each.name)
    if "{" in path:
        raise _lacking(path[path.index("{") + 1 :].partition("}")[0])
    body = b""
    if one.body is not None:
        body = given.get("body", "").encode()[:MOST_BODY]
        headers["content-type"] = (
            one.body.media
            if one.body.media.isascii() and one.body.media.isprintable()
            else "application/json"
        )
    return f"{path}?{urlencode(query)}" if query else path, headers, body


def _text(raw: bytes, kind: str, cut: bool) -> str | None:
    if not any(one in kind.lower() for one in ("json", "text", "xml", "yaml", "csv")) and raw:
        return None
    text = raw.decode("utf-8", "ignore" if cut else "replace")
    if "json" in kind.lower() and not cut:
        try:
            return msgspec.json.format(raw, indent=2).decode()
        except (msgspec.MsgspecError, RecursionError):
            return text
    return text


def no_document() -> NotFound:
    """A service has no document here."""
    return NotFound(
        "no-openapi",
        Text(
            "Deze dienst heeft geen OpenAPI-document bij zijn knooppunt.",
            "This service has no OpenAPI document at its node.",
        ),
        Text("De aanbieder heeft het er niet neergezet.", "Who offers it has not put it there."),
        Text("Vraag het de organisatie.", "Ask the organisation."),
    )


def _no_operation() -> NotFound:
    return NotFound(
        "no-such-operation",
        Text("Dit is hier niet te proberen.", "This cannot be tried out here."),
        Text("Alleen wat in het document staat, van een dienst waarvoor een contract geldt en die daarvoor open is, kan.",
             "Only what stands in the document can, of a service for which a contract is in force and which is open for that."),
        Text("Ga terug naar de dienst, en kies daar.", "Go back to the service, and choose there."),
    )  # fmt: skip


def _lacking(name: str) -> Invalid:
    shown = name[:100]
    return Invalid(
        "parameter-unfit",
        Text(f"Bij `{shown}` past dit niet.", f"This does not fit `{shown}`."),
        Text("Er moet iets staan, van de soort die erbij genoemd is.", "Something must stand there, of the kind that is named with it."),
        Text("Vul het aan, en probeer het opnieuw.", "Add it, and try again."),
    )  # fmt: skip


def _too_slow() -> Upstream:
    return Upstream(
        "peer-too-slow",
        Text("De dienst antwoordt te langzaam.", "The service answers too slowly."),
        Text("Het duurde langer dan vijftien seconden.", "It took longer than fifteen seconds."),
        Text("Probeer het later opnieuw.", "Try again later."),
        retry=True,
    )


def _too_large() -> Invalid:
    return Invalid(
        "unreadable-openapi",
        Text("De beschrijving van deze API is niet te lezen.", "The description of this API cannot be read."),
        Text("Zij is groter dan 1 MB.", "It is larger than 1 MB."),
        Text(
            "Meld het aan de organisatie die de dienst aanbiedt.",
            "Tell the organisation that offers the service.",
        ),
    )
