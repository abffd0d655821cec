"""Two organisations with a gateway each, in one process: an outway, mTLS, an inway, and a small service behind it.

Their contracts are put straight into both stores. Peers are fictitious.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.servers import free_port
from tests.unit.gateway.contracts.making import (
    CONSUMER,
    GROUP,
    PROVIDER,
    as_json,
    by_key,
    connection,
    content,
)

from sluis.crypto import (
    Authority,
    Identity,
    certificate_thumbprint,
    client_context,
    make_authority,
    peer_of,
    public_key_thumbprint,
    server_context,
)
from sluis.gateway.contracts import Contracts, Grant, Signature, open_contracts, read_content
from sluis.gateway.forward import Target
from sluis.gateway.inway import Inway
from sluis.gateway.meter import Meter
from sluis.gateway.outway import Outway
from sluis.gateway.planes.inprocess import InwayPlane, OutwayPlane
from sluis.gateway.services import Service, Services
from sluis.gateway.streams import Streams
from sluis.gateway.tokens import Tokens, issue
from sluis.gateway.transactions import TransactionLog, open_transactions
from sluis.kernel import PeerId, utc_now
from sluis.store import Store, open_store
from sluis.web import LoopbackListener, PeerListener, Server

ASKER, OWNER, THIRD = PeerId(CONSUMER), PeerId(PROVIDER), PeerId("00000000000000000006")
INSTEAD = {"sluis.alternative": {"peer_id": str.__str__(THIRD), "service": "reserve"}}
"""Properties by which a service names the third peer's as its alternative."""

SERVICE = "personen"

Handler = Callable[[Any, Any, Any], Awaitable[None]]


class Backend:
    """The service: says what it got, unless `handler` does otherwise."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.handler: Handler = self.tell

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.handler(scope, receive, send)

    async def tell(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer with the request: method, path, headers, body."""
        body = await whole(receive)
        query = scope["query_string"]
        got = {
            "method": scope["method"],
            "path": (scope["raw_path"] + (b"?" + query if query else b"")).decode(),
            "headers": [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]],
            "body": body.decode("latin-1"),
        }
        self.requests.append(got)
        await answer(send, 200, json.dumps(got).encode(), [(b"x-service", b"here")])


async def whole(receive: Any) -> bytes:
    """The whole body of a request. Raises `ConnectionError` when it breaks off."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


async def answer(
    send: Any, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    """Answer with a body."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [length, *(headers or [])]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str | None:
        return self.headers.get("fsc-error-code")


class Watch:
    """The time, which tests may move on."""

    minute = timedelta(minutes=1)

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead

    def now(self) -> int:
        return int(self().timestamp())


@dataclass
class Party:
    """One organisation: its certificate, its store and what is in it."""

    identity: Identity
    files: tuple[Path, Path]
    store: Store
    contracts: Contracts
    transactions: TransactionLog
    meter: Meter = field(default_factory=Meter)


@dataclass
class Other:
    """A third peer: the contract with it, its inway, and what that was asked."""

    grant: Grant
    server: asyncio.Server
    asked: list[str]


