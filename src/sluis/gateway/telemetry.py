"""Metrics to a collector of OpenTelemetry, every so often: off the way of requests, one sending at a time.

A collector that does not answer is told in the log once, and costs nothing else: what it missed is in the next sending,
for counters count from the start.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from sluis.gateway.measures import Read, Readings
from sluis.kernel import Clock

log = logging.getLogger("sluis.gateway")

EVERY = 60.0
"""Seconds between two sendings, as OpenTelemetry has it unless told otherwise."""


class Sends(Protocol):
    """See `otlp.Sender`."""

    def send(self, readings: Readings, now: int) -> bool:
        """See `otlp.Sender.send`."""

    def close(self) -> None:
        """See `otlp.Sender.close`."""


class Telemetry:
    """Sends the metrics of one node. Use it from one event loop.

    Args:
        read: the metrics.
        sender: makes what sends them, given since when they count (nanoseconds since the epoch). In a thread: it loads
            the SDK.
        clock: the node's clock.
        every: seconds between two sendings.
    """

    def __init__(
        self, read: Read, sender: Callable[[int], Sends], clock: Clock, every: float = EVERY
    ) -> None:
        self._read, self._make, self._clock, self._every = read, sender, clock, every
        self._sender: Sends | None = None
        self._task: asyncio.Task[None] | None = None
        self._well = True

    def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.get_running_loop().create_task(self._run(self._now()))

    async def stop(self) -> None:
        """End it. May be called twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._sender is not None:
            self._sender.close()
            self._sender = None

    async def _run(self, started: int) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                well = await asyncio.to_thread(self._send, started)
            except Exception as failure:  # whatever it is, the gateway does its work without
                log.warning("metrics are not sent: %s", type(failure).__name__)
            else:
                self._tell(well)

    def _send(self, started: int) -> bool:
        sender = self._sender = self._sender or self._make(started)
        return sender.send(self._read(), self._now())

    def _tell(self, well: bool) -> None:
        if not well and self._well:
            log.warning("the collector of metrics does not take them; this is told once")
        elif well and not self._well:
            log.info("the collector takes metrics again")
        self._well = well

    def _now(self) -> int:
        return int(self._clock().timestamp() * 1e9)


def open_telemetry(url: str, resource: Mapping[str, str], read: Read, clock: Clock) -> Telemetry:
    """What sends metrics to a collector, not yet begun.

    Args:
        url: of the collector; `/v1/metrics` comes behind it.
        resource: what sends, by the resource conventions of OpenTelemetry.
        read: the metrics.
        clock: the node's clock.
    """

    def sender(started: int) -> Sends:
        from sluis.gateway.otlp import Sender  # loading the SDK takes a while, and most nodes do not use it

        return Sender(url, resource, started)

    return Telemetry(read, sender, clock)
