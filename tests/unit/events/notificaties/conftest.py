"""The ZGW Notificaties API of a node, in this process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.events.notificaties.world import Caller, Node


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    made = Node(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def api(node: Node) -> Caller:
    return node.caller()
