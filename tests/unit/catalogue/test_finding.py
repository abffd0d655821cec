"""Anybody searches over HTTP in what is published, here and elsewhere, as it is now; and own people on the command line."""

import json
import threading
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.unit.catalogue.examples import EVIL, NOW, OWN, described
from tests.unit.catalogue.world import Node
from tests.unit.cli.test_catalogue import run

from sluis.catalogue import Finder, Found, Harvest, finding
from sluis.cli import main
from sluis.kernel import PeerId, Text

PEER = PeerId("00000001000000000002")


@dataclass
class Harvested:
    """What is kept of others, as a test says."""

    kept: tuple[Harvest, ...] = ()
    changes: int = 0

    def found(self) -> list[Harvest]:
        return list(self.kept)

    def keep(self, *titles: str) -> None:
        entries = tuple(
            Found("dataset", f"https://ander.voorbeeld/{number}", Text(title, title), Text("x", "x"))
            for number, title in enumerate(titles)
        )
        self.kept = (Harvest(PEER, "Ander (fictief)", NOW, NOW, "", entries),)
        self.changes += 1


async def found(node: Node, query: str) -> list[str]:
    reply = await node.get(f"/search?{query}")
    assert reply.status == 200, reply.json
    return [one["title"]["nl"] for one in reply.json["found"]]


async def test_anybody_searches_without_signing_in(tmp_path: Path) -> None:
    reply = await Node(tmp_path).get("/search?q=inkomens&kind=dataset")
    assert reply.status == 200
    assert reply.json["total"] == 2
    first = reply.json["found"][0]
    assert (first["title"]["nl"], first["owner"], first["kind"]) == ("Inkomen per jaar", OWN, "dataset")
    assert {one["value"]: one["count"] for one in reply.json["facets"]["kind"]}["event-type"] == 1


async def test_only_what_is_published_is_found(tmp_path: Path) -> None:
    node = Node(tmp_path, described("dataset", "bomen"), described("dataset", "inkomen", published=False))
    assert await found(node, "q=inkomen&kind=dataset") == ["Bomen"]  # by its keyword
    assert await found(node, "q=bijzonder") == []
    assert "Inkomen per jaar" not in await found(node, "")


async def test_what_changes_is_seen_at_the_next_search(tmp_path: Path) -> None:
    others = Harvested()
    node = Node(tmp_path, searching=others)
    assert await found(node, "q=huizen") == []
    others.keep("Huizen")
    assert await found(node, "q=huizen") == ["Huizen"]
    others.keep("Straten")
    assert await found(node, "q=huizen") == []
    assert await found(node, "q=api&kind=service") != []
    node.services.discard("api")
    assert await found(node, "q=api&kind=service") == []


async def test_others_are_found_and_can_be_chosen(tmp_path: Path) -> None:
    others = Harvested()
    others.keep("Inkomen elders")
    node = Node(tmp_path, searching=others)
    assert "Inkomen elders" in await found(node, "q=inkomen")
    assert await found(node, f"q=inkomen&owner={PEER}") == ["Inkomen elders"]
    assert len(await found(node, f"q=inkomen&owner={PEER}&owner={OWN}")) > 1
    assert await found(Node(tmp_path, without=True, searching=others), "") == ["Inkomen elders"]


@pytest.mark.parametrize(
    "query",
    ["kind=zaak", "theme=AAAA", "access=open", "owner=1", "owner=%01", "page=0", "page=-1", "page=veel", "page=99999999999999999999",
     "q=" + "a" * 10_000, "&".join(["kind=dataset"] * 60)],
)  # fmt: skip
async def test_what_cannot_be_chosen_is_refused(tmp_path: Path, query: str) -> None:
    assert (await Node(tmp_path).get(f"/search?{query}")).status == 400


@pytest.mark.parametrize(
    "query", ["q=%22", "q=AND", "q=%3A", "q=*", "q=%FF%FE", "q=%ED%A0%80", "q=%01", "q=a%20OR", "page=50000"]
)
async def test_nothing_in_a_search_is_a_fault(tmp_path: Path, query: str) -> None:
    assert (await Node(tmp_path).get(f"/search?{query}")).status == 200


async def test_without_catalogue_and_group_there_is_nothing_to_search(tmp_path: Path) -> None:
    reply = await Node(tmp_path, without=True).get("/search?q=inkomen")
    assert (reply.status, reply.json["code"]) == (404, "no-catalogue")


async def test_an_index_is_made_once_while_nothing_changes(tmp_path: Path) -> None:
    others = Harvested()
    finder = Finder(Node(tmp_path).catalogue, others)  # type: ignore[arg-type]
    first = await finder._current()
    await finder.search("inkomen", {}, 1)
    assert await finder._current() is first
    others.keep("Huizen")
    assert await finder._current() is not first


def test_words_and_choices_are_given_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = Harvested()
    others.keep(f"Huizen{EVIL}")
    node = Node(tmp_path, searching=others)
    told = run(node, monkeypatch, "search", "hiuzen").stdout
    assert told.startswith("1 gevonden\n")
    assert "~ huizen" in told
    assert not {"\x1b", "\u202e", "\x00"} & set(told)
    told = run(node, monkeypatch, "search", "inkomen", "per", "jaar", "--kind", "dataset", "--json").stdout
    assert [one["title"]["nl"] for one in json.loads(told)["found"]] == ["Inkomen per jaar"]
    told = run(node, monkeypatch, "search", "--theme", "SOCI").stdout
    assert "--kind dataset (dataset: 2)" in told
    assert "Probeer een ander" in run(node, monkeypatch, "search", "weg", "&kind=service").stdout
    assert CliRunner().invoke(main, ["catalogue", "search", "--kind", "zaak"]).exit_code == 2


async def test_nobody_waits_for_a_large_index_and_what_was_taken_back_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(tmp_path)
    finder = Finder(node.catalogue, Harvested())  # type: ignore[arg-type]
    assert (await finder.search("api", {"kind": frozenset({"service"})}, 1)).total > 0
    made, release = finding._index_of, threading.Event()
    monkeypatch.setattr(finding, "_PATIENCE", 0.01)
    monkeypatch.setattr(finding, "_index_of", lambda *given: (release.wait(10), made(*given))[1])
    node.services.discard("api")
    found = await finder.search("", {}, 1)
    release.set()
    assert all(not one.iri.endswith("/services/api") for one in found.found)
    assert found.total > 1
    await finder.renew()
    assert (await finder.search("", {}, 1)).total == found.total


async def test_what_is_found_stands_in_the_order_that_is_asked(tmp_path: Path) -> None:
    others = Harvested()
    days = {"A": None, "B": date(2026, 1, 1), "C": date(2026, 2, 1)}
    entries = tuple(
        Found("dataset", f"https://ander.voorbeeld/{name}", Text(name, name), Text("x", "x"), modified=day)
        for name, day in days.items()
    )
    others.kept, others.changes = (Harvest(PEER, "Ander (fictief)", NOW, NOW, "", entries),), 1
    finder = Finder(None, others)  # type: ignore[arg-type]
    for order, expected in (("newest", "CBA"), ("title", "ABC"), ("owner", "ABC"), ("relevance", "ABC")):
        finds = await finder.search("x", {}, 1, order)  # type: ignore[arg-type]
        assert "".join(one.title.nl for one in finds.found) == expected
