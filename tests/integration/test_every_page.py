"""Every page there is, over a node in which every name that somebody else may choose is an attack (OWASP ASVS 5.0, chapters 1 and
3). A page that is new is looked at too, or the test says with which address it wants to be asked for."""

import asyncio
import re
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.browser import PAGE, Browser, Shown
from tests.integration.nodes import ASKER, OWNER, Federation, build, free_ports

from sluis.catalogue import CATALOGUE_FILE, DESCRIPTIONS, Contact, Cost, Description, Keywords, Prose, Whole
from sluis.grounds import (
    Activity,
    Article,
    Closed,
    Column,
    Dataset,
    Disclosure,
    EventType,
    Subject,
    render,
    render_tables,
)
from sluis.identity.sessions import Established
from sluis.kernel import Period, Text, Trace, milliseconds, new_span_id, new_trace_id, utc_now
from sluis.ledger import ACTIVITY, PROCESSOR, SUBJECT, SUBJECT_TYPE, Processing
from sluis.policy import Occasion, consultation
from sluis.serve import Node
from sluis.web import COOKIE

ORIGIN = "https://localhost:8470"
HOSTILE = """'"><b-hostile onclick="alert(1)">x</b-hostile><script>alert(2)</script>{{7*7}}&#60;"""
BOTH = Text(f"nl {HOSTILE}", f"en {HOSTILE}")
PROSE = Prose(BOTH.nl, BOTH.en)
LAW = Article(f"Wet {HOSTILE}", f"1 {HOSTILE}")
BSN = "999990019"
ACTIVITY_ID = "https://vijand.example/verwerkingen/gevaar"
ROLES = (
    "medewerker", "privacy-officer", "auditor", "data-owner", "fsc-admin", "event-admin", "access-admin", "people-admin",
)  # fmt: skip

LEFT_OUT = (
    "/oauth/",
    "/.well-known/",
    "/access/",
    "/representation/",
    "/sign-in/",
    "/language/",
    "/static/",
    "/still-here",
)
"""Where programs ask, or a browser is sent on to another site."""

MISSING = {
    "/usage/{number}",
    "/catalogue/api/{owner}/{name}",
    "/ask/answers/{handle}",
    "/ask/answers/{handle}/receipts",
    "/ask/answers/{handle}/receipts/{number}",
    "/ask/answers/{handle}/state",
    "/ask/saved/{id}",
    "/catalogue/of/{owner}",
    "/contracts/{hash}",
    "/contracts/{hash}/{act}",
    "/deliveries/{id}",
    "/deliveries/{id}/{act}",
    "/doctor/walk/{handle}",
    "/mandates/{number}",
    "/oversight/unusual/{id}",
    "/peers/{oin}",
}
"""Pages of one thing that this node does not have, and so no other page leads to; their own tests look at them."""

MOST = 4  # addresses of one page


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.links: list[str] = []
        self.title = self.heading = ""
        self._form: str | None = None
        self._within = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._within = tag
        if "-" in tag:
            self.wrong.append(f"an element that a name brought: {tag}")
        self.wrong += [f"<{tag} {name}>" for name in given if name.startswith("on") or name == "style"]
        if tag == "style" or (tag == "script" and not (given.get("src") or "").startswith("/static/")):
            self.wrong.append(f"<{tag}> within the page")
        href = given.get("href") or ""
        if tag == "a" and href.startswith("/") and not href.startswith(LEFT_OUT):
            self.links.append(href.partition("#")[0])
        for name in ("href", "src", "action"):
            address = given.get(name)
            if address and not address.startswith(("/", "#", "?", "https://", "mailto:")):
                self.wrong.append(f"{name}={address}")
        if tag == "form" and (given.get("method") or "get").lower() == "post":
            self._form = given.get("action") or ""
        if tag == "input" and given.get("name") == "csrf":
            self._form = None

    def handle_endtag(self, tag: str) -> None:
        self._within = ""
        if tag == "form" and self._form is not None:
            self.wrong.append(f"a form without its token: {self._form}")
            self._form = None

    def handle_data(self, data: str) -> None:
        if self._within == "title":
            self.title += data
        if self._within == "h1":
            self.heading += data


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    federation = Federation(tmp_path_factory.mktemp("pages"), group=True)
    directory = federation.asker
    _rename(directory / "node.toml")
    _write(directory)
    made = build(directory)
    asyncio.run(_log(made))
    yield made
    asyncio.run(made.stop())


