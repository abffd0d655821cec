"""A gateway counts requests by class of their status, by how long they took, and what it refused."""

from sluis.gateway.meter import BOUNDS, Meter


def test_each_request_is_in_one_class_and_one_bucket() -> None:
    meter = Meter()
    for status, seconds in ((200, 0.0), (204, BOUNDS[0]), (502, BOUNDS[0] + 1e-9), (0, 99.0)):
        meter.count(status, seconds)
    assert dict(meter.requests) == {2: 2, 5: 1, 0: 1}
    assert (meter.seconds[0], meter.seconds[1], meter.seconds[-1], sum(meter.seconds)) == (2, 1, 1, 4)
    assert meter.total > 99


def test_refusals_are_counted_by_code() -> None:
    meter = Meter()
    meter.refuse("ERROR_CODE_ACCESS_TOKEN_MISSING")
    meter.refuse("ERROR_CODE_ACCESS_TOKEN_MISSING")
    assert meter.refusals == {"ERROR_CODE_ACCESS_TOKEN_MISSING": 2}
