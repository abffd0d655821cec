"""What may be pushed down, per dialect. That it gives the right answers is shown on real servers, in tests/contract."""

import pytest
import sqlglot
from sqlglot import exp

from sluis.statement import pushable
from sluis.statement.pushdown import obstacles

TYPES = {
    "p": {
        "id": "BIGINT", "t": "VARCHAR", "i": "INTEGER", "h": "HUGEINT", "m": "DECIMAL(15,2)", "w": "DECIMAL(30,2)",
        "x": "DOUBLE", "f": "BOOLEAN", "d": "DATE", "s": "TIMESTAMP", "z": "TIMESTAMPTZ", "blob": "BLOB", "u": "UBIGINT",
    },
    "q": {"id": "BIGINT", "t": "VARCHAR"},
}  # fmt: skip
SQL = ("postgres", "mysql", "sqlite")
SERVERS = ("postgres", "mysql")


def query(sql: str) -> exp.Query:
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    assert isinstance(tree, exp.Query)
    return tree


def accepts(sql: str, dialect: str | None, **parameters: str) -> bool:
    return pushable(query(sql), dialect, TYPES, parameters)


def accepts_where(condition: str, dialect: str | None, **parameters: str) -> bool:
    return accepts(f"SELECT a.id FROM p AS a WHERE {condition}", dialect, **parameters)


@pytest.mark.parametrize("dialect", SQL)
@pytest.mark.parametrize(
    "condition",
    ["a.id = 1", "a.t = 'x'", "a.t < 'x'", "a.t IN ('a', 'b')", "a.d >= DATE '2000-01-01'", "a.f", "a.m > 1.5", "a.x > 1.5",
     "a.t IS NULL", "a.blob IS NULL", "NOT (a.i = 1 OR a.f)", "a.i IS NOT DISTINCT FROM 3", "a.d = $day", "a.t = ANY($keys)",
     "a.id IN (SELECT b.id FROM q AS b)", "NOT EXISTS(SELECT 1 FROM q AS b WHERE b.id = a.id)", "year(a.d) = 2020",
     "CASE WHEN a.f THEN 'x' ELSE a.t END = 'x'"],
)  # fmt: skip
def test_what_is_proved_everywhere_is_pushable(dialect: str, condition: str) -> None:
    assert accepts_where(condition, dialect, day="DATE", keys="VARCHAR")


@pytest.mark.parametrize("dialect", SQL)
def test_a_date_against_a_timestamp_is_proved_for_servers_only(dialect: str) -> None:
    condition = "a.d < DATE '2000-01-01' - INTERVAL 0 DAY + INTERVAL 1 YEAR OR a.i = 1"
    assert accepts_where(condition, dialect) is (dialect != "sqlite")


@pytest.mark.parametrize("dialect", SQL)
@pytest.mark.parametrize(
    "condition",
    ["lower(a.t) = 'x'", "a.t ILIKE 'x'", "trim(a.t) = ''", "a.i / 2 > 1", "a.t = 1", "a.i = '1'", "a.z > a.z",
     "a.x + 1 > 2", "a.h % 2 = 0", "CAST(a.t AS INTEGER) = 1", "a.d + 1 > a.d", "a.i", "a.unknown = 1", "a.i = $untyped",
     "a.i = (SELECT b.id FROM q AS b)", "(a.i, a.id) IN (SELECT b.id, b.id FROM q AS b)", "substring(a.t, -1, 2) = 'x'",
     "a.f OR EXISTS(SELECT 1 FROM q AS b WHERE b.id <> a.id)", "a.blob = a.blob", "quarter(a.d) = 1", "year(a.s) = 2020",
     "random() < 0.5", "a.m + a.w * a.w > (SELECT avg(b.id) FROM q AS b)", "a.x = a.m", "a.x BETWEEN a.m AND 3"],
)  # fmt: skip
def test_what_is_not_proved_is_not_pushable(dialect: str, condition: str) -> None:
    assert not accepts_where(condition, dialect)


@pytest.mark.parametrize(
    "condition",
    ["a.i + 1 > 2", "a.m * (1 - a.m) > 0", "a.i // 2 = 1", "a.i % 2 = 1", "-a.i = 1", "a.t LIKE 'x%'", "length(a.t) = 1",
     "substring(a.t, 1, 2) = 'ab'", "a.t || 'x' = 'yx'", "a.s > TIMESTAMP '2000-01-01 00:00:00'", "a.w = 1.5",
     "a.d > TIMESTAMP '2000-01-01 12:00:00'", "CAST(a.i AS BIGINT) * a.id > 5", "TRY_CAST(a.t AS VARCHAR) = 'x'"],
)  # fmt: skip
def test_arithmetic_and_text_functions_are_proved_for_servers_only(condition: str) -> None:
    assert all(accepts_where(condition, dialect) for dialect in SERVERS)
    assert not accepts_where(condition, "sqlite") or "TRY_CAST" in condition


@pytest.mark.parametrize("dialect", SQL)
@pytest.mark.parametrize(
    "sql",
    ["SELECT a.t, count(*) AS n, sum(a.i) AS s, avg(a.i) AS g FROM p AS a GROUP BY a.t ORDER BY n DESC LIMIT 5",
     "SELECT a.id, b.t FROM p AS a LEFT JOIN q AS b ON b.id = a.id", "SELECT DISTINCT a.t, a.d FROM p AS a",
     "SELECT a.z, a.blob, a.u FROM p AS a", "SELECT a.t FROM p AS a UNION ALL SELECT b.t FROM q AS b",
     "WITH w AS (SELECT a.t AS t FROM p AS a) SELECT w.t, count(DISTINCT w.t) AS n FROM w AS w GROUP BY w.t",
     "SELECT s.t FROM (SELECT a.t, max(a.d) AS d FROM p AS a GROUP BY a.t) AS s WHERE s.d > DATE '2020-01-01'"],
)  # fmt: skip
def test_queries_that_are_proved_everywhere(dialect: str, sql: str) -> None:
    assert obstacles(query(sql), dialect, TYPES) == ()


