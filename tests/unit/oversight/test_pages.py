"""The pages of oversight: who may see them, what they say, and that nothing in them is believed."""

import asyncio
import io
import json
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pypdf
import pytest
from sqlalchemy import Connection
from sqlalchemy import text as statement
from tests.pango import need_pango
from tests.unit.oversight.room import AID, BWB, GROUNDS, NAMES, NOW, OWN, PEER, TREES, Room, activity, filled

from sluis.grounds import Article, EventType, Fact, Grounds, Notice
from sluis.kernel import Oin, Period, Text
from sluis.oversight.decision_pages import ACTIONS
from sluis.oversight.register import key_of
from sluis.policy.standard import STANDARD

KEY = key_of(AID)
EVIL = '"><script>alert(1)</script><img src=x>'


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    with Room(tmp_path) as made:
        yield await filled(made)


PAGES = (
    "/oversight", "/register", "/register/whole", f"/register/{KEY}", f"/register/{KEY}/dpia", "/oversight/decisions",
    "/oversight/log", "/oversight/log/3", "/oversight/unusual",
)  # fmt: skip


@pytest.mark.parametrize("language", ["nl", "en"])
async def test_every_page_is_for_privacy_officer_and_auditor_alone(room: Room, language: str) -> None:
    for path in PAGES:
        for roles, status in (
            ("privacy-officer", 200),
            ("auditor", 200),
            ("medewerker", 403),
            ("citizen", 403),
        ):
            shown = await room.browser(roles, language).get(path)
            assert shown.status == status, (path, roles, shown.text[:400])
            if status == 200:
                assert "<script>" not in shown.text.replace("<script src=", "")
                assert not re.search(r'\bstyle="|<style', shown.text), path
    assert (await room.browser("medewerker+access-admin").get("/register")).status == 403


def test_what_standard_rules_are_about_is_said_in_words() -> None:
    assert {*re.findall(r'Action::"([a-z-]+)"', "".join(STANDARD.values()))} <= {*ACTIONS}


async def test_that_somebody_looked_is_a_decision_in_the_log(room: Room) -> None:
    await room.browser("auditor").get("/oversight/decisions")
    await room.oversight.catch_up()
    newest = room.oversight.summary.decisions({}, 1)[0]
    assert (newest.action, newest.permit, newest.rule) == ("read-oversight", True, "standard-read-oversight")


async def test_the_register_says_what_article_30_asks(room: Room) -> None:
    text = (await room.browser().get(f"/register/{KEY}")).text
    for said in ("Gemeente Elders (fictief)", "taak van algemeen belang (art. 6, lid 1, onder e)", "https://wetten.overheid.nl/jci1.3:c:BWBR0015703&amp;artikel=64", "aanvragers",
                 "5 jaar", "inkomen-bijstand", "alleen om te koppelen", "bedrag / 100", "Met mTLS.", "Niet nodig.",
                 "Onder een contract dat beide tekenden", "bijzonder persoonsgegeven"):  # fmt: skip
        assert said in text, said
    listed = (await room.browser().get("/register?state=never&name=bijstand")).text
    assert "Bijstand vaststellen" in listed
    assert f"/register/{key_of(TREES)}" not in listed.partition('id="list"')[2]


async def test_the_register_is_exported_with_every_field_and_comes_back_as_the_same_files(room: Room) -> None:
    browser = room.browser()
    told = (await browser.get("/register/whole?as=json")).json
    assert {one["id"]: len(one["recipients"]) for one in told["activities"]} == {AID: 1, TREES: 0}
    csv = (await browser.get("/register?as=csv")).body.decode("utf-8-sig")
    assert "Bewaartermijn" in csv
    assert "P5Y" in csv
    form = (await browser.get("/register/import")).form("/register/import")
    shown = await browser.send(form, text=json.dumps(told))
    assert shown.status == 200
    assert "2 van de 2" in shown.text
    assert "vervangt wat er is" in shown.text
    packed = await browser.send(form, text=json.dumps(told), **{"as": "zip"})
    with zipfile.ZipFile(io.BytesIO(packed.body)) as archive:
        assert sorted(archive.namelist()) == sorted(f"activities/{key_of(one)}.toml" for one in (AID, TREES))


