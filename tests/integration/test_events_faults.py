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
from pathlib import Path

import pytest
from tests.integration.faults import SHARES, Chance, Line, Recipient, Source, judge, told

SEED = 20_261_122
EVENTS = int(os.environ.get("SLUIS_FAULT_EVENTS", "100000"))
"""How many events the long run has; the promise is about a hundred thousand."""

SECONDS = 600
"""That the long run may take."""


async def test_a_thousand_events_over_a_bad_line_to_a_recipient_that_starts_anew(tmp_path: Path) -> None:
    chance, recipients = Chance(SEED, SHARES), [Recipient(tmp_path / "recipient")]

    async def bring(headers: Mapping[str, str], body: bytes) -> int:
        return await recipients[-1].bring(headers, body)

    line = Line(bring, chance, longest=0.01)
    source = Source(tmp_path / "source", line)
    source.begin()
    try:
        await source.publish(0, 500)
        await source.arrived(20)
        recipients[-1].close()
        recipients.append(Recipient(tmp_path / "recipient"))
        await source.publish(500, 500)
        await source.arrived(20)
        await line.settled()
    finally:
        await source.end()
    found, lines = judge(recipients[-1].effects(), 1000), recipients[-1].lines()
    recipients[-1].close()
    assert found == {"events": 1000, "effects": 1000, "lost": 0, "double": 0, "overtaken": 0}
    assert lines == 1000, "a line in the log for every effect, and no more"
    assert chance.counts["well"] < chance.counts.total(), "something went wrong, or this proves nothing"


async def serve(directory: Path, port: int) -> None:
    """A recipient as a process: what is posted to this port comes in. It says when it listens."""
    recipient = Recipient(directory)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = dict(line.split(": ", 1) for line in head if line)
                body = await reader.readexactly(int(headers["content-length"]))
                writer.write(b"%d\n" % await recipient.bring(headers, body))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Process:
    """A recipient in a process of its own, that can be killed."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.port, self.kills = directory, 0, 0
        self._process: asyncio.subprocess.Process | None = None
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def begin(self) -> None:
        program = (
            "import asyncio, sys; from pathlib import Path; from tests.integration.test_events_faults import serve;"
            "asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))"
        )
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, str(self.directory), str(self.port), stdout=asyncio.subprocess.PIPE,
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


class Cut:
    """The network between the two: sometimes it is away for a moment."""

    def __init__(self, to: Process) -> None:
        self._to, self.away, self.cuts = to, False, 0

    async def bring(self, headers: Mapping[str, str], body: bytes) -> int:
        if self.away:
            raise ConnectionResetError
        return await self._to.bring(headers, body)

    async def cut(self, seconds: float) -> None:
        self.away, self.cuts = True, self.cuts + 1
        await asyncio.sleep(seconds)
        self.away = False


@pytest.mark.prove
async def test_a_hundred_thousand_events_have_one_effect_each_whatever_fails(tmp_path: Path) -> None:
    began, dice = time.monotonic(), random.Random(SEED)
    chance, recipient = Chance(SEED, SHARES), Process(tmp_path / "recipient")
    await recipient.begin()
    network = Cut(recipient)
    line = Line(network.bring, chance)
    source = Source(tmp_path / "source", line)
    source.begin()

    async def fail() -> None:
        """Kill the recipient and cut the network in turn, until this is cancelled."""
        while True:
            await asyncio.sleep(dice.uniform(1, 6))
            await recipient.kill()
            await asyncio.sleep(dice.uniform(0, 0.5))
            await recipient.begin()
            await asyncio.sleep(dice.uniform(1, 6))
            await network.cut(dice.uniform(0.05, 1))

    failing = asyncio.create_task(fail())
    try:
        await source.publish(0, EVENTS)
        await source.arrived(SECONDS - (time.monotonic() - began))
        if recipient.kills == 0:  # so few that all came before anything failed
            await asyncio.sleep(8)
    finally:
        failing.cancel()
        await asyncio.gather(failing, return_exceptions=True)
        await line.settled()
        await source.end()
        await recipient.kill()
    last = Recipient(tmp_path / "recipient")
    found, lines = judge(last.effects(), EVENTS), last.lines()
    last.close()
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
    assert found == {"events": EVENTS, "effects": EVENTS, "lost": 0, "double": 0, "overtaken": 0}
    assert lines == EVENTS, "a line in the log for every effect, and no more"
    assert recipient.kills > 1
    assert network.cuts > 0
    assert seconds < SECONDS
