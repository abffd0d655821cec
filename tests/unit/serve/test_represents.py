"""Who acts for another is held to that at every request: by the door of the portal, by the sign-in provider, and by policies."""

from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar import Request, Response, get
from tests.browser import Browser
from tests.unit.identity.companies import COMPANY, INTERMEDIARY, KVK, NAMES, director
from tests.unit.identity.people import established
from tests.unit.identity.people_node import Node
from tests.unit.serve.test_deciding import Kept

from sluis.crypto import FileKeyStore
from sluis.identity import pages, people
from sluis.identity.people.guardians import Appointment
from sluis.identity.people.model import Mandate
from sluis.identity.register import person_urn
from sluis.identity.sessions import Sessions, SigningIn, open_sessions, person_of
from sluis.kernel import Acting, Refused, Text
from sluis.policy import LOG, STANDARD, DecisionPoint, Policies, Resource
from sluis.serve.identity import Visiting
from sluis.serve.people import Representing
from sluis.web import COOKIE, Gate, House, SignedIn, make_portal, page

BROKE = "<bijzondereRechtstoestand><soort><code>FAIL</code></soort></bijzondereRechtstoestand>"
OWN = """
@id("only-clerks-with-permits")
permit (principal is person, action == Action::"look", resource is log)
when {
  principal has standing && principal.standing == "active"
  && principal.kinds.contains("mandate") && principal.services.contains("permits")
};
"""
NOT_YOURS = Refused("not-yours", *[Text(word, word) for word in ("Nee.", "Zonder machtiging.", "Vraag het.")])


