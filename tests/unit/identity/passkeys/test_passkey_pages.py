"""The pages of passkeys, as people meet them."""

import html
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from tests.authenticator import Authenticator
from tests.browser import Browser, Shown
from tests.portals import ORIGIN, Pages

from sluis.store import open_store
from sluis.web import COOKIE


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Pages]:
    with closing(open_store(tmp_path / "node.db")) as store:
        yield Pages(store, tmp_path)


def options(shown: Shown) -> str:
    """What the page gives to the script."""
    found = re.search(r'data-options="([^"]*)"', shown.text)
    assert found is not None
    return html.unescape(found[1])


async def made(pages: Pages, browser: Browser, device: Authenticator, **fields: str) -> Shown:
    await browser.get("/way/directory", follow=True)
    shown = await browser.get("/passkeys/new")
    answer = device.create(options(shown))
    return await browser.send(shown.form("/passkeys/new"), label="laptop", answer=answer, **fields)


async def test_staff_make_one_sign_in_with_it_see_it_and_revoke_it(pages: Pages) -> None:
    device, browser, other = Authenticator(ORIGIN), pages.browser(), pages.browser(address="192.0.2.9")
    shown = await made(pages, browser, device)
    assert (shown.status, shown.headers["location"]) == (303, "/passkeys")
    shown = await other.get("/sign-in/passkey?next=/passkeys")
    shown = await other.send(shown.form("/sign-in/passkey"), follow=True, answer=device.get(options(shown)))
    assert shown.status == 200
    assert COOKIE in other.cookies
    assert shown.headers["refresh"] == "0; url=/passkeys"
    shown = await other.get("/passkeys")
    assert "laptop" in shown.text
    assert "Laatst gebruikt" in shown.text
    await other.send(shown.form("/passkeys/revoke"))
    shown = await browser.get("/passkeys")
    assert "ingetrokken" in shown.text
    last = pages.browser(address="192.0.2.10")
    shown = await last.get("/sign-in/passkey")
    shown = await last.send(shown.form("/sign-in/passkey"), answer=device.get(options(shown)))
    assert shown.status == 403
    assert COOKIE not in last.cookies


async def test_a_name_that_will_not_do_is_told_at_the_field_and_kept_in_it(pages: Pages) -> None:
    device, browser = Authenticator(ORIGIN), pages.browser()
    shown = await browser.get("/way/directory?next=/passkeys/new", follow=True)
    form, name = shown.form("/passkeys/new"), "x" * 61
    wrong = await browser.send(form, label=name, answer=device.create(options(shown)))
    assert wrong.status == 422
    assert '<a href="#label">Een naam heeft 1 tot 60 tekens.</a>' in wrong.text
    assert f'value="{name}" aria-invalid="true" aria-describedby="label-wrong"' in wrong.text
    again = {"label": "laptop", "answer": Authenticator(ORIGIN).create(options(wrong))}
    assert "laptop" in (await browser.send(wrong.form("/passkeys/new"), follow=True, **again)).text


async def test_who_has_a_passkey_that_is_revoked_is_signed_out(pages: Pages) -> None:
    device, browser, thief = Authenticator(ORIGIN), pages.browser(), pages.browser(address="203.0.113.5")
    await made(pages, browser, device)
    shown = await thief.get("/sign-in/passkey")
    await thief.send(shown.form("/sign-in/passkey"), answer=device.get(options(shown)))
    assert (await thief.get("/passkeys")).status == 200
    await browser.send((await browser.get("/passkeys")).form("/passkeys/revoke"))
    assert (await thief.get("/passkeys")).status == 303
    assert (await browser.get("/passkeys")).status == 200


async def test_an_answer_of_another_browser_signs_nobody_in(pages: Pages) -> None:
    device, browser, thief = Authenticator(ORIGIN), pages.browser(), pages.browser(address="203.0.113.5")
    await made(pages, browser, device)
    shown = await browser.get("/sign-in/passkey")
    answer = device.get(options(shown))
    taken = await thief.get("/sign-in/passkey")
    assert (await thief.send(taken.form("/sign-in/passkey"), answer=answer)).status == 403
    assert COOKIE not in thief.cookies


async def test_a_form_of_another_site_signs_nobody_in(pages: Pages) -> None:
    device, browser = Authenticator(ORIGIN), pages.browser()
    await made(pages, browser, device)
    fresh = pages.browser(address="203.0.113.6")
    shown = await fresh.get("/sign-in/passkey")
    fields = shown.form("/sign-in/passkey").fields | {"answer": device.get(options(shown))}
    refused = await fresh.post("/sign-in/passkey", fields, origin="https://evil.example")
    assert (refused.status, COOKIE in fresh.cookies) == (403, False)
    fields["csrf"] = "guess"
    assert (await fresh.post("/sign-in/passkey", fields)).status == 403


async def test_signing_in_leads_to_no_other_site(pages: Pages) -> None:
    device, browser = Authenticator(ORIGIN), pages.browser()
    await made(pages, browser, device)
    shown = await browser.get("/sign-in/passkey?next=https://evil.example")
    form = shown.form("/sign-in/passkey")
    assert form.fields["next"] == "/"
    answered = await browser.send(form, next="//evil.example", answer=device.get(options(shown)))
    assert answered.headers["refresh"] == "0; url=/"


async def test_a_form_of_another_site_locks_nobody_out(pages: Pages) -> None:
    browser = pages.browser()
    for _ in range(25):
        shown = await browser.post(
            "/sign-in/passkey", {}, origin="https://evil.example", sec_fetch_site="cross-site"
        )
        assert shown.status == 403
    form = (await browser.get("/sign-in/passkey")).form("/sign-in/passkey")
    assert (await browser.send(form, answer="{}")).status == 403


async def test_who_tries_too_often_waits(pages: Pages) -> None:
    browser = pages.browser(address="203.0.113.9")
    for _ in range(40):
        shown = await browser.get("/sign-in/passkey")
        if shown.status == 200:
            shown = await browser.send(shown.form("/sign-in/passkey"), answer="{}")
        if shown.status == 429:
            break
    assert shown.status == 429


async def test_passkeys_are_for_staff_who_signed_in(pages: Pages) -> None:
    shown = await pages.browser().get("/passkeys")
    assert shown.headers["location"].startswith("/sign-in?next=%2Fpasskeys")
    pages.staff = msgspec.structs.replace(pages.staff, audience="citizen", kind="BSN", value="999990019")
    browser = pages.browser()
    await browser.get("/way/directory", follow=True)
    assert (await browser.get("/passkeys")).status == 403


async def test_a_page_says_what_to_do_without_script_or_passkey(pages: Pages) -> None:
    shown = await pages.browser().get("/sign-in/passkey")
    assert "Zet het aan voor deze site" in shown.text
    assert "maak er een bij" in shown.text
    assert 'data-passkey="use"' in shown.text
    assert re.search(r"<form[^>]*/sign-in/passkey[^>]* hidden>", shown.text)
    assert "<script>" not in shown.text
    assert "script-src 'self';" in shown.headers["content-security-policy"]
    [script] = re.findall(r'src="(/static/identity/[^"]+\.js[^"]*)"', shown.text)
    loaded = await pages.browser().get(script)
    assert (loaded.status, loaded.headers["content-type"].split(";")[0]) == (200, "text/javascript")


async def test_the_sign_in_page_offers_passkeys_to_staff(pages: Pages) -> None:
    shown = await pages.browser().get("/sign-in?audience=staff&level=substantial")
    assert "/sign-in/passkey" in shown.text
    assert "/sign-in/passkey" not in (await pages.browser().get("/sign-in?level=high")).text
