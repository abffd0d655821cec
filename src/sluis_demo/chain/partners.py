"""The five partners as their own people would have set them up: what can happen there, and who needs to know of it.

All are fictitious, whatever their names. The articles of law are real. The chain knows people by their V-number; here it is the
BSN, for that is what the resident signs in with.
"""

from datetime import date

from sluis.grounds import Activity, Article, EventType, Fact, Notice
from sluis.kernel import Oin, Period, Text
from sluis_demo.activities import peer
from sluis_demo.organisations import Organisation

FIRST = 8
"""The number of the first of them: the others of the demo come before."""

SINCE = Period(date(2025, 1, 1))
DECISION, MOVE = "nl.migratieketen.asielbeslissing.genomen", "nl.migratieketen.verhuizing.opvang"

ALIENS = Article("Vreemdelingenwet 2000", "107", "BWBR0011823")
RECEPTION = Article("Wet Centraal Orgaan opvang asielzoekers", "3", "BWBR0006685")
ANNOUNCING = Article("Algemene wet bestuursrecht", "3:41", "BWBR0005537")

_NAMES = {
    "ind": "IND (fictief)",
    "coa": "COA (fictief)",
    "dtv": "DT&V (fictief)",
    "kmar": "KMar (fictief)",
    "bz": "BZ (fictief)",
}
PEERS = {alias: peer(number) for number, alias in enumerate(_NAMES, FIRST)}


def _activity(alias: str, name: str, article: Article, title: Text, purpose: Text) -> Activity:
    return Activity(
        f"https://{alias}.example/verwerkingen/{name}", title, purpose, Oin(PEERS[alias]), "public-task", (article,), SINCE,
        subjects=Text("vreemdelingen", "foreign nationals"),
    )  # fmt: skip


ACTIVITIES = {
    "ind": _activity(
        "ind", "besluiten-bekendmaken", ANNOUNCING,
        Text("Besluiten bekendmaken", "Announcing decisions"),
        Text("Mensen laten weten dat er over hen is besloten.", "Letting people know that it was decided about them."),
    ),
    "coa": _activity(
        "coa", "opvang", RECEPTION,
        Text("Opvang", "Reception"),
        Text("Onderdak en begeleiding van wie in de opvang woont.", "Housing and guiding those who live in reception."),
    ),
    "dtv": _activity(
        "dtv", "vertrek", ALIENS,
        Text("Vertrek voorbereiden", "Preparing departure"),
        Text("Het vertrek voorbereiden van wie moet gaan.", "Preparing the departure of those who must go."),
    ),
    "kmar": _activity(
        "kmar", "grenstoezicht", ALIENS,
        Text("Grenstoezicht", "Border control"),
        Text("Toezicht op wie het land moet verlaten.", "Watching over those who must leave the country."),
    ),
    "bz": _activity(
        "bz", "visa", ALIENS,
        Text("Visa", "Visas"),
        Text("Verleende visa herzien.", "Reviewing visas that were given."),
    ),
}  # fmt: skip

_DECIDED = EventType(
    DECISION,
    Text("Asielbeslissing genomen", "Asylum decision made"),
    Text("Er is beslist op een asielaanvraag.", "An asylum application was decided on."),
    "BSN",
    facts={
        "uitkomst": Fact("text", Text("`ingewilligd` of `afgewezen`", "`ingewilligd` (granted) or `afgewezen` (refused)")),
        "verstreken": Fact("boolean", Text("of de termijn om te vertrekken voorbij is", "whether the time to leave has passed")),
        "kenmerk": Fact("text", Text("kenmerk van de zaak", "reference of the case")),
    },
    dataref="https://ind.example/dossiers/{id}",
    system="indigo",
)  # fmt: skip
_MOVED = EventType(
    MOVE,
    Text("Verhuisd binnen de opvang", "Moved within reception"),
    Text("Iemand woont nu op een andere locatie.", "Somebody lives at another location now."),
    "BSN",
    facts={"locatie": Fact("text", Text("de nieuwe locatie", "the new location"))},
    dataref="https://coa.example/verblijf/{id}",
    system="ibis",
)


def _notice(source: str, to: str, of: EventType, article: Article, tells: Text, condition: str | None = None,
            interest: bool = True) -> Notice:  # fmt: skip
    return Notice(
        f"{to}-{of.type.split('.')[2]}", 1, of.type, PEERS[to], ACTIVITIES[to].id, tells, (article,), "public-task",
        Oin(PEERS[source]), SINCE, condition=condition, interest=interest,
    )  # fmt: skip


_OF_A_RESIDENT = Text("Over een bewoner is beslist.", "It was decided about a resident.")
_OF_A_REFUSAL = Text(
    "De aanvraag van iemand met een open casus is afgewezen.", "The application in an open case was refused."
)
_OF_LEAVING = Text("Iemand is afgewezen en moet vertrekken.", "Somebody was refused and must leave.")
_OF_A_VISA = Text("Over iemand met een visum is beslist.", "It was decided about somebody with a visa.")
_OF_A_MOVE = Text(
    "Iemand met een open casus woont nu elders.", "Somebody with an open case lives elsewhere now."
)

NOTICES = {
    "ind": (
        _notice("ind", "coa", _DECIDED, RECEPTION, _OF_A_RESIDENT),
        _notice("ind", "dtv", _DECIDED, ALIENS, _OF_A_REFUSAL, "uitkomst = 'afgewezen'"),
        _notice("ind", "kmar", _DECIDED, ALIENS, _OF_LEAVING, "uitkomst = 'afgewezen' AND verstreken", interest=False),
        _notice("ind", "bz", _DECIDED, ALIENS, _OF_A_VISA),
    ),
    "coa": (_notice("coa", "dtv", _MOVED, ALIENS, _OF_A_MOVE),),
}  # fmt: skip
_EVENTS = {"ind": (_DECIDED,), "coa": (_MOVED,)}

PARTNERS = tuple(
    Organisation(alias, name, PEERS[alias], events=_EVENTS.get(alias, ()), notices=NOTICES.get(alias, ()))
    for alias, name in _NAMES.items()
)

SCENARIO = {
    "id": "asielbeslissing",
    "event": DECISION,
    "activity": ACTIVITIES["ind"].id,
    "template": "asielbeslissing",
    "case": "kenmerk",
    "title": {"nl": "Beslissing op uw aanvraag", "en": "Decision on your application"},
    "subject": {"nl": "Er is beslist op uw aanvraag", "en": "There is a decision on your application"},
    "short": {"nl": "Er is beslist op uw aanvraag.", "en": "There is a decision on your application."},
    "steps": [{"channel": "box"}],
}
"""Which message the person concerned gets."""

TEMPLATES = {
    "nl": "Er is beslist op uw aanvraag met kenmerk {{ kenmerk }}. De beslissing ligt voor u klaar bij {{ organisation }}.\n",
    "en": "There is a decision on your application {{ kenmerk }}. {{ organisation }} keeps it ready for you.\n",
}


def relevant(source: str, to: str) -> tuple[Notice, ...]:
    """Of what a source tells one of the others."""
    return tuple(one for one in NOTICES.get(source, ()) if one.recipient == PEERS[to])


def known(organisation: Organisation) -> list[Activity]:
    """The activities whose files a partner keeps: its own, and those of whom it tells something."""
    told = {one.activity for one in organisation.notices}
    return [one for alias, one in ACTIVITIES.items() if alias == organisation.alias or one.id in told]


def named(alias: str) -> str:
    """What people call a partner."""
    return _NAMES[alias].partition(" (")[0]
