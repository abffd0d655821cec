"""How a plan is run: order, chunks, what is not asked, and what happens when a site fails."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from sites import Sites, Tables, rows_of

from sluis.kernel import Upstream
from sluis.statement.combine import Combiner
from sluis.statement.run import Keys, Pace, run
from sluis.statement.split import Fetch, Plan

TABLES: Tables = {
    "a.p": ({"bsn": "INTEGER", "name": "VARCHAR"}, [(n, f"name {n}") for n in range(50)]),
    "b.t": ({"bsn": "BIGINT", "z": "DECIMAL(10,2)"}, [(n % 25, n) for n in range(100)]),
    "c.u": ({"bsn": "BIGINT", "w": "INTEGER"}, [(n, n) for n in range(5)]),
}
CHAIN = "SELECT p.name, t.z FROM a.p JOIN b.t ON t.bsn = p.bsn WHERE p.name LIKE 'name 1%'"


@pytest.fixture(scope="module")
def databases() -> Iterator[Sites]:
    made = Sites(TABLES)
    yield made
    made.close()


@pytest.fixture
def sites(databases: Sites) -> Sites:
    return databases.anew()


def test_long_key_list_goes_in_chunks(sites: Sites) -> None:
    table = asyncio.run(sites.answer(sites.plan(CHAIN), pace=Pace(chunk=4), bulk=False))
    keys = [keys["k0"] for site, _, keys in sites.asked if site == "b"]
    assert [len(one) for one in keys] == [4, 4, 3]
    assert sorted(key for one in keys for key in one) == [1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]
    assert sites.left["b"] == 44
    assert sorted(rows_of(table)) == sorted(rows_of(sites.ask_all(CHAIN)))


def test_two_key_lists_are_asked_in_every_combination_of_chunks(sites: Sites) -> None:
    sql = """SELECT t.z FROM b.t WHERE t.bsn IN (SELECT bsn FROM a.p WHERE bsn BETWEEN 0 AND 8)
             AND t.bsn IN (SELECT w FROM c.u WHERE w IN (2, 3, 4))"""
    table = asyncio.run(sites.answer(sites.plan(sql), pace=Pace(chunk=2), bulk=False))
    assert sorted(rows_of(table)) == sorted(rows_of(sites.ask_all(sql)))
    assert sites.left["b"] == 12


def test_few_chunks_are_under_way_at_once(sites: Sites) -> None:
    plan = sites.plan(CHAIN)
    now, most = 0, 0

    async def ask(fetch: Fetch, keys: Keys) -> pa.Table:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= 1
        return await sites.ask(fetch, keys, {}, {})

    asyncio.run(_run(plan, ask, pace=Pace(chunk=1, at_once=3)))
    assert most == 3


def test_key_side_without_rows_leaves_the_next_site_alone(sites: Sites) -> None:
    plan = sites.plan("SELECT p.name, t.z FROM a.p LEFT JOIN b.t ON t.bsn = p.bsn WHERE p.name = 'nobody'")
    table = asyncio.run(sites.answer(plan, bulk=False))
    assert [site for site, _, _ in sites.asked] == ["a"]
    assert table.num_rows == 0
    assert [str(kind) for kind in table.schema.types] == ["string", "decimal128(10, 2)"]


def test_too_many_keys_are_left_out_only_where_bulk_is_allowed(sites: Sites) -> None:
    for bulk, left in ((True, 100), (False, 44)):
        sites.left.clear()
        asyncio.run(sites.answer(sites.plan(CHAIN), pace=Pace(chunk=4, many=10), bulk=bulk))
        assert sites.left["b"] == left


def test_keys_that_nothing_restricts_are_not_waited_for_in_bulk(sites: Sites) -> None:
    plan = sites.plan("SELECT p.name, t.z FROM a.p JOIN b.t ON t.bsn = p.bsn")
    asyncio.run(sites.answer(plan, bulk=True))
    assert all(keys == {} for _, _, keys in sites.asked)
    sites.asked.clear()
    asyncio.run(sites.answer(plan, bulk=False))
    assert sum(bool(keys) for _, _, keys in sites.asked) == 1


def test_independent_sites_are_asked_at_once(sites: Sites) -> None:
    sql = (
        "SELECT p.name, t.z, u.w FROM a.p JOIN b.t ON t.bsn = p.bsn JOIN c.u ON u.bsn = p.bsn WHERE p.bsn = 3"
    )
    plan = sites.plan(sql)
    meeting = asyncio.Barrier(3)

    async def ask(fetch: Fetch, keys: Keys) -> pa.Table:
        async with asyncio.timeout(5), meeting:
            return await sites.ask(fetch, keys, {}, {})

    assert asyncio.run(_run(plan, ask)).num_rows == 4


def test_it_is_told_when_the_last_site_is_about_to_be_asked(sites: Sites) -> None:
    order: list[str] = []

    async def ask(fetch: Fetch, keys: Keys) -> pa.Table:
        order.append(fetch.site)
        return await sites.ask(fetch, keys, {}, {})

    asyncio.run(_run(sites.plan(CHAIN), ask, asked=lambda: order.append("everyone")))
    assert order == ["a", "everyone", "b"]


def test_what_the_end_of_asking_sets_going_goes_on_before_combining(sites: Sites) -> None:
    order: list[str] = []

    class Last(Combiner):
        async def combine(self, *given: Any) -> pa.Table:
            order.append("combined")
            return await super().combine(*given)

    async def ask(fetch: Fetch, keys: Keys) -> pa.Table:
        return await sites.ask(fetch, keys, {}, {})

    def arrived() -> None:
        asyncio.get_running_loop().call_soon(order.append, "set going")

    asyncio.run(_run(sites.plan(CHAIN), ask, combiner=Last(spares=0), arrived=arrived))
    assert order == ["set going", "combined"]


def test_failure_of_one_site_ends_the_others(sites: Sites) -> None:
    sql = "SELECT p.name, t.z FROM a.p JOIN b.t ON t.bsn = p.bsn WHERE p.bsn = 3"
    ended = []

    async def ask(fetch: Fetch, keys: Keys) -> pa.Table:
        if fetch.site == "a":
            raise RuntimeError("down")
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(fetch.site)
        raise AssertionError

    with pytest.raises(RuntimeError, match="down"):
        asyncio.run(_run(sites.plan(sql), ask))
    assert ended == ["b"]


@pytest.mark.parametrize(
    "answer",
    [pa.table({"other": [1]}), pa.table({"name": ["x"], "bsn": ["no number"]}), pa.table({"name": ["x"]})],
)
def test_answer_of_other_columns_or_types_is_refused(sites: Sites, answer: pa.Table) -> None:
    async def ask(fetch: Fetch, keys: Keys) -> pa.Table:
        return answer if fetch.site == "a" else await sites.ask(fetch, keys, {}, {})

    with pytest.raises(Upstream) as refusal:
        asyncio.run(_run(sites.plan(CHAIN), ask))
    assert refusal.value.code == "wrong-answer"
    assert refusal.value.peer == "a"
    assert "no number" not in str(refusal.value)


def test_query_with_fewer_keys_keeps_its_other_conditions(sites: Sites) -> None:
    sql = """SELECT t.z FROM b.t WHERE t.z > 1 AND t.bsn IN (SELECT bsn FROM a.p WHERE name LIKE 'name %')
             AND t.bsn IN (SELECT w FROM c.u WHERE w IN (2, 3, 4))"""
    fetch = next(fetch for fetch in sites.plan(sql).fetches if fetch.site == "b")
    assert {use.parameter for use in fetch.keys} == {"k0", "k1"}
    only = fetch.select(frozenset({"k1"})).sql("duckdb").replace('"', "")
    assert "$k0" not in only
    assert "t.z > 1" in only
    assert "t.bsn = ANY($k1)" in only


async def _run(plan: Plan, ask: Any, combiner: Combiner | None = None, **options: Any) -> pa.Table:
    combiner = combiner or Combiner(spares=0)
    try:
        return await run(plan, ask, {}, combiner, **options)
    finally:
        combiner.close()
