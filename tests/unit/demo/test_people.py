"""The invented people: repeatable, plainly invented, and one life in every register."""

from collections import Counter
from datetime import date

import pytest

from sluis.kernel import Bsn
from sluis_demo.dice import Dice
from sluis_demo.people import INVENTED, REFERENCE_DAY, World, generate
from sluis_demo.registers import FICTITIOUS, Registers, registers


@pytest.fixture(scope="module")
def world() -> World:
    return generate(people=2_500)


@pytest.fixture(scope="module")
def told(world: World) -> Registers:
    return registers(world)


def rows(told: Registers, organisation: str, table: str) -> list[dict[str, object]]:
    found = next(one for one in told[organisation] if one.name == table)
    names = [name for name, _ in found.columns]
    return [dict(zip(names, row, strict=True)) for row in found.rows]


def test_dice_follow_the_published_splitmix64_numbers() -> None:
    dice = Dice(1234567)
    assert [dice.below(1 << 64) for _ in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


def test_the_same_seed_gives_the_same_people() -> None:
    assert generate(people=200) == generate(people=200)
    assert generate(seed=1, people=200) != generate(seed=2, people=200)


def test_every_bsn_passes_the_eleven_test_is_unique_and_lies_in_the_fictitious_block(world: World) -> None:
    numbers = [person.bsn for person in world.people]
    assert len(set(numbers)) == len(numbers)
    assert all(Bsn.accepts(number) and "999900000" <= number < "999990000" for number in numbers)


def test_every_name_and_every_row_says_it_is_invented(world: World, told: Registers) -> None:
    assert all(person.surname.startswith(tuple(INVENTED)) for person in world.people)
    for tables in told.values():
        for table in tables:
            assert table.columns[-1][0] == "fictief"
            assert {row[-1] for row in table.rows} == {FICTITIOUS}


def test_partners_are_each_others_partner_and_live_together(world: World) -> None:
    known = {person.bsn: person for person in world.people}
    paired = [person for person in world.people if person.partner]
    assert paired
    for person in paired:
        partner = known[person.partner or ""]
        assert partner.partner == person.bsn
        assert (partner.address, partner.union_since) == (person.address, person.union_since)


def test_children_are_younger_than_their_parents_by_eighteen_years(world: World) -> None:
    parents = [person for person in world.people if person.children]
    assert parents
    assert all((child.born - parent.born).days > 365 * 18 for parent in parents for child in parent.children)


def test_the_wage_at_the_tax_office_is_the_sum_of_the_contracts_at_uwv(told: Registers) -> None:
    paid: Counter[object] = Counter()
    for job in rows(told, "uwv", "dienstverbanden"):
        start, end = str(job["start_date"]), str(job["end_date"] or "2025-12-31")
        first = max(start[:7], "2025-01")
        months = int(end[5:7]) - int(first[5:7]) + 1 if end >= "2025" and start < "2026" else 0
        wage = job["loon_per_maand"]
        assert isinstance(wage, int)
        paid[job["bsn"]] += wage * months
    taxed = {
        row["bsn"]: row["loon_uit_dienstbetrekking"]
        for row in rows(told, "belastingdienst", "box1")
        if row["jaar"] == 2025
    }
    assert {bsn: wage for bsn, wage in paid.items() if wage} == {
        bsn: wage for bsn, wage in taxed.items() if wage
    }


def test_every_register_speaks_of_people_the_brp_knows(told: Registers) -> None:
    known = {row["bsn"] for row in rows(told, "rvig", "personen")}
    for organisation, tables in told.items():
        for table in tables:
            for row in rows(told, organisation, table.name):
                assert {
                    row[key] for key in ("bsn", "ouder_bsn", "kind_bsn", "partner_bsn") if row.get(key)
                } <= known


def test_the_dead_have_no_home_and_no_later_income(world: World, told: Registers) -> None:
    dead = {person.bsn: person.died for person in world.people if person.died}
    assert dead
    assert not dead.keys() & {row["bsn"] for row in rows(told, "rvig", "verblijfplaats")}
    incomes = [row for row in rows(told, "belastingdienst", "box1") if row["bsn"] in dead]
    assert all(int(str(row["jaar"])) <= (dead[str(row["bsn"])] or date.max).year for row in incomes)


def test_the_applicant_has_a_working_partner_two_children_and_no_work_left(world: World) -> None:
    applicant = world.applicant
    known = {person.bsn: person for person in world.people}
    assert not applicant.secret
    assert len(applicant.children) == 2
    assert all(job.end and job.end < REFERENCE_DAY for job in applicant.jobs)
    assert any(job.end is None for job in known[applicant.partner or ""].jobs)


def test_some_district_has_fewer_than_ten_low_incomes_and_the_others_more() -> None:
    told = registers(generate())
    poor = Counter(
        row["wijk"]
        for row in rows(told, "belastingdienst", "box1")
        if row["jaar"] == 2025 and row["laag_inkomen"] and row["wijk"]
    )
    small = [district for district, count in poor.items() if count < 10]
    assert small == ["Sluiseiland"]
    assert len(poor) == 8


def test_number_plates_hold_no_letter_that_is_given_out(told: Registers) -> None:
    plates = [str(row["kenteken"]) for row in rows(told, "rdw", "voertuigen")]
    assert len(set(plates)) == len(plates)
    assert {letter for plate in plates for letter in plate if letter.isalpha()} <= set("IOQ")
