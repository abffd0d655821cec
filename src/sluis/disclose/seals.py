"""Sealed columns of one question: the key is drawn here, or another owner's is opened; values become tokens on their
way out and tokens become values on their way in (see `crypto.sealing`).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa

from sluis.crypto import (
    Grant,
    KeyStore,
    Scope,
    Tokens,
    draw_key,
    key_digest,
    open_grant,
    open_key,
    refused_token,
    seal_key,
    sign_grant,
)
from sluis.crypto.sealing import Joinable
from sluis.gateway import Card
from sluis.kernel import PeerId, encode
from sluis.statement import Seal, SubQuestion

CardOf = Callable[[str], Card]
"""Reads a signed card; raises a `Problem` when it is not one of the group's."""


class Sealing:
    """The tokens of one question at one owner. `granted` are the sealed keys to hand out, for who draws the key;
    `maker` drew it."""

    def __init__(self, tokens: Tokens | None, granted: Mapping[str, Seal], maker: str | None = None) -> None:
        self._tokens, self._granted, self._maker = tokens, granted, maker

    @property
    def parties(self) -> dict[str, Any]:
        """Who could read the tokens, as far as is known here, for the decision's record: peer ids."""
        if self._maker is None:
            return {}
        return {"maker": self._maker, **({"openers": sorted(self._granted)} if self._granted else {})}

    @property
    def metadata(self) -> bytes | None:
        """The sealed keys by peer id, as they travel in the last batch: JSON of `Seal`; None when there are none."""
        return encode(self._granted) if self._granted else None

    def values(self, tokens: Sequence[object]) -> list[Joinable]:
        """What tokens stand for. Raises `Refused` for one that no owner made for this question."""
        if self._tokens is None or not all(isinstance(token, str) for token in tokens):
            raise refused_token()
        return [self._tokens.open(str(token)) for token in tokens]

    def sealed(self, column: pa.Array) -> pa.Array:
        """A column with tokens in the place of its values; nothing stays nothing."""
        if self._tokens is None:
            raise refused_token()
        seal = self._tokens.seal
        return pa.array([None if value is None else seal(value) for value in column.to_pylist()], pa.string())


class Sealer:
    """Makes the sealing of each question.

    Args:
        own: this node.
        card: this node's own signed card, as it is now.
        keys: signs grants, opens sealed keys.
        card_of: reads other nodes' cards.
        seconds: how long a key that is drawn here is good for.
    """

    def __init__(
        self, own: PeerId, card: Callable[[], str], keys: KeyStore, card_of: CardOf, seconds: int
    ) -> None:
        self._own, self._card, self._keys = str.__str__(own), card, keys
        self._card_of, self._seconds = card_of, seconds

    def sealing(self, asker: PeerId, question: SubQuestion, now: datetime) -> Sealing:
        """The sealing of a question; one without seal seals and opens nothing.

        Raises:
            Refused: a key that its maker did not seal to this node, for this asker, question and activity, today.
        """
        seal = question.seal
        if seal is None:
            return Sealing(None, {})
        if seal.key is not None:
            return Sealing(self._opened(asker, question, seal, now), {}, str.__str__(seal.maker))
        if seal.parameters:
            raise refused_token()
        return self._drawn(asker, question, seal, now)

    def _opened(self, asker: PeerId, question: SubQuestion, seal: Seal, now: datetime) -> Tokens:
        grant = open_grant(seal.signature, self._key_of)
        scope, key = grant.scope, seal.key or ""
        stated = (scope.question, scope.maker, scope.asker, scope.activity, grant.addressee, grant.digest)
        expected = (seal.question, seal.maker, asker, question.activity, self._own, key_digest(key))
        # A key that the asker drew itself would open every value it cares to make a token of.
        if stated != expected or scope.maker == asker or scope.expires <= now.timestamp():
            raise refused_token()
        return Tokens(open_key(key, scope, self._keys.sealing_public, self._keys.agree), scope)

    def _drawn(self, asker: PeerId, question: SubQuestion, seal: Seal, now: datetime) -> Sealing:
        expires = int(now.timestamp()) + self._seconds
        scope = Scope(seal.question, self._own, str.__str__(asker), question.activity, expires)
        openers = {str.__str__(one.peer): one.sealing_key for one in map(self._card_of, seal.openers)}
        if asker in openers:
            raise refused_token()
        key = draw_key()
        granted = {}
        for peer, public in {**openers, self._own: self._keys.sealing_public}.items():
            sealed = seal_key(key, scope, public)
            signature = sign_grant(Grant(scope, peer, key_digest(sealed)), self._keys.sign, self._card())
            granted[peer] = msgspec.structs.replace(
                Seal(seal.question), maker=PeerId(self._own), key=sealed, signature=signature
            )
        return Sealing(Tokens(key, scope), granted, self._own)

    def _key_of(self, card: str) -> tuple[str, bytes]:
        read = self._card_of(card)
        return str.__str__(read.peer), read.verification_key
