"""The short way answers whatever comes as the framework's way does."""

import os
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from litestar import Request, Response, post
from litestar.response import Stream
from tests.unit.web.conftest import ABOUT, STRANGER, UWV, Caller, calling, crossing

from sluis.crypto import Peer
from sluis.kernel import Refused, Text, Trace
from sluis.web import SHORT, Access, Person, make_api

TEXT = Text("Nee.", "No.")


class Wish(msgspec.Struct, frozen=True):
    """What the route is to do."""

    way: str
    number: int = 0


async def answer(data: Wish, peer: Peer, trace: Trace, request: Request[Any, Any, Any]) -> Response[Any]:
    """Answer in the way that is wished for."""
    if data.way == "refuse":
        raise Refused("no", TEXT, TEXT, TEXT, rule="rule", legal="Wet X, art. 1")
    if data.way == "break":
        raise ValueError("999990019 is a secret")
    if data.way == "stream":

        async def chunks() -> AsyncIterator[bytes]:
            yield b"one"
            if data.number:
                raise ValueError("999990019 is a secret")
            yield b"two"

        return Stream(chunks(), media_type="text/plain")
    told = f"{peer.id} {trace.trace_id} {data.number}".encode()
    return Response(told, media_type="application/x", headers={"x-seen": request.headers.get("x-given", "")})


LONG = post("/long", status_code=200)(answer)
BRIEF = post("/short", status_code=200, opt={SHORT: True})(answer)
TRACE = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "x-given": "seen", "accept-language": "en"}


@pytest.fixture
def both() -> Caller:
    access = Access([UWV], lambda user: Person(user, "p"))
    return calling(make_api([LONG, BRIEF], access, ABOUT, {}))


REQUESTS: dict[str, tuple[str, Any, dict[str, str]]] = {
    "right": ("POST", {"way": "answer", "number": 3}, {}),
    "streamed": ("POST", {"way": "stream"}, {}),
    "refused": ("POST", {"way": "refuse"}, {}),
    "no JSON": ("POST", b"{", {}),
    "a field of another type": ("POST", {"way": "answer", "number": "3"}, {}),
    "a field too many": ("POST", {"way": "answer", "more": 1}, {}),
    "a field too few": ("POST", {}, {}),
    "nothing": ("POST", b"", {}),
    "announced too large": ("POST", {"way": "answer"}, {"content-length": str(1 << 30)}),
    "too large": ("POST", b" " * (17 << 20), {}),
    "a length that is none": ("POST", {"way": "answer"}, {"content-length": "many"}),
    "another method": ("GET", None, {}),
    "options": ("OPTIONS", None, {}),
}


@pytest.mark.parametrize("name", REQUESTS)
async def test_the_short_way_answers_as_the_long_way(both: Any, as_uwv: dict[str, Any], name: str) -> None:
    method, body, headers = REQUESTS[name]
    one, other = [
        await both(method, path, body, TRACE | headers, as_uwv) for path in ("/v1/long", "/v1/short")
    ]
    assert (one.status, one.headers, one.body) == (other.status, other.headers, other.body)


@pytest.mark.parametrize("kind", ["nobody", "a person", "a peer nobody knows"])
async def test_the_short_way_turns_away_whom_the_long_way_does(both: Any, kind: str) -> None:
    person = {"sluis.local": {"uid": os.getuid()}}
    stranger = crossing(STRANGER, "Stranger")
    extensions = {"nobody": {}, "a person": person, "a peer nobody knows": stranger}[kind]
    replies = [await both("POST", path, b"{", TRACE, extensions) for path in ("/v1/long", "/v1/short")]
    assert replies[0].status == replies[1].status in (401, 403)
    assert replies[0].body == replies[1].body


@pytest.mark.parametrize("path", ["/v1/long", "/v1/short"])
async def test_what_goes_wrong_inside_is_told_without_its_text(both: Any, as_uwv: Any, path: str) -> None:
    reply = await both("POST", path, {"way": "break"}, TRACE, as_uwv)
    assert (reply.status, b"999990019" in reply.body) == (500, False)


@pytest.mark.parametrize("path", ["/v1/long", "/v1/short"])
async def test_an_answer_that_breaks_underway_has_no_end(both: Any, as_uwv: Any, path: str) -> None:
    assert not (await both("POST", path, {"way": "stream", "number": 1}, TRACE, as_uwv)).complete
