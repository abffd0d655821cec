"""Signatures under contracts go into the ledger, together and without one holding up another."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import pytest
from tests.unit.gateway.contracts.making import CONSUMER, NOW, PROVIDER, as_json, content

from sluis.gateway.contracts import Contract, Signature, read_content
from sluis.gateway.evidence import Evidence
from sluis.kernel import Conflict, PeerId, Text, Unkept
from sluis.ledger import Agreement


class Ledger:
    """Commits once `together` appends wait, as a slow disk would; refuses what is signed by `refused`."""

    def __init__(self, together: int, refused: str = "") -> None:
        self.together, self.refused = together, refused
        self.waiting = list[tuple[asyncio.Future[None], Agreement]]()
        self.kept = list[tuple[str, str]]()

    def append(self, records: Sequence[Agreement]) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting += [(future, one) for one in records]
        if len(self.waiting) == self.together:
            for waiting, record in self.waiting:
                if record.peer == self.refused:
                    waiting.set_exception(Conflict("key-taken", Text("", ""), Text("", ""), Text("", "")))
                else:
                    self.kept.append((record.contract, record.peer))
                    waiting.set_result(None)
            self.waiting.clear()
        return future


def contracts(count: int) -> list[Contract]:
    made = [read_content(as_json(content())) for _ in range(count)]
    return [
        Contract(one, tuple(Signature(PeerId(peer), "accept", f"{peer}.{one.hash}", NOW, "a" * 43, NOW)
                            for peer in (CONSUMER, PROVIDER)))
        for one in made
    ]  # fmt: skip


async def record(ledger: Any, every: list[Contract]) -> None:
    await asyncio.wait_for(Evidence(ledger, None).all_signed(every), 5)  # type: ignore[arg-type]


async def test_all_signatures_share_a_commit() -> None:
    ledger, every = Ledger(together=10), contracts(5)
    await record(ledger, every)
    assert sorted(ledger.kept) == sorted(
        (one.content.hash, peer) for one in every for peer in (CONSUMER, PROVIDER)
    )


async def test_one_that_is_refused_holds_up_no_other_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    ledger, every = Ledger(together=4, refused=CONSUMER), contracts(2)
    with caplog.at_level(logging.ERROR, "sluis.gateway"):
        await record(ledger, every)
    assert sorted(ledger.kept) == sorted((one.content.hash, PROVIDER) for one in every)
    told = {f"a signature under {one.content.hash} is not on record yet: key-taken" for one in every}
    assert set(caplog.messages) == told


async def test_a_ledger_that_keeps_nothing_is_told_and_stops_no_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Full:
        def append(self, records: object) -> asyncio.Future[None]:
            raise Unkept("store-too-busy", Text("", ""), Text("", ""), Text("", ""))

    with caplog.at_level(logging.ERROR, "sluis.gateway"):
        await record(Full(), contracts(1))
    assert len(caplog.messages) == 2
