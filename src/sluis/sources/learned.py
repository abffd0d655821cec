"""What a database server says about itself (tables, columns, keys), read when it is needed and believed for a while."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from sluis.sources.base import Prepared, SourceFailure

FRESH_SECONDS = 60
"""How long the catalogue is believed; a statement that fails on it reads it again."""

Known = TypeVar("Known")


class Learned(Generic[Known]):
    """One catalogue, shared by all who ask.

    Args:
        read: asks the server.
    """

    def __init__(self, read: Callable[[], Known]) -> None:
        self._read, self._lock = read, threading.Lock()
        self._known: Known | None = None
        self._read_at = 0.0

    def now(self, seconds: float = FRESH_SECONDS) -> Known:
        """What the server said at most so many seconds ago. Raises: SourceFailure."""
        with self._lock:
            if self._known is None or time.monotonic() - self._read_at >= seconds:
                begin = time.monotonic()
                self._known, self._read_at = self._read(), begin
            return self._known

    def prepared(self, prepare: Callable[[Known], Prepared]) -> Prepared:
        """A query prepared on the catalogue; on a new one when it names what was not there yet. Raises: SourceFailure."""
        try:
            return prepare(self.now())
        except SourceFailure as failure:
            if failure.kind != "changed":
                raise
            return prepare(self.now(0))
