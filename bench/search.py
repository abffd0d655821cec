"""A search of the catalogue, from words to a page with counts: ten thousand entries of fifty organisations.

    python bench/search.py [--entries 10000] [--searches 1000]

Entries are invented and always the same: titles, keywords, columns and descriptions of Dutch words as governments use them, compounds
among them, and in each a word that is nowhere else. One process on one core searches as the API does, behind HTTP: one word and
several, forms, parts of compounds, typing mistakes, words that are in most entries, names, nothing at all, nonsense, the most words
that count, with facets and without. The word that is in one entry only must lead to it, also mistyped; counts are checked against
counting by hand. The figure is the 95th percentile over all searches.
"""

import argparse
import os
import random
import time
from collections.abc import Iterator

from _measure import conclude, must, percentile, run, told
from sluis.catalogue import Found, Harvest, Listed, SearchIndex
from sluis.catalogue.listing import listed
from sluis.catalogue.model import Wording
from sluis.kernel import PeerId, Text

P95_MS = 50.0
ORGANISATIONS = 50
_SYLLABLES = [a + b + c for a in ("b", "d", "g", "k", "l", "m", "r", "st", "v", "w") for b in ("a", "ee", "o", "ui", "ie") for c in ("l", "n", "r", "s", "t")]  # fmt: skip
_NOUNS = """uitkering inkomen adres woning gemeente persoon kind schuld boom voertuig kenteken onderneming belasting toeslag huur
    vergunning bouwwerk perceel eigendom huwelijk geboorte overlijden nationaliteit verblijf opleiding diploma school leerling zorg
    indicatie verzekering premie pensioen werkgever werknemer arbeid contract loon subsidie water riool afval energie vervoer weg
    brug haven vliegtuig milieu lucht bodem natuur dier landbouw visserij""".split()
_SMALL = "van de het een en met voor per in op bij uit over".split()
_KINDS = ("dataset", "dataset", "dataset", "service", "event-type")
_THEMES = ("SOCI", "ECON", "GOVE", "HEAL", "TRAN")
_RIGHTS = ("non-public", "restricted", "public")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--entries", type=int, default=10_000, help="how many (default 10,000)")
    parser.add_argument("--searches", type=int, default=1_000, help="how many (default 1,000)")
    asked = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    chance = random.Random(66)
    began = time.perf_counter()
    entries = listed(None, (), _harvests(chance, asked.entries))
    must(len(entries) == asked.entries, "not every entry is there")
    made = time.perf_counter()
    index = SearchIndex(entries)
    print(f"{'making ready':<34} {time.perf_counter() - made:17.2f} s   (inventing {made - began:.2f} s)")
    _right(index, entries)
    took = dict[str, list[float]]()
    for _ in range(-(-asked.searches // 12)):
        for kind, text, chosen in _searches(chance, entries):
            began = time.perf_counter()
            index.search(text, chosen, 1)
            took.setdefault(kind, []).append((time.perf_counter() - began) * 1000)
    for kind, times in took.items():
        print(told(kind, times))
    every = [each for times in took.values() for each in times]
    print(told("every search", every))
    p95 = percentile(every, 95)
    conclude("search", p95, "ms p95", p95 <= P95_MS, p50_ms=percentile(every, 50), p99_ms=percentile(every, 99),
             entries=asked.entries, searches=len(every))  # fmt: skip


def _searches(
    chance: random.Random, entries: list[Listed]
) -> Iterator[tuple[str, str, dict[str, frozenset[str]]]]:
    noun, other = chance.sample(_NOUNS, 2)
    own = _own(chance.choice(entries))
    yield "one word", noun, {}
    yield "two words", f"{noun} {other}", {}
    yield "a sentence", f"Welke {noun}en zijn er van de {other}?", {}
    yield "a compound", chance.choice(_NOUNS) + noun, {}
    yield "a mistake", _mistyped(noun), {}
    yield "a mistake in a rare word", _mistyped(own), {}
    yield "beginning of a word", noun[:4], {}
    yield "in almost every entry", "gegevens", {}
    yield "with facets", noun, {"kind": frozenset({"dataset"}), "theme": frozenset({"SOCI", "ECON"})}
    yield "nothing", "", {"access": frozenset({"public"})}
    yield "nonsense", "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=12)), {}
    yield "eight words", " ".join(chance.sample(_NOUNS, 8)), {}


def _right(index: SearchIndex, entries: list[Listed]) -> None:
    for one in entries[:: max(1, len(entries) // 50)]:
        for text in (_own(one), _mistyped(_own(one))):
            found = index.search(text, {}, 1).found
            must(any(each.iri == one.iri for each in found), f"{text!r} does not lead to {one.iri}")
    finds = index.search("gegevens", {"kind": frozenset({"service"})}, 1)
    by_hand = sum(one.kind == "service" for one in entries)
    must(finds.total == by_hand, f"{finds.total} services were found where {by_hand} are")


def _own(one: Listed) -> str:
    """The word that only this entry has."""
    return one.words.partition("\n")[2].partition("\n")[0]


def _mistyped(word: str) -> str:
    middle = len(word) // 2
    return word[:middle] + word[middle + 1] + word[middle] + word[middle + 2 :]


def _harvests(chance: random.Random, entries: int) -> list[Harvest]:
    harvests = []
    for number in range(ORGANISATIONS):
        mine = tuple(_entry(chance, each) for each in range(number, entries, ORGANISATIONS))
        harvests.append(Harvest(PeerId(f"{number + 1:020}"), f"Organisatie {number} (fictief)", entries=mine))
    return harvests


def _entry(chance: random.Random, number: int) -> Found:
    def word() -> str:
        kind = chance.random()
        if kind < 0.3:
            return chance.choice(_SMALL)
        if kind < 0.6:
            return chance.choice(_NOUNS) + chance.choice(("", "", "en", "s"))
        return (
            "".join(chance.choices(_NOUNS, k=2)) if kind < 0.9 else "".join(chance.choices(_SYLLABLES, k=3))
        )

    def text(words: int) -> str:
        return " ".join(word() for _ in range(words))

    title = f"{chance.choice(_NOUNS).title()} {text(3)}"
    own = "".join(
        _SYLLABLES[(number * 7919 // len(_SYLLABLES) ** place) % len(_SYLLABLES)] for place in range(3)
    )
    about = f"Gegevens over {text(60)}."
    return Found(
        _KINDS[number % len(_KINDS)],  # type: ignore[arg-type]
        f"https://organisatie{number % ORGANISATIONS}.voorbeeld/v1/catalogue/datasets/d{number}",
        Text(title, title), Text(about, about), Wording((own, *(chance.choice(_NOUNS) for _ in range(4)))),
        tuple(chance.sample(_THEMES, 2)), chance.choice(_RIGHTS),  # type: ignore[arg-type]
        tuple(f"{chance.choice(_NOUNS)}_{chance.choice(_NOUNS)}" for _ in range(12)),
    )  # fmt: skip


if __name__ == "__main__":
    run(main)
