"""Consents: given, narrowed, seen and revoked by the person they are of; durable, and on record."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.grounds.examples import ACTIVITY_ID, RECIPIENT, THIRD, activity, dataset, disclosure

from sluis.crypto import FileKeyStore
from sluis.grounds import Grounds
from sluis.grounds.consents import Consents, Narrowing, Terms, open_consents
from sluis.grounds.consents.service import KEPT
from sluis.kernel import Conflict, Invalid, NotFound, Unkept
from sluis.ledger import Ledger, open_ledger
from sluis.store import Store, open_store

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TODAY = NOW.date()
ANN, BOB = ("BSN", "999990019"), ("BSN", "999990020")  # fictitious
GROUNDS = Grounds(
    (dataset(),),
    (activity(),),
    (disclosure(ground="consent", columns={"bsn": "output", "jaar": "output", "inkomen": "output"}),),
)


class Kept:
    """One database, opened as often as a node starts."""

    def __init__(self, home: Path) -> None:
        self.home, self.now, self.stores = home, NOW, list[Store]()
        self.consents, self.ledger = self.start()

    def start(self) -> tuple[Consents, Ledger]:
        for store in self.stores:
            store.close()
        store, keys = open_store(self.home / "node.db"), FileKeyStore(self.home / "keys")
        self.stores.append(store)
        ledger = open_ledger(store, keys, "test/consents", lambda: self.now)
        self.consents = open_consents(store, ledger, keys, GROUNDS, lambda: self.now)
        return self.consents, ledger

    def opens(self, whom: tuple[str, str] = ANN, *columns: str, **changed: Any) -> bool:
        told = {"recipient": RECIPIENT, "activity": ACTIVITY_ID, "dataset": "inkomen"} | changed
        return self.consents.opens(whom, columns=columns, **told)

    def records(self) -> list[dict[str, Any]]:
        log = self.ledger.log
        return [json.loads(log.stored(index).json or b"{}") for index in range(log.size())]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(tmp_path)
    yield kept
    kept.stores[-1].close()


def terms(*columns: str, **changed: Any) -> Terms:
    told: dict[str, Any] = {
        "recipient": RECIPIENT, "activity": ACTIVITY_ID, "datasets": {"inkomen": columns},
        "until": TODAY + timedelta(30),
    }  # fmt: skip
    return Terms(**told | changed)


async def test_a_consent_opens_what_it_names_to_whom_it_names_for_what_it_names(kept: Kept) -> None:
    assert not kept.opens(ANN, "inkomen")
    await kept.consents.give(ANN, terms("inkomen"), "p")
    assert kept.opens(ANN, "inkomen")
    assert not kept.opens(ANN, "inkomen", "jaar")
    assert not kept.opens(BOB, "inkomen")
    assert not kept.opens(ANN, "inkomen", recipient=THIRD)
    assert not kept.opens(ANN, "inkomen", activity="urn:other")
    assert not kept.opens(ANN, "inkomen", dataset="other")


async def test_no_columns_named_means_those_of_now_by_name(kept: Kept) -> None:
    made = await kept.consents.give(ANN, terms(), "p")
    assert made.datasets == {"inkomen": ("jaar", "inkomen")}  # never the key of the person


async def test_it_holds_from_its_first_day_to_its_last(kept: Kept) -> None:
    since, until = TODAY + timedelta(2), TODAY + timedelta(4)
    await kept.consents.give(ANN, terms("inkomen", since=since, until=until), "p")
    held = []
    for days in range(7):
        kept.now = NOW + timedelta(days)
        held.append(kept.opens(ANN, "inkomen"))
    assert held == [False, False, True, True, True, False, False]


async def test_a_number_that_lost_its_zeros_is_the_same_person(kept: Kept) -> None:
    await kept.consents.give(("BSN", "012345678"), terms("inkomen"), "p")
    assert kept.opens(("BSN", "12345678"), "inkomen")


async def test_what_was_revoked_opens_nothing_and_stays_known(kept: Kept) -> None:
    made = await kept.consents.give(ANN, terms("inkomen"), "p")
    ended = await kept.consents.revoke(made.id, "p", ANN)
    assert not kept.opens(ANN, "inkomen")
    assert ended.revoked is not None
    assert kept.consents.of(ANN) == [ended]
    assert await kept.consents.revoke(made.id, "p", ANN) == ended
    assert [one["action"] for one in kept.records()] == ["consent.give", "consent.revoke"]
    with pytest.raises(Conflict):
        await kept.consents.narrow(made.id, Narrowing(until=TODAY), "p", ANN)


async def test_a_node_that_starts_again_knows_what_was_given_and_taken(kept: Kept) -> None:
    first = await kept.consents.give(ANN, terms("inkomen"), "p")
    await kept.consents.give(BOB, terms("inkomen"), "p")
    await kept.consents.revoke(first.id, "p")
    kept.start()
    assert (kept.opens(ANN, "inkomen"), kept.opens(BOB, "inkomen")) == (False, True)
    assert [one.revoked is not None for one in kept.consents.of(ANN)] == [True]


async def test_less_is_left_of_a_narrowed_one(kept: Kept) -> None:
    made = await kept.consents.give(ANN, terms(), "p")
    change = Narrowing({"inkomen": ("jaar",)}, TODAY + timedelta(3))
    await kept.consents.narrow(made.id, change, "p", ANN)
    assert (kept.opens(ANN, "jaar"), kept.opens(ANN, "inkomen")) == (True, False)
    kept.now = NOW + timedelta(4)
    assert not kept.opens(ANN, "jaar")


@pytest.mark.parametrize(
    "change",
    [
        Narrowing({"inkomen": ("jaar", "inkomen")}), Narrowing({"other": ()}), Narrowing({}),
        Narrowing(until=TODAY + timedelta(31)), Narrowing(until=TODAY - timedelta(1)),
    ],
)  # fmt: skip
async def test_a_change_that_widens_or_leaves_nothing_is_refused(kept: Kept, change: Narrowing) -> None:
    made = await kept.consents.give(ANN, terms("inkomen"), "p")
    with pytest.raises(Invalid):
        await kept.consents.narrow(made.id, change, "p", ANN)
    assert kept.consents.of(ANN) == [made]
    assert len(kept.records()) == 1


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"recipient": THIRD}, NotFound), ({"activity": "urn:other"}, NotFound), ({"datasets": {"other": ()}}, NotFound),
        ({"datasets": {}}, Invalid), ({"datasets": {"inkomen": ("vermogen",)}}, Invalid),
        ({"until": TODAY - timedelta(1)}, Invalid), ({"since": TODAY + timedelta(31)}, Invalid),
    ],
)  # fmt: skip
async def test_only_what_is_asked_for_can_be_consented_to(
    kept: Kept, changed: dict[str, Any], problem: type[Exception]
) -> None:
    with pytest.raises(problem):
        await kept.consents.give(ANN, terms(**changed), "p")
    assert kept.records() == []


async def test_another_kind_of_key_is_asked_for_nothing(kept: Kept) -> None:
    with pytest.raises(NotFound):
        await kept.consents.give(("urn:other", "x"), terms("inkomen"), "p")


async def test_anothers_consent_reads_as_one_that_is_not_there(kept: Kept) -> None:
    made = await kept.consents.give(ANN, terms("inkomen"), "p")
    told = []
    for id, whom in ((made.id, BOB), ("f" * 32, ANN)):
        with pytest.raises(NotFound) as caught:
            await kept.consents.revoke(id, "p", whom)
        told.append(str(caught.value))
    assert told[0] == told[1]
    assert kept.opens(ANN, "inkomen")
    assert kept.consents.of(BOB) == []


async def test_a_consent_that_ended_long_ago_is_forgotten_and_stays_provable(kept: Kept) -> None:
    ended = await kept.consents.give(ANN, terms("inkomen"), "p")
    revoked = await kept.consents.give(ANN, terms("inkomen", until=TODAY + timedelta(9_000)), "p")
    await kept.consents.revoke(revoked.id, "p", ANN)
    standing = await kept.consents.give(ANN, terms("inkomen", until=TODAY + timedelta(9_000)), "p")
    kept.now = NOW + KEPT
    await kept.consents.tidy()
    assert len(kept.consents.of(ANN)) == 3
    kept.now = NOW + KEPT + timedelta(1)
    await kept.consents.tidy()
    assert {one.id for one in kept.consents.of(ANN)} == {ended.id, standing.id}
    kept.now = NOW + KEPT + timedelta(31)
    await kept.consents.tidy()
    assert kept.consents.of(ANN) == [standing]
    assert kept.opens(ANN, "inkomen")
    told = kept.records()
    assert [one["action"] for one in told[-2:]] == ["consent.forget", "consent.forget"]
    assert told[-1]["body"] == {"count": 1, "ended_before": (kept.now.date() - KEPT).isoformat()}
    assert [one.action for _, one in kept.ledger.log.arrangements(revoked.id)] == [
        "consent.give",
        "consent.revoke",
    ]


async def test_every_change_is_on_record_without_the_number_of_the_person(kept: Kept) -> None:
    made = await kept.consents.give(ANN, terms("inkomen"), "official")
    await kept.consents.narrow(made.id, Narrowing(until=TODAY), "official")
    await kept.consents.revoke(made.id, "official")
    records = kept.records()
    assert [one["action"] for one in records] == ["consent.give", "consent.narrow", "consent.revoke"]
    assert {one["kind"] for one in records} == {"admin"}
    assert {one["actor"] for one in records} == {"official"}
    assert records[1]["body"]["until"] == TODAY.isoformat()
    assert ANN[1] not in json.dumps(records)
    assert len(kept.ledger.log.arrangements(made.id)) == 3


async def test_what_cannot_be_recorded_was_not_given(kept: Kept) -> None:
    kept.stores[-1].close()
    with pytest.raises(Unkept):
        await kept.consents.give(ANN, terms("inkomen"), "p")
    assert not kept.opens(ANN, "inkomen")


async def test_changes_at_once_come_one_after_another(kept: Kept) -> None:
    made = await kept.consents.give(ANN, terms(), "p")
    outcomes = await asyncio.gather(
        kept.consents.revoke(made.id, "p"),
        kept.consents.narrow(made.id, Narrowing({"inkomen": ("jaar",)}), "p"),
        kept.consents.revoke(made.id, "p"),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], Conflict)
    assert not kept.opens(ANN, "jaar")
    assert len(kept.records()) == 2


async def test_an_operator_sees_what_is_in_force(kept: Kept) -> None:
    first = await kept.consents.give(ANN, terms("inkomen"), "p")
    await kept.consents.give(BOB, terms("jaar", since=TODAY + timedelta(1)), "p")
    (asked,) = kept.consents.requests()
    assert asked.columns == ("jaar", "inkomen")
    assert kept.consents.in_force(asked) == 1
    assert len(kept.consents.every(RECIPIENT, ACTIVITY_ID)) == 2
    assert kept.consents.every(THIRD) == []
    await kept.consents.revoke(first.id, "p")
    assert kept.consents.in_force(asked) == 0


_COLUMNS = st.lists(st.sampled_from(["jaar", "inkomen"]), unique=True).map(tuple)
_DAYS = st.integers(-1, 3).map(lambda days: TODAY + timedelta(days))
_STEPS = st.one_of(
    st.tuples(st.just("give"), st.sampled_from([ANN, BOB]), _COLUMNS, _DAYS, _DAYS),
    st.tuples(st.just("narrow"), st.integers(0, 5), _COLUMNS, st.one_of(st.none(), _DAYS)),
    st.tuples(st.just("revoke"), st.integers(0, 5)),
    st.tuples(st.just("pass"), st.integers(1, 2)),
    st.tuples(st.just("start")),
)


class Reference:
    """What the rules say, in other words: every consent as a list of (day, column) that it opens."""

    def __init__(self) -> None:
        self.given: list[tuple[tuple[str, str], set[tuple[date, str]]]] = []

    def opens(self, whom: tuple[str, str], day: date, columns: tuple[str, ...]) -> bool:
        told = {column for who, opened in self.given if who == whom for when, column in opened if when == day}
        return bool(told) and told.issuperset(columns)


@given(steps=st.lists(_STEPS, max_size=12))
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_whatever_is_done_consents_open_what_the_reference_says(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]]
) -> None:
    kept, reference, ids = Kept(tmp_path_factory.mktemp("kept")), Reference(), list[str]()
    for what, *details in steps:
        today = kept.now.date()
        try:
            if what == "give":
                whom, columns, since, until = details
                made = await kept.consents.give(whom, terms(*columns, since=since, until=until), "p")
                ids.append(made.id)
                days = [since + timedelta(n) for n in range((until - since).days + 1)]
                opened = {(day, column) for day in days for column in columns or ("jaar", "inkomen")}
                reference.given.append((whom, opened))
            elif what == "narrow" and details[0] < len(ids):
                at, columns, until = details
                change = Narrowing({"inkomen": columns} if columns else None, until)
                await kept.consents.narrow(ids[at], change, "p")
                who, opened = reference.given[at]
                left = {(day, column) for day, column in opened if (not columns or column in columns) and (not until or day <= until)}  # fmt: skip
                reference.given[at] = (who, left)
            elif what == "revoke" and details[0] < len(ids):
                await kept.consents.revoke(ids[details[0]], "p")
                reference.given[details[0]] = (reference.given[details[0]][0], set())
            elif what == "pass":
                kept.now += timedelta(details[0])
            elif what == "start":
                kept.start()
        except (Invalid, NotFound, Conflict):
            pass
        today = kept.now.date()
        for whom in (ANN, BOB):
            for columns in (("jaar",), ("inkomen",), ("jaar", "inkomen")):
                assert kept.opens(whom, *columns) == reference.opens(whom, today, columns)
    kept.stores[-1].close()
