"""The whole way of a request: a program, the outway, mTLS, the inway, a service; and the line in both transaction logs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.gateways import ASKER, OWNER, SERVICE, Gateways, gateways

from sluis.gateway.transactions import INCOMING, OUTGOING, Search


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Gateways]:
    async with gateways(tmp_path) as pair:
        yield pair


async def test_request_reaches_the_service_and_both_logs_hold_its_line(pair: Gateways) -> None:
    grant = await pair.agree()
    got = await pair.call("GET", "/v1/mensen?q=1", {"Fsc-Grant-Hash": grant.hash})
    assert (got.status, got.json["path"], got.headers["x-service"]) == (200, "/v1/mensen?q=1", "here")
    one = got.headers["fsc-transaction-id"]
    for party, direction in ((pair.asker, OUTGOING), (pair.owner, INCOMING)):
        [record] = (await party.transactions.find(ASKER, Search())).records
        assert (record.transaction_id, record.direction) == (one, direction)
        assert (record.crossing.grant_hash, record.crossing.service_name) == (grant.hash, SERVICE)
        assert (record.crossing.outway_peer, record.crossing.service_peer) == (ASKER, OWNER)
