"""Identifiers that join records: W3C Trace Context (Recommendation 2021, §3.2) and UUIDv7 (RFC 9562)."""

import os
import re
from collections import deque

import msgspec
import uuid_utils

_TRACEPARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)


_spans: deque[str] = deque()
"""Span ids made beforehand: a consultation takes one per person, and each call of the system's random source lets
another thread go first. Of a process that forks, the child makes its own."""
os.register_at_fork(after_in_child=_spans.clear)

_BEFOREHAND = 256


def new_trace_id() -> str:
    """32 lower-case hex digits from the system's random source, never all zero."""
    while (value := os.urandom(16).hex()) == "0" * 32:
        pass
    return value


def new_span_id() -> str:
    """16 lower-case hex digits from the system's random source, never all zero."""
    while True:
        try:
            return _spans.pop()
        except IndexError:
            digits = os.urandom(8 * _BEFOREHAND).hex()
            made = [digits[at : at + 16] for at in range(0, len(digits), 16)]
            _spans.extend(value for value in made if value != "0" * 16)


def new_transaction_id() -> str:
    """A UUIDv7 as text, as FSC asks of a transaction id."""
    return str(uuid_utils.uuid7())


class Trace(msgspec.Struct, frozen=True):
    """A place in a trace: the trace, and the span that is the parent of what comes next."""

    trace_id: str
    span_id: str

    @property
    def traceparent(self) -> str:
        """The header value; the `sampled` flag is set, and obeyed by nothing here: accountability is not sampled."""
        return f"00-{self.trace_id}-{self.span_id}-01"

    @classmethod
    def begin(cls) -> "Trace":
        """A new trace with its first span."""
        return cls(new_trace_id(), new_span_id())

    @classmethod
    def parse(cls, header: str | None) -> "Trace | None":
        """The trace in a `traceparent` header; None when there is none or it breaks the grammar."""
        match = _TRACEPARENT.fullmatch(header or "")
        if match is None or (match[1] == "00" and match[5]):
            return None
        return cls(match[2], match[3])

    def child(self) -> "Trace":
        """The same trace, a new span."""
        return Trace(self.trace_id, new_span_id())
