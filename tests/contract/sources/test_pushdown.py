"""What is declared pushable gives DuckDB's answer: on the real servers, over awkward values."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp
from tests.contract.sources.awkward import fill_mariadb, fill_postgres, fill_sqlite
from tests.servers import Server

from sluis.sources import Limits, Source, column_types, open_source
from sluis.statement import pushable
from sluis.statement.pushdown import obstacles

KINDS = ("postgres", "mariadb", "sqlite")


class Pair:
    """A source, and a DuckDB with the same rows as the source hands them out."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.types = column_types(source.tables())
        self.duckdb = duckdb.connect(":memory:")
        self.duckdb.execute("SET TimeZone='UTC'")
        for table in ("awkward", "other"):
            columns = self.types[table]
            self.duckdb.execute(f"CREATE TABLE {table}({', '.join(f'{n} {k}' for n, k in columns.items())})")
            schema = self.duckdb.execute(f"SELECT * FROM {table}").to_arrow_table().schema
            listed = ", ".join(f"{table}.{name}" for name in columns)
            prepared = source.prepare(parse(f"SELECT {listed} FROM {table}"), {}, schema)
            for batch in prepared.run({}, Limits()):
                self.duckdb.register("batch", batch)
                self.duckdb.execute(f"INSERT INTO {table} SELECT * FROM batch")

    def same(
        self, sql: str, values: dict[str, Any] | None = None, types: dict[str, str] | None = None
    ) -> bool:
        """Whether the query was pushable; fails when it was, and the answers differ."""
        tree = parse(sql)
        if not pushable(tree, self.source.dialect, self.types, types):
            return False
        used = {node.name for node in tree.find_all(exp.Placeholder)}
        given = {name: value for name, value in (values or {}).items() if name in used}
        answer = self.duckdb.execute(sql, given).to_arrow_table()
        prepared = self.source.prepare(tree, types or {}, answer.schema)
        rows = [row for batch in prepared.run(given, Limits()) for row in batch.to_pylist()]
        expected, found = _comparable(answer.to_pylist(), sql), _comparable(rows, sql)
        assert len(found) == len(expected), sql
        for one, other in zip(found, expected, strict=True):
            assert all(_equal(a, b) for a, b in zip(one, other, strict=True)), (sql, one, other)
        return True


def parse(sql: str) -> exp.Query:
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    assert isinstance(tree, exp.Query)
    return tree


def _comparable(rows: list[dict[str, Any]], sql: str) -> list[tuple[Any, ...]]:
    plain = [tuple(row.values()) for row in rows]
    return plain if "ORDER BY" in sql else sorted(plain, key=repr)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return one == other or math.isclose(one, other, rel_tol=4e-16)
    return bool(one == other) and type(one) is type(other)


@pytest.fixture(scope="session")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    source = open_source(_filled(request.param, request, tmp_path_factory))
    yield Pair(source)
    source.close()


