"""How questions of nginx are read and answered; a transport that only remembers stands for the socket."""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sluis.crypto import make_authority
from sluis.gateway.faults import INWAY, FscProblem
from sluis.gateway.forward import AUTHORIZATION, TRANSACTION, Forward, Incoming, Outgoing, Target
from sluis.gateway.planes.places import Places
from sluis.gateway.planes.questions import Door, Gathering, InwayAnswers, OutwayAnswers, refusal
from sluis.gateway.planes.reports import Reports
from sluis.kernel import PeerId, Text

PEER = PeerId("00000009900000000002")
SERVICE = Target(False, "127.0.0.9", 80, "127.0.0.9")
AWAY = Target(True, "inway.example", 443, "inway.example", PEER)
ID = "0199f2a4-7c1e-7000-8000-000000000001"

KEY = f"https://inway.example#{str.__str__(PEER)}"


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
    """Decides as it is told, and remembers what it was asked and told."""

    def __init__(self, forward: Forward | Exception) -> None:
        self.forward, self.asked, self.told = forward, list[Any](), list[Any]()
        self.gate: asyncio.Future[None] | None = None

    async def decide(self, request: Any) -> Forward:
        self.asked.append(request)
        if self.gate is not None:
            await self.gate
        if isinstance(self.forward, Exception):
            raise self.forward
        return self.forward

    def answered(self, peer: PeerId | None) -> None:
        self.told.append(("answered", peer))

    def failed(self, peer: PeerId | None) -> None:
        self.told.append(("failed", peer))

    def refused(self, forward: Forward) -> None:
        self.told.append(("refused", forward.headers[0][1]))

    def note(self, peer: PeerId | None, transaction_id: str, code: str = "") -> None:
        self.told.append(("note", peer, transaction_id, code))


class AtOnce(Gathering):
    """Lets nobody wait."""

    def enter(self, begin: Callable[[], None]) -> None:
        begin()


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
    made = Door(
        {
            InwayAnswers.LINE: InwayAnswers(side.decide, known),
            OutwayAnswers.LINE: OutwayAnswers(side, known, Reports(side, known)),
        },
        gathering or AtOnce(),
    )
    made.connection_made(transport)  # type: ignore[arg-type]
    return made, transport


OUT = b"GET /outway HTTP/1.1\r\nHost: 1\r\nM: GET /l/x?q\r\nX: =\r\nG: =$1$3$h\r\n\r\n"


async def test_inway_is_told_all_that_it_decides_by(certificate: Any) -> None:
    side = Side(inward("/base/x"))
    one, transport = door(side)
    one.data_received(asked(certificate, request="POST /x?y=%20"))
    der = certificate.public_bytes(Encoding.DER)
    assert side.asked == [Incoming(der, "POST", "/x?y=%20", "Bearer t", ID)]
    lines = transport.written.split(b"\r\n")
    assert lines[0].startswith(b"HTTP/1.1 204 ")
    assert {b"T: http://127.0.0.9#", b"D: http://127.0.0.9:80", b"P: /base/x"} <= set(lines)


async def test_outway_is_told_all_that_it_decides_by() -> None:
    side = Side(outward())
    one, transport = door(side)
    one.data_received(OUT)
    assert side.asked == [Outgoing("GET", "/l/x?q", "$1$3$h", None)]
    lines = set(transport.written.split(b"\r\n"))
    assert {b"A: Bearer t", f"X: {ID}".encode(), b"P: /x", b"D: https://10.0.0.1:443"} <= lines


async def test_worker_that_knows_a_place_is_told_its_name_alone() -> None:
    known = places()
    one, transport = door(Side(outward("/l/x?q")), known)
    await known.find(AWAY)
    known.publish(1)
    one.data_received(OUT)
    assert transport.written.startswith(
        f"HTTP/1.1 204 P\r\nT: https://inway.example#{str.__str__(PEER)}\r\n".encode()
    )
    assert b"D: " not in transport.written
    one.data_received(
        OUT.replace(b"Host: 1", b"Host: 2")
    )  # a configuration of which it is not known what it has
    assert b"D: https://10.0.0.1:443" in transport.written


async def test_question_in_pieces_is_the_same_question(certificate: Any) -> None:
    whole = asked(certificate)
    for size in (1, 7, 100, len(whole) - 1):
        side = Side(inward())
        one, transport = door(side)
        for at in range(0, len(whole), size):
            one.data_received(whole[at : at + size])
        assert len(side.asked) == 1
        assert transport.written.startswith(b"HTTP/1.1 204 ")


async def test_connection_takes_question_after_question(certificate: Any) -> None:
    side = Side(inward())
    one, transport = door(side)
    for _ in range(3):
        one.data_received(asked(certificate))
    assert transport.written.count(b"HTTP/1.1 204 ") == 3


async def test_answer_waits_for_the_decision(certificate: Any) -> None:
    side = Side(inward())
    side.gate = asyncio.get_running_loop().create_future()
    one, transport = door(side)
    one.data_received(asked(certificate))
    assert transport.written == b""
    side.gate.set_result(None)
    await asyncio.sleep(0)
    assert transport.written.startswith(b"HTTP/1.1 204 ")


