"""Both engines of a node's own database: what is promised holds on each."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sluis.store import Store, open_store


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/node.db"
    url: str = request.getfixturevalue("empty_postgres")
    return url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A store in it."""
    with closing(open_store(url)) as store:
        yield store
