"""Random questions over random tables at four sites have exactly the answer that one DuckDB with all tables gives."""

import asyncio
from collections import Counter
from typing import Any

import duckdb
import pytest
from grammar import COLUMNS, TABLES, questions, tables
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sites import Sites, same
from sqlglot import exp

from sluis.kernel import Invalid
from sluis.statement.run import Pace

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def _fill(sites: Sites, found: dict[str, Any]) -> None:
    for name, (_, rows) in found.items():
        for connection in (sites.all, sites.site[name.split(".")[0]]):
            connection.execute(f"DELETE FROM {name}")
            if rows:
                values = ", ".join(
                    "(" + ", ".join("NULL" if v is None else repr(v) for v in row) + ")" for row in rows
                )
                connection.execute(f"INSERT INTO {name} VALUES {values}")
        sites.rows[name] = len(rows)
    sites.anew()


_NODES = (
    exp.Join,
    exp.Group,
    exp.Distinct,
    exp.Like,
    exp.Exists,
    exp.In,
    exp.Window,
    exp.Between,
    exp.Sum,
    exp.Case,
)

SITES = Sites({name: (COLUMNS, []) for name in TABLES})


_ways = pytest.mark.parametrize(("small", "bulk"), [(0, True), (1000, False)])
_random = given(found=tables(), question=questions(), refused=st.sets(st.sampled_from(_NODES), max_size=3))
_Found, _Question, _Refused = dict[str, Any], tuple[str, bool], set[type[exp.Expression]]


@_ways
@settings(max_examples=25, deadline=None, suppress_health_check=_QUIET)
@_random
def test_any_question_has_the_answer_of_one_database(
    small: int, bulk: bool, found: _Found, question: _Question, refused: _Refused
) -> None:
    _compare(small, bulk, found, question, refused)


@pytest.mark.prove
@_ways
def test_any_question_has_the_answer_of_one_database_a_thousand_times(small: int, bulk: bool) -> None:
    forms: Counter[bool] = Counter()

    @settings(max_examples=1000, deadline=None, suppress_health_check=_QUIET)
    @_random
    def each(found: _Found, question: _Question, refused: _Refused) -> None:
        forms[_compare(small, bulk, found, question, refused)] += 1

    each()
    assert forms[False] < 0.02 * forms.total(), forms


def _compare(small: int, bulk: bool, found: _Found, question: _Question, refused: _Refused) -> bool:
    """Also where a site refuses queries in which certain things stand. Whether it could be computed: DuckDB knows forms of
    questions that it cannot plan once they are split."""
    sql, ordered = question
    _fill(SITES, found)
    try:
        expected = SITES.ask_all(sql)
    except duckdb.Error:
        assume(False)
    accepts = (lambda query, site: query.find(*refused) is None) if refused else None
    plan = SITES.plan(sql, accepts=accepts)
    try:
        table = asyncio.run(SITES.answer(plan, small=small, pace=Pace(chunk=2), bulk=bulk))
    except Invalid as problem:
        if problem.code == "form-unsupported":
            return False
        assume(problem.code != "needs-everything")
        raise
    assert same(table, expected, ordered=ordered), (sql, plan.residual.sql("duckdb"), SITES.asked)
    return True
