"""The seven organisations as their own people would have set them up: datasets, disclosures, and who asks for what.

All are fictitious, whatever their names. The articles of law are real, but for those marked as an example: there the
demo does what no article that we know of says in so many words. Amounts are eurocents. A column is written as
`name:TYPE=own_name [unit]`; the type is VARCHAR and the own name the same where they are left out; `!` behind the name
marks the key. `federation` writes all of this as the files that a node reads.
"""

import re
from datetime import date

import msgspec

from sluis.grounds import (
    Activity,
    Aggregate,
    Article,
    Closed,
    Column,
    Dataset,
    Disclosure,
    EventType,
    Fact,
    Filter,
    Notice,
    Role,
    Subject,
)
from sluis.kernel import Oin, PeerId, Period, Text
from sluis_demo.titles import TITLES

SINCE = Period(date(2025, 1, 1))
WET_BRP = Article("Wet basisregistratie personen", "3.2", "BWBR0033715")
PARTICIPATION = Article("Participatiewet", "64", "BWBR0015703")
SUWI = Article("Wet structuur uitvoeringsorganisatie werk en inkomen", "62", "BWBR0013060")
TAX_SECRECY = Article("Algemene wet inzake rijksbelastingen", "67", "BWBR0002320")
TAX_RELEASE = Article("Uitvoeringsregeling Algemene wet inzake rijksbelastingen 1994", "43c")
TRADE_REGISTER = Article("Handelsregisterwet 2007", "28", "BWBR0021777")
ROAD_TRAFFIC = Article("Wegenverkeerswet 1994", "43", "BWBR0006622")
ACCOUNTABLE = Article("Algemene verordening gegevensbescherming", "24, lid 1")
MINIMISATION = Article("Algemene verordening gegevensbescherming", "5, lid 1, onder c")
EXAMPLE_SECRECY = Article("Voorbeeldregel geheime adressen (fictief)", "1")
EXAMPLE_STATISTICS = Article("Voorbeeldregel armoedestatistiek (fictief)", "1")
RESEARCH = Article("Algemene verordening gegevensbescherming", "89")
MUNICIPALITY_DECIDES = Article("Algemene wet bestuursrecht", "4:1", "BWBR0005537")
MUNICIPALITIES = Article("Gemeentewet", "225", "BWBR0005416")
CONSENT = Article("Algemene verordening gegevensbescherming", "6, lid 1, onder a")

INSPECTION_RIGHT = Article("Algemene verordening gegevensbescherming", "15")
COMPANY_INSPECTION_RIGHT = Article("Wet open overheid", "5.5", "BWBR0045754")
BRP_INSPECTION = Article("Wet basisregistratie personen", "2.55", "BWBR0033715")

OTHERS_RIGHTS = Article("Algemene verordening gegevensbescherming", "15, lid 4")

NOT_NEEDED = Text("Niet nodig voor dit doel.", "Not needed for this purpose.")
SECRET_TAX = Text("Fiscaal geheim; alleen het totaal is open.", "Tax secrecy; only the total is open.")
SECRET_BUT_COUNTED = Text("Fiscaal geheim; alleen groepen zijn open.", "Tax secrecy; only groups are open.")
OF_THE_CHILD = Text("Dit is een gegeven van het kind zelf.", "This is a datum of the child itself.")
CURRENT = Text("Alleen het huidige huwelijk of partnerschap.", "Only the current marriage or partnership.")
RESIDENTS = Text("Alleen inwoners van Sluiswijk.", "Only residents of Sluiswijk.")
SEPARATE_PROCEDURE = Text(
    "Een geheim adres gaat alleen langs de aparte procedure.",
    "A secret address goes by the separate procedure only.",
)


class Organisation(msgspec.Struct, frozen=True):
    """A fictitious organisation: `alias` stands before the dot in a question, `oin` in its certificate."""

    alias: str
    name: str
    oin: PeerId
    datasets: tuple[Dataset, ...] = ()
    disclosures: tuple[Disclosure, ...] = ()
    events: tuple[EventType, ...] = ()
    notices: tuple[Notice, ...] = ()


