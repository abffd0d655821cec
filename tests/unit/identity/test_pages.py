"""Signing in and out as people meet it: ways, choosing for whom, sessions; with a way of signing in that a test makes."""

import re
from collections.abc import AsyncIterator, Sequence
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from litestar import Request, Response, get
from tests.browser import Browser
from tests.clocks import Clock
from tests.unit.identity.people import established

from sluis.crypto import FileKeyStore
from sluis.identity import pages
from sluis.identity.people import Choice
from sluis.identity.sessions import (
    IDLE,
    Established,
    Leaving,
    Sessions,
    SigningIn,
    Way,
    open_sessions,
)
from sluis.kernel import Text
from sluis.store import open_store
from sluis.web import COOKIE, House, SignedIn, make_portal

COMPANY, OTHER = "urn:nl:kvk:90000003", "urn:nl:kvk:90000011"
WAYS = (
    Way("digid", Text("DigiD", "DigiD"), "citizen", ("basic", "low", "substantial"), "/way/digid"),
    Way(
        "broker", Text("eHerkenning", "eHerkenning"), "company", ("low", "substantial", "high"), "/way/broker"
    ),
    Way("staff", Text("Account van de gemeente", "Account of the municipality"), "staff", (), "/way/staff"),
)


class World:
    """A portal with these pages, and one way of signing in: as whom the test says."""

    def __init__(self, directory: Path) -> None:
        self.clock = Clock()
        self.store = open_store(directory / "node.db")
        self.keys = FileKeyStore(directory / "keys")
        self.sessions: Sessions = open_sessions(self.store, self.keys, self.clock)
        self.who: Established = established()
        self.choices: Sequence[Choice] = ()
        self.ways: Sequence[Way] = WAYS
        self.farewell: str | None = None
        self.state = ""
        self.signing_in = SigningIn(self.sessions, self._choices)
        routes = pages.routes(
            self.sessions,
            self.signing_in,
            lambda: self.ways,
            lambda handle: ["Fictief portaal"],
            Leaving(self.sessions, [self._farewell]),
            self._portal_behind,
        )

        @get("/way/{name:str}")
        async def way(
            name: str, visitor: SignedIn | None, request: Request[Any, Any, Any], next: str = "/"
        ) -> Response[Any]:
            """A way of signing in that asks nothing."""
            return await self.signing_in.finish(self.who, request, next)

        @get("/tax", opt={"level": "substantial"})
        async def tax(person: SignedIn) -> dict[str, str]:
            """A page that asks certainty."""
            return {"level": str(person.level)}

        house = House("Fictieve Dienst", True, pages.NAVIGATION)
        self.app = make_portal([*routes, way, tax], self, house, b"s" * 32)

    def by_cookie(self, secret: str) -> SignedIn | None:
        return self.sessions.by_cookie(secret)

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        return None

    async def _farewell(self, who: Established, state: str) -> str | None:
        self.state = state
        return self.farewell

    async def _portal_behind(self, path: str) -> str | None:
        return "Parkeren (fictief)" if path.startswith("/oauth/") else None

    async def _choices(self, signed_in: SignedIn) -> Sequence[Choice]:
        return self.choices


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(world.app)


async def test_signing_in_offers_every_way_under_whom_it_is_for(browser: Browser) -> None:
    shown = await browser.get("/sign-in?next=/sessions")
    for told in ("Voor uzelf", "DigiD", "Voor een bedrijf", "eHerkenning", "Voor medewerkers"):
        assert told in shown.text
    assert 'href="/way/digid?next=%2Fsessions"' in shown.text


async def test_who_must_prove_it_anew_does_so_whatever_the_way(browser: Browser) -> None:
    assert "again" not in (await browser.get("/sign-in?next=/sessions")).text
    shown = await browser.get("/sign-in?next=/sessions&again=1")
    assert 'href="/way/digid?next=%2Fsessions&amp;again=1"' in shown.text


