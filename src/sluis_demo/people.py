"""Invented people and their lives: households, partners, children, addresses, work, companies, vehicles.

Nobody here exists. BSNs are taken from 9999 0 0000 to 9999 8 9999: they pass the eleven-test, lie in the block from
which the official test sets are drawn, and leave out 99999…, which those sets use themselves. Surnames are put
together from words for "invented", postcodes start with a zero, number plates use only I, O and Q and trade
register numbers start with 99: none of these is ever given out. Every register carries a column `fictief`.

The same seed gives the same people. One life is written once here; `registers` tells it to each organisation.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from sluis.kernel import passes_eleven_test
from sluis_demo.dice import Dice

REFERENCE_DAY = date(2026, 1, 1)
"""The day on which the registers are up to date."""
YEARS = (2023, 2024, 2025)
PENSION_AGE = 67
PEOPLE = 5_000


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FEMALE = _words(
    "Sanne Fatima Emma Lotte Aylin Julia Maud Noor Iris Esra Anouk Femke Saar Yara Eva Linde Samira Roos Hanna Tess "
    "Marloes Ingrid Willemien Dewi Chantal Greetje Naima Petra Jolanda Marijke"
)
MALE = _words(
    "Daan Mohammed Bram Sem Youssef Lars Thijs Milan Emre Ruben Sander Joost Finn Karim Niels Gijs Teun Hamza Pieter "
    "Wout Henk Cornelis Dirk Rajesh Kees Jeroen Marco Bilal Harm Evert"
)
INVENTED = _words("Proef Test Nep Verzin Voorbeeld Schijn Droom Papier Fabel Denk Fictie Maak")
ENDINGS = _words("stra sma veld huizen dijk man berg beek wijk hof brug meer")

DISTRICTS = (
    ("Centrum", 24),
    ("Noordkade", 20),
    ("Peilbuurt", 17),
    ("Schutterspoort", 15),
    ("Molenvliet", 13),
    ("Oude Haven", 8),
    ("Buitenpolder", 3),
    ("Sluiseiland", 1),
)
TOWNS = (("Sluiswijk", 78), ("Peildorp", 13), ("Schutveen", 9))
STREETS = _words("Sluiskade Peilpad Schutstraat Kolkweg Deurlaan Wachtersplein Stuwdreef Ebsingel")
TRADES = _words(
    "Bakkerij Schilderwerken Fietsenmaker Kapsalon Tuinaanleg Webbouw Naaiatelier Klusbedrijf Rijschool"
)
SECTORS = _words("Bouw Zorggroep Transport Logistiek Schoonmaak Techniek Horeca Onderwijs Retail Installatie")
CARS = (
    ("Fictora", "Mini"),
    ("Fictora", "Stad"),
    ("Nepwagen", "Polo-achtig"),
    ("Droomauto", "Gezin"),
    ("Proefwagen", "E"),
)
COLOURS = _words("grijs zwart wit blauw rood groen")

ALONE, COUPLE, FAMILY, ONE_PARENT = "alone", "couple", "family", "one-parent"


class Address(msgspec.Struct, frozen=True):
    """Where a household lives. `district` is empty outside Sluiswijk."""

    street: str
    number: int
    postcode: str
    town: str
    district: str


class Job(msgspec.Struct, frozen=True):
    """An employment contract. `wage` is gross, in eurocents per month; `end` None while it runs."""

    employer: int
    start: date
    end: date | None
    hours: int
    wage: int


class Spell(msgspec.Struct, frozen=True):
    """A benefit for a while; `amount` in eurocents per month."""

    kind: str
    start: date
    end: date | None
    amount: int


class Vehicle(msgspec.Struct, frozen=True):
    plate: str
    make: str
    model: str
    colour: str
    first_owned: date
    price: int
    """Catalogue price in eurocents."""


class Company(msgspec.Struct):
    """A company and the people registered with it: BSN and office."""

    number: str
    name: str
    form: str
    trade: str
    since: date
    ended: date | None
    officers: list[tuple[str, str]]


class Person(msgspec.Struct):
    """One invented life."""

    bsn: str
    given: str
    surname: str
    sex: str
    born: date
    address: Address
    secret: bool
    """The address is secret (indicatie geheim)."""
    died: date | None = None
    partner: str | None = None
    union: str = "GEEN"
    union_since: date | None = None
    union_ended: date | None = None
    children: list["Person"] = []
    jobs: list[Job] = []
    spells: list[Spell] = []
    profit: int = 0
    """Yearly profit of an own company, in eurocents."""
    savings: int = 0
    investments: int = 0
    real_estate: int = 0
    debts: int = 0
    tax_debt: int = 0
    vehicles: list[Vehicle] = []

    def age(self, day: date = REFERENCE_DAY) -> int:
        """Full years on `day`."""
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))

    @property
    def lives(self) -> bool:
        return self.died is None


class World(msgspec.Struct):
    """Everything that was invented. `applicant` asks for benefit in the story; `hidden` has a secret address."""

    people: list[Person]
    companies: list[Company]
    applicant: Person
    hidden: Person


def free_numbers(dice: Dice) -> Iterator[str]:
    """Every BSN of the block, in a shuffled order."""
    block = (str(number) for number in range(999_900_000, 999_990_000))
    yield from dice.shuffled([number for number in block if passes_eleven_test(number)])


def generate(seed: int = 2026, people: int = PEOPLE) -> World:
    """Invent about `people` people (at most 8,000). The story's applicants come first."""
    dice = Dice(seed)
    maker = _Maker(dice)
    applicant, hidden = maker.applicant(), maker.hidden()
    while len(maker.people) < people:
        maker.household(dice.weighted(((ALONE, 38), (COUPLE, 29), (FAMILY, 25), (ONE_PARENT, 8))))
    return World(maker.people, maker.companies, applicant, hidden)


