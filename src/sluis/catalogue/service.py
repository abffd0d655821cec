"""The catalogue of a node: what is offered, and its bytes, made once and made again when something changed.

What changes while a node runs are its services and its measurements; the rest is read when it starts.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from sluis.catalogue.measuring import MEASUREMENTS_FILE, kept_measurements
from sluis.catalogue.model import Description, Entry, Form, Kind, Of, Whole
from sluis.catalogue.rules import project, published
from sluis.crypto import file_stamp
from sluis.grounds import Grounds
from sluis.kernel import NotFound, Text


class Written(msgspec.Struct, frozen=True):
    """A catalogue, or one entry of it, as it is sent; `tag` differs when the bytes do."""

    content: bytes
    tag: str


class Catalogue:
    """What can be found at this node. Belongs to one event loop.

    Args:
        whole: the catalogue itself.
        descriptions: of what is offered.
        grounds: of the node.
        services: gives the names of what is behind the inway now.
        own: of these, the node itself.
        of: whose catalogue it is.
        directory: of the node, where measurements are kept.
    """

    def __init__(
        self,
        whole: Whole,
        descriptions: Sequence[Description],
        grounds: Grounds,
        services: Callable[[], Collection[str]],
        own: str,
        of: Of,
        directory: Path,
    ) -> None:
        self._whole, self._descriptions, self._grounds = whole, descriptions, grounds
        self._services, self._own, self.of, self._directory = services, own, of, directory
        said = [whole.terms, *(one.terms for one in descriptions)]
        self.requires = any(one is not None and one.required for one in said)
        """Whether there is anything of which the terms must be accepted first."""
        self._state: tuple[Any, ...] = ()
        self._entries: tuple[Entry, ...] = ()
        self._written: dict[tuple[Form, str], Written] = {}
        self._one_at_a_time = asyncio.Lock()

    def entries(self) -> tuple[Entry, ...]:
        """Everything that is offered, published or not."""
        state = (frozenset(self._services()), file_stamp(self._directory / MEASUREMENTS_FILE))
        if state != self._state:
            measured = kept_measurements(self._directory)
            self._entries = project(
                self._whole, self._descriptions, self._grounds, state[0], self._own, self.of, measured
            )
            self._state, self._written = state, {}
        return self._entries

    def entry(self, kind: Kind, name: str) -> Entry:
        """One of these. Raises `NotFound`."""
        found = next((one for one in self.entries() if (one.kind, one.name) == (kind, name)), None)
        if found is None:
            raise not_there()
        return found

    async def whole(self, form: Form) -> Written:
        """The catalogue with all that is published."""
        return await self._made(form, None)

    async def one(self, form: Form, kind: Kind, name: str) -> Written:
        """One entry that is published. Raises `NotFound`, alike whether it is not there or may not be known of."""
        entry = self.entry(kind, name)
        if not entry.published:
            raise not_there()
        return await self._made(form, entry)

    async def _made(self, form: Form, entry: Entry | None) -> Written:
        async with self._one_at_a_time:
            shown, key = published(self.entries()), (form, entry.iri if entry else "")
            kept = (
                self._written
            )  # what is made of these entries is kept with these, also when others come meanwhile
            if key not in kept:
                kept[key] = await asyncio.to_thread(_write, self._whole, shown, entry, self.of, form)
            return kept[key]


def _write(whole: Whole, shown: Sequence[Entry], entry: Entry | None, of: Of, form: Form) -> Written:
    from sluis.catalogue.graph import catalogue_graph, entry_graph, written  # a second, only for who asks

    graph = catalogue_graph(whole, shown, of) if entry is None else entry_graph(whole, entry, shown, of)
    content = written(graph, form)
    return Written(content, f'"{sha256(content).hexdigest()[:32]}"')


def not_there() -> NotFound:
    """What is not in the catalogue, or not for everybody."""
    return NotFound(
        "not-in-catalogue",
        Text("Dit staat niet in de catalogus.", "This is not in the catalogue."),
        Text("Er is niets met deze soort en naam dat anderen mogen kennen.",
             "There is nothing of this kind and name that others may know of."),
        Text("Kijk in de hele catalogus.", "Look in the whole catalogue."),
    )  # fmt: skip


def no_catalogue() -> NotFound:
    """There is nothing to read or to search."""
    return NotFound(
        "no-catalogue",
        Text("Deze organisatie heeft geen catalogus.", "This organisation has no catalogue."),
        Text("Haar knooppunt heeft geen `catalogue.toml`.", "Its node has no `catalogue.toml`."),
        Text("Schrijf dat bestand, en start het knooppunt opnieuw.", "Write that file, and start the node again."),
    )  # fmt: skip
