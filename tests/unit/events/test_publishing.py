"""Publishing: who needs to know is told, and nobody else; all in one commit; once."""

import asyncio
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from tests.unit.events.samples import (
    ACTIVITY_ID,
    EVENT,
    FIRST,
    NOTICE,
    NOW,
    SECOND,
    SOURCE,
    TYPE,
    Source,
    grounds,
    notice,
    occurrence,
    refused,
    source,
)
from tests.unit.events.test_interests import AGREED, Agreements

from sluis.events.cesql import compile_expression
from sluis.events.interests import Whom
from sluis.events.notices import STANDS, Told
from sluis.events.publishing import Occurrence, Published
from sluis.events.publishing.rules import match
from sluis.grounds import Attribute, Purpose, offered_notice
from sluis.grounds.model import Withhold
from sluis.grounds.purpose import Bound
from sluis.kernel import Conflict, Invalid, NotFound, Period, Problem, Text, Unkept
from sluis.ledger import Decision, Search
from sluis.ledger import decisions as recorded

ANNA, BEN = Whom("BSN", "999990019"), Whom("BSN", "999990020")
BOTH = grounds(NOTICE, notice(id="tweede", recipient=SECOND))


async def told(at: Source, *occurrences: Occurrence) -> list[tuple[str, int, dict[str, int]]]:
    return [(one.id, one.told, one.withheld) for one in await at.publisher.publish(occurrences)]


async def test_who_registered_an_interest_hears_under_its_own_name_for_the_person(tmp_path: Path) -> None:
    with source(tmp_path, BOTH) as at:
        await at.interested(FIRST, NOTICE.id, {ANNA: "zaak-7"})
        await at.interested(SECOND, "tweede", {ANNA: "dossier/9", BEN: "dossier/10"})
        assert await told(at, occurrence()) == [("b-1", 2, {})]
        ((event, outgoing),) = at.queue.added
        assert [(one.subscription, one.subject) for one in outgoing] == [
            (f"of-{FIRST!s}", "zaak-7"),
            (f"of-{SECOND!s}", "dossier/9"),
        ]
        assert (event.id, event.source, event.subject) == (
            "b-1",
            f"urn:nld:oin:{SOURCE!s}:systeem:besluiten",
            None,
        )
        assert event.extensions == {"dataref": "https://source.example/v1/decisions/b-1"}
        assert (event.time, event.data) == ("2026-06-01T12:00:00.000Z", None)


async def test_a_subscription_filters_on_what_its_owner_sees(tmp_path: Path) -> None:
    with source(tmp_path) as at:
        await at.interested(FIRST, NOTICE.id, {ANNA: "zaak-7"})
        await told(at, occurrence())
        assert at.subscriptions.seen[0]["subject"] == "zaak-7"
        assert set(at.subscriptions.seen[0]) == {
            "specversion",
            "id",
            "source",
            "type",
            "time",
            "subject",
            "dataref",
        }


async def test_each_rule_that_withholds_is_counted_and_nothing_of_it_is_a_list(tmp_path: Path) -> None:
    condition = notice(condition="uitkomst = 'afgewezen'")
    with source(tmp_path, grounds(condition, notice(id="tweede", recipient=SECOND)), hears=[FIRST]) as at:
        await at.interested(SECOND, "tweede", {ANNA: "x"})
        assert await told(at, occurrence(facts={"uitkomst": "ingewilligd"})) == [
            ("b-1", 0, {"condition": 1, "no-subscription": 1})
        ]
        assert await told(at, occurrence("b-2", facts={"uitkomst": "afgewezen"})) == [
            ("b-2", 0, {"no-relation": 1, "no-subscription": 1})
        ]
        at.subscriptions.wants = frozenset()
        await at.interested(FIRST, NOTICE.id, {ANNA: "y"})
        assert await told(at, occurrence("b-3", facts={"uitkomst": "afgewezen"})) == [
            ("b-3", 0, {"filtered": 1, "no-subscription": 1})
        ]
        counted = {(one.rule, one.count) for one in at.publisher.counts(date(2026, 6, 1))}
        assert counted == {("condition", 1), ("no-subscription", 3), ("no-relation", 1), ("filtered", 1)}
        assert at.queue.added == []


async def test_data_with_which_no_event_can_be_sent_is_refused(tmp_path: Path) -> None:
    with source(tmp_path, grounds(notice(interest=False, data=("team",)))) as at:
        with refused(Invalid, "event-too-large"):
            await at.publisher.publish([occurrence(data={"team": "x" * 65_000})])
        assert at.queue.added == []


