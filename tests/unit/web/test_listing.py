"""Long tables: what an address may ask, the addresses that keep it, pages, what people take with them, and how it is shown."""

import asyncio
import gc
import json
import re
import time
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import ChoiceLoader, DictLoader
from litestar import Request, Response, get
from tests.browser import Browser

from sluis.kernel import Text
from sluis.web import (
    MOST_EXPORTED,
    Asked,
    Cell,
    Chart,
    Column,
    Entry,
    House,
    Listing,
    Row,
    SignedIn,
    arranged,
    asked_in,
    export,
    make_portal,
    page,
    setting_of,
)
from sluis.web.exports import csv_pieces, json_pieces
from sluis.web.listing import read_asked
from sluis.web.notation import amount, bsn, day, moment, number
from sluis.web.pages import _environment

COLUMNS = (
    Column("name", Text("Naam", "Name"), sort=True, filter=True, foreign=True),
    Column("state", Text("Staat", "State"), filter=True, choices=(("on", Text("aan", "on")), ("off", Text("uit", "off")))),
    Column("cost", Text("Kosten", "Cost"), sort=True, align="end", kind="amount"),
    Column("since", Text("Sinds", "Since"), sort=True, kind="day"),
)  # fmt: skip
STATES = ("on", "off")
ROWS = tuple(
    Row((f"Bron {at:02}", STATES[at % 2], at * 1050, date(2026, 1, 1 + at % 28) if at else None))
    for at in range(60)
)
CAPTION = Text("Bronnen", "Sources")


def asked(query: str = "", **other: Any) -> Asked:
    pairs = [(one.partition("=")[0], one.partition("=")[2]) for one in query.split("&") if one]
    return read_asked("/sources", pairs, COLUMNS, **other)


def names(listing: Listing) -> list[Any]:
    return [row.cells[0] for row in listing.rows]


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=-1", "page=x", "page=٣", "page=1000000000", "sort=state", "sort=secret", "state=other", "as=xml",
     "after=é", "after=" + "a" * 301, "name= ", "unknown=1"],
)  # fmt: skip
def test_what_is_unknown_or_too_much_counts_as_not_asked(query: str) -> None:
    assert asked(query) == asked()


def test_a_text_is_cut_and_a_page_bounded() -> None:
    assert asked("name=" + "a" * 500).filters == {"name": "a" * 100}
    assert asked("page=999999").page == 10_000


@given(
    st.lists(
        st.tuples(st.sampled_from(["page", "sort", "after", "as", "name", "state", "x"]), st.text()),
        max_size=8,
    )
)
def test_no_address_does_harm(pairs: list[tuple[str, str]]) -> None:
    found = read_asked("/sources", pairs, COLUMNS, keep=("x",))
    listing = arranged(CAPTION, COLUMNS, ROWS, found, "nl")
    assert len(listing.rows) <= (60 if found.form else 25)
    assert all(address.startswith("/sources") for address in (listing.next, listing.previous) if address)


def test_addresses_keep_what_else_was_asked() -> None:
    one = asked("name=bron&sort=-cost&page=2&for=me", keep=("for",))
    assert one.address(page="3") == "/sources?for=me&sort=-cost&name=bron&page=3"
    assert one.turned(COLUMNS[2]) == "/sources?for=me&sort=cost&name=bron"
    assert one.turned(COLUMNS[0]) == "/sources?for=me&sort=name&name=bron"
    assert one.bare() == "/sources?for=me&sort=-cost"
    assert asked("a.sort=cost", prefix="a.").address(page="2") == "/sources?a.sort=cost&a.page=2"


def test_a_column_cannot_have_the_name_of_something_else() -> None:
    with pytest.raises(ValueError, match="page"):
        read_asked("/", [], [Column("page", CAPTION)])


def test_a_table_is_filtered_sorted_and_cut() -> None:
    first = arranged(CAPTION, COLUMNS, ROWS, asked("sort=-cost&state=on"), "nl")
    assert (names(first)[:2], len(first.rows), first.total, first.pages) == (
        ["Bron 58", "Bron 56"],
        25,
        30,
        2,
    )
    second = arranged(CAPTION, COLUMNS, ROWS, asked("sort=-cost&state=on&page=2"), "nl")
    assert (names(second)[-1], second.next, second.previous) == (
        "Bron 00",
        "",
        "/sources?sort=-cost&state=on",
    )
    assert names(arranged(CAPTION, COLUMNS, ROWS, asked("name=BRON 07"), "nl")) == ["Bron 07"]
    assert names(arranged(CAPTION, COLUMNS, ROWS, asked("sort=since"), "nl"))[0] == "Bron 00"  # it has none
    assert arranged(CAPTION, COLUMNS, ROWS, asked("page=99"), "nl").asked.page == 3
    assert len(arranged(CAPTION, COLUMNS, ROWS, asked("as=csv"), "nl").rows) == 60


