"""The pages of the catalogue: for anybody, in both languages, and unmoved by what somebody wrote in a text or an address."""

import re
from pathlib import Path

import pytest
from tests.unit.catalogue.examples import EVENT, EVIL, FULL, MEASURED, described, hostile
from tests.unit.catalogue.portal import OWN, PEER, RECIPIENT, Others, Shelf, found

from sluis.catalogue import Contact, Cost, keep_measurements
from sluis.catalogue.model import Entry, Wording
from sluis.catalogue.pages import asked_in
from sluis.catalogue.views import euros, view_of
from sluis.kernel import Text

INCOME = "/catalogue/datasets/inkomen"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path, others=Others(*(found(number) for number in range(30))))


@pytest.mark.parametrize("audience", [None, "citizen", "company", "staff"])
async def test_anybody_opens_the_pages(shelf: Shelf, audience: str | None) -> None:
    routes = {path: handler.opt for _, path, handler in shelf.app.routes}
    for path in ("/language/{language}", "/unsent"):  # of the layout
        del routes[path]
    assert set(routes) == {"/catalogue", "/catalogue/{folder}/{name}", "/catalogue/of/{owner}"}
    for opt in routes.values():
        assert opt["callers"] == "visitors"
    theirs = f"/catalogue/of/{str.__str__(RECIPIENT)}?entry={found(1).iri}"
    for path in ("/catalogue", INCOME, "/catalogue/services/api", f"/catalogue/event-types/{EVENT}", theirs):
        shown = await shelf.browser(audience=audience).get(path)
        assert shown.status == 200, path
        assert 'href="/catalogue"' in shown.text
        assert "script-src 'self'" in shown.headers["content-security-policy"]
        assert "<script>" not in shown.text


async def test_before_signing_in_the_menu_shows_what_is_for_anybody_alone(shelf: Shelf) -> None:
    def menu(text: str) -> list[str]:
        return re.findall(r'href="([^"]+)"', text.partition("<nav")[2].partition("</nav>")[0])

    assert menu((await shelf.browser().get(INCOME)).text) == ["/catalogue"]
    assert menu((await shelf.browser(audience="company").get(INCOME)).text) == ["/catalogue", "/eigen"]


async def test_what_is_found_is_listed_and_leads_to_its_page(shelf: Shelf) -> None:
    shown = await shelf.browser().get("/catalogue?q=inkomen")
    assert re.search(r"\d resultaten voor <q><bdi>inkomen</bdi>", " ".join(shown.text.split()))
    assert f'<h3><a href="{INCOME}"><bdi>Inkomen per jaar</bdi></a></h3>' in shown.text
    english = await shelf.browser("en").get("/catalogue?q=income")
    assert f'<h3><a href="{INCOME}"><bdi>Income per year</bdi></a></h3>' in english.text
    theirs = await shelf.browser().get(re.findall(r'<h3><a href="(/catalogue/of/[^"]+)"', (await shelf.browser().get("/catalogue?q=vergunning")).text)[0])  # fmt: skip
    assert PEER in theirs.text
    assert "Wie wat mag bouwen" in theirs.text
    assert "<bdi>bouwen</bdi>" in theirs.text


async def test_keywords_are_those_of_the_language_of_the_page_or_say_which_they_are_of(shelf: Shelf) -> None:
    theirs = re.findall(
        r'<h3><a href="(/catalogue/of/[^"]+)"', (await shelf.browser().get("/catalogue?q=vergunning")).text
    )[0]
    assert '<bdi lang="nl">bouwen</bdi>' in (await shelf.browser("en").get(theirs)).text
    own = (await shelf.browser("en").get(INCOME)).text
    assert '<a href="/catalogue?q=income"><bdi>income</bdi></a>' in own
    assert "<bdi>loon</bdi>" not in own
    assert "<bdi>loon</bdi>" in (await shelf.browser().get(INCOME)).text


async def test_facets_make_the_list_shorter_and_are_taken_away_again(shelf: Shelf) -> None:
    browser = shelf.browser()
    everything = await browser.get("/catalogue?q=inkomen")
    link = re.search(r'href="(/catalogue\?q=inkomen&amp;kind=service)"', everything.text)
    assert link is not None
    fewer = await browser.get(link[1].replace("&amp;", "&"))
    assert INCOME not in fewer.text
    assert 'href="/catalogue?q=inkomen"' in fewer.text
    assert '<input type="hidden" name="kind" value="service">' in fewer.text


async def test_pages_of_the_list_are_turned_and_there_is_none_after_the_last(shelf: Shelf) -> None:
    browser = shelf.browser()
    first = await browser.get("/catalogue?kind=dataset")
    assert 'rel="prev"' not in first.text
    assert 'rel="next" href="/catalogue?kind=dataset&amp;page=2"' in first.text
    last = await browser.get("/catalogue?kind=dataset&page=2")
    assert 'rel="next"' not in last.text
    assert 'start="21"' in last.text
    beyond = await browser.get("/catalogue?kind=dataset&page=900")
    assert beyond.text.count("<h3>") == last.text.count("<h3>")


