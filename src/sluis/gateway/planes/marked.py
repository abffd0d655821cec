"""The node's own API, the service `sluis`, behind nginx: a unix socket on which nginx brings what the inway let in.

Who asks, and under which contract, cannot be read from such a request: nginx ended the TLS. So the inway leaves word of
each request that it lets pass, under a mark that nobody can guess and that counts once; nginx gets it with the decision
and brings it along. A request without a mark that stands here, or for anything else than what was decided, gets nothing.
The socket itself is open to nginx's user alone.
"""

import asyncio
import secrets
from typing import Any

import msgspec

from sluis.gateway.faults import inway_fault
from sluis.gateway.forward import Forward
from sluis.gateway.planes.apps import App, Callers, refuse
from sluis.gateway.planes.nginx_conf import HERE, MARK
from sluis.kernel import Text
from sluis.web import CROSSED, Crossed

_MARK = MARK.lower().encode()
_LASTS = 30.0  # seconds in which nginx must come with what was decided; it does so at once


class _Word(msgspec.Struct, frozen=True, gc=False):
    """What was decided: for which request, who asks, and until when (of the loop's clock) it counts."""

    method: str
    path: str
    crossed: Crossed
    until: float


class MarkedDoor:
    """Lets in to the node's API, as an ASGI app, what the inway left word of.

    Args:
        node: the node's API.
    """

    def __init__(self, node: App) -> None:
        self._node = node
        self._callers = Callers()
        self._words: dict[bytes, _Word] = {}

    def leave_word(self, forward: Forward, method: str) -> bytes:
        """How to tell nginx where the request goes; to be told once its line is durable."""
        assert forward.grant is not None
        now, mark = asyncio.get_running_loop().time(), secrets.token_urlsafe(24).encode()
        self._forget(now)
        self._words[mark] = _Word(method, forward.path, self._callers.of(forward.grant), now + _LASTS)
        return b"T: %b\r\nN: %b\r\n" % (HERE.encode(), mark)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """See ASGI 3.0, HTTP."""
        if scope["type"] != "http":
            return
        word = self._taken(scope)
        if word is None:
            await refuse(inway_fault("ERROR_CODE_ACCESS_TOKEN_MISSING", _NO_MARK), send)
            return
        await self._node({**scope, "extensions": {CROSSED: word.crossed}}, receive, send)

    def _taken(self, scope: Any) -> _Word | None:
        """What was decided of this request, which counts no more from now on."""
        marks = [value for name, value in scope["headers"] if name == _MARK]
        word = self._words.pop(marks[0], None) if len(marks) == 1 else None
        query = scope["query_string"]
        path = (scope["raw_path"] + b"?" + query if query else scope["raw_path"]).decode("latin-1")
        if word is None or word.until < asyncio.get_running_loop().time():
            return None
        # An empty query is none in ASGI.
        return word if word.method == scope["method"] and word.path in (path, path + "?") else None

    def _forget(self, now: float) -> None:
        """Words that nginx never came with: the client went away in between."""
        while self._words and (oldest := next(iter(self._words))) and self._words[oldest].until < now:
            del self._words[oldest]


_NO_MARK = Text("Dit verzoek kwam niet door de inway.", "This request did not come through the inway.")
