"""Attacks, each named after the rule that holds against it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.disclose.owner import PEOPLE, Owner

from sluis.sources import open_source

Make = Callable[..., Owner]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """An owner with these disclosures, over SQLite."""
    return lambda *disclosures, **more: Owner(tmp_path, *disclosures, **more)


@pytest.fixture
def make_files(tmp_path: Path) -> Make:
    """An owner with these disclosures, whose persons stand in a CSV file: DuckDB reads it, and runs what it is given."""
    (tmp_path / "files").mkdir()
    lines = ["bsn,name,postcode,age,income,secret,city,house"]
    lines += [",".join("" if value is None else str(value) for value in person) for person in PEOPLE]
    (tmp_path / "files" / "person.csv").write_text("\n".join(lines) + "\n")
    return lambda *disclosures, **more: Owner(
        tmp_path, *disclosures, source=open_source(f"file://{tmp_path}/files"), **more
    )
