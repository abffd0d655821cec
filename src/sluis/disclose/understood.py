"""Questions that were understood, kept for the next of the same form; and how many a peer may have understood at once."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from sluis.disclose.model import Bounds, Opened
from sluis.disclose.understand import Statement, understand
from sluis.kernel import PeerId
from sluis.sources import Source
from sluis.statement import Combiner, SubQuestion


class Understood:
    """What was understood. Belongs to one event loop.

    Args:
        sources: by the name that datasets use.
        combiner: computes what sources cannot.
        bounds: how many are kept, how long they may be together (bytes of SQL), and how many of one peer are understood at once.
    """

    def __init__(self, sources: Mapping[str, Source], combiner: Combiner, bounds: Bounds) -> None:
        self._sources, self._combiner, self._bounds = sources, combiner, bounds
        self._statements: OrderedDict[tuple[Any, ...], Statement] = OrderedDict()
        self._length = 0
        self._turns: dict[PeerId, asyncio.Semaphore] = {}

    async def of(self, peer: PeerId, question: SubQuestion, opened: Mapping[str, Opened]) -> Statement:
        """A question as it was understood for this peer under these disclosures, with all its values aside.

        Raises:
            Invalid, Refused: as `understand`.
            SourceFailure: the source does not say what it has.
        """
        seal = question.seal
        key = (
            question.sql, peer, question.activity, question.combining,
            tuple((one.disclosure.id, one.digest) for one in opened.values()),
            tuple(question.types.items()), tuple((name, type(value)) for name, value in question.parameters.items()),
            tuple((name, one.type) for name, one in question.keys.items()), (seal.columns, seal.parameters) if seal else None,
        )  # fmt: skip
        statement = self._statements.get(key)
        if statement is None:
            async with self._turns.setdefault(peer, asyncio.Semaphore(self._bounds.understood_at_once)):
                statement = await asyncio.to_thread(
                    understand, question, peer, opened, self._sources, self._combiner
                )
            self._keep(key, statement)
        self._statements.move_to_end(key)
        return statement

    def _keep(self, key: tuple[Any, ...], statement: Statement) -> None:
        """Keep a statement, in the place of those that were used longest ago. A long one takes megabytes, so they are counted by
        their length as well."""
        if key not in self._statements:
            self._length += len(key[0])
        self._statements[key] = statement
        bounds = self._bounds
        while len(self._statements) > bounds.prepared or (
            self._length > bounds.prepared_length and len(self._statements) > 1
        ):
            self._length -= len(self._statements.popitem(last=False)[0][0])
