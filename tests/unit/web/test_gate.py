"""What a person wants to do at this node is asked of the decision point, and on record before it is done."""

from datetime import UTC, datetime

import pytest
from tests.kept import Kept

from sluis.kernel import Refused, Text, Unkept
from sluis.policy import LOG, READ_LOG, STANDARD, DecisionPoint, Policies, Resource
from sluis.web import Gate, Person

OFFICER = Person("jansen", "p-1", ("privacy-officer",))
NOT_YOURS = Refused("log-not-yours", *[Text(word, word) for word in ("Nee.", "Zonder rol.", "Vraag het.")])
STRICT = """
@id("sure-enough")
@level("substantial")
@nl("Dit vraagt een hoger niveau.")
@en("This takes a higher level.")
@article("Eigen regel, art. 3")
forbid (principal, action == Action::"read-log", resource) when { context.level < 3 };
"""


@pytest.fixture
def kept() -> Kept:
    return Kept()


def gate(kept: Kept, **own: str) -> Gate:
    return Gate(
        DecisionPoint(Policies({**STANDARD, **own}), "own", kept, lambda: datetime(2026, 6, 1, tzinfo=UTC))
    )


async def test_who_may_passes_and_that_is_on_record(kept: Kept) -> None:
    await gate(kept).require(OFFICER, READ_LOG, Resource(LOG, "log"), NOT_YOURS)
    [record] = kept.records
    assert record.body["adl.core.request"]["subject"]["id"] == "p-1"
    assert (record.body["adl.core.response"]["decision"], record.parent_span_id) == (True, None)


async def test_who_may_not_is_told_by_which_rule_and_that_is_on_record_too(kept: Kept) -> None:
    with pytest.raises(Refused, match="Zonder rol") as caught:
        await gate(kept).require(Person("jansen", "p-2"), READ_LOG, Resource(LOG, "log"), NOT_YOURS)
    assert (caught.value.code, caught.value.rule) == ("log-not-yours", "no-policy")
    assert [one.body["adl.core.response"]["decision"] for one in kept.records] == [False]


async def test_an_own_policy_says_why_and_with_which_level_it_would_be_allowed(kept: Kept) -> None:
    strict = gate(kept, own=STRICT)
    with pytest.raises(Refused, match="higher level") as caught:
        await strict.require(OFFICER, READ_LOG, Resource(LOG, "log"), NOT_YOURS)
    assert (caught.value.level, caught.value.legal) == ("substantial", "Eigen regel, art. 3")
    sure = Person("", "p-1", ("privacy-officer",), "urn:voorbeeld:twee-factoren", "substantial")
    await strict.require(sure, READ_LOG, Resource(LOG, "log"), NOT_YOURS)


async def test_nothing_is_permitted_that_cannot_be_recorded(kept: Kept) -> None:
    kept.full = True
    with pytest.raises(Unkept):
        await gate(kept).require(OFFICER, READ_LOG, Resource(LOG, "log"), NOT_YOURS)
