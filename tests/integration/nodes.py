"""Node directories, alone or as the two peers of one group, and nodes that run from them: as a process, or within this
one. Names and numbers are fictitious."""

import asyncio
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.integration.managers import DATA, MANAGEMENT

from sluis.config import load_node
from sluis.crypto import Authority, make_authority
from sluis.kernel import PeerId, Problem
from sluis.serve import Node, build_node

ASKER, OWNER = PeerId("00000001001000001000"), PeerId("00000001826002785000")
ME = pwd.getpwuid(os.getuid()).pw_name

NODE_TOML = """
[node]
oin = "{oin}"
name = "{alias} (fictief)"
alias = "{alias}"
url = "https://{host}:{management}"
environment = "test"

[tls]
authorities = ["{authority}"]

[peers.{other}]
oin = "{other_oin}"
name = "{other} (fictief)"

[ledger]
witnesses = ["{other}"]

[people.tester]
os_user = "{me}"
roles = ["privacy-officer", "fsc-admin"]
"""

MEMBER_TOML = """
[manager]
host = "{host}"
port = {management}

[inway]
host = "{host}"
port = {data}

[outway]
host = "{host}"

[fsc]
group = "../group.toml"
"""

RULES = """
id = "test-groep"
anchors = ["{authority}"]
ports = [443, 8443, {management}]

[directory]
peer = "{directory}"
address = "https://{host}:{management}"
"""


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@cache
def own_network() -> tuple[str, socket.socket]:
    """A network of loopback addresses for this process alone, `127.21.x.`, and what keeps others from it. Ports that the
    system gives out itself cannot be kept for a node that does not run yet."""
    for number in range(os.getpid(), os.getpid() + 250):
        network, mark = f"127.21.{number % 250 + 1}.", socket.socket(type=socket.SOCK_DGRAM)
        try:
            mark.bind((f"{network}1", MANAGEMENT))
        except OSError:
            mark.close()
            continue
        return network, mark
    raise OSError("every address is taken")


class Federation:
    """Two node directories under one authority; with `group`, peers of one group whose directory the owner keeps."""

    def __init__(self, home: Path, *, group: bool = False) -> None:
        self.home = home
        self.authority: Authority = make_authority(home / "authority", "Groep")
        network, _ = own_network()
        self.hosts = {"gemeente": f"{network}1", "uwv": f"{network}2"}
        if group:
            rules = RULES.format(
                authority=self.authority.path, directory=str.__str__(OWNER), host=self.hosts["uwv"], management=MANAGEMENT
            )  # fmt: skip
            (home / "group.toml").write_text(rules)
        template = NODE_TOML + MEMBER_TOML if group else NODE_TOML
        self._write(self.asker, template, ASKER, "gemeente", "uwv", OWNER)
        self._write(self.owner, template, OWNER, "uwv", "gemeente", ASKER)

    @property
    def asker(self) -> Path:
        return self.home / "asker"

    @property
    def owner(self) -> Path:
        return self.home / "owner"

    def address(self, alias: str, part: str) -> str:
        """Where others reach the Manager or inway of a node."""
        return f"https://{self.hosts[alias]}:{MANAGEMENT if part == 'manager' else DATA}"

    def copied(self, home: Path) -> "Federation":
        """The same group in another place, with all it has agreed on; not for use beside this one."""
        shutil.copytree(self.home, home, dirs_exist_ok=True)
        other = object.__new__(Federation)
        other.home, other.authority, other.hosts = home, self.authority, self.hosts
        return other

    def _write(
        self, directory: Path, template: str, oin: PeerId, alias: str, other: str, other_oin: PeerId
    ) -> None:
        directory.mkdir()
        text = template.format(
            oin=str.__str__(oin), alias=alias, other=other, other_oin=str.__str__(other_oin), me=ME,
            authority=self.authority.path, host=self.hosts[alias], management=MANAGEMENT, data=DATA,
        )  # fmt: skip
        (directory / "node.toml").write_text(text)
        self.authority.issue(directory / "tls", oin, f"{alias} (fictief)", [self.hosts[alias], "localhost"])


def build(directory: Path, moment: datetime | None = None) -> Node:
    """A node that does not listen yet."""
    loaded = load_node(directory, environ={})
    return build_node(loaded) if moment is None else build_node(loaded, lambda: moment)


def refused(directory: Path, moment: datetime | None = None) -> Problem:
    """Why a node does not start."""
    with pytest.raises(Problem) as problem:
        build(directory, moment)
    assert problem.value.next.nl
    return problem.value


class Socket(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("node")
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self.path))


def local(directory: Path, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """What a running node answers a person of its own."""
    connection = Socket(directory / "var" / "node.sock")
    connection.request(method, path, json.dumps(body) if body is not None else None)
    answer = connection.getresponse()
    document = json.loads(answer.read())
    connection.close()
    return answer.status, document


def until(holds: Callable[[], Any], seconds: float = 20) -> Any:
    """What comes to hold, once it does."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.02)
    return found


def agreed(home: Path) -> Federation:
    """A group whose nodes have the contracts between them, and stopped since."""
    group = Federation(home, group=True)
    running = [Hosted(group.owner), Hosted(group.asker)]
    try:
        for one in running:
            one.ready()
        for one, other in zip(running, (ASKER, OWNER), strict=True):
            # A push that is lost heals within half a minute.
            until(lambda one=one, other=other: connected(one.node, other), 60)
    finally:  # not before: the contract of one is signed by the other
        for one in running:
            one.end()
    return group


def connected(node: Node, peer: PeerId) -> bool:
    """Whether a node has the contract under which it reads what a peer offers."""
    assert node.parts.membership is not None
    return bool(node.parts.membership.contracts.connections(peer, "sluis", int(time.time())))


async def reach(asker: Node) -> str:
    """What comes of the asker's own request for the owner's card: `200`, or the code of the problem."""
    try:
        async with asker.parts.link.send(OWNER, "GET", "/v1/node", {}, b"", 5) as answer:
            async for _ in answer.body:
                pass
            return str(answer.status)
    except Problem as problem:
        return problem.code


PATIENCE = 120
"""Seconds for a process to start and end on a machine that does much else."""


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
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors


async def settled() -> None:
    """As at the end of a process: what still goes on is cancelled, and what is still open is closed, also connections
    that are being made, which neither side's node knows of yet."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    loop: Any = asyncio.get_running_loop()
    left = [one for one in loop._transports.values() if one._loop is not None]  # else it was lost already
    for transport in left:
        transport.abort()
    if left:
        await asyncio.sleep(0.05)


_BUILDING = threading.Lock()
"""Two threads in which msgspec meets a type for the first time at once, end the process (a null pointer in its core)."""


class Hosted:
    """The same within this process, on a loop and thread of its own: what it keeps and answers is no other, and it is
    there at once. It ends in peace only."""

    def __init__(self, directory: Path) -> None:
        self.directory, self._up, self._failure = directory, threading.Event(), None
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._live)
        self._thread.start()

    def ready(self) -> dict[str, Any]:
        self._up.wait()
        if self._failure is not None:
            raise self._failure
        return {"ready": True}

    def end(self, signaled: int = signal.SIGTERM) -> tuple[int, str]:
        assert signaled == signal.SIGTERM
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._loop.close()
        return 0, ""

    def _live(self) -> None:
        self._loop.run_until_complete(self._run())

    async def _run(self) -> None:
        try:
            with _BUILDING:
                self.node = build(self.directory)
            await self.node.start()
        except Problem as problem:
            self._failure = problem
            return
        finally:
            self._up.set()
        await self._stopping.wait()
        await self.node.stop()
        await settled()
