"""Push to another node: what leaves is agreed when it leaves, and what comes of it is what the other said."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from tests.unit.events.samples import FIRST, NOW, SOURCE

from sluis.events.cloudevent import BATCH, STRUCTURED, CloudEvent
from sluis.events.queue import Delivery, held_to
from sluis.events.sending import ARRIVED, SUBSCRIPTION, Fsc, Result, WhileAgreed
from sluis.events.sending.messages import Messages
from sluis.events.subscriptions import INBOX, Config, Subscription
from sluis.gateway import Answer
from sluis.kernel import PeerId, Problem, Refused, Text, Unkept, Upstream, milliseconds

SUBSCRIBED = Subscription("s-1", FIRST, INBOX, "fsc", state="active")
WORDS = (Text("a", "a"), Text("b", "b"), Text("c", "c"))


class Link:
    """Answers `status`, or raises `problem`; keeps what was sent."""

    def __init__(self, status: int = 204, problem: Problem | None = None) -> None:
        self.status, self.problem = status, problem
        self.sent: list[tuple[PeerId, str, str, Mapping[str, str], Any]] = []

    @asynccontextmanager
    async def send(
        self, peer: PeerId, method: str, path: str, headers: Mapping[str, str], body: bytes, seconds: float,
        covers: Any = None, ready: Any = None,
    ) -> AsyncIterator[Answer]:  # fmt: skip
        if self.problem is not None:
            raise self.problem
        self.sent.append((peer, method, path, headers, msgspec.json.decode(body)))

        async def pieces() -> AsyncIterator[bytes]:
            yield b"{}"

        yield Answer(self.status, {"retry-after": "7"} if self.status == 429 else {}, pieces())

    async def close(self) -> None:
        pass


def delivery(sequence: int, notice: str = "n") -> Delivery:
    event = CloudEvent(id=f"e-{sequence}", source="urn:x", type="nl.x")
    return Delivery("s-1", sequence, sequence, event, "p", "z-1", notice, "1" * 32, 0, 0, milliseconds(NOW))


def fsc(link: Link) -> Fsc:
    return Fsc(link, lambda: NOW)


async def test_it_goes_to_the_inbox_of_the_recipient_with_notice_number_and_trace() -> None:
    link = Link()
    assert await fsc(link).send(SUBSCRIBED, [delivery(3)]) == ARRIVED
    peer, method, path, headers, body = link.sent[0]
    assert (peer, method, path) == (FIRST, "POST", "/v1/inbox")
    assert (headers[SUBSCRIPTION], headers["content-type"]) == ("s-1", STRUCTURED)
    assert (body["sequence"], body["notice"], body["subject"]) == ("3", "n", "z-1")
    assert body["traceparent"].split("-")[1] == headers["traceparent"].split("-")[1] == "1" * 32


async def test_a_batch_goes_as_one() -> None:
    link, config = Link(), Config(content="batch")
    await fsc(link).send(msgspec.structs.replace(SUBSCRIBED, config=config), [delivery(1), delivery(2)])
    assert link.sent[0][3]["content-type"] == BATCH
    assert [one["id"] for one in link.sent[0][4]] == ["e-1", "e-2"]


@pytest.mark.parametrize(
    ("link", "result"),
    [
        (Link(429), Result("again", "too-busy", 7.0, whole=True)),
        (Link(400), Result("refused", "refused")),
        (Link(503), Result("again", "failed")),
        (Link(problem=Upstream("peer-too-slow", *WORDS)), Result("again", "too-slow", whole=True)),
        (Link(problem=Upstream("something", *WORDS)), Result("again", "unreachable", whole=True)),
        (Link(problem=Refused("not-connected", *WORDS)), Result("again", "no-contract", whole=True)),
        (Link(problem=Unkept("store", *WORDS)), Result("again", "failed", whole=True)),
    ],
)
async def test_what_comes_of_it_follows_from_the_answer(link: Link, result: Result) -> None:
    assert await fsc(link).send(SUBSCRIBED, [delivery(1)]) == result


def guarded(link: Link, agreed: Any, own: PeerId = SOURCE, waits: Sequence[int] = ()) -> WhileAgreed:
    return WhileAgreed(
        fsc(link), own, agreed, lambda subscription, sequences: {*sequences} <= {*waits}, lambda: NOW
    )


async def test_what_is_not_agreed_when_it_would_leave_does_not() -> None:
    link = Link()
    found = guarded(link, lambda notice, recipient: () if (notice, recipient) == ("n", FIRST) else None)
    assert await found.send(SUBSCRIBED, [delivery(1), delivery(2, "other")]) == Result(
        "refused", "no-contract"
    )
    assert link.sent == []
    assert await found.send(SUBSCRIBED, [delivery(1)]) == ARRIVED


def telling(data: str | None) -> Delivery:
    event = CloudEvent(
        "e-1", "urn:x", "nl.x", datacontenttype="application/json", data=data and data.encode()
    )
    return msgspec.structs.replace(delivery(1), event=event)


@pytest.mark.parametrize(
    ("names", "data"),
    [(["ingang", "bedrag"], {"ingang": "2026-11-22", "bedrag": 3}), (["ingang"], {"ingang": "2026-11-22"}), ([], None)],
)  # fmt: skip
async def test_what_waits_is_held_to_the_data_that_is_agreed_when_it_leaves(
    names: list[str], data: Any
) -> None:
    link = Link()
    waiting = telling('{"ingang":"2026-11-22","bedrag":3}')
    assert await guarded(link, lambda notice, recipient: names).send(SUBSCRIBED, [waiting]) == ARRIVED
    sent = link.sent[0][4]
    assert (sent.get("data"), "datacontenttype" in sent) == (data, data is not None)


def test_the_message_for_one_recipient_is_never_that_of_one_who_may_have_more() -> None:
    messages, whole = Messages(), telling('{"ingang":"2026-11-22","bedrag":3}')
    for names, found in ((["ingang", "bedrag"], True), (["ingang"], False), (["ingang", "bedrag"], True)):
        _, body = messages.of("structured", [held_to(whole, names)])
        assert (b"bedrag" in body) == found


async def test_the_organisations_own_systems_need_no_agreement() -> None:
    found = guarded(Link(), lambda notice, recipient: None, FIRST)
    assert await found.send(SUBSCRIBED, [delivery(1, "")]) == ARRIVED


async def test_what_had_to_wait_and_was_withdrawn_meanwhile_does_not_leave() -> None:
    link = Link()
    found = guarded(link, lambda notice, recipient: (), waits=[2])
    late = [msgspec.structs.replace(delivery(number), began=0) for number in (1, 2)]
    assert await found.send(SUBSCRIBED, late) == Result("refused", "withdrawn")
    assert await found.send(SUBSCRIBED, late[:1]) == Result("refused", "withdrawn")
    assert link.sent == []
    assert await found.send(SUBSCRIBED, late[1:]) == ARRIVED
