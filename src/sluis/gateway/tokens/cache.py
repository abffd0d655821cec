"""Tokens at hand: at the inway those that were checked, at the outway those that it got.

Signing and verifying a token takes longer than all else that a request needs. What may change between two requests (the
certificate on the connection, the time, the contract) is still asked at each.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Generic, TypeVar

import msgspec

from sluis.gateway.contracts import Grant
from sluis.gateway.tokens.model import SKEW, Claims, Token
from sluis.gateway.tokens.rules import read_token
from sluis.kernel import PeerId, Problem

K = TypeVar("K")
V = TypeVar("V")

Fetch = Callable[[Grant], Awaitable[str]]
"""Asks the provider's Manager for a token for this node's outway; raises a `Problem`."""

_FRESH = 0.5  # of a token's life; after that the next one is fetched while this one is still good
_SPARE = (
    10.0  # seconds before its end in which a token is no longer begun with, at most a quarter of its life
)
_AGAIN = 1.0  # seconds in which an answer of the Manager stands before it is asked again


class Recent(Generic[K, V]):
    """The newest things that were found, by what they were found of.

    Only what proved to be good is put in here, so that nobody can push the others out with what they made up.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._found: dict[K, V] = {}
        self.get = self._found.get

    def put(self, key: K, found: V) -> V:
        """Keep it; gives it back."""
        if len(self._found) >= self._most:
            del self._found[next(iter(self._found))]
        self._found[key] = found
        return found

    def drop(self, key: K) -> None:
        """Forget it."""
        self._found.pop(key, None)


class _Place(msgspec.Struct):
    """The token of one grant: fresh until `renew`, good until `until` (seconds of a clock that never goes back)."""

    token: Token | None = None
    renew: float = 0.0
    until: float = 0.0
    fetching: "asyncio.Task[Token] | None" = None
    refusal: Problem | None = None
    again: float = 0.0


class Tokens:
    """The tokens of this node's outway, one per grant. Half-way through its life a token is replaced in the background;
    however many requests wait for one, it is asked for once.

    Args:
        fetch: gets one.
        group: the group that it must be of.
        thumbprints: of the certificates that the outway shows now; a token for another is not used.
        now: seconds since the epoch.
        most: grants whose tokens are kept.
    """

    def __init__(
        self,
        fetch: Fetch,
        group: str,
        thumbprints: Callable[[], Collection[str]],
        now: Callable[[], float],
        most: int = 4096,
    ) -> None:
        self._fetch, self._group, self._thumbprints, self._now = fetch, group, thumbprints, now
        self._most = most
        self._places: dict[str, _Place] = {}

    def at_hand(self, grant: Grant) -> Token | None:
        """Such a token when there is one; None when it has to be fetched, which is for `get`."""
        place = self._places.get(grant.hash)
        if place is None or place.token is None:
            return None
        moment, token = _loop_time(), place.token
        if moment >= place.until or not self._is_ours(token.claims):
            return None
        if moment >= place.renew and place.fetching is None and moment >= place.again:
            self._begin(grant, place).add_done_callback(_retrieved)
        return token

    async def get(self, grant: Grant) -> Token:
        """A token for a connection grant that is good for some seconds more.

        Raises:
            Problem: the provider's Manager gives none; FscProblem when what it gave is of no use.
        """
        token = self.at_hand(grant)
        if token is not None:
            return token
        place = self._places.get(grant.hash) or self._new_place(grant.hash)
        if place.refusal is not None and _loop_time() < place.again:
            raise place.refusal
        # Shielded: whoever gives up waiting does not take the token away from the others.
        return await asyncio.shield(place.fetching or self._begin(grant, place))

    def drop(self, header: str) -> None:
        """An inway did not take the token in this `Fsc-Authorization`: get another for the next request.

        One that was got just now stays: another would be no better, and a service could make this node ask for ever.
        """
        self._drop(lambda token: token.header == header)

    def drop_of(self, peer: PeerId) -> None:
        """No inway of this peer was reached: it may be elsewhere by now, and its Manager says where in the next token."""
        self._drop(lambda token: token.claims.iss == peer)

    def _drop(self, unwanted: Callable[[Token], bool]) -> None:
        for place in self._places.values():
            if place.token is not None and unwanted(place.token) and place.again <= _loop_time():
                place.token = None

    def _is_ours(self, claims: Claims) -> bool:
        return claims.cnf.thumbprint in self._thumbprints()

    def _new_place(self, grant_hash: str) -> _Place:
        if len(self._places) >= self._most:
            del self._places[next(iter(self._places))]
        place = self._places[grant_hash] = _Place()
        return place

    def _begin(self, grant: Grant, place: _Place) -> "asyncio.Task[Token]":
        place.fetching = asyncio.get_running_loop().create_task(self._renew(grant, place))
        return place.fetching

    async def _renew(self, grant: Grant, place: _Place) -> Token:
        begun = _loop_time()
        try:
            token = read_token(await self._fetch(grant), grant, self._group, self._thumbprints())
        except Problem as refusal:
            place.refusal, place.again = refusal, _loop_time() + _AGAIN
            raise
        finally:
            place.fetching = None
        life = _life(token.claims, self._now())
        place.token, place.refusal, place.again = token, None, _loop_time() + _AGAIN
        place.renew, place.until = begun + _FRESH * life, begun + life - min(_SPARE, life / 4)
        return token


def _life(claims: Claims, now: float) -> float:
    """How many seconds a token is good from when it was asked for. It was made at `nbf`, by a clock that may differ from
    this one; only when that is no time of making, this clock is what is left."""
    made_now = abs(now - claims.nbf) <= SKEW
    return float(claims.exp - claims.nbf) if made_now else claims.exp - now


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _retrieved(task: "asyncio.Task[Token]") -> None:
    """A renewal in the background that failed is no one's yet: the token at hand is still good."""
    if not task.cancelled():
        task.exception()
