"""A full disk: a small file system that is filled up, or where none can be mounted a process that may write no file.
Nothing leaves, nothing is lost, and once there is room all goes on by itself. Persons are fictitious."""

import json
import os
import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from tests.integration.nodes import Hosted, Running, until
from tests.integration.pair import BOB, Pair, verified

from sluis.config import load_node
from sluis.ledger import Log
from sluis.store import open_store


def _mount(path: Path) -> None:
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(path)]
    subprocess.run(command, capture_output=True, check=True)


def _emptied(database: Path) -> bool:
    with closing(sqlite3.connect(database)) as connection:
        return bool(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)


class Mounted:
    """Directories that are file systems of eight megabytes, filled to the last byte."""

    def __init__(self, pair: Pair) -> None:
        self._mounted: list[Path] = []
        for directory in (pair.asker, pair.owner):
            for name in ("var", "keys"):
                self._mount(directory / name)

    def _mount(self, path: Path) -> None:
        path.mkdir(exist_ok=True)
        _mount(path)
        self._mounted.append(path)

    @contextmanager
    def full(self, directory: Path, node: Running | Hosted | None = None) -> Iterator[None]:
        """No room in this directory, and none in what the write-ahead log of a database may be written over again."""
        for database in directory.glob("*.db"):
            until(partial(_emptied, database))
        ballast = directory / "ballast"
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        yield
        ballast.unlink()

    def end(self) -> None:
        for path in self._mounted:
            subprocess.run(["umount", path], check=True)


class Limited:
    """A process that may write to no file: what can be had without being root."""

    def __init__(self, pair: Pair) -> None:
        self._hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

    @contextmanager
    def full(self, directory: Path, node: Running | Hosted | None = None) -> Iterator[None]:
        """No room for this node; without one, for those that are started meanwhile."""
        assert not isinstance(node, Hosted)
        process = node.process.pid if node is not None else os.getpid()
        before = resource.prlimit(process, resource.RLIMIT_FSIZE, (0, self._hard))
        yield
        resource.prlimit(process, resource.RLIMIT_FSIZE, before)

    def end(self) -> None:
        pass


Disk = Mounted | Limited


@pytest.fixture(scope="module")
def kind(tmp_path_factory: pytest.TempPathFactory) -> type[Disk]:
    """A real file system; a limit on files stands in for it where none can be mounted."""
    tried = tmp_path_factory.mktemp("tried")
    try:
        _mount(tried)
    except (OSError, subprocess.CalledProcessError):
        return Limited
    subprocess.run(["umount", tried], check=True)
    return Mounted


@pytest.fixture
def pair(tmp_path: Path, kind: type[Disk]) -> Pair:
    return Pair(tmp_path, kind=Hosted if kind is Mounted else Running)


@pytest.fixture
def disk(kind: type[Disk], pair: Pair) -> Iterator[Disk]:
    made = kind(pair)
    yield made
    pair.end()
    made.end()


def consulted(directory: Path) -> int:
    """The number of lines about a person in the log of a node; other lines come by themselves."""
    store = open_store(load_node(directory, environ={}).config.store.url)
    try:
        log = Log(store)
        lines = [json.loads(log.stored(index).json or b"{}") for index in range(log.size())]
    finally:
        store.close()
    return sum(line["kind"] == "processing" for line in lines)


@pytest.mark.parametrize("name", ["var", "keys"])
def test_a_node_does_not_start_on_a_full_disk_and_says_so(pair: Pair, disk: Disk, name: str) -> None:
    with disk.full(pair.owner / name):
        node = Running(pair.owner)
        output, errors = node.process.communicate(timeout=120)
    assert (output, node.process.returncode) == ("", 6)
    assert "Traceback" not in errors
    assert "→" in errors
    pair.start(Hosted)
    assert pair.ask()[0] == 200


def test_a_disk_that_fills_up_at_the_asker_stops_questions_before_anybody_is_asked(
    pair: Pair, disk: Disk
) -> None:
    pair.start()
    assert pair.ask()[0] == 200
    asked = consulted(pair.owner)
    assert asked
    with disk.full(pair.asker / "var", pair.running[1]):
        for _ in range(3):
            status, problem = pair.ask(BOB)
            assert (status, problem["code"]) == (503, "store-unavailable")
    assert consulted(pair.owner) == asked
    assert pair.ask(BOB)[1]["rows"] == [["Bob"]]
    assert pair.end() == [0, 0]
    for directory in (pair.asker, pair.owner):
        verified(directory)


def test_a_disk_that_fills_up_at_the_owner_gives_nothing_away(pair: Pair, disk: Disk) -> None:
    pair.start()
    assert pair.ask()[0] == 200
    with disk.full(pair.owner / "var", pair.running[0]):
        for _ in range(3):
            status, problem = pair.ask(BOB)
            assert status in (502, 503)
            assert "rows" not in problem
    assert pair.ask(BOB)[1]["rows"] == [["Bob"]]
    assert pair.end() == [0, 0]
    for directory in (pair.asker, pair.owner):
        verified(directory)
