"""Every page there is, over a node in which every name that somebody else may choose is an attack (OWASP ASVS 5.0, chapters 1 and
3). A page that is new is looked at too, or the test says with which address it wants to be asked for."""

import asyncio
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.integration.hostile import hostile_node, somebody

from sluis.serve import Node

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
    "/usage/{number}/print",
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
    made = asyncio.run(hostile_node(tmp_path_factory.mktemp("pages")))
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


@pytest.mark.postgres
async def test_every_page_is_there_over_postgresql(tmp_path: Path, empty_postgres: str) -> None:
    node = await hostile_node(tmp_path, empty_postgres)
    try:
        shown = {address: page async for address, page in _pages(node, "nl")}
        assert sum(page.status == 200 for page in shown.values()) > len(shown) / 2
        assert "b-hostile" in shown["/oversight/decisions"].text  # the summary did come so far
    finally:
        await node.stop()


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
        browser = await somebody(node, audience, language)
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
