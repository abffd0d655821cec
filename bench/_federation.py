"""A federation to measure: a node that asks and nodes that own data, each a process of its own (`sluis serve`), peers of
one FSC group with certificates of a test authority, a contract for each purpose, and logs on disk on both sides.
Everything is written anew under `var/bench/nodes`, so that every measurement starts with empty logs.
"""

import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from _servers import HOST, VAR, free_port
from sluis.crypto import Authority, make_authority
from sluis.grounds import Activity, Dataset, Disclosure, EventType, Notice, render, render_tables
from sluis.kernel import PeerId

_READY = 30.0
"""Seconds that nodes get to start."""
_STOP = 15.0
_SALT = 16
"""Bytes before a record in the ledger's `salted`."""


@dataclass(frozen=True)
class Organisation:
    """Who takes part: an owner with its database and what it opens, or (without these) the one that asks."""

    alias: str
    oin: PeerId
    name: str
    database: str | None = None
    datasets: Sequence[Dataset] = ()
    disclosures: Sequence[Disclosure] = ()
    events: Sequence[EventType] = ()
    notices: Sequence[Notice] = ()


@dataclass(frozen=True)
class Node:
    """A running node: whose it is, its directory, its people's socket and its process."""

    organisation: Organisation
    directory: Path
    manager: int
    inway: int
    outway: int
    socket: Path
    processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    @property
    def pid(self) -> int:
        return self.processes[-1].pid

    def memory(self) -> float:
        """Resident memory, MiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise SystemExit(f"node {self.organisation.alias} ended; see {self.directory / 'node.log'}")

    def cpu(self) -> float:
        """Processor time used since the start, seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def bytes_read(self) -> int:
        """Bytes read from files and sockets since the start."""
        return int(Path(f"/proc/{self.pid}/io").read_text().split()[1])

    def records(self, trace: str) -> list[dict[str, Any]]:
        """What stands in this node's ledger about one question, read straight from its database."""
        found = []
        with closing(sqlite3.connect(f"file:{self.directory}/var/node.db?mode=ro", uri=True)) as database:
            for (salted,) in database.execute("SELECT salted FROM ledger_records ORDER BY idx"):
                record = msgspec.json.decode(salted[_SALT:])
                if record.get("trace_id") == trace:
                    found.append(record)
        return found


