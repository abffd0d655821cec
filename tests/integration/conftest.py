"""A group of two nodes, made once for the tests of a module."""

from pathlib import Path

import pytest
from tests.integration.nodes import Federation, agreed


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Federation:
    return agreed(tmp_path_factory.mktemp("group"))


@pytest.fixture
def group(once: Federation, tmp_path: Path) -> Federation:
    """Nodes of a group, which have the contracts between them."""
    return once.copied(tmp_path)
