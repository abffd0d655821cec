"""Metrics to a collector: a small one that reads OTLP, and what happens without it."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from tests.integration.managers import until
from tests.servers import free_port

from sluis.gateway.measures import DIFFERENCES, METRICS, Readings, metered
from sluis.gateway.meter import BOUNDS, Meter
from sluis.gateway.metrics import written
from sluis.gateway.telemetry import Telemetry, open_telemetry
from sluis.kernel import utc_now

RESOURCE = {"service.name": "sluis", "service.instance.id": "00000001001001000001"}


class Collector(HTTPServer):
    """Keeps what it is sent."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.status = status
        self.taken: list[tuple[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.taken.append((self.path, ExportMetricsServiceRequest.FromString(body)))
        answer = ExportMetricsServiceResponse().SerializeToString()
        self.send_response(self.server.status)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def collector(status: int = 200) -> Iterator[Collector]:
    server = Collector(status)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def readings() -> Readings:
    """Some of everything: counters, a histogram and gauges."""
    meter = Meter()
    for status, seconds in ((200, 0.002), (502, 60.0)):
        meter.count(status, seconds)
    meter.refuse("ERROR_CODE_ACCESS_TOKEN_MISSING")
    meter.upward = 12_345_678_901
    return (*metered({"inway": meter}), (DIFFERENCES, {("only-here",): 2, ("failed-here",): 0.0}))


async def sends_until(telemetry: Telemetry, holds: Callable[[], Any]) -> None:
    """Send until something holds."""
    telemetry.start()
    try:
        await until(holds)
    finally:
        await telemetry.stop()
        await telemetry.stop()


def fast(monkeypatch: pytest.MonkeyPatch, url: str) -> Telemetry:
    telemetry = open_telemetry(url, RESOURCE, readings, utc_now)
    monkeypatch.setattr(telemetry, "_every", 0.01)
    return telemetry


async def test_collector_gets_what_prometheus_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    with collector() as taking:
        await sends_until(fast(monkeypatch, taking.url + "/"), lambda: len(taking.taken) > 1)
    path, request = taking.taken[-1]
    assert path == "/v1/metrics"
    [resource] = request.resource_metrics
    assert {
        one.key: one.value.string_value for one in resource.resource.attributes
    }.items() >= RESOURCE.items()
    [scope] = resource.scope_metrics
    told = {one.name: one for one in scope.metrics}
    known = {one.name: one for one in METRICS}
    assert {name: (one.unit, one.description) for name, one in told.items()} == {
        name: (known[name].unit, known[name].en) for name in told
    }
    counted = {
        (name, *(one.value.string_value for one in point.attributes)): point.as_double or point.as_int
        for name, metric in told.items()
        for point in (*metric.sum.data_points, *metric.gauge.data_points)
    }
    assert counted == {
        ("sluis.gateway.requests", "inway", "2xx"): 1,
        ("sluis.gateway.requests", "inway", "5xx"): 1,
        ("sluis.gateway.refusals", "inway", "ERROR_CODE_ACCESS_TOKEN_MISSING"): 1,
        ("sluis.gateway.body.size", "inway", "request"): 12_345_678_901,
        ("sluis.gateway.body.size", "inway", "answer"): 0,
        ("sluis.transactions.differences", "only-here"): 2,
        ("sluis.transactions.differences", "failed-here"): 0,
    }
    for labels, value in counted.items():
        assert any(
            line.rpartition(" ")[2] == str(int(value)) and labels[-1] in line for line in written(readings())
        )
    [histogram] = told["sluis.gateway.duration"].histogram.data_points
    assert (histogram.count, histogram.sum, tuple(histogram.explicit_bounds)) == (2, 60.002, BOUNDS)
    assert (histogram.bucket_counts[1], histogram.bucket_counts[-1], sum(histogram.bucket_counts)) == (
        1,
        1,
        2,
    )
    assert [histogram.HasField(name) for name in ("min", "max")] == [False, False]
    assert told["sluis.gateway.requests"].sum.is_monotonic
    times = {
        one.time_unix_nano > one.start_time_unix_nano > 0
        for one in told["sluis.gateway.requests"].sum.data_points
    }
    assert times == {True}


@pytest.mark.parametrize("status", [400, None])
async def test_collector_that_fails_is_told_once(
    status: int | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("sluis.gateway.otlp._SECONDS", 0.05)
    if status is None:
        telemetry = fast(monkeypatch, f"http://127.0.0.1:{free_port()}")
        began = asyncio.get_running_loop().time()
        await sends_until(telemetry, lambda: asyncio.get_running_loop().time() > began + 0.7)
    else:
        with collector(status) as taking:
            await sends_until(fast(monkeypatch, taking.url), lambda: len(taking.taken) > 2)
    assert [one.levelname for one in caplog.records if one.name == "sluis.gateway"] == ["WARNING"]
    assert [one for one in caplog.records if one.name.startswith("opentelemetry")] == []


async def test_collector_that_comes_back_gets_all_that_was_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with collector(400) as taking:
        telemetry = fast(monkeypatch, taking.url)
        telemetry.start()
        await until(lambda: len(taking.taken) > 1)
        taking.status = 200
        await until(lambda: "again" in caplog.text)
        await telemetry.stop()


async def test_what_cannot_be_read_does_not_end_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failing = [True, True]

    def read() -> Readings:
        if failing:
            failing.pop()
            raise RuntimeError("999990019")
        return readings()

    with collector() as taking:
        telemetry = open_telemetry(taking.url, RESOURCE, read, utc_now)
        monkeypatch.setattr(telemetry, "_every", 0.01)
        await sends_until(telemetry, lambda: taking.taken)
    assert caplog.text.count("RuntimeError") == 2
    assert "999990019" not in caplog.text


def test_node_that_sends_nothing_does_not_load_the_sdk() -> None:
    for path in (Path(__file__).parents[2] / "src").rglob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        named = [line for line in lines if line.startswith(("from opentelemetry", "import opentelemetry"))]
        assert bool(named) == (path.name == "otlp.py"), path
        assert not [line for line in lines if line.startswith("from sluis.gateway.otlp")], path
