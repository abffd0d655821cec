"""Evaluations of one CESQL expression per second on one core: compiled once, over many different events.

    python bench/cesql.py [--seconds 5]

The expression is `type LIKE 'nl.%' AND EXISTS subject AND INT(size) < 100`. Two thousand events differ in what they hold:
three in four pass, the others fail at each of the three conditions, by an attribute that is missing or one that is no
number too. What every event must give is computed beforehand without CESQL. The rate is that of the best and of the
median of the seconds; the figure is the median. Beside it: compiling, and a filter that holds the same in other dialects.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from _measure import conclude, must, run
from sluis.events import CloudEvent, attributes, compile_expression, compile_filters

PER_SECOND = 100_000
EXPRESSION = "type LIKE 'nl.%' AND EXISTS subject AND INT(size) < 100"
EVENTS = 2_000

Event = Mapping[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=5, help="how long to measure (default 5)")
    seconds = parser.parse_args().seconds
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    events = [_event(number) for number in range(EVENTS)]
    expression = compile_expression(EXPRESSION)
    for number, event in enumerate(events):
        must(expression.holds(event) is _passes(number), f"event {number} came out otherwise")
        must(expression.evaluate(event).value is _passes(number), f"event {number} has another value")
    compiling = _rate(lambda _: compile_expression(EXPRESSION), events[:100], 1)
    filtered = _rate(
        compile_filters([{"prefix": {"type": "nl."}}, {"not": {"exact": {"size": "100"}}}]), events, 2
    )
    evaluating = _rate(expression.evaluate, events, seconds)
    rates = _rate(expression.holds, events, seconds)
    for name, figures in (
        ("holds", rates),
        ("evaluate", evaluating),
        ("two filters", filtered),
        ("compile", compiling),
    ):
        print(f"{name:<14} median {statistics.median(figures):12,.0f}/s   best {max(figures):12,.0f}/s")
    figure = statistics.median(rates)
    conclude(
        "cesql", figure, "/s", figure >= PER_SECOND, best=max(rates), evaluate=statistics.median(evaluating)
    )


def _event(number: int) -> Event:
    kind = number % 16
    size = "honderd" if kind == 0 else str(100 + number) if kind == 1 else str(number % 100)
    extensions = {} if kind == 2 else {"size": size}
    event = CloudEvent(
        id=str(number),
        source="urn:nld:oin:00000001823288444000:systeem:zaken",
        type="be.zaken.zaak-geopend" if kind == 3 else f"nl.zaken.zaak-geopend.v{number % 9}",
        subject=None if kind == 4 else f"zaak-{number}",
        time="2026-11-22T10:00:00Z",
        extensions=extensions,
    )
    return attributes(event)


def _passes(number: int) -> bool:
    return number % 16 > 4


def _rate(work: Callable[[Event], object], events: Sequence[Event], seconds: int) -> list[float]:
    """How many times a second, per fifth of a second, after half a second of running in."""
    rates = list[float]()
    end = time.perf_counter() + 0.5 + seconds
    measured = end - seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        done = 0
        while time.perf_counter() - began < 0.2:
            for event in events:
                work(event)
            done += len(events)
        if began >= measured:
            rates.append(done / (time.perf_counter() - began))
    return rates


if __name__ == "__main__":
    run(main)