def peer(number: int) -> PeerId:
    """An OIN that is not given out."""
    return PeerId(f"000000099900000{number:05}")


SLUISWIJK, UWV = peer(1), peer(4)
BENEFIT = Activity(
    id="https://sluiswijk.example/verwerkingen/bijstand",
    name=Text("Bijstand vaststellen", "Decide on a benefit application"),
    purpose=Text(
        "Vaststellen of iemand recht heeft op bijstand, en hoeveel.",
        "Decide whether somebody is entitled to social assistance, and to how much.",
    ),
    controller=Oin(SLUISWIJK),
    ground="public-task",
    articles=(
        Article("Participatiewet", "11", "BWBR0015703"),
        Article("Participatiewet", "17", "BWBR0015703"),
        PARTICIPATION,
    ),
    valid=SINCE,
    subjects=Text(
        "aanvragers van bijstand en hun partners", "applicants for social assistance and their partners"
    ),
)
POVERTY = Activity(
    id="https://sluiswijk.example/verwerkingen/statistiek-armoede",
    name=Text("Statistiek armoede", "Poverty statistics"),
    purpose=Text(
        "Tellen hoeveel inwoners een laag inkomen hebben, per wijk.",
        "Count how many residents have a low income, per district.",
    ),
    controller=Oin(SLUISWIJK),
    ground="public-task",
    articles=(RESEARCH, EXAMPLE_STATISTICS),
    valid=SINCE,
    subjects=Text("inwoners", "residents"),
)
PARKING = Activity(
    id="https://sluiswijk.example/verwerkingen/parkeervergunning",
    name=Text("Parkeervergunning verlenen", "Grant a parking permit"),
    purpose=Text(
        "Nagaan of het voertuig van de aanvrager is, en of die in de wijk woont.",
        "Check that the vehicle belongs to the applicant, who lives in the district.",
    ),
    controller=Oin(SLUISWIJK),
    ground="public-task",
    articles=(MUNICIPALITIES,),
    valid=SINCE,
    subjects=Text("aanvragers van een parkeervergunning", "applicants for a parking permit"),
)
OVERLAP = Activity(
    id="https://uwv.example/verwerkingen/samenloop",
    name=Text("Samenloop van uitkeringen nagaan", "Check for benefits that overlap"),
    purpose=Text(
        "Nagaan of iemand naast WW ook bijstand krijgt.", "Check whether somebody on WW also has assistance."
    ),
    controller=Oin(UWV),
    ground="public-task",
    articles=(SUWI,),
    valid=SINCE,
    subjects=Text("mensen met een WW-uitkering", "people on unemployment benefit"),
)
WORK = Activity(
    id="https://uwv.example/verwerkingen/hulp-bij-werk",
    name=Text("Hulp bij werk zoeken", "Help with finding work"),
    purpose=Text(
        "Iemand die dat wil, helpen bij het vinden van werk.", "Help somebody who wants that to find work."
    ),
    controller=Oin(UWV),
    ground="consent",
    articles=(CONSENT,),
    valid=SINCE,
    subjects=Text("werkzoekenden die om hulp vragen", "jobseekers who ask for help"),
)
TELLING = Activity(
    id="https://sluiswijk.example/verwerkingen/bericht-bij-raadpleging",
    name=Text("Bericht als er gegevens zijn opgevraagd", "Word when data was asked for"),
    purpose=Text(
        "Inwoners laten weten wie gegevens over hen opvroeg.",
        "Let residents know who asked for data about them.",
    ),
    controller=Oin(SLUISWIJK),
    ground="legal-obligation",
    articles=(Article("Algemene verordening gegevensbescherming", "12"),),
    valid=SINCE,
    subjects=Text("inwoners", "residents"),
)
"""Of the asker itself; no contract is about it."""
CHECKING = Activity(
    id="https://sluiswijk.example/verwerkingen/controle-verstrekkingen",
    name=Text("Nagaan wat wij verstrekken", "Check what we disclose"),
    purpose=Text(
        "Nagaan of een ontvanger niet meer te zien krijgt dan mag.",
        "Check that a recipient does not get to see more than allowed.",
    ),
    controller=Oin(SLUISWIJK),
    ground="legal-obligation",
    articles=(ACCOUNTABLE,),
    valid=SINCE,
    subjects=Text("mensen met bijstand, en aanvragers", "people on social assistance, and applicants"),
)

