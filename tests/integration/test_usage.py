"""What was used comes to the same at both ends of a contract, each from its own logs, and own people read it."""

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tests.integration.nodes import local
from tests.integration.pair import ANN, BOB, Pair


def test_both_ends_of_a_contract_come_to_the_same(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    disclosure = pair.owner / "disclosures" / "personen.toml"
    disclosure.write_text(disclosure.read_text() + "price = { per_question = 25, per_subject = 10 }\n")
    pair.start()
    try:
        for bsn in (ANN, BOB, ANN):
            assert pair.ask(bsn)[0] == 200
        today = datetime.now(UTC)
        month = date(today.year, today.month, 1)

        def told(node: Any) -> Any:
            work = node.node.parts.usage.statements(month)
            (one,) = asyncio.run_coroutine_threadsafe(work, node._loop).result(30)
            return one

        supplied, used = map(told, pair.running)
        assert (used.agreed.side, used.agreed.activity) == ("use", "urn:test:bijstand")
        assert supplied.agreed.side == "supply"
        assert used.total == supplied.total == 105
        assert used.counted == supplied.counted
        assert used.counted.calls >= used.counted.questions == 3
        assert used.contracts == supplied.contracts != ()
        status, listed = local(pair.owner, "GET", f"/v1/usage?month={month:%Y-%m}")
        assert (status, [one["number"] for one in listed]) == (200, [supplied.number])
        assert local(pair.owner, "GET", f"/v1/usage/{supplied.number}")[1]["total"] == 105
        assert local(pair.owner, "GET", "/v1/usage?month=juni")[0] == 400
    finally:
        pair.end()
