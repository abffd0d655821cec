"""A node that is killed while it publishes has published each event whole, or not at all: the fact, the lines in the log about who is
told, and the deliveries. What it acknowledged is there."""

import asyncio
import os
import random
import sys
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from tests.integration.test_events_kill import acknowledged
from tests.unit.events.samples import FIRST, SECOND, Source, grounds, notice, occurrence, source

from sluis.ledger import Search

KNOWN = grounds(notice(interest=False), notice(id="tweede", recipient=SECOND, interest=False))
AT_ONCE = 6


def trace(id: str) -> str:
    return f"{int(id):032x}"


def note(connection: Connection, ids: list[str]) -> None:
    """The fact that the events tell of."""
    connection.execute(text("CREATE TABLE IF NOT EXISTS facts (id TEXT PRIMARY KEY)"))
    connection.execute(text("INSERT INTO facts (id) VALUES (:id)"), [{"id": id} for id in ids])


async def publishing(directory: Path, first: int) -> None:
    """Publish one or two at a time, several callers at once, for as long as it lasts; say what is acknowledged."""
    numbers = count(first)
    with source(directory, KNOWN, kept=True) as at:

        async def caller() -> None:
            while True:
                ids = [str(next(numbers)) for _ in range(1 + next(numbers) % 2)]
                told = [occurrence(id, trace_id=trace(id)) for id in ids]
                await at.publisher.publish(told, fact=lambda connection, ids=ids: note(connection, ids))
                print(*ids, sep="\n", flush=True)

        await asyncio.gather(*[caller() for _ in range(AT_ONCE)])


async def killed(directory: Path, first: int, seconds: float) -> set[str]:
    """What a process acknowledged that published for so long, and was then killed."""
    program = (
        "import asyncio, sys; from pathlib import Path;"
        "from tests.integration.test_events_publishing_kill import publishing;"
        "asyncio.run(publishing(Path(sys.argv[1]), int(sys.argv[2])))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(directory), str(first), stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    return set(await acknowledged(process, seconds))


async def whole(at: Source, promised: set[str], since: int = 1) -> int:
    """How many events there are; each with its fact, its two deliveries and, of those from number `since`, its two lines."""
    with at.store.read() as connection:
        facts = {row.id for row in connection.execute(text("SELECT id FROM facts"))}
        published = {row.id for row in connection.execute(text("SELECT id FROM events_published"))}
    deliveries = {
        peer: [one.event.id for one in at.queue.since(f"of-{peer!s}", 0, 1_000_000)]
        for peer in (FIRST, SECOND)
    }
    assert promised <= facts, "what was acknowledged is there"
    assert facts == published
    for of in deliveries.values():
        assert len(of) == len(set(of)), "none twice"
        assert set(of) == facts
    for id in (one for one in facts if int(one) >= since):
        lines = await at.ledger.processing_of(Search(trace_id=trace(id)), withheld=True)
        assert len(lines) == 2, "who was told is in the log"
    assert [one.waiting for one in at.queue.seen().values()] == [len(facts)] * 2
    with at.store.read() as connection:
        traces = connection.execute(text("SELECT COUNT(DISTINCT trace) FROM events_deliveries")).scalar_one()
    assert traces == len(facts), "and no line or delivery is without its fact"
    return len(facts)


async def test_a_node_killed_while_publishing_has_published_whole_or_not_at_all(tmp_path: Path) -> None:
    promised = await killed(tmp_path, 1, 0.2)
    with source(tmp_path, KNOWN, kept=True) as at:
        assert await whole(at, promised) >= len(promised) > 0


@pytest.mark.prove
async def test_however_often_it_is_killed(tmp_path: Path) -> None:
    chance, promised = random.Random(5), set[str]()
    for number in range(20):
        first = 1 + number * 1_000_000
        promised |= await killed(tmp_path, first, chance.random())
        with source(tmp_path, KNOWN, kept=True) as at:
            there = await whole(at, promised, first)
    assert there >= len(promised) > 100
