"""What somebody in the group may try at an inway: tokens that are not good, and requests that say two things at once.

Every attack goes over a real mTLS connection, and none may reach the service.
"""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.gateways import ASKER, OWNER, SERVICE, Answer, Gateways, gateways, read_answer
from tests.unit.gateway.contracts.making import GROUP

from sluis.crypto import (
    Identity,
    algorithm_for,
    certificate_thumbprint,
    client_context,
    make_authority,
    sign_jws,
)
from sluis.gateway.contracts import Grant
from sluis.gateway.forward import OTHERWISE
from sluis.gateway.services import Service
from sluis.gateway.tokens import issue
from sluis.gateway.transactions import Search, new_transaction
from sluis.kernel import PeerId


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Gateways]:
    async with gateways(tmp_path) as pair:
        yield pair


def token(pair: Gateways, grant: Grant, **changes: Any) -> str:
    """A good token, or one that is wrong in these: claims, or what it was made with."""
    identity: Identity = changes.pop("identity", pair.owner.identity)
    thumbprint = changes.pop("thumbprint", certificate_thumbprint(pair.asker.identity.certificate))
    made = issue(grant, identity, GROUP, pair.aud, thumbprint, pair.watch.now())
    if not changes:
        return made
    claims = json.loads(_decoded(made.split(".")[1]))
    header = {"x5t#S256": certificate_thumbprint(identity.certificate)}
    algorithm = algorithm_for(identity.certificate)
    return sign_jws(identity.key, algorithm, header, json.dumps({**claims, **changes}).encode())


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


async def ask(
    pair: Gateways, *lines: str, context: ssl.SSLContext | None = None, first: str = "GET /x HTTP/1.1"
) -> Answer:
    request = "\r\n".join([first, "host: x", "connection: close", *lines]) + "\r\n\r\n"
    return read_answer(await pair.raw_inway(request.encode("latin-1"), context))


def with_token(made: str) -> tuple[str, str]:
    return f"Fsc-Authorization: Bearer {made}", f"Fsc-Transaction-Id: {new_transaction()[1]}"


async def nothing_passed(pair: Gateways) -> bool:
    return not pair.backend.requests and not (await pair.owner.transactions.find(OWNER, Search())).records


async def test_good_token_passes(pair: Gateways) -> None:
    grant = await pair.agree()
    assert (await ask(pair, *with_token(token(pair, grant)))).status == 200


async def test_scheme_of_the_token_is_read_in_any_case(pair: Gateways) -> None:
    grant = await pair.agree()
    made = with_token(token(pair, grant))
    assert (await ask(pair, made[0].replace("Bearer", "bearer"), made[1])).status == 200


async def test_request_without_token_is_told_to_bring_one(pair: Gateways) -> None:
    await pair.agree()
    got = await ask(pair)
    assert (got.status, got.code) == (401, "ERROR_CODE_ACCESS_TOKEN_MISSING")
    assert (got.headers["www-authenticate"], got.json["domain"]) == ("Bearer", "ERROR_DOMAIN_INWAY")
    assert await nothing_passed(pair)


def _unsigned(pair: Gateways, grant: Grant) -> str:
    head, body, _ = token(pair, grant).split(".")
    header = {**json.loads(_decoded(head)), "alg": "none"}
    return f"{_encoded(json.dumps(header).encode())}.{body}."


def _altered(pair: Gateways, grant: Grant) -> str:
    head, body, signature = token(pair, grant).split(".")
    claims = {**json.loads(_decoded(body)), "exp": pair.watch.now() + 3600}
    return f"{head}.{_encoded(json.dumps(claims).encode())}.{signature}"


def _symmetric(pair: Gateways, grant: Grant) -> str:
    import hashlib
    import hmac

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = pair.owner.identity.certificate.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    head, body, _ = token(pair, grant).split(".")
    header = _encoded(json.dumps({**json.loads(_decoded(head)), "alg": "HS256"}).encode())
    mac = hmac.new(public, f"{header}.{body}".encode(), hashlib.sha256).digest()
    return f"{header}.{body}.{_encoded(mac)}"


