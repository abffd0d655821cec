"""The trade register over HTTP: a small stand-in that answers as the API of the KVK does, with fictitious companies."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.integration.openid import Tls
from tests.unit.identity.companies import ANNE, COMPANY, KVK, acting, director, registration
from tests.unit.identity.people_node import Node, act, rule

from sluis.crypto import browser_context
from sluis.identity.people.model import Allowed
from sluis.identity.register import Online
from sluis.identity.register.kvk import LARGEST
from sluis.kernel import Invalid, Kvk, NotFound, Upstream
from sluis.serve.people import register_of

KEY = "0123-fictieve-sleutel"
PROFILE = {
    "kvkNummer": str.__str__(KVK),
    "naam": "Fictieve Fietsen B.V.",
    "materieleRegistratie": {"datumAanvang": "20170108"},
}
ABSENT = {"fout": [{"code": "IPD0005", "omschrijving": "Het KVK-nummer is niet geregistreerd."}]}


class StandIn:
    """Answers each request with what `answer` is, and keeps what was asked."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context, self.asked, self.open, self.most = context, list[str](), 0, 0
        self.answer: tuple[int, str, bytes] = (200, "application/json", json.dumps(PROFILE).encode())
        self.waits = 0.0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.asked.append(head)
            self.open, self.most = self.open + 1, max(self.most, self.open + 1)
            await asyncio.sleep(self.waits)
            status, kind, body = self.answer
            status, body = (status, body) if f"apikey: {KEY}\r\n" in head else (401, b"{}")
            writer.write(
                f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
                + body
            )
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return Tls(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def stand_in(tls: Tls) -> AsyncIterator[StandIn]:
    made = StandIn(browser_context(tls.certificate, tls.key))
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=made.context)
    async with server:
        made.url = f"https://localhost:{server.sockets[0].getsockname()[1]}/api/v1/basisprofielen/{{kvk}}"
        yield made


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "kvk.key"
    file.write_text(f"{KEY}\n")
    return file


def put(file: Path, content: bytes | None) -> None:
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)


@pytest.fixture
def online(stand_in: StandIn, tls: Tls, key_file: Path, node: Node) -> Online:
    return Online(stand_in.url, key_file, node.clock, (tls.authority,))


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    made = Node(tmp_path)
    yield made
    made.store.close()


async def test_the_number_goes_in_the_address_and_the_key_in_a_header(
    online: Online, stand_in: StandIn, node: Node
) -> None:
    answer = await online.company(KVK)
    assert json.loads(answer.body) == PROFILE
    assert answer.at == node.clock.now
    assert stand_in.asked[0].startswith(f"GET /api/v1/basisprofielen/{KVK!s} HTTP/1.1\r\n")
    assert KEY not in stand_in.asked[0].split("\r\n")[0]


async def test_an_answer_is_kept_for_the_time_that_is_set_with_the_moment_it_was_read(
    online: Online, stand_in: StandIn, node: Node
) -> None:
    stand_in.answer = (200, "application/xml", registration(director(ANNE)))
    node.register = online  # type: ignore[assignment]
    node.again()
    await node.know(ANNE)
    found = await node.people.may(acting(ANNE), act())
    assert isinstance(found, Allowed)
    assert found.evidence[0].at == int(node.clock.now.timestamp())
    assert found.evidence[0].digest
    node.clock.later(hours=23)
    again = await node.people.may(acting(ANNE), act())
    assert isinstance(again, Allowed)
    assert again.evidence[0].age == timedelta(hours=23).total_seconds()
    assert len(stand_in.asked) == 1
    node.clock.later(hours=2)
    await node.people.may(acting(ANNE), act())
    assert len(stand_in.asked) == 2


async def test_who_keeps_looking_for_a_company_does_not_have_it_read_each_time(
    online: Online, stand_in: StandIn, node: Node
) -> None:
    stand_in.answer = (200, "application/xml", registration(director(ANNE)))
    node.register = online  # type: ignore[assignment]
    node.again()
    await node.know(ANNE)
    for _ in range(3):
        assert (await node.people.look_up(ANNE, KVK)).entity == COMPANY
    assert len(stand_in.asked) == 1


async def test_with_a_profile_alone_nobody_acts(online: Online, node: Node) -> None:
    node.register = online  # type: ignore[assignment]
    node.again()
    await node.know(ANNE)
    assert rule(await node.people.may(acting(ANNE), act())) == "company-unstated"


async def test_a_company_that_is_not_registered_is_told_as_such(
    online: Online, stand_in: StandIn, node: Node
) -> None:
    stand_in.answer = (404, "application/json", json.dumps(ABSENT).encode())
    node.register = online  # type: ignore[assignment]
    node.again()
    with pytest.raises(NotFound) as problem:
        await node.people.read(Kvk("90000099"))
    assert problem.value.code == "unknown-company"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((500, "application/json", b"{}"), "register-unavailable"),
        ((429, "application/json", b"{}"), "register-unavailable"),
        ((302, "text/html", b"elsewhere"), "register-unavailable"),
        ((404, "text/html", b"<h1>Not found</h1>"), "register-unavailable"),
        ((200, "application/json", b""), "register-unavailable"),
        ((200, "application/json", b" " * (LARGEST + 1)), "register-unavailable"),
        ((403, "application/json", b"{}"), "register-key"),
    ],
)
async def test_what_is_no_answer_about_a_company_is_the_registers_fault(
    online: Online, stand_in: StandIn, answer: tuple[int, str, bytes], code: str
) -> None:
    stand_in.answer = answer
    with pytest.raises(Upstream) as problem:
        await online.company(KVK)
    assert problem.value.code == code
    assert problem.value.retry is (code == "register-unavailable")


@pytest.mark.parametrize("written", [None, b"", b"two words", b"\xff", b"x" * 501])
async def test_without_a_usable_key_nothing_is_asked(
    online: Online, stand_in: StandIn, key_file: Path, written: bytes | None
) -> None:
    put(key_file, written)
    with pytest.raises(Invalid) as problem:
        await online.company(KVK)
    assert problem.value.code == "register-key-file"
    assert stand_in.asked == []


async def test_a_key_that_was_renewed_is_used_at_once(online: Online, key_file: Path) -> None:
    put(key_file, b"oud")
    with pytest.raises(Upstream) as problem:
        await online.company(KVK)
    assert problem.value.code == "register-key"
    put(key_file, KEY.encode())
    await online.company(KVK)


async def test_a_slow_register_is_given_up_and_few_calls_are_made_at_once(
    online: Online, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.waits = 0.05
    await asyncio.gather(*(online.company(KVK) for _ in range(8)))
    assert stand_in.most <= 4
    monkeypatch.setattr("sluis.identity.register.online.SECONDS", 0.01)
    with pytest.raises(Upstream):
        await online.company(KVK)


async def test_a_register_that_nobody_vouches_for_is_not_asked(
    stand_in: StandIn, key_file: Path, node: Node
) -> None:
    with pytest.raises(Upstream):
        await Online(stand_in.url, key_file, node.clock).company(KVK)
    assert stand_in.asked == []


def test_the_settings_choose_how_the_register_is_asked(node: Node, tmp_path: Path) -> None:
    def chosen(**told: Any) -> str:
        settings: Any = type(
            "S", (), {"directory": None, "url": None, "key_file": None, "authorities": (), **told}
        )
        return type(register_of(settings, node.clock)).__name__

    url = "https://api.example/{kvk}"
    assert [chosen(), chosen(directory=tmp_path), chosen(url=url), chosen(url=url, directory=tmp_path)] == [
        "NoneType", "Folder", "Online", "Online",
    ]  # fmt: skip
