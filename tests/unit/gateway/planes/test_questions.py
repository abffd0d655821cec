"""How questions of nginx are read and answered; a transport that only remembers stands for the socket."""

import asyncio
import hashlib
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sluis.crypto import make_authority
from sluis.gateway.faults import INWAY, OUTWAY, Domain, FscProblem
from sluis.gateway.forward import AUTHORIZATION, TRANSACTION, Forward, Incoming, Outgoing, Target
from sluis.gateway.planes import questions
from sluis.gateway.planes.answers import InwayAnswers, OutwayAnswers
from sluis.gateway.planes.places import Places
from sluis.gateway.planes.questions import Door, Gathering, refusal
from sluis.gateway.planes.reports import Reports
from sluis.gateway.transactions import OUTGOING, Crossing, Line, Passage
from sluis.kernel import PeerId, Text, Unkept

PEER = PeerId("00000009900000000002")
SERVICE = Target(False, "127.0.0.9", 80, "127.0.0.9")
AWAY = Target(True, "inway.example", 443, "inway.example", PEER)
ID = "0199f2a4-7c1e-7000-8000-000000000001"
OTHER_ID = "0199f2a4-7c1e-7000-8000-000000000002"
LINE = b"0123456789abcdef", Passage(OUTGOING, Crossing("$1$3$h", "x", PEER, PEER))

OTHER_LINE = b"fedcba9876543210", LINE[1]
SPARE = Target(False, "127.0.0.10", 80, "127.0.0.10")
ELSEWHERE = Target(True, "spare.example", 443, "spare.example", PEER)

KEY = f"https://inway.example#{str.__str__(PEER)}"
SPARE_KEY = f"https://spare.example#{str.__str__(PEER)}"


