"""Who follows the log gets every record once, in order, at their own pace; and what they share is read once."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.unit.ledger.examples import appended, decision, opened, processing

from sluis.kernel import Text, Unkept
from sluis.ledger import Batch, Ledger, following, sql
from sluis.ledger.following import _Stretch
from sluis.store import Store


class Reader:
    """Keeps what it was given, and how far it is."""

    def __init__(self, kept: int = 0) -> None:
        self.kept = kept
        self.got: list[int] = []
        self.sizes: list[int] = []
        self.fails = 0
        self.five = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    def place(self) -> int:
        return self.kept

    async def take(self, batch: Batch) -> None:
        await self.gate.wait()
        records = await batch.records()
        if self.fails:
            self.fails -= 1
            raise Unkept("full", *[Text("Vol.", "Full.")] * 3)
        self.got += [index for index, _ in records]
        self.sizes.append(batch.end - batch.first)
        self.kept = batch.end
        if self.kept == 5:
            self.five.set()


@pytest.fixture
def made(tmp_path: Path) -> Iterator[tuple[Store, Ledger]]:
    with opened(tmp_path) as (store, ledger):
        yield store, ledger


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Where each stretch began that was read."""
    begun: list[int] = []
    read = _Stretch._read

    def noted(self: _Stretch) -> following.Records:
        begun.append(self.first)
        return read(self)

    monkeypatch.setattr(_Stretch, "_read", noted)
    monkeypatch.setattr(following, "STRETCH", 10)
    return begun


def fill(ledger: Ledger, many: int) -> None:
    appended(ledger, [processing(str(number)) for number in range(many)])


async def test_each_gets_every_record_once_in_order_in_batches_of_its_size(
    made: tuple[Store, Ledger], reads: list[int]
) -> None:
    _, ledger = made
    fill(ledger, 25)
    one, other = Reader(), Reader()
    lanes = [ledger.following.add(one, most=4), ledger.following.add(other, most=100)]
    await asyncio.gather(*[lane.catch_up() for lane in lanes])
    assert one.got == other.got == list(range(25))
    assert (max(one.sizes), max(other.sizes)) == (4, 10)
    fill(ledger, 3)
    await lanes[0].catch_up()
    assert one.got == list(range(28))
    assert (await lanes[0].behind(), await lanes[1].behind()) == (0, 3)


async def test_what_all_want_is_read_once(made: tuple[Store, Ledger], reads: list[int]) -> None:
    _, ledger = made
    fill(ledger, 35)
    readers = [Reader() for _ in range(4)]
    lanes = [ledger.following.add(one) for one in readers]
    await asyncio.gather(*[lane.catch_up() for lane in lanes])
    assert reads == [0, 10, 20, 30]
    assert all(one.got == list(range(35)) for one in readers)


async def test_a_slow_one_holds_up_nobody_and_keeps_little_in_memory(
    made: tuple[Store, Ledger], reads: list[int]
) -> None:
    _, ledger = made
    fill(ledger, 200)
    slow, quick = Reader(), Reader()
    slow.gate.clear()
    behind, ahead = ledger.following.add(slow), ledger.following.add(quick)
    waiting = asyncio.create_task(behind.catch_up())
    await ahead.catch_up()
    assert (quick.got, slow.got) == (list(range(200)), [])
    assert len(ledger.following._stretches) <= 2
    await asyncio.wait_for(ledger.append([decision()]), 5)
    slow.gate.set()
    await waiting
    assert slow.got == list(range(200))
    assert not ledger.following._stretches  # nobody is at it


async def test_who_fails_is_given_the_same_again(made: tuple[Store, Ledger], reads: list[int]) -> None:
    _, ledger = made
    fill(ledger, 30)
    failing, well = Reader(), Reader()
    failing.fails = 1
    lanes = [ledger.following.add(failing), ledger.following.add(well)]
    first, second = await asyncio.gather(*[lane.catch_up() for lane in lanes], return_exceptions=True)
    assert isinstance(first, Unkept)
    assert (second, well.got) == (None, list(range(30)))
    await lanes[0].catch_up()
    assert failing.got == list(range(30))


async def test_so_many_batches_and_no_more(made: tuple[Store, Ledger], reads: list[int]) -> None:
    _, ledger = made
    fill(ledger, 30)
    reader = Reader(kept=5)
    lane = ledger.following.add(reader, most=4)
    await lane.catch_up(2)
    assert reader.got == list(range(5, 13))


async def test_what_was_destroyed_or_tampered_with_is_passed_over(made: tuple[Store, Ledger]) -> None:
    store, ledger = made
    fill(ledger, 6)
    await ledger.destroy([(1, 2)], "x")
    await store.write(
        lambda connection: connection.execute(
            text("UPDATE ledger_records SET salted = :broken WHERE idx = 4"),
            {"broken": b"\0" * 16 + b"{nothing"},
        )
    )
    reader = Reader()
    await ledger.following.add(reader).catch_up()
    assert reader.got == [0, 3, 5, 6]


async def test_a_stretch_that_could_not_be_read_is_read_again(
    made: tuple[Store, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, ledger = made
    fill(ledger, 6)
    reader, held = Reader(), Reader()
    held.gate.clear()
    lane, other = ledger.following.add(reader), ledger.following.add(held)
    waiting = asyncio.create_task(other.catch_up())  # so that what was read is not let go
    with monkeypatch.context() as broken:
        broken.setattr(sql, "BODIES", "SELECT x FROM nowhere")
        with pytest.raises(Unkept):
            await lane.catch_up()
    await lane.catch_up()
    held.gate.set()
    await waiting
    assert reader.got == held.got == list(range(6))


async def test_all_go_on_until_they_are_stopped(
    made: tuple[Store, Ledger], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, ledger = made
    monkeypatch.setattr(following, "_EVERY", 0.02)
    fill(ledger, 3)
    failing, well = Reader(), Reader()
    failing.fails = 2
    for one in (failing, well):
        ledger.following.add(one)
    ledger.following.start()
    fill(ledger, 2)
    async with asyncio.timeout(10):
        await failing.five.wait()
        await well.five.wait()
    assert failing.got == well.got == list(range(5))
    assert "Reader follows the log" in caplog.text
    await ledger.following.stop()
    fill(ledger, 1)
    await asyncio.sleep(0.1)
    assert well.got == list(range(5))
    await ledger.following.stop()
