"""The seven organisations as their own people would have set them up: datasets, disclosures, and what they tell of.

All are fictitious, whatever their names. Amounts are eurocents. `federation` writes all of this as the files that a node reads.
"""

import msgspec

from sluis.grounds import Aggregate, Dataset, Disclosure, EventType, Fact, Filter, Notice
from sluis.kernel import Oin, PeerId, Text
from sluis_demo.activities import BENEFIT, OVERLAP, PARKING, POVERTY, SINCE, SLUISWIJK, UWV, WORK, peer
from sluis_demo.laws import (
    BRP_INSPECTION,
    CONSENT,
    CURRENT,
    EXAMPLE_SECRECY,
    EXAMPLE_STATISTICS,
    MINIMISATION,
    MUNICIPALITIES,
    MUNICIPALITY_DECIDES,
    NOT_NEEDED,
    OF_THE_CHILD,
    OTHERS_RIGHTS,
    PARTICIPATION,
    RESEARCH,
    RESIDENTS,
    ROAD_TRAFFIC,
    SECRET_BUT_COUNTED,
    SECRET_TAX,
    SEPARATE_PROCEDURE,
    SUWI,
    TAX_RELEASE,
    TAX_SECRECY,
    TRADE_REGISTER,
    WET_BRP,
)
from sluis_demo.notation import closed, dataset, opens, shown, titled


class Organisation(msgspec.Struct, frozen=True):
    """A fictitious organisation: `alias` stands before the dot in a question, `oin` in its certificate."""

    alias: str
    name: str
    oin: PeerId
    datasets: tuple[Dataset, ...] = ()
    disclosures: tuple[Disclosure, ...] = ()
    events: tuple[EventType, ...] = ()
    notices: tuple[Notice, ...] = ()


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
    assistance = dataset(
        "uitkeringen", "uitkeringsdossiers", "Lopende bijstand", "Current social assistance", "bsn",
        "bsn", "soort", "sinds:DATE", "bedrag_per_maand:BIGINT [eurocent per maand]",
    )  # fmt: skip
    amount = closed("bedrag_per_maand", NOT_NEEDED, MINIMISATION)
    opened = opens(assistance, OVERLAP, SLUISWIJK, (SUWI,), "bsn soort sinds", closed=(amount,))
    applications = dataset(
        "aanvragen", "aanvragen", "Lopende aanvragen", "Applications under way", "bsn",
        "bsn", "zaaknummer", "soort", "ontvangen:DATE",
    )  # fmt: skip
    applications = titled(
        applications, soort=Text("soort aanvraag", "kind of application"), ontvangen=Text("dag van ontvangst", "day received")
    )  # fmt: skip
    number = closed("zaaknummer", NOT_NEEDED, MINIMISATION)
    consented = opens(applications, WORK, SLUISWIJK, (CONSENT,), "bsn soort ontvangen", closed=(number,))
    return Organisation(
        "sluiswijk",
        "Gemeente Sluiswijk (fictief)",
        SLUISWIJK,
        (assistance, applications),
        (
            opened,
            consented,
            shown(assistance, SLUISWIJK, PARTICIPATION),
            shown(applications, SLUISWIJK, MUNICIPALITY_DECIDES),
        ),
        events=(CHANGED,),
        notices=(OF_CHANGES,),
    )


def _rvig() -> Organisation:
    own = peer(2)
    persons = dataset(
        "personen", "personen", "Personen in de BRP", "Persons in the BRP", "bsn",
        "bsn!", "voornaam=voornamen", "achternaam=geslachtsnaam", "geboren:DATE=geboortedatum",
        "overleden:DATE=overlijdensdatum", "geslacht", "nationaliteit",
    )  # fmt: skip
    unions = dataset(
        "relaties", "relaties", "Huwelijken en partnerschappen", "Marriages and partnerships", "bsn",
        "bsn", "soort=partnerschap_type", "partner_bsn", "sinds:DATE=datum_ingang", "einde:DATE=datum_einde",
    )  # fmt: skip
    children = dataset(
        "kinderen", "kinderen", "Kinderen", "Children", "bsn", "bsn!", "kind_bsn!", "geboren:DATE=geboortedatum",
    )  # fmt: skip
    homes = dataset(
        "verblijfplaats", "verblijfplaats", "Adressen", "Addresses", "bsn",
        "bsn!", "straat", "huisnummer:BIGINT", "postcode", "woonplaats", "wijk", "geheim:BOOLEAN",
    )  # fmt: skip
    basis = (WET_BRP, PARTICIPATION)
    hidden = {"rows": "geheim = false", "rows_because": SEPARATE_PROCEDURE}
    return Organisation(
        "rvig", "RvIG (fictief)", own, (persons, unions, children, homes),
        (
            opens(persons, BENEFIT, own, basis, "bsn voornaam achternaam geboren nationaliteit",
                   closed=(closed("geslacht overleden", NOT_NEEDED, MINIMISATION),)),
            opens(unions, BENEFIT, own, basis, "bsn soort sinds partner_bsn:join", rows="einde IS NULL", rows_because=CURRENT,
                   closed=(closed("einde", NOT_NEEDED, MINIMISATION),)),
            opens(children, BENEFIT, own, basis, "bsn geboren",
                   closed=(closed("kind_bsn", NOT_NEEDED, MINIMISATION),)),
            opens(homes, BENEFIT, own, basis, "bsn straat huisnummer postcode woonplaats",
                   closed=(closed("wijk", NOT_NEEDED, MINIMISATION), closed("geheim", SEPARATE_PROCEDURE, EXAMPLE_SECRECY)),
                   **hidden),
            *(shown(one, own, BRP_INSPECTION) for one in (persons, unions, homes)),
            shown(children, own, BRP_INSPECTION, closed=(closed("kind_bsn", OF_THE_CHILD, OTHERS_RIGHTS),)),
            opens(homes, PARKING, own, (WET_BRP, MUNICIPALITIES), "bsn wijk postcode", **hidden,
                   closed=(closed("straat huisnummer woonplaats", NOT_NEEDED, MINIMISATION),
                           closed("geheim", SEPARATE_PROCEDURE, EXAMPLE_SECRECY))),
        ),
    )  # fmt: skip


