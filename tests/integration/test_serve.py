"""A node as its operator meets it: started from a directory, told in words what is wrong, stopped in peace."""

import asyncio
import http.client
import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sluis.cli.openapi import command
from sluis.config import load_node
from sluis.crypto import Authority, client_context, make_authority, read_certificates
from sluis.gateway import DirectLink, read_card
from sluis.kernel import (
    Conflict,
    Invalid,
    PeerId,
    Problem,
    Refused,
    Upstream,
    new_span_id,
    new_trace_id,
)
from sluis.ledger import Processing
from sluis.serve import Node, build_node

ASKER, OWNER = PeerId("00000001001000001000"), PeerId("00000001826002785000")
ME = pwd.getpwuid(os.getuid()).pw_name

NODE_TOML = """
[node]
oin = "{oin}"
name = "{name} (fictief)"
alias = "{alias}"
url = "https://127.0.0.1:{port}"
environment = "test"

[listen]
port = {port}

[tls]
authorities = ["{authority}"]

[peers.{other}]
oin = "{other_oin}"
name = "{other} (fictief)"
url = "https://127.0.0.1:{other_port}"

[ledger]
witnesses = ["{other}"]

[people.tester]
os_user = "{me}"
roles = ["privacy-officer"]
"""


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class Federation:
    """Two node directories of one group."""

    def __init__(self, home: Path) -> None:
        self.authority: Authority = make_authority(home / "authority", "Groep")
        asker_port, owner_port = free_ports(2)
        self.asker, self.owner = home / "asker", home / "owner"
        self._write(self.asker, ASKER, "gemeente", asker_port, "uwv", OWNER, owner_port)
        self._write(self.owner, OWNER, "uwv", owner_port, "gemeente", ASKER, asker_port)

    def _write(
        self,
        directory: Path,
        oin: PeerId,
        alias: str,
        port: int,
        other: str,
        other_oin: PeerId,
        other_port: int,
    ) -> None:
        directory.mkdir()
        values = {
            "oin": str.__str__(oin),
            "name": alias,
            "alias": alias,
            "port": port,
            "other": other,
            "other_oin": str.__str__(other_oin),
            "other_port": other_port,
            "authority": self.authority.path,
            "me": ME,
        }
        (directory / "node.toml").write_text(NODE_TOML.format(**values))
        self.authority.issue(directory / "tls", oin, f"{alias} (fictief)", ["127.0.0.1", "localhost"])


@pytest.fixture
def federation(tmp_path: Path) -> Federation:
    return Federation(tmp_path)


def build(directory: Path, moment: datetime | None = None) -> Node:
    loaded = load_node(directory, environ={})
    return build_node(loaded) if moment is None else build_node(loaded, lambda: moment)


def refused(directory: Path, moment: datetime | None = None) -> Problem:
    with pytest.raises(Problem) as problem:
        build(directory, moment)
    assert problem.value.next.nl
    return problem.value


class _Socket(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("node")
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self.path))