@pytest.mark.parametrize(
    ("given", "told"),
    [("", "geen verwerking"), ("[1", "geen geldige JSON"), ("x,y\n1,2", "noemt niet de velden"), ("[" * 5000, "JSON"),
     ("[3]", "geen lijst"), ("id\n" + "x\n" * 300, "meer dan 200")],
)  # fmt: skip
async def test_what_cannot_be_imported_says_why_and_keeps_what_was_typed(
    room: Room, given: str, told: str
) -> None:
    browser = room.browser()
    form = (await browser.get("/register/import")).form("/register/import")
    shown = await browser.send(form, text=given)
    assert shown.status == 422
    assert told in shown.text
    assert given[:20] in shown.text


async def test_each_fault_of_an_offered_activity_is_named_and_nothing_of_it_is_put_anywhere(
    room: Room,
) -> None:
    browser = room.browser()
    form = (await browser.get("/register/import")).form("/register/import")
    offered = [{"id": "geen uri", "name": {"nl": EVIL, "en": "x"}, "ground": "zomaar", "extra": 1}]
    shown = await browser.send(form, text=json.dumps(offered))
    assert shown.text.count("<li>") > 3
    assert EVIL not in shown.text
    assert "zomaar" in shown.text
    assert not (room.folder / "activities").exists()
    assert (await room.browser("auditor").get("/register/import")).status == 403


async def test_a_review_is_kept_shown_and_in_the_log(room: Room) -> None:
    browser = room.browser()
    page = await browser.get(f"/register/{KEY}")
    form = page.form(f"/register/{KEY}/review#review")
    wrong = await browser.send(form, outcome="agreed", dpia="none", due="2020-01-01", note="<i>bewaard</i>")
    assert wrong.status == 422
    assert "&lt;i&gt;bewaard" in wrong.text
    assert 'id="due-wrong"' in wrong.text
    assert (await browser.send(form, dpia="none", due="2027-11-01")).status == 422
    done = await browser.send(
        form, outcome="agreed", dpia="done", dpia_day="2026-05-01", due="2027-11-01", note="Goed."
    )
    assert done.status == 303
    shown = (await browser.get(f"/register/{KEY}")).text
    assert "1 november 2027" in shown
    assert "&lt;b&gt;Bram" in shown
    assert "Goed." in shown
    assert "1 verwerking" not in (await browser.get("/oversight")).text
    assert (
        await room.browser("auditor").send(form, outcome="agreed", dpia="none", due="2027-11-01")
    ).status == 403
    assert "review" not in (await room.browser("auditor").get(f"/register/{KEY}")).text.partition("</h1>")[2]


async def test_an_article_that_changed_since_the_review_is_shown_and_logged_once(room: Room) -> None:
    browser = room.browser()
    laws = room.folder / "laws.toml"
    laws.write_text(f'[[version]]\nbwb = "{BWB}"\narticle = "64"\nsince = 2025-01-01\n')
    form = (await browser.get(f"/register/{KEY}")).form(f"/register/{KEY}/review#review")
    await browser.send(form, outcome="agreed", dpia="none", due="2027-11-01")
    assert "artikel gewijzigd sinds" not in (await browser.get("/register")).text
    laws.write_text(laws.read_text() + f'[[version]]\nbwb = "{BWB}"\narticle = "64"\nsince = 2026-11-01\n')
    text = (await browser.get("/register")).text
    assert "artikel gewijzigd sinds uw laatste toets" in text
    assert "1 november 2026" in (await browser.get(f"/register/{KEY}")).text
    entries = await room.oversight.entries()
    size = room.ledger.log.size()
    assert await room.oversight.reviews.watch(entries) == 1
    assert await room.oversight.reviews.watch(entries) == 1
    assert room.ledger.log.size() == size + 1
    laws.write_text("[[version]]\nbwb = 3\n")
    assert "geen versies van wetten" in (await browser.get("/register")).text


