"""The words of a catalogue, and which of them somebody may mean: other forms of a word, words that it is a part of, and words that
it resembles.

Words are what stands between spaces and punctuation, without capitals and accents. Stemmers are those of Snowball, Dutch and
English. Everything that is typed is words: there is no query language, so nothing of it can go wrong.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import tantivy

Closeness = Literal[2, 1, 0]
"""2: a form of the word itself; 1: a word that it is a part of; 0: a word that resembles it."""

MOST_WORDS: Final = 8
"""Words of one search that count."""

RARE: Final = 10
"""A word that stands in fewer entries than this may be a typing mistake."""

MOST_PARTS: Final = 5_000
"""Words that one may be a part of: a search takes no longer than that, whatever words somebody writes in a catalogue."""

_LONGEST = 64  # bytes of a word, about as many letters; what is longer is no word
_MOST_LIKE = 50  # words that resemble one


class Vocabulary:
    """The words of all entries.

    Args:
        entries: of each word in how many entries it is.
    """

    def __init__(self, entries: Mapping[str, int]) -> None:
        self._entries = entries
        self._forms = defaultdict[str, list[str]](list)
        for word in sorted(self._entries):
            for key in _keys(word):
                self._forms[key].append(word)
        # a search in one long text is quicker than one in each of many words
        self._words = "\n".join(("", *sorted(self._entries), ""))
        self._stems = "\n".join(("", *sorted({stem(word) for word in self._entries}), ""))
        self._schema, self._searcher = _words_index(self._entries)

    def meant(self, word: str) -> dict[str, Closeness]:
        """The words of the catalogue that may be meant by one of a search, with how close they are."""
        found: dict[str, Closeness] = dict.fromkeys(islice(self._containing(word), MOST_PARTS), 1)
        found.update(dict.fromkeys(self._forms_of(word), 2))
        if sum(self._entries[one] for one in found) < RARE:
            for one in self._resembling(word):
                found.setdefault(one, 0)
        return found

    def _forms_of(self, word: str) -> set[str]:
        return {one for key in _keys(word) for one in self._forms.get(key, ())}

    def _containing(self, word: str) -> Iterator[str]:
        """Words that begin with it; of four letters and more, also compounds that it stands in."""
        core, root = _core(word), stem(word)
        if len(word) == 3:
            yield from _lines(self._words, f"\n{word}")
        if len(word) > 3:
            yield from _lines(self._words, core)
        # A stemmer leaves meen of gemeente: what ends so is not about it.
        if core not in root and len(root) > 3 and root[:2] == word[:2]:
            yield from (one for found in _lines(self._stems, f"{root}\n") for one in self._forms[found])

    def _resembling(self, word: str) -> Iterator[str]:
        from tantivy import Query

        for piece in {word, _core(word)}:
            if len(piece) < 4:
                continue
            mistakes = 2 if len(piece) >= 8 else 1
            query = Query.fuzzy_term_query(self._schema, "word", piece, mistakes)
            for _, address in self._searcher.search(query, limit=_MOST_LIKE, count=False).hits:
                yield from self._forms_of(str(self._searcher.doc(address).get_first("word")))


def _lines(text: str, wanted: str) -> Iterator[str]:
    """The lines of a text in which something stands."""
    at = text.find(wanted)
    while at >= 0:
        begin = at + 1 if wanted[0] == "\n" else text.rindex("\n", 0, at) + 1
        end = text.index("\n", begin)
        yield text[begin:end]
        at = text.find(wanted, end)


def words_of(text: str) -> list[str]:
    """The words of a text, in their order."""
    return _analyzer("").analyze(_plain(text))


def words_wanted(text: str) -> tuple[str, ...]:
    """The words that a search is for: each once, without those that are in every text when there are others."""
    everything = words_of(text)
    telling = [one for one in _analyzer("stop").analyze(_plain(text)) if len(one) > 1]
    return tuple(dict.fromkeys(telling or everything))[:MOST_WORDS]


def stem(word: str) -> str:
    """What a Dutch word comes down to."""
    return _stemmed(word, "dutch")


def _stemmed(word: str, language: str) -> str:
    return next(iter(_analyzer(language).analyze(word)), word)


def _keys(word: str) -> set[str]:
    """Two words are forms of one when they share one of these. The word itself is one of them: stemmers do not always make the
    same of singular and plural (adres is adr, adressen is adres)."""
    return {word, stem(word), _stemmed(word, "english")}


def _core(word: str) -> str:
    """The beginning of a word without its ending: the shortest of which four letters are left."""
    root = stem(word)
    shorter = (word.removesuffix("en"), word.removesuffix("s"), root if word.startswith(root) else word)
    return min((one for one in (word, *shorter) if len(one) > 3), key=len, default=word)


def _plain(text: str) -> str:
    """Text as the analyzers take it: whole characters, each written in one way."""
    return unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode())


@cache
def _analyzer(kind: str) -> "tantivy.TextAnalyzer":
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    made = TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.remove_long(_LONGEST))
    made = made.filter(Filter.lowercase()).filter(Filter.ascii_fold())
    if kind == "stop":
        made = made.filter(Filter.stopword("dutch")).filter(Filter.stopword("english"))
    elif kind:
        made = made.filter(Filter.stemmer(kind))
    return made.build()


def _words_index(words: Iterable[str]) -> tuple["tantivy.Schema", "tantivy.Searcher"]:
    """An index in which each word is a document, for finding what resembles one."""
    from tantivy import Document, Index, SchemaBuilder

    schema = (
        SchemaBuilder()
        .add_text_field("word", stored=True, tokenizer_name="raw", index_option="basic")
        .build()
    )
    index = Index(schema)
    writer = index.writer(heap_size=15_000_000, num_threads=1)
    for word in sorted(words):
        writer.add_document(Document.from_dict({"word": word}, schema))
    writer.commit()
    index.reload()
    return schema, index.searcher()