def _filled(kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if kind == "sqlite":
        path: Path = tmp_path_factory.mktemp("sqlite") / "awkward.db"
        fill_sqlite(path)
        return f"sqlite:///{path}"
    server: Server = request.getfixturevalue(kind)
    (fill_postgres if kind == "postgres" else fill_mariadb)(server.url)
    return server.reader


every_kind = pytest.mark.parametrize(
    "pair",
    [
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
        "sqlite",
    ],
    indirect=True,
    ids=KINDS,
)

TEXT = ["a.t", "a.u", "a.c"]
WHOLE = ["a.i", "a.j", "a.b", "a.id"]
DECIMAL = ["a.m", "a.n"]
CONSTANT = {
    "text": ["'a'", "'A'", "'a '", "''", "'á'", "'10'", "'\\'", "'%'", "'😀'"],
    "whole": ["0", "1", "-1", "7", "2147483648"],
    "decimal": ["0.01", "12.34", "-0.125", "1.1", "10", "0.00005"],
    "date": [
        "DATE '2020-01-31'",
        "DATE '1999-01-31' + INTERVAL 13 MONTH",
        "DATE '2000-02-29' - INTERVAL 1 DAY",
    ],
    "timestamp": ["TIMESTAMP '2020-01-31 00:00:00'", "TIMESTAMP '2020-01-31 23:59:59.999999'"],
    "boolean": ["TRUE", "FALSE"],
    "double": ["0.1", "1.5", "0", "3"],
}
COLUMN = {
    "text": TEXT, "whole": WHOLE, "decimal": DECIMAL, "date": ["a.day"], "timestamp": ["a.moment"], "boolean": ["a.f"],
    "double": ["a.x"],
}  # fmt: skip
OPERATORS = ["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"]


def comparisons() -> Iterator[str]:
    for family, columns in COLUMN.items():
        for column in columns:
            for operator in OPERATORS:
                yield from (f"{column} {operator} {constant}" for constant in CONSTANT[family])
            some = CONSTANT[family][:3]
            yield f"{column} BETWEEN {some[-1]} AND {some[0]}"
            yield f"{column} BETWEEN {some[0]} AND {some[1]}"
            yield f"{column} IN ({', '.join(some)})"
            yield f"NOT {column} IN ({', '.join(some)}, NULL)"
            yield f"{column} IS NULL"
            yield f"NOT {column} IS NULL"


CONDITIONS = [
    *comparisons(),
    "a.t = a.u", "a.t < a.u", "a.t = a.c", "a.i = a.j", "a.i < a.b", "a.m > a.n", "a.m = a.i", "a.day > a.moment",
    "a.day < TIMESTAMP '2020-01-31 12:00:00'", "a.x > a.i", "a.x = a.m",
    "a.t LIKE 'a%'", "a.t LIKE 'A%'", "a.t LIKE '%\\%'", "a.t LIKE '\\%'", "a.t LIKE '_'", "a.t LIKE 'a_b'",
    "NOT a.u LIKE '%a%'", "a.t NOT LIKE 'a%'", "a.u NOT LIKE '%\\%'", "a.t LIKE a.u", "a.t NOT LIKE a.u", "a.t IS NOT NULL", "a.f IS NOT TRUE",
    "a.i NOT IN (1, 7)", "a.i NOT BETWEEN 1 AND 7", "a.t NOT IN (SELECT o.t FROM other AS o)", "a.t LIKE '%ß%'", "a.c LIKE 'a'", "a.c LIKE 'a %'", "a.t LIKE ''", "a.t ILIKE 'A%'",
    "length(a.t) > 1", "length(a.c) = 1", "length(a.u) = 1",
    "a.i // a.j = 0", "a.i % a.j = 1", "a.i // 2 = -3", "a.i % -2 = -1", "a.b // 0 IS NULL", "a.b % 7 = 1",
    "a.i + a.j > 3", "a.i * a.j - 1 < 0", "-a.i = 7", "a.m * a.n > 1", "a.m * (1 - a.n) < 0", "a.m + a.n = 12.34",
    "a.m - a.i > 0.5", "a.b * 2 > 2147483648", "a.i / a.j > 1", "a.i / 2 > 1", "a.i - (a.j - 1) > 0",
    "year(a.day) = 2020", "extract(month FROM a.day) = 2", "day(a.day) = 29", "year(a.moment) = 2020", "quarter(a.day) = 1",
    "a.day >= DATE '1999-12-31' AND a.day < DATE '1999-12-31' + INTERVAL 1 YEAR", "a.day + 1 > DATE '2000-01-01'",
    "a.f", "NOT a.f", "a.f IS TRUE", "NOT (a.f IS FALSE)", "a.f = (a.i > 0)", "a.f OR a.i = 1 AND a.j = 2",
    "(a.f OR a.i = 1) AND NOT (a.j = 2 OR a.t = 'a')", "a.i > 0 OR a.t = 'A'", "NOT (a.t = 'a' AND a.i > 0)",
    "CASE WHEN a.i > 0 THEN a.t ELSE 'x' END = 'a'", "CASE WHEN a.f THEN 1 WHEN a.i < 0 THEN 2.5 END > 1",
    "coalesce(a.t, a.u, '') = ''", "coalesce(a.i, 0) = 0", "nullif(a.t, 'A') IS NULL", "nullif(a.i, 0) > 0",
    "a.t || a.u = 'aa'", "a.t || 'x' = 'ax'", "substring(a.t, 1, 1) = 'a'", "substring(a.t, 2) = 'b'",
    "substring(a.t, 1, 1) IN ('a', 'A', '😀')", "substring(a.t, 0, 2) = 'a'", "lower(a.t) = 'a'", "trim(a.t) = 'a'",
    "a.i IN (SELECT o.i FROM other AS o)", "NOT a.i IN (SELECT o.i FROM other AS o)",
    "a.t IN (SELECT o.t FROM other AS o WHERE o.i > 0)", "EXISTS(SELECT 1 FROM other AS o WHERE o.t = a.t)",
    "NOT EXISTS(SELECT 1 FROM other AS o WHERE o.t = a.t AND o.i <> a.i)",
    "a.i > (SELECT min(o.i) FROM other AS o)", "a.m > (SELECT sum(o.i) FROM other AS o WHERE o.t = a.t)",
    "CAST(a.i AS BIGINT) * a.b > 0", "TRY_CAST(a.t AS INTEGER) = 10", "CAST(a.i AS VARCHAR) = '1'",
    "abs(a.i) = 7", "round(a.m, 1) = 12.3",
]  # fmt: skip

QUERIES = [
    "SELECT a.t, a.i FROM awkward AS a ORDER BY a.t, a.i DESC, a.id",
    "SELECT a.u, a.m FROM awkward AS a ORDER BY a.u DESC, a.m NULLS FIRST, a.id LIMIT 20",
    "SELECT a.id, a.day FROM awkward AS a ORDER BY a.day DESC NULLS FIRST, a.id LIMIT 5 OFFSET 3",
    "SELECT a.c, a.f FROM awkward AS a ORDER BY a.c, a.f, a.id",
    "SELECT DISTINCT a.t FROM awkward AS a", "SELECT DISTINCT a.u, a.f FROM awkward AS a",
    "SELECT DISTINCT a.m, a.day FROM awkward AS a", "SELECT DISTINCT a.c FROM awkward AS a",
    "SELECT a.t, count(*) AS n FROM awkward AS a GROUP BY a.t",
    "SELECT a.u, count(DISTINCT a.t) AS n, min(a.t) AS lo, max(a.t) AS hi FROM awkward AS a GROUP BY a.u",
    "SELECT a.c, count(a.x) AS n, sum(a.i) AS s, sum(a.b) AS sb FROM awkward AS a GROUP BY a.c",
    "SELECT a.f, sum(a.m) AS s, sum(a.m * (1 - a.n)) AS p, max(a.day) AS d, min(a.n) AS n FROM awkward AS a GROUP BY a.f",
    "SELECT a.i, avg(a.j) AS a1, avg(a.m) AS a2, avg(a.b) AS a3 FROM awkward AS a GROUP BY a.i",
    "SELECT avg(a.x) AS a1, sum(a.x) AS s FROM awkward AS a",
    "SELECT count(*) AS n, sum(a.i) AS s, avg(a.i) AS g, max(a.t) AS m FROM awkward AS a WHERE a.id < 0",
    "SELECT sum(a.i) FILTER (WHERE a.f) AS s, count(*) FILTER (WHERE a.t = 'a') AS n, count(*) AS m FROM awkward AS a",
    "SELECT year(a.day) AS y, count(*) AS n FROM awkward AS a GROUP BY year(a.day) ORDER BY y",
    "SELECT a.i % 3 AS r, sum(CASE WHEN a.f THEN 1 ELSE 0 END) AS s FROM awkward AS a GROUP BY a.i % 3 HAVING count(*) > 1",
    "SELECT a.i, sum(a.m) AS s FROM awkward AS a GROUP BY a.i HAVING sum(a.m) > 100 ORDER BY s DESC, a.i",
    "SELECT -3 // a.i AS g, count(*) AS n FROM awkward AS a GROUP BY -3 // a.i",
    "SELECT sum(a.i) * 2 AS s FROM awkward AS a", "SELECT sum(a.i) // 2 AS s FROM awkward AS a",
    "SELECT a.id, o.t, o.i FROM awkward AS a JOIN other AS o ON o.t = a.t",
    "SELECT a.id, o.id AS oid FROM awkward AS a LEFT JOIN other AS o ON o.t = a.u AND o.i > 0",
    "SELECT a.id, o.id AS oid FROM awkward AS a RIGHT JOIN other AS o ON o.i = a.i",
    "SELECT a.id, o.id AS oid FROM awkward AS a FULL JOIN other AS o ON o.i = a.i AND o.t = a.t",
    "SELECT count(*) AS n FROM awkward AS a CROSS JOIN other AS o WHERE o.t < a.t",
    "SELECT o.t, count(a.id) AS n, sum(a.m) AS s FROM other AS o LEFT JOIN awkward AS a ON a.t = o.t GROUP BY o.t",
    "SELECT s.t, s.n FROM (SELECT a.t, count(*) AS n FROM awkward AS a GROUP BY a.t) AS s WHERE s.n > 2",
    "SELECT max(s.n) AS m FROM (SELECT a.u, count(*) AS n FROM awkward AS a GROUP BY a.u) AS s",
    "WITH w AS (SELECT a.t AS t, a.i AS i FROM awkward AS a WHERE a.i > 0) SELECT w.t, sum(w.i) AS s FROM w AS w GROUP BY w.t",
    "SELECT a.t FROM awkward AS a UNION SELECT o.t FROM other AS o",
    "SELECT a.t, a.i FROM awkward AS a UNION ALL SELECT o.t, o.i FROM other AS o",
    "SELECT a.t FROM awkward AS a INTERSECT SELECT o.t FROM other AS o",
    "SELECT a.t || '-' || a.u AS k, length(a.t) AS l, substring(a.t, 1, 2) AS s FROM awkward AS a",
    "SELECT a.id, a.i = 1 AS p, a.t = 'a' AS q, a.t IS NULL AS r FROM awkward AS a",
    "SELECT a.id, CASE WHEN a.m > 10 THEN 'hoog' WHEN a.m > 0 THEN 'laag' END AS k FROM awkward AS a",
    "SELECT a.id, coalesce(a.m, a.i, 0) AS k, nullif(a.m, 12.34) AS l, -a.n AS z FROM awkward AS a",
    "SELECT a.id, year(a.day) AS y, month(a.day) AS m, day(a.day) AS d FROM awkward AS a",
    "SELECT row_number() OVER (ORDER BY a.id) AS r FROM awkward AS a",
    "SELECT DISTINCT a.t FROM awkward AS a ORDER BY a.t",
    "SELECT a.id, a.i FROM awkward AS a LIMIT 0",
]  # fmt: skip

MUST = {
    "postgres": ("a.t = 'a '", "a.t < 'A'", "a.m * (1 - a.n) < 0", "a.t LIKE 'a%'", "year(a.day) = 2020"),
    "mysql": ("a.u = 'a '", "a.u < 'A'", "a.m * (1 - a.n) < 0", "a.t LIKE 'a%'", "year(a.day) = 2020"),
    "sqlite": ("a.u = 'a '", "a.u < 'A'", "a.m > a.n", "year(a.day) = 2020", "a.f IS TRUE"),
}


@every_kind
def test_condition_selects_the_same_rows(pair: Pair) -> None:
    pushed = [
        condition for condition in CONDITIONS if pair.same(f"SELECT a.id FROM awkward AS a WHERE {condition}")
    ]
    assert set(MUST[str(pair.source.dialect)]) <= {*pushed, *MUST[str(pair.source.dialect)]}
    for condition in MUST[str(pair.source.dialect)]:
        assert pair.same(f"SELECT a.id FROM awkward AS a WHERE {condition}"), condition
    assert len(pushed) > 250


@every_kind
def test_condition_has_the_same_value_for_every_row(pair: Pair) -> None:
    wide = [f"{condition} AS v{number}" for number, condition in enumerate(CONDITIONS)]
    dialect, types = pair.source.dialect, pair.types
    pushed = [item for item in wide if pushable(parse(f"SELECT {item} FROM awkward AS a"), dialect, types)]
    for first in range(0, len(pushed), 60):
        assert pair.same(f"SELECT a.id, {', '.join(pushed[first : first + 60])} FROM awkward AS a")


@every_kind
def test_query_gives_the_same_answer(pair: Pair) -> None:
    pushed = [sql for sql in QUERIES if pair.same(sql)]
    assert len(pushed) >= {"postgres": 32, "mysql": 31, "sqlite": 17}[str(pair.source.dialect)]


@every_kind
def test_parameters_mean_what_their_type_says(pair: Pair) -> None:
    from datetime import date
    from decimal import Decimal

    given: list[tuple[str, str, list[Any]]] = [
        ("a.t", "VARCHAR", ["a", "a ", "\\", "'", "", "%"]),
        ("a.u", "VARCHAR", ["A", "á", '"']),
        ("a.c", "VARCHAR", ["a", "a ", "ab"]),
        ("a.i", "INTEGER", [7, -7, None]),
        ("a.b", "BIGINT", [2**40 + 1, 9007199254740993]),
        ("a.m", "DECIMAL(15,2)", [Decimal("12.34"), Decimal("-0.01")]),
        ("a.day", "DATE", [date(2000, 2, 29), None]),
        ("a.f", "BOOLEAN", [True, False]),
    ]
    for column, kind, values in given:
        for value in values:
            assert pair.same(f"SELECT a.id FROM awkward AS a WHERE {column} = $p", {"p": value}, {"p": kind})
            assert pair.same(
                f"SELECT a.id FROM awkward AS a WHERE {column} > $p OR a.id = 1", {"p": value}, {"p": kind}
            )
        keys = [value for value in values if value is not None]
        assert pair.same(f"SELECT a.id FROM awkward AS a WHERE {column} = ANY($p)", {"p": keys}, {"p": kind})
        assert pair.same(f"SELECT a.id FROM awkward AS a WHERE {column} = ANY($p)", {"p": []}, {"p": kind})
        assert pair.same(
            f"SELECT count(*) AS n FROM awkward AS a WHERE NOT {column} = ANY($p)", {"p": keys}, {"p": kind}
        )
    values = {"p": date(2020, 1, 31), "q": 3}
    types = {"p": "DATE", "q": "INTEGER"}
    pair.same(
        "SELECT a.id FROM awkward AS a WHERE a.day < $p + INTERVAL 1 MONTH AND a.i > $q - 4", values, types
    )


@every_kind
def test_obstacles_name_what_is_in_the_way(pair: Pair) -> None:
    found = obstacles(parse("SELECT lower(a.t) AS l FROM awkward AS a"), pair.source.dialect, pair.types)
    assert any("Lower" in obstacle for obstacle in found)


# ---- random expressions

_texts = st.sampled_from([*TEXT, "'a'", "'A'", "''", "'a '", "'á'", "substring(a.t, 1, 1)", "a.t || a.u"])
_Texts = st.SearchStrategy[str]


def _numbers(inner: _Texts) -> _Texts:
    return st.one_of(
        inner,
        st.tuples(inner, st.sampled_from(["+", "-", "*", "//", "%"]), inner).map(
            lambda p: f"({' '.join(p)})"
        ),
        inner.map(lambda number: f"coalesce({number}, 5)"),
        st.tuples(inner, inner).map(lambda pair: f"nullif({pair[0]}, {pair[1]})"),
    )


_wholes = _numbers(
    _numbers(st.sampled_from([*WHOLE[:2], "a.id", "0", "1", "-3", "7", "length(a.t)", "year(a.day)"]))
)
_decimals = st.sampled_from([*DECIMAL, "0.01", "12.34", "a.m * a.n", "a.m - 1", "coalesce(a.m, 0.5)"])
_dates = st.sampled_from(["a.day", *CONSTANT["date"]])
_operators = st.sampled_from(OPERATORS)
_simple = st.one_of(
    *(
        st.tuples(operand, _operators, operand).map(" ".join)
        for operand in (_texts, _wholes, _decimals, _dates, st.one_of(_wholes, _decimals))
    ),
    st.sampled_from(
        [
            "a.f",
            "a.t LIKE 'a%'",
            "a.i IN (1, 7)",
            "a.t IN ('a', 'A')",
            "a.day BETWEEN DATE '2000-01-01' AND DATE '2024-12-31'",
        ]
    ),
    st.sampled_from([*COLUMN["text"], "a.i", "a.f", "a.day"]).map(lambda c: f"{c} IS NULL"),
)


def _logic(inner: _Texts) -> _Texts:
    return st.one_of(
        inner,
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda p: f"({' '.join(p)})"),
        inner.map(lambda condition: f"NOT ({condition})"),
        st.tuples(inner, inner, inner).map(lambda p: f"CASE WHEN {p[0]} THEN {p[1]} ELSE {p[2]} END"),
    )


