"""What the configuration of nginx says, as nouns: where it listens, and where requests may go. Pure."""

import hashlib
import re
from collections.abc import Sequence
from ipaddress import ip_address

import msgspec

from sluis.kernel import Invalid, PeerId, Text

_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}))*")
_SHOWN = re.compile(r"[0-9a-f]{16}")


class Listen(msgspec.Struct, frozen=True):
    """An address that nginx listens on: an IP address of this machine, and a port.

    Args:
        address: without brackets.
        port: TCP port.
        names: by which programs call an outway, beside `localhost` and IP addresses (see `hosts`).
    """

    address: str
    port: int
    names: tuple[str, ...] = ()


class Place(msgspec.Struct, frozen=True):
    """Where requests may go: an inway of a peer, or a service of our own.

    Args:
        host: DNS name or IP address, as in its URL; with TLS the certificate there must bear it.
        port: its port.
        tls: whether it speaks TLS.
        peer: whose inway it is; empty for a service of our own.
        addresses: the IP addresses that the name stands for now. nginx is never asked to resolve one: a name that
            cannot be resolved would keep it from starting.
        shows: with which client certificate a service of our own is reached: what `shown_file` was made for; empty for none.
    """

    host: str
    port: int
    tls: bool
    peer: str
    addresses: tuple[str, ...]
    shows: str = ""

    @property
    def authority(self) -> str:
        """Host and port, as in its URL."""
        return authority_of(self.tls, self.host, self.port)

    @property
    def scheme(self) -> str:
        """The scheme of its URL."""
        return "https" if self.tls else "http"

    @property
    def key(self) -> str:
        """What it is, whatever its addresses. Peers do not share one, nor the connections that are kept under it."""
        return f"{self.scheme}://{self.authority}#{self.peer}{'!' if self.shows else ''}{self.shows}"

    @property
    def direct(self) -> str:
        """The URL of its first address: how nginx reaches it before it has a block of its own."""
        return f"{self.scheme}://{with_port(self.addresses[0], self.port)}"

    @property
    def url(self) -> str:
        """How nginx reaches it by its block; what decisions call it to a worker that has one."""
        return f"{self.scheme}://{self.block}"

    @property
    def block(self) -> str:
        """The name of its `upstream` block: another place, another name."""
        text = f"{self.key} {' '.join(self.addresses)}"
        return "to-" + hashlib.sha256(text.encode()).hexdigest()[:16]


class Layout(msgspec.Struct, frozen=True):
    """All that the configuration says.

    Args:
        generation: counts configurations; nginx tells it with each question.
        outway: where applications of this organisation come in, without TLS; None without outway.
        inway: where peers come in; None without inway.
        places: where requests may go over kept connections; any other address is reached over a new one each time.
        workers: worker processes; 0 for one a core.
        revocations: whether there is a list of revoked certificates.
        service_anchors: whether there are anchors for services that speak TLS.
        most_body: bytes that a request body may have; 0 for any number.
        user: whom the workers run as when nginx is started by root.
        own: whether the node itself is behind the inway, on a socket.
        tls: the oldest version of TLS that the group allows, `1.2` or `1.3`.
        files: open files that a worker may have; a request needs three.
    """

    generation: int
    outway: Listen | None = None
    inway: Listen | None = None
    places: Sequence[Place] = ()
    workers: int = 0
    revocations: bool = False
    service_anchors: bool = False
    most_body: int = 0
    user: str | None = None
    own: bool = False
    tls: str = "1.2"
    files: int = 16384


def check_name(name: str) -> str:
    """The host name itself, in lower case, when it is one. Raises `Invalid` (`unfit-address`)."""
    if not _NAME.fullmatch(name):
        raise unfit("unfit-address")
    return name.lower()


def shown_name(files: Sequence[str]) -> str:
    """What the client certificate in these files is called."""
    return hashlib.sha256("\0".join(files).encode()).hexdigest()[:16] if files else ""


def shown_file(name: str) -> str:
    """The file in nginx's folder with that client certificate and its key, PEM."""
    return f"client-{name}.pem"


def authority_of(tls: bool, host: str, port: int) -> str:
    """Host and port as a URL has them: the usual port is left out."""
    shown = f"[{host}]" if ":" in host else host
    return shown if port == (443 if tls else 80) else f"{shown}:{port}"


def check_place(place: Place) -> Place:
    """The place itself, when its name, port and addresses are what they must be.

    Raises `Invalid` (`unfit-address`).
    """
    host = place.host
    fits = bool(_NAME.fullmatch(host)) or is_address(host)
    fits = fits and (not place.peer or PeerId.accepts(place.peer))
    fits = fits and (not place.shows or bool(_SHOWN.fullmatch(place.shows)))
    if not (fits and 0 < place.port < 65536 and place.addresses and all(map(is_address, place.addresses))):
        raise unfit("unfit-address")
    return place


def with_port(address: str, port: int) -> str:
    """An IP address and a port, as URLs and nginx write them."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def is_address(text: str) -> bool:
    """Whether this is an IP address, without zone."""
    try:
        return "%" not in text and bool(ip_address(text))
    except ValueError:
        return False


def unfit(code: str) -> Invalid:
    """Something that may not get into the configuration."""
    return Invalid(
        code,
        Text("De gateway kan zo niet worden ingesteld.", "The gateway cannot be set up like this."),
        Text("Een naam, adres of poort deugt niet.", "A name, address or port is not right."),
        Text("Controleer namen, IP-adressen en poorten (1-65535).", "Check names, IP addresses and ports (1-65535)."),
    )  # fmt: skip
