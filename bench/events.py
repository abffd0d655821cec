"""Deliveries a second on one node: each event goes to ten webhook subscribers, durable at both ends of the outbox.

    python bench/events.py [--seconds 15] [--rounds 3] [--store sqlite|postgresql|both]

Throughput: thirty tasks publish as fast as commits allow; a delivery counts when the recipient answered and its outcome is
committed. Every delivery is a signed POST of its own. How long: twenty events a second are published evenly; from the moment an
event was durable to the moment a recipient had all of its body, for every one of its ten deliveries.

Recipients are in a process of their own on the same machine, and so is PostgreSQL: what they take is not the node's, but the
machine is shared. `processor` is what the node's own process took per delivery, publishing included.
"""

import argparse
import asyncio
import statistics
import time
from contextlib import ExitStack

import uvloop

from _events import SUBSCRIBERS, Node, node
from _measure import conclude, must, percentile, run
from _servers import OWNER, postgres
from _webhooks import Receivers

MUST = {"sqlite": 1000.0, "postgresql": 2000.0}
P99_SECONDS = 1.0
PUBLISHERS, A_SECOND = 30, 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=15, help="of publishing, each round (default 15)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each (default 3)")
    parser.add_argument("--store", choices=["sqlite", "postgresql", "both"], default="both")
    chosen = parser.parse_args()
    stores = ["sqlite", "postgresql"] if chosen.store == "both" else [chosen.store]
    found = {store: _measured(store, chosen.seconds, chosen.rounds) for store in stores}
    reached = all(
        rate >= MUST[store] and waits[-1] <= P99_SECONDS for store, (rate, _, waits) in found.items()
    )
    more = dict[str, float]()
    for store, (rate, processor, waits) in found.items():
        more |= {
            f"{store}_per_second": rate,
            f"{store}_processor_us": processor,
            f"{store}_p99_seconds": waits[-1],
        }
    conclude("events", found[stores[-1]][0], "deliveries/s", reached, **more)


def _measured(store: str, seconds: float, rounds: int) -> tuple[float, float, list[float]]:
    """Deliveries a second and µs of processor per delivery (medians), and the p99 of each round of waiting, sorted."""
    rates, processors, waits = list[float](), list[float](), list[float]()
    with ExitStack() as stack:
        server = stack.enter_context(postgres()) if store == "postgresql" else None
        for number in range(rounds):
            url = None
            if server is not None:
                server.create("events")
                url = server.url("events", OWNER)
            receivers = Receivers(SUBSCRIBERS)
            try:
                rate, processor, waited = uvloop.run(_round(receivers, url, seconds))
            finally:
                receivers.end()
            print(
                f"{store:<11} round {number + 1}: {rate:8.0f} deliveries/s   {processor:6.0f} µs of processor each"
                f"   commit to delivery: median {statistics.median(waited) * 1000:6.1f} ms"
                f"   p99 {percentile(waited, 99) * 1000:7.1f} ms   n = {len(waited)}"
            )
            rates.append(rate)
            processors.append(processor)
            waits.append(percentile(waited, 99))
    return statistics.median(rates), statistics.median(processors), sorted(waits)


async def _round(receivers: Receivers, url: str | None, seconds: float) -> tuple[float, float, list[float]]:
    async with node(receivers, url) as sending:
        await _publish(sending, 0, time.monotonic() + 0.5)  # connections, plans and caches
        await sending.delivered(len(sending.committed) * SUBSCRIBERS, 60)
        before, sent = len(sending.committed), sending.sender.sent
        start, processor = time.monotonic(), time.process_time()
        await _publish(sending, 1_000_000, start + seconds)
        await sending.delivered(len(sending.committed) * SUBSCRIBERS, 120)
        spent = time.monotonic() - start
        count = sending.sender.sent - sent
        processor = (time.process_time() - processor) / count * 1e6
        must(count == (len(sending.committed) - before) * SUBSCRIBERS, "deliveries are missing")
        await asyncio.to_thread(receivers.counted)
        waited = await _evenly(sending, receivers, seconds)
        counts = (await asyncio.to_thread(receivers.counted))["counts"]
        must(
            set(counts) == {len(sending.committed)},
            "a recipient had another number of events than were published",
        )
        must(
            sum(one.waiting + one.dead for one in sending.queue.standing().values()) == 0,
            "something still waits",
        )
        return count / spent, processor, waited


async def _publish(sending: Node, first: int, end: float) -> None:
    numbers = iter(range(first, first + 1_000_000))

    async def publisher() -> None:
        while time.monotonic() < end:
            await sending.publish(next(numbers))

    await asyncio.gather(*[publisher() for _ in range(PUBLISHERS)])


async def _evenly(sending: Node, receivers: Receivers, seconds: float) -> list[float]:
    """Seconds from commit to delivery, of every delivery, at an even pace."""
    known = set(sending.committed)
    start = time.monotonic()
    tasks = []
    for number in range(int(seconds * A_SECOND)):
        await asyncio.sleep(max(start + number / A_SECOND - time.monotonic(), 0))
        tasks.append(asyncio.create_task(sending.publish(2_000_000 + number)))
    await asyncio.gather(*tasks)
    await sending.delivered(len(sending.committed) * SUBSCRIBERS, 60)
    moments = (await asyncio.to_thread(receivers.counted))["moments"]
    new = {name: moment for name, moment in sending.committed.items() if name not in known}
    waited = [moment - new[name] for of in moments for name, moment in of if name in new]
    must(len(waited) == len(new) * SUBSCRIBERS, "an event did not arrive once at every subscriber")
    return waited


if __name__ == "__main__":
    run(main)
