"""Where targets are, for nginx: their addresses now, and how each configuration of nginx calls them.

nginx keeps connections only to what its configuration names. A target that it does not name yet is reached all the same,
by address and over a new connection; after the next reload it is kept. As workers with an older configuration may still
be at work, nginx tells with each question which one it has.
"""

import asyncio
import contextlib
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256

from sluis.gateway.clientcerts import Unshown, shown_pem
from sluis.gateway.forward import Target
from sluis.gateway.planes.nginx_conf import Place, check_place, is_address, shown_name
from sluis.kernel import Invalid, Problem, Text, Upstream, utc_now

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The IP addresses of a host name. Raises `OSError` when there are none."""

Show = Callable[[str, bytes], None]
"""Puts a client certificate with its key where nginx finds it. Raises `OSError`."""


def _shows_nothing(name: str, pem: bytes) -> None:
    raise OSError("nobody takes client certificates here")


_GENERATIONS = 16  # configurations that workers may still have
_MOST = 4096  # targets


class Places:
    """The places that nginx sends to.

    Args:
        resolve: for host names.
        changed: is told when a configuration with new places would be of use.
        show: gives nginx a client certificate with its key, under a name.
    """

    def __init__(self, resolve: Resolve, changed: Callable[[], None], show: Show = _shows_nothing) -> None:
        self._resolve, self._changed, self._show = resolve, changed, show
        self._places: OrderedDict[Target, Place] = OrderedDict()
        self._written: OrderedDict[bytes, dict[Target, bytes]] = OrderedDict()
        self._none: dict[Target, bytes] = {}
        self._keys: dict[str, Target] = {}
        self._shown: dict[str, bytes] = {}

    def all(self) -> Sequence[Place]:
        """Every place there is, each once."""
        return list(dict.fromkeys(self._places.values()))

    def publish(self, generation: int) -> None:
        """A configuration of this number has all places that are there now. To be said before nginx gets it."""
        self._written[b"Host: %d" % generation] = {
            target: f"T: {place.key}\r\n".encode("ascii") for target, place in self._places.items()
        }
        while len(self._written) > _GENERATIONS:
            self._written.popitem(last=False)

    def written(self, host: bytes, target: Target) -> bytes | None:
        """How a worker calls a target; None when its configuration does not have it.

        Args:
            host: the `Host` line of its question, which has the number of its configuration.
        """
        return self._written.get(host, self._none).get(target)

    async def find(self, target: Target) -> bytes:
        """How to tell a worker about a target that its configuration does not have.

        Raises `Upstream` (`unknown-host`) when its name stands for no address, `Unshown` when the client certificate that
        it asks for cannot be used.
        """
        place = self._places.get(target)
        if place is None:
            self._renew_shown(target)
            place = await self._look_up(target)
            if len(self._places) < _MOST:
                self._places[target], self._keys[place.key] = place, target
                self._changed()
        return f"T: {place.key}\r\nD: {place.direct}\r\n".encode("ascii")

    def named(self, key: str) -> Target | None:
        """The target that is called so."""
        return self._keys.get(key)

    async def renew(self) -> bool:
        """Look every name up again, and read every client certificate again; gives whether
        anything is different now."""
        different = False
        for target, place in list(self._places.items()):
            with contextlib.suppress(Unshown):  # what was shown may still be right
                different |= self._renew_shown(target)
            try:
                found = await self._look_up(target)
            except Problem:
                continue  # what was known may still be right
            if found != place:
                self._places[target], different = found, True
        return different

    async def _look_up(self, target: Target) -> Place:
        try:
            if is_address(target.host):
                addresses: tuple[str, ...] = (target.host,)
            else:
                addresses = tuple(sorted(set(await self._resolve(target.host, target.port))))
            shows = shown_name(target.shows)
            return check_place(Place(target.host, target.port, target.tls, _peer(target), addresses, shows))
        except (OSError, Invalid):
            raise _unknown_host(target) from None

    def _renew_shown(self, target: Target) -> bool:
        """Give nginx the client certificate that a target asks for, when it has not this one; gives whether it had not."""
        if not target.shows:
            return False
        name = shown_name(target.shows)
        try:
            pem = shown_pem(target.shows, utc_now())
            digest = sha256(pem).digest()
            if self._shown.get(name) == digest:
                return False
            self._show(name, pem)
        except (Invalid, OSError):
            raise Unshown from None
        self._shown[name] = digest
        return True


async def addresses_of(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as this machine resolves names."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


def _unknown_host(target: Target) -> Upstream:
    return Upstream(
        "unknown-host",
        Text("De aanbieder is niet te bereiken.", "The provider cannot be reached."),
        Text(f"De naam {target.host} heeft geen IP-adres.", f"The name {target.host} has no IP address."),
        Text("Probeer het later opnieuw, of controleer het adres.", "Try again later, or check the address."),
        peer=_peer(target) or None,
        retry=True,
    )


def _peer(target: Target) -> str:
    return "" if target.peer is None else str.__str__(target.peer)
