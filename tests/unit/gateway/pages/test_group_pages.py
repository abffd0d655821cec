"""Peers, certificates, map, traffic and the doctor in a browser: for who may look, never waiting for a peer, and unmoved by its name."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest
from tests.unit.gateway.contracts.making import PROVIDER, connection
from tests.unit.gateway.pages.world import EVIL, OTHER, OWN, World, world_in

from sluis.gateway.breaker import FAILURES, Standing
from sluis.gateway.pages.lookout import Ear
from sluis.gateway.pages.neighbours import Neighbour, Reach
from sluis.gateway.pages.peers import Revoked, tone_of
from sluis.gateway.pages.picture import LINE_HEIGHT, MOST, in_lines, parted, picture_of
from sluis.gateway.traffic import Counts, Sample, Traffic, Way, joined, quantile
from sluis.gateway.transactions import OUTGOING, Crossing, new_transaction
from sluis.kernel import PeerId, Text, Upstream, utc_now

PAGES = ("/peers", f"/peers/{PROVIDER}", "/certificates", "/map", "/traffic", "/traffic?by=hour", "/doctor")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path) as one:
        yield one


def neighbour(number: int, **more: object) -> Neighbour:
    given: dict[str, object] = {
        "id": PeerId(f"{number:020}"), "name": f"Organisatie {number:03}", "address": "https://a:8443", "directory": False,
        "listed": True, "services": (), "reach": Reach(True), "asked": 1, "until": 0, "circuit": Standing(), "last": 0,
        "requests": 0, "contracts": {},
    }  # fmt: skip
    return Neighbour(**{**given, **more})  # type: ignore[arg-type]


async def crossed(world: World, times: int) -> None:
    """So many requests left for the other."""
    log = world.membership.transactions
    passage = log.passage(OUTGOING, Crossing("$1$3$x", "sluis", OWN, OTHER))
    for _ in range(times):
        await log.write([(new_transaction()[0], passage)])
        world.membership.link.count(OTHER, 200, 0.02)


@pytest.mark.parametrize("path", PAGES)
async def test_the_group_is_shown_to_who_may_look_at_it_in_both_languages(world: World, path: str) -> None:
    await world.know(OTHER, EVIL)
    await world.agree(connection("sluis"), by=(OWN, OTHER))
    await world.traffic.look()
    await crossed(world, 3)
    await world.traffic.look()
    for role in ("fsc-admin", "fsc-readonly"):
        for language in ("nl", "en"):
            shown = await world.browser(role, language=language).get(path)
            assert shown.status == 200, path
            assert "<script>alert" not in shown.text
            assert "\u202e" not in shown.text.partition("<svg viewBox")[2].partition("</svg>")[0]
    for other in ("data-owner", "event-admin"):
        assert (await world.browser(other).get(path)).status == 403
    assert (await world.browser("fsc-admin", audience="citizen").get(path)).status == 403


async def test_a_peer_that_hangs_does_not_keep_a_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.know(OTHER, "Bron Voorbeeld (fictief)")
    held = asyncio.Event()

    async def hang(peer: PeerId) -> None:
        await held.wait()

    monkeypatch.setattr(world.membership.running.managers, "info", hang)
    async with asyncio.timeout(5):
        shown = await world.browser("fsc-admin").get("/peers")
    assert "Er wordt nu gevraagd wie antwoordt" in shown.text
    assert "nog niet gevraagd" in shown.text
    held.set()
    async with asyncio.timeout(5):
        doctor = await world.browser("fsc-admin").get("/doctor")
    assert "De database" not in doctor.text or "Vol." in doctor.text


async def test_what_was_heard_last_is_shown_when_it_cannot_be_heard_again() -> None:
    said: list[str | Upstream] = [
        "eerste",
        Upstream("peer-unreachable", *[Text("Weg.", "Gone.")] * 3),
        "tweede",
    ]
    now = [utc_now()]

    async def ask() -> str:
        one = said.pop(0)
        if isinstance(one, Upstream):
            raise one
        return one

    ear = Ear(ask, lambda: now[0])
    assert (await ear.hear()).said == "eerste"
    assert (await ear.hear()).said == "eerste"
    assert len(said) == 2
    now[0] += timedelta(seconds=61)
    await ear.hear()
    await asyncio.sleep(0)
    heard = await ear.hear()
    assert (heard.said, heard.trouble) == ("eerste", Text("Weg.", "Gone."))
    assert (await ear.hear(anew=True)).said == "tweede"


async def test_a_peer_that_is_left_alone_is_tried_when_somebody_says_so(world: World) -> None:
    await world.know(OTHER, "Bron Voorbeeld (fictief)")
    outway, browser = world.membership.outway, world.browser("fsc-admin")
    for _ in range(FAILURES):
        outway.failed(OTHER)
    assert outway.standing(OTHER).state == "open"
    shown = await browser.get(f"/peers/{PROVIDER}")
    assert "laat deze organisatie even met rust" in shown.text
    form = shown.form("/peers/try")
    assert (await world.browser("fsc-readonly").send(form)).status == 403
    assert outway.standing(OTHER).state == "open"
    assert (await browser.post("/peers/try", {"peer": PROVIDER})).status == 403  # without the form's token
    assert (await browser.send(form)).headers["location"] == f"/peers/{PROVIDER}?tried=yes"
    assert outway.standing(OTHER).state == "half-open"
    assert (await browser.send(form, peer="<b>")).status == 404


def test_a_circuit_tells_how_it_stands() -> None:
    from sluis.gateway.breaker import Breaker

    breaker = Breaker(lambda: 1.0)
    assert breaker.standing("a", 0) == Standing()
    for _ in range(FAILURES):
        breaker.failed("a", 0)
    assert breaker.standing("a", 0.4) == Standing("open", FAILURES, 0.6)
    assert breaker.standing("a", 1).state == "half-open"
    assert breaker.closed("a", 1)
    assert breaker.standing("a", 1.1).state == "half-open"  # its trial is under way
    breaker.failed("a", 1.1)
    assert breaker.standing("a", 1.2).state == "open"
    breaker.end_pause("a", 1.2)
    assert breaker.closed("a", 1.2)
    breaker.answered("a")
    assert breaker.standing("a", 1.3) == Standing()


async def test_certificates_and_lists_are_told_with_what_helps(world: World) -> None:
    world.lists = (Revoked("CN=Groep (fictief)", utc_now(), utc_now() - timedelta(days=1), 3),)
    shown = await world.browser("fsc-readonly").get("/certificates")
    assert "Geen eigen certificaat eindigt binnenkort" in shown.text
    assert "Deze lijst is te oud" in shown.text
    assert "CN=zonder lijst" in shown.text
    world.clock.later(350 * 86_400)
    assert "Vernieuw het." in (await world.browser("fsc-readonly").get("/certificates")).text
    assert [tone_of(100, now) for now in (0, 100, 101)] == ["warning", "error", "error"]


async def test_what_passed_is_counted_by_minute_and_found_again_after_a_start(world: World) -> None:
    traffic = world.traffic
    await traffic.look()
    await crossed(world, 4)
    await traffic.look()
    [minute] = traffic.minutes()
    assert minute.ways == {Way(OTHER, False, "sluis"): 4}
    assert minute.sides["own"].requests == 4
    await crossed(world, 1)
    await traffic.look()
    assert joined(traffic.minutes()).ways == {Way(OTHER, False, "sluis"): 5}
    again = Traffic(world.membership, world.clock)
    await again.look()
    assert joined(again.hours()).ways == {Way(OTHER, False, "sluis"): 5}
    assert again.with_peers() == {OTHER: 5}
    assert again.last[OTHER] > 0
    shown = await world.browser("fsc-admin").get("/traffic")
    assert "Eigen vragen" in shown.text
    listed = await world.browser("fsc-admin").get("/traffic?as=json")
    assert listed.json["rows"][0]["requests"] == 5


def test_a_part_of_requests_is_within_the_bound_that_it_falls_in() -> None:
    assert quantile(Counts(), 0.5) is None
    slow = Counts(10, 0, 0, (0,) * 13 + (10,))
    assert quantile(slow, 0.5) == 10.0
    half = Counts(2, 0, 0, (1, 1) + (0,) * 12)
    assert quantile(half, 0.5) == pytest.approx(0.001)
    assert 0.001 < (quantile(half, 0.95) or 0) <= 0.0025
    one = Sample(0, {"own": half}, {Way(OTHER, True, "x"): 1}, {OTHER: half})
    assert (one + one).sides["own"].requests == 4
    assert (one + one).ways[Way(OTHER, True, "x")] == 2


@pytest.mark.parametrize("narrow", [False, True], ids=["broad", "narrow"])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 15, 30])
def test_names_in_the_picture_are_whole_and_none_lies_over_another_or_runs_out_of_it(
    count: int, narrow: bool
) -> None:
    name = "Ministerie van Voorbeelden en Bedachte Zaken (fictief)"
    picture = picture_of(
        name, [neighbour(at, name=name, contracts={"valid": 1}) for at in range(count)], [], 0, narrow
    )
    assert len(picture.nodes) == count
    assert all(" ".join(one.label) == name for one in picture.nodes)
    boxes = []
    for one in picture.nodes:
        x, top = one.text
        wide = 10 * max(len(line) for line in one.label)
        left = x if one.anchor == "start" else x - wide
        boxes.append((left, top - 14, left + wide, top + (len(one.label) - 1) * LINE_HEIGHT + 4))
    for left, top, right, bottom in boxes:
        assert left >= 0
        assert top >= 0
        assert right <= picture.width
        assert bottom <= picture.height
    for one, other in combinations(boxes, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_a_picture_of_many_shows_those_with_which_most_passes_and_the_rest_together() -> None:
    many = [neighbour(number, requests=number, contracts={"valid": 1}) for number in range(1, 101)]
    alone, rest = parted(many)
    assert (len(alone), len(rest)) == (MOST - 1, 101 - MOST)
    for narrow in (False, True):
        picture = picture_of("Wij", many, [], 0, narrow)
        assert (picture.together, picture.nodes[-1].count, len(picture.nodes)) == (71, 71, MOST)
        assert max(one.width for one in picture.edges[:-1]) == 12.0


def test_trouble_is_seen_in_the_picture_and_a_name_turns_nothing_around() -> None:
    away = neighbour(1, name=f"Weg{EVIL}" * 9, reach=Reach(False), contracts={"us": 1})
    picture = picture_of("Wij", [away], [], 0)
    assert picture.nodes[0].health == "error"
    assert picture.edges[0].trouble
    assert picture.edges[0].line == "waiting"
    assert not any("\u202e" in line for line in picture.nodes[0].label)
    endless = in_lines("x" * 99, 24, 3)
    assert len(endless) == 3
    assert max(len(line) for line in endless) == 24
    assert endless[-1].endswith("…")


async def test_the_doctor_walks_beside_the_page_for_who_asked_alone(world: World) -> None:
    await world.know(OTHER, "Bron Voorbeeld (fictief)")
    browser = world.browser("fsc-readonly")
    first = await browser.get("/doctor")
    assert "Vol." in first.text
    assert "Maak ruimte." in first.text
    form = first.form("/doctor/walk")
    sent = await browser.send(form, peer=PROVIDER, service=EVIL)
    where = sent.headers["location"]
    async with asyncio.timeout(10):
        while "ververst zichzelf" in (shown := await browser.get(where)).text:
            assert shown.headers["refresh"].endswith(where)
            await asyncio.sleep(0.05)
    assert "Hier gaat het mis" in shown.text
    assert "<script>alert" not in shown.text
    assert (await world.browser("fsc-admin").get(where)).status == 404  # of another session
    assert (await browser.get("/doctor/walk/weg")).status == 404
    assert (await browser.send(form, peer="x", service="y")).status == 400
    assert (await browser.post("/doctor/walk", {"peer": PROVIDER, "service": "sluis"})).status == 403
