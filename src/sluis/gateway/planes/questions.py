"""Where nginx asks whether a request may pass: HTTP/1.1 over a unix socket, in the one form that our configuration makes.

nginx puts a question for each request (`auth_request`), over connections that it keeps, one at a time on each. The
answer says where the request goes and what it carries (204), or why it does not pass (403: nginx knows no other refusal,
and makes the status, body and code of FSC out of it). Anything else in the place of a question is not from our nginx:
the connection is closed, and a question without answer lets nothing pass.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sluis.gateway.faults import FscProblem
from sluis.gateway.forward import AUTHORIZATION, TRANSACTION, Forward, Incoming, Outgoing
from sluis.gateway.planes.marked import MarkedDoor
from sluis.gateway.planes.nginx_conf import REFUSALS, ascii_body
from sluis.gateway.planes.places import Places
from sluis.gateway.planes.reports import Reports, Side
from sluis.gateway.tokens import Recent

log = logging.getLogger("sluis.gateway")

BACKLOG = 4096
"""Connections that may wait to be taken; with asyncio's own 100, nginx would refuse requests at a hundred at once."""

_MOST = 128 * 1024  # bytes of a question; what nginx takes of a request's head is half of that
_CERTIFICATES = 16_384  # that are known; more peers than a group has
_CALLERS = 1024  # pairs of token and certificate that are remembered as nginx writes them
_SEVERAL = 4  # questions; fewer come together by chance
_TOGETHER = 0.001  # seconds; far less than a request takes when there are many
_PASS = b"HTTP/1.1 204 P\r\n"
_REFUSE = b"HTTP/1.1 403 R\r\nContent-Length: 0\r\n"
_FAIL = b"HTTP/1.1 500 F\r\nContent-Length: 0\r\n\r\n"
_LETTERS = {AUTHORIZATION: "A", TRANSACTION: "X"}

Answer = Callable[[bytes], Coroutine[Any, Any, bytes]]
"""What answers a question, its request line left out. Raises `FscProblem` to refuse, `ValueError` for what is none."""


