"""The two engines: what DuckDB is kept from, and that plain Python gives what DuckDB gives."""

import asyncio
import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sites import Sites, Tables, answered, rows_of, same

from sluis.kernel import Invalid
from sluis.statement import plain
from sluis.statement.combine import Combiner, EngineLimits
from sluis.statement.parse import Dialect
from sluis.statement.split import Plan

TABLES: Tables = {
    "a.p": (
        {
            "bsn": "BIGINT",
            "x": "INTEGER",
            "name": "VARCHAR",
            "born": "DATE",
            "ok": "BOOLEAN",
            "m": "DECIMAL(8,2)",
        },
        [
            (1, 1, "a", date(2000, 1, 1), True, Decimal("1.50")),
            (2, None, "B", None, False, None),
            (3, 3, None, date(1999, 1, 1), None, Decimal("0.01")),
            (None, 1, "", date(2000, 1, 1), True, Decimal("1.50")),
        ],
    ),
    "b.t": (
        {"bsn": "BIGINT", "c": "INTEGER", "s": "VARCHAR"},
        [(1, 1, "a"), (1, 2, None), (3, None, "é"), (None, 1, "z")],
    ),
    "c.u": (
        {"c": "INTEGER", "d": "DATE", "f": "DOUBLE"},
        [(1, date(2000, 1, 1), 0.5), (2, None, None), (None, None, 1.0)],
    ),
}


@pytest.fixture(scope="module")
def sites() -> Iterator[Sites]:
    made = Sites(TABLES)
    yield made
    made.close()


PLAIN = [
    "SELECT p.name, t.s FROM a.p JOIN b.t ON t.bsn = p.bsn",
    "SELECT p.name, t.s, p.name AS again FROM a.p LEFT JOIN b.t ON t.bsn = p.bsn",
    "SELECT p.name, t.s, u.d, u.f FROM a.p LEFT JOIN b.t ON t.bsn = p.bsn LEFT JOIN c.u ON u.c = t.c AND u.d = p.born",
    "SELECT p.name FROM a.p LEFT JOIN b.t ON t.bsn = p.bsn AND p.x > t.c WHERE t.bsn IS NULL",
    "SELECT p.name FROM a.p LEFT JOIN b.t ON t.bsn = p.bsn WHERE NOT (t.c = 1 OR p.x = 3) OR t.c IS NULL",
    "SELECT p.name FROM a.p CROSS JOIN b.t WHERE p.x < t.c OR p.name = t.s",
    "SELECT p.name FROM a.p CROSS JOIN b.t WHERE p.x IN (t.c, 3)",
    "SELECT p.name FROM a.p LEFT JOIN b.t ON t.bsn = p.bsn WHERE t.c NOT IN (1, 7) OR p.ok IS NULL",
    "SELECT p.name FROM a.p LEFT JOIN b.t ON t.bsn = p.bsn WHERE p.x BETWEEN t.c AND 3 OR p.m IS NOT NULL",
    "SELECT DISTINCT p.x, t.c FROM a.p CROSS JOIN b.t",
    "SELECT p.x, t.c, u.c AS d FROM a.p CROSS JOIN b.t CROSS JOIN c.u ORDER BY p.x DESC, t.c NULLS FIRST, u.c, p.bsn, t.bsn",
    "SELECT p.name, t.s FROM a.p CROSS JOIN b.t ORDER BY t.s, p.name DESC NULLS LAST, p.bsn LIMIT 5 OFFSET 2",
]


@pytest.mark.parametrize("sql", PLAIN)
def test_plain_python_gives_what_duckdb_gives(sites: Sites, sql: str) -> None:
    ordered = "ORDER BY" in sql
    plan, table = answered(sites, sql)
    assert plan.memory["plain"] is not None
    assert same(table, sites.ask_all(sql), ordered=ordered)
    _, slow = answered(sites, sql, small=0)
    assert table.schema.equals(slow.schema)


_COLUMNS = ["p.bsn", "p.x", "p.name", "p.born", "t.bsn", "t.c", "t.s"]
_KINDS = {"bsn": "n", "x": "n", "c": "n", "name": "s", "s": "s", "born": "d"}


