"""Two transaction logs that should tell the same: what only one side knows is found, and nothing else is."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.clocks import Clock

from sluis.gateway.comparison import SKEW, Comparison, Seen, open_comparison
from sluis.gateway.comparison.rules import Matching
from sluis.gateway.transactions import (
    INCOMING,
    OUTGOING,
    Crossing,
    Search,
    TransactionLog,
    TransactionRecord,
    new_transaction,
    noted,
    open_transactions,
)
from sluis.kernel import PeerId, Upstream
from sluis.store import Store, open_store

ASKER, OWNER, THIRD = (PeerId(f"0000000100100100000{digit}") for digit in "123")
CROSSING = Crossing("$1$3$grant", "personen", ASKER, OWNER)


class Other:
    """The peer's log, read as a Manager would give it."""

    def __init__(self, log: TransactionLog, asks: PeerId = ASKER) -> None:
        self.log, self.asks = log, asks

    async def logs(
        self, peer: PeerId, after: int, before: int, cursor: str
    ) -> tuple[Sequence[TransactionRecord], str]:
        search = Search(after=after, before=before, cursor=cursor, limit=7, ascending=True)
        page = await self.log.find(self.asks, search)
        return page.records, page.next_cursor

    async def logs_of(self, peer: PeerId, transaction_ids: Sequence[str]) -> Sequence[TransactionRecord]:
        return await self.log.find_transactions(self.asks, [UUID(one).bytes for one in transaction_ids])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    with closing(open_store(tmp_path / "a.db")) as one, closing(open_store(tmp_path / "b.db")) as two:
        yield one, two


@pytest.fixture
def logs(stores: tuple[Store, Store], clock: Clock) -> tuple[TransactionLog, TransactionLog]:
    return open_transactions(stores[0], clock), open_transactions(stores[1], clock)


@pytest.fixture
def comparison(
    stores: tuple[Store, Store], logs: tuple[TransactionLog, TransactionLog], clock: Clock
) -> Comparison:
    return open_comparison(stores[0], logs[0], Other(logs[1]), ASKER, clock)


async def cross(
    logs: tuple[TransactionLog, TransactionLog],
    *,
    here: Crossing | None = CROSSING,
    there: Crossing | None = CROSSING,
) -> str:
    """One request, with its line in either log unless left out."""
    raw, name = new_transaction()
    if here is not None:
        await logs[0].write([(raw, logs[0].passage(OUTGOING, here))])
    if there is not None:
        await logs[1].write([(raw, logs[1].passage(INCOMING, there))])
    return name


async def test_logs_that_tell_the_same_differ_in_nothing(
    logs: tuple[TransactionLog, TransactionLog], comparison: Comparison, clock: Clock
) -> None:
    for _ in range(40):
        await cross(logs)
        clock.now += timedelta(seconds=1)
    clock.now += timedelta(seconds=2 * SKEW)
    assert comparison.compared() == {}
    assert await comparison.compare(OWNER) == ()
    assert comparison.compared() == {OWNER: int(clock.now.timestamp()) - SKEW}


async def test_what_only_one_side_knows_is_found_once_and_kept(
    logs: tuple[TransactionLog, TransactionLog], comparison: Comparison, clock: Clock
) -> None:
    await cross(logs)
    mine, theirs = await cross(logs, there=None), await cross(logs, here=None)
    clock.now += timedelta(seconds=2 * SKEW)
    found = await comparison.compare(OWNER)
    assert {(one.kind, one.line.transaction_id) for one in found} == {
        ("only-here", mine),
        ("only-there", theirs),
    }
    clock.now += timedelta(seconds=2 * SKEW)
    assert await comparison.compare(OWNER) == ()
    kept = await asyncio.to_thread(comparison.newest)
    assert sorted(kept, key=str) == sorted(found, key=str)
    assert await asyncio.to_thread(comparison.counts) == {(OWNER, "only-here"): 1, (OWNER, "only-there"): 1}


