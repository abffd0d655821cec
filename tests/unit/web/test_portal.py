"""The portal: who is let in where, what a form must carry, what every answer says to a browser, and what goes wrong."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from litestar import Request, Response, get, post
from tests.browser import Browser, Shown

from sluis.kernel import Acting, Level, Refused, Text
from sluis.web import (
    COOKIE,
    Audience,
    Entry,
    Form,
    House,
    Portal,
    SignedIn,
    elsewhere,
    make_portal,
    onward,
    redirect,
    setting_of,
)
from sluis.web.pace import Pace
from sluis.web.unsent import SECONDS, Forms

ORIGIN = "https://portal.example"


def signed_in(audience: Audience = "citizen", level: Level | None = "low", session: str = "h1") -> SignedIn:
    return SignedIn(session, Acting("p1"), audience, level, "acr", "digid", 0, "Fictieve Burger")


class People:
    """Sessions as a test wants them: by the secret in the cookie."""

    def __init__(self) -> None:
        self.sessions: dict[str, SignedIn] = {}

    def by_cookie(self, secret: str) -> SignedIn | None:
        return self.sessions.get(secret)

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        return None


@get("/mine")
async def mine(person: SignedIn) -> dict[str, str]:
    """For who is signed in."""
    return {"session": person.session}


@get("/sure", opt={"level": "substantial"})
async def sure(person: SignedIn) -> dict[str, str]:
    """For who is surely who they are."""
    return {"session": person.session}


@get("/desk", opt={"audience": ("staff",)})
async def desk(person: SignedIn) -> dict[str, str]:
    """For officials."""
    return {"session": person.session}


@get("/anyone")
async def anyone(visitor: SignedIn | None) -> dict[str, bool]:
    """For whoever comes."""
    return {"known": visitor is not None}


@post("/changes", status_code=200)
async def change(visitor: SignedIn | None, form: Form) -> dict[str, str]:
    """Something that changes something."""
    return dict(form)


@post("/calls", status_code=200, opt={"open": True, "cross_site": True})
async def call(form: Form) -> dict[str, str]:
    """What programs send."""
    return dict(form)


@post("/codes", status_code=200, opt={"open": True, "cross_site": True, "tries": True})
async def code(form: Form) -> dict[str, str]:
    """What could be found by trying."""
    if form.get("code") != "right":
        raise Refused("wrong-code", Text("Fout.", "Wrong."), Text("Fout.", "Wrong."), Text("x", "x"))
    return {"code": "right"}


@post("/told", status_code=200, opt={"open": True, "cross_site": True, "tries": True})
async def told(form: Form) -> Response[bytes]:
    """The same, of a route that answers by itself what went wrong."""
    return Response(b"{}", status_code=int(form.get("status", "400")))


@get("/broken", opt={"open": True})
async def broken() -> None:
    """A fault of ours."""
    raise ValueError("999990019 is a secret")


@get("/out/{how:str}", opt={"open": True})
async def out(how: str, request: Request[Any, Any, Any], to: str = "/") -> Response[Any]:
    """Leave this page."""
    if how == "local":
        return redirect(to)
    return elsewhere("https://other.example/") if how == "elsewhere" else onward(request, to)


@get("/known-by", opt={"open": True})
async def known_by(request: Request[Any, Any, Any]) -> dict[str, str]:
    """What a browser began here rests on this."""
    return {"browser": setting_of(request).browser()}


ROUTES = (known_by, mine, sure, desk, anyone, change, call, code, told, broken, out)
NAVIGATION = (
    Entry("/mine", Text("Van mij", "Mine")),
    Entry("/desk", Text("Balie", "Desk"), ("staff",)),
)


def portal(people: People, routes: Sequence[Any] = ROUTES, test: bool = True) -> Portal:
    house = House("Fictieve Dienst", test, NAVIGATION)
    return make_portal(routes, people, house, b"s" * 32)


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
def browser(people: People) -> Browser:
    return Browser(portal(people))


def enter(browser: Browser, people: People, who: SignedIn) -> None:
    people.sessions["secret"] = who
    browser.cookies[COOKIE] = "secret"


async def csrf(browser: Browser, page: str = "/nothing-here") -> str:
    """The token that forms of this browser carry; any page with a form has it, and so has signing out on every page."""
    shown = await browser.get(page)
    return next(form.fields["csrf"] for form in shown.forms)


async def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(browser: Browser) -> None:
    shown = await browser.get("/mine?a=1&b=2")
    assert (shown.status, shown.headers["location"]) == (303, "/sign-in?next=%2Fmine%3Fa%3D1%26b%3D2")


async def test_a_program_that_is_not_signed_in_is_told_so(browser: Browser) -> None:
    shown = await browser.get("/mine", accept="application/json")
    assert (shown.status, shown.json["code"]) == (401, "not-signed-in")


async def test_who_is_signed_in_gets_in(browser: Browser, people: People) -> None:
    enter(browser, people, signed_in())
    assert (await browser.get("/mine")).json == {"session": "h1"}


async def test_a_page_that_asks_a_higher_level_sends_to_sign_in_with_that_level(
    browser: Browser, people: People
) -> None:
    enter(browser, people, signed_in(level="low"))
    shown = await browser.get("/sure")
    assert (shown.status, shown.headers["location"]) == (303, "/sign-in?next=%2Fsure&level=substantial")
    people.sessions["secret"] = signed_in(level="high")
    assert (await browser.get("/sure")).status == 200


async def test_a_page_for_others_is_refused(browser: Browser, people: People) -> None:
    enter(browser, people, signed_in("citizen"))
    shown = await browser.get("/desk")
    assert shown.status == 403
    browser.cookies.clear()
    shown = await browser.get("/desk")
    assert shown.headers["location"] == "/sign-in?next=%2Fdesk&audience=staff"
    enter(browser, people, signed_in("citizen"))
    shown = await browser.get("/desk")
    assert "op een andere manier" in shown.text


async def test_a_page_for_whoever_comes_knows_who_is_signed_in(browser: Browser, people: People) -> None:
    assert (await browser.get("/anyone")).json == {"known": False}
    enter(browser, people, signed_in())
    assert (await browser.get("/anyone")).json == {"known": True}


async def test_a_cookie_that_is_there_twice_is_none(browser: Browser, people: People) -> None:
    people.sessions["secret"] = signed_in()
    shown = await browser.get("/anyone", cookie=f"{COOKIE}=secret; {COOKIE}=planted")
    assert shown.json == {"known": False}


async def test_a_browser_has_one_secret_that_no_script_reads_and_that_goes_nowhere_else(
    browser: Browser,
) -> None:
    (given,) = (await browser.get("/known-by")).cookies
    assert given.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=86400")
    first = (await browser.get("/known-by")).json["browser"]
    again = await browser.get("/known-by")
    assert (again.json["browser"], again.cookies) == (first, [])
    assert len(first) == 43


@pytest.mark.parametrize(
    "held", ["", "short", "x" * 44, "é" + "x" * 42, "{0}; __Host-sluis-browser=" + "x" * 43]
)
async def test_a_secret_that_this_node_did_not_give_is_not_that_of_a_browser(
    browser: Browser, held: str
) -> None:
    own = (await browser.get("/known-by")).json["browser"]
    shown = await browser.get("/known-by", cookie=f"__Host-sluis-browser={held.format(own)}")
    assert shown.json["browser"] not in ("", own, *held.format(own).split("; "))
    assert len(shown.cookies) == 1


async def test_a_route_that_serves_nobody_in_particular_is_not_built(people: People) -> None:
    @get("/oops")
    async def oops() -> None:
        """Nobody said for whom."""

    with pytest.raises(TypeError):
        portal(people, [oops])


# Forms


async def test_a_form_of_this_portal_is_taken(browser: Browser, people: People) -> None:
    enter(browser, people, signed_in())
    token = await csrf(browser)
    shown = await browser.post("/changes", {"csrf": token, "name": "waarde & meer"})
    assert shown.json["name"] == "waarde & meer"


@pytest.mark.parametrize("token", ["", "wrong", None])
async def test_a_form_without_the_token_is_refused(
    browser: Browser, people: People, token: str | None
) -> None:
    enter(browser, people, signed_in())
    shown = await browser.post("/changes", {} if token is None else {"csrf": token})
    assert shown.status == 403
    assert "formulier is verlopen" in shown.text


async def test_a_token_of_another_session_is_refused(browser: Browser, people: People) -> None:
    enter(browser, people, signed_in())
    token = await csrf(browser)
    people.sessions["secret"] = signed_in(session="h2")
    assert (await browser.post("/changes", {"csrf": token})).status == 403


@pytest.mark.parametrize(
    "other", [Acting("p1", "urn:child"), Acting("p1", "urn:child", "urn:nl:kvk:90000011")]
)
async def test_a_form_filled_in_as_oneself_is_not_sent_as_who_one_acts_for_by_then(
    browser: Browser, people: People, other: Acting
) -> None:
    """The session goes on where somebody chooses for whom they act, in another tab; the form went to the child's file."""
    enter(browser, people, signed_in())
    token = await csrf(browser)
    people.sessions["secret"] = msgspec.structs.replace(signed_in(), acting=other)
    shown = await browser.post("/changes", {"csrf": token, "name": "van mijzelf"})
    assert (shown.status, "formulier is verlopen" in shown.text) == (403, True)
    people.sessions["secret"] = signed_in()
    assert (await browser.post("/changes", {"csrf": token})).status == 200


