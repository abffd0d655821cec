"""Whether a credential is still good: Token Status List (draft-ietf-oauth-status-list), as signed JWT.

A list is fetched from hosts that the settings declare for its issuer, and from no other; redirects are not followed. It is
kept for as long as it says, and no longer than `LONGEST`. A list that cannot be had is no list: the credential is refused.
"""

import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from sluis.crypto import LEEWAY, decode_base64url, read_json, read_jws
from sluis.identity.passport.model import Issuer, StatusAt
from sluis.identity.passport.presentation import chain_of, moment_of, refused
from sluis.kernel import Clock, Invalid

Fetch = Callable[[str], Awaitable[bytes]]
"""Gets a status list from an address. Raises `Upstream`."""

LONGEST = 900
"""Seconds that a list is believed at most without looking again."""

LARGEST = 2 * 1024 * 1024
"""Bytes of a list as it comes."""

_DEFAULT = 300  # seconds, for a list that does not say how long
_UNPACKED = 16 * 1024 * 1024  # bytes
_LISTS = 100
_BITS = (1, 2, 4, 8)
_VALID, _SUSPENDED = 0, 2


class StatusList(msgspec.Struct, frozen=True):
    """A list that was read.

    Args:
        bits: of each entry.
        entries: packed, the lowest bits of a byte first.
        until: when it must be fetched again, seconds since the epoch.
    """

    bits: int
    entries: bytes
    until: float

    def at(self, index: int) -> int:
        """The status of an entry. Raises `Refused` for one that is not there."""
        byte, shift = divmod(index * self.bits, 8)
        if byte >= len(self.entries):
            raise refused("status-list")
        return self.entries[byte] >> shift & ((1 << self.bits) - 1)


class StatusLists:
    """The status lists of trusted issuers.

    Args:
        fetch: gets one.
        clock: the time.
        test: whether issuers under a test authority are believed.
    """

    def __init__(self, fetch: Fetch, clock: Clock, test: bool) -> None:
        self._fetch, self._clock, self._test = fetch, clock, test
        self._lists: dict[tuple[str, str], StatusList] = {}

    async def check(self, issuer: Issuer, at: StatusAt) -> None:
        """That a credential of this issuer is still good.

        Raises:
            Refused: it is not, or its list cannot be believed.
            Upstream: its list cannot be had.
        """
        if not any(at.uri.startswith(f"{host}/") for host in issuer.status):
            raise refused("status-host")
        found = self._lists.get((issuer.name, at.uri))
        if found is None or found.until <= self._clock().timestamp():
            raw = await self._fetch(at.uri)
            found = read_status_list(raw, issuer, at.uri, self._clock, self._test)
            while len(self._lists) >= _LISTS:
                del self._lists[next(iter(self._lists))]
            self._lists[issuer.name, at.uri] = found
        status = found.at(at.index)
        if status != _VALID:
            raise refused("suspended" if status == _SUSPENDED else "revoked")


def read_status_list(raw: bytes, issuer: Issuer, uri: str, clock: Clock, test: bool) -> StatusList:
    """Read a status list token.

    Args:
        raw: compact JWS.
        issuer: who must have signed it.
        uri: where it came from; it must name the same.
        clock: the time.
        test: whether issuers under a test authority are believed.

    Raises:
        Refused: it is not good.
    """
    try:
        jws = read_jws(raw.decode(), LARGEST)
        claims = read_json(jws.payload)
    except (Invalid, UnicodeError):
        raise refused("status-list") from None
    chain_of(jws, (issuer,), clock(), test)
    now = clock().timestamp()
    listed = claims.get("status_list") if isinstance(claims, dict) else None
    if jws.header.get("typ") != "statuslist+jwt" or not isinstance(listed, dict) or claims.get("sub") != uri:
        raise refused("status-list")
    made, end, lasts = (moment_of(claims, name, "status-list") for name in ("iat", "exp", "ttl"))
    if (
        made is None
        or made > now + LEEWAY
        or (end is not None and end <= now)
        or (lasts is not None and lasts <= 0)
    ):
        raise refused("status-list")
    until = now + min(_DEFAULT if lasts is None else lasts, LONGEST)
    bits = listed.get("bits")
    if bits not in _BITS or isinstance(bits, bool):
        raise refused("status-list")
    return StatusList(bits, _unpacked(listed.get("lst")), until if end is None else min(until, end))


def _unpacked(text: Any) -> bytes:
    """DEFLATE in ZLIB form (RFC 1950), bounded: a few bytes may stand for very many."""
    try:
        inflate = zlib.decompressobj()
        entries = inflate.decompress(decode_base64url(text), _UNPACKED)
    except (ValueError, TypeError, zlib.error):
        raise refused("status-list") from None
    if not inflate.eof or inflate.unused_data:
        raise refused("status-list")
    return entries
