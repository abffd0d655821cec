"""What `sources/base.py` promises, held against every kind of source."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp
from tests.contract.sources.kinds import COLUMNS, KINDS, PERSONS, SCHEMA, Api, serving

from sluis.sources import Limits, Source, SourceFailure, open_source

MARKS: dict[str, Any] = {"postgres": pytest.mark.postgres, "mariadb": pytest.mark.mariadb}


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    with serving() as base:
        yield base


@pytest.fixture(scope="module", params=[pytest.param(kind, marks=MARKS.get(kind, ())) for kind in KINDS])
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    opened = open_source(KINDS[request.param](request, folder))
    yield opened
    opened.close()
    opened.close()


def table_of(source: Source) -> str:
    return next(table.name for table in source.tables() if table.name.lower().strip("/") == "persons")


def select(source: Source, where: str = "", columns: tuple[str, ...] = COLUMNS) -> exp.Query:
    listed = ", ".join(f"p.{name}" for name in columns)
    tree = sqlglot.parse_one(f'SELECT {listed} FROM "{table_of(source)}" AS p {where}', dialect="duckdb")
    assert isinstance(tree, exp.Query)
    return tree


def rows(
    source: Source, where: str = "", limits: Limits | None = None, **values: Any
) -> list[dict[str, Any]]:
    types = {name: "BIGINT" if name == "age" else "VARCHAR" for name in values}
    prepared = source.prepare(select(source, where), types, SCHEMA)
    batches = list(prepared.run(values, limits or Limits()))
    assert all(batch.schema == SCHEMA for batch in batches)
    return sorted((row for batch in batches for row in batch.to_pylist()), key=lambda row: str(row["bsn"]))


def as_given(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "born": row["born"].isoformat() if row["born"] else None}


def test_columns_have_the_types_that_hold_their_values(source: Source) -> None:
    table = next(table for table in source.tables() if table.name == table_of(source))
    types = {column.name: column.type for column in table.columns}
    assert [types["bsn"], types["name"], types["born"]] == ["VARCHAR", "VARCHAR", "DATE"]
    assert types["age"] in {"BIGINT", "INTEGER"}


def test_all_rows_come_as_they_are(source: Source) -> None:
    assert [as_given(row) for row in rows(source)] == PERSONS


def test_one_key_gives_its_row_and_no_other(source: Source) -> None:
    for person in PERSONS:
        assert [as_given(row) for row in rows(source, "WHERE p.bsn = $b", b=person["bsn"])] == [person]


def test_a_key_that_is_not_there_gives_no_row(source: Source) -> None:
    assert rows(source, "WHERE p.bsn = $b", b="111222333") == []


def test_null_equals_nothing(source: Source) -> None:
    assert rows(source, "WHERE p.name = $n", n=None) == []


def test_text_equality_is_exact(source: Source) -> None:
    assert [row["age"] for row in rows(source, "WHERE p.name = $n", n="Ans")] == [34]
    assert [row["age"] for row in rows(source, "WHERE p.name = $n", n="Ans ")] == [7]
    assert [row["age"] for row in rows(source, "WHERE p.name = $n", n="O'Neill")] == [50]


@pytest.mark.parametrize("as_array", [False, True])
def test_a_key_list_gives_exactly_its_rows(source: Source, as_array: bool) -> None:
    keys = [PERSONS[5]["bsn"], PERSONS[1]["bsn"], "000000000", PERSONS[2]["bsn"], PERSONS[7]["bsn"]]
    given = pa.array(keys) if as_array else keys
    assert [row["bsn"] for row in rows(source, "WHERE p.bsn = ANY($k)", k=given)] == sorted(
        set(keys) - {"000000000"}
    )


def test_an_empty_key_list_gives_nothing(source: Source) -> None:
    assert rows(source, "WHERE p.bsn = ANY($k)", k=[]) == []


def test_conditions_are_conjuncts(source: Source) -> None:
    keys = [person["bsn"] for person in PERSONS]
    assert [
        row["name"] for row in rows(source, "WHERE p.bsn = ANY($k) AND p.age = $age", k=keys, age=50)
    ] == ["O'Neill"]


def test_a_batch_holds_at_most_so_many_rows(source: Source) -> None:
    prepared = source.prepare(select(source), {}, SCHEMA)
    sizes = [batch.num_rows for batch in prepared.run({}, Limits(batch_rows=2))]
    assert sum(sizes) == len(PERSONS)
    assert max(sizes) <= 3  # an API gives pages of its own size


def test_more_rows_than_allowed_is_a_failure(source: Source) -> None:
    with pytest.raises(SourceFailure) as caught:
        rows(source, limits=Limits(rows=len(PERSONS) - 1))
    assert caught.value.kind == "too-many-rows"


def test_what_is_cancelled_before_it_began_does_not_run(source: Source) -> None:
    limits = Limits()
    limits.cancelled.set()
    with pytest.raises(SourceFailure) as caught:
        rows(source, limits=limits)
    assert caught.value.kind == "cancelled"


def test_what_is_cancelled_half_way_ends(source: Source) -> None:
    limits = Limits(batch_rows=1)
    batches = source.prepare(select(source), {}, SCHEMA).run({}, limits)
    next(batches)
    limits.cancelled.set()
    with pytest.raises(SourceFailure) as caught:
        list(batches)
    assert caught.value.kind == "cancelled"


def test_a_reader_may_stop_half_way(source: Source) -> None:
    batches = source.prepare(select(source), {}, SCHEMA).run({}, Limits(batch_rows=1))
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert len(rows(source)) == len(PERSONS)


@pytest.mark.parametrize(
    "what", ["SELECT p.bsn, p.name, p.age, p.gone FROM {} AS p", "SELECT p.bsn FROM gone AS p"]
)
def test_what_is_not_there_has_changed(source: Source, what: str) -> None:
    tree = sqlglot.parse_one(what.format(f'"{table_of(source)}"'), dialect="duckdb")
    assert isinstance(tree, exp.Query)
    with pytest.raises(SourceFailure) as caught:
        list(source.prepare(tree, {}, SCHEMA).run({}, Limits()))
    assert caught.value.kind == "changed"


def test_a_value_of_the_wrong_type_is_reported_with_its_place(source: Source) -> None:
    wrong = pa.schema(
        [("bsn", pa.string()), ("name", pa.int64()), ("age", pa.int64()), ("born", pa.date32())]
    )
    with pytest.raises(SourceFailure) as caught:
        list(source.prepare(select(source), {}, wrong).run({}, Limits()))
    assert caught.value.kind == "broken-row"
    assert "persons.name" in caught.value.place


def test_an_empty_value_where_one_is_required_is_a_broken_row(source: Source) -> None:
    required = pa.schema(
        [
            SCHEMA.field("bsn"),
            SCHEMA.field("name"),
            SCHEMA.field("age").with_nullable(False),
            SCHEMA.field("born"),
        ]
    )
    with pytest.raises(SourceFailure) as caught:
        list(source.prepare(select(source), {}, required).run({}, Limits()))
    assert caught.value.kind == "broken-row"
    assert "persons.age" in caught.value.place


def test_one_prepared_query_serves_many_threads(source: Source) -> None:
    prepared = source.prepare(select(source, "WHERE p.bsn = $b"), {"b": "VARCHAR"}, SCHEMA)

    def ask(number: int) -> bool:
        bsn = PERSONS[number % len(PERSONS)]["bsn"]
        return [row["bsn"] for batch in prepared.run({"b": bsn}, Limits()) for row in batch.to_pylist()] == [
            bsn
        ]

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(ask, range(60)))


def test_a_probe_of_a_working_source_is_healthy(source: Source) -> None:
    probe = source.probe()
    assert probe.healthy
    assert probe.milliseconds > 0
    assert probe.as_of is not None


def test_a_query_is_not_changed_by_preparing_it(source: Source) -> None:
    tree = select(source, "WHERE p.bsn = $b")
    before = tree.sql(dialect="duckdb")
    source.prepare(tree, {"b": "VARCHAR"}, SCHEMA)
    assert tree.sql(dialect="duckdb") == before


def test_no_thread_is_left_reading(source: Source) -> None:
    rows(source)
    assert not [thread for thread in threading.enumerate() if thread.name == "sluis-sources-stop"]


# ---- an API in particular


@pytest.fixture
def rest(api: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Source]:
    Api.asked.clear()
    source = open_source(KINDS["rest"](request, tmp_path))
    yield source
    Api.elsewhere = None
    source.close()


def test_an_api_is_asked_only_for_the_fields_and_keys_needed(rest: Source) -> None:
    keys = [person["bsn"] for person in PERSONS[:3]]
    schema = pa.schema([SCHEMA.field("bsn"), SCHEMA.field("name")])
    prepared = rest.prepare(select(rest, "WHERE p.bsn = ANY($k)", ("bsn", "name")), {"k": "VARCHAR"}, schema)
    assert sum(batch.num_rows for batch in prepared.run({"k": keys}, Limits())) == 3
    assert len(Api.asked) == 2  # two keys at once, says the document
    assert all("fields=bsn%2Cname" in asked for asked in Api.asked)


def test_a_path_with_a_key_gives_one_object_and_nested_values_as_json(rest: Source) -> None:
    sql = 'SELECT p.number, p.name, p.address FROM "/persons/{number}" AS p WHERE p.number = ANY($k)'
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    schema = pa.schema([("number", pa.string()), ("name", pa.string()), ("address", pa.string())])
    keys = [PERSONS[0]["bsn"], "111222333"]
    found = [
        r
        for b in rest.prepare(tree, {"k": "VARCHAR"}, schema).run({"k": keys}, Limits())
        for r in b.to_pylist()
    ]
    assert found == [{"number": PERSONS[0]["bsn"], "name": "Ans", "address": '{"city": "Sluis"}'}]


def test_a_path_whose_key_is_not_given_is_not_asked(rest: Source) -> None:
    tree = sqlglot.parse_one('SELECT p.name FROM "/persons/{number}" AS p', dialect="duckdb")
    with pytest.raises(SourceFailure, match="needs a value for number"):
        rest.prepare(tree, {}, pa.schema([("name", pa.string())]))
    assert Api.asked == []


@pytest.mark.parametrize(
    "place",
    ["http://example.invalid/v1/persons?page=2", "http://127.0.0.1:1/v1/persons", "/v2/persons", "/v1/../x"],
)
def test_a_link_that_leads_elsewhere_is_not_followed(rest: Source, place: str) -> None:
    Api.elsewhere = place
    with pytest.raises(SourceFailure, match="outside the declared server"):
        rows(rest)
    assert len(Api.asked) == 1


def test_a_redirect_is_not_followed(api: str) -> None:
    from sluis.sources.rest import Line

    line = Line(api, {})
    with pytest.raises(SourceFailure, match="302"):
        line.get(f"{api}/moved", 5)
    line.close()
