import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from sqlglot import exp
from tests.unit.disclose.owner import (
    ACTIVITY,
    ANN,
    ASKER,
    BOB,
    NOBODY,
    NOW,
    OTHER,
    OWNER,
    Owner,
    disclosure,
    read,
)

from sluis.disclose import Bounds, permit
from sluis.grounds import Article, Filter
from sluis.grounds.model import Withhold
from sluis.kernel import ACR, Conflict, Invalid, Period, Problem, Refused, Text, Unkept, Upstream
from sluis.ledger import Decision, Processing
from sluis.sources import Limits, SourceFailure, TableInfo, open_source
from sluis.statement import Acting, KeyList, Seal

Make = Callable[..., Owner]
BY_KEY = "SELECT p.name AS name FROM persons AS p WHERE p.bsn = ANY($k)"


async def refused(owner: Owner, sql: str, keys: Sequence[str] | None = None, **changed: Any) -> str:
    with pytest.raises(Refused) as caught:
        await owner.ask(sql, keys, **changed)
    assert caught.value.rule is not None
    return caught.value.rule


# ---- decided at the source


async def test_what_is_open_is_answered_with_a_receipt(make: Make) -> None:
    owner = make(disclosure())
    answered = await owner.ask(BY_KEY, [ANN, BOB])
    assert sorted(answered.rows) == [("Ann",), ("Bob",)]
    receipt = answered.closing.receipt
    assert (receipt.owner, receipt.asker, receipt.rows, receipt.subjects) == (OWNER, ASKER, 2, 2)
    assert receipt.columns == {"persons": ("bsn", "name")}
    assert receipt.disclosures["persons"].startswith("d-persons@1 sha256:")


async def test_a_dataset_that_was_not_opened_reads_the_same_as_one_that_does_not_exist(make: Make) -> None:
    owner = make(disclosure())
    texts = set()
    for name in ("jobs", "nothing"):
        with pytest.raises(Refused) as caught:
            await owner.ask(f"SELECT count(*) AS n FROM {name} AS j", disclosures={name: "sha256:0"})
        texts.add(str(caught.value))
    assert len(texts) == 1


async def test_another_peer_gets_nothing(make: Make) -> None:
    owner = make(disclosure())
    with pytest.raises(Refused, match="not been opened"):
        await owner.consult(owner.question(BY_KEY, keys={"k": KeyList("VARCHAR", [ANN])}), OTHER)
    assert owner.discloser.offers(OTHER) == ()


async def test_another_activity_gets_nothing(make: Make) -> None:
    assert (
        await refused(make(disclosure()), BY_KEY, [ANN], activity="https://example.nl/other")
        == "not-disclosed"
    )


async def test_a_disclosure_that_expired_gives_nothing_and_is_not_offered(make: Make) -> None:
    owner = make(disclosure(valid=Period(date(2026, 1, 1), date(2026, 6, 1))))
    question = owner.question(BY_KEY, keys={"k": KeyList("VARCHAR", [ANN])})
    owner.now = NOW + timedelta(days=1)
    with pytest.raises(Refused) as caught:
        await owner.consult(question)
    assert caught.value.rule == "not-valid-today"
    assert owner.discloser.offers(ASKER) == ()


async def test_a_way_of_signing_in_can_be_refused(make: Make) -> None:
    owner = make(disclosure(refuse_acr=("local",)))
    assert await refused(owner, BY_KEY, [ANN]) == "sign-in-refused"
    assert (await owner.ask(BY_KEY, [ANN], acting=Acting("p1", "substantial"))).rows == [("Ann",)]