async def test_an_unknown_fact_meets_no_condition(tmp_path: Path) -> None:
    with source(tmp_path, grounds(notice(condition="uitkomst = 'afgewezen'", interest=False))) as at:
        assert await told(at, occurrence()) == [("b-1", 0, {"condition": 1})]
        assert await told(at, occurrence("b-2", facts={"uitkomst": None})) == [("b-2", 0, {"condition": 1})]


async def test_only_data_that_a_notice_names_leaves_and_facts_never(tmp_path: Path) -> None:
    known = grounds(
        notice(interest=False, data=("team",)), notice(id="tweede", recipient=SECOND, interest=False)
    )
    with source(tmp_path, known) as at:
        await told(at, occurrence(facts={"uitkomst": "geheim"}, data={"team": "T1", "zaak": 7}))
        sent = {outgoing[0].notice: event.data for event, outgoing in at.queue.added}
        assert sent == {NOTICE.id: b'{"team":"T1"}', "tweede": None}
        assert "geheim" not in repr(at.queue.added)


async def test_everyone_who_was_told_is_a_line_about_the_person(tmp_path: Path) -> None:
    with source(tmp_path, BOTH) as at:
        await at.interested(FIRST, NOTICE.id, {ANNA: "zaak-7"})
        trace = "0a" * 16
        await told(at, occurrence(trace_id=trace))
        lines = await at.ledger.processing_of(Search(trace_id=trace), withheld=False)
        assert [(one.name, one.attributes["dpl.core.foreign_operation.processor"]) for one in lines] == [
            ("Kennisgeving: Besluit genomen", f"urn:nld:oin:{FIRST!s}")
        ]
        assert lines[0].attributes["dpl.core.data_subject_id"] == at.ledger.subject("BSN", ANNA.value, at.now)
        assert at.queue.added[0][1][0].trace_id == trace


async def test_a_line_is_withheld_where_the_notice_says_so(tmp_path: Path) -> None:
    hidden = notice(interest=False, withhold=Withhold(NOTICE.articles[0], 30))
    with source(tmp_path, grounds(hidden)) as at:
        await told(at, occurrence(trace_id="0b" * 16))
        assert await at.ledger.processing_of(Search(trace_id="0b" * 16), withheld=False) == []
        assert len(await at.ledger.processing_of(Search(trace_id="0b" * 16), withheld=True)) == 1


async def test_the_same_occurrence_once_more_does_nothing(tmp_path: Path) -> None:
    with source(tmp_path, grounds(notice(interest=False))) as at:
        await at.publisher.publish([occurrence()])
        size = at.ledger._records.size
        again = await at.publisher.publish([occurrence(trace_id="0c" * 16)])
        assert again == [Published("b-1", repeated=True)]
        assert (len(at.queue.added), at.ledger._records.size) == (1, size)
    with source(tmp_path, grounds(notice(interest=False))) as at:
        assert (await at.publisher.publish([occurrence()]))[0].repeated
        assert at.queue.added == []


async def test_of_no_occurrence_it_is_kept_who_has_a_relation(tmp_path: Path) -> None:
    kept = []
    for name, whom in (("related", ANNA), ("stranger", BEN)):
        (tmp_path / name).mkdir()
        with source(tmp_path / name) as at:
            await at.interested(FIRST, NOTICE.id, {ANNA: "zaak-1"})
            await at.publisher.publish([occurrence(bsn=whom.value)])
            with at.store.read() as connection:
                row = connection.execute(text("SELECT * FROM events_published")).one()
        kept.append({column: value for column, value in row._mapping.items() if column != "digest"})
    assert kept[0] == kept[1]


@pytest.mark.parametrize(
    "other",
    [occurrence(facts={"uitkomst": "anders"}), occurrence(bsn=BEN.value), occurrence(data={"team": "T2"})],
)
async def test_an_id_with_another_content_is_a_conflict(tmp_path: Path, other: Occurrence) -> None:
    with source(tmp_path, grounds(notice(interest=False))) as at:
        await told(at, occurrence())
        with refused(Conflict, "event-published-before"):
            await told(at, other)
        with refused(Conflict, "event-published-before"):
            await told(at, occurrence("b-2"), msgspec.structs.replace(other, id="b-2"))
        assert len(at.queue.added) == 1


