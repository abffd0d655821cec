"""The nodes as processes: started together, watched, and stopped by process id whatever happens.

They are the children of a `nursery` in a session of its own, so that Ctrl-C reaches only this process, which then stops
the others. Where Debian's `setpriv` is there, they also end when this process is killed outright.
"""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Never

import msgspec

from sluis.kernel import Conflict, Problem, Text, Upstream
from sluis_demo.agreements import Agreed, agree
from sluis_demo.databases import Server
from sluis_demo.earlier import write_earlier
from sluis_demo.federation import Federation, Options, Place, set_up
from sluis_demo.nursery import LOG, STOPPING

READY = 60.0
"""Seconds that nodes get to start."""


class Running(msgspec.Struct):
    """A federation that is up: its nodes, the process they are children of, who stays down, and what was agreed on."""

    federation: Federation
    nursery: "subprocess.Popen[str]"
    down: tuple[str, ...]
    started_in: float
    """Seconds from the start of the set-up until every node answered and every contract was signed."""
    ending: ExitStack
    """What is still to be stopped at the end, before the nodes are."""
    options: Options
    """What the demo was asked to do."""
    contracts: tuple[Agreed, ...] = ()
    later: tuple[Place, ...] = ()
    """Nodes that started when those of the federation were there."""

    def begin(self, places: Iterable[Place]) -> None:
        """Start these nodes too."""
        self._tell(f"{place.directory}\n" for place in places)

    def kill(self, place: Place) -> None:
        """End a node as a failure would, without a word; `begin` starts it again. Waits until it is gone: who waits for it to
        listen again must not find it as it was. Raises `Upstream`."""
        self._tell([f"-{place.directory}\n"])
        self._until(listening=False, places=[place])

    def wait(self, places: Iterable[Place]) -> None:
        """Until every one of these listens for its own people. Raises `Upstream`."""
        self._until(listening=True, places=places)

    def _until(self, listening: bool, places: Iterable[Place]) -> None:
        deadline = time.monotonic() + READY
        waiting = list(places)
        while waiting := [place for place in waiting if _listens(place.socket) != listening]:
            if (alias := self.dead()) is not None:
                raise _ended(self, alias)
            if time.monotonic() > deadline:
                raise _ended(self, waiting[0].alias)
            time.sleep(0.05)

    def _tell(self, lines: Iterable[str]) -> None:
        if self.nursery.stdin is None:
            raise TypeError("the nursery was started without input")
        self.nursery.stdin.writelines(lines)
        self.nursery.stdin.flush()

    def dead(self) -> str | None:
        """The alias of a node that ended by itself, None while all run."""
        if self.nursery.poll() is None or self.nursery.stdout is None:
            return None
        return Path(self.nursery.stdout.read().strip()).name


@contextmanager
def running(options: Options, down: tuple[str, ...]) -> Iterator[Running]:
    """Set up, start the nodes, and stop everything at the end.

    Raises: Invalid, Conflict, Upstream when the federation cannot be set up or started.
    """
    begin = time.monotonic()
    with ExitStack() as clean:
        clean.enter_context(_terminating())
        clean.enter_context(_alone(options.home))
        servers: list[Server] = []
        clean.callback(_halt, servers)
        nursery = _nursery(options.home)
        clean.callback(_stop, nursery)
        federation = set_up(options, servers)
        write_earlier(federation.asker)
        up = [place for place in federation.places if place.alias not in down]
        one = Running(federation, nursery, down, 0.0, clean.enter_context(ExitStack()), options)
        # Beside the nodes that start: what they read of each other then says how large and how new everything is.
        measuring = one.ending.enter_context(ThreadPoolExecutor(1))
        measuring.submit(_measure, up)
        _start(up, one)
        one.contracts = _agree(one, up)
        one.started_in = time.monotonic() - begin
        yield one


def stay(one: Running) -> Never:
    """Stay up until Ctrl-C. Raises: Upstream when a node ends by itself."""
    while True:
        time.sleep(0.5)
        if (alias := one.dead()) is not None:
            raise _ended(one, alias)


def _nursery(home: Path) -> "subprocess.Popen[str]":
    """Started first: it loads code while the registers are made."""
    guard = [program, "--pdeathsig", "TERM"] if (program := shutil.which("setpriv")) else []
    command = [*guard, sys.executable, "-m", "sluis_demo.nursery", str(home)]
    return subprocess.Popen(  # noqa: S603 - this very program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, text=True
    )


def _start(up: list[Place], one: Running) -> None:
    """The directory first: whoever finds it at once need not try again later."""
    directory = one.federation.asker
    one.begin([directory])
    one.wait([directory])
    others = [place for place in up if place is not directory]
    one.begin(others)
    one.wait(others)


def _measure(places: list[Place]) -> None:
    """Measure what every node offers, as its operator would. The demo goes on without."""
    from sluis.cli.source import measure_datasets  # loads the readers of all kinds of sources

    for place in places:
        with suppress(Problem):
            measure_datasets(place.directory)


def _agree(one: Running, up: list[Place]) -> tuple[Agreed, ...]:
    asker = one.federation.asker
    try:
        return agree(asker, [place for place in up if place is not asker])
    except Upstream as problem:
        if problem.code in ("node-not-running", "node-broke-off"):
            with suppress(subprocess.TimeoutExpired):
                one.nursery.wait(2 * STOPPING)  # it stops the others first
        if (alias := one.dead()) is not None:
            raise _ended(one, alias) from None
        raise


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _halt(servers: list[Server]) -> None:
    for server in servers:
        server.stop()


def _stop(nursery: "subprocess.Popen[str]") -> None:
    """End the nodes by way of their parent, which kills what does not end."""
    with nursery:
        nursery.terminate()
        try:
            nursery.wait(2 * STOPPING)
        except subprocess.TimeoutExpired:
            nursery.kill()


@contextmanager
def _terminating() -> Iterator[None]:
    """SIGTERM ends this process as Ctrl-C does: by way of every `finally`. A second signal does not cut that short."""

    def end(number: int, frame: FrameType | None) -> Never:
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.signal(each, end) for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One demo at a time in this folder."""
    home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home / ".slot", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Conflict(
            "demo-running",
            Text("De demo draait al.", "The demo is running already."),
            Text(f"Een ander proces gebruikt `{home}`.", f"Another process uses `{home}`."),
            Text("Stop die met Ctrl-C en probeer het opnieuw.", "Stop it with Ctrl-C and try again."),
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)


def _ended(one: Running, alias: str) -> Upstream:
    every = (*one.federation.places, *one.later)
    place = next((place for place in every if place.alias == alias), one.federation.asker)
    log = place.directory / LOG
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
    last = lines[-1] if lines else "-"
    return Upstream(
        "demo-node-ended",
        Text(
            f"Het knooppunt van {place.organisation.name} draait niet.",
            f"The node of {place.organisation.name} is not running.",
        ),
        Text(f"De laatste regel van `{log}`: {last}", f"The last line of `{log}`: {last}"),
        Text(
            "De andere knooppunten zijn gestopt. Begin opnieuw met `make demo`.",
            "The others were stopped. Start again with `make demo`.",
        ),
        peer=place.organisation.name,
    )
