"""The metrics of a gateway as OpenTelemetry has them, sent over OTLP/HTTP (OTLP 1, protobuf) to a collector.

The counts are this node's own; the SDK gives the nouns and the exporter, and keeps no books beside them. Loading it
takes a while, so only who sends anything imports this module (`telemetry`).
"""

import logging
from collections.abc import Iterator, Mapping

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Metric as Told
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from sluis.gateway.measures import Buckets, Metric, Readings, Values
from sluis.gateway.meter import BOUNDS

_SECONDS = 5.0  # that one sending may take, attempts and all
_CUMULATIVE = AggregationTemporality.CUMULATIVE


class Sender:
    """Sends readings to one collector. Blocks; for one thread at a time, but for `close`.

    Args:
        url: of the collector; `/v1/metrics` comes behind it.
        resource: what sends, by the resource conventions (`service.name`, …).
        started: since when counters count, nanoseconds since the epoch.
    """

    def __init__(self, url: str, resource: Mapping[str, str], started: int) -> None:
        # It logs every attempt; that sending failed is told once, by who calls.
        logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)
        self._exporter = OTLPMetricExporter(f"{url.rstrip('/')}/v1/metrics", timeout=_SECONDS)
        self._resource, self._started = Resource(resource), started

    def send(self, readings: Readings, now: int) -> bool:
        """Send what was read at a time (nanoseconds since the epoch); gives whether the collector took it."""
        metrics = [_told(metric, values, self._started, now) for metric, values in readings if values]
        scope = ScopeMetrics(InstrumentationScope("sluis.gateway"), metrics, "")
        data = MetricsData([ResourceMetrics(self._resource, [scope], "")])
        return self._exporter.export(data) is MetricExportResult.SUCCESS

    def close(self) -> None:
        """End; a sending that waits for another attempt gives up."""
        self._exporter.shutdown()


def _told(metric: Metric, values: Values, started: int, now: int) -> Told:
    data: Gauge | Histogram | Sum
    if metric.kind == "histogram":
        data = Histogram(list(_histograms(metric, values, started, now)), _CUMULATIVE)
    else:
        points = [
            NumberDataPoint(_attributes(metric, labels), started, now, value)
            for labels, value in values.items()
            if not isinstance(value, Buckets)
        ]
        data = Gauge(points) if metric.kind == "gauge" else Sum(points, _CUMULATIVE, is_monotonic=True)
    return Told(metric.name, metric.en, metric.unit, data)


def _histograms(metric: Metric, values: Values, started: int, now: int) -> Iterator[HistogramDataPoint]:
    for labels, value in values.items():
        assert isinstance(value, Buckets)
        yield HistogramDataPoint(
            attributes=_attributes(metric, labels),
            start_time_unix_nano=started,
            time_unix_nano=now,
            count=sum(value.counts),
            sum=value.total,
            bucket_counts=value.counts,
            explicit_bounds=BOUNDS,
            min=None,  # type: ignore[arg-type]  # these two are optional in OTLP, and not known
            max=None,  # type: ignore[arg-type]
        )


def _attributes(metric: Metric, labels: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(metric.labels, labels, strict=True))
