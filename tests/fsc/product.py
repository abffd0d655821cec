"""The product as the tests of FSC meet it: one node's Manager, Inway and Outway, on loopback addresses of their own.

The only module here that imports the product, and the only one to change when its composition does. It runs on a thread
with an event loop of its own, so that tests and the peer of the tests may block.
"""

import asyncio
import base64
import sqlite3
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from cryptography import x509
from tests.fsc.authority import Authority, Identity
from tests.fsc.jcs import loads
from tests.fsc.manager import Script
from tests.fsc.papers import Json
from tests.fsc.peer import GROUP, Peer, echo
from tests.fsc.wire import Caller, Listener, Raw, Request, Response, data_port, free_address

from sluis.crypto import Identity as NodeIdentity
from sluis.crypto import Revocations, client_context, read_certificates, server_context
from sluis.gateway.contracts import Contract, Contracts, open_contracts, state
from sluis.gateway.inway import Inway
from sluis.gateway.manager import AutoSign, Running, Settings, Trust, open_manager
from sluis.gateway.meter import Meter
from sluis.gateway.outway import Outway
from sluis.gateway.peers import Directory, Group, check_group
from sluis.gateway.planes.inprocess import InwayPlane, OutwayPlane
from sluis.gateway.planes.meeting import Meet, meeting
from sluis.gateway.planes.nginx import NginxPlane
from sluis.gateway.planes.nginx_layout import Listen
from sluis.gateway.planes.nginx_process import Files
from sluis.gateway.services import Service, Services, read_url
from sluis.gateway.streams import Streams
from sluis.gateway.tokens import Tokens
from sluis.gateway.transactions import TransactionLog, open_transactions
from sluis.kernel import Invalid, PeerId, utc_now
from sluis.store import Store, open_store
from sluis.web import LoopbackListener, PeerListener, Server

Value = TypeVar("Value")
SECONDS = 30.0


def accepts_group(**rules: object) -> bool:
    """Whether the product would run under these rules of a group, written as in its file."""

    def text(kind: type, value: Any) -> Any:
        return kind(value)

    try:
        check_group(msgspec.convert(rules, Group, dec_hook=text))
    except (Invalid, msgspec.ValidationError):
        return False
    return True


class Upstream:
    """The services behind the product's Inway: plain HTTP, told what to do by a script."""

    def __init__(self, handle: Callable[[Request], Response]) -> None:
        self.script = Script()
        self._handle = handle
        self._listener = Listener(self._work, None, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listener.port}"

    def _work(self, request: Request) -> Response | Raw:
        instead = self.script.play(request)
        return self._handle(request) if instead is None else instead

    def close(self) -> None:
        self._listener.close()