class Gathering:
    """Lets questions that come at a busy time begin together.

    What each waits for is a commit, which costs the same for one line as for twenty, and twice as much as all else that
    is done for a request. So after several that began together, the next wait a moment for each other; at any other
    time a question begins at once.
    """

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] = []
        self._last = 0

    def enter(self, begin: Callable[[], None]) -> None:
        """Begin soon, perhaps with others."""
        self._waiting.append(begin)
        if len(self._waiting) == 1:
            loop = asyncio.get_running_loop()
            if self._last >= _SEVERAL:
                loop.call_later(_TOGETHER, self._begin)
            else:
                loop.call_soon(self._begin)

    def _begin(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._last = len(waiting)
        for begin in waiting:
            begin()


class Door(asyncio.Protocol):
    """One connection of nginx's.

    A question takes no task of its own: most wait for one thing only, which is the commit of their line, and a task
    costs more than all that is asked of a token. The coroutine is carried from one thing it waits for to the next.

    Args:
        answers: by request line, who answers.
        gathering: that of all connections.
    """

    def __init__(self, answers: Mapping[bytes, Answer], gathering: Gathering) -> None:
        self._answers, self._gathering = answers, gathering
        self._held = b""
        self._asked: Coroutine[Any, Any, bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        if self._held:
            data, self._held = self._held + data, b""
        if not data.endswith(b"\r\n\r\n"):
            self._hold(data)
            return
        end = data.find(b"\r\n") + 2
        answer = self._answers.get(data[:end])
        if answer is None or self._asked is not None:
            self._transport.abort()
            return
        self._asked = answer(data[end:])
        self._gathering.enter(self._go_on)

    def _hold(self, data: bytes) -> None:
        if len(data) > _MOST:
            self._transport.abort()
        self._held = data

    def _go_on(self, _: object = None) -> None:
        """Carry the question to the next thing it waits for, or to its answer."""
        assert self._asked is not None
        try:
            awaited = self._asked.send(None)
        except StopIteration as done:
            self._reply(done.value)
        except FscProblem as problem:
            self._reply(refusal(problem))
        except ValueError:
            self._transport.abort()
        except (Exception, asyncio.CancelledError) as failure:  # a request that was not decided does not pass
            log.error("a request could not be decided: %s", type(failure).__name__)
            self._reply(_FAIL)
        else:
            self._wait_for(awaited)

    def _wait_for(self, awaited: Any) -> None:
        """What a task does with what its coroutine waits for: a future, or None for another turn of the loop."""
        if awaited is None:
            asyncio.get_running_loop().call_soon(self._go_on)
        else:
            awaited._asyncio_future_blocking = False
            awaited.add_done_callback(self._go_on)

    def _reply(self, answer: bytes) -> None:
        self._asked = None
        if not self._transport.is_closing():  # nginx does not wait for an answer when nobody does
            self._transport.write(answer)


class InwayAnswers:
    """Answers for nginx as an inway.

    Args:
        decide: `Inway.decide`.
        places: where services are.
        own: takes requests for the node itself; None when it is not offered.
    """

    LINE = b"GET /inway HTTP/1.1\r\n"

    def __init__(
        self, decide: Callable[[Incoming], Awaitable[Forward]], places: Places, own: MarkedDoor | None = None
    ) -> None:
        self._decide, self._places, self._own = decide, places, own
        self._callers = Recent[bytes, tuple[str | None, bytes]](_CALLERS)
        self._certificates = Recent[bytes, bytes](_CERTIFICATES)

    async def __call__(self, question: bytes) -> bytes:
        host, request, transaction, caller = question.split(b"\r\n", 3)
        known = self._callers.get(caller)
        authorization, certificate = known or self._read(caller)
        method, _, path = _after(b"M: ", request).partition(" ")
        decided = await self._decide(
            Incoming(certificate, method, path, authorization, _after(b"X: =", transaction) or None)
        )
        if known is None:
            self._callers.put(caller, (authorization, certificate))
        if not decided.target.host and self._own is not None:
            return b"%b%b\r\n" % (_PASS, self._own.leave_word(decided, method))
        where = self._places.written(host, decided.target) or await self._places.find(decided.target)
        if decided.path == path:
            return b"%b%b\r\n" % (_PASS, where)
        return b"%b%bP: %b\r\n\r\n" % (_PASS, where, decided.path.encode("latin-1"))

    def _read(self, caller: bytes) -> tuple[str | None, bytes]:
        """The token in a question, and the certificate (DER) that TLS has verified.

        A certificate is told in the first question of its connection, and known by its SHA-1 fingerprint from then on.
        That of somebody else would have to be hit, not just any two that are alike: nobody can do that.
        """
        authorization, fingerprint, certificate, *_ = caller.split(b"\r\n")
        if certificate:
            pem = unquote_to_bytes(_after(b"C: ", certificate))
            der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
            if hashlib.sha1(der, usedforsecurity=False).hexdigest() != _after(b"F: ", fingerprint):
                raise ValueError
            self._certificates.put(fingerprint, der)
        found = self._certificates.get(fingerprint)
        if found is None:
            raise ValueError
        return _after(b"A: =", authorization) or None, found


class OutwayAnswers:
    """Answers for nginx as an outway.

    Args:
        outway: decides.
        places: where the inways of peers are.
        reports: of which of them nginx should tell every outcome.
    """

    LINE = b"GET /outway HTTP/1.1\r\n"

    def __init__(self, outway: Side, places: Places, reports: Reports) -> None:
        self._decide, self._places, self._watched = outway.decide, places, reports.watched

    async def __call__(self, question: bytes) -> bytes:
        host, request, transaction, grant, _ = question.split(b"\r\n", 4)
        method, _, path = _after(b"M: ", request).partition(" ")
        decided = await self._decide(
            Outgoing(method, path, _after(b"G: =", grant) or None, _after(b"X: =", transaction) or None)
        )
        where = self._places.written(host, decided.target) or await self._places.find(decided.target)
        head = "".join([f"{_LETTERS[name]}: {value}\r\n" for name, value in decided.headers])
        if decided.path != path:
            head = f"{head}P: {decided.path}\r\n"
        if decided.target in self._watched:
            head += "W: 1\r\n"
        return b"%b%b%b\r\n" % (_PASS, where, head.encode("latin-1"))


def refusal(problem: FscProblem) -> bytes:
    """What tells nginx that a request does not pass, and what to answer instead."""
    status = problem.status if problem.status in REFUSALS else 500
    head = f"S: @refused-{status}\r\nE: {problem.fsc_code}\r\nB: {ascii_body(problem)}\r\n\r\n"
    return _REFUSE + head.encode("ascii")


def _after(name: bytes, line: bytes) -> str:
    if not line.startswith(name):
        raise ValueError
    return line[len(name) :].decode("latin-1")
