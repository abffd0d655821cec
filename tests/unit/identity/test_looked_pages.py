"""Who looked, as a page: a part at a time, by period and organisation, with who asked whom; and it comes, whoever hangs."""

import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Request, Response, get
from tests.browser import Browser
from tests.unit.grounds.examples import activity, dataset, disclosure
from tests.unit.identity.logs import ANN, MS, Group, peer
from tests.unit.identity.people import established

from sluis.crypto import FileKeyStore
from sluis.grounds import Article, Grounds, Withhold
from sluis.identity.looked import NAVIGATION, Bounds, page_routes
from sluis.identity.looked.model import Asker, Look
from sluis.identity.looked.rules import chain_of, withholding
from sluis.identity.sessions import SigningIn, open_sessions
from sluis.kernel import Text, new_trace_id
from sluis.ledger import Decision, Line
from sluis.web import House, SignedIn, make_portal

DAY = 86_400_000
HIDDEN = "<script>alert(1)</script>"


class Pages:
    """A portal with these pages at the first of a group."""

    def __init__(self, group: Group, folder: Path, bounds: Bounds | None = None) -> None:
        self.group, node = group, group.nodes[0]
        self.over = group.over(0, bounds)
        self.sessions = open_sessions(node.store, FileKeyStore(folder / "keys"), group.clock)
        signing_in = SigningIn(self.sessions, self._choices)
        self.who = established(value=ANN[1], at=int(group.now.timestamp()))

        @get("/way")
        async def way(visitor: SignedIn | None, request: Request[Any, Any, Any]) -> Response[Any]:
            """Sign in."""
            return await signing_in.finish(self.who, request, "/")

        handlers = [*page_routes(self.over, self.whose, lambda person, whom: group.asserting()), way]
        self.app = make_portal(handlers, self, House("Gemeente (fictief)", True, NAVIGATION), b"s" * 32)

    async def whose(self, person: SignedIn, action: str) -> tuple[str, str]:
        return ANN

    def by_cookie(self, secret: str) -> SignedIn | None:
        return self.sessions.by_cookie(secret)

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        return None

    async def _choices(self, signed_in: SignedIn) -> list[Any]:
        return []

    async def enter(self, language: str = "nl") -> Browser:
        browser = Browser(self.app, language=language)
        await browser.get("/way")
        return browser


@pytest.fixture
async def portal(tmp_path: Path) -> AsyncIterator[Pages]:
    group = Group(tmp_path, 3)
    yield Pages(group, tmp_path / "portal")
    group.closing.close()


async def asks(group: Group, at: int = MS, chain: tuple[int, ...] = (0, 1), **more: Any) -> str:
    """A question that went from one organisation to the next."""
    trace = new_trace_id()
    before = None
    for here, there in zip(chain, (*chain[1:], None), strict=True):
        by = {} if before is None else {"by": group.nodes[before].url}
        to = {} if there is None else {"to": group.nodes[there].url, "by": group.nodes[there].url}
        await group.nodes[here].log(trace, ANN, at=at, **{**by, **to}, **more)
        before = here
    return trace


async def test_who_asked_whom_stands_as_a_tree_with_the_law_to_read(portal: Pages) -> None:
    await asks(portal.group, chain=(0, 1, 2))
    shown = (await (await portal.enter()).get("/looked")).text
    parts = shown.partition('<ul class="chain">')[2].partition("</dl>")[0]
    places = [parts.index(f"Organisatie {number}") for number in range(3)]
    assert places == sorted(places)
    assert parts.count("<ul>") == 2
    for told in ("Recht vaststellen.", "Participatiewet, art. 53a", "1 juni 2026", "Staat hier alles?"):
        assert told in shown
    assert ANN[1] not in shown


async def test_what_another_log_says_in_dutch_alone_is_marked_as_dutch(portal: Pages) -> None:
    """WCAG 2.2, 3.1.2: a screen reader reads it in its own language."""
    await asks(portal.group)
    shown = (await (await portal.enter("en")).get("/looked")).text
    assert re.findall(r'<bdi lang="nl">Raadpleging bij [^<]+</bdi>', shown)
    assert "<bdi>Raadpleging" not in shown


async def test_years_of_lines_come_a_page_at_a_time_and_only_those_of_the_page_are_followed(
    portal: Pages,
) -> None:
    for number in reversed(range(23)):
        await asks(portal.group, at=MS - number * DAY)
    browser = await portal.enter()
    first = await browser.get("/looked")
    assert (first.text.count('<li class="look">'), "23 keer" in first.text) == (10, True)
    assert len(portal.group.asked) == 10
    last = await browser.get("/looked?page=3")
    assert (last.text.count('<li class="look">'), "10 mei 2026" in last.text) == (3, True)
    assert (await browser.get("/looked?page=99999")).text.count('<li class="look">') == 3