@st.composite
def _conditions(draw: st.DrawFn, depth: int = 2) -> str:
    if depth and draw(st.booleans()):
        left, right = draw(_conditions(depth - 1)), draw(_conditions(depth - 1))
        joined = f"({left} {draw(st.sampled_from(['AND', 'OR']))} {right})"
        return f"NOT {joined}" if draw(st.booleans()) else joined
    column = draw(st.sampled_from(_COLUMNS))
    kind = _KINDS[column.split(".")[1]]
    like = [other for other in _COLUMNS if _KINDS[other.split(".")[1]] == kind]
    constant = {"n": ["1", "2", "$n"], "s": ["'a'", "''", "$s"], "d": ["$d"]}[kind]
    value = draw(st.sampled_from(like + constant))
    return draw(
        st.sampled_from(
            [
                f"{column} {draw(st.sampled_from(['=', '<>', '<', '<=', '>', '>=']))} {value}",
                f"{column} IS NULL",
                f"{column} IS NOT NULL",
                f"{column} IN ({value}, {draw(st.sampled_from(constant))})",
                f"{column} BETWEEN {value} AND {draw(st.sampled_from(constant))}",
                f"{column} = ANY($l{kind})",
            ]
        )
    )


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(condition=_conditions(), join=st.sampled_from(["JOIN", "LEFT JOIN"]))
def test_three_valued_logic_is_that_of_duckdb(sites: Sites, condition: str, join: str) -> None:
    sql = f"SELECT p.bsn, p.name, t.c FROM a.p {join} b.t ON t.bsn = p.bsn OR p.x = 1 WHERE {condition}"
    kinds = {"n": "BIGINT", "s": "VARCHAR", "d": "DATE", "ln": "BIGINT", "ls": "VARCHAR", "ld": "DATE"}
    values = {"n": 3, "s": "é", "d": date(2000, 1, 1), "ln": [1, None], "ls": ["a", "z"], "ld": []}
    used = {node.name for node in sqlglot.parse_one(sql, dialect=Dialect).find_all(sqlglot.exp.Placeholder)}
    casts = sql
    for name in sorted(used, key=len, reverse=True):
        full = kinds[name] + ("[]" if name.startswith("l") else "")
        casts = casts.replace(f"${name}", f"CAST(${name}_ AS {full})")
    expected = sites.ask_all(casts, {f"{name}_": values[name] for name in used})
    _, table = answered(sites, sql, {name: values[name] for name in used}, parameters=kinds)
    assert same(table, expected)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT u.d FROM a.p JOIN c.u ON u.f = p.x",
        "SELECT p.name FROM a.p CROSS JOIN b.t WHERE p.name || t.s = 'aa'",
        "SELECT p.name FROM a.p CROSS JOIN b.t WHERE p.name LIKE t.s",
        "SELECT count(*) AS n FROM a.p JOIN b.t ON t.bsn = p.bsn",
        "SELECT p.x + t.c AS s FROM a.p JOIN b.t ON t.bsn = p.bsn",
        "SELECT p.name FROM a.p JOIN b.t ON t.bsn = p.bsn ORDER BY p.x + t.c",
        "SELECT p.name FROM a.p FULL JOIN b.t ON t.bsn = p.bsn",
        "SELECT p.name FROM a.p UNION ALL SELECT t.s FROM b.t",
    ],
)
def test_what_is_not_simple_is_left_to_duckdb(sites: Sites, sql: str) -> None:
    plan, table = answered(sites, sql)
    assert plan.memory.get("plain") is None
    assert same(table, sites.ask_all(sql))


def test_value_of_another_type_than_declared_is_left_to_duckdb(sites: Sites) -> None:
    sql = "SELECT p.name FROM a.p CROSS JOIN b.t WHERE p.born = $d OR t.c = 7"
    _, table = answered(sites, sql, {"d": "2000-01-01"}, parameters={"d": "DATE"})
    assert len(rows_of(table)) == 8


def test_large_products_are_left_to_duckdb() -> None:
    many = Sites({name: ({"k": "INTEGER"}, [(n,) for n in range(450)]) for name in ("a.p", "b.t")})
    try:
        _, table = answered(many, "SELECT p.k, t.k AS other FROM a.p CROSS JOIN b.t WHERE p.k <> t.k")
        assert table.num_rows == 450 * 449 > plain.MOST
    finally:
        many.close()


