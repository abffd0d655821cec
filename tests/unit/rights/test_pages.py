"""The pages on which people ask about their own data, and staff answer. Persons and organisations are fictitious, and some of them hostile."""

import asyncio
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator, Callable
from datetime import date
from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from tests.browser import Browser, tied
from tests.unit.identity.people import established
from tests.unit.rights.world import ANN, TAXES, TOWN, World

from sluis.crypto import FileKeyStore
from sluis.grounds import Activity, Article, Closed, Disclosure, Offer, OfferedColumn
from sluis.grounds import Subject as About
from sluis.identity.register import PERSON
from sluis.identity.sessions import open_sessions
from sluis.kernel import Oin, Period, Problem, Refused, Text, Upstream
from sluis.policy import STANDARD, DecisionPoint, Policies
from sluis.query import Answer, Owner, Question, Who
from sluis.query.model import StaysClosed
from sluis.rights import (
    DESK,
    NAVIGATION,
    Confirmed,
    DataSubject,
    Inspection,
    Part,
    Traced,
    desk_routes,
    page_routes,
)
from sluis.rights.mine import AN_HOUR
from sluis.web import COOKIE, Gate, House, SignedIn, make_portal
from sluis.web.cookies import LANGUAGE

SLOW = "Traag (fictief)"  # whose download waits until it goes on
BAD = "<img src=x onerror=alert(1)>"
SINCE = Period(date(2020, 1, 1))
TRACE = "0af7651916cd43dd8448eb211c80319c"
ACTIVITY = Activity(
    "urn:x:inzage", Text("Uw eigen inzage", "Your own inspection"), Text("-", "-"), Oin(TOWN), "legal-obligation",
    (Article("AVG", "15"),), SINCE, inspection="people",
)  # fmt: skip


def offer(alias: str, dataset: str, activity: str = "urn:x:inzage", **changed: Any) -> Offer:
    """What an organisation offers of one dataset."""
    columns = (
        OfferedColumn("bsn", "VARCHAR", "output"),
        OfferedColumn("naam", "VARCHAR", "output", Text(f"naam {BAD}", f"name {BAD}")),
        OfferedColumn("bedrag", "BIGINT", "output", Text("bedrag", "amount"), "eurocent per maand"),
        OfferedColumn("notitie", "VARCHAR", None, Text("notitie", "note")),
    )
    disclosure = Disclosure(
        f"{dataset}-{activity[-3:]}", 1, dataset, TOWN, activity, {"bsn": "output", "naam": "output", "bedrag": "output"},
        (Article("Belastingwet", "1"),), "legal-obligation", Oin(TAXES), SINCE,
        closed=(Closed(("notitie",), Text("Geheim.", "Secret."), Article("Belastingwet", "9", "BWBR0000009")),),
    )  # fmt: skip
    disclosure = msgspec.structs.replace(disclosure, **changed)
    peer = TAXES if alias == "taxes" else TOWN
    title = Text(f"{dataset} {BAD}", f"{dataset} {BAD}")
    return Offer(peer, alias, dataset, title, columns, disclosure, "sha256:0", About("bsn", "BSN"))


class Owners:
    """The book of owners; what is known of each comes from a test."""

    def __init__(self) -> None:
        self.by_alias = {
            "taxes": Owner("taxes", TAXES, f"Belastingen {BAD}"),
            "town": Owner("town", TOWN, "Gemeente Fictief"),
        }
        self.offers: dict[str, Any] = {
            "taxes": (offer("taxes", "inkomen"), offer("taxes", "schulden", "urn:x:anders")),
            "town": (),
        }

    async def known(self, alias: str) -> Any:
        found = self.offers[alias]
        if isinstance(found, Problem):
            raise found
        if found is None:
            await asyncio.Event().wait()
        return SimpleNamespace(offers=found)

    def kept(self, alias: str) -> Any:
        found = self.offers[alias]
        return SimpleNamespace(offers=found) if isinstance(found, tuple) else None


