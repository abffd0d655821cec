"""What is pushed to a site and what may be restricted there, one test per rule. Each compares the answer with one
DuckDB that holds everything, and looks at what left the sites."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
import sqlglot
from sites import Sites, Tables, answered, same
from sqlglot import exp

from sluis.kernel import Invalid
from sluis.statement.split import Plan, split

TABLES: Tables = {
    "a.p": (
        {"bsn": "BIGINT", "x": "INTEGER", "name": "VARCHAR", "age": "INTEGER"},
        [(n, n % 5, f"name {n}", 20 + n) for n in range(1, 21)] + [(None, None, "nobody", 3)],
    ),
    "a.q": ({"bsn": "BIGINT", "y": "INTEGER"}, [(n, 10 * n) for n in (1, 2, 2, 3, 30)] + [(None, 5)]),
    "b.t": (
        {"bsn": "BIGINT", "z": "DECIMAL(10,2)", "c": "INTEGER"},
        [(n % 12, n, n % 4) for n in range(1, 31)] + [(None, 9, None)],
    ),
    "b.v": ({"bsn": "BIGINT", "w": "INTEGER"}, [(2, 1), (2, 2), (7, 3)]),
    "c.u": (
        {"c": "INTEGER", "d": "DATE", "label": "VARCHAR"},
        [(0, None, "nul"), (1, None, "een"), (2, None, "x")],
    ),
    "c.few": ({"bsn": "BIGINT", "code": "VARCHAR"}, [(2, "a"), (3, "b")]),
}


@pytest.fixture(scope="module")
def databases() -> Iterator[Sites]:
    made = Sites(TABLES)
    yield made
    made.close()


@pytest.fixture
def sites(databases: Sites) -> Sites:
    return databases.anew()


def ask(
    sites: Sites, sql: str, values: dict[str, Any] | None = None, **options: Any
) -> tuple[Plan, pa.Table]:
    """Ask, and check the answer against one database."""
    plan, table = answered(sites, sql, values, **options)
    assert same(table, sites.ask_all(sql, values)), plan.residual.sql("duckdb")
    return plan, table


def texts(plan: Plan) -> dict[str, str]:
    """SQL per site; of several fetches, joined."""
    found: dict[str, str] = {}
    for fetch in plan.fetches:
        found[fetch.site] = (found.get(fetch.site, "") + " ; " + fetch.query.sql("duckdb")).replace('"', "")
    return found


def test_question_at_one_site_goes_there_whole(sites: Sites) -> None:
    sql = "SELECT p.x, count(*) n FROM a.p JOIN a.q ON p.bsn = q.bsn GROUP BY p.x HAVING count(*) > 0 ORDER BY n LIMIT 2"
    plan, table = ask(sites, sql)
    assert plan.identity
    assert [fetch.whole for fetch in plan.fetches] == [True]
    assert table.num_rows == sites.left["a"] == 2


def test_order_of_a_question_at_one_site_is_kept(sites: Sites) -> None:
    _, table = ask(sites, "SELECT p.name FROM a.p ORDER BY p.age DESC, p.name LIMIT 3")
    assert table["name"].to_pylist() == ["name 20", "name 19", "name 18"]


def test_constant_moves_over_a_join_and_sites_run_at_once(sites: Sites) -> None:
    plan, _ = ask(
        sites,
        "SELECT p.name, t.z FROM a.p JOIN b.t ON t.bsn = p.bsn WHERE p.bsn = $b",
        {"b": 2},
        parameters={"b": "BIGINT"},
    )
    assert all(not fetch.keys for fetch in plan.fetches)
    assert "t.bsn = $b" in texts(plan)["b"]
    assert sites.left == {"a": 1, "b": 3}


def test_constant_moves_over_a_left_join_to_the_optional_side_only(sites: Sites) -> None:
    plan, _ = ask(sites, "SELECT p.name, t.z FROM a.p LEFT JOIN b.t ON t.bsn = p.bsn AND t.bsn = 2")
    assert "p.bsn = 2" not in texts(plan)["a"]
    assert sites.left["a"] == 21
    assert sites.left["b"] == 3


def test_constant_of_an_optional_table_does_not_reach_the_rows_without_it(sites: Sites) -> None:
    """p and its optional q are one fetch; what t says of p holds for q too, but rows of p without a q stay."""
    ask(
        sites,
        "SELECT p.name, q.y, t.z FROM a.p LEFT JOIN a.q ON q.bsn = p.bsn JOIN b.t ON t.bsn = p.bsn AND t.bsn IN (1, 9)",
    )


def test_key_list_moves_over_a_join(sites: Sites) -> None:
    sql = "SELECT p.name, t.z FROM a.p JOIN b.t ON t.bsn = p.bsn WHERE p.bsn = ANY($list)"
    plan, _ = ask(sites, sql, {"list": [2, 3, 99]}, parameters={"list": "BIGINT"})
    assert all(not fetch.keys for fetch in plan.fetches)
    assert sites.left == {"a": 2, "b": 6}


def test_constant_does_not_move_where_the_caller_forbids_it(sites: Sites) -> None:
    sql = "SELECT p.name, t.z FROM a.p JOIN b.t ON t.bsn = p.bsn WHERE p.bsn = 2"
    plan = sites.plan(sql, comparable=lambda table, column: table.name != "t")
    assert "= 2" not in texts(plan)["b"]
    assert [use.column for fetch in plan.fetches for use in fetch.keys] == ["bsn"]


def test_keys_are_awaited_where_the_restricting_side_has_more_conditions(sites: Sites) -> None:
    """Nothing of people the first site does not give leaves the second."""
    ask(
        sites,
        "SELECT p.name, t.z FROM a.p JOIN b.t ON t.bsn = p.bsn WHERE p.bsn = 2 AND p.age > 60",
        bulk=False,
    )
    assert sites.left == {"a": 0}
    assert [site for site, _, _ in sites.asked] == ["a"]


def test_chain_leaves_exactly_the_rows_needed(sites: Sites) -> None:
    sql = """SELECT p.name, t.z, u.label FROM a.p JOIN b.t ON t.bsn = p.bsn JOIN c.u ON u.c = t.c WHERE p.name = 'name 2'"""
    ask(sites, sql, bulk=False)
    assert sites.left == {"a": 1, "b": 3, "c": 1}


def test_selection_at_the_far_end_begins_there(sites: Sites) -> None:
    plan, _ = ask(
        sites,
        "SELECT p.name, u.label FROM a.p JOIN b.t ON t.bsn = p.bsn JOIN c.u ON u.c = t.c WHERE u.label = 'x'",
        bulk=False,
    )
    assert [fetch.site for fetch in plan.fetches] == ["c", "b", "a"]
    assert sites.left["b"] == len([n for n in range(1, 31) if n % 4 == 2])


def test_tables_of_one_site_joined_by_equality_are_one_fetch(sites: Sites) -> None:
    plan, _ = ask(
        sites,
        "SELECT p.name, t.z, v.w FROM a.p JOIN b.t ON t.bsn = p.bsn JOIN b.v ON v.bsn = t.bsn WHERE p.bsn = 2",
    )
    assert len(plan.fetches) == 2
    assert "JOIN b.v AS v ON v.bsn = t.bsn" in texts(plan)["b"]


def test_tables_of_one_site_that_nothing_joins_stay_apart(sites: Sites) -> None:
    """Their product would be more than both."""
    plan, _ = ask(
        sites, "SELECT p.name, t.z, v.w FROM a.p JOIN b.t ON t.bsn = p.bsn CROSS JOIN b.v WHERE p.bsn = 2"
    )
    assert [fetch.site for fetch in plan.fetches].count("b") == 2


def test_left_joined_table_of_the_same_site_comes_along(sites: Sites) -> None:
    sql = """SELECT p.name, q.y, t.z FROM a.p LEFT JOIN a.q ON q.bsn = p.bsn AND q.y > 10
             JOIN b.t ON t.bsn = p.bsn WHERE q.bsn IS NULL AND p.x = 1"""
    plan, _ = ask(sites, sql)
    assert [fetch.site for fetch in plan.fetches].count("a") == 1
    assert "LEFT JOIN a.q" in texts(plan)["a"]
    assert "q.bsn IS NULL" in texts(plan)["a"]


def test_only_needed_columns_are_fetched(sites: Sites) -> None:
    plan, _ = ask(sites, "SELECT p.name FROM a.p JOIN b.t ON t.bsn = p.bsn WHERE p.age > 30 AND t.c = 1")
    columns = {fetch.site: {column.name for column in fetch.columns} for fetch in plan.fetches}
    assert columns == {"a": {"name", "bsn"}, "b": {"bsn"}}


def test_columns_say_which_base_column_they_are(sites: Sites) -> None:
    plan, _ = ask(
        sites, "SELECT p.name, q.bsn, t.z FROM a.p JOIN a.q ON p.bsn = q.bsn JOIN b.t ON t.bsn = p.bsn"
    )
    origins = {(column.table, column.column) for fetch in plan.fetches for column in fetch.columns}
    assert origins == {("a.p", "name"), ("a.q", "bsn"), ("a.p", "bsn"), ("b.t", "z"), ("b.t", "bsn")}


def test_columns_read_only_inside_a_derived_table_over_sites_are_left_out(sites: Sites) -> None:
    sql = """SELECT d.name FROM (SELECT DISTINCT p.name, p.age FROM a.p JOIN b.t ON p.bsn = t.bsn) s
             JOIN (SELECT p.name, p.age, t.z FROM a.p JOIN b.t ON p.bsn = t.bsn ORDER BY p.name LIMIT 100) d
             ON d.name = s.name"""
    plan, _ = ask(sites, sql)
    fetched = [column.column for fetch in plan.fetches for column in fetch.columns]
    assert "z" not in fetched


def test_where_on_the_optional_side_that_rejects_nulls_makes_the_join_inner(sites: Sites) -> None:
    plan, _ = ask(sites, "SELECT p.name FROM a.p LEFT JOIN b.t ON t.bsn = p.bsn WHERE t.c = 3 AND p.x = 2")
    assert "LEFT" not in plan.residual.sql("duckdb")
    assert "t.c = 3" in texts(plan)["b"]


def test_where_on_the_optional_side_that_accepts_nulls_stays_above(sites: Sites) -> None:
    plan, _ = ask(
        sites, "SELECT p.name, t.c FROM a.p LEFT JOIN b.t ON t.bsn = p.bsn WHERE coalesce(t.c, 3) = 3"
    )
    assert "COALESCE" not in texts(plan)["b"]


def test_on_condition_never_reduces_the_preserved_side(sites: Sites) -> None:
    plan, _ = ask(sites, "SELECT p.name, t.z FROM a.p LEFT JOIN b.t ON t.bsn = p.bsn AND p.x = 1 AND t.c = 1")
    assert "WHERE" not in texts(plan)["a"]
    assert "t.c = 1" in texts(plan)["b"]


def test_right_join_reduces_its_left_side(sites: Sites) -> None:
    sql = "SELECT p.name, f.code FROM a.p RIGHT JOIN c.few AS f ON p.bsn = f.bsn AND p.age > 1"
    plan, _ = ask(sites, sql, bulk=False)
    assert "p.age > 1" in texts(plan)["a"]
    assert sites.left == {"c": 2, "a": 2}


def test_full_join_reduces_neither_side(sites: Sites) -> None:
    plan, _ = ask(
        sites,
        "SELECT p.name, t.z FROM a.p FULL JOIN b.t ON t.bsn = p.bsn AND p.x = 1 AND t.c = 1",
        bulk=False,
    )
    assert all(not fetch.keys for fetch in plan.fetches)
    assert sites.left == {"a": 21, "b": 31}


def test_anti_join_reduces_only_the_right_side(sites: Sites) -> None:
    ask(sites, "SELECT f.code FROM c.few AS f ANTI JOIN b.t ON t.bsn = f.bsn AND t.c > 2", bulk=False)
    assert sites.left == {"c": 2, "b": 1}


@pytest.mark.parametrize("word", ["SEMI", "ANTI"])
def test_semi_and_anti_join_within_a_site_are_decided_there(sites: Sites, word: str) -> None:
    plan, _ = ask(
        sites,
        f"SELECT p.name, t.z FROM a.p {word} JOIN a.q ON q.bsn = p.bsn AND q.y > 10 JOIN b.t ON t.bsn = p.bsn",
    )
    assert len(plan.fetches) == 2
    assert "EXISTS" in texts(plan)["a"]


def test_exists_restricts_both_sides_and_repeats_no_row(sites: Sites) -> None:
    ask(
        sites,
        "SELECT f.code FROM c.few AS f WHERE EXISTS (SELECT 1 FROM b.t WHERE t.bsn = f.bsn)",
        bulk=False,
    )
    assert sites.left == {"c": 2, "b": 2}


def test_exists_restricts_the_outer_side_when_the_inner_is_selective(sites: Sites) -> None:
    sql = (
        "SELECT p.name FROM a.p WHERE EXISTS (SELECT 1 FROM c.few AS f WHERE f.bsn = p.bsn AND f.code = 'a')"
    )
    ask(sites, sql, bulk=False)
    assert sites.left == {"c": 1, "a": 1}


def test_exists_over_an_ungrouped_aggregate_restricts_nothing(sites: Sites) -> None:
    """It is true for every outer row."""
    sql = "SELECT p.name FROM a.p WHERE EXISTS (SELECT count(*) FROM c.few AS f WHERE f.bsn = p.bsn AND f.code = 'a')"
    ask(sites, sql)
    assert sites.left["a"] == 21


def test_not_exists_never_restricts_the_outer_side(sites: Sites) -> None:
    sql = "SELECT p.name FROM a.p WHERE NOT EXISTS (SELECT 1 FROM c.few AS f WHERE f.bsn = p.bsn AND f.code = 'a')"
    ask(sites, sql)
    assert sites.left["a"] == 21


def test_in_list_of_another_site_restricts_the_outer_side(sites: Sites) -> None:
    ask(
        sites,
        "SELECT p.name FROM a.p WHERE p.bsn IN (SELECT f.bsn FROM c.few AS f WHERE f.code = 'b')",
        bulk=False,
    )
    assert sites.left == {"c": 1, "a": 1}


@pytest.mark.parametrize("extra", ["", " AND t.c > 1", " AND t.bsn > 100"])
def test_not_in_keeps_the_nulls_of_its_list(sites: Sites, extra: str) -> None:
    """A NULL in the list makes NOT IN unknown, so it leaves with the values looked up; others do not."""
    sql = f"SELECT f.code FROM c.few AS f WHERE f.bsn NOT IN (SELECT t.bsn FROM b.t WHERE t.z > 3{extra})"
    plan, _ = ask(sites, sql, bulk=False)
    assert any(use.nulls for fetch in plan.fetches for use in fetch.keys)
    assert sites.left["b"] <= 3


def test_in_under_or_looks_up_values_only(sites: Sites) -> None:
    """False and unknown come to the same there, so NULLs matter on neither side."""
    sql = "SELECT p.name FROM a.p WHERE (p.bsn IN (SELECT t.bsn FROM b.t WHERE t.c = 1) OR p.age = 3) AND (p.x < 2 OR p.x IS NULL)"
    plan, _ = ask(sites, sql, bulk=False)
    assert not any(use.nulls for fetch in plan.fetches for use in fetch.keys)
    assert sites.left["b"] < 8


def test_null_on_the_left_of_not_in_is_restricted_by_no_key(sites: Sites) -> None:
    """NULL NOT IN an empty list is true: whether the list is empty must be known."""
    sql = "SELECT p.name FROM a.p WHERE p.bsn NOT IN (SELECT t.bsn FROM b.t WHERE t.c = 77)"
    ask(sites, sql, bulk=True)
    with pytest.raises(Invalid) as refusal:
        ask(sites, sql, bulk=False)
    assert refusal.value.code == "needs-everything"


def test_uncorrelated_subquery_at_one_site_goes_there_whole(sites: Sites) -> None:
    sql = "SELECT p.name FROM a.p WHERE p.x = (SELECT max(t.c) FROM b.t) AND p.age > 25"
    ask(sites, sql, bulk=False)
    assert sites.left["b"] == 1
    assert sites.left["a"] == 3


def test_uncorrelated_exists_leaves_one_row(sites: Sites) -> None:
    ask(sites, "SELECT f.code FROM c.few AS f WHERE EXISTS (SELECT 1 FROM b.t WHERE t.c = 2)")
    assert sites.left == {"c": 2, "b": 1}


def test_subquery_over_the_same_site_is_checked_there(sites: Sites) -> None:
    sql = """SELECT p.name, t.z FROM a.p JOIN b.t ON p.bsn = t.bsn
             WHERE EXISTS (SELECT 1 FROM a.q WHERE q.bsn = p.bsn AND q.y = 20) AND p.age NOT IN (SELECT y FROM a.q WHERE y > 5)"""
    plan, _ = ask(sites, sql)
    assert len(plan.fetches) == 2
    assert "EXISTS" in texts(plan)["a"]


def test_keys_reach_into_a_derived_table_by_its_group_key(sites: Sites) -> None:
    sql = """SELECT p.name, d.total FROM a.p JOIN (SELECT bsn, sum(z) AS total FROM b.t GROUP BY bsn) d
             ON d.bsn = p.bsn WHERE p.name = 'name 3'"""
    plan, _ = ask(sites, sql, bulk=False)
    assert sites.left == {"a": 1, "b": 1}
    assert "WHERE t.bsn = ANY($k0) GROUP BY" in texts(plan)["b"]


def test_keys_stay_above_a_limit(sites: Sites) -> None:
    sql = """SELECT f.code, d.z FROM c.few AS f JOIN (SELECT bsn, z FROM b.t ORDER BY z LIMIT 5) d ON d.bsn = f.bsn"""
    plan, _ = ask(sites, sql, bulk=False)
    assert "LIMIT 5) AS d WHERE d.bsn = ANY($k0)" in texts(plan)["b"]
    assert sites.left["b"] == 2


def test_keys_stay_above_a_window_that_is_not_partitioned_by_them(sites: Sites) -> None:
    over = "SELECT bsn, row_number() OVER ({} ORDER BY z, bsn) AS n FROM b.t"
    for clause, inside in (("", False), ("PARTITION BY bsn", True)):
        sql = f"SELECT f.code, d.n FROM c.few AS f JOIN ({over.format(clause)}) d ON d.bsn = f.bsn"
        plan, _ = ask(sites, sql, bulk=False)
        assert ("WHERE t.bsn = ANY($k0)" in texts(plan)["b"]) is inside


def test_condition_on_a_cte_over_sites_reaches_its_tables(sites: Sites) -> None:
    sql = """WITH c AS (SELECT p.bsn, p.name, sum(t.z) AS s FROM a.p JOIN b.t ON p.bsn = t.bsn GROUP BY p.bsn, p.name)
             SELECT c.name, c.s FROM c WHERE c.bsn = 4"""
    ask(sites, sql, bulk=False)
    assert sites.left == {"a": 1, "b": 1}


def test_keys_reach_into_every_branch_of_a_union(sites: Sites) -> None:
    sql = """SELECT d.v FROM (SELECT bsn, y AS v FROM a.q UNION ALL SELECT bsn, w FROM b.v) d
             JOIN c.few AS f ON f.bsn = d.bsn WHERE f.code = 'a'"""
    ask(sites, sql, bulk=False)
    assert sites.left == {"c": 1, "a": 2, "b": 2}


def test_cte_used_twice_is_fetched_once_where_it_is_the_same(sites: Sites) -> None:
    sql = """WITH c AS (SELECT bsn, z FROM b.t WHERE c = 1) SELECT p.name FROM a.p
             WHERE p.bsn IN (SELECT bsn FROM c) OR p.age IN (SELECT bsn FROM c)"""
    plan, _ = ask(sites, sql)
    assert len([fetch for fetch in plan.fetches if fetch.site == "b"]) <= 2


def test_cte_that_depends_on_chance_is_computed_once(sites: Sites) -> None:
    """Two computations could pick different rows."""
    sql = """WITH c AS (SELECT bsn FROM b.t LIMIT 4)
             SELECT count(*) FROM c AS one JOIN c AS two ON one.bsn = two.bsn JOIN a.p ON p.bsn = one.bsn"""
    plan = sites.plan(sql)
    assert [fetch.query.sql("duckdb").count("LIMIT") for fetch in plan.fetches if fetch.site == "b"] == [1]


def test_cte_that_stays_inside_a_part_for_one_site_goes_along(sites: Sites) -> None:
    sql = """SELECT p.name FROM a.p JOIN (
                 WITH c AS (SELECT bsn FROM b.t ORDER BY z LIMIT 4) SELECT DISTINCT one.bsn FROM c AS one JOIN c AS two
                 ON one.bsn = two.bsn) AS d ON d.bsn = p.bsn"""
    plan, _ = ask(sites, sql, bulk=False)
    assert {fetch.tables for fetch in plan.fetches} == {("b.t",), ("a.p",)}


def test_inner_cte_hides_an_outer_one_of_the_same_name(sites: Sites) -> None:
    sql = """WITH c AS (SELECT bsn FROM b.t ORDER BY z LIMIT 4)
             SELECT p.name, d.n FROM a.p CROSS JOIN (
                 WITH c AS (SELECT bsn FROM c ORDER BY bsn LIMIT 2) SELECT count(*) AS n FROM c AS x CROSS JOIN c AS y
             ) AS d WHERE p.bsn IN (SELECT bsn FROM c)"""
    ask(sites, sql)


def test_names_of_fetches_and_keys_are_not_the_questions_own(sites: Sites) -> None:
    sql = """WITH f0 AS (SELECT bsn FROM b.t ORDER BY z LIMIT 4)
             SELECT p.name FROM f0 AS one JOIN f0 AS two ON one.bsn = two.bsn JOIN a.p ON p.bsn = one.bsn
             JOIN c.few ON few.bsn = p.bsn WHERE p.age > $k0"""
    plan, _ = ask(sites, sql, {"k0": 1}, parameters={"k0": "INTEGER"}, bulk=False)
    assert "f0" not in {fetch.id for fetch in plan.fetches}
    assert "k0" not in {use.parameter for fetch in plan.fetches for use in fetch.keys}


def test_partial_sums_leave_instead_of_rows(sites: Sites) -> None:
    sql = """SELECT p.x, sum(t.z) AS total, count(*) AS n, count(t.c) AS m, min(t.z) AS low FROM a.p
             JOIN b.t ON t.bsn = p.bsn GROUP BY p.x HAVING sum(t.z) > 1"""
    plan, _ = ask(sites, sql)
    assert "GROUP BY t.bsn" in texts(plan)["b"]
    assert sites.left["b"] == len({row[0] for row in TABLES["b.t"][1]})


def test_partial_counts_of_an_optional_side_count_the_row_without_it(sites: Sites) -> None:
    sql = "SELECT p.x, count(*) AS n, count(t.c) AS m FROM a.p LEFT JOIN b.t ON t.bsn = p.bsn AND t.c > 1 GROUP BY p.x"
    plan, _ = ask(sites, sql)
    assert "GROUP BY t.bsn" in texts(plan)["b"]


def test_correlated_count_of_nothing_is_zero(sites: Sites) -> None:
    _, table = ask(
        sites, "SELECT p.bsn, (SELECT count(*) FROM b.v WHERE v.bsn = p.bsn) AS n FROM a.p WHERE p.bsn < 4"
    )
    assert sorted(table["n"].to_pylist()) == [0, 0, 2]


def test_averages_and_doubles_are_not_added_up_in_parts(sites: Sites) -> None:
    for value in ("avg(t.z)", "sum(CAST(t.z AS DOUBLE))", "sum(t.c) FILTER (WHERE t.z > 3)"):
        plan, _ = ask(sites, f"SELECT p.x, {value} AS v FROM a.p JOIN b.t ON t.bsn = p.bsn GROUP BY p.x")
        assert "GROUP BY" not in texts(plan)["b"]


def test_or_says_of_each_table_what_it_can(sites: Sites) -> None:
    sql = """SELECT p.name FROM a.p, b.t WHERE (p.bsn = t.bsn AND p.x = 1 AND t.c = 1)
             OR (p.bsn = t.bsn AND p.x = 2 AND t.c = 2)"""
    plan, _ = ask(sites, sql)
    assert "(p.x = 1 OR p.x = 2)" in texts(plan)["a"]
    assert "(t.c = 1 OR t.c = 2)" in texts(plan)["b"]


def test_site_is_asked_only_what_it_accepts(sites: Sites) -> None:
    """What it does not is computed above, from plain columns."""
    sql = "SELECT p.name, t.z FROM a.p JOIN b.t ON t.bsn = p.bsn WHERE p.x = 1 AND length(p.name) > 6"
    plan = sites.plan(sql, accepts=lambda query, site: "LENGTH" not in query.sql("duckdb"))
    assert "LENGTH" not in texts(plan)["a"]
    assert "p.x = 1" in texts(plan)["a"]
    assert "LENGTH" in plan.residual.sql("duckdb")


def test_of_rows_without_repeats_all_columns_are_read_where_a_part_is_not_accepted(sites: Sites) -> None:
    """The site may tell whom rows are about when it gives all columns, and not when it gives some."""
    inner = "SELECT DISTINCT p.x, q.y FROM a.p CROSS JOIN a.q WHERE p.bsn = 1 AND q.bsn = 2"
    sql = f"SELECT d.x FROM ({inner}) AS d JOIN c.u ON u.c = d.x"

    def accepts(query: exp.Query, site: str) -> bool:
        return not isinstance(query.args["from_"].this, exp.Subquery)

    assert texts(sites.plan(sql))["a"].startswith(" ; SELECT d.x AS x FROM (SELECT DISTINCT")
    plan = sites.plan(sql, accepts=accepts)
    assert texts(plan)["a"].startswith(" ; SELECT DISTINCT p.x AS x, q.y AS y")
    assert same(asyncio.run(sites.answer(plan)), sites.ask_all(sql))


def test_keys_of_another_type_are_not_sent(sites: Sites) -> None:
    """DuckDB compares a number and a text by casting; the values would not mean the same as keys."""
    plan, _ = ask(sites, "SELECT p.name FROM a.p JOIN c.u ON CAST(u.c AS VARCHAR) = p.name")
    assert all(not fetch.keys for fetch in plan.fetches)
    plan, _ = ask(sites, "SELECT p.name FROM a.p JOIN b.t ON p.x = t.z")
    assert all(not fetch.keys for fetch in plan.fetches)


def test_what_may_only_be_read_by_key_comes_after_what_gives_keys(sites: Sites) -> None:
    sql = "SELECT p.name, f.code FROM c.few AS f JOIN a.p ON p.bsn = f.bsn"
    assert [fetch.site for fetch in sites.plan(sql, keyed=lambda table: table.name == "few").fetches] == [
        "a",
        "c",
    ]
    assert [fetch.site for fetch in sites.plan(sql, keyed=lambda table: table.name == "p").fetches] == [
        "c",
        "a",
    ]


def test_plan_serves_for_other_values(sites: Sites) -> None:
    sql = "SELECT p.name, t.z FROM a.p JOIN b.t ON t.bsn = p.bsn WHERE p.bsn = $b"
    plan = sites.plan(sql, {"b": "BIGINT"})
    for value in (2, 5, 400):
        table = asyncio.run(sites.answer(plan, {"b": value}))
        assert same(table, sites.ask_all(sql, {"b": value}))


def test_tree_is_not_changed(sites: Sites) -> None:
    tree = sites.qualify("WITH c AS (SELECT bsn FROM a.p) SELECT c.bsn FROM c SEMI JOIN b.t ON t.bsn = c.bsn")
    before = tree.sql("duckdb")
    split(tree, lambda table: str(table.db), {}, sites.types)
    assert tree.sql("duckdb") == before


def test_recursion_over_sites_is_refused(sites: Sites) -> None:
    sql = """WITH RECURSIVE r(n) AS (SELECT bsn AS n FROM a.p UNION SELECT t.bsn FROM b.t JOIN r ON r.n = t.bsn)
             SELECT n FROM r"""
    with pytest.raises(Invalid) as refusal:
        split(sqlglot.parse_one(sql, dialect="duckdb"), lambda table: str(table.db), {}, sites.types)  # type: ignore[arg-type]
    assert refusal.value.code == "recursion-unsupported"


def test_recursion_at_one_site_goes_there_whole(sites: Sites) -> None:
    sql = """WITH RECURSIVE r(n) AS (SELECT p.x AS n FROM a.p UNION SELECT r.n + 1 FROM r WHERE r.n < 9) SELECT r.n FROM r"""
    plan, _ = ask(sites, sql)
    assert plan.identity


@pytest.mark.parametrize(
    "join", ["NATURAL JOIN b.t", "ASOF JOIN b.t ON p.bsn >= t.bsn", "POSITIONAL JOIN b.t"]
)
def test_join_that_pairs_by_anything_but_on_is_refused(sites: Sites, join: str) -> None:
    tree = sqlglot.parse_one(
        f"SELECT p.bsn FROM a.p AS p {join.replace('b.t', 'b.t AS t')}", dialect="duckdb"
    )
    with pytest.raises(Invalid) as refusal:
        split(tree, lambda table: str(table.db), {}, sites.types)  # type: ignore[arg-type]
    assert refusal.value.code == "join-unsupported"


def test_comma_before_a_right_join_is_refused(sites: Sites) -> None:
    with pytest.raises(Invalid) as refusal:
        sites.plan("SELECT p.name FROM a.p, b.t RIGHT JOIN c.u ON u.c = t.c")
    assert refusal.value.code == "join-unsupported"


def test_types_that_do_not_fit_are_refused_without_a_constant(sites: Sites) -> None:
    with pytest.raises(Invalid) as refusal:
        sites.plan("SELECT sum(p.name || 'geheim') AS s FROM a.p")
    assert refusal.value.code == "types-do-not-fit"
    assert "geheim" not in str(refusal.value)
