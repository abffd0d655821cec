"""What the Manager does by itself goes on, whatever goes wrong once."""

import asyncio
import logging
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from sluis.gateway.manager import Running
from sluis.kernel import Text, Unkept


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        (Unkept("store-away", Text("", ""), Text("", ""), Text("", "")), "store-away"),
        (OperationalError("SELECT", {}, Exception()), "OperationalError"),
    ],
)
async def test_what_recurs_is_not_ended_by_a_failure(
    caplog: pytest.LogCaptureFixture, failure: Exception, cause: str
) -> None:
    runs, again = list[int](), asyncio.Event()
    manager: Any = None

    async def work() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise failure
        again.set()

    task = asyncio.create_task(Running._repeat(manager, 0.0, work))
    with caplog.at_level(logging.ERROR, "sluis.manager"):
        await asyncio.wait_for(again.wait(), 5)
    task.cancel()
    assert caplog.messages[0] == f"what recurs failed: {cause}"
