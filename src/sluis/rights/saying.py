"""What this room says: kinds of requests and states in words, and what can go wrong."""

from collections.abc import Mapping
from types import MappingProxyType

from sluis.kernel import Conflict, Invalid, NotFound, Refused, Text, Upstream
from sluis.policy import ASK_FOR_ROLE
from sluis.rights.model import Kind, NumberKind, State

KIND_NAMES: Mapping[Kind, Text] = MappingProxyType(
    {
        "correction": Text("Fout melden", "Report a mistake"),
        "access": Text("Inzage", "Access"),
        "erasure": Text("Wissen", "Erasure"),
        "restriction": Text("Tijdelijk niet gebruiken", "Restriction of use"),
        "informing": Text("Weten wie het hoorde", "Knowing who was told"),
        "portability": Text("Meenemen naar een ander", "Taking data along"),
        "objection": Text("Bezwaar tegen het gebruik", "Objection to the use"),
        "decision": Text("Bezwaar tegen een besluit", "Objection to a decision"),
    }
)

KIND_HINTS: Mapping[Kind, tuple[Text, str]] = MappingProxyType(
    {
        "correction": (Text("Er staat iets over u dat niet klopt.", "Something about you is wrong."), "AVG, art. 16"),
        "access": (Text("U wilt weten wat deze organisatie over u heeft.", "You want to know what this organisation has about you."), "AVG, art. 15"),
        "erasure": (Text("U wilt dat uw gegevens worden weggehaald.", "You want your data to be removed."), "AVG, art. 17"),
        "restriction": (Text("U wilt dat uw gegevens even niet worden gebruikt, bijvoorbeeld tot een fout is uitgezocht.",
                             "You want your data not to be used for a while, such as until a mistake was looked into."), "AVG, art. 18"),
        "informing": (Text("U wilt weten wie van een verbetering heeft gehoord.", "You want to know who was told of a correction."), "AVG, art. 19"),
        "portability": (Text("U wilt uw gegevens zelf hebben, of naar een ander meenemen.", "You want to have your data, or take it to another."), "AVG, art. 20"),
        "objection": (Text("U vindt dat deze organisatie uw gegevens hiervoor niet mag gebruiken.",
                           "You think that this organisation may not use your data for this."), "AVG, art. 21"),
        "decision": (Text("U bent het niet eens met een besluit over u. Let op: vaak moet dit binnen zes weken.",
                          "You do not agree with a decision about you. Mind: often this must be done within six weeks."),
                     "Algemene wet bestuursrecht, art. 6:4"),
    }
)  # fmt: skip
"""Of each kind: when somebody wants it, and the article that it rests on."""

COMPANY_HINTS: Mapping[Kind, tuple[Text, str]] = MappingProxyType(
    {
        "correction": (Text("Er staat iets over het bedrijf dat niet klopt.", "Something about the company is wrong."),
                       "Algemene wet bestuursrecht, art. 4:1"),
        "access": (Text("U wilt weten wat deze organisatie over het bedrijf heeft.",
                        "You want to know what this organisation has about the company."), "Wet open overheid, art. 5.5"),
        "decision": (Text("Het bedrijf is het niet eens met een besluit. Let op: vaak moet dit binnen zes weken.",
                          "The company does not agree with a decision. Mind: often this must be done within six weeks."),
                     "Algemene wet bestuursrecht, art. 6:4"),
    }
)  # fmt: skip
"""The same of what a company can ask."""


def hint_of(kind: Kind, company: bool) -> tuple[Text, str]:
    """When somebody wants this kind, and the article that it rests on; of what a company cannot ask, those of people."""
    return (COMPANY_HINTS.get(kind) if company else None) or KIND_HINTS[kind]


NUMBERS: Mapping[NumberKind, Text] = MappingProxyType(
    {
        "BSN": Text("Burgerservicenummer", "Citizen service number"),
        "urn:nl:kvk": Text("KVK-nummer", "KVK number"),
        "urn:nl:rsin": Text("RSIN", "RSIN"),
        "urn:nl:vestiging": Text("Vestigingsnummer", "Establishment number"),
    }
)
"""What each kind of number is called."""

