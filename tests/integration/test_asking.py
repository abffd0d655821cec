"""One question over two owners, from the official's side to both ledgers, in one process and without sockets."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from tests.federation import ASKER, Federation, OwnerSetup

from sluis.grounds import Activity, Article, Closed, Column, Dataset, Disclosure, Subject
from sluis.kernel import (
    ACR,
    Acting,
    Invalid,
    Oin,
    PeerId,
    Period,
    Problem,
    Refused,
    Text,
    Unkept,
    Upstream,
    encode,
)
from sluis.ledger import Decision, Processing
from sluis.policy import open_versions, replay
from sluis.query import Question, Who
from sluis.query.http import as_document
from sluis.serve import published
from sluis.statement import MEDIA_TYPE, AnswerReader, Charge
from sluis.store import Store

BENEFIT = "https://sluiswijk.example/verwerkingen/bijstand"
LAW = Article("Participatiewet", "64", "BWBR0015703")
RVIG, TAX = PeerId("00000009900000000001"), PeerId("00000009900000000002")
ONE, TWO, SECRET, ABSENT = "999990019", "999990020", "999990032", "999990044"


def both(text: str) -> Text:
    return Text(text, text)


def records_of(store: Store, trace_id: str | None = None) -> list[Processing | Decision]:
    """What stands in a node's ledger, all of it or one trace; read from the table itself."""
    with store.read() as connection:
        rows = connection.exec_driver_sql("select salted from ledger_records order by idx").scalars().all()
    found = [
        msgspec.json.decode(raw[16:], type=Processing | Decision)
        for raw in rows
        if b'"kind":"epoch"' not in raw
    ]
    return [record for record in found if trace_id in (None, record.trace_id)]


def disclosure(dataset: str, columns: dict[str, Any], **more: Any) -> Disclosure:
    return Disclosure(
        id=dataset, version=1, dataset=dataset, recipient=ASKER, activity=BENEFIT, columns=columns, articles=(LAW,),
        ground="public-task", controller=Oin(ASKER), valid=Period(date(2026, 1, 1), date(2026, 12, 31)), **more,
    )  # fmt: skip


ACTIVITY = Activity(
    BENEFIT,
    both("Bijstand"),
    both("Bijstand vaststellen"),
    Oin(ASKER),
    "public-task",
    (LAW,),
    Period(date(2026, 1, 1)),
)
PERSONS = Dataset(
    "personen", both("Personen"), "db", "personen",
    (Column("bsn", "VARCHAR"), Column("naam", "VARCHAR"), Column("partner", "VARCHAR"), Column("geheim", "BOOLEAN")),
    subject=Subject("bsn", "BSN"), key=("bsn",), rows=1000,
)  # fmt: skip
INCOME = Dataset(
    "inkomen", both("Inkomen"), "db", "inkomen",
    (Column("bsn", "VARCHAR"), Column("jaar", "BIGINT"), Column("bedrag", "BIGINT")),
    subject=Subject("bsn", "BSN"), rows=1000,
)  # fmt: skip


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    running = two_owners(tmp_path)
    yield running
    running.close()


