"""Standing questions over a real source: a signal exactly when the disclosed answer is another one, once, and never the answer."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from tests.unit.disclose.owner import ACTIVITY, ANN, ASKER, BOB, CIM, OTHER, OWNER, Owner, disclosure
from tests.unit.events.samples import Queue, Subscriptions

from sluis.disclose.rules import refused
from sluis.events.cloudevent import attributes, check_profile
from sluis.events.queue.faults import busy
from sluis.events.records import SIGNAL
from sluis.events.standing import (
    NewQuestion,
    StandingQuestion,
    StandingQuestions,
    StandingView,
    open_standing,
)
from sluis.grounds import Bound, Disclosure, Purpose, StandingRule
from sluis.kernel import Conflict, NotFound, PeerId, Period, Problem, Trace, milliseconds
from sluis.ledger import Processing, Search, open_ledger
from sluis.serve.standing import OwnersSide
from sluis.store import open_store

HOUR = timedelta(hours=1)
BY_KEY = "SELECT p.name AS name, p.city AS city FROM persons AS p WHERE p.bsn = ANY($k)"
RULE = StandingRule("PT1H", most=3)
OPEN = {"bsn": "output", "name": "output", "city": "output"}


def standing_disclosure(**changed: Any) -> Disclosure:
    return disclosure(**{"standing": RULE, "columns": OPEN, "rows": "secret = 0", **changed})


class World:
    """An owner with a source of its own, and what keeps standing questions."""

    def __init__(self, path: Path, store: Any, opened: Disclosure) -> None:
        self.path = path
        self.owner = Owner(path, opened)
        self.store, self.queue, self.subscriptions = store, Queue(), Subscriptions(ASKER)
        self.ledger = open_ledger(store, self.owner.keys, "owner.example/log", lambda: self.owner.now)
        self.agreements: Any = None
        self.side = OwnersSide(self.owner.discloser, self.owner.keys.public)
        self.standing = self.opened()

    def opened(self) -> StandingQuestions:
        """As the node is after it started (again)."""
        return open_standing(
            self.store, self.ledger, self.owner.keys, self.side, self.agreements, self.subscriptions, self.queue, OWNER,
            lambda peer: f"urn:nld:oin:{peer!s}", "own", lambda: self.owner.now,
        )  # fmt: skip

    def wish(self, *people: str, **changed: Any) -> NewQuestion:
        offers = self.owner.discloser.offers(ASKER)
        told: dict[str, Any] = {
            "sql": BY_KEY, "activity": ACTIVITY, "case": "Z-1", "dataset": "persons", "digest": offers[0].digest,
            "person": "p1", "acr": "local", "lists": {"k": list(people or (ANN,))},
        }  # fmt: skip
        reference, until = changed.pop("reference", "zaak-1"), changed.pop("until", date(2026, 7, 1))
        return NewQuestion(StandingQuestion(**{**told, **changed}), reference, until)

    async def place(self, *people: str, **changed: Any) -> StandingView:
        return await self.standing.place(
            ASKER, self.wish(*people, **changed), None, Trace.begin(), "transaction-1"
        )

    async def later(self, by: timedelta = HOUR) -> None:
        """Some time goes by, and then the round of that moment is held."""
        self.owner.now += by
        await self.standing.round()

    def change(self, sql: str, *values: Any) -> None:
        with sqlite3.connect(self.path / "people.sqlite") as connection:
            connection.execute(sql, values)
        connection.close()

    def signals(self) -> list[str | None]:
        return [subject for _, _, subject in self.queue.told()]

    async def state(self) -> tuple[str, str]:
        (found,) = await self.standing.of(ASKER)
        return found.state, found.because


@contextmanager
def world(path: Path, opened: Disclosure | None = None) -> Iterator[World]:
    store = open_store(path / "node.db")
    try:
        yield World(path, store, opened or standing_disclosure())
    finally:
        store.close()


def kept_in(path: Path) -> list[Path]:
    return [*path.glob("node.db*")]


def moves(at: World, city: str, who: str = ANN) -> None:
    at.change("UPDATE person SET city = ? WHERE bsn = ?", city, who)


# ---- a signal exactly when the answer is another one


async def test_a_change_between_two_rounds_is_one_signal_with_the_recipients_own_handle_alone(
    tmp_path: Path,
) -> None:
    with world(tmp_path) as at:
        await at.place()
        for city in (None, "Assen", None, "Zwolle"):
            if city:
                moves(at, city)
            await at.later()
        assert at.signals() == ["zaak-1", "zaak-1"]
        event, _ = at.queue.added[0]
        assert event.type == SIGNAL
        assert event.data is None
        assert set(attributes(event)) == {"specversion", "id", "source", "type", "time"}
        assert check_profile(event) == []


async def test_the_moment_of_a_signal_is_that_of_the_round_whenever_it_changed_and_however_late_the_node_was(
    tmp_path: Path,
) -> None:
    with world(tmp_path) as at:
        at.owner.now += timedelta(minutes=17)
        placed = await at.place()
        assert placed.next == milliseconds(datetime.fromisoformat("2026-06-01T13:00:00Z"))
        await at.later()
        moves(at, "Assen")
        await at.later(timedelta(minutes=40))  # 13:57: no round
        assert at.signals() == []
        await at.later(timedelta(minutes=11))
        assert [event.time for event, _ in at.queue.added] == ["2026-06-01T14:00:00.000Z"]


async def test_nothing_is_read_when_a_question_is_placed_so_that_placing_often_tells_no_moment(
    tmp_path: Path,
) -> None:
    with world(tmp_path) as at:
        await at.place(reference="before")
        moves(at, "Assen")
        await at.place(reference="after")
        assert not any(isinstance(one, Processing) for one in at.owner.log.records)
        await at.later()
        await at.later()
        assert at.signals() == []


HIDDEN = [
    ("UPDATE person SET income = income + 1 WHERE bsn = ?", ANN),  # a column that stays closed
    ("UPDATE person SET city = city || 'x' WHERE bsn = ?", CIM),  # a row that the owner hides
    ("UPDATE person SET city = city || 'x' WHERE bsn = ?", BOB),  # somebody whom the question does not name
    ("DELETE FROM person WHERE bsn = ?", CIM),
]
SHOWN = [
    ("UPDATE person SET city = city || 'x' WHERE bsn = ?", ANN),
    (
        "UPDATE person SET secret = 1 - secret WHERE bsn = ?",
        ANN,
    ),  # the owner hides the row, or shows it again
]


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rounds=st.lists(st.lists(st.sampled_from([*HIDDEN, *SHOWN]), max_size=3), min_size=1, max_size=4))
async def test_what_is_hidden_never_causes_a_signal_and_what_is_shown_always_does(
    tmp_path_factory: pytest.TempPathFactory, rounds: Sequence[Sequence[tuple[str, str]]]
) -> None:
    with world(tmp_path_factory.mktemp("w")) as at:
        await at.place(ANN, CIM)
        await at.later()
        answer, expected = seen(at), 0
        for changes in rounds:
            for change in changes:
                at.change(*change)
            await at.later()
            before, answer = answer, seen(at)
            expected += before != answer
        assert len(at.signals()) == expected


def seen(at: World) -> list[tuple[Any, ...]]:
    """The disclosed answer, worked out by hand."""
    with sqlite3.connect(at.path / "people.sqlite") as connection:
        sql = "SELECT name, city FROM person WHERE bsn IN (?, ?) AND secret = 0 ORDER BY bsn"
        found = connection.execute(sql, (ANN, CIM)).fetchall()
    connection.close()
    return found


# ---- nothing is lost, and nothing is done twice


async def test_what_was_kept_before_a_restart_counts_after_it(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        await at.place()
        await at.later()
        moves(at, "Assen")
        at.standing = at.opened()
        await at.later()
        assert at.signals() == ["zaak-1"]


async def test_a_crash_between_reading_and_telling_gives_exactly_one_signal(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        await at.place()
        await at.later()
        moves(at, "Assen")
        at.queue.broken = True
        await at.later()
        assert at.signals() == []
        at.queue.broken, at.standing = False, at.opened()
        for _ in range(2):
            await at.later(timedelta(seconds=1))
        await at.later()
        assert at.signals() == ["zaak-1"]


async def test_who_has_no_subscription_is_told_as_soon_as_it_has(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        await at.place()
        await at.later()
        moves(at, "Assen")
        at.subscriptions.owners.clear()
        await at.later()
        assert await at.state() == ("standing", "no-subscription")
        at.subscriptions.owners.add(ASKER)
        await at.later()
        assert at.signals() == ["zaak-1"]
        assert await at.state() == ("standing", "")


async def test_the_state_of_a_question_without_a_subscription_does_not_say_whether_its_answer_changed(
    tmp_path: Path,
) -> None:
    with world(tmp_path) as at:
        at.subscriptions.owners.clear()
        await at.place()
        seen = []
        for city in ("", "", "Assen", "", "Zwolle"):
            if city:
                moves(at, city)
            await at.later()
            seen.append(await at.state())
        assert seen == [("standing", "no-subscription")] * 5
        assert at.signals() == []


async def test_a_source_that_fails_is_told_in_the_state_and_is_no_signal(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        await at.place()
        await at.later()
        at.change("ALTER TABLE person RENAME TO away")
        await at.later()
        assert await at.state() == ("standing", "source-unavailable")
        at.change("ALTER TABLE away RENAME TO person")
        moves(at, "Assen")
        await at.later()
        assert at.signals() == ["zaak-1"]


async def test_what_cannot_be_recorded_is_done_again_in_the_same_round(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        await at.place()
        await at.later()
        moves(at, "Assen")
        at.owner.log.broken = busy()
        await at.later()
        assert at.signals() == []
        at.owner.log.broken = None
        await at.later(timedelta(seconds=10))
        assert at.signals() == ["zaak-1"]


# ---- what ends a question


async def test_it_ends_after_its_last_day_and_what_was_asked_is_gone(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        await at.place(until=date(2026, 6, 1))
        await at.later()
        assert await at.state() == ("standing", "")
        await at.later(timedelta(days=1))
        assert await at.state() == ("ended", "until")
        with at.store.read() as connection:
            kept = connection.execute(text("SELECT question, digest FROM events_standing")).one()
        assert tuple(map(bytes, kept)) == (b"", b"")
        at.owner.now += timedelta(days=31)
        await at.standing.sweep()
        assert await at.standing.of(ASKER) == []


async def test_it_ends_with_its_disclosure(tmp_path: Path) -> None:
    with world(tmp_path, standing_disclosure(valid=Period(date(2026, 1, 1), date(2026, 6, 2)))) as at:
        await at.place()
        await at.later(timedelta(days=2))
        assert await at.state() == ("ended", "not-valid-today")


async def test_it_ends_when_the_disclosure_is_another_one(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        await at.place()
        await at.later()
        at.owner = Owner(tmp_path, standing_disclosure(version=2))
        at.side = OwnersSide(at.owner.discloser, at.owner.keys.public)
        at.owner.now = datetime.fromisoformat("2026-06-01T13:30:00Z")
        at.standing = at.opened()
        await at.later()
        assert await at.state() == ("ended", "disclosure-changed")


async def test_ending_is_for_who_placed_it_and_is_done_once(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        placed = await at.place()
        with pytest.raises(NotFound):
            await at.standing.end(OTHER, placed.id, Trace.begin())
        for _ in range(2):
            await at.standing.end(ASKER, placed.id, Trace.begin())
        assert await at.state() == ("ended", "withdrawn")
        moves(at, "Assen")
        await at.later(2 * HOUR)
        assert at.signals() == []


class Contracts:
    """Contracts that come and go."""

    def __init__(self, *purposes: Purpose) -> None:
        self.standing = purposes

    def purposes(self, peer: PeerId) -> Sequence[Purpose]:
        return self.standing if peer == ASKER else ()


class UnderContract(OwnersSide):
    """Answers under a contract alone, as an owner in a group does."""

    async def read(
        self, peer: PeerId, question: StandingQuestion, purpose: Purpose | None, *more: Any
    ) -> list[bytes]:
        if purpose is None or not purpose.covers(question.activity, "d-persons", question.digest):
            raise refused("contract-missing")
        return await super().read(peer, question, purpose, *more)


async def test_it_is_read_under_the_contract_in_force_and_ends_with_it(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        placed = await at.place()
        digest = at.wish().question.digest
        at.agreements = contracts = Contracts(Purpose(ACTIVITY, (Bound("d-persons", digest),)))
        at.side = UnderContract(at.owner.discloser, at.owner.keys.public)
        at.standing = at.opened()
        await at.later()
        assert (placed.state, await at.state()) == ("standing", ("standing", ""))
        contracts.standing = ()
        await at.later()
        assert await at.state() == ("ended", "contract-missing")


# ---- what is refused


@pytest.mark.parametrize(
    ("opened", "changed", "code"),
    [
        (standing_disclosure(standing=None), {}, "no-standing-questions"),
        (standing_disclosure(), {"activity": "https://example.nl/other"}, "not-disclosed"),
        (standing_disclosure(), {"digest": "sha256:" + "0" * 64}, "disclosure-changed"),
        (standing_disclosure(), {"dataset": "jobs"}, "not-disclosed"),
        (standing_disclosure(), {"sql": "SELECT p.income AS i FROM persons AS p WHERE p.bsn = ANY($k)"}, "column-closed"),
        (standing_disclosure(), {"sql": "SELECT p.name AS n FROM persons AS p", "lists": {}}, "subject-required"),
        (standing_disclosure(), {"until": date(2026, 5, 31)}, "invalid-until"),
        (standing_disclosure(), {"until": date(2028, 1, 1)}, "invalid-until"),
    ],
)  # fmt: skip
async def test_a_question_that_a_consultation_would_refuse_does_not_stand(
    tmp_path: Path, opened: Disclosure, changed: dict[str, Any], code: str
) -> None:
    with world(tmp_path, opened) as at:
        with pytest.raises(Problem) as caught:
            await at.place(**changed)
        assert caught.value.code == code
        assert await at.standing.of(ASKER) == []


async def test_one_reference_is_one_question_and_there_is_room_for_so_many(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        await at.place()
        with pytest.raises(Conflict) as caught:
            await at.place(BOB)
        assert caught.value.code == "reference-in-use"
        for reference in ("zaak-2", "zaak-3"):
            placed = await at.place(reference=reference)
        with pytest.raises(Conflict) as caught:
            await at.place(reference="zaak-4")
        assert caught.value.code == "too-many-standing-questions"
        await at.standing.end(ASKER, placed.id, Trace.begin())
        await at.place(reference="zaak-3")


# ---- on record, and sealed


async def test_placing_telling_and_ending_are_lines_about_whom_the_question_names(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        placed = await at.place()
        await at.later()
        moves(at, "Assen")
        await at.later()
        await at.standing.end(ASKER, placed.id, Trace.begin())
        lines = await at.ledger.processing_of(Search(subjects=at.ledger.subjects("BSN", ANN)), withheld=False)
        assert {one.name for one in lines} == {
            "Staande vraag: persons",
            "Signaal dat een antwoord wijzigde: persons",
            "Einde staande vraag: persons",
        }
        assert at.owner.log.subjects() == [ANN, ANN]  # each round is a consultation, with its lines


async def test_neither_the_question_nor_the_answer_is_in_the_database(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        await at.place()
        await at.later()
    content = b"".join(file.read_bytes() for file in kept_in(tmp_path))
    assert b"events_standing" in content
    for secret in (ANN, "zaak-1", "Zwolle", "p.city"):
        assert secret.encode() not in content


async def test_the_same_answer_of_two_questions_has_two_digests(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        await at.place()
        await at.place(reference="zaak-2")
        await at.later()
        with at.store.read() as connection:
            kept = connection.execute(text("SELECT digest FROM events_standing")).scalars().all()
        assert len(set(map(bytes, kept))) == len(kept) == 2


def test_a_question_does_not_show_itself() -> None:
    assert (
        repr(StandingQuestion("SELECT 1", "urn:a", "Z", "persons", "sha256:" + "1" * 64, "p", "local"))
        == "StandingQuestion(•)"
    )
