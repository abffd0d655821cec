"""Mandates and contact persons in a browser: what is shown, to whom, and what a form does."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Request, Response, get
from tests.browser import Browser, tied
from tests.unit.identity.companies import COMPANY, KVK, NAMES, OTHER_COMPANY, director, function
from tests.unit.identity.people import established
from tests.unit.identity.people_node import Node, act

from sluis.crypto import FileKeyStore
from sluis.identity import pages, people
from sluis.identity.people import Vouched
from sluis.identity.people.model import Allowed
from sluis.identity.people.pages import WRONG_CODES
from sluis.identity.register import RegisteredName
from sluis.identity.sessions import Established, Sessions, SigningIn, open_sessions
from sluis.kernel import Acting
from sluis.web import House, SignedIn, make_portal


class World(Node):
    """A portal with the pages of people, and a way of signing in: as whom the test says."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.sessions: Sessions = open_sessions(self.store, FileKeyStore(folder / "keys"), self.clock)
        self.signing_in = SigningIn(self.sessions, self._choices)
        self.who: Established = established()
        self.said: Vouched | None = None

        @get("/way")
        async def way(
            visitor: SignedIn | None, request: Request[Any, Any, Any], next: str = "/"
        ) -> Response[Any]:
            """A way of signing in that asks nothing."""
            return await self.signing_in.finish(self.who, request, next)

        self.routes = [
            *pages.routes(self.sessions, self.signing_in, lambda: ()),
            *people.page_routes(self.people, lambda signed_in: self.said),
            way,
        ]
        house = House("Fictieve Dienst", True, people.NAVIGATION)
        self.app = make_portal(self.routes, self, house, b"s" * 32)

    def by_cookie(self, secret: str) -> SignedIn | None:
        return self.sessions.by_cookie(secret)

    def by_token(self, token: str) -> SignedIn | None:
        return None

    async def _choices(self, signed_in: SignedIn) -> list[Any]:
        return []

    async def enter(self, value: str, entity: str | None = None, **more: Any) -> tuple[Browser, str]:
        """Somebody who signs in with an identifier, for a company when one is named; and their pseudonym."""
        audience = "company" if entity else "citizen"
        self.who = established(value=value, entity=entity, entity_name="Fictieve Fietsen B.V." if entity else None,
                               audience=audience, **more)  # fmt: skip
        browser = Browser(self.app)
        shown = await browser.get("/way")
        secret = shown.cookies[0].partition("=")[2].partition(";")[0]
        signed_in = self.sessions.by_cookie(secret)
        assert signed_in is not None
        return browser, signed_in.acting.person

    async def director(self, value: str = "d", name: RegisteredName | None = None) -> tuple[Browser, str]:
        """A director of the company, who signed in for it and is recognised."""
        browser, person = await self.enter(value, COMPANY)
        await self.people.recognise(person, name or next(iter(NAMES.values())))
        await self.people.read(KVK)
        return browser, person


GIVEN = {"holder": "", "name": "Onze Fictieve Medewerker", "service.permits": "1", "service.subsidies": "1", "actions": "", "cap": "1.250,50",
         "since": "2026-11-22", "until": "2027-11-21"}  # fmt: skip


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    made.register.put(director(next(iter(NAMES))))
    yield made
    made.store.close()


async def test_a_director_gives_a_mandate_with_a_code_that_a_person_accepts_and_uses(world: World) -> None:
    boss, _ = await world.director()
    form = (await boss.get("/mandates/new")).form("/mandates/new")
    shown = await boss.send(form, **GIVEN)
    assert shown.status == 200
    code = shown.text.partition("<code>")[2].partition("</code>")[0]
    clerk, person = await world.enter("c")
    invitation = (await clerk.get("/mandates/invitation")).form("/mandates/invitation")
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}", code)
    done = await clerk.send(
        invitation, code=f" {code.lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')} "
    )
    assert (done.status, done.headers["location"]) == (303, "/mandates")
    acting = Acting(person, COMPANY)
    assert isinstance(world.people.decide(acting, act(amount=125_050)), Allowed)
    assert not isinstance(world.people.decide(acting, act(amount=125_051)), Allowed)
    held = await clerk.get("/mandates")
    assert "Fictieve Fietsen B.V." in held.text
    assert "90000010" in held.text
    assert "geldt nu" in held.text
    assert "€ 1.250,50" in held.text
    assert code not in (await boss.get("/mandates")).text


async def test_a_wrong_code_is_told_where_it_was_filled_in(world: World) -> None:
    clerk, _ = await world.enter("c")
    form = (await clerk.get("/mandates/invitation")).form("/mandates/invitation")
    shown = await clerk.send(form, code="0000-0000-0000-0000-0000")
    assert (shown.status, tied(shown.text)) == (422, "code")
    assert "Deze code klopt niet" in shown.text


