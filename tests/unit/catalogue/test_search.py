"""Who types words finds what is meant, best first; nothing that is typed goes wrong; counts are those of counting by hand."""

import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.catalogue.examples import EVIL, NOW, OF

from sluis.catalogue import Found, Harvest, Listed, SearchIndex, listing, search, vocabulary
from sluis.catalogue.listing import FACETS, PAGE, listed
from sluis.catalogue.vocabulary import MOST_WORDS, words_wanted
from sluis.kernel import PeerId, Text

ONE, TWO = PeerId("00000001000000000002"), PeerId("00000001000000000003")


def entry(name: str, about: str = "Tekst.", words: str = "", **more: object) -> Listed:
    given: dict[str, object] = {
        "owner": ONE,
        "organisation": "Een (fictief)",
        "kind": "dataset",
        "iri": f"https://een.voorbeeld/{name}",
        "title": Text(name, name),
        "description": Text(about, about),
        "words": words,
        "themes": ("SOCI",),
        "access_rights": "non-public",
    }
    return Listed(**{**given, **more})  # type: ignore[arg-type]


ENTRIES = [
    entry("Uitkeringen", "Wie een bedrag per maand krijgt."),
    entry("Bijstandsuitkering"),
    entry("Inkomen per jaar", "Loon en uitkering.", "inkomen\nbsn\nloon"),
    entry("Bomen", "Waar een boom staat.", "plant_datum"),
    entry("Coördinaten", "Plaatsen in België, en cafés op ĲBURG."),
    entry(
        "Adres",
        title=Text("Adres", "Address"),
        description=Text("Waar iemand woont", "Where somebody lives"),
    ),
    entry("Gemeente"),
    entry("Algemeen", words="foto"),
]
INDEX = SearchIndex(ENTRIES)


def titles(text: str, index: SearchIndex = INDEX) -> list[str]:
    return [one.title.nl for one in index.search(text, {}, 1).found]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("uitkeringen", "Uitkeringen"),
        ("uitkering", "Uitkeringen"),
        ("UITKERING", "Uitkeringen"),
        ("boom", "Bomen"),
        ("adressen", "Adres"),
        ("addresses", "Adres"),
        ("inkomens", "Inkomen per jaar"),
        ("foto's", "Algemeen"),
    ],
)
def test_forms_of_a_word_are_found(text: str, first: str) -> None:
    assert titles(text)[0] == first


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("uitkeirng", "Uitkeringen"),
        ("uitkeirngen", "Uitkeringen"),
        ("uitkring", "Uitkeringen"),
        ("bijstandsuitkerring", "Bijstandsuitkering"),
        ("inkomne", "Inkomen per jaar"),
        ("gemeennte", "Gemeente"),
        ("adrse", "Adres"),
    ],
)
def test_typing_mistakes_are_forgiven(text: str, title: str) -> None:
    assert titles(text)[0] == title


def test_of_a_word_that_only_resembles_it_is_said_so() -> None:
    assert INDEX.search("uitkeirng", {}, 1).found[0].like
    assert not INDEX.search("uitkering", {}, 1).found[0].like


@pytest.mark.parametrize(
    "text", ["coordinaten", "coördinaten", "coo\u0308rdinaten", "belgie", "cafe", "ijburg", "ĳburg"]
)
def test_accents_and_letters_written_otherwise_are_the_same(text: str) -> None:
    assert titles(text) == ["Coördinaten"]


def test_compounds_are_found_by_their_parts_after_the_word_itself() -> None:
    assert titles("uitkering") == ["Uitkeringen", "Inkomen per jaar", "Bijstandsuitkering"]
    assert titles("bijst") == ["Bijstandsuitkering"]
    assert titles("bij") == ["Bijstandsuitkering"]
    assert titles("gemeente") == ["Gemeente"]  # not algemeen, which ends as what its stemmer leaves of it


