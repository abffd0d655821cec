"""What a gateway counts, as Prometheus reads it."""

from sluis.gateway.meter import Meter
from sluis.gateway.metrics import gauges, metered


def test_counts_are_written_as_prometheus_reads_them() -> None:
    meter = Meter()
    meter.count(200, 0.002)
    meter.count(204, 0.2)
    meter.count(502, 60.0)
    meter.refuse("ERROR_CODE_ACCESS_TOKEN_MISSING")
    meter.upward, meter.downward = 3, 5
    lines = list(metered("inway", meter))
    assert 'sluis_inway_requests_total{class="2xx"} 2' in lines
    assert 'sluis_inway_requests_total{class="5xx"} 1' in lines
    assert 'sluis_inway_refusals_total{code="ERROR_CODE_ACCESS_TOKEN_MISSING"} 1' in lines
    assert 'sluis_inway_bytes_total{direction="up"} 3' in lines
    assert "sluis_inway_seconds_count 3" in lines


def test_a_histogram_only_rises_and_ends_with_everything() -> None:
    meter = Meter()
    for seconds in (0.0005, 0.03, 0.03, 99.0):
        meter.count(200, seconds)
    buckets = [int(line.rpartition(" ")[2]) for line in metered("outway", meter) if "_bucket" in line]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 4
    assert 'le="+Inf"} 4' in "\n".join(metered("outway", meter))


def test_every_series_says_what_it_is() -> None:
    lines = [*metered("inway", Meter()), *gauges(iter([("undelivered", "What waits.", 2)]))]
    named = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    for line in lines:
        if not line.startswith("#"):
            name = line.partition("{")[0].partition(" ")[0]
            assert any(name.startswith(one) for one in named), line
    assert "sluis_undelivered 2" in lines
