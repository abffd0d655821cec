"""The composition root: the only place that builds a node from its settings, and runs it.

What a room needs it gets here as plain arguments; what must go upward gets here what fills its `Protocol`. Starting
checks what would otherwise go wrong later: certificates, keys, the clock, the lock of the log, the listeners.
"""

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from cryptography import x509
from litestar import Request
from litestar.handlers import HTTPRouteHandler

from sluis import disclose, gateway, query
from sluis.config import Config
from sluis.config import Node as Loaded
from sluis.crypto import (
    FileKeyStore,
    Identity,
    KeyStore,
    Revocations,
    client_context,
    is_test,
    read_certificates,
    server_context,
    time_left,
)
from sluis.disclose import Bounds, Discloser
from sluis.gateway import (
    Card,
    DirectLink,
    Link,
    TimestampAuthority,
    Witnesses,
    read_card,
    sign_card,
    witness_name,
)
from sluis.kernel import Clock, Invalid, Problem, Refused, Text, Unkept, Upstream, milliseconds, utc_now
from sluis.ledger import Anchors, Ledger, Witness, decisions, log_routes, open_ledger, reading_routes
from sluis.query import Asker, Owner, Owners
from sluis.sources import Source, open_source
from sluis.statement import Combiner, EngineLimits, open_memory
from sluis.store import Store, open_store
from sluis.web import (
    About,
    Access,
    Api,
    LocalListener,
    PeerListener,
    Person,
    Refusals,
    Server,
    identified,
    make_api,
)

log = logging.getLogger("sluis.node")

WARN_BEFORE = timedelta(days=30)
"""From this long before its end, a node warns each day that its certificate ends."""

_DAY_AHEAD = timedelta(days=1)

PRIVACY_OFFICER = "privacy-officer"
"""The role, in `people` of the settings, of who may read all processing records over the unix socket."""

_DAY, _TEN_MINUTES, _MINUTE, _SECOND = 86_400.0, 600.0, 60.0, 1.0  # seconds


class Parts(msgspec.Struct, frozen=True):
    """The rooms of a node, furnished."""

    identity: Identity
    anchors: tuple[x509.Certificate, ...]
    store: Store
    ledger: Ledger
    link: Link
    sources: Mapping[str, Source]
    combiner: Combiner
    asker: Asker
    discloser: Discloser
    access: Access
    refusals: Refusals
    witness: Witness
    witnesses: Witnesses
    stamps: Anchors
    revocations: Revocations
    card: str

    def close(self) -> None:
        """Give back what is held outside this process. Blocks."""
        for source in self.sources.values():
            source.close()
        self.combiner.close()
        self.store.close()


