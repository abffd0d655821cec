"""Witnesses: keys come from cards, peers that are away are left alone, and a lost record is noticed."""

import json
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from sluis.gateway import Answer, Card, Covers, Witnesses, witness_name
from sluis.kernel import Invalid, PeerId, Text, Upstream
from sluis.ledger import Cosigned, Peer

RDW, UWV = PeerId("00000004003214345001"), PeerId("00000001826002785000")
START = datetime(2026, 6, 1, tzinfo=UTC)
_SAY = Text("Nee.", "No.")


def card(peer: PeerId, log: str) -> Card:
    return Card(peer, "X", "x", "https://x.example", peer[:16].encode() * 2, b"s" * 32, START, log)


class Wire:
    """A link whose answers a test writes down: path to body, per peer; what is not there is unreachable."""

    def __init__(self) -> None:
        self.answers: dict[tuple[PeerId, str], bytes] = {}
        self.asked: list[tuple[PeerId, str]] = []
        self.transactions: list[str] = []

    @asynccontextmanager
    async def send(
        self,
        peer: PeerId,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
        covers: Covers | None = None,
        ready: Awaitable[object] | None = None,
    ) -> AsyncIterator[Answer]:
        self.asked.append((peer, path))
        self.transactions.append(headers["fsc-transaction-id"])
        if (peer, path) not in self.answers:
            raise Upstream("peer-unreachable", _SAY, _SAY, _SAY, retry=True)

        async def whole() -> AsyncIterator[bytes]:
            yield self.answers[peer, path]

        yield Answer(200, {}, whole())

    async def close(self) -> None: ...


class Log:
    """A ledger that remembers whom it was told to ask, and answers as a test says."""

    origin = "own.example/1"

    def __init__(self, outcome: str = "cosigned") -> None:
        self.outcome, self.witnesses, self.seen = outcome, list[Peer](), list[str]()

    async def cosign(self, peers: Sequence[Peer]) -> list[Any]:
        self.witnesses = list(peers)
        return [Cosigned(peer.key.name, self.outcome, size=9) for peer in peers]  # type: ignore[arg-type]

    def begin_epoch(self, seen: Sequence[str]) -> None:
        self.seen += seen


class Scene:
    """Witnesses of this node, among peers that a test places."""

    def __init__(self, asked: Sequence[PeerId] = (RDW,)) -> None:
        self.wire, self.now, self.cards = Wire(), START, dict[str, Card]()
        self.overlooked: list[str] = []
        self.witnesses = Witnesses(
            self.wire, self._card_of, asked, [RDW, UWV], lambda: self.now, self.overlooked.append
        )

    def place(self, peer: PeerId, log: str) -> None:
        self.cards[f"card-{peer}"] = card(peer, log)
        self.wire.answers[peer, "/v1/node"] = json.dumps({"card": f"card-{peer}"}).encode()

    def _card_of(self, jws: str) -> Card:
        if jws not in self.cards:
            raise Invalid("malformed-card", _SAY, _SAY, _SAY)
        return self.cards[jws]


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def gathered(scene: Scene, log: Log) -> Log:
    await scene.witnesses.read_cards()
    await scene.witnesses.gather(log)  # type: ignore[arg-type]
    return log


async def test_witness_is_asked_under_the_key_on_its_card(scene: Scene) -> None:
    scene.place(RDW, "rdw.example/1")
    log = await gathered(scene, Log())
    assert [(one.key.name, one.key.public) for one in log.witnesses] == [
        (witness_name("rdw.example/1"), scene.cards[f"card-{RDW}"].verification_key)
    ]


async def test_only_peers_that_are_asked_have_their_cards_read(scene: Scene) -> None:
    scene.place(RDW, "rdw.example/1")
    scene.place(UWV, "uwv.example/1")
    await scene.witnesses.read_cards()
    assert scene.wire.asked == [(RDW, "/v1/node")]


