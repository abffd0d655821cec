"""An official asks in a browser: from choosing an activity to the answer with its receipts; and whatever somebody else tries."""

import asyncio
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest
from tests.browser import Shown
from tests.integration.test_asking import BENEFIT, ONE, RVIG, TAX, TWO, records_of
from tests.unit.query.portal import TICKED, WRITTEN, AskingPortal, send

from sluis.kernel import PeerId
from sluis.ledger import Decision, Processing
from sluis.query.desk import Limits

SQL = "select p.naam, i.jaar, i.bedrag from rvig.personen p left join bd.inkomen i on i.bsn = p.bsn where p.bsn = $bsn"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, pages wait for what comes."""
    monkeypatch.setattr("sluis.query.desk.SOON", 30.0)
    monkeypatch.setattr("sluis.query.owners.SIGHT", 30.0)


@pytest.fixture
async def portal(tmp_path: Path) -> AsyncIterator[AskingPortal]:
    made = AskingPortal(tmp_path)
    yield made
    await made.close()


async def test_every_page_is_for_staff_who_signed_in(portal: AskingPortal) -> None:
    routes = [
        (method, path, handler) for method, path, handler in portal.app.routes if path.startswith("/ask")
    ]
    assert len(routes) >= 18
    for _, path, handler in routes:
        assert handler.opt["audience"] == ("staff",), path
        assert handler.opt["callers"] == "people", path
    for who in ("citizen/s1/fenna", "company/s1/fenna"):
        assert (await portal.browser(who).get("/ask")).status == 403


async def test_an_activity_shows_its_purpose_its_law_and_who_opens_what(portal: AskingPortal) -> None:
    shown = await portal.browser().get("/ask")
    assert "Bijstand vaststellen" in shown.text
    assert 'href="https://wetten.overheid.nl/jci1.3:c:BWBR0015703&amp;artikel=64"' in shown.text
    assert "<bdi>rvig</bdi>: <bdi>Personen</bdi>" in shown.text
    assert f"/ask/question?activity={BENEFIT}" in unescape(shown.text).replace("%3A", ":").replace("%2F", "/")


async def test_what_was_ticked_is_explained_and_then_asked(portal: AskingPortal) -> None:
    browser = portal.browser()
    fields = {**TICKED, "key": ONE}
    told = await send(browser, "/ask/explain", fields)
    assert told.status == 200
    assert portal.federation.link.sent == []
    for word in ("Er is nog niemand iets gevraagd", "afgeschermd", "niet open:", "Participatiewet"):
        assert word in told.text
    answer = await browser.send(told.form("/ask/answers"), follow=True)
    assert answer.status == 200
    assert re.fullmatch(
        r"/ask/answers/[\w-]{32}", (await browser.send(told.form("/ask/answers"))).headers["location"]
    )
    assert "Fictief E" in answer.text
    assert ONE not in answer.text.partition("<h1>")[0]
    for word in (
        "Ontvangstbewijzen",
        "left(naam, 9)",
        "Zo ziet de inwoner dit",
        "<svg",
        "Dezelfde relaties in woorden",
    ):
        assert word in answer.text


async def test_sql_is_written_with_a_field_for_each_parameter(portal: AskingPortal) -> None:
    browser = portal.browser()
    shown = await send(browser, "/ask/question", {**WRITTEN, "sql": SQL})
    assert 'name="p.bsn"' in shown.text
    answer = await send(browser, "/ask/answers", {**WRITTEN, "sql": SQL, "p.bsn": TWO})
    assert answer.text.count("Fictief T") >= 2
    turned = await send(browser, "/ask/question", {**TICKED, "key": ONE, "to": "sql"})
    assert "SELECT" in turned.text
    assert re.search(rf'name="p.bsn" value="{ONE}"', turned.text)
    broken = await browser.send(turned.form("/ask/explain"), sql="selec", **{"p.bsn": ONE})
    assert re.search(rf'name="p.bsn" value="{ONE}"', broken.text)
    back = await send(
        browser,
        "/ask/question",
        {**broken.form("/ask/explain").fields, "case": "Z-1", "sql": "selec", "to": "form"},
    )
    assert 'name="c.rvig.personen.naam" checked' in back.text


@pytest.mark.parametrize(("fields", "field", "word"), [
    ({**WRITTEN, "sql": "selec x from"}, "sql", "regel 1"),
    ({**WRITTEN, "sql": "select adres from rvig.personen where bsn = $bsn", "p.bsn": ONE}, "sql", "adres"),
    ({**WRITTEN, "sql": SQL}, "p.bsn", "waarde"),
    ({**TICKED, "key": ""}, "key", "over wie"),
    ({**TICKED, "case": "", "key": ONE}, "case", "kenmerk"),
    ({"activity": BENEFIT, "mode": "form", "case": "Z-1", "key": ONE}, "columns", "aangekruist"),
    ({**TICKED, "key": ONE, "c.rvig.personen.geheim": "on"}, "columns", "niet open"),
])  # fmt: skip
async def test_what_is_wrong_is_told_at_its_field_and_nothing_typed_is_lost(
    portal: AskingPortal, fields: dict[str, str], field: str, word: str
) -> None:
    shown = await send(portal.browser(), "/ask/explain", fields)
    assert shown.status in (400, 403)
    assert f'href="#{field}"' in shown.text
    assert f'id="{field}"' in shown.text
    assert word in shown.text
    assert fields["case"] in shown.text
    if word == "regel 1":
        assert "<code>1: selec x from</code>" in shown.text
    if "sql" in fields:
        assert unescape(shown.text).count(fields["sql"]) >= 1


async def test_another_person_or_session_finds_no_answer(portal: AskingPortal) -> None:
    browser = portal.browser()
    asked = await send(browser, "/ask/answers", {**TICKED, "key": ONE}, follow=False)
    handle = asked.headers["location"]
    for who in ("staff/s1/bram", "staff/s2/fenna"):
        other = portal.browser(who)
        for path in (
            handle,
            f"{handle}/state",
            f"{handle}/receipts",
            f"{handle}/receipts/1",
            f"{handle}?as=csv",
        ):
            assert (await other.get(path)).status == 404
        for action in ("stop", "forget", "again", "rows"):
            assert (await send(other, f"{handle}/{action}", {})).status == 404
    assert (await browser.get(handle)).status == 200


async def test_an_answer_is_forgotten_by_itself_and_when_its_person_says_so(portal: AskingPortal) -> None:
    browser = portal.browser()
    asked = await send(browser, "/ask/answers", {**TICKED, "key": ONE}, follow=False)
    portal.later(minutes=14)
    assert (await browser.get(asked.headers["location"])).status == 200
    portal.later(minutes=2)
    assert (await browser.get(asked.headers["location"])).status == 404
    assert portal.desk.held == 0
    await send(browser, "/ask/answers", {**TICKED, "key": ONE}, follow=False)
    portal.desk.leave("s1")
    assert portal.desk.held == 0
    again = await send(browser, "/ask/answers", {**TICKED, "key": ONE}, follow=False)
    await send(browser, again.headers["location"] + "/forget", {})
    assert (await browser.get(again.headers["location"])).status == 404


async def test_an_owner_that_hangs_is_shown_and_the_question_can_be_stopped(
    portal: AskingPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluis.query.desk.SOON", 0.05)
    portal.hangs = {TAX}
    browser = portal.browser()
    under_way = await send(browser, "/ask/answers", {**TICKED, "key": ONE})
    assert "Uw vraag is onderweg" in under_way.text
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in under_way.text
    assert re.search(r"gevraagd, nog geen antwoord</span> <strong><bdi>bd", under_way.text)
    assert "Fictief E" not in under_way.text
    handle = re.findall(r'data-progress="([^"]+)/state"', under_way.text)[0]
    part = await browser.get(f"{handle}/state")
    assert part.status == 200
    assert "<html" not in part.text
    stopped = await send(browser, f"{handle}/stop", {})
    assert "U stopte deze vraag" in stopped.text
    assert (await browser.get(f"{handle}/state")).status == 204


async def test_without_an_owner_that_hangs_the_rest_is_answered_and_the_gap_is_marked(
    portal: AskingPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluis.query.desk.SOON", 0.05)
    portal.hangs = {TAX}
    browser = portal.browser()
    under_way = await send(browser, "/ask/answers", {**TICKED, "key": ONE, "partial": "on"})
    form = next(one for one in under_way.forms if one.action.endswith("/without"))
    state = form.action.replace("/without", "/state")
    for _ in range(500):
        if "antwoord binnen" in (await browser.get(state)).text:
            break
        await asyncio.sleep(0.02)
    offered = re.findall(r'name="owner" value="(\w+)"( hidden)?', under_way.text)
    assert dict(offered)["bd"] == ""
    assert 'data-awaited="bd"' in under_way.text
    portal.later(seconds=12)
    monkeypatch.setattr("sluis.query.desk.SOON", 30.0)
    answer = await browser.send(form, owner="bd", follow=True)
    assert "Fictief E" in answer.text
    gap = answer.text.partition("Dit antwoord is niet volledig")[2].partition("</ul>")[0]
    assert "U ging verder zonder bd. Na 12 seconden was er nog geen antwoord." in gap
    receipts = answer.text.partition('id="receipts"')[2].partition("</ul>")[0]
    assert re.search(r"<bdi>bd</bdi>: geen ontvangstbewijs", receipts)
    assert "Wat gesloten blijft bij wie ontbreekt" in answer.text
    document = (await browser.get(form.action.replace("/without", "/receipts"))).json
    assert [(one["owner"], one["problem"]["code"]) for one in document["missing"]] == [("bd", "left-out")]
    assert [one["owner"] for one in document["receipts"]] == ["rvig"]
    written = records_of(portal.federation.store)
    decided = [one.body["adl.core.request"]["action"]["name"] for one in written if isinstance(one, Decision)]
    assert decided.count("ask") == 2  # to ask both, and then the rest
    lines = [one for one in written if isinstance(one, Processing)]
    to_tax = [one.status for one in lines if one.name == "Bevraging bij bd"]
    assert to_tax
    assert set(to_tax) == {"Error"}  # it was sent, about this person, and brought nothing
    assert [one.status for one in lines if one.name == "Bevraging bij rvig"].count("Error") == 0
    assert portal.desk.find(form.action.split("/")[-2], "fenna", "s1").rounds == 2


async def test_without_the_only_owner_that_is_left_a_question_does_not_go_on(
    portal: AskingPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluis.query.desk.SOON", 0.05)
    portal.hangs = {RVIG, TAX}
    browser = portal.browser()
    under_way = await send(browser, "/ask/answers", {**TICKED, "key": ONE, "partial": "on"})
    form = next(one for one in under_way.forms if one.action.endswith("/without"))
    still = await browser.send(form, owner="bd", follow=True)
    assert "Zonder de bronhouders die nog niet antwoordden, blijft er van uw vraag niets over" in still.text
    still = await browser.send(form, owner="rvig", follow=True)
    assert "Uw vraag is onderweg" in still.text
    unknown = await browser.send(form, owner="kvk", follow=True)
    assert "Uw vraag is onderweg" in unknown.text


async def test_a_question_that_needs_everybody_does_not_go_on_without_one_and_says_so(
    portal: AskingPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluis.query.desk.SOON", 0.05)
    portal.hangs = {TAX}
    browser = portal.browser()
    under_way = await send(browser, "/ask/answers", {**TICKED, "key": ONE})
    assert "/without" not in under_way.text
    assert "U vroeg een volledig antwoord" in under_way.text
    handle = re.findall(r'data-progress="([^"]+)/state"', under_way.text)[0]
    refused = await send(browser, f"{handle}/without", {"owner": "bd"})
    assert refused.status == 409
    assert "Uw vraag is onderweg" in (await browser.get(handle)).text


async def test_an_owner_that_does_not_say_what_it_opens_is_gone_on_without_too(
    portal: AskingPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluis.query.desk.SOON", 0.05)
    monkeypatch.setattr("sluis.query.owners.SIGHT", 0.05)
    monkeypatch.setattr("sluis.query.filling._PATIENCE", 0.05)
    portal.hangs, portal.silent = {TAX}, True
    browser = portal.browser()
    under_way = await send(browser, "/ask/answers", {**WRITTEN, "sql": SQL, "p.bsn": ONE, "partial": "on"})
    assert "gevraagd wat er open is, nog geen antwoord" in under_way.text
    form = next(one for one in under_way.forms if one.action.endswith("/without"))
    monkeypatch.setattr("sluis.query.desk.SOON", 30.0)
    answer = await browser.send(form, owner="bd", follow=True)
    assert "U ging verder zonder bd" in answer.text
    assert "Fictief E" in answer.text
    names = {one.name for one in records_of(portal.federation.store) if isinstance(one, Processing)}
    assert names == {"Bevraging bij rvig"}


async def test_where_no_script_runs_a_page_stops_loading_again(
    portal: AskingPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluis.query.desk.SOON", 0.05)
    portal.hangs = {TAX}
    browser = portal.browser()
    under_way = await send(browser, "/ask/answers", {**TICKED, "key": ONE})
    handle = re.findall(r'data-progress="([^"]+)/state"', under_way.text)[0]
    portal.later(seconds=21)
    later = await browser.get(handle)
    assert 'http-equiv="refresh"' not in later.text
    assert "Deze pagina ververst niet meer vanzelf" in later.text


async def test_an_owner_that_is_down_leaves_a_marked_gap(portal: AskingPortal) -> None:
    await portal.browser().get("/ask")  # what it opens is known
    portal.federation.link.down = {TAX}
    refused = await send(portal.browser(), "/ask/answers", {**TICKED, "key": ONE})
    assert refused.status == 502
    shown = await send(portal.browser(), "/ask/answers", {**TICKED, "key": ONE, "partial": "on"})
    assert "Dit antwoord is niet volledig" in shown.text
    assert "Fictief E" in shown.text
    assert re.search(r"<bdi>bd</bdi></strong> ontbreekt", shown.text)


async def test_an_owner_that_does_not_say_what_it_opens_leaves_the_page_standing(
    portal: AskingPortal,
) -> None:
    portal.federation.link.down = {RVIG}
    shown = await portal.browser().get(f"/ask/question?activity={BENEFIT}")
    assert shown.status == 200
    assert "Niet iedere bronhouder antwoordt nu" in shown.text
    assert "bd.inkomen" in shown.text


@pytest.mark.parametrize("fields", [{**TICKED, "key": ONE}, {**WRITTEN, "sql": SQL, "p.bsn": ONE}])
async def test_beforehand_an_owner_that_is_down_is_a_gap_and_the_others_are_told_of(
    portal: AskingPortal, fields: dict[str, str]
) -> None:
    portal.federation.link.down = {TAX}
    browser = portal.browser()
    whole = await send(browser, "/ask/explain", fields)
    assert whole.status == 502
    assert "De bronhouder is niet bereikbaar" in whole.text
    assert "hiervoor niet open" not in whole.text
    again = await send(
        browser, "/ask/explain", {**fields, **whole.form("/ask/explain").fields, "partial": "on"}
    )
    assert again.status == 200
    gap = again.text.partition("Niet iedereen kon vooraf worden gevraagd")[2].partition("</ul>")[0]
    assert re.search(r"<bdi>bd</bdi></strong>: De bronhouder is niet bereikbaar", gap)
    assert re.findall(r"<h3><bdi>(\w+)", again.text) == ["rvig"]
    assert "Dit gaat u vragen" in again.text
    answer = await browser.send(again.form("/ask/answers"), follow=True)
    assert "Fictief E" in answer.text
    assert re.search(r"<bdi>bd</bdi></strong> ontbreekt", answer.text)
    portal.federation.link.down = set()
    portal.later(seconds=31)  # an owner that was down is left alone for half a minute
    both = await browser.send(again.form("/ask/answers"), follow=True)
    assert "ontbreekt" not in both.text
    assert ">100<" in both.text


async def test_when_nobody_that_was_ticked_says_what_is_open_that_is_the_reason(portal: AskingPortal) -> None:
    portal.federation.link.down = {TAX}
    fields = {"activity": BENEFIT, "mode": "form", "case": "Z-1", "c.bd.inkomen.jaar": "on", "w1.column": "bd.inkomen.bedrag",
              "w1.is": "gt", "w1.value": "5", "key": ONE, "partial": "on"}  # fmt: skip
    shown = await send(portal.browser(), "/ask/explain", fields)
    assert shown.status == 502
    assert "De bronhouder is niet bereikbaar" in shown.text
    assert shown.form("/ask/explain").fields["c.bd.inkomen.jaar"] == "on"
    assert '<option value="bd.inkomen.bedrag" selected>' in shown.text
    assert 'name="w1.value" value="5"' in shown.text


async def test_receipts_and_the_table_are_taken_along(portal: AskingPortal) -> None:
    browser = portal.browser()
    asked = await send(browser, "/ask/answers", {**TICKED, "key": TWO}, follow=False)
    handle = asked.headers["location"]
    receipt = await browser.get(f"{handle}/receipts/1")
    assert "Uw knooppunt controleerde de handtekening" in receipt.text
    assert (await browser.get(f"{handle}/receipts/1?as=jws")).body.count(b".") == 2
    assert (await browser.get(f"{handle}/receipts/9")).status == 404
    everything = await browser.get(f"{handle}/receipts")
    assert everything.json["rows"] == []
    assert b"Fictief" not in everything.body
    assert b"Fictief T" in (await browser.get(f"{handle}?as=csv")).body
    turned = await browser.get(f"{handle}?sort=-jaar")
    drawn = turned.text.partition('id="chart"')[2].partition("</figure>")[0]
    assert drawn.index("2024") < drawn.index("2025")
    assert 'data-value="150"' in drawn
    assert turned.text.index(">2025<") < turned.text.index(">2024<")


async def test_hostile_texts_of_an_owner_stay_text(portal: AskingPortal, tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "rvig.db") as database:
        database.execute("update personen set naam = ? where bsn = ?", ("<b>x", ONE))
    database.close()
    shown = await send(portal.browser(), "/ask/answers", {**TICKED, "key": ONE, "case": HOSTILE})
    assert "&lt;b&gt;x" in shown.text
    assert "<b>x" not in shown.text
    assert HOSTILE not in shown.text
    for fields in (
        {**WRITTEN, "sql": HOSTILE},
        {**TICKED, "key": HOSTILE},
        {**TICKED, "w1.column": HOSTILE, "key": ONE},
    ):
        assert HOSTILE not in (await send(portal.browser(), "/ask/explain", fields)).text


async def test_rows_are_sought_by_a_text_that_is_in_no_address(portal: AskingPortal) -> None:
    browser = portal.browser()
    asked = await send(browser, "/ask/answers", {**TICKED, "key": TWO}, follow=False)
    sought = await send(browser, asked.headers["location"] + "/rows", {"text": "2024"}, follow=False)
    assert "2024" not in sought.headers["location"]
    shown = await browser.get(sought.headers["location"])
    table = shown.text.partition('id="list"')[2].partition("</section>")[0]
    assert ">2024<" in table
    assert ">2025<" not in table


async def test_who_may_not_ask_under_an_activity_sees_none_of_it(tmp_path: Path) -> None:
    own = {
        "x.cedar": '@id("nobody") forbid (principal is person, action == Action::"ask", resource is activity);'
    }
    portal = AskingPortal(tmp_path, own)
    shown = await portal.browser().get("/ask")
    assert "U kunt nog niets vragen" in shown.text
    assert (await portal.browser().get(f"/ask/question?activity={BENEFIT}")).status == 403
    assert (await portal.browser().get(f"/ask/names?activity={BENEFIT}")).status == 403
    assert (await send(portal.browser(), "/ask/answers", {**TICKED, "key": ONE})).status == 403
    assert len(portal.refused) == 3
    await portal.close()


async def test_names_are_completed_from_what_is_open_alone(portal: AskingPortal) -> None:
    told = (await portal.browser().get(f"/ask/names?activity={BENEFIT}", accept="application/json")).json
    names = {one["name"]: [column["name"] for column in one["columns"]] for one in told["datasets"]}
    assert names == {"rvig.personen": ["bsn", "naam", "partner"], "bd.inkomen": ["bsn", "jaar", "bedrag"]}


async def test_what_is_held_is_bounded_per_person_and_in_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal = AskingPortal(tmp_path, limits=Limits(each=2, bytes_each=40))
    browser = portal.browser()
    handles = [
        (await send(browser, "/ask/answers", {**TICKED, "key": TWO}, follow=False)).headers["location"]
        for _ in range(3)
    ]
    assert [(await browser.get(handle)).status for handle in handles] == [404, 200, 200]
    assert "Niet alle rijen zijn te zien" in (await browser.get(handles[2])).text
    monkeypatch.setattr("sluis.query.desk.SOON", 0.01)
    portal.hangs = {RVIG, TAX}
    for _ in range(2):
        await send(browser, "/ask/answers", {**TICKED, "key": TWO}, follow=False)
    full = await send(browser, "/ask/answers", {**TICKED, "key": TWO})
    assert full.status == 409
    assert "U kunt 2 vragen tegelijk stellen" in full.text
    await portal.close()


async def test_a_question_is_saved_without_values_shared_renamed_and_deleted(portal: AskingPortal) -> None:
    fenna, bram = portal.browser(), portal.browser("staff/s9/bram")
    fields = {
        **TICKED,
        "key": ONE,
        "w1.column": "bd.inkomen.jaar",
        "w1.is": "eq",
        "w1.value": "2025",
        "name": "Inkomen",
    }
    listed = await send(fenna, "/ask/saved", fields)
    assert "Inkomen" in listed.text
    place = re.findall(r'href="(/ask/saved/\w+)"', listed.text)[0]
    one = await fenna.get(place)
    assert ONE not in one.text
    assert "2025" not in one.text.partition("<pre")[2]
    again = await fenna.get(re.findall(r'href="(/ask/question\?saved=\w+)"', listed.text)[0])
    assert re.search(r'name="c.rvig.personen.naam" checked', again.text)
    assert ONE not in again.text
    assert (await bram.get(place)).status == 404
    await send(fenna, f"{place}/rename", {"name": "Inkomen van iemand", "shared": "on"})
    assert "Inkomen van iemand" in (await bram.get("/ask/saved")).text
    assert (await send(bram, f"{place}/rename", {"name": "Van mij"})).status == 404
    assert (await send(bram, f"{place}/delete", {})).status == 404
    await send(fenna, f"{place}/delete", {})
    assert (await fenna.get(place)).status == 404


def still_there(shown: Shown, silent: str) -> None:
    """What was ticked: unseen where its owner is silent, ticked elsewhere."""
    unseen = shown.form("/ask/explain").fields
    for name in (name for name in TICKED if name.startswith("c.")):
        assert unseen.get(name) == "on" if f".{silent}." in name else f'name="{name}" checked' in shown.text
    assert f'value="{TICKED["case"]}"' in shown.text


@pytest.mark.parametrize(("silent", "name"), [(TAX, "bd"), (RVIG, "rvig")])
async def test_a_question_of_an_owner_that_is_silent_is_not_saved_and_not_called_closed(
    portal: AskingPortal, silent: PeerId, name: str
) -> None:
    portal.federation.link.down = {silent}
    browser = portal.browser()
    fields = {**TICKED, "key": ONE, "partial": "on"}
    shown = await send(browser, "/ask/saved", {**fields, "name": "Inkomen"})
    assert shown.status == 502
    assert "niet open" not in shown.text
    why = shown.text.partition('<div class="next" role="alert">')[2].partition("</div>")[0]
    assert "Dit lukt nu niet" in why
    assert "De vraag is niet bewaard." in why
    assert f"{name} zegt nu niet wat er open is" in why
    still_there(shown, name)
    assert "U hebt nog geen vragen bewaard" in (await browser.get("/ask/saved")).text


async def test_who_goes_on_in_sql_is_told_that_an_owner_is_silent(portal: AskingPortal) -> None:
    portal.federation.link.down = {TAX}
    shown = await send(portal.browser(), "/ask/question", {**TICKED, "to": "sql"})
    assert shown.status == 502
    assert "niet open" not in shown.text
    assert "De vraag is nog niet als SQL te tonen." in shown.text
    still_there(shown, "bd")


@pytest.mark.parametrize(("name", "sql"), [
    ("Mijn vraag", f"select naam from rvig.personen where bsn = '{ONE}'"),
    ("Mijn vraag", "select naam from rvig.personen where bsn = $bsn and naam = 'Jansen'"),
    ("Mijn vraag", f"select naam as x{ONE} from rvig.personen where bsn = $bsn"),
    ("Mijn vraag", "select jaar from bd.inkomen where bsn = $bsn and bedrag > 123456"),
    (f"Over {ONE}", SQL),
    ("Over 9999.90.019", SQL),
    ("", SQL),
])  # fmt: skip
async def test_a_question_with_what_may_be_somebodys_is_not_saved(
    portal: AskingPortal, name: str, sql: str
) -> None:
    browser = portal.browser()
    shown = await send(browser, "/ask/saved", {**WRITTEN, "sql": sql, "name": name})
    assert shown.status == 400
    assert "U hebt nog geen vragen bewaard" in (await browser.get("/ask/saved")).text


async def test_a_comment_is_not_saved_and_what_nobody_uses_is_deleted(portal: AskingPortal) -> None:
    browser = portal.browser()
    await send(browser, "/ask/saved", {**WRITTEN, "sql": f"{SQL} -- over {ONE}", "name": "Met uitleg"})
    place = re.findall(r'href="(/ask/saved/\w+)"', (await browser.get("/ask/saved")).text)[0]
    assert ONE not in (await browser.get(place)).text
    portal.later(days=731)
    assert (await browser.get(place)).status == 404


async def test_where_nothing_is_open_access_is_requested(tmp_path: Path) -> None:
    portal = AskingPortal(tmp_path)
    portal.federation.parties[TAX].discloser.offers = lambda peer: ()  # type: ignore[method-assign,assignment]
    shown = await portal.browser("staff/s1/vera").get(f"/ask/question?activity={BENEFIT}")
    link = re.findall(r'href="(/contracts/new\?[^"]+)"', shown.text)
    assert len(link) == 1
    assert str.__str__(TAX) in link[0]
    other = await portal.browser().get(f"/ask/question?activity={BENEFIT}")
    assert "/contracts/new" not in other.text
    assert "Vraag een collega die contracten aanvraagt" in other.text
    await portal.close()


async def test_pages_are_there_in_english(portal: AskingPortal) -> None:
    browser = portal.browser(language="en")
    assert "Ask a question" in (await browser.get("/ask")).text
    assert "This is what you will ask" in (await send(browser, "/ask/explain", {**TICKED, "key": ONE})).text
    assert "How the resident sees this" in (await send(browser, "/ask/answers", {**TICKED, "key": ONE})).text