def test_one_person_takes_a_fraction_of_a_millisecond(sites: Sites) -> None:
    sql = "SELECT p.name, t.s, u.d FROM a.p JOIN b.t ON t.bsn = p.bsn LEFT JOIN c.u ON u.c = t.c WHERE p.bsn = 3"
    plan, _ = answered(sites, sql)
    relations = {
        fetch.id: asyncio.run(sites.ask(fetch, {}, {}, {})) for fetch in plan.fetches if not fetch.keys
    }
    for fetch in plan.fetches:
        relations.setdefault(
            fetch.id, sites.site[fetch.site].execute(fetch.select(frozenset()).sql("duckdb")).to_arrow_table()
        )
    program = plain.compiled(plan)
    assert program is not None
    took = []
    for _ in range(50):
        began = time.perf_counter()
        program(relations, {})
        took.append(time.perf_counter() - began)
    assert min(took) < 0.0005


def _plan(sql: str) -> Plan:
    """A residual over nothing fetched."""
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    assert isinstance(tree, sqlglot.exp.Query)
    return Plan((), tree, identity=False, parameters={}, memory={})


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM TABLES",
        "SELECT getenv('HOME') AS h",
        "SELECT * FROM read_json('http://127.0.0.1/')",
    ],
)
def test_duckdb_reaches_no_file_network_or_python_variable(sql: str) -> None:
    with pytest.raises(Invalid) as refusal:
        asyncio.run(_combined(_plan(sql)))
    assert refusal.value.code == "cannot-compute"


def test_failed_computation_tells_no_value() -> None:
    with pytest.raises(Invalid) as refusal:
        asyncio.run(_combined(_plan("SELECT CAST('geheim' AS INTEGER) AS x")))
    assert refusal.value.code == "cannot-compute"
    assert "geheim" not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


def test_a_form_that_duckdb_cannot_plan_is_not_said_to_be_about_a_value() -> None:
    subquery = "SELECT count(*) FROM (SELECT 1 AS a) x FULL JOIN (SELECT 2 AS b) y ON x.a = y.b AND x.a = t.k"
    with pytest.raises(Invalid) as refusal:
        asyncio.run(_combined(_plan(f"SELECT ({subquery}) AS n FROM (SELECT 1 AS k) t")))
    assert refusal.value.code == "form-unsupported"
    for language in ("nl", "en"):
        assert "JOIN" in refusal.value.next.said_in(language)
        assert "TRY_CAST" not in refusal.value.next.said_in(language)


def test_memory_is_bounded_and_nothing_spills() -> None:
    sql = "SELECT i, count(*) AS n FROM range(30000000) AS t(i) GROUP BY i"
    with pytest.raises(Invalid) as refusal:
        asyncio.run(_combined(_plan(sql), memory="32MB"))
    assert refusal.value.code == "answer-too-large"


def test_time_is_bounded() -> None:
    sql = "SELECT count(*) AS n FROM range(1000000) AS a(i), range(1000000) AS b(j) WHERE i * j = 7"
    began = time.monotonic()
    with pytest.raises(Invalid) as refusal:
        asyncio.run(_combined(_plan(sql), seconds=0.2))
    assert refusal.value.code == "answer-too-slow"
    assert time.monotonic() - began < 20


def test_connection_serves_one_question(sites: Sites) -> None:
    combiner = Combiner(EngineLimits(small=0), spares=1)
    combiner.warm()

    async def twice() -> None:
        first = _plan("SELECT 1 AS one")
        await combiner.combine(first, {}, {})
        with pytest.raises(Invalid):
            await combiner.combine(_plan('SELECT * FROM "f0"'), {}, {})

    try:
        asyncio.run(twice())
    finally:
        combiner.close()
        combiner.close()


async def _combined(plan: Plan, **limits: Any) -> Any:
    combiner = Combiner(EngineLimits(**limits), spares=0)
    try:
        return await combiner.combine(plan, {}, {})
    finally:
        combiner.close()