async def test_an_owner_that_asks_for_a_level_refuses_a_lower_one_and_says_which_it_asks(make: Make) -> None:
    owner = make(disclosure(minimum_level="substantial"))
    for acting in (Acting("p1", "local"), Acting("p1", ACR["low"]), Acting("p1", ACR["low"], "high")):
        with pytest.raises(Refused) as caught:
            await owner.ask(BY_KEY, [ANN], acting=acting)
        assert (caught.value.rule, caught.value.members()["level"]) == ("sign-in-too-weak", "substantial")
    for acting in (Acting("p1", ACR["high"]), Acting("p1", "urn:directory:two-factor", "substantial")):
        assert (await owner.ask(BY_KEY, [ANN], acting=acting)).rows == [("Ann",)]


FORBIDS = """
@id("not-these-people")
@nl("Dit geven wij nu niet.")
@en("We do not give this now.")
forbid (principal, action == Action::"consult", resource == dataset::"own.persons") when { context.case like "X-*" };
"""


async def test_an_owner_may_forbid_what_a_disclosure_opens_by_a_policy_of_its_own(make: Make) -> None:
    owner = make(disclosure(), own={"own.cedar": FORBIDS})
    with pytest.raises(Refused, match="We do not give this now") as caught:
        await owner.ask(BY_KEY, [ANN], case="X-1")
    assert caught.value.rule == "not-these-people"
    assert (await owner.ask(BY_KEY, [ANN])).rows == [("Ann",)]


async def test_every_answer_of_the_decision_point_is_on_record_whatever_became_of_the_question(
    make: Make,
) -> None:
    owner = make(disclosure())
    for sql, changed in ((BY_KEY, {"disclosures": {"persons": "sha256:0"}}), ("SELECT", {})):
        with pytest.raises(Problem):
            await owner.ask(
                sql, [ANN], **{"disclosures": {"persons": owner.discloser.offers(ASKER)[0].digest}, **changed}
            )
    assert [
        one.body["adl.core.response"]["context"]["decided"]["decision"] for one in owner.log.refusals()
    ] == [True, True]


async def test_an_asker_with_another_version_of_the_offer_is_told(make: Make) -> None:
    with pytest.raises(Conflict) as caught:
        await make(disclosure()).ask(BY_KEY, [ANN], disclosures={"persons": "sha256:0"})
    assert caught.value.code == "disclosure-changed"


async def test_the_askers_statement_of_datasets_is_not_believed(make: Make) -> None:
    owner = make(disclosure(), disclosure("jobs"))
    jobs = next(offer.digest for offer in owner.discloser.offers(ASKER) if offer.dataset == "jobs")
    with pytest.raises(Invalid, match="other datasets"):
        await owner.ask(BY_KEY, [ANN], disclosures={"jobs": jobs})


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT p.income AS x FROM persons AS p WHERE p.bsn = ANY($k)",
        "SELECT p.name AS x FROM persons AS p WHERE p.bsn = ANY($k) ORDER BY p.income",
        "SELECT p.name AS x FROM persons AS p WHERE p.bsn = ANY($k) AND p.income > 5",
        "SELECT count(*) AS x FROM persons AS p WHERE p.bsn = ANY($k) GROUP BY p.income",
        "SELECT p.name AS x FROM persons AS p WHERE p.bsn = ANY($k) AND EXISTS (SELECT 1 AS y FROM persons AS q WHERE q.income = 1 AND q.bsn = p.bsn)",
    ],
)  # fmt: skip
async def test_a_closed_column_is_closed_everywhere(make: Make, sql: str) -> None:
    owner = make(disclosure(columns={"bsn": "output", "name": "output"}))
    assert await refused(owner, sql, [ANN]) == "column-closed"


@pytest.mark.parametrize(
    "where",
    ["true", "p.bsn = ANY($k) OR true", "NOT p.bsn = ANY($k)", "p.name = 'Ann'", "p.bsn > '9'"],
)
async def test_the_subject_must_be_bound(make: Make, where: str) -> None:
    keys = [ANN] if "$k" in where else None
    sql = f"SELECT p.name AS name FROM persons AS p WHERE {where}"
    assert await refused(make(disclosure()), sql, keys) == "subject-required"


# ---- limits


