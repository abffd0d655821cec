"""Where nginx asks whether a request may pass: HTTP/1.1 over a unix socket, in the one form that our configuration makes.

nginx puts a question for each request (`auth_request`), over connections that it keeps, one at a time on each. The
answer says where the request goes and what it carries (204), or why it does not pass (403: nginx knows no other refusal,
and makes the status, body and code of FSC out of it). Anything else in the place of a question is not from our nginx:
the connection is closed, and a question without answer lets nothing pass.
"""

import asyncio
import hashlib
import logging
from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sluis.gateway.faults import INWAY, OUTWAY, Domain, FscProblem
from sluis.gateway.forward import Forward, Incoming, Outgoing
from sluis.gateway.outway import Judged
from sluis.gateway.planes.marked import MarkedDoor
from sluis.gateway.planes.nginx_conf import REFUSALS, ascii_body
from sluis.gateway.planes.places import Places
from sluis.gateway.planes.reports import Reports, Side
from sluis.gateway.tokens import Recent
from sluis.gateway.transactions import Line, unwritten
from sluis.kernel import Unkept

log = logging.getLogger("sluis.gateway")

BACKLOG = 4096
"""Connections that may wait to be taken; with asyncio's own 100, nginx would refuse requests at a hundred at once."""

_MOST = 128 * 1024  # bytes of a question; what nginx takes of a request's head is half of that
_CERTIFICATES = 16_384  # that are known; more peers than a group has
_CALLERS = 1024  # pairs of token and certificate that are remembered as nginx writes them
_SEVERAL = 4  # questions; fewer come together by chance
_EACH = 0.00025  # seconds of waiting for each that came together before
_LONGEST = 0.003  # seconds; still far less than a request takes when there are so many
_PASS = b"HTTP/1.1 204 P\r\n"
_REFUSE = b"HTTP/1.1 403 R\r\nContent-Length: 0\r\n"
_FAIL = b"HTTP/1.1 500 F\r\nContent-Length: 0\r\n\r\n"

Question = list[bytes]
"""Five parts: the request line, `Host`, `M`, `X`, and what is left with its end."""
Answer = tuple[bytes, Line]
"""What lets a request pass, once this line is durable."""


class Answers(Protocol):
    """One side of the gateway."""

    domain: Domain

    def __call__(self, question: Question) -> Answer | Coroutine[Any, Any, Answer]:
        """Answer a question, at once or in time. Raises `FscProblem` to refuse, `ValueError` for what is none."""

    def write(self, lines: Sequence[Line]) -> "asyncio.Future[None]":
        """See `TransactionLog.write`."""


