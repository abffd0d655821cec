"""One story per role, from signing in to what they came for, as people meet it: in a real browser, at the demo's portal."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from tests.acceptance.test_demo import portal_of, staying_up
from tests.visitor import WAYS, WHERE, Way, browsing, visiting

pytestmark = pytest.mark.skipif(WHERE is None, reason="there is no Chromium here: apt install chromium")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with staying_up(tmp_path_factory.mktemp("stories") / "demo") as one:
        yield portal_of(one)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as one:
        yield one


@pytest.fixture(params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    chosen: Way = request.param
    return chosen


def test_a_resident_sees_who_looked_and_gives_access(browser: Browser, portal: str, way: Way) -> None:
    with visiting(browser, portal, way, "resident") as sanne:
        sanne.go("/")
        sanne.stops("start")
        sanne.go("/looked")
        sanne.stops("sign-in")
        sanne.sign_in("DigiD", "Sanne Proefstra", "Substantieel", 0)
        sanne.stops("looked")
        sanne.go("/consents")
        sanne.stops("consents")