def _doubled_member(pair: Gateways, grant: Grant) -> str:
    made = token(pair, grant)
    head, body, signature = made.split(".")
    text = _decoded(head).decode().replace("{", '{"alg":"none",', 1)
    return f"{_encoded(text.encode())}.{body}.{signature}"


def _other_spelling(pair: Gateways, grant: Grant) -> str:
    return token(pair, grant) + "="


WRONG: dict[str, Callable[[Gateways, Grant], str]] = {
    "no token at all": lambda pair, grant: "x",
    "empty": lambda pair, grant: "",
    "two parts": lambda pair, grant: ".".join(token(pair, grant).split(".")[:2]),
    "not signed": _unsigned,
    "altered": _altered,
    "key of the certificate as a secret": _symmetric,
    "header with a member twice": _doubled_member,
    "written otherwise": _other_spelling,
    "signed by who asks": lambda pair, grant: token(pair, grant, identity=pair.asker.identity),
    "for another certificate": lambda pair, grant: token(pair, grant, thumbprint="A" * 43),
    "for another peer": lambda pair, grant: token(pair, grant, sub="00000000000000000009"),
    "by another peer": lambda pair, grant: token(pair, grant, iss="00000000000000000009"),
    "for another inway": lambda pair, grant: token(pair, grant, aud="https://elders.example:443"),
    "not good yet": lambda pair, grant: token(pair, grant, nbf=pair.watch.now() + 120),
    "without end": lambda pair, grant: token(pair, grant, exp=None),
    "of a contract that is not there": lambda pair, grant: token(pair, grant, gth="$1$3$geen"),
    "too long": lambda pair, grant: token(pair, grant, add={"x": "y" * 20_000}),
    "deep": lambda pair, grant: _encoded(b"[" * 10_000) + ".e30.AA",
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_token_that_is_not_good_gives_no_access(pair: Gateways, wrong: str) -> None:
    grant = await pair.agree()
    got = await ask(pair, *with_token(WRONG[wrong](pair, grant)))
    assert (got.status, got.code) == (401, "ERROR_CODE_ACCESS_TOKEN_INVALID")
    assert got.headers["www-authenticate"] == "Bearer"
    assert await nothing_passed(pair)


async def test_token_that_ended_gives_no_access_even_when_it_did_before(pair: Gateways) -> None:
    grant = await pair.agree()
    made = with_token(token(pair, grant))
    assert (await ask(pair, *made)).status == 200
    pair.watch.ahead += pair.watch.minute
    assert (await ask(pair, *made)).code == "ERROR_CODE_ACCESS_TOKEN_EXPIRED"


async def test_clock_of_the_provider_may_be_a_minute_ahead(pair: Gateways) -> None:
    grant = await pair.agree()
    assert (await ask(pair, *with_token(token(pair, grant, nbf=pair.watch.now() + 55)))).status == 200


async def test_token_of_another_group_is_refused(pair: Gateways) -> None:
    grant = await pair.agree()
    got = await ask(pair, *with_token(token(pair, grant, gid="andere-groep")))
    assert (got.status, got.code) == (403, "ERROR_CODE_WRONG_GROUP_ID_IN_TOKEN")
    assert await nothing_passed(pair)


async def test_token_for_a_service_that_is_not_offered_is_refused(pair: Gateways) -> None:
    grant = await pair.agree()
    got = await ask(pair, *with_token(token(pair, grant, svc="anders")))
    assert (got.status, got.code) == (404, "ERROR_CODE_SERVICE_NOT_FOUND")
    assert await nothing_passed(pair)


async def test_stolen_token_is_worth_nothing_to_another_member_of_the_group(
    pair: Gateways, tmp_path: Path
) -> None:
    grant = await pair.agree()
    made = with_token(token(pair, grant))
    assert (await ask(pair, *made)).status == 200  # so that it is known
    for peer in (ASKER, PeerId("00000000000000000009")):  # also another certificate of the same peer
        files = pair.authority.issue(tmp_path / peer, peer, "Dief", ["localhost"])
        got = await ask(pair, *made, context=client_context(*files, [pair.authority.path]))
        assert (got.status, got.code) == (401, "ERROR_CODE_ACCESS_TOKEN_INVALID")
    assert len(pair.backend.requests) == 1


async def test_certificate_that_was_revoked_gets_no_further_over_an_open_connection(pair: Gateways) -> None:
    grant = await pair.agree()
    revoked = pair.asker.identity.certificate
    pair.inway._revoked = lambda der: der == revoked.public_bytes(ssl_der())
    assert (await ask(pair, *with_token(token(pair, grant)))).code == "ERROR_CODE_ACCESS_TOKEN_INVALID"


def ssl_der() -> Any:
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.DER


async def test_certificate_that_was_renewed_is_shown_from_the_next_request_on(pair: Gateways) -> None:
    grant = await pair.agree()
    assert (await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})).status == 200
    await pair.renew_certificate()
    renewed = await pair.agree()  # its key is another, so its contract is too
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": renewed.hash})
    assert (got.status, len(pair.fetched)) == (200, 2)
    assert (
        await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash})
    ).code == "UNKNOWN_GRANT_HASH_IN_HEADER"