class Product:
    """One node of the product, and the hand of its operator: `propose`, `accept`, `reject`, `revoke`, `link`, …"""

    def __init__(
        self,
        authority: Authority,
        folder: Path,
        oin: str,
        name: str,
        *,
        directory: bool = False,
        joins: Peer | None = None,
        crl: Path | None = None,
        hosts: tuple[str, str] | None = None,
        plane: str = "process",
        key: str = "P-256",
    ) -> None:
        self.authority, self.folder, self.id, self.name, self.group = authority, folder, oin, name, GROUP
        self.manager_host, self.inway_host = hosts or (free_address(8443), free_address(data_port()))
        self.manager_address = f"https://{self.manager_host}:8443"
        self.inway_address = f"https://{self.inway_host}:{data_port()}"
        self.outway_address = ""
        names = [self.manager_host, self.inway_host, "localhost"]
        self.signing: Identity = authority.issue(oin, name, names, key=key)
        self.outway_thumbprint = self.signing.public_key_thumbprint
        self.upstream, self.other = Upstream(echo), Upstream(lambda _: Response(200, [], b"anders"))
        self.links: dict[str, str] = {}
        self.plane = plane
        self._names: dict[str, str] = {}
        self._directory, self._joins, self._crl = directory, joins, crl
        self._services = Services(self._offered())
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._running: Running
        self._contracts: Contracts
        self._transactions: TransactionLog
        self._store: Store
        self._revocations: Revocations
        self._open: AsyncExitStack | None = None

    def __enter__(self) -> "Product":
        self._thread.start()
        self._do(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._do(self._stop())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(SECONDS)
            self._loop.close()
            self.upstream.close()
            self.other.close()

    def _do(self, work: Coroutine[Any, Any, Value]) -> Value:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    def _offered(self) -> list[Service]:
        return [
            Service(name, read_url(one.url)[0])
            for name, one in (("echo", self.upstream), ("anders", self.other))
        ]

    def _rules(self) -> Group:
        if self._directory:
            directory = Directory(PeerId(self.id), self.manager_address)
        elif self._joins is not None:
            directory = Directory(PeerId(self._joins.id), self._joins.manager_address)
        else:
            directory = Directory(PeerId("00000001888888888888"), "https://127.30.0.2:8443")
        return Group(self.group, (self.authority.root_file,), directory)

    async def _start(self) -> None:
        self._open = AsyncExitStack()
        files, anchors = (self.signing.chain_file, self.signing.key_file), [self.authority.root_file]
        own, identity = PeerId(self.id), NodeIdentity.load(*files)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._store = self._open.enter_context(closing(open_store(self.folder / "node.db")))
        roots = read_certificates(anchors[0])
        revocations = self._revocations = Revocations(self._crl, roots)
        contexts = [make(*files, anchors) for make in (server_context, client_context)]
        for context in contexts:
            revocations.guard(context)
        incoming, outgoing = contexts
        self._contracts = await asyncio.to_thread(open_contracts, self._store, own, utc_now)
        self._transactions = await asyncio.to_thread(open_transactions, self._store, utc_now)
        kinds = ("GRANT_TYPE_SERVICE_PUBLICATION", "GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION")
        rule = AutoSign("publications", grants=kinds, roles=("directory",), any_properties=True)  # type: ignore[arg-type]
        settings = Settings(
            self.manager_address,
            self.inway_address,
            test=True,
            auto_sign=(rule,) if self._directory else (),
            unsettled_seconds=3600,
            everything_seconds=3600,
            answer_seconds=5,
        )
        trust = Trust(roots, lambda: revocations.lists)
        self._running = await asyncio.to_thread(
            open_manager,
            self._store,
            identity,
            self._rules(),
            settings,
            trust,
            outgoing,
            self._contracts,
            self._transactions,
            self._services.names,
            utc_now,
            revocations.revokes,
        )
        await self._listen(self._running.api, PeerListener(self.manager_host, 8443, incoming))
        self._open.push_async_callback(self._running.stop)
        await self._running.start()
        await self._gateways(own, identity, incoming, outgoing, revocations)

    async def _gateways(
        self,
        own: PeerId,
        identity: NodeIdentity,
        incoming: ssl.SSLContext,
        outgoing: ssl.SSLContext,
        revocations: Revocations,
    ) -> None:
        assert self._open
        manager, meter = self._running.manager, Meter()
        inway = Inway(
            own,
            self.group,
            [self.inway_address],
            manager.keys,
            self._services,
            self._contracts.in_force,
            self._transactions,
            utc_now,
            revocations.revokes,
        )
        outway = self._outway(own, identity)
        if self.plane == "nginx":
            await self._nginx(inway, outway, identity, meeting(Streams(outgoing), revocations.revokes))
            return
        within, out = Streams(), Streams(outgoing, revoked=revocations.revokes)
        for streams in (within, out):
            self._open.callback(streams.close)
        await self._listen(
            InwayPlane(inway, within, meter), PeerListener(self.inway_host, data_port(), incoming), True
        )
        where = await self._listen(OutwayPlane(outway, out, meter), LoopbackListener("127.0.0.1", 0), True)
        assert isinstance(where, tuple)
        self.outway_address = f"http://{where[0]}:{where[1]}"

    def _outway(self, own: PeerId, identity: NodeIdentity) -> Outway:
        tokens = Tokens(
            lambda grant: self._running.managers.token(grant.service_peer, own, grant.hash),
            self.group,
            lambda: {self.signing.thumbprint},
            lambda: utc_now().timestamp(),
        )
        shown = (identity.certificate,)
        return Outway(
            own,
            lambda: shown,
            self._contracts,
            self.links,
            tokens,
            self._transactions,
            utc_now,
        )

    async def _nginx(self, inway: Inway, outway: Outway, identity: NodeIdentity, meet: Meet) -> None:
        """Both proxies on nginx. It checks names in certificates, not addresses: peers are known to it by name."""
        assert self._open
        files = Files(identity, [self.authority.root_file])

        async def resolve(host: str, _: int) -> list[str]:
            return [self._names.get(host, host)]

        listens = Listen(self.inway_host, data_port()), Listen(self.manager_host, 8080)
        plane = NginxPlane(
            self.folder / "nginx",
            files,
            inway=(listens[0], inway),
            outway=(listens[1], outway),
            resolve=resolve,
            meet=meet,
            workers=1,
        )
        await plane.start()
        self._open.push_async_callback(plane.stop)
        self.outway_address = f"http://{self.manager_host}:8080"

    async def _listen(
        self, app: Any, listener: PeerListener | LoopbackListener, streaming: bool = False
    ) -> object:
        assert self._open
        server = Server(app, streaming=streaming)
        where = await server.listen(listener)
        self._open.push_async_callback(server.stop, seconds=0)
        return where

    async def _stop(self) -> None:
        if self._open is not None:
            await self._open.aclose()
            self._open = None
        await asyncio.sleep(0.02)

    # What the operator does

    def meets(self, peer: Peer) -> None:
        """Know where a peer is that this product is to reach; on nginx it needs a name."""
        if self.plane == "nginx":
            self._names[peer.inway_name] = peer.inway_host
            peer.inway_address = f"https://{peer.inway_name}:{data_port()}"

    def restart(self) -> None:
        """Stop the node and start it again on the same files and addresses."""
        self._do(self._stop())
        self._do(self._start())

    def propose(self, found: Json) -> Json:
        """Make a contract with these grants and this validity; the content it got."""
        grants = [grant["data"] for grant in found["grants"]]
        validity = found["validity"]
        made = self._do(self._running.manager.propose(grants, validity["not_before"], validity["not_after"]))
        content: Json = loads(made.content.json)
        return content

    def act(self, hash_: str, action: str) -> None:
        """Accept, reject or revoke."""
        self._do(self._running.manager.act(hash_, action))  # type: ignore[arg-type]

    def accept(self, hash_: str) -> None:
        self.act(hash_, "accept")

    def reject(self, hash_: str) -> None:
        self.act(hash_, "reject")

    def revoke(self, hash_: str) -> None:
        self.act(hash_, "revoke")

    def state(self, hash_: str) -> str | None:
        """In what state the product holds a contract; None when it does not know it."""
        found: Contract | None = self._contracts.get(hash_)
        return None if found is None else state(found, int(utc_now().timestamp()))

    def counts(self, grant_hash: str) -> bool:
        """Whether the product acts by a grant: it does a moment after the contract is kept, when `state` says valid."""
        return self._contracts.in_force(grant_hash, int(utc_now().timestamp())) is not None

    def reconcile(self) -> None:
        """Compare with the other Managers now, instead of on the hour."""
        self._do(self._running.reconciler.unsettled())

    def read_revocations(self) -> None:
        """Look at the revocation list again, as the node does every so often."""
        self._revocations.renew()

    def renew(self) -> None:
        """Go on with a certificate of today for the same key; contracts are signed again."""
        names = [self.manager_host, self.inway_host, "localhost"]
        self.signing = self.authority.issue(self.id, self.name, names, key=self.signing.key)
        files = (self.signing.chain_file, self.signing.key_file)
        context = client_context(*files, [self.authority.root_file])
        self._do(self._running.renew(NodeIdentity.load(*files), context))
        self._do(self._running.sign_again())

    def link(self, name: str, grant_hash: str) -> None:
        """Give a grant a name that applications may use."""
        self.links[name] = grant_hash

    def withdraw(self, name: str) -> None:
        """Offer a service no longer."""
        self._services.replace([one for one in self._offered() if one.name != name])

    @contextmanager
    def log_broken(self) -> Iterator[None]:
        """No line can be written while this lasts: the file is locked by another, or taken away."""
        self._do(self._hold(True))
        try:
            yield
        finally:
            self._do(self._hold(False))

    async def _hold(self, held: bool) -> None:
        """Refuse every new row of the table with the lines, in the database itself."""
        with closing(sqlite3.connect(self.folder / "node.db", timeout=10)) as connection:
            names = [
                row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            for name in (one for one in names if one.startswith("gateway_transactions")):
                if held:
                    connection.execute(
                        f"CREATE TRIGGER broken_{name} BEFORE INSERT ON {name} BEGIN SELECT RAISE(FAIL, 'disk I/O error'); END"
                    )
                else:
                    connection.execute(f"DROP TRIGGER broken_{name}")
            connection.commit()

    # What can be seen

    def certificates(self, asker: Peer) -> list[x509.Certificate]:
        """The certificates the product publishes, as another peer gets them."""
        asker.known.setdefault(self.id, (self.name, self.manager_address))
        keys = asker.keys_of(self.id)
        return [x509.load_der_x509_certificate(base64.b64decode(key["x5c"][0])) for key in keys]

    def app_there(self, method: str, target: str, headers: list[tuple[str, str]]) -> tuple[int, str]:
        """`app`, for who reads the outcome elsewhere."""
        answer = self.app(method, target, [(name, value) for name, value in headers], None)
        return answer.status, answer.body.decode("latin-1")

    def app(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes | None) -> Response:
        """A request of an application of this organisation to its Outway."""
        with Caller(self.outway_address, None, self.authority, patience=90) as caller:
            return caller.ask(method, target, headers, body)
