"""Finding in the catalogues of this node and of others: an index that is made when somebody searches or something was harvested, and
made again, in the background, when something else is published.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec

from sluis.catalogue.harvesting import Harvester
from sluis.catalogue.listing import Chosen, Finds, Order, listed
from sluis.catalogue.model import Entry, Of
from sluis.catalogue.service import Catalogue, no_catalogue

if TYPE_CHECKING:
    from sluis.catalogue.search import SearchIndex

_PATIENCE: Final = 0.3  # seconds that a search waits for what changed to be in the index
_AT_ONCE = 2  # searches that have a thread: anybody may search, and others need threads too


class Finder:
    """Searches in what is published. Belongs to one event loop.

    Nobody waits for a large index: while the new one is made, the old one answers, without what this node took back meanwhile.

    Args:
        catalogue: of this node; None where there is none.
        harvester: keeps those of others; None where there is no group.
    """

    def __init__(self, catalogue: Catalogue | None, harvester: Harvester | None) -> None:
        self._catalogue, self._harvester = catalogue, harvester
        self._made: _Made | None = None
        self._making: asyncio.Task[_Made] | None = None
        self._some = asyncio.Semaphore(_AT_ONCE)

    async def search(self, text: str, chosen: Chosen, page: int, order: Order = "relevance") -> Finds:
        """A page of what was found, as `SearchIndex.search`. Raises `NotFound` where nothing can be looked through."""
        if self._catalogue is None and self._harvester is None:
            raise no_catalogue()
        made = await self._current()
        gone = made.published - _addresses(self._entries()) if made.entries is not self._entries() else ()
        async with self._some:
            return await asyncio.to_thread(made.index.search, text, chosen, page, order, gone)

    async def renew(self) -> None:
        """Make an index of what is published now, before anybody searches."""
        if self._catalogue is not None or self._harvester is not None:
            await asyncio.shield(self._begun())

    async def _current(self) -> "_Made":
        """The index of what is published now; where that takes long, the one before."""
        if self._made is not None and self._is_of_now(self._made):
            return self._made
        making = self._begun()
        if self._made is None:
            await asyncio.shield(making)
        else:
            await asyncio.wait([making], timeout=_PATIENCE)
        assert self._made is not None
        return self._made

    def _begun(self) -> "asyncio.Task[_Made]":
        if self._making is None or self._making.done():
            self._making = asyncio.get_running_loop().create_task(self._make())
        return self._making

    async def _make(self) -> "_Made":
        entries, changes = self._entries(), self._harvester.changes if self._harvester else 0
        of = self._catalogue.of if self._catalogue else None
        index = await asyncio.to_thread(_index_of, of, entries, self._harvester)
        self._made = _Made(index, entries, changes, _addresses(entries))
        return self._made

    def _is_of_now(self, made: "_Made") -> bool:
        return made.entries is self._entries() and made.changes == (
            self._harvester.changes if self._harvester else 0
        )

    def _entries(self) -> tuple[Entry, ...]:
        return self._catalogue.entries() if self._catalogue else ()


class _Made(msgspec.Struct, frozen=True):
    """An index, and of what it is: the entries of this node, and how often those of others had changed."""

    index: Any
    entries: tuple[Entry, ...]
    changes: int
    published: frozenset[str]


def _addresses(entries: tuple[Entry, ...]) -> frozenset[str]:
    return frozenset(one.iri for one in entries if one.published)


def _index_of(of: Of | None, entries: Any, harvester: Harvester | None) -> "SearchIndex":
    from sluis.catalogue.search import SearchIndex  # the engine is loaded for who searches

    return SearchIndex(listed(of, entries, harvester.found() if harvester else ()))