class Asker:
    """Answers with what a test says, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Question, Who]] = []
        self.answers: Any = [{"naam": f"Ann {BAD}", "bedrag": 123456}]

    known: tuple[Activity, ...] = (ACTIVITY,)

    def activities(self) -> tuple[Activity, ...]:
        return self.known

    async def rendered(
        self,
        question: Question,
        who: Who,
        render: Callable[[Answer], Any],
        watch: Any = None,
        trace: Any = None,
    ) -> Any:
        self.asked.append((question, who))
        if self.answers is None:
            await asyncio.Event().wait()
        if isinstance(self.answers, Problem):
            raise self.answers
        closed = StaysClosed(
            "taxes", "inkomen", "columns", ("notitie",), Text("Geheim.", "Secret."), "Belastingwet, art. 9"
        )
        table = pa.Table.from_pylist(
            self.answers, schema=pa.schema([("naam", pa.string()), ("bedrag", pa.int64())])
        )
        return render(Answer("-", "t", table, (), (), (closed,), (), {}))


class Pages(World):
    """A portal with these pages at the town; its requests cross to the tax office and to the town itself."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        town = self.town
        self.sessions = open_sessions(town.store, FileKeyStore(folder / "town" / "keys"), self.clock)
        self.asker, self.owners = Asker(), Owners()
        asker, owners = self.asker, self.owners

        async def kinds() -> Any:
            return {
                str.__str__(TAXES): [
                    ("inkomen", Text("inkomen", "-")),
                    ("vermogen", Text(f"vermogen {BAD}", "-")),
                ]
            }

        inspection = Inspection(asker, owners, kinds, self.clock, 0.3)  # type: ignore[arg-type]
        point = DecisionPoint(Policies(STANDARD), "town", town.ledger, self.clock)
        routes = [
            *page_routes(
                town.rights,
                inspection,
                self._whose,
                self._traced,
                self._parts(),
                {"90000003": "001234567"}.get,
            ),
            *desk_routes(town.rights, Gate(point), TOWN),
        ]
        house = House("Gemeente Fictief", True, (*NAVIGATION, *DESK))
        self.app = make_portal(routes, self, house, b"s" * 32)

    def by_cookie(self, secret: str) -> SignedIn | None:
        return self.sessions.by_cookie(secret)

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        return None

    async def _whose(self, person: SignedIn, action: str) -> tuple[str, str]:
        if person.acting.entity is not None:
            kind, _, number = person.acting.entity.removeprefix(PERSON).rpartition(":")
            return kind, number
        return self.sessions.subject(person.session)

    async def _traced(self, whom: DataSubject, trace: str) -> Traced:
        return (
            Traced(Text(f"Bijstand {BAD}", "Benefit"), (str.__str__(TAXES),)) if trace == TRACE else Traced()
        )

    packing = most_packing = 0
    """Downloads that are collected at the same time: now, and at most."""

    def _parts(self) -> list[Part]:
        self.packs, self.goes_on = asyncio.Event(), asyncio.Event()
        self.goes_on.set()

        async def good(person: SignedIn) -> Any:
            self.packing += 1
            self.packs.set()
            self.most_packing = max(self.most_packing, self.packing)
            await asyncio.sleep(0)
            if person.name == SLOW:
                await self.goes_on.wait()
            self.packing -= 1
            return [{"naam": BAD}]

        async def bad(person: SignedIn) -> Any:
            raise Upstream("x", Text("Dit ging mis.", "-"), Text("-", "-"), Text("Later.", "-"))

        words = Text(f"Dingen {BAD}", "Things")
        return [Part("things", words, words, good), Part("gone", words, words, bad)]

    async def enter(self, **who: Any) -> Browser:
        browser = Browser(self.app)
        at = int(self.clock.now.timestamp())
        browser.cookies[COOKIE], _ = await self.sessions.begin(established(at=at, **who))
        return browser

    async def staff(self, *roles: str) -> Browser:
        return await self.enter(audience="staff", kind="staff", value=f"x-{roles}", roles=roles)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Pages]:
    made = Pages(tmp_path)
    yield made
    made.close()


async def known(node: Pages, browser: Browser | None = None, **fields: str) -> Any:
    browser = browser or await node.enter()
    return await browser.send((await browser.get("/mine")).form("/mine"), **fields)


async def test_somebody_sees_what_is_known_in_words_and_nothing_of_it_runs(node: Pages) -> None:
    shown = await known(node)
    assert shown.status == 200
    text = shown.text
    for words in (
        "€ 1.234,56 per maand",
        'Geheim. (<a href="https://wetten.overheid.nl/jci1.3:c:BWBR0000009&amp;artikel=9" rel="noreferrer"><bdi>Belastingwet, art. 9</bdi></a>)',
        "Klopt dit niet?",
        "schulden",
        "vermogen",
    ):
        assert words in text
    assert BAD not in text
    assert "&lt;img" in text
    assert ANN.value not in text
    ((question, who),) = node.asker.asked
    assert question.parameters == {"oneself": ANN.value}
    assert (question.activity, who.audience, who.level) == ("urn:x:inzage", "citizen", "substantial")
    assert '"bsn"' not in question.sql.partition("FROM")[0]  # who knows their own number need not be told


