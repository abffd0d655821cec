"""What was used of an owner's data, counted from its log."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.unit.disclose.owner import ACTIVITY, ANN, ASKER, BOB, NOBODY, NOW, OWNER, Owner, disclosure
from tests.unit.ledger.examples import appended, opened, processing

from sluis.disclose import use
from sluis.disclose.use import PREVIEW, Total, open_use
from sluis.grounds import Price
from sluis.kernel import Problem, Unkept

Make = Callable[..., Owner]
BY_KEY = "SELECT p.name AS name FROM persons AS p WHERE p.bsn = ANY($k)"
WORKS = "SELECT j.job AS job FROM jobs AS j WHERE j.bsn = ANY($k)"
BOTH = "SELECT p.name AS name, j.job AS job FROM persons AS p JOIN jobs AS j ON p.bsn = j.bsn WHERE p.bsn = ANY($k)"
KNOWN = {"persons", "jobs", ACTIVITY}
DAY = NOW.date()


@pytest.fixture(params=[1, 2000])
def stretch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records one at a time, and all at once."""
    monkeypatch.setattr(use, "_BATCH", request.param)


async def asked(owner: Owner) -> None:
    await owner.ask(BY_KEY, [ANN, BOB])
    await owner.ask(BY_KEY, [ANN])
    await owner.ask(WORKS, [ANN])
    await owner.ask(BOTH, [BOB])
    with suppress(Problem):
        await owner.ask("SELECT p.income AS i FROM persons AS p WHERE p.bsn = ANY($k)", [ANN])
    with suppress(Problem):
        await owner.ask(BY_KEY, [ANN], activity="https://example.nl/made-up", disclosures={"persons": "x"})
    with suppress(Problem):
        await owner.ask(BY_KEY, [ANN], disclosures={"nonsense": "x"})


@pytest.mark.usefixtures("stretch")
async def test_questions_people_and_refusals_are_counted_per_disclosure(make: Make, tmp_path: Path) -> None:
    columns = {"bsn": "output", "name": "output"}
    owner = make(
        disclosure(columns=columns), disclosure("jobs", price=Price(per_question=100, per_subject=7))
    )
    transactions = iter(f"t-{number}" for number in range(20))
    consult = owner.discloser.consult

    async def each_its_own(peer, trace, _, question):  # type: ignore[no-untyped-def]
        return await consult(peer, trace.begin(), next(transactions), question)

    owner.discloser.consult = each_its_own  # type: ignore[method-assign]
    await asked(owner)
    with opened(tmp_path) as (store, ledger):
        appended(ledger, owner.log.records)
        counts = open_use(store, ledger, OWNER, KNOWN)
        await counts.count()
        found = {
            (one.dataset, one.disclosure, one.activity): (one.questions, one.persons, one.refused, one.cents)
            for one in counts.totals(DAY, DAY + timedelta(1), by=("dataset", "disclosure", "activity"))
        }
        assert found == {
            ("persons", "d-persons", ACTIVITY): (3, 4, 1, 107),
            ("jobs", "d-jobs", ACTIVITY): (2, 2, 0, 107),
            ("persons", "", ""): (0, 0, 1, 0),
            ("", "", ACTIVITY): (0, 0, 1, 0),
        }
        again = open_use(store, ledger, OWNER, KNOWN)
        await again.count()
        whole = counts.totals(DAY, DAY + timedelta(1))
        assert whole == again.totals(DAY, DAY + timedelta(1)) == [Total(5, 6, 3, 0, 0, 214)]
        assert counts.totals(DAY, DAY + timedelta(1), by=("peer",), only={"dataset": "jobs"}) == [
            Total(2, 2, 0, 0, 0, 107, peer=str.__str__(ASKER))
        ]
        assert counts.totals(DAY + timedelta(1), DAY + timedelta(2)) == [Total()]


async def test_a_source_that_fails_counts_once_and_an_unknown_person_counts_as_asked_about(
    make: Make, tmp_path: Path
) -> None:
    owner = make(disclosure())
    await owner.ask(BY_KEY, [NOBODY])
    with opened(tmp_path) as (store, ledger):
        appended(ledger, owner.log.records)
        counts = open_use(store, ledger, OWNER, KNOWN)
        await counts.count()
        assert counts.totals(DAY, DAY + timedelta(1), by=("day",)) == [Total(1, 1, day=DAY)]


async def test_lines_of_an_answer_that_began_before_this_process_are_counted(
    make: Make, tmp_path: Path
) -> None:
    owner = make(disclosure())
    await owner.ask(BY_KEY, [ANN, BOB])
    with opened(tmp_path) as (store, ledger):
        appended(ledger, owner.log.records[:2])
        await open_use(store, ledger, OWNER, KNOWN).count()
        appended(ledger, owner.log.records[2:])
        counts = open_use(store, ledger, OWNER, KNOWN)
        await counts.count()
        assert counts.totals(DAY, DAY + timedelta(1)) == [Total(1, 2)]


async def test_a_count_that_broke_off_leaves_nothing_out_and_counts_nothing_twice(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = make(disclosure())
    await owner.ask(BY_KEY, [ANN, BOB])
    with opened(tmp_path) as (store, ledger):
        appended(ledger, owner.log.records)
        counts = open_use(store, ledger, OWNER, KNOWN)
        with monkeypatch.context() as broken:
            broken.setattr(use.sql, "GO_ON", "UPDATE nowhere SET x = 1")
            with pytest.raises(Unkept):
                await counts.count()
        await counts.count()
        assert counts.totals(DAY, DAY + timedelta(1)) == [Total(1, 2)]


async def test_a_preview_counts_as_the_owners_own(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, ledger):
        appended(ledger, [processing("s", **{PREVIEW: {"dataset": "persons", "disclosure": "d-persons"}})])
        counts = open_use(store, ledger, OWNER, KNOWN)
        await counts.count()
        (one,) = counts.totals(date(2026, 3, 1), date(2026, 3, 2), by=("peer", "disclosure"))
        assert (one.peer, one.disclosure, one.previews, one.questions) == (
            str.__str__(OWNER),
            "d-persons",
            1,
            0,
        )
