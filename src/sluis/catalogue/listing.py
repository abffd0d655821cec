"""What somebody may look through: entries of this node and of others in one shape, and what a search gives. Pure.

Of this node only what is published is in it, and of others what they publish. It is a copy to look through, never the record.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Literal

import msgspec

from sluis.catalogue.codes import ACCESS_RIGHTS, THEMES, AccessRights, Theme
from sluis.catalogue.model import Entry, Found, Harvest, Kind, Of
from sluis.kernel import PeerId, Text

MOST = 50_000
"""Entries that are looked through, of all organisations together."""

LONGEST = 200
"""Characters of a search that count."""

PAGE = 20
"""Entries on a page."""

_SHOWN, _LONGEST_WORDS = 400, 10_000  # characters

Part = Literal["title", "words", "description"]
"""Where of an entry a word stands: `words` are its name, keywords and columns."""

Facet = Literal["kind", "owner", "theme", "access"]

FACETS: tuple[Facet, ...] = ("kind", "owner", "theme", "access")

Order = Literal["relevance", "title", "newest", "owner"]

ORDERS: dict[Order, Text] = {
    "relevance": Text("Wat het best past", "Best match"),
    "title": Text("Titel", "Title"),
    "newest": Text("Laatst gewijzigd", "Changed last"),
    "owner": Text("Organisatie", "Organisation"),
}
"""In which order what was found may stand, and what people read of each. Without words, the first is by title."""

KINDS: dict[Kind, Text] = {
    "dataset": Text("dataset", "dataset"),
    "service": Text("dienst", "service"),
    "event-type": Text("gebeurtenistype", "event type"),
}
"""What people read of each kind."""

_IN_WORDS: dict[str, Text] = {
    **{str(kind): words for kind, words in KINDS.items()},
    **{str(theme): words for theme, words in THEMES.items()},
    **{str(right): words for right, (_, words) in ACCESS_RIGHTS.items()},
}

Chosen = Mapping[Facet, frozenset[str]]
"""Of each facet the values that an entry may have; any, where nothing is chosen."""


class Listed(msgspec.Struct, frozen=True):
    """An entry as it is looked through."""

    owner: PeerId
    organisation: str
    kind: Kind
    iri: str
    title: Text
    description: Text
    words: str
    themes: tuple[Theme, ...]
    access_rights: AccessRights | None
    modified: date | None = None

    def values(self, facet: Facet) -> Sequence[str]:
        """What it has of a facet."""
        if facet == "theme":
            return self.themes
        one = {"kind": self.kind, "owner": str.__str__(self.owner), "access": self.access_rights}[facet]
        return (one,) if one else ()

    def texts(self) -> dict[Part, str]:
        """What words are looked for in."""
        return {
            "title": f"{self.title.nl}\n{self.title.en}",
            "words": self.words,
            "description": f"{self.description.nl}\n{self.description.en}",
        }


class Hit(msgspec.Struct, frozen=True):
    """An entry that was found: which words of it were, in which parts; `like` when one was found by a word that resembles it."""

    owner: PeerId
    organisation: str
    kind: Kind
    iri: str
    title: Text
    description: Text
    themes: tuple[Theme, ...]
    access_rights: AccessRights | None
    parts: tuple[Part, ...] = ()
    words: tuple[str, ...] = ()
    like: bool = False
    modified: date | None = None


class Count(msgspec.Struct, frozen=True):
    """How many entries have a value of a facet, among those with what is chosen of the other facets."""

    value: str
    title: Text
    count: int


class Counts(msgspec.Struct, frozen=True):
    """Of every facet its values, those of most entries first."""

    kind: tuple[Count, ...]
    owner: tuple[Count, ...]
    theme: tuple[Count, ...]
    access: tuple[Count, ...]


class Finds(msgspec.Struct, frozen=True):
    """A page of what was found, best first; `total` and `pages` are of all of it."""

    total: int
    page: int
    pages: int
    found: tuple[Hit, ...]
    facets: Counts


def listed(of: Of | None, entries: Iterable[Entry], harvests: Sequence[Harvest]) -> list[Listed]:
    """What may be looked through: what this node published, then what others did; no more than `MOST`.

    Where that is too much, others share what this node leaves; who has less than its share leaves the rest to those after it.
    """
    found = [_own(of, one) for one in entries if one.published] if of else []
    del found[MOST:]
    for number, harvest in enumerate(sorted(harvests, key=lambda one: len(one.entries))):
        share = (MOST - len(found)) // (len(harvests) - number)
        found += [_others(harvest, one) for one in harvest.entries[:share]]
    return sorted(found, key=lambda one: (one.title.nl.casefold(), one.iri, one.owner))


def hit(one: Listed, parts: Sequence[Part], words: Sequence[str], like: bool) -> Hit:
    """What is shown of an entry that was found."""
    return Hit(
        one.owner, one.organisation, one.kind, one.iri, one.title,
        Text(_short(one.description.nl), _short(one.description.en)),
        one.themes, one.access_rights, tuple(parts), tuple(words), like, one.modified,
    )  # fmt: skip


def value_in_words(facet: Facet, value: str, one: Listed) -> Text:
    """What people read of a value; `one` is an entry that has it."""
    if facet == "owner":
        return Text(one.organisation, one.organisation)
    return _IN_WORDS[value]


def _own(of: Of, one: Entry) -> Listed:
    columns = [word for column in one.columns for word in (column.name, *_both(column.title))]
    words = [one.name, *one.keywords.nl, *one.keywords.en, *columns]
    return Listed(
        of.oin, of.name, one.kind, one.iri, one.title, one.description, _line(words), one.themes, one.access_rights,
        one.measured.newest if one.measured else None,
    )  # fmt: skip


def _others(harvest: Harvest, one: Found) -> Listed:
    name = one.iri.rpartition("/")[2]
    return Listed(
        harvest.peer, harvest.name, one.kind, one.iri, one.title, one.description,
        _line([name, *one.words.nl, *one.words.en, *one.words.other, *one.columns]), one.themes, one.access_rights, one.modified,
    )  # fmt: skip


def _both(text: Text | None) -> tuple[str, ...]:
    return (text.nl, text.en) if text else ()


def _line(words: Iterable[str]) -> str:
    return "\n".join(words)[:_LONGEST_WORDS]


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1].rstrip() + "…"