class Gathering:
    """Answers questions, together at a busy time: those that came in one turn of the loop share all that can be shared,
    which is one call to the log and one wait for it.

    What each waits for is a commit, which costs the same for one line as for twenty, and twice as much as all else that
    is done for a request. So after several that began together, the next wait a moment for each other, the longer the
    more there were; at any other time a question begins at once.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[Door, Answers, Question]] = []
        self._last = 0
        self._later: set[asyncio.Task[Answer]] = set()

    def enter(self, door: "Door", answers: Answers, question: Question) -> None:
        """Begin soon, perhaps with others."""
        self._waiting.append((door, answers, question))
        if len(self._waiting) == 1:
            loop = asyncio.get_running_loop()
            if self._last >= _SEVERAL:
                loop.call_later(min(self._last * _EACH, _LONGEST), self._begin)
            else:
                loop.call_soon(self._begin)

    def _begin(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._last = len(waiting)
        passing: dict[Answers, tuple[list[tuple[Door, bytes]], list[Line]]] = {}
        for door, answers, question in waiting:
            try:
                answer = answers(question)
            except Exception as failure:
                door.fail(failure)
                continue
            if isinstance(answer, tuple):
                doors, lines = passing.get(answers) or passing.setdefault(answers, ([], []))
                doors.append((door, answer[0]))
                lines.append(answer[1])
            else:
                self._wait_for(door, answers, answer)
        for answers, (doors, lines) in passing.items():
            _write(answers, doors, lines)

    def _wait_for(self, door: "Door", answers: Answers, answer: Coroutine[Any, Any, Answer]) -> None:
        """A question that something else comes before: a token that is fetched, a name that is looked up."""
        task = asyncio.get_running_loop().create_task(answer)
        self._later.add(task)
        task.add_done_callback(partial(self._answered, door, answers))

    def _answered(self, door: "Door", answers: Answers, task: "asyncio.Task[Answer]") -> None:
        self._later.discard(task)
        try:
            answer, line = task.result()
        except (Exception, asyncio.CancelledError) as failure:
            door.fail(failure)
        else:
            _write(answers, [(door, answer)], [line])


def _write(answers: Answers, doors: list[tuple["Door", bytes]], lines: list[Line]) -> None:
    answers.write(lines).add_done_callback(partial(_written, answers.domain, doors))


def _written(domain: Domain, doors: list[tuple["Door", bytes]], written: "asyncio.Future[None]") -> None:
    """The lines of these are durable, or could not be written."""
    try:
        written.result()
    except Unkept as problem:
        failure: BaseException = unwritten(problem, domain)
    except (Exception, asyncio.CancelledError) as problem:
        failure = problem
    else:
        for door, answer in doors:
            door.reply(answer)
        return
    for door, _ in doors:
        door.fail(failure)


class Door(asyncio.Protocol):
    """One connection of nginx's.

    Args:
        answers: by request line, who answers.
        gathering: that of all connections.
    """

    def __init__(self, answers: Mapping[bytes, Answers], gathering: Gathering) -> None:
        self._answers, self._gathering = answers, gathering
        self._held = b""
        self._asked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        if self._held:
            data, self._held = self._held + data, b""
        if not data.endswith(b"\r\n\r\n"):
            self._hold(data)
            return
        question = data.split(b"\r\n", 4)
        answers = self._answers.get(question[0])
        if answers is None or self._asked:
            self._transport.abort()
            return
        self._asked = True
        self._gathering.enter(self, answers, question)

    def _hold(self, data: bytes) -> None:
        if len(data) > _MOST:
            self._transport.abort()
        self._held = data

    def reply(self, answer: bytes) -> None:
        """Answer the question."""
        self._asked = False
        if not self._transport.is_closing():  # nginx does not wait for an answer when nobody does
            self._transport.write(answer)

    def fail(self, failure: BaseException) -> None:
        """Let the request not pass, whatever it was that came between."""
        if isinstance(failure, FscProblem):
            self.reply(refusal(failure))
        elif isinstance(failure, ValueError):
            self._transport.abort()
        else:
            log.error("a request could not be decided: %s", type(failure).__name__)
            self.reply(_FAIL)


class Inward(Protocol):
    """What an `Inway` decides."""

    def judge(self, request: Incoming) -> tuple[Forward, Line]:
        """See `Inway.judge`."""

    def write(self, lines: Sequence[Line]) -> "asyncio.Future[None]":
        """See `Inway.write`."""


class InwayAnswers:
    """Answers for nginx as an inway.

    Args:
        inway: decides.
        places: where services are.
        own: takes requests for the node itself; None when it is not offered.
    """

    LINE = b"GET /inway HTTP/1.1"

    def __init__(self, inway: Inward, places: Places, own: MarkedDoor | None = None) -> None:
        self.domain: Domain = INWAY
        self.write = inway.write
        self._judge, self._places, self._own = inway.judge, places, own
        self._callers = Recent[bytes, tuple[str | None, bytes]](_CALLERS)
        self._certificates = Recent[bytes, bytes](_CERTIFICATES)

    def __call__(self, question: Question) -> Answer | Coroutine[Any, Any, Answer]:
        _, host, request, transaction, caller = question
        known = self._callers.get(caller)
        authorization, certificate = known or self._read(caller)
        method, _, path = _after(b"M: ", request).partition(" ")
        forward, line = self._judge(
            Incoming(certificate, method, path, authorization, _after(b"X: =", transaction) or None)
        )
        if known is None:
            self._callers.put(caller, (authorization, certificate))
        if not forward.target.host and self._own is not None:
            return b"%b%b\r\n" % (_PASS, self._own.leave_word(forward, method)), line
        where = self._places.written(host, forward.target)
        if where is None:
            return self._found(forward, line, path)
        return _inward(where, forward, path), line

    async def _found(self, forward: Forward, line: Line, path: str) -> Answer:
        return _inward(await self._places.find(forward.target), forward, path), line

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


def _inward(where: bytes, forward: Forward, path: str) -> bytes:
    if forward.path == path:
        return b"%b%b\r\n" % (_PASS, where)
    return b"%b%bP: %b\r\n\r\n" % (_PASS, where, forward.path.encode("latin-1"))


class OutwayAnswers:
    """Answers for nginx as an outway.

    Args:
        outway: decides.
        places: where the inways of peers are.
        reports: of which of them nginx should tell every outcome.
    """

    LINE = b"GET /outway HTTP/1.1"

    def __init__(self, outway: Side, places: Places, reports: Reports) -> None:
        self.domain: Domain = OUTWAY
        self.write = outway.write
        self._judge, self._places, self._watched = outway.judge, places, reports.watched

    def __call__(self, question: Question) -> Answer | Coroutine[Any, Any, Answer]:
        _, host, request, transaction, rest = question
        method, _, path = _after(b"M: ", request).partition(" ")
        grant = _after(b"G: =", rest.removesuffix(b"\r\n\r\n"))
        judged = self._judge(Outgoing(method, path, grant or None, _after(b"X: =", transaction) or None))
        if isinstance(judged, tuple):
            forward, line = judged
            where = self._places.written(host, forward.target)
            if where is not None:
                return self._outward(where, forward, path), line
        return self._found(judged, path, host)

    async def _found(self, judged: Judged | Coroutine[Any, Any, Judged], path: str, host: bytes) -> Answer:
        forward, line = judged if isinstance(judged, tuple) else await judged
        where = self._places.written(host, forward.target) or await self._places.find(forward.target)
        return self._outward(where, forward, path), line

    def _outward(self, where: bytes, forward: Forward, path: str) -> bytes:
        (_, token), (_, transaction) = forward.headers
        head = f"A: {token}\r\nX: {transaction}\r\n"
        if forward.path != path:
            head = f"{head}P: {forward.path}\r\n"
        if forward.target in self._watched:
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
