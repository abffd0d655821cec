"""Where the nodes listen: each on a loopback address of its own, so that all of them use the same ports.

FSC Core 2.0.0 fixes those ports (443 and 8443). Where this user may not have them, or another program has them, the
whole federation takes free ones, which is why its group's rules name them. The portal alone is at `localhost`: browsers know
passkeys at a name and not at an address, and at this one without an authority that they know.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import msgspec

from sluis.kernel import Invalid, Text

STANDARD = (8443, 443, 8480, 8490)
"""Manager and inway by the standard; an outway and the simulators as they are by default."""

PORTAL = 8470
"""The port of a portal, as it is by default."""

AT_HOME = "127.0.0.1"
"""Where the portal listens: `localhost`."""

SIMULATORS = 100
"""The number of the address of the simulators: they are nobody's node."""

_MOST = 250  # networks, and addresses in each


class Network(msgspec.Struct, frozen=True):
    """The loopback addresses of one federation, and the ports on each of them."""

    prefix: str
    manager: int
    inway: int
    outway: int
    simulators: int
    portal: int

    @property
    def received(self) -> str:
        """Where people reach the portal."""
        return f"https://localhost:{self.portal}"

    @property
    def simulated(self) -> str:
        """Where the simulators of sign-in services are, for browsers and nodes."""
        return f"https://{self.host(SIMULATORS)}:{self.simulators}"

    def host(self, number: int) -> str:
        """The address of a node, counted from 1."""
        return f"{self.prefix}{number}"


def find_network() -> Network:
    """Addresses on which nobody listens yet. Demos that run at the same time get different ones.

    Raises:
        OSError: there is no loopback network with free ports.
        Invalid: this machine does not know `localhost`.
    """
    _require_localhost()
    portal = [_claimed(PORTAL) or _claimed(0)]
    for prefix in _prefixes():
        if ports := _free(f"{prefix}1", STANDARD):
            return Network(prefix, *ports, *portal)
    for prefix in _prefixes():
        if ports := _free(f"{prefix}1", (0,) * len(STANDARD)):
            return Network(prefix, *ports, *portal)
    raise OSError("there is no free loopback address")


def _require_localhost() -> None:
    try:
        socket.getaddrinfo("localhost", None)
    except OSError:
        raise Invalid(
            "no-localhost",
            Text("Deze computer kent de naam localhost niet.", "This computer does not know the name localhost."),
            Text("De portalen van de demo zijn daar te vinden.", "The portals of the demo are found there."),
            Text("Zet in /etc/hosts deze regel: 127.0.0.1 localhost", "Put this line in /etc/hosts: 127.0.0.1 localhost"),
        ) from None  # fmt: skip


def _prefixes() -> Iterator[str]:
    for number in range(os.getpid(), os.getpid() + _MOST):
        yield f"127.77.{number % _MOST + 1}."


def _claimed(port: int) -> int:
    """A port of `localhost` (0: any), kept from other demos as long as this process lives; 0 when it is not to be had.

    Between looking and listening there are seconds in which another demo would find it free as well. So it stays bound here,
    not listening; and a listener that may share an address, as a node's may, has it all the same (socket(7), SO_REUSEADDR).
    """
    claim = socket.socket()
    try:
        claim.bind((AT_HOME, port))
    except OSError:
        claim.close()
        return 0
    claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    number = int(claim.getsockname()[1])
    claim.detach()  # open until this process ends
    return number


def _free(address: str, ports: tuple[int, ...]) -> list[int]:
    """These ports on one address, where 0 is any; nothing when one of them is not to be had."""
    with ExitStack() as probes:
        found = []
        for port in ports:
            probe = probes.enter_context(closing(socket.socket()))
            try:
                probe.bind((address, port))
            except OSError:
                return []
            found.append(probe.getsockname()[1])
        return found
