"""The pages: what somebody was told and how it came, and where they say how they want to hear."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Request, Response, get
from sqlalchemy import text
from tests.browser import Browser, tied
from tests.unit.contact.world import BSN, Fake, World, scenario
from tests.unit.identity.people import established

from sluis.contact import NAVIGATION, Party, Preference, Telling, consulted_scenario, own_party, routes
from sluis.contact import pages as contact_pages
from sluis.contact.channels import Failed
from sluis.contact.proving import CODE_SECONDS
from sluis.contact.recording import CHANGES_AN_HOUR
from sluis.crypto import FileKeyStore
from sluis.identity import pages
from sluis.identity.sessions import SigningIn, open_sessions
from sluis.kernel import Refused
from sluis.web import House, SignedIn, make_portal


class Pages(World):
    """A portal with these pages, and a way of signing in that asks nothing."""

    @property
    def telling(self) -> Telling:
        async def ready() -> None:
            pass

        return Telling(consulted_scenario("a", ["box"]), False, frozenset(), ready, {}.get, {}.get)

    def __init__(self, folder: Path) -> None:
        channels = {
            "box": Fake("box", "again", "delivered"),
            "mail": Fake("email"),
            "sms": Fake("sms", "ask", "delivered"),
        }
        super().__init__(folder, channels, scenario(*channels))
        self.sessions = open_sessions(self.store, FileKeyStore(folder / "keys"), self.clock)
        signing_in = SigningIn(self.sessions, self._choices)
        self.who = established(value=BSN, at=int(self.clock.now.timestamp()))

        @get("/way")
        async def way(visitor: SignedIn | None, request: Request[Any, Any, Any]) -> Response[Any]:
            """Sign in."""
            return await signing_in.finish(self.who, request, "/")

        handlers = [
            *pages.routes(self.sessions, signing_in, lambda: ()),
            *routes(self.contact, {"sms": "het geheim van notify"}, self.number),
            way,
        ]
        self.app = make_portal(
            handlers, self, House("Dienst Voorbeeld (fictief)", True, NAVIGATION), b"s" * 32
        )

    async def number(self, person: SignedIn, action: str) -> tuple[str, str]:
        return "BSN", self.who.value

    def by_cookie(self, secret: str) -> SignedIn | None:
        return self.sessions.by_cookie(secret)

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        return None

    async def _choices(self, signed_in: SignedIn) -> list[Any]:
        return []

    async def enter(self, language: str = "nl", **who: Any) -> Browser:
        self.who = msgspec.structs.replace(self.who, **who)
        browser = Browser(self.app, language=language)
        await browser.get("/way")
        return browser

    def fake(self, name: str) -> Fake:
        found: Any = self.channels[name]
        return found  # type: ignore[no-any-return]


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Pages]:
    made = Pages(tmp_path)
    yield made
    made.store.close()


async def test_a_person_sees_what_they_were_told_and_how_it_came(node: Pages) -> None:
    node.fake("box").says = [Failed("no-box", "never")]
    await node.reachable_by("email", "anna@voorbeeld.nl")
    await node.happens()
    await node.settle()
    for language, words in (
        ("nl", ["Besluit over uw aanvraag", "aangekomen", "Zaak Z-1", "Berichtenbox: niet aangenomen", "E-mail: verstuurd",
                "U hebt geen berichtenbox", "Uitkomst: afgewezen"]),
        ("en", ["Decision on your application", "arrived", "Case Z-1", "Message box: not taken", "E-mail: sent"]),
    ):  # fmt: skip
        shown = await (await node.enter(language)).get("/messages")
        assert shown.status == 200
        assert [word for word in words if word not in shown.text] == []


async def test_the_same_as_json(node: Pages) -> None:
    await node.happens()
    await node.settle()
    (entry,) = (await (await node.enter()).get("/messages/overview")).json
    assert (entry["title"]["en"], entry["state"], entry["case"]) == (
        "Decision on your application",
        "open",
        "Z-1",
    )
    assert [(one["kind"], one["state"]) for one in entry["steps"]] == [("box", "sent")]


async def test_nobody_sees_the_messages_of_another(node: Pages) -> None:
    await node.happens()
    await node.settle()
    browser = await node.enter(value="999990020")
    assert (await browser.get("/messages/overview")).json == []


async def test_who_signed_in_too_weakly_sees_nothing(node: Pages) -> None:
    await node.happens()
    await node.settle()
    browser = await node.enter(level="low")
    shown = await browser.get("/messages")
    assert shown.status != 200
    assert "Besluit" not in shown.text


async def test_what_stands_in_an_event_does_no_harm_on_a_page(node: Pages) -> None:
    await node.happens(facts={"uitkomst": "<script>alert(1)</script>", "kenmerk": "<b>"})
    await node.settle()
    shown = await (await node.enter()).get("/messages")
    assert "<script>alert" not in shown.text
    assert "<b>" not in shown.text


async def test_an_address_is_proven_with_the_code_that_went_there(node: Pages) -> None:
    browser = await node.enter()
    shown = await browser.get("/messages/reach")
    shown = await browser.send(shown.form("/messages/address", kind="email"), value="anna@voorbeeld.nl")
    match = re.search(r"\d{6}", node.fake("mail").got[0].text)
    assert match is not None
    wrong = "000000" if match[0] != "000000" else "111111"
    form = shown.form("/messages/address/code", kind="email")
    shown = await browser.send(form, code=wrong)
    assert (shown.status, "Deze code klopt niet." in shown.text) == (400, True)
    assert tied(shown.text) == "code-email"
    shown = await browser.send(shown.form("/messages/address/code", kind="email"), code=match[0], follow=True)
    assert "anna@voorbeeld.nl" in shown.text
    shown = await browser.send(shown.form("/messages/address/remove", kind="email"), follow=True)
    assert "anna@voorbeeld.nl" not in shown.text


async def test_a_code_can_be_filled_in_on_the_page_after_one_was_away(node: Pages) -> None:
    """Who reads their mail on the same telephone comes back to a page that was let go of."""
    browser = await node.enter("en")
    form = (await browser.get("/messages/reach")).form("/messages/address", kind="email")
    await browser.send(form, value="anna@voorbeeld.nl")
    shown = await browser.get("/messages/reach")
    assert "to anna@voorbeeld.nl" in shown.text
    assert shown.form("/messages/address/code", kind="email")
    assert shown.form("/messages/address", kind="email")
    node.clock.later(CODE_SECONDS)
    shown = await browser.get("/messages/reach")
    assert "anna@voorbeeld.nl" not in shown.text


async def test_a_message_in_another_language_than_its_page_says_so(node: Pages) -> None:
    """WCAG 2.2, 3.1.2."""
    await node.happens()
    await node.settle()
    shown = await (await node.enter("en")).get("/messages")
    assert '<p lang="nl">Uitkomst: afgewezen</p>' in shown.text


async def test_what_is_no_address_is_told_on_the_page(node: Pages) -> None:
    browser = await node.enter("en")
    form = (await browser.get("/messages/reach")).form("/messages/address", kind="sms")
    shown = await browser.send(form, value="112")
    assert (shown.status, "This is no mobile number." in shown.text) == (400, True)
    assert tied(shown.text) == "value-sms"


async def test_a_preference_is_kept_in_general_and_about_a_case(node: Pages) -> None:
    browser = await node.enter()
    form = (await browser.get("/messages/reach")).form("/messages/preference")
    await browser.send(form, first="sms", second="email", language="en", twice="no", case="")
    shown = await browser.send(form, first="email", language="nl", twice="yes", case="Z-1", follow=True)
    assert "Z-1" in shown.text
    known = await node.contact.known(node.party)
    general, of_case = known.preference(""), known.preference("Z-1")
    assert general is not None
    assert (general.kinds, general.language, general.twice) == (("sms", "email"), "en", False)
    assert of_case is not None
    assert of_case.kinds == ("email",)
    shown = await browser.send(shown.form("/messages/preference/remove", case="Z-1"), follow=True)
    assert "Z-1" not in shown.text


async def test_the_same_choice_twice_is_told(node: Pages) -> None:
    browser = await node.enter()
    form = (await browser.get("/messages/reach")).form("/messages/preference")
    shown = await browser.send(form, first="sms", second="sms")
    assert (shown.status, tied(shown.text)) == (400, "first")


# Reports of a service


async def reported(
    node: Pages, body: Any, secret: str = "het geheim van notify", channel: str = "sms"
) -> int:
    program = Browser(node.app)
    headers = {"authorization": f"Bearer {secret}", "content-type": "application/json", "accept": "*/*"}
    shown = await program.request("POST", f"/messages/reports/{channel}", headers, json.dumps(body).encode())
    return shown.status


async def test_a_service_reports_what_became_of_a_message(node: Pages) -> None:
    node.fake("box").says = [Failed("no-box", "never")]
    await node.reachable_by("sms", "+31612345678")
    await node.happens()
    await node.settle()
    body = {
        "id": "x",
        "reference": node.fake("sms").got[0].reference,
        "to": "+31612345678",
        "status": "delivered",
    }
    assert await reported(node, body) == 204
    assert await node.states() == [("box", "refused"), ("sms", "delivered")]


@pytest.mark.parametrize(
    ("secret", "channel"), [("iets anders", "sms"), ("", "sms"), ("é", "sms"), ("", "mail"), ("None", "mail")]
)
async def test_who_is_not_the_service_reports_nothing(node: Pages, secret: str, channel: str) -> None:
    assert await reported(node, {"reference": "0" * 34, "status": "delivered"}, secret, channel) == 401


@pytest.mark.parametrize(
    "body", [[], {}, {"reference": 1, "status": "delivered"}, {"reference": "x", "status": "delivered"}, "x"]
)
async def test_a_report_that_says_nothing_does_no_harm(node: Pages, body: Any) -> None:
    assert await reported(node, body) == 204


def records(node: Pages) -> int:
    with node.store.read() as connection:
        found = connection.execute(text("SELECT count(*) FROM ledger_records"))
        return int(found.scalar_one())


async def test_what_changes_nothing_leaves_no_record(node: Pages) -> None:
    party, contact = node.party, node.contact
    wish = Preference(("email",), "nl")
    await contact.prefer(party, wish)
    before = records(node)
    await contact.prefer(party, wish)
    await contact.prefer_all(party, [wish])
    await contact.forget_preference(party, "Z-1")
    await contact.proving.forget(party, "email")
    assert records(node) == before == 1


async def test_who_changes_on_and_on_has_to_wait_and_nobody_else(node: Pages) -> None:
    async def change(party: Party, number: int) -> None:
        await node.contact.prefer(party, Preference(language="nl" if number % 2 else "en"))

    for number in range(CHANGES_AN_HOUR):
        await change(node.party, number)
    with pytest.raises(Refused) as refused:
        await change(node.party, CHANGES_AN_HOUR)
    assert refused.value.code == "changes-pace"
    await change(own_party("iemand anders"), 0)
    node.clock.later(3600)
    await change(node.party, CHANGES_AN_HOUR)


async def test_a_long_history_says_that_there_is_more(node: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_pages, "SHOWN", 1)
    await node.happens()
    browser = await node.enter()
    at = int(node.clock.now.timestamp())
    assert f'href="/messages?until={at}"' in (await browser.get("/messages")).text
    earlier = (await browser.get(f"/messages?until={at}")).text
    assert "Eerder was er geen bericht" in earlier
    assert "Besluit over uw aanvraag" not in earlier


async def test_a_person_chooses_whether_they_hear_that_they_were_consulted(node: Pages) -> None:
    browser = await node.enter()
    shown = await browser.get("/messages/reach")
    assert "Bericht als iemand gegevens over u opvraagt" in shown.text
    done = await browser.send(shown.form("/messages/consulted"), how="each")
    assert (done.status, done.headers["location"]) == (303, "/messages/reach?kept=1")
    assert await node.contact.told_of_consultations(node.party) == "each"
    kept = await browser.get(done.headers["location"])
    assert "Uw keuze is bewaard" in kept.text
    wrong = await browser.send(kept.form("/messages/consulted"), how="vaak")
    assert (wrong.status, "Deze keuze is er niet." in wrong.text) == (400, True)