STATE_NAMES: Mapping[State, Text] = MappingProxyType(
    {
        "waiting": Text("onderweg", "on its way"),
        "undeliverable": Text("niet aangekomen", "not arrived"),
        "received": Text("ontvangen", "received"),
        "investigating": Text("wordt onderzocht", "being investigated"),
        "extended": Text("duurt langer", "takes longer"),
        "granted": Text("toegewezen", "granted"),
        "partly": Text("deels toegewezen", "partly granted"),
        "refused": Text("afgewezen", "refused"),
    }
)

_CORRECTED: Mapping[State, Text] = MappingProxyType(
    {
        "granted": Text("verbeterd", "corrected"),
        "partly": Text("deels verbeterd", "partly corrected"),
        "refused": Text("niet verbeterd", "not corrected"),
    }
)


def state_name(kind: Kind, state: State) -> Text:
    """A state in words, as it reads for a request of this kind."""
    return (_CORRECTED.get(state) if kind == "correction" else None) or STATE_NAMES[state]


def unknown_request() -> NotFound:
    return NotFound(
        "unknown-request",
        Text("Dit verzoek is er niet.", "There is no such request."),
        Text("Het nummer klopt niet, of het verzoek is al vernietigd.",
             "The number is wrong, or the request was destroyed already."),
        Text("Kijk in het overzicht.", "Look in the overview."),
    )  # fmt: skip


def of_another() -> Invalid:
    return Invalid(
        "assertion-of-another",
        Text("De verklaring gaat over iemand anders.", "The assertion is about somebody else."),
        Text("Het nummer in de verklaring is niet dat van het verzoek.", "The number in the assertion is not that of the request."),
        Text("Stuur de verklaring mee van wie het verzoek doet.", "Send along the assertion of who makes the request."),
        field="assertion",
    )  # fmt: skip


def already_there() -> Conflict:
    return Conflict(
        "request-exists",
        Text("Er is al een ander verzoek met dit nummer.", "There is another request with this number."),
        Text("Een nummer hoort bij één verzoek, dat niet verandert.", "A number belongs to one request, which does not change."),
        Text("Geef het verzoek een nieuw nummer.", "Give the request a new number."),
    )  # fmt: skip


def no_progress() -> Conflict:
    return Conflict(
        "request-progress",
        Text("Deze stappen passen niet bij het verzoek.", "These steps do not fit the request."),
        Text("Zij gaan niet verder op wat eerder is gemeld, of een stap kan niet.",
             "They do not go on from what was told before, or a step is not possible."),
        Text("Stuur alle stappen, in hun volgorde.", "Send all steps, in their order."),
    )  # fmt: skip


def decided_meanwhile() -> Conflict:
    return Conflict(
        "request-decided",
        Text("Dit verzoek is intussen veranderd.", "This request has changed meanwhile."),
        Text("Een collega was u voor.", "A colleague was before you."),
        Text("Open het verzoek opnieuw.", "Open the request again."),
    )


def too_many(most: int) -> Refused:
    return Refused(
        "too-many-requests",
        Text("U hebt vandaag al veel verzoeken gedaan.", "You have made many requests today."),
        Text(f"Wij nemen er {most} per dag aan.", f"We take {most} a day."),
        Text("Ga morgen verder, of bel de organisatie.", "Go on tomorrow, or call the organisation."),
        rule="requests-pace",
    )


def peer_too_fast() -> Refused:
    return Refused(
        "requests-pace",
        Text("Er komen te veel verzoeken tegelijk.", "Too many requests come at once."),
        Text("Dit knooppunt neemt er per uur een beperkt aantal van één organisatie aan.",
             "This node takes a limited number an hour from one organisation."),
        Text("Probeer het over een uur opnieuw.", "Try again in an hour."),
        rule="requests-pace",
    )  # fmt: skip


