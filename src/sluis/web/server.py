"""One ASGI app on the listeners of one process, until it is stopped."""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

from uvicorn.config import Config

from sluis.web.access import shown_certificate
from sluis.web.connection import (
    KEEP_ALIVE,
    BrowserProtocol,
    NodeProtocol,
    ProxiedProtocol,
    State,
    StreamingProtocol,
)
from sluis.web.listeners import LocalListener, LoopbackListener, PeerListener, bound_to

_HANDSHAKE = 10.0  # seconds
_FAREWELL = 1.0  # seconds that the other end gets to close a connection too, when this one stops


class Server:
    """Serves one ASGI app on several listeners until it is stopped.

    Args:
        app: the app.
        streaming: whether request bodies may take longer than a minute; then only a pause of one ends them.
        proxied: whether one proxy brings the requests of all; streaming too.
        browsers: whether browsers connect.
    """

    def __init__(
        self, app: Any, streaming: bool = False, proxied: bool = False, browsers: bool = False
    ) -> None:
        self._protocol_class = StreamingProtocol if streaming else NodeProtocol
        if proxied:
            self._protocol_class = ProxiedProtocol
        if browsers:
            self._protocol_class = BrowserProtocol
        self._config = Config(
            app,
            http=self._protocol_class,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE,
        )
        self._config.load()
        # What is wrong with a request its sender is told; a line for each would let anyone fill the operator's log.
        errors = logging.getLogger("uvicorn.error")
        errors.setLevel(logging.ERROR)
        errors.addFilter(_is_failure)
        self._state = State()
        self._servers: list[asyncio.Server] = []
        self._sockets: list[Path] = []
        self._dating: asyncio.Task[None] | None = None

    async def listen(
        self, listener: PeerListener | LoopbackListener | LocalListener
    ) -> tuple[str, int] | Path:
        """Open a listener; returns where it listens.

        Raises `Conflict` (`port-in-use`, `socket-in-use`), `Invalid` (`cannot-listen`, `not-loopback`), `Unkept`
        (`disk-full`).
        """
        if self._dating is None:
            self._dating = asyncio.get_running_loop().create_task(self._keep_date())
        sock = bound_to(listener)
        tls: dict[str, Any] = {}
        if isinstance(listener, PeerListener):
            tls = {"ssl": listener.context, "ssl_handshake_timeout": _HANDSHAKE}
        elif isinstance(listener, LocalListener):
            self._sockets.append(listener.path)
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_server(self._protocol, sock=sock, backlog=2048, **tls))
        if isinstance(listener, LocalListener):
            return listener.path
        host, port, *_ = sock.getsockname()
        return host, port

    def cut_off(self, unwanted: Callable[[bytes], bool]) -> None:
        """Close every connection whose client certificate (DER) is unwanted, whatever it is doing."""
        for connection in self._open():
            shown = shown_certificate(connection.credentials)
            if shown is not None and unwanted(ssl.PEM_cert_to_DER_cert(shown)):
                connection.transport.close()

    async def stop(self, seconds: float = 10.0) -> None:
        """Take no new connections, let requests in hand finish for at most `seconds`, then break off the rest."""
        self._state.stopping = True  # who is still shaking hands comes too late
        for server in self._servers:
            server.close()
        for path in self._sockets:
            path.unlink(missing_ok=True)
        for connection in self._open():
            connection.shutdown()
        tasks = set(self._state.tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
        for connection in self._open():
            connection.transport.close()
        await self._emptied()
        if self._dating is not None:
            self._dating.cancel()
        self._servers.clear()
        self._sockets.clear()

    def _open(self) -> list[NodeProtocol]:
        return [one for one in self._state.connections if isinstance(one, NodeProtocol)]

    async def _emptied(self) -> None:
        """Wait until every connection is gone. What was written goes out first; but who uses TLS and does not answer that it
        ends, or takes nothing more, is not waited for longer than a second."""
        until = time.monotonic() + _FAREWELL
        while self._state.connections:
            if time.monotonic() > until:
                for connection in self._open():
                    connection.transport.abort()
            await asyncio.sleep(0.001)

    def _protocol(self) -> asyncio.Protocol:
        return self._protocol_class(self._config, self._state, {}, asyncio.get_running_loop())

    async def _keep_date(self) -> None:
        """Keep the Date header (RFC 9110 §6.6.1) at hand, renewed each second."""
        while True:
            self._state.default_headers = [(b"date", formatdate(time.time(), usegmt=True).encode())]
            await asyncio.sleep(1)


def _is_failure(record: logging.LogRecord) -> bool:
    """Whether something went wrong: that a request was broken off because its server stops, is none."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or not issubclass(kind, asyncio.CancelledError)