async def test_more_people_than_allowed_may_not_be_named(make: Make) -> None:
    owner = make(disclosure(max_subjects=1))
    assert await refused(owner, BY_KEY, [ANN, NOBODY]) == "too-many-subjects"
    assert (await owner.ask(BY_KEY, [ANN, ANN])).rows == [("Ann",)]


async def test_more_people_than_allowed_may_not_be_found(make: Make) -> None:
    owner = make(disclosure(max_subjects=3, subject_required=False))
    assert await refused(owner, "SELECT p.name AS name FROM persons AS p") == "too-many-subjects"


async def test_more_rows_than_allowed_do_not_leave(make: Make) -> None:
    owner = make(disclosure(max_rows=3, subject_required=False))
    assert await refused(owner, "SELECT p.name AS name FROM persons AS p") == "too-many-rows"


async def test_the_rate_per_hour_holds(make: Make) -> None:
    owner = make(disclosure(questions_per_hour=2))
    for _ in range(2):
        await owner.ask(BY_KEY, [ANN])
    assert await refused(owner, BY_KEY, [ANN]) == "rate"
    owner.now += timedelta(hours=1)
    assert (await owner.ask(BY_KEY, [ANN])).rows == [("Ann",)]


async def test_the_rate_per_hour_holds_across_a_restart(make: Make) -> None:
    owner = make(disclosure(questions_per_hour=3))
    await owner.ask(BY_KEY, [ANN])
    owner.now += timedelta(minutes=30)
    await owner.ask(BY_KEY, [ANN])
    again = make(disclosure(questions_per_hour=3))
    again.now = owner.now
    kept = [one for one in owner.log.records if isinstance(one, Decision)]
    again.discloser.recall(found for one in kept if (found := permit(one)))
    await again.ask(BY_KEY, [ANN])
    assert await refused(again, BY_KEY, [ANN]) == "rate"
    again.now += timedelta(minutes=30)
    assert (await again.ask(BY_KEY, [ANN])).rows == [("Ann",)]


async def test_what_was_refused_does_not_count_as_permitted(make: Make) -> None:
    owner = make(disclosure(max_rows=1, subject_required=False))
    await refused(owner, "SELECT p.name AS name FROM persons AS p")
    assert [permit(one) for one in owner.log.refusals()] == [None]


async def test_every_question_on_a_filter_column_draws_on_its_budget(make: Make) -> None:
    filters = {"city": Filter(("=",), (), budget=2)}
    owner = make(disclosure(columns={"bsn": "output", "city": "filter"}, filters=filters))
    sql = "SELECT p.bsn AS bsn FROM persons AS p WHERE p.bsn = ANY($k) AND p.city = $c"
    for _ in range(2):
        await owner.ask(sql, [ANN], parameters={"c": "Zwolle"})
    assert await refused(owner, sql, [ANN], parameters={"c": "Zwolle"}) == "filter-budget"
    owner.now += timedelta(days=1)
    assert (await owner.ask(sql, [ANN], parameters={"c": "Assen"})).rows == []


async def test_a_filter_value_is_held_against_its_list_every_time(make: Make) -> None:
    filters = {"city": Filter(("=",), ("Zwolle",))}
    owner = make(disclosure(columns={"bsn": "output", "city": "filter"}, filters=filters))
    sql = "SELECT p.bsn AS bsn FROM persons AS p WHERE p.bsn = ANY($k) AND p.city = $c"
    assert (await owner.ask(sql, [ANN], parameters={"c": "Zwolle"})).rows == [(ANN,)]
    assert await refused(owner, sql, [ANN], parameters={"c": "Assen"}) == "filter-value"


