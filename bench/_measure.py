"""What every measurement shares: it ends well on any signal, prints what it saw, and closes with one JSON object."""

import json
import signal
import statistics
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Never


def run(measurement: Callable[[], None]) -> None:
    """Run a measurement; SIGTERM and SIGHUP end it as Ctrl-C does, by way of every `finally`."""

    def end(number: int, frame: FrameType | None) -> Never:
        raise KeyboardInterrupt

    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, end)
    try:
        measurement()
    except KeyboardInterrupt:
        sys.exit(130)


def told(name: str, milliseconds: Sequence[float]) -> str:
    """A line about a series: median, fastest, 99th percentile, how many."""
    return (
        f"{name:<34} median {statistics.median(milliseconds):10.2f} ms   fastest {min(milliseconds):10.2f} ms"
        f"   p99 {percentile(milliseconds, 99):10.2f} ms   n = {len(milliseconds)}"
    )


def percentile(values: Sequence[float], share: int) -> float:
    """The smallest value that at least `share` in a hundred of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


def must(holds: bool, what: str) -> None:
    """End the measurement as failed when something that has to hold does not."""
    if not holds:
        sys.exit(f"WRONG: {what}")


def conclude(bench: str, value: float, unit: str, reached: bool, **more: Any) -> None:
    """Print the last line. Exits with 1 when the promised figure was not reached."""
    rounded = {
        name: round(figure, 4) if isinstance(figure, float) else figure for name, figure in more.items()
    }
    print(json.dumps({"bench": bench, "value": round(value, 3), "unit": unit, **rounded, "reached": reached}))
    sys.stdout.flush()
    if not reached:
        sys.exit(1)
