"""Messages of the ZGW Notificaties API over real connections, to an application that takes them, is down, or wants no more.

All organisations are fictitious.
"""

import asyncio
import json
import os
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from tests.federation import Federation
from tests.integration.nodes import build
from tests.integration.pair import ACTIVITY
from tests.integration.test_portal import with_portal
from tests.integration.test_webhooks import Recipient, answer, recipient, until
from tests.unit.events.notificaties.world import ABONNEMENT, KANAAL, MESSAGE, Caller, Node

from sluis.crypto import calling_context
from sluis.events.notificaties import Application
from sluis.events.sending import Connections, Sender, Signer, Webhook
from sluis.events.subscriptions import Subscription
from sluis.grounds import read_directory
from sluis.kernel import NotFound, utc_now
from sluis.web import EVERYWHERE

SCOPES = frozenset({"notificaties.publiceren", "notificaties.consumeren"})


class Sending:
    """A node whose messages leave, and the application that gets them."""

    def __init__(self, node: Node, application: Recipient) -> None:
        self.node, self.application, self.api = node, application, node.caller("zaaksysteem")
        connections = Connections(calling_context, EVERYWHERE)
        self.webhook = Webhook(connections, Signer(node.keys, utc_now), "node.example", utc_now)
        self.gone: list[str] = []
        self.sender = Sender(node.queue, {"own": self.webhook}, self.gone.append, utc_now, lambda: 0.01)
        node.notificaties.listen(self.sender.change)
        self.callback = f"http://127.0.0.1:{application.port}/callbacks"

    async def got(self, count: int) -> list[str]:
        """The objects of the messages that arrived, once there are so many."""
        await until(lambda: len(self.application.got) >= count)
        return self.objects()

    def objects(self) -> list[str]:
        return [json.loads(one.body)["hoofdObject"][-1] for one in self.application.got]

    async def publish(self, place: str) -> None:
        reply = await self.api(
            "POST", "/notificaties", {**MESSAGE, "hoofdObject": f"https://zaken.example/{place}"}
        )
        assert reply.status_code == 200


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Sending]:
    async with recipient() as application:
        callbacks = (f"http://127.0.0.1:{application.port}/",)
        known = Application("zaaksysteem", b"geheim-van-het-zaaksysteem-in-de-proef", SCOPES, callbacks)
        node = Node(tmp_path, {known.id: known}, test=True)
        made = Sending(node, application)

        async def known() -> list[Subscription]:
            return node.notificaties.subscriptions()

        task = asyncio.create_task(made.sender.run(known))
        await made.api("POST", "/kanaal", KANAAL)
        reply = await made.api("POST", "/abonnement", {**ABONNEMENT, "callbackUrl": made.callback})
        assert reply.status_code == 201, reply.text
        yield made
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await made.webhook.close()
        node.store.close()


async def test_a_message_arrives_as_the_standard_says(at: Sending) -> None:
    await at.publish("1")
    await at.got(1)
    (got,) = at.application.got
    assert (got.path, json.loads(got.body)) == (
        "/callbacks",
        {**MESSAGE, "hoofdObject": "https://zaken.example/1"},
    )
    assert got.headers["content-type"] == "application/json"
    assert got.headers["authorization"] == "Bearer abc123"
    assert got.headers["ce-type"] == "nl.zgw.zaken.status.create"


async def test_what_fails_comes_again_and_keeps_its_order_per_object(at: Sending) -> None:
    answers = [answer(500), answer(503)]
    at.application.answers = lambda request: answers.pop() if answers else answer(204)
    for place in ("1", "2"):
        await at.publish(place)
    found = await at.got(4)
    assert sorted(set(found)) == ["1", "2"]


async def test_an_address_that_is_gone_gets_nothing_until_its_abonnement_is_changed(at: Sending) -> None:
    at.application.answers = lambda request: answer(410)
    await at.publish("1")
    await at.got(1)
    await until(lambda: at.gone)
    await at.node.notificaties.suspend(at.gone[0])
    await at.publish("2")
    at.application.answers = lambda request: answer(204)
    (one,) = at.node.notificaties.subscriptions()
    assert one.state == "suspended"
    assert (await at.api("PATCH", f"/abonnement/{one.id}", {})).status_code == 200
    await until(lambda: "2" in at.objects())


async def test_who_ends_an_abonnement_gets_nothing_more(at: Sending) -> None:
    (one,) = at.node.notificaties.subscriptions()
    assert (await at.api("DELETE", f"/abonnement/{one.id}")).status_code == 204
    await at.publish("1")
    await asyncio.sleep(0.2)
    assert at.application.got == []