INSPECTION = Activity(
    id="https://sluiswijk.example/verwerkingen/inzage",
    name=Text("Uw eigen inzage", "Your own inspection"),
    purpose=Text(
        "Iemand laten zien wat organisaties over die persoon hebben, omdat die daar zelf om vraagt.",
        "Show people what organisations have about them, because they ask for it themselves.",
    ),
    controller=Oin(SLUISWIJK),
    ground="legal-obligation",
    articles=(INSPECTION_RIGHT, BRP_INSPECTION),
    valid=SINCE,
    subjects=Text("wie de eigen gegevens opvraagt", "who asks for their own data"),
    inspection="people",
)

COMPANY_INSPECTION = Activity(
    id="https://sluiswijk.example/verwerkingen/inzage-bedrijven",
    name=Text("Inzage voor uw bedrijf", "Inspection for your company"),
    purpose=Text(
        "Een bedrijf laten zien wat organisaties erover hebben, omdat het daar zelf om vraagt.",
        "Show a company what organisations have about it, because it asks for that itself.",
    ),
    controller=Oin(SLUISWIJK),
    ground="legal-obligation",
    articles=(COMPANY_INSPECTION_RIGHT,),
    valid=SINCE,
    subjects=Text("bedrijven die de eigen gegevens opvragen", "companies that ask for their own data"),
    inspection="companies",
)

_COLUMN = re.compile(
    r"(?P<name>\w+)(?P<key>!)?(:(?P<type>\w+))?(=(?P<own>\w+|\{[^}]*\}))?( \[(?P<unit>[^]]*)\])?"
)


def _dataset(
    name: str, table: str, nl: str, en: str, subject: str, *columns: str, number: str = "BSN"
) -> Dataset:
    found = [_read(column) for column in columns]
    key = tuple(one["name"] for one in found if one["key"])
    faces = tuple(map(_column, found))
    return Dataset(name, Text(nl, en), "register", table, faces, subject=Subject(subject, number), key=key)


def _titled(dataset: Dataset, **titles: Text) -> Dataset:
    """With what some of its columns are called, for people who are asked for consent."""
    columns = tuple(
        msgspec.structs.replace(one, title=titles.get(one.name, one.title)) for one in dataset.columns
    )
    return msgspec.structs.replace(dataset, columns=columns)


def _read(text: str) -> re.Match[str]:
    found = _COLUMN.fullmatch(text)
    if found is None:
        raise ValueError(f"not a column: {text}")
    return found


def _column(found: re.Match[str]) -> Column:
    own = found["own"]
    computed = own[1:-1] if own and own.startswith("{") else None
    return Column(
        found["name"],
        found["type"] or "VARCHAR",
        source=None if computed else own,
        expression=computed,
        title=TITLES.get(found["name"]),
        unit=found["unit"],
        sensitivity="identifying" if found["name"].endswith("bsn") else "personal",
    )


def _opens(
    dataset: Dataset,
    activity: Activity,
    owner: PeerId,
    articles: tuple[Article, ...],
    columns: str,
    **special: object,
) -> Disclosure:
    """A disclosure; `columns` are names, with `:join` or `:filter` where they may not be seen."""
    roles: dict[str, Role] = {}
    for part in columns.split():
        name, _, role = part.partition(":")
        roles[name] = "join" if role == "join" else "filter" if role == "filter" else "output"
    basis = Disclosure(
        id=f"{activity.id.rsplit('/', 1)[1]}-{dataset.name.replace('_', '-')}",
        version=1,
        dataset=dataset.name,
        recipient=PeerId(activity.controller),
        activity=activity.id,
        columns=roles,
        articles=articles,
        ground=activity.ground,
        controller=Oin(owner),
        valid=SINCE,
        max_subjects=25,
    )
    return msgspec.structs.replace(basis, **special)


