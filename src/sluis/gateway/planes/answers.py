"""What nginx is answered: where a request goes and what it carries, written as our configuration reads it.

What every answer says has a header of its own; all that few say stands in one, `R`, as pairs (`_RARE` in `nginx_conf`).
"""

import asyncio
import hashlib
from collections.abc import Coroutine, Sequence
from itertools import count
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sluis.gateway.faults import INWAY, OUTWAY, Domain, FscProblem, inway_fault, outway_fault
from sluis.gateway.forward import Forward, Incoming, Outgoing, Target
from sluis.gateway.outway import Judged
from sluis.gateway.planes.marked import MarkedDoor
from sluis.gateway.planes.nginx_conf import NOT_DONE
from sluis.gateway.planes.places import Places, Where
from sluis.gateway.planes.questions import PASS, Answer, Later, Question
from sluis.gateway.planes.reports import Reports, Side
from sluis.gateway.properties import alternative_of
from sluis.gateway.tokens import Recent
from sluis.gateway.transactions import Line, durable

_CERTIFICATES = 16_384  # that are known; more peers than a group has
_CALLERS = 1024  # pairs of token and certificate that are remembered as nginx writes them
_TOKENS = 1024  # that are remembered as nginx reads them


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
    INSTEAD = b"GET /inway-instead HTTP/1.1"

    def __init__(self, inway: Inward, places: Places, own: MarkedDoor | None = None) -> None:
        self.domain: Domain = INWAY
        self.write = inway.write
        self._judge, self._places, self._own = inway.judge, places, own
        self._callers = Recent[bytes, tuple[str | None, bytes]](_CALLERS)
        self._certificates = Recent[bytes, bytes](_CERTIFICATES)
        self._left = _Left()

    def __call__(self, question: Question) -> Answer | Later:
        """See `Answers`."""
        asked, host, request, transaction, caller = question
        if asked == self.INSTEAD:
            return self._instead(host, *_asked(request, transaction))
        known = self._callers.get(caller)
        authorization, certificate = known or self._read(caller)
        method, path, about = _asked(request, transaction)
        forward, line = self._judge(Incoming(certificate, method, path, authorization, about or None))
        if known is None:
            self._callers.put(caller, (authorization, certificate))
        if not forward.target.host and self._own is not None:
            return PASS + self._own.leave_word(forward, method) + b"\r\n", line
        where = self._places.written(host, forward.target)
        if where is None:
            return self._found(forward, line, path)
        return self._passes(where, forward, path), line

    async def _found(self, forward: Forward, line: Line, path: str) -> tuple[bytes, None]:
        """Also what is found nowhere has its line: the peer counts on that, whose outway knows the request was let in."""
        await durable(self.write([line]), INWAY)
        return self._passes(await self._places.find(forward.target), forward, path), None

    async def _instead(self, host: bytes, method: str, path: str, number: str) -> tuple[bytes, None]:
        """The alternative of a service that did not answer: that is the same crossing, with the same line."""
        left = self._left.take(number)
        if left is None or left.alternative is None:
            raise inway_fault("ERROR_CODE_SERVICE_UNREACHABLE", NOT_DONE)
        return _inward(await _place(self._places, host, left.alternative), left, path), None

    def _passes(self, where: Where, forward: Forward, path: str) -> bytes:
        if forward.alternative is not None:
            where = where[0], f"{where[1]}L={self._left.keep(forward)} "
        return _inward(where, forward, path)

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


class _Left:
    """What passed and may yet go elsewhere, by a number of ours: nginx brings that back. Whoever asks chooses the id of a
    transaction, and may choose one that another has."""

    def __init__(self) -> None:
        self._kept, self._numbers = Recent[str, Forward](), count(1)

    def keep(self, forward: Forward) -> int:
        """Gives its number."""
        number = next(self._numbers)
        self._kept.put(str(number), forward)
        return number

    def take(self, number: str) -> Forward | None:
        """What has this number, once."""
        found = self._kept.get(number)
        self._kept.drop(number)
        return found


async def _place(places: Places, host: bytes, target: Target) -> Where:
    return places.written(host, target) or await places.find(target)