async def test_decisions_are_read_page_by_page_and_narrowed(room: Room) -> None:
    browser = room.browser()
    first = await browser.get("/oversight/decisions")
    assert first.text.count('<tr role="row">') == 51
    more = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert more is not None
    second = await browser.get(more[1].replace("&amp;", "&").partition("#")[0])
    assert second.status == 200
    links = [set(re.findall(r'/oversight/decisions/(\d+)"', one.text)) for one in (first, second)]
    assert links[0]
    assert links[1]
    assert not links[0] & links[1]
    refused = await browser.get(f"/oversight/decisions?outcome=0&rule=not-disclosed&peer={PEER!s}")
    assert refused.text.count('<tr role="row">') == 13
    assert "Bijstand vaststellen</td>" in refused.text
    assert "Decide on assistance</td>" in (await room.browser(language="en").get(refused.url)).text
    none = await browser.get("/oversight/decisions?since=2030-01-01&until=nonsense")
    assert "Hier is" in none.text or "nog niets besloten" in none.text


async def test_a_decision_says_why_and_is_decided_again(room: Room) -> None:
    row = room.oversight.summary.decisions({"rule": "disclosed"}, 1)[0]
    text = (await room.browser("auditor").get(f"/oversight/decisions/{row.idx}")).text
    assert "dezelfde uitkomst" in text
    assert "inkomen-bijstand" in text
    assert f'<bdi>Bijstand vaststellen</bdi> <code class="long">{AID}</code>' in text
    assert "druk" not in text
    assert "Z-1" not in text
    shown = await room.browser().get(f"/oversight/decisions/{row.idx}")
    whole = await room.browser().send(shown.form(f"/oversight/decisions/{row.idx}/content"))
    assert "Z-1" in whole.text
    barred = await room.browser("auditor").send(shown.form(f"/oversight/decisions/{row.idx}/content"))
    assert barred.status == 403
    assert (await room.browser().get("/oversight/decisions/999999")).status == 404


def forge(connection: Connection) -> None:
    """Change what stands in record 3, as somebody with the database could."""
    kept = connection.execute(statement("SELECT salted FROM ledger_records WHERE idx = 3")).scalar_one()
    changed = bytes(kept).replace(b"bijstand", b"inbraken")
    assert changed != kept
    connection.execute(
        statement("UPDATE ledger_records SET salted = :salted WHERE idx = 3"), {"salted": changed}
    )


async def test_the_proof_of_a_record_is_drawn_and_goes_red_when_the_record_is_changed(room: Room) -> None:
    browser = room.browser("auditor")
    shown = (await browser.get("/oversight/log/3")).text
    assert "<svg" in shown
    assert "Het bewijs klopt" in shown
    assert "Hetzelfde in woorden" in shown
    room.store.write_blocking(forge)
    altered = (await browser.get("/oversight/log/3")).text
    assert "Het bewijs klopt niet" in altered
    assert "getuigen" in altered
    form = (await browser.get("/oversight/log")).form("/oversight/log/verify")
    assert (await browser.send(form)).status == 303
    await room.oversight.checking.wait(20)
    assert "Regel 3 is veranderd" in (await browser.get("/oversight/log")).text
    assert "Het bewijs klopt niet" in (await browser.get("/oversight")).text


async def test_the_whole_log_is_verified_and_compared_with_what_it_was(room: Room) -> None:
    browser = room.browser()
    page = await browser.get("/oversight/log")
    old = room.ledger.log.checkpoint() or ""
    await browser.send(page.form("/oversight/log/verify"))
    await room.oversight.checking.wait(20)
    await room.write(room.consulted("later", room.now, ["x"]))
    page = await browser.get("/oversight/log")
    assert "Het logboek is heel" in page.text
    since = await browser.send(page.form("/oversight/log/since"), note=old.replace("\n", "\r\n"))
    assert "Er is alleen bij geschreven" in since.text
    assert "<svg" in since.text
    for wrong in ("nonsense", old.replace("\n", " "), old[:-30] + "A" * 10, EVIL):
        refused = await browser.send(page.form("/oversight/log/since"), note=wrong)
        assert refused.status == 422
        assert "<script>" not in refused.text
    found = await browser.send(page.form("/oversight/log/find"), index="3")
    assert found.headers["location"] == "/oversight/log/3"
    for wrong in ("-1", "9999999", "x", "١"):
        assert (await browser.send(page.form("/oversight/log/find"), index=wrong)).status == 422