def _shown(dataset: Dataset, owner: PeerId, article: Article, **special: object) -> Disclosure:
    """Opens a dataset to whom it is about, a person or a company, who signed in surely and asks for themselves: everything but what is
    closed."""
    assert dataset.subject is not None
    people = dataset.subject.type == "BSN"
    activity, right = (
        (INSPECTION, INSPECTION_RIGHT) if people else (COMPANY_INSPECTION, COMPANY_INSPECTION_RIGHT)
    )
    closed: tuple[Closed, ...] = special.get("closed", ())  # type: ignore[assignment]
    shut = {name for one in closed for name in one.columns}
    columns = " ".join(one.name for one in dataset.columns if one.name not in shut)
    return _opens(
        dataset, activity, owner, (right, article), columns,
        max_subjects=1, minimum_level="substantial", refuse_acr=("local",), **special,
    )  # fmt: skip


def _closed(columns: str, because: Text, article: Article) -> Closed:
    return Closed(tuple(columns.split()), because, article)


CHANGED = EventType(
    "nl.sluiswijk.werkvoorraad.gewijzigd",
    Text("Werkvoorraad gewijzigd", "List of work changed"),
    Text("Er kwam een taak bij, of er ging er een af.", "A task was added, or one was done."),
    facts={"soort": Fact("text", Text("waar de taak over gaat", "what the task is about"))},
)
OF_CHANGES = Notice(
    "zaaksysteem-werkvoorraad", 1, CHANGED.type, SLUISWIJK, BENEFIT.id,
    Text("De lijst met taken is veranderd.", "The list of tasks changed."), (PARTICIPATION,), "public-task", Oin(SLUISWIJK), SINCE,
    interest=False,
)  # fmt: skip


def _sluiswijk() -> Organisation:
    assistance = _dataset(
        "uitkeringen", "uitkeringsdossiers", "Lopende bijstand", "Current social assistance", "bsn",
        "bsn", "soort", "sinds:DATE", "bedrag_per_maand:BIGINT [eurocent per maand]",
    )  # fmt: skip
    amount = _closed("bedrag_per_maand", NOT_NEEDED, MINIMISATION)
    opened = _opens(assistance, OVERLAP, SLUISWIJK, (SUWI,), "bsn soort sinds", closed=(amount,))
    applications = _dataset(
        "aanvragen", "aanvragen", "Lopende aanvragen", "Applications under way", "bsn",
        "bsn", "zaaknummer", "soort", "ontvangen:DATE",
    )  # fmt: skip
    applications = _titled(
        applications, soort=Text("soort aanvraag", "kind of application"), ontvangen=Text("dag van ontvangst", "day received")
    )  # fmt: skip
    number = _closed("zaaknummer", NOT_NEEDED, MINIMISATION)
    consented = _opens(applications, WORK, SLUISWIJK, (CONSENT,), "bsn soort ontvangen", closed=(number,))
    return Organisation(
        "sluiswijk",
        "Gemeente Sluiswijk (fictief)",
        SLUISWIJK,
        (assistance, applications),
        (
            opened,
            consented,
            _shown(assistance, SLUISWIJK, PARTICIPATION),
            _shown(applications, SLUISWIJK, MUNICIPALITY_DECIDES),
        ),
        events=(CHANGED,),
        notices=(OF_CHANGES,),
    )


