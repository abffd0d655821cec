"""A node's API as an ASGI app, called without sockets, by whom a test says."""

import json
import os
import pwd
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
from litestar import get, post
from litestar.response import Stream

from sluis.crypto import Peer
from sluis.kernel import Bsn, NotFound, Oin, PeerId, Refused, Text, Trace, Unkept
from sluis.web import CROSSED, About, Access, Api, Crossed, Person, make_api

UWV = PeerId("00000001826002785000")
STRANGER = PeerId("00000009999999999000")
ABOUT = About(
    "API van een fictieve node", "https://node.example", "Beheer", "api@node.example", "https://node.example"
)
_SAY = Text("Nee.", "No.")


class Reply(msgspec.Struct):
    """An answer as a client sees it."""

    status: int
    headers: dict[str, str]
    body: bytes
    complete: bool

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """What the echo route takes."""

    owner: Oin
    count: int = 0
    names: dict[str, list[int]] = {}


class Echoed(msgspec.Struct):
    """What the echo route answers."""

    caller: PeerId
    owner: Oin
    trace: str
    service: str


@post("/echoes", status_code=200)
async def echo(peer: Peer, data: Request, trace: Trace, service: str) -> Echoed:
    """Say who asked and what. For tests."""
    return Echoed(peer.id, data.owner, trace.trace_id, service)


@get("/me")
async def me(person: Person) -> dict[str, str]:
    """Say which person asks."""
    return {"person": person.person, "acr": person.acr}


@get("/both")
async def both(caller: Peer | Person) -> dict[str, str]:
    """Say what kind of caller asks."""
    return {"kind": type(caller).__name__}


@get("/failures/{kind:str}", opt={"open": True})
async def fail(kind: str) -> None:
    """Go wrong in the way that was asked for."""
    failures: dict[str, Exception] = {
        "refused": Refused("no-ground", _SAY, _SAY, _SAY, rule="ground", legal="Wet X, art. 1", peer="UWV"),
        "missing": NotFound("no-such", _SAY, _SAY, _SAY),
        "bug": ValueError("999990019 is a secret"),
        "unkept": Unkept("ledger", _SAY, _SAY, _SAY, retry=True),
        "full": (full := Unkept("full", _SAY, _SAY, _SAY, retry=True)),
    }
    full.seconds = 3
    raise failures[kind]


@get("/breaking", opt={"open": True})
async def breaking() -> Stream:
    """Begin an answer and break."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"half"
        raise ValueError("999990019 is a secret")

    return Stream(chunks())


@get("/counts", opt={"open": True})
async def counts(limit: int) -> int:
    """Give the limit back."""
    return limit


@get("/identifiers", opt={"open": True})
async def identifiers() -> list[Bsn]:
    """Give an identifier."""
    return [Bsn("999990019")]


ROUTES = [echo, me, both, fail, breaking, counts, identifiers]


@pytest.fixture
def people() -> dict[str, Person]:
    """The node's people by login name: whoever runs the tests is one."""
    user = pwd.getpwuid(os.getuid()).pw_name
    return {user: Person(user, "p-1")}


@pytest.fixture
def refusals() -> list[tuple[str, str]]:
    """What the app told of refusals: code and caller."""
    return []


@pytest.fixture
def api(people: dict[str, Person], refusals: list[tuple[str, str]]) -> Api:
    async def told(refusal: Refused) -> None:
        refusals.append((refusal.code, refusal.peer or ""))

    access = Access([UWV], people.get, on_refusal=told)
    return make_api(ROUTES, access, ABOUT, {"service": "given"})


Caller = Callable[..., Awaitable[Reply]]


def crossing(peer: PeerId, name: str) -> dict[str, Any]:
    """ASGI extensions of a request of a peer that the inway let in."""
    return {CROSSED: Crossed(Peer(peer, name))}


def calling(api: Api) -> Caller:
    """A client that speaks ASGI."""

    async def call(
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        extensions: dict[str, Any] | None = None,
    ) -> Reply:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "scheme": "https",
            "server": ("node", 443),
            "client": ("127.0.0.1", 1),
            "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
            "state": {},
            "extensions": extensions or {},
        }
        messages = [{"type": "http.request", "body": raw, "more_body": False}]
        sent: list[Any] = []

        async def receive() -> Any:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await api(scope, receive, send)  # type: ignore[arg-type]
        start = sent[0]
        parts = [message for message in sent if message["type"] == "http.response.body"]
        return Reply(
            start["status"],
            {name.decode().lower(): value.decode() for name, value in start["headers"]},
            b"".join(part.get("body", b"") for part in parts),
            bool(parts) and not parts[-1].get("more_body", False),
        )

    return call


@pytest.fixture
def call(api: Api) -> Caller:
    return calling(api)


@pytest.fixture
def as_uwv() -> dict[str, Any]:
    """ASGI extensions of a request by a known peer."""
    return crossing(UWV, "UWV")


@pytest.fixture
def as_me() -> dict[str, Any]:
    """ASGI extensions of a unix-socket connection by whoever runs the tests."""
    return {"sluis.local": {"uid": os.getuid()}}
