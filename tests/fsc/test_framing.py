"""Requests that two readers take in two ways (RFC 9112 section 11.2), and requests without measure: neither proxy passes
them on, whatever it answers."""

import contextlib
from collections.abc import Iterator

import pytest
from tests.fsc.authority import Authority
from tests.fsc.conftest import next_oin
from tests.fsc.meeting import providing
from tests.fsc.papers import uuid7
from tests.fsc.peer import Peer, echo
from tests.fsc.product import Product
from tests.fsc.wire import BadMessage, Caller

pytestmark = pytest.mark.fsc
PLANES = ("process", "nginx")


@pytest.fixture(scope="module")
def peer(authority: Authority, plane: str) -> Iterator[Peer]:
    """One peer for the whole module: agreeing takes more time than asking."""
    with Peer(authority, next_oin(), "Gemeente Fictiestad") as peer:
        peer.services["echo"] = echo
        yield peer


HEAD = b"POST /eerste HTTP/1.1\r\nHost: x\r\nFsc-Authorization: Bearer %s\r\nFsc-Transaction-Id: %s\r\n"
SMUGGLED: dict[str, bytes] = {
    "length and chunked": b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /gesmokkeld HTTP/1.1\r\nHost: x\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 40\r\n\r\nGET /gesmokkeld HTTP/1.1\r\nHost: x\r\n\r\n",
    "lengths in a list": b"Content-Length: 0, 40\r\n\r\nGET /gesmokkeld HTTP/1.1\r\nHost: x\r\n\r\n",
    "length with a sign": b"Content-Length: +0\r\n\r\nGET /gesmokkeld HTTP/1.1\r\nHost: x\r\n\r\n",
    "chunked twice": b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked not last": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked misspelt": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked behind a tab": b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "space before colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "bare CR": b"X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "NUL": b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "chunk with a sign": b"Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
    "chunk without CRLF": b"Transfer-Encoding: chunked\r\n\r\n1\r\nxxx0\r\n\r\n",
    "folded header": b"X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("how", SMUGGLED)
def test_a_request_that_can_be_read_in_two_ways_reaches_no_service(
    peer: Peer, product: Product, token: str, how: str
) -> None:
    """RFC 9112 section 11.2. Whatever is answered, the service never sees the second request, nor a doubtful first one."""
    product.upstream.script.seen.clear()
    with Caller(product.inway_address, peer.outway_identity, peer.authority) as caller:
        caller.send(HEAD % (token.encode(), uuid7().encode()) + SMUGGLED[how])
        try:
            answer = caller.answer()
            assert answer.status >= 400, answer.status
        except (EOFError, OSError, BadMessage):
            pass
    assert [request.target for request in product.upstream.script.seen] == []


@pytest.mark.parametrize(
    "filler",
    [b"X-Lang: " + b"a" * 200_000 + b"\r\n", b"".join(b"X-%d: a\r\n" % number for number in range(30_000))],
)
def test_oversized_headers_reach_no_service(peer: Peer, product: Product, token: str, filler: bytes) -> None:
    product.upstream.script.seen.clear()
    try:
        with Caller(product.inway_address, peer.outway_identity, peer.authority) as caller:
            caller.send(HEAD % (token.encode(), uuid7().encode()) + filler + b"Content-Length: 0\r\n\r\n")
            assert caller.answer().status in (400, 413, 414, 431)
    except (EOFError, OSError):
        pass
    assert product.upstream.script.seen == []


LEAVING = {
    "length and chunked": b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /gesmokkeld HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 40\r\n\r\nGET /gesmokkeld HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "chunked misspelt": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "space before colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "bare CR": b"X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "NUL": b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "folded header": b"X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("how", LEAVING)
def test_a_request_that_can_be_read_in_two_ways_does_not_leave(
    peer: Peer, product: Product, how: str
) -> None:
    _, grant = providing(product, peer)
    peer.inway.script.seen.clear()
    with Caller(product.outway_address, None, peer.authority) as caller:
        caller.send(
            b"POST /eerste HTTP/1.1\r\nHost: localhost\r\nFsc-Grant-Hash: "
            + grant.encode()
            + b"\r\n"
            + LEAVING[how]
        )
        with contextlib.suppress(EOFError, OSError, BadMessage):
            assert caller.answer().status >= 400
    assert peer.inway.script.seen == []


BARE_LF = {
    "in a header": b"X: a\nContent-Length: 0\r\n\r\nGET /gesmokkeld HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "before chunked": b"X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /gesmokkeld HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "at the end": b"Content-Length: 0\r\n\nGET /gesmokkeld HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "in a chunk": b"Transfer-Encoding: chunked\r\n\r\n0\n\r\nGET /gesmokkeld HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("how", BARE_LF)
def test_behind_a_bare_lf_nothing_is_smuggled_in(peer: Peer, product: Product, token: str, how: str) -> None:
    """RFC 9112 section 2.2 lets a reader take a bare LF for the end of a line. Then it is one for whatever lies behind too:
    what was sent behind it is a request of its own, without a token, or no request."""
    product.upstream.script.seen.clear()
    with Caller(product.inway_address, peer.outway_identity, peer.authority) as caller:
        caller.send(HEAD % (token.encode(), uuid7().encode()) + BARE_LF[how])
        with contextlib.suppress(EOFError, OSError, BadMessage):
            caller.answer()
            assert caller.answer().status >= 400
    assert "/gesmokkeld" not in [request.target for request in product.upstream.script.seen]


@pytest.mark.parametrize("how", BARE_LF)
def test_behind_a_bare_lf_nothing_is_smuggled_out(peer: Peer, product: Product, how: str) -> None:
    _, grant = providing(product, peer)
    peer.inway.script.seen.clear()
    with Caller(product.outway_address, None, peer.authority) as caller:
        caller.send(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nFsc-Grant-Hash: "
            + grant.encode()
            + b"\r\n"
            + BARE_LF[how]
        )
        with contextlib.suppress(EOFError, OSError, BadMessage):
            caller.answer()
            assert caller.answer().status >= 400
    assert "/gesmokkeld" not in [request.target for request in peer.inway.script.seen]
