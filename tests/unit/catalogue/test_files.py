"""The files of a catalogue are read, checked and documented as the other files of a node are; what could be better is advice."""

import json
import os
import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from tests.unit.catalogue.examples import CHANGED, GROUNDS, INCOME, write
from tests.unit.grounds.examples import DISCLOSURE
from tests.unit.test_config import whole_node
from tests.unit.test_reference import rows

from sluis.catalogue import advice, catalogue_schemas, examine_catalogue, read_catalogue
from sluis.cli import main, terminal
from sluis.config import load_node
from sluis.grounds import Grounds
from sluis.kernel import Invalid

DOCS = Path(__file__).parents[3] / "docs"
REFERENCE, HOW_TO = DOCS / "reference/catalogue.md", DOCS / "how-to/catalogus.md"

WHOLE = """\
title.nl = "Catalogus"
title.en = "Catalogue"
description.nl = "Wat er is"
description.en = "What there is"
publisher = "https://identifier.overheid.nl/tooi/id/gemeente/gm0344"
contact = { name = "Gegevensbalie", email = "balie@voorbeeld.nl" }
themes = ["GOVE"]
"""
ONE = """\
kind = "dataset"
name = "inkomen"
published = true
"""


def found(folder: Path, **files: str) -> list[tuple[str, str, int]]:
    write(folder, "catalogue.toml", files.pop("whole", WHOLE))
    for name, text in files.items():
        write(folder, f"descriptions/{name}.toml", text)
    return [
        (one.code, Path(one.place.file).name, one.place.line) if one.place else (one.code, "", -1)
        for one in examine_catalogue(read_catalogue(folder), GROUNDS)
    ]


def test_files_that_are_right_give_a_catalogue(tmp_path: Path) -> None:
    assert found(tmp_path, een=ONE) == []
    reading = read_catalogue(tmp_path)
    assert reading.whole is not None
    assert [one.name for one in reading.descriptions] == ["inkomen"]


def test_a_node_without_a_catalogue_has_none(tmp_path: Path) -> None:
    assert read_catalogue(tmp_path).whole is None
    assert list(advice(read_catalogue(tmp_path), GROUNDS, tmp_path)) == []


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        (ONE.replace("inkomen", "inkomens"), "unknown-dataset", 2),
        (ONE + 'title = { nl = "x", en = "x" }', "not-here", 4),
        (ONE + 'openapi = "https://voorbeeld.nl"', "not-here", 4),
        (ONE + 'changed = "jaar"', "no-such-date", 4),
        (ONE + 'changed = "bsn"', "no-such-date", 4),
        (ONE + 'page = "https://voorbeeld.nl/een twee"', "wrong-value", 4),
        (ONE + 'page = "https://jan:geheim@voorbeeld.nl/"', "wrong-value", 4),
        (ONE + 'page = "javascript:alert(1)"', "wrong-value", 4),
        (ONE + 'themes = ["WEER"]', "wrong-value", 4),
        (ONE + 'licence = "gratis"', "wrong-value", 4),
        (ONE + 'contact = { name = "x", phone = "020" }', "wrong-value", 4),
        (ONE + 'contact = { naam = "x" }', "missing-key", 4),
        (ONE + f'description = {{ nl = "{"x" * 4001}", en = "x" }}', "wrong-value", 4),
        (ONE + f'description = {{ nl = "{"x" * 1_100_000}", en = "x" }}', "file-too-large", 0),
        ('kind = "service"\nname = "api"\nfrequency = "daily"', "not-here", 3),
        ('kind = "event-type"\nname = "nl.voorbeeld.inkomen.anders"', "unknown-event-type", 2),
        (
            f'kind = "event-type"\nname = "{CHANGED.type}"\ndescription = {{ nl = "x", en = "x" }}',
            "not-here",
            3,
        ),
    ],
)
def test_what_is_wrong_is_told_where_it_is(tmp_path: Path, text: str, code: str, line: int) -> None:
    assert (code, "een.toml", line) in found(tmp_path, een=text)


def test_one_thing_is_described_once(tmp_path: Path) -> None:
    assert found(tmp_path, een=ONE, twee=ONE) == [("description-twice", "twee.toml", 2)]


def test_a_catalogue_says_whose_it_is(tmp_path: Path) -> None:
    assert found(tmp_path, whole=WHOLE.replace("publisher", "uitgever"))[0][:2] == (
        "missing-key",
        "catalogue.toml",
    )
    assert read_catalogue(tmp_path).whole is None


def test_what_could_be_better_is_advice(tmp_path: Path) -> None:
    assert found(tmp_path, een=ONE.replace("true", "false")) == []
    told = [(one.code, one.what.en) for one in advice(read_catalogue(tmp_path), GROUNDS, tmp_path)]
    assert [code for code, _ in told] == [
        "not-described",
        "not-described",
        "description-incomplete",
        "nothing-published",
    ]
    assert {what for code, what in told if code == "not-described"} == {
        "`bomen` is not described.", f"`{CHANGED.type}` is not described.",
    }  # fmt: skip