def test_a_table_without_end_says_where_the_next_page_begins() -> None:
    first = Listing(CAPTION, COLUMNS, ROWS[:25], asked("name=b"), more="17")
    assert (first.next, first.previous) == ("/sources?name=b&after=17", "")
    last = Listing(CAPTION, COLUMNS, ROWS[:3], asked("name=b&after=17"))
    assert (last.next, last.previous) == ("", "/sources?name=b")


def test_csv_opens_in_a_spreadsheet_and_runs_nothing_there() -> None:
    evil = [
        Row((text, None, -150, date(2026, 11, 22)))
        for text in ('=1+1;"x"', "+1", "-1", "@a", "\tx", "|cmd", "＝1+1")
    ]
    lines = b"".join(csv_pieces(COLUMNS, iter(evil), "nl")).decode("utf-8").split("\r\n")
    assert lines[0] == "\ufeffNaam;Staat;Kosten;Sinds"
    assert lines[1] == '"\'=1+1;""x""";;-1,50;2026-11-22'
    assert all(line.lstrip('"')[0] == "'" for line in lines[1:8])


def test_json_has_values_by_the_names_of_columns() -> None:
    columns = (*COLUMNS[:3], Column("at", CAPTION, kind="moment"), Column("who", CAPTION, kind="masked"))
    row = Row((Cell("a", href="/a"), Text("aan", "on"), 5, datetime(2026, 1, 1, tzinfo=UTC), "999990019"))
    assert json.loads(b"".join(json_pieces(columns, iter([row]), "en"))) == {
        "rows": [
            {
                "name": "a",
                "state": "on",
                "cost": "0.05",
                "at": "2026-01-01T01:00:00+01:00",
                "who": "••••.••.019",
            }
        ],
        "complete": True,
    }


async def test_a_document_ends_somewhere_and_says_so() -> None:
    endless = (Row((str(at), None, None, None)) for at in range(10**9))
    told = json.loads(b"".join(json_pieces(COLUMNS, endless, "nl")))
    assert (len(told["rows"]), told["complete"]) == (MOST_EXPORTED, False)
    endless = (Row((str(at), None, None, None)) for at in range(10**9))
    assert b"".join(csv_pieces(COLUMNS, endless, "nl")).count(b"\r\n") == MOST_EXPORTED + 1
    assert json.loads(b"".join(json_pieces(COLUMNS, iter(()), "nl"))) == {"rows": [], "complete": True}
    with pytest.raises(ValueError, match="a file cannot be called"):
        await export(Listing(CAPTION, COLUMNS, (), asked("as=json")), 'x"; y', "nl")


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_a_large_document_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """What counts is the time that this thread works between two turns of somebody else: others may use the machine too."""
    words = Text("een langere tekst, zoals er in een tabel staat", "a longer text, as tables have them")
    rows = tuple(Row((f"naam {at}", words, at, date(2026, 1, 1))) for at in range(MOST_EXPORTED))
    browser = Browser(Tables(monkeypatch, rows).app)
    gc.collect()
    gc.disable()  # looking through what all other tests left in this process is no part of it
    turns = [time.thread_time()]

    async def somebody_else() -> None:
        while True:
            await asyncio.sleep(0)
            turns.append(time.thread_time())

    other = asyncio.create_task(somebody_else())
    try:
        answer = await browser.get(f"/sources?as={form}")
    finally:
        gc.enable()
        other.cancel()
    assert answer.status == 200
    assert answer.text.count("naam ") == MOST_EXPORTED
    assert max(later - earlier for earlier, later in pairwise(turns)) < 0.05


def test_figures_days_and_numbers_are_written_as_people_do() -> None:
    assert [number(1234, "nl"), number(1234567, "en"), number(0.5, "nl"), number(2.0, "nl")] == [
        "1.234",
        "1,234,567",
        "0,5",
        "2",
    ]
    assert [amount(123456, "nl"), amount(123456.0, "nl"), amount(-5, "nl"), amount(123456, "en")] == [
        "€ 1.234,56",
        "€ 1.234,56",
        "€ -0,05",
        "€1,234.56",
    ]
    assert [bsn("999990019"), bsn("999990019", masked=True), bsn("x", masked=True)] == [
        "9999.90.019",
        "••••.••.019",
        "•••",
    ]
    assert day(date(2026, 11, 22), "nl") == '<time datetime="2026-11-22">22 november 2026</time>'
    at = datetime(2026, 7, 1, 12, 5, tzinfo=UTC)
    assert moment(at, "en") == moment(at.timestamp(), "en")
    assert ">1 juli 2026 om 14.05 uur<" in moment(at, "nl")