class Node:
    """A node: its rooms, its API, and its life.

    Made by `build_node`. `start` opens the listeners, `stop` ends everything that was begun.
    """

    def __init__(self, config: Config, parts: Parts, clock: Clock) -> None:
        self.config, self.parts = config, parts
        self.api = make_api(_routes(parts), parts.access, about(config))
        self._clock = clock
        self._server = Server(self.api)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Open the listeners and begin what recurs. Raises `Problem` when it cannot listen; nothing stays open then."""
        listen, tls = self.config.listen, self.config.tls
        try:
            context = server_context(tls.certificate, tls.key, tls.authorities)
            self.parts.revocations.guard(context)
            await self._server.listen(PeerListener(listen.host, listen.port, context))
            await self._server.listen(LocalListener(listen.socket))
        except Problem:
            await self.stop()
            raise
        self._every(_DAY, self._warn_of_certificate)
        self._every(_MINUTE, self.parts.refusals.flush)
        self._every(_SECOND, self._publish)
        self._every(_SECOND, self._renew_revocations)
        if self.config.anchor.url is not None:
            self._every(_TEN_MINUTES, self._anchor)

    async def stop(self) -> None:
        """Let what is in hand finish, then close everything. May be called twice."""
        await self._server.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        parts = self.parts
        await parts.link.close()
        try:
            await parts.discloser.close()
            await parts.refusals.flush()
            await parts.ledger.checkpoint()
        except Problem as problem:
            log.error("not everything was recorded: %s", problem.code)
        await asyncio.to_thread(parts.close)

    def _every(self, seconds: float, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._tasks.append(asyncio.create_task(_repeat(seconds, work)))

    async def _publish(self) -> None:
        """Publish what was recorded, witnessed by the peers that can be reached."""
        await self.parts.witnesses.read_cards()
        await self.parts.witnesses.gather(self.parts.ledger)

    async def _anchor(self) -> None:
        """Have the newest checkpoint stamped with the time, when it is time for that."""
        settings, stamps = self.config.anchor, self.parts.stamps
        note = await self.parts.ledger.checkpoint()
        if not await asyncio.to_thread(stamps.is_due, timedelta(hours=settings.hours), note):
            return
        try:
            anchored = await stamps.ask(note, TimestampAuthority(str(settings.url)).send)
        except Upstream as problem:
            log.error("no timestamp from %s: %s", settings.url, problem)
        else:
            log.info("anchored until record %d by %s", anchored.size, anchored.name)

    async def _renew_revocations(self) -> None:
        """Put the list of revoked certificates in force when its file is another, also for who is connected."""
        revocations = self.parts.revocations
        try:
            renewed = await asyncio.to_thread(revocations.renew)
        except Invalid as problem:
            log.error("revoked certificates: %s", problem)
        else:
            if renewed:
                log.info("the list of revoked certificates was renewed")
                self._server.cut_off(revocations.revokes)

    async def _warn_of_certificate(self) -> None:
        certificates = {"certificate": self.parts.identity.certificate}
        certificates |= {f"authority {place}": anchor for place, anchor in enumerate(self.parts.anchors, 1)}
        for name, certificate in certificates.items():
            left = time_left(certificate, self._clock())
            if left < WARN_BEFORE:
                log.warning(
                    "%s ends in %d days, on %s", name, left.days, certificate.not_valid_after_utc.date()
                )
        for authority in self.parts.revocations.ended(self._clock() + _DAY_AHEAD):
            log.warning(
                "the list of revoked certificates of %s ends within a day, or has; then nobody connects",
                authority,
            )


def build_node(loaded: Loaded, clock: Clock = utc_now) -> Node:
    """A node from its directory, not yet listening.

    Args:
        loaded: what `config.load_node` read.
        clock: gives the present.

    Raises `Problem`: a certificate that has ended or is another's, a test authority in production, an unreadable
    key, a log that another process writes, a full disk.
    """
    config = loaded.config
    identity, anchors = _identity(config, clock())
    try:
        keys = FileKeyStore(config.keys.directory)
        store = open_store(config.store.url)
    except OSError as failure:
        raise _cannot_keep(failure) from None
    with ExitStack() as undo:
        undo.callback(store.close)
        parts = _furnish(loaded, identity, anchors, keys, store, clock)
        undo.pop_all()
    return Node(config, parts, clock)


def _furnish(
    loaded: Loaded,
    identity: Identity,
    anchors: tuple[x509.Certificate, ...],
    keys: KeyStore,
    store: Store,
    clock: Clock,
) -> Parts:
    config, grounds, limits = loaded.config, loaded.grounds, loaded.config.limits
    own = config.node
    revocations = Revocations(config.tls.crl, anchors)

    def card_of(jws: str) -> Card:
        return read_card(jws, anchors, clock(), revocations.lists)

    newest = config.keys.directory / "newest.checkpoint"
    ledger = open_ledger(store, keys, config.log_origin, clock, memory=newest)
    memory = open_memory(store, keys)
    refusals = Refusals(ledger, clock)
    link = _link(config, revocations)
    combiner = Combiner(EngineLimits(f"{limits.combine_megabytes}MB", seconds=limits.question_seconds))
    card = sign_card(identity, own.alias, own.url, keys.public, keys.sealing_public, config.log_origin)
    asker = Asker(
        peer=own.oin,
        activities={activity.id: activity for activity in grounds.activities},
        owners=Owners(_known(config), link, card_of, clock, limits.peer_seconds),
        link=link,
        ledger=ledger,
        combiner=combiner,
        memory=memory,
        clock=clock,
        seconds=limits.peer_seconds,
        answer_bytes=limits.combine_megabytes << 20,  # more could not be combined
    )
    sources = {name: open_source(source.url, source.pool_size) for name, source in config.sources.items()}
    discloser = Discloser(
        own=own.oin,
        alias=own.alias,
        grounds=grounds,
        sources=sources,
        log=ledger,
        memory=memory,
        keys=keys,
        card=card,
        card_of=card_of,
        combiner=combiner,
        addresses={peer.oin: peer.url for peer in config.peers.values()},
        clock=clock,
        bounds=_bounds(config),
    )
    if any(one.questions_per_hour is not None for one in grounds.disclosures):
        since = milliseconds(clock() - timedelta(hours=1))
        discloser.recall(found for one in decisions(store, since) if (found := disclose.permit(one)))
    peers = [peer.oin for peer in config.peers.values()]
    access = Access(
        [own.oin, *peers],
        _people(config).get,
        clock,
        own.test,
        refusals.record,
        lambda: revocations.lists,
    )
    asked = [config.peers[name].oin for name in config.ledger.witnesses]
    witnesses = Witnesses(link, card_of, asked, peers, clock)
    witness = Witness(store, keys, witness_name(config.log_origin), witnesses.known, clock)
    return Parts(
        identity=identity,
        anchors=anchors,
        store=store,
        ledger=ledger,
        link=link,
        sources=sources,
        combiner=combiner,
        asker=asker,
        discloser=discloser,
        access=access,
        refusals=refusals,
        witness=witness,
        witnesses=witnesses,
        revocations=revocations,
        stamps=Anchors(config.anchors, _roots(config), clock),
        card=card,
    )


def run(loaded: Loaded, told: Callable[[dict[str, Any]], None]) -> None:
    """Run a node until SIGTERM or SIGINT.

    Args:
        loaded: what `config.load_node` read.
        told: called once it listens, with `{"ready": true, "socket": …, "url": …}`.

    Raises `Problem` when it cannot start.
    """
    import uvloop

    # What no line of the log says need not be found out for each (Python, "Logging HOWTO", "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    uvloop.run(_live(loaded, told))


async def _live(loaded: Loaded, told: Callable[[dict[str, Any]], None]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signaled in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signaled, stopping.set)
    node = build_node(loaded)
    await node.start()
    try:
        config = loaded.config
        told(
            {
                "ready": True,
                "socket": str(config.listen.socket),
                "url": config.node.url,
                "oin": config.node.oin,
            }
        )
        await stopping.wait()
    finally:
        await node.stop()


def published() -> Api:
    """The API of any node, for its document alone: no room behind it."""
    nobody = Access([], lambda user: None, utc_now, test=False)
    nothing: Any = None
    routes = [*gateway.routes(""), *query.routes(nothing), *disclose.routes(nothing)]
    return make_api(routes, nobody, _about("Sluis-knooppunt", "https://node.example"))


def about(config: Config) -> About:
    """What a node's API document says of it."""
    return _about(config.node.name, config.node.url)


