"""`sluis init`: a working node directory, whole or not at all, and never over something else."""

import fcntl
import os
import stat
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sluis.cli import main, terminal
from sluis.cli.init import MARK
from sluis.config import examine_node, load_node
from sluis.grounds import Column, Dataset, Subject
from sluis.kernel import Text, Upstream

PERSONS = Dataset(
    "personen",
    Text("Personen", "Persons"),
    "proposed",
    "PERSONEN",
    (
        Column("bsn", "VARCHAR"),
        Column("diagnose", "VARCHAR", sensitivity="special"),
        Column("naam", "VARCHAR"),
    ),
    subject=Subject("bsn", "BSN"),
    key=("bsn",),
)
CODES = Dataset(
    "landen",
    Text("Landen", "Countries"),
    "proposed",
    "LANDEN",
    (Column("code", "VARCHAR", sensitivity="open"),),
)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("SLUIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "nl_NL.UTF-8")
    monkeypatch.chdir(tmp_path)
    terminal.choose_language(None)


@pytest.fixture
def inspected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands in for the inspection of a source; holds the URLs that were inspected."""
    urls: list[str] = []

    def inspect(url: str) -> tuple[Dataset, ...]:
        urls.append(url)
        return (CODES, PERSONS)

    monkeypatch.setattr("sluis.sources.inspect", inspect, raising=False)
    return urls


def init(directory: Path, *more: str) -> Result:
    return CliRunner().invoke(main, ["init", str(directory), *more])


def snapshot(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def test_the_node_it_makes_is_in_order_and_loads(tmp_path: Path) -> None:
    result = init(tmp_path / "dienst")
    assert result.exit_code == 0, result.output
    assert examine_node(tmp_path / "dienst", {}) == ()
    assert not (tmp_path / "dienst" / MARK).exists()
    node = load_node(tmp_path / "dienst", {}).config.node
    assert (node.alias, node.environment) == ("dienst", "test")


def test_with_a_source_it_proposes_datasets_an_activity_and_a_disclosure(
    tmp_path: Path, inspected: list[str]
) -> None:
    init(tmp_path / "dienst", "--source", "sqlite:///personen.db")
    assert inspected == [f"sqlite:///{tmp_path}/personen.db"]
    assert examine_node(tmp_path / "dienst", {}) == ()
    grounds = load_node(tmp_path / "dienst", {}).grounds
    assert {one.name for one in grounds.datasets} == {"personen", "landen"}
    (opened,) = grounds.disclosures
    assert opened.columns == {"bsn": "output", "naam": "output"}
    assert opened.closed[0].columns == ("diagnose",)
    assert (opened.subject_required, opened.activity) == (True, grounds.activities[0].id)


def test_a_password_in_the_url_goes_into_a_file_for_this_user_only(
    tmp_path: Path, inspected: list[str]
) -> None:
    init(tmp_path / "dienst", "--source", "postgresql://sluis:ge%40heim@localhost/x")
    assert "heim" not in (tmp_path / "dienst/node.toml").read_text()
    secret = tmp_path / "dienst/secrets/main"
    assert (secret.read_text(), stat.S_IMODE(secret.stat().st_mode)) == ("ge@heim", 0o600)
    loaded = load_node(tmp_path / "dienst", {}).config.sources["main"]
    assert loaded.url == "postgresql://sluis:ge%40heim@localhost/x"


def test_a_source_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def inspect(url: str) -> tuple[Dataset, ...]:
        raise Upstream("source-down", Text("-", "-"), Text("-", "-"), Text("-", "-"))

    monkeypatch.setattr("sluis.sources.inspect", inspect, raising=False)
    assert init(tmp_path / "dienst", "--source", "sqlite:///x.db").exit_code == 6
    assert list(tmp_path.iterdir()) == []


def test_a_proposal_that_does_not_pass_the_check_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Dataset("x", Text("-", "-"), "s", "T", (Column("a", "INT4"),))
    monkeypatch.setattr("sluis.sources.inspect", lambda url: (wrong,), raising=False)
    assert init(tmp_path / "dienst", "--source", "sqlite:///x.db").exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    init(tmp_path / "dienst", "--name", "Dienst")
    before = snapshot(tmp_path)
    result = init(tmp_path / "dienst", "--name", "Dienst")
    assert (result.exit_code, snapshot(tmp_path)) == (0, before)
    assert "niets veranderd" in result.stdout


@pytest.mark.parametrize("other", [("--oin", "1" * 20), ("--name", "Ander"), ("--alias", "ander")])
def test_another_node_is_never_overwritten(tmp_path: Path, other: tuple[str, str]) -> None:
    init(tmp_path / "dienst")
    before = snapshot(tmp_path)
    assert init(tmp_path / "dienst", *other).exit_code == 5
    assert snapshot(tmp_path) == before


def test_other_files_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "dienst").mkdir()
    (tmp_path / "dienst/brief.txt").write_text("van mij")
    assert init(tmp_path / "dienst").exit_code == 5
    assert snapshot(tmp_path) == {"dienst/brief.txt": b"van mij"}


def test_an_empty_directory_is_used(tmp_path: Path) -> None:
    (tmp_path / "dienst").mkdir()
    assert init(tmp_path / "dienst").exit_code == 0
    assert examine_node(tmp_path / "dienst", {}) == ()


def test_what_a_crash_left_is_recognised_and_replaced(tmp_path: Path) -> None:
    half = tmp_path / ".dienst.unfinished"
    (half / "tls").mkdir(parents=True)
    (half / MARK).touch()
    (half / "node.toml").write_text("half = ")
    assert init(tmp_path / "dienst").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["dienst"]
    assert examine_node(tmp_path / "dienst", {}) == ()


def test_an_unfinished_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".dienst.unfinished").mkdir()
    (tmp_path / ".dienst.unfinished/brief.txt").write_text("van mij")
    assert init(tmp_path / "dienst").exit_code == 5
    assert snapshot(tmp_path) == {".dienst.unfinished/brief.txt": b"van mij"}


def test_two_at_once_do_not_disturb_one_another(tmp_path: Path) -> None:
    folder = tmp_path / ".dienst.unfinished"
    folder.mkdir()
    with (folder / MARK).open("a") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        assert init(tmp_path / "dienst").exit_code == 5
    assert (folder / MARK).exists()


def test_production_asks_who_it_is_and_makes_no_authority(tmp_path: Path) -> None:
    assert init(tmp_path / "dienst", "--environment", "production").exit_code == 2
    result = init(tmp_path / "dienst", "--environment", "production", "--oin", "1" * 20, "--name", "Dienst")
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "dienst/authority").exists()
    assert {one.code for one in examine_node(tmp_path / "dienst", {})} == {"missing-file"}


def test_the_settings_point_to_files_inside_the_node(tmp_path: Path) -> None:
    init(tmp_path / "dienst")
    (tmp_path / "dienst").rename(tmp_path / "verhuisd")
    assert examine_node(tmp_path / "verhuisd", {}) == ()
    tables = tomllib.loads((tmp_path / "verhuisd/node.toml").read_text())
    assert tables["tls"]["authorities"] == ["authority/authority.pem"]


def test_a_wrong_oin_is_told_before_anything_is_written(tmp_path: Path) -> None:
    assert init(tmp_path / "dienst", "--oin", "12").exit_code == 2
    assert list(tmp_path.iterdir()) == []