@pytest.mark.parametrize(
    "changed",
    [
        {"sql": "SELECT p.name AS name FROM persons AS p WHERE p.name <> '" + "x" * 70_000 + "'"},
        {"keys": {"k": KeyList("VARCHAR", ["1"] * 11)}},
        {"keys": {"k": KeyList("VARCHAR", [None])}},
        {"types": {"k": "VARCHAR) FROM x --"}},
        {"case": "x" * 3_000},
        {"seal": Seal("q", openers=("c",) * 40)},
    ],
    ids=["sql", "keys", "null", "type", "case", "openers"],
)
async def test_what_is_too_large_is_no_question(make: Make, changed: dict[str, Any]) -> None:
    owner = make(disclosure(), bounds=Bounds(keys=10))
    question = owner.question(BY_KEY, keys={"k": KeyList("VARCHAR", [ANN])})
    with pytest.raises(Invalid) as caught:
        await owner.consult(msgspec.structs.replace(question, **changed))
    assert caught.value.code == "question-does-not-fit"


# ---- written down


async def test_everyone_asked_about_is_on_record_once_found_or_not(make: Make) -> None:
    owner = make(disclosure(), disclosure("jobs"))
    sql = "SELECT j.job AS job FROM jobs AS j JOIN persons AS p ON p.bsn = j.bsn WHERE p.bsn = ANY($k)"
    await owner.ask(sql, [ANN, ANN, NOBODY])
    assert sorted(owner.log.subjects()) == sorted([ANN, NOBODY])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT p.name AS name FROM persons AS p WHERE p.city = 'Zwolle'",
        "SELECT DISTINCT p.city AS city FROM persons AS p WHERE p.city = 'Zwolle'",
        "SELECT x.name AS name FROM (SELECT p.name AS name, p.city AS city FROM persons AS p) AS x WHERE x.city = 'Zwolle'",
        "WITH x AS (SELECT p.name AS name, p.city AS city FROM persons AS p) SELECT x.name AS name FROM x AS x WHERE x.city = 'Zwolle'",
        "SELECT c.province AS province FROM cities AS c JOIN persons AS p ON p.city = c.city WHERE c.city = 'Zwolle'",
        "SELECT p.city AS city FROM persons AS p WHERE p.name = 'Ann' UNION SELECT p.city AS city FROM persons AS p WHERE p.name = 'Bob'",
        "SELECT p.city AS city FROM persons AS p WHERE p.name = 'Ann' UNION ALL SELECT j.job AS city FROM jobs AS j WHERE j.job = 'Smid'",
        "SELECT p.name AS name, row_number() OVER (ORDER BY p.name) AS n FROM persons AS p WHERE p.city = 'Zwolle'",
    ],
)  # fmt: skip
async def test_everyone_in_the_rows_is_on_record(owner: Owner, sql: str) -> None:
    answered = await owner.ask(sql)
    assert sorted(owner.log.subjects()) == [ANN, BOB]
    assert answered.closing.receipt.subjects == 2
    assert not any(name.endswith("$") for name in answered.table.column_names)


async def test_people_behind_an_anti_join_are_not_in_the_rows(owner: Owner) -> None:
    await owner.ask("SELECT p.name AS name FROM persons AS p ANTI JOIN jobs AS j ON j.bsn = p.bsn")
    assert len(owner.log.subjects()) == 1


async def test_rows_of_which_nobody_can_say_whom_they_are_about_do_not_leave(owner: Owner) -> None:
    sql = "SELECT p.city AS city FROM persons AS p EXCEPT SELECT p.city AS city FROM persons AS p WHERE p.name = 'Ann'"
    assert await refused(owner, sql) == "not-traceable"


async def test_a_consultation_about_nobody_is_one_line(owner: Owner) -> None:
    await owner.ask("SELECT c.city AS city FROM cities AS c")
    lines = [one for one in owner.log.records if isinstance(one, Processing)]
    assert len(lines) == 1
    assert lines[0].attributes["dpl.objects.dataset"] == [
        {"dataset_id": "own.cities", "dataset_port": "output", "feature": [{"feature_id": "city"}]}
    ]
    assert "dpl.core.data_subject_id" not in lines[0].attributes


