"""What those come for at the portal who look after data, keep an eye on it, verify the log or run the node, as they meet it."""

import zipfile
from pathlib import Path

from playwright.sync_api import Browser, expect
from tests.visitor import WAYS, Visitor, Way, visiting

SANNE = "999952389"
REVIEWED = (
    ("Bijstand vaststellen", "Decide on a benefit application"),
    ("Statistiek armoede", "Poverty statistics"),
    ("Uw eigen inzage", "Your own inspection"),
    ("Hulp bij werk zoeken", "Help with finding work"),
)
"""Activities of the register, one for each way: a review once recorded stays."""


def test_an_owner_of_data_sees_who_gets_what_and_decides_on_a_contract(
    browser: Browser, portal: str, way: Way
) -> None:
    with visiting(browser, portal, way, "owner") as olga:
        olga.go("/data")
        olga.sign_in("Medewerkers", "Olga Onecht", "Wachtwoord en app")
        olga.reads("register")
        olga.stops("data")
        olga.press("link", olga.say("Lopende aanvragen", "Applications under way"))
        olga.reads("UWV (fictief)", olga.say("gesloten", "closed"))
        olga.stops("matrix")
        olga.press("link", "UWV (fictief)")
        olga.reads(olga.say("Blijft gesloten", "Stays closed"), olga.say("artikel", "article"))
        olga.stops("disclosure")
        olga.press("link", olga.say("Kijk wat de ontvanger ziet", "See what the recipient sees"))
        olga.reads(olga.say("Dit is zelf een raadpleging", "This is itself a consultation"))
        olga.fill(
            olga.say("Welke verstrekking", "Which disclosure"),
            olga.say(
                "Gemeente Sluiswijk (fictief) – Lopende aanvragen – Uw eigen inzage",
                "Gemeente Sluiswijk (fictief) – Applications under way – Your own inspection",
            ),
        )
        olga.fill("BSN", SANNE)
        olga.fill(
            olga.say("Waarom wilt u dit zien?", "Why do you want to see this?"),
            olga.say("Vraag over een verstrekking", "A question about a disclosure"),
        )
        olga.press("button", olga.say("Kijk, en leg vast", "Look, and record"))
        olga.reads(
            olga.say("Vastgelegd in het logboek", "Recorded in the log"),
            "Z-2026-0001",
            olga.say("1 januari 2026", "1 January 2026"),
        )
        assert SANNE not in olga.page.url
        olga.stops("preview")
        olga.go("/data/use")
        olga.reads("UWV (fictief)", olga.say("Vragen in de tijd", "Questions over time"))
        olga.stops("use")
        olga.go("/data/sources")
        olga.reads(olga.say("rijen per vraag", "rows a question"), olga.say("antwoordt", "answers"))
        olga.stops("sources")
        olga.go("/data")
        olga.press("link", olga.say("Bekijk de aanvragen", "Look at the requests"))
        olga.press("link", "RvIG (fictief)")
        olga.press("link", olga.say("Tekenen", "Sign"))
        olga.reads("werkvoorraad", olga.say("Uw organisatie tekent", "Your organisation signs"))
        olga.stops("sign")
        if way != WAYS[-1]:  # it waits for whoever comes after
            olga.press("link", olga.say("Nee, terug", "No, back"))
            olga.reads(olga.say("Dit voorstel wacht op uw", "This proposal waits for your"))
        else:
            olga.press("button", olga.say("Ja, teken", "Yes, sign"))
            olga.reads(olga.say("Alle partijen hebben getekend", "All parties have signed"))
            olga.stops("signed")


def test_a_privacy_officer_reviews_an_activity_and_judges_what_was_decided(
    browser: Browser, portal: str, way: Way
) -> None:
    activity = REVIEWED[WAYS.index(way)]
    with visiting(browser, portal, way, "privacy") as bram:
        bram.go("/oversight")
        bram.sign_in("Medewerkers", "Bram Bedacht", "Wachtwoord en app")
        bram.stops("oversight")
        bram.press("link", bram.say("Register van verwerkingen", "Register of processing"), within="main")
        bram.reads(bram.say("vragen een toets", "ask for a review"))
        bram.stops("register")
        bram.press("link", bram.say(*activity), within="main")
        bram.press("radio", bram.say("klopt zo", "right as it is"))
        bram.press("radio", bram.say("niet nodig", "not needed"))
        bram.fill(bram.say("Volgende toets", "Next review"), "2027-11-01")
        bram.press("button", bram.say("Toets vastleggen", "Record the review"))
        bram.reads(
            bram.say("De toets is vastgelegd", "The review was recorded"),
            bram.say("1 november 2027", "1 November 2027"),
        )
        bram.stops("activity")
        bram.press("link", bram.say("Feiten voor een DPIA", "Facts for a DPIA"))
        bram.reads(bram.say("Wat nog openstaat", "What still needs attention"))
        bram.stops("dpia")
        bram.go("/oversight/decisions?outcome=0")
        bram.stops("decisions")
        bram.does_not_read("standard-")  # every rule in words
        bram.press("link", bram.say("november", "November"), within="table")
        bram.reads(bram.say("Opnieuw beoordeeld: dezelfde uitkomst", "Decided again: the same outcome"))
        bram.stops("decision")
        bram.go("/oversight/unusual")
        bram.reads(bram.say("buiten werktijd", "outside office hours"))
        bram.stops("unusual")
        verifies(bram)
        bram.stops("verified")


