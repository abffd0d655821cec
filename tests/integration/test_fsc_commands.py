"""`sluis apply` and `sluis fsc` beside running nodes: an operator declares, another signs, a program calls."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from tests.integration.managers import free_network
from tests.integration.nodes import ASKER, ME, OWNER, Hosted, free_ports, until

from nlx_client import InwayError, NLXClient, OutwayError
from sluis.cli import main
from sluis.crypto import make_authority

MANAGEMENT, DATA = (8443, 443) if os.geteuid() == 0 else (18443, 10443)

NODE = """
[node]
oin = "{oin}"
name = "{alias} (fictief)"
alias = "{alias}"
url = "https://{host}:{management}"
environment = "test"
language = "nl"

[tls]
authorities = ["{authority}"]

[fsc]
group = "../group.toml"
metrics_port = {metrics}
otlp = "http://127.0.0.1:9"
{rules}

[manager]
host = "{host}"
port = {management}

[inway]
host = "{host}"
port = {data}

[outway]
host = "{host}"

[peers.{other}]
oin = "{other_oin}"
name = "{other} (fictief)"

[people.tester]
os_user = "{me}"
roles = ["fsc-admin"]
"""

OFFER = """
apiVersion: sluis/v1
kind: Service
metadata: { name: loon }
spec: { url: "%s" }
---
apiVersion: sluis/v1
kind: Publication
metadata: { name: loon }
spec: { service: loon }
"""

WISH = """
apiVersion: sluis/v1
kind: Connection
metadata: { name: loon }
spec: { service: { peer: uwv, name: loon } }
---
apiVersion: sluis/v1
kind: Link
metadata: { name: loon-service }
spec: { connection: loon }
"""


class Hello(BaseHTTPRequestHandler):
    """The API behind the inway."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps({"path": self.path}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


class Group:
    """A group of two: the owner of a service is the directory too."""

    def __init__(self, home: Path) -> None:
        network = free_network()
        self.authority = make_authority(home / "authority", "Groep")
        self.hosts = {"gemeente": f"{network}1", "uwv": f"{network}2"}
        self.asker, self.owner = home / "asker", home / "owner"
        (home / "group.toml").write_text(
            f'id = "test-groep"\nanchors = ["{self.authority.path}"]\nports = [443, 8443, {MANAGEMENT}]\n'
            f'[directory]\npeer = "{OWNER!s}"\naddress = "https://{self.hosts["uwv"]}:{MANAGEMENT}"\n'
        )
        metrics = free_ports(2)
        self.metrics = dict(zip(("gemeente", "uwv"), metrics, strict=True))
        publications = (
            '[[fsc.auto_sign]]\nname = "publicaties"\ngrants = ["GRANT_TYPE_SERVICE_PUBLICATION"]\n'
        )
        for directory, oin, alias, other, other_oin, rules in (
            (self.asker, ASKER, "gemeente", "uwv", OWNER, ""),
            (self.owner, OWNER, "uwv", "gemeente", ASKER, publications),
        ):
            directory.mkdir()
            text = NODE.format(
                oin=f"{oin!s}", alias=alias, host=self.hosts[alias], authority=self.authority.path,
                rules=rules, management=MANAGEMENT, data=DATA, other=other, other_oin=f"{other_oin!s}",
                me=ME, metrics=self.metrics[alias],
            )  # fmt: skip
            (directory / "node.toml").write_text(text)
            self.authority.issue(
                directory / "tls", oin, f"{alias} (fictief)", [self.hosts[alias], "localhost"]
            )


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    group = Group(tmp_path)
    running = [Hosted(group.owner), Hosted(group.asker)]
    for one in running:
        assert one.ready()["ready"]
    yield group
    for one in running:
        one.end()


