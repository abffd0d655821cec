"""What nginx counts of requests, read in bulk: its workers write a short line for each into a pipe (`COUNTED` in
`nginx_conf`), a second's worth at a time, so that metrics cost a request next to nothing.

A line has figures and an error code of ours, and nothing else that a request said.
"""

import asyncio
import fcntl
import os
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from sluis.gateway.faults import FAULTS
from sluis.gateway.meter import Meter

_ROOM = 1 << 20  # bytes that wait in the pipe; what workers write into a full one, they wait for
_GONE = 499  # how nginx writes that the client went away


class Counts:
    """The reading end.

    Args:
        meters: by the letter that lines begin with.
    """

    def __init__(self, meters: Mapping[bytes, Meter]) -> None:
        self._meters = meters
        self._held = b""
        self._pipe: int | None = None

    def open(self, path: Path) -> None:
        """Make the pipe and begin to read; before nginx opens it, which would wait for that. Raises `OSError`."""
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)
        # Opened for both, so that it neither waits for nginx nor ends with it.
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        with suppress(OSError):  # it works with less room too
            fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, _ROOM)
        asyncio.get_running_loop().add_reader(self._pipe, self._read)

    def close(self) -> None:
        """Read what is left, and end. May be called twice."""
        if self._pipe is not None:
            self._read()
            asyncio.get_running_loop().remove_reader(self._pipe)
            os.close(self._pipe)
            self._pipe = None

    def take(self, data: bytes) -> None:
        """Count what came; a line that is not whole waits for its end."""
        *lines, self._held = (self._held + data).split(b"\n")
        for line, times in Counter(lines).items():
            with suppress(ValueError, KeyError):  # what cannot be read is left
                self._count(line, times)

    def _read(self) -> None:
        assert self._pipe is not None
        with suppress(BlockingIOError):
            while data := os.read(self._pipe, _ROOM):
                self.take(data)

    def _count(self, line: bytes, times: int) -> None:
        side, status, seconds, down, read, up, code = line.split(b" ")
        meter, shown, took, downward = self._meters[side], int(status), float(seconds), int(down)
        # What a client says of its length may be no number, and more than it sends.
        upward = min(int(up), int(read)) if up.isdigit() else 0
        meter.count(0 if shown == _GONE else shown, took, times)
        meter.downward += downward * times
        meter.upward += upward * times
        if code != b"-" and code.decode() in FAULTS:
            meter.refuse(code.decode(), times)
