"""Where a process listens: mTLS over TCP for peers, TLS for browsers, a unix socket for the people of this machine."""

import errno
import os
import socket
import ssl
from ipaddress import ip_address
from pathlib import Path

import msgspec

from sluis.kernel import Conflict, Invalid, Text, Unkept


class PeerListener(msgspec.Struct, frozen=True):
    """Where peers connect. Port 0 lets the system choose."""

    host: str
    port: int
    context: ssl.SSLContext


class BrowserListener(PeerListener, frozen=True):
    """Where browsers connect, and programs that have people signed in: `context` asks for no client certificate, or takes
    one when it comes. Its server is made for `browsers`."""


class LoopbackListener(msgspec.Struct, frozen=True):
    """Where programs of this machine connect, without TLS: a loopback address. Port 0 lets the system choose."""

    host: str
    port: int


class LocalListener(msgspec.Struct, frozen=True):
    """Where the people of this machine connect: a unix socket with these permissions."""

    path: Path
    mode: int = 0o660


def place_of(listener: PeerListener | LoopbackListener) -> tuple[str, int]:
    """The IP address and port that a listener would have, for who listens in another process; nothing is opened.

    Raises as `Server.listen`.
    """
    with _bind(listener) as sock:
        host, port, *_ = sock.getsockname()
        return host, port


def bound_to(listener: PeerListener | LoopbackListener | LocalListener) -> socket.socket:
    """The socket of a listener. Raises as `Server.listen`."""
    return _bind_local(listener) if isinstance(listener, LocalListener) else _bind(listener)


def _bind(listener: PeerListener | LoopbackListener) -> socket.socket:
    if isinstance(listener, LoopbackListener) and not _is_loopback(listener.host):
        raise Invalid(
            "not-loopback",
            Text(
                "Dit knooppunt luistert daar niet zonder TLS.", "This node does not listen there without TLS."
            ),
            Text(f"{listener.host} is geen loopback-adres.", f"{listener.host} is no loopback address."),
            Text("Kies een adres als 127.0.0.1.", "Choose an address like 127.0.0.1."),
        )
    family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
    # Named as TCP: only then asyncio sends small writes at once (TCP_NODELAY); uvloop always does.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((listener.host, listener.port))
    except OSError as failure:
        sock.close()
        raise _cannot_bind(failure, f"{listener.host}:{listener.port}") from None
    return sock


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _bind_local(listener: LocalListener) -> socket.socket:
    path = listener.path
    if _answers(path):
        raise _in_use("socket-in-use", path.name)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        before = os.umask(0o177)  # nobody else may connect before the mode is set
        try:
            sock.bind(str(path))
        finally:
            os.umask(before)
        path.chmod(listener.mode)
    except OSError as failure:
        sock.close()
        raise _cannot_bind(failure, path.name) from None
    return sock


def _answers(path: Path) -> bool:
    """Whether somebody listens on this socket file; a file left by a killed process answers nobody."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _in_use(code: str, where: str) -> Conflict:
    return Conflict(
        code,
        Text("Dit knooppunt kan niet luisteren.", "This node cannot listen."),
        Text(f"Een ander proces luistert al op {where}.", f"Another process already listens on {where}."),
        Text("Stop dat proces, of kies een andere plek in de configuratie.",
             "Stop that process, or choose another place in the configuration."),
    )  # fmt: skip


def _cannot_bind(failure: OSError, where: str) -> Conflict | Invalid | Unkept:
    if failure.errno == errno.EADDRINUSE:
        return _in_use("port-in-use", where)
    if failure.errno == errno.ENOSPC:
        return Unkept(
            "disk-full",
            Text("Dit knooppunt kan niet luisteren.", "This node cannot listen."),
            Text("De schijf is vol.", "The disk is full."),
            Text("Maak ruimte en start opnieuw.", "Make room and start again."),
        )
    cause = failure.strerror or str(failure)
    return Invalid(
        "cannot-listen",
        Text("Dit knooppunt kan niet luisteren.", "This node cannot listen."),
        Text(f"{where}: {cause}.", f"{where}: {cause}."),
        Text("Kies een ander adres, of een korter pad voor de socket.",
             "Choose another address, or a shorter path for the socket."),
    )  # fmt: skip
