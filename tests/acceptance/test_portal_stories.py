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


def test_an_official_asks_one_question_and_sees_where_each_answer_came_from(
    browser: Browser, portal: str, way: Way
) -> None:
    with visiting(browser, portal, way, "official") as fenna:
        fenna.go("/ask")
        fenna.sign_in("Medewerkers", "Fenna", "Wachtwoord en app")
        fenna.stops("activities")
        fenna.press("link", fenna.say("Bijstand vaststellen", "Decide on a benefit application"))
        fenna.stops("question")
        fenna.fill(fenna.say("Kenmerk van de zaak", "Reference of the case"), "Z-2026-0001")
        fenna.fill(fenna.say("Over wie gaat uw vraag?", "Whom is your question about?"), "999952389")
        for column in (
            "c.rvig.personen.voornaam",
            "c.belastingdienst.inkomen.jaar",
            "c.belastingdienst.inkomen.loon",
            "c.rdw.voertuigen.kenteken",
        ):
            fenna.tick(column)
        fenna.press("button", fenna.say("Kijk vooraf", "See beforehand"))
        fenna.reads("RvIG", "Belastingdienst", "RDW")
        fenna.stops("beforehand")
        fenna.press("button", fenna.say("Stel de vraag", "Ask the question"))
        fenna.waits_for(fenna.say("Het antwoord", "The answer"))
        fenna.reads("Sanne", "-***-*", fenna.say("Waar het vandaan komt", "Where it comes from"))
        fenna.does_not_read("999952389")
        fenna.stops("answer")
        fenna.press("button", fenna.say("Vergeet het antwoord nu", "Forget the answer now"))
        fenna.stops("forgotten")
