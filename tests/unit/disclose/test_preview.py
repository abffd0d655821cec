"""What a recipient would see of somebody, for the owner's own officials: it is what the recipient gets, and it is on record."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.disclose.owner import (
    ACTIVITY,
    ANN,
    ASKER,
    BOB,
    CIM,
    DEE,
    NOBODY,
    OPEN_ALL,
    PERSONS,
    WORK,
    Owner,
    disclosure,
)

from sluis.disclose import Looking, Shown
from sluis.disclose.use import PREVIEW
from sluis.grounds import Aggregate, Disclosure, Purpose, StandingRule
from sluis.kernel import ACR, Invalid, NotFound, Period, Refused, Text, Trace, Unkept, Upstream
from sluis.ledger import Decision, Processing
from sluis.policy import Action, Evaluation, Occasion, Resource, Subject
from sluis.statement import Acting, KeyList

Make = Callable[..., Owner]
OWN_ACTIVITY = "https://owner.example/verwerkingen/controle"
TRACE = Trace("c" * 32, "d" * 16)
SEEN = {"bsn": "output", "name": "output", "postcode": "output", "income": "output", "secret": "join"}
DISCLOSURES: dict[str, dict[str, Any]] = {
    "everything": {},
    "some": {"columns": SEEN},
    "masked": {
        "columns": SEEN,
        "masks": {"postcode": "left(postcode, 4)", "income": "income // 100000 * 100000"},
    },
    "rows": {"columns": SEEN, "rows": "secret = 0", "rows_because": Text("Geheim.", "Secret.")},
    "few rows": {"max_rows": 1},
    "masked person": {"masks": {"name": "'•'"}, "rows": "city = 'Zwolle'"},
    "not today": {"valid": Period(disclosure().valid.since, disclosure().valid.since)},
    "hourly": {"questions_per_hour": 1},
    "strict sign-in": {"minimum_level": "high"},
    "standing": {"standing": StandingRule("P1D")},
}


def looking(owner: Owner) -> Looking:
    asked = Evaluation(Subject("person", "p-owner"), Action("preview-data"), Resource("data", "persons"))
    record = owner.point.record(asked, owner.point.decide(asked), Occasion(TRACE, owner.now, began=True))
    return Looking(TRACE, OWN_ACTIVITY, (record,), "Controle door de bronhouder")


async def preview(owner: Owner, key: str = ANN, name: str = "d-persons", **more: Any) -> Shown:
    return await owner.discloser.preview(name, key, looking(owner), **more)


async def got(owner: Owner, rule: Disclosure, key: str) -> Any:
    """What the recipient gets when it asks itself: the rows, or the rule that refuses them."""
    seen = [column.name for column in PERSONS.columns if rule.columns.get(column.name) == "output"]
    chosen = ", ".join(f"p.{name} AS {name}" for name in seen)
    named = {"persons": owner.discloser._offers["d-persons"].digest}
    sql, acting = f"SELECT {chosen} FROM persons AS p WHERE p.bsn = ANY($k)", Acting("p1", ACR["high"])
    try:
        answered = await owner.ask(sql, [key], disclosures=named, acting=acting)
    except Refused as refusal:
        return refusal.rule
    return answered.table.to_pylist()


@pytest.mark.parametrize("name", DISCLOSURES)
async def test_a_preview_is_what_the_recipient_gets(make: Make, name: str) -> None:
    rule = disclosure(**DISCLOSURES[name])
    owner, asked = make(rule), make(rule)
    for key in (ANN, BOB, CIM, DEE, NOBODY, "'; DROP TABLE person; --"):
        real: Any = await got(asked, rule, key)
        asked.discloser._budgets._asked_at.clear()  # an hour later
        if name == "standing":  # asked in rounds; the same question, by another way
            assert real == "standing-only"
            real = await got(make(disclosure()), rule, key)
        try:
            found: Any = list((await preview(owner, key)).rows)
        except Refused as refusal:
            found = refusal.rule
        assert found == real, key


async def test_who_may_only_join_on_a_person_gets_the_rest_of_the_row(make: Make) -> None:
    owner = make(disclosure(columns={"bsn": "join", "name": "output"}))
    assert (await preview(owner)).rows == ({"name": "Ann"},)
    assert (await preview(owner, NOBODY)).rows == ()


async def test_rows_that_are_not_shown_are_counted(make: Make) -> None:
    owner = make(disclosure(rows="secret = 0"), disclosure("jobs", rows="job <> 'Kok'"))
    seen = await preview(owner, CIM)
    assert (seen.rows, seen.count, seen.there, seen.withheld) == ((), 0, 1, 1)
    jobs = await preview(owner, ANN, "d-jobs")
    assert ([row["job"] for row in jobs.rows], jobs.withheld) == (["Bakker"], 1)


async def test_that_somebody_looked_is_on_record_before_anything_is_shown(make: Make) -> None:
    owner = make(disclosure(columns=SEEN))
    await preview(owner)
    decided, line = owner.log.records
    assert owner.log.commits == 1
    assert isinstance(decided, Decision)
    assert decided.body["adl.core.request"]["subject"]["id"] == "p-owner"
    assert isinstance(line, Processing)
    assert line.trace_id == decided.trace_id == TRACE.trace_id
    assert line.attributes == {
        "dpl.core.processing_activity_id": OWN_ACTIVITY,
        "dpl.core.data_subject_id": f"pseudonym-BSN-{ANN}",
        "dpl.core.data_subject_id_type": "BSN",
        PREVIEW: {"dataset": "persons", "disclosure": "d-persons"},
    }
    assert ANN not in msgspec.json.encode(owner.log.records).decode().replace(f"pseudonym-BSN-{ANN}", "")
    assert ASKER not in line.attributes.values()


async def test_what_cannot_be_recorded_is_not_shown(make: Make) -> None:
    owner = make(disclosure())
    asked = looking(owner)
    owner.log.broken = Unkept("disk-full", *[Text("Vol.", "Full.")] * 3)
    with pytest.raises(Unkept):
        await owner.discloser.preview("d-persons", ANN, asked)


async def test_a_preview_draws_on_no_budget_of_the_recipient(make: Make) -> None:
    owner = make(disclosure(questions_per_hour=1))
    for _ in range(3):
        await preview(owner)
    assert (await owner.ask("SELECT p.name AS n FROM persons AS p WHERE p.bsn = ANY($k)", [ANN])).rows
    assert owner.memory.spent == {}


async def test_a_refusal_counts_for_the_official_and_not_for_the_recipient(make: Make) -> None:
    owner = make(disclosure(valid=Period(disclosure().valid.since, disclosure().valid.since)))
    with pytest.raises(Refused, match="not in force"):
        await preview(owner)
    (decided,) = owner.log.records
    assert decided.body["adl.core.request"]["subject"]["id"] == "p-owner"


async def test_under_a_contract_that_does_not_cover_it_nothing_is_shown(make: Make) -> None:
    owner = make(disclosure(), contracts=True)
    with pytest.raises(Refused, match="contract"):
        await preview(owner)
    purposes: Iterable[Purpose] = [Covering()]  # type: ignore[list-item]
    assert (await preview(owner, purposes=purposes)).count == 1


class Covering:
    """A contract that covers everything."""

    def covers(self, activity: str, disclosure: str, digest: str) -> bool:
        return activity == ACTIVITY


async def test_what_is_under_secrecy_is_not_shown_and_that_somebody_looked_is_on_record(make: Make) -> None:
    owner = make(disclosure("jobs"))
    secrecy = [("persons", "secret")]
    assert (await preview(owner, ANN, "d-jobs", secrecy=secrecy)).count == 2
    owner.log.records.clear()
    with pytest.raises(Refused, match="secrecy"):
        await preview(owner, CIM, "d-jobs", secrecy=secrecy)
    assert owner.log.subjects() == [CIM]


async def test_the_counting_of_the_owner_is_not_kept_for_others(make: Make) -> None:
    owner = make(disclosure(rows="secret = 0", columns=SEEN))
    sql = 'SELECT d."bsn" AS "bsn" FROM "persons" AS d WHERE d."bsn" = ANY($sleutel)'
    await preview(owner, CIM)
    answered = await owner.ask(
        sql, disclosures=owner.question(" persons").disclosures, keys={"sleutel": KeyList("VARCHAR", [CIM])}
    )
    assert answered.rows == []


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"aggregate": Aggregate(10)}, "preview-groups"),
        ({"columns": {"bsn": "join"}}, "preview-nothing"),
        ({"columns": {"name": "output"}}, "column-closed"),
    ],
)
async def test_where_nothing_of_a_person_can_be_asked_nothing_is_read(
    make: Make, changed: dict[str, Any], rule: str
) -> None:
    owner = make(disclosure(**changed))
    with pytest.raises(Refused) as caught:
        await preview(owner)
    assert caught.value.rule == rule
    assert owner.log.subjects() == []


async def test_what_is_not_there_is_said(make: Make, tmp_path: Path) -> None:
    owner = make(disclosure("cities"), disclosure())
    with pytest.raises(NotFound):
        await preview(owner, name="nothing")
    with pytest.raises(Refused, match="not about persons"):
        await preview(owner, name="d-cities")
    (tmp_path / "people.sqlite").unlink()
    (tmp_path / "people.sqlite").write_bytes(b"x" * 4096)
    with pytest.raises(Upstream):
        await preview(owner)


async def test_a_number_where_the_data_has_numbers(make: Make) -> None:
    dataset = msgspec.structs.replace(WORK, subject=msgspec.structs.replace(WORK.subject, column="id"))  # type: ignore[type-var]
    owner = make(disclosure("jobs", columns=OPEN_ALL["jobs"]), datasets=(dataset,))
    assert [row["job"] for row in (await preview(owner, "1", "d-jobs")).rows] == ["Bakker"]
    with pytest.raises(Invalid):
        await preview(owner, "één", "d-jobs")
