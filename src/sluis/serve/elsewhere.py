"""The way to the logs of other organisations, for who wants to know who looked at their data."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

import msgspec

from sluis.config import Config
from sluis.crypto import Jwk, read_jwks
from sluis.gateway import Link, Membership, headers_for, read_answer
from sluis.identity.looked import Organisation
from sluis.kernel import (
    Clock,
    Invalid,
    NotFound,
    PeerId,
    Problem,
    Text,
    Trace,
    Upstream,
    decode,
)
from sluis.ledger import Found, Line
from sluis.query import Owners

_KEY_SECONDS = 300.0
"""How long the key of another node is used before it is asked for again."""

_AWAY_SECONDS = 5.0
"""Before who did not say where they are is asked again: whoever reads a page must not wait for the same one each time."""

_MOST_BYTES = 4 * 1024 * 1024
"""Of one answer."""


class Logs:
    """The logs of other organisations, over the link: the `Elsewhere` of this node.

    Args:
        config: names peers, and this node itself.
        link: the way to them.
        owners: what is known of each, its address by its signed card with it.
        membership: knows where the group says that they are; None without a group.
        clock: aware UTC.
    """

    def __init__(
        self, config: Config, link: Link, owners: Owners, membership: Membership | None, clock: Clock
    ) -> None:
        self._link, self._owners, self._membership, self._clock = link, owners, membership, clock
        own = Organisation(config.node.oin, config.node.name)
        self._by_peer = {
            str.__str__(one.oin): Organisation(one.oin, one.name) for one in config.peers.values()
        }
        self._by_peer[str.__str__(own.peer)] = own
        self._by_url = {_base(config.node.url): own}
        self._keys: dict[PeerId, tuple[Jwk, float]] = {}
        self._away: dict[str, float] = {}

    async def look_around(self, seconds: float) -> None:
        """Learn where peers are, of those of whom it is not known yet; who is away is skipped."""
        placed, now = self._placed(), self._clock().timestamp()
        unknown = [
            alias
            for alias, one in self._owners.by_alias.items()
            if one.peer not in placed and self._away.get(alias, 0.0) <= now
        ]
        if not unknown:
            return
        self._away |= dict.fromkeys(unknown, now + _AWAY_SECONDS)  # those who answer are placed
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*map(self._place, unknown))

    def organisation(self, address: str) -> Organisation | None:
        """Whose address this is: by a card, by the directory of the group, or by name."""
        found = self._by_url.get(_base(address)) or self._by_peer.get(address.removeprefix("urn:nld:oin:"))
        return found or self._by_directory(address)

    async def key(self, peer: PeerId) -> Jwk:
        """The key with which a peer reads what is for it alone. Raises `Upstream`, `Refused`."""
        kept, now = self._keys.get(peer), self._clock().timestamp()
        if kept is not None and kept[1] > now:
            return kept[0]
        try:
            found = read_jwks(await self._asked(peer, "GET", "/v1/assertion-keys", b"", {}, 4.0))
        except Invalid:
            raise _no_key(peer) from None
        fitting = found.fitting(None, "enc")
        if not fitting:
            raise _no_key(peer)
        self._keys[peer] = fitting[0], now + _KEY_SECONDS
        return fitting[0]

    async def read(
        self, peer: PeerId, assertion: str, trace_id: str, most: int, seconds: float
    ) -> list[Line]:
        """The lines of a trace in the log of a peer. Raises `Problem`."""
        headers = {"authorization": f"Bearer {assertion}", "content-type": "application/json"}
        body = msgspec.json.encode({"traceId": trace_id})
        raw = await self._asked(peer, "POST", "/v1/processing-activities", body, headers, seconds)
        try:
            return decode(raw, Found).processing_activities[:most]
        except msgspec.MsgspecError:
            raise _unusable(peer) from None

    async def _asked(
        self, peer: PeerId, method: str, path: str, body: bytes, headers: Mapping[str, str], seconds: float
    ) -> bytes:
        carried = {**headers_for(Trace.begin()), **headers}
        async with self._link.send(peer, method, path, carried, body, seconds) as answer:
            return await read_answer(answer, _MOST_BYTES, _unusable(peer))

    async def _place(self, alias: str) -> None:
        with suppress(Problem):
            known = await self._owners.known(alias)
            peer = self._owners.by_alias[alias].peer
            self._by_url[_base(known.keys.url)] = self._by_peer[str.__str__(peer)]

    def _placed(self) -> set[PeerId]:
        return {one.peer for one in self._by_url.values()}

    def _by_directory(self, address: str) -> Organisation | None:
        """The one peer that the directory has at this host; of a peer that is away from the start nothing else is known."""
        host = _host(address)
        if self._membership is None or host is None:
            return None
        peers = self._membership.running.peers
        at = [
            one
            for one in self._by_peer.values()
            if (known := peers.known(one.peer)) and urlsplit(known.address).hostname == host
        ]
        return at[0] if len(at) == 1 else None


def _base(address: str) -> str:
    """An address without what comes after the host and port, but for a path of its own."""
    return address.rstrip("/").removesuffix("/v1").rstrip("/").lower()


def _host(address: str) -> str | None:
    """The host of an address, which stands in somebody's log and may be anything; None when it has none."""
    try:
        return urlsplit(address).hostname if address.isascii() else None
    except ValueError:
        return None


def _no_key(peer: PeerId) -> NotFound:
    return NotFound(
        "no-assertion-key",
        Text("Deze organisatie laat haar logboek niet door betrokkenen lezen.",
             "This organisation does not let data subjects read its log."),
        Text("Zij publiceert geen sleutel voor verklaringen.", "It publishes no key for assertions."),
        Text("Vraag het deze organisatie zelf.", "Ask that organisation itself."),
        peer=str.__str__(peer),
    )  # fmt: skip


def _unusable(peer: PeerId) -> Upstream:
    return Upstream(
        "log-unusable",
        Text("Het logboek van een andere organisatie gaf geen bruikbaar antwoord.",
             "The log of another organisation gave no usable answer."),
        Text("Het antwoord heeft niet de vorm van de leesextensie.", "The answer does not have the form of the reading extension."),
        Text("Probeer het later opnieuw.", "Try again later."),
        peer=str.__str__(peer),
        retry=True,
    )  # fmt: skip
