"""The demo's portal, and people who come there in a real browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.acceptance.demos import Up, portal_of, staying_up
from tests.servers import POSTGRES_BIN
from tests.visitor import WAYS, Way, browsing


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short path: that of a socket within it has 107 bytes at most."""
    return tmp_path_factory.mktemp("home") / "demo"


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Shared by all who come there, with registers in every kind of database that is installed here."""
    there = ["postgres"] * POSTGRES_BIN.exists() + ["mariadb"] * bool(shutil.which("mariadbd"))
    home = tmp_path_factory.mktemp("up") / "var" / "demo"
    with staying_up(home, "--databases", ",".join([*there, "sqlite"])) as one:
        yield one


@pytest.fixture(scope="session")
def portal(up: Up) -> str:
    return portal_of(up)


@pytest.fixture(scope="module")  # while it is there, no event loop of another test runs in this thread
def browser() -> Iterator[Browser]:
    with browsing() as one:
        yield one


@pytest.fixture(params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    chosen: Way = request.param
    return chosen
