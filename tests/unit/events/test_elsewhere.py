"""A recipient registers elsewhere only when it is on record here, under a contract for the notice, in parts."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.events.samples import EVENT, FIRST, NOTICE, NOW, SOURCE, Source, refused, source
from tests.unit.events.test_interests import AGREED, ANNA

from sluis.events.interests import (
    NewInterest,
    Registrar,
    Whom,
    WishedInterests,
    open_references,
    open_registered,
)
from sluis.events.interests.elsewhere import Unrenewed
from sluis.gateway import Answer
from sluis.grounds import Purpose, Withhold, offered_notice
from sluis.grounds.purpose import Bound
from sluis.kernel import Clock, NotFound, PeerId, Refused, Text, Trace, Unkept, Upstream, encode
from sluis.ledger import Search

UNTIL = date(2026, 7, 1)


class Link:
    """Answers as a source would; keeps what was asked, and whether a contract would have covered it."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.status, self.answer = 200, b'{"registered": 1, "renewed": 0}'
        self.covered: list[bool] = []
        self.offered = offered_notice(SOURCE, EVENT, NOTICE)

    @asynccontextmanager
    async def send(
        self, peer: PeerId, method: str, path: str, headers: Mapping[str, str], body: bytes, seconds: float,
        covers: Any = None, ready: Any = None,
    ) -> AsyncIterator[Answer]:  # fmt: skip
        if ready is not None:
            await ready
        status, content = self.status, self.answer
        if path == "/v1/notices":
            status, content = 200, encode([self.offered])
        else:
            self.bodies.append(msgspec.json.decode(body or b"{}"))
            others = (
                Purpose("urn:other", notices=AGREED.notices),
                Purpose(AGREED.activity, (Bound("d", "sha256:" + "0" * 64),)),
            )
            self.covered.append(covers(AGREED) and not any(map(covers, others)))

        async def pieces() -> AsyncIterator[bytes]:
            yield content

        yield Answer(status, {}, pieces())

    async def close(self) -> None:
        pass


def registrar(at: Source, link: Link, clock: Clock = lambda: NOW) -> Registrar:
    return Registrar(
        link, at.ledger, open_references(at.store, at.keys, lambda: NOW),
        open_registered(at.store, at.keys, clock), {"bron": SOURCE}, lambda peer: "De bron", lambda peer: f"urn:nld:oin:{peer!s}", "ontvanger",
        clock, 5,
    )  # fmt: skip


def wish(count: int = 1, **changed: str) -> WishedInterests:
    some = tuple(
        NewInterest(Whom("BSN", f"{n:09}"), f"z-{n}", UNTIL) for n in range(999990019, 999990019 + count)
    )
    return WishedInterests(**{"source": "bron", "notice": NOTICE.id, **changed}, interests=some)


async def test_it_is_on_record_here_before_anything_leaves(tmp_path: Path) -> None:
    with source(tmp_path, own=FIRST) as at:
        link = Link()
        await registrar(at, link).register(wish(), Trace.begin())
        lines = await at.ledger.processing_of(
            Search(subjects=at.ledger.subjects(ANNA.kind, ANNA.value)), withheld=False
        )
        assert [(one.name, one.attributes["dpl.core.foreign_operation.processor"]) for one in lines] == [
            ("Afnemersindicatie bij De bron: Besluit genomen", f"urn:nld:oin:{SOURCE!s}")
        ]
        assert link.covered == [True]


async def test_without_a_record_nothing_leaves(tmp_path: Path) -> None:
    with source(tmp_path, own=FIRST) as at:
        link = Link()
        registers = registrar(at, link)
        at.store.close()
        with refused(Unkept, "store-too-busy"):
            await registers.register(wish(), Trace.begin())
        assert link.bodies == []


async def test_many_go_in_parts(tmp_path: Path) -> None:
    with source(tmp_path, own=FIRST) as at:
        link = Link()
        done = await registrar(at, link).register(wish(1001), Trace.begin())
        assert [len(one["interests"]) for one in link.bodies] == [1000, 1]
        assert (done.registered, done.renewed) == (2, 0)


async def test_what_the_source_refuses_comes_back_as_it_said(tmp_path: Path) -> None:
    problem = Refused("contract-missing", *[Text("Nee", "No")] * 3, rule="contract-missing")
    with source(tmp_path, own=FIRST) as at:
        link = Link()
        link.status, link.answer = 403, msgspec.json.encode(problem.members("nl"))
        with refused(Refused, "contract-missing") as raised:
            await registrar(at, link).register(wish(), Trace.begin())
        assert raised.value.peer == "De bron"