class Transport:
    """Remembers what was written, and whether the connection was ended."""

    def __init__(self) -> None:
        self.written, self.ended = b"", False

    def write(self, data: bytes) -> None:
        self.written += data

    def abort(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.ended


class Side:
    """Decides as it is told, and remembers what it was asked, told and given to write.

    `written` is the future of all lines; it is done already, unless a test puts another in its place. `other` is where a
    request goes instead.
    """

    other: tuple[Forward, Line] | None = None

    def __init__(self, forward: Forward | Exception) -> None:
        self.forward, self.asked, self.told = forward, list[Any](), list[Any]()
        self.lines: list[Sequence[Line]] = []
        self.written = asyncio.get_running_loop().create_future()
        self.written.set_result(None)

    def judge(self, request: Any) -> tuple[Forward, Line]:
        self.asked.append(request)
        if isinstance(self.forward, Exception):
            raise self.forward
        return self.forward, LINE

    async def instead(self, forward: Forward, recorded: bool) -> tuple[Forward, Line] | None:
        self.told.append(("instead", forward.target, recorded))
        return self.other

    def write(self, lines: Sequence[Line]) -> "asyncio.Future[None]":
        self.lines.append(lines)
        return self.written

    def answered(self, peer: PeerId | None) -> None:
        self.told.append(("answered", peer))

    def failed(self, peer: PeerId | None) -> None:
        self.told.append(("failed", peer))

    def refused(self, forward: Forward) -> None:
        self.told.append(("refused", forward.headers[0][1]))

    def note(self, peer: PeerId | None, transaction_id: str, code: str = "") -> None:
        self.told.append(("note", peer, transaction_id, code))


class Waiting(Side):
    """Has something else to wait for before it decides."""

    def __init__(self, forward: Forward | Exception) -> None:
        super().__init__(forward)
        self.gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def judge(self, request: Any) -> Any:
        return self._later(request)

    async def _later(self, request: Any) -> tuple[Forward, Line]:
        await self.gate
        return super().judge(request)


async def soon() -> None:
    """Let the loop do what it has to do now."""
    for _ in range(10):
        await asyncio.sleep(0)


async def _resolve(host: str, port: int) -> list[str]:
    return ["10.0.0.1"]


def places() -> Places:
    return Places(_resolve, lambda: None)


def inward(path: str = "/x") -> Forward:
    return Forward(SERVICE, path, ((AUTHORIZATION, "Bearer t"), (TRANSACTION, ID)), ID)


def outward(path: str = "/x") -> Forward:
    return Forward(AWAY, path, ((AUTHORIZATION, "Bearer t"), (TRANSACTION, ID)), ID)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("authority")
    return make_authority(folder, "Groep").certificate


def asked(certificate: Any, told: bool = True, request: str = "GET /x", token: str = "Bearer t") -> bytes:
    der = certificate.public_bytes(Encoding.DER)
    lines = ["GET /inway HTTP/1.1", "Host: 1", f"M: {request}", f"X: ={ID}", f"A: ={token}"]
    lines += [f"F: {hashlib.sha1(der).hexdigest()}"]
    lines += [f"C: {quote(certificate.public_bytes(Encoding.PEM).decode(), safe='')}"] if told else []
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def door(
    side: Side, known: Places | None = None, gathering: Gathering | None = None
) -> tuple[Door, Transport]:
    known, transport = known or places(), Transport()
    inner, outer = InwayAnswers(side, known), OutwayAnswers(side, known, Reports(side, known))
    made = Door(
        {inner.LINE: inner, inner.INSTEAD: inner, outer.LINE: outer, outer.INSTEAD: outer},
        gathering or Gathering(),
    )
    made.connection_made(transport)  # type: ignore[arg-type]
    return made, transport


OUT = b"GET /outway HTTP/1.1\r\nHost: 1\r\nM: GET /l/x?q\r\nX: =\r\nG: =$1$3$h\r\n\r\n"


async def test_inway_is_told_all_that_it_decides_by(certificate: Any) -> None:
    side = Side(inward("/base/x"))
    one, transport = door(side)
    one.data_received(asked(certificate, request="POST /x?y=%20"))
    await soon()
    der = certificate.public_bytes(Encoding.DER)
    assert side.asked == [Incoming(der, "POST", "/x?y=%20", "Bearer t", ID)]
    lines = transport.written.split(b"\r\n")
    assert lines[0].startswith(b"HTTP/1.1 204 ")
    assert {b"T: http://127.0.0.9:80", b"R: K=http://127.0.0.9# P=/base/x"} <= set(lines)


async def test_outway_is_told_all_that_it_decides_by() -> None:
    side = Side(outward())
    one, transport = door(side)
    one.data_received(OUT)
    await soon()
    assert side.asked == [Outgoing("GET", "/l/x?q", "$1$3$h", None)]
    lines = set(transport.written.split(b"\r\n"))
    assert {b"T: https://10.0.0.1:443", b"A: Bearer t", f"X: {ID}".encode()} <= lines
    assert f"R: K={KEY} P=/x".encode() in lines


async def test_worker_that_knows_a_place_is_told_its_name_alone() -> None:
    known = places()
    one, transport = door(Side(outward("/l/x?q")), known)
    await known.find(AWAY)
    known.publish(1)
    one.data_received(OUT)
    await soon()
    [place] = known.all()
    assert transport.written.startswith(f"HTTP/1.1 204 P\r\nT: {place.url}\r\n".encode())
    assert b"K=" not in transport.written
    assert known.named(place.url) == known.named(place.key) == AWAY
    one.data_received(
        OUT.replace(b"Host: 1", b"Host: 2")
    )  # a configuration of which it is not known what it has
    await soon()
    assert b"T: https://10.0.0.1:443\r\n" in transport.written


async def test_question_in_pieces_is_the_same_question(certificate: Any) -> None:
    whole = asked(certificate)
    for size in (1, 7, 100, len(whole) - 1):
        side = Side(inward())
        one, transport = door(side)
        for at in range(0, len(whole), size):
            one.data_received(whole[at : at + size])
        await soon()
        assert len(side.asked) == 1
        assert transport.written.startswith(b"HTTP/1.1 204 ")


async def test_connection_takes_question_after_question(certificate: Any) -> None:
    side = Side(inward())
    one, transport = door(side)
    for _ in range(3):
        one.data_received(asked(certificate))
        await soon()
    assert transport.written.count(b"HTTP/1.1 204 ") == 3


async def test_request_does_not_pass_before_its_line_is_durable(certificate: Any) -> None:
    side = Side(inward())
    side.written = asyncio.get_running_loop().create_future()
    one, transport = door(side)
    one.data_received(asked(certificate))
    await soon()
    assert side.lines == [[LINE]]
    assert transport.written == b""
    side.written.set_result(None)
    await soon()
    assert transport.written.startswith(b"HTTP/1.1 204 ")


@pytest.mark.parametrize(("question", "domain"), [(OUT, OUTWAY), (None, INWAY)])
async def test_request_whose_line_could_not_be_written_does_not_pass(
    certificate: Any, question: bytes | None, domain: Domain
) -> None:
    side = Side(outward())
    side.written = asyncio.get_running_loop().create_future()
    side.written.set_exception(Unkept("store-unavailable", *[Text("-", "-")] * 3))
    one, transport = door(side)
    one.data_received(question or asked(certificate))
    await soon()
    assert transport.written == refusal(FscProblem("TRANSACTION_LOG_WRITE_ERROR", domain, Text("-", "-")))


async def test_decision_may_wait_for_something_else() -> None:
    side = Waiting(outward())
    one, transport = door(side)
    one.data_received(OUT)
    await soon()
    assert side.lines == []
    assert transport.written == b""
    side.gate.set_result(None)
    await soon()
    assert side.lines == [[LINE]]
    assert transport.written.startswith(b"HTTP/1.1 204 ")


async def test_request_whose_decision_is_cancelled_does_not_pass() -> None:
    side = Waiting(outward())
    one, transport = door(side)
    one.data_received(OUT)
    await soon()
    side.gate.cancel()
    await soon()
    assert transport.written.startswith(b"HTTP/1.1 500 ")
    assert side.lines == []


async def test_certificate_is_known_by_its_fingerprint_once_it_was_told(certificate: Any) -> None:
    side = Side(inward())
    one, transport = door(side)
    one.data_received(asked(certificate))
    await soon()
    one.data_received(asked(certificate, told=False, token="Bearer other"))
    await soon()
    assert [request.client_certificate for request in side.asked] == [
        certificate.public_bytes(Encoding.DER)
    ] * 2
    assert not transport.ended


async def test_certificate_that_was_never_told_is_nobody(certificate: Any) -> None:
    side = Side(inward())
    one, transport = door(side)
    one.data_received(asked(certificate, told=False))
    await soon()
    assert transport.ended
    assert side.asked == []


async def test_fingerprint_of_another_certificate_is_nobody(certificate: Any) -> None:
    side = Side(inward())
    one, transport = door(side)
    der = certificate.public_bytes(Encoding.DER)
    one.data_received(asked(certificate).replace(hashlib.sha1(der).hexdigest().encode(), b"0" * 40))
    await soon()
    assert transport.ended
    assert side.asked == []


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nHost: 1\r\n\r\n",
        b"POST /inway HTTP/1.1\r\n\r\n",
        b"\r\n\r\n",
        b"GET /outway HTTP/1.1\r\n\r\n",
        OUT.replace(b"M: ", b"Q: "),
        OUT.replace(b"X: =", b"X: "),
        OUT.replace(b"G: =", b"g: ="),
        b"x" * 200_000,
    ],
)
async def test_what_is_no_question_of_our_nginx_ends_the_connection(raw: bytes) -> None:
    side = Side(outward())
    one, transport = door(side)
    one.data_received(raw)
    await soon()
    assert transport.ended
    assert transport.written == b""