async def test_signing_in_offers_only_what_is_sure_enough(browser: Browser) -> None:
    shown = await browser.get("/sign-in?next=/sessions&level=high")
    assert "/way/broker?next=%2Fsessions&amp;level=high" in shown.text
    assert "/way/digid" not in shown.text
    assert "/way/staff" not in shown.text  # its ways have no level


async def test_a_node_without_a_way_of_signing_in_says_so(world: World, browser: Browser) -> None:
    world.ways = ()
    assert "nog geen manier van inloggen ingesteld" in (await browser.get("/sign-in")).text
    assert "haalt het niveau" in (await browser.get("/sign-in?level=high")).text


@pytest.mark.parametrize("query", ["level=highest", "audience=robot"])
async def test_what_a_sign_in_page_is_asked_must_be_known(browser: Browser, query: str) -> None:
    assert (await browser.get(f"/sign-in?{query}")).status == 400


async def test_signing_in_gives_a_cookie_and_goes_on(browser: Browser) -> None:
    shown = await browser.get("/way/digid?next=/sessions")
    assert (shown.status, shown.headers["location"]) == (303, "/sessions")
    (cookie,) = shown.cookies
    assert cookie.startswith(f"{COOKIE}=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {*cookie.split("; ")}
    assert (await browser.get("/sessions")).status == 200


async def test_signing_in_does_not_lead_to_another_site(browser: Browser) -> None:
    shown = await browser.get("/way/digid?next=//evil.example/")
    assert shown.headers["location"] == "/"
    assert 'href="/way/digid?next=%2F"' in (await browser.get("/sign-in?next=https://evil.example/")).text


async def test_a_session_that_was_planted_before_signing_in_is_not_the_one_after(
    world: World, browser: Browser
) -> None:
    attacker = Browser(world.app)
    await attacker.get("/way/digid")
    browser.cookies[COOKIE] = attacker.cookies[
        COOKIE
    ]  # fixation: the victim signs in with the attacker's cookie
    world.who = established(value="999990020")
    await browser.get("/way/digid")
    assert browser.cookies[COOKIE] != attacker.cookies[COOKIE]
    assert (await attacker.get("/sessions")).status == 303


async def test_a_step_up_goes_on_in_the_same_session_under_another_secret(
    world: World, browser: Browser
) -> None:
    world.who = established(level="low")
    await browser.get("/way/digid")
    before = browser.cookies[COOKIE]
    assert "Log nog een keer in" in (await browser.get("/sign-in?level=substantial")).text
    world.who = established(level="substantial")
    await browser.get("/way/digid")
    assert browser.cookies[COOKIE] != before
    assert world.sessions.by_cookie(before) is None
    (session,) = world.sessions.of(world.sessions.by_cookie(browser.cookies[COOKIE]).acting.person)  # type: ignore[union-attr]
    assert session.method == "digid"


async def test_a_page_that_asks_more_certainty_is_reached_by_signing_in_once_more(
    world: World, browser: Browser
) -> None:
    world.who = established(level="low")
    await browser.get("/way/digid")
    shown = await browser.get("/tax")
    assert shown.headers["location"] == "/sign-in?next=%2Ftax&level=substantial"
    shown = await browser.get(shown.headers["location"])
    assert 'href="/way/digid?next=%2Ftax&amp;level=substantial"' in shown.text
    world.who = established(level="substantial")
    shown = await browser.get("/way/digid?next=/tax&level=substantial", follow=True)
    assert shown.json == {"level": "substantial"}


async def test_a_way_that_gives_less_than_was_asked_does_not_open_the_page(
    world: World, browser: Browser
) -> None:
    world.who = established(level="low")  # whatever the address asked for
    shown = await browser.get("/way/digid?next=/tax&level=substantial", follow=True)
    assert "Log nog een keer in" in shown.text


async def test_signing_in_again_less_surely_takes_certainty_away(world: World, browser: Browser) -> None:
    world.who = established(level="high")
    await browser.get("/way/digid")
    assert (await browser.get("/tax")).status == 200
    world.who = established(level="low")
    await browser.get("/way/digid")
    assert (await browser.get("/tax")).status == 303


# For whom


def two_companies() -> Sequence[Choice]:
    mandate = Text("volgens een machtiging", "by a mandate")
    return (Choice(COMPANY, "Fictief BV"), Choice(OTHER, "Verzonnen VOF", "urn:nl:kvk:90000038", mandate))


async def test_who_may_act_for_more_than_one_chooses_first(world: World, browser: Browser) -> None:
    world.who, world.choices = established(audience="company"), two_companies()
    shown = await browser.get("/way/broker?next=/sessions")
    assert shown.headers["location"] == "/choose?next=%2Fsessions"
    shown = await browser.get(shown.headers["location"])
    assert "Fictief BV" in shown.text
    assert "volgens een machtiging" in shown.text
    before = browser.cookies[COOKIE]
    shown = await browser.send(shown.form("/choose"), choice=two_companies()[1].key)
    assert (shown.status, shown.headers["refresh"]) == (200, "0; url=/sessions")
    after = world.sessions.by_cookie(browser.cookies[COOKIE])
    assert after is not None
    assert (after.acting.entity, after.acting.intermediary) == (OTHER, "urn:nl:kvk:90000038")
    assert world.sessions.by_cookie(before) is None


@pytest.mark.parametrize("choice", ["1", "x", "", "self", OTHER, f"{COMPANY} {OTHER}"])
async def test_nobody_acts_for_who_was_not_in_the_list(world: World, browser: Browser, choice: str) -> None:
    world.who, world.choices = established(audience="company"), two_companies()
    shown = await browser.get("/way/broker", follow=True)
    shown = await browser.send(shown.form("/choose"), choice=choice)
    assert shown.status == 403
    signed_in = world.sessions.by_cookie(browser.cookies[COOKIE])
    assert signed_in is not None
    assert signed_in.acting.entity is None


async def test_a_choice_that_went_meanwhile_is_refused(world: World, browser: Browser) -> None:
    world.who, world.choices = established(audience="company"), two_companies()
    form = (await browser.get("/way/broker", follow=True)).form("/choose")
    world.choices = ()
    assert (await browser.send(form, choice=two_companies()[0].key)).status == 403


async def test_who_is_added_to_the_list_meanwhile_is_not_chosen_instead(
    world: World, browser: Browser
) -> None:
    world.who, world.choices = established(audience="company"), two_companies()
    shown = await browser.get("/way/broker", follow=True)
    value = shown.text.partition("Fictief BV")[0].rpartition('value="')[2].partition('"')[0]
    world.choices = (Choice("urn:nl:kvk:90000046", "Fictiev BV"), *two_companies())
    await browser.send(shown.form("/choose"), choice=value)
    signed_in = world.sessions.by_cookie(browser.cookies[COOKIE])
    assert signed_in is not None
    assert signed_in.acting.entity == COMPANY


async def test_not_choosing_is_told_above_the_form_and_beside_the_list(
    world: World, browser: Browser
) -> None:
    world.who, world.choices = established(audience="company"), two_companies()
    form = (await browser.get("/way/broker", follow=True)).form("/choose")
    shown = await browser.send(form)
    assert (shown.status, shown.text.count("U hebt nog niets gekozen")) == (422, 2)
    assert '<a href="#whom">U hebt nog niets gekozen' in shown.text
    assert '<fieldset id="whom" aria-describedby="whom-wrong">' in shown.text


async def test_who_may_act_for_one_alone_need_not_choose(world: World, browser: Browser) -> None:
    world.who, world.choices = established(audience="company"), two_companies()[:1]
    shown = await browser.get("/way/broker?next=/sessions")
    assert shown.headers["location"] == "/sessions"
    signed_in = world.sessions.by_cookie(browser.cookies[COOKIE])
    assert signed_in is not None
    assert signed_in.acting.entity == COMPANY


async def test_who_may_act_for_one_alone_and_asks_to_change_reads_why_not(
    world: World, browser: Browser
) -> None:
    world.who, world.choices = established(audience="company"), two_companies()[:1]
    await browser.get("/way/broker?next=/sessions")
    shown = await browser.get("/choose")
    assert "alleen handelen voor <strong>Fictief BV</strong>" in shown.text
    assert 'action="/choose"' not in shown.text


async def test_whose_only_choice_is_another_than_now_can_still_choose_it(
    world: World, browser: Browser
) -> None:
    world.who, world.choices = established(audience="company"), two_companies()[:1]
    await browser.get("/way/broker?next=/sessions")
    world.choices = two_companies()[1:]
    assert 'action="/choose"' in (await browser.get("/choose")).text


async def test_who_acts_for_themselves_reads_no_name_twice(world: World, browser: Browser) -> None:
    world.who, world.choices = established(), (Choice(None, "Fictieve Burger"), *two_companies())
    shown = await browser.get("/way/broker?next=/sessions", follow=True)
    await browser.send(shown.form("/choose"), choice="0")
    shown = await browser.get("/sessions")
    assert shown.text.partition('class="who"')[2].partition("</p>")[0].count("Fictieve Burger") == 1


async def test_who_has_nothing_to_choose_goes_on(browser: Browser) -> None:
    await browser.get("/way/digid")
    assert (await browser.get("/choose?next=/sessions")).headers["location"] == "/sessions"


# Sessions


async def test_somebody_sees_where_they_are_signed_in_and_ends_one(world: World, browser: Browser) -> None:
    elsewhere = Browser(world.app)
    await elsewhere.get("/way/digid")
    await browser.get("/way/digid")
    shown = await browser.get("/sessions")
    assert shown.text.count('class="card"') == 2
    assert "Fictief portaal" in shown.text
    handle = world.sessions.by_cookie(elsewhere.cookies[COOKIE])
    assert handle is not None
    shown = await browser.send(shown.form("/sessions/end", session=handle.session), follow=True)
    assert shown.text.count('class="card"') == 1
    assert (await elsewhere.get("/sessions")).status == 303
    assert (await browser.get("/sessions")).status == 200


async def test_nobody_ends_a_session_of_somebody_else(world: World, browser: Browser) -> None:
    victim = Browser(world.app)
    world.who = established(value="999990020")
    await victim.get("/way/digid")
    handle = world.sessions.by_cookie(victim.cookies[COOKIE])
    assert handle is not None
    world.who = established()
    await browser.get("/way/digid")
    form = (await browser.get("/sessions")).form("/sessions/end")
    form.fields["session"] = handle.session
    await browser.send(form)
    assert (await victim.get("/sessions")).status == 200


async def test_all_other_sessions_end_together(world: World, browser: Browser) -> None:
    others = [Browser(world.app) for _ in range(3)]
    for one in (*others, browser):
        await one.get("/way/digid")
    shown = await browser.get("/sessions")
    shown = await browser.send(shown.form("/sessions/end-others"), follow=True)
    assert shown.text.count('class="card"') == 1
    assert [(await one.get("/sessions")).status for one in others] == [303] * 3


async def test_signing_out_ends_the_session_and_takes_the_cookie_back(world: World, browser: Browser) -> None:
    await browser.get("/way/digid")
    secret = browser.cookies[COOKIE]
    shown = await browser.send((await browser.get("/sessions")).form("/sign-out"), follow=True)
    assert "U bent uitgelogd" in shown.text
    assert COOKIE not in browser.cookies
    assert world.sessions.by_cookie(secret) is None


async def test_a_form_that_was_filled_in_too_late_says_that_the_session_is_over(
    world: World, browser: Browser
) -> None:
    await browser.get("/way/digid")
    form = (await browser.get("/sessions")).form("/sessions/end")
    world.clock.later(hours=1)
    shown = await browser.send(form)
    assert (shown.status, shown.headers["location"]) == (303, "/sign-in?next=%2Funsent")
    assert "Wat u invulde is bewaard" in (await browser.get(shown.headers["location"])).text


async def test_somebody_is_told_in_time_and_can_stay(world: World, browser: Browser) -> None:
    await browser.get("/way/digid")
    shown = await browser.get("/sessions")
    assert f'data-idle="{IDLE}" hidden' in shown.text
    for _ in range(4):
        world.clock.later(seconds=IDLE - 300)
        assert (await browser.get("/still-here", accept="*/*")).status == 204
    world.clock.later(seconds=IDLE)
    assert (await browser.get("/still-here", accept="*/*")).status == 401


async def test_following_a_link_signs_nobody_out(browser: Browser) -> None:
    await browser.get("/way/digid")
    assert "Wilt u uitloggen?" in (await browser.get("/sign-out")).text
    assert (await browser.get("/sessions")).status == 200


async def test_signing_out_goes_on_to_the_provider_that_was_signed_in_with(
    world: World, browser: Browser
) -> None:
    world.farewell = "https://broker.example/end?hint=x"
    await browser.get("/way/digid")
    shown = await browser.send((await browser.get("/")).form("/sign-out"))
    assert shown.headers["refresh"] == "0; url=https://broker.example/end?hint=x"
    assert COOKIE not in browser.cookies


async def test_who_comes_back_from_the_provider_is_signed_out_and_told_so(
    world: World, browser: Browser
) -> None:
    world.farewell = "https://broker.example/end"
    await browser.get("/way/digid")
    await browser.send((await browser.get("/")).form("/sign-out"))
    assert "U bent uitgelogd" in (await browser.get(f"/sign-out?state={world.state}")).text


async def test_the_page_says_for_which_portal_somebody_signs_in(browser: Browser) -> None:
    shown = await browser.get("/sign-in?next=/oauth/authorize/continue/x")
    assert "<h1>Inloggen bij Parkeren (fictief)</h1>" in shown.text
    assert "<h1>Inloggen</h1>" in (await browser.get("/sign-in")).text


async def test_no_address_of_these_pages_names_anybody(world: World, browser: Browser) -> None:
    await browser.get("/way/digid")
    for path in ("/", "/sessions", "/sign-out"):
        shown = await browser.get(path)
        links = [part.partition('"')[0] for part in shown.text.split('href="')[1:]]
        assert not any("999990019" in link or "Burger" in link for link in links)


# Every page, for whoever reads it


class Outline(HTMLParser):
    """What a page is made of, as assistive technology meets it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.unnamed: list[str] = []
        self.language, self.landmarks = "", set[str]()
        self._labels = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if "id" in given:
            self.ids.append(str(given["id"]))
        self.language = str(given["lang"]) if tag == "html" else self.language
        self.landmarks |= {tag} & {"main", "header", "footer", "nav"}
        self._labels += tag == "label"
        named = self._labels or {"aria-label", "aria-labelledby"} & set(given)
        if tag in ("input", "select", "textarea") and given.get("type") != "hidden" and not named:
            self.unnamed.append(str(given.get("name")))
        if tag == "img" and "alt" not in given:
            self.unnamed.append("img")

    def handle_endtag(self, tag: str) -> None:
        self._labels -= tag == "label"


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("path", ["/", "/sign-in", "/choose", "/sessions", "/sign-out", "/nothing"])
async def test_every_page_is_built_for_everyone(
    world: World, browser: Browser, path: str, language: str
) -> None:
    world.who, world.choices = established(audience="company"), two_companies()
    browser.language = language
    await browser.get("/way/broker")
    outline = Outline((await browser.get(path)).text)
    assert outline.language == language
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(later - before <= 1 for before, later in pairwise(outline.headings))
    assert len(outline.ids) == len({*outline.ids})
    assert outline.unnamed == []
    assert {"main", "header", "nav"} <= outline.landmarks


async def test_no_two_pages_have_the_same_title(world: World, browser: Browser) -> None:
    world.choices = two_companies()
    await browser.get("/way/digid")
    paths = ("/", "/sign-in", "/choose", "/sessions", "/sign-out", "/nothing")
    titles = [
        (await browser.get(path)).text.partition("</title>")[0].rpartition("<title>")[2] for path in paths
    ]
    assert len({*titles}) == len(paths)
