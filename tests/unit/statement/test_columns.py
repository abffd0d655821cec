"""Column roles: `output` anywhere, `join` only equal to another key, `filter` only in WHERE with listed constants."""

from datetime import date
from typing import Any

import pytest

from sluis.grounds import Article, Closed, Disclosure, Filter
from sluis.kernel import Oin, PeerId, Period, Refused, Text
from sluis.statement import check, parse, qualify

TYPES = {"bsn": "VARCHAR", "naam": "VARCHAR", "partner": "VARCHAR", "status": "VARCHAR", "geheim": "BOOLEAN"}
SCHEMA = {"a": {"personen": TYPES}, "b": {"inkomen": {"bsn": "VARCHAR", "bedrag": "BIGINT"}}}
LAW = Article("Wet basisregistratie personen", "3.2", "BWBR0033715")
PERSONEN = Disclosure(
    id="d1", version=1, dataset="personen", recipient=PeerId("0" * 20), activity="urn:test",
    columns={"bsn": "output", "naam": "output", "partner": "join", "status": "filter"},
    filters={"status": Filter(operators=("=", "in"), values=("actief", "inactief"))},
    articles=(LAW,), ground="public-task", controller=Oin("0" * 20), valid=Period(date(2026, 1, 1)),
    closed=(Closed(("geheim",), Text("Niet nodig.", "Not needed."), LAW),),
)  # fmt: skip
INKOMEN = Disclosure(
    id="d2", version=1, dataset="inkomen", recipient=PeerId("0" * 20), activity="urn:test",
    columns={"bsn": "join", "bedrag": "output"}, articles=(LAW,), ground="public-task", controller=Oin("0" * 20),
    valid=Period(date(2026, 1, 1)),
)  # fmt: skip
RULES = {("a", "personen"): PERSONEN, ("b", "inkomen"): INKOMEN}


def ask(sql: str, values: dict[str, Any] | None = None, **sealed: Any) -> None:
    check(qualify(parse(sql), SCHEMA, SCHEMA), RULES, values or {}, **sealed)


def refused(sql: str, values: dict[str, Any] | None = None, **sealed: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        ask(sql, values, **sealed)
    return caught.value


@pytest.mark.parametrize(
    "place",
    [
        "select {c} from a.personen",
        "select 1 from a.personen where {c}",
        "select 1 from a.personen order by {c}",
        "select count(*) from a.personen group by {c}",
        "select count(*) from a.personen group by naam having max({c})",
        "select row_number() over (order by {c}) from a.personen",
        "select upper({c}::varchar) from a.personen",
        "select case when {c} then 1 end from a.personen",
        "select (select max({c}) from a.personen) from b.inkomen",
        "select count(*) filter (where {c}) from a.personen",
        "select x from (select {c} as x from a.personen)",
        "with t as (select {c} from a.personen) select 1 from t",
        "select 1 from a.personen p join b.inkomen i on p.{c}",
        "select naam from a.personen union all select {c}::varchar from a.personen",
        "select count(distinct {c}) from a.personen",
        "select 1 from b.inkomen where exists (select 1 from a.personen where {c})",
    ],
)
def test_a_closed_column_is_refused_wherever_it_stands(place: str) -> None:
    problem = refused(place.format(c="geheim"))
    assert problem.rule == "column-closed"
    assert "art. 3.2" in (problem.legal or "")


@pytest.mark.parametrize(
    "sql",
    [
        "select i.bedrag from a.personen p join b.inkomen i on i.bsn = p.partner",
        "select i.bedrag from a.personen p, b.inkomen i where (p.partner = i.bsn) and p.naam = 'x'",
        "select 1 from a.personen p left join b.inkomen i on i.bsn = p.bsn",
        "select 1 from a.personen p where exists (select 1 from b.inkomen i where i.bsn = p.bsn)",
        "select 1 from a.personen p where not exists (select 1 from b.inkomen i where i.bsn = p.partner)",
        "select 1 from a.personen p where p.partner in (select i.bsn from b.inkomen i)",
        "select 1 from a.personen p anti join b.inkomen i on i.bsn = p.partner",
    ],
)
def test_a_join_column_may_be_set_equal_to_another_key(sql: str) -> None:
    ask(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select partner from a.personen",
        "select 1 from a.personen where partner = '123456782'",
        "select 1 from a.personen where '123456782' = partner",
        "select 1 from a.personen where partner = $p",
        "select 1 from a.personen where partner = any($p)",
        "select 1 from a.personen where partner in ('1', '2')",
        "select 1 from a.personen where partner is null",
        "select 1 from a.personen order by partner",
        "select count(*) from a.personen group by partner",
        "select count(partner) from a.personen",
        "select count(distinct partner) from a.personen",
        "select 1 from a.personen where partner > bsn",
        "select 1 from a.personen p join b.inkomen i on i.bsn <> p.partner",
        "select 1 from a.personen p join b.inkomen i on i.bsn = p.partner or true",
        "select 1 from a.personen p join b.inkomen i on not (i.bsn = p.partner)",
        "select 1 from a.personen p where p.partner = p.bsn",
        "select i.bsn = p.partner from a.personen p, b.inkomen i",
        "select 1 from a.personen p where p.partner not in (select bsn from b.inkomen)",
        "select 1 from a.personen p where (select i.bsn from b.inkomen i) = p.partner",
        "select x from (select partner as x from a.personen) where x = '1'",
        "select 1 from (select partner as x from a.personen) q join b.inkomen i on i.bsn = q.x",
        "select coalesce(partner, '') from a.personen",
        "select case when p.partner = i.bsn then 1 end from a.personen p, b.inkomen i",
        "select count(*) filter (where p.partner = i.bsn) from a.personen p, b.inkomen i",
        "select naam in (select bsn from b.inkomen) from a.personen",
        "select 1 from a.personen where concat(naam, 'x') in (select bsn from b.inkomen)",
        "select 1 from a.personen where naam in (select distinct upper(bsn) from b.inkomen)",
        "select * from a.personen p join b.inkomen i using (bsn)",
        "select row_number() over (partition by partner) from a.personen",
        "select partner from a.personen union select naam from a.personen",
        "select 1 from a.personen p join b.inkomen i on p.partner || '' = i.bsn",
    ],
)
def test_a_join_column_tells_nothing_else(sql: str) -> None:
    assert refused(sql, {"p": "1"}).rule == "column-join-only"


