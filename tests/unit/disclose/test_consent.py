"""A disclosure that rests on consent opens a row only while the person it is about consents; every other row reads as one
that is not there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.disclose.owner import (
    ACTIVITY,
    ANN,
    ASKER,
    BOB,
    CIM,
    DEE,
    JOBS,
    NOBODY,
    NOW,
    OTHER,
    PEOPLE,
    PERSONS,
    Owner,
    disclosure,
    fill,
)
from tests.unit.disclose.test_hidden import QUESTIONS, seen

from sluis.disclose import Bounds
from sluis.grounds.consents import Consent
from sluis.grounds.consents.rules import opens
from sluis.kernel import Invalid, PeerId, Refused
from sluis.statement import KeyList

TODAY = NOW.date()
EVERY = tuple(column.name for column in PERSONS.columns if column.name != "bsn")
BY_KEY = "SELECT p.name AS name FROM persons AS p WHERE p.bsn = ANY($k)"


class Given:
    """Consents without a database; the rules are those of the product."""

    def __init__(self, *consents: Consent) -> None:
        self.consents = list(consents)

    def opens(
        self, whom: tuple[str, str], recipient: PeerId, activity: str, dataset: str, columns: Collection[str]
    ) -> bool:
        wanted = ("|".join(whom), recipient, activity)
        of = [one for one in self.consents if (one.subject, one.recipient, one.activity) == wanted]
        return opens(of, dataset, columns, TODAY)

    def changed(self) -> int:
        return len(self.consents)


def consent(bsn: str, columns: tuple[str, ...] = EVERY, **changed: Any) -> Consent:
    told: dict[str, Any] = {
        "id": "a" * 32, "subject": f"BSN|{bsn}", "kind": "BSN", "recipient": ASKER, "activity": ACTIVITY,
        "datasets": {"persons": columns}, "since": TODAY, "until": TODAY, "given": 0,
    }  # fmt: skip
    return Consent(**{**told, **changed})


def owner_of(path: Path, *consents: Consent, **more: Any) -> Owner:
    disclosures = disclosure(ground="consent"), disclosure("jobs")
    return Owner(path, *disclosures, consents=Given(*consents), **more)


async def test_only_who_consented_is_shown(tmp_path: Path) -> None:
    owner = owner_of(tmp_path, consent(ANN))
    answered = await owner.ask(BY_KEY, [ANN, BOB, NOBODY])
    assert answered.rows == [("Ann",)]
    assert answered.closing.receipt.subjects == 3
    assert sorted(owner.log.subjects()) == sorted([ANN, BOB, NOBODY])  # whom it was about is on record


@pytest.mark.parametrize(
    "changed",
    [
        {"recipient": OTHER}, {"activity": "urn:other"}, {"datasets": {"jobs": EVERY}}, {"columns": ("age",)},
        {"revoked": 1}, {"until": TODAY - timedelta(1)}, {"since": TODAY + timedelta(1), "until": TODAY + timedelta(9)},
    ],
)  # fmt: skip
async def test_a_consent_that_does_not_cover_the_question_opens_nothing(
    tmp_path: Path, changed: dict[str, Any]
) -> None:
    assert (await owner_of(tmp_path, consent(ANN, **changed)).ask(BY_KEY, [ANN])).rows == []


async def test_a_column_that_is_only_looked_at_needs_consent_too(tmp_path: Path) -> None:
    owner = owner_of(tmp_path, consent(ANN, ("name",)))
    assert (await owner.ask(BY_KEY, [ANN])).rows == [("Ann",)]
    assert (await owner.ask(f"{BY_KEY} AND p.age = 30", [ANN])).rows == []


async def test_what_was_revoked_is_closed_at_the_next_question(tmp_path: Path) -> None:
    owner, question = owner_of(tmp_path), {"people": [ANN]}
    consents: Any = owner.discloser._consents
    consents.consents.append(consent(ANN))
    assert (await owner.ask(BY_KEY, **question)).rows == [("Ann",)]
    consents.consents.clear()
    assert (await owner.ask(BY_KEY, **question)).rows == []


async def test_without_anybodys_consents_nothing_is_open(tmp_path: Path) -> None:
    owner = Owner(tmp_path, disclosure(ground="consent"))
    assert (await owner.ask(BY_KEY, [ANN])).rows == []


async def test_what_the_law_opens_needs_no_consent_and_loses_nothing_by_its_absence(tmp_path: Path) -> None:
    sql = "SELECT j.job AS job, p.name AS name FROM jobs AS j LEFT JOIN persons AS p ON p.bsn = j.bsn WHERE j.bsn = ANY($k)"
    owner = owner_of(tmp_path, consent(BOB))
    answered = await owner.ask(sql, [ANN, BOB])
    assert sorted(answered.rows, key=repr) == [("Bakker", None), ("Kok", None), ("Smid", "Bob")]


async def test_who_it_is_about_must_be_named_whatever_the_disclosure_says(tmp_path: Path) -> None:
    owner = Owner(
        tmp_path, disclosure(ground="consent", subject_required=False), consents=Given(consent(ANN))
    )
    with pytest.raises(Refused) as caught:
        await owner.ask("SELECT p.name AS name FROM persons AS p")
    assert caught.value.rule == "subject-required"


async def test_the_list_of_who_consented_cannot_come_from_the_asker(tmp_path: Path) -> None:
    owner = owner_of(tmp_path)
    sql = "SELECT p.name AS name FROM persons AS p WHERE p.bsn = $sluis_consented_persons"
    with pytest.raises(Invalid):
        await owner.ask(sql, parameters={"sluis_consented_persons": ANN})


async def test_a_broken_value_of_who_did_not_consent_breaks_no_answer(tmp_path: Path) -> None:
    fill(tmp_path / "people.sqlite", [*PEOPLE[1:], (ANN, "Ann", "1000AA", "old", 1, 0, "Zwolle", 1)], JOBS)
    owner = owner_of(tmp_path, consent(BOB))
    sql = "SELECT p.age AS age FROM persons AS p WHERE p.bsn = ANY($k)"
    assert (await owner.ask(sql, [ANN, BOB])).rows == [(40,)]


@pytest.mark.parametrize("sql", QUESTIONS)
async def test_who_did_not_consent_reads_as_who_is_not_there(tmp_path: Path, sql: str) -> None:
    folders = tmp_path / "closed", tmp_path / "absent"
    for folder, people in zip(folders, (PEOPLE, [one for one in PEOPLE if one[0] != CIM]), strict=True):
        folder.mkdir()
        fill(folder / "people.sqlite", people, JOBS)
    given = [consent(one) for one in (ANN, BOB, DEE)]
    closed, absent = (owner_of(folder, *given) for folder in folders)
    for keys in ([CIM], [CIM, ANN], [CIM, ANN, BOB, NOBODY]):
        assert await seen(closed, sql, keys) == await seen(absent, sql, keys)


# ---- against a reference

_FORMS: list[tuple[str, frozenset[str]]] = [
    ("SELECT p.bsn AS a, p.{one} AS b FROM persons AS p WHERE p.bsn = ANY($k)", frozenset()),
    ("SELECT p.{one} AS a FROM persons AS p WHERE p.bsn = ANY($k) AND p.{two} IS NOT NULL", frozenset()),
    ("SELECT count(*) AS n, max(p.{one}) AS m FROM persons AS p WHERE p.bsn = ANY($k)", frozenset()),
    ("SELECT DISTINCT p.city AS a, p.{one} AS b FROM persons AS p WHERE p.bsn = ANY($k)", frozenset({"city"})),
    ("SELECT j.job AS a, p.{one} AS b FROM jobs AS j LEFT JOIN persons AS p ON p.bsn = j.bsn WHERE j.bsn = ANY($k)",
     frozenset()),
    ("SELECT j.job AS a FROM jobs AS j WHERE j.bsn = ANY($k)"
     " AND NOT EXISTS (SELECT 1 AS y FROM persons AS p WHERE p.bsn = j.bsn AND p.bsn = ANY($k) AND p.{one} IS NOT NULL)",
     frozenset()),
    ("SELECT x.b AS b FROM (SELECT p.{one} AS b, p.bsn AS k FROM persons AS p WHERE p.bsn = ANY($k)) AS x", frozenset()),
    ("SELECT p.{one} AS a FROM persons AS p WHERE p.bsn = ANY($k) UNION ALL SELECT j.job AS a FROM jobs AS j WHERE j.bsn = ANY($k)",
     frozenset()),
]  # fmt: skip
_SHOWN = ("name", "city", "postcode")


@st.composite
def _questions(draw: st.DrawFn) -> tuple[str, frozenset[str]]:
    form, more = draw(st.sampled_from(_FORMS))
    one, two = draw(st.sampled_from(_SHOWN)), draw(st.sampled_from(_SHOWN))
    return form.format(one=one, two=two), more | {one} | ({two} if "{two}" in form else frozenset())


_CONSENTS = st.lists(
    st.builds(
        consent,
        st.sampled_from([ANN, BOB, CIM, DEE]),
        st.lists(st.sampled_from(_SHOWN), unique=True, min_size=1).map(tuple),
        recipient=st.sampled_from([ASKER, ASKER, ASKER, OTHER]),
        activity=st.sampled_from([ACTIVITY, ACTIVITY, ACTIVITY, "urn:other"]),
        since=st.dates(TODAY - timedelta(2), TODAY + timedelta(1)),
        until=st.dates(TODAY - timedelta(1), TODAY + timedelta(2)),
        revoked=st.sampled_from([None, None, None, 1]),
    ),
    max_size=6,
)


def consented(consents: list[Consent], bsn: str, used: frozenset[str]) -> bool:
    """The reference: said once more, in other words."""
    left = set(used)
    any_holds = False
    for one in consents:
        mine = one.subject == f"BSN|{bsn}" and one.recipient == ASKER and one.activity == ACTIVITY
        if mine and not one.revoked and one.since <= TODAY <= one.until:
            any_holds = True
            left -= set(one.datasets["persons"])
    return any_holds and not left


@given(
    question=_questions(), consents=_CONSENTS, keys=st.lists(st.sampled_from([ANN, BOB, CIM, DEE, NOBODY]))
)
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_no_row_of_a_person_without_consent_ever_leaves(
    reference_owner: Callable[..., Owner],
    question: tuple[str, frozenset[str]],
    consents: list[Consent],
    keys: list[str],
) -> None:
    sql, used = question
    owner = reference_owner(*consents)
    answered = await owner.ask(sql, keys)
    connection = duckdb.connect()
    columns = ", ".join(f"{column.name} {column.type}" for column in PERSONS.columns)
    connection.execute(f"CREATE TABLE persons ({columns})")
    connection.execute("CREATE TABLE jobs (id BIGINT, bsn VARCHAR, job VARCHAR, wage BIGINT)")
    shown = [one for one in PEOPLE if consented(consents, one[0], used)]
    for table, rows in (("persons", shown), ("jobs", JOBS)):
        for row in rows:
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    expected = connection.execute(sql, {"k": keys}).fetchall()
    assert sorted(answered.rows, key=repr) == sorted(expected, key=repr)


@pytest.fixture
def reference_owner(tmp_path: Path) -> Callable[..., Owner]:
    owner = owner_of(tmp_path)

    def given(*consents: Consent) -> Owner:
        kept: Any = owner.discloser._consents
        kept.consents[:] = consents
        return owner

    return given


# While an answer is under way


async def under_way(owner: Owner) -> AsyncIterator[bytes]:
    """The bytes of an answer about three people, one to a chunk."""
    question = owner.question(BY_KEY, keys={"k": KeyList("VARCHAR", [ANN, BOB, CIM])})
    return (await owner.consult(question)).body


def of_three(path: Path) -> tuple[Owner, Given]:
    owner = owner_of(path, consent(ANN), consent(BOB), consent(CIM), bounds=Bounds(batch_rows=1))
    consents: Any = owner.discloser._consents
    return owner, consents


def refusals(owner: Owner) -> list[str]:
    return [one.body["adl.core.response"]["context"]["rule"] for one in owner.log.refusals()]


async def test_nothing_leaves_any_more_once_somebody_took_consent_back(tmp_path: Path) -> None:
    owner, consents = of_three(tmp_path)
    body = await under_way(owner)
    await anext(body)
    consents.consents.pop()
    with pytest.raises(Refused) as caught:
        await anext(body)
    assert (caught.value.rule, caught.value.retry) == ("consent-changed", True)
    assert refusals(owner) == ["consent-changed"]


async def test_what_others_take_back_disturbs_no_answer(tmp_path: Path) -> None:
    owner, consents = of_three(tmp_path)
    consents.consents.append(consent(DEE))
    body = await under_way(owner)
    await anext(body)
    consents.consents.pop()
    assert len([chunk async for chunk in body]) >= 2


async def test_an_asker_that_reads_slowly_is_broken_off_once_consent_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluis.disclose.consenting.LOOK", 0.01)
    owner, consents = of_three(tmp_path)
    got = asyncio.Event()

    async def carry() -> None:
        async for _ in await under_way(owner):
            got.set()
            await asyncio.sleep(3600)  # the asker takes no more

    carrying = asyncio.create_task(carry())
    await got.wait()
    await asyncio.sleep(0.05)
    assert not carrying.done()
    consents.consents.clear()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(carrying), 5)
    await owner.discloser.close()
    assert refusals(owner) == ["consent-changed"]


async def test_consent_that_is_taken_back_while_the_source_reads_opens_nothing(tmp_path: Path) -> None:
    owner, consents = of_three(tmp_path)
    readers: Any = owner.discloser._readers
    pull = readers.pull

    async def slowly(*arguments: Any) -> Any:
        pulled = await pull(*arguments)
        consents.consents.clear()
        return pulled

    readers.pull = slowly
    with pytest.raises(Refused) as caught:
        await under_way(owner)
    assert caught.value.rule == "consent-changed"
