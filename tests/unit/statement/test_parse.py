"""What may be asked: one SELECT, from the allow-list; everything else is refused before any source is contacted."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from sluis.kernel import Invalid
from sluis.statement import datasets, output_names, parse, qualify, shape, text

SCHEMA = {
    "rvig": {"personen": {"bsn": "VARCHAR", "naam": "VARCHAR", "geboren": "DATE", "geheim": "BOOLEAN"}},
    "bd": {"inkomen": {"bsn": "VARCHAR", "jaar": "INTEGER", "inkomen": "BIGINT"}},
}
VISIBLE = {
    "rvig": {"personen": {"naam": "VARCHAR", "bsn": "VARCHAR"}},
    "bd": {"inkomen": {"inkomen": "BIGINT"}},
}


def code_of(sql: str) -> str:
    with pytest.raises(Invalid) as caught:
        parse(sql)
    return caught.value.code


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("", "one-statement"),
        ("select 1; select 2", "one-statement"),
        ("select 1; drop table x", "one-statement"),
        ("delete from t", "only-select"),
        ("insert into t values (1)", "only-select"),
        ("update t set a = 1", "only-select"),
        ("copy t to 'file'", "only-select"),
        ("attach 'file'", "only-select"),
        ("pragma version", "only-select"),
        ("set threads = 1", "only-select"),
        ("explain select 1", "only-select"),
        ("values (1)", "only-select"),
        ("select 'oops", "sql-syntax"),
        ("select from where", "sql-syntax"),
        ("select * from read_csv('x')", "not-allowed"),
        ("select * from range(10)", "not-allowed"),
        ("select * from (values (1)) t(x)", "not-allowed"),
        ("select * from t tablesample 10%", "not-allowed"),
        ("select * from a.b.c", "not-allowed"),
        ("select random()", "not-allowed"),
        ("select getenv('HOME')", "not-allowed"),
        ("select now()", "not-allowed"),
        ("select sleep(1)", "not-allowed"),
        ("select error('x')", "not-allowed"),
        ("select unnest([1, 2])", "not-allowed"),
        ("select a from t where a < any(select 1)", "not-allowed"),
        ("select a from t where a <> any($k)", "not-allowed"),
        ("select * from t limit (select 1)", "not-allowed"),
        ("select distinct on (a) b from t", "not-allowed"),
        ("select 1 for update", "not-allowed"),
        ("with recursive a as (select 1) select * from a", "not-allowed"),
        ("select * from a asof join b on a.x = b.x", "not-allowed"),
        ("select * from a natural join b", "not-allowed"),
        ("select * from a positional join b", "not-allowed"),
        ("select a::json from t", "not-allowed"),
        ("select list_transform([1], x -> x) from t", "not-allowed"),
        ("select a from t where a = ?", "parameter-name"),
        ("select " + "(" * 5000 + "1" + ")" * 5000, "sql-syntax"),
        ("select '" + "x" * 70_000 + "'", "sql-too-long"),
        (
            "select " + "1+" * 30_000 + "1",
            "sql-too-long",
        ),  # seconds of a node's one loop, to be told that it is too deep
        ("select " + "a.b, " * 12_000 + "1", "sql-too-long"),
    ],
)
def test_what_is_not_on_the_list_is_refused(sql: str, code: str) -> None:
    assert code_of(sql) == code


@pytest.mark.parametrize(
    "sql",
    [
        "select a from t",
        "from t select a",
        "(select a from t)",
        "select a from t;",
        "with c as (select a from t) select a, count(*) from c group by all having count(*) > 1 order by 2 limit 3",
        "select a from t union all select b from u except select c from v",
        "select row_number() over (partition by a order by b) from t qualify 1 = 1",
        "select sum(a) filter (where b > 1) from t group by rollup (c)",
        "select case when a in (1, 2) then 'x' else b end from t where exists (select 1 from u where u.a = t.a)",
        "select extract(year from a), a + interval '3' month, cast(b as decimal(12, 2)) from t",
        "select a from t left join u using (b) semi join v on v.a = t.a where a = any($keys)",
    ],
)
def test_an_ordinary_question_is_let_in(sql: str) -> None:
    assert text(parse(sql))


@pytest.mark.parametrize(
    "sql", ["SELECT naam FROM a.p WHERE naam <> $n AND naam <> ''", "SELECT $n AS x, '' AS y FROM a.p"]
)
def test_an_empty_text_may_follow_a_parameter(sql: str) -> None:
    [parameter] = parse(sql).find_all(exp.Placeholder)
    assert parameter.name == "n"


@pytest.mark.parametrize("text", ["$$a$$", "$t$a$t$", "$t$", "$1", "?"])
def test_a_parameter_has_a_plain_name_so_that_it_is_a_constant_nowhere(text: str) -> None:
    """A database takes `$t$a$t$` for a text: the constant would be held against no rule."""
    with pytest.raises(Invalid):
        parse(f"SELECT naam FROM a.p WHERE naam = {text}")


def test_equal_to_any_of_a_query_is_in() -> None:
    assert (
        text(parse("select a from t where a = any (select b from u)"))
        == "SELECT a FROM t WHERE a IN (SELECT b FROM u)"
    )


def test_a_refusal_repeats_no_constant() -> None:
    with pytest.raises(Invalid) as caught:
        parse("select getenv('999993653'), '999993653' from")
    assert "999993653" not in str(caught.value)
    with pytest.raises(Invalid) as caught:
        qualify(parse("select nope from rvig.personen where bsn = '999993653'"), SCHEMA, VISIBLE)
    assert "999993653" not in str(caught.value)


def test_nothing_of_the_question_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(Invalid):
        parse("explain select '999993653'")
    assert not caplog.records


@given(st.text(max_size=200))
def test_any_text_is_a_question_or_a_clear_refusal(sql: str) -> None:
    try:
        tree = parse(sql)
    except Invalid:
        return
    assert parse(text(tree))


def test_a_star_is_what_may_be_output_in_the_order_of_the_disclosure() -> None:
    assert output_names(qualify(parse("select * from rvig.personen"), SCHEMA, VISIBLE)) == ["naam", "bsn"]


def test_a_closed_column_is_resolved_so_that_the_refusal_can_name_it() -> None:
    assert "p.geheim" in text(qualify(parse("select geheim from rvig.personen p"), SCHEMA, VISIBLE))


def test_an_unknown_column_is_told_with_its_nearest_name() -> None:
    with pytest.raises(Invalid) as caught:
        qualify(parse("select gebooren from rvig.personen"), SCHEMA, VISIBLE)
    assert caught.value.code == "unknown-column"
    assert "geboren" in caught.value.next.en


def test_an_ambiguous_column_is_refused() -> None:
    with pytest.raises(Invalid) as caught:
        qualify(parse("select bsn from rvig.personen, bd.inkomen"), SCHEMA, VISIBLE)
    assert caught.value.code == "ambiguous-column"


def test_group_by_all_is_written_out() -> None:
    tree = qualify(parse("select naam, count(*) from rvig.personen group by all"), SCHEMA, VISIBLE)
    assert "GROUP BY personen.naam" in text(tree)


def test_a_cast_of_a_column_cannot_fail() -> None:
    tree = qualify(parse("select naam::int, '5'::int from rvig.personen"), SCHEMA, VISIBLE)
    assert "TRY_CAST(personen.naam AS INT)" in text(tree)
    assert " CAST('5' AS INT)" in text(tree)


def test_today_is_one_day_for_everyone() -> None:
    assert text(parse("select current_date")) == "SELECT $today"


def test_datasets_are_named_once_and_common_tables_are_none() -> None:
    tree = parse("with c as (select 1 from RVIG.personen) select * from c, bd.inkomen a, bd.inkomen b")
    assert sorted(datasets(tree)) == [("bd", "inkomen"), ("rvig", "personen")]


def test_a_shape_holds_no_constant() -> None:
    assert shape(parse("select 'x', 5 from t where a = 'geheim' and b in (1, 2)")) == (
        "SELECT ?, ? FROM t WHERE a = ? AND b IN (?, ?)"
    )
