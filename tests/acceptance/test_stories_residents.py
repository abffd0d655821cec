"""What residents come for at the portal, and who acts for a child or a company, as they meet it: in a real browser."""

import io
import json
import zipfile
from datetime import date, timedelta

import pytest
from playwright.sync_api import Browser
from tests.visitor import TWO_WAYS, Visitor, Way, visiting


def test_a_resident_sees_who_looked_and_reports_what_is_wrong(
    browser: Browser, portal: str, way: Way
) -> None:
    with visiting(browser, portal, way, "resident-looks") as sanne:
        sanne.go("/")
        sanne.stops("first")
        sanne.press("link", sanne.say("Inloggen", "Sign in"), within="main")
        sanne.stops("sign-in")
        sanne.sign_in("DigiD", "Sanne Proefstra", "Substantieel", 0)
        sanne.reads(sanne.say("Wie keek er het laatst", "Who looked last"))
        sanne.stops("start")
        sanne.press("link", sanne.say("Zie wie er keek, en waarom", "See who looked, and why"))
        benefit = sanne.say("Bijstand vaststellen", "Decide on a benefit application")
        sanne.fill(sanne.say("Organisatie", "Organisation"), "Belastingdienst (fictief)")
        sanne.press("button", "Filter")
        sanne.reads(benefit, "Participatiewet, art. 64", "Belastingdienst (fictief)", "RvIG (fictief)")
        sanne.does_not_read(
            "999952389", "rvig.personen", sanne.say("Hulp bij werk", "Help with finding work")
        )
        sanne.stops("looked")
        sanne.press("link", f"{sanne.say('Klopt dit niet?', 'Is this not right?')} {benefit}")
        sanne.reads(benefit)
        sanne.press("link", sanne.say("Meld een fout", "Report a mistake"))
        sanne.stops("report")
        sanne.fill(sanne.say("Aan welke organisatie?", "To which organisation?"), "RvIG (fictief)")
        sanne.fill(sanne.say("Wat staat er nu?", "What does it say now?"), "Sluiskade 12")
        sanne.fill(sanne.say("Wat moet het zijn?", "What should it be?"), "Sluiskade 12 a")
        sanne.press("button", sanne.say("Verstuur de melding", "Send the report"))
        sanne.reads(sanne.say("Uw nummer is", "Your number is"), "RvIG (fictief)")
        sanne.stops("receipt")


@pytest.mark.parametrize("way", TWO_WAYS, ids=str)
def test_a_resident_sees_what_is_known_gives_access_takes_it_back_and_leaves_with_everything(
    browser: Browser, portal: str, way: Way
) -> None:
    with visiting(browser, portal, way, "resident-decides") as sanne:
        sanne.go("/mine")
        sanne.sign_in("DigiD", "Sanne Proefstra", "Substantieel", 0)
        sanne.press("button", sanne.say("Vraag het nu op", "Ask it now"))
        sanne.reads(
            "Noordkade", "Droomauto", "Fictieve Tuinaanleg Proefstra", "Z-2026-0001"
        )  # of four owners
        sanne.stops("known")
        with sanne.page.expect_download() as saved:
            sanne.page.get_by_role("button", name=sanne.say("Download alles", "Download everything")).click()
        with zipfile.ZipFile(io.BytesIO(saved.value.path().read_bytes())) as bundle:
            files = {name: bundle.read(name) for name in bundle.namelist()}
        assert json.loads(next(files[name] for name in files if name.endswith(".json")))
        sanne.go("/consents")
        sanne.tick("column.soort")
        sanne.fill(sanne.say("Tot en met", "Up to"), (date.today() + timedelta(days=9)).isoformat())
        sanne.press("button", sanne.say("Geef toegang", "Give access"))
        back = sanne.say("Trek in", "Take back")
        assert sanne.page.get_by_role("button", name=back).count() == 1
        sanne.stops("given")
        sanne.press("button", back)
        assert sanne.page.get_by_role("button", name=back).count() == 0
        sanne.stops("taken-back")
        sanne.go("/messages")
        sanne.reads(sanne.say("Uw gegevens zijn opgevraagd", "Data about you was asked for"))
        sanne.stops("messages")
        sanne.press("link", sanne.say("Hoe wilt u van ons horen?", "How do you want to hear from us?"))
        sanne.press("radio", sanne.say("Elke keer meteen een bericht", "A message each time, at once"))
        sanne.press("button", sanne.say("Bewaar deze keuze", "Keep this choice"))
        sanne.reads(sanne.say("Uw keuze is bewaard", "Your choice was kept"))
        sanne.stops("preference")
        sanne.press("button", sanne.say("Uitloggen", "Sign out"))
        sanne.waits_for(sanne.say("U bent uitgelogd", "You are signed out"))
        sanne.stops("signed-out")


