"""The asker's part in sealed joins: it carries keys it cannot read. The first owner that must hand out tokens draws
the question's key and seals it to the others; everyone else is asked after that, with the key sealed to them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pyarrow as pa

from sluis.kernel import Problem, decode
from sluis.query.owners import Owners, unusable
from sluis.query.plan import Part, Ready
from sluis.statement import SEALS, Seal

Consultation = Callable[[Seal | None], Awaitable[tuple[pa.Table, Any]]]


class Seals:
    """The seals of one question.

    Args:
        question: its id, which every token is bound to.
        ready: the question, to know which owners will meet tokens.
        owners: for their cards.
    """

    def __init__(self, question: str, ready: Ready, owners: Owners) -> None:
        self._question, self._ready, self._owners = question, ready, owners
        self._drawn: asyncio.Future[dict[str, Seal]] | None = None

    async def around(self, part: Part, consult: Consultation) -> pa.Table:
        """Consult an owner with the seal it needs; the rows it gave."""
        if not part.sealed_outputs and not part.sealed_keys:
            return (await consult(None))[0]
        if self._drawn is None:
            return await self._draw(part, consult)
        granted = await self._drawn
        owner = self._owners.by_alias[part.alias]
        if owner.peer not in granted:
            raise unusable(owner)
        seal = msgspec.structs.replace(
            granted[owner.peer], columns=part.sealed_outputs, parameters=part.sealed_keys
        )
        return (await consult(seal))[0]

    async def _draw(self, part: Part, consult: Consultation) -> pa.Table:
        """Let the first owner draw the key; the others wait for it."""
        self._drawn = asyncio.get_running_loop().create_future()
        try:
            cards = [(await self._owners.known(alias)).card for alias in self._openers()]
            table, closing = await consult(Seal(self._question, part.sealed_outputs, openers=tuple(cards)))
            granted = self._granted(closing.extra.get(SEALS, b"{}"), part)
        except BaseException as failure:
            self._drawn.set_exception(failure)
            self._drawn.exception()  # nobody may be waiting for it
            raise
        self._drawn.set_result(granted)
        return table

    def _granted(self, raw: bytes, part: Part) -> dict[str, Seal]:
        try:
            return decode(raw, dict[str, Seal])
        except (msgspec.MsgspecError, Problem) as error:
            raise unusable(self._owners.by_alias[part.alias]) from error

    def _openers(self) -> list[str]:
        """The owners that will meet tokens, the maker among them: it may be asked twice."""
        parts = [self._ready.part(fetch) for fetch in self._ready.plan.fetches]
        return sorted({part.alias for part in parts if part.sealed_outputs or part.sealed_keys})
