"""Interests: only recipients register, under their contract; what is kept says nothing about whom; all is on record."""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, text
from tests.unit.events.samples import (
    ACTIVITY_ID,
    EVENT,
    FIRST,
    NOTICE,
    SECOND,
    SOURCE,
    Source,
    grounds,
    notice,
    refused,
    source,
)

from sluis.crypto import encode_base64url
from sluis.events.interests import Bounds, Ending, NewInterest, Reference, Registration, Whom
from sluis.grounds import Purpose, offered_notice
from sluis.grounds.purpose import Bound
from sluis.kernel import Conflict, Invalid, PeerId, Problem, Refused, Trace
from sluis.ledger import Search

ANNA, BEN = Whom("BSN", "999990019"), Whom("BSN", "999990020")
UNTIL = date(2026, 7, 1)
AGREED = Purpose(ACTIVITY_ID, notices=(Bound(NOTICE.id, offered_notice(SOURCE, EVENT, NOTICE).digest),))


class Agreements:
    """Contracts with one purpose for one peer, or none."""

    def __init__(self, *purposes: Purpose) -> None:
        self.standing = list(purposes)

    def purposes(self, peer: PeerId) -> Iterable[Purpose]:
        return self.standing if peer == FIRST else []


def wish(
    *whom: Whom, notice: str = NOTICE.id, reference: str = "zaak-1", until: date = UNTIL
) -> Registration:
    return Registration(
        notice, tuple(NewInterest(one, f"{reference}-{at}", until) for at, one in enumerate(whom))
    )


async def register(
    at: Source, wanted: Registration, peer: PeerId = FIRST, purpose: Purpose | None = None
) -> tuple[int, int]:
    done = await at.interests.register(peer, wanted, purpose, Trace.begin())
    return done.registered, done.renewed


def kept_in(directory: Path) -> list[Path]:
    return [*directory.glob("node.db*")]


def rows(at: Source) -> list[tuple[bytes, ...]]:
    with at.store.read() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT * FROM events_interests"))]


async def test_registering_again_renews(tmp_path: Path) -> None:
    with source(tmp_path) as at:
        assert await register(at, wish(ANNA)) == (1, 0)
        assert await register(at, wish(ANNA, BEN, reference="zaak-2")) == (1, 1)
        found = await at.interests.registered(FIRST, NOTICE.id, None)
        assert {(one.reference, one.until) for one in found.interests} == {
            ("zaak-2-0", UNTIL),
            ("zaak-2-1", UNTIL),
        }


async def test_neither_the_person_nor_the_reference_is_in_the_database(tmp_path: Path) -> None:
    with source(tmp_path) as at:
        await register(at, wish(ANNA, BEN))
    content = b"".join(file.read_bytes() for file in kept_in(tmp_path))
    assert b"events_interests" in content
    assert b"zaak-1" not in content
    assert ANNA.value.encode() not in content


async def test_the_pseudonym_here_is_not_the_one_in_the_log(tmp_path: Path) -> None:
    with source(tmp_path) as at:
        log = at.ledger.subject(ANNA.kind, ANNA.value, at.now)
        assert encode_base64url(at.interests.digest(ANNA)) != log


async def test_every_change_is_a_line_about_the_person_that_names_the_recipient(tmp_path: Path) -> None:
    with source(tmp_path) as at:
        await register(at, wish(ANNA))
        await at.interests.end(FIRST, Ending(NOTICE.id, (ANNA,)), None, Trace.begin())
        lines = await at.ledger.processing_of(
            Search(subjects=at.ledger.subjects(ANNA.kind, ANNA.value)), withheld=False
        )
        assert {one.name for one in lines} == {
            "Afnemersindicatie: Besluit genomen",
            "Einde afnemersindicatie: Besluit genomen",
        }
        assert {one.attributes["dpl.core.foreign_operation.processor"] for one in lines} == {
            f"urn:nld:oin:{FIRST!s}"
        }
        assert {one.attributes["dpl.core.processing_activity_id"] for one in lines} == {ACTIVITY_ID}


async def test_what_is_over_counts_no_more_and_is_swept(tmp_path: Path) -> None:
    with source(tmp_path) as at:
        await register(at, wish(ANNA))
        digest = at.interests.digest(ANNA)
        assert at.interests.relevant([digest]) == {(NOTICE.id, digest): "zaak-1-0"}
        at.now += timedelta(days=31)
        assert at.interests.relevant([digest]) == {}
        await at.interests.sweep()
        assert rows(at) == []


async def test_ending_ends_that_person_alone(tmp_path: Path) -> None:
    with source(tmp_path) as at:
        await register(at, wish(ANNA, BEN))
        ended = await at.interests.end(FIRST, Ending(NOTICE.id, (ANNA,)), None, Trace.begin())
        assert ended.ended == 1
        assert (await at.interests.end(FIRST, Ending(NOTICE.id, (ANNA,)), None, Trace.begin())).ended == 0
        assert [reference for _, reference in at.interests.relevant([at.interests.digest(BEN)]).items()] == [
            "zaak-1-1"
        ]