TEMPLATE = """{% extends "web/layout.html" %}{% from "web/parts.html" import crumbs, listing, chart, empty, note, facts, steps with context %}
{% block title %}x{% endblock %}{% block content %}{{ crumbs([("/", "Begin"), ("", title)]) }}{{ steps(["a", "b", "c"], 2) }}
{% call(row) listing(view) %}<a class="button quiet" href="/one/{{ row.of }}">{{ t("Bekijk", "See") }}</a>{% endcall %}
{{ chart(chart_view) }}{{ empty("Leeg", "Nog niets.", "/new", "Maak iets") }}{{ note("error", "Fout", title) }}
{{ facts([(title, title), ("B", none), ("Kosten", 5|amount)]) }}{% endblock %}"""


class Tables:
    """A portal with a page that has every part."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, rows: tuple[Row, ...], entries: int = 2) -> None:
        environment = _environment()
        assert environment.loader is not None
        loaders = ChoiceLoader([DictLoader({"tests/tables.html": TEMPLATE}), environment.loader])
        monkeypatch.setattr(environment, "loader", loaders)

        @get("/sources", opt={"open": True})
        async def sources(request: Request[Any, Any, Any]) -> Response[bytes]:
            """Every part."""
            found, language = asked_in(request, COLUMNS, sort="-cost"), setting_of(request).language
            view = arranged(CAPTION, COLUMNS, rows, found, language, exports=True)
            if found.form:
                return await export(view, "sources", language)
            figures = Chart(
                CAPTION,
                (COLUMNS[3], COLUMNS[2]),
                tuple(Row((date(2026, 1, at), at * 1050)) for at in range(1, 20)),
            )
            return page(
                request, "tests/tables.html", view=view, chart_view=figures, title=Text("<b>T", "<i>T")
            )

        navigation = tuple(
            Entry(
                f"/e{at}",
                Text(f"Ingang {at}", f"Entry {at}"),
                open=True,
                section="node" if at % 2 else "owner",
            )
            for at in range(entries)
        )
        self.app = make_portal([sources], self, House("Dienst", True, navigation), b"s" * 32)

    def by_cookie(self, secret: str) -> SignedIn | None:
        return None

    by_token = by_cookie


async def shown(app: Any, query: str = "", language: str = "nl") -> str:
    answer = await Browser(app, language=language).get(f"/sources{query}")
    assert answer.status == 200
    return answer.text


async def test_a_table_shows_what_its_columns_say(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Tables(monkeypatch, ROWS).app
    told = await shown(app)
    assert '<th scope="row" role="rowheader" data-label="Naam"><bdi>Bron 59</bdi></th>' in told
    assert (
        '<td role="cell" data-label="Kosten" class="end"><span class="together">€ 619,50</span></td>' in told
    )
    assert "1–25 van 60 regels" in told
    assert "Bladzijde 1 van 3" in told
    assert (
        '<th scope="col" role="columnheader" class="end" aria-sort="descending"><a href="/sources?sort=cost#list">Kosten'
        in told
    )
    assert '<a class="button second" rel="next" href="/sources?sort=-cost&amp;page=2#list">' in told
    assert 'href="/sources?sort=-cost&amp;as=csv" download' in told
    english = await shown(app, "?state=off", "en")
    assert "€10.50" in english
    assert "1–25 of 30 rows" in english
    assert '<option value="off" selected>off</option>' in english
    assert "Clear filter" in english


async def test_a_table_without_rows_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Tables(monkeypatch, ()).app
    assert "Hier is nog niets." in (told := await shown(app))
    assert '<form class="filters"' not in told
    told = await shown(Tables(monkeypatch, ROWS).app, "?name=niets")
    assert "Er is niets dat bij uw filter past." in told
    assert 'href="/sources?sort=-cost">Wis filter' in told


async def test_what_others_wrote_is_no_html(monkeypatch: pytest.MonkeyPatch) -> None:
    evil = '<script>alert(1)</script>"\u202e'
    told = await shown(
        Tables(monkeypatch, (Row((evil, Cell(evil, told=evil), 1, None)),)).app, "?name=%3Cscript%3E"
    )
    assert "<script>alert" not in told
    assert "&lt;script&gt;alert" in told
    assert "<b>T" not in told


async def test_a_document_is_what_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await Browser(Tables(monkeypatch, ROWS).app).get("/sources?state=on&as=csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="sources.csv"'
    assert answer.text.count("\r\n") == 31
    assert answer.text.splitlines()[1].startswith("Bron 58;aan;609,00")


async def test_many_entries_stand_in_sections_and_few_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Onze gegevens" not in await shown(Tables(monkeypatch, ROWS, 5).app)
    told = await shown(Tables(monkeypatch, ROWS, 8).app)
    assert told.index("Onze gegevens") < told.index("Beheer")
    assert len(re.findall('<a href="/e3"', told)) == 2  # side by side, and behind one word
