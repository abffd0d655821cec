"""The ledger does the same on both store engines."""

from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text
from tests.unit.ledger.examples import ORIGIN, clock, fill, processing

from sluis.crypto import FileKeyStore
from sluis.kernel import Conflict
from sluis.ledger import Ledger, Search, audit, open_ledger, sql
from sluis.ledger.verifier import Rejected, check_receipt, entry_of
from sluis.store import Store, open_store


@pytest.fixture
def ledger(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.setattr(sql, "RUN", 64)
    return open_ledger(store, FileKeyStore(tmp_path / "keys"), ORIGIN, clock)


async def test_records_are_kept_proved_found_and_verified(ledger: Ledger, url: str, tmp_path: Path) -> None:
    records = fill(ledger, 600)
    mine = processing("me")
    assert (await ledger.append([mine])).index == 600
    assert (await ledger.append([records[5]])).index == 5
    with pytest.raises(Conflict):
        await ledger.append([msgspec.structs.replace(records[9], name="other")])
    check_receipt(await ledger.prove(600), ledger.log.stored(600).entry, ledger.key)
    assert await ledger.processing_of(Search(subjects=("me",)), withheld=False) == [mine]
    assert await ledger.processing_of(Search(trace_id=records[70].trace_id), withheld=False) == [records[70]]
    assert (await ledger.verify()).faults == ()


async def test_a_record_that_was_shown_proves_itself_and_no_other(ledger: Ledger) -> None:
    fill(ledger, 20)
    shown, other = ledger.log.stored(7), ledger.log.stored(8)
    proof = await ledger.prove(7)
    assert shown.json is not None
    assert shown.salt is not None
    assert check_receipt(proof, entry_of(shown.json, shown.salt), ledger.key)[0] == 7
    assert other.json is not None
    with pytest.raises(Rejected):
        check_receipt(proof, entry_of(other.json, shown.salt), ledger.key)


async def test_a_log_goes_on_after_opening_again(ledger: Ledger, url: str, tmp_path: Path) -> None:
    fill(ledger, 300)
    note = await ledger.checkpoint()
    ledger._store.close()
    with closing(open_store(url)) as store:
        again = open_ledger(store, FileKeyStore(tmp_path / "keys"), ORIGIN, clock, seen=[note])
        assert (await again.append([processing("a")])).index == 300
        assert again.origin == ORIGIN
        assert (await again.verify([note])).faults == ()


@pytest.mark.parametrize("tables", [("ledger_terms", "ledger_activities", "ledger_runs"), ("ledger_runs",)])
async def test_runs_that_are_not_there_are_made_when_the_log_is_opened(
    ledger: Ledger, url: str, tmp_path: Path, tables: tuple[str, ...]
) -> None:
    records = fill(ledger, 300)
    for table in tables:
        await ledger._store.write(lambda connection, of=table: connection.execute(text(f"DELETE FROM {of}")))
    ledger._store.close()
    with closing(open_store(url)) as store:
        again = open_ledger(store, FileKeyStore(tmp_path / "keys"), ORIGIN, clock)
        found = await again.processing_of(Search(trace_id=records[70].trace_id), withheld=False)
        assert found == [records[70]]
        with store.read() as connection:
            assert connection.execute(text("SELECT COUNT(*) FROM ledger_runs")).scalar_one() == 4
        assert (await again.verify()).faults == ()


async def test_a_destroyed_record_is_gone_and_accounted_for(ledger: Ledger) -> None:
    fill(ledger, 100)
    root = ledger.log.root(100)
    await ledger.destroy([(3, 5), (90, 90)], "selection list")
    found = await ledger.verify()
    assert (found.faults, found.destroyed) == ((), 4)
    assert ledger.log.root(100) == root
    assert ledger.log.stored(4).json is None
    assert len(ledger.log.tile("entries", 0, 100)) == 3400


async def test_many_processes_verify_a_log_as_one_does(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "RUN", 8192)  # other processes know no other
    fill(ledger, 8500)
    await ledger.destroy([(3, 5)], "selection list")
    await ledger.checkpoint()
    monkeypatch.setattr(audit, "ALONE", 0)
    found = await ledger.verify()
    assert (found.faults, found.size, found.destroyed, found.checkpoints) == ((), 8501, 3, 1)
