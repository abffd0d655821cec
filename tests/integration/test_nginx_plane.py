"""The nginx plane over real sockets: what passes, what does not and how that is said, and what nobody gets around."""

import asyncio
import logging
import os
import signal
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from tests.gateways import (
    ASKER,
    INSTEAD,
    OWNER,
    SERVICE,
    THIRD,
    Answer,
    Gateways,
    Party,
    answer,
    gateways,
    plain_service,
    read_answer,
    whole,
)
from tests.integration.managers import until
from tests.servers import free_port, need
from tests.unit.gateway.contracts.making import GROUP

from sluis.crypto import (
    Authority,
    Identity,
    certificate_thumbprint,
    client_context,
    make_authority,
    server_context,
)
from sluis.gateway.contracts import Grant
from sluis.gateway.forward import OTHERWISE, Target
from sluis.gateway.inway import Inway
from sluis.gateway.outway import Outway
from sluis.gateway.planes import nginx_conf
from sluis.gateway.planes.meeting import meeting
from sluis.gateway.planes.nginx import NginxPlane
from sluis.gateway.planes.nginx_layout import Listen
from sluis.gateway.planes.nginx_process import Files
from sluis.gateway.planes.nginx_system import PROGRAM, found
from sluis.gateway.services import Service
from sluis.gateway.streams import RevokedPeer, Streams, Unreachable, WrongPeer
from sluis.gateway.tokens import Tokens, issue
from sluis.gateway.transactions import INCOMING, OUTGOING, Search, outcome_of
from sluis.kernel import Conflict, Invalid, PeerId

HOST = "localhost"
"""The name in the owner's certificate; `resolve` below says where that is."""


OUTWAY, INWAY = "127.20.1.4", "127.20.2.4"


@dataclass
class Pair:
    """Both gateways on nginx, and the parties, contracts and service of `tests.gateways` behind them."""

    base: Gateways
    inway: NginxPlane
    outway: NginxPlane
    inway_port: int
    outway_port: int
    grant: Grant
    addresses: list[str] = field(default_factory=lambda: [INWAY])

    async def call(
        self, method: str = "GET", path: str = "/", headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """A request of a program, through the outway."""
        return read_answer(await self.raw(self.head(method, path, headers, body) + body), method)

    def head(self, method: str, path: str, headers: dict[str, str] | None, body: bytes = b"") -> bytes:
        """The head of a request that names the grant, and ends the connection."""
        lines = [f"{method} {path} HTTP/1.1", "host: outway", "connection: close"]
        all_headers = {"Fsc-Grant-Hash": self.grant.hash, **(headers or {})}
        lines += [f"{name}: {value}" for name, value in all_headers.items()]
        lines += [f"content-length: {len(body)}"] if body else []
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"

    async def raw(self, request: bytes) -> bytes:
        """Bytes to the outway, and all that comes back."""
        reader, writer = await asyncio.open_connection(OUTWAY, self.outway_port)
        return await _exchanged(reader, writer, request)

    async def raw_inway(self, request: bytes, context: ssl.SSLContext | None = None) -> bytes:
        """Bytes straight to the inway, with the asker's certificate unless `context` says otherwise."""
        context = context or self.context()
        reader, writer = await asyncio.open_connection(
            INWAY, self.inway_port, ssl=context, server_hostname=HOST
        )
        return await _exchanged(reader, writer, request)

    def context(self, files: tuple[Path, Path] | None = None) -> ssl.SSLContext:
        """For a client with a certificate of the group; the asker's by default."""
        return client_context(*(files or self.base.asker.files), [self.base.authority.path])

    def token(self, thumbprint: str | None = None, seconds: int = 60) -> str:
        """A token as the owner's Manager gives it."""
        bound = thumbprint or certificate_thumbprint(self.base.asker.identity.certificate)
        now = self.base.watch.now()
        aud = f"https://{HOST}:{self.inway_port}"
        return issue(self.grant, self.base.owner.identity, GROUP, aud, bound, now, seconds)

    def to_inway(self, *lines: str, token: str | None = None, transaction: bool = True) -> bytes:
        """A request as an outway sends it; `lines` come after its own."""
        own = ["GET /x HTTP/1.1", "Host: inway", "Connection: close"]
        own += [f"Fsc-Authorization: Bearer {token or self.token()}"]
        own += [f"Fsc-Transaction-Id: {TRANSACTION}"] if transaction else []
        return "\r\n".join([*own, *lines]).encode("latin-1") + b"\r\n\r\n"

    async def works(self) -> bool:
        """Whether a request gets through."""
        return (await self.call("GET", "/")).status == 200

    @property
    def served(self) -> int:
        """Requests that reached the service."""
        return len(self.base.backend.requests)


TRANSACTION = "0199f2a4-7c1e-7000-8000-000000000001"


async def _exchanged(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(), 20)
    except (ConnectionError, ssl.SSLError):
        return b""
    finally:
        writer.close()


def revocations(authority: Authority, *revoked: x509.Certificate) -> bytes:
    """The authority's list of revoked certificates, PEM."""
    now = datetime.now(UTC)
    made = x509.CertificateRevocationListBuilder(
        authority.certificate.subject, now - timedelta(hours=1), now + timedelta(days=1)
    )
    for one in revoked:
        made = made.add_revoked_certificate(
            x509.RevokedCertificateBuilder(one.serial_number, now - timedelta(hours=1)).build()
        )
    return made.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.PEM)


