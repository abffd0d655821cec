"""The last part of the story: a resident signs in, sees who looked, gives access and takes it back; and a decision explained.

All of it goes over HTTPS, through the same pages that a browser shows. What was found is `signin` in the document of
`--json`.
"""

import io
import json
import os
import shlex
import time
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from typing import Any

from sluis.cli.terminal import in_words, say
from sluis.kernel import Upstream
from sluis_demo.activities import PARKING, POVERTY, UWV, WORK
from sluis_demo.browser import Browser, Shown
from sluis_demo.federation import Federation, Place
from sluis_demo.page import GOOD, NOTE, SQL, cited
from sluis_demo.reception import Reception, applicant
from sluis_demo.simulators import DIGID
from sluis_demo.simulators.model import Persona
from sluis_demo.telling import Teller

GRADE, LEVEL = DIGID.grades[2].name, "substantial"
"""How the applicant signs in: DigiD's name for it, and the level of assurance that it is."""

DAYS = 30
"""For how long access is given."""

PATIENCE = 15.0
"""Seconds that other organisations get to tell what stands in their logs."""

APPLICATION = "SELECT soort, ontvangen FROM sluiswijk.aanvragen WHERE bsn = $bsn"


def tell(teller: Teller, reception: Reception) -> None:
    """Tell these chapters. Raises: Problem when something is not as it should be."""
    reception.ready()
    federation = teller.federation
    with Browser(federation.authority.path) as browser:
        found = _signs_in(teller, browser)
        found["looked"] = _sees_who_looked(teller, browser)
        _wants_to_hear(teller, browser)
        found["consent"] = _gives_and_takes(teller, browser)
        found["told"] = _hears(teller, reception)
    found["explained"] = _explained(teller)
    teller.found["signin"] = found


def invitation(federation: Federation) -> str:
    """How somebody tries it themselves, in a browser."""
    name = applicant(federation).name
    return say(
        f"Kijk ook zelf als inwoner. Open in een browser op deze computer:\n  {federation.portal}/\n"
        "De browser waarschuwt: het certificaat is van de testautoriteit van deze demo. Ga toch verder. "
        f"Kies DigiD (simulator), daar {name}, {GRADE}, en voor uzelf. Of kies het digitale paspoort,\n"
        "of log in als medewerker en maak een passkey.\n"
        f"Wat Sluiswijk heeft, vindt iedereen zonder in te loggen: {federation.portal}/catalogue\n"
        f"De simulatoren staan op {federation.network.simulated}.",
        f"Look for yourself, as a resident. Open in a browser on this computer:\n  {federation.portal}/\n"
        "The browser warns: the certificate is of the test authority of this demo. Go on all the same. "
        f"Choose DigiD (simulator), there {name}, {GRADE}, and for yourself. Or choose the digital passport,\n"
        "or sign in as a member of staff and make a passkey.\n"
        f"What Sluiswijk has, anybody finds without signing in: {federation.portal}/catalogue\n"
        f"The simulators are at {federation.network.simulated}.",
    )


def _signs_in(teller: Teller, browser: Browser) -> dict[str, Any]:
    federation, person = teller.federation, applicant(teller.federation)
    teller.page.chapter(say("De inwoner logt in, en kijkt zelf", "The resident signs in, and looks"))
    teller.page.write(
        say(
            f"Sluiswijk heeft een portaal. {person.name} logt in met DigiD, hier een simulator, en kiest {GRADE}. "
            "Een lager niveau zou niet volstaan.",
            f"Sluiswijk has a portal. {person.name} signs in with DigiD, here a simulator, and chooses {GRADE}. "
            "A lower level would not do.",
        )
    )
    shown = signed_in(federation.portal, person, browser)
    teller.page.more(f"{shown.url}: {shown.title}", SQL)
    return {
        "portal": federation.portal,
        "simulators": federation.network.simulated,
        "person": person.name,
        "level": LEVEL,
        "page": shown.url,
    }


