"""How many requests to addresses of recipients' own are under way at once: of a node, and of each owner of subscriptions.

An owner may have as many as are left over for others. Alone it has half of all; of several that want all there are, each gets an
equal part, and a part as large stays free for who comes next. So no owner, whatever its addresses do, keeps another from sending.
"""

import asyncio
from collections import Counter, deque

MOST = 512
"""Requests of a process at once."""

PATIENCE = 5.0
"""Seconds that a request waits for its turn."""


class Slots:
    """Who may send now. For one event loop.

    Args:
        most: requests at once.
        patience: seconds that one waits.
    """

    def __init__(self, most: int = MOST, patience: float = PATIENCE) -> None:
        self._left, self._patience = most, patience
        self._of = Counter[str]()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def take(self, owner: str) -> bool:
        """Have one of an owner's, or wait for it in the order in which they came; whether there was one in time. To be given back."""
        if owner not in self._waiting and self._may(owner):
            self._count(owner)
            return True
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append(turn)
        try:
            await asyncio.wait([turn], timeout=self._patience)
        except BaseException:
            if turn.done():
                self.give(owner)
            else:
                self._leave(owner, turn)
            raise
        if turn.done():
            return True
        self._leave(owner, turn)
        return False

    def give(self, owner: str) -> None:
        """Give one back; who has fewest comes first."""
        self._left += 1
        self._of[owner] -= 1
        if not self._of[owner]:
            del self._of[owner]
        while self._waiting:
            first = min(self._waiting, key=self._of.__getitem__)
            if not self._may(first):
                return
            turn = self._waiting[first][0]
            self._leave(first, turn)
            self._count(first)
            turn.set_result(None)

    def _may(self, owner: str) -> bool:
        return self._of[owner] < self._left

    def _count(self, owner: str) -> None:
        self._left -= 1
        self._of[owner] += 1

    def _leave(self, owner: str, turn: asyncio.Future[None]) -> None:
        self._waiting[owner].remove(turn)
        if not self._waiting[owner]:
            del self._waiting[owner]
