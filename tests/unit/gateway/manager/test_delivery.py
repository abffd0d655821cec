"""How letters are carried: in order per contract, a peer that is away rests as a whole, and none is ever given up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from sluis.gateway.manager.client import Answered
from sluis.gateway.manager.delivery import Delivery, Letter
from sluis.kernel import PeerId, Text, Unkept, Upstream, utc_now
from sluis.store import Outbox, Store, open_outbox, open_store

A, B = PeerId("0" * 19 + "1"), PeerId("0" * 19 + "2")
LATER = 4_000_000_000


class Managers:
    """Stands where other Managers are: notes what comes, and fails as it is told."""

    def __init__(self) -> None:
        self.came, self.tried = list[tuple[PeerId, str, str]](), list[PeerId]()
        self.failing: dict[Any, Exception] = {}
        self.at_once = self.most = 0

    async def submit(self, peer: PeerId, content: bytes, accept: str) -> None:
        await self._come(peer, "contract", accept)

    async def sign(self, peer: PeerId, hash: str, action: str, content: bytes, signature: str) -> None:
        await self._come(peer, action, signature)

    async def announce(self, peer: PeerId) -> None:
        await self._come(peer, "announce", "")

    async def _come(self, peer: PeerId, kind: str, signature: str) -> None:
        self.tried.append(peer)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0.005)
        self.at_once -= 1
        for key in (peer, kind):
            if key in self.failing:
                raise self.failing[key]
        self.came.append((peer, kind, signature))


def away() -> Upstream:
    return Upstream("peer-unreachable", Text("", ""), Text("", ""), Text("", ""), retry=True)


class Carrying:
    """A delivery at work."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        self.store, self.outbox, self.managers, self.places = store, outbox, Managers(), list[bool]()
        self.delivery = Delivery(outbox, self.managers, lambda hash: b"{}", self.locate, lambda: 0.0)  # type: ignore[arg-type]

    async def locate(self, peer: PeerId) -> bool:
        return self.places.pop(0) if self.places else False

    async def put(self, *letters: Letter, peer: PeerId = A) -> None:
        def work(connection: Any) -> None:
            for letter in letters:
                self.delivery.put(connection, peer, letter, LATER)

        await self.store.write(work)
        self.delivery.wake([peer])

    async def comes(self, *expected: tuple[PeerId, str, str]) -> None:
        await until(lambda: self.managers.came == [*expected])


async def until(holds: Callable[[], bool]) -> None:
    """Wait at most five seconds."""
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    assert holds()


@asynccontextmanager
async def carrying(home: Path) -> AsyncIterator[Carrying]:
    with closing(open_store(home / "node.db")) as store:
        made = Carrying(store, open_outbox(store, utc_now, lambda: 0.0))
        task = asyncio.create_task(made.delivery.run())
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def work(tmp_path: Path) -> AsyncIterator[Carrying]:
    async with carrying(tmp_path) as made:
        yield made


async def test_letters_about_a_contract_arrive_in_order(work: Carrying) -> None:
    await work.put(Letter("contract", "h", "1"), Letter("accept", "h", "2"), Letter("accept", "h", "3"))
    await work.comes((A, "contract", "1"), (A, "accept", "2"), (A, "accept", "3"))
    await until(lambda: work.outbox.waiting() == [])


async def test_one_that_is_away_holds_up_nobody_else(work: Carrying) -> None:
    work.managers.failing[A] = away()
    await work.put(Letter("accept", "h", "1"))
    await work.put(Letter("accept", "h", "2"), peer=B)
    await work.comes((B, "accept", "2"))
    await until(lambda: [one.trouble for one in work.outbox.waiting()] == ["peer-unreachable"])


async def test_one_that_is_away_is_tried_with_one_letter_at_a_time(work: Carrying) -> None:
    work.managers.failing[A] = away()
    await work.put(*[Letter("accept", f"h{number}", "x") for number in range(40)])
    await asyncio.sleep(1.3)  # first a few together, then, after half a second and a second, one each
    assert len(work.managers.tried) <= 16 + 3
    work.managers.failing.clear()
    await work.delivery.back(A)
    await until(lambda: not work.outbox.waiting())
    assert len(work.managers.came) == 40


async def test_no_more_go_to_one_peer_at_once_than_it_can_bear(work: Carrying) -> None:
    await work.put(*[Letter("accept", f"h{number}", "x") for number in range(60)])
    await until(lambda: len(work.managers.came) == 60)
    assert work.managers.most <= 16


async def test_a_call_of_a_peer_ends_its_rest(work: Carrying) -> None:
    work.managers.failing[A] = away()
    await work.put(Letter("accept", "h", "1"))
    await asyncio.sleep(1.0)
    work.managers.failing.clear()
    await work.delivery.back(A)
    await asyncio.wait_for(work.comes((A, "accept", "1")), 0.5)


async def test_a_refusal_does_not_hold_up_a_later_revocation(work: Carrying) -> None:
    work.managers.failing["contract"] = Answered("A", 422, "ERROR_CODE_CONTRACT_INVALID")
    await work.put(Letter("contract", "h", "1"), Letter("revoke", "h", "2"))
    await work.comes((A, "revoke", "2"))
    work.managers.failing.clear()
    await work.comes((A, "revoke", "2"), (A, "contract", "1"))


async def test_a_peer_that_asks_for_patience_gets_the_rest_in_order(work: Carrying) -> None:
    work.managers.failing["contract"] = Answered("A", 503, "")
    await work.put(Letter("contract", "h", "1"), Letter("accept", "h", "2"))
    await asyncio.sleep(0.1)
    assert work.managers.came == []
    work.managers.failing.clear()
    await work.comes((A, "contract", "1"), (A, "accept", "2"))


async def test_another_address_is_tried_at_once(work: Carrying) -> None:
    work.managers.failing[A] = away()
    work.places = [True]
    await work.put(Letter("announce"))
    await until(lambda: len(work.managers.tried) == 2)
    assert work.places == []


async def test_a_failure_that_nobody_foresaw_loses_nothing(work: Carrying) -> None:
    work.managers.failing[A] = RuntimeError()
    await work.put(Letter("accept", "h", "1"))
    await asyncio.sleep(0.1)
    work.managers.failing.clear()
    await work.comes((A, "accept", "1"))


async def test_what_arrived_and_could_not_be_noted_goes_again(
    work: Carrying, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, fails = work.outbox.done, [True]

    async def unkept(numbers: Any) -> None:
        if fails:
            fails.clear()
            raise Unkept("store-unavailable", Text("", ""), Text("", ""), Text("", ""))
        await done(numbers)

    monkeypatch.setattr(work.outbox, "done", unkept)
    await work.put(Letter("accept", "h", "1"))
    await work.comes((A, "accept", "1"), (A, "accept", "1"))


async def test_what_was_not_delivered_before_the_end_is_delivered_after_the_next_start(
    tmp_path: Path,
) -> None:
    async with carrying(tmp_path) as first:
        first.managers.failing[A] = away()
        await first.put(Letter("accept", "h", "1"))
        await until(lambda: bool(first.managers.tried))
    async with carrying(tmp_path) as second:
        await second.comes((A, "accept", "1"))