def test_an_auditor_verifies_the_log_takes_evidence_along_and_changes_nothing(
    browser: Browser, portal: str, way: Way, tmp_path: Path
) -> None:
    with visiting(browser, portal, way, "auditor") as ad:
        ad.go("/oversight/log")
        ad.sign_in("Medewerkers", "Ad Accuraat", "Wachtwoord en app")
        verifies(ad)
        ad.stops("verified")
        ad.fill(ad.say("Nummer van de regel", "Number of the record"), "12")
        ad.press("button", ad.say("Teken het bewijs", "Draw the proof"))
        ad.reads(ad.say("Het bewijs klopt", "The proof holds"))
        ad.open(ad.say("Hetzelfde in woorden", "The same in words"))
        ad.stops("proof")
        evidence = ad.takes(ad.say("Download het bewijs", "Download the evidence"), tmp_path)
        with zipfile.ZipFile(evidence) as parts:
            assert any(name.endswith(".py") for name in parts.namelist()), "it can be verified without Sluis"
        ad.go("/register")
        ad.press("link", ad.say("Parkeervergunning verlenen", "Grant a parking permit"), within="main")
        ad.does_not_read(ad.say("Nieuwe toets vastleggen", "Record a new review"))
        ad.stops("activity")
        ad.go("/contracts", refused=True)
        ad.reads(
            ad.say("beheerder van het knooppunt", "node administrator"),
            ad.say("Vraag de rol aan", "Request the role"),
        )
        ad.stops("refused")


def test_an_administrator_sees_how_the_group_is_and_has_the_doctor_walk(
    browser: Browser, portal: str, way: Way
) -> None:
    with visiting(browser, portal, way, "administrator") as henk:
        henk.go("/peers?anew=yes")
        henk.sign_in("Medewerkers", "Henk Hypothetisch", "Wachtwoord en app")
        henk.stops("peers")
        henk.press("link", "RDW (fictief)", within="main")
        henk.reads("OIN", henk.say("Certificaat tot", "Certificate until"))
        henk.stops("peer")
        henk.go("/certificates")
        henk.reads(
            henk.say("Geen eigen certificaat eindigt binnenkort", "No certificate of your own ends soon")
        )
        henk.stops("certificates")
        henk.go("/contracts")
        henk.reads("UWV (fictief)", henk.say("geldig", "valid"))
        henk.stops("contracts")
        henk.go("/deliveries")
        henk.reads(henk.say("2 abonnementen vragen aandacht", "2 subscriptions need attention"))
        henk.stops("deliveries")
        failed = henk.page.locator("main tbody tr", has=henk.page.locator(".mark.error"))
        failed.get_by_role("link").first.click()
        henk.reads(
            "127.0.0.1",
            henk.say("De afnemer weigerde deze gebeurtenis", "The recipient refused this event"),
        )
        henk.stops("dead-letter")
        henk.go("/traffic")
        henk.reads(henk.say("In het kort", "In short"))
        henk.stops("traffic")
        henk.go("/map")
        henk.reads("RvIG (fictief)", henk.say("De kaart als tabel", "The map as a table"))
        henk.stops("map")
        henk.go("/doctor")
        henk.fill(henk.say("Organisatie", "Organisation"), "RDW (fictief)")
        henk.stops("doctor")
        henk.press("button", henk.say("Loop de weg na", "Walk the way"))
        expect(henk.page.locator("main")).to_contain_text(
            henk.say("De hele weg is goed", "The whole way is well"), timeout=30_000
        )
        henk.stops("walked")


def verifies(person: Visitor) -> None:
    """Have the whole log verified, and look again until that is done."""
    person.go("/oversight/log")
    person.press("button", person.say("Reken het hele logboek na", "Verify the whole log"))
    further = person.page.get_by_role("link", name=person.say("Kijk hoe ver het is", "See how far it is"))
    for _ in range(20):
        if not further.count():
            break
        person.press("link", person.say("Kijk hoe ver het is", "See how far it is"))
    person.reads(person.say("Het logboek is heel", "The log is whole"))