def test_title_comes_before_words_and_words_before_description() -> None:
    index = SearchIndex(
        [entry("A", "zoekwoord"), entry("B", words="zoekwoord"), entry("Het zoekwoord"), entry("D zoekwoorf")]
    )
    assert titles("zoekwoord", index) == ["Het zoekwoord", "B", "A", "D zoekwoorf"]
    parts = [one.parts for one in index.search("zoekwoord", {}, 1).found]
    assert parts == [("title",), ("words",), ("description",), ("title",)]


def test_every_word_must_be_there_and_small_words_need_not() -> None:
    assert titles("loon uitkering") == ["Inkomen per jaar"]
    assert titles("het loon van de uitkering") == ["Inkomen per jaar"]
    assert titles("loon boom") == []
    assert titles("per") == ["Inkomen per jaar", "Uitkeringen"]


def test_it_is_told_which_words_were_found_and_where() -> None:
    (found,) = INDEX.search("loon uitkeirng", {}, 1).found
    assert (found.words, found.parts, found.like) == (("loon", "uitkering"), ("words", "description"), True)
    (found,) = INDEX.search("plant", {}, 1).found
    assert (found.words, found.parts, found.like) == (("plant",), ("words",), False)


def test_a_word_that_is_in_many_entries_brings_nothing_that_resembles_it() -> None:
    index = SearchIndex([*(entry(f"Bomen {number}") for number in range(10)), entry("Boten")])
    assert index.search("bomen", {}, 1).total == 10
    assert SearchIndex([entry("Bomen"), entry("Boten")]).search("bomen", {}, 1).total == 2


@pytest.mark.parametrize(
    "text",
    ['"', "*", "AND", "a AND", ":", "title:boom", "(", "[a TO", "boom~2", "-boom", "^", "\\", "/.*/", "+", "'", "\x00", "\ud800", "💧",
     EVIL, "a" * 10_000, "boom " * 2_000, '"' * 10_000, "(" * 10_000, "\u0301" * 300, "%", "{}", "ﷺ" * 200],
)  # fmt: skip
def test_nothing_that_is_typed_goes_wrong(text: str) -> None:
    INDEX.search(text, {}, 1)


def test_operators_are_nothing_but_words() -> None:
    assert titles('"boom"') == titles("-boom") == titles("boom*") == titles("boom") == ["Bomen"]
    assert titles("title:boom") == []


@given(st.text(max_size=60))
@settings(max_examples=30, deadline=None)
def test_any_text_gives_an_answer(text: str) -> None:
    found = INDEX.search(text, {}, 1)
    assert found.total <= len(ENTRIES)


def test_one_letter_is_a_word_and_nothing_is_everything() -> None:
    assert titles("a") == []
    assert titles("x", SearchIndex([entry("Plan X"), entry("Xenon")])) == ["Plan X"]
    assert titles("") == titles("  \n") == titles("?!") == [one.title.nl for one in ENTRIES]


def test_only_so_many_words_count() -> None:
    assert len(words_wanted(" ".join(f"woord{number}" for number in range(40)))) == MOST_WORDS
    assert words_wanted("boom boom Boom") == ("boom",)


def test_nothing_to_look_through_gives_nothing() -> None:
    assert SearchIndex([]).search("boom", {}, 1).total == SearchIndex([]).search("", {}, 1).total == 0


def test_pages_go_on_where_the_one_before_ended() -> None:
    index = SearchIndex([entry(f"Boom {number:03}") for number in range(45)])
    pages = [index.search("boom", {}, page) for page in (1, 2, 3, 4)]
    assert [(one.total, one.pages, len(one.found)) for one in pages] == [
        (45, 3, PAGE), (45, 3, PAGE), (45, 3, 5), (45, 3, 0),
    ]  # fmt: skip
    assert [one.title.nl for page in pages for one in page.found] == [
        f"Boom {number:03}" for number in range(45)
    ]


