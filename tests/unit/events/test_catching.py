"""What did not come is read at its source: at once, by what is missing, and at every source by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.contract.store.test_events_inbox import KEY, Node, event
from tests.unit.events.samples import SECOND, SOURCE

from sluis.events.cloudevent import CloudEvent, encode_structured
from sluis.events.inbox import Catching
from sluis.events.inbox.model import MOST, Followed
from sluis.events.interests import Registrar
from sluis.events.interests.elsewhere import Subscribing
from sluis.events.subscriptions import INBOX
from sluis.gateway import Answer
from sluis.kernel import NotFound, PeerId, Text, Trace, Upstream, decode, encode

Feed = Callable[[int, int], Awaitable[list[CloudEvent]]]


class Sources:
    """A link to sources, each with a feed; keeps what was asked. They take every subscription."""

    def __init__(self) -> None:
        self.feeds: dict[PeerId, Feed] = {}
        self.asked: list[tuple[int, int]] = []

    def has(self, *numbers: int, source: PeerId = SOURCE) -> None:
        """A source that has these."""

        async def feed(after: int, most: int) -> list[CloudEvent]:
            return [event(number) for number in numbers if number > after][:most]

        self.feeds[source] = feed

    @asynccontextmanager
    async def send(
        self, peer: PeerId, method: str, path: str, headers: Mapping[str, str], body: bytes, seconds: float, **more: Any
    ) -> AsyncIterator[Answer]:  # fmt: skip
        if method == "POST":
            yield Answer(201, {}, _pieces(encode({"id": "s-1", **decode(body, dict[str, str])})))
            return
        asked = parse_qs(urlsplit(path).query)
        after, most = int(asked["after"][0]), int(asked["most"][0])
        if peer == SOURCE:
            self.asked.append((after, most))
        found = await self.feeds[peer](after, most)
        last = int(str(found[-1].extensions["sequence"])) if found else after
        page = b'{"events":[%s],"after":%d}' % (b",".join(map(encode_structured, found)), last)
        yield Answer(200, {}, _pieces(page))

    async def close(self) -> None:
        pass


async def _pieces(page: bytes) -> AsyncIterator[bytes]:
    yield page


def registrar(link: Any) -> Registrar:
    given: Any = None
    return Registrar(
        link, given, given, given, {"bron": SOURCE}, str.__str__, str.__str__, "ontvanger", given, 5
    )  # fmt: skip


@pytest.fixture
def sources() -> Sources:
    return Sources()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(f"sqlite:///{tmp_path}/node.db", tmp_path)
    with closing(made.store):
        yield made


@pytest.fixture
async def catching(node: Node, sources: Sources) -> Catching:
    await node.listening()
    return Catching(node.inbox, sources, registrar(sources), 5)


async def running(catching: Catching) -> AsyncIterator[None]:
    task = asyncio.create_task(catching.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.005)


async def test_only_what_is_missing_is_read(node: Node, catching: Catching, sources: Sources) -> None:
    sources.has(*range(1, 20))
    await node.bring(1, 5, 6, 9)
    await catching.fill(KEY)
    assert sources.asked == [(1, 3), (6, 2)]
    assert node.inbox.followed() == [Followed(SOURCE, "s-1", 9)]


async def test_all_there_is_is_read_in_pages(node: Node, catching: Catching, sources: Sources) -> None:
    sources.has(*range(1, MOST + 3))
    await node.inbox.follow(*KEY)
    await catching.catch_up(KEY)
    assert sources.asked == [(0, MOST), (MOST, MOST), (MOST + 2, MOST)]
    assert len(node.heard()) == MOST + 2


async def test_what_the_source_does_not_have_any_more_is_not_waited_for(
    node: Node, catching: Catching, sources: Sources
) -> None:
    sources.has(4)
    await node.bring(1, 6)
    await catching.fill(KEY)
    assert (node.heard(), node.inbox.followed()[0].upto) == (["e-1", "e-4", "e-6"], 6)
    sources.has()
    await node.bring(8)
    await catching.fill(KEY)
    assert (node.heard()[-1], node.inbox.followed()[0].held) == ("e-8", frozenset())


async def test_a_gap_is_filled_without_a_round(node: Node, catching: Catching, sources: Sources) -> None:
    sources.has(1)
    await node.bring(1)
    async with aclosing(running(catching)) as going:
        await anext(going)
        await until(lambda: sources.asked)
        sources.has(1, 2, 3)
        await node.bring(3)
        await until(lambda: node.heard() == ["e-1", "e-2", "e-3"])
    assert sources.asked[-1] == (1, 1)


async def test_a_source_that_was_never_heard_of_is_read_too(
    node: Node, catching: Catching, sources: Sources
) -> None:
    sources.has(1, 2)
    async with aclosing(running(catching)) as going:
        await anext(going)
        await asyncio.sleep(0)
        await node.inbox.follow(*KEY)
        await until(lambda: node.heard() == ["e-1", "e-2"])


async def test_a_full_inbox_is_read_to_the_end(
    node: Node, catching: Catching, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluis.events.inbox.service.MOST_HELD", 2)
    sources.has()
    await node.inbox.follow(*KEY)
    async with aclosing(running(catching)) as going:
        await anext(going)
        await until(lambda: sources.asked)
        sources.has(*range(1, 9))
        with pytest.raises(Exception, match="cannot take in everything"):
            await node.bring(3, 4, 5)
        await until(lambda: len(node.heard()) == 8)
    assert node.inbox.full == set()


async def test_a_source_that_takes_this_node_to_be_down_is_read_until_it_delivers(
    node: Node, catching: Catching, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluis.events.inbox.catching._SOON", 0.01)
    sources.has(1)
    await node.inbox.follow(*KEY)
    async with aclosing(running(catching)) as going:
        await anext(going)
        await until(lambda: node.heard() == ["e-1"])
        sources.has(1, 2)
        await until(lambda: node.heard() == ["e-1", "e-2"])
        await node.bring(3)
        asked = len(sources.asked)
        await asyncio.sleep(0.1)
        assert len(sources.asked) <= asked + 1


async def test_a_source_that_has_nothing_more_is_left_alone(
    node: Node, catching: Catching, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluis.events.inbox.catching._SOON", 0.01)
    sources.has()
    await node.inbox.follow(*KEY)
    async with aclosing(running(catching)) as going:
        await anext(going)
        await until(lambda: sources.asked)
        await asyncio.sleep(0.1)
    assert sources.asked == [(0, MOST)]


async def test_a_source_that_does_not_answer_holds_up_no_other(
    node: Node, catching: Catching, sources: Sources
) -> None:
    async def never(after: int, most: int) -> list[CloudEvent]:
        await asyncio.Event().wait()
        return []

    sources.feeds = {SECOND: never}
    sources.has(1, 2)
    await node.inbox.follow(SECOND, "s-9")
    await node.inbox.follow(*KEY)
    async with aclosing(running(catching)) as going:
        await anext(going)
        await until(lambda: node.heard() == ["e-1", "e-2"])


async def test_a_subscription_that_ended_there_ends_here(
    node: Node, catching: Catching, sources: Sources
) -> None:
    async def gone(after: int, most: int) -> list[CloudEvent]:
        raise NotFound("unknown-subscription", *[Text("Weg", "Gone")] * 3)

    sources.feeds[SOURCE] = gone
    await node.inbox.follow(*KEY)
    async with aclosing(running(catching)) as going:
        await anext(going)
        await until(lambda: node.inbox.followed() == [])


@pytest.mark.parametrize(("sink", "known"), [(INBOX, 1), ("https://zaken.example/in", 0)])
async def test_a_subscription_that_delivers_here_is_followed_from_when_it_is_taken(
    node: Node, sink: str, known: int
) -> None:
    takes = registrar(link := Sources())
    Catching(node.inbox, link, takes, 5)
    await takes.subscribe(Subscribing("bron", {"sink": sink}), Trace.begin())
    assert node.inbox.followed() == [Followed(SOURCE, "s-1")][:known]


@pytest.mark.parametrize("work", ["catch_up", "fill"])
async def test_a_source_that_always_has_more_is_not_asked_for_ever(
    node: Node, catching: Catching, sources: Sources, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    async def endless(after: int, most: int) -> list[CloudEvent]:
        return [event(after + 1)]

    monkeypatch.setattr("sluis.events.inbox.catching._MOST_PAGES", 3)
    sources.feeds[SOURCE] = endless
    await node.bring(1, 10**17)
    await getattr(catching, work)(KEY)
    assert len(sources.asked) == 3


@pytest.mark.parametrize("page", [b'{"events":[],"after":%d}' % 10**19, b'{"events":[],"after":-1}'])
async def test_a_number_that_no_delivery_can_have_is_no_page(
    node: Node, catching: Catching, sources: Sources, page: bytes
) -> None:
    @asynccontextmanager
    async def send(*asked: Any, **more: Any) -> AsyncIterator[Answer]:
        yield Answer(200, {}, _pieces(page))

    sources.send = send  # type: ignore[method-assign, assignment]
    await node.bring(1)
    with pytest.raises(Upstream):
        await catching.catch_up(KEY)
    assert node.inbox.followed() == [Followed(SOURCE, "s-1", 1)]


async def test_what_is_no_event_does_not_hold_up_what_is(
    node: Node, catching: Catching, sources: Sources
) -> None:
    @asynccontextmanager
    async def send(*asked: Any, **more: Any) -> AsyncIterator[Answer]:
        last = parse_qs(urlsplit(asked[2]).query)["after"] == ["0"]
        events = b'{"id":1},' + encode_structured(event(2)) if last else b""
        yield Answer(200, {}, _pieces(b'{"events":[%s],"after":2}' % events))

    sources.send = send  # type: ignore[method-assign, assignment]
    await node.inbox.follow(SOURCE, "s-1")
    await catching.catch_up(KEY)
    assert node.heard() == ["e-2"]
