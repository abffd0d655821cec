"""The chapter in which the resident asks what is known of her and where, and reports a mistake, which lands on the desk of whoever must
look into it. What was found is `oneself` in the document of `--json`.
"""

import re
from html import unescape

from sluis.cli.terminal import say
from sluis_demo.activities import INSPECTION
from sluis_demo.browser import Browser, Shown
from sluis_demo.page import SQL
from sluis_demo.reception import applicant
from sluis_demo.simulators.personas import OFFICIALS
from sluis_demo.telling import Teller
from sluis_demo.visit import signed_in

_RECEIPT = re.compile(r"\?placed=([0-9A-Z-]{14})")
_DESK = OFFICIALS["dina"][0]


def tell(teller: Teller) -> None:
    """Tell it. Raises: Problem when something is not as it should be."""
    federation = teller.federation
    opened = any(one.activity == INSPECTION.id for one in federation.asker.organisation.disclosures)
    title = say("Wat is er over haar bekend, en waar?", "What is known of her, and where?")
    if not teller.can_ask(title, INSPECTION.id if opened else ""):
        return
    person = applicant(federation)
    with Browser(federation.authority.path) as browser:
        signed_in(federation.portal, person, browser)
        page = browser.open(f"{federation.portal}/mine")
        known = browser.post(page.url, next(one.fields for one in page.forms if one.action == "/mine"))
        answered = re.findall(r'<section id="at-([a-z0-9_]+)"', known.text)
        there = [
            one for one in _mistakes() if any(form.fields.get("dataset") == one[0] for form in known.forms)
        ]
        receipts = [_report(browser, known, *one) for one in there]
    teller.page.write(
        say(
            f"{person.name} vraagt het op: {len(answered)} organisaties antwoorden meteen, elk onder eigen regels. Niets ervan "
            f"wordt bewaard. Zij meldt {len(receipts)} fouten bij wie de gegevens bijhoudt: {', '.join(receipts)}.",
            f"{person.name} asks it: {len(answered)} organisations answer at once, each under rules of its own. Nothing of it is "
            f"kept. She reports {len(receipts)} mistakes to whoever keeps the data: {', '.join(receipts)}.",
        )
    )
    teller.page.more(f"{federation.portal}/mine: {known.title}", SQL)
    teller.found["oneself"] = {"page": f"{federation.portal}/mine", "answered": answered, "reports": receipts}


def _mistakes() -> list[tuple[str, str]]:
    """In which dataset something is wrong, and what it should be."""
    return [
        (
            "aanvragen",
            say("Ik stuurde mijn aanvraag een week eerder.", "I sent my application a week earlier."),
        ),
        ("verblijfplaats", say("Het huisnummer is 12 A.", "The house number is 12 A.")),
    ]


def _report(browser: Browser, known: Shown, dataset: str, should: str) -> str:
    """Report a mistake in the first thing of a dataset; gives the number of the report."""
    form = browser.send(known, {}, "/requests/new", dataset=dataset)
    now = re.search(r'<textarea id="now"[^>]*>\s*([^<]*)', form.text)
    sent = browser.send(
        form, {"now": unescape(now[1]) if now else "", "should": should, "remark": ""}, "/requests"
    )
    found = _RECEIPT.search(sent.url)
    return found[1] if found else ""


def invitation(portal: str) -> str:
    """How somebody tries it themselves, in a browser: at the desk, and as the others who work at the municipality."""
    others = [OFFICIALS[name][0] for name in ("olga", "bram", "ad", "henk")]
    dutch, english = (
        "; ".join(f"{one.name}, {about}" for one, about in zip(others, told, strict=True))
        for told in ([one.about.nl for one in others], [one.about.en for one in others])
    )
    return say(
        f"Of handel een melding af: open {portal}/desk/corrections\nKies Medewerkersaccount (simulator), daar {_DESK.name}.\n"
        f"Zo ziet u ook wat collega's zien. Kies dan {dutch}.",
        f"Or handle a report: open {portal}/desk/corrections\nChoose Medewerkersaccount (simulator), there {_DESK.name}.\n"
        f"So you see what colleagues see, too. Then choose {english}.",
    )
