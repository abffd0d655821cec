"""The link of a node without a group: it asks its own data, in this process, and reaches nobody else.

The node answers itself as it would answer any peer: by the same routes, the same rules and the same records.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from sluis.crypto import Peer
from sluis.gateway.link import Answer, Covers, Ready, no_answer
from sluis.kernel import PeerId, Text, Upstream
from sluis.web import CROSSED, Crossed

App = Callable[[Any, Any, Any], Awaitable[None]]

_AHEAD = 4
"""Pieces of an answer that may wait for whoever reads it."""


class OwnLink:
    """A `Link` to this node itself.

    Args:
        own: this peer; its name is for problems.
        names: what peers are called; one without name is called by its id.

    Attributes:
        node: the API of the node, as an ASGI app; set once there is one.
    """

    def __init__(self, own: Peer, names: Mapping[PeerId, str]) -> None:
        self._own, self._names = own, names
        self.node: App | None = None

    @asynccontextmanager
    async def send(
        self,
        peer: PeerId,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
        covers: Covers | None = None,
        ready: Ready | None = None,
    ) -> AsyncIterator[Answer]:
        """See `Link.send`. Of whoever is not this peer: `Upstream` (`in-no-group`)."""
        if peer != self._own.id or self.node is None:
            raise _in_no_group(self._names.get(peer, str.__str__(peer)))
        if ready is not None:
            await ready
        async with _Call(self.node, self._own, seconds) as call:
            yield await call.answer(_scope(self._own, method, path, headers, body), body)

    async def close(self) -> None:
        """See `Link.close`."""


class _Call:
    """One request to an app in this process. Leaving it ends the app's work, as when a caller hangs up."""

    def __init__(self, app: App, own: Peer, seconds: float) -> None:
        self._app, self._name = app, own.name
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._sent = asyncio.Queue[dict[str, Any] | None](_AHEAD)
        self._work: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "_Call":
        return self

    async def __aexit__(self, *raised: object) -> None:
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def answer(self, scope: dict[str, Any], body: bytes) -> Answer:
        """The head of the answer, once it is there; its body as it is made."""
        self._work = asyncio.create_task(self._run(scope, body))
        head = await self._next()
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in head["headers"]}
        return Answer(head["status"], headers, self._body())

    async def _run(self, scope: dict[str, Any], body: bytes) -> None:
        asked = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> dict[str, Any]:
            for message in asked:
                return message
            await asyncio.Event().wait()  # a caller that goes away ends this task
            raise AssertionError

        with suppress(Exception):  # an app that fails leaves half an answer, and that is what the reader sees
            await self._app(scope, receive, self._sent.put)
        await self._sent.put(None)

    async def _body(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._next()
            more = message.get("more_body", False)
            if piece := message.get("body", b""):
                yield piece

    async def _next(self) -> dict[str, Any]:
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._sent.get()
        except TimeoutError:
            raise no_answer(self._name, "peer-too-slow") from None
        if message is None:  # the app ended before its answer did
            raise no_answer(self._name, "peer-broke-off")
        return message


def _scope(own: Peer, method: str, path: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    where, _, query = path.partition("?")
    lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "scheme": "https",
        "method": method, "path": where, "raw_path": where.encode("latin-1"), "query_string": query.encode("latin-1"),
        "root_path": "", "server": None, "client": None, "state": {},
        "headers": [*lines, (b"content-length", b"%d" % len(body))],
        "extensions": {CROSSED: Crossed(own)},
    }  # fmt: skip


def _in_no_group(name: str) -> Upstream:
    return Upstream(
        "in-no-group",
        Text(f"{name} kan niet worden gevraagd.", f"{name} cannot be asked."),
        Text("Dit knooppunt zit in geen groep, en vraagt alleen zijn eigen gegevens.",
             "This node is in no group, and asks only its own data."),
        Text("Word lid van de groep met `sluis join`.", "Join the group with `sluis join`."),
        peer=name,
    )  # fmt: skip
