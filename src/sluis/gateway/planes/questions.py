"""Where nginx asks whether a request may pass: HTTP/1.1 over a unix socket, in the one form that our configuration makes.

nginx puts a question for each request (`auth_request`), over connections that it keeps, one at a time on each. The
answer says where the request goes and what it carries (204), or why it does not pass (403: nginx knows no other refusal,
and makes the status, body and code of FSC out of it). Anything else in the place of a question is not from our nginx:
the connection is closed, and a question without answer lets nothing pass.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from sluis.gateway.faults import FscProblem
from sluis.gateway.forward import AUTHORIZATION, TRANSACTION, Forward, Incoming, Outgoing
from sluis.gateway.planes.nginx_conf import REFUSALS, ascii_body
from sluis.gateway.planes.places import Places

log = logging.getLogger("sluis.gateway")

BACKLOG = 4096
"""Connections that may wait to be taken; with asyncio's own 100, nginx would refuse requests at a hundred at once."""

_MOST = 128 * 1024  # bytes of a question; what nginx takes of a request's head is half of that
_PASS = b"HTTP/1.1 204 P\r\n"
_REFUSE = b"HTTP/1.1 403 R\r\nContent-Length: 0\r\n"
_FAIL = b"HTTP/1.1 500 F\r\nContent-Length: 0\r\n\r\n"
_LETTERS = {AUTHORIZATION: "A", TRANSACTION: "X"}

Answer = Callable[[list[bytes]], Awaitable[bytes]]
"""What answers the lines of a question. Raises `FscProblem` to refuse, `ValueError` for what is no question."""


class Door(asyncio.Protocol):
    """One connection of nginx's.

    Args:
        answers: by request line, who answers.
    """

    def __init__(self, answers: dict[bytes, Answer]) -> None:
        self._answers = answers
        self._held = b""
        self._asked: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        if self._held:
            data, self._held = self._held + data, b""
        if not data.endswith(b"\r\n\r\n"):
            self._hold(data)
            return
        lines = data.split(b"\r\n")
        answer = self._answers.get(lines[0])
        if answer is None or (self._asked is not None and not self._asked.done()):
            self._transport.abort()
            return
        self._asked = self._loop.create_task(self._reply(answer, lines))

    def _hold(self, data: bytes) -> None:
        if len(data) > _MOST:
            self._transport.abort()
        self._held = data

    async def _reply(self, answer: Answer, lines: list[bytes]) -> None:
        try:
            said = await answer(lines)
        except FscProblem as problem:
            said = refusal(problem)
        except ValueError:
            self._transport.abort()
            return
        except Exception as failure:  # whatever it was: a request that was not decided does not pass
            log.error("a request could not be decided: %s", type(failure).__name__)
            said = _FAIL
        self._transport.write(said)


class InwayAnswers:
    """Answers for nginx as an inway.

    Args:
        decide: `Inway.decide`.
        places: where services are.
        certificates: the certificate in what nginx passes on of it.
    """

    LINE = b"GET /inway HTTP/1.1"

    def __init__(
        self,
        decide: Callable[[Incoming], Awaitable[Forward]],
        places: Places,
        certificates: Callable[[bytes], bytes],
    ) -> None:
        self._decide, self._places, self._certificates = decide, places, certificates

    async def __call__(self, lines: list[bytes]) -> bytes:
        _, host, request, transaction, authorization, certificate, _, _ = lines
        method, _, path = _after(b"M: ", request).partition(" ")
        decided = await self._decide(
            Incoming(
                self._certificates(certificate),
                method,
                path,
                _after(b"A: =", authorization) or None,
                _after(b"X: =", transaction) or None,
            )
        )
        where = self._places.written(host, decided.target) or await self._places.find(decided.target)
        if decided.path == path:
            return b"%b%b\r\n" % (_PASS, where)
        return b"%b%bP: %b\r\n\r\n" % (_PASS, where, decided.path.encode("latin-1"))


class OutwayAnswers:
    """Answers for nginx as an outway.

    Args:
        decide: `Outway.decide`.
        places: where the inways of peers are.
    """

    LINE = b"GET /outway HTTP/1.1"

    def __init__(self, decide: Callable[[Outgoing], Awaitable[Forward]], places: Places) -> None:
        self._decide, self._places = decide, places

    async def __call__(self, lines: list[bytes]) -> bytes:
        _, host, request, transaction, grant, _, _ = lines
        method, _, path = _after(b"M: ", request).partition(" ")
        decided = await self._decide(
            Outgoing(method, path, _after(b"G: =", grant) or None, _after(b"X: =", transaction) or None)
        )
        where = self._places.written(host, decided.target) or await self._places.find(decided.target)
        head = "".join([f"{_LETTERS[name]}: {value}\r\n" for name, value in decided.headers])
        if decided.path != path:
            head = f"{head}P: {decided.path}\r\n"
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
