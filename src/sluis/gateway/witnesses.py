"""Peers as each other's witnesses: a node has its checkpoints cosigned, and knows whose it may cosign itself.

C2SP tlog-witness over the link. Keys and names come from the peers' signed cards; what a checkpoint and a cosignature
are, `ledger` knows.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

import msgspec

from sluis.gateway.card import Card
from sluis.gateway.link import Link, body_of, headers_for, no_answer
from sluis.kernel import Clock, PeerId, Problem, Trace, decode, new_transaction_id
from sluis.ledger import Ledger, Peer, base_origin, verifier

log = logging.getLogger("sluis.witness")

_CARD_SECONDS = 3600.0  # how long a card is believed before it is read again
_RESTS = (
    1.0,
    2.0,
    4.0,
    8.0,
    16.0,
    30.0,
)  # seconds a peer that cannot be reached is left alone, each time longer
_ANSWER_SECONDS = 5.0
_MOST_BYTES = 128 * 1024


def witness_name(log_name: str) -> str:
    """The name under which the node with this log cosigns the logs of others."""
    return f"{log_name}/witness"


class Witnesses:
    """The peers that witness this node's log, and those whose logs it witnesses.

    Args:
        link: the way to peers.
        card_of: checks a signed card; raises a Problem.
        asked: the peers that are asked to cosign.
        peers: all peers whose checkpoints this node cosigns when they ask.
        clock: aware UTC.
        overlook: told each transaction by which a peer is asked to cosign (`Evidence.overlook`).
    """

    def __init__(
        self,
        link: Link,
        card_of: Callable[[str], Card],
        asked: Sequence[PeerId],
        peers: Iterable[PeerId],
        clock: Clock,
        overlook: Callable[[str], None],
    ) -> None:
        self._link, self._card_of, self._clock = link, card_of, clock
        self._asked, self._peers, self._overlook = tuple(asked), tuple(peers), overlook
        self._cards: dict[PeerId, tuple[Card, float]] = {}
        self._rest_until: dict[PeerId, float] = {}
        self._missed: dict[PeerId, int] = {}
        self._sought = False

    def known(self, origin: str) -> bytes | None:
        """The Ed25519 key of the log with this origin; None when no peer has one by that name, as far as is known.

        A name that is not known makes `read_cards` look at every peer: who asks again a moment later is answered.
        """
        base = base_origin(origin)
        for card, _ in self._cards.values():
            if card.log == base:
                return card.verification_key
        self._sought = True
        return None

    async def read_cards(self) -> None:
        """Read the cards that are needed and not known, or were read long ago; who is away is skipped."""
        now = self._clock().timestamp()
        wanted, self._sought = (self._peers if self._sought else self._asked), False
        await asyncio.gather(*(self._read_card(peer, now) for peer in wanted if self._is_due(peer, now)))

    async def gather(self, ledger: Ledger) -> None:
        """Publish a checkpoint over everything committed, with the cosignatures of the peers that can be reached.

        Raises `Unkept` when it cannot be published. A witness that saw more than this log holds shows that records
        were lost, as after a backup was put back: the log goes on in a new epoch that says so.
        """
        now = self._clock().timestamp()
        names = {
            witness_name(self._cards[peer][0].log): peer
            for peer in self._asked
            if peer in self._cards and self._rest_until.get(peer, 0) <= now
        }
        witnesses = [self._witness(name, peer) for name, peer in names.items()]
        for answer in await ledger.cosign(witnesses):
            peer = names[answer.witness]
            if answer.outcome == "cosigned":
                self._missed.pop(peer, None)
            elif answer.outcome == "unreachable":
                self._rest(peer, now)
            else:
                log.warning("witness %s: %s at size %d", str.__str__(peer), answer.outcome, answer.size)
                self._rest(peer, now)
                await self._compare(ledger, peer)

    def _witness(self, name: str, peer: PeerId) -> Peer:
        async def send(body: bytes) -> tuple[int, bytes]:
            transaction_id = new_transaction_id()
            self._overlook(transaction_id)
            try:
                return await self._ask(peer, "POST", "/v1/log/add-checkpoint", body, transaction_id)
            except Problem as problem:
                raise OSError(problem.code) from problem

        key = verifier.Key(name, verifier.COSIGNER, self._cards[peer][0].verification_key)
        return Peer(key, send)

    async def _compare(self, ledger: Ledger, peer: PeerId) -> None:
        """Hold this log against the checkpoint that a peer saw of it last."""
        digest = sha256(ledger.origin.encode()).hexdigest()
        try:
            status, note = await self._ask(
                peer, "GET", f"/v1/log/witnessed/{digest}/checkpoint", b"", new_transaction_id()
            )
        except Problem:
            return
        if status == 200:
            begun = await asyncio.to_thread(ledger.begin_epoch, [note.decode("utf-8", "replace")])
            if begun is not None:
                log.error("records were lost; the log goes on as %s", ledger.origin)

    def _is_due(self, peer: PeerId, now: float) -> bool:
        read = self._cards[peer][1] if peer in self._cards else 0.0
        return now - read > _CARD_SECONDS and self._rest_until.get(peer, 0) <= now

    async def _read_card(self, peer: PeerId, now: float) -> None:
        try:
            status, body = await self._ask(peer, "GET", "/v1/node", b"", new_transaction_id())
            card = self._card_of(decode(body, dict[str, str])["card"]) if status == 200 else None
        except (Problem, msgspec.MsgspecError, KeyError):
            card = None
        if card is not None and card.peer == peer and card.log:
            self._cards[peer] = card, now
            self._missed.pop(peer, None)
        else:
            self._rest(peer, now)

    def _rest(self, peer: PeerId, now: float) -> None:
        missed = self._missed.get(peer, 0)
        self._missed[peer] = missed + 1
        self._rest_until[peer] = now + _RESTS[min(missed, len(_RESTS) - 1)]

    async def _ask(
        self, peer: PeerId, method: str, path: str, body: bytes, transaction_id: str
    ) -> tuple[int, bytes]:
        headers = headers_for(Trace.begin(), "*/*", transaction_id) | {
            "content-type": "text/plain; charset=utf-8"
        }
        too_much = no_answer(str.__str__(peer), "peer-broke-off")
        async with self._link.send(peer, method, path, headers, body, _ANSWER_SECONDS) as answer:
            return answer.status, await body_of(answer, _MOST_BYTES, too_much)
