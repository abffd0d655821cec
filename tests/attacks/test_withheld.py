"""A resident looks for signs of what is withheld from them: in what the lines say that they do see. Persons are fictitious."""

from contextlib import closing
from pathlib import Path

from tests.integration.test_asking import BENEFIT, JOINED, LAW, ONE, two_owners
from tests.unit.grounds.examples import activity, dataset, disclosure
from tests.unit.identity.logs import ANN, MS, Group

from sluis.grounds import Article, Grounds, Withhold
from sluis.kernel import Text, new_span_id, new_trace_id
from sluis.ledger import Decision


async def test_of_a_question_in_part_withheld_the_rest_does_not_name_what_it_was(tmp_path: Path) -> None:
    """The lines at who asks named all datasets of the question, also one of another owner that was withheld."""
    group = Group(tmp_path / "group", 1)
    with closing(group.closing), closing(two_owners(tmp_path, withhold=Withhold(LAW, 30))) as federation:
        await federation.ask(JOINED, BENEFIT, bsn=ONE)
        over = group.over(0)
        over._ledger = federation.ledger
        looked = await over.of(("BSN", ONE), None)
    assert [[str(one) for one in look.data] for look in looked.looks] == [["rvig.personen"]]


async def test_what_was_decided_on_another_request_of_the_same_question_is_not_told(tmp_path: Path) -> None:
    """At an owner that was asked twice in one question: the decisions of the whole question stood at each line."""
    group = Group(tmp_path, 1)
    with closing(group.closing):
        node, trace, seen, other = group.nodes[0], new_trace_id(), new_span_id(), new_span_id()
        await node.log(trace, ANN, parent=seen)
        await node.log(trace, ANN, withheld=True, parent=other)
        await node.ledger.append([_opened(trace, seen, "inkomen-bijstand"), _opened(trace, other, "geheim")])
        over = group.over(0)
        over._grounds = Grounds(
            (dataset(), dataset(name="geheim", title=Text("Geheim", "Secret"))),
            (activity(),),
            (
                disclosure(),
                disclosure(
                    id="geheim",
                    dataset="geheim",
                    articles=(Article("Geheimwet", "1"),),
                    withhold=Withhold(LAW, 30),
                ),
            ),
        )
        (question,) = await over.latest(ANN, 5)
        (look,) = (await over.of(ANN, None)).looks
    assert look.articles == question.first.articles == ("Participatiewet, art. 64",)
    assert [one.nl for one in look.data] == ["Inkomen: bsn, inkomen"]


def _opened(trace: str, parent: str, id: str) -> Decision:
    attributes = {"adl.core.policies": {"disclosure": {"id": id, "version": 1, "digest": "-"}}}
    return Decision(
        trace,
        new_span_id(),
        "adl.access_evaluation",
        MS,
        "Unset",
        parent_span_id=parent,
        attributes=attributes,
    )