async def test_second_question_before_the_first_is_answered_ends_the_connection() -> None:
    side = Waiting(outward())
    one, transport = door(side)
    one.data_received(OUT)
    one.data_received(OUT)
    assert transport.ended
    side.gate.set_result(None)
    await soon()
    assert len(side.asked) == 1
    assert transport.written == b""


def test_refusal_says_status_code_and_body() -> None:
    problem = FscProblem(
        "ERROR_CODE_ACCESS_TOKEN_EXPIRED", INWAY, Text("Het café\r\nX: y", "The café\r\nX: y")
    )
    head, *lines = refusal(problem).decode("ascii").split("\r\n")
    assert head.startswith("HTTP/1.1 403 ")
    assert any(line.startswith("R: S=@refused-401 E=ERROR_CODE_ACCESS_TOKEN_EXPIRED B={") for line in lines)
    assert not any(line.startswith("X: ") for line in lines)


async def test_refused_request_does_not_pass() -> None:
    problem = FscProblem("ERROR_CODE_SERVICE_NOT_FOUND", INWAY, Text("-", "-"))
    one, transport = door(Side(problem))
    one.data_received(OUT)
    await soon()
    assert transport.written == refusal(problem)


async def test_request_that_could_not_be_decided_does_not_pass(caplog: pytest.LogCaptureFixture) -> None:
    one, transport = door(Side(RuntimeError("999990019")))
    one.data_received(OUT)
    await soon()
    assert transport.written.startswith(b"HTTP/1.1 500 ")
    assert "999990019" not in caplog.text


