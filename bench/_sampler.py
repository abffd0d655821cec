"""Run a Python module and see where its time goes, in every thread: `python _sampler.py OUT MODULE [ARGUMENT …]`.

A thread looks every few milliseconds at what all others do and counts it, leaving out those that wait. A profiler that
traces every call would slow a node down five times and see one thread only. Written to OUT as JSON: how often it
looked, per function how often it was at work itself (`own`) or through others (`under`), and per kind of thread its
processor time, DuckDB's and Arrow's own threads included (those do not run Python). What was seen before somebody
made a file OUT is forgotten, so that starting does not count.
"""

import json
import os
import runpy
import sys
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path
from types import FrameType

_EVERY = 0.002  # seconds
_WAITING = {
    ("threading.py", "Condition.wait"),
    ("threading.py", "Thread._wait_for_tstate_lock"),
    ("thread.py", "_worker"),
    ("runners.py", "Runner.run"),
    ("selectors.py", "EpollSelector.select"),
    ("writer.py", "GroupWriter._take"),
    ("watch.py", "_Watch._run"),
}
"""File and function of the innermost frame of a thread that has nothing to do."""


class _Sampler(threading.Thread):
    def __init__(self, out: Path) -> None:
        super().__init__(name="sampler", daemon=True)
        self._out = out
        self._forget()

    def _forget(self) -> None:
        self.looked, self.used = 0, _processor_time()
        self.own: Counter[str] = Counter()
        self.under: Counter[str] = Counter()

    def run(self) -> None:
        me, started = threading.get_ident(), False
        while True:
            time.sleep(_EVERY)
            if not started and self._out.exists():
                started = True
                self._forget()
            self.looked += 1
            for thread, frame in sys._current_frames().items():
                if thread != me:
                    self._count(frame)

    def _count(self, innermost: FrameType) -> None:
        code = innermost.f_code
        if (code.co_filename.rpartition("/")[2], code.co_qualname) in _WAITING:
            return
        self.own[f"{_place(innermost)} line {innermost.f_lineno}"] += 1
        frame: FrameType | None = innermost
        seen = set()
        while frame is not None:
            seen.add(_place(frame))
            frame = frame.f_back
        self.under.update(seen)


def _place(frame: FrameType) -> str:
    code = frame.f_code
    return f"{'/'.join(code.co_filename.split('/')[-3:])} {code.co_qualname}"


def _processor_time() -> dict[str, float]:
    """Seconds per kind of thread, by the name the system knows it by."""
    found: defaultdict[str, float] = defaultdict(float)
    main = os.getpid()
    for task in Path("/proc/self/task").iterdir():
        try:
            name, _, rest = (task / "stat").read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue  # it has just ended
        fields = rest.split()
        kind = "main thread" if int(task.name) == main else name
        found[kind] += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return dict(found)


def main() -> None:
    out, module = Path(sys.argv[1]), sys.argv[2]
    sys.argv = [module, *sys.argv[3:]]
    sampler = _Sampler(out)
    sampler.start()
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        seen = {
            "looked": sampler.looked,
            "own": sampler.own.most_common(60),
            "under": sampler.under.most_common(120),
            "threads": {
                kind: seconds - sampler.used.get(kind, 0.0) for kind, seconds in _processor_time().items()
            },
        }
        out.write_text(json.dumps(seen))


if __name__ == "__main__":
    main()