async def test_the_evidence_verifies_elsewhere_and_holds_no_content_for_an_auditor(
    room: Room, tmp_path: Path
) -> None:
    raw = (await room.browser("auditor").get("/oversight/log/3/evidence")).body
    page = await room.browser().get("/oversight/log/3")
    whole = await room.browser().send(page.form("/oversight/log/3/content"))
    with_content = (await room.browser().send(whole.form("/oversight/log/3/evidence"))).body
    for number, body in enumerate((raw, with_content)):
        folder = tmp_path / f"bewijs-{number}"
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            archive.extractall(folder)
            assert ("record.json" in archive.namelist()) == bool(number)
        command = [sys.executable, str(folder / "narekenen.py")]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "record 3" in done.stdout


async def test_what_is_unusual_is_found_judged_and_names_nobody(room: Room) -> None:
    browser = room.browser()
    listed = await browser.get("/oversight/unusual")
    kinds = {one.finding.kind: one for one in room.oversight.findings.page("", "", 1, 100)}
    assert set(kinds) == {"person", "asker", "volume", "persons", "hour", "off-hours", "refused"}
    assert (kinds["persons"].finding.count, kinds["persons"].finding.activity) == (400, AID)
    for kept in kinds.values():
        shown = await browser.get(f"/oversight/unusual/{kept.id}")
        assert shown.status == 200
        assert "bekend" not in shown.text.replace("bekeken", "")
        assert ">druk<" not in shown.text
        assert "<table" in shown.text
        link = re.search(r'href="(/oversight/decisions\?[^"]+)"', shown.text)
        assert link is not None
        assert (await browser.get(link[1].replace("&amp;", "&"))).status == 200
    id = kinds["asker"].id
    page = await browser.get(f"/oversight/unusual/{id}")
    assert ">druk<" in (await browser.send(page.form(f"/oversight/unusual/{id}/who"))).text
    form = page.form(f"/oversight/unusual/{id}")
    assert (await browser.send(form, reason=" ")).status == 422
    assert (await browser.send(form, reason=f"Inhaalslag {EVIL}")).status == 303
    done = (await browser.get(f"/oversight/unusual/{id}")).text
    assert "Inhaalslag" in done
    assert EVIL not in done
    assert (await room.browser("auditor").send(form, reason="mag niet")).status == 403
    assert listed.status == 200
    assert (await browser.get("/oversight/unusual/nergens")).status == 404


NOTICE = Notice(
    "taken", 3, "nl.voorbeeld.taken.veranderd", PEER, AID, Text("De lijst met taken is veranderd.", "The list of tasks changed."),
    (Article("Participatiewet", "64"),), "public-task", Oin(OWN), Period(date(2026, 1, 1)),
)  # fmt: skip


@pytest.mark.parametrize(("data", "told"), [((), True), (("soort",), False)])
async def test_the_facts_tell_a_notice_from_a_disclosure(
    tmp_path: Path, data: tuple[str, ...], told: bool
) -> None:
    """What a recipient of a notice keeps of it, this node does not know: it says nothing of that."""
    changed = msgspec.structs.replace(NOTICE, data=data)
    event = EventType(
        NOTICE.event, NOTICE.tells, NOTICE.tells, data={"soort": Fact("text", Text("Soort", "Kind"))}
    )
    with Room(tmp_path, Grounds((), (activity(),), (), (event,), (changed,))) as room:
        text = (await room.browser().get(f"/register/{KEY}/dpia")).text
    assert "</bdi>: De lijst met taken is veranderd.</h3>" in text
    assert "Kennisgeving <code>taken</code> versie 3" in text
    assert "Kennisgeving taken heeft geen einddatum" in text
    assert ("De ontvanger hoort alleen dat dit gebeurde" in text) is told
    assert "De ontvanger bewaart" not in text
    assert "Verstrekking taken" not in text


async def test_the_facts_say_whether_a_review_was_never_done_or_is_late(room: Room) -> None:
    browser = room.browser()
    form = (await browser.get(f"/register/{KEY}")).form(f"/register/{KEY}/review#review")
    sent = await browser.send(form, outcome="agreed", dpia="none", due="2026-11-21")
    assert sent.status == 303
    room.now += timedelta(days=3)
    opened = [one["nl"] for one in (await browser.get(f"/register/{KEY}/dpia?as=json")).json["open"]]
    assert "De toets van deze verwerking is te laat." in opened
    assert not [one for one in opened if "nooit" in one]