async def test_no_page_lets_through_what_others_named(node: Node) -> None:
    shown = {address: page async for address, page in _pages(node, "nl")}
    wrong = {address: found for address, page in shown.items() if (found := Page(page.text).wrong)}
    assert wrong == {}
    assert sum("b-hostile" in page.text for page in shown.values()) > 5  # it did come so far


async def test_every_page_has_one_heading_in_the_language_that_was_asked_for(node: Node) -> None:
    async for address, shown in _pages(node, "en"):
        assert '<html lang="en"' in shown.text, address
        assert len(re.findall("<h1", shown.text)) == 1, address
        assert not re.search(r"(?<![\w-])\d{9}(?![\w-])", address + Page(shown.text).title), address


async def test_every_page_says_what_it_may_load_and_is_kept_by_nobody(node: Node) -> None:
    async for address, shown in _pages(node, "nl"):
        assert shown.headers["content-security-policy"].startswith("default-src 'none'"), address
        assert "unsafe" not in shown.headers["content-security-policy"], address
        assert shown.headers["cache-control"] == "no-store", address


async def _pages(node: Node, language: str) -> Any:
    """Every page with its address, as somebody sees it for whom its route is; of those that lead on, where that ends. Pages of
    one thing are found as people find them: by a link."""
    assert node.portal is not None
    seen: dict[str, set[str]] = {}
    for audience in ("citizen", "company", "staff"):
        routes = {path: handler for method, path, handler in node.portal.app.routes if method == "GET"}
        mine = [
            path
            for path, handler in routes.items()
            if audience in (handler.opt.get("audience") or ("citizen",)) and not path.startswith(LEFT_OUT)
        ]
        browser = await _somebody(node, audience, language)
        waiting = [path for path in mine if "{" not in path]
        while waiting:
            address = waiting.pop()
            route = next((one for one in mine if _pattern(one).fullmatch(address.partition("?")[0])), None)
            known = seen.setdefault(route or "", set())
            if route is None or address in known or len(known) >= MOST:
                continue
            known.add(address)
            shown = await browser.follow(address)
            assert shown.status < 500, (address, shown.text[:500])
            if shown.headers.get("content-type", "").startswith("text/html"):
                waiting += Page(shown.text).links
                yield address, shown
        unseen = {path for path in mine if "{" in path and path not in seen}
        assert unseen <= MISSING, "no page leads to these"


def _pattern(route: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route)))


class Somebody(Browser):
    """A browser of somebody who signed in."""

    async def follow(self, address: str) -> Shown:
        """A page, or where it leads on to."""
        shown = await self.get(address, accept=PAGE)
        if shown.status == 303 and shown.headers["location"].startswith("/"):
            return await self.get(shown.headers["location"], accept=PAGE)
        return shown


async def _somebody(node: Node, audience: str, language: str) -> Somebody:
    assert node.portal is not None
    assert node.parts.identity is not None
    kinds: Any = {"citizen": ("BSN", BSN), "company": ("pseudonym", "x"), "staff": ("staff", "alles")}
    kind, value = kinds[audience]
    who: Any = audience
    established = Established(
        "digid", who, kind, value, "high", "http://eidas.europa.eu/LoA/high", int(utc_now().timestamp()), "https://id.example",
        name=HOSTILE, roles=ROLES if audience == "staff" else (),
    )  # fmt: skip
    sessions = node.parts.identity.sessions
    secret, begun = await sessions.begin(established)
    if audience == "company":
        secret, _ = await sessions.act_for(begun.session, "urn:nld:kvk:99900001", HOSTILE)
    browser = Somebody(node.portal.app, ORIGIN, language=language)
    browser.cookies[COOKIE] = secret
    return browser


