"""Calls to a provider that is away, slow, another, or sends whatever it likes: bounded, and told as what it is."""

import asyncio
from pathlib import Path

import pytest
from tests.answering import Writer, answering, bytes_of, head
from tests.integration.openid import Tls
from tests.servers import free_port

from sluis.crypto import browser_context
from sluis.identity.upstream import Method, calls
from sluis.identity.upstream.calls import MOST_BYTES, Answer, TlsCalls
from sluis.kernel import Invalid, Upstream


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return Tls(tmp_path_factory.mktemp("tls"))


def method(*authorities: Path) -> Method:
    return Method("digid", "https://localhost", "sluis", "citizen", "DigiD", authorities=authorities)


async def asked(tls: Tls, write: Writer, *authorities: Path) -> Answer:
    """What a call brings."""
    client = TlsCalls(method(*(authorities or (tls.authority,))))
    try:
        async with answering(browser_context(tls.certificate, tls.key), write) as address:
            return await client.call("GET", address, None, {})
    finally:
        await client.close()


async def test_an_answer_comes_with_its_type(tls: Tls) -> None:
    body = head("content-type: application/json; charset=utf-8", "content-length: 2") + b"{}"
    assert await asked(tls, bytes_of(body)) == Answer(200, b"{}", "application/json")


async def test_a_redirect_is_not_followed(tls: Tls) -> None:
    raw = b"HTTP/1.1 302 Found\r\nlocation: https://localhost:1/\r\ncontent-length: 0\r\n\r\n"
    assert (await asked(tls, bytes_of(raw))).status == 302


@pytest.mark.parametrize("length", [f"content-length: {MOST_BYTES + 1}", "x-without: length"])
async def test_an_endless_answer_is_cut_off(tls: Tls, length: str) -> None:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(head(length))
        for _ in range(2 + MOST_BYTES // 65_536):
            writer.write(b"x" * 65_536)
            await writer.drain()

    with pytest.raises(Upstream) as told:
        await asked(tls, write)
    assert told.value.code == "sign-in-not-understood"


async def test_a_slow_provider_is_not_waited_for(tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "SECONDS", 0.3)

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(head("content-length: 1000"))
        for _ in range(20):  # a byte now and then does not keep it alive
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    with pytest.raises(Upstream) as told:
        await asked(tls, write)
    assert (told.value.code, told.value.retry) == ("sign-in-unreachable", True)
    assert "in time" in told.value.why.en


@pytest.mark.parametrize(
    "raw", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 50_000, head("content-length: 9")]
)
async def test_what_is_no_answer_is_told_as_that(tls: Tls, raw: bytes) -> None:
    with pytest.raises(Upstream) as told:
        await asked(tls, bytes_of(raw))
    assert told.value.code == "sign-in-unreachable"


async def test_who_has_another_certificate_is_not_asked(tls: Tls, tmp_path: Path) -> None:
    got = list[int]()

    async def write(writer: asyncio.StreamWriter) -> None:
        got.append(1)

    with pytest.raises(Upstream):
        await asked(tls, write, Tls(tmp_path).authority)
    assert got == []


async def test_the_authorities_of_the_system_are_those_without_a_setting(tls: Tls) -> None:
    client = TlsCalls(method())
    async with answering(browser_context(tls.certificate, tls.key), bytes_of(b"")) as address:
        with pytest.raises(Upstream):
            await client.call("GET", address, None, {})
    await client.close()


async def test_a_provider_that_is_away_is_told(tls: Tls) -> None:
    client = TlsCalls(method(tls.authority))
    with pytest.raises(Upstream) as told:
        await client.call("GET", f"https://localhost:{free_port()}/", None, {})
    assert told.value.retry
    await client.close()


def test_an_authority_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "geen.pem").write_text("geen certificaat")
    for file in ("geen.pem", "nergens.pem"):
        with pytest.raises(Invalid) as told:
            TlsCalls(method(tmp_path / file))
        assert told.value.code == "tls-files"