async def test_a_token_of_before_signing_in_is_refused_after_it(browser: Browser, people: People) -> None:
    first = await browser.post("/changes", {})
    assert first.status == 403
    assert "__Host-sluis-browser" in browser.cookies  # it was compared with that of this browser
    enter(browser, people, signed_in())
    assert (await browser.post("/changes", {"csrf": await csrf(browser)})).status == 200
    del browser.cookies[COOKIE]
    people.sessions.clear()
    assert (await browser.post("/changes", {"csrf": "x"})).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://["},
        {"origin": "https://portal.example@evil.example"},
        {"origin": "http://portal.example.evil.example"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
async def test_a_form_from_another_site_is_refused_even_with_the_token(
    browser: Browser, people: People, headers: dict[str, str]
) -> None:
    enter(browser, people, signed_in())
    token = await csrf(browser)
    assert (await browser.post("/changes", {"csrf": token}, **headers)).status == 403


async def test_a_script_sends_the_token_in_a_header(browser: Browser, people: People) -> None:
    enter(browser, people, signed_in())
    token = await csrf(browser)
    headers = {"content-type": "application/json", "sec-fetch-site": "same-origin"}
    assert (await browser.request("POST", "/changes", headers, b"{}")).status == 403
    shown = await browser.request("POST", "/changes", {**headers, "x-csrf-token": token}, b"{}")
    assert shown.status == 200


async def test_what_programs_send_needs_no_token(browser: Browser) -> None:
    shown = await browser.post(
        "/calls", {"a": "1"}, origin="https://other.example", sec_fetch_site="cross-site"
    )
    assert shown.json == {"a": "1"}


@pytest.mark.parametrize(
    "body", [b"a=1&a=2", b"a=%ff", b"a=1&b", b"&".join(b"f%d=1" % n for n in range(501))]
)
async def test_a_form_that_can_be_read_in_two_ways_is_refused(browser: Browser, body: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    shown = await browser.request("POST", "/calls", headers, body)
    assert shown.status == 400
    assert "niet te lezen" in shown.text


async def test_a_form_is_bounded(browser: Browser) -> None:
    shown = await browser.post("/calls", {"a": "x" * 70_000})
    assert (shown.status, "ongeveer 65.000 tekens" in shown.text) == (413, True)
    headers = {"content-type": "application/json"}
    shown = await browser.request("POST", "/calls", headers, b"x" * 1_100_000)
    assert shown.status == 200  # of what a route does not read, nothing is kept
    headers = {"content-type": "application/x-www-form-urlencoded"}
    shown = await browser.request("POST", "/calls", headers, b"x" * 1_100_000)
    assert (shown.status, "maak de tekst korter" in shown.text) == (413, True)
    browser.language = "en"
    shown = await browser.post("/calls", {"a": "x" * 1_000_000})
    assert (shown.status, "make the text shorter" in shown.text) == (413, True)


# Leaving


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "/€",
        "/\u2028",
        "/é",
        "/\x85",
        "//evil.example/",
        "/\\evil.example/",
        "\\/evil.example",
        "/\t/evil.example",
        "/a\\..\\b",
        "javascript:alert(1)",
        "evil",
        "",
        "/a\r\nset-cookie: x=y",
        "/" + "a" * 5000,
    ],
)
async def test_a_way_back_leads_nowhere_else(browser: Browser, target: str) -> None:
    from urllib.parse import quote

    shown = await browser.get(f"/out/local?to={quote(target)}")
    assert (shown.status, shown.headers["location"]) == (303, "/")
    shown = await browser.get(f"/language/en?next={quote(target)}")
    assert (shown.status, shown.headers["location"]) == (303, "/")