@pytest.mark.parametrize("kind", ["none", "other authority"])
async def test_without_a_certificate_of_the_group_nobody_gets_a_word_in(
    pair: Gateways, tmp_path: Path, kind: str
) -> None:
    context = ssl.create_default_context(cafile=str(pair.authority.path))
    if kind == "other authority":
        other = make_authority(tmp_path / "other-authority", "Groep")
        context.load_cert_chain(*other.issue(tmp_path / "rogue", ASKER, "Vrager", ["localhost"]))
    try:
        raw = await pair.raw_inway(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", context)
    except ssl.SSLError:
        raw = b""
    assert raw == b""
    assert await nothing_passed(pair)


# Transactions


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ([], "MISSING_LOG_RECORD_ID"),
        (["Fsc-Transaction-Id: x"], "INVALID_LOG_RECORD_ID"),
        (["Fsc-Transaction-Id:"], "INVALID_LOG_RECORD_ID"),
        (["Fsc-Transaction-Id: 8d2f0b0e-6c9f-4d3a-9d1a-3c0f7c1f8f0a"], "INVALID_LOG_RECORD_ID"),
        ([f"Fsc-Transaction-Id: {new_transaction()[1]}"] * 2, "INVALID_LOG_RECORD_ID"),
        (["Fsc_Transaction_Id: 019a0000-0000-7000-8000-000000000000"], "MISSING_LOG_RECORD_ID"),
    ],
)
async def test_request_without_one_transaction_id_is_refused(
    pair: Gateways, line: list[str], code: str
) -> None:
    grant = await pair.agree()
    got = await ask(pair, f"Fsc-Authorization: Bearer {token(pair, grant)}", *line)
    assert (got.status, got.code) == (400, code)
    assert await nothing_passed(pair)


# Two things at once


async def test_two_tokens_are_none(pair: Gateways) -> None:
    grant = await pair.agree()
    first, transaction = with_token(token(pair, grant))
    got = await ask(pair, first, first, transaction)
    assert (got.status, got.code) == (401, "ERROR_CODE_ACCESS_TOKEN_INVALID")


async def test_header_that_a_service_might_take_for_ours_does_not_go_on(pair: Gateways) -> None:
    grant = await pair.agree()
    got = await ask(
        pair,
        *with_token(token(pair, grant)),
        "Fsc_Authorization: Bearer x",
        "fsc_transaction-id: y",
        "a_b: c",
    )
    names = [name for name, _ in got.json["headers"]]
    assert "a_b" in names
    assert [name for name in names if name.replace("_", "-").startswith("fsc-")] == [
        "fsc-authorization",
        "fsc-transaction-id",
    ]


