"""TOML text with line numbers: TOML 1.0.0 by the standard library, which gives no lines, and a locator beside it.

The locator only runs over text that `tomllib` accepted, so it skips values without checking them. Every failure is
an Invalid with the file and, where there is one, the line. This does not know what the tables mean: `shape` does.
"""

import re
import stat
import tomllib
from bisect import bisect_right
from pathlib import Path
from typing import Any

import msgspec

from sluis.kernel import Invalid, Place, Text

Keys = tuple[str | int, ...]
"""Where a value stands: keys of tables and, from 0, positions in arrays."""

LARGEST = 1_048_576
"""Bytes. A file that people review is far smaller; a bigger one is a mistake, or data."""

DEEPEST = 32
"""Tables and lists inside one another; nothing here needs more than six."""

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_LONG_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}(?!")', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'{3,5}(?!')", re.DOTALL)
_PLAIN = re.compile(r"[^,\]}\n#]*")
_LONG_KEY = re.compile(rf"""^[ \t\[]*(?:[\w"'-]+[ \t]*\.[ \t]*){{{DEEPEST}}}""", re.MULTILINE)
_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)")


class Document(msgspec.Struct, frozen=True):
    """A TOML file: its name as the reader knows it, its tables, and the line of every key and array element."""

    file: str
    tables: dict[str, Any]
    lines: dict[Keys, int]

    def place(self, keys: Keys = ()) -> Place:
        """The place of `keys`; of the nearest table around it when they are not in the file."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return Place(self.file, self.lines.get(keys, 0))


def read_document(path: Path, shown: str | None = None) -> Document:
    """Read a TOML file.

    Args:
        path: the file.
        shown: its name in messages; the path itself when absent.
    Raises: Invalid, with a place, for whatever is wrong with file or text.
    """
    name = shown or str(path)
    return parse_document(read_text(path, name), name)


def read_text(path: Path, shown: str | None = None) -> str:
    """The text of a file that people write: UTF-8, and not too long; arguments and problems as `read_document`."""
    name = shown or str(path)
    return _text(_bytes(path, name), name)


def parse_document(text: str, name: str) -> Document:
    """TOML text to a Document; `name` is what messages call it. Raises Invalid with the line at fault."""
    try:
        if _LONG_KEY.search(text):  # tomllib takes quadratic time over these
            raise RecursionError
        tables = tomllib.loads(text)
        lines = locate(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT_LINE.search(str(error))
        line = int(found[1]) if found else text.rstrip().count("\n") + 1
        raise _syntax(name, line, _AT_LINE.sub("", str(error)).strip()) from None
    except RecursionError:
        raise _syntax(name, 0, "tables or lists nested too deeply") from None
    except ValueError as error:  # a number of thousands of digits
        raise _syntax(name, 0, str(error)) from None
    return Document(name, tables, lines)


def locate(text: str) -> dict[Keys, int]:
    """The line, from 1, of every table, key and array element in valid TOML text; of its first mention.

    The value of a dotted key, an inline table or a nested array is found like any other.
    """
    return _Locator(text).run()


class _Locator:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.breaks = [match.start() for match in re.finditer("\n", text)]
        self.lines: dict[Keys, int] = {}
        self.elements: dict[Keys, int] = {}  # how many [[tables]] an array of tables has so far

    def run(self) -> dict[Keys, int]:
        table: Keys = ()
        while self.skip_blank() < len(self.text):
            if self.text.startswith("[[", self.at):
                table = self.array_header()
            elif self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)
        return self.lines

    def skip_blank(self) -> int:
        return self.take(_BLANK)[1]

    def take(self, pattern: re.Pattern[str]) -> tuple[str, int]:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise ValueError(f"no TOML at character {self.at}")
        self.at = match.end()
        return match[0], self.at

    def mark(self, keys: Keys) -> None:
        if len(keys) > DEEPEST:
            raise RecursionError
        self.lines.setdefault(keys, bisect_right(self.breaks, self.at - 1) + 1)

    def key(self) -> tuple[str, ...]:
        parts = []
        while True:
            self.skip_blank()
            parts.append(self.key_part())
            self.skip_blank()
            if self.text[self.at] != ".":
                return tuple(parts)
            self.at += 1

    def key_part(self) -> str:
        quote = {'"': _BASIC, "'": _LITERAL}.get(self.text[self.at])
        if quote is None:
            return self.take(_BARE_KEY)[0]
        return next(iter(tomllib.loads(f"{self.take(quote)[0]} = 0")))

    def header(self) -> Keys:
        start, self.at = self.at, self.at + 1
        keys = self.resolve(self.key(), start)
        self.at += 1
        return keys

    def array_header(self) -> Keys:
        start, self.at = self.at, self.at + 2
        *outer, last = self.key()
        array = (*self.resolve(tuple(outer), start), last)
        position = self.elements[array] = self.elements.get(array, -1) + 1
        end, self.at = self.at + 2, start
        self.mark(array)
        self.mark((*array, position))
        self.at = end
        return (*array, position)

    def resolve(self, parts: tuple[str, ...], start: int) -> Keys:
        """A header's key, with the last element of each array of tables it passes; marked from `start`."""
        end, self.at = self.at, start
        keys: Keys = ()
        for part in parts:
            keys = (*keys, part)
            self.mark(keys)
            if keys in self.elements:
                keys = (*keys, self.elements[keys])
        self.at = end
        return keys

    def pair(self, table: Keys) -> None:
        start = self.at
        parts = self.key()
        end, self.at = self.at + 1, start
        keys = table
        for part in parts:
            keys = (*keys, part)
            self.mark(keys)
        self.at = end  # past the "="
        self.skip_blank()
        self.value(keys)

    def value(self, keys: Keys) -> None:
        rest = self.text[self.at : self.at + 3]
        if rest == '"""':
            self.take(_LONG_BASIC)
        elif rest == "'''":
            self.take(_LONG_LITERAL)
        elif rest[:1] == '"':
            self.take(_BASIC)
        elif rest[:1] == "'":
            self.take(_LITERAL)
        elif rest[:1] == "[":
            self.items(keys, "]")
        elif rest[:1] == "{":
            self.items(keys, "}")
        else:
            self.take(_PLAIN)

    def items(self, keys: Keys, close: str) -> None:
        """The elements of an array, or the pairs of an inline table, up to and with `close`."""
        self.at += 1
        position = 0
        while self.skip_blank() and self.text[self.at] != close:
            if self.text[self.at] == ",":
                self.at += 1
            elif close == "}":
                self.pair(keys)
            else:
                self.mark((*keys, position))
                self.value((*keys, position))
                position += 1
        self.at += 1


