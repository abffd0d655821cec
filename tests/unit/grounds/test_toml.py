"""The locator: every key and element of a TOML file has the line it stands on."""

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluis.grounds.toml import LARGEST, Keys, locate, parse_document, read_document
from sluis.kernel import Invalid

NAMES = st.one_of(
    st.from_regex(r"[a-z_-]{1,6}", fullmatch=True),
    st.text(st.sampled_from('ab ."#[]=é\\'), min_size=1, max_size=5),
)
SCALARS = st.one_of(
    st.integers(-9, 9).map(str),
    st.booleans().map(lambda value: str(value).lower()),
    st.just("1979-05-27 07:32:00"),
    st.just("2026-01-01"),
    st.text(st.sampled_from("ab#[]{},='. "), max_size=6).map(lambda value: f'"{value}"'),
    st.just(r'"say \"no\" # = ]"'),
    st.text(st.sampled_from('ab#[]{},="\\ '), max_size=6).map(lambda value: f"'{value}'"),
    st.text(st.sampled_from("ab#[],\n= "), max_size=9).map(lambda value: f'"""{value}"""'),
    st.text(st.sampled_from('ab#[]\n="\\'), max_size=9)
    .filter(lambda v: '"""' not in v)
    .map(lambda v: f"'''{v}'''"),
    st.just('"""ends in two ""\\\n  """""'),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
)
TABLES = st.dictionaries(NAMES, VALUES, max_size=4)


class Writer:
    """Writes TOML and remembers on which line each key and element went."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw, self.text, self.lines = draw, "", dict[Keys, int]()

    def mark(self, keys: Keys) -> None:
        self.lines.setdefault(keys, self.text.count("\n") + 1)

    def blank(self) -> None:
        self.text += self.draw(st.sampled_from(["", " ", "\n", " # why = [not]\n", "\n\n\t"]))

    def name(self, name: str) -> None:
        bare = name.replace("-", "").replace("_", "").isalpha() and name.isascii()
        self.text += name if bare else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def value(self, keys: Keys, value: Any) -> None:
        if isinstance(value, str):
            self.text += value
        elif isinstance(value, list):
            self.text += "["
            for position, element in enumerate(value):
                self.blank()
                self.mark((*keys, position))
                self.value((*keys, position), element)
                self.text += ","
            self.blank()
            self.text += "]"
        else:
            self.text += "{ "
            for position, (name, element) in enumerate(value.items()):
                self.text += ", " if position else ""
                self.mark((*keys, name))
                self.name(name)
                self.text += "="
                self.value((*keys, name), element)
            self.text += "}"

    def pairs(self, keys: Keys, table: dict[str, Any]) -> None:
        for name, value in table.items():
            self.blank()
            dotted = isinstance(value, dict) and value and self.draw(st.booleans())
            entries = [((name, inner), one) for inner, one in value.items()] if dotted else [((name,), value)]
            for parts, one in entries:
                for depth in range(len(parts)):
                    self.mark((*keys, *parts[: depth + 1]))
                for position, part in enumerate(parts):
                    self.text += " . " if position else ""
                    self.name(part)
                self.text += " = "
                self.value((*keys, *parts), one)
                self.text += "  # done\n"

    def header(self, parts: tuple[str, ...], brackets: int) -> None:
        self.text += "[" * brackets
        for position, part in enumerate(parts):
            self.text += "." if position else ""
            self.name(part)
        self.text += "]" * brackets + "\n"


@st.composite
def written(draw: st.DrawFn) -> tuple[str, dict[Keys, int]]:
    writer = Writer(draw)
    writer.pairs((), {f"top-{name}": value for name, value in draw(TABLES).items()})
    for name in draw(st.lists(NAMES, unique=True, max_size=2)):
        for depth in range(2):
            writer.mark((f"table-{name}", "inner")[: depth + 1])
        writer.header((f"table-{name}", "inner"), 1)
        writer.pairs((f"table-{name}", "inner"), draw(TABLES))
    for position in range(draw(st.integers(0, 3))):
        writer.mark(("many",))
        writer.mark(("many", position))
        writer.header(("many",), 2)
        writer.pairs(("many", position), {f"x{name}": value for name, value in draw(TABLES).items()})
        writer.mark(("many", position, "deep"))
        writer.mark(("many", position, "deep", 0))
        writer.header(("many", "deep"), 2)
        writer.pairs(("many", position, "deep", 0), draw(TABLES))
    return writer.text, writer.lines


@given(written())
def test_every_key_and_element_is_found_on_its_line(case: tuple[str, dict[Keys, int]]) -> None:
    text, lines = case
    tomllib.loads(text)
    assert locate(text) == lines


@given(st.text(max_size=80))
def test_any_text_gives_a_document_or_an_invalid_with_a_line(text: str) -> None:
    line = 0
    try:
        parse_document(text, "x.toml")
    except Invalid as problem:
        line = problem.place.line if problem.place else -1
    assert 0 <= line <= text.count("\n") + 1


def test_a_place_that_is_not_there_is_the_table_around_it() -> None:
    document = parse_document("\n[a]\nb = 1\n", "x.toml")
    assert document.place(("a", "c", 3)).line == 2
    assert document.place(("z",)).line == 0


def failure(path: Path) -> Invalid:
    with pytest.raises(Invalid) as caught:
        read_document(path)
    assert caught.value.place is not None
    assert caught.value.place.file == str(path)
    return caught.value


def test_bad_utf8_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"a = 1\nb = '\xe9'\n")
    problem = failure(tmp_path / "x.toml")
    assert (problem.code, problem.place and problem.place.line) == ("not-utf8", 2)


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"\xef\xbb\xbfa = 1\r\nb = 2\r\n")
    document = read_document(tmp_path / "x.toml")
    assert document.tables == {"a": 1, "b": 2}
    assert document.place(("b",)).line == 2


def test_a_half_written_file_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('a = 1\nb = "half')
    problem = failure(tmp_path / "x.toml")
    assert (problem.code, problem.place and problem.place.line) == ("toml-syntax", 2)


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "a = " + "1" * 10_000, "a." * 50_000 + "b = 1"])
def test_hostile_nesting_and_numbers_are_a_problem_not_a_crash(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.toml").write_text(text)
    assert failure(tmp_path / "x.toml").code == "toml-syntax"


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "x.toml").open("wb") as file:
        file.truncate(LARGEST * 1000)
    assert failure(tmp_path / "x.toml").code == "file-too-large"


def test_a_link_to_itself_a_pipe_and_a_folder_are_unreadable(tmp_path: Path) -> None:
    (tmp_path / "loop.toml").symlink_to(tmp_path / "loop.toml")
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "folder.toml").mkdir()
    for name in ("loop", "pipe", "folder", "absent"):
        assert failure(tmp_path / f"{name}.toml").code == "unreadable-file"
