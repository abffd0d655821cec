"""A worker: a process beside a node that sends what waits there, to webhooks. It reads the settings of the node, and stands beside
it at its PostgreSQL database. It publishes nothing, writes no record and listens nowhere (docs/decisions/059)."""

import asyncio
import logging
import signal
from collections.abc import Callable
from typing import Any

from sluis.config import Config, applications_of
from sluis.config import Node as Loaded
from sluis.crypto import FileKeyStore, Vault
from sluis.events import notificaties, subscriptions
from sluis.events.notices import InForce
from sluis.events.queue import Lanes, join_queue
from sluis.events.sending import Sender, Signer
from sluis.events.subscriptions import Subscription
from sluis.gateway import Agreed, read_allowed
from sluis.grounds import Grounds
from sluis.kernel import Clock, PeerId, cause_of, utc_now
from sluis.serve.sending import here_of, may_leave_of, waking_of, webhooks_of
from sluis.serve.settling import settle
from sluis.store import check_migrated, open_store, see_through

log = logging.getLogger("sluis.events")

_AGAIN = 5.0  # seconds until sending goes on after it broke off
_HOUR = 3600.0  # seconds


class Worker:
    """A worker, and its life. For one event loop.

    Args:
        config: of the node.
        grounds: of the node.
        clock: aware UTC.

    Raises `Problem`: a database that is for one process, or of another version; keys that are not there.
    """

    def __init__(self, config: Config, grounds: Grounds, clock: Clock) -> None:
        self._config, self._clock = config, clock
        keys = FileKeyStore(config.keys.directory, make=False)
        self._store = open_store(config.store.url, sole=False)
        try:
            queue = join_queue(self._store, keys, clock)
            check_migrated(self._store, "notificaties", notificaties.MIGRATIONS)
            self._signer = Signer(keys, clock)
            self._signer.ready()
            self._credentials = Vault(keys, subscriptions.VAULT)
            self._own = Vault(keys, notificaties.VAULT)
            self._applications = applications_of(config)
            self._allowed: Callable[[PeerId, str, int], list[Any]] = lambda *_: []
            agreed = Agreed(lambda *asked: self._allowed(*asked), clock) if config.fsc.group else None
            notices = InForce(grounds, config.node.oin, agreed, clock)
            may_leave = may_leave_of(config, grounds, notices, agreed, clock)
            self._webhooks = webhooks_of(config, self._signer, here_of(config), may_leave, queue.waits, clock)
            self.lanes = Lanes(self._store, node=False)
            self.sender = Sender(
                queue, self._webhooks.transports, _unheard, clock, lanes=self.lanes, waking=waking_of(config)
            )
        except BaseException:
            self._store.close()
            raise

    async def run(self) -> None:
        """Send until this is cancelled."""
        watching = asyncio.create_task(self._watch_keys())
        try:
            while True:
                try:
                    await self.sender.run(self._known)
                except Exception as failure:  # what waits must go on, whatever one recipient brings about
                    log.error("sending events: %s", cause_of(failure))
                await asyncio.sleep(_AGAIN)
        finally:
            watching.cancel()
            await self._webhooks.close()
            await asyncio.to_thread(self._store.close)

    async def _known(self) -> list[Subscription]:
        return await see_through(asyncio.to_thread(self._read))

    def _read(self) -> list[Subscription]:
        """The subscriptions as they are now; and what contracts allow, which is looked at whenever something leaves."""
        node = self._config.node
        if self._config.fsc.group:
            self._allowed = read_allowed(self._store, node.oin, self._clock)
        return [
            *subscriptions.read_subscriptions(self._store, self._credentials),
            *notificaties.read_subscriptions(node.oin, self._applications, node.test, self._store, self._own),
        ]

    async def _watch_keys(self) -> None:
        while True:
            if not await asyncio.to_thread(self._signer.ready):
                log.warning(
                    "the key for signing of the next quarter is not in %s yet: copy it from the node",
                    self._config.keys.directory,
                )
            await asyncio.sleep(_HOUR)


def _unheard(name: str) -> None:
    """What a recipient says who wants nothing more, the node hears from the database (`queue.Lanes.let_go`)."""


def work(loaded: Loaded, told: Callable[[dict[str, Any]], None]) -> None:
    """Send what waits at a node until SIGTERM or SIGINT.

    Args:
        loaded: what `config.load_node` read.
        told: called once it sends, with `{"ready": true, "worker": …}`.

    Raises `Problem` when it cannot.
    """
    import uvloop

    uvloop.run(_live(loaded, told))


async def _live(loaded: Loaded, told: Callable[[dict[str, Any]], None]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signaled in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signaled, stopping.set)
    worker = await asyncio.to_thread(Worker, loaded.config, loaded.grounds, utc_now)
    running = asyncio.create_task(worker.run())
    settle()
    told({"ready": True, "worker": worker.lanes.id})
    await stopping.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