def two_owners(tmp_path: Path, own: dict[str, str] | None = None, **income_only: Any) -> Federation:
    for name in ("rvig", "bd", "asker"):
        (tmp_path / name).mkdir()
    with sqlite3.connect(tmp_path / "rvig.db") as database:
        database.execute(
            "create table personen (bsn text primary key, naam text, partner text, geheim boolean)"
        )
        rows = [
            (ONE, "Fictief Een", TWO, 0),
            (TWO, "Fictief Twee", ONE, 0),
            (SECRET, "Fictief Geheim", None, 1),
        ]
        database.executemany("insert into personen values (?, ?, ?, ?)", rows)
    database.close()
    with sqlite3.connect(tmp_path / "bd.db") as database:
        database.execute("create table inkomen (bsn text, jaar int, bedrag int)")
        database.executemany(
            "insert into inkomen values (?, ?, ?)", [(ONE, 2025, 100), (TWO, 2025, 200), (TWO, 2024, 150)]
        )
    database.close()
    persons = disclosure(
        "personen", {"bsn": "output", "naam": "output", "partner": "join"}, rows="not geheim",
        masks={"naam": "left(naam, 9)"}, max_subjects=2,
        closed=(Closed(("geheim",), both("Alleen voor de gemeente zelf."), LAW),),
    )  # fmt: skip
    income = disclosure("inkomen", {"bsn": "output", "jaar": "output", "bedrag": "output"}, **income_only)
    return Federation(
        tmp_path,
        [
            OwnerSetup("rvig", RVIG, {"db": f"sqlite:///{tmp_path / 'rvig.db'}"}, [PERSONS], [persons]),
            OwnerSetup("bd", TAX, {"db": f"sqlite:///{tmp_path / 'bd.db'}"}, [INCOME], [income]),
        ],
        [ACTIVITY],
        own=own,
    )


JOINED = (
    "select p.naam, i.bedrag from rvig.personen p join bd.inkomen i on i.bsn = p.bsn "
    "where p.bsn = $bsn and i.jaar = 2025"
)
PARTNER = (
    "select p.naam, i.jaar, i.bedrag from rvig.personen p left join bd.inkomen i on i.bsn = p.partner "
    "where p.bsn = $bsn order by i.jaar"
)


async def test_an_answer_nobody_waits_for_is_checked_when_everyone_is_asked(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    finish = AnswerReader.finish

    def finished(reader: AnswerReader, public: bytes) -> Any:
        asked.append(len(federation.link.sent))
        return finish(reader, public)

    monkeypatch.setattr(AnswerReader, "finish", finished)
    sql = (
        "select p.naam, i.bedrag, j.bedrag as eigen from rvig.personen p join bd.inkomen i on i.bsn = p.partner "
        "cross join (select max(bedrag) as bedrag from bd.inkomen where bsn = $bsn) j where p.bsn = $bsn"
    )
    await federation.ask(sql, BENEFIT, bsn=ONE)
    assert asked == [2, 3, 3]


async def test_one_person_over_two_owners(federation: Federation) -> None:
    answer = await federation.ask(JOINED, BENEFIT, bsn=ONE)
    assert answer.table.to_pylist() == [{"naam": "Fictief E", "bedrag": 100}]
    assert sorted(one.owner for one in answer.consulted) == ["bd", "rvig"]


async def test_the_answer_says_where_it_came_from_and_what_stays_closed(federation: Federation) -> None:
    answer = await federation.ask(JOINED, BENEFIT, bsn=ONE)
    [name, amount] = answer.provenance
    assert [(one.owner, one.column, one.masked) for one in name.origins] == [
        ("rvig", "naam", "left(naam, 9)")
    ]
    assert [(one.owner, one.column) for one in amount.origins] == [("bd", "bedrag")]
    assert {(one.what, one.columns) for one in answer.closed} == {
        ("columns", ("geheim",)), ("rows", ()), ("values", ("naam",)),
    }  # fmt: skip


def described(method: str, path: str) -> Draft202012Validator:
    """The published schema of what a route answers."""
    document = published().document()
    schema = document["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": document["components"]})


def test_offers_and_activities_are_as_the_published_document_says(federation: Federation) -> None:
    offers = federation.parties[TAX].discloser.offers(ASKER)
    assert offers
    assert list(described("get", "/offers").iter_errors(msgspec.json.decode(encode(list(offers))))) == []
    activities = msgspec.json.decode(encode([ACTIVITY]))
    assert list(described("get", "/activities").iter_errors(activities)) == []


async def test_an_answer_is_as_the_published_document_says(federation: Federation) -> None:
    answer = await federation.ask(JOINED, BENEFIT, bsn=ONE)
    document = msgspec.json.decode(encode(as_document(answer)))
    assert list(described("post", "/questions").iter_errors(document)) == []