def _belastingdienst() -> Organisation:
    own = peer(3)
    income = dataset(
        "inkomen", "box1", "Inkomen per jaar", "Income per year", "bsn",
        "bsn!", "jaar!:BIGINT", "loon:BIGINT=loon_uit_dienstbetrekking [eurocent per jaar]",
        "uitkeringen:BIGINT=uitkeringen_en_pensioenen [eurocent per jaar]",
        "winst:BIGINT=winst_uit_onderneming [eurocent per jaar]",
        "inkomen:BIGINT=totaal [eurocent per jaar]", "laag_inkomen:BOOLEAN", "wijk",
    )  # fmt: skip
    wealth = dataset(
        "vermogen", "box3", "Vermogen", "Wealth", "bsn",
        "bsn!", "bezittingen:BIGINT={spaargeld + beleggingen + onroerend_goed} [eurocent]", "schulden:BIGINT [eurocent]",
        "spaargeld:BIGINT [eurocent]", "beleggingen:BIGINT [eurocent]", "onroerend_goed:BIGINT [eurocent]",
    )  # fmt: skip
    arrears = dataset(
        "belastingschulden", "belastingschulden", "Belastingschulden", "Tax arrears", "bsn",
        "bsn!", "totaalbedrag:BIGINT [eurocent]", "betalingsregeling",
    )  # fmt: skip
    basis = (PARTICIPATION, TAX_RELEASE)
    counted = Filter(("=",), (2023, 2024, 2025))
    return Organisation(
        "belastingdienst", "Belastingdienst (fictief)", own, (income, wealth, arrears),
        (
            opens(income, BENEFIT, own, basis, "bsn jaar loon uitkeringen winst",
                   closed=(closed("inkomen laag_inkomen wijk", NOT_NEEDED, MINIMISATION),)),
            opens(wealth, BENEFIT, own, basis, "bsn bezittingen schulden",
                   closed=(closed("spaargeld beleggingen onroerend_goed", SECRET_TAX, TAX_SECRECY),)),
            shown(income, own, TAX_RELEASE),
            shown(wealth, own, TAX_RELEASE),
            opens(income, POVERTY, own, (RESEARCH, EXAMPLE_STATISTICS), "bsn:join wijk inkomen jaar:filter laag_inkomen:filter",
                   rows="wijk IS NOT NULL", rows_because=RESIDENTS, subject_required=False, max_subjects=1_000_000,
                   filters={"jaar": counted, "laag_inkomen": Filter(("=",), (True,))},
                   aggregate=Aggregate(minimum=10, combiner=SLUISWIJK),
                   closed=(closed("loon uitkeringen winst", SECRET_BUT_COUNTED, TAX_SECRECY),)),
        ),
    )  # fmt: skip


