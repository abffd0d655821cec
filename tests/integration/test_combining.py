"""Groups over the data of two owners of which no row may be seen: this node combines sealed rows, people get groups."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.federation import ASKER, Federation, OwnerSetup

from sluis.crypto import FileKeyStore
from sluis.grounds import Activity, Aggregate, Article, Column, Dataset, Disclosure, Subject
from sluis.kernel import Oin, PeerId, Period, Refused, Text, encode
from sluis.ledger import Search
from sluis.statement import open_memory
from sluis.store import open_store

STATISTICS = "https://sluiswijk.example/verwerkingen/statistiek"
LAW = Article("Wet op het Centraal bureau voor de statistiek", "33", "BWBR0015926")
TOWNS = {"Sluiswijk": 12, "Peilwijk": 6, "Dijkwijk": 3, "Polderwijk": 7}
PEOPLE = [
    (f"9999{place}{number:04}", town)
    for place, (town, count) in enumerate(TOWNS.items())
    for number in range(count)
]
QUESTION = (
    "select p.plaats, count(*) as mensen, sum(i.bedrag) as bedrag from rvig.personen p "
    "join bd.inkomen i on i.bsn = p.bsn group by p.plaats order by mensen desc"
)


def both(text: str) -> Text:
    return Text(text, text)


def opened(dataset: str, columns: dict[str, Any], rule: Aggregate | None) -> Disclosure:
    return Disclosure(
        id=dataset, version=1, dataset=dataset, recipient=ASKER, activity=STATISTICS, columns=columns, articles=(LAW,),
        ground="public-task", controller=Oin(ASKER), valid=Period(date(2026, 1, 1)), subject_required=False,
        aggregate=rule,
    )  # fmt: skip


def federation_in(
    home: Path,
    combiner: PeerId | None,
    incomes: Mapping[str, int] | None = None,
    budget: int = 50,
    jobs: Sequence[str] = (),
) -> Federation:
    """A register of persons, with some of their jobs, and one of incomes (100 each, unless given)."""
    for name in ("rvig", "bd", "asker"):
        (home / name).mkdir()
    with sqlite3.connect(home / "rvig.db") as database:
        database.execute("create table personen (bsn text primary key, plaats text)")
        database.executemany("insert into personen values (?, ?)", PEOPLE)
        database.execute("create table banen (bsn text primary key, beroep text)")
        database.executemany("insert into banen values (?, 'Bakker')", [(bsn,) for bsn in jobs])
    database.close()
    with sqlite3.connect(home / "bd.db") as database:
        database.execute("create table inkomen (bsn text primary key, bedrag int)")
        database.executemany(
            "insert into inkomen values (?, ?)",
            [(bsn, incomes.get(bsn) if incomes else 100) for bsn, _ in PEOPLE],
        )
    database.close()
    subject = Subject("bsn", "BSN")
    people = Dataset("personen", both("P"), "db", "personen", (Column("bsn", "VARCHAR"), Column("plaats", "VARCHAR")),
                     subject=subject, key=("bsn",), rows=28)  # fmt: skip
    income = Dataset("inkomen", both("I"), "db", "inkomen", (Column("bsn", "VARCHAR"), Column("bedrag", "BIGINT")),
                     subject=subject, key=("bsn",), rows=28)  # fmt: skip
    work = Dataset("banen", both("B"), "db", "banen", (Column("bsn", "VARCHAR"), Column("beroep", "VARCHAR")),
                   subject=subject, key=("bsn",), rows=len(jobs))  # fmt: skip
    activity = Activity(
        STATISTICS, both("S"), both("S"), Oin(ASKER), "public-task", (LAW,), Period(date(2026, 1, 1))
    )
    return Federation(
        home,
        [
            OwnerSetup("rvig", PeerId("00000009900000000001"), {"db": f"sqlite:///{home / 'rvig.db'}"}, [people, work],
                       [opened("personen", {"bsn": "output", "plaats": "output"}, Aggregate(5, budget=budget, combiner=combiner)),
                        opened("banen", {"bsn": "join", "beroep": "output"}, None)]),
            OwnerSetup("bd", PeerId("00000009900000000002"), {"db": f"sqlite:///{home / 'bd.db'}"}, [income],
                       [opened("inkomen", {"bsn": "join", "bedrag": "output"}, Aggregate(4, budget=budget, combiner=combiner))]),
        ],
        [activity],
    )  # fmt: skip


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    running = federation_in(tmp_path, ASKER)
    yield running
    running.close()


async def test_the_stricter_minimum_counts_and_no_small_group_follows_from_a_total(
    federation: Federation,
) -> None:
    """Dijkwijk has three people; Peilwijk goes with it, or it would follow from the total."""
    answer = await federation.ask(QUESTION, STATISTICS)
    assert [(row["plaats"], row["mensen"], int(row["bedrag"])) for row in answer.table.to_pylist()] == [
        ("Sluiswijk", 12, 1200), ("Polderwijk", 7, 700),
    ]  # fmt: skip


async def test_no_bsn_crosses_in_the_clear(federation: Federation) -> None:
    await federation.ask(QUESTION, STATISTICS)
    assert all(sent.combining for _, sent in federation.link.sent)
    for _, sent in federation.link.sent:
        assert not any(bsn in encode(sent).decode() for bsn, _ in PEOPLE)


@pytest.mark.parametrize(
    "sql",
    [
        "select p.bsn, i.bedrag from rvig.personen p join bd.inkomen i on i.bsn = p.bsn",
        "select p.bsn, count(*) from rvig.personen p join bd.inkomen i on i.bsn = p.bsn group by p.bsn",
        "select count(*) from rvig.personen p join bd.inkomen i on i.bsn = p.bsn where p.bsn = '999900001'",
        "select max(i.bedrag) from rvig.personen p join bd.inkomen i on i.bsn = p.bsn",
        "select p.plaats, count(*) from rvig.personen p left join bd.inkomen i on i.bsn = p.bsn "
        "group by rollup (p.plaats)",
        "select s.n from (select p.plaats, count(*) n from rvig.personen p join bd.inkomen i on i.bsn = p.bsn "
        "group by 1) s",
    ],
)
async def test_what_is_no_group_is_refused_before_anyone_is_asked(federation: Federation, sql: str) -> None:
    with pytest.raises(Refused):
        await federation.ask(sql, STATISTICS)
    assert federation.link.sent == []


async def test_without_a_named_combiner_nothing_is_joined(tmp_path: Path) -> None:
    running = federation_in(tmp_path, None)
    try:
        with pytest.raises(Refused) as caught:
            await running.ask(QUESTION, STATISTICS)
        assert caught.value.rule == "no-combiner"
        assert running.link.sent == []
        alone = await running.ask(
            "select plaats, count(*) n from rvig.personen group by plaats order by n", STATISTICS
        )
        assert [row["plaats"] for row in alone.table.to_pylist()] == ["Polderwijk", "Sluiswijk"]
    finally:
        running.close()


async def test_a_sum_over_many_of_whom_one_has_a_value_is_not_told(tmp_path: Path) -> None:
    running = federation_in(tmp_path, ASKER, incomes={PEOPLE[0][0]: 777})
    try:
        told = (await running.ask(QUESTION, STATISTICS)).table.to_pylist()
        assert [(row["plaats"], row["bedrag"]) for row in told] == [("Polderwijk", None)]
    finally:
        running.close()


async def test_the_combiner_remembers_what_it_told(federation: Federation) -> None:
    """The whole, and then the whole without one: that one's income would be the difference."""
    total = "select sum(i.bedrag) s from rvig.personen p join bd.inkomen i on i.bsn = p.bsn"
    await federation.ask(total, STATISTICS)
    await federation.ask(total, STATISTICS)
    with pytest.raises(Refused) as caught:
        await federation.ask(f"{total} where p.plaats <> 'Dijkwijk'", STATISTICS)
    assert caught.value.rule == "differencing"