@asynccontextmanager
async def nginx_pair(
    folder: Path, properties: dict[str, Any] | None = None, **more: Any
) -> AsyncIterator[Pair]:
    need("nginx-light", lambda: found(PROGRAM) is not None)
    async with gateways(folder) as base:
        port, grant, here = free_port(), await base.agree(properties=properties or {}), list[Pair]()
        aud = f"https://{HOST}:{port}"

        async def fetch(grant: Grant) -> str:
            if grant.service_peer in base.inways:
                return await base.fetch(grant)
            base.fetched.append(grant.hash)
            return base.tamper(here[0].token())

        async def resolve(host: str, port: int) -> Sequence[str]:
            assert host == HOST
            return ["127.0.0.1"] if port != here[0].inway_port else here[0].addresses

        owner, asker = base.owner, base.asker
        thumbprint = certificate_thumbprint(asker.identity.certificate)
        keys = {certificate_thumbprint(owner.identity.certificate): owner.identity.certificate}
        inway = Inway(
            OWNER, GROUP, [aud], lambda: keys, base.services, owner.contracts.in_force, owner.transactions, base.watch
        )  # fmt: skip
        tokens = Tokens(fetch, GROUP, lambda: {thumbprint}, lambda: base.watch().timestamp())
        outway = Outway(
            ASKER, lambda: asker.shown, asker.contracts, base.links, tokens, asker.transactions,
            base.watch,
        )  # fmt: skip
        told = free_port()
        crl = folder / "revoked.pem"
        crl.write_bytes(revocations(base.authority))

        def files(party: Party) -> Files:
            return Files(party.identity, [base.authority.path], crl, [base.authority.path])

        first = NginxPlane(
            folder / "nginx-in", files(owner), inway=(Listen(INWAY, port), inway), resolve=resolve, workers=1,
            **more,
        )  # fmt: skip
        second = NginxPlane(
            folder / "nginx-out", files(asker), outway=(Listen(OUTWAY, told, ("outway",)), outway), resolve=resolve, workers=1,
        )  # fmt: skip
        here.append(Pair(base, first, second, port, told, grant))
        try:
            await first.start()
            await second.start()
            yield here[0]
        finally:
            await second.stop()
            await first.stop()


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with nginx_pair(tmp_path) as pair:
        yield pair


async def test_request_reaches_the_service_and_both_logs_hold_its_line(pair: Pair) -> None:
    got = await pair.call("POST", "/a//b/%2e%2e/c?q=%41&r", {"X-Own": "1"}, b"body")
    assert got.status == 200
    seen = got.json
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/a//b/%2e%2e/c?q=%41&r", "body")
    names = [name for name, _ in seen["headers"]]
    assert [names.count(name) for name in ("x-own", "fsc-authorization", "fsc-transaction-id")] == [1, 1, 1]
    assert "fsc-grant-hash" not in names
    for party, direction in ((pair.base.asker, OUTGOING), (pair.base.owner, INCOMING)):
        [record] = (await party.transactions.find(ASKER, Search())).records
        assert (record.transaction_id, record.direction) == (got.headers["fsc-transaction-id"], direction)


async def test_the_longest_path_passes_where_the_outway_takes_a_segment_off_it(pair: Pair) -> None:
    pair.base.links["personen"] = pair.grant.hash
    for length in (9_000, 16_000):
        request = pair.head("GET", f"/personen/{'a' * length}", {"Fsc-Grant-Hash": ""})
        assert read_answer(await pair.raw(request), "GET").json["path"] == "/" + "a" * length


