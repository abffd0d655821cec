"""Deliveries in a browser: for who looks after them, without anything of what an event says; trying again and giving up only after
the page asked, once, and on record."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.browser import Browser
from tests.kept import Kept
from tests.unit.events.test_subscriptions import ANN, SINK, Calls

from sluis.crypto import FileKeyStore
from sluis.events.cloudevent import CloudEvent
from sluis.events.pages import NAVIGATION, Post, page_routes, shown_sink, stretch_in
from sluis.events.queue import DEAD, DELIVERED, WAITING, Outcome, Outgoing, Place, open_queue
from sluis.events.subscriptions import Here, Subscription, SubscriptionRequest, open_subscriptions
from sluis.kernel import Acting, Invalid, utc_now
from sluis.ledger import open_ledger
from sluis.policy import STANDARD, DecisionPoint, Policies
from sluis.store import Store, open_store
from sluis.web import COOKIE, Gate, House, SignedIn, make_portal

EVIL = "<script>alert(1)</script>"


class Desk:
    """A portal with these pages over a queue."""

    def __init__(self, store: Store, folder: Path) -> None:
        keys, self.kept, self.store = FileKeyStore(folder / "keys"), Kept(), store
        ledger = open_ledger(store, keys, "test.example/log", utc_now)
        here = Here("node.example", "https://node.example/v1/events/permissions")
        self.subscriptions = open_subscriptions(store, keys, ledger, Calls(), here, utc_now)
        self.queue = open_queue(store, keys, utc_now)
        self.written: list[Any] = []
        told: Any = self
        post = Post(self.queue, self.subscriptions, told, lambda peer: f"Afnemer {EVIL}", ANN, utc_now)
        gate = Gate(DecisionPoint(Policies(STANDARD), "own", self.kept, utc_now))
        self.app = make_portal(
            page_routes(post, gate), self, House("Dienst (fictief)", True, NAVIGATION), b"s" * 32
        )

    async def append(self, records: list[Any]) -> None:
        self.written += records

    async def subscribed(self, *outcomes: tuple[int, str]) -> Subscription:
        """A subscription whose events came to these ends."""
        asked = msgspec.convert({"sink": SINK, "protocol": "HTTP", "types": ["nl.x.y"]}, SubscriptionRequest)
        one = await self.subscriptions.create(ANN, asked, "test")
        additions = [
            (CloudEvent(f"zaak-{n}", "urn:x", "nl.x.y", data=b'{"naam":"geheim"}', datacontenttype="application/json"),
             [Outgoing(one.id, "s", "burger 7", "notice", "1" * 32)])
            for n, _ in enumerate(outcomes, 1)
        ]  # fmt: skip
        await self.store.write(lambda connection: self.queue.add(connection, additions))
        noted = [Outcome(one.id, n, state, why) for n, (state, why) in enumerate(outcomes, 1)]  # type: ignore[arg-type]
        await self.queue.note(noted, {one.id: Place(len(outcomes))})
        return one

    def browser(self, *roles: str, audience: str = "staff", language: str = "nl") -> Browser:
        browser = Browser(self.app, language=language)
        browser.cookies[COOKIE] = "|".join((audience, *roles))
        return browser

    def by_cookie(self, secret: str) -> SignedIn | None:
        audience, *roles = secret.split("|")
        return SignedIn(
            f"s{secret}", Acting("p-7"), audience, "high", "acr", "way", 0, "Henk", roles=tuple(roles)
        )  # type: ignore[arg-type]

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        return None


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with closing(open_store(tmp_path / "node.db")) as store:
        yield Desk(store, tmp_path)


async def test_deliveries_are_for_who_looks_after_them(desk: Desk) -> None:
    one = await desk.subscribed((DEAD, "gone"))
    pages = ("/deliveries", f"/deliveries/{one.id}", f"/deliveries/{one.id}/replay?first=1&last=1")
    for role, allowed in (("event-admin", 3), ("privacy-officer", 2), ("fsc-admin", 0), ("lezer", 0)):
        found = [(await desk.browser(role).get(path)).status for path in pages]
        assert found == [200] * allowed + [403] * (3 - allowed), role
    assert (await desk.browser("event-admin", audience="citizen").get("/deliveries")).status == 403


async def test_who_may_change_nothing_does_not_learn_what_there_is(desk: Desk) -> None:
    one = await desk.subscribed((DEAD, "gone"))
    places = (f"{one.id}/replay", "weg/replay", f"{one.id}/anders", "weg/anders")
    officer, admin = desk.browser("privacy-officer"), desk.browser("event-admin")
    asked = await admin.get(f"/deliveries/{one.id}/replay?first=1&last=1")
    assert asked.status == 200
    token = desk.app._token(desk.by_cookie(officer.cookies[COOKIE]), None)
    for place, found in zip(places, (200, 404, 404, 404), strict=True):
        assert (await officer.get(f"/deliveries/{place}?first=1&last=1")).status == 403, place
        assert (await admin.get(f"/deliveries/{place}?first=1&last=1")).status == found, place
        for stretch in ({"first": "1", "last": "1"}, {"first": "x"}):
            fields = {**stretch, "csrf": token}
            assert (await officer.post(f"/deliveries/{place}", fields)).status == 403, place
    assert desk.written == []


async def test_what_did_not_arrive_is_told_with_why_and_nothing_of_what_it_says(desk: Desk) -> None:
    one = await desk.subscribed((DELIVERED, ""), (DEAD, "gone"), (DEAD, "wrong-format"))
    for language in ("nl", "en"):
        browser = desk.browser("event-admin", language=language)
        listed, shown = await browser.get("/deliveries"), await browser.get(f"/deliveries/{one.id}")
        assert "410" in shown.text
        assert "415" in shown.text
        assert "nl.x.y" in shown.text
        for text in (listed.text, shown.text):
            assert "geheim" not in text
            assert "burger 7" not in text
            assert "zaak-" not in text
            assert "<script>alert" not in text
    dutch = await desk.browser("event-admin").get("/deliveries?part=trouble")
    assert "1 abonnement vraagt aandacht" in dutch.text
    assert f"/deliveries/{one.id}" in dutch.text
    assert (
        (await desk.browser("event-admin").get("/deliveries?as=csv"))
        .headers["content-type"]
        .startswith("text/csv")
    )
    assert (await desk.browser("event-admin").get("/deliveries/weg")).status == 404


@pytest.mark.parametrize("act", ["replay", "give-up"])
async def test_dead_letters_are_tried_again_or_given_up_after_the_page_asked_once_and_on_record(
    desk: Desk, act: str
) -> None:
    one = await desk.subscribed((DEAD, "gone"), (DELIVERED, ""), (DEAD, "gone"), (DEAD, "gone"))
    browser, where = desk.browser("event-admin"), f"/deliveries/{one.id}/{act}"
    asked = await browser.get(f"{where}?first=1&last=3")
    assert "2 bezorgingen" in asked.text
    assert desk.queue.standing()[one.id].dead == 3
    form = asked.form(where)
    assert (await desk.browser("privacy-officer").send(form)).status == 403
    watched = (await desk.browser("privacy-officer").get(f"/deliveries/{one.id}")).text
    assert "Probeer opnieuw" not in watched
    assert "Probeer opnieuw" in (await browser.get(f"/deliveries/{one.id}")).text
    assert (await browser.post(where, {"first": "1", "last": "3"})).status == 403  # without the form's token
    assert desk.written == []
    done = await browser.send(form)
    assert done.headers["location"] == f"/deliveries/{one.id}?done={act}&count=2"
    standing = desk.queue.standing()[one.id]
    assert (standing.dead, standing.waiting) == (1, 2 if act == "replay" else 0)
    again = await browser.send(form)
    assert again.headers["location"].endswith("count=0")
    [record] = desk.written
    assert (record.action, record.actor, record.body) == (f"deliveries.{act}", "p-7", {"first": 1, "last": 3})
    assert desk.kept.records[-1].body["adl.core.request"]["resource"]["properties"]["first"] == 1
    assert (await browser.get(done.headers["location"])).status == 200
    assert (await browser.get(f"{where}?first=1&last=1")).status == 303  # there is none any more


async def test_what_is_no_stretch_changes_nothing(desk: Desk) -> None:
    one = await desk.subscribed((DEAD, "gone"))
    browser, where = desk.browser("event-admin"), f"/deliveries/{one.id}/give-up"
    form = (await browser.get(f"{where}?first=1&last=1")).form(where)
    for first, last in (("2", "1"), ("", "1"), ("x", "y"), ("-1", "1"), ("0", "1"), ("1", "9" * 40)):
        assert (await browser.send(form, first=first, last=last)).status == 400, (first, last)
    assert (await browser.get(f"/deliveries/{one.id}/eat?first=1&last=1")).status == 404
    assert desk.queue.standing()[one.id].dead == 1
    with pytest.raises(Invalid):
        stretch_in({"first": "١", "last": "2"})


async def test_it_is_told_how_it_goes_with_a_subscription(desk: Desk) -> None:
    one = await desk.subscribed((DELIVERED, ""), (DELIVERED, ""))
    more = [(CloudEvent("z", "urn:x", "nl.x.y"), [Outgoing(one.id, "s", None, "notice", "1" * 32)])]
    await desk.store.write(lambda connection: desk.queue.add(connection, more))
    course = desk.queue.course([one.id, "weg"])
    assert (course[one.id].minute, course[one.id].failing) == (2, 0)
    assert (course["weg"].last, course["weg"].minute) == (0, 0)
    await desk.queue.note([Outcome(one.id, 3, WAITING, "too-slow", 5)], {one.id: Place(2)})
    course = desk.queue.course([one.id])
    assert (course[one.id].trouble, course[one.id].attempts, course[one.id].due) == ("too-slow", 1, 5)
    shown = await desk.browser("event-admin").get(f"/deliveries/{one.id}")
    assert "Bezorgen mislukt" in shown.text
    assert "antwoordde niet op tijd" in shown.text


def test_an_address_is_shown_without_what_opens_a_door() -> None:
    assert shown_sink("https://piet:geheim@x.example/pad?token=geheim") == "https://x.example/pad"
    assert shown_sink("fsc:sluis/v1/inbox") == "fsc:sluis/v1/inbox"
