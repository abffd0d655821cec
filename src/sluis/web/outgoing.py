"""Calls to others over HTTP, where they are no peers: sign-in services, issuers, portals that are told something.

Bounded in time and size, never led elsewhere by a redirect, over TLS unless it is said otherwise, and kept from what lies
inside: this machine, the network it stands in, what a cloud shows to its own machines (CWE-918). An address is judged when a
connection is made, and it is that address that is connected to: a name cannot mean one thing to whoever checks it and
another to whoever uses it. A connection that is kept was judged when it was made.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlsplit

import msgspec

from sluis.kernel import Text, Upstream

if TYPE_CHECKING:  # who calls nobody does not wait for aiohttp to be imported
    from aiohttp import ClientResponse, ClientSession
    from aiohttp.abc import AbstractResolver, ResolveResult

Network = IPv4Network | IPv6Network

EVERYWHERE: tuple[Network, ...] = (ip_network("0.0.0.0/0"), ip_network("::/0"))
"""What may be reached inside by who calls no address but those in the settings."""

_INSIDE_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "168.63.129.16/32",  # public by its number; what Azure shows to its machines
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
"""IANA IPv4 Special-Purpose Address Registry, what is not reached from everywhere; and multicast."""

_OUTSIDE_6 = IPv6Network("2000::/3")
"""All that is handed out to be reached from everywhere (RFC 4291 §2.4)."""

_INSIDE_6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
"""What of that is not: IANA IPv6 Special-Purpose Address Registry. In the first and third an IPv4 address may be hidden."""

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1
_LOOKING_UP = 16  # names at once
_NAMES = 10.0  # seconds that an address is taken for that of a name
_REST = 30.0  # seconds that a connection is kept for a next call


class Answer(msgspec.Struct, frozen=True):
    """What came back.

    Args:
        status: of HTTP.
        headers: by name, in whatever case; of a field that came more than once the first.
        body: its first bytes, as many as were wanted.
        whole: whether those are all.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    whole: bool = True

    @property
    def media_type(self) -> str:
        """Without parameters; empty when it is not said."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Unreached(Upstream):
    """No answer came, or not all that was wanted of it. Who knows what was asked for tells it in words of their own."""


class Outgoing:
    """Calls, with connections kept for each destination; calls to one wait for no other. For one event loop.

    Args:
        context: whose certificates are trusted (`crypto.calling_context`).
        inside: networks that may be reached although they lie inside.
        plain: whether HTTP without TLS will do.
        each: connections to one destination at once; further calls wait for one.
    """

    def __init__(
        self, context: ssl.SSLContext, inside: Sequence[Network] = (), *, plain: bool = False, each: int = 32
    ) -> None:
        self._context, self._inside, self._each = context, inside, each
        self._schemes = ("https", "http") if plain else ("https",)
        self._session: ClientSession | None = None
        self._names: _Names | None = None

    async def call(
        self,
        method: str,
        url: str,
        body: bytes | Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        seconds: float,
        most: int,
    ) -> Answer:
        """The answer to one request; a redirect is one too.

        Args:
            method: of HTTP.
            url: where.
            body: bytes, or the fields of a form.
            headers: besides those that follow from the rest.
            seconds: for all of it, also until there is a connection.
            most: bytes of the answer that are wanted. With 0 only its head is waited for, and what comes after is not read.

        Raises `Unreached`: `call-late`, `call-inside`, `call-broken`.
        """
        import aiohttp

        sent = {"accept-encoding": "identity", **(headers or {})}
        try:
            parts = urlsplit(url)
            if parts.scheme not in self._schemes or parts.username is not None:
                raise ValueError(parts.scheme)
            timeout = aiohttp.ClientTimeout(total=seconds)
            async with self._opened().request(
                method, url, data=body, headers=sent, allow_redirects=False, timeout=timeout
            ) as response:
                return await _answer(response, most)
        except TimeoutError:
            raise _unreached("call-late", _LATE) from None
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            if isinstance(getattr(failure, "os_error", None), _Inside):
                raise _unreached("call-inside", _IS_INSIDE, again=False) from None
            raise _unreached("call-broken", _BROKEN) from None

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
        if self._names is not None:
            await self._names.close()  # the library closes what it made itself

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.close()

    def _opened(self) -> "ClientSession":
        if self._session is None:
            import aiohttp

            self._names = _Names()
            connector = aiohttp.TCPConnector(
                ssl=self._context,
                limit=0,
                limit_per_host=self._each,
                keepalive_timeout=_REST,
                resolver=cast("AbstractResolver", self._names),
                ttl_dns_cache=int(_NAMES),
                socket_factory=self._socket,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    def _socket(self, address: tuple[Any, ...]) -> socket.socket:
        """The socket that is connected to this address next, and to no other."""
        family, kind, protocol, _, place = address
        if is_inside(place[0], self._inside):
            raise _Inside("inside")
        return socket.socket(family, kind, protocol)


def is_inside(address: str, allowed: Sequence[Network] = ()) -> bool:
    """Whether an IP address is not one that all the world reaches; as IPv4 counts also what IPv6 only carries (RFC 4291
    §2.5.5.2, RFC 6052).

    Args:
        address: as text.
        allowed: networks that do not count as inside.
    """
    found = carried(ip_address(address))
    if any(found in network for network in allowed):
        return False
    if isinstance(found, IPv4Address):
        return any(found in network for network in _INSIDE_4)
    return found not in _OUTSIDE_6 or any(found in network for network in _INSIDE_6)


def carried(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address only carries (RFC 4291 §2.5.5.2, RFC 6052 §2.1); any other is itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


class _Inside(OSError):
    """A connection that is not made."""


class _Names:
    """Looks names up, on threads of its own: who owns a name can keep a look-up waiting, and nothing else may wait for it."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKING_UP, "names")

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> "list[ResolveResult]":
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG
        )
        return [
            {
                "hostname": host,
                "host": str(place[0]),
                "port": int(place[1]),
                "family": kind,
                "proto": protocol,
                "flags": socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            }
            for kind, _, protocol, _, place in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


async def _answer(response: "ClientResponse", most: int) -> Answer:
    body = bytearray()
    while len(body) <= most and most and (piece := await response.content.readany()):
        body += piece
    return Answer(response.status, response.headers, bytes(body[:most]), 0 < most >= len(body))


def _unreached(code: str, why: Text, again: bool = True) -> Unreached:
    return Unreached(
        code,
        Text("Een ander gaf geen bruikbaar antwoord.", "Another gave no usable answer."),
        why,
        _LATER if again else _CHOOSE,
        retry=again,
    )


_LATE = Text("Het antwoord kwam niet op tijd.", "The answer did not come in time.")
_BROKEN = Text("Er kwam geen goede verbinding.", "There was no good connection.")
_IS_INSIDE = Text(
    "Het adres ligt in het eigen netwerk van dit knooppunt.",
    "The address lies inside the network of this node.",
)
_LATER = Text("Probeer het later opnieuw.", "Try again later.")
_CHOOSE = Text("Kies een adres dat iedereen kan bereiken.", "Choose an address that everybody can reach.")