async def test_refusal_is_said_as_fsc_writes_it(pair: Pair) -> None:
    got = await pair.call("POST", "/", {"Fsc-Grant-Hash": "$1$3$unknown"}, b"body")
    assert (got.status, got.code) == (400, "UNKNOWN_GRANT_HASH_IN_HEADER")
    assert got.headers["content-type"] == "application/json"
    assert (got.json["code"], got.json["domain"]) == (got.code, "ERROR_DOMAIN_OUTWAY")
    await pair.base.revoke(pair.grant, pair.base.owner)
    got = await pair.call("GET", "/")
    assert (got.status, got.code, got.headers["www-authenticate"]) == (
        401,
        "ERROR_CODE_ACCESS_TOKEN_INVALID",
        "Bearer",
    )
    assert got.json["domain"] == "ERROR_DOMAIN_INWAY"
    assert pair.served == 0


async def test_head_is_answered_without_a_body(pair: Pair) -> None:
    assert (await pair.call("HEAD", "/x")).body == b""
    assert (await pair.call("HEAD", "/x", {"Fsc-Grant-Hash": "-"})).body == b""


async def test_connect_makes_no_tunnel(pair: Pair) -> None:
    for line in (b"CONNECT inway:443 HTTP/1.1", b"CONNECT /x HTTP/1.1"):
        got = read_answer(await pair.raw(line + b"\r\nHost: x\r\nConnection: close\r\n\r\n"))
        assert (got.status, got.code) == (405, "ERROR_CODE_METHOD_UNSUPPORTED")


@pytest.mark.parametrize(
    "host", ["pagina.example", "127.0.0.1.pagina.example:80", "outway.example", "[outway]"]
)
async def test_a_page_whose_name_leads_to_the_outway_gets_nothing(pair: Pair, host: str) -> None:
    named = f"Fsc-Grant-Hash: {pair.grant.hash}\r\nConnection: close"
    for method in ("GET", "POST", "OPTIONS"):
        got = read_answer(await pair.raw(f"{method} /x HTTP/1.1\r\nHost: {host}\r\n{named}\r\n\r\n".encode()))
        assert (got.status, got.code) == (421, "ERROR_CODE_UNKNOWN_HOST") or (host[0], got.status) == (
            "[",
            400,
        )
    assert pair.base.fetched == []
    assert pair.served == 0


async def test_what_a_browser_sends_for_a_page_of_another_site_goes_nowhere(pair: Pair) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        got = await pair.call(method, "/x", {"Sec-Fetch-Site": "cross-site"})
        assert (got.status, got.code) == (403, "ERROR_CODE_OTHER_SITE")
    assert (pair.base.fetched, pair.served) == ([], 0)
    for near in ("same-origin", "same-site", "none"):
        assert (await pair.call("GET", "/x", {"Sec-Fetch-Site": near})).status == 200


@pytest.mark.parametrize("host", [OUTWAY, "localhost:80", "[::1]", "192.0.2.1", "OUTWAY."])
async def test_a_program_calls_the_outway_by_an_address_or_a_name_that_it_knows(
    pair: Pair, host: str
) -> None:
    named = f"Fsc-Grant-Hash: {pair.grant.hash}\r\nConnection: close"
    got = read_answer(await pair.raw(f"GET /x HTTP/1.1\r\nHost: {host}\r\n{named}\r\n\r\n".encode()))
    assert got.status == 200


SMUGGLED = {
    "two ways of framing": ["Content-Length: 4", "Transfer-Encoding: chunked"],
    "two lengths": ["Content-Length: 4", "Content-Length: 5"],
    "two equal lengths": ["Content-Length: 4", "Content-Length: 4"],
    "list of lengths": ["Content-Length: 4, 4"],
    "signed length": ["Content-Length: +4"],
    "two encodings": ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    "encoding nobody knows": ["Transfer-Encoding: xchunked"],
    "folded line": ["X-A: b", " c"],
    "space before colon": ["Content-Length : 4"],
    "bare CR": ["X-A: b\rContent-Length: 4"],
    "NUL": ["X-A: b\0c"],
}


@pytest.mark.parametrize("lines", SMUGGLED.values(), ids=SMUGGLED)
async def test_request_that_can_be_read_two_ways_goes_nowhere(pair: Pair, lines: list[str]) -> None:
    body = b"4\r\nGET \r\n0\r\n\r\n"
    named = [f"Fsc-Grant-Hash: {pair.grant.hash}"]
    out = "\r\n".join(["POST /x HTTP/1.1", "Host: outway", "Connection: close", *named, *lines])
    for raw in (
        await pair.raw(out.encode() + b"\r\n\r\n" + body),
        await pair.raw_inway(pair.to_inway(*lines) + body),
    ):
        assert read_answer(raw).status in (400, 501)
        assert raw.count(b"HTTP/1.1 ") == 1
    assert pair.served == 0


async def test_bare_line_feed_ends_a_line_and_is_not_passed_on(pair: Pair) -> None:
    request = pair.head("GET", "/x", {"X-A": "b\nX-C: d"})
    assert read_answer(await pair.raw(request)).status == 200
    assert ["x-c", "d"] in pair.base.backend.requests[0]["headers"]


