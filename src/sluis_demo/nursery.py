"""Seven `sluis serve` processes that start fast on a small machine: what they have in common is loaded once.

Run as `python -m sluis_demo.nursery HOME`. It loads the code of a node, reads node directories from its input, one a
line, and forks a process for each, which runs the command `sluis serve --node DIR` with its output in `DIR/node.log`.
A directory with `-` before it is of a node to kill outright, as a failure of power would. When one ends by itself, its
directory is printed and the others are stopped. SIGTERM stops all; a node also stops when this process dies. HOME is there
for people who look at the list of processes.
"""

import ctypes
import gc
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import NamedTuple, Never

LOG = "node.log"
STOPPING = 10.0
"""Seconds that nodes get to stop, before they are killed."""

_INPUT = 0
_PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> int:
    """Run a node for each directory until SIGTERM. Returns 0, or 1 when a node ended by itself."""
    _load()

    children: dict[Path, _Child] = {}
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        print(_mind(children), flush=True)
        return 1
    except InterruptedError:
        return 0
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # they are being stopped already
        _stop([child.pid for child in children.values()])


class _Child(NamedTuple):
    """A process, and what becomes readable when it ends (pidfd_open(2))."""

    pid: int
    watch: int


def _mind(children: dict[Path, _Child]) -> Path:
    """Do as the input says, and give the directory of the first node that ends by itself."""
    poll, heard = select.poll(), b""
    poll.register(_INPUT, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor != _INPUT:
                return next(place for place, child in children.items() if child.watch == descriptor)
            piece = os.read(_INPUT, 65_536)
            if not piece:
                poll.unregister(_INPUT)
            *lines, heard = (heard + piece).split(b"\n")
            for line in lines:
                _obey(line.decode(), children, poll)


def _obey(line: str, children: dict[Path, _Child], poll: select.poll) -> None:
    directory = Path(line.removeprefix("-"))
    with _uninterrupted():
        if not line.startswith("-"):
            pid = _fork(directory)
            children[directory] = _Child(pid, os.pidfd_open(pid))
            poll.register(children[directory].watch, select.POLLIN)
            return
        child = children.pop(directory)
        poll.unregister(child.watch)
        os.close(child.watch)
        os.kill(child.pid, signal.SIGKILL)
        os.waitpid(child.pid, 0)


def _load() -> None:
    """Load what every node needs, also what it would load at its first request, so that every fork has it.

    It stays, so that no collection of a fork looks through it, and has all its pages copied (gc.freeze).
    """
    for module in ("sqlalchemy.dialects.sqlite", "sluis.cli.serve", "sluis.sources.sqlite"):
        import_module(module)
    from sluis.serve import published

    published()
    gc.collect()
    gc.freeze()


def _interrupt(number: int, frame: FrameType | None) -> Never:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise InterruptedError


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """SIGTERM waits: what a signal raises within a fork is lost, and the child would not be known yet."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _fork(directory: Path) -> int:
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(code)
        Path("/proc/self/comm").write_text(f"sluis {directory.name}"[:15], encoding="utf-8")
        _redirect(directory / LOG)
        code = _serve(directory)
    finally:
        os._exit(code)


def _redirect(log: Path) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _serve(directory: Path) -> int:
    from sluis.cli import main as command

    try:
        command(["serve", "--node", str(directory)], prog_name="sluis")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _stop(children: list[int]) -> None:
    for child in children:
        os.kill(child, signal.SIGTERM)
    deadline = time.monotonic() + STOPPING
    while children:
        for child in list(children):
            if os.waitpid(child, os.WNOHANG)[0]:
                children.remove(child)
            elif time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