async def test_a_way_back_keeps_its_query(browser: Browser) -> None:
    shown = await browser.get("/out/local?to=/mine%3Fa%3D1%26b%3D%252F")
    assert shown.headers["location"] == "/mine?a=1&b=%2F"


async def test_a_form_that_ends_at_another_site_goes_there_by_a_page(browser: Browser) -> None:
    shown = await browser.get("/out/onward?to=/mine%3Fa%3D1")
    assert (shown.status, shown.headers["refresh"]) == (200, "0; url=/mine?a=1")
    assert 'href="/mine?a=1"' in shown.text


# Every answer


@pytest.mark.parametrize("path", ["/anyone", "/nothing", "/broken", "/mine", "/static/web/portal.css"])
async def test_every_answer_has_the_headers_that_guard_it(browser: Browser, path: str) -> None:
    headers = (await browser.get(path)).headers
    content = headers["content-security-policy"]
    assert "default-src 'none'" in content
    assert "unsafe" not in content
    assert "frame-ancestors 'none'" in content
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"].startswith("max-age=31536000")
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] in ("no-store", "no-cache")


async def test_pages_hold_no_script_and_no_style_of_their_own(browser: Browser, people: People) -> None:
    enter(browser, people, signed_in())
    shown = await browser.get("/nothing")
    assert re.findall(r"<script(?! src=)|<script[^>]*>[^<]|<style| style=| on\w+=", shown.text) == []
    sources = re.findall(r'<script src="([^"]*)"', shown.text)
    assert all(source.startswith("/static/") for source in sources)


