"""Acknowledged means kept: a node killed at a random moment loses nothing it acknowledged, and keeps nothing twice.

`kill -9` does not test a power cut, because the page cache survives it; that the fsync comes before the
acknowledgement is asserted apart, by the order of system calls.
"""

import asyncio
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from tests.servers import missing
from tests.unit.ledger.examples import opened, processing

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["sluis.ledger", "tests.unit.ledger.examples"])


def append_for_ever(directory: Path, acknowledged: Connection) -> None:
    """Sixteen waiting writers; each span id goes to the parent after it was acknowledged."""

    async def writer() -> None:
        while True:
            records = [processing("a") for _ in range(random.choice((1, 1, 1, 20)))]
            position = await ledger.append(records)
            acknowledged.send((position.index, [record.span_id for record in records]))

    async def writers() -> None:
        await asyncio.gather(*[writer() for _ in range(16)])

    with opened(directory) as (_, ledger):
        asyncio.run(writers())


def spans(directory: Path) -> list[str]:
    with opened(directory) as (_, ledger):
        log = ledger.log
        return [json.loads(log.stored(index).json or b"")["span_id"] for index in range(log.size())]


def kill_often(directory: Path, kills: int) -> None:
    told: dict[str, int] = {}
    for _ in range(kills):
        ours, theirs = PROCESSES.Pipe(duplex=False)
        child = PROCESSES.Process(target=append_for_ever, args=(directory, theirs))
        child.start()
        theirs.close()
        end = time.monotonic() + random.uniform(0.05, 0.4)
        try:
            while time.monotonic() < end or not told:
                if ours.poll(0.01):
                    index, names = ours.recv()
                    told.update({name: index - len(names) + 1 + at for at, name in enumerate(names)})
            os.kill(child.pid or 0, signal.SIGKILL)
            while True:  # what was acknowledged before the signal still lies in the pipe
                index, names = ours.recv()
                told.update({name: index - len(names) + 1 + at for at, name in enumerate(names)})
        except EOFError:
            pass
        child.join()
    kept = spans(directory)
    places = {name: index for index, name in enumerate(kept)}
    assert len(places) == len(kept), "a record was doubled"
    assert {name: places.get(name) for name in told} == told, "an acknowledged record was lost or moved"
    with opened(directory) as (_, ledger):
        assert asyncio.run(ledger.verify()).faults == ()


def test_five_kills_lose_nothing(tmp_path: Path) -> None:
    kill_often(tmp_path, 5)


@pytest.mark.prove
def test_two_hundred_kills_lose_nothing(tmp_path: Path) -> None:
    kill_often(tmp_path, 200)


WRITE_THREE = """
import sys
from pathlib import Path
from tests.unit.ledger.examples import appended, opened, processing
with opened(Path(sys.argv[1])) as (_, ledger):
    for number in range(3):
        appended(ledger, [processing("a")])
        print(f"acknowledged {number}", flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="strace is Linux's")
def test_every_acknowledgement_comes_after_a_sync(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        missing("strace is not installed; as root: apt-get install strace")
    trace = tmp_path / "trace"
    command = [
        strace,
        "-f",
        "-e",
        "trace=fdatasync,fsync,write",
        "-o",
        str(trace),
        sys.executable,
        "-c",
        WRITE_THREE,
    ]
    ran = subprocess.run([*command, str(tmp_path / "node")], capture_output=True, text=True, check=False)
    if "ptrace" in ran.stderr:
        missing("this machine does not allow strace")
    assert ran.returncode == 0, ran.stderr
    lines = trace.read_text().splitlines()
    told = [at for at, line in enumerate(lines) if "acknowledged" in line and "write(1" in line]
    assert len(told) == 3
    for before, at in zip([told[0] - 20, *told], told, strict=False):
        assert any("sync(" in line for line in lines[max(0, before) : at])
