"""Refusals at the door are recorded, and cannot fill the log."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.clocks import Clock

from sluis.kernel import Refused, Text
from sluis.web import Refusals
from sluis.web.refusals import PER_MINUTE

_SAY = Text("Nee.", "No.")


class Kept:
    """A ledger that remembers what it was given."""

    def __init__(self) -> None:
        self.records: list[Any] = []

    async def append(self, records: Sequence[Any]) -> None:
        self.records += records


def refusal(peer: str | None = "00000009999999999000") -> Refused:
    return Refused("unknown-peer", _SAY, _SAY, _SAY, rule="unknown-peer", peer=peer)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def refusals(kept: Kept, clock: Clock) -> Refusals:
    return Refusals(kept, clock)  # type: ignore[arg-type]


async def test_refusal_names_the_caller_and_the_rule(refusals: Refusals, kept: Kept) -> None:
    await refusals.record(refusal())
    body = kept.records[0].body
    assert body["adl.core.request"]["subject"] == {"type": "peer", "id": "00000009999999999000"}
    assert body["adl.core.response"] == {"decision": False, "context": {"rule": "unknown-peer", "times": 1}}


async def test_person_who_is_refused_is_not_named(refusals: Refusals, kept: Kept) -> None:
    await refusals.record(refusal(peer=None))
    assert kept.records[0].body["adl.core.request"]["subject"] == {"type": "person", "id": "local"}


async def test_flood_of_refusals_is_counted_and_not_one_is_lost(
    refusals: Refusals, kept: Kept, clock: Clock
) -> None:
    for _ in range(PER_MINUTE + 500):
        await refusals.record(refusal())
    await refusals.record(refusal("00000001111111111000"))
    assert len(kept.records) == PER_MINUTE + 1
    clock.now += timedelta(seconds=61)
    await refusals.record(refusal())
    times = [record.body["adl.core.response"]["context"]["times"] for record in kept.records]
    assert len(times) == PER_MINUTE + 3
    assert sum(times) == PER_MINUTE + 502


async def test_counts_are_recorded_when_the_node_stops(refusals: Refusals, kept: Kept) -> None:
    for _ in range(PER_MINUTE + 1):
        await refusals.record(refusal())
    await refusals.flush()
    assert len(kept.records) == PER_MINUTE + 1
    await refusals.flush()
    assert len(kept.records) == PER_MINUTE + 1
