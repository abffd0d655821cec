"""The demo's portal, and people who come there in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from tests.acceptance.test_demo import portal_of, staying_up
from tests.visitor import WAYS, Way, browsing


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with staying_up(tmp_path_factory.mktemp("stories") / "demo") as one:
        yield portal_of(one)


@pytest.fixture(scope="module")  # while it is there, no event loop of another test runs in this thread
def browser() -> Iterator[Browser]:
    with browsing() as one:
        yield one


@pytest.fixture(params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    chosen: Way = request.param
    return chosen
