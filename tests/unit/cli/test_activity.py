"""`sluis activity`: what an activity is for, and what it opens and keeps closed, in plain words."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.unit.grounds.examples import ACTIVITY_ID, DISCLOSURE, write_node

from sluis.cli import main, terminal


@pytest.fixture(autouse=True)
def _in_dutch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "nl_NL.UTF-8")
    monkeypatch.delenv("SLUIS_NODE", raising=False)
    terminal.choose_language(None)


def run(*arguments: str, node: Path) -> Result:
    return CliRunner().invoke(main, ["activity", *arguments, "--node", str(node)])


def test_the_list_names_activity_id_and_law(tmp_path: Path) -> None:
    result = run("list", node=write_node(tmp_path))
    assert result.stdout == f"Aanvraag bijstand\n  {ACTIVITY_ID}\n  Participatiewet, art. 53a\n"


def test_show_tells_purpose_law_roles_and_what_stays_closed_and_why(tmp_path: Path) -> None:
    told = run("show", ACTIVITY_ID, node=write_node(tmp_path)).stdout
    assert "Waarvoor: Vaststellen of iemand recht heeft op bijstand." in told
    assert "Grondslag (AVG art. 6): wettelijke verplichting" in told
    assert "  inkomen: zichtbaar, afgeschermd\n" in told
    assert "  jaar: alleen om te kiezen\n" in told
    assert "Niet alle rijen: Alleen de laatste jaren zijn nodig." in told
    assert (
        "Gesloten: vermogen. Voor deze taak is het vermogen niet nodig. (AVG, art. 5, eerste lid, onder c)"
        in told
    )


def test_show_in_english_says_the_same(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        main, ["--language", "en", "activity", "show", ACTIVITY_ID, "--node", str(write_node(tmp_path))]
    )
    assert "Closed: vermogen. This task does not need the capital." in result.stdout


def test_json_holds_the_disclosures_of_the_activity(tmp_path: Path) -> None:
    document = json.loads(run("show", ACTIVITY_ID, "--json", node=write_node(tmp_path)).stdout)
    assert document["id"] == ACTIVITY_ID
    assert document["disclosures"][0]["columns"] == {"bsn": "output", "inkomen": "output", "jaar": "filter"}
    assert json.loads(run("list", "--json", node=tmp_path).stdout) == [document]


def test_an_unknown_activity_names_the_one_that_was_meant(tmp_path: Path) -> None:
    result = run("show", ACTIVITY_ID + "s", node=write_node(tmp_path))
    assert result.exit_code == 4
    assert f"Bedoelde u `{ACTIVITY_ID}`?" in result.stderr


def test_the_node_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUIS_NODE", str(write_node(tmp_path)))
    assert ACTIVITY_ID in CliRunner().invoke(main, ["activity", "list"]).stdout


def test_a_broken_file_is_told_instead(tmp_path: Path) -> None:
    assert run("list", node=write_node(tmp_path, disclosure=DISCLOSURE[:99])).exit_code == 2
