"""What each organisation has written down about the invented people: its tables, with the names it uses itself.

One life, seven registers: the wage that UWV knows is the wage that the Belastingdienst sums, the child in the BRP is
the child for whom SVB pays. Amounts are whole eurocents, days are ISO dates. Table and column names follow those of
the test personas of the Ministry of the Interior where both have the same thing.
"""

from collections.abc import Callable, Iterator
from datetime import date

import msgspec

from sluis_demo.people import PENSION_AGE, REFERENCE_DAY, YEARS, Company, Person, World

Cell = str | int | bool | None
Row = tuple[Cell, ...]

FICTITIOUS = "fictief"
LOW_INCOME = 1_500_000
"""Below this yearly income, in eurocents, an adult counts as having a low income in this demo."""


class Table(msgspec.Struct):
    """A table of a register. `columns` are name and SQL type (VARCHAR, BIGINT, DATE, BOOLEAN); `keys` get an index."""

    name: str
    columns: tuple[tuple[str, str], ...]
    keys: tuple[str, ...]
    rows: list[Row]


Registers = dict[str, list[Table]]
"""Tables per organisation, by the organisation's short name."""


def registers(world: World) -> Registers:
    """Tell the world to each organisation."""
    people = world.people
    adults = [person for person in people if person.age() >= 18]
    known = {company.number: company for company in world.companies}
    return {
        "sluiswijk": [
            _table(
                "uitkeringsdossiers",
                "bsn soort sinds:DATE bedrag_per_maand:BIGINT",
                _municipal_benefits,
                adults,
            ),
            _table("aanvragen", "zaaknummer bsn soort ontvangen:DATE", _applications(world), people),
        ],
        "rvig": [
            _table(
                "personen",
                "bsn voornamen geslachtsnaam geslacht geboortedatum:DATE overlijdensdatum:DATE nationaliteit geheim:BOOLEAN",
                _persons,
                people,
            ),
            _table(
                "relaties",
                "bsn partnerschap_type partner_bsn datum_ingang:DATE datum_einde:DATE",
                _unions,
                adults,
            ),
            _table("kinderen", "bsn kind_bsn geboortedatum:DATE", _children, adults),
            _table(
                "verblijfplaats",
                "bsn straat huisnummer:BIGINT postcode woonplaats wijk type geheim:BOOLEAN",
                _addresses,
                people,
            ),
        ],
        "belastingdienst": [
            _table(
                "box1",
                "bsn jaar:BIGINT loon_uit_dienstbetrekking:BIGINT uitkeringen_en_pensioenen:BIGINT"
                " winst_uit_onderneming:BIGINT totaal:BIGINT laag_inkomen:BOOLEAN wijk",
                _incomes,
                adults,
            ),
            _table(
                "box3",
                "bsn spaargeld:BIGINT beleggingen:BIGINT onroerend_goed:BIGINT schulden:BIGINT",
                _wealth,
                adults,
            ),
            _table("belastingschulden", "bsn totaalbedrag:BIGINT betalingsregeling", _tax_debts, adults),
        ],
        "uwv": [
            _table(
                "dienstverbanden",
                "bsn werkgever kvk_nummer start_date:DATE end_date:DATE uren_per_week:BIGINT loon_per_maand:BIGINT",
                _jobs(world.companies),
                adults,
            ),
            _table(
                "uitkeringen",
                "bsn type start_date:DATE end_date:DATE bedrag_per_maand:BIGINT",
                _spells("WW", "WIA"),
                adults,
            ),
        ],
        "svb": [
            _table(
                "algemene_kinderbijslagwet",
                "ouder_bsn aantal_kinderen:BIGINT ontvangt_kinderbijslag:BOOLEAN bedrag_per_kwartaal:BIGINT",
                _child_benefit,
                [person for person in adults if person.children],
            ),
            _table(
                "algemene_ouderdomswet_gegevens",
                "bsn pensioenleeftijd:BIGINT ontvangt_aow:BOOLEAN bedrag_per_maand:BIGINT",
                _old_age,
                adults,
            ),
        ],
        "kvk": [
            _table(
                "inschrijvingen",
                "bsn kvk_nummer handelsnaam rechtsvorm status activiteit datum_inschrijving:DATE datum_uitschrijving:DATE",
                _registrations,
                list(known.values()),
            ),
            _table(
                "ondernemingen",
                "kvk_nummer handelsnaam rechtsvorm status activiteit datum_inschrijving:DATE",
                _companies,
                list(known.values()),
            ),
            _table("functionarissen", "bsn kvk_nummer functie status", _officers, list(known.values())),
        ],
        "rdw": [
            _table(
                "voertuigen",
                "bsn kenteken merk handelsbenaming kleur datum_tenaamstelling:DATE catalogusprijs:BIGINT",
                _vehicles,
                adults,
            ),
        ],
    }


