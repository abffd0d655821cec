"""What officials come for at the portal, as they meet it: in a real browser."""

from playwright.sync_api import Browser
from tests.visitor import Way, visiting


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
