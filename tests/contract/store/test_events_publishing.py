"""What interests and publishing promise on both engines, with the queue itself behind them."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from tests.unit.events.samples import (
    FIRST,
    NOTICE,
    SECOND,
    SOURCE,
    Source,
    Subscriptions,
    grounds,
    notice,
    occurrence,
    refused,
)
from tests.unit.events.test_interests import ANNA, BEN

from sluis.events.interests import Bounds, Ending
from sluis.kernel import Conflict, Text, Trace
from sluis.store import Store

KNOWN = grounds(NOTICE, notice(id="tweede", recipient=SECOND, interest=False, data=("team",)))


@pytest.fixture
def at(store: Store, tmp_path: Path) -> Source:
    bounds = Bounds(test=True)
    return Source(store, tmp_path, KNOWN, SOURCE, Subscriptions(FIRST, SECOND), None, bounds, kept=True)


def count(at: Source, table: str) -> int:
    with at.store.read() as connection:
        found: int = connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()
    return found


async def test_interests_are_kept_renewed_listed_ended_and_swept(at: Source) -> None:
    await at.interested(FIRST, NOTICE.id, {ANNA: "zaak-1"})
    await at.interested(FIRST, NOTICE.id, {ANNA: "zaak-2", BEN: "zaak-3"})
    found = await at.interests.registered(FIRST, NOTICE.id, None)
    assert {one.reference for one in found.interests} == {"zaak-2", "zaak-3"}
    digest = at.interests.digest(ANNA)
    assert at.interests.relevant([digest]) == {(NOTICE.id, digest): "zaak-2"}
    assert (await at.interests.end(FIRST, Ending(NOTICE.id, (ANNA,)), None, Trace.begin())).ended == 1
    at.now += timedelta(days=60)
    await at.interests.sweep()
    assert count(at, "events_interests") == 0


async def test_an_occurrence_is_lines_deliveries_and_counts_at_once_and_once(at: Source) -> None:
    await at.interested(FIRST, NOTICE.id, {ANNA: "zaak-1"})
    before = at.ledger._records.size
    one = occurrence(data={"team": "T1"})
    assert [each.told for each in await at.publisher.publish([one, occurrence("b-2", BEN.value)])] == [2, 1]
    assert (count(at, "events_kept"), count(at, "events_deliveries")) == (3, 3)
    assert at.ledger._records.size - before == 3 + 1  # lines, and one permit that was asked for
    assert [each.repeated for each in await at.publisher.publish([one])] == [True]
    await at.publisher.publish([occurrence("b-3", BEN.value)])
    assert count(at, "events_deliveries") == 4
    counted = {(each.rule, each.count) for each in at.publisher.counts(date(2026, 6, 1))}
    assert counted == {("told", 4), ("no-relation", 2)}
    at.now += timedelta(days=400)
    await at.publisher.sweep()
    assert (count(at, "events_published"), count(at, "events_counts")) == (0, 0)


async def test_a_fact_that_is_refused_takes_all_with_it(at: Source) -> None:
    def refusing(connection: Connection) -> None:
        connection.execute(text("DELETE FROM events_interests"))
        raise Conflict("no", *[Text("Nee", "No")] * 3)

    await at.interested(FIRST, NOTICE.id, {ANNA: "zaak-1"})
    with refused(Conflict, "no"):
        await at.publisher.publish([occurrence()], refusing)
    assert (count(at, "events_interests"), count(at, "events_kept"), count(at, "events_published")) == (
        1,
        0,
        0,
    )
    assert (await at.publisher.publish([occurrence()]))[0].told == 2
