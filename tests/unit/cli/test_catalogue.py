"""`sluis catalogue`: everything for own people, and what others see; text of a catalogue cannot move the cursor."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.unit.catalogue.examples import EVIL, FULL, MEASURED, NOW, described, prose
from tests.unit.catalogue.world import Node

from sluis.catalogue import Contact, Description, Found, Harvest, Prose, keep_measurements
from sluis.cli import catalogue, main, terminal
from sluis.cli.local import Body
from sluis.kernel import PeerId, Problem, Text, encode


@pytest.fixture(autouse=True)
def _dutch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "nl_NL.UTF-8")
    monkeypatch.delenv("SLUIS_LANGUAGE", raising=False)
    terminal.choose_language(None)


def run(node: Node, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    def call(directory: Path, method: str, path: str, body: Any = None, accept: str = "") -> Body:
        extensions = {"sluis.local": {"uid": os.getuid()}}
        reply = asyncio.run(node.call(method, path, None, {"accept": accept}, extensions))
        if reply.status >= 400:
            raise Problem.from_members(reply.json)
        return Body(reply.body)

    monkeypatch.setattr(catalogue, "call", call)
    return CliRunner().invoke(main, ["catalogue", *words])


def test_everything_is_listed_with_who_may_know_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_measurements(tmp_path, [MEASURED])
    node = Node(tmp_path, described("dataset", "inkomen"))
    lines = run(node, monkeypatch, "list").stdout.splitlines()
    assert lines[0].split() == ["soort", "naam", "titel", "stand", "rijen"]
    assert "niet gepubliceerd, niet beschreven" in lines[1]
    assert lines[2].split() == ["dataset", "inkomen", "Inkomen", "per", "jaar", "gepubliceerd", "4.100"]
    told = json.loads(run(node, monkeypatch, "list", "--json").stdout)
    assert [one["name"] for one in told][:2] == ["bomen", "inkomen"]


def test_one_is_shown_with_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_measurements(tmp_path, [MEASURED])
    told = run(Node(tmp_path), monkeypatch, "show", "inkomen").stdout
    for said in (
        "Team Inkomen",
        "ongeveer 4100 rijen",
        "bijgewerkt tot 2026-11-20",
        "97% gevuld",
        "Participatiewet",
    ):
        assert said in told, said
    assert run(Node(tmp_path), monkeypatch, "show", "inkomen", "--turtle").stdout.startswith("@prefix")
    assert json.loads(run(Node(tmp_path), monkeypatch, "show", "bomen", "--json").stdout)["cost"] == {
        "kind": "free"
    }
    assert run(Node(tmp_path), monkeypatch, "show", "weg").exit_code == 4


@pytest.mark.parametrize("said", FULL, ids=lambda one: one.name)
def test_everything_can_be_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Description) -> None:
    result = run(Node(tmp_path), monkeypatch, "show", said.name)
    assert (result.exit_code, result.exception) == (0, None)
    assert "Thema's: Bevolking en samenleving, Economie en financiën" in result.stdout


def test_the_catalogue_is_written_as_others_see_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(tmp_path, described("dataset", "inkomen"))
    assert "bomen" not in run(node, monkeypatch, "export", "--turtle").stdout
    assert json.loads(run(node, monkeypatch, "export").stdout)["@graph"]
    assert run(Node(tmp_path, without=True), monkeypatch, "export").exit_code == 4


def harvested(monkeypatch: pytest.MonkeyPatch, *found: Harvest) -> list[tuple[str, str]]:
    """Has the node answer this about others; gives what it is asked."""
    asked = list[tuple[str, str]]()

    def call(directory: Path, method: str, path: str, body: Any = None, accept: str = "") -> Body:
        asked.append((method, path))
        return Body(encode(found if path.endswith("/harvests") else []))

    monkeypatch.setattr(catalogue, "call", call)
    return asked


NOTHING = Harvest(PeerId("00000001000000000003"), "Ander (fictief)", NOW, None, "contract-missing")
FOUND = Found("dataset", "https://a.nl/d", Text(f"Bomen{EVIL}", "Trees"), Text("x", "x"))
READ = Harvest(PeerId("00000001000000000002"), "Een (fictief)", NOW, NOW, "", (FOUND,))


def test_what_others_offer_is_listed_and_who_was_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    harvested(monkeypatch, READ, NOTHING)
    result = CliRunner().invoke(main, ["catalogue", "list", "--all"])
    line = result.stdout.splitlines()[1]
    assert line.startswith("Een (fictief)  dataset  Bomen")
    assert line.endswith("2026-11-22")
    assert not {"\x1b", "\u202e"} & set(result.output)
    assert "Ander (fictief): NIET GELEZEN (contract-missing)" in result.stderr
    told = json.loads(CliRunner().invoke(main, ["catalogue", "list", "--all", "--json"]).stdout)
    assert [one["name"] for one in told["others"]] == ["Een (fictief)", "Ander (fictief)"]


def test_harvesting_tells_of_each_and_fails_where_one_could_not_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = harvested(monkeypatch, READ)
    result = CliRunner().invoke(main, ["catalogue", "harvest"])
    assert (result.exit_code, result.stdout, asked) == (
        0,
        "Een (fictief): 1\n",
        [("POST", "/v1/catalogue/harvests")],
    )
    harvested(monkeypatch, READ, NOTHING)
    assert CliRunner().invoke(main, ["catalogue", "harvest"]).exit_code == 6
    harvested(monkeypatch)
    assert "geen andere organisaties" in CliRunner().invoke(main, ["catalogue", "harvest"]).stdout


def test_text_of_a_catalogue_does_not_move_the_cursor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = described("service", "api", title=Prose(EVIL, EVIL), contact=Contact(EVIL), access=prose(EVIL))
    node = Node(tmp_path, said)
    for words in (("list",), ("show", "api")):
        told = run(node, monkeypatch, *words).stdout
        assert "<img" in told
        assert not {"\x1b", "\u202e", "\x00"} & set(told)
