"""The asking node as combiner: it makes groups of sealed rows of several owners, who each see only their own part. So
it remembers for all of them what its people were told, and how many questions they asked.
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from sluis.kernel import Clock
from sluis.query import rules
from sluis.query.plan import Ready
from sluis.statement import Memory, TooClose, constants

Values = Mapping[str, Any]


class Combining:
    """What questions over groups are held to. Questions of other kinds pass untouched.

    Args:
        memory: of budgets and told groups.
        clock: this node's clock.
    """

    def __init__(self, memory: Memory, clock: Clock) -> None:
        self._memory, self._clock = memory, clock

    async def hold_budget(self, ready: Ready, activity: str, values: Values) -> None:
        """Count a question over data of which this node makes groups, as their owners do. Raises `Refused`."""
        if ready.groups is None:
            return
        identity, day = self._identity(ready, values), self._clock().date()
        for dataset in ready.groups.datasets:
            rule = ready.offers[_dataset(dataset)].disclosure.aggregate
            purse = f"combine|{activity}|{dataset}"
            if rule is not None and not await self._memory.spend(purse, day, identity, rule.budget):
                raise rules.group_budget_used(ready.offers[_dataset(dataset)])

    async def told(self, table: pa.Table, ready: Ready, values: Values) -> pa.Table:
        """The answer; when this node makes the groups, those that may be told after what was told before.

        Raises:
            Refused: `differencing`.
        """
        if ready.groups is None:
            return table
        fixed = constants(ready.tree, ready.column_types, ready.types, values)
        identity, day = self._identity(ready, values), self._clock().date()
        told = await self._memory.release(table, ready.groups, fixed, "combine", day, identity)
        if isinstance(told, TooClose):
            raise rules.too_close(ready.offers[_dataset(told.dataset)])
        return told

    def _identity(self, ready: Ready, values: Values) -> str:
        """What makes two questions the same: their form and values."""
        return self._memory.digest([ready.shape, *(f"{name}={values[name]}" for name in sorted(values))])


def _dataset(name: str) -> tuple[str, str]:
    alias, _, dataset = name.partition(".")
    return alias, dataset
