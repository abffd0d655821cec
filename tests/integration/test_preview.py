"""What an owner's official sees in a preview is what the recipient gets, over the whole way between two nodes of a group."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.integration.nodes import ASKER
from tests.integration.pair import ANN, BOB, DISCLOSURE, Pair

from sluis.config import load_node
from sluis.disclose import Looking
from sluis.kernel import Refused, Trace
from sluis.policy import Action, Evaluation, Occasion, Resource, Subject
from sluis.serve import build_node
from sluis.serve.owning import GroupContracts

MASKED = 'masks = { naam = "left(naam, 1)" }\nrows = "bsn <> \'999990020\'"\nrows_because = { nl = "Niet nodig.", en = "Not needed." }\n'


def previews(directory: Path, *people: str) -> list[Any]:
    """What the recipient would see of these people, as the owner sees it: rows, or the rule that refuses them."""
    node = build_node(load_node(directory, environ={}))
    parts = node.parts

    async def each() -> list[Any]:
        found: list[Any] = []
        assert parts.operator is not None
        assert parts.membership is not None
        contracts = GroupContracts(parts.operator, parts.membership, parts.events.clock)
        for person in people:
            trace, now = Trace.begin(), parts.events.clock()
            asked = Evaluation(Subject("person", "p"), Action("preview-data"), Resource("data", "personen"))
            record = parts.point.record(
                asked, parts.point.decide(asked, now), Occasion(trace, now, began=True)
            )
            looking = Looking(trace, "urn:test:bijstand", (record,), "Proefblik")
            purposes = tuple(contracts.purposes(ASKER))
            try:
                shown = await parts.discloser.preview("personen-bijstand", person, looking, purposes)
            except Refused as refusal:
                found.append(refusal.rule)
            else:
                found.append([row["naam"] for row in shown.rows])
        await node.stop()
        return found

    return asyncio.run(each())


@pytest.mark.parametrize("more", ["", MASKED])
def test_a_preview_is_what_the_recipient_gets_from_node_to_node(tmp_path: Path, more: str) -> None:
    pair = Pair(tmp_path)
    (pair.owner / "disclosures" / "personen.toml").write_text(DISCLOSURE + more)
    assert previews(pair.owner, ANN) == ["contract-missing"]
    pair.start()
    try:
        got = [[name for (name,) in pair.ask(person)[1]["rows"]] for person in (ANN, BOB)]
    finally:
        pair.end()
    assert got == ([["A"], []] if more else [["Ann"], ["Bob"]])
    assert previews(pair.owner, ANN, BOB) == got