_conditions = _logic(_logic(_simple))
_outputs = st.one_of(_texts, _wholes, _decimals, _dates, _conditions)
_aggregates = st.one_of(
    st.sampled_from(["count(*)", "count(DISTINCT a.t)", "count(DISTINCT a.m)", "max(a.u)", "min(a.day)"]),
    st.one_of(_wholes, _decimals).map(lambda e: f"sum({e})"),
    _conditions.map(lambda e: f"count(*) FILTER (WHERE {e})"),
    _conditions.map(lambda e: f"sum(CASE WHEN {e} THEN 1 ELSE 0 END)"),
)


_random = given(
    condition=_conditions, output=_outputs, aggregate=_aggregates, group=st.one_of(_texts, _wholes)
)


@every_kind
@settings(max_examples=60, deadline=None)
@_random
def test_whatever_is_pushable_gives_the_same_answer(
    pair: Pair, condition: str, output: str, aggregate: str, group: str
) -> None:
    _compare(pair, condition, output, aggregate, group)


@pytest.mark.prove
@every_kind
@settings(max_examples=3000, deadline=None)
@_random
def test_whatever_is_pushable_gives_the_same_answer_three_thousand_times(
    pair: Pair, condition: str, output: str, aggregate: str, group: str
) -> None:
    _compare(pair, condition, output, aggregate, group)


def _compare(pair: Pair, condition: str, output: str, aggregate: str, group: str) -> None:
    for sql in (
        f"SELECT a.id, {output} AS v FROM awkward AS a WHERE {condition}",
        f"SELECT {group} AS g, {aggregate} AS v FROM awkward AS a WHERE {condition} GROUP BY {group}",
    ):
        try:
            pair.duckdb.execute(f"EXPLAIN {sql}")
            pair.same(sql)
        except (duckdb.OutOfRangeException, duckdb.BinderException, duckdb.ConversionException):
            continue  # DuckDB itself gives no answer
