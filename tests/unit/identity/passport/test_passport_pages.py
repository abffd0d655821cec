"""The pages of the digital passport, and what wallets fetch and send, over HTTP."""

import re
from collections.abc import Iterator
from contextlib import closing
from html import escape, unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.browser import Browser, Shown
from tests.passports import Counter
from tests.portals import Pages

from sluis.identity.passport.qr import drawn
from sluis.store import open_store
from sluis.web import COOKIE


@pytest.fixture
def counter(tmp_path: Path) -> Counter:
    return Counter(tmp_path)


@pytest.fixture
def pages(counter: Counter, tmp_path: Path) -> Iterator[Pages]:
    with closing(open_store(tmp_path / "node.db")) as store:
        made = Pages(store, tmp_path, counter.clock, passports=counter.passports)
        counter.wallet._post = made.wallet_post
        yield made


def link(shown: Shown) -> str:
    found = re.search(r'href="(openid4vp:[^"]*)"', shown.text)
    assert found is not None
    return unescape(found[1])


def back(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


async def answered(counter: Counter, browser: Browser) -> tuple[Shown, str]:
    """The page that asked, and the local address that the wallet was answered with."""
    shown = await browser.get("/sign-in/passport/burger?next=/sessions")
    request = await counter.wallet.open(link(shown))
    status, said = await counter.wallet.show(request, request.cards[0])
    assert status == 200
    return shown, back(said["redirect_uri"])


async def test_on_one_device_a_person_is_signed_in_when_they_come_back(
    counter: Counter, pages: Pages
) -> None:
    browser = pages.browser()
    _, there = await answered(counter, browser)
    shown = await browser.get(there, follow=True)
    assert shown.url == "/sessions"
    assert "Fenna Fictief" in shown.text
    assert "digitaal paspoort" in shown.text


async def test_the_page_says_what_for_and_just_what(counter: Counter, pages: Pages) -> None:
    shown = await pages.browser().get("/sign-in/passport/burger")
    for said in ("Om u te laten inloggen.", "burgerservicenummer (BSN)", "voornamen", "achternaam"):
        assert said in shown.text
    assert "geboortedatum" not in shown.text


async def test_a_qr_code_holds_the_link_that_stands_below_it_in_letters(
    counter: Counter, pages: Pages
) -> None:
    shown = await pages.browser().get("/sign-in/passport/burger")
    picture = re.search(r'<div class="qr" role="img" aria-label="[^"]+">(<svg .*?</svg>)</div>', shown.text)
    assert picture is not None
    assert picture[1] == drawn(link(shown))
    assert drawn(link(shown)) != drawn(link(shown) + "x")
    assert f"<code>{escape(link(shown))}</code>" in shown.text
    assert "style" not in picture[1]  # which the policy of the page would refuse
    assert 'fill="#fff"' in picture[1]  # on a dark page too


async def test_one_address_does_not_push_out_the_unfinished_sign_ins_of_others(
    counter: Counter, pages: Pages
) -> None:
    counter.passports._waiting._most = counter.passports._waiting._each = 20
    shown = await pages.browser(address="192.0.2.1").get("/sign-in/passport/burger")
    for one in range(40):  # of IPv6 a whole network counts as one
        flood = pages.browser(address=f"2001:db8::{one:x}")
        assert (await flood.get("/sign-in/passport/burger")).status == 200
    assert (await counter.wallet.open(link(shown))).cards


async def test_with_the_wallet_elsewhere_the_code_is_typed(counter: Counter, pages: Pages) -> None:
    browser, phone = pages.browser(), pages.browser(address="192.0.2.77")
    shown, there = await answered(counter, browser)
    told = await phone.get(there)
    code = re.search(r"<strong>([A-Z0-9]{4}-[A-Z0-9]{4})</strong>", told.text)
    assert code is not None
    assert "Geef deze code aan niemand" in told.text
    assert COOKIE not in phone.cookies
    [form] = [one for one in shown.forms if one.action.endswith("/code")]
    shown = await browser.send(form, code=code[1])
    assert shown.headers["refresh"] == "0; url=/sessions"
    assert COOKIE in browser.cookies


async def test_a_wrong_code_is_told_at_the_field_and_can_be_typed_again(
    counter: Counter, pages: Pages
) -> None:
    browser, phone = pages.browser(), pages.browser(address="203.0.113.9")
    shown, there = await answered(counter, browser)
    code = re.search(r"<strong>([^<]+)</strong>", (await phone.get(there)).text)
    assert code is not None
    [form] = [one for one in shown.forms if one.action.endswith("/code")]
    wrong = await browser.send(form, code="AAAA-AAAA")
    assert wrong.status == 403
    assert '<a href="#code">Deze code klopt niet. U kunt het nog 4 keer proberen.' in wrong.text
    assert 'aria-invalid="true" aria-describedby="code-wrong"' in wrong.text
    assert 'class="error" id="code-wrong"' in wrong.text
    [form] = [one for one in wrong.forms if one.action.endswith("/code")]
    assert (await browser.send(form, code=code[1], follow=True)).status == 200
    assert COOKIE in browser.cookies


async def test_nobody_gets_the_session_of_whoever_they_lured(counter: Counter, pages: Pages) -> None:
    thief, victim = pages.browser(), pages.browser(address="192.0.2.88")
    shown, there = await answered(counter, thief)  # the victim's wallet, with the link of the thief
    await victim.get(there)
    assert COOKIE not in victim.cookies
    [form] = [one for one in shown.forms if one.action.endswith("/code")]
    for guess in ("BCDF-GHJK", "", "0000-0000"):
        assert (await thief.send(form, code=guess)).status == 403
    assert (await thief.get(f"{urlsplit(there).path}?response_code=guess")).status == 403
    assert COOKIE not in thief.cookies


async def test_coming_back_twice_signs_in_once(counter: Counter, pages: Pages) -> None:
    browser = pages.browser()
    _, there = await answered(counter, browser)
    await browser.get(there)
    assert (await browser.get(there)).status == 403


async def test_a_wallet_gets_the_request_by_get_too(counter: Counter, pages: Pages) -> None:
    shown = await pages.browser().get("/sign-in/passport/burger")
    [form] = [one for one in shown.forms if one.action.endswith("/code")]
    at = form.action.removesuffix("/code")
    fetched = await pages.browser().get(f"{at}/request", accept="*/*")
    assert fetched.headers["content-type"] == "application/oauth-authz-req+jwt"
    assert fetched.headers["cache-control"] == "no-store"
    assert (await pages.wallet_post(f"{at}/request", {"wallet_nonce": "x" * 600}))[0] == 400


async def test_what_was_never_asked_is_not_there(counter: Counter, pages: Pages) -> None:
    for path in ("/passport/none/request", "/passport/none/done", "/sign-in/passport/none"):
        shown = await pages.browser().get(path)
        assert shown.status in (403, 404)
    assert (await pages.wallet_post("/passport/none/answer", {"vp_token": "x"}))[0] == 403


async def test_signing_in_leads_to_no_other_site(counter: Counter, pages: Pages) -> None:
    browser = pages.browser()
    shown = await browser.get("/sign-in/passport/burger?next=https://evil.example")
    request = await counter.wallet.open(link(shown))
    _, said = await counter.wallet.show(request, request.cards[0])
    assert (await browser.get(back(said["redirect_uri"]))).headers["location"] == "/"


async def test_an_answer_that_is_too_large_is_not_read(counter: Counter, pages: Pages) -> None:
    shown = await pages.browser().get("/sign-in/passport/burger")
    request = await counter.wallet.open(link(shown))
    status, _ = await pages.wallet_post(str(request.request["response_uri"]), {"response": "x" * 70_000})
    assert status == 400
    assert (await counter.wallet.show(request, request.cards[0]))[0] == 200
