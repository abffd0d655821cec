"""Where nginx asks whether a request may pass: HTTP/1.1 over a unix socket, in the one form that our configuration makes.

nginx puts a question for each request (`auth_request`), over connections that it keeps, one at a time on each. The
answer says where the request goes and what it carries (204), or why it does not pass (403: nginx knows no other refusal,
and makes the status, body and code of FSC out of it). Anything else in the place of a question is not from our nginx:
the connection is closed, and a question without answer lets nothing pass.
"""

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from sluis.gateway.faults import Domain, FscProblem
from sluis.gateway.planes.nginx_conf import REFUSALS, ascii_body
from sluis.gateway.transactions import Line, unwritten
from sluis.kernel import Unkept

log = logging.getLogger("sluis.gateway")

BACKLOG = 4096
"""Connections that may wait to be taken; with asyncio's own 100, nginx would refuse requests at a hundred at once."""

_MOST = 128 * 1024  # bytes of a question; what nginx takes of a request's head is half of that
_SEVERAL = 4  # questions; fewer come together by chance
_EACH = 0.00025  # seconds of waiting for each that came together before
_LONGEST = 0.003  # seconds; still far less than a request takes when there are so many
PASS = b"HTTP/1.1 204 P\r\n"
"""How an answer begins that lets a request pass."""
_REFUSE = b"HTTP/1.1 403 R\r\nContent-Length: 0\r\n"
_FAIL = b"HTTP/1.1 500 F\r\nContent-Length: 0\r\n\r\n"

Question = list[bytes]
"""Five parts: the request line, `Host`, `M`, `X`, and what is left with its end."""
Answer = tuple[bytes, Line]
"""What lets a request pass, once this line is durable."""
Later = Coroutine[Any, Any, tuple[bytes, Line | None]]
"""What finds that in time; no line where it is durable already."""


class Answers(Protocol):
    """One side of the gateway."""

    domain: Domain

    def __call__(self, question: Question) -> Answer | Later:
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
        self._later: set[asyncio.Task[tuple[bytes, Line | None]]] = set()

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

    def _wait_for(self, door: "Door", answers: Answers, answer: Later) -> None:
        """A question that something else comes before: a token that is fetched, a name that is looked up."""
        task = asyncio.get_running_loop().create_task(answer)
        self._later.add(task)
        task.add_done_callback(partial(self._answered, door, answers))

    def _answered(
        self, door: "Door", answers: Answers, task: "asyncio.Task[tuple[bytes, Line | None]]"
    ) -> None:
        self._later.discard(task)
        try:
            answer, line = task.result()
        except (Exception, asyncio.CancelledError) as failure:
            door.fail(failure)
        else:
            if line is None:
                door.reply(answer)
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


def refusal(problem: FscProblem) -> bytes:
    """What tells nginx that a request does not pass, and what to answer instead."""
    status = problem.status if problem.status in REFUSALS else 500
    head = f"R: S=@refused-{status} E={problem.fsc_code} B={ascii_body(problem)}\r\n\r\n"
    return _REFUSE + head.encode("ascii")
