"""An index in memory over what may be looked through: every word of a search must be found, in title, words or description.

Entries come by how close the words are (itself, a part of another, one that resembles it), then by where they stand (title before
words before description), then those with the shortest title, then by title. The same search over the same entries gives the same
order.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from itertools import chain
from typing import Any, Final

from tantivy import Document, Index, Occur, Query, SchemaBuilder

from sluis.catalogue.listing import (
    FACETS,
    LONGEST,
    PAGE,
    Chosen,
    Count,
    Counts,
    Facet,
    Finds,
    Hit,
    Listed,
    Order,
    Part,
    hit,
    value_in_words,
)
from sluis.catalogue.vocabulary import Closeness, Vocabulary, words_of, words_wanted
from sluis.kernel import PeerId

_CLOSE: Final[dict[Closeness, float]] = {2: 100.0, 1: 50.0, 0: 1.0}
_PLACE: Final[dict[Part, float]] = {"title": 4.0, "words": 2.0, "description": 1.0}
# What place can differ for all words of a search together (8 times 3) is less than what one step of closeness does.
MOST_WORDS = 100_000
"""Different words of one organisation that can be found: one that writes others than anybody slows no search down."""

_HEAP = 50_000_000  # bytes that indexing may use

Meant = Sequence[Mapping[str, Closeness]]
"""Of each word of a search, the words of the catalogue that may be meant."""


class SearchIndex:
    """What may be looked through, made ready. It does not change; threads may share it.

    Args:
        entries: in the order in which they come when nothing else tells them apart.
    """

    def __init__(self, entries: Sequence[Listed]) -> None:
        self._entries = entries
        self._masks = {facet: _masks(facet, entries) for facet in FACETS}
        lengths, counted = list[int](), Counter[str]()
        self._schema, self._searcher = _index(_counting(entries, lengths, counted))
        self._vocabulary = Vocabulary(counted)
        shortest = sorted(range(len(entries)), key=lambda number: (lengths[number], number))
        self._places = {number: place for place, number in enumerate(shortest)}
        self._ranks = _ranks(entries)

    def search(
        self, text: str, chosen: Chosen, page: int, order: Order = "relevance", without: Collection[str] = ()
    ) -> Finds:
        """A page of what was found.

        Args:
            text: what somebody typed; `LONGEST` characters of it count. Without a word, everything is found.
            chosen: of facets the values that are wanted.
            page: its number, from 1; one after the last is empty.
            order: in which they stand; those that are alike in it, by how well they fit.
            without: addresses of entries that are not there any more.
        """
        meant = [self._vocabulary.meant(word) for word in words_wanted(text[:LONGEST])]
        scores = self._scores(meant)
        if without:
            scores = {
                number: score for number, score in scores.items() if self._entries[number].iri not in without
            }
        found = _mask(scores, len(self._entries))
        within = {facet: self._within(facet, chosen) for facet in FACETS}
        narrowed = found & _all(within.values())
        left = scores if narrowed == found else _only(scores, narrowed, len(self._entries))
        ranks, places = self._ranks.get(order), self._places if meant else range(len(self._entries))
        by_fit = (lambda number: (-scores[number], places[number])) if meant else places.__getitem__
        by_order = (lambda number: (ranks[number], by_fit(number))) if ranks else by_fit
        best = nsmallest(page * PAGE, left, by_order)
        return Finds(
            total=len(left),
            page=page,
            pages=-(-len(left) // PAGE),
            found=tuple(_shown(self._entries[number], meant) for number in best[(page - 1) * PAGE :]),
            facets=Counts(**{facet: self._counts(facet, found, within, chosen) for facet in FACETS}),
        )

    def _scores(self, meant: Meant) -> dict[int, float]:
        """Numbers of the entries in which all words are, with how well; all entries, when there are no words."""
        if not meant:
            return dict.fromkeys(range(len(self._entries)), 0.0)
        if not all(meant):
            return {}
        query = Query.boolean_query([(Occur.Must, self._one_word(words)) for words in meant])
        hits = self._searcher.search(query, limit=len(self._entries), count=False).hits
        numbers = self._searcher.fast_field_values("number", [address for _, address in hits])
        return {int(number or 0): score for (score, _), number in zip(hits, numbers, strict=True)}

    def _one_word(self, words: Mapping[str, Closeness]) -> Query:
        best = [
            Query.const_score_query(self._any_of(part, some), close + place)
            for closeness, close in _CLOSE.items()
            if (some := [word for word, one in words.items() if one == closeness])
            for part, place in _PLACE.items()
        ]
        return Query.disjunction_max_query(best)

    def _any_of(self, part: Part, words: Sequence[str]) -> Query:
        terms = (Query.term_query(self._schema, part, word, "basic") for word in words)
        return Query.boolean_query([(Occur.Should, term) for term in terms])

    def _within(self, facet: Facet, chosen: Chosen) -> int:
        """Which entries have one of the values that are chosen of a facet; all when none is."""
        if not chosen.get(facet):
            return -1
        return _any(self._masks[facet].get(value, 0) for value in chosen[facet])

    def _counts(
        self, facet: Facet, found: int, within: Mapping[Facet, int], chosen: Chosen
    ) -> tuple[Count, ...]:
        """What is chosen of a facet leaves its own counts as they are, so that one sees what else could be chosen."""
        left = found & _all(mask for other, mask in within.items() if other != facet)
        counted = {value: (left & mask).bit_count() for value, mask in self._masks[facet].items()}
        kept = {value: count for value, count in counted.items() if count or value in chosen.get(facet, ())}
        ordered = sorted(kept.items(), key=lambda one: (-one[1], one[0]))
        return tuple(
            Count(value, value_in_words(facet, value, self._example(facet, value)), count)
            for value, count in ordered
        )

    def _example(self, facet: Facet, value: str) -> Listed:
        mask = self._masks[facet][value]
        return self._entries[(mask & -mask).bit_length() - 1]


def _ranks(entries: Sequence[Listed]) -> dict[Order, Sequence[int]]:
    """Of every order but the first the place of each entry in it; entries come by title."""
    days = [
        -one.modified.toordinal() if one.modified else 0 for one in entries
    ]  # without a day they come last
    names = {
        name: place
        for place, name in enumerate(sorted({one.organisation for one in entries}, key=str.casefold))
    }
    return {
        "title": range(len(entries)),
        "newest": days,
        "owner": [names[one.organisation] for one in entries],
    }


def _counting(
    entries: Iterable[Listed], lengths: list[int], counted: Counter[str]
) -> Iterator[dict[Part, list[str]]]:
    """The words of one entry after another; beside it the lengths of titles, and in how many entries each word is."""
    known = defaultdict[PeerId, set[str]](set)
    for one in entries:
        words = {part: words_of(text) for part, text in one.texts().items()}
        for word in dict.fromkeys(chain(*words.values())):
            if len(known[one.owner]) < MOST_WORDS:
                known[one.owner].add(word)
        kept = {part: [word for word in some if word in known[one.owner]] for part, some in words.items()}
        lengths.append(len(words["title"]))
        counted.update(set(chain(*kept.values())))
        yield kept


def _index(texts: Iterable[Mapping[Part, Sequence[str]]]) -> tuple[Any, Any]:
    builder = SchemaBuilder().add_unsigned_field("number", fast=True)
    for part in _PLACE:
        builder = builder.add_text_field(part, tokenizer_name="whitespace", index_option="basic")
    schema = builder.build()
    index = Index(schema)
    writer = index.writer(heap_size=_HEAP, num_threads=1)
    for number, each in enumerate(texts):
        document = {part: " ".join(words) for part, words in each.items()}
        writer.add_document(Document.from_dict({"number": number, **document}, schema))
    writer.commit()
    index.reload()
    return schema, index.searcher()


def _shown(one: Listed, meant: Meant) -> Hit:
    """An entry with what of it was found: of each word that was typed the closest."""
    words = {part: dict.fromkeys(words_of(text)) for part, text in one.texts().items()} if meant else {}
    everything = {word for some in words.values() for word in some}
    told, like = set[str](), False
    for each in meant:
        there = {word: each[word] for word in everything & each.keys()}
        best = max(there.values())
        told |= {word for word, close in there.items() if close == best}
        like = like or best == 0
    parts = [part for part, some in words.items() if not told.isdisjoint(some)]
    return hit(one, parts, [word for word in dict.fromkeys(chain(*words.values())) if word in told], like)


def _masks(facet: Facet, entries: Sequence[Listed]) -> dict[str, int]:
    """Of every value of a facet which entries have it: a bit for each, so that counting is one step."""
    having = dict[str, list[int]]()
    for number, one in enumerate(entries):
        for value in one.values(facet):
            having.setdefault(value, []).append(number)
    return {value: _mask(numbers, len(entries)) for value, numbers in having.items()}


def _mask(numbers: Iterable[int], size: int) -> int:
    bits = bytearray(size // 8 + 1)
    for number in numbers:
        bits[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(bits, "little")


def _only(numbers: Iterable[int], mask: int, size: int) -> list[int]:
    bits = mask.to_bytes(size // 8 + 1, "little")
    return [number for number in numbers if bits[number >> 3] >> (number & 7) & 1]


def _all(masks: Iterable[int]) -> int:
    left = -1
    for mask in masks:
        left &= mask
    return left


def _any(masks: Iterable[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found
