"""Addresses that somebody made up: of things that are not there or another's, and with parameters that no page gives. A page says
that it does not know them; it never breaks, whatever database lies below it (OWASP ASVS 5.0, 2.2 and 16.5)."""

import asyncio
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from tests.browser import PAGE, Browser
from tests.integration.hostile import hostile_node, somebody

from sluis.serve import Node

NAMES = (
    "sort", "page", "after", "as", "since", "until", "before", "rule", "peer", "activity", "outcome", "kind", "state", "month",
    "days", "by", "dataset", "disclosure", "section", "part", "count", "first", "last", "entry", "number", "from", "to", "q", "of",
)  # fmt: skip
"""Of parameters, as far as any page knows them."""

VALUES = ("%00", "%27%22--", "-1", "9" * 400, "%D9%A3", "%FF%FE", "1e9", "-total%3BDROP", "2026-99-99", "0")
"""NUL, quotes, numbers that are none or too large, digits of other scripts, bytes that are no UTF-8, and more of what is no answer."""

PLACES = ("%00", "..%2f..%2fnode.toml", "'%22--", "9" * 60, "-1", "%D9%A3", "%FF", "a" * 3000)
"""What stands for a thing of its own in an address."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Node]:
    store = "" if request.param == "sqlite" else request.getfixturevalue("empty_postgres")
    made = asyncio.run(hostile_node(tmp_path, store))
    yield made
    asyncio.run(made.stop())


async def test_no_forged_address_breaks_a_page(node: Node) -> None:
    assert node.portal is not None
    browser = await somebody(node, "staff", "nl")
    staff = [
        path for method, path, handler in node.portal.app.routes
        if method == "GET" and "staff" in (handler.opt.get("audience") or ())
    ]  # fmt: skip
    forged = [re.sub(r"\{\w+\}", place, path) for path, place in product(staff, PLACES) if "{" in path]
    every = ["&".join(f"{name}={value}" for name in NAMES) for value in VALUES]
    forged += [f"{path}?{query}" for path, query in product(staff, every) if "{" not in path]
    assert len(forged) > 100
    broken = {}
    for address in forged:
        shown = await browser.get(address, accept=PAGE)
        if shown.status >= 500:
            broken[address] = (shown.status, shown.text[:300])
    assert broken == {}


async def test_no_forged_address_breaks_a_page_that_anybody_may_see(node: Node) -> None:
    """With a NUL in what names an entry of another organisation, everybody got an error of the node over PostgreSQL."""
    assert node.portal is not None
    browser = Browser(node.portal.app)
    others = [
        path
        for method, path, handler in node.portal.app.routes
        if method == "GET" and handler.opt["callers"] != "people"
    ]
    known = [str.__str__(one) for one in (*node.parts.harvester._peers, node.config.node.oin)]
    paths = {path.replace("{owner}", owner) for path, owner in product(others, known)}
    every = ["&".join(f"{name}={value}" for name in (*NAMES, "next", "way", "id")) for value in VALUES]
    broken = {}
    for path, query in product(sorted(paths), every):
        shown = await browser.get(f"{re.sub(r'{[^}]+}', 'x', path)}?{query}", accept=PAGE)
        if shown.status >= 500:
            broken[path, query[:20]] = (shown.status, shown.text[:300])
    assert broken == {}