async def test_who_finds_nothing_hears_what_to_do(shelf: Shelf, tmp_path: Path) -> None:
    shown = await shelf.browser().get("/catalogue?q=qqqqqqqq&kind=dataset")
    for part in (
        "Niets gevonden",
        'href="/catalogue?q=qqqqqqqq"',
        'href="/catalogue"',
        "Gebruik minder woorden",
    ):
        assert part in shown.text
    empty = Shelf(tmp_path, *(described(one.kind, one.name, published=False) for one in FULL))
    assert "nog niets gepubliceerd" in (await empty.browser().get("/catalogue")).text


async def test_one_thing_is_told_in_plain_words(tmp_path: Path) -> None:
    keep_measurements(tmp_path, [MEASURED])
    shelf = Shelf(tmp_path)
    shown = await shelf.browser().get(INCOME)
    for part in (
        "Wijst iemand aan", "Geheel getal, in <bdi>eurocent per jaar</bdi>", "97%", "ongeveer 4.100", "20 november 2026",
        "€ 0,10 per vraag; € 0,25 per vraag, en € 0,05 per persoon", "Lees de voorwaarden", "99,5% van de tijd",
        'href="https://wetten.overheid.nl/jci1.3:c:BWBR0015703&amp;artikel=64"', 'href="https://begrippen.voorbeeld.nl/id/inkomen"',
        "1 januari 2020", "Niet open: hergebruik is niet vrij.", 'href="https://voorbeeld.nl/contact">Vraag toegang aan',
    ):  # fmt: skip
        assert part in shown.text, part
    english = await shelf.browser("en").get(INCOME)
    for part in (
        "Identifies a person",
        "about 4,100",
        "€0.10 per question",
        "Ask for access",
        "99.5% of the time",
    ):
        assert part in english.text, part
    assert "niet gemeten" in (await shelf.browser().get("/catalogue/datasets/bomen")).text


async def test_who_is_not_signed_in_finds_where_to_do_so(shelf: Shelf) -> None:
    way = 'href="/sign-in?next=/catalogue'
    assert way in (await shelf.browser().get("/catalogue")).text
    assert way not in (await shelf.browser(audience="citizen").get("/catalogue")).text


async def test_staff_is_not_sent_to_itself_for_access(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    assert "Vraag toegang aan" in (await shelf.browser(audience="citizen").get(INCOME)).text
    ours = (await shelf.browser(audience="staff").get(INCOME)).text
    assert "Vraag toegang aan" not in ours
    assert "van uw eigen organisatie" in ours


async def test_who_may_be_asked_by_mail_alone_is_asked_by_mail(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, described("dataset", "inkomen", contact=Contact("Balie", "balie@voorbeeld.nl")))
    shown = await shelf.browser().get(INCOME)
    assert 'href="mailto:balie@voorbeeld.nl?subject=Toegang%20tot%20Inkomen%20per%20jaar"' in shown.text


async def test_programs_find_the_same_at_the_page(shelf: Shelf) -> None:
    for path in ("/catalogue", INCOME):
        linked = await shelf.browser().get(f"{path}?as=json-ld")
        assert linked.headers["content-type"].startswith("application/ld+json")
        assert linked.json["@graph"]
        turtle = await shelf.browser().get(f"{path}?as=turtle")
        assert turtle.headers["content-type"].startswith("text/turtle")
    assert (await shelf.browser().get(f"{INCOME}?as=csv")).headers["content-type"].startswith("text/html")


async def test_what_is_not_published_is_not_there_whoever_asks(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, described("dataset", "bomen"), described("dataset", "inkomen", published=False))
    for audience in (None, "staff"):
        browser = shelf.browser(audience=audience)
        assert "inkomen" not in (await browser.get("/catalogue")).text.replace("zoals inkomen", "")
        hidden, absent = await browser.get(INCOME), await browser.get("/catalogue/datasets/weg")
        assert (hidden.status, hidden.text.replace("inkomen", "weg")) == (404, absent.text)
        assert (await browser.get(f"{INCOME}?as=turtle")).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/catalogue/zaken/inkomen",
        "/catalogue/dataset/inkomen",
        "/catalogue/datasets/..",
        "/catalogue/datasets/%3Cscript%3E",
        f"/catalogue/datasets/{'x' * 10_000}",
        "/catalogue/of/1?entry=x",
        f"/catalogue/of/{str.__str__(RECIPIENT)}",
        f"/catalogue/of/{str.__str__(RECIPIENT)}?entry=javascript:alert(1)",
        f"/catalogue/of/{str.__str__(OWN)}?entry=https://portaal.voorbeeld.nl/v1/catalogue/datasets/inkomen",
    ],
)
async def test_a_forged_address_leads_nowhere(shelf: Shelf, path: str) -> None:
    shown = await shelf.browser().get(path)
    assert shown.status == 404
    assert "<script>" not in shown.text