@pytest.mark.parametrize("said", ["", "zaak\n", "zaak\r\nX: y", " zaak", "zaak ", "za\u200bak", "x" * 101])
def test_a_reference_is_one_that_an_event_can_carry(said: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(said, Reference)


@pytest.mark.parametrize("id", [NOTICE.id, "nothing"])
async def test_who_is_no_recipient_learns_not_even_that_there_is_a_notice(tmp_path: Path, id: str) -> None:
    with source(tmp_path) as at, refused(Refused, "notice-not-yours"):
        await register(at, wish(ANNA, notice=id), peer=SECOND)


async def test_under_contracts_the_one_it_came_under_must_cover_the_notice_as_it_is(tmp_path: Path) -> None:
    other = Purpose(ACTIVITY_ID, notices=(Bound(NOTICE.id, "sha256:" + "0" * 64),))
    with source(tmp_path, agreements=Agreements(AGREED)) as at:
        for purpose in (None, other):
            with refused(Refused, "contract-missing"):
                await register(at, wish(ANNA), purpose=purpose)
        assert await register(at, wish(ANNA), purpose=AGREED) == (1, 0)


async def test_the_decision_point_can_refuse(tmp_path: Path) -> None:
    with (
        source(tmp_path, agreements=Agreements()) as at,
        refused(Refused, "notice-not-permitted"),
    ):
        await register(at, wish(ANNA), purpose=AGREED)  # a contract that is in force no more


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (wish(ANNA, ANNA), "subject-twice"),
        (wish(Whom("urn:other", "1")), "invalid-interest"),
        (wish(Whom("BSN", "12345")), "invalid-interest"),
        (wish(ANNA, until=date(2026, 5, 31)), "invalid-interest"),
        (wish(ANNA, until=date(2028, 1, 1)), "invalid-interest"),
        (wish(ANNA, reference="ander"), "reference-twice"),
    ],
)
async def test_what_is_not_right_is_refused_as_a_whole(
    tmp_path: Path, wanted: Registration, code: str
) -> None:
    with source(tmp_path) as at:
        with refused(Invalid, code) as problem:
            await register(
                at, Registration(NOTICE.id, (*wish(BEN, reference="ander").interests, *wanted.interests))
            )
        assert rows(at) == []
        assert not any(one.subject.value in str(problem.value) for one in wanted.interests)


async def test_there_is_room_for_so_many(tmp_path: Path) -> None:
    with source(tmp_path, bounds=Bounds(each=1, test=True)) as at:
        await register(at, wish(ANNA))
        await register(at, wish(ANNA))  # renewing takes no room
        with refused(Conflict, "too-many-interests"):
            await register(at, wish(BEN))
        assert len(rows(at)) == 1
        subjects = at.ledger.subjects(BEN.kind, BEN.value)
        assert await at.ledger.processing_of(Search(subjects=subjects), withheld=True) == []


async def test_a_notice_to_everybody_takes_no_interests(tmp_path: Path) -> None:
    with source(tmp_path, grounds(notice(interest=False))) as at, refused(Invalid, "no-interest-needed"):
        await register(at, wish(ANNA))


async def test_a_long_list_comes_in_pages(tmp_path: Path) -> None:
    with source(tmp_path) as at:
        some = [Whom("BSN", f"{number:09}") for number in range(1, 1002)]
        await register(at, wish(*some[:1000]))
        await register(at, wish(some[1000], reference="last"))
        first = await at.interests.registered(FIRST, NOTICE.id, None)
        second = await at.interests.registered(FIRST, NOTICE.id, None, first.next_cursor)
        assert (len(first.interests), len(second.interests), second.next_cursor) == (1000, 1, "")
        with refused(Problem, "unknown-cursor"):
            await at.interests.registered(FIRST, NOTICE.id, None, "=")


async def test_what_was_registered_for_a_notice_that_becomes_anothers_tells_that_one_nothing(
    tmp_path: Path,
) -> None:
    with source(tmp_path) as at:
        await register(at, wish(ANNA))
    with source(tmp_path, grounds(notice(version=2, recipient=SECOND))) as at:
        assert at.interests.relevant([at.interests.digest(ANNA)]) == {}
        assert (await at.interests.registered(SECOND, NOTICE.id, None)).interests == ()
        await register(at, wish(ANNA, reference="hun"), SECOND)
        assert list(at.interests.relevant([at.interests.digest(ANNA)]).values()) == ["hun-0"]


async def test_ending_takes_back_what_is_on_its_way_in_the_same_commit(tmp_path: Path) -> None:
    taken = list[Any]()
    with source(tmp_path) as at:
        await register(at, wish(ANNA, BEN))
        at.interests.withdraw = lambda connection, *asked: taken.append((*asked, rows_now(connection)))
        await at.interests.end(FIRST, Ending(NOTICE.id, (ANNA,)), None, Trace.begin())
        assert taken == [(FIRST, NOTICE.id, [at.interests.digest(ANNA)], 1)]


def rows_now(connection: Connection) -> int:
    return int(connection.execute(text("SELECT COUNT(*) FROM events_interests")).scalar_one())
