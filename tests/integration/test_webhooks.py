"""Events that go out over real connections, to recipients that do what recipients do: hang, fail, send elsewhere, break off.

All persons are fictitious.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from sluis.crypto import FileKeyStore, calling_context
from sluis.events.cloudevent import CloudEvent
from sluis.events.queue import Delivery, Outgoing, Queue, open_queue
from sluis.events.sending import Connections, Sender, Signer, Slots, Webhook
from sluis.events.sending.connections import address_of
from sluis.events.subscriptions import Config, Credential, Subscription
from sluis.gateway import HttpStream
from sluis.kernel import PeerId, utc_now
from sluis.store import Store, open_store

OWNER = PeerId("00000001234567890000")
INSIDE = [ip_network("127.0.0.0/8")]
TRACE = "1" * 32

Answers = Callable[["Request"], "bytes | None"]


class Request(msgspec.Struct):
    """What a recipient got."""

    path: str
    headers: dict[str, str]
    body: bytes


def answer(status: int, *lines: str, body: bytes = b"") -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *lines])
    return head.encode() + b"\r\n\r\n" + body


class Recipient:
    """A server of one test, that answers as it is told; None is never to answer."""

    def __init__(self) -> None:
        self.got: list[Request] = []
        self.answers: Answers = lambda request: answer(204)
        self.slow = 0.0
        self.breaks_off = False
        self.port = 0

    @property
    def events(self) -> list[dict[str, Any]]:
        found = [json.loads(one.body) for one in self.got]
        return [event for one in found for event in (one if isinstance(one, list) else [one])]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            while head := await _head(reader):
                lines = head.decode().split("\r\n")
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in lines[1:] if line)
                }
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.got.append(request := Request(lines[0].split()[1], headers, body))
                said = self.answers(request)
                if said is None:
                    await asyncio.sleep(30)
                    return
                if self.breaks_off:
                    writer.write(said[: len(said) // 2])
                    return
                if self.slow:
                    for at in range(len(said)):
                        writer.write(said[at : at + 1])
                        await asyncio.sleep(self.slow)
                writer.write(b"" if self.slow else said)


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


@asynccontextmanager
async def recipient() -> AsyncIterator[Recipient]:
    made = Recipient()
    open_: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_.add(task)
        try:
            await made.serve(reader, writer)
        except (asyncio.CancelledError, ConnectionError):
            pass
        finally:
            open_.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in [*open_]:
            task.cancel()
        await asyncio.gather(*open_, return_exceptions=True)


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    where = getattr(request, "param", "sqlite")
    with closing(
        open_store(tmp_path / "node.db" if where == "sqlite" else request.getfixturevalue("empty_postgres"))
    ) as store:
        yield store


BOTH = pytest.mark.parametrize(
    "store", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


class House:
    """A node that sends: its queue, its worker, and what it was told of who wants nothing more."""

    def __init__(self, store: Store, directory: Path, inside: bool = True, seconds: float = 0.3) -> None:
        self.store = store
        self.keys = FileKeyStore(directory / "keys")
        self.queue: Queue = open_queue(store, self.keys, utc_now)
        self.signer = Signer(self.keys, utc_now)
        connections = Connections(calling_context, INSIDE if inside else ())
        self.webhook = Webhook(connections, self.signer, "node.example", utc_now, seconds)
        self.gone: list[str] = []
        self.sender = Sender(self.queue, {"push": self.webhook}, self.gone.append, utc_now, lambda: 0.02)
        self.count = 0

    @asynccontextmanager
    async def sending(self, *subscriptions: Subscription) -> AsyncIterator[None]:
        async def known() -> Sequence[Subscription]:
            return subscriptions

        task = asyncio.create_task(self.sender.run(known))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.webhook.close()

    async def add(self, *names: str, streams: str = "", data: bytes | None = None) -> None:
        additions = []
        for place, name in enumerate(names):
            self.count += 1
            event = CloudEvent(str(self.count), "urn:x", "nl.x", data=data)
            stream = streams[place] if streams else ""
            additions.append((event, [Outgoing(name, stream, "zaak 7", "notice", TRACE)]))
        await self.store.write(lambda connection: self.queue.add(connection, additions))

    def counters(self) -> dict[str, tuple[int, int]]:
        """Of every subscription how far it is, and how many wait."""
        return {name: (one.place.settled, one.waiting) for name, one in self.queue.seen().items()}

    def trouble(self, name: str) -> list[str]:
        return [letter.trouble for letter in self.queue.dead_letters(name)]


@pytest.fixture
def house(store: Store, tmp_path: Path) -> House:
    return House(store, tmp_path)


def subscription(to: Recipient, name: str = "a", **fields: Any) -> Subscription:
    config = Config(**fields.pop("config", {}))
    sink = fields.pop("sink", f"http://127.0.0.1:{to.port}/in?x=1")
    return Subscription(name, OWNER, sink, "push", config=config, state="active", **fields)


async def until(holds: Callable[[], Any], seconds: float = 8.0) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not holds():
        assert loop.time() < end, "it did not happen"
        await asyncio.sleep(0.01)


async def test_an_event_arrives_as_a_structured_signed_post(house: House) -> None:
    async with recipient() as to, house.sending(subscription(to)):
        await house.add("a", data=b'{"besluit":"toegekend"}')
        await until(lambda: house.counters() == {"a": (1, 0)})
    [got] = to.got
    assert got.path == "/in?x=1"
    assert got.headers["content-type"] == "application/cloudevents+json"
    assert got.headers["webhook-request-origin"] == "node.example"
    assert to.events == [
        {
            "specversion": "1.0", "id": "1", "source": "urn:x", "type": "nl.x", "data": {"besluit": "toegekend"},
            "subject": "zaak 7", "sequence": "1", "sequencetype": "Integer",
        }
    ]  # fmt: skip
    assert "ed25519" in got.headers["signature-input"]


async def test_binary_mode_puts_the_attributes_in_headers(house: House) -> None:
    async with recipient() as to, house.sending(subscription(to, config={"content": "binary"})):
        await house.add("a", data=b'{"x":1}')
        await until(lambda: to.got)
    [got] = to.got
    assert (got.body, got.headers["content-type"]) == (b'{"x":1}', "application/json")
    assert (got.headers["ce-id"], got.headers["ce-subject"], got.headers["ce-sequence"]) == (
        "1",
        "zaak%207",
        "1",
    )


async def test_batches_carry_many_events_in_their_order(house: House) -> None:
    async with recipient() as to:
        await house.add(*["a"] * 25, streams="s" * 25)
        async with house.sending(subscription(to, config={"content": "batch", "batch": 10})):
            await until(lambda: len(to.events) == 25)
    assert [event["sequence"] for event in to.events] == [str(n) for n in range(1, 26)]
    assert len(to.got) == 3
    assert to.got[0].headers["content-type"] == "application/cloudevents-batch+json"


async def test_the_credential_and_headers_of_a_subscription_go_along(house: House) -> None:
    credential = Credential("geheim", datetime.now(UTC) + timedelta(hours=1))
    async with recipient() as to:
        one = subscription(to, credential=credential, headers={"x-afdeling": "zorg"})
        async with house.sending(one):
            await house.add("a")
            await until(lambda: to.got)
    assert to.got[0].headers["authorization"] == "Bearer geheim"
    assert to.got[0].headers["x-afdeling"] == "zorg"


async def test_a_credential_that_expired_is_not_sent(house: House) -> None:
    credential = Credential("geheim", datetime.now(UTC) - timedelta(seconds=1))
    async with (
        recipient() as to,
        house.sending(subscription(to, credential=credential, config={"retry_for": 0})),
    ):
        await house.add("a")
        await until(lambda: house.trouble("a") == ["expired:credential-expired"])
    assert to.got == []


FAILING: list[tuple[str, Answers, str]] = [
    ("500", lambda request: answer(500), "failed"),
    ("503 without when", lambda request: answer(503), "failed"),
    ("redirect", lambda request: answer(302, "location: http://127.0.0.1:1/"), "redirected"),
    ("not let in", lambda request: answer(401), "not-authorised"),
    ("not there", lambda request: answer(404), "not-found"),
    ("hangs", lambda request: None, "too-slow"),
    ("no HTTP", lambda request: b"SSH-2.0-OpenSSH_9.2\r\n", "broke-off"),
    (
        "endless head",
        lambda request: b"HTTP/1.1 200 OK\r\n" + (b"x: " + b"y" * 1000 + b"\r\n") * 100,
        "broke-off",
    ),
]


@pytest.mark.parametrize(
    ("answers", "trouble"), [case[1:] for case in FAILING], ids=[case[0] for case in FAILING]
)
async def test_what_fails_is_tried_again_until_the_subscription_s_limit(
    house: House, answers: Answers, trouble: str
) -> None:
    async with recipient() as to:
        to.answers = answers
        async with house.sending(subscription(to, config={"retry_for": 1})):
            await house.add("a")
            await until(lambda: house.trouble("a"))
    assert house.trouble("a") == [f"expired:{trouble}"]
    assert len(to.got) > 1


@pytest.mark.parametrize(
    ("status", "trouble"), [(400, "refused"), (413, "too-large"), (415, "wrong-format"), (422, "refused")]
)
async def test_what_is_refused_is_not_tried_again(house: House, status: int, trouble: str) -> None:
    async with recipient() as to:
        to.answers = lambda request: answer(status if len(to.got) == 1 else 204)
        async with house.sending(subscription(to)):
            await house.add("a", "a", streams="ss")
            await until(lambda: house.counters()["a"][1] == 0)
    assert (house.trouble("a"), len(to.got)) == ([trouble], 2)


async def test_410_ends_sending_and_is_told(house: House) -> None:
    async with recipient() as to:
        to.answers = lambda request: answer(410)
        async with house.sending(subscription(to)):
            await house.add("a")
            await until(lambda: house.gone)
            await house.add("a")
            await asyncio.sleep(0.1)
    assert (house.gone, len(to.got)) == (["a"], 1)
    assert house.queue.standing()["a"].waiting == 2


async def test_429_is_kept_to(house: House) -> None:
    moments = []

    def answers(request: Request) -> bytes:
        moments.append(asyncio.get_running_loop().time())
        return answer(429, "retry-after: 1") if len(moments) == 1 else answer(200, body=b"goed")

    async with recipient() as to:
        to.answers = answers
        async with house.sending(subscription(to, config={"in_flight": 1})):
            await house.add("a", "a")
            await until(lambda: len(moments) == 3)
    assert moments[1] - moments[0] >= 1.0


async def test_a_recipient_that_breaks_off_half_way_gets_it_again(house: House) -> None:
    async with recipient() as to:
        to.breaks_off = True
        async with house.sending(subscription(to)):
            await house.add("a")
            await until(lambda: len(to.got) > 2)
            to.breaks_off = False
            await until(lambda: house.counters()["a"][1] == 0)
    assert {event["id"] for event in to.events} == {"1"}


async def test_an_answer_byte_by_byte_is_cut_off_in_time(house: House) -> None:
    async with recipient() as to:
        to.slow = 0.05
        async with house.sending(subscription(to, config={"retry_for": 1})):
            await house.add("a")
            await until(lambda: house.trouble("a"))
    assert house.trouble("a") == ["expired:too-slow"]


async def test_a_long_answer_is_not_read_to_its_end(house: House) -> None:
    async with recipient() as to:
        to.answers = lambda request: answer(200, body=b"x" * 1_000_000)
        async with house.sending(subscription(to)):
            await house.add("a")
            await until(lambda: house.counters()["a"][1] == 0)
    assert len(to.got) == 1


async def test_an_address_that_lies_inside_is_refused(store: Store, tmp_path: Path) -> None:
    house = House(store, tmp_path, inside=False)
    async with recipient() as to:
        sinks = [
            f"http://127.0.0.1:{to.port}/", f"http://localhost:{to.port}/", f"http://[::ffff:127.0.0.1]:{to.port}/",
            "http://169.254.169.254/latest/", "http://10.0.0.1/",
        ]  # fmt: skip
        them = [subscription(to, str(n), sink=sink, config={"retry_for": 0}) for n, sink in enumerate(sinks)]
        async with house.sending(*them):
            await house.add(*[one.id for one in them])
            await until(lambda: all(house.trouble(one.id) for one in them))
    assert {trouble for one in them for trouble in house.trouble(one.id)} == {"expired:inside"}
    assert to.got == []


async def test_one_that_hangs_holds_up_nobody_else(house: House) -> None:
    house.webhook._seconds = 5.0
    async with recipient() as slow, recipient() as quick:
        slow.answers = lambda request: None
        async with house.sending(subscription(slow, "slow"), subscription(quick, "quick")):
            await house.add(*["slow"] * 200)
            await until(lambda: slow.got)
            begun = asyncio.get_running_loop().time()
            await house.add(*["quick"] * 200)
            await until(lambda: house.counters()["quick"][1] == 0)
            assert asyncio.get_running_loop().time() - begun < 4.0
    assert house.counters()["slow"] == (0, 200)


@BOTH
async def test_each_stream_arrives_in_its_order_whatever_fails(house: House) -> None:
    async with recipient() as to:
        to.answers = lambda request: answer(503 if len(to.got) % 3 == 0 else 204)
        await house.add(*["a"] * 120, streams="abcde" * 24)
        async with house.sending(subscription(to)):
            await until(lambda: house.counters()["a"][1] == 0)
    first = dict[int, None]()
    for number, event in enumerate(to.events, 1):
        if number % 3:
            first.setdefault(int(event["sequence"]))
    for stream in range(5):
        of = [n for n in first if (n - 1) % 5 == stream]
        assert of == sorted(of)
        assert len(of) == 24


async def test_who_was_away_catches_up(house: House) -> None:
    async with recipient() as to:
        port = to.port
    async with house.sending(subscription(to, config={"retry_for": 3600})):
        await house.add(*["a"] * 20)
        await asyncio.sleep(0.1)
        back = Recipient()
        server = await asyncio.start_server(back.serve, "127.0.0.1", port)
        await until(lambda: len(back.got) == 20)
        server.close()


@BOTH
async def test_a_dead_letter_that_is_replayed_arrives(house: House) -> None:
    async with recipient() as to:
        to.answers = lambda request: answer(400)
        async with house.sending(subscription(to)):
            await house.add("a", "a")
            await until(lambda: len(house.trouble("a")) == 2)
            to.answers = lambda request: answer(204)
            assert await house.queue.replay("a", 1, 2) == 2
            await until(lambda: house.counters()["a"] == (2, 0))
    assert house.trouble("a") == []
    assert len(to.got) == 4


async def test_of_a_subscription_that_ended_nothing_is_left(house: House) -> None:
    async with recipient() as to:
        to.answers = lambda request: answer(503)
        one = subscription(to)
        async with house.sending(one):
            await house.add("a", "a", streams="ss")
            await until(lambda: to.got)
            await house.sender.change(msgspec.structs.replace(one, state="ended"))
            await until(lambda: house.counters() == {})
    assert house.queue.since("a", 0, 10) == []


async def test_of_a_subscription_that_is_no_longer_there_nothing_is_left(house: House) -> None:
    await house.add("b")
    async with recipient() as to, house.sending(subscription(to)):
        await until(lambda: house.counters() == {})


async def test_who_comes_for_its_events_itself_is_sent_nothing(house: House) -> None:
    async with recipient() as to:
        one = msgspec.structs.replace(subscription(to), mode="feed")
        async with house.sending(one):
            await house.add("a")
            await asyncio.sleep(0.1)
    assert (to.got, house.counters()) == ([], {"a": (0, 1)})


async def test_in_quiet_hours_nothing_is_sent_and_nothing_counts_as_tried(house: House) -> None:
    here = datetime.now(ZoneInfo("Europe/Amsterdam"))
    minute = here.hour * 60 + here.minute
    quiet = ((minute - 5) % 1440, (minute + 30) % 1440)
    async with recipient() as to:
        one = subscription(to, config={"quiet": quiet})
        async with house.sending(one):
            await house.add("a")
            await asyncio.sleep(0.1)
            assert to.got == []
            await house.sender.change(subscription(to))
            await until(lambda: house.counters() == {"a": (1, 0)})


async def test_another_address_is_used_from_then_on(house: House) -> None:
    async with recipient() as old, recipient() as new:
        old.answers = lambda request: answer(404)
        async with house.sending(subscription(old)):
            await house.add("a")
            await until(lambda: old.got)
            await house.sender.change(subscription(new))
            await until(lambda: house.counters() == {"a": (1, 0)})
    assert len(new.got) == 1


async def test_an_owner_whose_addresses_hang_leaves_room_for_others(house: House) -> None:
    webhook = Webhook(
        Connections(calling_context, INSIDE), house.signer, "node.example", utc_now, 0.3, Slots(8, 0.0)
    )
    async with recipient() as hangs, recipient() as answers:
        hangs.answers = lambda request: None
        many = [subscription(hangs, str(number)) for number in range(6)]
        other = msgspec.structs.replace(subscription(answers), owner=PeerId("00000002345678900000"))
        results = await asyncio.gather(*(webhook.send(one, [_delivery(one.id)]) for one in (*many, other)))
        assert [one.trouble for one in results] == ["too-slow"] * 4 + ["crowded"] * 2 + [""]
        assert (await webhook.send(many[0], [_delivery("0")])).trouble == "too-slow"
        await webhook.close()


async def test_connections_that_are_kept_give_way_to_those_that_are_needed() -> None:
    connections, streams = Connections(calling_context, INSIDE, most=2), list[HttpStream]()
    async with recipient() as them:
        for name in "abc":
            place = address_of(f"http://127.0.0.1:{them.port}/", name).place
            streams.append(stream := await connections.open(place))
            stream.begin(
                b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", False, True, asyncio.get_running_loop().time() + 5
            )
            await stream.head()
            connections.release(place, stream)
        assert [one.reusable for one in streams] == [False, True, True]
        await connections.close()


def _delivery(name: str) -> Delivery:
    return Delivery(name, 1, 1, CloudEvent("1", "urn:x", "nl.x"), "", None, "notice", TRACE, 0, 0, 0)
