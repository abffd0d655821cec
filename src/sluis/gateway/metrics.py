"""The metrics of a gateway in the text format of Prometheus (exposition format 0.0.4), and whether it is well.

For a loopback listener: no peer, no path and no person is in it, but how busy an organisation is, is its own business.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from sluis.gateway.measures import Buckets, Metric, Read, Readings
from sluis.gateway.membership import Membership
from sluis.gateway.meter import BOUNDS

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class MetricsApp:
    """`GET /metrics`, `/health/live` and `/health/ready`, as an ASGI app.

    Args:
        membership: of the node.
        read: its metrics.
        well: whether the data plane lets requests through.
    """

    def __init__(self, membership: Membership, read: Read, well: Callable[[], Awaitable[bool]]) -> None:
        self._membership, self._read, self._well = membership, read, well
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
        return 200, ("\n".join(written(self._read())) + "\n").encode()

    def _ready(self) -> tuple[int, bytes]:
        """Whether the node's database answers: without it nothing passes."""
        try:
            self._membership.comparison.counts()
        except Exception:  # whatever it is, this node lets nothing pass now
            return 503, b"no database\n"
        return 200, b"ok\n"


def written(readings: Readings) -> Iterator[str]:
    """The lines of all metrics."""
    for metric, values in readings:
        name = name_of(metric)
        yield f"# HELP {name} {metric.en}"
        yield f"# TYPE {name} {metric.kind}"
        for labels, value in sorted(values.items()):
            said = [
                f'{label.replace(".", "_")}="{one}"' for label, one in zip(metric.labels, labels, strict=True)
            ]
            if isinstance(value, Buckets):
                yield from _histogram(name, said, value)
            else:
                yield f"{name}{_braced(said)} {value:.16g}"


def name_of(metric: Metric) -> str:
    """What Prometheus calls a metric: its name, its unit, and what it is (OpenMetrics 1.0; OpenTelemetry, Prometheus
    and OpenMetrics Compatibility)."""
    unit = _UNITS.get(metric.unit, "")
    return metric.name.replace(".", "_") + unit + ("_total" if metric.kind == "counter" else "")


def _histogram(name: str, labels: list[str], buckets: Buckets) -> Iterator[str]:
    total = 0
    for bound, count in zip((*BOUNDS, None), buckets.counts, strict=True):
        total += count
        at = f'le="{"+Inf" if bound is None else bound}"'
        yield f"{name}_bucket{_braced([*labels, at])} {total}"
    yield f"{name}_sum{_braced(labels)} {buckets.total:.6f}"
    yield f"{name}_count{_braced(labels)} {total}"


def _braced(labels: list[str]) -> str:
    return "{" + ",".join(labels) + "}" if labels else ""


_UNITS = {"s": "_seconds", "By": "_bytes"}
