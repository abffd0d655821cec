"""Dutch texts hold to the words that were chosen: what the list says not to write is nowhere written."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIST = ROOT / "docs/reference/words.md"
DUTCH = [
    ROOT / page
    for page in (
        "docs/tutorial/eerste-vraag.md",
        "docs/how-to/fsc.md",
        "docs/how-to/berichten.md",
        "docs/how-to/catalogus.md",
        "docs/how-to/gebeurtenissen.md",
        "docs/how-to/gegevens-beheren.md",
        "docs/how-to/huisstijl.md",
        "docs/how-to/inloggen.md",
        "docs/how-to/machtigingen.md",
        "docs/how-to/notificaties.md",
        "docs/how-to/passkeys-en-paspoorten.md",
        "docs/reference/catalogue.md",
        "docs/reference/configuration.md",
        "docs/reference/events.md",
        "docs/reference/contact.md",
        "docs/reference/policy.md",
    )
]
_CODE = re.compile(
    r"```.*?```|`[^`]*`|--\w+|\w+\.toml|\blog (\w+ ){0,4}(in|uit)\b", re.DOTALL | re.IGNORECASE
)
"""Code, and verbs that look like a word to avoid."""
_ON_PAGES = re.compile(r"""\bt\("([^"]*)", |\bt\('([^']*)', """)


def avoided() -> list[str]:
    """The last column of the list, without words that mean something else there."""
    rows = [
        line.strip("|").split("|")
        for line in LIST.read_text(encoding="utf-8").splitlines()
        if line[:1] == "|" and line[:5] not in ("| Ned", "|---|")
    ]
    chosen = {word.strip() for row in rows for word in row[0].split(",")}
    words = [re.sub(r"\(.*\)", "", word).strip() for row in rows for word in row[3].split(",")]
    return sorted({word for word in words if word} - chosen)


@cache
def texts() -> tuple[tuple[str, str], ...]:
    """Every Dutch text in the code, and the Dutch documents, without what is code in them."""
    written = [(path.name, path.read_text(encoding="utf-8")) for path in DUTCH]
    said = [one for path in sorted((ROOT / "src").rglob("*.py")) for one in _said(path)]
    shown = [
        (path.name, text)
        for path in sorted((ROOT / "src").rglob("templates/*.html"))
        for pair in _ON_PAGES.findall(path.read_text(encoding="utf-8"))
        for text in pair
    ]
    return tuple((where, _CODE.sub("", text)) for where, text in (*written, *said, *shown))


def _said(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Text", "say"):
            parts = [part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)]
            yield f"{path.name}:{node.lineno}", " ".join(map(str, parts))


@pytest.mark.parametrize("word", avoided())
def test_a_word_that_was_not_chosen_is_not_written(word: str) -> None:
    found = re.compile(rf"\b{word}(en|s)?\b", re.IGNORECASE)
    assert [where for where, text in texts() if found.search(text)] == []


def test_the_list_avoids_something() -> None:
    assert {"node", "eigenaar", "dicht"} <= set(avoided())
