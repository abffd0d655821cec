"""What is remembered between questions so that many small answers do not add up to a forbidden one: how often a
budget was drawn on, and the groups that were told. Kept by the owner for its askers, and by a combiner for its people.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from weakref import WeakValueDictionary

import msgspec
import pyarrow as pa
from sqlalchemy import Connection, text

from sluis.crypto import KeyStore, canonical
from sluis.statement.counts import Groups, levels, reduce
from sluis.statement.differencing import Level, cells_in, too_close
from sluis.store import Migration, Store, migrate

MIGRATIONS = (
    Migration(
        "memory",
        (
            """CREATE TABLE statement_spent (purse TEXT NOT NULL, day TEXT NOT NULL, question TEXT NOT NULL,
            PRIMARY KEY (purse, day, question))""",
            """CREATE TABLE statement_told (board TEXT NOT NULL, question TEXT NOT NULL, day TEXT NOT NULL,
            cells BIGINT NOT NULL, levels TEXT NOT NULL, PRIMARY KEY (board, question))""",
        ),
    ),
)

SPENT = "SELECT count(*) FROM statement_spent WHERE purse = :purse AND day = :day AND question <> :question"
"""How many other questions drew on a budget that day."""

SPEND = """INSERT INTO statement_spent (purse, day, question) VALUES (:purse, :day, :question)
ON CONFLICT DO NOTHING"""
"""Draw on a budget; the same question again costs nothing."""

FORGET_SPENT = "DELETE FROM statement_spent WHERE day < :day"
"""Budgets are per day."""

TOLD = "SELECT levels FROM statement_told WHERE board = :board AND question <> :question AND day >= :day"
"""What was told in answer to other questions about the same data."""

TELL = """INSERT INTO statement_told (board, question, day, cells, levels)
VALUES (:board, :question, :day, :cells, :levels)
ON CONFLICT (board, question) DO UPDATE SET day = excluded.day, cells = excluded.cells, levels = excluded.levels"""
"""Remember what is about to be told."""

FORGET_TOLD = "DELETE FROM statement_told WHERE day < :day"
"""After a year the people in a group are others."""

MAX_CELLS = 250_000
"""Groups remembered per board; who asks for more waits until some are forgotten. Comparing takes time with each."""

_REMEMBERED = timedelta(days=366)


class TooClose(msgspec.Struct, frozen=True):
    """An answer that may not be told; `dataset` is of those that the question is about."""

    dataset: str


class Memory:
    """Budgets and told groups in the node's own database; durable when a method returns. Made by `open_memory`."""

    def __init__(self, store: Store, keys: KeyStore) -> None:
        self._store, self._keys = store, keys
        self._boards: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def digest(self, value: Any) -> str:
        """What a question or a value is remembered by: a keyed hash, as either may name a person."""
        plain = value if isinstance(value, list) else [str(value)]
        return self._keys.mac("statement-memory", canonical(plain)).hex()

    async def spend(self, purse: str, day: date, question: str, limit: int) -> bool:
        """Draw on a budget.

        Args:
            purse: whose budget for what; no personal data.
            day: it is of.
            question: which one draws; the same draws once a day.
            limit: how many different questions may.

        Returns:
            False when so many did that day already.

        Raises:
            Unkept: it could not be counted; nothing may be told.
        """

        def work(connection: Connection) -> bool:
            known = {"purse": purse, "day": day.isoformat(), "question": question}
            connection.execute(text(FORGET_SPENT), {"day": day.isoformat()})
            if connection.execute(text(SPENT), known).scalar_one() >= limit:
                return False
            connection.execute(text(SPEND), known)
            return True

        return await self._store.write(work)

    async def release(
        self, table: pa.Table, groups: Groups, fixed: Mapping[str, Any], who: str, day: date, question: str
    ) -> pa.Table | TooClose:
        """The groups of an answer that may be told, after what was told before; remembered before they are told.

        Args:
            table: the executed statement's whole answer.
            groups: of the question.
            fixed: from `counts.constants`.
            who: whom it is told to.
            day: today.
            question: digest of the whole question.

        Returns:
            the answer, or the dataset of which too few people would be left between two answers.

        Raises `Unkept`.
        """
        told = await asyncio.to_thread(reduce, table, groups)
        found = await asyncio.to_thread(levels, told, groups, fixed, self.digest)
        for dataset in groups.datasets:
            if not await self.tell(f"{who}|{dataset}", day, question, found, groups.minimum):
                return TooClose(dataset)
        return told.answer

    async def tell(self, board: str, day: date, question: str, levels: Sequence[Level], minimum: int) -> bool:
        """Remember groups before they are told; False, and nothing remembered, when they are too close to earlier ones.

        Args:
            board: what is compared with each other: an asker and a dataset.
            day: today.
            question: digest of the whole question; its own earlier answer is not compared.
            levels: the groups, see `counts.levels`.
            minimum: fewest people that a difference may be about.

        Raises `Unkept`.
        """
        lock = self._boards.setdefault(board, asyncio.Lock())
        async with lock:  # nothing may be told between comparing and remembering; one process writes a store
            if not await asyncio.to_thread(self._may_tell, board, day, question, levels, minimum):
                return False
            known = {
                "board": board, "question": question, "day": day.isoformat(), "cells": cells_in(levels),
                "levels": msgspec.json.encode(levels).decode(),
            }  # fmt: skip

            def work(connection: Connection) -> bool:
                connection.execute(text(FORGET_TOLD), {"day": (day - _REMEMBERED).isoformat()})
                connection.execute(text(TELL), known)
                return True

            return await self._store.write(work)

    def _may_tell(self, board: str, day: date, question: str, levels: Sequence[Level], minimum: int) -> bool:
        known = {"board": board, "question": question, "day": (day - _REMEMBERED).isoformat()}
        with self._store.read() as connection:
            kept = connection.execute(text(TOLD), known).scalars().all()
        before = [level for one in kept for level in msgspec.json.decode(one, type=tuple[Level, ...])]
        return cells_in(before) + cells_in(levels) <= MAX_CELLS and not too_close(levels, before, minimum)


def open_memory(store: Store, keys: KeyStore) -> Memory:
    """The memory kept in this database, values in it hidden by these keys. Raises `Conflict`, `Unkept`."""
    migrate(store, "statement", MIGRATIONS)
    return Memory(store, keys)