def _about(name: str, url: str) -> About:
    # Every domain that takes mail has a postmaster (RFC 5321 §4.5.1), so the contact needs no setting of its own.
    return About(f"Sluis: {name}", url.rstrip("/"), name, f"postmaster@{urlsplit(url).hostname}", url)


def _routes(parts: Parts) -> list[HTTPRouteHandler]:
    return [
        *gateway.routes(parts.card),
        *query.routes(parts.asker),
        *disclose.routes(parts.discloser),
        *log_routes(parts.ledger, parts.witness),
        *reading_routes(parts.ledger, _may_read),
    ]


def _may_read(request: Request[Any, Any, Any]) -> Literal["all"]:
    """Who reads the log over HTTP: until people sign in as themselves, only the node's own privacy officer."""
    caller = identified(request.scope)
    if isinstance(caller, Person) and PRIVACY_OFFICER in caller.roles:
        return "all"
    raise Refused(
        "log-not-yours",
        Text("U mag deze logregels niet lezen.", "You may not read these log lines."),
        Text(
            f"Alleen wie de rol {PRIVACY_OFFICER} heeft, leest het logboek van dit knooppunt.",
            f"Only who has the role {PRIVACY_OFFICER} reads the log of this node.",
        ),
        Text("Vraag het de privacyfunctionaris.", "Ask the privacy officer."),
        rule="log-readers",
    )


def _link(config: Config, revocations: Revocations) -> DirectLink:
    tls = config.tls
    context = client_context(tls.certificate, tls.key, tls.authorities)
    revocations.guard(context)
    urls = {peer.oin: peer.url for peer in config.peers.values()} | {config.node.oin: config.node.url}
    names = {peer.oin: peer.name for peer in config.peers.values()}
    return DirectLink(urls, context, names, revocations.revokes)


