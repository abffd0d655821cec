"""What an answer costs: on record at the owner before its receipt says so, and only where it costs something."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.unit.disclose.owner import ANN, ASKER, BOB, OWNER, Owner, disclosure

from sluis.disclose import Bounds
from sluis.grounds import Price
from sluis.kernel import Problem
from sluis.ledger import Processing
from sluis.statement import CHARGE, Charge

Make = Callable[..., Owner]
BY_KEY = "SELECT p.bsn AS bsn, p.name AS name FROM persons AS p WHERE p.bsn = ANY($k)"
PRICE = Price(per_question=25, per_subject=10)


def charges(owner: Owner) -> list[dict[str, object]]:
    lines = [one for one in owner.log.records if isinstance(one, Processing)]
    return [one.attributes[CHARGE] for one in lines if CHARGE in one.attributes]


async def test_a_price_is_per_question_and_per_person(make: Make) -> None:
    owner = make(disclosure(price=PRICE))
    answered = await owner.ask(BY_KEY, [ANN, BOB])
    assert answered.closing.receipt.charge == Charge(45, 2)
    assert charges(owner) == [
        {"payer": str.__str__(ASKER), "payee": str.__str__(OWNER), "cents": 45, "subjects": 2}
    ]


async def test_people_asked_about_in_vain_count_as_the_log_counts_them(make: Make) -> None:
    owner = make(disclosure(price=PRICE))
    answered = await owner.ask(BY_KEY, [ANN, "999990056"])
    assert answered.closing.receipt.charge == Charge(45, 2)
    assert len(owner.log.subjects()) == 2


async def test_datasets_of_one_question_are_paid_for_each(make: Make) -> None:
    owner = make(disclosure(price=PRICE), disclosure("jobs", price=Price(per_question=5)))
    sql = "SELECT p.name AS name, j.job AS job FROM persons AS p JOIN jobs AS j ON j.bsn = p.bsn WHERE p.bsn = ANY($k)"
    assert (await owner.ask(sql, [ANN])).closing.receipt.charge == Charge(40, 1)


async def test_without_a_price_there_is_no_line_and_no_charge(make: Make) -> None:
    owner = make(disclosure())
    assert (await owner.ask(BY_KEY, [ANN])).closing.receipt.charge is None
    assert charges(owner) == []


async def test_a_long_answer_is_charged_once_for_everyone_in_it(make: Make) -> None:
    owner = make(disclosure(price=PRICE, subject_required=False), bounds=Bounds(batch_rows=1))
    answered = await owner.ask("SELECT p.bsn AS bsn FROM persons AS p")
    assert answered.closing.receipt.charge == Charge(65, 4)
    assert [one["cents"] for one in charges(owner)] == [65]


async def test_a_refused_question_costs_nothing(make: Make) -> None:
    owner = make(disclosure(price=PRICE, max_rows=1))
    with pytest.raises(Problem):
        await owner.ask(BY_KEY, [ANN, BOB])
    owner.now += timedelta(seconds=1)
    assert charges(owner) == []
