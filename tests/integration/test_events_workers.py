"""More than one process sends: each lane has one sender, whoever comes and goes; and they hear of what is new, with NATS or
without."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import msgspec
import pytest
from tests.integration.test_webhooks import INSIDE, House, Recipient, answer, recipient, subscription, until
from tests.servers import NatsServer

from sluis.crypto import FileKeyStore, calling_context
from sluis.events.queue import Lanes, Outcome, join_queue
from sluis.events.queue.model import DEAD, Place
from sluis.events.sending import Connections, Nats, NatsSettings, Sender, Signer, Webhook, sharing
from sluis.events.subscriptions import Subscription
from sluis.kernel import Conflict, Invalid, utc_now
from sluis.store import open_store

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens every second happens more often."""
    monkeypatch.setattr(sharing, "_RENEW", 0.1)


class Shared:
    """What the node and its workers have in common: subscriptions, as they are now."""

    def __init__(self, *subscriptions: Subscription) -> None:
        self.all = {one.id: one for one in subscriptions}

    async def known(self) -> Sequence[Subscription]:
        return [*self.all.values()]


class Worker:
    """A worker in this process: on a store of its own, beside the writer."""

    def __init__(self, url: str, directory: Path, nats: str | None = None) -> None:
        self.store = open_store(url, sole=False)
        keys = FileKeyStore(directory / "keys")
        queue = join_queue(self.store, keys, utc_now)
        webhook = Webhook(
            Connections(calling_context, INSIDE), Signer(keys, utc_now), "node.example", utc_now, 0.3
        )
        self.lanes = Lanes(self.store, node=False)
        waking = None if nats is None else Nats(NatsSettings(nats, "sluis.test"))
        self.sender = Sender(
            queue,
            {"push": webhook},
            lambda name: None,
            utc_now,
            lambda: 0.02,
            lanes=self.lanes,
            waking=waking,
        )

    @property
    def held(self) -> set[str]:
        return set(self.sender.runners)

    @asynccontextmanager
    async def working(self, shared: Shared) -> AsyncIterator["Worker"]:
        task = asyncio.create_task(self.sender.run(shared.known))
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await asyncio.to_thread(self.store.close)


@asynccontextmanager
async def publishing(house: House, shared: Shared, nats: str | None = None) -> AsyncIterator[House]:
    """The node itself, which sends too when nobody else does."""
    waking = None if nats is None else Nats(NatsSettings(nats, "sluis.test"))
    house.sender = Sender(
        house.queue, {"push": house.webhook}, house.gone.append, utc_now, lambda: 0.02,
        lanes=Lanes(house.store, node=True), waking=waking,
    )  # fmt: skip
    task = asyncio.create_task(house.sender.run(shared.known))
    try:
        yield house
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await house.webhook.close()


@pytest.fixture
def house(empty_postgres: str, tmp_path: Path):  # type: ignore[no-untyped-def]
    with closing(open_store(empty_postgres)) as store:
        yield House(store, tmp_path)


def arrived(to: Recipient) -> list[str]:
    return [event["id"] for event in to.events]


async def test_without_workers_the_node_sends_and_with_one_it_leaves_it_to_that(
    house: House, empty_postgres: str, tmp_path: Path
) -> None:
    async with recipient() as to:
        shared = Shared(subscription(to), subscription(to, "b"))
        async with publishing(house, shared):
            await house.add("a", "b")
            await until(lambda: house.sender.sent == 2)
            async with Worker(empty_postgres, tmp_path).working(shared) as worker:
                await until(lambda: worker.held == {"a", "b"} and not house.sender.runners)
                await house.add("a", "b")
                await until(lambda: worker.sender.sent == 2)
                await until(
                    lambda: house.sender.sent_by_all == 4 and house.sender.colleagues() == {"polling": 2}
                )
            await house.add("a")
            await until(lambda: house.sender.sent == 3)
    assert sorted(arrived(to)) == ["1", "2", "3", "4", "5"]


