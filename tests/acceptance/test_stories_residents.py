"""What residents come for at the portal, as they meet it: in a real browser."""

import pytest
from playwright.sync_api import Browser
from tests.visitor import WHERE, Way, visiting

pytestmark = pytest.mark.skipif(WHERE is None, reason="there is no Chromium here: apt install chromium")


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