SETTINGS = """
[notificaties]
activity = "{activity}"

[notificaties.applications.zaaksysteem]
title = "Zaaksysteem (fictief)"
secret_file = "geheim"
scopes = ["notificaties.publiceren", "notificaties.consumeren"]
callbacks = ["http://127.0.0.1:{port}/"]
"""


def with_application(home: Path, port: int, more: str = "") -> Federation:
    """Two node directories; the asker has a portal, and an application that listens on this port."""
    group = with_portal(home)
    (group.asker / "activities").mkdir()
    (group.asker / "activities/zaken.toml").write_text(ACTIVITY)
    (activity,) = (one.id for one in read_directory(group.asker).grounds.activities)
    (group.asker / "geheim").write_text("geheim-van-het-zaaksysteem-in-de-proef")
    with (group.asker / "node.toml").open("a") as file:
        file.write(SETTINGS.format(activity=activity, port=port) + more)
    return group


@pytest.mark.prove
@pytest.mark.postgres
async def test_a_worker_sends_for_a_whole_node_and_the_node_goes_on_when_it_is_gone(
    tmp_path: Path, empty_postgres: str
) -> None:
    async with recipient() as application:
        more = f'\n[store]\nurl = "{empty_postgres}"\n'
        group = with_application(tmp_path, application.port, more)
        known = Application("zaaksysteem", b"geheim-van-het-zaaksysteem-in-de-proef", SCOPES)
        node = build(group.asker)
        await node.start()
        command = ["-m", "sluis", "events", "work", "--node", str(group.asker)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        worker = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdout=asyncio.subprocess.PIPE, env=environment
        )
        assert worker.stdout is not None
        assert b"worker-" in await worker.stdout.readline()
        sender = node.parts.events.sender
        await until(lambda: sender.colleagues() == {"polling": 2})
        context = ssl.create_default_context(cafile=group.authority.path)
        address = f"https://localhost:{node.config.portal.port}"
        async with httpx.AsyncClient(verify=context, base_url=address) as client:
            api = Caller(client, known, utc_now)
            assert (await api("POST", "/kanaal", KANAAL)).status_code == 201
            callback = f"http://127.0.0.1:{application.port}/callbacks"
            wanted = {**ABONNEMENT, "callbackUrl": callback}
            assert (await api("POST", "/abonnement", wanted)).status_code == 201
            for count in (1, 2):
                assert (await api("POST", "/notificaties", MESSAGE)).status_code == 200
                await until(lambda count=count: len(application.got) == count)  # type: ignore[misc]
            await until(lambda: sender.sent_by_all == 2)
            assert sender.sent == 0
            worker.kill()
            assert (await api("POST", "/notificaties", MESSAGE)).status_code == 200
            await until(lambda: sender.sent >= 1, 15)
        await node.stop()
    assert {json.loads(one.body)["hoofdObject"] for one in application.got} == {MESSAGE["hoofdObject"]}


async def test_a_whole_node_carries_messages_between_applications(tmp_path: Path) -> None:
    async with recipient() as application:
        group = with_application(tmp_path, application.port)
        known = Application("zaaksysteem", b"geheim-van-het-zaaksysteem-in-de-proef", SCOPES)
        node = build(group.asker)
        await node.start()
        context = ssl.create_default_context(cafile=group.authority.path)
        address = f"https://localhost:{node.config.portal.port}"
        async with httpx.AsyncClient(verify=context, base_url=address) as client:
            api = Caller(client, known, utc_now)
            unknown = await api("GET", "/kanaal", auth="")
            assert (unknown.status_code, unknown.headers["x-frame-options"]) == (401, "DENY")
            assert (await api("POST", "/kanaal", KANAAL)).status_code == 201
            callback = f"http://127.0.0.1:{application.port}/callbacks"
            assert (
                await api("POST", "/abonnement", {**ABONNEMENT, "callbackUrl": callback})
            ).status_code == 201
            assert (await api("POST", "/notificaties", MESSAGE)).status_code == 200
            await until(lambda: application.got)
        rooms = node.parts.events
        everyone = rooms.everyone
        (one,) = everyone.all()
        assert everyone.named(one.id) == one
        with pytest.raises(NotFound):
            everyone.get(one.owner, one.id)
        await node.stop()
    assert json.loads(application.got[0].body) == MESSAGE
    assert application.got[0].headers["authorization"] == "Bearer abc123"
