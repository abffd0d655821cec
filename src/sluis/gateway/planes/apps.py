"""What both planes do as ASGI apps: tell the node's own API who asks, and answer with what was refused."""

from collections.abc import Awaitable, Callable
from typing import Any

from sluis.crypto import Peer
from sluis.gateway.contracts import Grant
from sluis.gateway.faults import FscProblem
from sluis.gateway.forward import TRANSACTION
from sluis.gateway.tokens import Recent
from sluis.grounds import purpose_if_readable
from sluis.web import Crossed

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]


class Callers:
    """Who comes under a grant, as the node's own API is told of it."""

    def __init__(self) -> None:
        self._known = Recent[str, Crossed]()

    def of(self, grant: Grant) -> Crossed:
        """The peer whose outway the grant names, and the purpose of its contract."""
        found = self._known.get(grant.hash)
        if found is None:
            assert grant.outway is not None
            peer = Peer(grant.outway.peer_id, str.__str__(grant.outway.peer_id))
            found = self._known.put(grant.hash, Crossed(peer, purpose_if_readable(grant.properties)))
        return found


async def refuse(problem: FscProblem, send: Send, transaction_id: str | None = None) -> None:
    """Answer with a problem, as FSC writes it."""
    body = problem.body()
    headers = [(name.lower().encode(), value.encode()) for name, value in problem.headers().items()]
    headers.append((b"content-length", b"%d" % len(body)))
    if transaction_id is not None:
        headers.append((TRANSACTION.encode(), transaction_id.encode()))
    if problem.status == 405:  # after CONNECT nothing on the connection is HTTP any more
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