async def test_decision_may_wait_as_it_likes() -> None:
    class Slow(Side):
        async def decide(self, request: Any) -> Forward:
            await asyncio.sleep(0)
            await asyncio.sleep(0.001)
            await asyncio.shield(asyncio.create_task(asyncio.sleep(0)))
            return await super().decide(request)

    one, transport = door(Slow(outward()))
    one.data_received(OUT)
    await asyncio.sleep(0.05)
    assert transport.written.startswith(b"HTTP/1.1 204 ")


async def test_request_whose_decision_is_cancelled_does_not_pass() -> None:
    side = Side(outward())
    side.gate = asyncio.get_running_loop().create_future()
    one, transport = door(side)
    one.data_received(OUT)
    side.gate.cancel()
    await asyncio.sleep(0)
    assert transport.written.startswith(b"HTTP/1.1 500 ")


async def test_certificate_is_known_by_its_fingerprint_once_it_was_told(certificate: Any) -> None:
    side = Side(inward())
    one, transport = door(side)
    one.data_received(asked(certificate))
    one.data_received(asked(certificate, told=False, token="Bearer other"))
    assert [request.client_certificate for request in side.asked] == [
        certificate.public_bytes(Encoding.DER)
    ] * 2
    assert not transport.ended


async def test_certificate_that_was_never_told_is_nobody(certificate: Any) -> None:
    side = Side(inward())
    one, transport = door(side)
    one.data_received(asked(certificate, told=False))
    assert transport.ended
    assert side.asked == []


async def test_fingerprint_of_another_certificate_is_nobody(certificate: Any) -> None:
    side = Side(inward())
    one, transport = door(side)
    der = certificate.public_bytes(Encoding.DER)
    one.data_received(asked(certificate).replace(hashlib.sha1(der).hexdigest().encode(), b"0" * 40))
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
    assert transport.ended
    assert transport.written == b""


async def test_second_question_before_the_first_is_answered_ends_the_connection() -> None:
    side = Side(outward())
    side.gate = asyncio.get_running_loop().create_future()
    one, transport = door(side)
    one.data_received(OUT)
    one.data_received(OUT)
    assert transport.ended
    assert len(side.asked) == 1


def test_refusal_says_status_code_and_body() -> None:
    problem = FscProblem(
        "ERROR_CODE_ACCESS_TOKEN_EXPIRED", INWAY, Text("Het café\r\nX: y", "The café\r\nX: y")
    )
    head, *lines = refusal(problem).decode("ascii").split("\r\n")
    assert head.startswith("HTTP/1.1 403 ")
    assert "S: @refused-401" in lines
    assert "E: ERROR_CODE_ACCESS_TOKEN_EXPIRED" in lines
    assert not any(line.startswith("X: ") for line in lines)


async def test_refused_request_does_not_pass() -> None:
    problem = FscProblem("ERROR_CODE_SERVICE_NOT_FOUND", INWAY, Text("-", "-"))
    one, transport = door(Side(problem))
    one.data_received(OUT)
    assert transport.written == refusal(problem)


async def test_request_that_could_not_be_decided_does_not_pass(caplog: pytest.LogCaptureFixture) -> None:
    one, transport = door(Side(RuntimeError("999990019")))
    one.data_received(OUT)
    assert transport.written.startswith(b"HTTP/1.1 500 ")
    assert "999990019" not in caplog.text


async def test_peer_that_failed_is_watched_until_it_answers() -> None:
    side, known = Side(outward()), places()
    reports = Reports(side, known)
    answers = OutwayAnswers(side, known, reports)
    await known.find(AWAY)
    question = OUT.partition(b"\r\n")[2]
    assert b"W: 1" not in await answers(question)
    reports.take(f"<190>Nov 22 01:02:03 nginx: -|502|{KEY}|Bearer t|{ID}|-".encode())
    assert b"W: 1" in await answers(question)
    reports.take(f"<190>Nov 22 01:02:03 nginx: -, 0.003|502, 200|{KEY}|Bearer t|{ID}|-".encode())
    assert b"W: 1" not in await answers(question)
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


async def test_question_that_comes_alone_begins_at_once() -> None:
    began, gathering = list[int](), Gathering()
    for number in range(3):
        gathering.enter(lambda number=number: began.append(number))
        await asyncio.sleep(0)
        assert began == list(range(number + 1))


async def test_questions_of_a_busy_time_begin_together() -> None:
    began, gathering = list[int](), Gathering()
    for number in range(4):
        gathering.enter(lambda number=number: began.append(number))
    await asyncio.sleep(0)
    assert began == [0, 1, 2, 3]
    gathering.enter(lambda: began.append(4))
    await asyncio.sleep(0)
    gathering.enter(lambda: began.append(5))
    await asyncio.sleep(0)
    assert began == [0, 1, 2, 3]
    await asyncio.sleep(0.05)
    assert began == [0, 1, 2, 3, 4, 5]
