"""A node as its operator meets it: started from a directory, told in words what is wrong, stopped in peace."""

import asyncio
import json
import os
import signal
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from tests.integration.nodes import ASKER, OWNER, PATIENCE, Federation, Hosted, Running, build, local, refused
from tests.unit.ledger.examples import appended

from sluis.cli.openapi import command
from sluis.config import load_node
from sluis.crypto import Peer, client_context, make_authority, read_certificates
from sluis.gateway import Link, OwnLink, read_card
from sluis.gateway.forward import read_url
from sluis.gateway.streams import Exchange, Streams
from sluis.kernel import (
    Conflict,
    Invalid,
    PeerId,
    Refused,
    Upstream,
    new_span_id,
    new_trace_id,
)
from sluis.ledger import Processing
from sluis.serve import Node, catalogue

STRANGER = PeerId("00000009999999999000")


@pytest.fixture
def federation(tmp_path: Path) -> Federation:
    """Nodes in no group."""
    return Federation(tmp_path)


class Life(msgspec.Struct):
    """What a node did as a process, from its start until it was told to stop."""

    ready: dict[str, Any]
    seconds: float
    """Of CPU, until it was ready."""
    answers: list[tuple[int, Any]]
    code: int
    errors: str


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Federation(tmp_path_factory.mktemp("alone")).asker


