"""Notify and the message box in particular: what each answer means, and a message that left although the answer says it did not."""

import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.answering import answering, bytes_of
from tests.contract.contact.kinds import NotifyFar, parcel, served
from tests.contract.contact.notify_service import KEY, NotifyService
from tests.unit.contact.world import World, scenario

from sluis.contact.channels import (
    Box,
    BoxSettings,
    Failed,
    MailSettings,
    Notify,
    NotifySettings,
    Waiting,
    callback,
)
from sluis.kernel import Invalid

PLAIN = ssl.create_default_context()


@pytest.fixture
async def far() -> AsyncIterator[NotifyFar]:
    service = NotifyService()
    async with served(service) as (server, url):
        made = NotifyFar(service, server, url, "sms")
        yield made
        await made.channel.close()


@pytest.mark.parametrize(
    ("says", "trouble", "how", "after"),
    [
        ((429, "RateLimitError", "Exceeded rate limit"), "service-busy", "later", 120),
        ((400, "BadRequestError", "Template not found"), "service-refused", "later", 0),
        ((400, "BadRequestError", "Can't send to this recipient using a team-only API key"), "service-refused", "later", 0),
        ((400, "ValidationError", "phone_number Not enough digits"), "no-such-address", "never", 0),
        ((500, "Exception", "Internal server error"), "service-failed", "doubtful", 0),
    ],
)  # fmt: skip
async def test_what_an_answer_of_notify_means(
    far: NotifyFar, says: Any, trouble: str, how: str, after: int
) -> None:
    far.service.says = [says]
    with pytest.raises(Failed) as failed:
        await far.channel.send(far.parcel)
    assert (failed.value.trouble, failed.value.how, failed.value.after) == (trouble, how, after)


async def test_another_key_is_ours_to_mend(far: NotifyFar) -> None:
    async with served(far.service) as (_, url):
        channel = Notify(NotifySettings(url, KEY[:-1] + "f", "sms", "t", True), PLAIN)
        with pytest.raises(Failed) as failed:
            await channel.send(far.parcel)
        await channel.close()
    assert (failed.value.trouble, failed.value.how) == ("service-sign-in", "later")


@pytest.mark.parametrize("key", ["", "geen sleutel", KEY[:-1], KEY + "0", KEY.rpartition("-")[2]])
def test_nothing_is_signed_with_what_is_no_key(key: str) -> None:
    with pytest.raises(Invalid) as refused:
        Notify(NotifySettings("https://notify.example", key, "sms", "t"), PLAIN)
    assert refused.value.code == "notify-key"
    assert not key or key not in str(refused.value)


async def test_a_message_that_left_although_the_answer_says_no_is_sent_once(
    far: NotifyFar, tmp_path: Path
) -> None:
    world = World(tmp_path, {"sms": far.channel}, scenario("sms"))
    await world.reachable_by("sms", "+31612345678")
    far.service.loses = 1
    await world.happens()
    await world.settle()
    assert await world.states() == [("sms", "claimed")]
    await world.later(60)
    assert await world.states() == [("sms", "sent")]
    assert len(far.service.taken) == 1
    far.service.taken[0]["status"] = "delivered"
    await world.hear()
    assert (await world.entry()).state == "reached"
    world.store.close()


async def test_a_text_message_is_the_short_text_and_mail_the_long(far: NotifyFar) -> None:
    await far.channel.send(far.parcel)
    assert far.service.taken[0]["personalisation"]["body"] == "Er is een besluit."
    async with served(far.service) as (server, url):
        mail = NotifyFar(far.service, server, url, "email").channel
        await mail.send(parcel("anna@voorbeeld.nl"))
        await mail.close()
    assert far.service.taken[1]["personalisation"] == {
        "subject": "Er is een besluit",
        "body": "Uw aanvraag is afgewezen.\n",
    }


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"reference": null, "status": "delivered"}', b'{"reference": "x", "status": "sending"}',
                                  b'{"reference": "x", "status": "' + b"y" * 5_000 + b'"}'])  # fmt: skip
def test_a_callback_that_says_nothing_final_says_nothing(body: bytes) -> None:
    assert callback(body) is None


def test_a_callback_says_what_became_of_it_and_not_of_whom() -> None:
    body = {"id": "1", "reference": "0" * 34, "to": "+31612345678", "status": "permanent-failure"}
    report = callback(json.dumps(body).encode())
    assert report is not None
    assert (report.state, report.trouble) == ("bounced", "no-such-address")
    assert "+31612345678" not in str(report)


# Whatever answers


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{", b"HTTP/1.1 201 Created\r\n\r\n<html>",
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\n\r\n", b'HTTP/1.1 400 Bad\r\n\r\n{"errors": "x"}',
        b'HTTP/1.1 400 Bad\r\n\r\n{"errors": [1, {"message": 7}]}', b"HTTP/1.1 404 Not Found\r\n\r\n[]",
        b'HTTP/1.1 200 OK\r\n\r\n{"status": ' + b"[" * 9_000, b'HTTP/1.1 400 Bad\r\n\r\n{"errors": ' + b"[" * 9_000,
    ],
)  # fmt: skip
async def test_no_answer_of_a_service_breaks_a_channel(raw: bytes) -> None:
    async with answering(None, bytes_of(raw)) as url:
        for channel in (
            Notify(NotifySettings(url, KEY, "sms", "t", True, 2.0), PLAIN),
            Box(BoxSettings(url, "geheim", True, 2.0), PLAIN),
        ):
            for work in (
                channel.send(parcel("+31612345678")),
                channel.find(Waiting("0" * 34, "")),
                channel.reports([Waiting("0" * 34, "x")]),
            ):
                try:
                    await work
                except Failed as failed:
                    assert failed.trouble  # noqa: PT017
            await channel.close()


def test_settings_do_not_show_their_secrets() -> None:
    shown = [
        repr(NotifySettings("https://notify.example", "geheim", "sms", "t")),
        repr(BoxSettings("https://box.example", "geheim")),
        repr(MailSettings("smtp.example", 587, "tls", "a@dienst.example", user="u", password="geheim")),
    ]
    assert not any("geheim" in one for one in shown)
