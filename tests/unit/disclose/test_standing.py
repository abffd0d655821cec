"""A disclosure is for standing questions or for others, and a standing question is checked without reading anything."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.disclose.owner import ANN, ASKER, BOB, CIM, OTHER, Owner, disclosure

from sluis.grounds import Disclosure, StandingRule
from sluis.kernel import Invalid, Problem, Refused, Trace
from sluis.ledger import Processing
from sluis.statement import KeyList, Seal

Make = Callable[..., Owner]
BY_KEY = "SELECT p.name AS name FROM persons AS p WHERE p.bsn = ANY($k)"
RULE = StandingRule("PT1H")


async def check(owner: Owner, peer: Any = ASKER, *people: str, **changed: Any) -> Any:
    keys = {"k": KeyList("VARCHAR", list(people or (ANN,)))}
    question = owner.question(BY_KEY, **{"keys": keys, **changed})
    return await owner.discloser.check_standing(peer, Trace.begin(), "transaction-1", question)


async def test_checking_gives_the_disclosure_and_whom_the_question_names_and_reads_nothing(
    make: Make,
) -> None:
    owner = make(disclosure(standing=RULE))
    found, people = await check(owner, ASKER, BOB, ANN)
    assert (found.id, people) == ("d-persons", (("BSN", ANN), ("BSN", BOB)))
    assert not any(isinstance(one, Processing) for one in owner.log.records)
    assert len(owner.log.records) == 1  # the answer of the decision point


@pytest.mark.parametrize(
    ("opened", "changed", "code"),
    [
        (disclosure(), {}, "no-standing-questions"),
        (disclosure(standing=RULE), {"activity": "https://example.nl/other"}, "not-disclosed"),
        (disclosure(standing=RULE), {"disclosures": {"persons": "sha256:0"}}, "disclosure-changed"),
        (disclosure(standing=RULE), {"seal": Seal("q", columns=("name",))}, "not-one-dataset"),
        (disclosure(standing=RULE), {"combining": True}, "not-one-dataset"),
        (disclosure(standing=RULE), {"disclosures": {}}, "not-one-dataset"),
        (disclosure(standing=RULE, max_subjects=1), {"keys": {"k": KeyList("VARCHAR", [ANN, BOB])}}, "too-many-subjects"),
        (disclosure(standing=RULE, columns={"bsn": "output"}), {}, "column-closed"),
    ],
)  # fmt: skip
async def test_what_a_consultation_would_refuse_before_it_reads_cannot_be_left_standing(
    make: Make, opened: Disclosure, changed: dict[str, Any], code: str
) -> None:
    with pytest.raises(Problem) as caught:
        await check(make(opened), ASKER, **changed)
    assert caught.value.code == code


async def test_another_peer_leaves_nothing_standing(make: Make) -> None:
    with pytest.raises(Refused, match="not been opened"):
        await check(make(disclosure(standing=RULE)), OTHER)


async def test_a_disclosure_for_standing_questions_answers_no_other(make: Make) -> None:
    owner = make(disclosure(standing=RULE))
    with pytest.raises(Refused) as caught:
        await owner.ask(BY_KEY, [CIM])
    assert caught.value.rule == "standing-only"
    assert [one.body["adl.core.response"]["decision"] for one in owner.log.refusals()] == [False]


async def test_two_datasets_are_two_questions(make: Make) -> None:
    owner = make(disclosure(standing=RULE), disclosure("jobs", standing=RULE))
    question = owner.question("SELECT p.name AS name FROM persons AS p JOIN jobs AS j ON j.bsn = p.bsn")
    with pytest.raises(Invalid) as caught:
        await owner.discloser.check_standing(ASKER, Trace.begin(), "transaction-1", question)
    assert caught.value.code == "not-one-dataset"