def _rvig() -> Organisation:
    own = peer(2)
    persons = _dataset(
        "personen", "personen", "Personen in de BRP", "Persons in the BRP", "bsn",
        "bsn!", "voornaam=voornamen", "achternaam=geslachtsnaam", "geboren:DATE=geboortedatum",
        "overleden:DATE=overlijdensdatum", "geslacht", "nationaliteit",
    )  # fmt: skip
    unions = _dataset(
        "relaties", "relaties", "Huwelijken en partnerschappen", "Marriages and partnerships", "bsn",
        "bsn", "soort=partnerschap_type", "partner_bsn", "sinds:DATE=datum_ingang", "einde:DATE=datum_einde",
    )  # fmt: skip
    children = _dataset(
        "kinderen", "kinderen", "Kinderen", "Children", "bsn", "bsn!", "kind_bsn!", "geboren:DATE=geboortedatum",
    )  # fmt: skip
    homes = _dataset(
        "verblijfplaats", "verblijfplaats", "Adressen", "Addresses", "bsn",
        "bsn!", "straat", "huisnummer:BIGINT", "postcode", "woonplaats", "wijk", "geheim:BOOLEAN",
    )  # fmt: skip
    basis = (WET_BRP, PARTICIPATION)
    hidden = {"rows": "geheim = false", "rows_because": SEPARATE_PROCEDURE}
    return Organisation(
        "rvig", "RvIG (fictief)", own, (persons, unions, children, homes),
        (
            _opens(persons, BENEFIT, own, basis, "bsn voornaam achternaam geboren nationaliteit",
                   closed=(_closed("geslacht overleden", NOT_NEEDED, MINIMISATION),)),
            _opens(unions, BENEFIT, own, basis, "bsn soort sinds partner_bsn:join", rows="einde IS NULL", rows_because=CURRENT,
                   closed=(_closed("einde", NOT_NEEDED, MINIMISATION),)),
            _opens(children, BENEFIT, own, basis, "bsn geboren",
                   closed=(_closed("kind_bsn", NOT_NEEDED, MINIMISATION),)),
            _opens(homes, BENEFIT, own, basis, "bsn straat huisnummer postcode woonplaats",
                   closed=(_closed("wijk", NOT_NEEDED, MINIMISATION), _closed("geheim", SEPARATE_PROCEDURE, EXAMPLE_SECRECY)),
                   **hidden),
            *(_shown(one, own, BRP_INSPECTION) for one in (persons, unions, homes)),
            _shown(children, own, BRP_INSPECTION, closed=(_closed("kind_bsn", OF_THE_CHILD, OTHERS_RIGHTS),)),
            _opens(homes, PARKING, own, (WET_BRP, MUNICIPALITIES), "bsn wijk postcode", **hidden,
                   closed=(_closed("straat huisnummer woonplaats", NOT_NEEDED, MINIMISATION),
                           _closed("geheim", SEPARATE_PROCEDURE, EXAMPLE_SECRECY))),
        ),
    )  # fmt: skip