def test_the_order_is_the_same_each_time() -> None:
    chance = random.Random(1)
    entries = [
        entry(f"{chance.choice('abc')} boom {number}", "boom " * chance.randint(0, 9)) for number in range(60)
    ]
    first, second = (SearchIndex(entries).search("boom", {}, 1).found for _ in range(2))
    assert first == second


VALUES = {
    "kind": ["dataset", "service", "event-type"],
    "owner": [ONE, TWO],
    "theme": ["SOCI", "ECON", "GOVE"],
    "access": ["public", "restricted", "non-public"],
}
SOME = st.lists(
    st.builds(
        lambda word, kind, owner, themes, access: entry(
            word, kind=kind, owner=owner, themes=tuple(themes), access_rights=access
        ),
        st.sampled_from(["boom", "huis", "boom huis"]),
        st.sampled_from(VALUES["kind"]),
        st.sampled_from(VALUES["owner"]),
        st.lists(st.sampled_from(VALUES["theme"]), unique=True),
        st.sampled_from([*VALUES["access"], None]),
    ),
    max_size=12,
)
CHOSEN = st.fixed_dictionaries(
    {facet: st.frozensets(st.sampled_from(values), max_size=2) for facet, values in VALUES.items()}
)


@given(SOME, st.sampled_from(["", "boom", "huis boom"]), CHOSEN)
@settings(max_examples=30, deadline=None)
def test_counts_are_those_of_counting_by_hand(
    entries: Sequence[Listed], text: str, chosen: dict[str, frozenset[str]]
) -> None:
    found = SearchIndex(entries).search(text, chosen, 1)  # type: ignore[arg-type]
    by_hand = [one for one in entries if all(word in one.title.nl for word in text.split())]
    assert found.total == sum(_has(one, chosen) for one in by_hand)
    for facet in FACETS:
        others = {other: values for other, values in chosen.items() if other != facet}
        counted = Counter(value for one in by_hand if _has(one, others) for value in one.values(facet))
        assert {one.value: one.count for one in getattr(found.facets, facet) if one.count} == dict(counted)


def _has(one: Listed, chosen: dict[str, frozenset[str]]) -> bool:
    return all(not values or values & set(one.values(facet)) for facet, values in chosen.items())  # type: ignore[arg-type]


def test_values_are_in_words() -> None:
    facets = INDEX.search("", {}, 1).facets
    assert [(one.title.nl, one.count) for one in (*facets.kind, *facets.owner, *facets.theme, *facets.access)] == [
        ("dataset", 8), ("Een (fictief)", 8), ("Bevolking en samenleving", 8), ("niet openbaar", 8),
    ]  # fmt: skip


def harvest(peer: PeerId, entries: int) -> Harvest:
    text = Text("Boom", "Tree")
    some = tuple(
        Found("dataset", f"https://voorbeeld.nl/{peer}/{number}", text, text) for number in range(entries)
    )
    return Harvest(peer, "Een (fictief)", NOW, NOW, "", some)


def test_what_is_looked_through_is_bounded_and_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST", 10)
    found = listed(OF, (), [harvest(ONE, 30), harvest(TWO, 2)])
    assert Counter(one.owner for one in found) == {ONE: 8, TWO: 2}


def test_an_organisation_brings_only_so_many_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_WORDS", 3)
    many = entry("Een twee drie vier", owner=TWO, about="")
    index = SearchIndex([many, entry("Vier", about="")])
    assert titles("drie", index) == ["Een twee drie vier"]
    assert titles("vier", index) == ["Vier"]


def test_a_word_is_looked_for_in_only_so_many_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "MOST_PARTS", 3)
    index = SearchIndex([*(entry(f"Boom{letter}urk") for letter in "defgh"), entry("Boom")])
    assert titles("boom", index)[0] == "Boom"
    assert index.search("boom", {}, 1).total == 3


def test_long_descriptions_are_shown_short() -> None:
    index = SearchIndex([entry("Boom", "woord " * 500)])
    (one,) = index.search("", {}, 1).found
    assert len(one.description.nl) <= 400