async def test_peer_that_failed_is_watched_until_it_answers() -> None:
    side, known = Side(outward()), places()
    reports = Reports(side, known)
    answers = OutwayAnswers(side, known, reports)
    await known.find(AWAY)
    known.publish(1)

    def answer() -> bytes:
        given = answers(OUT.split(b"\r\n", 4))
        assert isinstance(given, tuple)
        return given[0]

    assert b"W=1" not in answer()
    reports.take(f"<190>Nov 22 01:02:03 nginx: -|502|{KEY}|Bearer t|{ID}|-".encode())
    assert b"R: W=1 P=/x" in answer()
    reports.take(f"<190>Nov 22 01:02:03 nginx: -, 0.003|502, 200|{KEY}|Bearer t|{ID}|-".encode())
    assert b"W=1" not in answer()
    assert side.told == [("note", PEER, ID, ""), ("failed", PEER), ("answered", PEER)]


TOKEN = "ERROR_CODE_ACCESS_TOKEN_INVALID"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("0.001|401|{key}|Bearer t|{id}|-", [("answered", PEER), ("refused", "Bearer t")]),
        (
            "0.001|401|{key}|Bearer t|{id}|" + TOKEN,
            [("note", PEER, ID, TOKEN), ("answered", PEER), ("refused", "Bearer t")],
        ),
        ("0.001|404|{key}|Bearer t|{id}|a|b", [("note", PEER, ID, "a|b"), ("answered", PEER)]),
        (
            "0.001|404|{key}|Bearer t|{id}|nginx: -|502|{key}|Bearer x|{id}|-",
            [("note", PEER, ID, f"nginx: -|502|{KEY}|Bearer x|{ID}|-"), ("answered", PEER)],
        ),
        ("0.001|502|{key}|Bearer t|{id}|-", [("answered", PEER)]),
        ("-, -|502, 504|{key}||{id}|-", [("note", PEER, ID, ""), ("failed", PEER)]),
        ("-|-|{key}||{id}|-", [("note", PEER, ID, "")]),
        ("-|502|elsewhere||{id}|-", []),
        ("0.001|401|{key}|Bearer t", []),
        ("nonsense", []),
        ("", []),
    ],
)
async def test_report_is_read_for_what_it_means(line: str, told: list[Any]) -> None:
    side, known = Side(outward()), places()
    await known.find(AWAY)
    Reports(side, known).take(b"<190>Nov 22 01:02:03 nginx: " + line.format(key=KEY, id=ID).encode())
    assert side.told == told


def outward_instead() -> tuple[Forward, Line]:
    headers = (AUTHORIZATION, "Bearer o"), (TRANSACTION, OTHER_ID)
    return Forward(ELSEWHERE, "/x", headers, OTHER_ID, instead=f"{PEER}/reserve"), OTHER_LINE


def with_an_alternative() -> Forward:
    named: Any = SimpleNamespace(
        properties={"sluis.alternative": {"peer_id": str.__str__(PEER), "service": "reserve"}}
    )
    return msgspec.structs.replace(outward(), grant=named)


def nowhere(lost: Target) -> Places:
    """Where every name but that of one target is known."""

    async def resolve(host: str, port: int) -> list[str]:
        if host == lost.host:
            raise OSError
        return ["10.0.0.1"]

    return Places(resolve, lambda: None)


def instead(side: str, number: int = 1) -> bytes:
    return f"GET /{side}-instead HTTP/1.1\r\nHost: 1\r\nM: GET /x\r\nX: ={number}\r\n\r\n".encode()


async def test_the_alternative_of_a_service_is_the_same_crossing_with_the_same_line(certificate: Any) -> None:
    side = Side(msgspec.structs.replace(inward(), alternative=SPARE))
    one, transport = door(side)
    one.data_received(asked(certificate))
    await soon()
    assert b"R: K=http://127.0.0.9# L=1 " in transport.written.split(b"\r\n")
    transport.written = b""
    one.data_received(instead("inway"))
    await soon()
    assert transport.written.startswith(b"HTTP/1.1 204 P\r\nT: http://127.0.0.10:80\r\n")
    assert side.lines == [[LINE]]


async def test_what_the_inway_let_in_has_its_line_also_when_its_service_is_found_nowhere(
    certificate: Any,
) -> None:
    service = Target(False, "weg.example", 80, "weg.example")
    side = Side(msgspec.structs.replace(inward(), target=service))
    one, transport = door(side, nowhere(service))
    one.data_received(asked(certificate))
    await soon()
    assert b" E=ERROR_CODE_SERVICE_UNREACHABLE " in transport.written
    assert side.lines == [[LINE]]