@pytest.mark.parametrize("dialect", SQL)
@pytest.mark.parametrize(
    "sql",
    ["SELECT avg(a.i) + 1 AS g FROM p AS a", "SELECT a.t FROM p AS a GROUP BY a.t HAVING avg(a.i) > 1",
     "SELECT a.t, avg(a.i) AS g FROM p AS a GROUP BY a.t ORDER BY g", "SELECT sum(a.x) AS s FROM p AS a",
     "SELECT a.t, a.i FROM p AS a GROUP BY a.t", "SELECT a.x FROM p AS a GROUP BY a.x", "SELECT DISTINCT a.z FROM p AS a",
     "SELECT row_number() OVER (ORDER BY a.id) AS r FROM p AS a", "SELECT DISTINCT a.t FROM p AS a ORDER BY a.t",
     "SELECT a.t FROM p AS a INTERSECT SELECT b.t FROM q AS b", "SELECT a.i FROM p AS a UNION SELECT b.id FROM q AS b",
     "SELECT a.t, count(*) AS n FROM p AS a GROUP BY ROLLUP (a.t)", "SELECT 1 AS x", "SELECT median(a.i) AS m FROM p AS a",
     "SELECT a.id FROM p AS a SEMI JOIN q AS b ON b.id = a.id", "SELECT string_agg(a.t, ',') AS s FROM p AS a",
     "SELECT a.id FROM p AS a, LATERAL (SELECT b.t FROM q AS b WHERE b.id = a.id) AS l",
     "SELECT a.id FROM p AS a, (SELECT b.t FROM q AS b WHERE b.id = a.id) AS l", "SELECT min(a.f) AS m FROM p AS a",
     "WITH RECURSIVE w AS (SELECT a.id FROM p AS a) SELECT w.id FROM w AS w", "SELECT DISTINCT ON (a.t) a.i FROM p AS a",
     "SELECT sum(DISTINCT a.i) AS s FROM p AS a", "SELECT count(DISTINCT a.x) AS s FROM p AS a"],
)  # fmt: skip
def test_queries_that_are_proved_nowhere(dialect: str, sql: str) -> None:
    assert obstacles(query(sql), dialect, TYPES) != ()


def test_sqlite_decimals_are_doubles_and_go_no_further_than_fifteen_digits() -> None:
    assert accepts_where("a.m = 1.5", "sqlite")
    assert not accepts_where("a.w = 1.5", "sqlite")
    assert not accepts("SELECT sum(a.m) AS s FROM p AS a", "sqlite")
    assert accepts("SELECT sum(a.m) AS s FROM p AS a", "postgres")


def test_mariadb_has_no_full_join() -> None:
    sql = "SELECT a.id FROM p AS a FULL JOIN q AS b ON b.id = a.id"
    assert accepts(sql, "postgres")
    assert not accepts(sql, "mysql")


def test_files_take_everything_as_duckdb_computes_it() -> None:
    assert accepts("SELECT lower(a.t) AS l, median(a.x) AS m FROM p AS a GROUP BY ALL", "duckdb")


def test_a_dialect_without_proofs_takes_nothing() -> None:
    assert not accepts("SELECT a.id FROM p AS a", "oracle")


@pytest.mark.parametrize(
    "condition", ["a.id = 1", "a.t = $p", "a.id = ANY($k)", "a.id = 1 AND a.t = 'x'", "(a.id = 1)"]
)
def test_the_plain_shape_is_equality_and_key_lists(condition: str) -> None:
    assert accepts_where(condition, None, p="VARCHAR", k="BIGINT")


@pytest.mark.parametrize(
    "sql",
    ["SELECT a.id FROM p AS a WHERE a.id > 1", "SELECT a.id FROM p AS a WHERE a.id = 1 OR a.id = 2", "SELECT a.id + 1 AS x FROM p AS a",
     "SELECT a.id FROM p AS a LIMIT 1", "SELECT a.id FROM p AS a ORDER BY a.id", "SELECT a.id FROM p AS a, q AS b",
     "SELECT count(*) AS n FROM p AS a", "SELECT a.id FROM p AS a WHERE NOT a.id = 1", "SELECT a.id FROM p AS a WHERE a.id = a.i",
     "SELECT DISTINCT a.id FROM p AS a"],
)  # fmt: skip
def test_the_plain_shape_is_no_more_than_that(sql: str) -> None:
    assert not accepts(sql, None)


def test_a_judgement_changes_nothing() -> None:
    tree = query(
        "SELECT a.t, sum(a.m) AS s FROM p AS a WHERE a.d < DATE '2020-01-01' + INTERVAL 1 DAY GROUP BY 1 ORDER BY 2"
    )
    before = tree.sql(dialect="duckdb")
    for dialect in (*SQL, None, "duckdb"):
        pushable(tree, dialect, TYPES)
    assert tree.sql(dialect="duckdb") == before


def test_obstacles_never_repeat_a_constant() -> None:
    found = obstacles(
        query("SELECT a.id FROM p AS a WHERE lower(a.t) = 'secret' AND a.i = '123456782'"), "postgres", TYPES
    )
    assert found
    assert not any("secret" in text or "123456782" in text for text in found)


def test_a_flag_that_nobody_knows_is_in_the_way() -> None:
    tree = query("SELECT a.id FROM p AS a WHERE a.t LIKE 'x%'")
    tree.find(exp.Like).set("never_heard_of", True)
    assert obstacles(tree, "postgres", TYPES) == ("Like with never_heard_of",)
