"""What one subscriber that hangs costs the other nine: throughput of nine while the tenth answers, and while it never does.

    python bench/events_slow.py [--seconds 10] [--rounds 5]

Both are measured in turns on the same machine, each on a new SQLite database: events to ten subscribers for a while, published at a
pace that the node keeps up with by half; what is compared is how many deliveries a second the nine got. Then as fast as it goes.
"""

import argparse
import asyncio
import statistics
import time

import uvloop

from _events import SUBSCRIBERS, Node, node
from _measure import conclude, must, run
from _webhooks import Receivers

MOST_LOST = 0.05
PUBLISHERS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10, help="of publishing, each round (default 10)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each (default 5)")
    chosen = parser.parse_args()
    well, slow = list[float](), list[float]()
    for number in range(chosen.rounds):
        for hanging, rates in ((0, well), (1, slow)) if number % 2 == 0 else ((1, slow), (0, well)):
            receivers = Receivers(SUBSCRIBERS, hanging)
            try:
                rates.append(uvloop.run(_round(receivers, chosen.seconds)))
            finally:
                receivers.end()
        print(
            f"round {number + 1}: the nine got {well[-1]:.0f}/s with all well, {slow[-1]:.0f}/s while one hangs"
        )
    lost = 1 - statistics.median(slow) / statistics.median(well)
    conclude(
        "events_slow", lost * 100, "% lost by the other nine", lost < MOST_LOST,
        well_per_second=statistics.median(well), slow_per_second=statistics.median(slow),
    )  # fmt: skip


async def _round(receivers: Receivers, seconds: float) -> float:
    """Deliveries a second at the last nine, until each of them has everything that was published."""
    async with node(receivers, None) as sending:
        start = time.monotonic()
        await _publish(sending, start + seconds)
        published = len(sending.committed)
        while min((await asyncio.to_thread(receivers.counted))["counts"][1:]) < published:
            must(time.monotonic() < start + seconds + 120, "the nine did not get everything")
            await asyncio.sleep(0.02)
        return published * (SUBSCRIBERS - 1) / (time.monotonic() - start)


async def _publish(sending: Node, end: float) -> None:
    numbers = iter(range(1_000_000))

    async def publisher() -> None:
        while time.monotonic() < end:
            await sending.publish(next(numbers))

    await asyncio.gather(*[publisher() for _ in range(PUBLISHERS)])


if __name__ == "__main__":
    run(main)