@pytest.mark.parametrize("way", TWO_WAYS, ids=str)
def test_a_parent_sees_who_looked_at_the_data_of_her_child(browser: Browser, portal: str, way: Way) -> None:
    with visiting(browser, portal, way, "parent") as sanne:
        sanne.go("/")
        sanne.press("link", sanne.say("Inloggen", "Sign in"), within="main")
        sanne.sign_in("DigiD", "Sanne Proefstra", "Substantieel", 1)
        _acts_for(sanne, "Noor Proefstra")
        sanne.reads(sanne.say("Wie keek er het laatst", "Who looked last"))
        sanne.stops("start")
        sanne.go("/looked")
        sanne.reads(sanne.say("Bijstand vaststellen", "Decide on a benefit application"), "RvIG (fictief)")
        sanne.stops("others-looked")
        sanne.go("/mine")
        sanne.reads("Noor Proefstra")
        sanne.press("button", sanne.say("Vraag het nu op", "Ask it now"))
        sanne.reads("Noor")
        sanne.does_not_read("Droomauto")  # that is her mother's
        _acts_for(sanne, "Noor Proefstra")
        sanne.stops("known")
        sanne.go("/looked")
        sanne.reads("Noor Proefstra", "RvIG (fictief)", sanne.say("Waarvoor", "What for"))
        sanne.stops("looked")
        sanne.go("/consents")
        sanne.reads("Noor Proefstra")
        sanne.stops("access")
        sanne.press("button", sanne.say("Terug naar uzelf", "Back to yourself"))
        sanne.page.wait_for_url(sanne.portal + "/")
        assert sanne.page.locator("aside.acting").count() == 0
        sanne.does_not_read("Noor Proefstra")
        sanne.stops("herself")


def test_who_acts_for_a_company_sees_what_is_known_of_it_and_who_looked_and_reports_a_mistake(
    browser: Browser, portal: str, way: Way
) -> None:
    with visiting(browser, portal, way, "company") as fatima:
        company = "Fictief Schoonmaakbedrijf Voorbeeldbeek B.V."
        fatima.go("/")
        fatima.press("link", fatima.say("Inloggen", "Sign in"), within="main")
        fatima.sign_in("eHerkenning", "Fatima Voorbeeldbeek", "EH3", 0)
        fatima.reads(company)
        fatima.stops("start")
        fatima.go("/mandates")
        fatima.stops("mandates")
        fatima.go("/choose")
        fatima.reads(company)
        fatima.stops("choose")
        assert fatima.page.locator("header a[href='/consents']").count() == 0
        fatima.go("/mine")
        fatima.reads(company, "Wet open overheid, " + fatima.say("artikel 5.5", "article 5.5"))
        fatima.stops("mine")
        fatima.press("button", fatima.say("Vraag het nu op", "Ask it now"))
        fatima.reads("KVK (fictief)", "Handelsregisterwet 2007, " + fatima.say("artikel 28", "article 28"))
        fatima.does_not_read("Noordkade", "Droomauto")
        fatima.stops("known")
        fatima.press("button", fatima.say("Klopt dit niet? Meld het", "Is this wrong? Report it"))
        fatima.reads(company, fatima.say("acht weken", "eight weeks"))
        fatima.fill(fatima.say("Wat moet het zijn?", "What should it be?"), "Schoonmaak van gebouwen")
        fatima.stops("report")
        fatima.press("button", fatima.say("Verstuur de melding", "Send the report"))
        fatima.reads(fatima.say("Uw nummer is", "Your number is"), "KVK (fictief)")
        fatima.stops("receipt")
        fatima.go("/requests/new")
        fatima.reads("Wet open overheid, art. 5.5")
        fatima.does_not_read("AVG, art. 17")
        fatima.stops("request")
        fatima.go("/looked")
        fatima.reads(
            company, fatima.say("Inzage voor uw bedrijf", "Inspection for your company"), "KVK (fictief)"
        )
        fatima.stops("looked")


@pytest.mark.parametrize("way", TWO_WAYS, ids=str)
def test_nothing_that_was_typed_is_lost_when_the_session_ends_half_way_a_form(
    browser: Browser, portal: str, way: Way
) -> None:
    with visiting(browser, portal, way, "session-over") as sanne:
        sanne.go("/requests/new?kind=correction")
        sanne.sign_in("DigiD", "Sanne Proefstra", "Substantieel", 0)
        sanne.fill(sanne.say("Aan welke organisatie?", "To which organisation?"), "RvIG (fictief)")
        sanne.fill(sanne.say("Wat moet het zijn?", "What should it be?"), "Sluiskade 12, ‘achter’")
        other = sanne.page.context.new_page()
        other.goto(f"{portal}/sessions")
        with other.expect_navigation():  # a page that is still under way may never close
            other.locator("li.card", has=other.locator(".mark")).get_by_role("button").click()
        other.close()
        sanne.press("button", sanne.say("Verstuur de melding", "Send the report"))
        sanne.reads(sanne.say("bewaard", "kept"))
        sanne.stops("over")
        sanne.sign_in("DigiD", "Sanne Proefstra", "Substantieel", 0)
        sanne.reads("Sluiskade 12, ‘achter’")
        sanne.stops("waiting")
        sanne.press("button", sanne.say("Verstuur alsnog", "Send it now"))
        sanne.reads(sanne.say("Uw nummer is", "Your number is"))
        sanne.open(sanne.say("Wat u schreef", "What you wrote"))
        sanne.reads("Sluiskade 12, ‘achter’")
        sanne.stops("receipt")


def _acts_for(visitor: Visitor, name: str) -> None:
    assert name in visitor.page.locator("aside.acting").inner_text(), "it is in sight for whom one acts"
