"""A ledger that is a list, for whoever decides and has it written down."""

from collections.abc import Sequence
from datetime import datetime

from sluis.kernel import Text, Unkept
from sluis.ledger import Decision, Position


class Kept:
    """What was written down; `full` makes it refuse to keep."""

    def __init__(self) -> None:
        self.records: list[Decision] = []
        self.full = False

    async def append(self, records: Sequence[Decision]) -> Position:
        if self.full:
            raise Unkept("disk-full", *[Text("Vol.", "Full.")] * 3)
        self.records += records
        return Position("log", len(self.records) - 1, len(self.records), 0)

    def subject(self, kind: str, value: str, moment: datetime) -> str:
        raise AssertionError
