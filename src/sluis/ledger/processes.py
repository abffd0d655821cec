"""Looking at stretches of a log in other processes.

Each reads the database itself: handing over what was read would cost as much as looking at it. A process that ends
before it is done leaves no answer, and then there is no verdict.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from sluis.kernel import Text, Unkept
from sluis.ledger.stretch import Looked, Stretch, fetching, look_at
from sluis.store import Store, open_store

_MOST = 4  # processes: a node has more to do
_WORK = "from sluis.ledger.processes import work; work()"


def shared(store: Store, stretches: Iterable[Stretch]) -> Generator[list[Looked]]:
    """`look_at` of each stretch of a log, in their order, each in a snapshot that begins after this call. To be closed.

    Raises:
        Unkept: a process ended before it was done.
    """
    with ExitStack() as stack:
        count = min(len(os.sched_getaffinity(0)), _MOST)
        try:
            processes = [stack.enter_context(_process(store)) for _ in range(count)]
            free = processes * 2  # while one stretch is looked at, the next lies ready
            asked = deque[Connection]()
            for stretch in stretches:
                if not free:
                    yield asked[0].recv()
                    free.append(asked.popleft())
                asked.append(free.pop())
                asked[-1].send(stretch)
            for process in asked:
                yield process.recv()
        except (EOFError, OSError) as problem:
            raise _broke_off() from problem


def work() -> None:
    """What such a process does: look at the stretches that come in, until nothing will come any more."""
    with Connection(sys.stdin.fileno()) as asker, suppress(EOFError):
        store = open_store(asker.recv())
        with store.read() as connection:
            fetch = fetching(connection)
            while True:
                asker.send(look_at(fetch, asker.recv()))


@contextmanager
def _process(store: Store) -> Iterator[Connection]:
    """A process that does `work`, in a session of its own: it ends when nothing can come any more, however this one
    does."""
    here, there = Pipe()
    with here:
        with there:
            process = subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, "-P", "-c", _WORK],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stdin=there.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # what it says may hold what is in a record
                start_new_session=True,
            )
        with process:
            try:
                here.send(store.path or store.engine.url.render_as_string(hide_password=False))
                yield here
            finally:
                process.kill()


def _broke_off() -> Unkept:
    return Unkept(
        "check-broke-off",
        Text("Het logboek is niet helemaal gecontroleerd.", "The log was not checked to its end."),
        Text(
            "Een proces dat meewerkte is onderweg gestopt, misschien omdat het geheugen vol was.",
            "A process that helped ended underway, perhaps because memory was full.",
        ),
        Text("Probeer het opnieuw.", "Try again."),
        retry=True,
    )
