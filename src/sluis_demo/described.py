"""What the seven organisations say of their data in the catalogue, as their own people would write it. All of it is fictitious, but
for the laws.

Two datasets are described and not published: their owners keep to themselves that they have them, and open them to nobody.
"""

from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from sluis.catalogue import CATALOGUE_FILE, DESCRIPTIONS, Contact, Cost, Description, Keywords, Prose, Whole
from sluis.grounds import Article, render_tables
from sluis_demo.organisations import CHANGED, Organisation

ACCESS = Prose(
    "Vraag een contract aan en noem de verwerkingsactiviteit en het wetsartikel. Alleen wat voor dat doel nodig is, gaat open.",
    "Ask for a contract, and name the processing activity and the article of law. Only what that purpose needs is opened.",
)
FREE = Cost("free", note=Prose("Voor overheden, in deze demo.", "For public bodies, in this demo."))


def _whole(alias: str, nl: str, en: str, about_nl: str, about_en: str, *themes: Any) -> Whole:
    return Whole(
        title=Prose(nl, en),
        description=Prose(about_nl, about_en),
        publisher=f"https://{alias}.example/id/organisatie",
        contact=Contact("Gegevensbalie (fictief)", f"gegevens@{alias}.example"),
        themes=themes,
        homepage=f"https://{alias}.example/gegevens",
        documentation=f"https://{alias}.example/gegevens/uitleg",
        access=ACCESS,
    )


def _one(
    name: str, nl: str, en: str, words_nl: str, words_en: str, law: Article, *themes: Any, **more: Any
) -> Description:
    """`words` are keywords, with commas between them."""
    given = {
        "published": True,
        "description": Prose(nl, en),
        "keywords": Keywords(tuple(words_nl.split(", ")), tuple(words_en.split(", "))),
        "articles": (law,),
        "cost": FREE,
        "frequency": "daily",
        "themes": themes,
    }
    return Description("dataset", name, **{**given, **more})


_PARTICIPATION = Article("Participatiewet", "7", "BWBR0015703")
_MUNICIPALITY = Article("Algemene wet bestuursrecht", "4:1", "BWBR0005537")
_PERSONS = Article("Wet basisregistratie personen", "2.7", "BWBR0033715")
_INCOMES = Article("Algemene wet inzake rijksbelastingen", "21a", "BWBR0002320")
_TAXES = Article("Wet inkomstenbelasting 2001", "5.1", "BWBR0011353")
_COLLECTING = Article("Invorderingswet 1990", "3", "BWBR0004770")
_POLICIES = Article("Wet structuur uitvoeringsorganisatie werk en inkomen", "33", "BWBR0013060")
_CHILDREN = Article("Algemene Kinderbijslagwet", "7", "BWBR0002368")
_PENSIONS = Article("Algemene Ouderdomswet", "7", "BWBR0002221")
_TRADE = Article("Handelsregisterwet 2007", "2", "BWBR0021777")
_VEHICLES = Article("Wegenverkeerswet 1994", "42", "BWBR0006622")

WHOLES: dict[str, Whole] = {
    "sluiswijk": _whole(
        "sluiswijk", "Gegevens van Sluiswijk", "Data of Sluiswijk",
        "Wat de gemeente Sluiswijk over bijstand en aanvragen bijhoudt.",
        "What the municipality of Sluiswijk keeps on social assistance and applications.", "SOCI", "GOVE",
    ),
    "rvig": _whole(
        "rvig", "Gegevens over personen", "Data on persons",
        "De basisregistratie personen: wie in Nederland woont of woonde, met wie, en waar.",
        "The register of persons: who lives or lived in the Netherlands, with whom, and where.", "SOCI",
    ),
    "belastingdienst": _whole(
        "belastingdienst", "Gegevens over inkomen en vermogen", "Data on income and wealth",
        "Wat de Belastingdienst vaststelt over inkomen, vermogen en schulden. Fiscale gegevens zijn geheim, tenzij een wet ze opent.",
        "What the tax office determines on income, wealth and debts. Tax data is secret, unless a law opens it.", "ECON",
    ),
    "uwv": _whole(
        "uwv", "Gegevens over werk en uitkering", "Data on work and benefits",
        "Dienstverbanden en uitkeringen van werknemers.", "Employment and benefits of employees.", "SOCI", "ECON",
    ),
    "svb": _whole(
        "svb", "Gegevens over volksverzekeringen", "Data on national insurance",
        "Wie AOW of kinderbijslag krijgt, en hoeveel.", "Who gets a state pension or child benefit, and how much.", "SOCI",
    ),
    "kvk": _whole(
        "kvk", "Gegevens uit het handelsregister", "Data of the trade register",
        "Welke ondernemingen er zijn, en wie ervoor staat.", "Which companies there are, and who stands for them.", "ECON",
    ),
    "rdw": _whole(
        "rdw", "Gegevens over voertuigen", "Data on vehicles",
        "Het kentekenregister: welk voertuig op wiens naam staat.", "The vehicle register: which vehicle has which keeper.", "TRAN",
    ),
}  # fmt: skip