@pytest.mark.parametrize("size", [20_000, 100_000])
async def test_head_has_a_bound(pair: Pair, size: int) -> None:
    assert (await pair.call("GET", "/x", {"X-Long": "a" * size})).status == 400
    assert (await pair.call("GET", "/" + "a" * size)).status in (400, 414)
    assert pair.served == 0


async def test_body_has_the_bound_that_was_set(tmp_path: Path) -> None:
    async with nginx_pair(tmp_path, most_body=1000) as pair:
        assert (await pair.call("POST", "/", None, b"a" * 1000)).status == 200
        assert (await pair.call("POST", "/", None, b"a" * 1001)).status == 413


async def test_stranger_does_not_get_past_tls(pair: Pair, tmp_path: Path) -> None:
    rogue = make_authority(tmp_path / "rogue", "Groep").issue(
        tmp_path / "rogue-files", ASKER, "Vrager", [HOST]
    )
    nobody = ssl.create_default_context(cafile=str(pair.base.authority.path))
    for context in (nobody, pair.context(rogue)):
        raw = await pair.raw_inway(pair.to_inway(), context)
        assert raw == b"" or read_answer(raw).status == 400
    assert pair.served == 0


async def test_token_of_another_certificate_is_refused_even_when_it_was_used_before(
    pair: Pair, tmp_path: Path
) -> None:
    token = pair.token()
    assert read_answer(await pair.raw_inway(pair.to_inway(token=token))).status == 200
    other = pair.base.authority.issue(tmp_path / "other", ASKER, "Vrager", [HOST])
    got = read_answer(await pair.raw_inway(pair.to_inway(token=token), pair.context(other)))
    assert (got.status, got.code) == (401, "ERROR_CODE_ACCESS_TOKEN_INVALID")
    assert pair.served == 1


async def test_token_that_ended_is_refused_even_when_it_was_used_before(pair: Pair) -> None:
    token = pair.token()
    assert read_answer(await pair.raw_inway(pair.to_inway(token=token))).status == 200
    pair.base.watch.ahead = timedelta(seconds=61)
    assert (
        read_answer(await pair.raw_inway(pair.to_inway(token=token))).code
        == "ERROR_CODE_ACCESS_TOKEN_EXPIRED"
    )


