"""Scenarios are configuration: read, checked and documented as the other files of a node are."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.unit.contact.world import EVENT, Happened, scenario, write_templates

from sluis.contact import Around, Templates, examine_scenarios, listening, read_scenarios, scenario_schema
from sluis.contact.rendering import LONGEST_SHORT
from sluis.kernel import Invalid, Text

REFERENCE = Path(__file__).parents[3] / "docs/reference/contact.md"
FILE = f"""
id = "besluit"
event = "{EVENT}"
condition = "uitkomst = 'afgewezen'"
activity = "https://register.voorbeeld.nl/besluiten"
template = "besluit"
case = "kenmerk"
title = {{ nl = "Besluit", en = "Decision" }}
subject = {{ nl = "Er is een besluit", en = "There is a decision" }}
short = {{ nl = "Er is een besluit", en = "There is a decision" }}
[[steps]]
channel = "box"
"""
FACTS = {
    EVENT: {"uitkomst": "text", "kenmerk": "text", "bedrag": "number", "sinds": "date", "eens": "boolean"}
}


def around(folder: Path, **more: Any) -> Around:
    write_templates(folder / "templates")
    given = {
        "channels": ["box"],
        "activities": ["https://register.voorbeeld.nl/besluiten"],
        "facts": FACTS,
        "templates": Templates(folder / "templates", "Dienst Voorbeeld (fictief)"),
    }
    return Around(**{**given, **more})


def write(folder: Path, text: str, name: str = "besluit.toml") -> None:
    (folder / "scenarios").mkdir(exist_ok=True)
    (folder / "scenarios" / name).write_text(text, encoding="utf-8")


def found(folder: Path, **more: Any) -> list[tuple[str, int]]:
    return [
        (one.code, one.place.line if one.place else -1)
        for one in examine_scenarios(read_scenarios(folder), around(folder, **more))
    ]


def test_a_scenario_that_is_right_is_ready(tmp_path: Path) -> None:
    write(tmp_path, FILE)
    assert found(tmp_path) == []
    (ready,) = listening(read_scenarios(tmp_path))
    assert ready.concerns(Happened())
    assert not ready.concerns(Happened(facts={"uitkomst": "toegewezen"}))
    assert not ready.concerns(Happened(type="nl.voorbeeld.anders"))


def test_a_node_without_scenarios_has_none(tmp_path: Path) -> None:
    assert read_scenarios(tmp_path).written == ()


@pytest.mark.parametrize(
    ("before", "after", "code", "line"),
    [
        ('template = "besluit"\n', "", "missing-key", 0),
        ('channel = "box"', 'channel = "postduif"', "unknown-channel", 12),
        ('channel = "box"', 'channel = "box"\nwait = "P2W"', "wrong-value", 13),
        ('channel = "box"', 'channel = "box"\n[[steps]]\nchannel = "box"', "channel-twice", 14),
        ("register.voorbeeld.nl/besluiten", "register.voorbeeld.nl/anders", "unknown-activity", 5),
        (f'event = "{EVENT}"', 'event = "nl.voorbeeld.anders"', "unknown-event-type", 3),
        ('case = "kenmerk"', 'case = "zaak"', "unknown-fact", 7),
        ("uitkomst = 'afgewezen'", "uitkomst =", "unreadable-expression", 4),
        ("uitkomst = 'afgewezen'", "uitslag = 'afgewezen'", "unknown-fact", 4),
        ("uitkomst = 'afgewezen'", "BESTAATNIET(uitkomst)", "unknown-function", 4),
        ('id = "besluit"', 'id = "besluit"\nhaast = true', "unknown-key", 3),
        ('case = "kenmerk"', 'case = "kenmerk"\nretention = "P1D"', "retention-short", 8),
        ('{ nl = "Er is een besluit"', '{ nl = "Er is\\neen besluit"', "subject-lines", 9),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, before: str, after: str, code: str, line: int
) -> None:
    assert before in FILE
    write(tmp_path, FILE.replace(before, after))
    ((told, where),) = found(tmp_path)
    assert (told, where) == (code, line)


def test_two_scenarios_of_one_name_are_told(tmp_path: Path) -> None:
    write(tmp_path, FILE)
    write(tmp_path, FILE, "kopie.toml")
    assert [code for code, _ in found(tmp_path)] == ["scenario-twice"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ uitslag }}", "uitslag"),
        ("{% if %}", "Expected"),
        ("{{ uitkomst.__class__.__mro__ }}", "unsafe"),
        ("{% include '../node.toml' %}", "node.toml"),
        ("{{ sinds | day | onbekend }}", "onbekend"),
        ("{{ bedrag / 0 }}", "ZeroDivisionError"),
        ("{% for one in range(10**9) %}x{% endfor %}", "OverflowError"),
    ],
)
def test_a_template_that_gives_no_message_is_told(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, FILE)
    world = around(tmp_path)
    (tmp_path / "templates/besluit.en.html").write_text(text, encoding="utf-8")
    (problem,) = examine_scenarios(read_scenarios(tmp_path), world)
    assert problem.code == "template-wrong"
    assert problem.place is not None
    assert problem.place.file.endswith("besluit.en.html")
    assert said in problem.why.en


def test_a_template_that_is_not_there_is_told(tmp_path: Path) -> None:
    write(tmp_path, FILE)
    world = around(tmp_path)
    (tmp_path / "templates/besluit.nl.txt").unlink()
    assert [one.code for one in examine_scenarios(read_scenarios(tmp_path), world)] == ["template-wrong"]


def test_a_fact_is_made_harmless_in_html_and_left_alone_in_text(tmp_path: Path) -> None:
    templates = Templates(write_templates(tmp_path / "templates"), "Dienst Voorbeeld (fictief)")
    said = templates.render(
        scenario("box", short=Text("-", "-")), "nl", {"uitkomst": "<script>alert(1)</script> & co"}
    )
    assert said.html == "<p>Uitkomst: &lt;script&gt;alert(1)&lt;/script&gt; &amp; co</p>"
    assert said.text == "Uitkomst: <script>alert(1)</script> & co"


@pytest.mark.parametrize(
    "html",
    [
        '{% include "besluit.nl.txt" %}',
        '{% from "delen" import regel %}{{ regel(uitkomst) }}',
        '{% extends "delen" %}{% block regel %}{{ uitkomst }}{% endblock %}',
    ],
)
def test_a_fact_is_made_harmless_in_what_html_takes_from_another_file(tmp_path: Path, html: str) -> None:
    folder = write_templates(tmp_path / "templates")
    (folder / "besluit.nl.html").write_text(html, encoding="utf-8")
    (folder / "delen").write_text(
        "{% macro regel(wat) %}{{ wat }}{% endmacro %}{% block regel %}{% endblock %}", encoding="utf-8"
    )
    said = Templates(folder, "Dienst").render(
        scenario("box", short=Text("-", "-")), "nl", {"uitkomst": "<b>"}
    )
    assert "&lt;b&gt;" in said.html
    assert "<b>" not in said.html


def test_a_date_is_written_as_people_do(tmp_path: Path) -> None:
    folder = write_templates(tmp_path / "templates")
    for language in ("nl", "en"):
        (folder / f"besluit.{language}.txt").write_text("{{ sinds | day }}", encoding="utf-8")
    templates = Templates(folder, "Dienst Voorbeeld (fictief)")
    plain = scenario("box", short=Text("-", "-"))
    facts = {"sinds": "2026-03-01", "uitkomst": ""}
    assert [templates.render(plain, one, facts).text for one in ("nl", "en")] == [
        "1 maart 2026",
        "1 March 2026",
    ]


def test_a_text_message_is_short(tmp_path: Path) -> None:
    templates = Templates(write_templates(tmp_path / "templates"), "Dienst Voorbeeld (fictief)")
    with pytest.raises(Invalid) as refused:
        templates.render(scenario("sms", short=Text("x" * (LONGEST_SHORT + 1), "")), "nl", {"uitkomst": ""})
    assert refused.value.code == "template-too-long"


def test_a_fact_never_stands_in_a_problem(tmp_path: Path) -> None:
    folder = write_templates(tmp_path / "templates")
    (folder / "besluit.nl.txt").write_text("{{ uitkomst | day }}", encoding="utf-8")
    with pytest.raises(Invalid) as refused:
        Templates(folder, "Dienst").render(scenario("box"), "nl", {"uitkomst": "heel geheim"})
    assert "geheim" not in str(refused.value)


# The reference


def rows(schema: dict[str, Any], path: str = "") -> list[str]:
    told = []
    for name, part in schema["properties"].items():
        inner, at = part.get("items", part), f"{path}{name}"
        if set(inner.get("properties", ())) == {"nl", "en"}:
            at, inner = f"{at}.nl` `{at}.en", {}
        default = part.get("default")
        shown = "nodig" if name in schema.get("required", ()) else "–" if default is None else f"`{default}`"
        told.append(
            f"| `{at}` | {shown.replace('True', 'true').replace('False', 'false')} | {part['description'].split(chr(10))[0]} |"
        )
        told += rows(inner, f"{path}{name}.") if "properties" in inner else []
    return told


def test_the_reference_documents_every_key_and_no_other() -> None:
    written = [
        one
        for one in REFERENCE.read_text(encoding="utf-8").splitlines()
        if one.startswith("| `") and one.count("|") == 4
    ]
    assert written == rows(scenario_schema())


def test_the_example_in_the_reference_validates(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", REFERENCE.read_text(encoding="utf-8"), re.DOTALL)
    assert list(Draft202012Validator(scenario_schema()).iter_errors(tomllib.loads(block))) == []
    write(tmp_path, block)
    assert read_scenarios(tmp_path).problems == ()
