"""What a gateway counts, in the text format of Prometheus (exposition format 0.0.4), and whether it is well.

For a loopback listener: no peer, no path and no person is in it, but how busy an organisation is, is its own business.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from sluis.crypto import time_left
from sluis.gateway.membership import Membership
from sluis.gateway.meter import BOUNDS, Meter
from sluis.kernel import Clock

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Gauge = tuple[str, str, float]
"""Name, meaning, value."""


class MetricsApp:
    """`GET /metrics`, `/health/live` and `/health/ready`, as an ASGI app.

    Args:
        membership: of the node.
        clock: the node's clock.
        well: whether the data plane lets requests through.
    """

    def __init__(self, membership: Membership, clock: Clock, well: Callable[[], Awaitable[bool]]) -> None:
        self._membership, self._clock, self._well = membership, clock, well
        self._paths: dict[str, Callable[[], Any]] = {
            "/metrics": self._metrics,
            "/health/live": lambda: (200, b"ok\n"),
            "/health/ready": self._ready,
        }

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """See ASGI 3.0, HTTP."""
        if scope["type"] != "http":
            return
        work = self._paths.get(scope["path"]) if scope["method"] == "GET" else None
        status, body = (404, b"") if work is None else await asyncio.to_thread(work)
        if work == self._ready and status == 200 and not await self._well():
            status, body = 503, b"no data plane\n"
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def _metrics(self) -> tuple[int, bytes]:
        membership = self._membership
        lines = [
            *metered("inway", membership.meters.inway),
            *metered("outway", membership.meters.outway),
            *gauges(self._gauges()),
        ]
        return 200, ("\n".join(lines) + "\n").encode()

    def _gauges(self) -> Iterator[Gauge]:
        membership, running = self._membership, self._membership.running
        left = time_left(running.manager.identity.certificate, self._clock())
        yield "certificate_seconds", "Seconds until the certificate ends.", left.total_seconds()
        yield (
            "undelivered",
            "Messages to other Managers that did not arrive yet.",
            len(running.outbox.waiting()),
        )
        differences = sum(membership.comparison.counts().values())
        yield "log_differences", "Transactions on which two logs do not agree.", differences

    def _ready(self) -> tuple[int, bytes]:
        """Whether the node's database answers: without it nothing passes."""
        try:
            self._membership.comparison.counts()
        except Exception:  # whatever it is, this node lets nothing pass now
            return 503, b"no database\n"
        return 200, b"ok\n"


def metered(side: str, meter: Meter) -> Iterator[str]:
    """The lines of one side's counts.

    Args:
        side: `inway` or `outway`.
        meter: its counts.
    """
    name = f"sluis_{side}"
    yield from _head(
        f"{name}_requests_total", "counter", "Requests, by class of the status; 0 when unanswered."
    )
    for kind, count in sorted(meter.requests.items()):
        yield f'{name}_requests_total{{class="{kind}xx"}} {count}'
    yield from _head(
        f"{name}_refusals_total", "counter", "Requests that this side refused, by FSC error code."
    )
    for code, count in sorted(meter.refusals.items()):
        yield f'{name}_refusals_total{{code="{code}"}} {count}'
    yield from _head(
        f"{name}_seconds", "histogram", "How long requests took, to the last byte of the answer."
    )
    total = 0
    for bound, count in zip((*BOUNDS, None), meter.seconds, strict=True):
        total += count
        yield f'{name}_seconds_bucket{{le="{"+Inf" if bound is None else bound}"}} {total}'
    yield f"{name}_seconds_sum {meter.total:.6f}"
    yield f"{name}_seconds_count {total}"
    yield from _head(f"{name}_bytes_total", "counter", "Bytes of bodies, by direction.")
    yield f'{name}_bytes_total{{direction="up"}} {meter.upward}'
    yield f'{name}_bytes_total{{direction="down"}} {meter.downward}'


def gauges(values: Iterator[Gauge]) -> Iterator[str]:
    """The lines of what is so now."""
    for name, meaning, value in values:
        yield from _head(f"sluis_{name}", "gauge", meaning)
        yield f"sluis_{name} {value:g}"


def _head(name: str, kind: str, meaning: str) -> Iterator[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} {kind}"
