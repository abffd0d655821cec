"""What is measured of a dataset tells nothing of anybody in it, is the same for every kind of source, and stays the owner's."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.catalogue.examples import INCOME, NOW, described, write
from tests.unit.catalogue.test_files import ONE, WHOLE
from tests.unit.grounds.examples import DISCLOSURE
from tests.unit.test_config import whole_node

from sluis.catalogue import Measurement, keep_measurements, measure
from sluis.catalogue.measuring import FEW, MEASUREMENTS_FILE, kept_measurements, rounded, veiled
from sluis.catalogue.model import Share
from sluis.cli import main
from sluis.grounds import Dataset
from sluis.sources import Limits, Source, SourceFailure, open_source

ROWS = 140
SAID = described("dataset", "inkomen", changed="gewijzigd")


def _rows(count: int) -> list[tuple[object, ...]]:
    return [
        (
            f"{number:09}",
            2026,
            number if number % 4 else None,
            number % 2,
            "2026-11-20" if number else "2099-01-01",
        )
        for number in range(1, count + 1)
    ]


def opened(folder: Path, kind: str, count: int = ROWS) -> Source:
    columns = ("BSN_NR", "jaar", "inkomen", "bijzonder", "gewijzigd")
    if kind == "csv":
        lines = [
            ",".join("" if cell is None else str(cell) for cell in row) for row in [columns, *_rows(count)]
        ]
        write(folder, "INKOMEN.csv", "\n".join(lines))
        return open_source(f"file://{folder}")
    connection = sqlite3.connect(folder / "x.db")
    connection.execute(
        "CREATE TABLE INKOMEN (BSN_NR TEXT, jaar INTEGER, inkomen INTEGER, bijzonder NUMERIC, gewijzigd DATE)"
    )
    connection.executemany("INSERT INTO INKOMEN VALUES (?, ?, ?, ?, ?)", _rows(count))
    connection.commit()
    connection.close()
    return open_source(f"sqlite:///{folder}/x.db")


@pytest.fixture(params=["sqlite", "csv"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    made = opened(tmp_path, request.param)
    yield made
    made.close()


def taken(source: Source, dataset: Dataset = INCOME) -> Measurement:
    return measure(dataset, SAID, source, Limits(), lambda: NOW)


def test_rows_shares_and_the_last_day_are_measured(source: Source) -> None:
    found = taken(source)
    assert (found.dataset, found.at, found.rows, found.newest) == ("inkomen", NOW, ROWS, date(2026, 11, 20))
    assert found.filled == (
        Share("bsn", 100), Share("jaar", 100), Share("inkomen", 75), Share("gewijzigd", 100),
    )  # fmt: skip


def test_how_much_of_a_special_column_is_filled_is_not_measured(source: Source) -> None:
    assert "bijzonder" not in {share.column for share in taken(source).filled}


def test_a_source_without_the_table_is_not_measured(source: Source) -> None:
    with pytest.raises(SourceFailure, match="changed"):
        taken(source, msgspec.structs.replace(INCOME, table="WEG"))


def test_without_a_column_named_for_it_no_day_is_told(source: Source) -> None:
    assert measure(INCOME, None, source, Limits(), lambda: NOW).newest is None


@pytest.mark.parametrize("sensitivity", ["identifying", "special"])
def test_of_a_column_that_tells_of_somebody_no_day_is_told(source: Source, sensitivity: str) -> None:
    columns = [msgspec.structs.replace(one, sensitivity=sensitivity) for one in INCOME.columns]
    assert taken(source, msgspec.structs.replace(INCOME, columns=tuple(columns))).newest is None


def test_a_day_to_come_says_nothing(tmp_path: Path) -> None:
    source = opened(tmp_path, "sqlite")
    early = NOW.replace(year=2026, month=11, day=1)
    assert measure(INCOME, SAID, source, Limits(), lambda: early).newest is None
    source.close()


def test_of_few_people_nothing_is_told_but_a_rounded_number(tmp_path: Path) -> None:
    source = opened(tmp_path, "sqlite", FEW - 1)
    found = taken(source)
    assert found == Measurement("inkomen", NOW, found.milliseconds, 100)
    source.close()


@given(st.integers(0, 10**9))
def test_one_person_more_or_less_is_rarely_seen(count: int) -> None:
    shown = rounded(count)
    assert abs(shown - count) <= max(10, count // 20)
    assert len(str(shown).rstrip("0")) <= 2
    assert shown % 10 == 0
    assert (shown == 0) == (count == 0)


def test_a_dataset_about_nobody_keeps_its_number() -> None:
    one = Measurement("bomen", NOW, 1, 12_345)
    assert veiled(one).rows == 12_000
    assert one.rows == 12_345


def test_the_last_measurement_of_each_is_kept(tmp_path: Path) -> None:
    first, other, second = (
        Measurement("a", NOW, 1, 10),
        Measurement("b", NOW, 1, 20),
        Measurement("a", NOW, 2, 30),
    )
    keep_measurements(tmp_path, [first, other])
    keep_measurements(tmp_path, [second])
    assert kept_measurements(tmp_path) == {"a": second, "b": other}


@pytest.mark.parametrize("text", ["", "{", "[{}]", '[{"dataset": 1}]'])
def test_what_cannot_be_read_was_not_measured(tmp_path: Path, text: str) -> None:
    write(tmp_path, MEASUREMENTS_FILE, text)
    assert kept_measurements(tmp_path) == {}


def test_probe_keeps_what_it_found_and_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "nl_NL.UTF-8")
    whole_node(tmp_path, disclosure=DISCLOSURE.replace("until = 2026-12-31\n", ""))
    node = tmp_path / "node.toml"
    opened(tmp_path, "sqlite").close()
    kept = [
        line if not line.startswith('url = "postgresql') else f'url = "sqlite:///{tmp_path}/x.db"'
        for line in node.read_text().splitlines()
    ]
    node.write_text("\n".join(kept))
    write(tmp_path, "catalogue.toml", WHOLE)
    write(tmp_path, "descriptions/een.toml", ONE)
    result = CliRunner().invoke(main, ["source", "probe", "--keep", "--node", str(tmp_path), "--json"])
    assert result.exit_code == 0, result.output
    (told,) = json.loads(result.stdout)["measured"]
    assert (told["dataset"], told["rows"]) == ("inkomen", ROWS)
    broken = ONE + 'changed = "bsn"'
    write(tmp_path, "descriptions/een.toml", broken)
    assert CliRunner().invoke(main, ["source", "probe", "--keep", "--node", str(tmp_path)]).exit_code == 2
    written = (tmp_path / MEASUREMENTS_FILE).read_text()
    assert "000000" not in written
    assert "000000" not in result.output
    assert CliRunner().invoke(main, ["source", "probe", "--keep", "sqlite:///x.db"]).exit_code == 2
