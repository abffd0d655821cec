"""How much longer a request takes through outway and inway than through two nginx with mutual TLS, at 500 a second.

    python bench/gateway_latency.py [--rounds 7] [--seconds 3] [--rate 500] [--plane nginx|inprocess]

Open loop: requests begin at fixed times, whether earlier ones were answered or not, and are counted from the time at
which they should have begun. Both pairs are as in `gateway.py`; rounds of both alternate, on all cores. Of every percentile the
median of its rounds counts, and added is the difference. The line of each side is on disk before the request passes
on, so two waits for the disk are in it: what one takes here is measured in the same folder, between the rounds.
"""

import argparse
import asyncio
import os
import statistics
import time
from contextlib import ExitStack
from typing import Any

import uvloop

from _gateway import ANY_CORE, FOLDER, Pair, authority, bare_pair, need, our_pair, service, warm
from _measure import conclude, must, percentile, run
from _servers import HOST, alone

P50_MS, P99_MS = 2.0, 10.0
_SYNCS = 100  # in one round


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each (default 7)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of one round (default 3)")
    parser.add_argument("--rate", type=int, default=500, help="requests a second (default 500)")
    parser.add_argument("--plane", choices=("nginx", "inprocess"), default="nginx")
    chosen = parser.parse_args()
    need("nginx", "taskset", "setpriv")
    with ExitStack() as stack:
        stack.enter_context(alone(FOLDER))
        port, issued = stack.enter_context(service()), authority()
        base = stack.enter_context(bare_pair(issued, port, ANY_CORE))
        ours = stack.enter_context(our_pair(issued, port, chosen.plane, ANY_CORE))
        warm([base, ours])
        rounds = [_round(base, ours, chosen.rate, chosen.seconds) for _ in range(chosen.rounds)]
    floor = [one for _, _, syncs in rounds for one in syncs]
    against = {share: statistics.median(percentile(one, share) for one, _, _ in rounds) for share in (50, 99)}
    taken = {share: statistics.median(percentile(one, share) for _, one, _ in rounds) for share in (50, 99)}
    added = {share: taken[share] - against[share] for share in (50, 99)}
    print(
        f"nginx pair: p50 {against[50]:.2f} ms, p99 {against[99]:.2f} ms; ours: p50 {taken[50]:.2f} ms, p99 {taken[99]:.2f} ms"
    )
    conclude(
        "gateway_latency",
        added[99],
        "ms added, p99",
        added[50] <= P50_MS and added[99] <= P99_MS,
        added_p50_ms=added[50],
        base_p50_ms=against[50],
        base_p99_ms=against[99],
        fsync_p50_ms=percentile(floor, 50),
        fsync_p99_ms=percentile(floor, 99),
    )


def _round(base: Pair, ours: Pair, rate: int, seconds: float) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of each request through either, and of writing to the disk."""
    found = [uvloop.run(_asking(pair, rate, seconds)) for pair in (base, ours)]
    syncs = _syncs()
    told = "   ".join(
        f"{name} p50 {percentile(one, 50):6.2f} p99 {percentile(one, 99):6.2f} ms"
        for name, one in zip(("nginx pair", "ours", "fsync"), (*found, syncs), strict=True)
    )
    print(f"  {told}", flush=True)
    return found[0], found[1], syncs


def _syncs() -> list[float]:
    """What one durable write of 4 kB takes, the floor under each side's line."""
    file = os.open(FOLDER / "floor", os.O_WRONLY | os.O_CREAT, 0o600)
    found = []
    try:
        for number in range(_SYNCS):
            os.pwrite(file, b"x" * 4096, 4096 * number)
            start = time.perf_counter()
            os.fdatasync(file)
            found.append((time.perf_counter() - start) * 1e3)
    finally:
        os.close(file)
    return found


class _Asking(asyncio.Protocol):
    """One connection: a request at a time, told when its answer is whole."""

    def __init__(self, request: bytes) -> None:
        self._request, self._got, self._whole = request, b"", 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def ask(self) -> "asyncio.Future[None]":
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._got, self._whole = b"", 0
        self.transport.write(self._request)
        return self._done

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, end, _ = self._got.partition(b"\r\n\r\n")
        if not self._whole and end:
            must(head.startswith(b"HTTP/1.1 200 "), f"answered {head[:200]!r}")
            self._whole = len(head) + 4 + _length(head)
        if self._whole and len(self._got) == self._whole:
            self._done.set_result(None)


def _length(head: bytes) -> int:
    [length] = (line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return int(length)


async def _asking(pair: Pair, rate: int, seconds: float) -> list[float]:
    loop, free, taken = asyncio.get_running_loop(), list[_Asking](), list[float]()
    lines = [f"GET /metingen/1 HTTP/1.1\r\nHost: {HOST}:{pair.port}"]
    request = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in pair.headers.items())]).encode()
    request += b"\r\n\r\n"

    async def connected() -> _Asking:
        _, made = await loop.create_connection(lambda: _Asking(request), HOST, pair.port)
        return made

    async def one(due: float) -> None:
        asking = free.pop() if free else await connected()
        await asking.ask()
        taken.append((time.perf_counter() - due) * 1e3)
        free.append(asking)

    free += [await connected() for _ in range(16)]
    for asking in free:
        await asking.ask()
    start, tasks = time.perf_counter() + 0.05, list[asyncio.Task[None]]()
    for number in range(int(rate * seconds)):
        due = start + number / rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        tasks.append(loop.create_task(one(due)))
    await asyncio.wait_for(asyncio.gather(*tasks), 30)
    for asking in free:
        asking.transport.close()
    return taken


if __name__ == "__main__":
    run(main)
