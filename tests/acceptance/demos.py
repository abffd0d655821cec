"""The demo as somebody starts it: told once, or staying up."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

SECONDS = 120


def start(home: Path, *options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "sluis", "demo", "--home", str(home), "--language", "nl", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


def once(home: Path, *options: str) -> tuple[int, str, str]:
    outcome = ended(start(home, "--once", *options))
    assert running(home) == [], "the demo left something running"
    return outcome


def running(home: Path) -> list[int]:
    """Processes that were started for the demo in `home`, this test's own aside."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if str(home).encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def nodes(home: Path) -> list[int]:
    """The processes of nodes: the nursery's children."""
    started = set(running(home))
    return [pid for pid in started if (Path(f"/proc/{pid}/comm").read_text()).startswith("sluis ")]


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def told(process: "subprocess.Popen[str]") -> str:
    """The story, until it says that it stays up."""
    assert process.stdout is not None
    story = ""
    for line in process.stdout:
        story += line
        if "Ctrl-C" in line:
            return story
    raise AssertionError(f"the story broke off: {process.communicate()[1]}")


class Up(NamedTuple):
    """A demo that has told its story and stays up, in the folder where the documents look for it."""

    home: Path
    process: "subprocess.Popen[str]"
    story: str

    @property
    def folder(self) -> Path:
        return self.home.parents[1]


@contextmanager
def staying_up(home: Path, *options: str) -> Iterator[Up]:
    with start(home, "--no-chain", *options) as process:
        try:
            yield Up(home, process, told(process))
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGINT)


def portal_of(up: Up) -> str:
    return " ".join(up.story.split()).partition("op deze computer: ")[2].split()[0]