async def test_request_without_token_or_transaction_is_refused(pair: Pair) -> None:
    got = read_answer(await pair.raw_inway(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    assert (got.status, got.code) == (401, "ERROR_CODE_ACCESS_TOKEN_MISSING")
    got = read_answer(await pair.raw_inway(pair.to_inway(transaction=False)))
    assert (got.status, got.code) == (400, "MISSING_LOG_RECORD_ID")


async def test_header_said_twice_reaches_the_service_once_and_as_it_was_judged(pair: Pair) -> None:
    other = "0199f2a4-7c1e-7000-8000-000000000002"
    request = pair.to_inway("Fsc-Authorization: Bearer other", f"Fsc-Transaction-Id: {other}")
    got = read_answer(await pair.raw_inway(request))
    assert (got.status, got.headers["fsc-transaction-id"]) == (200, TRANSACTION)
    sent = [value for name, value in pair.base.backend.requests[0]["headers"] if name.startswith("fsc-")]
    assert len(sent) == 2
    assert not {other, "Bearer other"} & set(sent)


LETTERS = ["T", "P", "D", "N", "H", "S", "E", "B", "A", "X", "W", "M", "G", "C"]


async def test_no_client_can_speak_for_the_deciding_side(pair: Pair) -> None:
    forged = dict.fromkeys(LETTERS, "http://127.0.0.1:1")
    got = await pair.call("GET", "/x", forged)
    assert (got.status, got.json["path"]) == (200, "/x")
    got = read_answer(
        await pair.raw_inway(pair.to_inway(*(f"{name}: {value}" for name, value in forged.items())))
    )
    assert (got.status, got.json["path"]) == (200, "/x")


@pytest.mark.parametrize(
    "path", ["/sluis-decide", "//sluis-400", "//sluis-405", "/inway", "/generation", "/@undecided"]
)
async def test_no_path_leads_to_a_place_of_our_own(pair: Pair, path: str) -> None:
    assert (await pair.call("GET", path)).json["path"] == path
    got = read_answer(
        await pair.raw(f"GET {path[1:]} HTTP/1.1\r\nHost: outway\r\nConnection: close\r\n\r\n".encode())
    )
    assert got.status == 400 or path.startswith("//")


@pytest.mark.parametrize("name", ["Redirect", "Buffering", "Limit-Rate", "Charset", "Expires"])
async def test_who_answers_cannot_steer_the_gateway(pair: Pair, name: str) -> None:
    async def steer(scope: Any, receive: Any, send: Any) -> None:
        await whole(receive)
        value = {"Redirect": b"@undecided", "Limit-Rate": b"1"}.get(name, b"no")
        await answer(send, 200, b"own" * 100, [(b"X-Accel-" + name.encode(), value)])

    pair.base.backend.handler = steer
    got = await asyncio.wait_for(pair.call("GET", "/x"), 5)
    assert (got.status, got.body) == (200, b"own" * 100)


async def test_answers_status_and_error_code_of_a_service_are_its_own(pair: Pair) -> None:
    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        await whole(receive)
        await answer(send, int(scope["path"][1:]), b"own", [(b"x-own", b"1")])

    pair.base.backend.handler = refuse
    for status in (201, 302, 400, 401, 403, 404, 500, 502, 503, 504):
        got = await pair.call("GET", f"/{status}")
        assert (got.status, got.body, got.headers["x-own"]) == (status, b"own", "1")


async def test_service_that_is_gone_is_said_so(pair: Pair) -> None:
    pair.base.services.replace([plain_service(("127.20.2.2", free_port()))])
    got = await pair.call("GET", "/")
    assert (got.status, got.code) == (502, "ERROR_CODE_SERVICE_UNREACHABLE")


async def test_inway_that_is_gone_is_said_so_and_then_left_alone(pair: Pair) -> None:
    assert (await pair.call("GET", "/")).status == 200
    await pair.inway.stop()
    codes = [(await pair.call("GET", "/")).code for _ in range(8)]
    assert codes[0] == "ERROR_CODE_PEER_UNREACHABLE"
    assert codes[-1] == "ERROR_CODE_PEER_PAUSED"
    await pair.inway.start()
    await until(pair.works)
    assert {(await pair.call("GET", "/")).status for _ in range(8)} == {200}


async def noted(pair: Pair, *expected: str) -> None:
    """Wait until the asker has this beside its lines, newest last."""

    async def holds() -> bool:
        page = await pair.base.asker.transactions.find(ASKER, Search(ascending=True))
        return [outcome_of(one.crossing) or "" for one in page.records] == list(expected)

    await until(holds)


async def test_outway_notes_what_did_not_come_across(pair: Pair) -> None:
    assert (await pair.call("GET", "/")).status == 200
    await pair.base.revoke(pair.grant, pair.base.owner)
    assert (await pair.call("GET", "/")).status == 401
    await noted(pair, "", "refused")
    await pair.inway.stop()
    assert (await pair.call("POST", "/")).status == 502
    await noted(pair, "", "refused", "no-answer")


async def test_outway_notes_that_nobody_waited_for_the_answer(pair: Pair) -> None:
    taken = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        taken.set()
        await reader.read()
        writer.close()

    await pair.inway.stop()
    context = server_context(*pair.base.owner.files, [pair.base.authority.path])
    pair.base.others.append(await asyncio.start_server(silent, INWAY, pair.inway_port, ssl=context))
    _, writer = await asyncio.open_connection(OUTWAY, pair.outway_port)
    writer.write(pair.head("GET", "/", None))
    await taken.wait()
    writer.close()
    await noted(pair, "no-answer")


async def test_trace_context_passes_through_unchanged(pair: Pair) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    got = await pair.call("GET", "/", {"traceparent": trace, "tracestate": "a=b,c@d=e"})
    seen = [(name, value) for name, value in got.json["headers"] if name.startswith("trace")]
    assert seen == [("traceparent", trace), ("tracestate", "a=b,c@d=e")]


async def test_token_that_the_inway_refuses_is_not_used_again(pair: Pair) -> None:
    pair.base.tamper = lambda token: token[:-4] + "AAAA"
    assert (await pair.call("GET", "/")).status == 401
    pair.base.tamper = str
    await until(pair.works)


async def test_revoked_certificate_gets_in_no_more_after_a_reload(pair: Pair) -> None:
    asker, crl = pair.base.asker.identity.certificate, pair.base.folder / "revoked.pem"
    assert (await pair.call("GET", "/")).status == 200
    crl.write_bytes(revocations(pair.base.authority, asker))
    await pair.inway.reload()
    raw = await pair.raw_inway(pair.to_inway())
    assert raw == b"" or read_answer(raw).status == 400
    assert (await pair.call("GET", "/")).status == 400


async def test_inway_with_a_revoked_certificate_is_sent_nothing(pair: Pair) -> None:
    (pair.base.folder / "revoked.pem").write_bytes(
        revocations(pair.base.authority, pair.base.owner.identity.certificate)
    )
    await pair.outway.reload()
    assert (await pair.call("GET", "/")).code == "ERROR_CODE_PEER_UNREACHABLE"
    assert pair.served == 0


@pytest.mark.parametrize("kind", ["other-name", "other-authority"])
async def test_inway_that_does_not_bear_its_name_is_sent_nothing(
    pair: Pair, tmp_path: Path, kind: str
) -> None:
    authority = pair.base.authority if kind == "other-name" else make_authority(tmp_path / "rogue", "Groep")
    hosts = ["elders.example"] if kind == "other-name" else [HOST]
    files = authority.issue(tmp_path / "false", PeerId("00000009900000000077"), "Ander", hosts)
    heads = list[bytes]()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.read(1000))
        writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    await pair.inway.stop()
    async with await asyncio.start_server(listen, INWAY, pair.inway_port, ssl=context):
        assert (await pair.call("GET", "/")).code == "ERROR_CODE_PEER_UNREACHABLE"
    assert b"".join(heads) == b""


async def test_nothing_passes_while_nobody_decides(pair: Pair) -> None:
    assert (await pair.call("GET", "/")).status == 200
    assert pair.inway._server is not None
    pair.inway._server.close()
    (pair.base.folder / "nginx-in" / "decide.sock").unlink(missing_ok=True)
    await pair.inway.reload()  # no worker has a connection left over which it could ask
    got = await pair.call("GET", "/")
    assert (got.status, got.code) == (500, "TRANSACTION_LOG_WRITE_ERROR")
    assert pair.served == 1


async def test_reload_drops_no_request(pair: Pair) -> None:
    ended, statuses = asyncio.Event(), list[int]()

    async def ask() -> None:
        while not ended.is_set():
            statuses.append((await pair.call("GET", "/")).status)

    asking = [asyncio.create_task(ask()) for _ in range(8)]
    for _ in range(3):
        await pair.inway.reload()
        await pair.outway.reload()
    ended.set()
    await asyncio.gather(*asking)
    assert len(statuses) > 20
    assert set(statuses) == {200}


async def test_configuration_that_nginx_refuses_leaves_the_old_one_at_work(pair: Pair) -> None:
    (pair.base.folder / "revoked.pem").write_text("no list at all")
    with pytest.raises(Invalid) as refused:
        await pair.inway.reload()
    assert refused.value.code == "nginx-refused"
    assert (await pair.call("GET", "/")).status == 200


async def test_address_that_changed_is_found_at_the_next_reload(pair: Pair) -> None:
    assert (await pair.call("GET", "/")).status == 200
    pair.addresses[:] = ["127.20.2.99"]
    assert await pair.outway._places.renew()
    await pair.outway.reload()
    assert (await pair.call("GET", "/")).code == "ERROR_CODE_PEER_UNREACHABLE"


async def test_nginx_that_ends_is_started_again(pair: Pair) -> None:
    first = pair.outway.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)

    async def answers() -> bool:
        with suppress(ConnectionError):
            return pair.outway.pid != first and (await pair.call("GET", "/")).status == 200
        return False

    await until(answers)