def _belastingdienst() -> Organisation:
    own = peer(3)
    income = _dataset(
        "inkomen", "box1", "Inkomen per jaar", "Income per year", "bsn",
        "bsn!", "jaar!:BIGINT", "loon:BIGINT=loon_uit_dienstbetrekking [eurocent per jaar]",
        "uitkeringen:BIGINT=uitkeringen_en_pensioenen [eurocent per jaar]",
        "winst:BIGINT=winst_uit_onderneming [eurocent per jaar]",
        "inkomen:BIGINT=totaal [eurocent per jaar]", "laag_inkomen:BOOLEAN", "wijk",
    )  # fmt: skip
    wealth = _dataset(
        "vermogen", "box3", "Vermogen", "Wealth", "bsn",
        "bsn!", "bezittingen:BIGINT={spaargeld + beleggingen + onroerend_goed} [eurocent]", "schulden:BIGINT [eurocent]",
        "spaargeld:BIGINT [eurocent]", "beleggingen:BIGINT [eurocent]", "onroerend_goed:BIGINT [eurocent]",
    )  # fmt: skip
    arrears = _dataset(
        "belastingschulden", "belastingschulden", "Belastingschulden", "Tax arrears", "bsn",
        "bsn!", "totaalbedrag:BIGINT [eurocent]", "betalingsregeling",
    )  # fmt: skip
    basis = (PARTICIPATION, TAX_RELEASE)
    counted = Filter(("=",), (2023, 2024, 2025))
    return Organisation(
        "belastingdienst", "Belastingdienst (fictief)", own, (income, wealth, arrears),
        (
            _opens(income, BENEFIT, own, basis, "bsn jaar loon uitkeringen winst",
                   closed=(_closed("inkomen laag_inkomen wijk", NOT_NEEDED, MINIMISATION),)),
            _opens(wealth, BENEFIT, own, basis, "bsn bezittingen schulden",
                   closed=(_closed("spaargeld beleggingen onroerend_goed", SECRET_TAX, TAX_SECRECY),)),
            _shown(income, own, TAX_RELEASE),
            _shown(wealth, own, TAX_RELEASE),
            _opens(income, POVERTY, own, (RESEARCH, EXAMPLE_STATISTICS), "bsn:join wijk inkomen jaar:filter laag_inkomen:filter",
                   rows="wijk IS NOT NULL", rows_because=RESIDENTS, subject_required=False, max_subjects=1_000_000,
                   filters={"jaar": counted, "laag_inkomen": Filter(("=",), (True,))},
                   aggregate=Aggregate(minimum=10, combiner=SLUISWIJK),
                   closed=(_closed("loon uitkeringen winst", SECRET_BUT_COUNTED, TAX_SECRECY),)),
        ),
    )  # fmt: skip


def _uwv() -> Organisation:
    work = _dataset(
        "dienstverbanden", "dienstverbanden", "Dienstverbanden", "Employment contracts", "bsn",
        "bsn", "werkgever", "kvk_nummer", "begin:DATE=start_date", "einde:DATE=end_date", "uren_per_week:BIGINT",
        "loon_per_maand:BIGINT [eurocent per maand]",
    )  # fmt: skip
    benefits = _dataset(
        "uitkeringen", "uitkeringen", "WW en WIA", "Unemployment and disability benefits", "bsn",
        "bsn", "soort=type", "begin:DATE=start_date", "einde:DATE=end_date",
        "bedrag_per_maand:BIGINT [eurocent per maand]",
    )  # fmt: skip
    return Organisation(
        "uwv", "UWV (fictief)", UWV, (work, benefits),
        (
            _opens(work, BENEFIT, UWV, (SUWI, PARTICIPATION), "bsn werkgever begin einde uren_per_week loon_per_maand",
                   closed=(_closed("kvk_nummer", NOT_NEEDED, MINIMISATION),)),
            _opens(benefits, BENEFIT, UWV, (SUWI, PARTICIPATION), "bsn soort begin einde bedrag_per_maand"),
            _shown(work, UWV, SUWI),
            _shown(benefits, UWV, SUWI),
        ),
    )  # fmt: skip


def _svb() -> Organisation:
    own = peer(5)
    child = _dataset(
        "kinderbijslag", "algemene_kinderbijslagwet", "Kinderbijslag", "Child benefit", "bsn",
        "bsn!=ouder_bsn", "aantal_kinderen:BIGINT", "ontvangt:BOOLEAN=ontvangt_kinderbijslag",
        "bedrag_per_kwartaal:BIGINT [eurocent per kwartaal]",
    )  # fmt: skip
    pension = _dataset(
        "aow", "algemene_ouderdomswet_gegevens", "AOW", "State pension", "bsn",
        "bsn!", "pensioenleeftijd:BIGINT", "ontvangt:BOOLEAN=ontvangt_aow",
        "bedrag_per_maand:BIGINT [eurocent per maand]",
    )  # fmt: skip
    return Organisation(
        "svb", "SVB (fictief)", own, (child, pension),
        (
            _opens(child, BENEFIT, own, (SUWI, PARTICIPATION), "bsn aantal_kinderen bedrag_per_kwartaal",
                   closed=(_closed("ontvangt", NOT_NEEDED, MINIMISATION),)),
            _opens(child, POVERTY, own, (RESEARCH, EXAMPLE_STATISTICS), "bsn:join aantal_kinderen", subject_required=False,
                   max_subjects=1_000_000, aggregate=Aggregate(minimum=10, combiner=SLUISWIJK),
                   closed=(_closed("ontvangt bedrag_per_kwartaal", NOT_NEEDED, MINIMISATION),)),
            _opens(pension, BENEFIT, own, (SUWI, PARTICIPATION), "bsn pensioenleeftijd ontvangt bedrag_per_maand"),
            _shown(child, own, SUWI),
            _shown(pension, own, SUWI),
        ),
    )  # fmt: skip