def _inward(where: Where, forward: Forward, path: str) -> bytes:
    passes, rare = where
    return passes + _end(rare, forward.path, path)


def _end(rare: str, changed: str, path: str) -> bytes:
    """What few answers say, and the end. The path comes last: it is the one value that whoever asks has a hand in."""
    if changed != path:
        rare = f"{rare}P={changed}"
    return b"R: %b\r\n\r\n" % rare.encode("latin-1") if rare else b"\r\n"


class OutwayAnswers:
    """Answers for nginx as an outway.

    Args:
        outway: decides.
        places: where the inways of peers are.
        reports: of which of them nginx should tell every outcome.
    """

    LINE = b"GET /outway HTTP/1.1"
    INSTEAD = b"GET /outway-instead HTTP/1.1"

    def __init__(self, outway: Side, places: Places, reports: Reports) -> None:
        self.domain: Domain = OUTWAY
        self.write = outway.write
        self._outway, self._judge, self._places, self._watched = outway, outway.judge, places, reports.watched
        self._tokens = Recent[str, bytes](_TOKENS)
        self._left = _Left()

    def __call__(self, question: Question) -> Answer | Later:
        """See `Answers`."""
        asked, host, request, transaction, rest = question
        method, path, about = _asked(request, transaction)
        if asked == self.INSTEAD:
            return self._instead(host, path, about)
        grant = _after(b"G: =", rest)[:-4]
        judged = self._judge(Outgoing(method, path, grant or None, about or None))
        if isinstance(judged, tuple):
            where = self._places.written(host, judged[0].target)
            if where is not None:
                return self._passes(where, judged, path)
        return self._found(judged, host, path)

    async def _found(self, judged: Judged | Coroutine[Any, Any, Judged], host: bytes, path: str) -> Answer:
        if not isinstance(judged, tuple):
            judged = await judged
        try:
            where = await _place(self._places, host, judged[0].target)
        except FscProblem:  # nobody was found there: nothing was sent, and there is no line
            other = await self._outway.instead(judged[0], recorded=False)
            if other is None:
                raise
            judged, where = other, await _place(self._places, host, other[0].target)
        return self._passes(where, judged, path)

    async def _instead(self, host: bytes, path: str, number: str) -> Answer:
        """The alternative of a service whose inway did not answer."""
        left = self._left.take(number)
        if left is None:
            raise outway_fault("ERROR_CODE_PEER_UNREACHABLE", NOT_DONE)
        peer = left.target.peer
        self._watched.add(left.target)
        self._outway.failed(peer)
        self._outway.note(peer, left.transaction_id)
        other = await self._outway.instead(left, recorded=True)
        if other is None:
            raise outway_fault("ERROR_CODE_PEER_UNREACHABLE", NOT_DONE, peer=str(peer))
        return self._passes(await _place(self._places, host, other[0].target), other, path)

    def _passes(self, where: Where, judged: Judged, path: str) -> Answer:
        forward, line = judged
        (_, token), (_, transaction) = forward.headers
        passes, rare = where
        if self._watched and forward.target in self._watched:
            rare += "W=1 "
        if forward.instead:
            rare += f"I={forward.instead} "
        elif forward.grant is not None and alternative_of(forward.grant.properties) is not None:
            rare += f"L={self._left.keep(forward)} "
        told = self._tokens.get(token) or self._tokens.put(token, f"A: {token}\r\nX: ".encode("latin-1"))
        end = _end(rare, forward.path, path)
        return b"%b%b%b\r\n%b" % (passes, told, transaction.encode("ascii"), end), line


def _asked(request: bytes, transaction: bytes) -> tuple[str, str, str]:
    """Method and path of what is asked about, and its transaction id or number."""
    if not (request.startswith(b"M: ") and transaction.startswith(b"X: =")):
        raise ValueError
    method, _, path = request[3:].decode("latin-1").partition(" ")
    return method, path, transaction[4:].decode("latin-1")


def _after(name: bytes, line: bytes) -> str:
    if not line.startswith(name):
        raise ValueError
    return line[len(name) :].decode("latin-1")
