"""Finding in the catalogues of this node and of others: an index that is made when somebody searches, and made again when
something else is published or was harvested.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from sluis.catalogue.harvesting import Harvester
from sluis.catalogue.listing import Chosen, Finds, listed
from sluis.catalogue.model import Of
from sluis.catalogue.service import Catalogue, no_catalogue

if TYPE_CHECKING:
    from sluis.catalogue.search import SearchIndex

_AT_ONCE = 2  # searches that have a thread: anybody may search, and others need threads too


class Finder:
    """Searches in what is published. Belongs to one event loop.

    Args:
        catalogue: of this node; None where there is none.
        harvester: keeps those of others; None where there is no group.
    """

    def __init__(self, catalogue: Catalogue | None, harvester: Harvester | None) -> None:
        self._catalogue, self._harvester = catalogue, harvester
        self._state: tuple[Any, ...] = ()
        self._index: SearchIndex | None = None
        self._making, self._some = asyncio.Lock(), asyncio.Semaphore(_AT_ONCE)

    async def search(self, text: str, chosen: Chosen, page: int) -> Finds:
        """A page of what was found, as `SearchIndex.search`. Raises `NotFound` where nothing can be looked through."""
        if self._catalogue is None and self._harvester is None:
            raise no_catalogue()
        index = await self._current()
        async with self._some:
            return await asyncio.to_thread(index.search, text, chosen, page)

    async def _current(self) -> "SearchIndex":
        """The index of what is published now: what was taken back is not found any more."""
        async with self._making:
            entries = self._catalogue.entries() if self._catalogue else ()
            state = (entries, self._harvester.changes if self._harvester else 0)
            if self._index is None or state[0] is not self._state[0] or state[1] != self._state[1]:
                of = self._catalogue.of if self._catalogue else None
                self._index = await asyncio.to_thread(_made, of, entries, self._harvester)
                self._state = state
            return self._index


def _made(of: Of | None, entries: Any, harvester: Harvester | None) -> "SearchIndex":
    from sluis.catalogue.search import SearchIndex  # the engine is loaded for who searches

    return SearchIndex(listed(of, entries, harvester.found() if harvester else ()))