async def test_who_fills_in_wrong_codes_waits_from_whatever_address_and_can_go_on_later(world: World) -> None:
    boss, _ = await world.director()
    given = await boss.send((await boss.get("/mandates/new")).form("/mandates/new"), **GIVEN)
    code = given.text.partition("<code>")[2].partition("</code>")[0]
    clerk, _ = await world.enter("c")
    form = (await clerk.get("/mandates/invitation")).form("/mandates/invitation")
    for turn in range(WRONG_CODES):
        clerk.address = f"192.0.2.{turn + 1}"
        assert (await clerk.send(form, code="0000-0000")).status == 422
    shown = await clerk.send(form, code=code)
    assert shown.status == 429
    assert "Wacht 5 minuten" in shown.text
    other, _ = await world.enter("o")
    taken = (await other.get("/mandates/invitation")).form("/mandates/invitation")
    assert (await other.send(taken, code=code)).status == 303


async def test_who_tries_numbers_of_companies_waits_and_keeps_nobody_else_waiting(world: World) -> None:
    clerk, _ = await world.enter("c")
    form, asked = (await clerk.get("/companies")).form("/companies"), world.register.asked
    for turn in range(20):
        clerk.address = f"192.0.2.{turn + 1}"
        assert (await clerk.send(form, kvk=f"900001{turn:02}")).status == 404
    assert (await clerk.send(form, kvk="90000199")).status == 429
    assert world.register.asked == asked + 20
    other, _ = await world.enter("o")
    other.address = clerk.address
    again = (await other.get("/companies")).form("/companies")
    assert (await other.send(again, kvk="90000199")).status == 404


async def test_who_may_give_no_mandate_hears_so_before_filling_in_a_form(world: World) -> None:
    browser, _ = await world.enter("c", COMPANY)
    assert (await browser.get("/mandates/new")).status == 403
    listed = await browser.get("/mandates")
    assert "een bestuurder die in het handelsregister staat" in listed.text
    assert "/mandates/new" not in listed.text


async def test_a_mandate_is_revoked_with_a_button_and_its_page_tells_all_that_happened(world: World) -> None:
    boss, _ = await world.director()
    await boss.send((await boss.get("/mandates/new")).form("/mandates/new"), **GIVEN)
    listed = await boss.get("/mandates")
    number = listed.form("/mandates/revoke").fields["mandate"]
    await boss.send(listed.form("/mandates/revoke"))
    shown = await boss.get(f"/mandates/{number}")
    assert "ingetrokken" in shown.text
    assert shown.text.index("Gegeven") < shown.text.index("Ingetrokken")
    assert "/mandates/revoke" not in shown.text


async def test_who_holds_a_mandate_gives_it_back(world: World) -> None:
    boss, _ = await world.director()
    shown = await boss.send((await boss.get("/mandates/new")).form("/mandates/new"), **GIVEN)
    code = shown.text.partition("<code>")[2].partition("</code>")[0]
    clerk, person = await world.enter("c")
    await clerk.send((await clerk.get("/mandates/invitation")).form("/mandates/invitation"), code=code)
    listed = await clerk.get("/mandates")
    await clerk.send(listed.form("/mandates/revoke"))
    assert not isinstance(world.people.decide(Acting(person, COMPANY), act()), Allowed)


@pytest.mark.parametrize(
    ("wrong", "told", "field"),
    [
        ({"service.anders": "1"}, "Het kent deze: permits, subsidies", "services"),
        ({"cap": "veel"}, "Schrijf het bedrag als", "cap"),
        ({"cap": "12,5"}, "Schrijf het bedrag als", "cap"),
        ({"since": "morgen"}, "Een datum ontbreekt, of klopt niet", "since"),
        ({"since": "2026-W48-1"}, "Een datum ontbreekt, of klopt niet", "since"),
        ({"until": ""}, "Een datum ontbreekt, of klopt niet", "until"),
        ({"until": "9999-12-31"}, "langer dan vijf jaar", "until"),
        ({"until": "2026-11-21", "since": "2026-11-22"}, "eindigt voor zij begint", "until"),
        ({"holder": "1234"}, "acht cijfers", "holder"),
        ({"holder": "90000010"}, "zijn dezelfde", "holder"),
    ],
)
async def test_what_was_filled_in_wrong_is_told_at_its_field_and_stays_filled_in(
    world: World, wrong: dict[str, str], told: str, field: str
) -> None:
    boss, _ = await world.director()
    form = (await boss.get("/mandates/new")).form("/mandates/new")
    shown = await boss.send(form, **{**GIVEN, **wrong})
    assert shown.status == 422
    assert told in shown.text
    assert "Onze Fictieve Medewerker" in shown.text
    assert tied(shown.text) == field