def _kvk() -> Organisation:
    own = peer(6)
    registered = _dataset(
        "inschrijvingen", "inschrijvingen", "Ondernemingen en hun eigenaar", "Companies and their owner", "bsn",
        "bsn", "kvk_nummer!", "handelsnaam", "rechtsvorm", "status", "activiteit", "sinds:DATE=datum_inschrijving",
    )  # fmt: skip
    companies = _dataset(
        "ondernemingen", "ondernemingen", "Ondernemingen", "Companies", "kvk_nummer",
        "kvk_nummer!", "handelsnaam", "rechtsvorm", "status", "activiteit", "sinds:DATE=datum_inschrijving",
        number="urn:nl:kvk",
    )  # fmt: skip
    officers = _dataset(
        "functionarissen", "functionarissen", "Functionarissen", "Officers", "bsn", "bsn", "kvk_nummer", "functie", "status",
    )  # fmt: skip
    return Organisation(
        "kvk", "KVK (fictief)", own, (registered, companies, officers),
        (
            _opens(registered, BENEFIT, own, (TRADE_REGISTER, PARTICIPATION), "bsn handelsnaam status sinds",
                   closed=(_closed("kvk_nummer rechtsvorm activiteit", NOT_NEEDED, MINIMISATION),)),
            _shown(registered, own, TRADE_REGISTER),
            _shown(companies, own, TRADE_REGISTER),
        ),
    )  # fmt: skip


def _rdw() -> Organisation:
    own = peer(7)
    vehicles = _dataset(
        "voertuigen", "voertuigen", "Voertuigen op naam", "Vehicles by keeper", "bsn",
        "bsn", "kenteken!", "merk", "model=handelsbenaming", "kleur", "sinds:DATE=datum_tenaamstelling",
        "waarde:BIGINT=catalogusprijs [eurocent]",
    )  # fmt: skip
    masks = {
        "kenteken": "substr(kenteken, 1, 2) || '-***-*'",
        "waarde": "CAST(waarde / 500000 AS BIGINT) * 500000",
    }
    return Organisation(
        "rdw", "RDW (fictief)", own, (vehicles,),
        (
            _opens(vehicles, BENEFIT, own, (ROAD_TRAFFIC, PARTICIPATION), "bsn kenteken merk waarde sinds", masks=masks,
                   closed=(_closed("model kleur", NOT_NEEDED, MINIMISATION),)),
            _opens(vehicles, PARKING, own, (ROAD_TRAFFIC, MUNICIPALITIES), "bsn kenteken",
                   closed=(_closed("merk model kleur sinds waarde", NOT_NEEDED, MINIMISATION),)),
            _shown(vehicles, own, ROAD_TRAFFIC),
        ),
    )  # fmt: skip


ACTIVITIES = (BENEFIT, POVERTY, PARKING, OVERLAP, WORK, INSPECTION, COMPANY_INSPECTION)
ORGANISATIONS = (_sluiswijk(), _rvig(), _belastingdienst(), _uwv(), _svb(), _kvk(), _rdw())
ASKER = ORGANISATIONS[0]