@pytest.mark.parametrize(
    "query",
    [
        "q=" + "a" * 10_000,
        "q=" + "%3Cscript%3E" * 800,
        "&".join(["kind=dataset"] * 700),
        "kind=alles&owner=12&owner=../../&theme=XXXX&access=geheim",
        "page=-1",
        "page=nul",
        "page=" + "9" * 5000,
        "page=%C2%B2",
        "q=%01%ff%e2%80%ae",
        "as=%3Cb%3E&q",
    ],
)
async def test_an_odd_question_gets_a_page(shelf: Shelf, query: str) -> None:
    shown = await shelf.browser().get(f"/catalogue?{query}")
    assert shown.status == 200
    assert "<script>" not in shown.text
    assert len(shown.body) < 60_000


def test_what_is_unknown_in_an_address_counts_as_not_asked() -> None:
    asked, number = asked_in(
        [("kind", "service"), ("kind", "x"), ("owner", "1"), ("q", "  a \n b "), ("page", "3")]
    )
    assert (asked.text, asked.pairs(), number) == ("a b", [("kind", "service")], 3)
    assert asked.address(page="4") == "/catalogue?q=a+b&kind=service&page=4"
    assert asked.turned("kind", "service").address() == "/catalogue?q=a+b"


async def test_nothing_that_somebody_wrote_becomes_markup(tmp_path: Path) -> None:
    from sluis.grounds import Column, Dataset, Grounds

    text = Text(EVIL, EVIL)
    columns = (Column("soort", "VARCHAR", title=text, unit=EVIL, concept="javascript:alert(1)"),)
    _, entries = hostile()
    said = next(one for one in entries if one.kind == "dataset")
    evil = found(
        title=text,
        description=text,
        columns=(EVIL,),
        words=Wording(other=(EVIL,)),
        iri="https://x.nl/v1/catalogue/datasets/'onx",
    )
    shelf = Shelf(
        tmp_path,
        described("dataset", "bomen", description=said.description, access=said.access, articles=said.articles,
                  terms=said.terms, cost=Cost("free", note=said.access), contact=Contact(EVIL), keywords=said.keywords),
        grounds=Grounds((Dataset("bomen", text, "main", "t", columns),)),
        others=Others(evil, name=EVIL),
    )  # fmt: skip
    browser = shelf.browser()
    listed = await browser.get("/catalogue")
    theirs = re.findall(r'href="(/catalogue/of/[^"]+)"', listed.text)[0]
    for shown in (listed, await browser.get("/catalogue/datasets/bomen"), await browser.get(theirs)):
        assert shown.status == 200
        assert "&lt;/script&gt;" in shown.text
        for bad in ("<script>", "<img src=x", 'href="javascript:'):
            assert bad not in shown.text


async def test_without_a_catalogue_there_is_still_what_others_offer(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, without=True, others=Others(found(1)))
    shown = await shelf.browser().get("/catalogue")
    assert "Vergunning 001" in shown.text
    assert "as=turtle" not in shown.text
    for path in (INCOME, "/catalogue?as=turtle"):
        assert (await shelf.browser().get(path)).status == 404
    alone = await Shelf(tmp_path, without=True).browser().get("/catalogue")
    assert (alone.status, "geen catalogus" in alone.text) == (404, True)


async def test_what_could_not_be_read_again_is_told(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, others=Others(found(1), trouble="too-slow"))
    path = f"/catalogue/of/{str.__str__(RECIPIENT)}?entry={found(1).iri}"
    assert "Daarna lukte het niet meer" in (await shelf.browser().get(path)).text


@pytest.mark.parametrize(
    ("cents", "told"),
    [(0, ("€ 0,00", "€0.00")), (5, ("€ 0,05", "€0.05")), (123_456_789, ("€ 1.234.567,89", "€1,234,567.89"))],
)
def test_amounts_are_written_as_each_language_does(cents: int, told: tuple[str, str]) -> None:
    assert (euros(cents).nl, euros(cents).en) == told


@pytest.mark.parametrize(
    ("cost", "told"),
    [
        (Cost("free"), "Gratis"),
        (Cost("call", 25), "€ 0,25 per vraag"),
        (Cost("run", 100_000), "€ 1.000,00 per keer draaien"),
        (Cost("subscription", 1200), "€ 12,00 per jaar, als abonnement"),
        (Cost("subscription", 1200, 1), "€ 12,00 per maand, als abonnement"),
        (Cost("subscription", 1200, 3), "€ 12,00 per 3 maanden, als abonnement"),
        (Cost("agreed"), "Zoals in uw contract staat."),
        (None, ""),
    ],
)
def test_each_kind_of_cost_is_told(cost: Cost | None, told: str) -> None:
    entry = Entry(
        "service", "x", "https://x", True, True, Text("x", "x"), Text("x", "x"), Contact("Balie"), FULL[0].creator,  # type: ignore[arg-type]
        ("GOVE",), "public", "cc0", ("nl",), FULL[0].keywords, cost=cost,
    )  # fmt: skip
    view = view_of(entry)
    assert "; ".join(one.nl for one in view.costs) == told
    assert (view.licence.nl, view.licence_page is not None) == ("CC0 1.0", True)