class _Maker:
    """Invents household after household; holds what must stay unique."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self.people: list[Person] = []
        self.companies: list[Company] = []
        self._numbers = free_numbers(dice)
        self._plates = 0
        self.employers = [self._employer() for _ in range(60)]

    def applicant(self) -> Person:
        """A mother of two who lost her work; her husband has a part-time job, and they own a car."""
        address = Address("Sluiskade", 12, "0021 AB", "Sluiswijk", "Noordkade")
        asks = self._person("V", date(1988, 4, 17), address, surname="Proefstra", secret=False, given="Sanne")
        husband = self._person(
            "M", date(1986, 11, 2), address, surname="Fabeldijk", secret=False, given="Youssef"
        )
        self._marry(asks, husband, "HUWELIJK", date(2014, 6, 20))
        for given, sex, born in (("Noor", "V", date(2016, 3, 8)), ("Sem", "M", date(2019, 9, 30))):
            self._child_of(asks, husband, born, given, sex)
        asks.jobs = [Job(3, date(2019, 2, 1), date(2025, 8, 31), 24, 189_400)]
        asks.spells = [Spell("WW", date(2025, 9, 1), date(2025, 12, 31), 132_500)]
        husband.jobs = [Job(7, date(2022, 5, 1), None, 20, 148_200)]
        asks.savings, husband.savings = 284_000, 61_500
        asks.tax_debt = 45_000
        asks.vehicles = [self._vehicle()]
        self._own_company(asks, date(2023, 3, 1), date(2025, 6, 30), 120_000)
        return asks

    def hidden(self) -> Person:
        """Someone who asks for the same benefit, and whose address is secret."""
        address = Address("Peilpad", 222, "0030 KB", "Sluiswijk", "Peilbuurt")
        asks = self._person("V", date(1995, 4, 24), address, surname="Papierhof", secret=True, given="Aylin")
        asks.jobs = [Job(5, date(2021, 1, 1), date(2025, 10, 31), 32, 241_000)]
        asks.savings = 90_000
        return asks

    def household(self, kind: str) -> None:
        """One more household of this kind, with everything its members do."""
        dice = self.dice
        address = self._address()
        secret = dice.chance(2)
        oldest = 52 if kind in (FAMILY, ONE_PARENT) else 90
        first = self._person(dice.pick("VM"), self._birthday(23, oldest), address, secret=secret)
        adults = [first]
        if kind in (COUPLE, FAMILY):
            adults.append(self._partner_for(first, address, secret))
        if kind == ALONE and first.age() > 70 and dice.chance(45):
            self._late_partner_of(first)
        if kind in (FAMILY, ONE_PARENT):
            self._children_for(adults, dice.weighted(((1, 42), (2, 40), (3, 14), (4, 4))))
        for adult in adults:
            self._livelihood(adult, alone=len(adults) == 1)
        for _ in range(dice.weighted(((0, 40), (1, 46), (2, 14)))):
            keeper = dice.pick(adults)
            keeper.vehicles = [*keeper.vehicles, self._vehicle()]

    def _person(
        self, sex: str, born: date, address: Address, *, secret: bool, surname: str = "", given: str = ""
    ) -> Person:
        given = given or self.dice.pick(FEMALE if sex == "V" else MALE)
        surname = surname or self.dice.pick(INVENTED) + self.dice.pick(ENDINGS)
        person = Person(next(self._numbers), given, surname, sex, born, address, secret)
        self.people.append(person)
        return person

    def _birthday(self, youngest: int, oldest: int) -> date:
        last = REFERENCE_DAY.replace(year=REFERENCE_DAY.year - youngest) - timedelta(days=1)
        return self.dice.day(last.replace(year=REFERENCE_DAY.year - oldest), last)

    def _address(self) -> Address:
        dice = self.dice
        town = dice.weighted(TOWNS)
        names = [name for name, _ in DISTRICTS]
        district = dice.weighted(DISTRICTS) if town == "Sluiswijk" else ""
        area = 1 + names.index(district) if district else 20 + len(town)
        postcode = f"0{area:02}{dice.below(10)} {dice.pick('ABCDEGHJKL')}{dice.pick('ABEGHJKLN')}"
        return Address(dice.pick(STREETS), dice.between(1, 280), postcode, town, district)

    def _partner_for(self, person: Person, address: Address, secret: bool) -> Person:
        other_sex = {"V": "M", "M": "V"}[person.sex]
        sex = person.sex if self.dice.chance(4) else other_sex
        born = max(person.born, date(1936, 1, 1)) + timedelta(days=self.dice.between(-1500, 1500))
        partner = self._person(sex, min(born, date(2003, 1, 1)), address, secret=secret)
        grown = max(person.born, partner.born).replace(day=1) + timedelta(days=365 * 22)
        union = self.dice.weighted((("HUWELIJK", 74), ("GEREGISTREERD_PARTNERSCHAP", 26)))
        self._marry(person, partner, union, self.dice.day(min(grown, date(2025, 1, 1)), date(2025, 6, 1)))
        return partner

    def _marry(self, one: Person, other: Person, union: str, since: date) -> None:
        for person, partner in ((one, other), (other, one)):
            person.partner, person.union, person.union_since = partner.bsn, union, since

    def _late_partner_of(self, person: Person) -> None:
        late = self._person(
            {"V": "M", "M": "V"}[person.sex], person.born, person.address, secret=person.secret
        )
        self._marry(person, late, "HUWELIJK", person.born.replace(day=1) + timedelta(days=365 * 25))
        late.died = self.dice.day(date(2012, 1, 1), date(2025, 11, 30))
        person.union_ended = late.union_ended = late.died

    def _children_for(self, adults: list[Person], count: int) -> None:
        youngest_parent = max(adult.born for adult in adults).replace(day=1)
        earliest = max(youngest_parent + timedelta(days=365 * 19), date(2008, 2, 1))
        for _ in range(count):
            born = self.dice.day(min(earliest, date(2025, 1, 1)), date(2025, 12, 1))
            self._child_of(adults[0], adults[1] if len(adults) > 1 else None, born)

    def _child_of(
        self, one: Person, other: Person | None, born: date, given: str = "", sex: str = ""
    ) -> None:
        sex = sex or self.dice.pick("VM")
        child = self._person(sex, born, one.address, secret=one.secret, surname=one.surname, given=given)
        for parent in (one, other):
            if parent is not None:
                parent.children = [*parent.children, child]

    def _livelihood(self, person: Person, *, alone: bool) -> None:
        dice, age = self.dice, person.age()
        if age >= PENSION_AGE:
            since = person.born.replace(year=person.born.year + PENSION_AGE, day=1)
            person.spells = [Spell("AOW", since, None, 155_800 if alone else 106_700)]
            if dice.chance(55):
                person.spells = [
                    *person.spells,
                    Spell("PENSIOEN", since, None, dice.between(180, 2_400) * 100),
                ]
        else:
            self._work_or_not(person, dice.weighted((("job", 70), ("own", 9), ("benefit", 9), ("none", 12))))
        wealth = dice.weighted(((40, 30), (400, 35), (2_500, 25), (12_000, 10)))
        person.savings = dice.between(wealth // 10, wealth) * max(1, age // 12) * 100
        person.investments = dice.between(1_000, 60_000) * 100 if dice.chance(14) else 0
        person.real_estate = dice.between(90_000, 400_000) * 100 if dice.chance(4) else 0
        person.debts = dice.between(500, 28_000) * 100 if dice.chance(18) else 0
        person.tax_debt = dice.between(100, 9_000) * 100 if dice.chance(5) else 0

    def _work_or_not(self, person: Person, kind: str) -> None:
        dice = self.dice
        if kind == "job":
            person.jobs = [self._job(person)]
        elif kind == "own":
            self._own_company(
                person, dice.day(date(2012, 1, 1), date(2025, 3, 1)), None, dice.between(4, 75) * 100_000
            )
        elif kind == "benefit":
            benefit = dice.weighted((("WW", 34), ("WIA", 28), ("BIJSTAND", 38)))
            start = dice.day(date(2023, 1, 1), date(2025, 10, 1))
            amount = 140_100 if benefit == "BIJSTAND" else dice.between(900, 2_400) * 100
            person.spells = [Spell(benefit, start.replace(day=1), None, amount)]

    def _job(self, person: Person) -> Job:
        dice = self.dice
        grown = date(person.born.year + 19, 1, 1)
        start = dice.day(min(max(grown, date(2005, 1, 1)), date(2025, 1, 1)), date(2025, 9, 1)).replace(day=1)
        end = dice.day(max(start, date(2024, 1, 1)), date(2025, 12, 31)) if dice.chance(8) else None
        hours = dice.weighted(((12, 8), (20, 14), (24, 18), (32, 24), (36, 20), (40, 16)))
        hourly = dice.weighted(((1_480, 26), (1_900, 26), (2_600, 26), (3_800, 16), (6_000, 6))) + dice.below(
            350
        )
        return Job(dice.below(len(self.employers)), start, end, hours, hours * hourly * 52 // 12)

    def _own_company(self, person: Person, since: date, ended: date | None, profit: int) -> None:
        trade = self.dice.pick(TRADES)
        self._company(
            f"Fictieve {trade} {person.surname}",
            "EENMANSZAAK",
            trade,
            since,
            ended,
            [(person.bsn, "EIGENAAR")],
        )
        person.profit = profit

    def _company(
        self,
        name: str,
        form: str,
        trade: str,
        since: date,
        ended: date | None,
        officers: list[tuple[str, str]],
    ) -> Company:
        company = Company(f"99{len(self.companies) + 1:06}", name, form, trade, since, ended, officers)
        self.companies.append(company)
        return company

    def _employer(self) -> Company:
        """A company with staff; its director is an invented person as well."""
        sector = self.dice.pick(SECTORS)
        director = self._person(self.dice.pick("VM"), self._birthday(38, 62), self._address(), secret=False)
        name = f"Fictief {sector}bedrijf {director.surname} B.V."
        since = self.dice.day(date(1990, 1, 1), date(2018, 1, 1))
        employer = self._company(name, "BV", sector, since, None, [(director.bsn, "BESTUURDER")])
        director.jobs = [Job(len(self.companies) - 1, since, None, 40, self.dice.between(4_800, 9_900) * 100)]
        return employer

    def _vehicle(self) -> Vehicle:
        self._plates += 1
        pairs = [a + b for a in "QOI" for b in "IOQ"]
        plate = (
            f"{pairs[self._plates // 1000 % 9]}-{self._plates % 1000:03}-{'QIO'[self._plates // 9000 % 3]}"
        )
        make, model = self.dice.pick(CARS)
        owned = self.dice.day(date(2014, 1, 1), date(2025, 12, 1))
        return Vehicle(
            plate, make, model, self.dice.pick(COLOURS), owned, self.dice.between(9_000, 62_000) * 100
        )