class World(Node):
    """A portal with a page of some service, on which somebody acts for a company."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        keys = FileKeyStore(folder / "keys")
        self.sessions: Sessions = open_sessions(self.store, keys, self.clock)
        self.representing = Representing(self.sessions, self.people, keys)
        self.refused = list[str]()
        self.kept = Kept()
        gate = Gate(DecisionPoint(Policies({**STANDARD, "own.cedar": OWN}), "own", self.kept, self.clock))

        @get("/service")
        async def service(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
            """What is there for whoever acts."""
            return page(request, "identity/first.html")

        @get("/looked")
        async def looked(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
            """What an own policy is about."""
            await gate.require(person, "look", Resource(LOG, "l"), NOT_YOURS)
            return page(request, "identity/first.html")

        signing_in = SigningIn(self.sessions, self.representing.choices)
        routes = [
            service,
            looked,
            *pages.routes(self.sessions, signing_in, lambda: ()),
            *people.page_routes(self.people, self.representing.vouched),
        ]
        self.app = make_portal(
            routes, self._visiting({}), House("-", True), b"s" * 32,
            on_refusal=self._refusal, representing=self.representing.represents,
        )  # fmt: skip

    async def clerk(self, holder: str = "c", **terms: Any) -> tuple[Browser, Mandate]:
        """Somebody with a mandate of the company, for which they chose to act; and the mandate."""
        self.boss = boss = (await self._begin("boss"))[1].acting.person
        await self.people.recognise(boss, next(iter(NAMES.values())))
        await self.people.read(KVK)
        secret, signed_in = await self._begin(holder)
        mandate = await self.given(person_urn(signed_in.acting.person), boss, **terms)
        secret, _ = await self.sessions.act_for(signed_in.session, COMPANY, "Fictieve Fietsen B.V.")
        browser = Browser(self.app)
        browser.cookies[COOKIE] = secret
        return browser, mandate

    async def revoke(self, mandate: Mandate) -> None:
        await self.people.mandates.revoke(Acting(self.boss, COMPANY), mandate.id)

    async def for_company(self, **changed: Any) -> Browser:
        """Somebody whose way of signing in says that they act for a company."""
        who = {"audience": "company", "entity": COMPANY, "entity_name": "Fictieve Fietsen B.V.", **changed}
        browser = Browser(self.app)
        browser.cookies[COOKIE], _ = await self._begin("e", **who)
        return browser

    def token(self, browser: Browser) -> SignedIn | None:
        """Who the API takes an access token of this session for."""
        signed_in = self.sessions.by_cookie(browser.cookies[COOKIE])
        assert signed_in is not None
        return self._visiting({"token": signed_in}).by_token("token")

    def _visiting(self, tokens: dict[str, SignedIn]) -> Visiting:
        return Visiting(self.sessions, lambda token, thumbprint: tokens.get(token), self.representing)

    async def _begin(self, value: str, **changed: Any) -> tuple[str, SignedIn]:
        return await self.sessions.begin(established(value=value, **changed))

    async def _refusal(self, refusal: Refused) -> None:
        self.refused.append(refusal.rule or "")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    made.register.put(director(next(iter(NAMES))))
    yield made
    made.store.close()


async def test_a_session_whose_mandate_is_revoked_is_refused_at_the_next_request_with_the_reason(
    world: World,
) -> None:
    clerk, mandate = await world.clerk()
    assert (await clerk.get("/service")).status == 200
    await world.revoke(mandate)
    shown = await clerk.get("/service")
    assert shown.status == 403
    assert "Deze machtiging is ingetrokken." in shown.text
    assert 'href="/choose"' in shown.text
    assert world.refused == ["mandate-revoked"]


async def test_a_session_for_a_company_that_goes_bankrupt_is_refused_once_the_register_says_so(
    world: World,
) -> None:
    clerk, _ = await world.clerk()
    world.register.put(director(next(iter(NAMES))), about=BROKE)
    assert (await clerk.get("/service")).status == 200  # the answer that is there is young enough
    world.later(hours=25)
    browser = await world.for_company()
    shown = await browser.get("/service")
    assert (shown.status, "Het bedrijf is failliet" in shown.text) == (403, True)
    assert world.refused == ["company-bankrupt"]


async def test_what_is_too_old_is_read_again_before_anybody_is_refused(world: World) -> None:
    browser = await world.for_company()
    assert (await browser.get("/service")).status == 200
    world.later(hours=25)
    browser = await world.for_company()
    assert (await browser.get("/service")).status == 200
    world.register.away = True
    world.clock.later(hours=25)
    browser = await world.for_company()
    assert (await browser.get("/service")).status == 403


async def test_who_may_act_no_more_chooses_anew_sees_their_mandates_and_signs_out(world: World) -> None:
    clerk, mandate = await world.clerk()
    await world.revoke(mandate)
    for path in ("/sign-in", "/choose", "/sessions", "/mandates", f"/mandates/{mandate.id}", "/"):
        shown = await clerk.get(path)
        assert shown.status == 200, path
        assert "Deze machtiging is ingetrokken." in shown.text, path
    form = (await clerk.get("/choose")).form("/choose")
    await clerk.send(form, choice="self")
    shown = await clerk.get("/service")
    assert (shown.status, "ingetrokken" in shown.text) == (200, False)


async def test_a_company_without_a_number_in_the_register_is_held_to_the_way_of_signing_in(
    world: World,
) -> None:
    said = await world.for_company(entity="urn:nl:rsin:123456789")  # fictitious: no eleven-test
    assert (await said.get("/service")).status == 200
    other = await world.for_company(entity="urn:nl:rsin:123456789", intermediary=INTERMEDIARY)
    assert (await other.get("/service")).status == 403


async def test_who_acts_for_themselves_is_held_to_nothing(world: World) -> None:
    browser = Browser(world.app)
    browser.cookies[COOKIE], signed_in = await world._begin("x")
    assert (await browser.get("/service")).status == 200
    assert world.token(browser) is signed_in


async def test_an_own_policy_looks_at_how_somebody_represents(world: World) -> None:
    clerk, _ = await world.clerk()
    other, _ = await world.clerk("d", services=("subsidies",))
    assert (await clerk.get("/looked")).status == 200
    shown = await other.get("/looked")
    assert (shown.status, "Zonder machtiging." in shown.text) == (403, True)
    asked = world.kept.records[0].body["adl.core.request"]["subject"]["properties"]
    assert (asked["standing"], asked["kinds"], asked["services"]) == ("active", ["mandate"], ["permits"])


async def test_a_token_carries_the_same_to_the_policies(world: World) -> None:
    clerk, mandate = await world.clerk()
    known = world.token(clerk)
    assert known is not None
    assert known.represents is not None
    assert (known.represents.properties["kinds"], known.represents.refusal) == (["mandate"], None)
    await world.revoke(mandate)
    told = world.representing.refusal(known.session, known.acting)
    assert told is not None
    assert told.why.en == "This mandate was revoked."


# For a child or ward


class Family(World):
    """A world in which an official wrote down who acts for whom by law."""

    async def guardian(self, ward: str = "999990020", **changed: Any) -> SignedIn:
        """Somebody who acts for a ward, as an official wrote it down."""
        _, signed_in = await self._begin("999990019")
        keys = FileKeyStore(self.folder / "keys")
        child, parent = person_of(keys, "BSN", ward), signed_in.acting.person
        what = {"kind": "parent", "born": date(self.clock().year - 10, 1, 1), "number": ward, **changed}
        await self.people.guardians.appoint(
            "ambtenaar", Appointment(guardian=parent, ward=child, evidence="BRP gelezen", guardian_name="O", ward_name="K", **what)
        )  # fmt: skip
        _, acting = await self.sessions.act_for(signed_in.session, person_urn(child), "K")
        return acting


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    made = Family(tmp_path)
    yield made
    made.store.close()


async def test_a_parent_sees_what_is_about_their_child_and_that_is_on_record(family: Family) -> None:
    acting = await family.guardian()
    assert await family.representing.whose(acting, "read") == ("BSN", "999990020")
    (made,) = family.people.guardians.every()
    actions = [one.action for _, one in family.ledger.log.arrangements(made.id)]
    assert actions == ["guardian.appoint", "guardian.read"]
    assert "999990020" not in repr(made)


async def test_who_acts_for_nobody_sees_what_is_about_themselves(family: Family) -> None:
    _, signed_in = await family._begin("999990019")
    assert await family.representing.whose(signed_in, "edit") == ("BSN", "999990019")


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"born": date(2010, 7, 1)}, "ward-of-sixteen"),
        ({"kind": "administrator", "born": None, "services": ("permits",)}, "other-service"),
        ({"number": ""}, "representation"),
    ],
)
async def test_what_a_guardian_may_not_see_is_refused_with_the_reason(
    family: Family, changed: dict[str, Any], rule: str
) -> None:
    acting = await family.guardian(**changed)
    with pytest.raises(Refused) as caught:
        await family.representing.whose(acting, "read")
    assert caught.value.rule == rule


async def test_the_day_on_which_a_child_is_sixteen_is_theirs(family: Family) -> None:
    day = family.clock().date()
    birth = date(day.year - 16, day.month, day.day)
    assert await family.representing.whose(await family.guardian(born=birth + timedelta(days=1)), "read")
    other = await family.guardian("999990032", born=birth)
    with pytest.raises(Refused):
        await family.representing.whose(other, "read")


async def test_of_whom_the_way_of_signing_in_says_it_is_known_too_and_on_record(family: Family) -> None:
    child = person_of(FileKeyStore(family.folder / "keys"), "BSN", "999990020")
    who = {"entity": person_urn(child), "entity_name": "K", "entity_number": "999990020"}
    _, signed_in = await family._begin("999990019", **who)
    assert await family.representing.whose(signed_in, "read") == ("BSN", "999990020")
    _, again = await family.sessions.act_for(signed_in.session, None, None)
    assert await family.representing.whose(again, "read") == ("BSN", "999990019")
    assert "999990020" not in repr(family.sessions.established(again.session))


async def test_who_acts_for_another_sees_it_everywhere_and_goes_back_to_themselves(family: Family) -> None:
    await family.guardian()
    secret, signed_in = await family._begin("999990019")
    child = family.people.guardians.every()[0].ward
    secret, _ = await family.sessions.act_for(signed_in.session, person_urn(child), "Kind Fictief")
    browser = Browser(family.app)
    browser.cookies[COOKIE] = secret
    shown = await browser.get("/sessions")
    assert "Kind Fictief" in shown.text
    await browser.send(shown.form("/choose/myself"))
    after = family.sessions.by_cookie(browser.cookies[COOKIE])
    assert after is not None
    assert after.acting.entity is None
    assert "/choose/myself" not in (await browser.get("/sessions")).text
