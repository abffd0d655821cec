"""Signing in at another's provider as a browser meets it: redirects, cookies, pages; and a provider that signs out."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from tests.browser import Browser, Shown
from tests.clocks import Clock
from tests.unit.identity.upstream.providers import CLIENT, ISSUER, PORTAL, Broker, method, opened

from sluis.crypto import FileKeyStore, sign_jwt
from sluis.identity import pages
from sluis.identity.people import Choice
from sluis.identity.sessions import Leaving, SigningIn, open_sessions
from sluis.identity.upstream import routes
from sluis.store import Store
from sluis.web import House, Portal, SignedIn, make_portal


class World:
    """A portal with one way of signing in."""

    def __init__(self, store: Store, folder: Path, clock: Clock, broker: Broker) -> None:
        self.clock, self.broker = clock, broker
        self.sessions = open_sessions(store, FileKeyStore(folder / "keys"), clock)
        self.upstreams = opened(store, folder, clock, {ISSUER: broker}, method())
        signing_in = SigningIn(self.sessions, self._choices)
        own = routes(self.upstreams, self.sessions, signing_in.finish)
        around = pages.routes(
            self.sessions,
            signing_in,
            self.upstreams.ways,
            leaving=Leaving(self.sessions, [self.upstreams.farewell]),
        )
        house = House("Fictieve Dienst", True, pages.NAVIGATION)
        self.portal: Portal = make_portal([*own, *around], self, house, b"s" * 32)

    def by_cookie(self, secret: str) -> SignedIn | None:
        return self.sessions.by_cookie(secret)

    def by_token(self, token: str) -> SignedIn | None:
        return None

    async def _choices(self, signed_in: SignedIn) -> Sequence[Choice]:
        return ()

    def browser(self) -> Browser:
        return Browser(self.portal, PORTAL)

    async def answer(self, browser: Browser, begun: Shown, **query: str) -> Shown:
        """What the provider gave the browser to bring."""
        asked = dict(parse_qsl(urlsplit(begun.headers["location"]).query))
        self.broker.nonce = asked["nonce"]
        told = {"state": asked["state"], "code": "c", **query}
        return await browser.get(f"/sign-in/at/digid/return?{urlencode(told)}", sec_fetch_site="cross-site")

    async def signed_in(self, browser: Browser) -> Shown:
        return await self.answer(browser, await browser.get("/sign-in/at/digid?next=/sessions"))


@pytest.fixture
async def world(store: Store, tmp_path: Path, clock: Clock, broker: Broker) -> World:
    return World(store, tmp_path, clock, broker)


@pytest.fixture
def browser(world: World) -> Browser:
    return world.browser()


async def test_the_sign_in_page_leads_to_the_provider(browser: Browser) -> None:
    assert 'href="/sign-in/at/digid?next=%2Fsessions"' in (await browser.get("/sign-in?next=/sessions")).text
    begun = await browser.get("/sign-in/at/digid?next=%2Fsessions")
    assert begun.status == 303
    assert begun.headers["location"].startswith(f"{ISSUER}/authorize?")


async def test_the_cookie_of_a_sign_in_is_strict_short_and_goes_afterwards(
    world: World, browser: Browser
) -> None:
    begun = await browser.get("/sign-in/at/digid")
    (cookie,) = begun.cookies
    assert cookie.startswith("__Host-sluis-signin-")
    assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/", "Max-Age=600"} <= {*cookie.split("; ")}
    assert "domain" not in cookie.lower()
    await world.answer(browser, begun)
    assert list(browser.cookies) == ["__Host-sluis"]


async def test_who_comes_back_is_signed_in_and_goes_on(world: World, browser: Browser) -> None:
    shown = await world.signed_in(browser)
    assert (shown.status, shown.headers["location"]) == (303, "/sessions")
    assert (await browser.get("/sessions")).status == 200


async def test_two_tabs_do_not_get_in_each_others_way(world: World, browser: Browser) -> None:
    one, other = await browser.get("/sign-in/at/digid"), await browser.get("/sign-in/at/digid")
    assert (await world.answer(browser, other)).status == 303
    assert (await world.answer(browser, one)).status == 303
    assert list(browser.cookies) == ["__Host-sluis"]


async def test_who_cancels_gets_a_page_with_a_next_step(world: World, browser: Browser) -> None:
    begun = await browser.get("/sign-in/at/digid")
    shown = await world.answer(browser, begun, error="access_denied")
    assert "afgebroken" in shown.text
    assert 'href="/sign-in"' in shown.text
    assert "__Host-sluis" not in browser.cookies


async def test_another_browser_cannot_bring_the_answer(world: World, browser: Browser) -> None:
    begun = await browser.get("/sign-in/at/digid")
    other = world.browser()
    assert (await world.answer(other, begun)).status == 401
    assert "__Host-sluis" not in other.cookies


@pytest.mark.parametrize("name", ["state", "code", "iss", "error"])
async def test_an_answer_that_says_a_thing_twice_is_none(world: World, browser: Browser, name: str) -> None:
    begun = await browser.get("/sign-in/at/digid")
    state = dict(parse_qsl(urlsplit(begun.headers["location"]).query))["state"]
    shown = await browser.get(f"/sign-in/at/digid/return?state={state}&code=c&{name}=x&{name}=y")
    assert shown.status == 401


@pytest.mark.parametrize("path", ["/sign-in/at/ander", "/sign-in/at/ander/return?state=x"])
async def test_an_unknown_way_is_not_found(browser: Browser, path: str) -> None:
    assert (await browser.get(path)).status == 404


async def test_a_level_must_be_one(browser: Browser) -> None:
    assert (await browser.get("/sign-in/at/digid?level=hoogst")).status == 400


async def test_another_site_locks_nobody_out(world: World, browser: Browser) -> None:
    """A picture on a page elsewhere sends the browser of whoever looks at it, and there is nothing to guess here."""
    for _ in range(25):
        shown = await browser.get("/sign-in/at/digid/return?state=x", sec_fetch_site="cross-site")
        assert shown.status == 401
    await world.signed_in(world.browser())


async def test_a_session_ends_when_the_provider_says_so(world: World, browser: Browser) -> None:
    world.broker.claims["sid"] = "sessie-1"
    await world.signed_in(browser)
    now = world.clock.seconds
    claims = {
        "iss": ISSUER,
        "aud": CLIENT,
        "iat": now,
        "exp": now + 60,
        "jti": "1",
        "sid": "sessie-1",
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }
    body = urlencode({"logout_token": sign_jwt(world.broker.key, claims, typ="logout+jwt")}).encode()
    sent = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    heard = await world.browser().request("POST", "/sign-in/at/digid/signed-out", sent, body)
    assert (heard.status, heard.body, heard.headers["cache-control"]) == (200, b"", "no-store")
    assert (await browser.get("/sessions")).headers["location"].startswith("/sign-in")


async def test_what_is_no_message_about_signing_out_is_refused(world: World) -> None:
    sent = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    for body in (b"", b"logout_token=x", b"logout_token=a.b.c"):
        heard = await world.browser().request("POST", "/sign-in/at/digid/signed-out", sent, body)
        assert (heard.status, heard.json["code"]) == (400, "sign-out-not-believed")


async def test_signing_out_goes_by_the_provider(world: World, browser: Browser) -> None:
    await world.signed_in(browser)
    page = await browser.get("/sign-out")
    shown = await browser.send(page.form("/sign-out"))
    assert f"{ISSUER}/end?client_id={CLIENT}" in shown.text.replace("&amp;", "&")
