"""Appending: one record per key, all or nothing per call, in order; and destroying."""

import asyncio
import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import rfc8785
from sqlalchemy import text
from tests.unit.ledger.examples import ORIGIN, appended, change, decision, fill, opened, processing

from sluis.kernel import Conflict, Invalid, NotFound, Refused, Unkept
from sluis.ledger import Ledger, Search, sql
from sluis.ledger.model import Epoch
from sluis.store import Store


@pytest.fixture(params=[8192, 4])
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Records in a run: as they are, and so few that most records lie in one."""
    monkeypatch.setattr(sql, "RUN", request.param)
    return int(request.param)


@pytest.fixture
def ledger(tmp_path: Path, run: int) -> Iterator[Ledger]:
    with opened(tmp_path) as (_, ledger):
        yield ledger


def bodies(ledger: Ledger) -> list[dict[str, Any]]:
    return [json.loads(ledger.log.stored(index).json or b"null") for index in range(ledger.log.size())]


async def test_records_stand_where_their_position_says(ledger: Ledger) -> None:
    first = await ledger.append([processing("a"), processing("b")])
    second = await ledger.append([decision()])
    assert (first.origin, first.index, first.size, first.witnesses) == (ORIGIN, 1, 2, 0)
    assert (second.index, second.size) == (2, 3)
    assert [body["kind"] for body in bodies(ledger)] == ["processing", "processing", "decision"]


async def test_a_leaf_is_the_hash_of_the_salted_hash_of_canonical_json(ledger: Ledger) -> None:
    record = processing("a", weight=0.1, näam="x")
    await ledger.append([record])
    stored = ledger.log.stored(0)
    assert stored.json is not None
    assert stored.salt is not None
    assert stored.json == rfc8785.dumps(msgspec.to_builtins(record))
    assert len(stored.salt) == 16
    assert stored.entry == hashlib.sha256(stored.salt + stored.json).digest()
    assert ledger.log.root(1) == hashlib.sha256(b"\x00" + stored.entry).digest()


async def test_every_record_has_a_salt_of_its_own(ledger: Ledger) -> None:
    fill(ledger, 50)
    assert len({ledger.log.stored(index).salt for index in range(50)}) == 50


async def test_the_same_record_again_is_one_record(ledger: Ledger) -> None:
    records = fill(ledger, 20)
    again = await ledger.append([records[3]])
    assert (again.index, ledger.log.size()) == (3, 20)
    mixed = await ledger.append([records[19], processing("new"), records[0]])
    assert (mixed.index, ledger.log.size()) == (0, 21)


async def test_twice_in_one_call_or_one_batch_is_one_record(ledger: Ledger) -> None:
    record = processing("a")
    positions = await asyncio.gather(ledger.append([record, record]), ledger.append([record]))
    assert [position.index for position in positions] == [0, 0]
    assert ledger.log.size() == 1


async def test_the_same_key_with_other_content_is_a_conflict(ledger: Ledger) -> None:
    records = fill(ledger, 20)
    for record in (records[2], records[19]):
        with pytest.raises(Conflict):
            await ledger.append([msgspec.structs.replace(record, name="other")])
    assert ledger.log.size() == 20


async def test_a_decision_and_a_processing_of_one_span_are_two_records(ledger: Ledger) -> None:
    one = processing("a")
    same_span = msgspec.structs.replace(decision(one.trace_id), span_id=one.span_id)
    searched = msgspec.structs.replace(same_span, event_name="adl.search_subject")
    await ledger.append([one, same_span, searched])
    assert ledger.log.size() == 3


async def test_a_call_with_a_conflict_adds_nothing_and_hurts_nobody(ledger: Ledger) -> None:
    (known,) = fill(ledger, 1)
    fresh, neighbour = processing("fresh"), processing("neighbour")
    outcomes = await asyncio.gather(
        ledger.append([fresh, msgspec.structs.replace(known, name="other")]),
        ledger.append([neighbour]),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], Conflict)
    assert [body["span_id"] for body in bodies(ledger)] == [known.span_id, neighbour.span_id]
    assert (await ledger.append([fresh])).index == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"trace_id": "A" * 32}, {"trace_id": "a" * 31}, {"trace_id": "0" * 32}, {"trace_id": "x" * 32},
        {"span_id": "0" * 16}, {"span_id": "a" * 17}, {"span_id": "1_" * 8}, {"status": "ok"},
        {"attributes": {"dpl.core.data_subject_id": "a"}},
        {"attributes": {"dpl.core.data_subject_id": "a", "dpl.core.processing_activity_id": "b"}},
        {"attributes": {"n": 2**60}}, {"attributes": {"n": float("nan")}},
    ],
)  # fmt: skip
async def test_a_malformed_record_is_refused_and_hurts_nobody(ledger: Ledger, wrong: dict[str, Any]) -> None:
    outcomes = await asyncio.gather(
        ledger.append([processing("a"), msgspec.structs.replace(processing("b"), **wrong)]),
        ledger.append([processing("c")]),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], Invalid)
    assert ledger.log.size() == 1


@pytest.mark.parametrize(
    "traces",
    [
        ("a" * 31, "b" * 33), ("a" * 32 + " " + "b" * 32, "c" * 32), ("", "a" * 64), (" " + "a" * 31, "b" * 32),
        ("a" * 32, "b" * 30 + "é"),
    ],
)  # fmt: skip
async def test_ids_that_are_right_only_together_are_refused(ledger: Ledger, traces: tuple[str, str]) -> None:
    records = [processing(), processing()]
    wrong = [msgspec.structs.replace(one, trace_id=trace) for one, trace in zip(records, traces, strict=True)]
    with pytest.raises(Invalid):
        await ledger.append(wrong)
    assert ledger.log.size() == 0


@pytest.mark.parametrize("wrong", ["a string", None, 5, processing("a").__class__])
async def test_what_is_no_record_is_refused_and_hurts_nobody(ledger: Ledger, wrong: Any) -> None:
    outcomes = await asyncio.gather(
        ledger.append([wrong]), ledger.append([processing("c")]), return_exceptions=True
    )
    assert isinstance(outcomes[0], Invalid)
    assert ledger.log.size() == 1


@pytest.mark.parametrize(
    "wrong", [{"attributes": 5}, {"attributes": None}, {"trace_id": None}, {"start_time": "x"}]
)
async def test_a_record_of_the_wrong_types_hurts_nobody(ledger: Ledger, wrong: dict[str, Any]) -> None:
    outcomes = await asyncio.gather(
        ledger.append([msgspec.structs.replace(processing("a"), **wrong)]),
        ledger.append([processing("c")]),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], Exception)
    assert ledger.log.size() == 1


async def test_nobody_else_writes_records_of_the_ledger_itself(ledger: Ledger) -> None:
    epoch: Any = Epoch("a" * 32, "b" * 16, 2, "x", "y", 0, 0)
    with pytest.raises(Invalid):
        await ledger.append([epoch])


async def test_everything_is_known_again_after_opening_again(tmp_path: Path, run: int) -> None:
    with opened(tmp_path) as (_, ledger):
        records = fill(ledger, 600)
        root = ledger.log.root(600)
    with opened(tmp_path) as (_, ledger):
        assert (await ledger.append([records[0]])).index == 0
        assert (await ledger.append([records[599]])).index == 599
        with pytest.raises(Conflict):
            await ledger.append([msgspec.structs.replace(records[300], name="other")])
        appended(ledger, [processing("next")])
        assert ledger.log.root(600) == root
        assert ledger.log.stored(600).json is not None


def files_hold(directory: Path, text: str) -> bool:
    return any(text.encode() in path.read_bytes() for path in directory.iterdir() if path.is_file())


async def test_a_destroyed_record_is_gone_and_the_tree_is_whole(tmp_path: Path, run: int) -> None:
    with opened(tmp_path) as (_, ledger):
        fill(ledger, 10)
        doomed = processing("pseudonym-to-be-destroyed")
        await ledger.append([doomed])
        fill(ledger, 10)
        root, entry, note = ledger.log.root(21), ledger.log.stored(10).entry, await ledger.checkpoint()
        assert files_hold(tmp_path, "pseudonym-to-be-destroyed")
        position = await ledger.destroy([(10, 10)], "selection list 2020, 11.1")
        assert position.index == 21
        assert not files_hold(tmp_path, "pseudonym-to-be-destroyed")
        stored = ledger.log.stored(10)
        assert (stored.json, stored.salt, stored.entry) == (None, None, entry)
        assert ledger.log.root(21) == root
        wanted = Search(trace_id=doomed.trace_id)
        assert await ledger.processing_of(wanted, withheld=True) == []
        found = await ledger.verify([note])
        assert (found.faults, found.destroyed) == ((), 1)


async def test_only_records_that_exist_can_be_destroyed(ledger: Ledger) -> None:
    fill(ledger, 3)
    for stretch in ((2, 3), (-1, 0), (2, 1)):
        with pytest.raises(NotFound):
            await ledger.destroy([stretch], "x")
    with pytest.raises(Invalid):
        await ledger.destroy([], "x")


async def test_the_record_of_a_destruction_cannot_be_destroyed(ledger: Ledger) -> None:
    fill(ledger, 3)
    await ledger.destroy([(0, 1)], "x")
    with pytest.raises(Refused):
        await ledger.destroy([(2, 3)], "x")
    assert ledger.log.stored(2).json is not None


async def test_what_holds_the_words_of_such_a_record_can_be_destroyed(ledger: Ledger) -> None:
    await ledger.append([processing("me", context={"kind": "destruction"})])
    await ledger.destroy([(0, 0)], "x")
    assert ledger.log.stored(0).json is None


@pytest.mark.parametrize("index", [2, 9])
async def test_a_destroyed_record_that_comes_again_is_one_record(ledger: Ledger, index: int) -> None:
    records = fill(ledger, 10)
    await ledger.destroy([(index, index)], "x")
    assert (await ledger.append([records[index]])).index == 11
    assert (await ledger.append([records[index]])).index == 11


@pytest.mark.parametrize("body", ["\0", "[]", '{"kind":[]}'])
async def test_a_record_that_was_tampered_with_refuses_nobody(
    ledger: Ledger, tmp_path: Path, body: str
) -> None:
    records = fill(ledger, 10)
    put = (b"s" * 16 + body.encode()).hex()
    change(tmp_path, f"UPDATE ledger_records SET salted = x'{put}' WHERE idx IN (2, 9)")
    again = [ledger.append([records[index]]) for index in (2, 9)]
    assert [one.index for one in await asyncio.gather(*again, ledger.append([processing()]))] == [10, 11, 12]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ledger_records WHERE idx = 290",
        "UPDATE ledger_records SET leaf = x'00' WHERE idx = 290",
        "UPDATE ledger_records SET leaf = 'a text' WHERE idx = 290",
        "UPDATE ledger_records SET idx = 1099511627776 WHERE idx = 299",
        "DELETE FROM ledger_tiles WHERE level = 0",
    ],
)
async def test_a_log_that_misses_its_end_is_not_gone_on_with(tmp_path: Path, statement: str) -> None:
    with opened(tmp_path) as (_, ledger):
        fill(ledger, 300)
    change(tmp_path, statement)
    with pytest.raises(Conflict) as refused, opened(tmp_path):
        pass
    assert refused.value.code == "log-not-whole"


async def test_a_failed_batch_leaves_the_ledger_as_it_was(tmp_path: Path, run: int) -> None:
    with opened(tmp_path) as (store, ledger):
        fill(ledger, 300)
        lost = msgspec.structs.replace(processing("lost"), name="more than is left of a page" * 1000)
        no_more_room(store)
        with pytest.raises(Unkept):
            await ledger.append([lost])
        assert (await ledger.append([lost])).index == 300
        assert (await ledger.verify()).faults == ()


def no_more_room(store: Store) -> None:
    """Let the database be as large as its disk, until it is opened again."""
    store.write_blocking(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 1"))


async def test_who_reads_does_not_keep_writers_waiting_for_a_destruction(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, ledger):
        fill(ledger, 10)
        with store.read() as reader:
            reader.execute(text("SELECT * FROM ledger_records")).all()
            start = time.monotonic()
            await ledger.destroy([(3, 5)], "selection list")
            await ledger.append([processing()])
            assert time.monotonic() - start < 5
        await ledger.append(
            [processing()]
        )  # and what was destroyed leaves the write-ahead log when nobody reads
        assert (tmp_path / "node.db-wal").stat().st_size == 0