def _uwv() -> Organisation:
    work = dataset(
        "dienstverbanden", "dienstverbanden", "Dienstverbanden", "Employment contracts", "bsn",
        "bsn", "werkgever", "kvk_nummer", "begin:DATE=start_date", "einde:DATE=end_date", "uren_per_week:BIGINT",
        "loon_per_maand:BIGINT [eurocent per maand]",
    )  # fmt: skip
    benefits = dataset(
        "uitkeringen", "uitkeringen", "WW en WIA", "Unemployment and disability benefits", "bsn",
        "bsn", "soort=type", "begin:DATE=start_date", "einde:DATE=end_date",
        "bedrag_per_maand:BIGINT [eurocent per maand]",
    )  # fmt: skip
    return Organisation(
        "uwv", "UWV (fictief)", UWV, (work, benefits),
        (
            opens(work, BENEFIT, UWV, (SUWI, PARTICIPATION), "bsn werkgever begin einde uren_per_week loon_per_maand",
                   closed=(closed("kvk_nummer", NOT_NEEDED, MINIMISATION),)),
            opens(benefits, BENEFIT, UWV, (SUWI, PARTICIPATION), "bsn soort begin einde bedrag_per_maand"),
            shown(work, UWV, SUWI),
            shown(benefits, UWV, SUWI),
        ),
    )  # fmt: skip


def _svb() -> Organisation:
    own = peer(5)
    child = dataset(
        "kinderbijslag", "algemene_kinderbijslagwet", "Kinderbijslag", "Child benefit", "bsn",
        "bsn!=ouder_bsn", "aantal_kinderen:BIGINT", "ontvangt:BOOLEAN=ontvangt_kinderbijslag",
        "bedrag_per_kwartaal:BIGINT [eurocent per kwartaal]",
    )  # fmt: skip
    pension = dataset(
        "aow", "algemene_ouderdomswet_gegevens", "AOW", "State pension", "bsn",
        "bsn!", "pensioenleeftijd:BIGINT", "ontvangt:BOOLEAN=ontvangt_aow",
        "bedrag_per_maand:BIGINT [eurocent per maand]",
    )  # fmt: skip
    return Organisation(
        "svb", "SVB (fictief)", own, (child, pension),
        (
            opens(child, BENEFIT, own, (SUWI, PARTICIPATION), "bsn aantal_kinderen bedrag_per_kwartaal",
                   closed=(closed("ontvangt", NOT_NEEDED, MINIMISATION),)),
            opens(child, POVERTY, own, (RESEARCH, EXAMPLE_STATISTICS), "bsn:join aantal_kinderen", subject_required=False,
                   max_subjects=1_000_000, aggregate=Aggregate(minimum=10, combiner=SLUISWIJK),
                   closed=(closed("ontvangt bedrag_per_kwartaal", NOT_NEEDED, MINIMISATION),)),
            opens(pension, BENEFIT, own, (SUWI, PARTICIPATION), "bsn pensioenleeftijd ontvangt bedrag_per_maand"),
            shown(child, own, SUWI),
            shown(pension, own, SUWI),
        ),
    )  # fmt: skip


def _kvk() -> Organisation:
    own = peer(6)
    registered = dataset(
        "inschrijvingen", "inschrijvingen", "Ondernemingen en hun eigenaar", "Companies and their owner", "bsn",
        "bsn", "kvk_nummer!", "handelsnaam", "rechtsvorm", "status", "activiteit", "sinds:DATE=datum_inschrijving",
    )  # fmt: skip
    companies = dataset(
        "ondernemingen", "ondernemingen", "Ondernemingen", "Companies", "kvk_nummer",
        "kvk_nummer!", "handelsnaam", "rechtsvorm", "status", "activiteit", "sinds:DATE=datum_inschrijving",
        number="urn:nl:kvk",
    )  # fmt: skip
    officers = dataset(
        "functionarissen", "functionarissen", "Functionarissen", "Officers", "bsn", "bsn", "kvk_nummer", "functie", "status",
    )  # fmt: skip
    return Organisation(
        "kvk", "KVK (fictief)", own, (registered, companies, officers),
        (
            opens(registered, BENEFIT, own, (TRADE_REGISTER, PARTICIPATION), "bsn handelsnaam status sinds",
                   closed=(closed("kvk_nummer rechtsvorm activiteit", NOT_NEEDED, MINIMISATION),)),
            shown(registered, own, TRADE_REGISTER),
            shown(companies, own, TRADE_REGISTER),
        ),
    )  # fmt: skip


def _rdw() -> Organisation:
    own = peer(7)
    vehicles = dataset(
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
            opens(vehicles, BENEFIT, own, (ROAD_TRAFFIC, PARTICIPATION), "bsn kenteken merk waarde sinds", masks=masks,
                   closed=(closed("model kleur", NOT_NEEDED, MINIMISATION),)),
            opens(vehicles, PARKING, own, (ROAD_TRAFFIC, MUNICIPALITIES), "bsn kenteken",
                   closed=(closed("merk model kleur sinds waarde", NOT_NEEDED, MINIMISATION),)),
            shown(vehicles, own, ROAD_TRAFFIC),
        ),
    )  # fmt: skip


ORGANISATIONS = (_sluiswijk(), _rvig(), _belastingdienst(), _uwv(), _svb(), _kvk(), _rdw())
ASKER = ORGANISATIONS[0]