async def test_a_number_that_a_browser_sends_is_not_asked_about(node: Pages) -> None:
    await known(node, oneself="999990020", bsn="999990020", value="999990020")
    assert node.asker.asked[0][0].parameters == {"oneself": ANN.value}


@pytest.mark.parametrize(
    "answers",
    [None, Refused("x", Text(f"Mag niet {BAD}", "-"), Text("-", "-"), Text("-", "-"), legal=f"Wet {BAD}")],
)
async def test_who_is_slow_or_refuses_leaves_a_gap_that_is_named(node: Pages, answers: Any) -> None:
    node.asker.answers = answers
    shown = await known(node)
    assert shown.status == 200
    assert "Er ontbreekt iets" in shown.text
    assert BAD not in shown.text
    again = shown.form("/mine", only="taxes")
    node.asker.answers = []
    shown = await (await node.enter()).post("/mine", again.fields | {"csrf": await _token(node)})
    assert shown.status == 403  # a form of one browser is of no use to another


async def _token(node: Pages) -> str:
    return (await (await node.enter(value="999990020")).get("/mine")).form("/mine").fields["csrf"]


async def test_an_organisation_that_cannot_be_reached_is_asked_again_alone(node: Pages) -> None:
    node.owners.offers["town"] = None
    browser = await node.enter()
    shown = await known(node, browser)
    assert "Gemeente Fictief gaf niet op tijd antwoord" in shown.text
    node.owners.offers["town"] = (offer("town", "aanvragen"),)
    node.asker.answers = []
    shown = await browser.send(shown.form("/mine", only="town"))
    assert "Hier staat niets over u" in shown.text
    assert [one.sql.count("aanvragen") for one, _ in node.asker.asked] == [0, 1]


async def test_who_asks_without_end_waits(node: Pages) -> None:
    browser = await node.enter()
    for _ in range(AN_HOUR):
        assert (await known(node, browser)).status == 200
    assert (await known(node, browser)).status == 403
    assert (await known(node, await node.enter(value="999990020"))).status == 200


async def test_who_signed_in_weakly_or_as_somebody_else_does_not_ask(node: Pages) -> None:
    for who, status in (
        ({"level": "low"}, 303),
        ({"kind": "pseudonym"}, 403),
    ):
        browser = await node.enter(**who)  # type: ignore[arg-type]
        token = browser.app._token(node.sessions.by_cookie(browser.cookies[COOKIE]), None)
        shown = await browser.post("/mine", {"csrf": token})
        assert shown.status == status, who
    assert node.asker.asked == []


COMPANY: dict[str, Any] = {"audience": "company", "kind": "pseudonym", "value": "x"}
FOR_COMPANIES = msgspec.structs.replace(
    ACTIVITY, id="urn:x:bedrijven", inspection="companies", articles=(Article("Wet open overheid", "5.5"),)
)


async def for_company(node: Pages, entity: str = "urn:nl:kvk:90000003") -> Browser:
    return await node.enter(**COMPANY, entity=entity, entity_name="Bakkerij Fictief")


def of_companies(alias: str, dataset: str, kind: str, activity: str = "urn:x:bedrijven") -> Offer:
    made = offer(alias, dataset, activity)
    return msgspec.structs.replace(made, subject=About("bsn", kind))


async def test_who_acts_for_a_company_sees_what_is_known_of_it_under_both_its_numbers(node: Pages) -> None:
    node.asker.known = (ACTIVITY, FOR_COMPANIES)
    node.owners.offers["taxes"] = (
        offer("taxes", "inkomen"),
        of_companies("taxes", "aanslagen", "urn:nl:rsin"),
        of_companies("taxes", "ondernemingen", "urn:nl:kvk"),
        offer("taxes", "mensen", "urn:x:bedrijven"),
    )
    browser = await for_company(node)
    begin = await browser.get("/mine")
    assert "Wet open overheid</bdi>, artikel <bdi>5.5" in begin.text
    assert "Bakkerij Fictief" in begin.text
    shown = await browser.send(begin.form("/mine"))
    assert shown.status == 200
    asked = {
        one.sql.rpartition("aanslagen")[1] or "ondernemingen": one.parameters for one, _ in node.asker.asked
    }
    assert asked == {"aanslagen": {"oneself": "001234567"}, "ondernemingen": {"oneself": "90000003"}}
    assert {one.activity for one, _ in node.asker.asked} == {"urn:x:bedrijven"}
    assert {who.acting.entity for _, who in node.asker.asked} == {"urn:nl:kvk:90000003"}
    assert "vermogen" not in shown.text  # of people