async def test_headers_about_the_connection_go_no_further(pair: Gateways) -> None:
    grant = await pair.agree()
    request = "\r\n".join(
        [
            "GET /x HTTP/1.1", "host: x", *with_token(token(pair, grant)), "x-secret: 1", "keep-alive: timeout=5",
            "te: trailers", "upgrade: h2c", "proxy-authorization: Basic eA==", "expect: 100-continue",
            "connection: close, X-Secret, Fsc-Transaction-Id, Host",
        ]
    ) + "\r\n\r\n"  # fmt: skip
    raw = await pair.raw_inway(request.encode())
    got = read_answer(raw[raw.index(b"HTTP/1.1 200") :])
    names = {name for name, _ in got.json["headers"]}
    assert names == {"host", "fsc-authorization", "fsc-transaction-id"}
    [host] = [value for name, value in got.json["headers"] if name == "host"]
    assert host == pair.target.authority


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n"

TWO_LENGTHS: dict[str, bytes] = {
    "length and chunks": b"POST /x HTTP/1.1\r\n%b\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunks and length": b"POST /x HTTP/1.1\r\n%b\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "two lengths": b"POST /x HTTP/1.1\r\n%b\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n" + SMUGGLED,
    "length with a sign": b"POST /x HTTP/1.1\r\n%b\r\nContent-Length: +0\r\n\r\n" + SMUGGLED,
    "list of lengths": b"POST /x HTTP/1.1\r\n%b\r\nContent-Length: 0, 0\r\n\r\n" + SMUGGLED,
    "unknown coding": b"POST /x HTTP/1.1\r\n%b\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunked twice": b"POST /x HTTP/1.1\r\n%b\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "coding after chunked": b"POST /x HTTP/1.1\r\n%b\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "negative chunk": b"POST /x HTTP/1.1\r\n%b\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n" + SMUGGLED,
    "chunk with more": b"POST /x HTTP/1.1\r\n%b\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n" + SMUGGLED,
    "space before colon": b"GET /x HTTP/1.1\r\n%b\r\nContent-Length : 44\r\n\r\n" + SMUGGLED,
    "folded line": b"GET /x HTTP/1.1\r\n%b\r\nx-a: b\r\n c: d\r\n\r\n",
    "bare CR in a header": b"GET /x HTTP/1.1\r\n%b\r\nx-a: b\rx-c: d\r\n\r\n",
    "bare LF in a header": b"GET /x HTTP/1.1\r\n%b\r\nx-a: b\nx-c: d\r\n\r\n",
    "bare LF at the end": b"GET /x HTTP/1.1\r\n%b\r\nx-a: b\n\n",
    "NUL in a header": b"GET /x HTTP/1.1\r\n%b\r\nx-a: b\0c\r\n\r\n",
    "NUL in the path": b"GET /x\0y HTTP/1.1\r\n%b\r\n\r\n",
    "space in the path": b"GET /x y HTTP/1.1\r\n%b\r\n\r\n",
    "bare CR in the path": b"GET /x\ry HTTP/1.1\r\n%b\r\n\r\n",
    "no name": b"GET /x HTTP/1.1\r\n%b\r\n: b\r\n\r\n",
    "other version": b"GET /x HTTP/3.0\r\n%b\r\n\r\n",
    "version 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n%b",
    "large head": b"GET /x HTTP/1.1\r\n%b\r\nx-a: " + b"y" * 70_000 + b"\r\n\r\n",
    "many headers": b"GET /x HTTP/1.1\r\n%b\r\n" + b"x-a: b\r\n" * 20_000 + b"\r\n",
    "large path": b"GET /" + b"y" * 70_000 + b" HTTP/1.1\r\n%b\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("attack", TWO_LENGTHS)
async def test_request_that_can_be_read_in_two_ways_is_read_in_none(pair: Gateways, attack: str) -> None:
    grant = await pair.agree()
    heads = "\r\n".join(["host: x", *with_token(token(pair, grant))]).encode()
    raw = await pair.raw_inway(TWO_LENGTHS[attack].replace(b"%b", heads))
    assert raw == b"" or raw.startswith(b"HTTP/1.1 400"), raw[:200]
    assert b"HTTP/1.1 2" not in raw
    assert pair.backend.requests == []


@pytest.mark.parametrize("attack", TWO_LENGTHS)
async def test_outway_is_as_strict_with_the_programs_of_its_own_organisation(
    pair: Gateways, attack: str
) -> None:
    grant = await pair.agree()
    raw = await pair.raw(
        TWO_LENGTHS[attack].replace(b"%b", f"host: outway\r\nFsc-Grant-Hash: {grant.hash}".encode())
    )
    assert raw == b"" or raw.startswith(b"HTTP/1.1 400"), raw[:200]
    assert pair.backend.requests == []  # a body that turns out wrong may have begun, and is never whole


async def test_token_that_a_program_makes_up_does_not_leave(pair: Gateways) -> None:
    grant = await pair.agree()
    got = await pair.call("GET", "/", {"Fsc-Grant-Hash": grant.hash, "Fsc-Authorization": "Bearer mine"})
    assert got.status == 200
    assert "Bearer mine" not in [value for _, value in got.json["headers"]]


async def test_second_request_on_a_connection_brings_its_own_token(pair: Gateways) -> None:
    grant = await pair.agree()
    good = "\r\n".join(["GET /x HTTP/1.1", "host: x", *with_token(token(pair, grant))]) + "\r\n\r\n"
    bad = "GET /y HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    raw = await pair.raw_inway((good + bad).encode())
    assert (raw.count(b"HTTP/1.1 200"), raw.count(b"HTTP/1.1 401")) == (1, 1)
    assert [one["path"] for one in pair.backend.requests] == ["/x"]


@pytest.mark.parametrize("path", ["/../beheer", "/..;/beheer", "/%2e%2e/beheer", "*beheer"])
async def test_contract_for_one_service_opens_nothing_beside_it_on_its_host(
    pair: Gateways, path: str
) -> None:
    grant = await pair.agree()
    pair.services.replace([Service(SERVICE, pair.target, "/personen")])
    got = await ask(pair, *with_token(token(pair, grant)), first=f"GET {path} HTTP/1.1")
    assert (got.status, got.code) == (403, "ERROR_CODE_NOT_ALLOWED")
    assert await nothing_passed(pair)


async def test_no_tunnel_to_a_service(pair: Gateways) -> None:
    grant = await pair.agree()
    got = await ask(pair, *with_token(token(pair, grant)), first="CONNECT elders:443 HTTP/1.1")
    assert (got.status, got.code) == (403, "ERROR_CODE_NOT_ALLOWED")
    assert await nothing_passed(pair)


@pytest.mark.parametrize("wish", ["upgrade", "upgrade, close", "Upgrade, HTTP2-Settings"])
async def test_body_behind_a_wish_for_another_protocol_is_a_body_and_no_second_request(
    pair: Gateways, wish: str
) -> None:
    """RFC 9110 section 7.8. Java's own HTTP client has such a wish in every request over plain HTTP."""
    grant = await pair.agree()
    body = b"GET /gesmokkeld HTTP/1.1\r\nhost: outway\r\nFsc-Grant-Hash: %b\r\n\r\n" % grant.hash.encode()
    head = f"POST /x HTTP/1.1\r\nhost: outway\r\nconnection: {wish}\r\nupgrade: h2c\r\nhttp2-settings: AA\r\n"
    head += f"Fsc-Grant-Hash: {grant.hash}\r\ncontent-length: {len(body)}\r\n\r\n"
    last = f"GET /y HTTP/1.1\r\nhost: outway\r\nconnection: close\r\nFsc-Grant-Hash: {grant.hash}\r\n\r\n"
    reader, writer = await asyncio.open_connection(*pair.outway_address)
    for part in (head.encode(), body, b"" if "close" in wish else last.encode()):
        writer.write(part)
        await asyncio.sleep(0.01)
    await asyncio.wait_for(reader.read(), 5)
    writer.close()
    seen = [(one["path"], one["body"].encode()) for one in pair.backend.requests]
    assert seen == [("/x", body), ("/y", b"")][: 1 if "close" in wish else 2]
    assert "upgrade" not in [name for name, _ in pair.backend.requests[0]["headers"]]


async def test_what_stands_behind_a_body_is_no_header(pair: Gateways) -> None:
    """RFC 9110 section 6.5.1: nothing may be taken from a trailer into the header section."""
    grant = await pair.agree()
    lines = "POST /x HTTP/1.1\r\nhost: outway\r\nconnection: close\r\ntransfer-encoding: chunked"
    behind = f"\r\n\r\n1\r\na\r\n0\r\nFsc-Grant-Hash: {grant.hash}\r\nx-who: me\r\n\r\n"
    assert read_answer(await pair.raw((lines + behind).encode())).code == "ERROR_CODE_NO_CONTRACT"
    raw = await pair.raw(f"{lines}\r\nFsc-Grant-Hash: {grant.hash}{behind}".encode())
    got = read_answer(raw)
    assert (got.status, got.json["body"]) == (200, "a")
    assert "x-who" not in [name for name, _ in got.json["headers"]]


@pytest.mark.parametrize("name", OTHERWISE)
async def test_who_may_read_does_not_write_by_another_name(pair: Gateways, name: str) -> None:
    grant = await pair.agree()
    for method, kept in (("GET", []), ("HEAD", []), ("POST", ["PUT"])):
        pair.backend.requests.clear()
        await ask(pair, *with_token(token(pair, grant)), f"{name}: PUT", first=f"{method} /x HTTP/1.1")
        [seen] = pair.backend.requests
        assert [value for one, value in seen["headers"] if one == name.lower()] == kept


@pytest.mark.parametrize("name", ["Content_Length", "transfer_encoding", "Fsc_Transaction-Id"])
async def test_name_that_a_service_may_take_for_one_of_the_way_goes_no_further(
    pair: Gateways, name: str
) -> None:
    grant = await pair.agree()
    await ask(pair, *with_token(token(pair, grant)), f"{name}: 9")
    [seen] = pair.backend.requests
    assert name.lower() not in [one for one, _ in seen["headers"]]


# What a service may try


SPLIT = {
    "two answers": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno",
    "switching": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    "no HTTP": b"hello\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
    "length and chunks": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "empty line first": b"\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "no status": b"HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n",
    "large head": b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("attack", SPLIT)
async def test_service_that_does_not_speak_http_is_no_answer(pair: Gateways, attack: str) -> None:
    async def serve(reader: Any, writer: Any) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SPLIT[attack])
        await writer.drain()
        writer.close()

    grant = await pair.agree()
    await pair.serve_raw(serve)
    got = await ask(pair, *with_token(token(pair, grant)), first="POST /x HTTP/1.1")
    if attack == "two answers":
        assert (got.status, got.body) == (200, b"ok")
    else:
        assert (got.status, got.code) == (502, "ERROR_CODE_SERVICE_UNREACHABLE")


@pytest.mark.parametrize("status", [204, 304])
async def test_answer_without_body_may_say_how_long_it_would_be(
    pair: Gateways, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """RFC 9110 section 8.6. Whoever waited for that body would take the next answer for it."""

    async def serve(reader: Any, writer: Any) -> None:
        with suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 %d x\r\ncontent-length: 10\r\n\r\n" % status)
        writer.close()

    grant = await pair.agree()
    await pair.serve_raw(serve)
    one = f"GET /x HTTP/1.1\r\nhost: outway\r\nFsc-Grant-Hash: {grant.hash}\r\n"
    raw = await pair.raw(f"{one}\r\n{one}connection: close\r\n\r\n".encode())
    assert raw.count(b"HTTP/1.1 %d" % status) == 2
    assert b"content-length" not in raw
    assert not caplog.records


async def test_what_stands_behind_the_body_of_an_answer_is_no_header(pair: Gateways) -> None:
    async def serve(reader: Any, writer: Any) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx-who: me\r\n\r\n")
        writer.close()

    grant = await pair.agree()
    await pair.serve_raw(serve)
    got = await ask(pair, *with_token(token(pair, grant)))
    assert (got.status, got.body, got.headers.get("x-who")) == (200, b"a", None)
