"""A peer's transaction log, as its Manager writes it and this node reads it."""

from collections.abc import Mapping
from typing import Any

import pytest

from sluis.gateway.manager.listing import log_document, page_of
from sluis.gateway.remote import RemoteLogs
from sluis.gateway.transactions import OUTGOING, Crossing, TransactionRecord, noted, outcome_of
from sluis.kernel import PeerId, Upstream

ASKER, OWNER = PeerId("00000001001001000001"), PeerId("00000001001001000002")
CROSSING = Crossing("$1$3$grant", "personen", ASKER, OWNER)
ID = "0199f2a4-7c1e-7000-8000-000000000001"


class Page:
    """The Managers of peers, all of which give this page."""

    def __init__(self, *documents: Mapping[str, Any]) -> None:
        self._body = page_of("records", documents)

    async def logs(self, peer: PeerId, **query: str) -> bytes:
        return self._body


async def read(*documents: Mapping[str, Any]) -> list[TransactionRecord]:
    return list(await RemoteLogs(Page(*documents)).logs_of(ASKER, [ID]))  # type: ignore[arg-type]


async def test_outcome_that_was_noted_reaches_the_other_side() -> None:
    crossings = [noted(CROSSING, "no-answer"), noted(CROSSING, "refused"), CROSSING]
    lines = [TransactionRecord(0, ID, OUTGOING, one, 5000) for one in crossings]
    assert [one.crossing for one in await read(*map(log_document, lines))] == crossings


@pytest.mark.parametrize(
    "wrong",
    [{"service_name": "x" * 101}, {"grant_hash": "x" * 101}, {"transaction_id": "x" * 101},
     {"created_at": -1}, {"created_at": 2**70}, {"transaction_id": "x\0"}, {"service_name": "x\ny"}],
)  # fmt: skip
async def test_a_line_that_is_larger_than_any_or_hides_something_is_no_line(wrong: dict[str, Any]) -> None:
    document = log_document(TransactionRecord(0, ID, OUTGOING, CROSSING, 5000))
    assert len(await read(document)) == 1
    with pytest.raises(Upstream):
        await read({**document, **wrong})


@pytest.mark.parametrize(
    "added",
    [None, "no-answer", [], {}, {"sluis.outcome": "x"}, {"sluis.outcome": ["no-answer"]}, {"other": 1}],
)
async def test_what_a_peer_adds_besides_is_no_outcome(added: object) -> None:
    document = {**log_document(TransactionRecord(0, ID, OUTGOING, CROSSING, 5000)), "additional_data": added}
    assert [outcome_of(one.crossing) for one in await read(document)] == [None]