async def test_what_a_page_shows_is_escaped(browser: Browser, people: People) -> None:
    who = signed_in()
    people.sessions["secret"] = SignedIn(
        who.session, who.acting, "citizen", "low", "acr", "digid", 0, "<script>alert(1)</script>"
    )
    browser.cookies[COOKIE] = "secret"
    shown = await browser.get("/nothing?%22%3E%3Cscript%3E")
    assert re.findall(r"<script(?! src=)", shown.text) == []


async def test_a_page_is_in_the_language_that_is_preferred_or_chosen(browser: Browser) -> None:
    shown = await browser.get("/nothing")
    assert '<html lang="nl">' in shown.text
    browser.language = "en-GB,nl;q=0.5"
    shown = await browser.get("/nothing")
    assert '<html lang="en">' in shown.text
    assert shown.headers["content-language"] == "en"
    await browser.get("/language/nl?next=/nothing")
    assert '<html lang="nl">' in (await browser.get("/nothing")).text
    assert (await browser.get("/language/fr")).status == 400


async def test_a_test_node_says_so_on_every_page(people: People) -> None:
    assert "proefomgeving" in (await Browser(portal(people)).get("/nothing")).text
    assert "proefomgeving" not in (await Browser(portal(people, test=False)).get("/nothing")).text


async def test_the_navigation_shows_what_somebody_may_open(browser: Browser, people: People) -> None:
    enter(browser, people, signed_in("citizen"))
    shown = await browser.get("/nothing")
    assert 'href="/mine"' in shown.text
    assert 'href="/desk"' not in shown.text
    people.sessions["secret"] = signed_in("staff")
    assert 'href="/desk"' in (await browser.get("/nothing")).text