async def test_combining_draws_on_the_budget_of_owners_and_combiner(tmp_path: Path) -> None:
    running = federation_in(tmp_path, ASKER, budget=2)
    asked = (
        "select count(*) n from rvig.personen p join bd.inkomen i on i.bsn = p.bsn where p.plaats = $plaats"
    )
    try:
        for town in ("Sluiswijk", "Peilwijk", "Sluiswijk"):
            await running.ask(asked, STATISTICS, plaats=town)
        sent = len(running.link.sent)
        with pytest.raises(Refused) as caught:
            await running.ask(asked, STATISTICS, plaats="Polderwijk")
        assert caught.value.rule == "aggregate-budget"
        assert len(running.link.sent) == sent
        running.asker._combining._memory = open_memory(
            open_store(tmp_path / "other.db"), FileKeyStore(tmp_path / "other")
        )
        with pytest.raises(Refused) as caught:
            await running.ask(asked, STATISTICS, plaats="Polderwijk")
        assert caught.value.rule == "aggregate-budget"
        assert len(running.link.sent) == sent + 1
    finally:
        running.close()


async def test_people_in_rows_beside_those_a_combiner_groups_are_on_record(tmp_path: Path) -> None:
    """Jobs may be seen row by row. That they leave for a combiner, beside data of groups, changes nothing about that."""
    employed = [PEOPLE[0][0], PEOPLE[1][0]]
    running = federation_in(tmp_path, ASKER, jobs=employed)
    rvig = running.parties[PeerId("00000009900000000001")]
    try:
        await running.ask(
            "select p.plaats, b.beroep, count(*) n, sum(i.bedrag) b from rvig.personen p "
            "join bd.inkomen i on i.bsn = p.bsn left join rvig.banen b on b.bsn = p.bsn group by p.plaats, b.beroep",
            STATISTICS,
        )
        for bsn, looked_up in ((employed[0], 1), (employed[1], 1), (PEOPLE[2][0], 0)):
            about = rvig.ledger.subjects("BSN", bsn)
            found = await rvig.ledger.processing_of(Search(subjects=about), withheld=True)
            assert len(found) == looked_up
    finally:
        running.close()