def too_many_open(most: int) -> Refused:
    return Refused(
        "too-many-open",
        Text("Er staan te veel verzoeken van uw organisatie open.", "Too many requests of your organisation are open."),
        Text(f"Dit knooppunt houdt er {most} van één organisatie tegelijk open.",
             f"This node keeps {most} of one organisation open at a time."),
        Text("Het verzoek wordt vanzelf opnieuw aangeboden. Vraag deze organisatie om af te handelen wat er ligt.",
             "The request is offered again by itself. Ask this organisation to handle what it has."),
        rule="requests-open",
        retry=True,
    )  # fmt: skip


def unknown_organisation() -> Invalid:
    return Invalid(
        "unknown-organisation",
        Text("Deze organisatie is niet bekend.", "This organisation is not known."),
        Text("Kies een van de organisaties uit de lijst.", "Choose one of the organisations in the list."),
        Text("Kies een organisatie.", "Choose an organisation."),
        field="organisation",
    )


def unknown_kind() -> Invalid:
    return Invalid(
        "unknown-request-kind",
        Text("Er is niet gekozen wat u wilt.", "It was not chosen what you want."),
        Text(
            "Een verzoek is er een van een soort uit de lijst.",
            "A request is of one of the kinds in the list.",
        ),
        Text("Kies wat u wilt.", "Choose what you want."),
        field="kind",
    )


def no_number() -> Refused:
    return Refused(
        "no-number",
        Text("Dit kan niet met deze manier van inloggen.", "This is not possible with this way of signing in."),
        Text("Organisaties zoeken gegevens op met een burgerservicenummer of het nummer van een bedrijf, en dat is hier niet bekend.",
             "Organisations look up data by a citizen service number or the number of a company, and none is known here."),
        Text("Log in met een manier die uw burgerservicenummer kent, of kies een bedrijf om voor te handelen.",
             "Sign in in a way that knows your citizen service number, or choose a company to act for."),
        rule="no-number",
    )  # fmt: skip


def not_your_desk() -> Refused:
    return Refused(
        "desk-not-yours",
        Text("U mag deze verzoeken niet behandelen.", "You may not handle these requests."),
        Text("Meldingen zijn voor de gegevensbeheerder, andere verzoeken voor de privacyfunctionaris.",
             "Reports are for the data owner, other requests for the privacy officer."),
        ASK_FOR_ROLE,
        rule="desk-readers",
    )  # fmt: skip


def asked_too_often() -> Refused:
    return Refused(
        "inspection-pace",
        Text("U hebt dit net een paar keer gevraagd.", "You asked this a few times just now."),
        Text("Elke vraag gaat naar alle organisaties, en staat in hun logboek.",
             "Each question goes to all organisations, and is in their logs."),
        Text("Wacht een uur en vraag het dan opnieuw.", "Wait an hour, and ask again."),
        rule="inspection-pace",
    )  # fmt: skip


def unusable(peer: str) -> Upstream:
    return Upstream(
        "request-answer-unusable",
        Text("Een andere organisatie gaf geen bruikbaar antwoord op een verzoek.",
             "Another organisation gave no usable answer to a request."),
        Text("Het antwoord heeft niet de afgesproken vorm.", "The answer does not have the agreed form."),
        Text("Het knooppunt probeert het vanzelf opnieuw.", "The node tries again by itself."),
        peer=peer,
        retry=True,
    )  # fmt: skip


def too_slow(name: str) -> Upstream:
    return Upstream(
        "peer-too-slow",
        Text(f"{name} gaf niet op tijd antwoord.", f"{name} did not answer in time."),
        Text("Het knooppunt van deze organisatie is traag of niet bereikbaar.",
             "The node of this organisation is slow or cannot be reached."),
        Text("Vraag het later opnieuw.", "Ask again later."),
        peer=name,
        retry=True,
    )  # fmt: skip