async def test_who_publishes_at_once_shares_a_commit_and_fails_alone(tmp_path: Path) -> None:
    with source(tmp_path, grounds(notice(interest=False))) as at:
        await told(at, occurrence("taken"))
        outcomes = await asyncio.gather(
            *[told(at, occurrence(f"b-{number}")) for number in range(20)],
            told(at, occurrence("taken", bsn=BEN.value)),
            told(at, occurrence("b-3")),
            return_exceptions=True,
        )
        assert [isinstance(one, Conflict) for one in outcomes] == [False] * 20 + [True, False]
        assert Counter(id for id, _, _ in at.queue.told()) == Counter(
            ["taken", *(f"b-{number}" for number in range(20))]
        )


async def test_a_fact_its_lines_and_its_deliveries_stand_or_fall_together(tmp_path: Path) -> None:
    with source(tmp_path, grounds(notice(interest=False))) as at:
        await at.store.write(
            lambda connection: connection.execute(text("CREATE TABLE facts (id TEXT)")) and None
        )

        def fact(connection: Connection) -> None:
            connection.execute(text("INSERT INTO facts VALUES ('f')"))

        def number() -> tuple[int, int]:
            with at.store.read() as connection:
                facts = connection.execute(text("SELECT COUNT(*) FROM facts")).scalar_one()
            return facts, at.ledger._records.size

        at.queue.broken = True
        before = number()
        with pytest.raises(RuntimeError):
            await at.publisher.publish([occurrence()], fact)
        facts, lines = number()
        assert (facts, lines) == (0, before[1] + 1)  # the decision that it might be told stands
        at.queue.broken = False

        def refusing(connection: Connection) -> None:
            fact(connection)
            raise Conflict("no", Text("Nee", "No"), Text("Nee", "No"), Text("Nee", "No"))

        with pytest.raises(Conflict):
            await at.publisher.publish([occurrence()], refusing)
        assert (number(), at.queue.added) == ((0, lines), [])
        published = await at.publisher.publish([occurrence()], fact)
        assert (published[0].told, published[0].repeated, number()) == (1, False, (1, lines + 1))


async def test_rooms_of_this_node_hear_of_each_occurrence_once(tmp_path: Path) -> None:
    heard: list[str] = []
    with source(tmp_path) as at:
        at.publisher.hearers.append(lambda connection, one: heard.append(one.id))
        await told(at, occurrence(), occurrence("b-2"))
        await told(at, occurrence())
    assert heard == ["b-1", "b-2"]


async def test_a_room_that_fails_on_one_occurrence_stops_no_other(tmp_path: Path) -> None:
    def hear(connection: Connection, one: Occurrence) -> None:
        if one.id == "b-3":
            raise RuntimeError("broken")

    with source(tmp_path, grounds(notice(interest=False))) as at:
        at.publisher.hearers.append(hear)
        found = await asyncio.gather(
            *[told(at, occurrence(f"b-{n}")) for n in range(6)], return_exceptions=True
        )
        assert [isinstance(one, RuntimeError) for one in found] == [False, False, False, True, False, False]
        assert {id for id, _, _ in at.queue.told()} == {"b-0", "b-1", "b-2", "b-4", "b-5"}


async def test_when_too_much_waits_nothing_is_published(tmp_path: Path) -> None:
    with source(tmp_path, grounds(notice(interest=False))) as at:

        def full() -> None:
            raise Unkept("events-busy", Text("Vol", "Full"), Text("Vol", "Full"), Text("Wacht", "Wait"))

        at.queue.check_room = full  # type: ignore[method-assign]
        with refused(Unkept, "events-busy"):
            await told(at, occurrence())


@pytest.mark.parametrize(
    ("one", "kind", "code"),
    [
        (Occurrence("nl.example.ander.ding", "b"), NotFound, "unknown-event-type"),
        (occurrence(bsn=None), Invalid, "unfit-occurrence"),
        (occurrence(bsn="123"), Invalid, "unfit-occurrence"),
        (Occurrence(TYPE, "b", NOW, Whom("urn:x", "123456789")), Invalid, "unfit-occurrence"),
        (occurrence(facts={"soort": "x"}), Invalid, "unfit-occurrence"),
        (occurrence(facts={"uitkomst": 1}), Invalid, "unfit-occurrence"),
        (occurrence(data={"zaak": "geheim"}), Invalid, "unfit-occurrence"),
        (occurrence(trace_id="0" * 32), Invalid, "unfit-occurrence"),
        (msgspec.structs.replace(occurrence(), time=datetime(2026, 1, 1)), Invalid, "unfit-occurrence"),
        (occurrence("met\x00nul"), Invalid, "unfit-event"),
    ],
)
async def test_what_its_type_does_not_say_is_refused_without_repeating_it(
    tmp_path: Path, one: Occurrence, kind: type[Problem], code: str
) -> None:
    with source(tmp_path, grounds(notice(interest=False))) as at:
        with refused(kind, code) as problem:
            await told(at, one)
        assert not any(value in str(problem.value) for value in ("123456789", "geheim"))
        assert at.queue.added == []