@pytest.mark.parametrize(
    ("language", "words"), [("nl", "Hier kan dit nog niet"), ("en", "Not possible here yet")]
)
async def test_a_company_reads_what_to_do_where_nobody_offers_this(
    node: Pages, language: str, words: str
) -> None:
    browser = await for_company(node)
    browser.cookies[LANGUAGE] = language
    shown = await browser.get("/mine")
    assert words in shown.text
    assert 'action="/mine"' not in shown.text
    form = (await browser.get("/requests/new?kind=access")).form("/requests")
    assert (
        await browser.send(form, organisation=str.__str__(TAXES), kind="access", remark="Alles.")
    ).status == 303
    await node.settle()
    (request,) = await node.town.rights.of_person(DataSubject("urn:nl:kvk", "90000003"))
    assert (request.kind, request.state) == ("access", "received")
    assert "Wet open overheid, art. 4.4" in (await browser.get("/corrections")).text


@pytest.mark.parametrize(
    ("entity", "name"), [("urn:nl:kvk:90000003", "Bakkerij <Fictief>"), (f"{PERSON}BSN:999990020", "B. Ob <Fictief>")]
)  # fmt: skip
@pytest.mark.parametrize(("language", "whose"), [
    ("nl", ("voor", "Verzoeken en meldingen")), ("en", ("for", "Requests and reports")),
])  # fmt: skip
async def test_pages_of_requests_say_whose_they_are_and_their_titles_name_nobody(
    node: Pages, entity: str, name: str, language: str, whose: tuple[str, str]
) -> None:
    browser = await node.enter(**COMPANY, entity=entity, entity_name=name)
    browser.cookies[LANGUAGE] = language
    for path in ("/corrections", "/requests/new", "/requests/new?kind=correction"):
        shown = await browser.get(path)
        # Not the choice of whom to ask about, nor hidden values: a random one may well hold "my".
        main = re.sub(
            '<fieldset.*</fieldset>| value="[^"]*"', "", shown.text.partition("<main")[2], flags=re.S
        )
        assert not re.search(r"\b(uw gegevens|mijn|uw burger\w+|your data|my|your citizen)\b", main, re.I), (
            path
        )
        assert escape(name) not in shown.text.partition("</title>")[0]
    heading = f"<h1>{whose[1]} {whose[0]} <bdi>{escape(name)}</bdi></h1>"
    assert heading in (await browser.get("/corrections")).text
    own = await (await node.enter()).get("/corrections")
    assert "<h1>Mijn verzoeken en meldingen</h1>" in own.text


async def test_data_that_a_request_is_about_is_called_as_its_owner_calls_it_in_that_language(
    node: Pages,
) -> None:
    title = Text("Inkomen per jaar", "Income per year")
    node.owners.offers["taxes"] = (msgspec.structs.replace(offer("taxes", "inkomen"), title=title),)
    browser = await node.enter()
    browser.cookies[LANGUAGE] = "en"
    form = await browser.send((await known(node, browser)).form("/requests/new"))
    assert "<dt>Data</dt><dd><bdi>Income per year</bdi></dd>" in form.text
    sent = await browser.send(form.form("/requests"), now="1", should="2", remark="")
    listed = await browser.get(sent.headers["location"])
    assert "· <bdi>Income per year</bdi>" in listed.text
    node.owners.offers["taxes"] = (
        None  # not known any more: as it was called when this was asked, and that was Dutch
    )
    listed = await browser.get("/corrections")
    assert '· <bdi lang="nl">Inkomen per jaar</bdi>' in listed.text


async def test_a_company_has_the_rights_that_are_not_of_people_alone(node: Pages) -> None:
    browser = await for_company(node)
    form = await browser.get("/requests/new")
    assert 'value="erasure"' not in form.text
    wrong = await browser.send(
        form.form("/requests"), organisation=str.__str__(TAXES), kind="erasure", remark="Weg."
    )
    assert wrong.status == 400
    mistake = (await browser.get("/requests/new?kind=correction")).form("/requests")
    sent = await browser.send(mistake, organisation=str.__str__(TOWN), now="oud", should="nieuw", remark="")
    assert sent.status == 303
    await node.settle()
    owner = await node.staff("data-owner")
    listed = await owner.get("/desk/corrections")
    one = await owner.send(listed.form("/desk/corrections/open"))
    assert "KVK-nummer" in one.text
    assert "90000003" in one.text
    assert "Algemene wet bestuursrecht, art. 4:1" in one.text
    assert "acht weken" in one.text