def local(directory: Path, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    connection = _Socket(directory / "var" / "node.sock")
    connection.request(method, path, json.dumps(body) if body is not None else None)
    answer = connection.getresponse()
    document = json.loads(answer.read())
    connection.close()
    return answer.status, document


class Running:
    """`sluis serve` as a process."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from sluis.cli import main; main()", "serve", "--node", str(directory)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        document: dict[str, Any] = json.loads(self.process.stdout.readline() or "{}")
        return document

    def end(self, signaled: int = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(signaled)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors


@pytest.fixture
def running(federation: Federation) -> Iterator[Running]:
    run = Running(federation.asker)
    yield run
    if run.process.poll() is None:
        run.end(signal.SIGKILL)
    for stream in (run.process.stdout, run.process.stderr):
        if stream is not None:
            stream.close()


def test_node_says_when_it_is_ready_answers_its_people_and_stops_when_told(running: Running) -> None:
    assert running.ready() == {
        "ready": True,
        "socket": str(running.directory / "var" / "node.sock"),
        "url": load_node(running.directory, environ={}).config.node.url,
        "oin": ASKER,
    }
    assert local(running.directory, "GET", "/v1/activities") == (200, [])
    status, problem = local(running.directory, "POST", "/v1/questions", {"sql": "select 1"})
    assert (status, problem["code"]) == (400, "invalid-body")
    code, errors = running.end()
    assert code == 0
    assert "Traceback" not in errors
    assert not (running.directory / "var" / "node.sock").exists()


def test_access_log_holds_no_path_or_query_that_could_name_somebody(running: Running) -> None:
    running.ready()
    local(running.directory, "GET", "/v1/activities?bsn=999990019")
    local(running.directory, "GET", "/v1/persons/999990019")
    _, errors = running.end()
    assert "GET /v1/activities 200" in errors
    assert "999990019" not in errors


def test_second_process_on_one_node_is_told_who_holds_the_log(running: Running) -> None:
    running.ready()
    second = Running(running.directory)
    output, errors = second.process.communicate(timeout=20)
    assert output == ""
    assert second.process.returncode == 5
    assert "Traceback" not in errors


def test_killed_node_starts_again(running: Running) -> None:
    running.ready()
    running.end(signal.SIGKILL)
    again = Running(running.directory)
    try:
        assert again.ready()["ready"] is True
    finally:
        again.end()


def test_node_is_ready_soon(running: Running) -> None:
    running.ready()
    ticks = Path(f"/proc/{running.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    assert (
        sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") < 10
    )  # seconds of CPU; compiling all modules included


async def test_peers_read_each_others_card_and_believe_it(federation: Federation) -> None:
    node = build(federation.owner)
    await node.start()
    link = _link_of_asker(federation)
    async with link.send(OWNER, "GET", "/v1/node", {}, b"", 5) as answer:
        jws = json.loads(b"".join([chunk async for chunk in answer.body]))["card"]
    card = read_card(jws, read_certificates(federation.authority.path), datetime.now(UTC))
    assert (card.peer, card.alias, card.url) == (OWNER, "uwv", node.config.node.url)
    await link.close()
    await node.stop()


async def test_no_route_of_a_node_answers_a_stranger(federation: Federation, tmp_path: Path) -> None:
    node = build(federation.owner)
    await node.start()
    stranger = PeerId("00000009999999999000")
    files = federation.authority.issue(tmp_path / "stranger", stranger, "Vreemde", ["localhost"])
    context = client_context(*files, [federation.authority.path])
    link = DirectLink({OWNER: node.config.node.url}, context)
    open_to_all = {path for _, path, callers in node.api.routes if callers == "anyone"}
    assert open_to_all == {"/v1/openapi.json", "/v1/node"} | {path for path in open_to_all if "/log/" in path}
    for method, path, callers in node.api.routes:
        async with link.send(OWNER, method, path, {}, b"", 5) as answer:
            assert (answer.status in (401, 403)) is (callers != "anyone"), path
    await link.close()
    await node.stop()


async def test_stranger_at_the_door_is_in_the_log(federation: Federation, tmp_path: Path) -> None:
    node = build(federation.owner)
    await node.start()
    stranger = PeerId("00000009999999999000")
    files = federation.authority.issue(tmp_path / "stranger", stranger, "Vreemde", ["localhost"])
    link = DirectLink({OWNER: node.config.node.url}, client_context(*files, [federation.authority.path]))
    async with link.send(OWNER, "GET", "/v1/offers", {}, b"", 5) as answer:
        assert answer.status == 403
    record = json.loads(node.parts.ledger.log.stored(0).json or b"{}")
    assert record["body"]["adl.core.request"]["subject"] == {"type": "peer", "id": stranger}
    assert record["body"]["adl.core.response"]["decision"] is False
    await link.close()
    await node.stop()


async def test_log_is_published_and_witnessed_by_a_peer_within_seconds(federation: Federation) -> None:
    asker, owner = build(federation.asker), build(federation.owner)
    await asker.start()
    await owner.start()
    owner.parts.ledger.append_blocking([_line()])
    witness = f"— {asker.config.log_origin}/witness "
    started = time.perf_counter()
    while witness not in (note := owner.parts.ledger.log.checkpoint() or ""):
        assert time.perf_counter() - started < 20, note
        await asyncio.sleep(0.1)
    assert note.startswith(f"{owner.config.log_origin}\n1\n")
    assert owner.parts.ledger.append_blocking([_line()]).witnesses == 1
    await asker.stop()
    await owner.stop()


async def test_log_is_read_by_the_privacy_officer_only(federation: Federation) -> None:
    node = build(federation.owner)
    await node.start()
    line = _line()
    node.parts.ledger.append_blocking([line])
    request = ("POST", "/v1/processing-activities", {"traceId": line.trace_id})
    status, found = await asyncio.to_thread(local, federation.owner, *request)
    assert (status, [one["name"] for one in found["processingActivities"]]) == (200, ["Raadpleging"])
    await node.stop()
    file = federation.owner / "node.toml"
    file.write_text(file.read_text().replace('roles = ["privacy-officer"]', "roles = []"))
    again = build(federation.owner)
    await again.start()
    status, problem = await asyncio.to_thread(local, federation.owner, *request)
    assert (status, problem["code"]) == (403, "log-not-yours")
    await again.stop()


def test_every_published_document_is_written(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["--out", str(tmp_path / "api")])
    assert result.exit_code == 0
    written = {path.name for path in (tmp_path / "api").iterdir()}
    assert written == {
        "openapi.json",
        "node.schema.json",
        "group.schema.json",
        "dataset.schema.json",
        "activity.schema.json",
        "disclosure.schema.json",
    }
    for path in (tmp_path / "api").iterdir():
        json.loads(path.read_text())


async def test_published_document_is_the_nodes_own(federation: Federation) -> None:
    node = build(federation.owner)
    await node.start()
    status, document = await asyncio.to_thread(local, federation.owner, "GET", "/v1/openapi.json")
    assert status == 200
    assert document["servers"] == [{"url": f"{node.config.node.url}/v1"}]
    await node.stop()


async def test_node_that_cannot_listen_leaves_nothing_open(federation: Federation) -> None:
    node = build(federation.owner)
    with socket.create_server(("127.0.0.1", node.config.listen.port)), pytest.raises(Conflict) as problem:
        await node.start()
    assert problem.value.code == "port-in-use"
    again = build(federation.owner)
    await again.start()
    await again.stop()


def test_certificate_of_another_organisation_stops_the_start(federation: Federation) -> None:
    federation.authority.issue(federation.owner / "tls", ASKER, "Een ander", ["localhost"])
    assert refused(federation.owner).code == "certificate-of-another"


def test_certificate_that_has_ended_stops_the_start(federation: Federation) -> None:
    federation.authority.issue(federation.owner / "tls", OWNER, "UWV", ["localhost"], days=-1)
    assert refused(federation.owner).code == "certificate-ended"


def test_clock_that_runs_behind_stops_the_start(federation: Federation) -> None:
    problem = refused(federation.owner, datetime.now(UTC) - timedelta(hours=1))
    assert problem.code == "clock-behind"


def test_test_authority_in_production_stops_the_start(federation: Federation) -> None:
    file = federation.owner / "node.toml"
    file.write_text(file.read_text().replace('environment = "test"', 'environment = "production"'))
    problem = refused(federation.owner)
    assert (type(problem), problem.code) == (Refused, "test-authority")


@pytest.mark.parametrize("name", ["certificate.pem", "key.pem"])
def test_unreadable_tls_file_stops_the_start(federation: Federation, name: str) -> None:
    (federation.owner / "tls" / name).write_text("-----BEGIN NOTHING-----")
    assert isinstance(refused(federation.owner), Invalid)


def test_key_of_another_certificate_stops_the_start(federation: Federation, tmp_path: Path) -> None:
    _, key = federation.authority.issue(tmp_path / "other", OWNER, "UWV", ["localhost"])
    (federation.owner / "tls" / "key.pem").write_bytes(key.read_bytes())
    assert refused(federation.owner).code == "key-of-another-certificate"


def test_log_of_a_running_node_is_not_opened_twice(federation: Federation) -> None:
    node = build(federation.owner)
    try:
        assert refused(federation.owner).code == "store-has-a-writer"
    finally:
        asyncio.run(node.stop())


async def test_certificate_that_ends_soon_is_told_in_time(
    federation: Federation, caplog: pytest.LogCaptureFixture
) -> None:
    federation.authority.issue(federation.owner / "tls", OWNER, "UWV", ["127.0.0.1"], days=10)
    node = build(federation.owner)
    await node.start()
    await asyncio.sleep(0)
    assert "certificate ends in 9 days" in caplog.text
    await node.stop()


async def test_owner_that_is_down_is_an_upstream_problem(federation: Federation) -> None:
    link = _link_of_asker(federation)
    started = time.perf_counter()
    with pytest.raises(Upstream) as problem:
        async with link.send(OWNER, "GET", "/v1/node", {}, b"", 5):
            pass
    assert problem.value.retry
    assert time.perf_counter() - started < 5
    await link.close()


def _line() -> Processing:
    now = int(time.time() * 1000)
    return Processing(new_trace_id(), new_span_id(), "Raadpleging", "Ok", now, now)


def _link_of_asker(federation: Federation) -> DirectLink:
    config = load_node(federation.asker, environ={}).config
    context = client_context(config.tls.certificate, config.tls.key, config.tls.authorities)
    return DirectLink({OWNER: config.peers["uwv"].url}, context)
