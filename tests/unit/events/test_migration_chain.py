"""The need-to-know rules of the migration chain: exactly who must hear does, as plain reading of the files says. Every
person in them is fictitious."""

import csv
from collections import defaultdict
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tests.conftest import SHARED
from tests.unit.events.samples import Source, source

from sluis.events.interests import Whom
from sluis.events.publishing import Occurrence
from sluis.grounds import Activity, Article, EventType, Fact, Grounds, Notice
from sluis.kernel import Oin, PeerId, Period, Text

if SHARED is None:
    pytest.skip("the shared test data does not lie beside the checkout", allow_module_level=True)

DATA = SHARED / "data/migratieketen"
PARTNERS = ("IND", "COA", "DTV", "KMAR", "BZ")
PEERS = {name: PeerId(f"0000000700000000010{place}") for place, name in enumerate(PARTNERS)}
V_NUMBER = "urn:nl:vreemdelingenketen:v-nummer"
LAST_DAY = date(2025, 9, 1)  # of the data: what is over then, is over
FROM = {
    "asielbeslissing.genomen": "IND",
    "verhuizing.opvang": "COA",
    "grenspassage.uit": "KMAR",
    "visum.ingetrokken": "BZ",
}
CONDITIONS = {
    "casus open bij DT&V en uitkomst afgewezen": "uitkomst = 'afgewezen'",
    "uitkomst afgewezen en vertrekplicht verstreken": "uitkomst = 'afgewezen' AND verstreken",
}
"""The part of a rule that the source knows; the rest is whom the recipient has a relation with."""


def read(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


RULES, EVENTS = read("abonnementen_need_to_know"), read("gebeurtenissen")


def relations() -> dict[str, set[str]]:
    """Whom each condition is about that a partner knows of."""
    residents = {row["v_nummer"] for row in read("coa_bewoners") if not row["uitstroomdatum"]}
    cases = {row["v_nummer"] for row in read("dtv_casussen") if row["status"] == "open"}
    return {
        "actieve bewoner bij COA": residents,
        "casus open bij DT&V": cases,
        "casus open bij DT&V en uitkomst afgewezen": cases,
        "dossier bekend bij IND": {row["v_nummer"] for row in read("ind_dossiers")},
        "visum afgegeven door BZ": {row["v_nummer"] for row in read("bz_visa")},
    }


def must_leave() -> set[str]:
    return {
        row["v_nummer"]
        for row in read("dtv_casussen")
        if date.fromisoformat(row["vertrekplicht_per"]) <= LAST_DAY
    }


def expected() -> set[tuple[str, str]]:
    """Event and partner, straight from the files."""
    known, leaving = relations(), must_leave()
    found = set()
    for event in EVENTS:
        for rule in RULES:
            if rule["gebeurtenistype"] != event["type"]:
                continue
            who, refused = event["v_nummer"], event["uitkomst"] == "afgewezen"
            condition = rule["voorwaarde"]
            if condition == "uitkomst afgewezen en vertrekplicht verstreken":
                holds = refused and who in leaving
            elif condition == "casus open bij DT&V en uitkomst afgewezen":
                holds = refused and who in known[condition]
            else:
                holds = who in known[condition]
            if holds:
                found.add((event["id"], rule["partner"]))
    return found


def named(type: str) -> str:
    return f"nl.migratieketen.{type}"


def grounds_of(name: str) -> Grounds:
    """The files of one source: its event types, and a notice for each rule about them."""
    law = Article("Vreemdelingenwet 2000", "107", "BWBR0011823")
    valid = Period(date(2020, 1, 1))
    text = Text("Test", "Test")
    facts = {"uitkomst": Fact("text", text), "verstreken": Fact("boolean", text)}
    events = tuple(
        EventType(named(type), text, text, V_NUMBER, facts=facts) for type, at in FROM.items() if at == name
    )
    activities, notices = [], []
    for rule in RULES:
        type, partner = rule["gebeurtenistype"], rule["partner"]
        if FROM[type] != name:
            continue
        id = f"urn:activity:{partner}:{type}"
        activities.append(Activity(id, text, text, Oin(PEERS[partner]), "public-task", (law,), valid))
        notices.append(
            Notice(
                f"{partner}-{type}", 1, named(type), PEERS[partner], id, text, (law,), "public-task", Oin(PEERS[name]), valid,
                condition=CONDITIONS.get(rule["voorwaarde"]), interest=rule["voorwaarde"] in relations(),
            )
        )  # fmt: skip
    return Grounds(activities=tuple(activities), events=events, notices=tuple(notices))


async def published(at: Source, name: str) -> set[tuple[str, str]]:
    """Register what partners know, publish what happened at this source, and see who was told of what."""
    known, leaving = relations(), must_leave()
    for rule in RULES:
        type, partner, condition = rule["gebeurtenistype"], rule["partner"], rule["voorwaarde"]
        if FROM[type] == name and condition in known:
            whom = {
                Whom(V_NUMBER, v): f"{partner}-{place}" for place, v in enumerate(sorted(known[condition]))
            }
            await at.interested(PEERS[partner], f"{partner}-{type}", whom)
    happened = [
        Occurrence(
            named(event["type"]),
            event["id"],
            datetime.combine(date.fromisoformat(event["datum"]), datetime.min.time(), UTC),
            Whom(V_NUMBER, event["v_nummer"]),
            {"uitkomst": event["uitkomst"], "verstreken": event["v_nummer"] in leaving},
        )
        for event in EVENTS
        if event["bron"] == name
    ]
    await at.publisher.publish(happened)
    by_subscription = {f"of-{peer!s}": partner for partner, peer in PEERS.items()}
    return {(id, by_subscription[subscription]) for id, subscription, _ in at.queue.told()}


@pytest.mark.parametrize("name", ["IND", "COA", "KMAR"])
async def test_exactly_those_hear_who_need_to_know(tmp_path: Path, name: str) -> None:
    of_source = {event["id"] for event in EVENTS if event["bron"] == name}
    wanted = {(id, partner) for id, partner in expected() if id in of_source}
    assert wanted  # or it would prove nothing
    with source(tmp_path, grounds_of(name), PEERS[name], [*PEERS.values()]) as at:
        assert await published(at, name) == wanted


async def test_an_outcome_reaches_the_partner_who_must_act_on_it_and_no_other_way(tmp_path: Path) -> None:
    """ev-046a is a refusal of somebody with an open case; ev-002a grants, about somebody who left the shelter."""
    told = defaultdict(set)
    with source(tmp_path, grounds_of("IND"), PEERS["IND"], [*PEERS.values()]) as at:
        for id, partner in await published(at, "IND"):
            told[id].add(partner)
    assert {"DTV", "KMAR"} <= told["ev-046a"]
    assert not {"DTV", "KMAR"} & told["ev-002a"]


async def test_nothing_of_what_happened_or_whom_it_is_about_is_in_what_leaves(tmp_path: Path) -> None:
    with source(tmp_path, grounds_of("IND"), PEERS["IND"], [*PEERS.values()]) as at:
        await published(at, "IND")
        left = repr(at.queue.added)
    assert not any(row["v_nummer"] in left for row in read("ind_dossiers"))
    assert "afgewezen" not in left
    assert "ingewilligd" not in left
