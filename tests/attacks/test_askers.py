"""A hostile asking node: what it may make an owner keep, write down and work out, and whom it reaches in pieces."""

import asyncio
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.attacks.conftest import Make
from tests.federation import Federation, OwnerSetup
from tests.integration.test_asking import ACTIVITY, BENEFIT, INCOME, ONE, PERSONS, TAX, disclosure, records_of
from tests.integration.test_asking import RVIG as OWNER_A
from tests.unit.disclose.owner import ASKER, OTHER, Bounds, Owner
from tests.unit.disclose.owner import disclosure as opened

from sluis.disclose import understood
from sluis.grounds import Offer
from sluis.kernel import Invalid, Problem, Refused
from sluis.statement import KeyList


async def test_a_refusal_names_no_more_datasets_than_there_are(make: Make) -> None:
    owner = make(opened())
    named = {f"!{number}": "sha256:0" for number in range(900)}
    for disclosures in (named, named | {"persons": "sha256:0"}):
        with pytest.raises(Problem):
            await owner.consult(owner.question("SELECT 1", disclosures=disclosures))
    assert len(owner.log.records) <= 2


@pytest.mark.parametrize(
    "changed",
    [
        {"case": "x" * 5_000},
        {"activity": "x" * 5_000},
        {"keys": {f"k{number}": KeyList("VARCHAR") for number in range(2_000)}},
        {"sql": "SELECT 1 " + " " * 70_000},
    ],
)
async def test_what_does_not_fit_is_not_kept(make: Make, changed: dict[str, Any]) -> None:
    owner = make(opened())
    with pytest.raises((Invalid, TypeError)):
        await owner.consult(owner.question(changed.pop("sql", "SELECT 1"), **changed))
    assert not owner.log.records


@pytest.mark.parametrize(
    "sql",
    ["SELECT 1 AS one", "SELECT v.x FROM (VALUES (1)) AS v(x)", "WITH c AS (SELECT 1 AS x) SELECT x FROM c"],
)
async def test_nothing_is_worked_out_without_a_disclosure(make: Make, sql: str) -> None:
    owner = make(opened())
    for disclosures in ({}, {"persons": owner.discloser.offers(ASKER)[0].digest}):
        with pytest.raises(Invalid):
            await owner.consult(owner.question(sql, disclosures=disclosures))


async def test_long_questions_do_not_fill_the_memory(make: Make) -> None:
    owner: Owner = make(opened(subject_required=False), bounds=Bounds(prepared_length=20_000))
    for number in range(12):
        await owner.ask(f"SELECT p.name AS {'x' * 60}{number}, {number} AS n{'_' * 5_000} FROM persons AS p")
    kept = owner.discloser._understood
    assert 1 <= len(kept._statements) <= 4
    assert kept._length == sum(len(key[0]) for key in kept._statements)


async def test_one_peer_does_not_have_every_worker(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, going, free = make(opened(subject_required=False)), threading.Semaphore(0), threading.Event()
    honest = understood.understand

    def slow(*arguments: Any) -> Any:
        going.release()
        free.wait(5)
        return honest(*arguments)

    monkeypatch.setattr(understood, "understand", slow)
    asked = [
        asyncio.ensure_future(owner.ask(f"SELECT p.name, {number} AS n FROM persons AS p"))
        for number in range(9)
    ]
    await asyncio.sleep(0.3)
    assert [going.acquire(blocking=False) for _ in range(3)] == [True, True, False]
    free.set()
    await asyncio.gather(*asked)


async def test_what_was_prepared_for_one_peer_is_not_for_another(make: Make) -> None:
    owner = make(opened(), opened(id="d-other", recipient=OTHER, columns={"bsn": "output"}))
    question = owner.question("SELECT p.name FROM persons AS p WHERE p.bsn = $b", parameters={"b": ONE})
    await owner.consult(question)
    with pytest.raises(Problem):
        await owner.consult(question, OTHER)
    theirs: tuple[Offer, ...] = owner.discloser.offers(OTHER)
    with pytest.raises(Refused):
        await owner.consult(
            owner.question(question.sql, parameters={"b": ONE}, disclosures={"persons": theirs[0].digest}),
            OTHER,
        )
    assert owner.discloser.offers(ASKER) != theirs


async def test_an_owner_is_not_asked_in_pieces_about_more_people_than_it_allows(tmp_path: Path) -> None:
    for name in ("a", "bd", "asker"):
        (tmp_path / name).mkdir()
    with sqlite3.connect(tmp_path / "all.db") as database:
        database.execute("create table inkomen (bsn text, jaar int, bedrag int)")
        database.execute("create table personen (bsn text, naam text, partner text, geheim boolean)")
        partners = [(ONE, "Fictief", f"{number:09}", False) for number in range(2_500)]
        database.executemany("insert into personen values (?, ?, ?, ?)", partners)
    database.close()
    source = {"db": f"sqlite:///{tmp_path / 'all.db'}"}
    persons = disclosure("personen", {"bsn": "output", "partner": "output"})
    income = disclosure("inkomen", {"bsn": "output", "bedrag": "output"}, max_subjects=1_000)
    running = Federation(
        tmp_path,
        [
            OwnerSetup("a", OWNER_A, source, [PERSONS], [persons]),
            OwnerSetup("bd", TAX, source, [INCOME], [income]),
        ],
        [ACTIVITY],
    )
    sql = "select i.bedrag from a.personen p join bd.inkomen i on i.bsn = p.partner where p.bsn = $bsn"
    with pytest.raises(Refused) as caught:
        await running.ask(sql, BENEFIT, bsn=ONE)
    assert caught.value.code == "too-many-subjects"
    assert [peer for peer, _ in running.link.sent] == [OWNER_A]
    assert records_of(running.store)
    running.close()
