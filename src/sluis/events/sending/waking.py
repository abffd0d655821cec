"""How processes that send hear at once that there is something: over NATS, when the settings name a server. What is said has no
content, and nothing depends on it: who hears nothing looks by itself (docs/decisions/059)."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from sluis.kernel import cause_of

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

log = logging.getLogger("sluis.events")

_AGAIN = 2.0  # seconds between two tries
_CONNECT = 5.0  # seconds
_APART = 0.005  # seconds between two words


class Waking(Protocol):
    """A way to wake each other. For one event loop."""

    @property
    def connected(self) -> bool:
        """Whether others hear what is told, and are heard."""

    def listen(self, woken: Callable[[], None]) -> None:
        """Have `woken` called when somebody tells, and when it may have been missed."""

    def tell(self) -> None:
        """Wake whoever listens; soon, and once for all who tell meanwhile."""

    async def run(self) -> None:
        """Keep in touch until cancelled. Raises nothing else."""


class NatsSettings(msgspec.Struct, frozen=True):
    """Where to find NATS.

    Args:
        url: `nats://host:port`, or `tls://host:port`.
        subject: on which is told.
        context: for TLS; None without.
        user: name and password; the name alone is a token; empty for neither.
    """

    url: str
    subject: str
    context: ssl.SSLContext | None = None
    user: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"NatsSettings({self.subject!r})"


class Nats:
    """Waking over NATS, without JetStream: what is missed is found in the database."""

    def __init__(self, settings: NatsSettings) -> None:
        self._settings = settings
        self._woken: Callable[[], None] = lambda: None
        self._told = asyncio.Event()
        self._client: Client | None = None
        self._away = False  # and that was said

    @property
    def connected(self) -> bool:
        """See `Waking.connected`."""
        return self._client is not None and self._client.is_connected

    def listen(self, woken: Callable[[], None]) -> None:
        """See `Waking.listen`."""
        self._woken = woken

    def tell(self) -> None:
        """See `Waking.tell`."""
        self._told.set()

    async def run(self) -> None:
        """See `Waking.run`."""
        while True:
            try:
                await self._connected()
            except asyncio.CancelledError:
                raise
            except Exception as failure:  # whatever the client makes of a server, polling goes on
                if not self._away:
                    log.warning(
                        "NATS cannot be reached, so what waits is looked for by polling: %s",
                        cause_of(failure),
                    )
                self._away = True
            await asyncio.sleep(_AGAIN)

    async def _connected(self) -> None:
        """Connect, and go on until that breaks off."""
        from nats.aio.client import Client

        ended = asyncio.Event()

        async def end(*_: object) -> None:
            ended.set()

        async def heard(_: "Msg") -> None:
            self._woken()

        options: dict[str, Any] = {"token": self._settings.user[0]} if len(self._settings.user) == 1 else {}
        if len(self._settings.user) == 2:
            options = dict(zip(("user", "password"), self._settings.user, strict=True))
        client = Client()
        try:
            async with asyncio.timeout(_CONNECT):
                await client.connect(
                    self._settings.url, allow_reconnect=False, max_reconnect_attempts=1, reconnect_time_wait=0, ping_interval=5,
                    max_outstanding_pings=2, disconnected_cb=end, closed_cb=end, error_cb=end,
                    tls=self._settings.context, **options,
                )  # fmt: skip
                await client.subscribe(self._settings.subject, cb=heard)
                await client.flush()
            self._client, self._away = client, False
            log.info("NATS wakes who sends")
            self._woken()  # what was told before is not heard any more
            await self._passed_on(client, ended)
            log.warning("NATS broke off, so what waits is looked for by polling")
        finally:
            self._client = None
            self._woken()  # from now on by polling
            with suppress(Exception):
                await client.close()

    async def _passed_on(self, client: "Client", ended: asyncio.Event) -> None:
        """Tell what there is to tell, until the connection has ended."""
        end = asyncio.create_task(ended.wait())
        try:
            while not ended.is_set():
                told = asyncio.create_task(self._told.wait())
                await asyncio.wait((end, told), return_when=asyncio.FIRST_COMPLETED)
                told.cancel()
                if self._told.is_set() and not ended.is_set():
                    self._told.clear()
                    await client.publish(self._settings.subject, b"")
                    await asyncio.sleep(_APART)
        finally:
            end.cancel()