async def test_a_mistake_is_reported_from_where_it_stands_and_comes_back_with_its_answer(node: Pages) -> None:
    browser = await node.enter()
    shown = await known(node, browser)
    form = await browser.send(shown.form("/requests/new"))
    assert "?" not in form.url
    assert "naam &lt;img" in form.text
    assert BAD not in form.text
    empty = await browser.send(form.form("/requests"), now=BAD, should=" ", remark="blijft staan")
    assert (empty.status, tied(empty.text)) == (400, "should")
    assert "blijft staan" in empty.text
    sent = await browser.send(empty.form("/requests"), now=BAD, should=f"Anna {BAD}", remark="")
    assert sent.status == 303
    assert ANN.value not in sent.headers["location"]
    listed = await browser.get(sent.headers["location"])
    assert "Verstuurd" in listed.text
    assert BAD not in listed.text
    await node.settle()
    (request,) = await node.town.rights.of_person(ANN)
    assert (request.content.about.dataset, request.content.asked.should) == ("inkomen", f"Anna {BAD}")
    await node.taxes.rights.decide(
        "desk", str.__str__(TOWN), request.receipt, ("correction",), "refused", f"Nee {BAD}"
    )
    await node.settle()
    listed = await browser.get("/corrections")
    assert "niet verbeterd" in listed.text
    assert "Nee &lt;img" in listed.text
    assert (await (await node.enter(value="999990020")).get("/corrections")).text.count("niet verbeterd") == 0


async def test_a_line_of_who_looked_leads_to_a_request_at_who_looked(node: Pages) -> None:
    browser = await node.enter()
    form = await browser.get(f"/requests/new?about={TRACE}")
    assert "Bijstand &lt;img" in form.text
    assert f'value="{TAXES!s}" selected' in form.text
    assert 'value="objection" required checked' in form.text
    sent = await browser.send(
        form.form("/requests"), organisation=str.__str__(TAXES), kind="objection", remark="Niet doen."
    )
    assert sent.status == 303
    (request,) = await node.town.rights.of_person(ANN)
    assert (request.kind, request.content.about.trace) == ("objection", TRACE)


@pytest.mark.parametrize("about", ["", "x", BAD, "0" * 31, "z" * 32, "a" * 5000])
async def test_a_reference_that_is_none_is_left_out(node: Pages, about: str) -> None:
    from urllib.parse import quote

    shown = await (await node.enter()).get(f"/requests/new?about={quote(about)}")
    assert shown.status == 200
    assert 'name="trace" value=""' in shown.text


async def test_a_form_that_was_tampered_with_makes_no_request(node: Pages) -> None:
    browser = await node.enter()
    form = (await browser.get("/requests/new")).form("/requests")
    good = {"organisation": str.__str__(TAXES), "kind": "erasure", "remark": "Weg."}
    for wrong in (
        {"organisation": "00000009999999999999"},
        {"kind": "won"},
        {"kind": BAD},
        {"remark": ""},
        {"remark": "x" * 2001},
    ):
        assert (await browser.send(form, **good | wrong)).status == 400, wrong
    assert (await browser.send(form, **good | {"remark": "x" * 70_000})).status == 413
    assert (await browser.post("/requests", good)).status == 403  # without the form's token
    assert await node.town.rights.of_person(ANN) == []
    assert (await browser.send(form, **good)).status == 303


