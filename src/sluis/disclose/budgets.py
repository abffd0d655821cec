"""What an asker may still ask: so many questions an hour, comparisons with a column that stays closed, and different questions for
groups, of which together no more may be told than one of them tells (`statement.Memory`)."""

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from sluis.disclose import rules
from sluis.disclose.model import Kind
from sluis.disclose.readers import Pulled
from sluis.disclose.records import Crossing, Permit
from sluis.disclose.understand import Statement
from sluis.kernel import PeerId, new_span_id
from sluis.statement import Groups, Memory, SubQuestion, TooClose, constants

_COUNTED: frozenset[Kind] = frozenset({"groups", "combining"})
"""What is answered with groups, here or at a combiner: every different question of these draws on a budget."""


class Budgets:
    """What was asked and told already. Belongs to one event loop.

    Args:
        memory: of budgets and groups that were told.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._asked_at: dict[tuple[str, PeerId], deque[datetime]] = {}

    def recall(self, permits: Iterable[Permit]) -> None:
        """As `Discloser.recall`."""
        for one in permits:
            self._asked_at.setdefault((one.disclosure, one.peer), deque()).append(one.moment)

    def hold_rate(self, peer: PeerId, statement: Statement, now: datetime) -> None:
        """At most so many questions in any hour, per disclosure; this is one. Raises `Refused` (`rate`)."""
        for one in statement.opened:
            if (limit := one.disclosure.questions_per_hour) is None:
                continue
            moments = self._asked_at.setdefault((one.disclosure.id, peer), deque())
            while moments and moments[0] <= now - timedelta(hours=1):
                moments.popleft()
            if len(moments) >= limit:
                raise rules.refused("rate", rules.legal_of([one]), retry=True)
            moments.append(now)

    def identity(self, statement: Statement, question: SubQuestion) -> str:
        """What makes two questions the same: their text and their values, as tokens are others each time. Empty for a question of
        which that does not matter."""
        if statement.kind not in _COUNTED:
            return ""
        keys = {
            name: [] if keys.sealed else [str(value) for value in keys.values]
            for name, keys in question.keys.items()
        }
        values = {name: str(value) for name, value in question.parameters.items()}
        return self._memory.digest([question.sql, values, keys])

    async def spend(self, crossing: Crossing, statement: Statement, identity: str) -> None:
        """Every comparison with a `filter` column counts; of questions for groups, every different one.

        Raises:
            Refused: `filter-budget` or `aggregate-budget`: what there was for the day is spent.
            Unkept: it could not be counted.
        """
        day, who = crossing.began.date(), f"{crossing.peer}|{crossing.question.activity}"
        for one in statement.opened:
            for dataset, column in statement.filtered:
                if dataset == one.dataset.name:
                    purse = f"filter|{who}|{dataset}.{column}"
                    limit = one.disclosure.filters[column].budget
                    if not await self._memory.spend(purse, day, new_span_id(), limit):
                        raise rules.refused("filter-budget", rules.legal_of([one]))
            rule = one.disclosure.aggregate
            if rule is not None:
                purse = f"aggregate|{who}|{one.dataset.name}"
                if not await self._memory.spend(purse, day, identity, rule.budget):
                    raise rules.refused("aggregate-budget", rules.legal_of([one]))

    async def reduced(
        self,
        crossing: Crossing,
        statement: Statement,
        groups: Groups,
        whole: Pulled,
        identity: str,
        values: Mapping[str, Any],
    ) -> Pulled:
        """Groups, all of them, reduced to what may be told beside what was told before.

        Args:
            whole: the groups as they were read.
            identity: of the question.
            values: of the parameters.

        Raises:
            Refused: `differencing`: beside another answer it would tell of somebody.
            Unkept: it could not be remembered.
        """
        table = pa.Table.from_batches(whole.batches, whole.batches[0].schema) if whole.batches else None
        if table is None:
            return Pulled([], ended=True)
        fixed = constants(statement.tree, statement.column_types, statement.types, values)
        who, day = f"told|{crossing.peer}", crossing.began.date()
        told = await self._memory.release(table, groups, fixed, who, day, identity)
        if isinstance(told, TooClose):
            raise rules.refused("differencing", rules.legal_of(statement.opened))
        return Pulled(told.combine_chunks().to_batches(), ended=True)