def test_an_answer_is_published_in_both_its_forms() -> None:
    answered = published().document()["paths"]["/questions"]["post"]["responses"]["200"]
    assert set(answered["content"]) == {"application/json", MEDIA_TYPE}


async def test_a_key_the_asker_may_not_see_joins_all_the_same(federation: Federation) -> None:
    answer = await federation.ask(PARTNER, BENEFIT, bsn=ONE)
    assert [(row["jaar"], row["bedrag"]) for row in answer.table.to_pylist()] == [(2024, 150), (2025, 200)]
    for _, sent in federation.link.sent:
        assert TWO not in encode(sent).decode()


async def test_a_hidden_row_and_an_absent_one_read_the_same(federation: Federation) -> None:
    hidden = await federation.ask(PARTNER, BENEFIT, bsn=SECRET)
    absent = await federation.ask(PARTNER, BENEFIT, bsn=ABSENT)
    assert hidden.table.equals(absent.table)
    same = ("rows", "subjects", "columns", "disclosures", "activity")
    for one, other in zip(hidden.consulted, absent.consulted, strict=True):
        assert [getattr(one.receipt, name) for name in same] == [
            getattr(other.receipt, name) for name in same
        ]


async def test_every_consultation_stands_on_both_sides_under_one_trace(federation: Federation) -> None:
    answer = await federation.ask(JOINED, BENEFIT, bsn=ONE)
    for store in [federation.store, *(party.store for party in federation.parties.values())]:
        records = records_of(store, answer.trace_id)
        subjects = {
            record.attributes.get("dpl.core.data_subject_id")
            for record in records
            if isinstance(record, Processing)
        }
        assert any(isinstance(record, Decision) for record in records)
        assert len(subjects - {None}) == 1
        assert ONE not in str(records)


async def test_the_officials_name_is_in_no_processing_record(federation: Federation) -> None:
    answer = await federation.ask(JOINED, BENEFIT, bsn=ONE)
    for store in [federation.store, *(party.store for party in federation.parties.values())]:
        processing = [one for one in records_of(store, answer.trace_id) if isinstance(one, Processing)]
        assert "ambtenaar-fictief" not in str(processing)


@pytest.mark.parametrize(
    ("sql", "kind", "code"),
    [
        ("select naam from rvig.personen where bsn = $bsn; select 1", Invalid, "one-statement"),
        ("delete from rvig.personen", Invalid, "only-select"),
        ("select naam from rvig.persoon where bsn = $bsn", Invalid, "unknown-dataset"),
        ("select naam from rvgi.personen where bsn = $bsn", Invalid, "unknown-owner"),
        ("select naamm from rvig.personen where bsn = $bsn", Invalid, "unknown-column"),
        ("select naam from rvig.personen where bsn <> $bsn", Refused, "subject-required"),
        ("select naam from rvig.personen where bsn = $bsn or true", Refused, "subject-required"),
        ("select geheim from rvig.personen where bsn = $bsn", Refused, "column-closed"),
        ("select partner from rvig.personen where bsn = $bsn", Refused, "column-join-only"),
        (
            "select naam from rvig.personen where bsn in ($bsn, '999990020', '999990032')",
            Refused,
            "too-many-subjects",
        ),
        ("select 1 where $bsn = '1'", Invalid, "no-dataset"),
    ],
)
async def test_what_is_not_right_reaches_no_owner(
    federation: Federation, sql: str, kind: type[Problem], code: str
) -> None:
    with pytest.raises(kind) as caught:
        await federation.ask(sql, BENEFIT, bsn=ONE)
    assert caught.value.code == code
    assert federation.link.sent == []


async def test_a_refusal_is_recorded(federation: Federation) -> None:
    with pytest.raises(Refused):
        await federation.ask("select geheim from rvig.personen where bsn = $bsn", BENEFIT, bsn=ONE)
    [record] = records_of(federation.store)
    assert record.body["adl.core.response"] == {
        "decision": False,
        "context": {
            "reason": "column-closed", "rule": "column-closed", "legal": str(LAW),
            "decided": {"decision": True, "context": {"rule": "standard-ask", "policies": ["standard-ask"]}},
        },
    }  # fmt: skip


