"""What is proposed for a source nobody prepared. All persons are fictitious."""

import json
import sqlite3
from pathlib import Path

import pytest

from sluis.grounds import Dataset, faults
from sluis.kernel import Invalid, Upstream, passes_eleven_test, plain
from sluis.sources import inspect, open_source, source_name
from sluis.sources.proposing import snake

NUMBERS = [number for number in map(str, range(100_000_000, 100_001_000)) if passes_eleven_test(number)][:20]


def database(path: Path, *statements: str) -> str:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.executemany(
        "INSERT INTO Personen VALUES (?,?,?,?,?)",
        [(n, f"Naam {i}", i, "2020-01-01", "griep") for i, n in enumerate(NUMBERS)],
    )
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


@pytest.fixture
def proposed(tmp_path: Path) -> Dataset:
    url = database(
        tmp_path / "gemeente.db",
        'CREATE TABLE Personen(nummer TEXT PRIMARY KEY, "Volledige Naam" TEXT, leeftijd INT, sinds DATE, diagnose TEXT)',
    )
    (dataset,) = inspect(url)
    return dataset


def test_names_are_such_as_a_question_can_write(proposed: Dataset) -> None:
    assert (proposed.name, proposed.table, proposed.source) == ("personen", "Personen", "gemeente")
    assert [column.name for column in proposed.columns] == [
        "nummer",
        "volledige_naam",
        "leeftijd",
        "sinds",
        "diagnose",
    ]
    assert proposed.columns[1].source == "Volledige Naam"


def test_types_and_key_are_those_of_the_source(proposed: Dataset) -> None:
    assert [column.type for column in proposed.columns] == ["VARCHAR", "VARCHAR", "BIGINT", "DATE", "VARCHAR"]
    assert proposed.key == ("nummer",)
    assert proposed.rows == 20


def test_a_column_whose_values_pass_the_eleven_test_is_the_subject(proposed: Dataset) -> None:
    assert proposed.subject is not None
    assert (proposed.subject.column, proposed.subject.type) == ("nummer", "BSN")


def test_sensitivity_is_guessed_from_names_and_values(proposed: Dataset) -> None:
    assert {column.name: column.sensitivity for column in proposed.columns} == {
        "nummer": "identifying",
        "volledige_naam": "identifying",
        "leeftijd": "personal",
        "sinds": "personal",
        "diagnose": "special",
    }


def test_a_proposal_passes_the_check_of_a_dataset_file(proposed: Dataset) -> None:
    assert list(faults(json.loads(json.dumps(plain(proposed))), Dataset)) == []


def test_random_numbers_of_nine_digits_are_no_bsn(tmp_path: Path) -> None:
    url = database(
        tmp_path / "x.db",
        "CREATE TABLE Personen(a TEXT, b TEXT, c INT, d DATE, e TEXT)",
        "CREATE TABLE codes(code TEXT)",
    )
    connection = sqlite3.connect(tmp_path / "x.db")
    connection.executemany(
        "INSERT INTO codes VALUES (?)", [(str(number),) for number in range(123_456_789, 123_456_889)]
    )
    connection.commit()
    connection.close()
    assert {dataset.name: dataset.subject is not None for dataset in inspect(url)} == {
        "personen": True,
        "codes": False,
    }


def test_a_column_called_bsn_is_one_even_when_test_numbers_fail_the_test(tmp_path: Path) -> None:
    (tmp_path / "detentie.json").write_text(
        '[{"bsn": "100000001", "waarde": true}, {"bsn": "100000003", "waarde": false}]'
    )
    (dataset,) = inspect(f"file://{tmp_path}/detentie.json")
    assert dataset.subject is not None
    assert dataset.key == ("bsn",)
    assert [column.sensitivity for column in dataset.columns] == ["identifying", "special"]


@pytest.mark.parametrize(
    ("name", "written"),
    [("kvkNummer", "kvk_nummer"), ("01.01.20", "c_01_01_20"), ("Volledige Naam", "volledige_naam"), ("é", "column"),
     ("/personen/{bsn}", "personen_bsn"), ("_profile_bsn", "profile_bsn")],
)  # fmt: skip
def test_snake_names(name: str, written: str) -> None:
    assert snake(name) == written


@pytest.mark.parametrize(
    ("url", "name"),
    [("sqlite:///a/b/gemeente.db", "gemeente"), ("postgresql://u:p@host:1/burgerzaken?x=1", "burgerzaken"),
     ("file:///data/brp", "brp"), ("openapi+https://api.example.nl/v1/openapi.json", "openapi")],
)  # fmt: skip
def test_a_source_is_named_after_its_database(url: str, name: str) -> None:
    assert source_name(url) == name


def test_a_source_that_is_not_there_is_an_upstream_problem(tmp_path: Path) -> None:
    with pytest.raises(Upstream) as caught:
        inspect(f"sqlite:///{tmp_path}/none.db")
    assert caught.value.code == "source-not-there"
    assert not caught.value.retry


@pytest.mark.parametrize("url", ["gopher://x", "personen.csv", "https://x/openapi.json", ""])
def test_a_url_of_no_known_kind_is_invalid(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        open_source(url)
    assert caught.value.code == "unknown-source-kind"


def test_an_option_of_another_kind_is_invalid() -> None:
    with pytest.raises(Invalid) as caught:
        open_source("sqlite:///x.db", separator=";")
    assert caught.value.code == "unknown-source-option"
    assert "separator" in caught.value.why.en
    assert "pool_size" not in caught.value.why.en
