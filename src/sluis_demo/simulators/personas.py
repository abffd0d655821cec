"""The invented people of the simulators: those of the demo, with companies, children, mandates and an intermediary.

BSNs and KVK numbers are those of `people`: they pass the eleven-test, and nobody has them.
"""

from functools import lru_cache

from sluis.kernel import Text
from sluis_demo.people import Person, World, generate
from sluis_demo.simulators.model import Choice, Company, Grade, Persona, Simulator

_SAML = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
_EH = "urn:etoegang:core:assurance-class:"
_STAFF = "urn:sluis:simulator:medewerkers:"

DIGID = Simulator(
    "digid",
    "DigiD",
    (
        Grade(
            "Basis",
            f"{_SAML}PasswordProtectedTransport",
            Text("gebruikersnaam en wachtwoord", "user name and password"),
        ),
        Grade(
            "Midden",
            f"{_SAML}MobileTwoFactorContract",
            Text("sms-controle of de DigiD app", "text message or the DigiD app"),
        ),
        Grade("Substantieel", f"{_SAML}Smartcard", Text("DigiD app met ID-check", "DigiD app with ID check")),
        Grade(
            "Hoog",
            f"{_SAML}SmartcardPKI",
            Text("identiteitskaart of rijbewijs", "identity card or driving licence"),
        ),
    ),
    Text("Voor wie logt u in?", "For whom do you sign in?"),
    tells="bsn",
)

EHERKENNING = Simulator(
    "eherkenning",
    "eHerkenning",
    (
        Grade("EH2", f"{_EH}loa2", Text("gebruikersnaam en wachtwoord", "user name and password")),
        Grade("EH2+", f"{_EH}loa2plus", Text("wachtwoord en sms-code", "password and text message")),
        Grade(
            "EH3",
            f"{_EH}loa3",
            Text("app of token, op afstand vastgesteld", "app or token, identified remotely"),
        ),
        Grade(
            "EH4",
            f"{_EH}loa4",
            Text("certificaat, persoonlijk vastgesteld", "certificate, identified in person"),
        ),
    ),
    Text("Namens welk bedrijf logt u in?", "On behalf of which company do you sign in?"),
    tells=None,
)

STAFF = Simulator(
    "medewerkers",
    "Medewerkersaccount",
    (
        Grade("Wachtwoord", f"{_STAFF}wachtwoord", Text("alleen een wachtwoord", "a password alone")),
        Grade("Wachtwoord en app", f"{_STAFF}app", Text("met een code uit een app", "with a code out of an app")),
        Grade("Dienstpas", f"{_STAFF}pas", Text("pas met pincode, aan de balie uitgereikt", "card with PIN, handed out in person")),
    ),
    Text("Waarvoor logt u in?", "For what do you sign in?"),
    tells="preferred_username",
)  # fmt: skip

ALL = (DIGID, EHERKENNING, STAFF)

LEVELS = {
    "digid": dict(
        zip((one.acr for one in DIGID.grades), ("basic", "low", "substantial", "high"), strict=True)
    ),
    "eherkenning": dict(
        zip((one.acr for one in EHERKENNING.grades), ("low", "low", "substantial", "high"), strict=True)
    ),
    "medewerkers": dict(zip((one.acr for one in STAFF.grades), ("low", "substantial", "high"), strict=True)),
}
"""What a node's settings say of each `acr` (`[signin.NAME.levels]`)."""

_OFFICE = Company("99900001", "Fictief Administratiekantoor Papierhof B.V.")
_BAKERY = Company("99900011", "Fictieve Bakkerij Proefstra")
_LIKE_IT = Company("99900012", "Fictieve Bakkerij Proefsta")  # one letter apart, and another company
_PEOPLE = 200  # the first of those whom the demo invents

_ITSELF = Text("uzelf", "yourself")

_WORK = (Choice(Text("uw werk", "your work")),)

OFFICIALS: dict[str, tuple[Persona, tuple[str, ...]]] = {
    "fenna": (
        Persona(
            "fenna@medewerkers.example", "Fenna Fictief", Text("medewerker", "member of staff"), _WORK
        ),
        ("medewerker", "contract-requester"),
    ),
    "bram": (
        Persona(
            "bram@medewerkers.example", "Bram Bedacht", Text("houdt toezicht op privacy", "privacy officer"), _WORK
        ),
        ("medewerker", "privacy-officer"),
    ),
    "vera": (
        Persona(
            "vera@medewerkers.example", "Vera Verzonnen", Text("beheert toegang", "looks after access"), _WORK
        ),
        ("medewerker", "access-admin"),
    ),
    "dina": (
        Persona(
            "dina@medewerkers.example", "Dina Denkbeeldig", Text("gaat over gegevens", "is responsible for data"), _WORK
        ),
        ("medewerker", "data-owner"),
    ),
    "henk": (
        Persona(
            "henk@medewerkers.example", "Henk Hypothetisch", Text("beheert het knooppunt", "runs the node"), _WORK
        ),
        ("medewerker", "fsc-admin", "event-admin"),
    ),
    "olga": (
        Persona(
            "olga@medewerkers.example", "Olga Onecht", Text("zorgt voor onze gegevens", "looks after our data"), _WORK
        ),
        ("medewerker", "data-owner"),
    ),
    "ad": (
        Persona(
            "ad@medewerkers.example", "Ad Accuraat", Text("rekent logboeken na (auditor)", "verifies logs (auditor)"), _WORK
        ),
        ("auditor",),
    ),
}  # fmt: skip
"""Staff whom a node knows: name in its settings, who it is, and roles."""