def _roots(config: Config) -> list[x509.Certificate]:
    """The authorities that are trusted to tell the time. Raises `Invalid` when one cannot be read."""
    return [root for path in config.anchor.certificates for root in read_certificates(path)]


def _known(config: Config) -> list[Owner]:
    """Who can be asked: every peer, and this node itself, which then answers as it would anybody."""
    known = [Owner(alias, peer.oin, peer.name) for alias, peer in config.peers.items()]
    return [*known, Owner(config.node.alias, config.node.oin, config.node.name)]


def _bounds(config: Config) -> Bounds:
    """What a question may cost here: where sources differ, what the strictest allows."""
    sources = list(config.sources.values())
    if not sources:
        return Bounds()
    seconds = min(source.timeout_seconds for source in sources)
    return Bounds(seconds=seconds, scanned_rows=min(source.max_rows for source in sources))


def _people(config: Config) -> dict[str, Person]:
    return {entry.os_user: Person(entry.os_user, name, entry.roles) for name, entry in config.people.items()}


def _identity(config: Config, now: datetime) -> tuple[Identity, tuple[x509.Certificate, ...]]:
    """The node's certificate and the group's anchors, fit for use. Raises `Invalid`, `Refused`."""
    identity = Identity.load(config.tls.certificate, config.tls.key)
    anchors = tuple(anchor for path in config.tls.authorities for anchor in read_certificates(path))
    certificate = identity.certificate
    if identity.peer.id != config.node.oin:
        raise _unfit("certificate-of-another", _OF_ANOTHER)
    if certificate.not_valid_before_utc > now:
        raise _unfit("clock-behind", _CLOCK_BEHIND)
    if time_left(certificate, now) <= timedelta(0):
        raise _unfit("certificate-ended", _ENDED)
    if not config.node.test and any(map(is_test, (certificate, *anchors))):
        raise Refused("test-authority", _CANNOT_START, *_TEST_AUTHORITY, rule="production-trusts-no-test")
    return identity, anchors


async def _repeat(seconds: float, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do `work` now and every so many seconds; what goes wrong is logged and does not end it."""
    while True:
        try:
            await work()
        except Exception as failure:  # the log must go on being published, whatever a peer sends
            cause = failure.code if isinstance(failure, Problem) else type(failure).__qualname__
            log.error("%s: %s", getattr(work, "__name__", "task"), cause)
        await asyncio.sleep(seconds)


_CANNOT_START = Text("Dit knooppunt kan niet starten.", "This node cannot start.")
_OF_ANOTHER = (
    Text("Het certificaat noemt een ander OIN dan de instellingen.",
         "The certificate names another OIN than the settings."),
    Text("Gebruik het certificaat van deze organisatie, of verander `node.oin`.",
         "Use this organisation's certificate, or change `node.oin`."),
)  # fmt: skip
_CLOCK_BEHIND = (
    Text("Het certificaat is nog niet geldig; waarschijnlijk loopt de klok van deze machine achter.",
         "The certificate is not valid yet; the clock of this machine is probably behind."),
    Text("Zet de klok gelijk (NTP) en start opnieuw.", "Set the clock (NTP) and start again."),
)  # fmt: skip
_ENDED = (
    Text("Het certificaat is verlopen, of de klok van deze machine loopt voor.",
         "The certificate has ended, or the clock of this machine is ahead."),
    Text("Vraag een nieuw certificaat aan bij de autoriteit van de groep.",
         "Request a new certificate from the group's authority."),
)  # fmt: skip
_TEST_AUTHORITY = (
    Text("Een testautoriteit wordt in productie niet vertrouwd.", "A test authority is not trusted in production."),
    Text("Gebruik de autoriteit van de groep, of zet `node.environment` op `test`.",
         "Use the group's authority, or set `node.environment` to `test`."),
)  # fmt: skip


def _unfit(code: str, because: tuple[Text, Text]) -> Invalid:
    return Invalid(code, _CANNOT_START, *because)


def _cannot_keep(failure: OSError) -> Unkept:
    cause = failure.strerror or "?"
    return Unkept(
        "cannot-keep",
        _CANNOT_START,
        Text(f"De map voor sleutels of database is niet te gebruiken: {cause}.",
             f"The directory for keys or database cannot be used: {cause}."),
        Text("Controleer pad, rechten en ruimte.", "Check path, permissions and space."),
    )  # fmt: skip