@pytest.fixture
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hello)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def sluis(directory: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--node", str(directory)])


def document(directory: Path, *words: str) -> Any:
    result = sluis(directory, *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def about(contracts: Any, service: str) -> list[Any]:
    """Of contracts, those about a service; two nodes also have one about each other, which signs itself."""
    return [one for one in contracts if one["grants"][0]["service"] == service]


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_from_declaration_to_call_and_back_by_command(group: Group, service: str, tmp_path: Path) -> None:
    offer = write(tmp_path / "offer.yaml", OFFER % service)
    wish = write(tmp_path / "wish.yaml", WISH)
    made = sluis(group.owner, "apply", "-f", offer)
    assert made.exit_code == 0, made.output
    assert "Service loon: gemaakt" in made.output
    until(lambda: document(group.asker, "fsc", "services"))
    assert [one["name"] for one in document(group.asker, "fsc", "peers")]

    sick = sluis(group.asker, "fsc", "doctor", "uwv", "loon")
    assert sick.exit_code == 5
    assert "✗ Contract" in sick.output
    assert "`sluis fsc peers`" in sluis(group.asker, "fsc", "doctor", "98000000000000000000", "loon").output

    assert sluis(group.asker, "apply", "-f", wish).exit_code == 0
    [waiting] = until(lambda: about(document(group.owner, "fsc", "contracts", "--waiting"), "loon"))
    shown = sluis(group.owner, "fsc", "contracts")
    assert "Wacht op: uwv (fictief)" in shown.output
    assert f"sluis fsc sign '{waiting['hash']}' --node " in shown.output
    assert f"verbinding: gemeente (fictief) ({ASKER}) bij dienst loon" in shown.output
    signed = sluis(group.owner, "fsc", "sign", waiting["hash"])
    assert "geldig" in signed.output
    until(lambda: document(group.asker, "fsc", "contracts", waiting["hash"])[0]["state"] == "valid")

    well = sluis(group.asker, "fsc", "doctor", "uwv", "loon")
    assert well.exit_code == 0, well.output
    assert "✗" not in well.output
    with NLXClient(f"http://{group.hosts['gemeente']}:8480") as nlx:
        assert nlx.get(service="loon-service", path="/personen?x=1").json() == {"path": "/personen?x=1"}
        counted = httpx.get(f"http://127.0.0.1:{group.metrics['uwv']}/metrics").text
        assert 'sluis_gateway_requests_total{side="inway",class="2xx"}' in counted
        assert 'sluis_contracts{state="agreed"}' in counted
        assert httpx.get(f"http://127.0.0.1:{group.metrics['uwv']}/health/ready").status_code == 200
        under = {
            one["hash"] for one in waiting["grants"]
        }  # others are under way too: nodes harvest each other
        lines = [one for one in document(group.owner, "fsc", "logs") if one["grant_hash"] in under]
        assert {one["direction"] for one in lines} == {"DIRECTION_INCOMING"}
        assert "loon" in sluis(group.asker, "fsc", "logs").output

        assert (
            sluis(group.owner, "fsc", "revoke", waiting["hash"]).exit_code == 2
        )  # says that a reason is needed
        revoked = sluis(group.owner, "fsc", "revoke", waiting["hash"], "--reason", "Taak vervallen")
        assert "Reden: Taak vervallen" in revoked.output
        with pytest.raises((InwayError, OutwayError)):
            nlx.get(service="loon-service", path="/personen")

    again = sluis(group.owner, "apply", "-f", offer)
    assert "gemaakt" not in again.output
    assert sluis(group.asker, "apply", "-f", wish, "--check").exit_code == 0
    # A closed contract waits for nobody, and is not proposed again: both say what is to be done.
    until(lambda: document(group.asker, "fsc", "contracts", waiting["hash"])[0]["state"] == "revoked")
    assert "Geef het document dan een nieuwe naam" in sluis(group.asker, "apply", "-f", wish).output
    closed = sluis(group.asker, "fsc", "doctor", "uwv", "loon").output
    assert "is ingetrokken, niet geldig." in closed
    assert "geef de Connection een nieuwe naam" in closed

    # What is no longer declared is told first, and withdrawn when that was agreed to.
    alone = write(tmp_path / "alone.yaml", (OFFER % service).partition("---")[0])
    refused = sluis(group.owner, "apply", "-f", alone, "--prune")
    assert refused.exit_code == 1
    assert "Publication loon: contract geldig, wordt ingetrokken" in refused.output
    assert (
        "Er is niets in te trekken." in sluis(group.owner, "apply", "-f", offer, "--prune", "--check").output
    )
    assert sluis(group.owner, "apply", "-f", alone, "--prune", "--yes").exit_code == 0
    [published] = [
        one
        for one in about(document(group.owner, "fsc", "contracts"), "loon")
        if one["grants"][0]["directory"]
    ]
    assert (published["state"], "no longer declared" in published["reason"]) == ("revoked", True)
    assert {one["state"] for one in about(document(group.owner, "fsc", "contracts"), "sluis")} == {"valid"}


def test_what_cannot_be_applied_is_told_with_file_and_line_and_nothing_is_done(
    group: Group, service: str, tmp_path: Path
) -> None:
    broken = write(
        tmp_path / "broken.yaml", (OFFER % service).replace("kind: Publication", "kind: Publicatie")
    )
    result = sluis(group.owner, "apply", "-f", broken)
    assert result.exit_code == 2
    assert f"{broken}:8" in result.output
    made = [grant["service"] for one in document(group.owner, "fsc", "contracts") for grant in one["grants"]]
    assert "loon" not in made
