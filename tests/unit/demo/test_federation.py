"""The seven node directories: whole, consistent, and written the same way each time."""

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from sluis.config import examine_node, load_node
from sluis.crypto import Identity
from sluis_demo.activities import ACTIVITIES
from sluis_demo.chain.nodes import write
from sluis_demo.federation import Federation, Options, set_up
from sluis_demo.organisations import ASKER, ORGANISATIONS

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def federation(home: Path) -> Federation:
    return set_up(Options(home=home), [])


def test_every_node_directory_passes_sluis_check(federation: Federation) -> None:
    assert len(federation.places) == 7
    for place in federation.places:
        assert examine_node(place.directory, environ={}) == ()


def test_every_directory_of_the_chain_passes_sluis_check(federation: Federation) -> None:
    for place in write(federation).values():
        assert examine_node(place.directory, environ={}) == ()
        assert (place.directory / "node.toml").stat().st_mode & 0o077 == 0


def test_every_certificate_names_the_organisation_it_is_for(federation: Federation) -> None:
    for place in federation.places:
        identity = Identity.load(place.directory / "tls/certificate.pem", place.directory / "tls/key.pem")
        assert (identity.peer.id, identity.peer.name) == (place.organisation.oin, place.organisation.name)
        assert load_node(place.directory, environ={}).config.node.test


def test_every_dataset_reads_columns_that_its_table_has(federation: Federation) -> None:
    for place in federation.places:
        url = load_node(place.directory, environ={}).config.sources["register"].url
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            for dataset in place.organisation.datasets:
                face = ", ".join(
                    column.expression or column.source or column.name for column in dataset.columns
                )
                assert connection.execute(f"SELECT {face} FROM {dataset.table}").fetchone() is not None


def test_every_key_is_a_key(federation: Federation) -> None:
    for place in federation.places:
        url = load_node(place.directory, environ={}).config.sources["register"].url
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            for dataset in place.organisation.datasets:
                names = [dataset.column(name) for name in dataset.key]
                own = ", ".join(column.source or column.name for column in names if column)
                if own:
                    doubles = f"SELECT {own} FROM {dataset.table} GROUP BY {own} HAVING count(*) > 1"
                    assert connection.execute(doubles).fetchall() == []


def test_what_sluiswijk_asks_for_is_in_the_register_of_processing_of_both_sides(
    federation: Federation,
) -> None:
    own = {activity.id for activity in ACTIVITIES if activity.controller == ASKER.oin}
    for place in federation.places:
        known = {activity.id for activity in load_node(place.directory, environ={}).grounds.activities}
        assert {disclosure.activity for disclosure in place.organisation.disclosures} <= known
    assert own <= {one.id for one in load_node(federation.asker.directory, environ={}).grounds.activities}


def test_every_closed_column_names_an_article() -> None:
    for organisation in ORGANISATIONS:
        for disclosure in organisation.disclosures:
            assert all(closed.article for closed in disclosure.closed)
            dataset = next(one for one in organisation.datasets if one.name == disclosure.dataset)
            told = {
                column for closed in disclosure.closed for column in closed.columns
            } | disclosure.columns.keys()
            assert {column.name for column in dataset.columns} == told


def test_registers_are_kept_and_everything_else_is_written_anew(home: Path, federation: Federation) -> None:
    registers = sorted((home / "registers").glob("*/*.db"))
    before = [path.stat().st_mtime_ns for path in registers]
    log = federation.asker.directory / "var" / "node.db"
    log.write_text("an earlier story")
    set_up(Options(home=home), [])
    assert [path.stat().st_mtime_ns for path in registers] == before
    assert not log.exists()


def test_no_validity_in_the_demo_lies_in_the_future() -> None:
    assert all(activity.valid.holds(date(2026, 1, 1)) for activity in ACTIVITIES)
