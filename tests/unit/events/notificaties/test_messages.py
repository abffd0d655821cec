"""Messages: who gets one, as what, and that it is kept before the publisher hears so."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator
from tests.unit.events.notificaties.test_api import channel, subscription
from tests.unit.events.notificaties.world import CONSUMER, MESSAGE, OWN, Caller, Node

from sluis.events.cloudevent import check_profile
from sluis.events.notificaties.model import Abonnement, FilterGroup, Notificatie
from sluis.events.notificaties.rules import event_of, wants
from sluis.events.queue import Delivery, Wanted
from sluis.events.sending.messages import Messages
from sluis.events.subscriptions import Subscription
from sluis.kernel import Text, Unkept
from sluis.ledger import Search


def waiting(node: Node) -> dict[str, list[Delivery]]:
    ids = [one.id for one in node.notificaties.subscriptions()]
    found = node.queue.fetch({id: Wanted(after=0) for id in ids}, 100)
    return {id: list(found[id].ahead) for id in ids}


async def test_a_message_goes_unchanged_to_who_wants_it(api: Caller, node: Node) -> None:
    await channel(api)
    await subscription(api)
    answer = await api("POST", "/notificaties", MESSAGE)
    assert (answer.status_code, answer.json()) == (200, MESSAGE)
    ((delivery,),) = waiting(node).values()
    headers, body = Messages().of("binary", [delivery])
    assert json.loads(body) == MESSAGE
    assert dict(headers)["content-type"] == "application/json"
    assert dict(headers)["ce-type"] == "nl.zgw.zaken.status.create"
    if CONSUMER is not None and CONSUMER.exists():
        document = yaml.load(CONSUMER.read_text(), yaml.CSafeLoader)
        schema = {"$ref": "#/components/schemas/Notificatie", "components": document["components"]}
        Draft202012Validator(schema).validate(json.loads(body))


async def test_what_the_standard_does_not_know_is_not_passed_on(api: Caller, node: Node) -> None:
    await channel(api)
    await subscription(api)
    await api("POST", "/notificaties", {**MESSAGE, "naam": "Jansen"})
    ((delivery,),) = waiting(node).values()
    assert b"Jansen" not in (delivery.event.data or b"")


async def test_messages_about_one_object_keep_their_order_and_others_do_not_wait(
    api: Caller, node: Node
) -> None:
    await channel(api)
    await subscription(api)
    for place in ("1", "1", "2"):
        await api("POST", "/notificaties", {**MESSAGE, "hoofdObject": f"https://zaken.example/zaken/{place}"})
    ((first, second, other),) = waiting(node).values()
    assert first.stream == second.stream != other.stream
    assert "zaken" not in first.stream


GROUPS: list[tuple[dict[str, str], dict[str, str], bool]] = [
    ({}, {}, True),
    ({}, {"a": "1"}, True),
    ({"a": "1"}, {"a": "1"}, True),
    ({"a": "1"}, {"a": "2"}, False),
    ({"a": "1"}, {"a": "1", "b": "2"}, True),
    ({"a": "1", "b": "2"}, {"a": "1", "b": "3"}, False),
    ({"a": "1"}, {}, False),
    ({"a": "*"}, {"a": "wat dan ook"}, True),
    ({"a": "*"}, {}, True),
    ({"a": "1*"}, {"a": "12"}, False),
    ({"a": "A"}, {"a": "a"}, False),
]


@pytest.mark.parametrize(("filters", "features", "goes"), GROUPS)
def test_filters_are_values_or_a_star(filters: dict[str, str], features: dict[str, str], goes: bool) -> None:
    one = Abonnement("1", "a", "https://a.example", "x", (FilterGroup("zaken", filters),), 0)
    assert wants(one, Notificatie(**{**MESSAGE, "kenmerken": features})) is goes  # type: ignore[arg-type]


def test_one_group_that_fits_is_enough_and_another_channel_never_is() -> None:
    groups = (FilterGroup("besluiten"), FilterGroup("zaken", {"a": "1"}), FilterGroup("zaken", {"a": "2"}))
    one = Abonnement("1", "a", "https://a.example", "x", groups, 0)
    message: dict[str, Any] = {**MESSAGE, "kenmerken": {"a": "2"}}
    assert wants(one, Notificatie(**message))
    assert not wants(one, Notificatie(**{**message, "kanaal": "documenten"}))


async def test_who_wants_nothing_of_it_gets_nothing(api: Caller, node: Node) -> None:
    await channel(api)
    await subscription(api, kanalen=[{"naam": "zaken", "filters": {"bronorganisatie": "111111111"}}])
    await api("POST", "/notificaties", MESSAGE)
    assert list(waiting(node).values()) == [[]]


async def test_a_message_goes_once_to_each_abonnement(api: Caller, node: Node) -> None:
    await channel(api)
    await subscription(api, kanalen=[{"naam": "zaken"}, {"naam": "zaken", "filters": {"zaaktype": "*"}}])
    await subscription(api)
    await api("POST", "/notificaties", MESSAGE)
    assert [len(one) for one in waiting(node).values()] == [1, 1]


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"kanaal": "onbekend"}, ("kanaal", "message_kanaal")),
        ({"kanaal": ""}, ("kanaal", "blank")),
        ({"hoofdObject": "geen"}, ("hoofdObject", "invalid")),
        ({"hoofdObject": "https://a.example/\u00e9"}, ("hoofdObject", "invalid")),
        ({"resourceUrl": None}, ("resourceUrl", "null")),
        ({"resource": "a" * 101}, ("resource", "max_length")),
        ({"actie": ["create"]}, ("actie", "invalid")),
        ({"aanmaakdatum": "vandaag"}, ("aanmaakdatum", "invalid")),
        ({"aanmaakdatum": "2026-02-30T10:00:00Z"}, ("aanmaakdatum", "invalid")),
        ({"kenmerken": {"vreemd": "x"}}, ("kenmerken", "kenmerken_inconsistent")),
        ({"kenmerken": {"zaaktype": ""}}, ("kenmerken", "max_length")),
        ({"kenmerken": {"zaaktype": None}}, ("kenmerken", "max_length")),
        ({"kenmerken": []}, ("kenmerken", "not_a_dict")),
    ],
)
async def test_a_message_that_is_not_right_goes_to_nobody(
    api: Caller, node: Node, changed: dict[str, Any], wrong: tuple[str, str]
) -> None:
    await channel(api)
    await subscription(api)
    answer = await api("POST", "/notificaties", {**MESSAGE, **changed})
    assert answer.status_code == 400
    assert [(one["name"], one["code"]) for one in answer.json()["invalidParams"]] == [wrong]
    assert list(waiting(node).values()) == [[]]


async def test_a_message_is_in_the_log_with_its_activity_and_without_what_it_says(
    api: Caller, node: Node
) -> None:
    await channel(api)
    await subscription(api)
    await api("POST", "/notificaties", MESSAGE)
    ((delivery,),) = waiting(node).values()
    (line,) = await node.ledger.processing_of(Search(activity="zaakgericht-werken"), withheld=False)
    assert line.trace_id == delivery.trace_id
    assert line.attributes["sluis.notification"] == {"channel": "zaken", "publisher": "openzaak", "told": 1}
    assert "https://" not in str(line)


async def test_when_nothing_can_be_kept_nothing_is_said_to_be_published(
    api: Caller, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    await channel(api)
    await subscription(api)

    def broken(connection: object, additions: object) -> None:
        raise Unkept("disk-full", *[Text("Vol.", "Full.")] * 3)

    monkeypatch.setattr(node.queue, "add", broken)
    answer = await api("POST", "/notificaties", MESSAGE)
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert await node.ledger.processing_of(Search(activity="zaakgericht-werken"), withheld=False) == []


async def test_all_of_it_is_there_after_a_start(api: Caller, node: Node) -> None:
    await channel(api)
    await subscription(api)
    again = node.opened()
    assert again.kanalen() == node.notificaties.kanalen()
    assert again.subscriptions() == node.notificaties.subscriptions()
    assert again.subscriptions()[0].headers == {"authorization": "Bearer abc123"}


@pytest.mark.parametrize("callbacks", [None, ("https://elders.example/",), ()])
async def test_an_application_or_address_that_is_no_more_gets_nothing_more(
    api: Caller, node: Node, callbacks: tuple[str, ...] | None
) -> None:
    await channel(api)
    await subscription(api)
    known = node.applications["openzaak"]
    changed = msgspec.structs.replace(known, callbacks=callbacks or ())
    node.applications = {} if callbacks is None else {known.id: changed}
    again = node.opened()
    assert [one.state for one in again.subscriptions()] == ["suspended"], "what waits for it is kept"
    assert await again.publish(known, Notificatie(**MESSAGE)) == 0  # type: ignore[arg-type]


async def test_an_address_that_wants_nothing_more_is_left_until_it_is_changed(
    api: Caller, node: Node
) -> None:
    told = list[Subscription]()

    async def hear(one: Subscription) -> None:
        told.append(one)

    node.notificaties.listen(hear)
    await channel(api)
    place = await subscription(api)
    await node.notificaties.suspend(told[0].id)
    await node.notificaties.suspend("van een ander")
    await api("PATCH", place, {})
    await api("DELETE", place)
    assert [one.state for one in told] == ["active", "suspended", "active", "ended"]
    assert {one.mode for one in told} == {"own"}
    assert told[0].config.content == "binary"


@pytest.mark.parametrize(
    ("kanaal", "resource", "actie", "type"),
    [
        ("zaken", "status", "create", "nl.zgw.zaken.status.create"),
        (
            "Zaken & Meer",
            "zaakInformatieObject",
            "partial_update",
            "nl.zgw.zaken-meer.zaakinformatieobject.partial-update",
        ),
        ("é", "!", "v1", "nl.zgw.x.x.v1"),
    ],
)
def test_a_message_is_an_event_of_the_profile(kanaal: str, resource: str, actie: str, type: str) -> None:
    message = Notificatie(**{**MESSAGE, "kanaal": kanaal, "resource": resource, "actie": actie})  # type: ignore[arg-type]
    event = event_of(
        message, "4d9c0ffe-0000-4000-8000-000000000000", OWN, "openzaak", datetime(2026, 11, 22, tzinfo=UTC)
    )
    assert event.type == type
    assert event.extensions["dataref"] == MESSAGE["resourceUrl"]
    assert check_profile(event) == []