async def test_what_did_not_reach_its_inway_goes_to_the_alternative_with_a_line_of_its_own() -> None:
    side = Side(with_an_alternative())
    side.other = outward_instead()
    one, transport = door(side)
    one.data_received(OUT)
    await soon()
    assert b" L=1 " in transport.written
    transport.written, side.written = b"", asyncio.get_running_loop().create_future()
    one.data_received(instead("outway"))
    await soon()
    assert side.told == [("failed", PEER), ("note", PEER, ID, ""), ("instead", AWAY, True)]
    assert side.lines == [[LINE], [OTHER_LINE]]
    assert transport.written == b""
    side.written.set_result(None)
    await soon()
    lines = set(transport.written.split(b"\r\n"))
    assert {
        f"X: {OTHER_ID}".encode(),
        b"A: Bearer o",
        f"R: K={SPARE_KEY} I={PEER}/reserve ".encode(),
    } <= lines


async def test_what_cannot_leave_has_no_line_and_its_alternative_has() -> None:
    side = Side(outward())
    one, transport = door(side, nowhere(AWAY))
    one.data_received(OUT)
    await soon()
    assert b" E=ERROR_CODE_PEER_UNREACHABLE " in transport.written
    assert side.lines == []
    side.other = outward_instead()
    one.data_received(OUT)
    await soon()
    assert side.told == [("instead", AWAY, False)] * 2
    assert side.lines == [[OTHER_LINE]]
    assert f" I={PEER}/reserve ".encode() in transport.written


async def test_a_transaction_that_somebody_else_has_too_leads_to_nobody_elses_alternative(
    certificate: Any,
) -> None:
    """Peers choose the ids of their transactions, and one that was called knows that of its caller."""
    side = Side(msgspec.structs.replace(inward("/own"), alternative=SPARE))
    one, transport = door(side)
    one.data_received(asked(certificate))
    await soon()
    side.forward = msgspec.structs.replace(inward("/of-another"), alternative=AWAY)
    one.data_received(asked(certificate))
    await soon()
    transport.written = b""
    one.data_received(instead("inway", 1))
    await soon()
    assert (
        transport.written
        == b"HTTP/1.1 204 P\r\nT: http://127.0.0.10:80\r\nR: K=http://127.0.0.10# P=/own\r\n\r\n"
    )
    transport.written = b""
    one.data_received(instead("inway", 1))
    await soon()
    assert transport.written.startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("side", ["inway", "outway"])
async def test_what_never_passed_has_no_alternative(side: str) -> None:
    one, transport = door(Side(outward()))
    one.data_received(instead(side))
    await soon()
    assert transport.written.startswith(b"HTTP/1.1 403 ")


async def test_question_that_comes_alone_begins_at_once() -> None:
    side, gathering = Side(outward()), Gathering()
    for number in range(3):
        door(side, gathering=gathering)[0].data_received(OUT)
        await asyncio.sleep(0)
        assert len(side.asked) == number + 1


async def test_questions_of_a_busy_time_begin_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "_EACH", 0.03)
    monkeypatch.setattr(questions, "_LONGEST", 0.03)  # longer than a busy machine stands still
    side, gathering, known = Side(outward()), Gathering(), places()
    doors = [door(side, known, gathering)[0] for _ in range(6)]
    for one in doors[:4]:
        one.data_received(OUT)
    await asyncio.sleep(0)
    assert len(side.asked) == 4
    for one in doors[4:]:
        one.data_received(OUT)
        await asyncio.sleep(0)
    assert len(side.asked) == 4
    await asyncio.sleep(0.05)
    assert len(side.asked) == 6


async def test_requests_that_begin_together_share_one_write_and_are_answered_each(certificate: Any) -> None:
    refused = FscProblem("ERROR_CODE_SERVICE_NOT_FOUND", INWAY, Text("-", "-"))

    class Picky(Side):
        def judge(self, request: Any) -> tuple[Forward, Line]:
            if request.path == "/refused":
                raise refused
            return super().judge(request)

    side, gathering, known = Picky(inward()), Gathering(), places()
    await known.find(SERVICE)
    known.publish(1)
    inner = {InwayAnswers.LINE: InwayAnswers(side, known)}
    transports = [Transport() for _ in range(5)]
    for number, transport in enumerate(transports):
        one = Door(inner, gathering)
        one.connection_made(transport)  # type: ignore[arg-type]
        one.data_received(asked(certificate, request="GET /refused" if number == 2 else "GET /x"))
    await soon()
    assert side.lines == [[LINE] * 4]
    answers = [transport.written for transport in transports]
    assert answers.pop(2) == refusal(refused)
    assert all(answer.startswith(b"HTTP/1.1 204 ") for answer in answers)