def signed_in(portal: str, person: Persona, browser: Browser) -> Shown:
    """The page of who looked, of a portal; tried again, as people do, where a busy machine answered too late."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            shown = browser.open(f"{portal}/looked")
            if not any(f"/at/{DIGID.kind}?" in link for link in shown.links):
                return shown  # signed in already
            shown = browser.follow(shown, f"/at/{DIGID.kind}?")
            shown = browser.send(shown, {"person": person.number, "level": GRADE})
            return browser.send(shown, {"choice": "0"}) if len(person.choices) > 1 else shown
        except Upstream:
            if time.monotonic() > end:
                raise


def _sees_who_looked(teller: Teller, browser: Browser) -> dict[str, Any]:
    looked = _overview(teller, browser)
    counted: dict[str, int] = {}
    for one in looked["looks"]:
        counted[one["organisation"]] = counted.get(one["organisation"], 0) + 1
    teller.page.write(
        say(
            f"De pagina toont {len(looked['looks'])} regels. Het portaal volgt elke vraag naar de bronhouders, met een "
            "verklaring over wie er inlogde: voor één organisatie, en één keer te gebruiken. Op het woord van een ander "
            "knooppunt alleen geeft niemand iets.",
            f"The page shows {len(looked['looks'])} lines. The portal follows each question to the owners, with an assertion "
            "of who signed in: for one organisation, and to be used once. On the mere word of another node nobody gives "
            "anything.",
        )
    )
    rows = [(name, str(many)) for name, many in counted.items()]
    teller.page.table((say("uit het logboek van", "from the log of"), say("regels", "lines")), rows)
    if looked["silent"]:
        silent = ", ".join(one["organisation"] for one in looked["silent"])
        teller.page.write(
            say(f"Gaf geen antwoord, en dat staat op de pagina: {silent}.", f"Did not answer, and the page says so: {silent}."),
            NOTE,
        )  # fmt: skip
    return {
        "whole": looked["whole"],
        "silent": [one["organisation"] for one in looked["silent"]],
        "lines": counted,
    }


def _overview(teller: Teller, browser: Browser) -> Any:
    """What the page is made of, as JSON; asked for again while somebody who is up did not answer yet."""
    end = time.monotonic() + PATIENCE
    names = {
        place.organisation.name for place in teller.federation.places if place.alias in teller.running.down
    }
    while True:
        looked = browser.data(f"{teller.federation.portal}/looked/overview")
        late = {one["organisation"] for one in looked["silent"]} - names
        if not late or time.monotonic() > end:
            return looked
        time.sleep(0.1)


def _wants_to_hear(teller: Teller, browser: Browser) -> None:
    """Choose to be told each time that data about her is asked for."""
    page = browser.open(f"{teller.federation.portal}/messages/reach")
    browser.send(page, {"how": "each"}, "/messages/consulted")
    teller.page.write(
        say(
            "Zij wil het voortaan meteen horen als iemand gegevens over haar opvraagt, en kiest dat bij haar berichten.",
            "From now on she wants to hear at once when somebody asks for data about her, and chooses that at her messages.",
        )
    )


def _hears(teller: Teller, reception: Reception) -> int:
    """What she was told in the meantime, in her message box; how many messages there are."""
    number, end = applicant(teller.federation).number, time.monotonic() + PATIENCE
    asked = any(one.activity == WORK.id for one in teller.federation.asker.organisation.disclosures)
    while not (found := reception.box.of(number)) and asked and time.monotonic() < end:
        if "uwv" in teller.running.down:
            break
        time.sleep(0.1)
    if found:
        teller.page.write(
            say(
                f"In haar berichtenbox: “{found[0].onderwerp}”. Daarin staat wie vroeg, waarvoor en volgens welke wet; niet "
                "wat er te zien was.",
                f"In her message box: “{found[0].onderwerp}”. It says who asked, what for and by which law; not what there was "
                "to see.",
            )
        )
    return len(found)


def _gives_and_takes(teller: Teller, browser: Browser) -> dict[str, Any] | None:
    asked = any(one.activity == WORK.id for one in teller.federation.asker.organisation.disclosures)
    title = say("Toegang geven, en weer intrekken", "Giving access, and taking it back")
    if not teller.can_ask(title, APPLICATION if asked else "", "uwv"):
        return None
    uwv = next(place for place in teller.federation.places if place.organisation.oin == UWV)
    teller.page.write(
        say(
            "UWV wil haar helpen met werk zoeken, en daarvoor weten welke aanvragen zij bij de gemeente heeft lopen. Geen wet "
            "opent dat; dat kan alleen zij zelf.",
            "UWV wants to help her find work, and to know which applications she has under way with the municipality. No law "
            "opens that; only she can.",
        )
    )
    teller.page.write(f"{in_words(WORK.name)}. {cited(WORK.articles)}.", "bold")
    teller.show(APPLICATION)
    before = _rows(teller, uwv)
    shown = _give(teller.federation, browser)
    given = _rows(teller, uwv)
    began = time.monotonic()
    browser.send(shown, {}, "/consents/revoke")
    revoked = _rows(teller, uwv)
    seconds = time.monotonic() - began
    moments = (
        (say("voordat zij iets gaf", "before she gave anything"), before),
        (say("na haar toestemming", "after her consent"), given),
        (say("nadat zij die introk", "after she took it back"), revoked),
    )
    table = [
        (when, ", ".join(map(str, rows[0])) if rows else say("niets", "nothing")) for when, rows in moments
    ]
    teller.page.table((say("wanneer", "when"), say("UWV ziet", "UWV sees")), table)
    told = f"{seconds:.1f}"
    teller.page.write(
        say(f"Intrekken en opnieuw vragen kostte samen {told.replace('.', ',')} s.", f"Taking back and asking again took {told} s together."),
        "dim",
    )  # fmt: skip
    return {
        "recipient": uwv.alias,
        "activity": WORK.id,
        "before": before,
        "given": given,
        "revoked": revoked,
        "seconds": round(seconds, 3),
    }


def _rows(teller: Teller, asker: Place) -> list[Any]:
    rows: list[Any] = teller.ask(APPLICATION, WORK.id, by=asker)["rows"]
    return rows


def _give(federation: Federation, browser: Browser) -> Shown:
    """Give access to all that is asked for, on the page; gives the page afterwards."""
    [disclosure] = [one for one in federation.asker.organisation.disclosures if one.activity == WORK.id]
    columns = {f"column.{name}": "1" for name in disclosure.columns if name != "bsn"}
    until = {"until": (datetime.now(UTC).date() + timedelta(DAYS)).isoformat()}
    page = browser.open(f"{federation.portal}/consents")
    return browser.send(page, columns | until, "/consents/give", disclosure=disclosure.id)


def _explained(teller: Teller) -> list[dict[str, Any]]:
    """What the decision point of one owner says of two purposes, and why: read from its files, so it need not be up."""
    places = [one for one in teller.federation.places if one.alias == "rdw" and one.organisation.disclosures]
    known = {one.activity for place in places for one in place.organisation.disclosures}
    title = say("Waarom mag dit wel, en dat niet?", "Why is this allowed, and that not?")
    if not teller.can_ask(title, "explain" if PARKING.id in known else ""):
        return []
    teller.page.write(
        say(
            "Eén beslispunt per knooppunt zegt ja of nee, en kan uitleggen waarom. Dezelfde voertuigen, twee doelen:",
            "One decision point per node says yes or no, and can explain why. The same vehicles, two purposes:",
        )
    )
    return [_why(teller, places[0], activity) for activity in (PARKING.id, POVERTY.id)]


def _why(teller: Teller, owner: Place, activity: str) -> dict[str, Any]:
    peer = f"peer:{str.__str__(teller.federation.asker.organisation.oin)}"
    node = os.path.relpath(owner.directory)
    asked = [
        "--subject",
        peer,
        "--action",
        "consult",
        "--resource",
        "dataset:rdw.voertuigen",
        "--activity",
        activity,
    ]
    command = ["explain", "--node", node, *asked]
    pairs = [shlex.join(command[at : at + 2]) for at in range(1, len(command), 2)]
    teller.page.write(" \\\n  ".join((".venv/bin/sluis policy explain", *pairs)), SQL)
    words, document = _printed(command), _printed([*command, "--json"])
    found: dict[str, Any] = json.loads(document)
    teller.page.more(words.rstrip(), GOOD if found["decided"]["permit"] else NOTE)
    return {"activity": activity, **found}


def _printed(command: list[str]) -> str:
    """What `sluis policy` prints for these words."""
    from sluis.cli import policy  # here: it loads half the house, and no start waits for that

    with redirect_stdout(io.StringIO()) as printed:
        policy.command.main(command, prog_name="sluis policy", standalone_mode=False)
    return printed.getvalue()
