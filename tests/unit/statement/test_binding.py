"""Subject binding: only a condition that must hold for every row of a table binds it."""

import pytest

from sluis.grounds import Subject
from sluis.kernel import Refused
from sluis.statement import bindings, parse, qualify, require

PERSON = {"bsn": "VARCHAR", "naam": "VARCHAR", "partner": "VARCHAR"}
SCHEMA = {
    "a": {"p": PERSON, "adres": {"id": "BIGINT", "bsn": "VARCHAR"}},
    "b": {"i": {"bsn": "VARCHAR", "x": "BIGINT"}},
}
SUBJECTS = {("a", "p"): Subject("bsn", "BSN"), ("b", "i"): Subject("bsn", "BSN"), ("a", "adres"): None}


def bound(sql: str) -> dict[str, bool]:
    tree = qualify(parse(sql), SCHEMA, SCHEMA)
    return {binding.table.alias_or_name: binding.bound for binding in bindings(tree, SUBJECTS)}


@pytest.mark.parametrize(
    "condition",
    ["bsn = '1'", "'1' = bsn", "bsn = $b", "bsn in ('1', '2')", "bsn = any($k)", "(bsn = '1') and naam > 'a'",
     "bsn in (select bsn from b.i where bsn = '1')"],
)  # fmt: skip
def test_a_top_level_condition_on_the_key_binds(condition: str) -> None:
    assert bound(f"select naam from a.p where {condition}")["p"]


@pytest.mark.parametrize(
    "condition",
    ["bsn = '1' or true", "bsn = '1' or bsn = '2'", "not bsn <> '1'", "bsn <> '1'", "bsn like '1%'", "bsn > '1'",
     "partner = '1'", "bsn = partner", "bsn = bsn", "bsn || '' = '1'", "coalesce(bsn, '1') = '1'", "(bsn = '1') is not null",
     "case when bsn = '1' then true else true end", "bsn in (select bsn from b.i)", "bsn in (naam, '1')",
     "bsn not in ('1')", "exists (select 1 from b.i where i.bsn = '1')", "bsn is null", "bsn between '0' and '9'",
     "bsn in (select '1' from b.i)"],
)  # fmt: skip
def test_anything_else_does_not(condition: str) -> None:
    assert not bound(f"select naam from a.p where {condition}")["p"]


def test_a_join_to_a_bound_key_binds() -> None:
    assert bound("select x from a.p join b.i on i.bsn = p.partner where p.bsn = '1'") == {
        "p": True,
        "i": True,
    }
    assert bound("select x from a.p, b.i where i.bsn = p.bsn and p.bsn = '1'") == {"p": True, "i": True}
    assert bound("select x from a.p join b.i on i.bsn = p.bsn and p.bsn = '1'") == {"p": True, "i": True}


def test_a_join_to_an_unbound_key_does_not() -> None:
    assert bound("select x from a.p join b.i on i.bsn = p.bsn") == {"p": False, "i": False}
    assert bound("select x from a.adres d join b.i on i.bsn = d.bsn") == {"i": False}
    assert bound("select x from a.adres d join b.i on i.bsn = d.bsn where d.bsn = '1'") == {"i": True}


def test_an_outer_join_binds_only_the_side_it_can_empty() -> None:
    assert bound("select x from a.p left join b.i on i.bsn = p.bsn and p.bsn = '1'") == {
        "p": False,
        "i": False,
    }
    assert bound("select x from a.p left join b.i on i.bsn = p.bsn where p.bsn = '1'") == {
        "p": True,
        "i": True,
    }
    assert bound("select x from a.p left join b.i on i.bsn = '1'") == {"p": False, "i": True}
    assert bound("select x from a.p right join b.i on p.bsn = '1' and i.bsn = '2'") == {"p": True, "i": False}
    assert bound("select x from a.p full join b.i on p.bsn = '1' and i.bsn = '2'") == {"p": False, "i": False}
    assert bound("select 1 from a.p anti join b.i on p.bsn = '1' and i.bsn = '2'") == {"p": False, "i": True}


def test_a_correlated_query_is_bound_by_its_outer_row() -> None:
    sql = "select naam from a.p where bsn = '1' and not exists (select 1 from b.i where i.bsn = p.partner)"
    assert bound(sql) == {"p": True, "i": True}
    assert bound(sql.replace("bsn = '1' and", "")) == {"p": False, "i": False}


def test_a_derived_table_binds_through_its_output() -> None:
    inner = "(select bsn, sum(x) s from b.i where bsn = '1' group by bsn)"
    assert bound(f"select naam from {inner} d join a.p on p.bsn = d.bsn") == {"p": True, "i": True}
    assert bound(f"with d as {inner} select naam from d join a.p on p.bsn = d.bsn") == {"p": True, "i": True}
    loose = "(select bsn from b.i where bsn = '1' union all select bsn from b.i)"
    assert not bound(f"select naam from {loose} d join a.p on p.bsn = d.bsn")["p"]


def test_every_branch_needs_its_own_binding() -> None:
    tree = qualify(
        parse("select naam from a.p where bsn = '1' union all select naam from a.p"), SCHEMA, SCHEMA
    )
    assert [binding.bound for binding in bindings(tree, SUBJECTS)] == [True, False]


def test_an_unbound_subject_is_refused_with_the_step_that_helps() -> None:
    [binding] = bindings(qualify(parse("select naam from a.p"), SCHEMA, SCHEMA), SUBJECTS)
    with pytest.raises(Refused) as caught:
        require(binding)
    assert caught.value.rule == "subject-required"
    assert "bsn = $bsn" in caught.value.next.en


def test_a_name_means_the_common_table_before_it_not_the_one_after() -> None:
    # `q` reads the outer `w`, everybody; the inner `w`, one person, comes later.
    inner = "with q as (select bsn from w), w as (select bsn from b.i where bsn = '1') select bsn from q"
    sql = f"with w as (select bsn from a.adres) select naam from a.p where bsn in ({inner})"
    assert bound(sql) == {"p": False, "i": True}


def test_a_common_table_that_reads_its_namesake_ends() -> None:
    inner = "with w as (select bsn from w) select bsn from w"
    sql = f"with w as (select bsn from b.i where bsn = '1') select naam from a.p where bsn in ({inner})"
    assert bound(sql) == {"i": True, "p": True}