def _rename(file: Path) -> None:
    """Names that others choose, as an attack; and a portal."""
    port, machine_port = free_ports(2)
    text = file.read_text()
    text = text.replace(
        'name = "uwv (fictief)"', f"name = {render_tables({'x': HOSTILE}).partition('= ')[2].strip()}"
    )
    more = {
        "portal": {"address": ORIGIN, "port": port, "machine_port": machine_port},
        "signin": {
            "medewerkers": {"issuer": "https://id.example", "client": "x", "audience": "staff", "title": HOSTILE},
        },
        "people": {"alles": {"signin": "medewerkers:alles", "roles": list(ROLES)}},
        "sources": {"register": {"url": f"sqlite:///{file.parent / 'register.db'}"}},
    }  # fmt: skip
    file.write_text(text + "\n" + render_tables(more))
    file.chmod(0o600)


def _write(directory: Path) -> None:
    columns = tuple(Column(name, "VARCHAR", title=BOTH) for name in ("bsn", "soort", "bedrag"))
    whole = Whole(
        title=PROSE, description=PROSE, publisher="https://vijand.example/id", contact=Contact(HOSTILE, "balie@vijand.example"),
        themes=("GOVE",), access=PROSE,
    )  # fmt: skip
    one = Description(
        "dataset", "gevaar", published=True, description=PROSE, keywords=Keywords((HOSTILE,), (HOSTILE,)), themes=("SOCI",),
        cost=Cost("free", note=PROSE), articles=(LAW,),
    )  # fmt: skip
    valid = Period(date(2025, 1, 1))
    disclosure = Disclosure(
        id="opening", version=1, dataset="gevaar", recipient=OWNER, activity=ACTIVITY_ID,
        columns={"bsn": "output", "soort": "output"}, articles=(LAW,), ground="public-task", controller=ASKER, valid=valid,
        closed=(Closed(("bedrag",), BOTH, LAW),),
    )  # fmt: skip
    items: dict[str, Any] = {
        "datasets/gevaar": Dataset("gevaar", BOTH, "register", "gevaar", columns, subject=Subject("bsn", "BSN")),
        "activities/gevaar": Activity(
            ACTIVITY_ID, BOTH, BOTH, ASKER, "public-task", (LAW,), valid, subjects=(HOSTILE,)
        ),
        "disclosures/opening": disclosure,
        "event-types/gevaar": EventType("nl.vijand.gevaar", BOTH, BOTH, subject="BSN"),
    }  # fmt: skip
    for name, item in items.items():
        file = directory / f"{name}.toml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(render(item))
    (directory / CATALOGUE_FILE).write_text(render_tables(msgspec.to_builtins(whole)))
    (directory / DESCRIPTIONS).mkdir()
    (directory / DESCRIPTIONS / "gevaar.toml").write_text(render_tables(msgspec.to_builtins(one)))


async def _log(node: Node) -> None:
    """What somebody looked up, under names of their own choosing; and a decision about it."""
    ledger, now = node.parts.ledger, utc_now()
    at, trace = milliseconds(now), new_trace_id()
    attributes = {
        ACTIVITY: ACTIVITY_ID, SUBJECT: ledger.subject("BSN", BSN, now), SUBJECT_TYPE: "BSN",
        PROCESSOR: f"https://elders.example/{HOSTILE}",
    }  # fmt: skip
    line = Processing(
        trace, new_span_id(), f"Raadpleging {HOSTILE}", "Ok", at, at + 1, new_span_id(), attributes
    )
    evaluation = consultation(
        OWNER, HOSTILE, HOSTILE, ACTIVITY_ID, "gemeente.gevaar", agreed=None, level=None,
        context={"case": HOSTILE, "traceparent": f"00-{trace}-{new_span_id()}-01"},
    )  # fmt: skip
    point = node.parts.point
    decision = point.record(
        evaluation, point.decide(evaluation, now), Occasion(Trace(trace, new_span_id()), now)
    )
    await ledger.append([line, decision])
    await ledger.checkpoint()
    await node.parts.oversight.catch_up()
