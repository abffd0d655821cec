"""A provider for each test; the cases of one parametrized test share one, each with a browser and a connection of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.identity.provider.world import World


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node's folder with its keys and empty tables."""
    directory = tmp_path_factory.mktemp("prepared")
    World(directory).store.close()
    for key in (directory / "keys").glob("*-[0-9]*.pem"):  # reading an RSA key costs more than writing one
        key.unlink()
    return directory


@pytest.fixture(scope="module")
def shared(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The provider of cases."""
    made = World(shutil.copytree(prepared, tmp_path_factory.mktemp("shared") / "node"))
    yield made
    made.store.close()


@pytest.fixture
def world(request: pytest.FixtureRequest, prepared: Path, tmp_path: Path) -> Iterator[World]:
    """The provider."""
    if hasattr(request.node, "callspec"):
        made: World = request.getfixturevalue("shared")
        made.secret = made.certificate = None
        yield made
        return
    made = World(shutil.copytree(prepared, tmp_path / "node"))
    yield made
    made.store.close()
