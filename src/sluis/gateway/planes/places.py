"""Where targets are, for nginx: their addresses now, and how each configuration of nginx calls them.

nginx keeps connections only to what its configuration names. A target that it does not name yet is reached all the same,
by address and over a new connection; after the next reload it is kept. As workers with an older configuration may still
be at work, nginx tells with each question which one it has.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256

from sluis.gateway.clientcerts import Unshown, shown_pem
from sluis.gateway.faults import FscProblem, inway_fault, outway_fault
from sluis.gateway.forward import Target
from sluis.gateway.planes.meeting import Meet
from sluis.gateway.planes.nginx_layout import Place, check_place, is_address, shown_name
from sluis.gateway.planes.questions import PASS
from sluis.gateway.streams import RevokedPeer, Unreachable, WrongPeer, because
from sluis.kernel import Invalid, Text, utc_now

log = logging.getLogger("sluis.gateway")

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The IP addresses of a host name. Raises `OSError` when there are none."""

Show = Callable[[str, bytes], None]
"""Puts a client certificate with its key where nginx finds it. Raises `OSError`."""


def _shows_nothing(name: str, pem: bytes) -> None:
    raise OSError("nobody takes client certificates here")


Where = tuple[bytes, str]
"""How to tell a worker where a request goes: the beginning of an answer with the name of a place in it, and what else must
be told (see `answers`), empty or ending in a space."""

_GENERATIONS = 16  # configurations that workers may still have
_MOST = 4096  # targets


class Places:
    """The places that nginx sends to.

    Args:
        resolve: for host names.
        changed: is told when a configuration with new places would be of use.
        meet: finds out whether the inway of a peer is its own; None to leave that.
        show: gives nginx a client certificate with its key, under a name.
    """

    def __init__(
        self,
        resolve: Resolve,
        changed: Callable[[], None],
        meet: Meet | None = None,
        show: Show = _shows_nothing,
    ) -> None:
        self._resolve, self._changed, self._meet, self._show = resolve, changed, meet, show
        self._finding: dict[Target, asyncio.Task[Place]] = {}
        self._places: OrderedDict[Target, Place] = OrderedDict()
        self._written: OrderedDict[bytes, dict[Target, Where]] = OrderedDict()
        self._none: dict[Target, Where] = {}
        self._keys: dict[str, Target] = {}
        self._urls: OrderedDict[bytes, dict[str, Target]] = OrderedDict()
        self._shown: dict[str, bytes] = {}

    def all(self) -> Sequence[Place]:
        """Every place there is, each once."""
        return list(dict.fromkeys(self._places.values()))

    def publish(self, generation: int) -> None:
        """A configuration of this number has all places that are there now. To be said before nginx gets it."""
        host, places = b"Host: %d" % generation, self._places.items()
        self._written[host] = {target: (_passes(place.url), "") for target, place in places}
        self._urls[host] = {place.url: target for target, place in places}
        while len(self._written) > _GENERATIONS:
            self._written.popitem(last=False)
            self._urls.popitem(last=False)

    def written(self, host: bytes, target: Target) -> Where | None:
        """How a worker calls a target; None when its configuration does not have it.

        Args:
            host: the `Host` line of its question, which has the number of its configuration.
        """
        return self._written.get(host, self._none).get(target)

    async def find(self, target: Target) -> Where:
        """How to tell a worker about a target that its configuration does not have.

        Raises `FscProblem` when its name stands for no address, its peer is not there, or the client certificate that it
        asks for cannot be used.
        """
        place = self._places.get(target)
        if place is None:
            place = await self._found(target)
            if len(self._places) < _MOST:
                self._places[target], self._keys[place.key] = place, target
                self._changed()
        return _passes(place.direct), f"K={place.key} "

    def named(self, name: str) -> Target | None:
        """The target that is called so, by its key or by the URL of its block in some configuration."""
        found = [names[name] for names in (self._keys, *self._urls.values()) if name in names]
        return found[0] if found and found[0] in self._places else None

    async def renew(self) -> bool:
        """Look every name up again, and read every client certificate again; gives whether
        anything is different now."""
        different = False
        for target, place in list(self._places.items()):
            with contextlib.suppress(Unshown):  # what was shown may still be right
                different |= self._renew_shown(target)
            try:
                found = await self._look_up(target)
            except WrongPeer:
                log.error("another organisation answers at the inway of %s", target.peer)
                self._forget(target)
                different = True
                continue
            except OSError:
                continue  # what was known may still be right
            if found != place:
                self._places[target], different = found, True
        return different

    def _forget(self, target: Target) -> None:
        """From now on no worker is sent there, whatever configuration it has."""
        self._keys.pop(self._places.pop(target).key, None)
        for written in self._written.values():
            written.pop(target, None)

    async def _found(self, target: Target) -> Place:
        """Look a target up; when that takes a meeting, once for all who wait for it."""
        try:
            self._renew_shown(target)
            if self._meet is None:
                return await self._look_up(target)
            finding = self._finding.get(target)
            if finding is None:
                finding = self._finding[target] = asyncio.get_running_loop().create_task(
                    self._look_up(target)
                )
                finding.add_done_callback(lambda _: self._finding.pop(target, None))
            return await asyncio.shield(finding)
        except OSError as failure:
            raise _unreachable(target, failure) from None

    async def _look_up(self, target: Target) -> Place:
        """Raises `OSError`."""
        if is_address(target.host):
            addresses: Sequence[str] = (target.host,)
        else:
            addresses = sorted(set(await self._resolve(target.host, target.port)))
        if self._meet is not None and target.tls and target.peer is not None:
            addresses = await self._meet(target, addresses)
        shows = shown_name(target.shows)
        try:
            return check_place(
                Place(target.host, target.port, target.tls, _peer(target), tuple(addresses), shows)
            )
        except Invalid as problem:
            raise OSError(problem.code) from None

    def _renew_shown(self, target: Target) -> bool:
        """Give nginx the client certificate that a target asks for, when it has not this one; gives whether it had not."""
        if not target.shows or target.peer is not None:  # what a peer is shown, the plane gives nginx itself
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


def _unreachable(target: Target, failure: OSError) -> FscProblem:
    why = because(failure) if isinstance(failure, _MET) else _NO_ADDRESS
    if target.peer is None:
        return inway_fault("ERROR_CODE_SERVICE_UNREACHABLE", why)
    return outway_fault("ERROR_CODE_PEER_UNREACHABLE", why, peer=_peer(target))


_MET = (Unshown, WrongPeer, RevokedPeer, Unreachable, ssl.SSLError)  # the name had an address
_NO_ADDRESS = Text("Die naam heeft geen IP-adres.", "That name has no IP address.")


def _passes(url: str) -> bytes:
    return PASS + f"T: {url}\r\n".encode("ascii")


def _peer(target: Target) -> str:
    return "" if target.peer is None else str.__str__(target.peer)
