"""An application is a subject of the policies: an own policy closes a channel to it, and what was decided is on record."""

from pathlib import Path
from typing import Any

import pytest
from tests.unit.events.notificaties.world import ABONNEMENT, APPLICATIONS, KANAAL, Node

from sluis.events.notificaties import Notificaties
from sluis.events.notificaties.model import Notificatie
from sluis.kernel import Refused

HOW_TO = Path(__file__).parents[4] / "docs/how-to/notificaties.md"
OPENZAAK, FORMS = APPLICATIONS["openzaak"], APPLICATIONS["formulieren"]
MESSAGE = Notificatie(
    "zaken", "https://zaken.example/1", "zaak", "https://zaken.example/1", "create", "2026-11-22T10:00:00Z"
)
WANTED = {
    "callbackUrl": "https://formulieren.example/api/x",
    "auth": "Bearer x",
    "kanalen": [{"naam": "zaken"}],
}


@pytest.fixture
async def node(tmp_path: Path) -> Any:
    made = Node(tmp_path)
    await made.notificaties.create_kanaal(OPENZAAK, KANAAL)
    yield made
    made.store.close()


def ruled(node: Node, text: str) -> Notificaties:
    """The same API after the operator changed the policies."""
    node.point = node.ruled(own=text)
    return node.opened()


def closed() -> str:
    """The policy of the how-to: nothing of the channel reaches the forms."""
    return HOW_TO.read_text(encoding="utf-8").partition("```cedar\n")[2].partition("```")[0]


async def test_without_an_own_policy_the_scopes_are_enough(node: Node) -> None:
    await node.notificaties.create(FORMS, WANTED)
    assert await node.notificaties.publish(OPENZAAK, MESSAGE) == 1


async def test_an_own_policy_closes_a_channel_to_an_application(node: Node) -> None:
    api = ruled(node, closed())
    with pytest.raises(Refused) as refused:
        await api.create(FORMS, WANTED)
    assert (refused.value.rule, refused.value.code) == (
        "formulieren-horen-niet-van-zaken",
        "permission_denied",
    )
    assert "cases" in refused.value.why.en
    await api.create(OPENZAAK, ABONNEMENT)
    assert len(api.subscriptions()) == 1


async def test_a_policy_that_came_later_stops_what_goes_to_an_abonnement_that_was_there(node: Node) -> None:
    await node.notificaties.create(FORMS, WANTED)
    await node.notificaties.create(OPENZAAK, {**ABONNEMENT, "kanalen": [{"naam": "zaken"}]})
    assert await node.notificaties.publish(OPENZAAK, MESSAGE) == 2
    assert await ruled(node, closed()).publish(OPENZAAK, MESSAGE) == 1


async def test_who_may_not_publish_publishes_nothing_and_both_are_on_record(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, kept = ruled(node, '@id("dicht") forbid (principal, action == Action::"publish-notifications", resource == kanaal::"zaken");'), list[Any]()  # fmt: skip
    append = node.ledger.append
    monkeypatch.setattr(
        node.ledger, "append", lambda records, along=None: (kept.extend(records), append(records, along))[1]
    )
    with pytest.raises(Refused):
        await api.publish(OPENZAAK, MESSAGE)
    assert [type(one).__name__ for one in kept] == ["Decision"]
    kept.clear()
    await ruled(node, "").publish(OPENZAAK, MESSAGE)
    assert [type(one).__name__ for one in kept] == ["Decision", "Processing"]
    assert kept[0].trace_id == kept[1].trace_id