class Official:
    """A person who asks: a warm connection to the socket of their own node. One question at a time."""

    def __init__(self, path: Path, activity: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(600)
        self._socket.connect(str(path))
        self._activity = activity

    def ask(self, sql: str, parameters: dict[str, Any]) -> tuple[dict[str, Any], float]:
        """Ask a question; the answer and how long it took, milliseconds."""
        request = asking(sql, self._activity, parameters)
        began = time.perf_counter()
        self._socket.sendall(request)
        answer = self._answer()
        return answer, (time.perf_counter() - began) * 1000

    def _answer(self) -> dict[str, Any]:
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        status, length = status_and_length(received[:end])
        parts, missing = [received[end + 4 :]], length - (len(received) - end - 4)
        while missing > 0:
            part = self._more()
            parts.append(part)
            missing -= len(part)
        return decoded(status, b"".join(parts))

    def _more(self) -> bytes:
        part = self._socket.recv(1 << 18)
        if not part:
            raise SystemExit("the asking node closed the connection")
        return part

    def close(self) -> None:
        """Go home."""
        self._socket.close()


def asking(sql: str, activity: str, parameters: dict[str, Any]) -> bytes:
    """A question as an HTTP request."""
    body = json.dumps(
        {"sql": sql, "activity": activity, "case": "METING-1", "parameters": parameters}
    ).encode()
    head = (
        "POST /v1/questions HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def status_and_length(head: bytes) -> tuple[int, int]:
    """Of an answer's head: its status, and the bytes in its body."""
    lines = head.decode("latin-1").split("\r\n")
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            return int(lines[0].split()[1]), int(value)
    raise SystemExit(f"an answer without length: {lines[0]}")


def decoded(status: int, body: bytes) -> dict[str, Any]:
    """The document in an answer. Any status but 200 ends the measurement."""
    if status != 200:
        raise SystemExit(f"the question was refused ({status}): {body.decode()[:2000]}")
    answer: dict[str, Any] = msgspec.json.decode(body)
    return answer


@dataclass(frozen=True)
class Federation:
    """Nodes that run."""

    asker: Node
    owners: dict[str, Node]

    def __iter__(self) -> Iterator[Node]:
        return iter((self.asker, *self.owners.values()))

    def official(self, activity: str) -> Official:
        """Someone at the asking organisation, who asks for one purpose."""
        return Official(self.asker.socket, activity)


@contextmanager
def federation(
    asker: Organisation,
    owners: Sequence[Organisation],
    activities: Sequence[Activity],
    wrapped: dict[str, list[str]] | None = None,
) -> Iterator[Federation]:
    """Write the nodes' directories, start them, and stop them at the end.

    Args:
        asker: who asks.
        owners: who is asked.
        activities: what for; the asker's register, known to all.
        wrapped: per alias, what stands between `python` and `sluis serve …` instead of `-m`, to watch a node.
    """
    folder = VAR / "nodes"
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="sluis-") as sockets:  # a socket's path must be short
        nodes = [
            Node(one, folder / one.alias, free_port(), free_port(), free_port(), Path(sockets) / one.alias)
            for one in (asker, *owners)
        ]
        authority = make_authority(folder / "authority", "Testautoriteit van de metingen (fictief)")
        _write_group(folder / "group.toml", nodes, authority)
        for node in nodes:
            _write(node, nodes, activities, authority)
        try:
            for node in nodes:
                node.processes.append(_start(node, (wrapped or {}).get(node.organisation.alias, ["-m"])))
            _wait(nodes)
            _agree(nodes[0], nodes[1:], activities)
            yield Federation(nodes[0], {node.organisation.alias: node for node in nodes[1:]})
        finally:
            _stop([process for node in nodes for process in node.processes])


def _write_group(file: Path, nodes: Sequence[Node], authority: Authority) -> None:
    """The rules of the group; the asking node keeps its directory."""
    rules = {
        "id": "metingen",
        "anchors": [str(authority.path)],
        "ports": sorted({443, 8443, *(node.manager for node in nodes)}),
        "directory": {
            "peer": str(nodes[0].organisation.oin),
            "address": f"https://{HOST}:{nodes[0].manager}",
        },
    }
    file.write_text(render_tables(rules), encoding="utf-8")


def _agree(asker: Node, owners: Sequence[Node], activities: Sequence[Activity]) -> None:
    """A contract with each owner for each activity that it opens anything for: requested, and signed by the owner."""
    wanted = [
        (owner, activity)
        for owner in owners
        for activity in activities
        if any(one.activity == activity.id and one.recipient == asker.organisation.oin
               for one in (*owner.organisation.disclosures, *owner.organisation.notices))
    ]  # fmt: skip
    agreed = [
        (owner, _until(_requested, asker, owner.organisation.alias, activity.id))
        for owner, activity in wanted
    ]
    for owner, contract in agreed:
        path = f"/v1/group/contracts/{quote(contract, safe='')}/signatures"
        _until(_call, owner, "POST", path, {"action": "accept"})
    for _, contract in agreed:
        _until(_is_valid, asker, contract)


def _requested(asker: Node, alias: str, activity: str) -> str | None:
    body = _call(asker, "POST", "/v1/group/requests", {"organisation": alias, "activity": activity})
    return None if body is None else str(body["outcomes"][0]["contract"])


def _is_valid(node: Node, contract: str) -> bool:
    found = _call(node, "GET", f"/v1/group/contracts/{quote(contract, safe='')}", None)
    return found is not None and found["state"] == "valid"


def _until(work: Any, *arguments: Any) -> Any:
    """What `work` gives once it gives anything."""
    deadline = time.monotonic() + _READY
    while not (found := work(*arguments)):
        if time.monotonic() > deadline:
            raise SystemExit(f"{work.__name__} did not come about")
        time.sleep(0.05)
    return found


def _call(node: Node, method: str, path: str, body: Any) -> Any:
    """A request of the node's own operator; None when it was refused."""
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(_READY)
    try:
        connection.sock.connect(str(node.socket))
        connection.request(method, path, json.dumps(body) if body is not None else None)
        answer = connection.getresponse()
        document = json.loads(answer.read())
    finally:
        connection.close()
    return document if answer.status < 300 else None


def _write(node: Node, nodes: Iterable[Node], activities: Sequence[Activity], authority: Authority) -> None:
    own = node.organisation
    certificate, key = authority.issue(node.directory / "tls", own.oin, own.name, (HOST,))
    settings = {
        "node": {
            "oin": str(own.oin),
            "name": own.name,
            "alias": own.alias,
            "url": f"https://{HOST}:{node.manager}",
            "environment": "test",
        },
        "listen": {"socket": str(node.socket)},
        "limits": {"answer_megabytes": 512},  # TPC-H joins whole tables
        "fsc": {"group": "../group.toml"},
        "manager": {"host": HOST, "port": node.manager},
        "inway": {"host": HOST, "port": node.inway},
        "outway": {"host": HOST, "port": node.outway},
        "tls": {"certificate": str(certificate), "key": str(key), "authorities": [str(authority.path)]},
        "sources": {"register": {"url": own.database}} if own.database else {},
        "people": {
            "official": {
                "os_user": pwd.getpwuid(os.getuid()).pw_name,
                "roles": ["fsc-admin", "event-admin", "event-publisher"],
            }
        },
        "peers": {
            other.organisation.alias: {
                "oin": str(other.organisation.oin),
                "name": other.organisation.name,
            }
            for other in nodes
            if other is not node
        },
    }
    (node.directory / "node.toml").write_text(render_tables(settings), encoding="utf-8")
    (node.directory / "node.toml").chmod(0o600)
    for kind, items in (
        ("datasets", {one.name: one for one in own.datasets}),
        ("activities", {one.id.rpartition("/")[2]: one for one in activities}),
        ("disclosures", {one.id: one for one in own.disclosures}),
        ("event-types", {one.type: one for one in own.events}),
        ("notices", {one.id: one for one in own.notices}),
    ):
        (node.directory / kind).mkdir()
        for name, item in items.items():
            (node.directory / kind / f"{name}.toml").write_text(render(item), encoding="utf-8")
    (node.directory / "var").mkdir()


def _start(node: Node, wrapping: list[str]) -> "subprocess.Popen[bytes]":
    # Nodes end with this script, also when it is killed outright.
    guard = [program, "--pdeathsig", "TERM"] if (program := shutil.which("setpriv")) else []
    command = [*guard, sys.executable, *wrapping, "sluis", "serve", "--node", str(node.directory)]
    with (node.directory / "node.log").open("ab") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def _wait(nodes: Iterable[Node]) -> None:
    deadline = time.monotonic() + _READY
    for node in nodes:
        while not _listens(node.socket):
            if node.processes[-1].poll() is not None or time.monotonic() > deadline:
                log = (node.directory / "node.log").read_text(errors="replace")
                raise SystemExit(f"node {node.organisation.alias} did not start:\n{log[-4000:]}")
            time.sleep(0.05)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _stop(processes: "Sequence[subprocess.Popen[bytes]]") -> None:
    for process in processes:
        process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + _STOP
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
