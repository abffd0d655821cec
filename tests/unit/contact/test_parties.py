"""Messages to companies, and to people for whom another acts: seen and arranged by who represents them, and by nobody else."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser import Browser
from tests.unit.contact.test_api import Node as Api
from tests.unit.contact.test_pages import Pages
from tests.unit.contact.world import BSN, OTHER, Fake, Whom, World, scenario

from sluis.contact import MESSAGES, Failed, PostalAddress, Preference
from sluis.contact.channels.base import box_of
from sluis.crypto import FileKeyStore
from sluis.identity.people import Vouched, open_people
from sluis.identity.people.guardians import Appointment
from sluis.identity.register import person_urn
from sluis.identity.sessions import person_of
from sluis.kernel import Acting, Refused, Text
from sluis.ledger import SUBJECT_TYPE, Arrangement, Search
from sluis.serve.people import Representing
from sluis.web import SignedIn

KVK = "90000003"  # of nobody
COMPANY = f"urn:nl:kvk:{KVK}"
ABOUT = {"about": Whom("urn:nl:kvk", KVK)}
PERMITS = "https://register.voorbeeld.nl/vergunningen"


class Acted(Pages):
    """Pages that know who represents whom, as a node does."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        keys = FileKeyStore(folder / "keys")
        self.people = open_people(self.store, self.ledger, keys, self.clock)
        self.recorded: list[Any] = []
        append = self.ledger.append

        def appended(records: Any, along: Any = None) -> Any:
            self.recorded += records
            return append(records, along)

        self.ledger.append = appended  # type: ignore[method-assign]
        self.contact.represented_by(Representing(self.sessions, self.people, keys).may)

    async def for_company(self, **more: Any) -> Browser:
        """Somebody whom eHerkenning says to act for the company."""
        who = {
            "audience": "company", "kind": "pseudonym", "value": "broker|1", "entity": COMPANY,
            "entity_name": "Fictieve Fietsen B.V.", **more,
        }  # fmt: skip
        return await self.enter(**who)

    async def for_ward(self, *services: str) -> Browser:
        """The administrator of the affairs of the person of the messages, for these services."""
        keys = FileKeyStore(self.folder / "keys")
        guardian = person_of(keys, "BSN", OTHER)
        what = Appointment(
            "administrator", guardian, self.person, "C/10/1", services,
            guardian_name="B. Windvoerder (fictief)", ward_name="A. Nder (fictief)",
        )  # fmt: skip
        await self.people.guardians.appoint("ambtenaar", what)
        chosen = {"entity": person_urn(self.person), "entity_name": "A. Nder (fictief)", "said": Vouched()}
        return await self.enter(value=OTHER, **chosen)

    def on_record(self) -> set[tuple[str, str, str]]:
        """Action, who did it, and about whom, of what this room arranged."""
        found = [
            one for one in self.recorded if isinstance(one, Arrangement) and one.action.startswith("contact.")
        ]
        return {(one.action, one.actor, one.about) for one in found}


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Acted]:
    made = Acted(tmp_path)
    yield made
    made.store.close()


async def test_what_happened_to_a_company_reaches_its_box_by_its_own_number(node: Acted) -> None:
    await node.happens(**ABOUT)
    await node.settle()
    (parcel,) = node.fake("box").got
    assert parcel.to == (COMPANY,)
    assert box_of("BSN", BSN) == BSN


@pytest.mark.parametrize(
    "about",
    [
        Whom("urn:nl:kvk", "9000000"),
        Whom("urn:nl:kvk", "9000000a"),
        Whom("urn:nl:oin", "90000003"),
        Whom("KVK", KVK),
    ],
)
async def test_what_is_no_number_of_a_company_reaches_nobody(node: Acted, about: Whom) -> None:
    await node.happens(about=about)
    await node.settle()
    assert node.fake("box").got == []


async def test_who_acts_for_a_company_sees_its_messages_and_the_page_says_for_whom(node: Acted) -> None:
    await node.happens(**ABOUT)
    await node.happens(id="2")  # about a person
    await node.settle()
    shown = await (await node.for_company()).get("/messages")
    assert shown.status == 200
    assert "<h1>Berichten aan <bdi>Fictieve Fietsen B.V.</bdi></h1>" in shown.text
    assert "<title>Berichten –" in shown.text
    assert shown.text.count("Besluit over uw aanvraag") == 1
    own = await (await node.enter(value=BSN, audience="citizen", kind="BSN", entity=None, entity_name=None)).get("/messages")  # fmt: skip
    assert "Berichten aan mij" in own.text
    assert own.text.count("Besluit over uw aanvraag") == 1


async def test_who_acts_for_another_company_sees_nothing_of_it(node: Acted) -> None:
    await node.happens(**ABOUT)
    await node.settle()
    browser = await node.for_company(entity="urn:nl:kvk:90000010")
    assert (await browser.get("/messages/overview")).json == []


async def test_a_sign_in_for_another_service_shows_nothing(node: Acted) -> None:
    browser = await node.for_company(services=("urn:iets:anders",))
    for page in ("/messages", "/messages/reach", "/messages/overview"):
        assert (await browser.get(page)).status == 403


