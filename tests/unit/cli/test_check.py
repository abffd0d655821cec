"""`sluis check`: every problem with file, line and remedy; exit code 0 or 2."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.unit.grounds.examples import DATASET, DISCLOSURE
from tests.unit.test_config import whole_node

from sluis.cli import main, terminal


@pytest.fixture(autouse=True)
def _in_dutch(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SLUIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "nl_NL.UTF-8")
    terminal.choose_language(None)


def check(path: Path, *more: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["check", str(path), *more])
    return result.exit_code, result.stdout


def lasting(text: str) -> str:
    return text.replace("until = 2026-12-31\n", "")


def test_a_node_in_order_gives_zero(tmp_path: Path) -> None:
    assert check(whole_node(tmp_path, disclosure=lasting(DISCLOSURE))) == (0, f"{tmp_path} is in orde.\n")


def test_every_problem_is_told_with_file_line_and_remedy(tmp_path: Path) -> None:
    broken = lasting(DISCLOSURE).replace('inkomen = "output"', 'inkomen = "outptu"')
    whole_node(
        tmp_path, disclosure=broken, dataset=DATASET.replace("rows = 4000", 'rows = "veel"'), activity="id = "
    )
    code, told = check(tmp_path)
    line = broken[: broken.index("outptu")].count("\n") + 1
    assert code == 2
    assert f"disclosures/disclosure.toml:{line}: De waarde van `columns.inkomen` kan niet." in told
    assert "  → Bedoelde u `output`?" in told
    assert "datasets/dataset.toml:8: `rows` heeft de verkeerde soort waarde." in told
    assert "activities/activity.toml:1: Dit is geen geldige TOML." in told
    assert told.endswith(f"Problemen in {tmp_path}: 3.\n")


def test_json_holds_every_problem_with_its_place(tmp_path: Path) -> None:
    whole_node(tmp_path, disclosure=lasting(DISCLOSURE).replace('"inkomen"', '"loon"', 1))
    code, told = check(tmp_path, "--json")
    (problem,) = json.loads(told)
    assert (code, problem["code"]) == (2, "unknown-dataset")
    assert problem["place"] == {"file": str(tmp_path / "disclosures/disclosure.toml"), "line": 3}


@pytest.mark.parametrize(
    ("setting", "file", "text", "told"),
    [
        ("theme", "theme.css", "a { color: red }", "Dit thema kan niet worden gebruikt."),
        ("logo", "logo.svg", "<svg><script/></svg>", "Dit logo kan niet worden gebruikt."),
    ],
)
def test_a_look_that_pages_cannot_have_is_told(
    tmp_path: Path, setting: str, file: str, text: str, told: str
) -> None:
    node = whole_node(tmp_path, disclosure=lasting(DISCLOSURE))
    (node / file).write_text(text)
    settings = node / "node.toml"
    settings.write_text(settings.read_text() + f'\n[portal]\n{setting} = "{file}"\n')
    code, problems = check(node)
    line = settings.read_text().count("\n")
    assert code == 2
    assert f"node.toml:{line}: {told}" in problems


def test_colours_of_a_theme_that_can_hardly_be_read_are_advice(tmp_path: Path) -> None:
    node = whole_node(tmp_path, disclosure=lasting(DISCLOSURE))
    (node / "theme.css").write_text(":root {\n  --utrecht-link-color: #999;\n}\n")
    settings = node / "node.toml"
    settings.write_text(settings.read_text() + '\n[portal]\ntheme = "theme.css"\n')
    code, told = check(node)
    assert code == 0
    line = settings.read_text().splitlines().index("[portal]") + 1
    assert f"Advies: {settings}:{line}: Dit knooppunt heeft geen pagina's." in told
    assert f"Advies: {node / 'theme.css'}:2: Dit thema maakt links slecht leesbaar." in told
    assert "verschilt 2,8 op 1; nodig is 4,5 op 1" in told
    assert "→ Maak het verschil groter: verander `--utrecht-link-color`." in told


def test_a_portal_with_an_address_needs_no_advice(tmp_path: Path) -> None:
    node = whole_node(tmp_path, disclosure=lasting(DISCLOSURE))
    settings = node / "node.toml"
    settings.write_text(settings.read_text() + '\n[portal]\naddress = "https://mijn.voorbeeld.nl"\n')
    assert "geen pagina's" not in check(node)[1]


def test_json_of_a_node_in_order_is_an_empty_list(tmp_path: Path) -> None:
    assert check(whole_node(tmp_path, disclosure=lasting(DISCLOSURE)), "--json") == (0, "[]\n")


def test_a_path_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert check(tmp_path / "nergens")[0] == 2


def test_hostile_files_are_told_one_by_one(tmp_path: Path) -> None:
    whole_node(tmp_path, disclosure=lasting(DISCLOSURE))
    folder = tmp_path / "datasets"
    (folder / "a.toml").write_bytes(b"\xff\xfe")
    (folder / "b.toml").symlink_to(folder / "b.toml")
    with (folder / "c.toml").open("wb") as file:
        file.truncate(10**9)
    (folder / "d.toml").mkdir()
    (folder / "e.toml").write_text("a = " + "[" * 10_000)
    code, told = check(tmp_path, "--json")
    assert code == 2
    assert [one["code"] for one in json.loads(told)] == [
        "not-utf8",
        "unreadable-file",
        "file-too-large",
        "unreadable-file",
        "toml-syntax",
    ]