async def test_two_directors_sign_one_mandate(world: World) -> None:
    anne, bram, *_ = NAMES
    world.register.put(
        director(anne, "gb"), director(bram, "gb"), function("overigeFunctionaris", bram, "03")
    )
    one, _ = await world.director("one", NAMES[anne])
    other, _ = await world.director("other", NAMES[bram])
    shown = await one.send((await one.get("/mandates/new")).form("/mandates/new"), **GIVEN)
    assert "gezamenlijk bevoegd" in shown.text
    refused = await one.send((await one.get("/mandates")).form("/mandates/sign"))
    assert refused.status == 403
    assert "andere bestuurder" in refused.text
    await other.send((await other.get("/mandates")).form("/mandates/sign"))
    assert "aangeboden" in (await one.get("/mandates")).text


async def test_nobody_reads_a_mandate_between_others(world: World) -> None:
    boss, _ = await world.director()
    await boss.send((await boss.get("/mandates/new")).form("/mandates/new"), **GIVEN)
    number = (await boss.get("/mandates")).form("/mandates/revoke").fields["mandate"]
    stranger, _ = await world.enter("x")
    assert (await stranger.get(f"/mandates/{number}")).status == 404
    employee, _ = await world.enter("y", COMPANY)
    assert (await employee.get(f"/mandates/{number}")).status == 403
    listed = await employee.get("/mandates")
    assert number not in listed.text
    assert "/mandates/new" not in listed.text


async def test_giving_asks_to_be_sure_who_it_is_and_taking_back_does_not(world: World) -> None:
    low = {"level": "low", "acr": "http://eidas.europa.eu/LoA/low"}
    boss, person = await world.enter("d", COMPANY, **low)
    await world.people.recognise(person, next(iter(NAMES.values())))
    shown = await boss.get("/mandates/new")
    assert (shown.status, shown.headers["location"].partition("?")[0]) == (303, "/sign-in")
    assert (await boss.get("/mandates")).status == 200


async def test_officials_have_other_pages(world: World) -> None:
    world.who = established(audience="staff", kind="staff", level=None)
    official = Browser(world.app)
    await official.get("/way")
    assert (await official.get("/mandates")).status == 403


async def test_a_director_finds_their_company_and_nobody_else_does(world: World) -> None:
    browser, person = await world.enter("d")
    await world.people.recognise(person, next(iter(NAMES.values())))
    found = await browser.send((await browser.get("/companies")).form("/companies"), kvk="9000 0010")
    assert (found.status, found.headers["location"]) == (303, "/choose")
    stranger, _ = await world.enter("x")
    assert (
        await stranger.send((await stranger.get("/companies")).form("/companies"), kvk="90000010")
    ).status == 404


async def test_a_company_keeps_contact_persons_also_by_who_signed_in_for_it(world: World) -> None:
    await world.people.read(KVK)
    browser, _ = await world.enter("e", COMPANY)
    assert (await browser.get("/contacts")).status == 403
    world.said = Vouched(COMPANY)
    form = (await browser.get("/contacts")).form("/contacts")
    filled = {
        "name": "Fictieve Kees",
        "roles": "facturen\nvergunningen",
        "email": "kees@bedrijf.example",
        "phone": "",
    }
    wrong = await browser.send(form, **filled, preferred="phone")
    assert (wrong.status, tied(wrong.text)) == (422, "preferred")
    assert "Fictieve Kees" in wrong.text
    await browser.send(form, **filled, preferred="email")
    shown = await browser.get("/contacts")
    assert "facturen, vergunningen" in shown.text
    await browser.send(shown.form("/contacts/remove"))
    assert "Fictieve Kees" not in (await browser.get("/contacts")).text
    world.said = Vouched(OTHER_COMPANY)
    assert (await browser.get("/contacts")).status == 403


@pytest.mark.parametrize("path", ["/mandates", "/mandates/new", "/mandates/invitation", "/companies"])
async def test_every_page_speaks_both_languages_and_shows_no_pseudonym(world: World, path: str) -> None:
    boss, person = await world.director()
    await boss.send((await boss.get("/mandates/new")).form("/mandates/new"), **GIVEN)
    dutch = (await boss.get(path)).text
    boss.language = "en"
    english = (await boss.get(path)).text
    assert dutch != english
    assert '<html lang="en">' in english
    assert person not in dutch + english