async def test_stopping_leaves_nothing(pair: Pair) -> None:
    folder = pair.base.folder / "nginx-out"
    assert len(_at_work_in(folder)) == 2  # a master and a worker
    await pair.outway.stop()
    assert _at_work_in(folder) == []
    assert not list(folder.glob("*.sock"))
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(OUTWAY, pair.outway_port)


def _at_work_in(folder: Path) -> list[str]:
    found = []
    for one in os.listdir("/proc"):
        with suppress(OSError):
            if one.isdigit() and os.readlink(f"/proc/{one}/cwd") == str(folder):
                found.append(one)
    return found


async def test_port_that_is_in_use_is_said_so(pair: Pair, tmp_path: Path) -> None:
    files = Files(pair.base.asker.identity, [pair.base.authority.path])
    second = NginxPlane(tmp_path / "second", files, inway=(Listen(INWAY, pair.inway_port), pair.base.inway))
    with pytest.raises(Conflict) as problem:
        await second.start()
    assert problem.value.code == "nginx-not-up"
    assert "Address already in use" in problem.value.why.en


async def test_log_says_what_went_wrong_and_not_about_whom(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    pair.base.services.replace([plain_service(("127.20.2.2", free_port()))])
    with caplog.at_level(logging.INFO):
        await pair.call("GET", "/burgers/999990019", {"X-Who": "999990019"})
    assert "refused" in caplog.text
    assert "999990019" not in caplog.text
    assert "burgers" not in caplog.text


async def test_one_caller_leaves_room_for_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx_conf, "FROM_ONE", 1)
    async with nginx_pair(tmp_path) as pair:
        _, slow = await asyncio.open_connection(
            INWAY, pair.inway_port, ssl=pair.context(), server_hostname=HOST
        )
        slow.write(pair.to_inway("Content-Length: 2").replace(b"GET", b"POST", 1))
        code = "ERROR_CODE_TOO_MANY_REQUESTS"
        await until(lambda: _refused_with(pair, code))
        slow.close()
        await until(pair.works)