_GONE = Persona(
    "oscar@medewerkers.example",
    "Oscar Oudgediend",
    Text("staat niet (meer) bij uw medewerkers", "is not among your staff (any more)"),
    _WORK,
)


@lru_cache(maxsize=1)
def _world() -> World:
    return generate(people=_PEOPLE)


@lru_cache(maxsize=1)
def citizens() -> tuple[Persona, ...]:
    """Who signs in with the simulator of DigiD."""
    world = _world()
    known = {person.bsn: person for person in world.people}
    mother, hidden = world.applicant, world.hidden
    father = known[mother.partner or ""]
    old = next(one for one in world.people if one.lives and one.age() >= 70)
    owner = known[world.companies[61].officers[0][0]]
    return (
        _citizen(mother, Text("zonder werk, twee kinderen", "out of work, two children"), *mother.children),
        _citizen(father, Text("werkt twintig uur", "works twenty hours"), *mother.children),
        _citizen(hidden, Text("geheim adres", "secret address")),
        _citizen(owner, Text("eigen bedrijf", "company of her own")),
        _citizen(old, Text("met pensioen", "retired")),
    )


@lru_cache(maxsize=1)
def entrepreneurs() -> tuple[Persona, ...]:
    """Who signs in with the simulator of eHerkenning."""
    world = _world()
    companies = [Company(one.number, one.name) for one in world.companies]
    first, second, clerk = (_director(world, at) for at in (0, 1, 3))
    owner = _director(world, 61)
    shop = companies[61]
    mandate = ("urn:sluis:voorbeeld:vergunningen",)
    return (
        _entrepreneur(first, Text("bestuurder", "director"), _for(companies[0])),
        _entrepreneur(
            second,
            Text("bestuurder van twee bedrijven", "director of two companies"),
            _for(companies[1]),
            _for(companies[2]),
        ),
        _entrepreneur(
            owner,
            Text("eenmanszaak met twee vestigingen", "sole trader with two establishments"),
            _for(shop),
            _for(
                Company(shop.kvk, shop.name, "990000000061"),
                of=Text("alleen vestiging 2", "establishment 2 only"),
            ),
        ),
        _entrepreneur(
            clerk,
            Text("werkt bij een administratiekantoor", "works at an accountant's office"),
            _for(_OFFICE),
            _for(companies[0], through=_OFFICE),
            _for(shop, through=_OFFICE),
        ),
        _entrepreneur(
            world.applicant,
            Text("gemachtigd, alleen voor vergunningen", "has a mandate, for permits only"),
            _for(_BAKERY, services=mandate),
        ),
        _entrepreneur(
            world.hidden,
            Text(
                "gemachtigd door een bedrijf met bijna dezelfde naam",
                "has a mandate of a company with almost that name",
            ),
            _for(_LIKE_IT, services=mandate),
        ),
    )


def personas(simulator: Simulator) -> tuple[Persona, ...]:
    """Who signs in with a simulator."""
    if simulator is STAFF:
        return officials()
    return citizens() if simulator is DIGID else entrepreneurs()


def officials() -> tuple[Persona, ...]:
    """Who signs in with the simulated staff directory; the last is nobody's."""
    return (*(persona for persona, _ in OFFICIALS.values()), _GONE)


def _director(world: World, company: int) -> Person:
    bsn = world.companies[company].officers[0][0]
    return next(person for person in world.people if person.bsn == bsn)


def _citizen(person: Person, about: Text, *children: Person) -> Persona:
    said = Text(f"{person.age()} jaar, {about.nl}", f"aged {person.age()}, {about.en}")
    of_children = (
        Choice(Text(f"{name}, uw kind", f"{name}, your child"), bsn=child.bsn, name=name)
        for child in children
        for name in (f"{child.given} {child.surname}",)
    )
    return Persona(person.bsn, f"{person.given} {person.surname}", said, (Choice(_ITSELF), *of_children))


def _entrepreneur(person: Person, about: Text, *choices: Choice) -> Persona:
    return Persona(person.bsn, f"{person.given} {person.surname}", about, choices)


def _for(
    company: Company,
    *,
    through: Company | None = None,
    of: Text | None = None,
    services: tuple[str, ...] = (),
) -> Choice:
    nl, en = f"{company.name} (KVK {company.kvk})", f"{company.name} (KVK {company.kvk})"
    if of is not None:
        nl, en = f"{nl}, {of.nl}", f"{en}, {of.en}"
    if through is not None:
        nl, en = f"{nl}, via {through.name}", f"{en}, through {through.name}"
    return Choice(Text(nl, en), company, through=through, services=services)