async def test_a_search_that_finds_nobody_is_one_line(owner: Owner) -> None:
    answered = await owner.ask("SELECT p.name AS name FROM persons AS p WHERE p.name = 'Zed'")
    lines = [one for one in owner.log.records if isinstance(one, Processing)]
    assert (len(lines), answered.closing.receipt.subjects, answered.rows) == (1, 0, [])


async def test_lines_carry_the_names_of_the_standard(make: Make) -> None:
    owner = make(disclosure(withhold=Withhold(Article("AVG", "23"), 30)))
    await owner.ask(BY_KEY, [ANN])
    line = owner.log.records[-1]
    assert line.attributes == {
        "dpl.core.processing_activity_id": ACTIVITY,
        "dpl.core.data_subject_id": f"pseudonym-BSN-{ANN}",
        "dpl.core.data_subject_id_type": "BSN",
        "dpl.core.foreign_operation.processor": "https://asker.example",
    }
    assert (line.trace_id, line.parent_span_id, line.status) == ("a" * 32, "b" * 16, "Ok")
    assert line.withheld.article == "AVG, art. 23"
    assert line.withheld.until - line.start_time == 30 * 86_400_000


async def test_decision_and_lines_are_one_commit(make: Make) -> None:
    owner = make(disclosure())
    await owner.ask(BY_KEY, [ANN, BOB])
    assert owner.log.commits == 1
    decision = owner.log.records[0]
    assert isinstance(decision, Decision)
    assert decision.body["adl.core.response"]["decision"] is True
    assert decision.attributes["adl.core.policies"]["disclosure"]["id"] == "d-persons"


async def test_a_record_holds_no_constant_of_the_question(make: Make) -> None:
    owner = make(disclosure())
    await owner.ask(f"SELECT p.name AS name FROM persons AS p WHERE p.bsn = '{ANN}'")
    decision = msgspec.json.encode(owner.log.records[0])
    assert ANN.encode() not in decision


async def test_a_batch_leaves_only_after_its_people_are_on_record(tmp_path: Any) -> None:
    owner = Owner(tmp_path, disclosure(subject_required=False), bounds=Bounds(batch_rows=1))
    consultation = await owner.consult(owner.question("SELECT p.name AS name FROM persons AS p"))
    sent = 0
    async for chunk in consultation.body:
        sent += sum(name.encode() in chunk for name in ("Ann", "Bob", "Cim", "Dee"))
        assert len(owner.log.subjects()) >= sent
    assert (sent, len(owner.log.subjects())) == (4, 4)


async def test_when_the_ledger_cannot_write_nothing_leaves(make: Make) -> None:
    owner = make(disclosure())
    owner.log.broken = Unkept("full", *[Text("", "")] * 3)
    with pytest.raises(Unkept):
        await owner.ask(BY_KEY, [ANN])


async def test_when_the_ledger_breaks_halfway_the_stream_ends_without_receipt(tmp_path: Any) -> None:
    owner = Owner(tmp_path, disclosure(subject_required=False), bounds=Bounds(batch_rows=1))
    consultation = await owner.consult(owner.question("SELECT p.name AS name FROM persons AS p"))
    owner.log.broken = Unkept("full", *[Text("", "")] * 3)
    with pytest.raises(Unkept):
        await read(consultation, owner.keys.public)


async def test_every_refusal_is_on_record(make: Make) -> None:
    owner = make(disclosure(columns={"bsn": "output"}))
    await refused(owner, BY_KEY, [ANN])
    (decision,) = owner.log.refusals()
    assert decision.body["adl.core.response"]["context"]["rule"] == "column-closed"
    assert ANN.encode() not in msgspec.json.encode(decision)


