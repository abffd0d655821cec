"""Who answers where nginx is about to send, as nginx cannot see it: the Peer ID in the certificate there.

nginx 1.22 verifies the chain and the name of what it connects to, and has no word for its subject. So Sluis connects
itself, before an address gets its first request and every minute from then on; an address at which somebody else
answers, or a revoked certificate is shown, is not given to nginx.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from sluis.gateway.forward import Target
from sluis.gateway.streams import RevokedPeer, Streams, Unreachable, WrongPeer, speaks_for

Meet = Callable[[Target, Sequence[str]], Awaitable[Sequence[str]]]
"""Those of the addresses of a target at which its peer answers.

Raises `WrongPeer` when it is somebody else at one of them, another `OSError` when nobody answers at any."""

_CONNECT = 5.0  # seconds


def meeting(streams: Streams, revoked: Callable[[bytes], bool]) -> Meet:
    """How a node meets inways.

    Args:
        streams: with whose context for peers that is done: it shows the node's certificate, and holds chain and name as
            nginx does.
        revoked: whether a certificate (DER) was revoked.
    """

    async def certificate(target: Target, address: str) -> bytes | None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_CONNECT):
            transport, _ = await loop.create_connection(
                asyncio.Protocol, address, target.port, ssl=streams.peers, server_hostname=target.host
            )
        try:
            shown: bytes | None = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
            return shown
        finally:
            transport.abort()

    async def meet(target: Target, addresses: Sequence[str]) -> Sequence[str]:
        assert target.peer is not None
        shown = await asyncio.gather(*(certificate(target, one) for one in addresses), return_exceptions=True)
        found = []
        for address, der in zip(addresses, shown, strict=True):
            if isinstance(der, OSError):  # nobody there; perhaps at the next address
                continue
            if isinstance(der, BaseException):
                raise der
            if der is None or not speaks_for(der, target.peer):
                raise WrongPeer
            if revoked(der):
                raise RevokedPeer
            found.append(address)
        if not found:
            raise Unreachable
        return found

    return meet