@pytest.mark.parametrize(
    ("status", "answer"), [(200, b"<html>"), (200, b"{}"), (502, b"{}"), (200, b"x" * 5_000_000)]
)
async def test_what_is_no_answer_is_told_as_such(tmp_path: Path, status: int, answer: bytes) -> None:
    with source(tmp_path, own=FIRST) as at:
        link = Link()
        link.status, link.answer = status, answer
        with refused(Upstream, "source-unusable"):
            await registrar(at, link).register(wish(), Trace.begin())


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"source": "niemand"}, "unknown-organisation"), ({"notice": "anders"}, "unknown-notice")],
)
async def test_who_or_what_is_not_there_is_named(tmp_path: Path, changed: dict[str, str], code: str) -> None:
    with source(tmp_path, own=FIRST) as at, refused(NotFound, code):
        await registrar(at, Link()).register(wish(**changed), Trace.begin())


async def test_only_what_is_new_or_different_goes_when_that_is_asked(tmp_path: Path) -> None:
    with source(tmp_path, own=FIRST) as at:
        link, changed = Link(), msgspec.structs.replace
        registers = registrar(at, link)
        first = changed(wish(3), changed=True)
        assert (await registers.register(first, Trace.begin())).stood == 0
        assert (await registers.register(first, Trace.begin())).stood == 3
        assert len(link.bodies) == 1
        renamed = (changed(first.interests[0], reference="anders"), *first.interests[1:])
        done = await registers.register(changed(first, interests=renamed), Trace.begin())
        assert (done.stood, [one["reference"] for one in link.bodies[-1]["interests"]]) == (2, ["anders"])


async def test_what_a_source_refused_does_not_stand(tmp_path: Path) -> None:
    with source(tmp_path, own=FIRST) as at:
        link = Link()
        registers = registrar(at, link)
        link.status, link.answer = 502, b"{}"
        first = msgspec.structs.replace(wish(), changed=True)
        with refused(Upstream, "source-unusable"):
            await registers.register(first, Trace.begin())
        link.status, link.answer = 200, b'{"registered": 1, "renewed": 0}'
        assert (await registers.register(first, Trace.begin())).stood == 0


async def test_who_was_not_registered_again_is_ended(tmp_path: Path) -> None:
    with source(tmp_path, own=FIRST) as at:
        link, now = Link(), [NOW]
        registers = registrar(at, link, lambda: now[0])
        await registers.register(wish(3), Trace.begin())
        now[0] = later = NOW + timedelta(minutes=1)
        await registers.register(msgspec.structs.replace(wish(2), changed=True), Trace.begin())
        link.answer = b'{"ended": 1}'
        asked = Unrenewed("bron", NOTICE.id, later)
        assert (await registers.end_unrenewed(asked, Trace.begin())).ended == 1
        assert link.bodies[-1]["subjects"] == [{"kind": "BSN", "value": "999990021"}]
        assert (await registers.end_unrenewed(asked, Trace.begin())).ended == 0


def kept_in(directory: Path) -> bytes:
    return (directory / "node.db").read_bytes()


async def test_nothing_in_the_database_says_who_is_registered(tmp_path: Path) -> None:
    with source(tmp_path, own=FIRST) as at:
        await registrar(at, Link()).register(wish(), Trace.begin())
    assert [word for word in (b"999990019", b"z-9999") if word in kept_in(tmp_path)] == []


async def test_ones_own_references_are_read_under_the_contract(tmp_path: Path) -> None:
    with source(tmp_path, own=FIRST) as at:
        link = Link()
        link.answer = (
            b'{"interests": [{"reference": "z-1", "until": "2026-07-01", "since": 5}], "next_cursor": "n"}'
        )
        page = await registrar(at, link).registered("bron", NOTICE.id, "", Trace.begin())
        assert ([one.reference for one in page.interests], page.next_cursor) == (["z-1"], "n")
        assert link.covered == [True]


async def test_a_notice_that_is_not_what_its_digest_says_is_none(tmp_path: Path) -> None:
    with source(tmp_path, own=FIRST) as at:
        link = Link()
        other = msgspec.structs.replace(NOTICE, withhold=Withhold(NOTICE.articles[0], 3650))
        link.offered = msgspec.structs.replace(link.offered, notice=other)
        assert await registrar(at, link).offered("bron") == ()
        with refused(NotFound, "unknown-notice"):
            await registrar(at, link).register(wish(), Trace.begin())