async def _refused_with(pair: Pair, code: str) -> bool:
    answer = read_answer(await pair.raw_inway(pair.to_inway()))
    return (answer.status, answer.headers.get("fsc-error-code")) == (429, code)


@pytest.mark.parametrize("name", OTHERWISE)
async def test_who_may_read_does_not_write_by_another_name(pair: Pair, name: str) -> None:
    for method, kept in (("GET", []), ("POST", ["PUT"])):
        seen = (await pair.call(method, "/x", {name: "PUT"})).json["headers"]
        assert [value for one, value in seen if one == name.lower()] == kept


async def test_log_says_nothing_of_an_answer_that_is_no_http(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nX-Bsn: 999990019\0\r\n\r\n")
        writer.close()

    await pair.base.serve_raw(serve)
    with caplog.at_level(logging.INFO):
        assert (await pair.call("GET", "/x")).status == 502
    assert "upstream sent invalid header" in caplog.text
    assert "999990019" not in caplog.text


async def test_both_ways_stream(pair: Pair) -> None:
    """A piece of the request reaches the service, and a piece of the answer the program, before the next is sent."""
    first = asyncio.Event()

    async def echo(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            first.set()
            await send({"type": "http.response.body", "body": message["body"], "more_body": more})

    pair.base.backend.handler = echo
    reader, writer = await asyncio.open_connection(OUTWAY, pair.outway_port)
    writer.write(pair.head("POST", "/", {"Transfer-Encoding": "chunked"}) + b"3\r\none\r\n")
    await asyncio.wait_for(first.wait(), 5)
    assert b"one" in await asyncio.wait_for(reader.readuntil(b"one"), 5)
    writer.write(b"3\r\ntwo\r\n0\r\n\r\n")
    assert b"two" in await asyncio.wait_for(reader.read(), 5)
    writer.close()


async def test_a_service_that_asks_for_a_client_certificate_is_shown_it_also_when_it_was_renewed(
    pair: Pair,
) -> None:
    await pair.base.serve_mutual_tls("127.0.0.1")
    assert (await pair.call()).body == b"Bronhouder"
    pair.base.show("Vernieuwd")
    assert await pair.inway._places.renew()
    await (
        pair.inway.reload()
    )  # as it does by itself, so that no connection that showed the old one is used again
    assert (await pair.call()).body == b"Vernieuwd"
    shown = list((pair.base.folder / "nginx-in").glob("client-*"))
    assert {file.stat().st_mode & 0o777 for file in shown} == {0o600}


async def test_a_service_is_not_reached_without_the_client_certificate_it_asks_for(pair: Pair) -> None:
    await pair.base.serve_mutual_tls("127.0.0.1")
    pair.base.hide()
    got = await pair.call()
    assert (got.status, got.code) == (502, "ERROR_CODE_SERVICE_UNREACHABLE")
    assert "client certificate" in got.json["message"]


async def test_a_service_that_cannot_be_reached_is_answered_by_its_alternative_which_the_answer_says(
    tmp_path: Path,
) -> None:
    async with nginx_pair(tmp_path, INSTEAD) as pair:
        other = await pair.base.other("127.0.0.1")
        got = await pair.call()
        assert (got.status, "sluis-alternative" in got.headers, other.asked) == (200, False, [])
        await pair.inway.stop()
        got = await pair.call("GET", "/x?y")
        assert (got.status, got.body) == (200, b"reserve")
        assert got.headers["sluis-alternative"] == f"{THIRD}/reserve"
        assert other.asked[0].startswith("GET /x?y ")
        records = (await pair.base.asker.transactions.find(ASKER, Search(ascending=True))).records
        assert [one.crossing.service_peer for one in records] == [OWNER, OWNER, THIRD]
        assert records[2].transaction_id == got.headers["fsc-transaction-id"] != records[1].transaction_id
        # nginx keeps no body, and what may not be repeated is not.
        for method, body in (("PUT", b"body"), ("POST", b"")):
            got = await pair.call(method, "/", None, body)
            assert (got.status, got.code) == (502, "ERROR_CODE_PEER_UNREACHABLE")
        other.server.close()
        got = await pair.call()
        assert (got.status, got.code) == (502, "ERROR_CODE_PEER_UNREACHABLE")
        assert len(other.asked) == 1


async def test_without_a_contract_for_it_an_alternative_is_not_used(tmp_path: Path) -> None:
    async with nginx_pair(tmp_path, INSTEAD) as pair:
        await pair.inway.stop()
        for _ in range(5):
            got = await pair.call()
            assert (got.status, got.code) == (502, "ERROR_CODE_PEER_UNREACHABLE")
        got = await pair.call()
        assert (got.status, got.code) == (503, "ERROR_CODE_PEER_PAUSED")


async def test_an_inway_tries_the_other_place_of_a_service_that_does_not_answer(pair: Pair) -> None:
    service, dead = pair.base.services.get(SERVICE), free_port()
    assert service is not None
    nobody = Target(False, "127.20.2.9", dead, f"127.20.2.9:{dead}")
    pair.base.services.replace([Service(SERVICE, nobody, alternative=service.target)])
    got = await pair.call("GET", "/x")
    assert (got.status, got.json["path"]) == (200, "/x")
    assert dict(got.json["headers"])["host"] == service.target.authority
    assert (await pair.call("POST", "/x", None, b"body")).code == "ERROR_CODE_SERVICE_UNREACHABLE"
    assert len((await pair.base.owner.transactions.find(ASKER, Search())).records) == 2


class Inways:
    """Who is met at the owner's address: nobody of the pair is asked, so that each can be another."""

    def __init__(self, pair: Pair) -> None:
        revoked = set[bytes]()
        self.met, self.revoked = meeting(Streams(pair.context()), revoked.__contains__), revoked
        self.target = Target(True, HOST, pair.inway_port, f"{HOST}:{pair.inway_port}", OWNER)

    async def meet(self, peer: PeerId = OWNER, addresses: Sequence[str] = (INWAY,)) -> Sequence[str]:
        return await self.met(msgspec.structs.replace(self.target, peer=peer), addresses)


async def test_inway_is_met_before_nginx_is_sent_there(pair: Pair) -> None:
    inways = Inways(pair)
    assert await inways.meet(addresses=["127.20.2.99", INWAY]) == [INWAY]
    with pytest.raises(Unreachable):
        await inways.meet(addresses=["127.20.2.99"])
    with pytest.raises(WrongPeer):
        await inways.meet(ASKER)
    inways.revoked.add(pair.base.owner.identity.certificate.public_bytes(Encoding.DER))
    with pytest.raises(RevokedPeer):
        await inways.meet()
    assert pair.served == 0


async def test_renewed_certificate_that_nginx_does_not_take_changes_nothing(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = pair.base.authority.issue(pair.base.folder / "renewed", OWNER, "Bronhouder", [HOST])
    monkeypatch.setattr(nginx_conf, "_FINAL", "nonsense;")
    with pytest.raises(Invalid) as refused:
        await pair.inway.take(Identity.load(*files))
    assert refused.value.code == "nginx-refused"
    monkeypatch.undo()
    assert await shown(pair) == pair.base.owner.identity.certificate
    await pair.inway.reload()
    assert await shown(pair) == pair.base.owner.identity.certificate
    await pair.inway.take(Identity.load(*files))
    assert await shown(pair) == Identity.load(*files).certificate
    assert await pair.works()


async def shown(pair: Pair) -> x509.Certificate:
    """The certificate of the inway."""
    _, writer = await asyncio.open_connection(
        INWAY, pair.inway_port, ssl=pair.context(), server_hostname=HOST
    )
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(der)


async def test_peer_that_is_not_itself_any_more_gets_nothing_more(pair: Pair) -> None:
    assert (await pair.call("GET", "/")).status == 200
    somebody_else = False

    async def meet(target: Target, addresses: Sequence[str]) -> Sequence[str]:
        if somebody_else:
            raise WrongPeer
        return addresses

    places = pair.outway._places
    places._meet = meet
    assert not await places.renew()
    somebody_else = True
    assert await places.renew()
    got = await pair.call("GET", "/")
    assert (got.status, got.code) == (502, "ERROR_CODE_PEER_UNREACHABLE")
    assert "another organisation" in got.json["message"].lower()
    somebody_else = False
    assert (await pair.call("GET", "/")).status == 200
    assert pair.served == 2


async def test_name_without_an_address_is_said_as_fsc_writes_it(pair: Pair) -> None:
    pair.addresses.clear()
    got = await pair.call("GET", "/")
    assert (got.status, got.code) == (502, "ERROR_CODE_PEER_UNREACHABLE")
    pair.base.services.replace(
        [msgspec.structs.replace(plain_service(("127.20.2.2", 1)), target=Target(False, HOST, 1, HOST))]
    )
    got = read_answer(await pair.raw_inway(pair.to_inway()))
    assert (got.status, got.code) == (502, "ERROR_CODE_SERVICE_UNREACHABLE")