async def test_a_finding_is_drawn_with_the_counts_that_it_is_about(room: Room) -> None:
    """Beside the limit of questions outside office hours stand those, and not all; the same of refusals."""
    busy = [room.asked("nacht", NOW - timedelta(minutes=minute)) for minute in range(20)]
    allowed = [room.consulted("fout", NOW - timedelta(minutes=minute)) for minute in range(20)]
    await room.write([one for some in busy + allowed for one in some])
    await room.oversight.summary.catch_up()
    findings = room.oversight.findings
    found = {one.finding.kind: one.finding for one in findings.page("", "", 1, 50)}
    for kind, count in (("off-hours", 7), ("refused", 12)):
        assert found[kind].count == count
        assert dict(findings.series(found[kind]))[NOW.toordinal()] == count


async def test_the_facts_for_an_assessment_are_those_of_settings_and_counts(room: Room) -> None:
    browser = room.browser()
    made = (await browser.get(f"/register/{KEY}/dpia?as=json")).json
    assert made["last_year"]["by_disclosure"][0]["questions"] == 3
    assert made["last_year"]["refused_by"] == [{"rule": "not-disclosed", "times": 12}]
    opened = " ".join(one["nl"] for one in made["open"])
    assert "zonder masker" in opened
    assert "geen einddatum" in opened
    assert "nog nooit getoetst" in opened
    assert "te laat" not in opened
    text = (await browser.get(f"/register/{KEY}/dpia")).text
    assert "Noodzaak per gegeven" in text
    assert "bedrag / 100" in text
    asked = (await browser.get(f"/register/{key_of(TREES)}")).text
    assert "rdw.voertuigen" in asked


async def test_what_others_wrote_harms_no_page(tmp_path: Path) -> None:
    evil = activity(AID, name=Text(EVIL, EVIL), purpose=Text(EVIL, EVIL), subjects=Text(EVIL, EVIL))
    with Room(
        tmp_path, Grounds(GROUNDS.datasets, (evil,), GROUNDS.disclosures), {**NAMES, PEER: EVIL}
    ) as room:
        await room.write(
            [*room.consulted(EVIL, room.now, [EVIL]), *room.consulted(EVIL, room.now, dataset=EVIL)]
        )
        await room.oversight.catch_up()
        for path in PAGES:
            path = "/oversight/log/1" if path == "/oversight/log/3" else path
            shown = await room.browser().get(path)
            assert shown.status == 200, shown.text[:300]
            assert EVIL not in shown.text
        assert (
            await room.browser().get(f"/oversight/decisions?peer={'x' * 3000}&after=zzz&page=-1&sort=nee")
        ).status == 200


async def test_a_review_that_is_late_comes_first(room: Room) -> None:
    browser = room.browser()
    form = (await browser.get(f"/register/{key_of(TREES)}")).form(f"/register/{key_of(TREES)}/review#review")
    await browser.send(
        form, outcome="agreed", dpia="none", due=(date(2026, 11, 20) + timedelta(days=5)).isoformat()
    )
    assert "binnenkort" in (await browser.get("/register")).text
    room.now += timedelta(days=10)
    listed = (await browser.get("/register")).text.partition("<ul>")[2]
    assert listed.index("Bomen beheren") < listed.index("Bijstand vaststellen")


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # of WeasyPrint's colour profile
async def test_the_facts_for_an_assessment_are_a_document_too(room: Room) -> None:
    need_pango()
    shown = await room.browser().get(f"/register/{KEY}/dpia?as=pdf")
    assert shown.headers["content-type"] == "application/pdf"
    said = " ".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(shown.body)).pages)
    assert "Noodzaak per gegeven" in said


async def test_documents_are_made_one_at_a_time(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each keeps a thread busy for a second, and the threads are those with which everybody else's pages read."""
    under_way, most = 0, 0

    def slow(*_: object) -> bytes:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        time.sleep(0.02)
        under_way -= 1
        return b"%PDF"

    monkeypatch.setattr("sluis.oversight.register_pages.as_pdf", slow)
    browser = room.browser()
    await asyncio.gather(*(browser.get(f"/register/{KEY}/dpia?as=pdf") for _ in range(6)))
    assert most == 1
