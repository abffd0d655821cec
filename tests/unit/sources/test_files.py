"""Files as they are met in practice. All persons are fictitious."""

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlglot
from tests.conftest import SHARED

from sluis.sources import Limits, SourceFailure, open_source
from sluis.sources.files import FilesSource, unique_names


def columns(path: Path, **options: Any) -> dict[str, str]:
    source = open_source(f"file://{path}", **options)
    (table,) = source.tables()
    source.close()
    return {column.name: column.type for column in table.columns}


def values(source: Any, sql: str, **schema: pa.DataType) -> list[Any]:
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    prepared = source.prepare(tree, {}, pa.schema(list(schema.items())))
    return [tuple(row.values()) for batch in prepared.run({}, Limits()) for row in batch.to_pylist()]


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_encoding_and_separator_are_found(tmp_path: Path, encoding: str, separator: str) -> None:
    path = write(tmp_path / "p.csv", f'naam{separator}"plaats{separator}x"\nZoë{separator}Sluis\n', encoding)
    source = FilesSource(path)
    assert [column.name for column in source.tables()[0].columns] == ["naam", f"plaats{separator}x"]
    assert values(source, "SELECT p.naam FROM p AS p", naam=pa.string()) == [("Zoë",)]
    source.close()


def test_an_encoding_without_a_mark_must_be_given(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", "naam;x\nZoë;1\n", "latin-1")
    with pytest.raises(SourceFailure, match="UTF-8"):
        columns(path)
    assert columns(path, encoding="latin-1") == {"naam": "VARCHAR", "x": "BIGINT"}


def test_names_that_are_empty_or_double_are_made_unique() -> None:
    assert unique_names(["", "a", "A", "b", "a", ""]) == ["column_1", "a", "A_2", "b", "a_3", "column_6"]


def test_a_file_without_a_header_has_numbered_columns(tmp_path: Path) -> None:
    assert columns(write(tmp_path / "p.csv", "a;1\nb;2\n"), header=False) == {
        "column_1": "VARCHAR",
        "column_2": "BIGINT",
    }


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-20", "300"], "BIGINT"), (["1.5", "2", "-0.25"], "DECIMAL(20,2)"), (["true", "false"], "BOOLEAN"),
        (["2020-02-29", "1999-12-31"], "DATE"), (["2020-02-29", "2020-00-00"], "VARCHAR"), (["0312", "21"], "VARCHAR"),
        (["19500919", "19680000"], "VARCHAR"), (["999990019", "123456782"], "VARCHAR"), (["123456", "654321"], "VARCHAR"),
        (["1", "x"], "VARCHAR"), (["", ""], "VARCHAR"), (["1", ""], "BIGINT"), (["1e5", "2"], "VARCHAR"), (["+1"], "VARCHAR"),
    ],
)  # fmt: skip
def test_a_column_has_a_type_only_when_every_value_is_of_it(
    tmp_path: Path, cells: list[str], kind: str
) -> None:
    text = "id;v\n" + "".join(f"r{number};{cell}\n" for number, cell in enumerate(cells))
    assert columns(write(tmp_path / "p.csv", text))["v"] == kind


