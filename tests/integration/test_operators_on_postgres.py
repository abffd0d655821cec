"""What the pages for operators read and change, over PostgreSQL as over SQLite: counts of what crossed, how deliveries go, and dead
letters that are given up."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sluis.crypto import FileKeyStore
from sluis.events.cloudevent import CloudEvent
from sluis.events.queue import DEAD, DELIVERED, WAITING, Outcome, Outgoing, Place, open_queue
from sluis.gateway.transactions import INCOMING, Crossing, new_transaction, open_transactions
from sluis.kernel import PeerId, utc_now
from sluis.store import Store, open_store

pytestmark = pytest.mark.postgres


@pytest.fixture
def store(empty_postgres: str) -> Iterator[Store]:
    with closing(open_store(empty_postgres)) as one:
        yield one


async def test_what_crossed_is_counted_by_passage_and_span(store: Store) -> None:
    log = open_transactions(store, utc_now)
    one = log.passage(INCOMING, Crossing("$1$3$x", "personen", PeerId("1" * 20), PeerId("2" * 20)))
    await log.write([(new_transaction()[0], one) for _ in range(3)])
    place, found = await log.counted(span=3_600_000)
    assert sum(each.lines for each in found) == 3
    assert {each.crossing.service_name for each in found} == {"personen"}
    assert await log.counted(place) == (place, ())


async def test_how_deliveries_go_is_told_and_dead_letters_are_given_up(store: Store, tmp_path: Path) -> None:
    queue = open_queue(store, FileKeyStore(tmp_path / "keys"), utc_now)
    additions = [
        (CloudEvent(str(n), "urn:x", "nl.x.y"), [Outgoing("a", "s", None, "notice", "1" * 32)])
        for n in range(4)
    ]
    await store.write(lambda connection: queue.add(connection, additions))
    outcomes = [
        Outcome("a", 1, DELIVERED), Outcome("a", 2, DEAD, "gone"), Outcome("a", 3, DEAD, "gone"),
        Outcome("a", 4, WAITING, "too-slow", 5),
    ]  # fmt: skip
    await queue.note(outcomes, {"a": Place(3)})
    course = queue.course(["a"])["a"]
    assert (course.minute, course.trouble, course.attempts) == (1, "too-slow", 1)
    assert queue.how_many_dead("a", 1, 9) == 2
    assert await queue.give_up("a", 1, 2) == 1
    assert (queue.standing()["a"].dead, queue.standing()["a"].waiting) == (1, 1)
