"""Signatures under contracts go into the ledger, together and without one holding up another."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from tests.unit.gateway.contracts.making import CONSUMER, NOW, PROVIDER, as_json, content

from sluis.gateway import evidence as module
from sluis.gateway.contracts import Contract, Signature, read_content
from sluis.gateway.evidence import Evidence
from sluis.kernel import Conflict, PeerId, Text, Unkept, utc_now
from sluis.ledger import Agreement


class Ledger:
    """Commits once `together` appends wait, as a slow disk would; refuses what is signed by `refused`."""

    def __init__(self, together: int, refused: str = "") -> None:
        self.together, self.refused = together, refused
        self.waiting = list[tuple[asyncio.Future[None], Agreement]]()
        self.kept = list[tuple[str, str]]()

    def append(self, records: Sequence[Agreement]) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting += [(future, one) for one in records]
        if len(self.waiting) == self.together:
            for waiting, record in self.waiting:
                if record.peer == self.refused:
                    waiting.set_exception(Conflict("key-taken", Text("", ""), Text("", ""), Text("", "")))
                else:
                    self.kept.append((record.contract, record.peer))
                    waiting.set_result(None)
            self.waiting.clear()
        return future


def contracts(count: int) -> list[Contract]:
    made = [read_content(as_json(content())) for _ in range(count)]
    return [
        Contract(one, tuple(Signature(PeerId(peer), "accept", f"{peer}.{one.hash}", NOW, "a" * 43, NOW)
                            for peer in (CONSUMER, PROVIDER)))
        for one in made
    ]  # fmt: skip


async def record(ledger: Any, every: list[Contract]) -> None:
    await asyncio.wait_for(Evidence(ledger, None, utc_now).all_signed(every), 5)  # type: ignore[arg-type]


async def test_all_signatures_share_a_commit() -> None:
    ledger, every = Ledger(together=10), contracts(5)
    await record(ledger, every)
    assert sorted(ledger.kept) == sorted(
        (one.content.hash, peer) for one in every for peer in (CONSUMER, PROVIDER)
    )


async def test_one_that_is_refused_holds_up_no_other_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    ledger, every = Ledger(together=4, refused=CONSUMER), contracts(2)
    with caplog.at_level(logging.ERROR, "sluis.gateway"):
        await record(ledger, every)
    assert sorted(ledger.kept) == sorted((one.content.hash, PROVIDER) for one in every)
    told = {f"a signature under {one.content.hash} is not on record yet: key-taken" for one in every}
    assert set(caplog.messages) == told


async def test_a_ledger_that_keeps_nothing_is_told_and_stops_no_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Full:
        def append(self, records: object) -> asyncio.Future[None]:
            raise Unkept("store-too-busy", Text("", ""), Text("", ""), Text("", ""))

    with caplog.at_level(logging.ERROR, "sluis.gateway"):
        await record(Full(), contracts(1))
    assert len(caplog.messages) == 2


class AtOnce:
    """A ledger that keeps all that it is given."""

    def __init__(self) -> None:
        self.kept = list[str]()

    async def append(self, records: Sequence[Agreement]) -> None:
        self.kept += [one.contract for one in records]


class Kept:
    """Contracts in pages of at most two, whatever is asked for."""

    def __init__(self, every: list[Contract], broken: Exception | None = None) -> None:
        self.every, self.broken = every, broken
        self.asked = list[int]()

    def page(self, cursor: str, limit: int) -> tuple[list[Contract], str]:
        if cursor and self.broken:
            raise self.broken
        begin = int(cursor or 0)
        end = begin + min(limit, 2)
        self.asked.append(limit)
        return self.every[begin:end], str(end) if end < len(self.every) else ""


@pytest.fixture(autouse=True)
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REST", 0)


def evidence(ledger: Any) -> Evidence:
    sealing: Any = None
    return Evidence(ledger, sealing, utc_now)


async def test_the_newest_are_on_record_before_the_node_goes_on_and_all_others_soon() -> None:
    ledger, kept = AtOnce(), Kept(contracts(7))
    writing = evidence(ledger)
    await writing.begin(kept.page)
    assert ledger.kept == [one.content.hash for one in kept.every[:2] for _ in range(2)]
    assert writing._going_on is not None
    await asyncio.wait_for(writing._going_on, 5)
    assert ledger.kept == [one.content.hash for one in kept.every for _ in range(2)]
    assert set(kept.asked) == {500}  # never more in memory, however many there are
    await writing.stop()


async def test_a_node_that_stops_does_not_wait_for_the_old_ones() -> None:
    ledger, kept = AtOnce(), Kept(contracts(5))
    writing = evidence(ledger)
    await writing.begin(kept.page)
    await asyncio.wait_for(writing.stop(), 5)
    before = len(ledger.kept)
    await asyncio.sleep(0.01)
    assert len(ledger.kept) == before < 10


@pytest.mark.parametrize(
    ("broken", "cause"),
    [
        (Unkept("store-away", Text("", ""), Text("", ""), Text("", "")), "store-away"),
        (OperationalError("SELECT", {}, Exception()), "OperationalError"),
    ],
)
async def test_a_store_that_fails_on_the_way_is_told_and_the_node_stops_all_the_same(
    caplog: pytest.LogCaptureFixture, broken: Exception, cause: str
) -> None:
    kept = Kept(contracts(3), broken)
    writing = evidence(AtOnce())
    with caplog.at_level(logging.ERROR, "sluis.gateway"):
        await writing.begin(kept.page)
        assert writing._going_on is not None
        await asyncio.wait_for(writing._going_on, 5)
        await writing.stop()
    assert caplog.messages[0].endswith(f"until the next start: {cause}")