async def test_many_refusals_of_one_peer_are_counted(make: Make) -> None:
    owner = make(disclosure(), bounds=Bounds(refusals_a_minute=3))
    for _ in range(10):
        await refused(owner, "SELECT p.name AS name FROM persons AS p")
    assert len(owner.log.refusals()) == 3
    owner.now += timedelta(minutes=1)
    await refused(owner, "SELECT p.name AS name FROM persons AS p")
    counts = [one.body["adl.core.response"]["context"].get("count") for one in owner.log.refusals()]
    assert counts == [None, None, None, 7, None]
    await owner.discloser.close()


# ---- sources


class BrokenSource:
    """A source that fails, or waits until it is cancelled."""

    def __init__(self, inner: Any, failure: SourceFailure | None) -> None:
        self._inner, self._failure = inner, failure
        self.dialect = inner.dialect
        self.begun, self.cancelled = threading.Event(), threading.Event()

    def tables(self) -> tuple[TableInfo, ...]:
        tables: tuple[TableInfo, ...] = self._inner.tables()
        return tables

    def prepare(self, query: exp.Query, parameters: Mapping[str, str], schema: pa.Schema) -> "BrokenSource":
        return self

    def run(self, values: Mapping[str, Any], limits: Limits) -> Iterator[pa.RecordBatch]:
        yield from ()
        if self._failure is None:
            self.begun.set()
            assert limits.cancelled.wait(10)
            self.cancelled.set()
            raise SourceFailure("cancelled", "")
        raise self._failure


FAILURES = [
    SourceFailure("broken-row", "value 'secret' does not fit", f"person.age, row with bsn='{ANN}'"),
    SourceFailure("unreachable", "10.0.0.1 refused"),
]


async def failing(make: Make, failure: SourceFailure | None, tmp_path: Any) -> tuple[Owner, BrokenSource]:
    make(disclosure())
    source = BrokenSource(open_source(f"sqlite:///{tmp_path}/people.sqlite"), failure)
    return make(disclosure(), source=source), source


async def test_every_failure_of_a_source_reads_the_same(
    make: Make, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    texts = set()
    for failure in FAILURES:
        owner, _ = await failing(make, failure, tmp_path)
        with pytest.raises(Upstream) as caught:
            await owner.ask(BY_KEY, [ANN])
        texts.add(str(caught.value.members()))
    assert len(texts) == 1
    assert "broken-row at person.age" in caplog.text
    assert ANN not in caplog.text
    assert "secret" not in caplog.text


async def test_a_failed_consultation_is_on_record_with_whom_it_was_about(make: Make, tmp_path: Any) -> None:
    owner, _ = await failing(make, FAILURES[1], tmp_path)
    with pytest.raises(Upstream):
        await owner.ask(BY_KEY, [ANN])
    assert owner.log.subjects() == [ANN]
    assert owner.log.records[-1].status == "Error"


async def test_when_the_asker_goes_away_the_source_is_stopped(make: Make, tmp_path: Any) -> None:
    owner, source = await failing(make, None, tmp_path)
    asking = asyncio.create_task(owner.ask(BY_KEY, [ANN]))
    assert await asyncio.to_thread(source.begun.wait, 10)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await asyncio.to_thread(source.cancelled.wait, 5)


async def test_the_same_question_about_another_is_understood_once(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = make(disclosure())
    await owner.ask(BY_KEY, [ANN])
    monkeypatch.setattr("sluis.disclose.understood.understand", None)
    assert (await owner.ask(BY_KEY, [BOB])).rows == [("Bob",)]


async def test_a_cached_question_serves_no_other_peer(make: Make) -> None:
    owner = make(disclosure(), disclosure(id="d-other", recipient=OTHER, columns={"bsn": "output"}))
    await owner.ask(BY_KEY, [ANN])
    question = owner.question(BY_KEY, keys={"k": KeyList("VARCHAR", [ANN])})
    digest = owner.discloser.offers(OTHER)[0].digest
    with pytest.raises(Problem, match="closed"):
        await owner.consult(msgspec.structs.replace(question, disclosures={"persons": digest}), OTHER)
