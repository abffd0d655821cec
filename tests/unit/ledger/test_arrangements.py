"""What was arranged, such as a mandate: on record, found by what it is about, proved like any other record."""

from pathlib import Path

import pytest
from tests.unit.ledger.examples import NOW_MS, decision, opened, processing

from sluis.kernel import Conflict, Invalid, new_span_id, new_trace_id
from sluis.ledger import Arrangement, sql
from sluis.ledger.verifier import check_receipt


def arranged(
    trace: str, action: str = "mandate.give", at: int = NOW_MS, span: str | None = None
) -> Arrangement:
    body = {"services": ["permits"], "cap": 1000}
    return Arrangement(
        trace, span or new_span_id(), action, "p" * 43, f"urn:sluis:mandate:{trace}", at, body=body
    )


@pytest.mark.parametrize("run", [16, 8192], ids=["in runs", "in the tail"])
async def test_all_that_happened_to_one_object_is_found_in_order_and_proved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: int
) -> None:
    monkeypatch.setattr(sql, "RUN", run)
    mine, other = new_trace_id(), new_trace_id()
    first, last = arranged(mine), arranged(mine, "mandate.revoke", NOW_MS + 5)
    with opened(tmp_path) as (_, ledger):
        await ledger.append([processing(), first, arranged(other), decision(mine), processing(trace_id=mine)])
        await ledger.append([processing(str(number)) for number in range(40)])
        index = (await ledger.append([last])).index
        assert ledger.log.arrangements(mine) == [(1, first), (index, last)]
        check_receipt(await ledger.prove(1), ledger.log.stored(1).entry, ledger.key)
        assert (await ledger.verify()).faults == ()


async def test_the_same_arrangement_once_more_is_one_record_and_another_under_its_ids_conflicts(
    tmp_path: Path,
) -> None:
    trace, span = new_trace_id(), new_span_id()
    with opened(tmp_path) as (_, ledger):
        await ledger.append([arranged(trace, span=span)])
        assert (await ledger.append([arranged(trace, span=span)])).index == 0
        with pytest.raises(Conflict):
            await ledger.append([arranged(trace, "mandate.revoke", span=span)])


async def test_an_arrangement_with_ids_that_are_none_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as (_, ledger):
        with pytest.raises(Invalid):
            await ledger.append([arranged("x" * 32)])
        assert ledger.log.size() == 0
