"""By which names the outway is called, and that nothing is begun for another."""

import json
from typing import Any

import pytest

from sluis.gateway.meter import Meter
from sluis.gateway.planes.hosts import Hosts
from sluis.gateway.planes.inprocess import OutwayPlane

HOSTS = Hosts(["Outway.intern"])


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.0.0.1:8480", "10.1.2.3:1", "[::1]", "[::1]:8480", "[2001:DB8::1]:80", "localhost",
        "LocalHost:8480", "localhost.", "outway.intern", "OUTWAY.INTERN:8480", "outway.intern.:80", "127.0.0.1:",
    ],
)  # fmt: skip
def test_addresses_localhost_and_given_names_are_taken(host: str) -> None:
    assert HOSTS.allow([(b"host", host.encode()), (b"x-forwarded-host", b"a.example")])


@pytest.mark.parametrize(
    "host",
    [
        "", ":80", "pagina.example", "pagina.example:8480", "127.0.0.1.pagina.example", "localhost.pagina.example",
        "a.localhost", "x.outway.intern", "outway", "127.1", "0x7f000001", "2130706433", "127.0.0.256", "::1", "[localhost]",
        "[outway.intern]", "[pagina.example]", "[::1]pagina.example", "127.0.0.1@pagina.example", "127.0.0.1:80:80",
        "localhost:pagina.example", "localhost ", " localhost", "localhost/", "localhost, pagina.example", "localhost..",
        "[fe80::1%25eth0]", "\xb9\xb2\xb3", "localhost\x00",
    ],
)  # fmt: skip
def test_other_names_are_not_taken(host: str) -> None:
    assert not HOSTS.allow([(b"host", host.encode("latin-1"))])


@pytest.mark.parametrize(
    "headers", [[], [(b"host", b"localhost")] * 2, [(b"host", b"localhost"), (b"host", b"pagina.example")]]
)
def test_a_request_that_names_no_host_or_two_is_not_taken(headers: list[tuple[bytes, bytes]]) -> None:
    assert not HOSTS.allow(headers)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([(b"host", b"pagina.example:8480")], (421, "ERROR_CODE_UNKNOWN_HOST", "[outway]")),
        (
            [(b"host", b"127.0.0.1"), (b"sec-fetch-site", b"cross-site")],
            (403, "ERROR_CODE_OTHER_SITE", "site"),
        ),
    ],
)
async def test_nothing_is_asked_for_a_page_of_elsewhere(
    said: list[tuple[bytes, bytes]], told: tuple[int, str, str]
) -> None:
    """The outway has no decider and no connections here: whatever it began would fail."""
    nothing: Any = None
    meter, sent = Meter(), list[Any]()
    plane = OutwayPlane(nothing, nothing, meter, ["outway.intern"])
    scope = {
        "type": "http", "method": "GET", "raw_path": b"/parkeren/x", "query_string": b"",
        "headers": said,
    }  # fmt: skip

    async def send(message: Any) -> None:
        sent.append(message)

    await plane(scope, nothing, send)
    body = json.loads(sent[1]["body"])
    assert (sent[0]["status"], body["code"], body["domain"]) == (*told[:2], "ERROR_DOMAIN_OUTWAY")
    assert "pagina" not in body["message"]
    assert told[2] in body["message"]