def test_a_join_column_may_leave_or_enter_as_a_token() -> None:
    ask("select p.partner as t from a.personen p", sealed_outputs=["t"])
    ask("select bedrag from b.inkomen where bsn = any($k)", {"k": ["token"]}, sealed_parameters=["k"])
    refused("select p.partner as t, upper(p.partner) as u from a.personen p", sealed_outputs=["t", "u"])
    refused("select bedrag from b.inkomen where bsn = any($k)", {"k": ["1"]}, sealed_parameters=["other"])


@pytest.mark.parametrize(
    "sql",
    [
        "select naam from a.personen where status = 'actief'",
        "select naam from a.personen where 'actief' = status and naam = 'x'",
        "select naam from a.personen where (status = 'actief' or status = 'inactief')",
        "select naam from a.personen where status in ('actief', 'inactief')",
        "select naam from a.personen where status = $s",
        "select naam from a.personen where status = any($l)",
    ],
)
def test_a_filter_column_may_be_compared_in_where_with_what_is_listed(sql: str) -> None:
    ask(sql, {"s": "actief", "l": ["actief"]})


@pytest.mark.parametrize(
    "sql",
    [
        "select status from a.personen",
        "select naam from a.personen where status = 'anders'",
        "select naam from a.personen where status = $s",
        "select naam from a.personen where status = any($l)",
        "select naam from a.personen where status in ('actief', 'anders')",
        "select naam from a.personen where status > 'a'",
        "select naam from a.personen where status like 'a%'",
        "select naam from a.personen where status is null",
        "select naam from a.personen where not status = 'actief'",
        "select naam from a.personen where status = naam",
        "select naam from a.personen where upper(status) = 'ACTIEF'",
        "select naam from a.personen where case when status = 'actief' then true end",
        "select count(*) filter (where status = 'actief') from a.personen",
        "select naam, count(*) from a.personen group by naam having max(status) = 'actief'",
        "select naam from a.personen order by status",
        "select naam from a.personen group by naam, status",
        "select 1 from a.personen p join b.inkomen i on p.status = 'actief'",
        "select naam from a.personen where (status = 'actief') is null",
    ],
)
def test_a_filter_column_tells_nothing_else(sql: str) -> None:
    assert refused(sql, {"s": "anders", "l": ["actief", "anders"]}).rule in {
        "column-filter-only",
        "filter-value",
    }


def test_a_name_in_an_inner_query_belongs_to_the_nearest_table() -> None:
    """`i` is personen outside and inkomen inside: the inner `bsn` is the one that is join-only."""
    problem = refused("select i.bsn from a.personen i where exists (select i.bsn from b.inkomen i)")
    assert "b.inkomen.bsn" in problem.what.en
