"""Who looked at my data, over organisations: the person sees everything that is theirs and not withheld, and nothing else;
nobody is believed who merely says who the person is."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.grounds.examples import activity, dataset, disclosure
from tests.unit.identity.logs import ANN, BOB, MS, Group, peer

from sluis.grounds import Grounds
from sluis.identity.looked import Bounds
from sluis.identity.looked.model import Look, Told
from sluis.identity.looked.rules import by_question, opened_by
from sluis.kernel import Text, new_trace_id
from sluis.ledger import Decision, Line


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    made = Group(tmp_path, 4)
    yield made
    made.closing.close()


async def chain(group: Group, trace: str, *numbers: int, whom: tuple[str, str] = ANN) -> None:
    """A question that went from one organisation to the next."""
    for here, there in zip(numbers, (*numbers[1:], None), strict=True):
        node = group.nodes[here]
        to = {} if there is None else {"to": group.nodes[there].url, "by": group.nodes[there].url}
        await node.log(trace, whom, **to)


def seen(looked: Any) -> list[tuple[str, str]]:
    return sorted((one.organisation, one.trace) for one in looked.looks)


async def test_a_trace_is_followed_from_organisation_to_organisation(group: Group) -> None:
    trace = new_trace_id()
    await chain(group, trace, 0, 1, 2)
    looked = await group.over(0).of(ANN, group.asserting())
    assert seen(looked) == [(f"Organisatie {number}", trace) for number in range(3)]
    assert looked.whole
    first = next(one for one in looked.looks if one.organisation == "Organisatie 0")
    assert first.other == "Organisatie 1"
    assert first.purpose is not None
    assert (first.purpose.nl, first.articles) == ("Recht vaststellen.", ("Participatiewet, art. 53a",))
    assert len(set(group.tokens)) == len(group.tokens) == 2  # an assertion of its own each


async def test_lines_about_another_person_stay_out_everywhere(group: Group) -> None:
    trace = new_trace_id()
    await chain(group, trace, 0, 1)
    await chain(group, trace, 0, 1, whom=BOB)
    assert len((await group.over(0).of(ANN, group.asserting())).looks) == 2
    assert len((await group.over(0).of(BOB, group.asserting(BOB))).looks) == 2


async def test_lines_of_another_trace_stay_out(group: Group) -> None:
    await chain(group, new_trace_id(), 0, 1)
    await group.nodes[1].log(new_trace_id(), ANN)
    assert len((await group.over(0).of(ANN, group.asserting())).looks) == 2


async def test_withheld_lines_stay_out_here_and_there_until_they_are_not(group: Group) -> None:
    trace = new_trace_id()
    await chain(group, trace, 0, 1)
    for node in group.nodes[:2]:
        await node.log(trace, ANN, withheld=True)
    assert len((await group.over(0).of(ANN, group.asserting())).looks) == 2
    group.pass_(2 * 86_400)
    assert len((await group.over(0).of(ANN, group.asserting())).looks) == 4


async def test_lines_of_earlier_years_are_found_too(group: Group) -> None:
    trace, before = new_trace_id(), MS - 200 * 86_400_000
    await group.nodes[0].log(trace, ANN, to=group.nodes[1].url)
    await group.nodes[1].log(trace, ANN, at=before)
    looked = await group.over(0).of(ANN, group.asserting())
    assert [one.began for one in looked.looks] == [MS, before]  # newest first


async def test_an_organisation_that_does_not_answer_is_named_and_the_rest_is_shown(group: Group) -> None:
    trace, other = new_trace_id(), new_trace_id()
    await chain(group, trace, 0, 1)
    await chain(group, other, 0, 2)
    group.down.add(peer(1))
    looked = await group.over(0).of(ANN, group.asserting())
    assert [(one.organisation, one.why) for one in looked.silent] == [("Organisatie 1", "peer-unreachable")]
    assert ("Organisatie 2", other) in seen(looked)
    assert not looked.whole


async def test_one_that_is_too_slow_holds_up_nobody_longer_than_its_bound(group: Group) -> None:
    await chain(group, new_trace_id(), 0, 1)
    group.slow[peer(1)] = 30
    looked = await asyncio.wait_for(group.over(0, Bounds(each=0.05)).of(ANN, group.asserting()), 5)
    assert [one.why for one in looked.silent] == ["peer-too-slow"]


async def test_all_of_them_together_are_bounded_in_time(group: Group) -> None:
    await chain(group, new_trace_id(), 0, 1)
    group.slow[peer(1)] = 30
    looked = await asyncio.wait_for(group.over(0, Bounds(seconds=0.05)).of(ANN, group.asserting()), 5)
    assert (len(looked.looks), looked.whole) == (1, False)


async def test_a_circle_ends(group: Group) -> None:
    trace = new_trace_id()
    await chain(group, trace, 0, 1, 2, 1)
    await group.nodes[2].log(trace, ANN, to=group.nodes[0].url)
    looked = await group.over(0).of(ANN, group.asserting())
    assert len(group.asked) == len(set(group.asked)) == 2
    assert looked.whole


async def test_hops_are_bounded_and_it_is_told(group: Group) -> None:
    trace = new_trace_id()
    await chain(group, trace, 0, 1, 2, 3)
    looked = await group.over(0, Bounds(hops=2)).of(ANN, group.asserting())
    assert [name for name, _ in seen(looked)] == ["Organisatie 0", "Organisatie 1", "Organisatie 2"]
    assert not looked.whole


async def test_requests_are_bounded_and_it_is_told(group: Group) -> None:
    for _ in range(5):
        await chain(group, new_trace_id(), 0, 1)
    looked = await group.over(0, Bounds(asked=3)).of(ANN, group.asserting())
    assert (len(group.asked), looked.whole) == (3, False)


async def test_own_lines_are_bounded_and_it_is_told(group: Group) -> None:
    for _ in range(5):
        await group.nodes[0].log(new_trace_id(), ANN)
    looked = await group.over(0, Bounds(lines=3)).of(ANN, group.asserting())
    assert (len(looked.looks), looked.whole) == (3, False)


async def test_an_address_of_nobody_is_asked_nothing(group: Group) -> None:
    await group.nodes[0].log(new_trace_id(), ANN, to="https://evil.example")
    looked = await group.over(0).of(ANN, group.asserting())
    assert [one.why for one in looked.silent] == ["unknown-organisation"]
    assert group.tokens == []


async def test_what_another_makes_up_of_other_traces_is_not_shown(group: Group) -> None:
    await chain(group, new_trace_id(), 0, 1)
    made_up = Line(new_trace_id(), "a" * 16, "Ok", "x" * 10_000, -5, 2**70, {})
    group.lies[peer(1)] = [made_up]
    assert len((await group.over(0).of(ANN, group.asserting())).looks) == 1


async def test_what_another_makes_up_is_cut_to_size(group: Group) -> None:
    trace = new_trace_id()
    await chain(group, trace, 0, 1)
    onward = {"dpl.read.externalReadAPI_id": 5, "dpl.core.processing_activity_id": ["x"]}
    group.lies[peer(1)] = [Line(trace, "a" * 16, "Ok", "x" * 10_000, -5, 0, onward)] * 3
    looked = await group.over(0, Bounds(found=2)).of(ANN, group.asserting())
    told = [one for one in looked.looks if one.organisation == "Organisatie 1"]
    assert [(len(one.what), one.began) for one in told] == [(300, 0)] * 2


async def test_without_an_assertion_only_this_log_is_read_and_it_is_told(group: Group) -> None:
    await chain(group, new_trace_id(), 0, 1)
    looked = await group.over(0).of(ANN, None)
    assert (len(looked.looks), group.asked, looked.whole) == (1, [], False)


def look(organisation: str, trace: str, began: int, other: str | None = None, **more: Any) -> Look:
    return Look(organisation, "Raadpleging", "urn:test:bijstand", began, trace, other=other, **more)


def test_lines_of_one_question_are_told_together_and_the_newest_question_first() -> None:
    names = (Text("uwv.loon", "uwv.loon"),)
    looks = [
        look("Gemeente", "b", 9), look("UWV", "a", 2), look("Gemeente", "a", 1, "UWV", data=names),
        look("Gemeente", "a", 1, "RDW", data=names, failed=True), look("Gemeente", "a", 3, "UWV", data=names),
    ]  # fmt: skip
    newest, before = by_question(looks)
    assert (newest.first.trace, newest.failed) == ("b", False)
    assert (before.first.began, before.failed) == (1, True)
    said = (Text("Raadpleging", "Raadpleging"),)
    assert before.told == (
        Told("Gemeente", ("UWV",), ()),  # UWV tells that itself, and in words
        Told("Gemeente", ("RDW",), names),
        Told("UWV", (), said),
    )


_LINES = st.lists(
    st.tuples(
        st.integers(0, 2), st.integers(0, 2), st.integers(0, 3), st.sampled_from([ANN, BOB]), st.booleans()
    ),
    max_size=12,
)


@given(lines=_LINES)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_an_overview_is_what_can_be_reached_and_is_theirs(
    group: Group, lines: list[tuple[int, int, int, tuple[str, str], bool]]
) -> None:
    """Each line: trace, where it stands, where it leads (3: nowhere), whom it is about, whether it is withheld."""
    traces = [new_trace_id() for _ in range(3)]
    for trace, at, to, whom, withheld in lines:
        more = {} if to == 3 else {"to": group.nodes[to].url}
        await group.nodes[at].log(traces[trace], whom, withheld=withheld, **more)
    looked = await group.over(0, Bounds(lines=1_000, asked=1_000)).of(ANN, group.asserting())
    mine = [(trace, at, to) for trace, at, to, whom, withheld in lines if whom == ANN and not withheld]
    reached = {(trace, 0) for trace, at, _ in mine if at == 0}
    while (
        more_reached := {(trace, to) for trace, at, to in mine if (trace, at) in reached and to != 3}
        - reached
    ):
        reached |= more_reached
    expected = sorted((f"Organisatie {at}", traces[trace]) for trace, at, _ in mine if (trace, at) in reached)
    assert [one for one in seen(looked) if one[1] in traces] == expected


@pytest.mark.parametrize(
    ("policies", "data", "articles"),
    [
        (None, [], ()),
        ({"disclosure": {"id": "inkomen-bijstand"}}, ["Inkomen: bsn, inkomen"], ("Participatiewet, art. 64",)),
        ({"disclosure": {"id": "gone"}}, [], ()),
        ({"disclosure": "x"}, [], ()),
    ],
)  # fmt: skip
def test_which_data_it_was_is_told_by_the_decisions_on_it(
    policies: Any, data: list[str], articles: tuple[str, ...]
) -> None:
    attributes = {} if policies is None else {"adl.core.policies": policies}
    decision = Decision("a" * 32, "b" * 16, "adl.access_evaluation", 0, "Unset", attributes=attributes)
    told, law = opened_by([decision], Grounds((dataset(),), (activity(),), (disclosure(),)))
    assert ([one.nl for one in told], law) == (data, articles)