async def test_an_address_and_a_preference_of_a_company_are_its_own_and_the_log_says_who_made_them(
    node: Acted,
) -> None:
    browser = await node.for_company()
    shown = await browser.get("/messages/reach")
    assert "Dit geldt voor <strong>Fictieve Fietsen B.V.</strong>" in shown.text
    shown = await browser.send(shown.form("/messages/address", kind="email"), value="post@fietsen.example")
    code = node.fake("mail").got[0].text.split("is ")[1][:6]
    await browser.send(shown.form("/messages/address/code", kind="email"), code=code)
    form = (await browser.get("/messages/reach")).form("/messages/preference")
    await browser.send(form, first="email", language="en", twice="yes")
    await node.happens(**ABOUT)
    await node.settle()
    (_, parcel) = node.fake("mail").got
    assert (parcel.to, parcel.text) == (("post@fietsen.example",), "Outcome: afgewezen")
    by = person_of(FileKeyStore(node.folder / "keys"), "pseudonym", "broker|1")
    assert node.on_record() == {("contact.address", by, COMPANY), ("contact.preference", by, COMPANY)}
    assert (await node.contact.known(node.party)).addresses == ()


async def test_each_try_for_a_company_is_a_line_about_the_company(node: Acted) -> None:
    await node.happens(**ABOUT)
    await node.settle()
    (line,) = await node.ledger.processing_of(_search(node, "urn:nl:kvk", KVK), withheld=False)
    assert line.attributes[SUBJECT_TYPE] == "urn:nl:kvk"


async def test_a_company_gets_its_letter_at_its_registered_address(tmp_path: Path) -> None:
    channels = {"box": Fake("box", "again", "delivered"), "post": Fake("letter")}
    channels["box"].says = [Failed("no-box", "never")]
    world = World(tmp_path, channels, scenario(*channels))
    world.homes.at[KVK] = PostalAddress(("Fictieve Fietsen B.V.", "Nergensweg 3", "1234 AB Nergenshuizen"))
    await world.happens(**ABOUT)
    await world.settle()
    assert channels["post"].got[0].to[0] == "Fictieve Fietsen B.V."
    world.store.close()


# For a person


async def test_a_guardian_sees_the_messages_of_what_they_administer_and_no_other(node: Acted) -> None:
    browser = await node.for_ward("https://register.voorbeeld.nl/besluiten")
    await node.happens()
    await node.settle()
    shown = await browser.get("/messages")
    assert "<h1>Berichten aan <bdi>A. Nder (fictief)</bdi></h1>" in shown.text
    assert "Nder" not in shown.text.partition("</title>")[0]  # a title stays in the history of a browser
    assert "U ziet alleen de berichten waarvoor u gemachtigd bent." in shown.text
    assert "Uitkomst: afgewezen" in shown.text
    assert (await browser.get("/messages/reach")).status == 403
    guardian = person_of(FileKeyStore(node.folder / "keys"), "BSN", OTHER)
    assert node.on_record() == {("contact.read", guardian, person_urn(node.person))}


async def test_a_guardian_for_something_else_sees_nothing(node: Acted) -> None:
    await node.happens()
    await node.settle()
    shown = await (await node.for_ward(PERMITS)).get("/messages")
    assert (shown.status, "Uitkomst" in shown.text) == (403, False)


async def test_a_guardian_for_messages_arranges_how_they_come(node: Acted) -> None:
    browser = await node.for_ward(MESSAGES)
    form = (await browser.get("/messages/reach")).form("/messages/preference")
    await browser.send(form, first="sms", language="nl", twice="yes")
    known = (await node.contact.known(node.party)).preference("")
    assert known is not None
    assert known.kinds == ("sms",)


async def test_a_guardian_whose_task_ended_sees_nothing(node: Acted) -> None:
    browser = await node.for_ward(MESSAGES)
    (one,) = node.people.guardians.every()
    await node.people.guardians.end("ambtenaar", one.id)
    assert (await browser.get("/messages")).status == 403


# Over the API


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    made = Api(tmp_path)
    await made.happens(**ABOUT)
    await made.settle()
    yield made
    made.store.close()


async def _may(who: SignedIn, service: str, action: str) -> Refused | None:
    says = Text("-", "-")
    return None if who.acting.person == "directeur" else Refused("not", says, says, says)


async def test_a_program_of_a_company_reads_and_arranges_its_messages(api: Api) -> None:
    api.contact.represented_by(_may)
    company = {"acting": Acting("directeur", COMPANY), "audience": "company", "scope": ("messages",)}
    assert len((await api.read(**company)).json) == 1
    wanted = {"general": {"kinds": ["box"]}, "cases": [{"case": "Z-1", "wanted": {"language": "en"}}]}
    reply = await api.call("PUT", "/v1/messages/preferences", wanted, {"authorization": "Bearer t"})
    assert (reply.status, reply.json) == (200, wanted)
    reply = await api.call("PUT", "/v1/messages/preferences", {"general": {}}, {"authorization": "Bearer t"})
    assert reply.json == {"general": {}, "cases": []}
    reply = await api.call("GET", "/v1/messages/preferences", None, {"authorization": "Bearer t"})
    assert reply.json == {"general": {}, "cases": []}


async def test_who_may_not_act_for_it_reads_nothing(api: Api) -> None:
    other = {"acting": Acting("iemand", COMPANY), "audience": "company", "scope": ("messages",)}
    assert (await api.read(**other)).status == 403  # nobody said yet who represents whom
    api.contact.represented_by(_may)
    assert (await api.read(**other)).status == 403


async def test_a_token_to_read_with_changes_nothing(api: Api) -> None:
    await api.read()
    reply = await api.call("PUT", "/v1/messages/preferences", {"general": {}}, {"authorization": "Bearer t"})
    assert reply.status == 403


async def test_a_preference_about_a_case_leaves_the_rest_as_in_general(api: Api) -> None:
    await api.contact.prefer_all(
        api.party, [Preference(("box",), "en", False), Preference((), "nl", None, "Z-1")]
    )
    found = await api.contact.known(api.party)
    assert {one.case: one.twice for one in found.preferences} == {"": False, "Z-1": None}


def _search(node: Acted, kind: str, value: str) -> Search:
    return Search(subjects=node.ledger.subjects(kind, value))
