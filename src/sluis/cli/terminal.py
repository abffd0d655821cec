"""How the commands speak: Dutch or English, problems as what, why and next, and an exit code per kind of problem."""

import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from sluis.kernel import Conflict, Invalid, NotFound, Problem, Refused, Text, Unidentified, Unkept, Upstream

if TYPE_CHECKING:
    from rich.padding import Padding

EXIT_CODES: dict[type[Problem], int] = {
    Invalid: 2,
    Refused: 3,
    Unidentified: 3,
    NotFound: 4,
    Conflict: 5,
    Upstream: 6,
    Unkept: 6,
}
"""0 is success, 1 a failure of the program itself."""

UNWELL = 5
"""The exit code of a doctor that found something."""

_chosen: list[str] = []  # the language of --language; a process answers one person


def choose_language(language: str | None) -> None:
    """Speak `language` from now on; the environment's when None."""
    _chosen[:] = [language] if language else []


def language() -> str:
    """`nl` or `en`: by --language, SLUIS_LANGUAGE, LC_ALL, LC_MESSAGES or LANG; Dutch when these say nothing."""
    for value in (*_chosen, *map(os.environ.get, ("SLUIS_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))):
        if value and value[:2].lower() in ("nl", "en"):
            return value[:2].lower()
    return "nl"


def say(nl: str, en: str) -> str:
    """The text in the language of this process. Command modules are loaded after it is known, so help may use it."""
    return en if language() == "en" else nl


def in_words(text: Text) -> str:
    """A text of the kernel in the language of this process."""
    return say(text.nl, text.en)


_UNSEEN = re.compile(r"[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""What JSON need not escape and a terminal may obey: C1 controls, and marks that turn the direction of text."""


def shown(text: str) -> str:
    """Text of somebody else as it may stand on a line of a terminal: what has no shape of its own is written out
    (`\\x1b`), so that it can neither move the cursor nor change what was said before it."""
    if text.isprintable():
        return text
    return "".join(
        one
        if one.isprintable() or unicodedata.category(one) == "Zs"
        else one.encode("unicode_escape").decode()
        for one in text
    )


def all_shown(value: Any) -> Any:
    """The same for every text in a document."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, list):
        return [all_shown(one) for one in value]
    if isinstance(value, dict):
        return {shown(name): all_shown(one) for name, one in value.items()}
    return value


def quoted(text: str) -> str:
    """JSON that means the same, with every character escaped that a terminal may obey."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def json_text(value: Any, indent: int | None = None) -> str:
    """A document as JSON for standard output."""
    return quoted(json.dumps(value, ensure_ascii=False, indent=indent))


def hung(text: str, depth: int = 2, style: str = "") -> "Padding":
    """A line that begins at `depth`; where it is too long for the screen, what follows stands below its beginning."""
    from rich.padding import Padding
    from rich.text import Text as Line

    return Padding(Line(text, style), (0, 0, 0, depth), expand=False)


def many(count: int, one: Text, more: Text) -> str:
    """A number with what it counts: `1 rij`, `2 rijen`."""
    return f"{count} {in_words(one if count == 1 else more)}"


@contextmanager
def working(nl: str, en: str) -> Iterator[Callable[[str], None]]:
    """Show on the terminal, and only there, that something is under way. Gives what tells how far it is."""
    from rich.console import Console

    with Console(stderr=True).status(say(nl, en)) as status:
        yield status.update


def moment_told(seconds: int) -> str:
    """A moment (seconds since the epoch) as commands write it: UTC, so that it can be put beside the lines of a log."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


class Formatter(click.HelpFormatter):
    """Help in the language of this process: the library that writes it has English words of its own."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, _translated(args), prefix or say("Gebruik: ", "Usage: "))

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        with super().section(_translated(name)):
            yield

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(name, _translated(meaning)) for name, meaning in rows], col_max, col_spacing)


class Context(click.Context):
    """Of every command: its help is written by `Formatter`."""

    formatter_class = Formatter


_DUTCH = {
    "[OPTIONS]": "[OPTIES]",
    "COMMAND [ARGS]...": "OPDRACHT …",
    "Options": "Opties",
    "Commands": "Opdrachten",
    "[required]": "[nodig]",
    "[default: ": "[standaard: ",
    "Show this message and exit.": "Toon deze uitleg.",
    "Show the version and exit.": "Toon de versie.",
}


def _translated(text: str) -> str:
    for english, dutch in _DUTCH.items():
        text = text.replace(english, say(dutch, english))
    return text


def lines(problem: Problem) -> str:
    """A problem for a person to read: place, what, why and next, and for a refusal the law."""
    at = ""
    if problem.place:
        at = (
            f"{problem.place.file}:{problem.place.line}: "
            if problem.place.line
            else f"{problem.place.file}: "
        )
    told = [f"{at}{in_words(problem.what)}", f"  {in_words(problem.why)}"]
    if problem.legal:
        told.append("  " + say(f"Grond: {problem.legal}.", f"Ground: {problem.legal}."))
    if problem.peer:
        told.append("  " + say(f"Organisatie: {problem.peer}.", f"Organisation: {problem.peer}."))
    return "\n".join(map(shown, [*told, f"  → {in_words(problem.next)}"]))


def fail(problem: Problem, as_json: bool) -> int:
    """Print a problem, as JSON on standard output or in words on standard error. Returns its exit code."""
    if as_json:
        click.echo(json_text(problem.members(language())))
    else:
        click.echo(lines(problem), file=sys.stderr)
    return EXIT_CODES.get(type(problem), 1)