async def test_an_unknown_activity_is_told_with_the_nearest(federation: Federation) -> None:
    with pytest.raises(Invalid) as caught:
        await federation.ask(JOINED, BENEFIT.replace("bijstand", "bijstnad"), bsn=ONE)
    assert caught.value.code == "unknown-activity"


async def test_an_expired_disclosure_opens_nothing(federation: Federation) -> None:
    federation.moment += timedelta(days=365)
    with pytest.raises(Problem):
        await federation.ask(JOINED, BENEFIT, bsn=ONE)
    assert federation.link.sent == []


ENFORCERS = """
@id("enforcers-only")
@nl("Alleen handhavers.")
@en("Enforcers only.")
forbid (principal is person, action == Action::"ask", resource) unless { principal.roles.contains("handhaver") };
"""


async def test_an_own_policy_says_who_may_ask_and_what_it_refused_is_on_record_and_not_sent(
    tmp_path: Path,
) -> None:
    with closing(two_owners(tmp_path, own={"own.cedar": ENFORCERS})) as federation:
        with pytest.raises(Refused) as caught:
            await federation.ask(JOINED, BENEFIT, bsn=ONE)
        assert (caught.value.code, caught.value.rule, str(caught.value.why)) == (
            "may-not-ask",
            "enforcers-only",
            "Enforcers only.",
        )
        assert federation.link.sent == []
        [record] = records_of(federation.store)
        assert isinstance(record, Decision)
        assert record.body["adl.core.response"]["decision"] is False
        enforcer = Who(Acting("ambtenaar-fictief"), "local", roles=("handhaver",))
        answer = await federation.asker.ask(Question(JOINED, BENEFIT, "ZAAK-1", {"bsn": ONE}), enforcer)
        assert answer.table.num_rows == 1


async def test_every_decision_of_a_run_follows_again_from_its_record(tmp_path: Path) -> None:
    """At the asker and at both owners: what was permitted, what was refused, and what a limit held back."""
    with closing(
        two_owners(tmp_path, own={"own.cedar": ENFORCERS}, minimum_level="substantial")
    ) as federation:
        people = (
            Who(Acting("een-fictief"), "local"),
            Who(Acting("twee-fictief"), "local", roles=("handhaver",)),
            Who(Acting("drie-fictief"), ACR["high"], "high", ("handhaver", "lezer")),
        )
        questions: tuple[tuple[str, dict[str, Any]], ...] = (
            (JOINED, {"bsn": ONE}),
            ("select naam from rvig.personen where bsn = $bsn", {"bsn": TWO}),
            ("select geheim from rvig.personen where bsn = $bsn", {"bsn": ONE}),  # closed
            ("select naam from rvig.personen where bsn = any($all)", {"all": [ONE, TWO, SECRET]}),  # too many
        )
        for who, (sql, values) in product(people, questions):
            with suppress(Problem):
                await federation.asker.ask(Question(sql, BENEFIT, "ZAAK-1", values), who)
        sides = [(federation.store, federation.point)]
        sides += [(party.store, party.point) for party in federation.parties.values()]
        outcomes = set()
        for store, point in sides:
            versions = open_versions(store)
            versions.keep(point.engine.policies, federation.moment)
            decisions = [one for one in records_of(store) if isinstance(one, Decision)]
            assert decisions
            for one in decisions:
                again = replay(one, versions)
                assert again.same, one
                response = one.body["adl.core.response"]
                outcomes.add((response["decision"], response["context"]["rule"], again.again["decision"]))
        assert outcomes == {
            (True, "standard-ask", True), (False, "enforcers-only", False), (False, "column-closed", True),
            (True, "disclosed", True), (False, "sign-in-too-weak", False), (False, "max-subjects", True),
        }  # fmt: skip