async def test_log_of_a_peer_is_known_a_moment_after_it_first_asks(scene: Scene) -> None:
    scene.place(UWV, "uwv.example/1")
    assert scene.witnesses.known("uwv.example/1") is None
    await scene.witnesses.read_cards()
    key = scene.cards[f"card-{UWV}"].verification_key
    assert scene.witnesses.known("uwv.example/1") == key
    assert scene.witnesses.known("uwv.example/1/epoch-2") == key
    assert scene.witnesses.known("someone.example/1") is None


async def test_card_of_another_organisation_is_not_believed(scene: Scene) -> None:
    scene.place(UWV, "uwv.example/1")
    scene.wire.answers[RDW, "/v1/node"] = scene.wire.answers[UWV, "/v1/node"]
    assert (await gathered(scene, Log())).witnesses == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"card": "forged"}', b'{"card": 1}'])
async def test_answer_that_is_no_card_makes_no_witness(scene: Scene, body: bytes) -> None:
    scene.wire.answers[RDW, "/v1/node"] = body
    assert (await gathered(scene, Log())).witnesses == []


async def test_peer_that_is_away_is_left_alone_for_a_while(scene: Scene) -> None:
    for _ in range(3):
        await gathered(scene, Log())
    assert scene.wire.asked == [(RDW, "/v1/node")]
    scene.now += timedelta(seconds=31)
    await gathered(scene, Log())
    assert len(scene.wire.asked) == 2


async def test_peer_that_stays_away_is_left_alone_for_longer_each_time(scene: Scene) -> None:
    for _ in range(70):
        await gathered(scene, Log())
        scene.now += timedelta(seconds=1)
    assert len(scene.wire.asked) == 7  # at 0, 1, 3, 7, 15, 31 and 61 seconds
    scene.place(RDW, "rdw.example/1")
    scene.now += timedelta(seconds=30)
    assert len((await gathered(scene, Log())).witnesses) == 1
    assert (await gathered(scene, Log("unreachable"))).witnesses != []
    scene.now += timedelta(seconds=1)
    assert len((await gathered(scene, Log())).witnesses) == 1  # it answered in between: short again


async def test_witness_that_does_not_answer_is_left_alone_for_a_while(scene: Scene) -> None:
    scene.place(RDW, "rdw.example/1")
    assert len((await gathered(scene, Log("unreachable"))).witnesses) == 1
    assert (await gathered(scene, Log())).witnesses == []
    scene.now += timedelta(seconds=31)
    assert len((await gathered(scene, Log())).witnesses) == 1


async def test_what_a_witness_saw_more_is_held_against_the_log(scene: Scene) -> None:
    scene.place(RDW, "rdw.example/1")
    await scene.witnesses.read_cards()
    log = Log("ahead")
    digest = sha256(log.origin.encode()).hexdigest()
    scene.wire.answers[RDW, f"/v1/log/witnessed/{digest}/checkpoint"] = b"their note"
    await scene.witnesses.gather(log)  # type: ignore[arg-type]
    assert log.seen == ["their note"]


async def test_unreachable_witness_is_an_oserror_to_the_ledger(scene: Scene) -> None:
    scene.place(RDW, "rdw.example/1")
    log = await gathered(scene, Log())
    with pytest.raises(OSError, match="peer-unreachable"):
        await log.witnesses[0].send(b"old 0\n\n")


async def test_only_the_crossing_by_which_a_log_is_witnessed_may_be_overlooked(scene: Scene) -> None:
    scene.place(RDW, "rdw.example/1")
    log = await gathered(scene, Log())
    assert scene.overlooked == []  # reading a card is a crossing as any
    scene.wire.answers[RDW, "/v1/log/add-checkpoint"] = b""
    await log.witnesses[0].send(b"checkpoint")
    assert scene.wire.transactions[-1:] == scene.overlooked
    assert len(scene.overlooked) == 1
