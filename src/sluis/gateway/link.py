"""How a request reaches a peer: through the outway under a contract. A node without a group reaches only itself.

And how an answer is read: never further than a bound, and what a peer answers instead of it as one of our own problems.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import msgspec

from sluis.gateway.streams import BECAUSE, Why
from sluis.grounds import Purpose
from sluis.kernel import PeerId, Problem, Text, Trace, Upstream, decode, new_transaction_id

Covers = Callable[[Purpose], bool]
"""Whether a contract's purpose is what a request is for."""

Ready = Awaitable[object]
"""What must be done before a byte of a request leaves."""

_MOST_PROBLEM = 64 * 1024
"""Bytes of a problem that a peer may answer with."""


class Answer(msgspec.Struct, frozen=True):
    """What a peer answered: status, headers in lower case, and the body as it streams in."""

    status: int
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]


class Link(Protocol):
    """A way to a peer.

    Guarantees: the peer that answers has proved to be `peer` (certificate of the group's authority, subject
    serialNumber); bytes are never sent to any other; the body streams. Raises `Upstream` when the peer cannot be
    reached, is not who it should be, or breaks off, with `retry` telling whether trying again may help.
    """

    def send(
        self,
        peer: PeerId,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
        covers: Covers | None = None,
        ready: Ready | None = None,
    ) -> AbstractAsyncContextManager[Answer]:
        """Send one request; the connection is given back when the context ends.

        Args:
            peer: whom it is for.
            method: HTTP method.
            path: path on the peer's node, `/v1/…`; never holds personal data.
            headers: to send, `traceparent` and `fsc-transaction-id` among them.
            body: the whole request body.
            seconds: after this the request fails as an `Upstream` with `retry`.
            covers: for data, which contract it may leave under; None for what any peer may ask. Where there is none,
                that is a `Refused` (`contract-missing`). To itself a node needs none.
            ready: what must be done before a byte leaves, such as a record that must be durable; what it raises comes
                back here.
        """

    async def close(self) -> None:
        """Close every connection."""


def headers_for(
    trace: Trace, accept: str = "application/json", transaction: str | None = None
) -> dict[str, str]:
    """What every request to a peer carries.

    Args:
        trace: the step that the request is (W3C Trace Context).
        accept: media type of what is asked for.
        transaction: the `Fsc-Transaction-Id` (FSC Logging); None for a new one.
    """
    return {
        "accept": accept,
        "traceparent": trace.traceparent,
        "fsc-transaction-id": transaction or new_transaction_id(),
    }


async def read_answer(answer: Answer, most: int, otherwise: Problem, fine: Collection[int] = (200,)) -> bytes:
    """The body of an answer.

    Args:
        answer: of a peer.
        most: bytes that it may have.
        otherwise: what a peer that keeps to nothing agreed is told of by.
        fine: statuses under which it is what was asked for.

    Raises:
        Problem: what the peer answered instead (`problem_from`); `otherwise` when there is more of it.
    """
    if answer.status not in fine:
        raise await problem_from(answer, otherwise)
    return await body_of(answer, most, otherwise)


async def problem_from(answer: Answer, otherwise: Problem) -> Problem:
    """The problem that a peer answered with (RFC 9457): its text is the peer's, its kind one of ours, and it is told of as of the
    peer in `otherwise`; `otherwise` itself when it is none. Raises that when it is larger than a problem is."""
    body = await body_of(answer, _MOST_PROBLEM, otherwise)
    try:
        members = decode(body, dict[str, Any])
    except (msgspec.MsgspecError, Problem):
        return otherwise
    if "status" not in members:
        return otherwise
    problem = Problem.from_members(members)
    problem.peer = otherwise.peer
    return problem


async def body_of(answer: Answer, most: int, otherwise: Problem) -> bytes:
    """The body of an answer, whatever its status. Raises `otherwise` when it has more than `most` bytes."""
    body = bytearray()
    async for piece in answer.body:
        body += piece
        if len(body) > most:
            raise otherwise
    return bytes(body)


def no_answer(name: str, code: Why) -> Upstream:
    """A peer gave no answer, or not a whole one."""
    what = Text(f"{name} gaf geen antwoord.", f"{name} gave no answer.")
    return Upstream(code, what, BECAUSE[code], _NEXT[code], peer=name, retry=code not in _LASTING)


_LASTING = frozenset({"wrong-peer", "peer-not-trusted"})

_NEXT: dict[Why, Text] = {
    "wrong-peer": Text("Loop de weg na met `sluis fsc doctor`.", "Walk the way with `sluis fsc doctor`."),
    "peer-not-trusted": Text(
        "Controleer certificaten, ankers, hostnaam en geldigheid aan beide kanten.",
        "Check certificates, anchors, host name and validity at both ends.",
    ),
    "peer-too-slow": Text(
        "Probeer het later opnieuw, of stel een kleinere vraag.",
        "Try again later, or ask a smaller question.",
    ),
    "peer-unreachable": Text("Probeer het later opnieuw.", "Try again later."),
    "peer-broke-off": Text("Probeer het opnieuw.", "Try again."),
}