async def test_what_the_outway_noted_as_failed_is_found_by_itself_and_not_as_an_alarm(
    logs: tuple[TransactionLog, TransactionLog],
    comparison: Comparison,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    lost, removed = await cross(logs, there=None), await cross(logs, there=None)
    await logs[0].note(UUID(lost).bytes, OWNER, "no-answer")
    clock.now += timedelta(seconds=2 * SKEW)
    found = await comparison.compare(OWNER)
    assert {one.line.transaction_id: one.kind for one in found} == {lost: "failed-here", removed: "only-here"}
    assert [one.levelname for one in caplog.records if lost in one.getMessage()] == []
    assert [one.levelname for one in caplog.records if removed in one.getMessage()] == ["WARNING"]
    kept = await asyncio.to_thread(comparison.newest)
    assert [one.kind for one in kept] == ["only-here", "failed-here"]


async def test_the_other_side_learns_that_it_failed(
    stores: tuple[Store, Store], logs: tuple[TransactionLog, TransactionLog], clock: Clock
) -> None:
    lost, removed = await cross(logs, there=None), await cross(logs, there=None)
    await logs[0].note(UUID(lost).bytes, OWNER, "refused")
    clock.now += timedelta(seconds=2 * SKEW)
    of_owner = open_comparison(stores[1], logs[1], Other(logs[0], OWNER), OWNER, clock)
    found = await of_owner.compare(ASKER)
    assert {one.line.transaction_id: one.kind for one in found} == {
        lost: "failed-there",
        removed: "only-there",
    }
    assert {one.line.outcome for one in found} == {"refused", None}


async def test_an_inway_cannot_pass_off_its_own_line_as_failed(
    stores: tuple[Store, Store], logs: tuple[TransactionLog, TransactionLog], clock: Clock
) -> None:
    class Excusing(Other):
        async def logs(
            self, peer: PeerId, after: int, before: int, cursor: str
        ) -> tuple[Sequence[TransactionRecord], str]:
            records, following = await super().logs(peer, after, before, cursor)
            excused = noted(CROSSING, "no-answer")
            return [msgspec.structs.replace(one, crossing=excused) for one in records], following

    await cross(logs, here=None)
    clock.now += timedelta(seconds=2 * SKEW)
    comparison = open_comparison(stores[0], logs[0], Excusing(logs[1]), ASKER, clock)
    assert [one.kind for one in await comparison.compare(OWNER)] == ["only-there"]


async def test_a_call_that_both_have_is_no_difference_whatever_was_noted(
    logs: tuple[TransactionLog, TransactionLog], comparison: Comparison, clock: Clock
) -> None:
    name = await cross(logs)
    await logs[0].note(UUID(name).bytes, OWNER, "no-answer")
    clock.now += timedelta(seconds=2 * SKEW)
    assert await comparison.compare(OWNER) == ()


async def test_what_failed_does_not_push_out_what_is_an_alarm(
    logs: tuple[TransactionLog, TransactionLog],
    comparison: Comparison,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sluis.gateway.comparison.service._KEPT", 1)
    removed = await cross(logs, there=None)
    for _ in range(3):
        lost = await cross(logs, there=None)
        await logs[0].note(UUID(lost).bytes, OWNER, "no-answer")
        clock.now += timedelta(seconds=2 * SKEW)
        await comparison.compare(OWNER)
    kept = await asyncio.to_thread(comparison.newest)
    assert [(one.kind, one.line.transaction_id) for one in kept] == [
        ("only-here", removed),
        ("failed-here", lost),
    ]


@pytest.mark.parametrize(("here", "there", "kind"), [(3, 3, None), (3, 1, "only-here"), (1, 3, "only-there")])
async def test_a_line_of_an_id_that_was_used_again_is_missed_too(
    logs: tuple[TransactionLog, TransactionLog],
    comparison: Comparison,
    clock: Clock,
    here: int,
    there: int,
    kind: str | None,
) -> None:
    raw, name = new_transaction()
    for number in range(3):
        if number < here:
            await logs[0].write([(raw, logs[0].passage(OUTGOING, CROSSING))])
        if number < there:
            await logs[1].write([(raw, logs[1].passage(INCOMING, CROSSING))])
        clock.now += timedelta(seconds=SKEW if kind is None else 1)
    clock.now += timedelta(seconds=2 * SKEW)
    found = await comparison.compare(OWNER)
    assert {(one.kind, one.line.transaction_id) for one in found} == ({(kind, name)} if kind else set())


async def test_a_line_about_another_grant_differs(
    logs: tuple[TransactionLog, TransactionLog], comparison: Comparison, clock: Clock
) -> None:
    name = await cross(logs, there=msgspec.structs.replace(CROSSING, grant_hash="$1$3$another"))
    clock.now += timedelta(seconds=2 * SKEW)
    (found,) = await comparison.compare(OWNER)
    assert (found.kind, found.line.transaction_id, found.line.crossing) == ("differs", name, CROSSING)


async def test_what_an_extension_adds_at_one_side_is_no_difference(
    logs: tuple[TransactionLog, TransactionLog], comparison: Comparison, clock: Clock
) -> None:
    await cross(logs, there=msgspec.structs.replace(CROSSING, additional='{"reference":"R-1"}'))
    clock.now += timedelta(seconds=2 * SKEW)
    assert await comparison.compare(OWNER) == ()


async def test_the_newest_lines_get_time_to_find_their_other_half(
    logs: tuple[TransactionLog, TransactionLog], comparison: Comparison, clock: Clock
) -> None:
    raw, _ = new_transaction()
    await logs[0].write([(raw, logs[0].passage(OUTGOING, CROSSING))])
    clock.now += timedelta(seconds=SKEW - 1)
    assert await comparison.compare(OWNER) == ()
    await logs[1].write([(raw, logs[1].passage(INCOMING, CROSSING))])
    clock.now += timedelta(seconds=2 * SKEW)
    assert await comparison.compare(OWNER) == ()


async def test_lines_about_others_are_passed_over(
    logs: tuple[TransactionLog, TransactionLog], comparison: Comparison, clock: Clock
) -> None:
    await cross(logs, here=Crossing("$1$3$x", "personen", ASKER, THIRD), there=None)
    await cross(logs, here=None, there=Crossing("$1$3$y", "personen", THIRD, OWNER, ASKER))
    clock.now += timedelta(seconds=2 * SKEW)
    assert await comparison.compare(OWNER) == ()


@pytest.mark.parametrize(("alone", "waiting"), [(20, 10**6), (10**6, 20)])
async def test_lines_that_a_peer_makes_up_take_no_more_memory_than_so_many(
    stores: tuple[Store, Store],
    logs: tuple[TransactionLog, TransactionLog],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    alone: int,
    waiting: int,
) -> None:
    class Flood(Other):
        made = 0

        async def logs(
            self, peer: PeerId, after: int, before: int, cursor: str
        ) -> tuple[Sequence[TransactionRecord], str]:
            self.made += 10
            at = after + 1 if waiting < alone else min(after + self.made * 20, before - 1)
            page = [
                TransactionRecord(0, new_transaction()[1], INCOMING, CROSSING, at * 1000) for _ in range(10)
            ]
            return page, str(self.made) if self.made < 200 else ""

    monkeypatch.setattr("sluis.gateway.comparison.service._MOST_ALONE", alone)
    monkeypatch.setattr("sluis.gateway.comparison.service._MOST_WAITING", waiting)
    other = Flood(logs[1])
    comparison = open_comparison(stores[0], logs[0], other, ASKER, clock)
    if alone < waiting:
        assert {one.kind for one in await comparison.compare(OWNER)} == {"only-there"}
        assert (await asyncio.to_thread(comparison.counts))[OWNER, "only-there"] == alone
        return
    with pytest.raises(Upstream, match="end"):
        await comparison.compare(OWNER)
    assert other.made <= 2 * waiting


async def test_a_log_without_end_is_none(
    stores: tuple[Store, Store], logs: tuple[TransactionLog, TransactionLog], clock: Clock
) -> None:
    class Endless(Other):
        async def logs(
            self, peer: PeerId, after: int, before: int, cursor: str
        ) -> tuple[Sequence[TransactionRecord], str]:
            return (await super().logs(peer, after, before, ""))[0], "again"

    await cross(logs)
    clock.now += timedelta(seconds=2 * SKEW)
    comparison = open_comparison(stores[0], logs[0], Endless(logs[1]), ASKER, clock)
    with pytest.raises(Upstream, match="end"):
        await comparison.compare(OWNER)


ids = st.integers(0, 12)


@given(
    st.lists(st.tuples(ids, st.integers(0, 1000)), max_size=30, unique_by=lambda one: one[0]),
    st.lists(ids, max_size=30, unique=True),
    st.data(),
)
def test_however_the_lines_come_what_is_left_is_what_only_one_side_has(
    mine: list[tuple[int, int]], theirs: list[int], data: st.DataObject
) -> None:
    here = [Seen(f"{number}", OUTGOING, CROSSING, at) for number, at in mine]
    there = [Seen(f"{number}", OUTGOING, CROSSING, 500) for number in theirs]
    matching, queue = Matching(ASKER, OWNER), [(True, one) for one in here] + [(False, one) for one in there]
    for own, line in data.draw(st.permutations(queue)):
        (matching.add_own if own else matching.add_theirs)([line])
    left_here, left_there = matching.unmatched_until(1000)
    assert {one.transaction_id for one in left_here} == {f"{n}" for n, _ in mine} - {f"{n}" for n in theirs}
    assert {one.transaction_id for one in left_there} == {f"{n}" for n in theirs} - {f"{n}" for n, _ in mine}
    assert matching.differing == []