async def test_workers_share_lanes_evenly_and_no_lane_has_two(
    house: House, empty_postgres: str, tmp_path: Path
) -> None:
    names = [f"s{number}" for number in range(6)]
    async with recipient() as to:
        shared = Shared(*(subscription(to, name) for name in names))
        async with publishing(house, shared), Worker(empty_postgres, tmp_path).working(shared) as one:
            await house.add(*names)
            async with Worker(empty_postgres, tmp_path).working(shared) as two:
                await until(lambda: len(one.held) == len(two.held) == 3)
                assert one.held | two.held == set(names)
                for _ in range(20):
                    await house.add(*names, streams="s" * 6)
                await until(lambda: all(waiting == 0 for _, waiting in house.counters().values()))
            await until(lambda: one.held == set(names))
    ids = arrived(to)
    assert sorted(ids, key=int) == [str(n) for n in range(1, 127)], "each once"


async def test_what_is_replayed_at_the_node_goes_again_from_a_worker(
    house: House, empty_postgres: str, tmp_path: Path
) -> None:
    async with recipient() as to:
        to.answers = lambda request: answer(400) if len(to.got) < 3 else answer(204)
        shared = Shared(subscription(to))
        async with publishing(house, shared), Worker(empty_postgres, tmp_path).working(shared):
            await until(lambda: house.sender.colleagues() == {"polling": 2})
            await house.add("a", "a", "a")
            await until(lambda: house.counters().get("a") == (3, 0))
            assert await house.queue.replay("a", 1, 2) == 2
            await until(lambda: house.counters()["a"][1] == 0)
    assert len(to.got) == 5


async def test_how_far_a_lane_was_in_an_earlier_turn_hides_nothing_that_is_replayed(house: House) -> None:
    await house.add("a", "a")
    await house.queue.note([Outcome("a", 1, DEAD, "refused")], {"a": Place(1, 0)})
    await house.queue.replay("a", 1, 1)
    await house.queue.note(
        [Outcome("a", 2, 1)], {"a": Place(2, 0)}
    )  # found out before it heard of the replay
    assert house.counters() == {"a": (0, 1)}


async def test_a_recipient_that_wants_nothing_more_is_made_known_to_the_node(
    house: House, empty_postgres: str, tmp_path: Path
) -> None:
    async with recipient() as to:
        to.answers = lambda request: answer(410)
        shared = Shared(subscription(to))
        async with publishing(house, shared), Worker(empty_postgres, tmp_path).working(shared) as worker:
            await until(lambda: house.sender.colleagues() == {"polling": 2})
            await house.add("a", "a", streams="ss")
            await until(lambda: house.gone)
            assert not worker.held
            shared.all["a"] = msgspec.structs.replace(shared.all["a"], state="suspended")
            await until(lambda: worker.held)
            to.answers = lambda request: answer(204)
            before = len(to.got)
            shared.all["a"] = msgspec.structs.replace(shared.all["a"], state="active")
            await until(lambda: house.counters()["a"][1] == 0)
    assert (before, len(to.got)) == (1, 3)


async def test_a_lane_whose_subscription_ended_is_left_and_nothing_of_it_stays(
    house: House, empty_postgres: str, tmp_path: Path
) -> None:
    async with recipient() as to:
        to.answers = lambda request: answer(503)
        one = subscription(to)
        shared = Shared(one)
        async with publishing(house, shared), Worker(empty_postgres, tmp_path).working(shared) as worker:
            await until(lambda: house.sender.colleagues() == {"polling": 2})
            await house.add("a", "a")
            await until(lambda: to.got)
            del shared.all["a"]
            await house.sender.change(msgspec.structs.replace(one, state="ended"))
            await until(lambda: house.counters() == {} and not worker.held)


async def test_a_process_that_holds_no_lane_any_more_settles_nothing_of_it(
    house: House, empty_postgres: str
) -> None:
    await house.add("a")
    with closing(open_store(empty_postgres, sole=False)) as store:
        lanes = Lanes(house.store, node=True), Lanes(store, node=False)
        for each in lanes:
            each.renew(0, "polling")
        assert lanes[0].claim(["a", "b"], 5) == {"a": Place(0, 1)}
        assert lanes[1].claim(["a"], 5) == {}, "its holder is there"
        lanes[0].leave(0)
        assert lanes[1].claim(["a"], 5) == {"a": Place(0, 2)}
        lanes[0].let_go("a")
        assert lanes[1].look().lanes["a"].holder == lanes[1].id, "only who holds it lets it go"


