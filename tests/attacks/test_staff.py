"""Staff who mean harm, at the pages of their own organisation: with every role there is, and names that others chose as attacks.

What they look at changes nothing; what changes something takes a form of the portal itself; and what they take along does nothing in
the spreadsheet of who opens it (CWE-352, CWE-650, CWE-1236; OWASP ASVS 5.0, 1.2.10, 3.5 and 8.2).
"""

import asyncio
import csv
import io
import re
from collections.abc import Iterator

import pytest
from tests.browser import PAGE
from tests.integration.hostile import ROLES, hostile_node, somebody

from sluis.kernel import decode
from sluis.serve import Node

NOTHING = "0" * 32
"""Names nothing that this node has."""

TAKES_NO_FORM = frozenset(("/oauth/", "/v1/"))
FORMULA = re.compile(r"^[=+\-@|\t\r＝＋－＠]")
AMOUNT = re.compile(r"-?[\d.,]+")

OPEN = {
    "medewerker": ("/",),
    "privacy-officer": ("/deliveries", "/oversight", "/oversight/decisions", "/oversight/log", "/oversight/unusual", "/register"),
    "auditor": ("/oversight", "/oversight/decisions", "/oversight/log", "/oversight/unusual", "/register"),
    "data-owner": ("/data", "/data/disclosures", "/data/preview", "/data/use", "/data/sources", "/usage", "/contracts"),
    "fsc-admin": ("/peers", "/certificates", "/contracts", "/doctor", "/map", "/traffic", "/usage"),
    "event-admin": ("/deliveries",),
}  # fmt: skip
"""Pages of oversight, owning, usage and the gateway, by the role that opens them."""

CLOSED = frozenset(page for some in OPEN.values() for page in some) - {"/"}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    made = asyncio.run(hostile_node(tmp_path_factory.mktemp("staff")))
    yield made
    asyncio.run(made.stop())


def pages(node: Node, method: str = "GET") -> list[str]:
    """Addresses of staff, each place in them filled with what is not there."""
    assert node.portal is not None
    return [
        re.sub(r"\{\w+\}", NOTHING, path)
        for each, path, handler in node.portal.app.routes
        if each == method
        and "staff" in (handler.opt.get("audience") or ())
        and not handler.opt.get("cross_site")
        and not path.startswith(tuple(TAKES_NO_FORM))
    ]


def changes(node: Node, since: int) -> list[bytes]:
    """Records after a place of what somebody changed: neither decisions nor what passed."""
    log = node.parts.ledger.log
    written = [log.stored(index).json or b"{}" for index in range(since, log.size())]
    assert written
    return [raw for raw in written if decode(raw, dict).get("kind") not in ("decision", "processing")]


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_opens_its_own_pages_and_no_others(node: Node, role: str) -> None:
    browser = await somebody(node, "staff", "nl", (role,))
    shown = {path: (await browser.get(path, accept=PAGE)).status for path in sorted(CLOSED)}
    assert {path for path, status in shown.items() if status == 200} == CLOSED & set(OPEN.get(role, ()))
    assert set(shown.values()) <= {200, 403}


async def test_looking_changes_nothing(node: Node) -> None:
    browser = await somebody(node, "staff", "nl")
    before = node.parts.ledger.log.size()
    acts = [f"/contracts/{NOTHING}/{act}" for act in ("accept", "sign", "reject", "revoke", "delete")]
    acts += [f"/deliveries/{NOTHING}/{act}?first=1&last=9" for act in ("replay", "give-up", "delete")]
    for path in [*pages(node), *acts, *pages(node, "POST")]:  # also what takes a form, asked for as a page
        assert (await browser.get(path, accept=PAGE)).status in (200, 303, 400, 403, 404, 405, 410), path
    assert changes(node, before) == []


async def test_whatever_changes_something_takes_a_form_of_this_portal(node: Node) -> None:
    browser = await somebody(node, "staff", "nl")
    before = node.parts.ledger.log.size()
    taken = pages(node, "POST")
    assert len(taken) > 20
    for path in taken:
        bare = await browser.post(path, {"reason": "x", "outcome": "agreed"})
        foreign = await browser.post(
            path, {"csrf": "x"}, origin="https://evil.example", sec_fetch_site="cross-site"
        )
        assert (bare.status, foreign.status) == (403, 403), path
    assert changes(node, before) == []


async def test_nothing_that_is_taken_along_is_a_formula(node: Node) -> None:
    browser = await somebody(node, "staff", "nl")
    attacked, documents = 0, 0
    for path in pages(node):
        shown = await browser.get(f"{path}?as=csv", accept=PAGE)
        if not shown.headers.get("content-type", "").startswith("text/csv"):
            continue
        documents += 1
        for row in csv.reader(io.StringIO(shown.text.removeprefix("\ufeff")), delimiter=";"):
            attacked += sum("b-hostile" in cell for cell in row)
            harmful = [cell for cell in row if FORMULA.match(cell) and not AMOUNT.fullmatch(cell)]
            assert harmful == [], path
    assert documents > 5
    assert attacked > 3