async def decisions(at: Source) -> list[Decision]:
    return [*recorded(at.store, 0)]


async def test_a_permit_stands_for_a_while_and_each_asking_is_one_record(tmp_path: Path) -> None:
    with source(tmp_path, grounds(notice(interest=False))) as at:
        await told(at, occurrence("1"))
        await told(at, occurrence("2"))
        assert len(await decisions(at)) == 1
        at.seconds = STANDS + 1
        await told(at, occurrence("3"))
        assert len(await decisions(at)) == 2
        at.now += timedelta(days=1)
        await told(at, occurrence("4"))
        assert len(await decisions(at)) == 3


async def test_after_its_last_day_a_notice_tells_nothing(tmp_path: Path) -> None:
    ends = notice(interest=False, valid=Period(date(2026, 1, 1), date(2026, 6, 1)))
    with source(tmp_path, grounds(ends)) as at:
        assert (await told(at, occurrence("1")))[0][1] == 1
        at.now += timedelta(hours=12)
        assert await told(at, occurrence("2")) == [("2", 0, {})]


async def test_a_contract_that_ends_bites_at_the_next_occurrence(tmp_path: Path) -> None:
    known = grounds(notice(interest=False))
    digest = offered_notice(SOURCE, EVENT, known.notices[0]).digest
    covers = Purpose(ACTIVITY_ID, notices=(Bound(NOTICE.id, digest),))
    contracts = Agreements(AGREED)  # of a version with other rules
    with source(tmp_path, known, agreements=contracts) as at:
        assert await told(at, occurrence("1")) == [("1", 0, {"no-contract": 1})]
        contracts.standing = [covers]
        assert await told(at, occurrence("2")) == [("2", 1, {})]
        contracts.standing = []
        assert await told(at, occurrence("3")) == [("3", 0, {"no-contract": 1})]
        rules = [one.body["adl.core.response"]["context"]["rule"] for one in await decisions(at)]
        assert rules == ["contract-missing", "notified", "contract-missing"]


async def test_what_is_old_is_forgotten_and_counts_stay_a_year(tmp_path: Path) -> None:
    with source(tmp_path, grounds(notice(interest=False))) as at:
        await told(at, occurrence())
        at.now += timedelta(days=31)
        await at.publisher.sweep()
        assert (await at.publisher.publish([occurrence()]))[0].repeated is False
        assert len(at.publisher.counts(date(2026, 1, 1))) == 2
        at.now += timedelta(days=400)
        await at.publisher.sweep()
        assert at.publisher.counts(date(2026, 1, 1)) == []


NAMES = ("a", "b", "c")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    outcome=st.sampled_from(["x", "y", None]),
    notices=st.lists(st.tuples(st.sampled_from(["x", "y", None]), st.booleans()), max_size=3),
    interested=st.sets(st.sampled_from(NAMES)),
    verdicts=st.tuples(*[st.sampled_from([None, "no-contract", "not-permitted"])] * 3),
)
def test_matching_is_what_a_plain_reading_of_the_notices_says(
    outcome: str | None,
    notices: list[tuple[str | None, bool]],
    interested: set[str],
    verdicts: tuple[Any, ...],
) -> None:
    facts: dict[str, Attribute] = {} if outcome is None else {"uitkomst": outcome}
    ready = [_told(NAMES[place], condition, interest) for place, (condition, interest) in enumerate(notices)]
    said = dict(zip(NAMES, verdicts, strict=True))
    tells, withheld = match(facts, ready, said, lambda id: f"ref-{id}" if id in interested else None)
    wanted = [
        NAMES[place]
        for place, (condition, interest) in enumerate(notices)
        if (condition is None or condition == outcome)
        and (not interest or NAMES[place] in interested)
        and verdicts[place] is None
    ]
    assert [one.told.notice.id for one in tells] == wanted
    assert withheld.total() == len(notices) - len(wanted)
    assert all(
        one.reference == (f"ref-{one.told.notice.id}" if one.told.notice.id in interested else None)
        for one in tells
    )


def _told(id: str, condition: str | None, interest: bool) -> Told:
    made = notice(id=id, interest=interest)
    holds = compile_expression(f"uitkomst = '{condition}'").holds if condition else lambda facts: True
    return Told(made, EVENT, offered_notice(SOURCE, EVENT, made), holds)
