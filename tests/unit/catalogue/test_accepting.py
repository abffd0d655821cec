"""Terms are accepted in the version that was read, on record at both sides before anybody is told so, and asked again when they
change; where the owner requires it, nobody who did not accept is answered.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from tests.browser import Browser
from tests.unit.catalogue.examples import GROUNDS, NOW, OF, OWN, RECIPIENT, SERVICE, described, prose, whole
from tests.unit.catalogue.portal import Others
from tests.unit.web.conftest import ABOUT, calling, crossing

from sluis.catalogue import (
    NAVIGATION,
    Accepted,
    Catalogue,
    Finder,
    Found,
    Terms,
    page_routes,
    peer_routes,
    terms_api_routes,
    terms_routes,
)
from sluis.catalogue.accepting import PATH
from sluis.catalogue.model import Offered
from sluis.catalogue.rules import offered_terms, terms_digest
from sluis.crypto import FileKeyStore, Vault
from sluis.gateway import Answer
from sluis.kernel import Acting, Conflict, Invalid, PeerId, Refused, Text, Upstream
from sluis.ledger import Arrangement, open_ledger
from sluis.ledger.following import _Stretch
from sluis.store import open_store
from sluis.web import COOKIE, Access, House, SignedIn, make_api, make_portal

SAY = Text("Nee.", "No.")
TERMS = Terms("1", prose("Alleen voor het doel"), required=True)
LATER = Terms("1", prose("Ook voor iets anders"), required=True)
WHO = "ambtenaar-7"


class Side:
    """One node, as far as terms go. It is the `Link` of the other."""

    def __init__(self, folder: Path, own: PeerId, catalogue: Catalogue | None, link: Any) -> None:
        folder.mkdir(exist_ok=True)
        self.own, self.catalogue, self.store = own, catalogue, open_store(folder / "node.db")
        self.keys = FileKeyStore(folder / "keys")
        self.ledger = open_ledger(self.store, self.keys, f"test/{own!s}", lambda: NOW)
        self.reread = list[PeerId]()
        self.terms = self.opened(link)

    def opened(self, link: Any) -> Accepted:
        """As after a start."""
        names = {OWN: "Eigenaar (fictief)", RECIPIENT: "Vrager (fictief)"}

        async def reread(peer: PeerId) -> None:
            self.reread.append(peer)

        vault = Vault(self.keys, "terms")
        return Accepted(
            self.store, self.ledger, vault, link, self.catalogue, self.own, names, lambda: NOW, reread
        )

    def records(self) -> list[Arrangement]:
        return [one for _, one in _Stretch(self.store, 0, 100)._read() if isinstance(one, Arrangement)]


class Pair:
    """An owner with a dataset, and an organisation that wants to use it; `away` while the owner cannot be reached."""

    def __init__(self, folder: Path, terms: Terms = TERMS) -> None:
        self.away, self.garbled, self.told = False, b"", 0
        self.owner = Side(folder / "owner", OWN, self.offering(folder, terms), None)
        self.asker = Side(folder / "asker", RECIPIENT, None, self)
        self.call = calling(make_api(terms_api_routes(self.owner.terms), Access([RECIPIENT], {}.get), ABOUT))

    @staticmethod
    def offering(folder: Path, terms: Terms) -> Catalogue:
        said = (described("dataset", "inkomen", terms=terms), described("dataset", "bomen"))
        return Catalogue(whole(), said, GROUNDS, lambda: [SERVICE], SERVICE, OF, folder)

    @asynccontextmanager
    async def send(
        self,
        peer: PeerId,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
        **more: Any,
    ) -> AsyncIterator[Answer]:
        assert (peer, method, path) == (OWN, "POST", PATH)
        if self.away:
            raise Upstream("peer-unreachable", SAY, SAY, SAY, retry=True)
        self.told += 1
        reply = await self.call(method, path, body, dict(headers), crossing(RECIPIENT, "Vrager"))

        async def pieces() -> AsyncIterator[bytes]:
            yield self.garbled or reply.body

        yield Answer(reply.status, {}, pieces())

    @property
    def iri(self) -> str:
        return self.entry.iri

    @property
    def entry(self) -> Any:
        assert self.owner.catalogue is not None
        return self.owner.catalogue.entry("dataset", "inkomen")

    @property
    def offered(self) -> Offered:
        found = offered_terms(self.entry.terms)
        assert found is not None
        return found

    async def accept(self, offered: Offered | None = None) -> None:
        await self.asker.terms.accept(
            WHO, "Fenna Fictief", OWN, self.iri, self.entry.title, offered or self.offered
        )

    def change(self, folder: Path, terms: Terms) -> None:
        """The owner writes other terms, and starts again."""
        self.owner.catalogue = self.offering(folder, terms)
        self.owner.terms = self.owner.opened(None)
        self.call = calling(make_api(terms_api_routes(self.owner.terms), Access([RECIPIENT], {}.get), ABOUT))


@pytest.fixture
def pair(tmp_path: Path) -> Any:
    made = Pair(tmp_path)
    yield made
    made.owner.store.close()
    made.asker.store.close()


async def test_acceptance_is_on_record_at_both_sides_and_survives_a_start(pair: Pair) -> None:
    await pair.accept()
    await pair.asker.terms.deliver()
    (given,), (received,) = pair.asker.terms.every("given"), pair.owner.terms.every("received")
    assert (given.who, given.told is not None, given.digest) == ("Fenna Fictief", True, pair.offered.digest)
    assert (received.peer, received.version, received.digest, received.who) == (
        RECIPIENT,
        "1",
        given.digest,
        "",
    )
    assert received.reference == given.reference
    (here,), (there,) = pair.asker.records(), pair.owner.records()
    assert (here.action, there.action, here.trace_id) == ("terms.accept", "terms.accepted", there.trace_id)
    assert WHO not in str(here)
    assert "Fenna" not in str(here) + str(there)
    assert pair.asker.opened(pair).every("given") == [given]
    assert pair.owner.opened(None).lacking(RECIPIENT, ["inkomen"]) is None


async def test_who_did_not_accept_is_refused_where_the_owner_requires_it(pair: Pair, tmp_path: Path) -> None:
    lacking = pair.owner.terms.lacking(RECIPIENT, ["bomen", "inkomen"])
    assert lacking is not None
    assert (lacking.code, lacking.rule) == ("terms-not-accepted", "terms-required")
    assert pair.owner.terms.lacking(RECIPIENT, ["bomen"]) is None
    assert pair.owner.terms.accepted(RECIPIENT, SERVICE)
    await pair.accept()
    await pair.asker.terms.deliver()
    assert pair.owner.terms.lacking(RECIPIENT, ["inkomen"]) is None
    pair.change(tmp_path, LATER)
    assert pair.owner.terms.lacking(RECIPIENT, ["inkomen"]) is not None
    pair.change(tmp_path, Terms("1", prose("x")))
    assert pair.owner.terms.lacking(RECIPIENT, ["inkomen"]) is None


async def test_an_owner_that_is_away_is_told_later_and_once(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.away = True
    await pair.accept()
    await pair.asker.terms.deliver()
    assert pair.asker.terms.every("given")[0].told is None
    pair.away = False
    await pair.asker.terms.deliver()
    assert pair.told == 0  # it waits a little after a failure
    pair.asker.terms = pair.asker.opened(pair)
    await asyncio.gather(pair.asker.terms.deliver(), pair.asker.terms.deliver())
    await pair.asker.terms.deliver()
    assert pair.asker.terms.every("given")[0].told is not None
    assert len(pair.owner.records()) == 1
    await pair.accept()
    assert len(pair.asker.records()) == 1


async def test_terms_that_changed_meanwhile_are_not_accepted_and_read_again(
    pair: Pair, tmp_path: Path
) -> None:
    offered = pair.offered
    pair.change(tmp_path, LATER)
    await pair.accept(offered)
    await pair.asker.terms.deliver()
    (given,) = pair.asker.terms.every("given")
    assert (given.trouble, given.told, pair.asker.reread) == ("terms-changed", None, [OWN])
    assert pair.owner.terms.every("received") == []
    await pair.accept()
    await pair.asker.terms.deliver()
    assert len(pair.owner.terms.every("received")) == 1


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"reference": 7}', b"\xff", b"x" * 100_000])
async def test_an_answer_that_is_none_is_no_acknowledgement(pair: Pair, raw: bytes) -> None:
    pair.garbled = raw
    await pair.accept()
    await pair.asker.terms.deliver()
    assert pair.asker.terms.every("given")[0].told is None


async def test_a_digest_that_does_not_fit_the_text_is_accepted_by_nobody(pair: Pair) -> None:
    with pytest.raises(Invalid, match="cannot be accepted"):
        await pair.accept(Offered("1", ""))
    with pytest.raises(Conflict):
        await pair.owner.terms.receive(RECIPIENT, said_of(pair, "0" * 64))


def said_of(pair: Pair, digest: str) -> Any:
    from sluis.catalogue.model import Accepting

    return Accepting(pair.iri, "1", digest, "1" * 32, 0)


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[]", b'{"iri": "javascript:x", "version": "1", "digest": "", "reference": "", "at": 0}'],
)
async def test_what_a_peer_makes_up_is_refused(pair: Pair, body: bytes) -> None:
    reply = await pair.call(
        "POST", PATH, body, {"content-type": "application/json"}, crossing(RECIPIENT, "x")
    )
    assert reply.status == 400
    assert pair.owner.terms.every("received") == []


# Pages


class Desk:
    """The portal of the organisation that asks, for who has these roles."""

    def __init__(self, pair: Pair, *roles: str, said: Offered | None = None) -> None:
        entry = pair.entry
        found = Found("dataset", pair.iri, entry.title, entry.description, terms=said or pair.offered)
        others = Others(found, peer=OWN, name="Eigenaar (fictief)", trouble="unreadable-catalogue")
        others.states = others.found  # type: ignore[attr-defined]
        self.roles, finder, gate = roles, Finder(None, others), self  # type: ignore[arg-type]
        routes = [
            *page_routes(None, others, finder, pair.asker.terms),  # type: ignore[arg-type]
            *terms_routes(pair.asker.terms, None, others, gate, RECIPIENT),  # type: ignore[arg-type]
            *peer_routes(others, finder, gate, RECIPIENT),  # type: ignore[arg-type]
        ]
        self.app = make_portal(routes, self, House("Vrager (fictief)", True, NAVIGATION), b"s" * 32)

    async def require(self, person: SignedIn, action: str, resource: Any, refusal: Refused) -> None:
        needed = {"read-group": ["fsc-readonly", "fsc-admin"], "change-group": ["fsc-admin"]}
        if not {*needed.get(action, ["data-owner"])} & {*person.roles}:
            raise refusal

    def browser(self, language: str = "nl", audience: str = "staff") -> Browser:
        browser = Browser(self.app, language=language)
        browser.cookies[COOKIE] = audience
        return browser

    def by_cookie(self, secret: str) -> SignedIn | None:
        audience: Any = secret
        return SignedIn(
            "s", Acting(WHO), audience, "high", "acr", "directory", 0, "Fenna Fictief", roles=self.roles
        )

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        return None


def page_of(pair: Pair) -> str:
    return f"/catalogue/of/{str.__str__(OWN)}?entry={pair.iri}"


async def test_an_official_with_the_right_accepts_on_the_page_and_everybody_sees_when(pair: Pair) -> None:
    browser = Desk(pair, "data-owner").browser()
    shown = await browser.get(page_of(pair))
    assert "Aanvaard de voorwaarden" in shown.text
    assert "Alleen voor het doel (nl)" in shown.text
    after = await browser.send(shown.form("/catalogue/terms"))
    assert (after.status, unquote(after.headers["location"])) == (303, page_of(pair))
    shown = await browser.get(page_of(pair))
    assert "Fenna Fictief" in shown.text
    assert "De bronhouder weet het" in shown.text
    assert "<button>Aanvaard" not in shown.text
    assert "Aanvaard namens" not in (await Desk(pair).browser(audience="citizen").get(page_of(pair))).text
    listed = await browser.get("/catalogue/terms")
    assert (listed.status, "Bekend bij de bronhouder" in listed.text) == (200, True)
    assert "Fenna Fictief" in (await browser.get("/catalogue/terms?out-as=csv")).text


async def test_who_has_no_right_sees_who_does_and_may_not_accept(pair: Pair) -> None:
    browser = Desk(pair, "fsc-readonly").browser("en")
    shown = await browser.get(page_of(pair))
    assert "who is data owner or node administrator accepts them" in shown.text
    assert (await browser.get("/catalogue/terms")).status == 403
    form = {"owner": str.__str__(OWN), "entry": pair.iri, "digest": pair.offered.digest}
    assert (await browser.post("/catalogue/terms", form)).status == 403
    assert pair.asker.terms.every("given") == []


async def test_what_was_read_is_what_is_accepted(pair: Pair) -> None:
    browser = Desk(pair, "data-owner").browser()
    accepting = (await browser.get(page_of(pair))).form("/catalogue/terms")
    for form, status in (
        ({"digest": "0" * 64}, 409), ({"entry": "https://elders/x"}, 404), ({"owner": "x"}, 404),
    ):  # fmt: skip
        assert (await browser.send(accepting, **form)).status == status
    assert pair.asker.terms.every("given") == []
    unfit = Desk(pair, "data-owner", said=Offered("1", "", Text("x", "x"))).browser()
    assert "niet te aanvaarden" in (await unfit.get(page_of(pair))).text


async def test_officials_see_how_catalogues_of_others_were_read(pair: Pair) -> None:
    shown = await Desk(pair, "fsc-readonly").browser().get("/catalogue/peers")
    assert "is geen catalogus die hier gelezen kan worden" in shown.text
    assert "Meld het aan die organisatie" in shown.text
    assert "Lees ze nu" not in shown.text
    assert "Read them now" in (await Desk(pair, "fsc-admin").browser("en").get("/catalogue/peers")).text
    assert (await Desk(pair).browser().get("/catalogue/peers")).status == 403
    assert (await Desk(pair).browser(audience="citizen").get("/catalogue/peers")).status == 403


def test_another_text_has_another_digest_and_control_characters_do_not_count() -> None:
    text = Text("Alleen", "Only")
    first = terms_digest("1", text, None)
    assert first == terms_digest("1", Text("Alleen\x00", "Only\x7f"), None)
    others = [
        ("2", text, None),
        ("1", Text("Alleen.", "Only"), None),
        ("1", text, "https://a.nl"),
        ("1", None, None),
    ]
    assert len({first, *(terms_digest(*one) for one in others)}) == 5
