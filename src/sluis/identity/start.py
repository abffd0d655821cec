"""What somebody finds on the first page when they are signed in: what happened lately, what waits for them, and where to go on.

Each room tells a little of its own (`Source`), at the same time as the others. One that is late or fails leaves a gap that says so,
and the page comes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from sluis.kernel import Level, Refused, Text, cause_of, reaches
from sluis.web import Audience, SignedIn

log = logging.getLogger("sluis.node")

SECONDS = 1.5
"""That each may take."""

FEW = 3
"""Lines of each."""


class Line(msgspec.Struct, frozen=True):
    """One thing that happened.

    Args:
        what: in words.
        at: seconds since the epoch; None where that says nothing.
        who: an organisation or a person, by name.
        state: how it stands, in a word.
    """

    what: Text
    at: int | None = None
    who: str = ""
    state: Text | None = None


class Told(msgspec.Struct, frozen=True):
    """What a room tells.

    Args:
        lines: the newest, no more than `FEW`.
        nothing: what to say where there are none.
    """

    lines: tuple[Line, ...] = ()
    nothing: Text | None = None


class Source(msgspec.Struct, frozen=True):
    """A room that tells something on the first page.

    Args:
        title: above it.
        href: the page with all of it.
        action: what the link there says.
        read: tells; None where there is nothing to say at all. Raises `Refused` for who may not see it.
        audiences: for whom.
        level: of assurance at which somebody must have signed in; None: any.
        waits: whether what it tells waits for the person, and so comes first.
    """

    title: Text
    href: str
    action: Text
    read: Callable[[SignedIn], Awaitable[Told | None]]
    audiences: tuple[Audience, ...] = ("citizen", "company")
    level: Level | None = "substantial"
    waits: bool = False


class Block(msgspec.Struct, frozen=True):
    """A part of the page: of which source, and what it told. None: it did not answer now."""

    source: Source
    told: Told | None


class Start:
    """The first page of who is signed in. `serve` gives it the sources, once all rooms are there."""

    def __init__(self) -> None:
        self._sources: tuple[Source, ...] = ()

    def tells(self, sources: Sequence[Source]) -> None:
        """Have these tell, in this order; what waits comes first."""
        self._sources = tuple(sorted(sources, key=lambda one: not one.waits))

    def hidden(self, person: SignedIn) -> bool:
        """Whether there is more for who signs in more surely."""
        return any(not _sure(one, person) for one in self._for(person))

    async def of(self, person: SignedIn, seconds: float = SECONDS) -> list[Block]:
        """What there is to tell, in order.

        Args:
            person: who is signed in.
            seconds: that each source may take; they are read at once.
        """
        sources = [one for one in self._for(person) if _sure(one, person)]
        found = await asyncio.gather(*(self._read(one, person, seconds) for one in sources))
        return [one for one in found if one is not None]

    def _for(self, person: SignedIn) -> list[Source]:
        return [one for one in self._sources if person.audience in one.audiences]

    @staticmethod
    async def _read(source: Source, person: SignedIn, seconds: float) -> Block | None:
        try:
            async with asyncio.timeout(seconds):
                told = await source.read(person)
        except Refused:  # not for whom they act now: the page of it says why
            return None
        except Exception as failure:
            log.warning("%s is missing on a first page: %s", source.href, cause_of(failure))
            return Block(source, None)
        return None if told is None else Block(source, told)


def _sure(source: Source, person: SignedIn) -> bool:
    return source.level is None or reaches(person.level, source.level)
