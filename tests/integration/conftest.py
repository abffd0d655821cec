"""A group of two nodes, made once for the tests of a module; and every test ends as a process does."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.integration.nodes import Federation, agreed, settled


@pytest.fixture(autouse=True)
async def ended() -> AsyncIterator[None]:
    """What a test leaves behind in its loop is ended with it: found by whatever comes next, it would be that test's fault."""
    yield
    await settled()


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Federation:
    return agreed(tmp_path_factory.mktemp("group"))


@pytest.fixture
def group(once: Federation, tmp_path: Path) -> Federation:
    """Nodes of a group, which have the contracts between them."""
    return once.copied(tmp_path)
