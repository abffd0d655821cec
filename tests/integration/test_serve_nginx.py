"""Two nodes of a group on the nginx plane, as their operators run them: questions, calls, and what goes wrong."""

import asyncio
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import stat
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from tests.integration.nodes import Running
from tests.integration.pair import ACTIVITY, ANN, BOB, DATASET, DISCLOSURE
from tests.integration.test_fsc_commands import (
    DATA,
    OFFER,
    WISH,
    Group,
    Hello,
    about,
    document,
    sluis,
    until,
)
from tests.integration.test_group_asking import ask, refusal, write
from tests.integration.test_nginx_plane import revocations
from tests.renewal import renewed, shown_at
from tests.servers import free_port, need

from nlx_client import InwayError, NLXClient, OutwayError
from sluis.config import examine_node, load_node
from sluis.crypto import certificate_thumbprint, client_context, make_authority, read_certificates
from sluis.gateway.planes.nginx import NginxPlane
from sluis.gateway.planes.nginx_system import PROGRAM, found
from sluis.kernel import Conflict, Invalid
from sluis.serve import Node, build_node

PURPOSE = ("--activity", "urn:test:bijstand")


class Nodes:
    """Both nodes, running in a thread of their own, so that commands and programs can be used beside them."""

    def __init__(self, group: Group, ports: dict[str, int]) -> None:
        self.group, self.ports = group, ports
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.owner, self.asker = self.started(group.owner), self.started(group.asker)

    def started(self, directory: Path) -> Node:
        async def begin() -> Node:
            node = build_node(load_node(directory, environ={}))
            await node.start()
            return node

        node: Node = self.run(begin())
        return node

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(30)

    def plane(self, node: Node) -> NginxPlane:
        assert node._group is not None
        plane = node._group.plane._plane  # type: ignore[attr-defined]
        assert isinstance(plane, NginxPlane)
        return plane

    def folder(self, directory: Path) -> Path:
        return directory / "var" / "node.nginx"

    @property
    def outway(self) -> str:
        """Where programs of the asker go out."""
        return f"http://{self.group.hosts['gemeente']}:8480"

    def at_inway(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """A request straight to the owner's inway, with the asker's certificate."""
        tls = self.group.asker / "tls"
        context = client_context(tls / "certificate.pem", tls / "key.pem", [self.group.authority.path])
        return _answer(
            http.client.HTTPSConnection("localhost", self.ports["uwv"], timeout=10, context=context),
            method, path, headers,
        )  # fmt: skip

    def at_own_socket(
        self, method: str, path: str, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        """A request of somebody on the owner's machine, on the socket that is nginx's."""
        connection = http.client.HTTPConnection("here", timeout=10)
        connection.sock = socket.socket(socket.AF_UNIX)
        with short(self.folder(self.group.owner)) as folder:
            connection.sock.connect(f"{folder}/own.sock")
        return _answer(connection, method, path, headers)

    def told(self, alias: str, path: str) -> tuple[int, str]:
        """What a node says of itself."""
        connection = http.client.HTTPConnection("127.0.0.1", self.group.metrics[alias], timeout=10)
        status, _, body = _answer(connection, "GET", path, {})
        return status, body.decode()

    def end(self) -> None:
        for node in (self.asker, self.owner):
            self.run(node.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class short:
    """A folder under a path that fits in the address of a unix socket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> str:
        self._opened = os.open(self._folder, os.O_PATH)
        return f"/proc/self/fd/{self._opened}"

    def __exit__(self, *_: object) -> None:
        os.close(self._opened)


def _answer(
    connection: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str]
) -> tuple[int, dict[str, str], bytes]:
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


def on_nginx(group: Group) -> dict[str, int]:
    """Put both nodes on nginx; gives the ports of their inways. They have names there, which nginx needs."""
    ports = {"gemeente": free_port(), "uwv": free_port()}
    for directory, alias in ((group.asker, "gemeente"), (group.owner, "uwv")):
        file = directory / "node.toml"
        inway = f'host = "127.0.0.1"\nport = {ports[alias]}\naddress = "https://localhost:{ports[alias]}"'
        text = file.read_text().replace('group = "../group.toml"', 'group = "../group.toml"\nplane = "nginx"')
        text = text.replace("[tls]", '[tls]\ncrl = "../revoked.pem"')
        file.write_text(
            text.replace(f'[inway]\nhost = "{group.hosts[alias]}"\nport = {DATA}', f"[inway]\n{inway}")
        )
    return ports


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    need("nginx-light", lambda: found(PROGRAM) is not None)
    home = tmp_path_factory.mktemp("nginx")
    group = Group(home)
    ports = on_nginx(group)
    (home / "revoked.pem").write_bytes(revocations(group.authority))
    with sqlite3.connect(home / "people.sqlite") as connection:
        connection.execute("CREATE TABLE person (bsn TEXT PRIMARY KEY, naam TEXT)")
        connection.executemany("INSERT INTO person VALUES (?, ?)", [(ANN, "Ann"), (BOB, "Bob")])
    connection.close()
    file = group.owner / "node.toml"
    file.write_text(file.read_text() + f'\n[sources.main]\nurl = "sqlite:///{home / "people.sqlite"}"\n')
    for directory in (group.asker, group.owner):
        write(directory / "activities" / "bijstand.toml", ACTIVITY)
    write(group.owner / "datasets" / "personen.toml", DATASET)
    write(group.owner / "disclosures" / "personen.toml", DISCLOSURE)
    with pytest.MonkeyPatch.context() as patch:
        # No service here speaks TLS, and OpenSSL takes a while to read everyone a machine trusts.
        patch.setenv("SSL_CERT_FILE", str(group.authority.path))
        nodes = Nodes(group, ports)
        yield nodes
        nodes.end()


@pytest.fixture(scope="module")
def called(nodes: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The hash of a contract under which the asker's programs call an API of the owner."""
    home, group = tmp_path_factory.mktemp("called"), nodes.group
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hello)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    for directory, text in (
        (group.owner, OFFER % f"http://127.0.0.1:{server.server_port}"),
        (group.asker, WISH),
    ):
        write(home / "declared.yaml", text)
        assert sluis(directory, "apply", "-f", str(home / "declared.yaml")).exit_code == 0
    [waiting] = until(lambda: about(document(group.owner, "fsc", "contracts", "--waiting"), "loon"))
    assert sluis(group.owner, "fsc", "sign", waiting["hash"]).exit_code == 0
    until(lambda: httpx.get(f"{nodes.outway}/loon-service/x").status_code == 200)
    yield waiting["hash"]
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_question_crosses_and_no_more_once_its_contract_is_revoked(nodes: Nodes) -> None:
    group = nodes.group
    until(lambda: refusal(group.asker) == "contract-missing")
    made = until(lambda: sluis(group.asker, "fsc", "request", "uwv", *PURPOSE, "--json"))
    assert made.exit_code == 0, made.output
    [waiting] = until(lambda: document(group.owner, "fsc", "contracts", "--waiting"))
    assert sluis(group.owner, "fsc", "sign", waiting["hash"]).exit_code == 0
    answered = until(lambda: (told := ask(group.asker))[0] == 0 and told[1])
    assert answered["rows"] == [["Ann"]]
    crossed = [
        one["direction"]
        for one in document(group.owner, "fsc", "logs")
        if one["grant_hash"] == waiting["grants"][0]["hash"]
    ]
    assert crossed
    assert set(crossed) == {"DIRECTION_INCOMING"}
    assert sluis(group.owner, "fsc", "revoke", waiting["hash"], "--reason", "Taak vervallen").exit_code == 0
    assert ask(group.asker)[0] != 0


@contextmanager
def calling(nodes: Nodes) -> Iterator[list[int]]:
    """Programs that call all the while; gives the statuses of what they got."""
    ended, statuses = threading.Event(), list[int]()

    def call() -> None:
        with httpx.Client(base_url=nodes.outway, headers={"connection": "close"}) as client:
            while not ended.is_set():
                statuses.append(client.get("/loon-service/x").status_code)

    with ThreadPoolExecutor(4) as programs:
        for _ in range(4):
            programs.submit(call)
        try:
            yield statuses
        finally:
            ended.set()


def test_reload_while_requests_are_under_way_loses_none(nodes: Nodes, called: str) -> None:
    with calling(nodes) as statuses:
        for _ in range(2):
            for node in (nodes.owner, nodes.asker):
                nodes.run(nodes.plane(node).reload())
    assert len(statuses) > 20
    assert set(statuses) == {200}


def test_nginx_that_is_killed_comes_back_and_health_says_so(
    nodes: Nodes, called: str, caplog: pytest.LogCaptureFixture
) -> None:
    def ready() -> int:
        return nodes.told("uwv", "/health/ready")[0]

    def works() -> bool:
        return httpx.get(f"{nodes.outway}/loon-service/x").status_code == 200

    until(lambda: ready() == 200, 10)
    plane = nodes.plane(nodes.owner)
    first = plane.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert 503 in (ready() for _ in range(1000))
    until(lambda: plane.pid != first and ready() == 200, 10)
    until(works, 10)
    assert "nginx ended by itself; it is started again" in caplog.text


def test_the_socket_of_the_node_is_nginx_s_and_gives_nothing_to_who_was_not_let_in(nodes: Nodes) -> None:
    path = nodes.folder(nodes.group.owner) / "own.sock"
    user = nodes.plane(nodes.owner)._nginx._owner
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_uid == (os.getuid() if user is None else user)
    assert path.parent.stat().st_uid == os.getuid()  # who may connect may not put another socket in its place
    assert not path.parent.stat().st_mode & 0o027
    forged = {
        "Fsc-Authorization": "Bearer x", "Fsc-Transaction-Id": "0199f2a4-7c1e-7000-8000-000000000001",
        "T": "here", "N": "x", "X-Ssl-Client-Cert": "x",
    }  # fmt: skip
    for headers in ({}, {**forged, "Sluis-Mark": ""}, {**forged, "Sluis-Mark": "x" * 32}):
        status, told, body = nodes.at_own_socket("GET", "/v1/offers", headers)
        assert (status, told["fsc-error-code"]) == (401, "ERROR_CODE_ACCESS_TOKEN_MISSING")
        assert json.loads(body)["domain"] == "ERROR_DOMAIN_INWAY"


def test_a_peer_cannot_bring_a_mark(nodes: Nodes) -> None:
    status, told, _ = nodes.at_inway("GET", "/v1/offers", {"Sluis-Mark": "x", "N": "x", "T": "here"})
    assert (status, told["fsc-error-code"]) == (401, "ERROR_CODE_ACCESS_TOKEN_MISSING")


def test_each_side_refuses_in_its_own_words_and_counts_it(nodes: Nodes, called: str) -> None:
    def counted(alias: str, what: str) -> float:
        text = nodes.told(alias, "/metrics")[1]
        found = [line for line in text.splitlines() if line.startswith(what + " ")]
        return float(found[0].rpartition(" ")[2]) if found else 0.0

    names = {
        "gemeente": (
            'sluis_gateway_requests_total{side="outway",class="2xx"}',
            'sluis_gateway_refusals_total{side="outway",error_type="ERROR_CODE_NO_CONTRACT"}',
            'sluis_gateway_body_size_bytes_total{side="outway",body="answer"}',
        ),
        "uwv": (
            'sluis_gateway_requests_total{side="inway",class="2xx"}',
            'sluis_gateway_refusals_total{side="inway",error_type="ERROR_CODE_ACCESS_TOKEN_MISSING"}',
            'sluis_gateway_duration_seconds_count{side="inway"}',
        ),
    }
    before = {name: counted(alias, name) for alias, some in names.items() for name in some}
    body = httpx.get(f"{nodes.outway}/loon-service/x").content
    answer = httpx.get(f"{nodes.outway}/no-such-link/x")
    assert (answer.status_code, answer.headers["fsc-error-code"]) == (403, "ERROR_CODE_NO_CONTRACT")
    assert answer.json()["domain"] == "ERROR_DOMAIN_OUTWAY"
    assert nodes.at_inway("GET", "/", {})[0] == 401
    for alias, some in names.items():
        for name in some:
            least = len(body) if "bytes" in name else 1
            wanted = before[name] + least
            until(lambda alias=alias, name=name, wanted=wanted: counted(alias, name) >= wanted, 5)


@pytest.fixture
def another(nodes: Nodes, tmp_path: Path) -> tuple[Path, int]:
    """The directory of a node that does not run yet, and the port of its inway."""
    group, port, metrics = nodes.group, free_port(), free_port()
    host = group.hosts["gemeente"]
    text = (group.asker / "node.toml").read_text().replace(host, host[:-1] + "3")
    text = text.replace(str(nodes.ports["gemeente"]), str(port))
    for name in ("group.toml", "revoked.pem"):
        text = text.replace(f"../{name}", str(group.asker.parent / name))
    write(tmp_path / "another" / "node.toml", text.replace(str(group.metrics["gemeente"]), str(metrics)))
    shutil.copytree(group.asker / "tls", tmp_path / "another" / "tls")
    return tmp_path / "another", port


def test_port_of_nginx_that_is_in_use_is_said_so(nodes: Nodes, another: tuple[Path, int]) -> None:
    directory, port = another
    with socket.create_server(("127.0.0.1", port)), pytest.raises(Conflict) as refused:
        nodes.started(directory)
    assert refused.value.code == "port-in-use"
    assert str(port) in refused.value.why.nl


def test_nginx_that_is_not_there_is_said_so(
    nodes: Nodes, another: tuple[Path, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, _ = another
    monkeypatch.setattr("sluis.gateway.planes.nginx_system._WHERE", "")
    monkeypatch.setenv("PATH", str(directory))
    with pytest.raises(Invalid) as refused:
        nodes.started(directory)
    assert refused.value.code == "no-nginx"
    assert "nginx-light" in refused.value.next.en
    assert [one.code for one in examine_node(directory / "node.toml")] == ["no-nginx"]


def test_list_of_revoked_certificates_that_nginx_finds_incomplete_is_said_so(
    nodes: Nodes, another: tuple[Path, int]
) -> None:
    directory, _ = another
    second = make_authority(directory / "second", "Andere")
    group = (directory / "group.toml").write_text
    rules = (nodes.group.asker.parent / "group.toml").read_text()
    group(rules.replace("anchors = [", f'anchors = ["{second.path}", '))
    (directory / "revoked.pem").write_bytes(revocations(nodes.group.authority))
    text = (directory / "node.toml").read_text()
    text = text.replace(str(nodes.group.asker.parent / "group.toml"), "group.toml")
    text = text.replace(str(nodes.group.asker.parent / "revoked.pem"), "revoked.pem")
    (directory / "node.toml").write_text(text)
    with pytest.raises(Invalid) as refused:
        nodes.started(directory)
    assert refused.value.code == "revocations-incomplete"
    assert "Andere" in refused.value.why.nl


@pytest.mark.prove
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_nginx_ends_with_its_node_however_that_ends(another: tuple[Path, int], how: signal.Signals) -> None:
    directory, port = another
    running = Running(directory)
    assert running.ready()["ready"]
    pid = int((directory / "var" / "node.nginx" / "nginx.pid").read_text())
    running.end(how)
    until(lambda: not Path(f"/proc/{pid}").exists(), 5)
    socket.create_server(("127.0.0.1", port)).close()
    again = Running(directory)
    assert again.ready()["ready"]
    assert again.end()[0] == 0
    assert list((directory / "var" / "node.nginx").glob("client-*")) == []


@pytest.mark.parametrize("same_key", [True, pytest.param(False, marks=pytest.mark.prove)])
def test_no_request_is_lost_while_both_sides_renew_their_certificates(
    nodes: Nodes, called: str, same_key: bool
) -> None:
    """With another key the contract for the one before goes on."""
    group = nodes.group
    with calling(nodes) as statuses:
        made = [
            renewed(directory, group.authority, same_key=same_key) for directory in (group.asker, group.owner)
        ]
        both = (nodes.asker, nodes.owner)
        until(lambda: [one.parts.certificate.identity.certificate for one in both] == made)
        before = nodes.run(without_tokens(nodes.asker)) or len(statuses)
        until(lambda: len(statuses) > before + 20)
        assert [shown_by(nodes, alias) for alias in ("gemeente", "uwv")] == made
        bound = nodes.run(bound_to(nodes.asker))
    assert set(statuses) == {200}
    assert (bound == {certificate_thumbprint(made[0])}) is same_key
    keys = list(nodes.folder(group.asker).glob("client-*"))
    assert len(keys) == 2  # of now, and of before
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}


async def without_tokens(node: Node) -> None:
    """Have the outway of a node fetch its tokens anew."""
    assert node.parts.membership is not None
    node.parts.membership.outway._tokens._places.clear()


async def bound_to(node: Node) -> set[str]:
    """The certificates that the tokens of a node are bound to."""
    assert node.parts.membership is not None
    places = node.parts.membership.outway._tokens._places.values()
    return {place.token.claims.cnf.thumbprint for place in places if place.token}


def shown_by(nodes: Nodes, alias: str) -> x509.Certificate:
    """The certificate that the inway of a node shows."""
    tls = nodes.group.asker / "tls"
    context = client_context(tls / "certificate.pem", tls / "key.pem", [nodes.group.authority.path])
    return shown_at(("127.0.0.1", nodes.ports[alias]), "localhost", context)


def test_a_program_calls_an_api_and_no_more_once_the_contract_is_revoked(nodes: Nodes, called: str) -> None:
    with NLXClient(endpoint=nodes.outway) as nlx:
        assert nlx.get(service="loon-service", path="/zones").json() == {"path": "/zones"}
        assert sluis(nodes.group.owner, "fsc", "revoke", called, "--reason", "Klaar").exit_code == 0
        with pytest.raises((InwayError, OutwayError)):
            nlx.get(service="loon-service", path="/zones")


def test_revoked_certificate_gets_in_no_more(nodes: Nodes) -> None:
    """The last here: the asker's certificate stays revoked."""
    group = nodes.group
    assert nodes.at_inway("GET", "/", {})[0] == 401
    [certificate] = read_certificates(group.asker / "tls" / "certificate.pem")
    write(group.asker.parent / "next.pem", revocations(group.authority, certificate).decode())
    (group.asker.parent / "next.pem").replace(group.asker.parent / "revoked.pem")
    until(lambda: nodes.at_inway("GET", "/", {})[0] == 400, 10)
