"""Going on without an owner that keeps a question waiting: who asked says so, and the work for that owner ends as one that failed.

What was sent to it stays on record, as of any crossing that brought nothing.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from sluis.kernel import Problem, Text, Upstream

T = TypeVar("T")


class Leaving:
    """The owners without which one question goes on."""

    def __init__(self) -> None:
        self._left: dict[str, asyncio.Future[Problem]] = {}

    def leave(self, owner: str, problem: Problem) -> None:
        """Go on without this owner from now on; `problem` says why its part is not there."""
        left = self._of(owner)
        if not left.done():
            left.set_result(problem)

    async def unless(self, owner: str, work: Coroutine[Any, Any, T]) -> T:
        """What this work gives.

        Args:
            owner: for which it is done.
            work: cancelled when the question goes on without that owner; what it does then is waited for.

        Raises:
            Problem: its own, or why the question goes on without the owner.
        """
        left = self._of(owner)
        if left.done():
            work.close()
            raise left.result()
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait((task, left), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise left.result()
        finally:
            while not task.done():
                task.cancel()
                await asyncio.wait((task,))
            if not task.cancelled():
                task.exception()  # noted: it was raised above, or nobody waits for it any more

    def _of(self, owner: str) -> asyncio.Future[Problem]:
        return self._left.setdefault(owner, asyncio.get_running_loop().create_future())


def left_out(name: str, seconds: int) -> Upstream:
    """Why the part of an owner is not there: who asked did not wait for it any longer than so many seconds."""
    return Upstream(
        "left-out",
        Text(f"U ging verder zonder {name}.", f"You went on without {name}."),
        Text(f"Na {seconds} {'seconde' if seconds == 1 else 'seconden'} was er nog geen antwoord.",
             f"After {seconds} {'second' if seconds == 1 else 'seconds'} there was no answer yet."),
        Text("Stel de vraag later opnieuw als u dit deel nodig hebt.", "Ask again later when you need this part."),
        peer=name,
        retry=True,
    )  # fmt: skip