def test_a_node_that_offers_services_alone_need_not_publish_data(tmp_path: Path) -> None:
    assert found(tmp_path) == []
    assert list(advice(read_catalogue(tmp_path), Grounds(), tmp_path)) == []


def test_personal_data_that_is_called_public_is_advised_against(tmp_path: Path) -> None:
    assert found(tmp_path, een=ONE + 'access_rights = "public"\n') == []
    [one] = [
        one
        for one in advice(read_catalogue(tmp_path), GROUNDS, tmp_path)
        if one.code == "public-with-personal-data"
    ]
    assert "`inkomen` heet openbaar" in one.what.nl
    assert "`bsn`" in one.why.en
    assert one.place is not None
    assert (Path(one.place.file).name, one.place.line) == ("een.toml", 4)


@pytest.mark.parametrize("said", [
    ONE, ONE + 'access_rights = "non-public"\n', ONE.replace("inkomen", "bomen") + 'access_rights = "public"\n',
])  # fmt: skip
def test_what_is_not_called_public_or_not_about_people_is_left_alone(tmp_path: Path, said: str) -> None:
    assert found(tmp_path, een=said) == []
    codes = [one.code for one in advice(read_catalogue(tmp_path), GROUNDS, tmp_path)]
    assert "public-with-personal-data" not in codes


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("SLUIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "nl_NL.UTF-8")
    terminal.choose_language(None)
    whole_node(tmp_path, disclosure=DISCLOSURE.replace("until = 2026-12-31\n", ""))
    write(tmp_path, "catalogue.toml", WHOLE)
    return tmp_path


def test_check_advises_and_nothing_is_wrong(node: Path) -> None:
    result = CliRunner().invoke(main, ["check", str(node)])
    assert result.exit_code == 0
    assert f"{node} is in orde." in result.stdout
    assert "Advies: " in result.stdout
    assert "`inkomen` is niet beschreven." in result.stdout
    told = json.loads(CliRunner().invoke(main, ["check", str(node), "--json"]).stdout)
    assert {(one["code"], one["advice"]) for one in told} == {
        ("not-described", True),
        ("nothing-published", True),
    }


def test_check_tells_what_is_wrong_in_a_directory_and_in_one_file(node: Path) -> None:
    write(node, "descriptions/een.toml", ONE.replace("inkomen", "inkomens"))
    for path in (node, node / "descriptions/een.toml"):
        result = CliRunner().invoke(main, ["check", str(path)])
        assert result.exit_code == 2
        assert "descriptions/een.toml:2: Onbekende dataset: `inkomens`." in result.stdout
        assert "Bedoelde u `inkomen`?" in result.stdout
    write(node, "catalogue.toml", WHOLE.replace("GOVE", "OVERHEID"))
    assert "catalogue.toml:7:" in CliRunner().invoke(main, ["check", str(node / "catalogue.toml")]).stdout


def test_a_node_does_not_start_with_a_wrong_description(node: Path) -> None:
    write(node, "descriptions/een.toml", ONE)
    assert load_node(node, {}).catalogue.descriptions[0].name == INCOME.name
    write(node, "descriptions/een.toml", ONE.replace("inkomen", "inkomens"))
    with pytest.raises(Invalid, match="inkomens"):
        load_node(node, {})


@pytest.mark.parametrize(("name", "text"), [("catalogue", WHOLE), ("description", ONE)])
def test_the_schema_takes_what_is_right_and_no_more(name: str, text: str) -> None:
    schema = catalogue_schemas()[f"{name}.schema.json"]
    Draft202012Validator.check_schema(schema)
    plain = json.loads(json.dumps(tomllib.loads(text), default=date.isoformat))
    assert list(Draft202012Validator(schema).iter_errors(plain)) == []
    assert list(Draft202012Validator(schema).iter_errors({**plain, "uitgever": "x"})) != []


def test_nobody_waits_for_rdf_who_does_not_ask_for_it() -> None:
    """It takes a second to load: one file uses it, and nothing loads that file but a function that does."""
    loads = re.compile(r"^(from|import) (rdflib|sluis\.catalogue\.graph)\b", re.MULTILINE)
    source = DOCS.parent / "src"
    found = [path.name for path in source.rglob("*.py") if loads.search(path.read_text(encoding="utf-8"))]
    assert found == ["graph.py"]


@pytest.mark.parametrize("name", ["catalogue", "description"])
def test_every_key_is_documented(name: str) -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    assert [row for row in rows(catalogue_schemas()[f"{name}.schema.json"]) if row not in text] == []


def test_the_documents_have_files_that_are_right() -> None:
    for page in (REFERENCE, HOW_TO):
        blocks = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        for name, block in zip(("catalogue", "description"), blocks, strict=True):
            plain = json.loads(json.dumps(tomllib.loads(block), default=date.isoformat))
            schema = catalogue_schemas()[f"{name}.schema.json"]
            assert list(Draft202012Validator(schema).iter_errors(plain)) == []