@pytest.fixture(scope="module")
def life(alone: Path) -> Life:
    node = Running(alone)
    ready = node.ready()
    ticks = Path(f"/proc/{node.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    requests: list[tuple[str, str, Any]] = [
        ("GET", "/v1/activities", None),
        ("POST", "/v1/questions", {"sql": "select 1"}),
        ("GET", "/v1/activities?bsn=999990019", None),
        ("GET", "/v1/persons/999990019", None),
    ]
    answers = [local(alone, *one) for one in requests]
    code, errors = node.end()
    return Life(ready, sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"), answers, code, errors)


def test_node_says_when_it_is_ready_answers_its_people_and_stops_when_told(life: Life, alone: Path) -> None:
    assert life.ready == {
        "ready": True,
        "socket": str(alone / "var" / "node.sock"),
        "url": load_node(alone, environ={}).config.node.url,
        "oin": ASKER,
    }
    (status, activities), (refusal, problem), *_ = life.answers
    assert (status, activities) == (200, [])
    assert (refusal, problem["code"]) == (400, "invalid-body")
    assert life.code == 0
    assert "Traceback" not in life.errors
    assert not (alone / "var" / "node.sock").exists()


def test_access_log_holds_no_path_or_query_that_could_name_somebody(life: Life) -> None:
    assert life.errors.count("GET /v1/activities 200") == 2
    assert "999990019" not in life.errors


def test_node_is_ready_soon(life: Life) -> None:
    assert life.seconds < 10  # of CPU; compiling all modules included


def test_second_process_on_one_node_is_told_who_holds_the_log(federation: Federation) -> None:
    first = Hosted(federation.asker)
    first.ready()
    second = Running(federation.asker)
    output, errors = second.process.communicate(timeout=PATIENCE)
    first.end()
    assert output == ""
    assert second.process.returncode == 5
    assert "Traceback" not in errors


def test_killed_node_starts_again(federation: Federation) -> None:
    node = Running(federation.asker)
    node.ready()
    node.end(signal.SIGKILL)
    again = Hosted(federation.asker)
    assert again.ready()["ready"] is True
    again.end()


async def test_peers_read_each_others_card_and_believe_it(group: Federation) -> None:
    asker, owner = build(group.asker), build(group.owner)
    await owner.start()
    await asker.start()
    jws = json.loads(await _read(asker.parts.link, "/v1/node"))["card"]
    card = read_card(jws, read_certificates(group.authority.path), datetime.now(UTC))
    assert (card.peer, card.alias, card.url) == (OWNER, "uwv", owner.config.node.url)
    await asker.stop()
    await owner.stop()


async def test_nobody_passes_the_inway_without_a_contract(group: Federation, tmp_path: Path) -> None:
    node = build(group.owner)
    await node.start()
    files = group.authority.issue(tmp_path / "stranger", STRANGER, "Vreemde", ["localhost"])
    streams = Streams(client_context(*files, [group.authority.path]))
    target, _ = read_url(group.address("uwv", "inway"), OWNER)
    for method, path, _ in node.api.routes:
        async with Exchange(streams, target, 5) as exchange:
            await exchange.send(method, path, {})
            assert (exchange.status, exchange.headers["fsc-error-code"]) == (
                401, "ERROR_CODE_ACCESS_TOKEN_MISSING",
            ), path  # fmt: skip
            assert [piece async for piece in exchange.body()]
    streams.close()
    await node.stop()


async def test_no_route_of_a_node_answers_a_stranger(federation: Federation) -> None:
    node = build(federation.owner)
    await node.start()
    link = _through(node, STRANGER)
    routes = [
        (
            method,
            path,
            callers == "anyone" and not path.startswith(("/v1/access/v1/", "/v1/events")),
        )  # know themselves
        for method, path, callers in node.api.routes
    ]
    open_to_all = {path for _, path, is_open in routes if is_open}
    catalogue = {"/v1/catalogue", "/v1/catalogue/search", "/v1/catalogue/{folder}/{name}"}
    catalogue |= {"/v1/catalogue/services/{name}/openapi"}
    known = {"/v1/openapi.json", "/v1/node"} | catalogue
    assert open_to_all == known | {path for path in open_to_all if "/log/" in path}
    for method, path, is_open in routes:
        async with link.send(STRANGER, method, path, {}, b"", 5) as answer:
            assert (answer.status in (401, 403)) is not is_open, path
    await node.stop()


async def test_stranger_at_the_door_is_in_the_log(federation: Federation) -> None:
    node = build(federation.owner)
    await node.start()
    async with _through(node, STRANGER).send(STRANGER, "GET", "/v1/offers", {}, b"", 5) as answer:
        assert answer.status == 403
    record = json.loads(node.parts.ledger.log.stored(0).json or b"{}")
    assert record["body"]["adl.core.request"]["subject"] == {"type": "peer", "id": STRANGER}
    assert record["body"]["adl.core.response"]["decision"] is False
    await node.stop()


async def test_node_without_a_group_listens_for_its_own_people_alone(federation: Federation) -> None:
    before = _listening()
    node = build(federation.owner)
    await node.start()
    assert _listening() == before
    assert (federation.owner / "var" / "node.sock").exists()
    await node.stop()


async def test_node_without_a_group_reaches_itself_and_nobody_else(federation: Federation) -> None:
    node = build(federation.asker)
    await node.start()
    card = read_card(
        json.loads(await _read(node.parts.link, "/v1/node", ASKER))["card"],
        read_certificates(federation.authority.path),
        datetime.now(UTC),
    )
    assert card.peer == ASKER
    with pytest.raises(Upstream) as problem:
        await _read(node.parts.link, "/v1/node")
    assert (problem.value.code, problem.value.peer, problem.value.retry) == (
        "in-no-group",
        "uwv (fictief)",
        False,
    )
    assert "sluis join" in problem.value.next.en
    await node.stop()


async def test_log_is_published_and_witnessed_by_a_peer_within_seconds(
    group: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "_OFTEN", 3600)  # who has no catalogue yet is asked for it now and then
    asker, owner = build(group.asker), build(group.owner)
    await asker.start()
    await owner.start()
    appended(owner.parts.ledger, [line()])
    size = owner.parts.ledger.log.size()
    witness = f"— {asker.config.log_origin}/witness "
    started = time.perf_counter()
    while witness not in (note := owner.parts.ledger.log.checkpoint() or ""):
        assert time.perf_counter() - started < 20, note
        await asyncio.sleep(0.1)
    assert note.startswith(f"{owner.config.log_origin}\n")
    assert int(note.splitlines()[1]) >= size
    assert appended(owner.parts.ledger, [line()]).witnesses == 1
    await _come_to_rest(asker, owner)
    await asker.stop()
    await owner.stop()


async def _come_to_rest(*nodes: Node) -> None:
    """Nodes that nobody asks anything write nothing: being witnessed is not itself something to be witnessed."""
    before, deadline = [-1], time.perf_counter() + 30
    while (sizes := [node.parts.ledger.log.size() for node in nodes]) != before:
        assert time.perf_counter() < deadline, f"from {before} to {sizes} records within three rounds"
        before = sizes
        await asyncio.sleep(3.5)


async def test_log_is_read_by_the_privacy_officer_only(federation: Federation) -> None:
    node = build(federation.owner)
    await node.start()
    record = line()
    appended(node.parts.ledger, [record])
    request = ("POST", "/v1/processing-activities", {"traceId": record.trace_id})
    status, found = await asyncio.to_thread(local, federation.owner, *request)
    assert (status, [one["name"] for one in found["processingActivities"]]) == (200, ["Raadpleging"])
    await node.stop()
    file = federation.owner / "node.toml"
    file.write_text(file.read_text().replace('["privacy-officer", ', "["))
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
        "event-type.schema.json",
        "notice.schema.json",
        "disclosure.schema.json",
        "scenario.schema.json",
        "catalogue.schema.json",
        "description.schema.json",
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


async def test_node_that_cannot_listen_leaves_nothing_open(group: Federation) -> None:
    node = build(group.owner)
    with (
        socket.create_server((node.config.inway.host, node.config.inway.port)),
        pytest.raises(Conflict) as problem,
    ):
        await node.start()
    assert problem.value.code == "port-in-use"
    again = build(group.owner)
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


def test_test_authority_of_the_group_in_production_stops_the_start(
    group: Federation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_authority(tmp_path / "other", "Ander")
    rules = tmp_path / "group.toml"
    rules.write_text(rules.read_text().replace("anchors = [", f'anchors = ["{other.path}", '))
    file = group.owner / "node.toml"
    file.write_text(file.read_text().replace('environment = "test"', 'environment = "production"'))
    monkeypatch.setattr("sluis.serve.certificate.is_test", lambda one: one == other.certificate)
    assert refused(group.owner).code == "test-authority"


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


async def test_owner_that_is_down_is_an_upstream_problem(group: Federation) -> None:
    asker = build(group.asker)
    started = time.perf_counter()
    with pytest.raises(Upstream) as problem:
        await _read(asker.parts.link, "/v1/node")
    assert problem.value.retry
    assert time.perf_counter() - started < 5
    await asker.stop()


def line() -> Processing:
    now = int(time.time() * 1000)
    return Processing(new_trace_id(), new_span_id(), "Raadpleging", "Ok", now, now)


async def _read(link: Link, path: str, peer: PeerId = OWNER) -> bytes:
    async with link.send(peer, "GET", path, {}, b"", 5) as answer:
        return b"".join([chunk async for chunk in answer.body])


def _through(node: Node, peer: PeerId) -> OwnLink:
    """A way into the node for somebody, past an inway that lets everybody in."""
    link = OwnLink(Peer(peer, "Vreemde"), {})
    link.node = node.api
    return link


def _listening() -> set[str]:
    """The TCP sockets on which this process listens."""
    held = {os.readlink(path) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}
    lines = [
        one.split()
        for name in ("tcp", "tcp6")
        for one in Path("/proc/net", name).read_text().splitlines()[1:]
    ]
    return {found for one in lines if one[3] == "0A" and (found := f"socket:[{one[9]}]") in held}