def _table(
    name: str, columns: str, tell: Callable[..., Iterator[Row]], about: list[Person] | list[Company]
) -> Table:
    typed = tuple(([*part.split(":"), "VARCHAR"])[:2] for part in columns.split())
    rows = [(*row, FICTITIOUS) for one in about for row in tell(one)]
    keys = tuple(
        column for column, _ in typed if column in ("bsn", "ouder_bsn", "partner_bsn", "kvk_nummer", "wijk")
    )
    return Table(name, (*((column, kind) for column, kind in typed), ("fictief", "VARCHAR")), keys, rows)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _municipal_benefits(person: Person) -> Iterator[Row]:
    for spell in person.spells:
        if spell.kind == "BIJSTAND":
            yield person.bsn, "bijstand", _iso(spell.start), spell.amount


def _applications(world: World) -> Callable[[Person], Iterator[Row]]:
    asking = {world.applicant.bsn: "bijstand", world.hidden.bsn: "bijstand"}

    def tell(person: Person) -> Iterator[Row]:
        if person.bsn in asking:
            case = "Z-2026-0001" if person is world.applicant else "Z-2026-0002"
            yield case, person.bsn, asking[person.bsn], _iso(REFERENCE_DAY)

    return tell


def _persons(person: Person) -> Iterator[Row]:
    yield (
        person.bsn,
        person.given,
        person.surname,
        person.sex,
        _iso(person.born),
        _iso(person.died),
        "NEDERLANDS",
        person.secret,
    )


def _unions(person: Person) -> Iterator[Row]:
    yield person.bsn, person.union, person.partner, _iso(person.union_since), _iso(person.union_ended)


def _children(person: Person) -> Iterator[Row]:
    for child in person.children:
        yield person.bsn, child.bsn, _iso(child.born)


def _addresses(person: Person) -> Iterator[Row]:
    if person.lives:
        home = person.address
        yield (
            person.bsn,
            home.street,
            home.number,
            home.postcode,
            home.town,
            home.district or None,
            "WOONADRES",
            person.secret,
        )


def _months(start: date, end: date | None, year: int) -> int:
    """Months of `year` that lie between start and end, both counted whole."""
    first = max(start.year * 12 + start.month, year * 12 + 1)
    last = min((end.year * 12 + end.month) if end else year * 12 + 12, year * 12 + 12)
    return max(0, last - first + 1)


def _incomes(person: Person) -> Iterator[Row]:
    for year in YEARS:
        if person.age(date(year, 12, 31)) < 18 or (person.died and person.died.year < year):
            continue
        wage = sum(job.wage * _months(job.start, job.end, year) for job in person.jobs)
        paid = sum(
            spell.amount * _months(spell.start, spell.end, year)
            for spell in person.spells
            if spell.kind != "BIJSTAND"
        )
        total = wage + paid + person.profit
        yield (
            person.bsn,
            year,
            wage,
            paid,
            person.profit,
            total,
            total < LOW_INCOME,
            person.address.district or None,
        )


def _wealth(person: Person) -> Iterator[Row]:
    if person.lives:
        yield person.bsn, person.savings, person.investments, person.real_estate, person.debts


def _tax_debts(person: Person) -> Iterator[Row]:
    if person.tax_debt:
        yield person.bsn, person.tax_debt, "LOPEND" if person.tax_debt > 100_000 else "GEEN"


def _jobs(companies: list[Company]) -> Callable[[Person], Iterator[Row]]:
    def tell(person: Person) -> Iterator[Row]:
        for job in person.jobs:
            employer = companies[job.employer]
            yield (
                person.bsn,
                employer.name,
                employer.number,
                _iso(job.start),
                _iso(job.end),
                job.hours,
                job.wage,
            )

    return tell


def _spells(*kinds: str) -> Callable[[Person], Iterator[Row]]:
    def tell(person: Person) -> Iterator[Row]:
        for spell in person.spells:
            if spell.kind in kinds:
                yield person.bsn, spell.kind, _iso(spell.start), _iso(spell.end), spell.amount

    return tell


def _child_benefit(person: Person) -> Iterator[Row]:
    amounts = [_quarterly(child.age()) for child in person.children if child.age() < 18]
    receives = bool(amounts) and (person.sex == "V" or person.partner is None)
    yield person.bsn, len(amounts), receives, sum(amounts) if receives else 0


def _quarterly(age: int) -> int:
    return 28_645 if age < 6 else 34_783 if age < 12 else 40_921


def _old_age(person: Person) -> Iterator[Row]:
    amount = sum(spell.amount for spell in person.spells if spell.kind == "AOW")
    if person.lives:
        yield person.bsn, PENSION_AGE, bool(amount), amount


def _registrations(company: Company) -> Iterator[Row]:
    status = "UITGESCHREVEN" if company.ended else "ACTIEF"
    ended = _iso(company.ended)
    for bsn, _ in company.officers:
        yield (
            bsn,
            company.number,
            company.name,
            company.form,
            status,
            company.trade,
            _iso(company.since),
            ended,
        )


def _companies(company: Company) -> Iterator[Row]:
    status = "UITGESCHREVEN" if company.ended else "ACTIEF"
    yield company.number, company.name, company.form, status, company.trade, _iso(company.since)


def _officers(company: Company) -> Iterator[Row]:
    for bsn, office in company.officers:
        yield bsn, company.number, office, "UITGESCHREVEN" if company.ended else "ACTIEF"


def _vehicles(person: Person) -> Iterator[Row]:
    for car in person.vehicles:
        yield person.bsn, car.plate, car.make, car.model, car.colour, _iso(car.first_owned), car.price
