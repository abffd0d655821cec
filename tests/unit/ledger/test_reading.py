"""Finding processing records: all that fit and no other, newest first, and withheld from the subject."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.ledger.examples import ACTIVITY, NOW_MS, appended, decision, fill, opened, processing

from sluis.kernel import Invalid, NotFound, new_trace_id
from sluis.ledger import Ledger, Processing, Search, Withheld, sql, terms


@pytest.fixture(params=[8192, 4])
def ledger(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Ledger]:
    monkeypatch.setattr(sql, "RUN", request.param)
    with opened(tmp_path) as (_, ledger):
        yield ledger


async def spans(ledger: Ledger, search: Search, withheld: bool = False) -> list[str]:
    return [record.span_id for record in await ledger.processing_of(search, withheld=withheld)]


def ids(*records: Processing) -> list[str]:
    return [record.span_id for record in records]


async def test_a_subject_finds_their_own_records_newest_first(ledger: Ledger) -> None:
    mine = [processing("me-2026"), processing("me-2025")]
    for record in mine:
        await ledger.append([processing("someone"), record, decision(record.trace_id)])
    assert await spans(ledger, Search(subjects=("me-2025", "me-2026"))) == ids(*reversed(mine))
    assert await spans(ledger, Search(subjects=("nobody",))) == []
    assert await spans(ledger, Search(subjects=())) == []


async def test_a_trace_finds_all_its_processing_records(ledger: Ledger) -> None:
    trace = new_trace_id()
    lines = [processing(name, trace_id=trace) for name in "abcdef"]
    for line in lines:
        await ledger.append([line, processing("other"), decision(trace)])
    assert await spans(ledger, Search(trace_id=trace)) == ids(*reversed(lines))
    assert await spans(ledger, Search(trace_id=trace, subjects=("b",))) == ids(lines[1])


async def test_terms_that_collide_do_not_give_another_trace(ledger: Ledger) -> None:
    trace = new_trace_id()
    other = ("1" if trace[0] != "1" else "2") + trace[1:]
    line = processing("a", trace_id=trace)
    await ledger.append([line, processing("a", trace_id=other)])
    fill(ledger, 8)
    assert await spans(ledger, Search(trace_id=trace)) == ids(line)


async def test_an_activity_and_a_period_find_what_lies_in_it(ledger: Ledger) -> None:
    lines = [processing("a", start=NOW_MS + hour * 3_600_000) for hour in range(10)]
    await ledger.append([*lines, processing("b", activity="https://register.example/other")])
    since, until = lines[3].start_time, lines[6].end_time
    assert await spans(ledger, Search(activity=ACTIVITY, since=since, until=until)) == ids(
        *reversed(lines[3:7])
    )
    assert await spans(ledger, Search(subjects=("a",), until=lines[0].end_time)) == ids(lines[0])


async def test_what_one_term_leads_to_may_be_more_than_is_fetched_at_once(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terms, "_TOGETHER", 3)
    mine = [processing("me") for _ in range(20)]
    appended(ledger, mine)
    assert await spans(ledger, Search(subjects=("me",))) == ids(*reversed(mine))
    assert await spans(ledger, Search(subjects=("me",), limit=5)) == ids(*reversed(mine[-5:]))


async def test_a_search_that_names_nothing_is_refused(ledger: Ledger) -> None:
    with pytest.raises(Invalid):
        await ledger.processing_of(Search(since=0), withheld=True)


async def test_a_search_gives_no_more_than_its_limit(ledger: Ledger) -> None:
    fill(ledger, 30)
    assert len(await spans(ledger, Search(activity=ACTIVITY, limit=7))) == 7


async def test_a_withheld_record_is_not_shown_to_the_subject_but_is_to_the_officer(ledger: Ledger) -> None:
    hidden = processing("me", withheld=Withheld("Wpg, art. 27", NOW_MS + 1))
    past = processing("me", withheld=Withheld("Wpg, art. 27", NOW_MS))
    plain = processing("me")
    await ledger.append([hidden, past, plain])
    fill(ledger, 8)
    assert await spans(ledger, Search(subjects=("me",))) == ids(plain, past)
    assert await spans(ledger, Search(subjects=("me",)), withheld=True) == ids(plain, past, hidden)
    assert await spans(ledger, Search(trace_id=hidden.trace_id)) == []


async def test_a_subject_that_is_named_twice_is_found_once(ledger: Ledger) -> None:
    made = [processing("me") for _ in range(10)]
    await ledger.append(made)
    assert await spans(ledger, Search(subjects=("me", "me"))) == ids(*made[::-1])


async def test_withheld_records_do_not_use_up_the_limit(ledger: Ledger) -> None:
    plain = processing("me")
    hidden = [processing("me", withheld=Withheld("x", NOW_MS + 1)) for _ in range(5)]
    await ledger.append([plain, *hidden])
    assert await spans(ledger, Search(subjects=("me",), limit=1)) == ids(plain)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.integers(0, 9)), max_size=12),
    st.data(),
)
@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_search_finds_what_a_plain_scan_finds(
    ledger: Ledger, lines: list[tuple[str, str, int]], data: st.DataObject
) -> None:
    base = ledger.log.size()  # one ledger for all examples: each uses subjects of its own
    made = [processing(f"{base}{who}", activity=f"{base}{act}", start=when) for who, act, when in lines]
    appended(ledger, made)
    who = data.draw(st.none() | st.lists(st.sampled_from("abcd"), max_size=2))
    act = data.draw(st.sampled_from("xyz") if who is None else st.none() | st.sampled_from("xyz"))
    since, until = data.draw(st.none() | st.integers(0, 9)), data.draw(st.none() | st.integers(20, 29))
    search = Search(
        activity=None if act is None else f"{base}{act}",
        subjects=None if who is None else tuple(f"{base}{one}" for one in who),
        since=since,
        until=until,
    )
    fits = [
        record.span_id
        for record, (one, other, when) in zip(made, lines, strict=True)
        if (who is None or one in who) and (act is None or other == act)
        and (since is None or when >= since) and (until is None or when + 20 <= until)
    ]  # fmt: skip
    assert [record.span_id for record in ledger.log.processing(search)] == fits[::-1]


def test_what_is_not_there_is_not_found(ledger: Ledger) -> None:
    fill(ledger, 300)
    log = ledger.log
    with pytest.raises(NotFound):
        log.stored(300)
    with pytest.raises(NotFound):
        log.inclusion(300, 300)
    with pytest.raises(NotFound):
        log.root(301)
    for level, number, width in (
        (0, 1, 45),
        (0, 2, 1),
        (1, 0, 2),
        (2, 0, 1),
        (0, 0, 0),
        (0, -1, 1),
        ("entries", 1, 45),
    ):
        with pytest.raises(NotFound):
            log.tile(level, number, width)