async def test_a_period_and_an_organisation_can_be_chosen(portal: Pages) -> None:
    await asks(portal.group, chain=(0, 1))
    await asks(portal.group, chain=(0, 2))
    await asks(portal.group, at=MS - 40 * DAY, chain=(0, 2))
    browser = await portal.enter("en")
    for query, many in (
        ("organisation=Organisatie+2", 2), ("organisation=Organisatie+1", 1), ("organisation=Niemand", 0), ("since=2026-06-01", 2),
        ("until=2026-05-01", 1), ("since=2026-06-01&organisation=Organisatie+2", 1), ("since=gisteren", 3),
        ("until=9999-12-31", 3), ("since=0001-01-01", 3),
    ):  # fmt: skip
        shown = await browser.get(f"/looked?{query}")
        assert (query, shown.text.count('<li class="look">')) == (query, many)
    assert "Nothing found" in (await browser.get("/looked?until=2001-01-01")).text


async def test_it_can_be_taken_along(portal: Pages) -> None:
    await asks(portal.group)
    browser = await portal.enter()
    csv = await browser.get("/looked?as=csv")
    assert "Organisatie 0, Organisatie 1" in csv.text
    assert 'filename="wie-keek-er.csv"' in csv.headers["content-disposition"]
    assert "Recht vaststellen." in json.dumps(json.loads((await browser.get("/looked?as=json")).body))


async def test_a_page_comes_with_the_gap_marked_while_an_organisation_hangs(
    portal: Pages, tmp_path: Path
) -> None:
    hanging = Pages(portal.group, tmp_path / "other", Bounds(each=0.05, seconds=0.1))
    await asks(portal.group)
    portal.group.slow[peer(1)] = 30
    began = time.monotonic()
    shown = (await (await hanging.enter()).get("/looked")).text
    assert time.monotonic() - began < 5
    for told in ("Niet alles is er", "Organisatie 1", "gaf nu geen antwoord", "Probeer het opnieuw"):
        assert told in shown


async def test_what_others_wrote_is_text(portal: Pages) -> None:
    await asks(portal.group)
    trace = await asks(portal.group, at=MS + 5)
    portal.group.lies[peer(1)] = [
        Line(trace, "a" * 16, HIDDEN, "Ok", MS, MS, {"dpl.core.processing_activity_id": HIDDEN})
    ]
    shown = (await (await portal.enter()).get("/looked")).text
    assert HIDDEN not in shown


async def test_nothing_says_that_something_is_withheld_from_this_person(portal: Pages) -> None:
    browser = await portal.enter()
    before = (await browser.get("/looked")).text
    await asks(portal.group, withheld=True)
    assert (await browser.get("/looked")).text == before


def test_on_what_ground_an_organisation_withholds_is_told_to_everybody() -> None:
    rule = Withhold(Article("UAVG", "41", "BWBR0040940"), 30)
    found = withholding(
        Grounds((dataset(),), (activity(),), (disclosure(withhold=rule), disclosure(id="other")))
    )
    assert [str(one.article) for one in found] == ["UAVG, art. 41"]


def line(organisation: str, other: str | None, asked: bool, *data: str) -> Look:
    said = tuple(Text(one, one) for one in data)
    return Look(organisation, "Raadpleging", "a", 1, "t", other=other, data=said, asked=asked)


def test_a_chain_begins_with_who_asked_and_a_circle_ends() -> None:
    told, guessed = (Text("Raadpleging", "Raadpleging"),), (Text("x", "x"),)
    lines = [line("A", "B", True), line("A", "D", True, "x"), line("B", "A", False), line("B", "C", True)]
    whole = (Asker("A", (), (Asker("B", told, (Asker("C"),)), Asker("D", guessed))),)
    assert chain_of(lines) == whole
    assert chain_of([line("A", "B", True), line("B", "A", True)]) == (Asker("A", (), (Asker("B"),)),)
    assert chain_of([line("B", "A", False)]) == (Asker("A", (), (Asker("B", told),)),)
    assert chain_of([line("A", None, False)]) == (Asker("A", told),)


async def test_decisions_of_several_traces_are_those_of_each(portal: Pages) -> None:
    log, traces = portal.group.nodes[0].ledger, [new_trace_id() for _ in range(60)]
    made = [
        Decision(trace, f"{1 + n:016x}", "adl.access_evaluation", MS, "Ok")
        for number, trace in enumerate(traces)
        for n in range(number % 3)
    ]
    await log.append(made)
    found = log.log.decisions_of(traces)
    assert found == {one: [each for _, each in log.log.decisions(one)] for one in traces}
    assert sum(map(len, found.values())) == 60
