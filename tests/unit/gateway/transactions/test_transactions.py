"""The transaction log: durable lines, found again by every way that FSC Logging 1.0.0 asks for."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from tests.clocks import Clock

from sluis.gateway.transactions import (
    INCOMING,
    OUTGOING,
    Crossing,
    Direction,
    Page,
    Search,
    TransactionLog,
    new_transaction,
    noted,
    open_transactions,
    outcome_of,
    read_transaction_id,
    sql,
)
from sluis.gateway.transactions.rules import text_of
from sluis.kernel import Invalid, PeerId, Unkept, milliseconds
from sluis.store import Store, open_store

ASKER, OWNER = PeerId("00000001001001000001"), PeerId("00000001001001000002")
DELEGATOR, OTHER = PeerId("00000001001001000003"), PeerId("00000001001001000004")

PLAIN = Crossing("$1$3$plain", "personen", ASKER, OWNER)
DELEGATED = Crossing("$1$4$delegated", "inkomens", ASKER, OWNER, DELEGATOR)
FOREIGN = Crossing("$1$3$foreign", "personen", OTHER, OWNER, None, None, '{"reference":"R-1"}')

START = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Hands(Clock):
    """A clock that is set by hand, and the ids that are made by it."""

    def transaction(self, seconds: float = 0) -> bytes:
        """An id made so many seconds from now."""
        made = milliseconds(self.now + timedelta(seconds=seconds))
        return made.to_bytes(6, "big") + new_transaction()[0][6:]


@pytest.fixture
def clock() -> Hands:
    return Hands(START)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "node.db")) as store:
        yield store


@pytest.fixture
def transactions(store: Store, clock: Hands) -> TransactionLog:
    return open_transactions(store, clock)


async def written(
    log: TransactionLog, clock: Hands, *crossings: Crossing, direction: Direction = INCOMING
) -> list[str]:
    """Write a line of each, a second apart; gives their transaction ids."""
    ids = []
    for crossing in crossings:
        ids.append(clock.transaction())
        await log.write([(ids[-1], log.passage(direction, crossing))])
        clock.later(seconds=1)
    return [text_of(one) for one in ids]


def ids(page: Page) -> list[str]:
    return [record.transaction_id for record in page.records]


async def every(log: TransactionLog, peer: PeerId, **search: object) -> list[str]:
    return ids(await log.find(peer, Search(limit=1000, ascending=True, **search)))  # type: ignore[arg-type]


async def test_a_line_comes_back_as_it_was_written(transactions: TransactionLog, clock: Hands) -> None:
    [one] = await written(transactions, clock, FOREIGN, direction=OUTGOING)
    [record] = (await transactions.find(OTHER, Search())).records
    assert (record.transaction_id, record.direction, record.crossing) == (one, OUTGOING, FOREIGN)
    assert record.created_at == milliseconds(START)


async def test_only_those_who_have_part_in_a_crossing_see_it(
    transactions: TransactionLog, clock: Hands
) -> None:
    served = Crossing("$1$3$served", "personen", OTHER, OWNER, None, DELEGATOR)
    lines = await written(transactions, clock, PLAIN, DELEGATED, FOREIGN, served)
    plain, delegated, foreign, service = lines
    assert await every(transactions, ASKER) == [plain, delegated]
    assert await every(transactions, OWNER) == lines
    assert await every(transactions, DELEGATOR) == [delegated, service]
    assert await every(transactions, OTHER) == [foreign, service]
    assert await every(transactions, PeerId("00000001001001000009")) == []


async def test_one_of_several_filters_is_enough(transactions: TransactionLog, clock: Hands) -> None:
    plain, delegated, foreign = await written(transactions, clock, PLAIN, DELEGATED, FOREIGN)
    both = {"grant_hashes": frozenset({"$1$4$delegated"}), "service_names": frozenset({"personen"})}
    assert await every(transactions, OWNER, **both) == [plain, delegated, foreign]
    assert await every(transactions, OWNER, grant_hashes=frozenset({"$1$3$foreign"})) == [foreign]
    assert await every(transactions, OWNER, service_names=frozenset({"inkomens"})) == [delegated]
    assert await every(transactions, OWNER, service_names=frozenset({"niets"})) == []


async def test_after_and_before_leave_their_own_second_out(
    transactions: TransactionLog, clock: Hands
) -> None:
    lines = await written(transactions, clock, *[PLAIN] * 5)
    second = int(START.timestamp())
    assert await every(transactions, OWNER, after=second + 1) == lines[2:]
    assert await every(transactions, OWNER, before=second + 3) == lines[:3]
    assert await every(transactions, OWNER, after=second, before=second + 2) == lines[1:2]
    assert await every(transactions, OWNER, after=second + 9) == []


@pytest.mark.parametrize("ascending", [True, False])
async def test_pages_give_every_line_once_in_order(
    transactions: TransactionLog, clock: Hands, ascending: bool
) -> None:
    lines = await written(transactions, clock, *[PLAIN, FOREIGN] * 5)
    mine, cursor, pages = lines[::2], "", list[str]()
    for _ in range(3):
        page = await transactions.find(ASKER, Search(cursor=cursor, limit=2, ascending=ascending))
        pages, cursor = pages + ids(page), page.next_cursor
    assert (pages, cursor) == (mine if ascending else mine[::-1], "")


async def test_newest_come_first_unless_asked_otherwise(transactions: TransactionLog, clock: Hands) -> None:
    lines = await written(transactions, clock, PLAIN, PLAIN)
    assert ids(await transactions.find(OWNER, Search())) == lines[::-1]


@pytest.mark.parametrize(
    "wrong", [Search(limit=0), Search(limit=1001), Search(cursor="x"), Search(cursor="-1")]
)
async def test_a_search_that_is_none_is_refused(transactions: TransactionLog, wrong: Search) -> None:
    with pytest.raises(Invalid):
        await transactions.find(OWNER, wrong)


async def test_too_many_transactions_at_once_are_refused(transactions: TransactionLog) -> None:
    with pytest.raises(Invalid):
        await transactions.find_transactions(OWNER, [new_transaction()[0]] * 1001)


@pytest.mark.parametrize("off", [0, -86_400, 86_400, -1_700_000_000])
async def test_a_transaction_is_found_whatever_time_its_id_carries(
    transactions: TransactionLog, clock: Hands, off: int
) -> None:
    await written(transactions, clock, PLAIN, PLAIN)
    one = clock.transaction(off)
    await transactions.write([(one, transactions.passage(INCOMING, PLAIN))])
    await written(transactions, clock, PLAIN)
    [found] = await transactions.find_transactions(ASKER, [one, clock.transaction()])
    assert found.transaction_id == text_of(one)


async def test_transactions_are_found_with_both_their_lines_and_only_by_who_has_part(
    transactions: TransactionLog, clock: Hands
) -> None:
    one = clock.transaction()
    for direction in (OUTGOING, INCOMING):
        await transactions.write([(one, transactions.passage(direction, PLAIN))])
    found = await transactions.find_transactions(OWNER, [one])
    assert [record.direction for record in found] == [OUTGOING, INCOMING]
    assert await transactions.find_transactions(OTHER, [one]) == ()


async def test_one_id_that_is_sent_for_ever_does_not_fill_memory_and_hides_no_line_of_others(
    transactions: TransactionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluis.gateway.transactions.reading.MOST_OF_IDS", 3)
    id = new_transaction()[0]
    await transactions.write([(id, transactions.passage(OUTGOING, Crossing("$1$3$o", "x", OTHER, ASKER)))])
    for _ in range(5):
        await transactions.write([(id, transactions.passage(OUTGOING, PLAIN))])
    found = await transactions.find_transactions(OWNER, [id])
    assert [one.number for one in found] == [3, 4, 5]
    assert len(await transactions.find_transactions(OTHER, [id])) == 1


async def test_times_never_go_down_when_the_clock_does(transactions: TransactionLog, clock: Hands) -> None:
    await written(transactions, clock, PLAIN, PLAIN)
    clock.later(seconds=-3600)
    [late] = await written(transactions, clock, PLAIN)
    times = [r.created_at for r in (await transactions.find(OWNER, Search(ascending=True))).records]
    assert times == sorted(times)
    [found] = await transactions.find_transactions(OWNER, [read_transaction_id(late) or b""])
    assert found.transaction_id == late


async def test_runs_lose_nothing(
    transactions: TransactionLog, clock: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "RUN", 4)
    lines = await written(transactions, clock, *[PLAIN, DELEGATED, PLAIN, FOREIGN, FOREIGN, FOREIGN] * 4)
    mine = [line for number, line in enumerate(lines) if number % 6 < 3]
    second = int(START.timestamp())
    assert await every(transactions, ASKER) == mine
    assert ids(await transactions.find(ASKER, Search(limit=1000))) == mine[::-1]
    assert await every(transactions, ASKER, after=second + 5, before=second + 13) == mine[3:7]
    assert await every(transactions, DELEGATOR) == lines[1::6]


async def test_a_log_goes_on_where_it_was(tmp_path: Path, clock: Hands) -> None:
    lines = []
    for _ in range(2):
        with closing(open_store(tmp_path / "node.db")) as store:
            log = open_transactions(store, clock)
            lines += await written(log, clock, PLAIN, DELEGATED)
            assert await every(log, OWNER) == lines
            with store.read() as connection:
                assert connection.execute(text("SELECT count(*) FROM gateway_passages")).scalar() == 2


async def test_what_comes_together_is_kept_together(transactions: TransactionLog, clock: Hands) -> None:
    passages = [transactions.passage(INCOMING, one) for one in (PLAIN, DELEGATED, FOREIGN)]
    await asyncio.gather(*[transactions.write([(clock.transaction(), passages[n % 3])]) for n in range(300)])
    assert len(await every(transactions, OWNER)) == 300
    assert len(await every(transactions, DELEGATOR)) == 100


async def test_lines_that_are_given_together_are_kept_in_their_order(
    transactions: TransactionLog, clock: Hands
) -> None:
    passages = [transactions.passage(INCOMING, one) for one in (PLAIN, DELEGATED)]
    lines = [(clock.transaction(), passages[n % 2]) for n in range(200)]
    await asyncio.gather(transactions.write(lines[:150]), transactions.write(lines[150:]))
    assert await every(transactions, OWNER) == [text_of(one) for one, _ in lines]


async def test_a_line_that_is_written_later_is_written_once(
    transactions: TransactionLog, clock: Hands
) -> None:
    one = clock.transaction()
    write = transactions.once((one, transactions.passage(INCOMING, PLAIN)))
    assert await every(transactions, OWNER) == []
    assert write() is write()
    await write()
    assert await every(transactions, OWNER) == [text_of(one)]


async def test_a_line_that_cannot_be_written_is_told_and_leaves_no_trace(
    transactions: TransactionLog, store: Store, clock: Hands
) -> None:
    lines = await written(transactions, clock, PLAIN)
    await store.write(lambda connection: connection.execute(text("PRAGMA query_only = ON")))
    with pytest.raises(Unkept):
        await written(transactions, clock, DELEGATED)
    lines += await written(transactions, clock, DELEGATED)  # over a new connection, which may write
    assert await every(transactions, OWNER) == lines


@given(st.uuids(version=4))
def test_only_version_7_is_a_transaction_id(other: UUID) -> None:
    assert read_transaction_id(str(other)) is None


def test_transaction_ids_made_here_are_read() -> None:
    raw, written_form = new_transaction()
    assert read_transaction_id(written_form) == read_transaction_id(written_form.upper()) == raw
    assert text_of(raw) == written_form


@pytest.mark.parametrize(
    "wrong",
    [
        "", "8d2f0b0e-6c9f-4d3a-9d1a-3c0f7c1f8f0a", "0" * 36, "019a0000-0000-7000-8000-00000000000", "019a0000-0000-7000-8000-0000000000000",
        "{019a0000-0000-7000-8000-00000000000}", "019a00000000-7000-8000-000000000000-", "019a0000-0000-7000-c000-000000000000",
        "019a0000-0000-7000-8000-00000000000g", "019a0000 0000-7000-8000-000000000000", "019a000000000-700-8000-000000000000",
        "019a0000-0000-7000-8000-00000000000٣",
    ],
)  # fmt: skip
def test_what_is_no_uuid_version_7_is_no_transaction_id(wrong: str) -> None:
    assert read_transaction_id(wrong) is None


# What became of a request


async def outcomes(log: TransactionLog, **search: object) -> dict[str, str | None]:
    """What is noted beside each line, whichever way it is read."""
    page = await log.find(ASKER, Search(limit=1000, **search))  # type: ignore[arg-type]
    found = {one.transaction_id: outcome_of(one.crossing) for one in page.records}
    by_id = await log.find_transactions(ASKER, [UUID(one).bytes for one in found])
    assert {one.transaction_id: outcome_of(one.crossing) for one in by_id} == found
    assert len(page.records) == len(found)
    return found


async def test_what_was_noted_stands_in_the_record_and_is_none_of_its_own(
    transactions: TransactionLog, clock: Hands
) -> None:
    lost, well, refused = await written(transactions, clock, PLAIN, PLAIN, DELEGATED, direction=OUTGOING)
    await transactions.note(UUID(lost).bytes, OWNER, "no-answer")
    await transactions.note(UUID(refused).bytes, OWNER, "refused")
    assert await outcomes(transactions) == {lost: "no-answer", well: None, refused: "refused"}
    assert await outcomes(transactions, service_names=frozenset({"personen"})) == {
        lost: "no-answer",
        well: None,
    }


async def test_note_leaves_what_an_extension_added(transactions: TransactionLog, clock: Hands) -> None:
    crossing = Crossing("$1$3$more", "personen", ASKER, OWNER, None, None, '{"reference":"R-1"}')
    [lost] = await written(transactions, clock, crossing, direction=OUTGOING)
    await transactions.note(UUID(lost).bytes, OWNER, "no-answer")
    [record] = await transactions.find_transactions(ASKER, [UUID(lost).bytes])
    assert record.crossing == noted(crossing, "no-answer")
    assert record.crossing.additional == '{"reference":"R-1","sluis.outcome":"no-answer"}'


async def test_nothing_is_noted_beside_a_line_that_is_not_there(
    transactions: TransactionLog, clock: Hands
) -> None:
    [incoming] = await written(transactions, clock, PLAIN)
    [elsewhere] = await written(transactions, clock, PLAIN, direction=OUTGOING)
    await transactions.note(UUID(incoming).bytes, OWNER, "no-answer")
    await transactions.note(UUID(elsewhere).bytes, OTHER, "no-answer")
    await transactions.note(new_transaction()[0], OWNER, "no-answer")
    assert await outcomes(transactions) == {incoming: None, elsewhere: None}


async def test_id_that_was_used_again_fails_only_when_every_use_did(transactions: TransactionLog) -> None:
    again, passage = new_transaction()[0], transactions.passage(OUTGOING, PLAIN)
    for _ in range(2):
        await transactions.write([(again, passage)])
    for expected in (None, "no-answer"):
        await transactions.note(again, OWNER, "no-answer")
        found = await transactions.find_transactions(ASKER, [again])
        assert [outcome_of(one.crossing) for one in found] == [expected] * 2