async def test_a_title_names_nobody(browser: Browser, people: People) -> None:
    enter(browser, people, signed_in())
    shown = await browser.get("/nothing")
    title = shown.text.partition("<title>")[2].partition("</title>")[0]
    assert title == "Deze pagina bestaat niet – Fictieve Dienst"


# What goes wrong


async def test_a_problem_is_a_page_for_a_browser_and_a_document_for_a_program(browser: Browser) -> None:
    shown = await browser.get("/nothing")
    assert (shown.status, shown.headers["content-type"]) == (404, "text/html; charset=utf-8")
    shown = await browser.get("/nothing", accept="*/*")
    assert (shown.status, shown.headers["content-type"]) == (404, "application/problem+json")
    assert shown.json["code"] == "unknown-page"


async def test_a_fault_of_ours_tells_nothing_of_it(browser: Browser) -> None:
    shown = await browser.get("/broken")
    assert shown.status == 500
    assert "999990019" not in shown.text
    assert "Hier gaat iets mis aan onze kant" in shown.text


async def test_another_method_is_told_which_there_are(browser: Browser) -> None:
    shown = await browser.request("DELETE", "/mine")
    assert (shown.status, shown.headers["allow"]) == (405, "GET, HEAD")
    shown = await browser.request("OPTIONS", "/mine")
    assert shown.status == 405


async def test_head_is_answered_as_get(browser: Browser) -> None:
    assert (await browser.request("HEAD", "/anyone")).status == 200


async def test_who_fails_often_waits_and_is_told_how_long(people: People) -> None:
    app = portal(people)
    browser, neighbour = Browser(app), Browser(app, address="192.0.2.2")
    answers = [(await browser.post("/codes", {"code": str(n)})).status for n in range(20)]
    assert answers == [403] * 20
    shown = await browser.post("/codes", {"code": "right"})
    assert (shown.status, shown.headers["retry-after"]) == (429, "300")
    assert "Wacht 5 minuten" in shown.text
    assert (await neighbour.post("/codes", {"code": "right"})).status == 200
    assert (await browser.get("/anyone")).status == 200  # the rest goes on


async def test_a_failure_counts_however_it_is_answered(browser: Browser) -> None:
    assert {(await browser.post("/told", {})).status for _ in range(20)} == {400}
    assert (await browser.post("/told", {})).status == 429


@pytest.mark.parametrize("status", [404, 422])
async def test_what_is_not_found_counts_as_a_try_too(browser: Browser, status: int) -> None:
    form = {"status": str(status)}
    assert {(await browser.post("/told", form)).status for _ in range(20)} == {status}
    assert (await browser.post("/told", form)).status == 429


async def test_what_was_right_and_comes_too_late_is_no_try(browser: Browser) -> None:
    assert {(await browser.post("/told", {"status": "409"})).status for _ in range(30)} == {409}


async def test_success_does_not_count_as_a_try(browser: Browser) -> None:
    answers = {(await browser.post("/codes", {"code": "right"})).status for _ in range(50)}
    assert answers == {200}


# Files


async def test_files_of_pages_are_named_by_their_content(browser: Browser) -> None:
    page = (await browser.get("/nothing")).text
    path = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    shown = await browser.get(path)
    assert shown.headers["content-type"] == "text/css; charset=utf-8"
    assert shown.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (await browser.get("/static/web/portal.css?v=other")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/static/../__init__.py", "/static/web/../pages.py", "/static/web/", "/static/web/nothing.css"]
)
async def test_nothing_else_is_a_file(browser: Browser, path: str) -> None:
    assert (await browser.get(path)).status == 404


@pytest.mark.parametrize(
    ("roles", "asked", "shown"),
    [
        ((), None, True),
        ((), ("auditor",), False),
        (("auditor",), ("auditor", "other"), True),
        (("clerk",), ("auditor",), False),
    ],
)
def test_navigation_shows_officials_what_is_for_their_roles(
    roles: tuple[str, ...], asked: tuple[str, ...] | None, shown: bool
) -> None:
    entry = Entry("/x", Text("x", "x"), ("staff",), roles=asked)
    who = SignedIn("h1", Acting("p1"), "staff", "low", "acr", "directory", 0, roles=roles)
    assert entry.is_for(who) is shown