async def test_explaining_asks_nobody(federation: Federation) -> None:
    told = await federation.explain(PARTNER, BENEFIT, bsn=ONE)
    assert [part.owner for part in told.parts] == ["rvig", "bd"]
    assert told.parts[1].keys_from == ("rvig (sealed)",)
    assert federation.link.sent == []
    assert ONE not in str(told)


async def test_explaining_says_which_level_an_owner_asks_and_asking_below_it_says_so_too(
    tmp_path: Path,
) -> None:
    with closing(two_owners(tmp_path, minimum_level="substantial")) as federation:
        sql = "select bsn from bd.inkomen where bsn = $bsn"
        told = await federation.explain(sql, BENEFIT, bsn=ONE)
        assert [part.level for part in told.parts] == ["substantial"]
        with pytest.raises(Refused) as caught:
            await federation.ask(sql, BENEFIT, bsn=ONE)
        assert (caught.value.rule, caught.value.level) == ("sign-in-too-weak", "substantial")
        signed_in = Who(Acting("ambtenaar-fictief"), "urn:voorbeeld:twee-factoren", "substantial")
        answer = await federation.asker.ask(Question(sql, BENEFIT, "ZAAK-1", {"bsn": ONE}), signed_in)
        assert answer.table.num_rows == 1


async def test_an_owner_that_is_down_gives_no_answer_by_default(federation: Federation) -> None:
    federation.link.down.add(TAX)
    with pytest.raises(Upstream) as caught:
        await federation.ask(JOINED, BENEFIT, bsn=ONE)
    assert caught.value.retry


async def test_an_owner_that_is_down_is_missing_from_a_partial_answer(federation: Federation) -> None:
    federation.link.down.add(TAX)
    answer = await federation.ask(JOINED, BENEFIT, partial="flagged", bsn=ONE)
    assert answer.table.to_pylist() == [{"naam": "Fictief E", "bedrag": None}]
    assert [one.owner for one in answer.missing] == ["bd"]


async def test_explaining_a_partial_question_tells_the_rest_and_who_did_not_say_what_it_opens(
    federation: Federation,
) -> None:
    federation.link.down.add(TAX)
    told = await federation.explain(JOINED, BENEFIT, partial="flagged", bsn=ONE)
    assert [part.owner for part in told.parts] == ["rvig"]
    assert [(one.owner, one.problem["code"]) for one in told.missing] == [("bd", "unreachable")]
    with pytest.raises(Upstream):
        await federation.explain(JOINED, BENEFIT, bsn=ONE)