def _bytes(path: Path, name: str) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise _unreadable(name, Text("Dit is geen gewoon bestand.", "This is not a regular file."))
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise _unreadable(
            name, Text(f"Het systeem meldt: {reason}.", f"The system says: {reason}.")
        ) from None
    if len(raw) > LARGEST:
        raise Invalid(
            "file-too-large",
            Text("Het bestand is te groot.", "The file is too large."),
            Text(
                f"Een instelbestand heeft ten hoogste {LARGEST} bytes.",
                f"A settings file has at most {LARGEST} bytes.",
            ),
            Text(
                "Kijk of dit het goede bestand is; verdeel het zo nodig over meer bestanden.",
                "Check that this is the right file; spread it over more files if needed.",
            ),
            place=Place(name),
        )
    return raw


def _text(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise Invalid(
            "not-utf8",
            Text("Het bestand is geen UTF-8-tekst.", "The file is not UTF-8 text."),
            Text(
                "Op deze regel staat een teken in een andere codering.",
                "This line has a character in another encoding.",
            ),
            Text("Sla het bestand op als UTF-8.", "Save the file as UTF-8."),
            place=Place(name, raw.count(b"\n", 0, error.start) + 1),
        ) from None


def _unreadable(name: str, why: Text) -> Invalid:
    return Invalid(
        "unreadable-file",
        Text("Het bestand is niet te lezen.", "The file cannot be read."),
        why,
        Text(
            "Controleer de naam, de koppelingen en de rechten.",
            "Check the name, the links and the permissions.",
        ),
        place=Place(name),
    )


def _syntax(name: str, line: int, reason: str) -> Invalid:
    return Invalid(
        "toml-syntax",
        Text("Dit is geen geldige TOML.", "This is not valid TOML."),
        Text(f"De lezer meldt: {reason}.", f"The parser says: {reason}."),
        Text(
            "Kijk op deze regel en de regel ervoor naar aanhalingstekens, haken en dubbele namen.",
            "Look at this line and the one before for quotes, brackets and names used twice.",
        ),
        place=Place(name, line),
    )