@dataclass
class Gateways:
    """Both gateways, running."""

    folder: Path
    authority: Authority
    watch: Watch
    asker: Party
    owner: Party
    backend: Backend
    services: Services
    inway: Inway
    inway_address: tuple[str, int]
    outway_address: tuple[str, int]
    outway: Outway
    links: dict[str, str]
    streams: list[Streams]
    servers: dict[str, Server]
    target: Target
    fetched: list[str] = field(default_factory=list)
    others: list[asyncio.Server] = field(default_factory=list)
    tamper: Callable[[str], str] = str
    inways: dict[PeerId, str] = field(default_factory=dict)

    @property
    def aud(self) -> str:
        return f"https://127.20.2.1:{self.inway_address[1]}"

    async def serve_raw(
        self, serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
    ) -> None:
        """Put another service in the place of the one there is: one that owns its connections."""
        server = await asyncio.start_server(serve, "127.20.2.3", 0)
        self.others.append(server)
        self.services.replace([plain_service(server.sockets[0].getsockname()[:2])])

    async def serve_mutual_tls(self, host: str = "127.20.2.3") -> tuple[str, ...]:
        """Put a service in the place of the one there is that asks for a client certificate and says whose it got; gives the
        files with the one it is shown."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while await reader.readuntil(b"\r\n\r\n"):
                    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
                    name = peer_of(der).name.encode()
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(name), name))
            except (asyncio.IncompleteReadError, OSError):
                writer.close()

        files = self.authority.issue(self.folder / "service", OWNER, "Dienst", [host, "localhost"])
        context = server_context(*files, [self.authority.path])
        server = await asyncio.start_server(serve, host, 0, ssl=context)
        self.others.append(server)
        port, shows = server.sockets[0].getsockname()[1], self.show("Bronhouder")
        name = "localhost" if host == "127.0.0.1" else host
        self.services.replace([Service(SERVICE, Target(True, name, port, f"{name}:{port}", shows=shows))])
        return shows

    def show(self, name: str) -> tuple[str, ...]:
        """Put a client certificate of this name where the owner's inway has it."""
        certificate, key = self.authority.issue(self.folder / "made", OWNER, name, ["localhost"])
        key.replace(self.folder / "shown.key")
        return (str(certificate.replace(self.folder / "shown.crt")),)

    def hide(self) -> None:
        """Take that client certificate away."""
        (self.folder / "shown.crt").unlink()

    async def listen_as(self, peer: PeerId) -> list[bytes]:
        """Let another organisation of the group listen at the inway's address; gives what it receives."""
        files = self.authority.issue(self.folder / "other", peer, "Iemand", ["127.20.2.1"])
        received: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if data := await reader.read(1):
                received.append(data)
            writer.close()

        context = server_context(*files, [self.authority.path])
        self.others.append(await asyncio.start_server(serve, *self.inway_address, ssl=context))
        return received

    async def agree(self, *parties: Party, days: int = 1, own_key: bool = True, **changes: Any) -> Grant:
        """A contract that both have accepted, in the stores of both."""
        grant = {**connection(SERVICE), **changes}
        if own_key:
            key = public_key_thumbprint(self.asker.identity.certificate)
            grant["outway"]["identification"] = by_key(key)
        now = self.watch.now()
        validity = {"not_before": now - 10, "not_after": now + days * 86_400}
        read = read_content(as_json(content(grant, validity=validity, created_at=now)))
        for party in parties or (self.asker, self.owner):
            await party.contracts.receive(read, Signature(ASKER, "accept", "-", now, "-", 2**40))
            for peer in read.parties - {ASKER}:
                await party.contracts.add_signature(read, Signature(peer, "accept", "-", now, "-", 2**40))
        return read.grants[0]

    async def other(self, host: str = "127.20.2.5", **changes: Any) -> "Other":
        """A third peer that offers `reserve`, under a contract with the asker; its inway answers everything. The service of
        the owner names that as its alternative in the contract that is made with `instead`."""
        files = self.authority.issue(self.folder / "third", THIRD, "Derde", ["127.20.2.5", "localhost"])
        asked: list[str] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while head := await reader.readuntil(b"\r\n\r\n"):
                    asked.append(head.decode())
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nreserve")
            except (asyncio.IncompleteReadError, OSError):
                writer.close()

        context = server_context(*files, [self.authority.path])
        server = await asyncio.start_server(serve, host, 0, ssl=context)
        self.others.append(server)
        place = {"type": "SERVICE_TYPE_SERVICE", "peer_id": str.__str__(THIRD), "name": "reserve"}
        grant = await self.agree(self.asker, service=place, **changes)
        name = "localhost" if host == "127.0.0.1" else host
        self.inways[THIRD] = f"https://{name}:{server.sockets[0].getsockname()[1]}"
        return Other(grant, server, asked)

    async def renew_certificate(self) -> None:
        """Give the asker another key and certificate."""
        files = self.authority.issue(self.folder / "renewed", ASKER, "Vrager", ["localhost"])
        self.asker.identity, self.asker.files = Identity.load(*files), files
        self.streams[0].renew(client_context(*files, [self.authority.path]))

    async def revoke(self, grant: Grant, *parties: Party) -> None:
        """Revoke the contract of a grant, in the stores of these."""
        for party in parties:
            [contract] = party.contracts.by_grant_hashes(ASKER, [grant.hash])
            revoked = Signature(OWNER, "revoke", "-", self.watch.now(), "-", 2**40)
            await party.contracts.add_signature(contract.content, revoked)

    async def fetch(self, grant: Grant) -> str:
        """What the owner's Manager does for `/token`."""
        self.fetched.append(grant.hash)
        thumbprint = certificate_thumbprint(self.asker.identity.certificate)
        aud = self.inways.get(grant.service_peer, self.aud)
        return self.tamper(issue(grant, self.owner.identity, GROUP, aud, thumbprint, self.watch.now()))

    async def call(
        self, method: str = "GET", path: str = "/", headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """A request of a program of the asker, through its outway."""
        lines = [f"{method} {path} HTTP/1.1", "host: outway", "connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            lines.append(f"content-length: {len(body)}")
        return read_answer(await self.raw("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body), method)

    async def raw(self, request: bytes) -> bytes:
        """Bytes to the outway, and all that comes back."""
        reader, writer = await asyncio.open_connection(*self.outway_address)
        return await _exchanged(reader, writer, request)

    async def raw_inway(self, request: bytes, context: ssl.SSLContext | None = None) -> bytes:
        """Bytes straight to the inway, with the asker's certificate unless another is given."""
        context = context or client_context(*self.asker.files, [self.authority.path])
        reader, writer = await asyncio.open_connection(*self.inway_address, ssl=context)
        return await _exchanged(reader, writer, request)


async def _exchanged(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def read_answer(raw: bytes, method: str = "GET") -> Answer:
    """An answer as it came over the wire."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    if headers.get("transfer-encoding") == "chunked" and method != "HEAD":
        body = _unchunked(body)
    return Answer(int(first.split()[1]), headers, body)


def _unchunked(body: bytes) -> bytes:
    found = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        found, body = found + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
        if size == b"0":
            return found
    raise AssertionError("the answer broke off")


def plain_service(address: tuple[str, int] | Path, **more: Any) -> Service:
    """The service at an address, as the owner offers it."""
    assert isinstance(address, tuple)
    host, port = address
    return Service(SERVICE, Target(False, host, port, f"{host}:{port}"), **more)


def _party(
    folder: Path, authority: Authority, peer: PeerId, name: str, hosts: list[str], watch: Watch
) -> Party:
    files = authority.issue(folder, peer, name, hosts)
    store = open_store(folder / "node.db")
    return Party(
        Identity.load(*files),
        files,
        store,
        open_contracts(store, peer, watch),
        open_transactions(store, watch),
    )


@asynccontextmanager
async def gateways(folder: Path) -> AsyncIterator[Gateways]:
    """Both gateways: the asker on 127.20.1.x, the owner on 127.20.2.x, on free ports."""
    watch, authority = Watch(), make_authority(folder / "authority", "Groep")
    asker = _party(folder / "asker", authority, ASKER, "Vrager", ["localhost"], watch)
    owner = _party(folder / "owner", authority, OWNER, "Bronhouder", ["localhost", "127.20.2.1"], watch)
    port, servers, backend, links = free_port(), dict[str, Server](), Backend(), dict[str, str]()
    servers["service"] = Server(backend, streaming=True)
    service = await servers["service"].listen(LoopbackListener("127.20.2.2", 0))
    services = Services([plain_service(service)])
    inway = Inway(
        OWNER,
        GROUP,
        [f"https://127.20.2.1:{port}"],
        lambda: {certificate_thumbprint(owner.identity.certificate): owner.identity.certificate},
        services,
        owner.contracts.in_force,
        owner.transactions,
        watch,
    )
    out, within = (
        Streams(client_context(*asker.files, [authority.path])),
        Streams(services=lambda: ssl.create_default_context(cafile=authority.path)),
    )
    servers["inway"] = Server(InwayPlane(inway, within, owner.meter), streaming=True)
    context = server_context(*owner.files, [authority.path])
    heard = await servers["inway"].listen(PeerListener("127.20.2.1", port, context))
    here: list[Gateways] = []
    tokens = Tokens(
        lambda grant: here[0].fetch(grant),
        GROUP,
        lambda: certificate_thumbprint(asker.identity.certificate),
        lambda: watch().timestamp(),
    )
    outway = Outway(
        ASKER, lambda: asker.identity.certificate, asker.contracts, links, tokens, asker.transactions, watch
    )
    servers["outway"] = Server(OutwayPlane(outway, out, asker.meter, ["Outway"]), streaming=True)
    told = await servers["outway"].listen(LoopbackListener("127.20.1.1", 0))
    assert isinstance(heard, tuple)
    assert isinstance(told, tuple)
    here.append(
        Gateways(
            folder, authority, watch, asker, owner, backend, services, inway, heard, told, outway, links,
            [out, within], servers, plain_service(service).target,
        )
    )  # fmt: skip
    try:
        yield here[0]
    finally:
        for server in servers.values():
            await server.stop(seconds=0)
        for other in here[0].others:
            other.close()
        for streams in here[0].streams:
            streams.close()
        for party in (asker, owner):
            party.store.close()
        await asyncio.sleep(0.01)
