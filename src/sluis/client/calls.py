"""Calling a service of another organisation from a program, through this organisation's outway.

`Client` waits, `AsyncClient` is for asyncio; both are thin around httpx, and what they return is httpx's own response.
What is particular to FSC is here: how the outway is told which connection to use, and how its errors become exceptions.
"""

import re
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from sluis.client.errors import GatewayError, NoOutway, OutwayError, error_of


class Connection:
    """Which connection a request takes: the first of these that is given.

    Args:
        grant: hash of a grant of a contract in force (`$1$3$…`).
        link: a link that the outway's operator made.
        peer: Peer ID of the provider, with `service`.
        service: name of its service.
    """

    def __init__(self, *, grant: str = "", link: str = "", peer: str = "", service: str = "") -> None:
        if not (grant or link or (peer and service)):
            raise ValueError("give a grant, a link, or a peer with a service")
        self.grant, self.link, self.peer, self.service = grant, link, peer, service

    @property
    def headers(self) -> dict[str, str]:
        """What tells the outway the grant."""
        return {"Fsc-Grant-Hash": self.grant} if self.grant else {}

    def path(self, path: str) -> str:
        """The path at the outway for a path of the service; nothing of the latter is changed.

        Raises `ValueError` for one that would be: httpx takes `.` and `..` out of a path, which may lead to another
        connection, and two slashes in front for a host.
        """
        path = path if path.startswith("/") else f"/{path}"
        before = re.split("[?#]", path, maxsplit=1)[0]
        if before.startswith("//") or not {".", ".."}.isdisjoint(before.split("/")):
            raise ValueError("a path may not have . or .. as a segment, nor begin with two slashes")
        if self.grant:
            return path
        names = (self.link,) if self.link else (self.peer, self.service)
        return "".join(f"/{quote(name, safe='')}" for name in names) + path


class Client:
    """Calls that wait for their answer. Use it in a `with` block, or `close` it; it may be shared by threads.

    Args:
        outway: base address of the outway, `http://127.0.0.1:8480` or `https://…`.
        certificate: files with a client certificate and its key, where the outway wants one.
        authority: file with the authority of the outway's own certificate; the system's when absent.
        seconds: how long an answer may take.
        transport: httpx's own, for tests.
    """

    def __init__(
        self,
        outway: str,
        *,
        certificate: tuple[str, str] | None = None,
        authority: str | None = None,
        seconds: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        verify = _trust(certificate, authority)
        self._http = httpx.Client(base_url=outway, verify=verify, timeout=seconds, transport=transport)

    def request(self, method: str, connection: Connection, path: str, **more: Any) -> httpx.Response:
        """One request; the answer is the service's own, whatever its status.

        Args:
            method: HTTP method.
            connection: which connection it takes.
            path: of the service, with its query.
            more: what httpx takes besides: `params`, `headers`, `json`, `content`, `data`, `timeout`.

        Raises `GatewayError`.
        """
        with self.stream(method, connection, path, **more) as answer:
            answer.read()
            return answer

    @contextmanager
    def stream(self, method: str, connection: Connection, path: str, **more: Any) -> Iterator[httpx.Response]:
        """As `request`, with an answer whose body is read as it comes (`iter_bytes`)."""
        headers = {**dict(more.pop("headers", None) or {}), **connection.headers}
        began = False
        try:
            with self._http.stream(method, connection.path(path), headers=headers, **more) as answer:
                began = True
                if "fsc-error-code" in answer.headers:
                    _refuse(answer, answer.read(), connection)
                yield answer
        except httpx.TransportError as failure:
            raise _lost(failure, connection, began) from failure

    def get(self, connection: Connection, path: str, **more: Any) -> httpx.Response:
        """`request` with GET."""
        return self.request("GET", connection, path, **more)

    def post(self, connection: Connection, path: str, **more: Any) -> httpx.Response:
        """`request` with POST."""
        return self.request("POST", connection, path, **more)

    def close(self) -> None:
        """Close the connections to the outway."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient:
    """The same for asyncio; arguments as `Client`. Use it in an `async with` block, or `close` it."""

    def __init__(
        self,
        outway: str,
        *,
        certificate: tuple[str, str] | None = None,
        authority: str | None = None,
        seconds: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        verify = _trust(certificate, authority)
        self._http = httpx.AsyncClient(base_url=outway, verify=verify, timeout=seconds, transport=transport)

    async def request(self, method: str, connection: Connection, path: str, **more: Any) -> httpx.Response:
        """See `Client.request`."""
        async with self.stream(method, connection, path, **more) as answer:
            await answer.aread()
            return answer

    @asynccontextmanager
    async def stream(
        self, method: str, connection: Connection, path: str, **more: Any
    ) -> AsyncIterator[httpx.Response]:
        """As `request`, with an answer whose body is read as it comes (`aiter_bytes`)."""
        headers = {**dict(more.pop("headers", None) or {}), **connection.headers}
        began = False
        try:
            async with self._http.stream(method, connection.path(path), headers=headers, **more) as answer:
                began = True
                if "fsc-error-code" in answer.headers:
                    _refuse(answer, await answer.aread(), connection)
                yield answer
        except httpx.TransportError as failure:
            raise _lost(failure, connection, began) from failure

    async def get(self, connection: Connection, path: str, **more: Any) -> httpx.Response:
        """`request` with GET."""
        return await self.request("GET", connection, path, **more)

    async def post(self, connection: Connection, path: str, **more: Any) -> httpx.Response:
        """`request` with POST."""
        return await self.request("POST", connection, path, **more)

    async def close(self) -> None:
        """Close the connections to the outway."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _trust(certificate: tuple[str, str] | None, authority: str | None) -> ssl.SSLContext:
    """What checks the outway, and shows it who calls."""
    context = ssl.create_default_context(cafile=authority)
    if certificate is not None:
        context.load_cert_chain(*certificate)
    return context


def _refuse(answer: httpx.Response, body: bytes, connection: Connection) -> None:
    error = error_of(answer.status_code, answer.headers, body, connection.peer)
    if error is not None:
        raise error


def _lost(failure: httpx.TransportError, connection: Connection, began: bool) -> GatewayError:
    # The kind of failure says enough; its text may hold the address that was asked for.
    kind = type(failure).__name__
    if began:
        return OutwayError(f"The answer broke off ({kind}).", peer=connection.peer, retry=True)
    return NoOutway(f"The outway does not answer ({kind}).", peer=connection.peer, retry=True)