DATASETS: dict[str, tuple[Description, ...]] = {
    "sluiswijk": (
        Description(  # what it is, its own file says
            "event-type", CHANGED.type, published=False, themes=("GOVE",), articles=(_PARTICIPATION,), frequency="continuous", cost=FREE,
            keywords=Keywords(("taak", "werkvoorraad"), ("task", "list of work")),
        ),
        _one("uitkeringen", "Lopende bijstand van inwoners: welke soort, sinds wanneer, en hoeveel per maand.",
             "Current social assistance of residents: which kind, since when, and how much a month.",
             "bijstand, uitkering", "social assistance, benefit", _PARTICIPATION, "SOCI"),
        _one("aanvragen", "Aanvragen waarover de gemeente nog moet beslissen.",
             "Applications that the municipality has yet to decide on.",
             "aanvraag, zaak", "application, case", _MUNICIPALITY, "GOVE", frequency="continuous"),
    ),
    "rvig": (
        _one("personen", "Naam, geboorte, overlijden, geslacht en nationaliteit van ingeschreven personen.",
             "Name, birth, death, sex and nationality of registered persons.",
             "persoon, brp, naam, geboorte", "person, name, birth", _PERSONS, "SOCI"),
        _one("relaties", "Huwelijken en geregistreerde partnerschappen, ook die voorbij zijn.",
             "Marriages and registered partnerships, also those that are over.",
             "huwelijk, partner, brp", "marriage, partner", _PERSONS, "SOCI"),
        _one("kinderen", "Wie wiens kind is, met de dag van geboorte.", "Who is whose child, with the day of birth.",
             "kind, ouder, gezin, brp", "child, parent, family", _PERSONS, "SOCI"),
        _one("verblijfplaats", "Het adres waar iemand staat ingeschreven, en of het geheim is.",
             "The address at which somebody is registered, and whether it is secret.",
             "adres, verhuizing, woonplaats, brp", "address, residence", _PERSONS, "SOCI", "REGI"),
    ),
    "belastingdienst": (
        _one("inkomen", "Inkomen uit werk en woning per jaar, met de delen waaruit het bestaat.",
             "Income from work and home per year, with the parts that it is made of.",
             "inkomen, loon, winst, box 1", "income, wage, profit", _INCOMES, "ECON", frequency="monthly", cost=Cost("agreed")),
        _one("vermogen", "Bezittingen en schulden op de peildatum.", "Assets and debts on the reference date.",
             "vermogen, spaargeld, schulden, box 3", "wealth, savings, debts", _TAXES, "ECON", frequency="yearly"),
        _one("belastingschulden", "Wat iemand aan de Belastingdienst verschuldigd is.", "What somebody owes the tax office.",
             "schulden, invordering", "debts, collection", _COLLECTING, "ECON", published=False),
    ),
    "uwv": (
        _one("dienstverbanden", "Wie bij wie werkt of werkte: uren, loon, begin en einde.",
             "Who works or worked for whom: hours, wage, beginning and end.",
             "werk, dienstverband, werkgever, loon", "work, employment, employer, wage", _POLICIES, "SOCI", "ECON", frequency="monthly"),
        _one("uitkeringen", "WW en WIA: wie ze krijgt, sinds wanneer, en hoeveel per maand.",
             "Unemployment and disability benefits: who gets them, since when, and how much a month.",
             "ww, wia, uitkering", "unemployment, disability, benefit", _POLICIES, "SOCI"),
    ),
    "svb": (
        _one("kinderbijslag", "Wie kinderbijslag krijgt, voor hoeveel kinderen.", "Who gets child benefit, for how many children.",
             "kinderbijslag, gezin", "child benefit, family", _CHILDREN, "SOCI", frequency="quarterly"),
        _one("aow", "Wie AOW krijgt, vanaf welke leeftijd, en hoeveel per maand.",
             "Who gets a state pension, from which age, and how much a month.",
             "aow, pensioen", "state pension", _PENSIONS, "SOCI", frequency="monthly"),
    ),
    "kvk": (
        _one("inschrijvingen", "Ingeschreven ondernemingen met hun eigenaar, rechtsvorm en activiteit.",
             "Registered companies with their owner, legal form and activity.",
             "onderneming, bedrijf, handelsnaam", "company, trade name", _TRADE, "ECON"),
        _one("ondernemingen", "Ingeschreven ondernemingen, zonder wie ervoor staat.",
             "Registered companies, without who stands for them.",
             "onderneming, bedrijf, handelsnaam", "company, trade name", _TRADE, "ECON"),
        _one("functionarissen", "Wie voor een onderneming mag handelen.", "Who may act for a company.",
             "bestuurder, functionaris", "director, officer", _TRADE, "ECON", published=False),
    ),
    "rdw": (
        _one("voertuigen", "Voertuigen op naam: kenteken, merk, model en cataloguswaarde.",
             "Vehicles by keeper: registration number, make, model and list price.",
             "auto, voertuig, kenteken", "car, vehicle, registration number", _VEHICLES, "TRAN"),
    ),
}  # fmt: skip


def catalogue_files(organisation: Organisation) -> Iterator[tuple[str, str]]:
    """The files of its catalogue, by their place in the node directory; of other organisations than the seven none, and of datasets
    only what it has.

    Args:
        organisation: whose.
    """
    whole = WHOLES.get(organisation.alias)
    if whole is None:
        return
    yield CATALOGUE_FILE, render_tables(msgspec.to_builtins(whole))
    names: Collection[str] = {
        *(one.name for one in organisation.datasets),
        *(one.type for one in organisation.events),
    }
    for one in DATASETS[organisation.alias]:
        if one.name in names:
            yield f"{DESCRIPTIONS}/{one.name}.toml", render_tables(msgspec.to_builtins(one))
