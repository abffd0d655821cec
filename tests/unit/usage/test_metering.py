"""What is used is counted from both logs, each line once, also when the counting ended in the middle; months that are over stay as
they were."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.browser import Browser

from sluis.crypto import FileKeyStore
from sluis.gateway.transactions import INCOMING, OUTGOING, Crossing, noted, open_transactions
from sluis.kernel import Acting, PeerId, Refused, Text, Unkept, new_span_id, new_trace_id
from sluis.ledger import ACTIVITY, Processing, open_ledger
from sluis.statement import CHARGE
from sluis.store import open_store
from sluis.usage import USAGE_NAVIGATION, Tariff, metering, usage_page_routes
from sluis.usage.metering import Metering
from sluis.usage.service import Usage, open_usage
from sluis.web import COOKIE, House, SignedIn, make_portal

OWN, PEER, THIRD = (PeerId(f"0000000100000000000{number}") for number in (1, 2, 3))
NAMES = {OWN: "Eigen (fictief)", PEER: "Gemeente <b>Ander</b> (fictief)"}
NOVEMBER = date(2026, 11, 1)


class World:
    """A node whose logs a test fills."""

    def __init__(self, folder: Path) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)
        self.store = open_store(folder / "node.db")
        self.log = open_transactions(self.store, lambda: self.now)
        self.ledger = open_ledger(self.store, FileKeyStore(folder / "keys"), "test/log", lambda: self.now)
        self.ids = iter(range(1, 1_000_000))
        self.tariffs: list[Tariff] = [Tariff("call", 5, vat=21)]
        self.usage = self.opened()

    def opened(self) -> Usage:
        """As after a start."""

        def prices(side: Any, peer: PeerId, service: str) -> Sequence[Tariff]:
            return self.tariffs

        usage = open_usage(self.store, self.ledger, None, prices, OWN, NAMES, lambda: self.now)
        usage.metering = Metering(self.store, self.ledger, self.log, OWN)
        return usage

    async def cross(
        self, many: int = 1, service: str = "api", grant: str = "g1", incoming: bool = True, fails: int = 0
    ) -> None:
        asker, owner = (PEER, OWN) if incoming else (OWN, PEER)
        crossing = Crossing(grant, service, asker, owner)
        direction = INCOMING if incoming else OUTGOING
        lines = [
            (next(self.ids).to_bytes(16, "big"), self.log.passage(direction, crossing)) for _ in range(many)
        ]
        lines += [
            (next(self.ids).to_bytes(16, "big"), self.log.passage(direction, noted(crossing, "no-answer")))
            for _ in range(fails)
        ]
        await self.log.write(lines)

    async def charge(self, payer: PeerId, payee: PeerId, cents: int, subjects: int = 1) -> None:
        at = int(self.now.timestamp() * 1000)
        told = {
            "payer": str.__str__(payer),
            "payee": str.__str__(payee),
            "cents": cents,
            "subjects": subjects,
        }
        attributes = {ACTIVITY: "urn:test:bijstand", CHARGE: told}
        await self.ledger.append(
            [Processing(new_trace_id(), new_span_id(), "x", "Ok", at, at, attributes=attributes)]
        )

    async def told(self) -> dict[tuple[str, str], Any]:
        return {(one.agreed.side, one.service): one for one in await self.usage.statements(NOVEMBER)}


@pytest.fixture
def world(tmp_path: Path) -> Any:
    made = World(tmp_path)
    yield made
    made.store.close()


async def test_calls_and_answers_of_both_sides_are_counted_and_priced(world: World) -> None:
    await world.cross(7)
    await world.cross(5, incoming=False, fails=2)
    await world.cross(3, service="sluis", grant="g2")
    for _ in range(2):
        await world.charge(OWN, PEER, 35)
    await world.charge(PEER, OWN, 10, 4)
    await world.charge(OWN, OWN, 99)
    await world.charge(PEER, THIRD, 99)
    told = await world.told()
    assert set(told) == {("supply", "api"), ("use", "api"), ("use", "sluis"), ("supply", "sluis")}
    supplied = told["supply", "api"]
    assert (supplied.counted.calls, supplied.net, supplied.tax, supplied.total) == (7, 35, 7, 42)
    used = told["use", "api"]
    assert (used.counted.calls, used.counted.failed, used.net) == (5, 2, 15)
    assert (used.supplier, used.user) == (NAMES[PEER], NAMES[OWN])
    assert (told["use", "sluis"].counted.questions, told["use", "sluis"].total) == (2, 70)
    assert (told["supply", "sluis"].counted.persons, told["supply", "sluis"].total) == (4, 10)


async def test_each_line_counts_once_whatever_stretches_and_starts_there_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metering, "_LINES", 4)
    monkeypatch.setattr(metering, "_RECORDS", 2)
    for _ in range(3):
        await world.cross(5)
        await world.charge(PEER, OWN, 10)
        await world.usage.metering.count()
        world.usage = world.opened()
        await world.usage.metering.count()
    told = await world.told()
    assert (told["supply", "api"].counted.calls, told["supply", "sluis"].total) == (15, 30)


async def test_a_count_that_broke_off_leaves_nothing_out_and_counts_nothing_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.cross(5)
    work = metering.sql.GO_ON
    monkeypatch.setattr(metering.sql, "GO_ON", "UPDATE nowhere SET x = 1")
    with pytest.raises(Unkept):
        await world.usage.metering.count()
    monkeypatch.setattr(metering.sql, "GO_ON", work)
    assert (await world.told())["supply", "api"].counted.calls == 5


async def test_a_month_that_is_over_stays_as_it_was(world: World) -> None:
    await world.cross(7)
    assert not (await world.told())["supply", "api"].final
    world.now = datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC)
    await world.usage.close()
    world.tariffs = [Tariff("call", 999)]
    kept = (await world.told())["supply", "api"]
    assert (kept.final, kept.total) == (True, 42)
    assert (await world.usage.statement(kept.number)) == kept
    assert [f"{one:%m}" for one in await world.usage.months()] == ["12", "11"]
    with world.store.read() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM usage_statements")).scalar_one() == 1


# Pages


class Desk:
    """A portal with the pages of this room, for who has these roles."""

    def __init__(self, usage: Usage, *roles: str) -> None:
        self.roles = roles
        routes = usage_page_routes(usage, self, OWN, {"urn:test:bijstand": Text("Bijstand", "Benefit")})  # type: ignore[arg-type]
        self.app = make_portal(routes, self, House("Eigen (fictief)", True, USAGE_NAVIGATION), b"s" * 32)

    async def require(self, person: SignedIn, action: str, resource: Any, refusal: Refused) -> None:
        assert action == "read-usage"
        if "finance" not in person.roles:
            raise refusal

    def browser(self, language: str = "nl", audience: str = "staff") -> Browser:
        browser = Browser(self.app, language=language)
        browser.cookies[COOKIE] = audience
        return browser

    def by_cookie(self, secret: str) -> SignedIn | None:
        audience: Any = secret
        return SignedIn(
            "s", Acting("p"), audience, "high", "acr", "directory", 0, "Fenna Fictief", roles=self.roles
        )

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        return None


async def test_who_may_see_it_reads_and_takes_along_what_was_used(world: World) -> None:
    await world.cross(1234)
    await world.charge(OWN, PEER, 123456)
    browser = Desk(world.usage, "finance").browser()
    shown = await browser.get("/usage?month=2026-11")
    assert (shown.status, "€ 1.234,56" in shown.text, "<b>Ander" in shown.text) == (200, True, False)
    number = (await world.told())["supply", "api"].number
    one = await browser.get(f"/usage/{number}")
    for words in ("1.234", "€ 61,70", "Btw 21%", "€ 74,66", "Voorlopig"):
        assert words in one.text, words
    taken = await browser.get(f"/usage/{number}?as=csv")
    assert "74,66" in taken.text
    assert (await browser.get(f"/usage/{number}?as=json")).json["complete"]
    assert "Provisional" in (await Desk(world.usage, "finance").browser("en").get(f"/usage/{number}")).text
    listed = await browser.get("/usage?as=csv")
    assert "Gemeente <b>Ander</b>" in listed.text


async def test_a_statement_goes_on_paper_with_who_when_what_and_what_it_comes_to(world: World) -> None:
    await world.cross(1234)
    found = (await world.told())["supply", "api"]
    browser = Desk(world.usage, "finance").browser()
    assert f"/usage/{found.number}/print" in (await browser.get(f"/usage/{found.number}")).text
    paper = await browser.get(f"/usage/{found.number}/print")
    assert paper.status == 200
    dutch = re.sub(r"<[^>]+>", "", paper.text)
    for words in (
        "Eigen (fictief)",
        "1 november 2026 tot en met 30 november 2026",
        "1.234",
        "€ 61,70",
        "Btw 21%",
        "€ 74,66",
        "Ctrl+P",
    ):
        assert words in dutch, words
    assert "<b>Ander" not in paper.text
    assert all(contract in paper.text for contract in found.contracts)
    assert "onclick" not in paper.text
    assert "<script>" not in paper.text
    english = await Desk(world.usage, "finance").browser("en").get(f"/usage/{found.number}/print")
    assert "€74.66" in english.text


@pytest.mark.parametrize("path", ["/usage", "/usage/2026-11-0000000000", "/usage/2026-11-0000000000/print"])
async def test_others_may_not(world: World, path: str) -> None:
    assert (await Desk(world.usage).browser().get(path)).status == 403
    assert (await Desk(world.usage, "finance").browser(audience="citizen").get(path)).status == 403


@pytest.mark.parametrize("number", ["x", "2026-13-x", "2026-11-0000000000", "%00", "2026-11-" + "0" * 500])
async def test_what_is_not_there_is_said_to_be_not_there(world: World, number: str) -> None:
    assert (await Desk(world.usage, "finance").browser().get(f"/usage/{number}")).status == 404


async def test_an_address_that_asks_for_nonsense_gives_this_month(world: World) -> None:
    browser = Desk(world.usage, "finance").browser()
    for query in ("month=x", "month=9999-12", "month=0001-01", "sort=x&page=99999", "as=pdf"):
        assert (await browser.get(f"/usage?{query}")).status == 200, query