async def test_a_data_owner_answers_reports_and_a_privacy_officer_the_rest(node: Pages) -> None:
    report = await node.place(to=TOWN, now=f"oud {BAD}", remark=f"zie {BAD}")
    right = await node.place(to=TOWN, kind="erasure", remark="Weg.")
    await node.settle()
    owner, officer = await node.staff("data-owner"), await node.staff("privacy-officer")
    assert (await owner.get("/desk/rights")).status == 403
    assert (await (await node.staff("medewerker")).get("/desk/corrections")).status == 403
    assert (await (await node.enter()).get("/desk/corrections")).status == 403
    listed = await owner.get("/desk/corrections")
    assert report.receipt in listed.text
    assert right.receipt not in listed.text
    assert ANN.value not in listed.text.replace(".", "")
    one = await owner.send(listed.form("/desk/corrections/open"))
    assert "oud &lt;img" in one.text
    assert BAD not in one.text
    assert "9999.90.019" in one.text
    decide = one.form("/desk/corrections/decide")
    wrong = await owner.send(decide, state="refused", reason="")
    assert (wrong.status, tied(wrong.text)) == (400, "reason")
    assert (await owner.send(decide, state="received", reason="x")).status == 400
    done = await owner.send(decide, state="granted", reason="")
    assert done.headers["location"].startswith("/desk/corrections?done=")
    assert (await owner.send(decide, state="refused", reason="x")).status == 400  # it is finished
    assert report.receipt in (await owner.get("/desk/corrections?show=closed")).text
    # The privacy officer sees reports and decides what is theirs.
    form = (await officer.get("/desk/corrections?show=all")).form("/desk/corrections/open")
    seen = await officer.send(form)
    assert seen.status == 200
    moved = decide.fields | {"csrf": form.fields["csrf"], "state": "refused", "reason": "x"}
    assert (await officer.post("/desk/corrections/decide", moved)).status == 403
    theirs = await officer.send((await officer.get("/desk/rights")).form("/desk/rights/open"))
    assert (await officer.send(theirs.form("/desk/rights/decide"), state="granted", reason="")).status == 303
    await node.settle()
    states = {one.receipt: one.state for one in await node.town.rights.of_person(ANN)}
    assert states == {report.receipt: "granted", right.receipt: "granted"}
    actions = [one["action"] for one in node.town.records() if one["kind"] == "admin"]
    assert actions.count("request.read") >= 3


@pytest.mark.parametrize(
    ("confirmed", "words", "mark"),
    [
        (None, "Alleen de organisatie die het doorgaf, zegt van wie dit is", "niet bevestigd"),
        (
            Confirmed(f"https://inloggen.example/{BAD}", "substantial", 5),
            "https://inloggen.example/",
            "bevestigd",
        ),
        (Confirmed("", "high", 5), "op het portaal van deze organisatie", "bevestigd"),
    ],
)
async def test_the_desk_says_whether_it_is_sure_whose_a_request_is(
    node: Pages, confirmed: Confirmed | None, words: str, mark: str
) -> None:
    if confirmed is not None:
        node.town.believed = {"": confirmed}
    await node.place(to=TOWN)
    await node.settle()
    owner = await node.staff("data-owner")
    listed = await owner.get("/desk/corrections")
    assert f">{mark}<" in listed.text.replace("\n", "").replace("  ", "")
    one = await owner.send(listed.form("/desk/corrections/open"))
    assert words in one.text
    assert BAD not in one.text


async def test_a_download_holds_every_part_and_names_what_it_could_not_read(node: Pages) -> None:
    browser = await node.enter()
    shown = await browser.send((await browser.get("/mine")).form("/mine/download"))
    assert shown.headers["content-disposition"] == 'attachment; filename="mijn-gegevens.zip"'
    with zipfile.ZipFile(io.BytesIO(shown.body)) as archive:
        assert archive.namelist() == ["lees-mij.html", "things.json"]
        assert json.loads(archive.read("things.json")) == [{"naam": BAD}]
        about = archive.read("lees-mij.html").decode()
    assert "Dit ging mis." in about
    assert BAD not in about


async def test_few_downloads_are_made_at_once(node: Pages) -> None:
    browsers = [await node.enter(value=f"99999{at:04}") for at in range(6)]
    forms = [(await one.get("/mine")).form("/mine/download") for one in browsers]
    pairs = zip(browsers, forms, strict=True)
    answers = await asyncio.gather(*(browser.send(form) for browser, form in [*pairs]))
    assert ({one.status for one in answers}, node.most_packing) == ({200}, 2)


async def test_who_asks_for_many_downloads_at_once_keeps_nobody_else_waiting(node: Pages) -> None:
    """All stood in one row: somebody who sent a form a thousand times had everybody wait behind it."""
    greedy, other = await node.enter(name=SLOW), await node.enter(value="999990020")
    first, second = [(await one.get("/mine")).form("/mine/download") for one in (greedy, other)]
    node.goes_on.clear()
    many = [asyncio.ensure_future(greedy.send(first)) for _ in range(12)]
    await node.packs.wait()  # the others stand in the row by now
    async with asyncio.timeout(10):
        assert (await other.send(second)).status == 200
    assert not any(one.done() for one in many)
    node.goes_on.set()
    assert {one.status for one in await asyncio.gather(*many)} == {200}
