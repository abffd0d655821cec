"""`sluis source`: proposals as files, and what a source's state is; never a value out of it."""

import json
import sqlite3
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sluis.cli import main, terminal


@pytest.fixture(autouse=True)
def _dutch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "nl_NL.UTF-8")
    monkeypatch.delenv("SLUIS_LANGUAGE", raising=False)
    monkeypatch.delenv("SLUIS_NODE", raising=False)
    terminal.choose_language(None)


@pytest.fixture
def url(tmp_path: Path) -> str:
    connection = sqlite3.connect(tmp_path / "register.db")
    connection.execute("CREATE TABLE personen(bsn TEXT PRIMARY KEY, naam TEXT, partner_bsn TEXT)")
    connection.execute("INSERT INTO personen VALUES ('999990019', 'Fictief Persoon', '999990020')")
    connection.commit()
    connection.close()
    return f"sqlite:///{tmp_path}/register.db"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["source", *arguments])


def test_a_proposal_is_a_dataset_file_and_a_summary(url: str) -> None:
    result = run("inspect", url)
    assert result.exit_code == 0
    written = tomllib.loads(result.stdout)
    assert (written["name"], written["source"], written["key"]) == ("personen", "register", ["bsn"])
    assert written["subject"] == {"column": "bsn", "type": "BSN"}
    assert "# personen: 3 kolommen" in result.stdout
    assert "partner_bsn" in result.stdout


@pytest.mark.parametrize("arguments", [["inspect"], ["inspect", "--json"], ["probe"], ["probe", "--json"]])
def test_no_value_is_ever_shown(url: str, arguments: list[str]) -> None:
    result = run(*arguments, url)
    assert result.exit_code == 0
    assert "Fictief" not in result.output
    assert "99999" not in result.output


def test_proposals_are_written_once(url: str, tmp_path: Path) -> None:
    out = tmp_path / "datasets"
    assert run("inspect", url, "--out", str(out), "--name", "basis").exit_code == 0
    assert tomllib.loads((out / "personen.toml").read_text())["source"] == "basis"
    (out / "personen.toml").write_text("mine")
    assert run("inspect", url, "--out", str(out)).exit_code == 5
    assert (out / "personen.toml").read_text() == "mine"


def test_json_says_what_else_may_hold_a_bsn(url: str) -> None:
    (proposal,) = json.loads(run("inspect", url, "--json").stdout)
    assert proposal["candidates"] == ["bsn", "partner_bsn"]
    assert proposal["sampled"] is True


def test_a_source_that_is_down_has_exit_code_6(tmp_path: Path) -> None:
    assert run("inspect", f"sqlite:///{tmp_path}/none.db").exit_code == 6
    assert run("probe", f"sqlite:///{tmp_path}/none.db").exit_code == 6


def test_a_file_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    for command in ("inspect", "probe"):
        result = run(command, f"sqlite:///{tmp_path}/none.db")
        assert f"{tmp_path}/none.db bestaat niet" in " ".join(result.output.split())


@pytest.mark.parametrize("scheme", ["", "csv://"])
def test_a_file_without_its_scheme_is_told_the_whole_url(tmp_path: Path, scheme: str) -> None:
    (tmp_path / "p.csv").write_text("a\nx\n")
    result = run("inspect", f"{scheme}{tmp_path}/p.csv")
    assert result.exit_code == 2
    assert f"Bedoelt u file://{tmp_path}/p.csv?" in result.output


def test_a_probe_tells_state_rights_and_rows(url: str) -> None:
    result = run("probe", url)
    assert "register: werkt" in result.stdout
    assert "alleen lezen: ja" in result.stdout
    assert "personen: ongeveer 1 rijen" in result.stdout


def test_an_account_that_can_write_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("a\nx\n")
    result = run("probe", f"file://{tmp_path}")
    assert "kan schrijven" in result.stdout
    (found,) = json.loads(run("probe", f"file://{tmp_path}", "--json").stdout)
    assert found["read_only"] is False


@pytest.mark.parametrize("command", ["inspect", "probe"])
def test_help_has_an_example(command: str) -> None:
    assert f"sluis source {command}" in run(command, "--help").stdout