@pytest.mark.parametrize(
    ("roles", "shown"), [((), True), (("auditor",), False), (("auditor", "clerk"), True), (("clerk",), True)]
)
def test_what_is_not_for_who_has_one_role_alone_is_shown_to_who_has_another(
    roles: tuple[str, ...], shown: bool
) -> None:
    entry = Entry("/x", Text("x", "x"), ("staff",), without=("auditor",))
    assert (
        entry.is_for(SignedIn("h1", Acting("p1"), "staff", "low", "acr", "directory", 0, roles=roles))
        is shown
    )


@post("/letters", status_code=200)
async def letter(person: SignedIn, form: Form) -> dict[str, str]:
    """Something that somebody works on for a while."""
    return dict(form)


@get("/letters/new")
async def new_letter(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
    """The form of it: any page has a token."""
    raise Refused("form", Text("x.", "x."), Text("x", "x"), Text("x", "x"))


TYPED = {"subject": "Bezwaar <b>1</b>", "text": "Regel 1\r\nRegel 2 'x' \"y\""}


async def typed_too_late(browser: Browser, people: People, **other: str) -> Shown:
    """A form that was filled in while the session ended."""
    enter(browser, people, signed_in())
    token = await csrf(browser)
    del people.sessions["secret"]
    return await browser.post(
        "/letters", TYPED | {"csrf": token} | other, referer="https://portal.example/letters/new?to=1"
    )


@pytest.fixture
def writing(people: People) -> Browser:
    return Browser(portal(people, (*ROUTES, letter, new_letter)))


async def test_what_was_filled_in_while_a_session_ended_can_still_be_sent(
    writing: Browser, people: People
) -> None:
    shown = await typed_too_late(writing, people)
    assert (shown.status, shown.headers["location"]) == (303, "/sign-in?next=%2Funsent")
    people.sessions["new"] = signed_in(session="h2")
    writing.cookies[COOKIE] = "new"
    shown = await writing.get("/unsent")
    assert "<b>1</b>" not in shown.text
    assert 'href="/letters/new?to=1"' in shown.text
    form = shown.form("/letters")
    assert (await writing.send(form)).json == TYPED | {"csrf": form.fields["csrf"]}
    assert "Er wacht niets op u" in (await writing.get("/unsent")).text


async def test_what_was_filled_in_waits_where_another_tab_signed_out(
    writing: Browser, people: People
) -> None:
    enter(writing, people, signed_in())
    token = await csrf(writing)
    del people.sessions["secret"], writing.cookies[COOKIE]
    shown = await writing.post("/letters", TYPED | {"csrf": token})
    assert (shown.status, shown.headers["location"]) == (303, "/sign-in?next=%2Funsent")
    enter(writing, people, signed_in(session="h2"))
    assert "Regel 1" in (await writing.get("/unsent")).text


async def test_nobody_else_sees_what_was_filled_in(writing: Browser, people: People) -> None:
    await typed_too_late(writing, people)
    people.sessions["other"] = SignedIn("h2", Acting("p2"), "citizen", "low", "acr", "digid", 0)
    people.sessions["same"] = signed_in(session="h3")
    people.sessions["company"] = SignedIn(
        "h4", Acting("p1", "urn:nl:kvk:90000003"), "citizen", "low", "acr", "digid", 0
    )
    writing.cookies[COOKIE] = "other"
    assert "Regel 1" not in (await writing.get("/unsent")).text
    writing.cookies[COOKIE] = "company"
    shown = await writing.get("/unsent")
    assert ("Regel 1" in shown.text, "/choose?next=/unsent" in shown.text) == (False, True)
    elsewhere = Browser(writing.app)
    elsewhere.cookies[COOKIE] = "same"
    assert "Regel 1" not in (await elsewhere.get("/unsent")).text
    writing.cookies[COOKIE] = "same"
    assert "Regel 1" in (await writing.get("/unsent")).text


async def test_where_nobody_knows_whose_it_is_the_answer_itself_shows_it(
    writing: Browser, people: People
) -> None:
    writing.cookies[COOKIE] = "unknown"
    shown = await writing.post("/letters", TYPED | {"csrf": "x"})
    assert (shown.status, "Regel 1" in shown.text, "<b>1" in shown.text) == (401, True, False)
    assert "Wat u had ingevuld" in shown.text


@pytest.mark.parametrize(
    "headers", [{"sec_fetch_site": "cross-site"}, {"origin": "https://elsewhere.example"}]
)
async def test_a_form_of_another_site_is_neither_kept_nor_shown(
    writing: Browser, people: People, headers: dict[str, str]
) -> None:
    enter(writing, people, signed_in())
    token = await csrf(writing)
    del people.sessions["secret"]
    shown = await writing.post("/letters", TYPED | {"csrf": token}, **headers)
    assert (shown.status, "Regel 1" in shown.text) == (401, False)


async def test_a_form_with_a_token_of_another_session_is_not_kept(writing: Browser, people: People) -> None:
    shown = await typed_too_late(writing, people, csrf="x")
    assert (shown.status, "Regel 1" in shown.text) == (401, True)


def test_forms_that_wait_are_few_and_for_a_quarter_of_an_hour() -> None:
    now = [0.0]
    forms = Forms(lambda person: person.session, lambda: now[0])
    forms.seen(signed_in())
    for at in range(8):
        assert forms.keep("b", f"/{at}", {"csrf": signed_in().session, "a": "x"}, "/")
    assert [one.path for one in forms.of("b", signed_in())[0]] == ["/7", "/6", "/5", "/4", "/3"]
    now[0] = SECONDS
    assert forms.of("b", signed_in()) == ([], False)
    for at in range(1_200):
        who = SignedIn(f"h{at}", Acting(f"p{at}"), "citizen", "low", "acr", "digid", 0)
        forms.seen(who)
        forms.keep("b", "/", {"csrf": f"h{at}", "a": "x" * 60_000}, "/")
    assert sum(len(one.fields["a"]) for one in forms._waiting.values()) <= 17 * 1024 * 1024


async def test_who_asks_for_too_many_pages_at_once_waits(people: People) -> None:
    now = [0.0]
    pace = Pace((3, 1), (5, 2), lambda: now[0])
    app = make_portal(ROUTES, people, House("Dienst", True, NAVIGATION, pace=pace), b"s" * 32)
    browser, other = Browser(app), Browser(app)
    enter(browser, people, signed_in())
    assert [(await browser.get("/mine")).status for _ in range(5)] == [200, 200, 200, 429, 429]
    shown = await browser.get("/mine")
    assert ("Wacht 1 seconde" in shown.text, shown.headers["retry-after"]) == (True, "1")
    assert [(await other.get("/anyone")).status for _ in range(6)] == [200] * 5 + [
        429
    ]  # of the address, whoever is there
    assert (await browser.get("/static/web/portal.css")).status == 200
    now[0] = 1.0
    assert (await browser.get("/mine")).status == 200


async def test_what_takes_much_work_counts_for_more_of_who_is_not_signed_in(people: People) -> None:
    now = [0.0]

    @get("/search", opt={"weight": 4})
    async def search(visitor: SignedIn | None) -> str:
        return "found"

    pace = Pace((3, 1), (9, 2), lambda: now[0])
    app = make_portal([*ROUTES, search], people, House("Dienst", True, NAVIGATION, pace=pace), b"s" * 32)
    browser, other = Browser(app), Browser(app)
    enter(browser, people, signed_in())
    assert [(await other.get("/search")).status for _ in range(3)] == [200, 200, 429]
    assert [(await browser.get("/search")).status for _ in range(4)] == [200, 200, 200, 429]
    now[0] = 0.5
    assert (await other.get("/anyone")).status == 200  # an ordinary page needs less room
    now[0] = 2.5
    assert (await other.get("/search")).status == 200


def test_how_fast_somebody_asks_is_remembered_of_a_bounded_number() -> None:
    pace = Pace(clock=lambda: 0.0)
    for at in range(20_500):
        pace.take(f"192.0.2.{at}", known=False)
    assert len(pace._left) == 20_000