async def test_a_worker_stands_beside_a_node_that_keeps_its_records_in_postgresql(
    tmp_path: Path, empty_postgres: str
) -> None:
    with pytest.raises(Invalid, match="one process"):
        open_store(tmp_path / "node.db", sole=False)
    with (
        closing(open_store(empty_postgres, sole=False)) as store,
        pytest.raises(Conflict, match="brought up to date"),
    ):
        join_queue(store, FileKeyStore(tmp_path / "keys"), utc_now)


async def test_nats_wakes_a_worker_and_without_it_nothing_is_lost(
    house: House, empty_postgres: str, tmp_path: Path, nats: NatsServer
) -> None:
    async with recipient() as to:
        shared = Shared(subscription(to))
        async with (
            publishing(house, shared, nats.url),
            Worker(empty_postgres, tmp_path, nats.url).working(shared) as worker,
        ):
            await until(lambda: house.sender.colleagues() == {"nats": 2})
            await house.add("a")
            await until(lambda: worker.sender.sent == 1)
            nats.kill()
            await house.add("a")
            await until(lambda: worker.sender.sent == 2)
    assert arrived(to) == ["1", "2"]


async def started(url: str, directory: Path, port: int, nats: str) -> asyncio.subprocess.Process:
    """A worker in a process of its own, that sends six lanes to one recipient."""
    program = (
        "import asyncio, sys; from tests.integration.test_events_workers import working;"
        "asyncio.run(working(*sys.argv[1:]))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, url, str(directory), str(port), nats, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


NAMES = [f"s{number}" for number in range(6)]


async def working(url: str, directory: str, port: str, nats: str) -> None:
    """What that process does."""
    to = Recipient()
    to.port = int(port)
    worker = Worker(url, Path(directory), nats)
    async with worker.working(Shared(*(subscription(to, name) for name in NAMES))):
        print("ready", flush=True)
        await asyncio.Event().wait()


@pytest.mark.prove
async def test_killed_and_halted_workers_are_taken_over_and_nothing_is_lost(
    house: House, empty_postgres: str, tmp_path: Path, nats: NatsServer
) -> None:
    chance = random.Random(20261122)
    waits = list[float]()
    async with recipient() as to:
        shared = Shared(*(subscription(to, name) for name in NAMES))
        async with publishing(house, shared, nats.url):
            processes = [await started(empty_postgres, tmp_path, to.port, nats.url) for _ in range(2)]
            halted, revived = list[asyncio.subprocess.Process](), list[asyncio.subprocess.Process]()
            for number in range(6):
                for _ in range(20):
                    await house.add(*NAMES, streams="s" * 6)
                    await asyncio.sleep(chance.random() / 50)
                victim = processes.pop(0)
                if number % 3 == 2:  # it holds its lanes, and does nothing
                    victim.send_signal(signal.SIGSTOP)
                    halted.append(victim)
                else:
                    victim.kill()
                if number % 4 == 1:
                    nats.kill()
                if number % 4 == 3:
                    nats.start()
                await house.add(*NAMES, streams="s" * 6)
                before = asyncio.get_running_loop().time()
                await until(lambda: all(one.waiting == 0 for one in house.queue.seen().values()), 30)
                waits.append(asyncio.get_running_loop().time() - before)
                processes.append(await started(empty_postgres, tmp_path, to.port, nats.url))
                while (
                    halted and number % 3 == 1
                ):  # it goes on where it was, of which nothing is its own any more
                    halted[-1].send_signal(signal.SIGCONT)
                    revived.append(halted.pop())
            for process in [*processes, *halted, *revived]:
                process.kill()
    assert max(waits) < 10, "taken over within seconds"
    of = dict[str, list[int]]()
    for event in to.events:
        stream = int(event["id"]) % len(NAMES)
        seen = of.setdefault(str(stream), [])
        if event["sequence"] not in {str(one) for one in seen}:
            seen.append(int(event["sequence"]))
    assert len({event["id"] for event in to.events}) == house.count, "all of it arrived"
    assert all(seen == sorted(seen) for seen in of.values()), "first arrivals are in order"