def test_an_empty_field_is_null_and_quotes_hold_anything(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", 'a;b\n;"x;""y""\nz"\n"";q\n')
    source = FilesSource(path)
    assert values(source, "SELECT p.a, p.b FROM p AS p", a=pa.string(), b=pa.string()) == [
        (None, 'x;"y"\nz'),
        (None, "q"),
    ]
    source.close()


@pytest.mark.parametrize(
    ("text", "place"), [("a;b\n1;2\n3\n", "row 3"), ("a;b\n1;2\n3;4;5\n", "row 3"), ("", "p.csv")]
)
def test_a_row_with_other_fields_is_a_broken_row_with_its_place(
    tmp_path: Path, text: str, place: str
) -> None:
    with pytest.raises(SourceFailure) as caught:
        columns(write(tmp_path / "p.csv", text))
    assert caught.value.kind == "broken-row"
    assert place in caught.value.place
    assert "p.csv" in caught.value.place


def test_json_objects_may_differ_in_keys_and_hold_others(tmp_path: Path) -> None:
    rows = [
        {"bsn": "100000001", "kinderen": [{"naam": "A"}], "n": 1},
        {"bsn": "100000002", "age": 3.5, "n": None},
    ]
    path = write(tmp_path / "p.json", json.dumps(rows))
    assert columns(path) == {"bsn": "VARCHAR", "kinderen": "VARCHAR", "n": "BIGINT", "age": "DECIMAL(38,1)"}
    source = FilesSource(path)
    assert values(source, "SELECT p.kinderen FROM p AS p", k=pa.string()) == [('[{"naam": "A"}]',), (None,)]
    source.close()


def test_values_of_several_kinds_become_text(tmp_path: Path) -> None:
    path = write(tmp_path / "p.json", '[{"v": 1}, {"v": "x"}, {"v": true}]')
    source = FilesSource(path)
    assert values(source, "SELECT p.v FROM p AS p", v=pa.string()) == [("1",), ("x",), ("true",)]
    source.close()


def test_the_one_array_inside_an_object_holds_the_rows(tmp_path: Path) -> None:
    assert columns(write(tmp_path / "p.json", '{"aantal": 1, "resultaten": [{"a": 1}]}')) == {"a": "BIGINT"}


def test_json_lines_name_the_line_that_is_broken(tmp_path: Path) -> None:
    assert columns(write(tmp_path / "p.jsonl", '{"a": 1}\n\n{"a": 2}\n')) == {"a": "BIGINT"}
    with pytest.raises(SourceFailure) as caught:
        columns(write(tmp_path / "p.jsonl", '{"a": 1}\n{"a": \n'))
    assert caught.value.place == "p.jsonl, line 2"


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", "a\nx\n")
    source = FilesSource(path)
    prepared = source.prepare(
        sqlglot.parse_one("SELECT p.a FROM p AS p"), {}, pa.schema([("a", pa.string())])
    )
    assert next(prepared.run({}, Limits())).column(0).to_pylist() == ["x"]
    write(path, "a\ny\nz\n")
    os.utime(path, ns=(1, 10**18))
    assert next(prepared.run({}, Limits())).column(0).to_pylist() == ["y", "z"]
    path.unlink()
    with pytest.raises(SourceFailure) as caught:
        next(prepared.run({}, Limits()))
    assert caught.value.kind in {"changed", "unreachable"}
    source.close()


def test_one_broken_file_does_not_close_the_others(tmp_path: Path) -> None:
    write(tmp_path / "good.csv", "a\nx\n")
    write(tmp_path / "bad.json", "{")
    source = FilesSource(tmp_path)
    assert [table.name for table in source.tables()] == ["good"]
    probe = source.probe()
    assert not probe.healthy
    assert "bad.json" in probe.detail
    source.close()


def test_two_files_of_one_name_keep_their_suffix(tmp_path: Path) -> None:
    write(tmp_path / "p.csv", "a\nx\n")
    write(tmp_path / "p.json", '[{"a": 1}]')
    source = FilesSource(tmp_path)
    assert sorted(table.name for table in source.tables()) == ["p_csv", "p_json"]
    source.close()


def test_a_query_reaches_nothing_but_its_tables(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.txt", "s\n1\n")
    source = FilesSource(write(tmp_path / "p.csv", "a\nx\n"))
    for sql in (f"SELECT s.s FROM read_csv('{secret}') AS s", "SELECT s.s FROM secret AS s"):
        with pytest.raises(SourceFailure):
            source.prepare(sqlglot.parse_one(sql, dialect="duckdb"), {}, pa.schema([("s", pa.string())]))
    source.close()


@pytest.mark.skipif(SHARED is None, reason="no shared test data beside the checkout")
def test_the_official_person_lists_and_code_tables_are_read() -> None:
    assert SHARED is not None
    persons = columns(next((SHARED / "data/brp").glob("*.csv")))
    assert len(persons) == 257
    assert (
        persons["column_1"]
        == persons["06.88.10"]
        == persons["06.88.10_2"]
        == persons["01.03.10"]
        == "VARCHAR"
    )
    source = open_source(f"file://{SHARED}/data/brp/tabellen")
    rows = {table.name.partition(" ")[0]: table.rows for table in source.tables()}
    assert rows["Tabel33"] == 1478
    source.close()
