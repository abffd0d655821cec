"""Every event has exactly one effect at the recipient, in the order of whom it is about, whatever goes wrong on the way and however
often the recipient is killed (promise P2)."""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from tests.integration.faults import SHARES, Chance, Line, Recipient, Source, judge, told

SEED = 20_261_122
EVENTS = int(os.environ.get("SLUIS_FAULT_EVENTS", "100000"))
"""How many events the long run has; the promise is about a hundred thousand. On PostgreSQL it has a tenth."""

FAILURES = 12
"""How often the recipient is killed, and the network cut, on the way."""

SECONDS = 600
"""That the long run may take."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    """Of the recipient's database on a server; empty for one of its own."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("empty_postgres"))


async def test_a_thousand_events_over_a_bad_line_to_a_recipient_that_starts_anew(
    tmp_path: Path, url: str
) -> None:
    chance, recipients = Chance(SEED, SHARES), list[Recipient]()

    async def bring(headers: Mapping[str, str], body: bytes) -> int:
        return await recipients[-1].bring(headers, body)

    async def anew() -> None:
        for one in recipients[-1:]:
            await one.end()
        recipients.append(Recipient(tmp_path / "recipient", source.feed, url))
        recipients[-1].begin()

    line = Line(bring, chance, longest=0.01)
    source = Source(tmp_path / "source", line)
    try:
        await anew()
        source.begin()
        await source.publish(0, 500)
        await source.arrived(20)
        await line.settled()
        await anew()
        await source.publish(500, 500)
        await source.arrived(20)
        await line.settled()
    finally:
        await source.end()
    found, lines = judge(recipients[-1].effects(), 1000), recipients[-1].lines()
    await recipients[-1].end()
    assert found == {"events": 1000, "effects": 1000, "lost": 0, "double": 0, "overtaken": 0}
    assert lines == 1000, "a line in the log for every effect, and no more"
    assert chance.counts["well"] < chance.counts.total(), "something went wrong, or this proves nothing"


async def asked(port: int, after: int, most: int) -> bytes:
    """A page of the feed, from the process of the source."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"{after} {most}\n".encode())
        return await reader.readexactly(int(await reader.readuntil(b"\n")))
    finally:
        writer.close()


async def serve(directory: str, url: str, port: str, source: str) -> None:
    """A recipient as a process: what is posted to `port` comes in. It says when it listens. `source`: port of the feed."""
    recipient = Recipient(Path(directory), partial(asked, int(source)), url)
    recipient.begin()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = dict(line.split(": ", 1) for line in head if line)
                body = await reader.readexactly(int(headers["content-length"]))
                writer.write(b"%d\n" % await recipient.bring(headers, body))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", int(port))
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Process:
    """A recipient in a process of its own, that can be killed."""

    def __init__(self, directory: Path, source: int, url: str) -> None:
        self.directory, self.source, self.url, self.port, self.kills = directory, source, url, 0, 0
        self._process: asyncio.subprocess.Process | None = None
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def begin(self) -> None:
        program = (
            "import asyncio, sys; from tests.integration.test_events_faults import serve;"
            "asyncio.run(serve(*sys.argv[1:]))"
        )
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, str(self.directory), self.url, str(self.port), str(self.source),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        assert self._process.stdout is not None
        said = (await self._process.stdout.readline()).strip()
        assert said, "the recipient did not start"
        self.port = int(said)

    async def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()
        self.kills += 1

    async def bring(self, headers: Mapping[str, str], body: bytes) -> int:
        """One request, over a connection that is kept. Raises `OSError`, `IncompleteReadError`."""
        while self._idle and self._idle[-1][1].is_closing():
            self._idle.pop()
        reader, writer = (
            self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self.port)
        )
        try:
            lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
            writer.write(f"{''.join(lines)}content-length: {len(body)}\r\n\r\n".encode() + body)
            said = await reader.readuntil(b"\n")
        except BaseException:
            writer.close()
            raise
        self._idle.append((reader, writer))
        return int(said)


class Network:
    """What lies between the two processes: sometimes it is away for a moment, in both directions."""

    def __init__(self) -> None:
        self.to: Process | None = None
        self.source: Source | None = None
        self.away, self.cuts = False, 0

    async def bring(self, headers: Mapping[str, str], body: bytes) -> int:
        if self.away or self.to is None:
            raise ConnectionResetError
        return await self.to.bring(headers, body)

    async def feed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A question of the recipient to the source."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            after, most = map(int, (await reader.readuntil(b"\n")).split())
            if not self.away and self.source is not None:
                page = await self.source.feed(after, most)
                writer.write(b"%d\n" % len(page) + page)
                await writer.drain()
        writer.close()

    async def cut(self, seconds: float) -> None:
        self.away, self.cuts = True, self.cuts + 1
        await asyncio.sleep(seconds)
        self.away = False


@pytest.mark.prove
async def test_a_hundred_thousand_events_have_one_effect_each_whatever_fails(
    tmp_path: Path, url: str
) -> None:
    count = EVENTS // 10 if url else EVENTS
    began, dice = time.monotonic(), random.Random(SEED)
    chance, network = Chance(SEED, SHARES), Network()
    feed = await asyncio.start_server(network.feed, "127.0.0.1", 0)
    recipient = network.to = Process(tmp_path / "recipient", feed.sockets[0].getsockname()[1], url)
    await recipient.begin()
    line = Line(network.bring, chance)
    source = network.source = Source(tmp_path / "source", line)
    source.begin()

    async def fail() -> None:
        """Kill the recipient and cut the network, `FAILURES` times, as the events come in."""
        for at in range(1, FAILURES + 1):
            while source.sender.sent < at * count / (FAILURES + 1):  # noqa: ASYNC110 - nobody tells how far it is
                await asyncio.sleep(0.02)
            await recipient.kill()
            await asyncio.sleep(dice.uniform(0, 0.5))
            await recipient.begin()
            await asyncio.sleep(dice.uniform(0, 1))
            await network.cut(dice.uniform(0.05, 1))

    failing = asyncio.create_task(fail())
    try:
        await source.publish(0, count)
        await source.arrived(SECONDS - (time.monotonic() - began))
        await failing
    finally:
        failing.cancel()
        await asyncio.gather(failing, return_exceptions=True)
        await line.settled()
        feed.close()
        await source.end()
        await recipient.kill()
    last = Recipient(tmp_path / "recipient", network.source.feed, url)
    found, lines = judge(last.effects(), count), last.lines()
    await last.end()
    seconds = round(time.monotonic() - began, 1)
    told(
        seed=SEED,
        **found,
        lines=lines,
        kills=recipient.kills,
        cuts=network.cuts,
        requests=dict(chance.counts),
        seconds=seconds,
    )
    assert found == {"events": count, "effects": count, "lost": 0, "double": 0, "overtaken": 0}
    assert lines == count, "a line in the log for every effect, and no more"
    assert (recipient.kills, network.cuts) == (FAILURES + 1, FAILURES)
    assert seconds < SECONDS
