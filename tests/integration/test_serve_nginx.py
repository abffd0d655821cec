"""Two nodes of a group on the nginx plane, as their operators run them: questions, calls, and what goes wrong."""

import asyncio
import http.client
import os
import socket
import sqlite3
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.integration.pair import ACTIVITY, ANN, BOB, DATASET, DISCLOSURE
from tests.integration.test_fsc_commands import DATA, OFFER, WISH, Group, Hello, about, document, sluis, until
from tests.integration.test_group_asking import ask, refusal, write
from tests.servers import free_port, need

from nlx_client import NLXClient
from sluis.config import load_node
from sluis.crypto import client_context
from sluis.gateway.planes.nginx import NginxPlane
from sluis.gateway.planes.nginx_process import PROGRAM, found
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
        file.write_text(text.replace(f'[inway]\nhost = "{group.hosts[alias]}"\nport = {DATA}', f"[inway]\n{inway}"))
    return ports


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    need("nginx-light", lambda: found(PROGRAM) is not None)
    home = tmp_path_factory.mktemp("nginx")
    group = Group(home)
    ports = on_nginx(group)
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
    for directory, text in ((group.owner, OFFER % f"http://127.0.0.1:{server.server_port}"), (group.asker, WISH)):
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
    logged = document(group.owner, "fsc", "logs")
    assert {one["direction"] for one in logged} == {"DIRECTION_INCOMING"}
    assert waiting["grants"][0]["hash"] in {one["grant_hash"] for one in logged}
    assert sluis(group.owner, "fsc", "revoke", waiting["hash"], "--reason", "Taak vervallen").exit_code == 0
    assert ask(group.asker)[0] != 0


def test_a_program_calls_an_api_and_no_more_once_the_contract_is_revoked(nodes: Nodes, called: str) -> None:
    with NLXClient(endpoint=nodes.outway) as nlx:
        assert nlx.get(service="loon-service", path="/zones").json() == {"path": "/zones"}
