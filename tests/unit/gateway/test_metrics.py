"""What a gateway counts, as Prometheus reads it, and as its page of reference tells it."""

from pathlib import Path

from sluis.gateway.faults import FAULTS
from sluis.gateway.measures import METRICS, Delivering, Metric, delivered, metered, provided
from sluis.gateway.meter import Meter
from sluis.gateway.metrics import name_of, written

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"


def lines_of(**meters: Meter) -> list[str]:
    return list(written(metered(meters)))


def test_counts_are_written_as_prometheus_reads_them() -> None:
    meter = Meter()
    for status, seconds in ((200, 0.002), (204, 0.2), (502, 60.0), (0, 1.0)):
        meter.count(status, seconds)
    meter.refuse("ERROR_CODE_ACCESS_TOKEN_MISSING")
    meter.upward, meter.downward = 3, 5
    assert {
        'sluis_gateway_requests_total{side="inway",class="2xx"} 2',
        'sluis_gateway_requests_total{side="inway",class="5xx"} 1',
        'sluis_gateway_requests_total{side="inway",class="none"} 1',
        'sluis_gateway_refusals_total{side="inway",error_type="ERROR_CODE_ACCESS_TOKEN_MISSING"} 1',
        'sluis_gateway_body_size_bytes_total{side="inway",body="request"} 3',
        'sluis_gateway_body_size_bytes_total{side="inway",body="answer"} 5',
        'sluis_gateway_duration_seconds_count{side="inway"} 4',
    } <= set(lines_of(inway=meter))


def test_large_counts_are_written_to_the_last_digit() -> None:
    meter = Meter()
    meter.upward = 12_345_678_901
    assert 'sluis_gateway_body_size_bytes_total{side="inway",body="request"} 12345678901' in lines_of(
        inway=meter
    )


def test_a_histogram_only_rises_and_ends_with_everything() -> None:
    meter = Meter()
    for seconds in (0.0005, 0.03, 0.03, 99.0):
        meter.count(200, seconds)
    found = [one for one in lines_of(outway=meter) if "_bucket" in one]
    buckets = [int(line.rpartition(" ")[2]) for line in found]
    assert (buckets, buckets[-1]) == (sorted(buckets), 4)
    assert found[-1] == 'sluis_gateway_duration_seconds_bucket{side="outway",le="+Inf"} 4'


def test_every_series_says_what_it_is_and_each_metric_once() -> None:
    lines = lines_of(inway=Meter(), outway=Meter())
    named = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(named) == len(set(named))
    for line in lines:
        if not line.startswith("#"):
            name = line.partition("{")[0].partition(" ")[0]
            assert any(name.startswith(one) for one in named), line


def test_a_code_that_is_not_of_this_gateway_is_no_label() -> None:
    meter = Meter()
    meter.refuse("999990019")
    assert not [line for line in lines_of(inway=meter) if "999990019" in line]
    assert all(code.isupper() for code in FAULTS)


def row(metric: Metric) -> str:
    kind = {"counter": "teller", "gauge": "stand", "histogram": "histogram"}[metric.kind]
    labels = ", ".join(f"`{one}`" for one in metric.labels) or "–"
    return f"| `{name_of(metric)}` | `{metric.name}` ({metric.unit}) | {kind} | {labels} | {metric.nl} |"


def test_page_of_reference_tells_every_metric_as_it_is() -> None:
    told = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `sluis_")]
    assert [line for line in told if line.count("|") == 6] == [row(one) for one in METRICS]
    named = {name_of(one) for one in METRICS}
    for line in told:
        assert line.split("`")[1] in named


def test_what_the_sign_in_provider_counts_is_among_them() -> None:
    told = list(written([provided(lambda: {("code", "issued"): 2, ("client", "unknown"): 1})]))
    assert told[2:] == [
        'sluis_provider_results_total{kind="client",result="unknown"} 1',
        'sluis_provider_results_total{kind="code",result="issued"} 2',
    ]


def test_how_deliveries_of_events_stand_is_among_them() -> None:
    told = [line for line in written(delivered(Delivering(3, 1, 40, 12.5))) if not line.startswith("#")]
    assert told == [
        'sluis_events_deliveries{state="dead"} 1',
        'sluis_events_deliveries{state="waiting"} 3',
        "sluis_events_delivered_total 40",
        "sluis_events_oldest_age_seconds 12.5",
    ]
