"""The chapter with the question about the applicant once more, as an official asks it in the browser; and questions that are saved
for whoever tries it themselves. What was found is `official` in the document of `--json`.
"""

import re

from sluis.cli.terminal import say
from sluis_demo import script
from sluis_demo.activities import BENEFIT, PARKING, POVERTY
from sluis_demo.browser import Browser, Shown
from sluis_demo.federation import Federation
from sluis_demo.page import SQL
from sluis_demo.reception import applicant
from sluis_demo.simulators.personas import OFFICIALS, STAFF
from sluis_demo.telling import CASE, Teller

OFFICIAL = OFFICIALS["fenna"][0]
GRADE = STAFF.grades[1].name

CHILD = "SELECT v.straat, v.huisnummer, v.woonplaats FROM rvig.verblijfplaats AS v WHERE v.bsn = $bsn"
"""Whether a child is registered at the address of who applies."""


def tell(teller: Teller) -> None:
    """Tell it. Raises: Problem when something is not as it should be."""
    federation = teller.federation
    sql = script.question(script.about_the_applicant(teller.running.down), teller.offered)
    title = say("Een medewerker vraagt in de browser", "An official asks in the browser")
    if not teller.can_ask(title, sql):
        return
    with Browser(federation.authority.path) as browser:
        shown = signed_in(federation, browser)
        saved = _save(federation, browser, teller, sql)
        gaps, receipts = _asks(federation, browser, sql, teller.bsn)
        children = [] if "rvig" in teller.running.down else applicant(federation).choices
        child, number = next(((one.name, one.bsn) for one in children if one.bsn), ("", ""))
        if number:
            _asks(federation, browser, CHILD, number)
    teller.page.write(
        say(
            f"{OFFICIAL.name} logt in bij het portaal van Sluiswijk, kiest waarvoor zij vraagt, kijkt vooraf, en stelt dezelfde "
            f"vraag: {receipts} ontvangstbewijzen{_told(gaps)}. Daarna laat zij het antwoord vergeten. {len(saved)} vragen zijn bewaard, zonder "
            "over wie ze gaan.",
            f"{OFFICIAL.name} signs in at Sluiswijk's portal, chooses what she asks for, sees beforehand, and asks the same "
            f"question: {receipts} receipts{_told(gaps)}. Then she has the answer forgotten. {len(saved)} questions are saved, without whom "
            "they are about.",
        )
    )
    if number:
        teller.page.write(
            say(
                f"Zij kijkt ook op welk adres {child} staat, een kind van de aanvrager. Wie over dat kind gaat, ziet dat bij "
                "Wie keek er.",
                f"She also looks at which address {child} is registered, a child of the applicant. Who has authority over the "
                "child sees that at Who looked.",
            )
        )
    teller.page.more(f"{federation.portal}/ask: {shown.title}", SQL)
    teller.found["official"] = {
        "person": OFFICIAL.name, "page": f"{federation.portal}/ask", "receipts": receipts, "gaps": gaps, "saved": saved,
    }  # fmt: skip


def invitation(federation: Federation) -> str:
    """How somebody tries it themselves, in a browser."""
    return say(
        f"Of vraag als medewerker: open {federation.portal}/ask\n"
        f"Kies Medewerkersaccount (simulator), daar {OFFICIAL.name} en {GRADE}. Kies Bijstand vaststellen, of een bewaarde vraag.\n"
        f"Zaak {CASE}, BSN {federation.applicant}.",
        f"Or ask as an official: open {federation.portal}/ask\n"
        f"Choose Medewerkersaccount (simulator), there {OFFICIAL.name} and {GRADE}. Choose Decide on a benefit application, or a saved "
        f"question.\nCase {CASE}, BSN {federation.applicant}.",
    )


def signed_in(federation: Federation, browser: Browser) -> Shown:
    """The first page of asking, for the official."""
    shown = browser.follow(browser.open(f"{federation.portal}/ask"), "/at/medewerkers?")
    return browser.send(shown, {"person": OFFICIAL.number, "level": GRADE})


def _asks(federation: Federation, browser: Browser, sql: str, bsn: str) -> tuple[int, int]:
    """Ask a question about somebody, and have the answer forgotten: how many owners are missing, and how many receipts came."""
    fields = {"activity": BENEFIT.id, "mode": "sql", "case": CASE, "sql": sql, "p.bsn": bsn, "partial": "on"}
    form = browser.open(f"{federation.portal}/ask/question?activity={BENEFIT.id}&mode=sql")
    beforehand = browser.send(form, fields, "/ask/explain")
    answer = _whole(browser, browser.send(beforehand, {}, "/ask/answers"))
    receipts = len(re.findall(r"/receipts/\d+", answer.text))
    browser.send(answer, {}, "/forget")
    return beforehand.text.count('class="gap"'), receipts


def _told(gaps: int) -> str:
    if not gaps:
        return ""
    return say(
        f", en vooraf al gezegd dat {gaps} bronhouder ontbreekt" if gaps == 1 else f", en vooraf al gezegd dat {gaps} bronhouders ontbreken",
        f"; beforehand it said that {gaps} owner is missing" if gaps == 1 else f"; beforehand it said that {gaps} owners are missing",
    )  # fmt: skip


def _whole(browser: Browser, shown: Shown) -> Shown:
    """The answer, as soon as it is there."""
    for _ in range(40):
        if "/receipts" in shown.text:
            return shown
        shown = browser.open(shown.url)
    return shown


def _save(federation: Federation, browser: Browser, teller: Teller, sql: str) -> list[str]:
    """Questions that stand ready, shared with colleagues."""
    ready = (
        (say("Alles voor een bijstandsaanvraag", "Everything for a benefit application"), BENEFIT.id, sql),
        (say("Voertuig van een aanvrager", "Vehicle of an applicant"), PARKING.id, script.PLATE),
        (say("Lage inkomens per wijk", "Low incomes per district"), POVERTY.id, script.POVERTY_PER_DISTRICT),
    )  # fmt: skip
    known = {one.activity for place in federation.places for one in place.organisation.disclosures}
    saved = []
    for name, activity, text in ready:
        if activity not in known:
            continue
        page = browser.open(f"{federation.portal}/ask/question?activity={activity}&mode=sql")
        fields = {"activity": activity, "mode": "sql", "sql": text, "name": name, "shared": "on"}
        token = page.forms[-1].fields["csrf"]
        browser.post(f"{federation.portal}/ask/saved", {**fields, "csrf": token})
        saved.append(name)
    return saved
