"""Thirty-two officials at once, each asking about one person after another: throughput, waiting, errors, memory.

    python bench/question_concurrent.py [--officials 32] [--seconds 20]

Promised: 60 questions a second or more, no error, and no memory that keeps growing.
"""

import asyncio
import time
from typing import Any

from _federation import asking, decoded, status_and_length
from _measure import conclude, must, percentile, run, told
from _question import ABOUT_PEOPLE, ONE, Setting, options, setting

RATE = 60.0
GROWTH = 64.0
"""MiB that a node may grow in the second half; logs are on disk, so that nothing need stay."""


def main() -> None:
    chosen = options(officials=32, seconds=20)
    with setting() as at:
        asyncio.run(_measure(at, chosen.officials, chosen.seconds))


async def _measure(at: Setting, officials: int, seconds: int) -> None:
    people = at.people(20_000, seed=20)
    right = at.right(people)
    await _all_ask(at, officials, 2.0, people[-2000:])  # warm: connections, plans
    at_first = _memory(at)
    began, cpu = time.perf_counter(), {node.organisation.alias: node.cpu() for node in at.nodes}
    first = await _all_ask(at, officials, seconds / 2, people[: len(people) // 2])
    halfway = _memory(at)
    second = await _all_ask(at, officials, seconds / 2, people[len(people) // 2 :])
    elapsed, at_last = time.perf_counter() - began, _memory(at)
    answered = first + second
    for bsn, rows, _ in answered:
        at.check(rows, right[bsn], "Sluis")
    waits = [took for _, _, took in answered]
    rate = len(answered) / elapsed
    print(told(f"Sluis, {officials} officials", waits))
    print(f"answered {len(answered)} in {elapsed:.1f} s: {rate:.1f} per second, every answer right")
    for node in at.nodes:
        alias = node.organisation.alias
        share = (node.cpu() - cpu[alias]) / elapsed
        print(
            f"node {alias:<10} memory {at_first[alias]:7.1f} → {halfway[alias]:7.1f} → {at_last[alias]:7.1f} MiB"
            f"   processor {share:5.2f} of a core"
        )
    growth = max(at_last[alias] - halfway[alias] for alias in at_last)
    conclude(
        "question_concurrent",
        rate,
        "questions/s",
        rate >= RATE and growth <= GROWTH,
        p50_ms=percentile(waits, 50),
        p99_ms=percentile(waits, 99),
        errors=0,
        officials=officials,
        growth_mib=growth,
    )


async def _all_ask(
    at: Setting, officials: int, seconds: float, people: list[str]
) -> list[tuple[str, list[Any], float]]:
    """Everyone asks until the time is over. Any refusal or broken connection ends the measurement."""
    waiting, end = iter(people), time.perf_counter() + seconds
    answered: list[tuple[str, list[Any], float]] = []

    async def one() -> None:
        reader, writer = await asyncio.open_unix_connection(str(at.nodes.asker.socket), limit=1 << 20)
        while time.perf_counter() < end:
            bsn = next(waiting, "")
            must(bsn != "", "there are not enough people for this many questions")
            began = time.perf_counter()
            writer.write(asking(ONE, ABOUT_PEOPLE, {"bsn": bsn}))
            head = await reader.readuntil(b"\r\n\r\n")
            status, length = status_and_length(head)
            answer = decoded(status, await reader.readexactly(length))
            answered.append((bsn, answer["rows"], (time.perf_counter() - began) * 1000))
        writer.close()
        await writer.wait_closed()

    async with asyncio.TaskGroup() as group:
        for _ in range(officials):
            group.create_task(one())
    return answered


def _memory(at: Setting) -> dict[str, float]:
    return {node.organisation.alias: node.memory() for node in at.nodes}


if __name__ == "__main__":
    run(main)