async def test_explaining_waits_no_longer_than_it_is_told_to(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs, known = asyncio.Event(), federation.asker._owners.known

    async def slowly(alias: str) -> Any:
        if alias == "bd":
            await hangs.wait()
        return await known(alias)

    monkeypatch.setattr(federation.asker._owners, "known", slowly)
    question = Question(JOINED, BENEFIT, "ZAAK-1", {"bsn": ONE}, "flagged")
    told = await federation.asker.explain(question, 0.2)
    assert [(one.owner, one.problem["code"]) for one in told.missing] == [("bd", "owner-slow")]
    with pytest.raises(Upstream) as caught:
        await federation.asker.explain(msgspec.structs.replace(question, partial="never"), 0.2)
    assert caught.value.code == "owner-slow"
    hangs.set()
    assert (await federation.asker.explain(question)).missing == ()


YEAR = (
    "select p.naam, i.bedrag from rvig.personen p left join bd.inkomen i on i.bsn = p.bsn and i.jaar = $jaar "
    "where p.bsn = $bsn"
)


async def test_a_value_that_only_a_missing_owner_uses_falls_away_with_it(federation: Federation) -> None:
    federation.link.down.add(TAX)
    needs = await federation.asker.needs(Question(YEAR, BENEFIT, "ZAAK-1", partial="flagged"))
    assert needs.types == {"jaar": "VARCHAR", "bsn": "VARCHAR"}
    answer = await federation.ask(YEAR, BENEFIT, partial="flagged", bsn=ONE, jaar=2025)
    assert answer.table.to_pylist() == [{"naam": "Fictief E", "bedrag": None}]
    with pytest.raises(Invalid) as caught:
        await federation.ask(YEAR, BENEFIT, partial="flagged", bsn=ONE, jaar=2025, maand=1)
    assert caught.value.code == "unknown-parameter"


async def test_who_falls_away_together_with_a_missing_owner_is_said_to_be_missing_too(
    federation: Federation,
) -> None:
    sql = (
        "select i.bedrag, p.naam, a.bedrag as van_partner from bd.inkomen i left join rvig.personen p on p.bsn = i.bsn "
        "left join bd.inkomen a on a.bsn = p.partner where i.bsn = $bsn"
    )
    federation.link.down.add(RVIG)
    answer = await federation.ask(sql, BENEFIT, partial="flagged", bsn=ONE)
    assert answer.table.to_pylist() == [{"bedrag": 100, "naam": None, "van_partner": None}]
    assert [(one.owner, one.problem["code"]) for one in answer.missing] == [
        ("rvig", "unreachable"),
        ("bd", "owner-not-asked"),
    ]
    told = await federation.explain(sql, BENEFIT, partial="flagged", bsn=ONE)
    assert [one.owner for one in told.missing] == ["rvig", "bd"]


async def test_nothing_is_sent_when_the_question_cannot_be_recorded(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    await federation.explain(JOINED, BENEFIT, bsn=ONE)

    async def full(records: Any) -> Any:
        raise Unkept("disk-full", both("Vol."), both("Vol."), both("Maak ruimte."))

    monkeypatch.setattr(federation.ledger, "append", lambda records: asyncio.ensure_future(full(records)))
    with pytest.raises(Unkept):
        await federation.ask(JOINED, BENEFIT, bsn=ONE)
    assert federation.link.sent == []


async def test_nothing_is_sent_before_the_question_is_durable_nor_shown_before_its_people_are(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    await federation.explain(JOINED, BENEFIT, bsn=ONE)
    append, disk = federation.ledger.append, [asyncio.Event(), asyncio.Event()]
    waiting, written = iter(disk), asyncio.Event()

    async def slow(records: Any) -> Any:
        mine = next(waiting)
        if mine is disk[1]:
            written.set()
        await mine.wait()
        return await append(records)

    monkeypatch.setattr(federation.ledger, "append", lambda records: asyncio.ensure_future(slow(records)))
    asked = asyncio.create_task(federation.ask(JOINED, BENEFIT, bsn=ONE))
    await asyncio.sleep(0.1)
    assert (federation.link.sent, asked.done()) == ([], False)
    disk[0].set()
    await written.wait()  # the lines: all owners have answered
    await asyncio.sleep(0.2)
    assert (len(federation.link.sent), asked.done()) == (2, False)
    disk[1].set()
    assert (await asked).table.num_rows == 1


async def test_nothing_leaves_an_owner_that_cannot_record(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(records: Any) -> Any:
        raise Unkept("disk-full", both("Vol."), both("Vol."), both("Maak ruimte."))

    monkeypatch.setattr(federation.parties[RVIG].ledger, "append", full)
    with pytest.raises(Problem):
        await federation.ask("select naam from rvig.personen where bsn = $bsn", BENEFIT, bsn=ONE)


async def test_many_officials_ask_at_once(federation: Federation) -> None:
    answers = await asyncio.gather(
        *(federation.ask(JOINED, BENEFIT, bsn=[ONE, TWO][n % 2]) for n in range(40))
    )
    assert [one.table.column("bedrag").to_pylist() for one in answers] == [
        [[100], [200]][n % 2] for n in range(40)
    ]
    assert len({one.trace_id for one in answers}) == 40


async def test_an_owner_that_charges_another_sum_than_its_terms_is_not_believed(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluis.disclose.answer.charge_for", lambda prices, subjects: Charge(1, subjects))
    with pytest.raises(Upstream):
        await federation.ask(JOINED, BENEFIT, bsn=ONE)
