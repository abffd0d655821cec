"""The head of a request in the in-process plane: what is asked by it, and what of it goes on (RFC 9110 §7.6)."""

from sluis.gateway.forward import (
    AUTHORIZATION,
    GRANT,
    OTHERWISE,
    READING,
    TRANSACTION,
    Forward,
    Target,
)
from sluis.gateway.planes.apps import Scope
from sluis.gateway.streams import head_of

ASKED_AUTHORIZATION, ASKED_TRANSACTION, ASKED_GRANT = (
    name.encode() for name in (AUTHORIZATION, TRANSACTION, GRANT)
)
"""Names in `Head.asked`."""
_ASKED = frozenset({ASKED_AUTHORIZATION, ASKED_TRANSACTION, ASKED_GRANT})
CONNECTION = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization",
        b"te", b"trailer", b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
"""Headers about one connection: they go no further."""
HARMLESS = frozenset({b"close", b"keep-alive", b""})
"""Said in `Connection`, these name no other header."""
_OTHERWISE = frozenset(name.lower().encode() for name in OTHERWISE)
_NOT_ON = CONNECTION | _ASKED | {b"host", b"content-length", b"expect"}


class Head:
    """What a plane has to know of a request's head, and what of it goes on."""

    def __init__(self, scope: Scope) -> None:
        self.method: str = scope["method"]
        query = scope["query_string"]
        path = scope["raw_path"] + b"?" + query if query else scope["raw_path"]
        self.path: str = path.decode("latin-1")
        self.asked: dict[bytes, str] = {}
        self.length: bytes | None = None
        self.chunked = False
        self.lines: list[bytes] = []
        named, reads = frozenset[bytes](), self.method in READING
        for name, value in scope["headers"]:
            if name not in _NOT_ON:
                if (b"_" not in name or not _like_ours(name)) and (name not in _OTHERWISE or not reads):
                    self.lines.append(name + b": " + value)
            elif name in _ASKED:  # said twice, it says neither
                text = value.decode("latin-1")
                self.asked[name] = f"{self.asked[name]}, {text}" if name in self.asked else text
            elif name == b"content-length":
                self.length = value
            elif name == b"transfer-encoding":
                self.chunked = True
            elif name == b"connection":
                named |= {one.strip().lower() for one in value.split(b",")}
        if named - HARMLESS:
            self.lines = [line for line in self.lines if line.partition(b":")[0] not in named]

    @property
    def bodiless(self) -> bool:
        """Whether the request has no body."""
        return not self.chunked and self.length in (None, b"0")

    def written(self, forward: Forward, target: Target) -> bytes:
        """The head to send. Raises `ValueError` for what would end a line, or the path, before its end."""
        lines = [*self.lines, *(f"{name}: {value}".encode("latin-1") for name, value in forward.headers)]
        if self.chunked:
            lines.append(b"transfer-encoding: chunked")
        elif self.length is not None:
            lines.append(b"content-length: " + self.length)
        return head_of(self.method, forward.path, target.authority, lines)


def _like_ours(name: bytes) -> bool:
    """Whether a service might take this name for one that counts on the way: many read `_` and `-` alike."""
    return name.replace(b"_", b"-") in _NOT_ON
