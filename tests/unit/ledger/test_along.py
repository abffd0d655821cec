"""A change that comes along with records: both, or neither."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from tests.unit.ledger.examples import opened, processing

from sluis.kernel import Conflict, Text, Unkept
from sluis.ledger import Ledger
from sluis.store import Store

MAKE = "CREATE TABLE things (name TEXT PRIMARY KEY)"


def adds(name: str):
    def work(connection: Connection) -> None:
        connection.execute(text("INSERT INTO things (name) VALUES (:name)"), {"name": name})

    return work


def refuses(connection: Connection) -> None:
    adds("half")(connection)
    raise Conflict("no", Text("Nee", "No"), Text("Nee", "No"), Text("Nee", "No"))


def things(store: Store) -> list[str]:
    with store.read() as connection:
        return [row.name for row in connection.execute(text("SELECT name FROM things ORDER BY name"))]


def kept(ledger: Ledger) -> int:
    return ledger._records.size


async def test_both_are_kept(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, ledger):
        await store.write(lambda connection: connection.execute(text(MAKE)) and None)
        position = await ledger.append([processing("a"), processing("b")], adds("one"))
        assert (things(store), kept(ledger), position.index) == (["one"], 2, 1)


async def test_a_change_without_records_is_kept(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, ledger):
        await store.write(lambda connection: connection.execute(text(MAKE)) and None)
        await ledger.append([], adds("one"))
        assert (things(store), kept(ledger)) == (["one"], 0)


async def test_what_refuses_the_change_refuses_the_records_and_nobody_else_s(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, ledger):
        await store.write(lambda connection: connection.execute(text(MAKE)) and None)
        outcomes = await asyncio.gather(
            ledger.append([processing("a")], adds("first")),
            ledger.append([processing("b"), processing("c")], refuses),
            ledger.append([processing("d")]),
            ledger.append([processing("e")], adds("first")),  # a key that is there already
            ledger.append([processing("f")], adds("last")),
            return_exceptions=True,
        )
        assert [type(one).__name__ for one in outcomes] == [
            "Position", "Conflict", "Position", IntegrityError.__name__, "Position",
        ]  # fmt: skip
        assert (things(store), kept(ledger)) == (["first", "last"], 3)
        await ledger.append([processing("g")])  # and the log goes on
        assert kept(ledger) == 4


async def test_records_that_are_refused_take_the_change_with_them(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, ledger):
        await store.write(lambda connection: connection.execute(text(MAKE)) and None)
        with pytest.raises(Unkept):
            await ledger.append([processing("a", trace_id="not a trace")], adds("one"))
        assert (things(store), kept(ledger)) == ([], 0)
        await ledger.append([processing("b")], adds("two"))
        assert (things(store), kept(ledger)) == (["two"], 1)
