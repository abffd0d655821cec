"""A node, and its life: what it listens on, what recurs, and how it ends."""

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any

from sluis.config import Config
from sluis.config import Node as Loaded
from sluis.crypto import WARN_BEFORE, time_left
from sluis.gateway import TimestampAuthority
from sluis.kernel import Clock, Invalid, Problem, Upstream, cause_of, utc_now
from sluis.serve.api import about, routes
from sluis.serve.catalogue import harvesting
from sluis.serve.group import GroupServers
from sluis.serve.parts import Parts, build_parts
from sluis.serve.portal import portal_of
from sluis.serve.settling import settle
from sluis.web import LocalListener, Server, make_api

log = logging.getLogger("sluis.node")

_DAY_AHEAD = timedelta(days=1)
_DAY, _HOUR, _TEN_MINUTES, _FIVE_MINUTES, _MINUTE, _TEN_SECONDS, _SECOND = (
    86_400.0,
    3_600.0,
    600.0,
    300.0,
    60.0,
    10.0,
    1.0,
)  # seconds


class Node:
    """A node: its rooms, its API, and its life.

    Made by `build_node`. `start` opens the listeners, `stop` ends everything that was begun.
    """

    def __init__(self, config: Config, parts: Parts, clock: Clock) -> None:
        self.config, self.parts = config, parts
        self.api = make_api(routes(parts), parts.access, about(config))
        self._clock = clock
        self._server = Server(self.api)
        membership = parts.membership
        self._group = (
            GroupServers(
                config,
                membership,
                parts.revocations,
                self.api,
                clock,
                _counted(parts),
                parts.events.delivering,
            )
            if membership
            else None
        )
        self.portal = portal_of(config, parts)
        if parts.own is not None:
            parts.own.node = self.api
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Open the listeners and begin what recurs. Raises `Problem` when it cannot listen; nothing stays open then."""
        try:
            await self._server.listen(LocalListener(self.config.listen.socket))
            if self._group is not None:
                await self._group.start()
            if self.portal is not None:
                await self.portal.start()
        except Problem:
            await self.stop()
            raise
        if self.parts.contact is not None:
            self.parts.contact.start()
            self._every(_HOUR, self.parts.contact.tidy)
        self.parts.ledger.following.start()
        self.parts.events.start()
        self.parts.sending.start()
        self._every(_HOUR, self.parts.rights.tidy)
        self._every(_DAY, self._warn_of_certificate)
        self._every(_MINUTE, self.parts.refusals.flush)
        self._every(_SECOND, self.parts.oversight.round)
        self._every(_HOUR, self.parts.oversight.watch)
        if self.parts.holdings is not None:
            self._every(_FIVE_MINUTES, self.parts.holdings.sources.round)
        self._every(_SECOND, self._publish)
        self._every(_SECOND, self._renew_revocations)
        self._every(_SECOND, self._renew_certificate)
        self._every(_HOUR, self.parts.accesses.tidy)
        if self.portal is not None:
            self._every(_MINUTE, self.portal.tidy)
        self._every(_HOUR, self.parts.events.tidy)
        self._every(_SECOND, self.parts.standing.round)
        self._every(_HOUR, self.parts.standing.sweep)
        self._every(_SECOND, self.parts.terms.deliver)
        self._every(_HOUR, self.parts.usage.close)
        if self.parts.harvester is not None:
            self._tasks.append(asyncio.create_task(harvesting(self.parts.harvester, self.parts.finder)))
        if self.parts.tokens is not None:
            # Where portals sign people in, their keys are made now: nobody waits for that. Elsewhere when they are asked for.
            self._every(_HOUR, self._turn_keys, at_once=bool(self.config.clients))
        if self.config.anchor.url is not None:
            self._every(_TEN_MINUTES, self._anchor)
        if self.parts.membership is not None:
            self._every(_FIVE_MINUTES, self.parts.membership.compare, at_once=False)
        if self.parts.traffic is not None:
            self._every(_TEN_SECONDS, self.parts.traffic.look)

    async def stop(self) -> None:
        """Let what is in hand finish, then close everything. May be called twice."""
        self.parts.events.end_streams()
        await self._server.stop()
        if self._group is not None:
            await self._group.stop()
        if self.portal is not None:
            await self.portal.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        parts = self.parts
        await parts.ledger.following.stop()
        await parts.oversight.checking.stop()
        await parts.events.stop()
        await parts.sending.stop()
        if parts.contact is not None:
            await parts.contact.stop()
        await parts.link.close()
        try:
            await parts.discloser.close()
            await parts.refusals.flush()
            if parts.identity is not None:
                await parts.identity.sessions.tidy()
            await parts.ledger.checkpoint()
        except Problem as problem:
            log.error("not everything was recorded: %s", problem.code)
        await asyncio.to_thread(parts.close)

    def _every(
        self, seconds: float, work: Callable[[], Coroutine[Any, Any, None]], at_once: bool = True
    ) -> None:
        self._tasks.append(asyncio.create_task(_repeat(seconds, work, at_once)))

    async def _turn_keys(self) -> None:
        """Let the keys with which tokens and assertions are made and read take turns."""
        if self.parts.tokens is not None:
            await asyncio.to_thread(self.parts.tokens.turn)

    async def _publish(self) -> None:
        """Publish what was recorded, witnessed by the peers that can be reached."""
        if self.parts.membership is not None:
            await self.parts.membership.evidence.seal_due()
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
                if self._group is not None:
                    await self._group.hold_to_lists()
                if self.portal is not None:
                    await self.portal.hold_to_lists()

    async def _renew_certificate(self) -> None:
        """Take a renewed certificate in use when there is one in its file, and its key in the other."""
        own = self.parts.certificate
        try:
            identity = await asyncio.to_thread(own.look, self.parts.revocations.lists)
            if identity is None:
                return
            if self._group is not None:
                await self._group.take(identity)
        except (Problem, OSError) as failure:
            log.error("the renewed certificate is not in use, and the one before stays: %s", failure)
        else:
            own.take(identity)
            log.info(
                "a renewed certificate is in use; it ends on %s",
                identity.certificate.not_valid_after_utc.date(),
            )

    async def _warn_of_certificate(self) -> None:
        own = self.parts.certificate
        certificates = {"certificate": own.identity.certificate}
        certificates |= {f"authority {place}": anchor for place, anchor in enumerate(own.anchors, 1)}
        for name, certificate in certificates.items():
            left = time_left(certificate, self._clock())
            if left < WARN_BEFORE:
                log.warning(
                    "%s ends in %d days, on %s", name, left.days, certificate.not_valid_after_utc.date()
                )
        for authority in self.parts.revocations.unlisted:
            log.warning(
                "there is no list of revoked certificates of %s: no authority that was revoked is recognised",
                authority,
            )
        for authority in self.parts.revocations.ended(self._clock() + _DAY_AHEAD):
            log.warning(
                "the list of revoked certificates of %s ends within a day, or has; then nobody connects",
                authority,
            )


def _counted(parts: Parts) -> Callable[[], Mapping[tuple[str, str], int]]:
    """What the sign-in provider counts; nothing where there is none."""
    counts = {} if parts.identity is None else parts.identity.provider.counts
    return lambda: counts


def build_node(loaded: Loaded, clock: Clock = utc_now) -> Node:
    """A node from its directory, not yet listening; arguments and problems as `build_parts`."""
    return Node(loaded.config, build_parts(loaded, clock), clock)


def run(loaded: Loaded, told: Callable[[dict[str, Any]], None]) -> None:
    """Run a node until SIGTERM or SIGINT.

    Args:
        loaded: what `config.load_node` read.
        told: called once it listens, with `{"ready": true, "socket": …, "url": …}`.

    Raises `Problem` when it cannot start.
    """
    import uvloop

    # What no line of the log says need not be found out for each (Python, "Logging HOWTO", "Optimization").
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    uvloop.run(_live(loaded, told))


async def _live(loaded: Loaded, told: Callable[[dict[str, Any]], None]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signaled in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signaled, stopping.set)
    node = build_node(loaded)
    await node.start()
    settle()
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


async def _repeat(
    seconds: float, work: Callable[[], Coroutine[Any, Any, None]], at_once: bool = True
) -> None:
    """Do `work` every so many seconds, also now if `at_once`; what goes wrong is logged and does not end it."""
    if not at_once:
        await asyncio.sleep(seconds)
    while True:
        try:
            await work()
        except Exception as failure:  # the log must go on being published, whatever a peer sends
            log.error("%s: %s", getattr(work, "__name__", "task"), cause_of(failure))
        await asyncio.sleep(seconds)
