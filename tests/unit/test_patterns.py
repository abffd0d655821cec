"""Patterns of what comes in hold to the very end: Python's `$` also matches before a line end, which must get into no name, header,
address or statement."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sluis.config import model as settings
from sluis.config import schemas
from sluis.gateway.documents import model as documents
from sluis.grounds import model as grounds

SOURCES = Path(__file__).parents[2] / "src"
END = (r"$(?!\n)", r"\Z")


def patterns(tree: ast.AST) -> Iterator[str]:
    """Every pattern by which values are checked; not those that only stand in a published document (`Schema`)."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or ast.unparse(call.func).endswith("Schema"):
            continue
        for word in call.keywords:
            if word.arg != "pattern":
                continue
            last = word.value.values[-1] if isinstance(word.value, ast.JoinedStr) else word.value
            if isinstance(last, ast.Constant) and isinstance(last.value, str):
                yield last.value


def test_every_pattern_holds_to_the_very_end() -> None:
    found = [
        (file.name, one)
        for file in SOURCES.rglob("*.py")
        if "pattern=" in (source := file.read_text(encoding="utf-8"))
        for one in patterns(ast.parse(source))
    ]
    assert len(found) > 40
    assert [(name, one) for name, one in found if not one.endswith(END)] == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (grounds.Name, "naam"), (grounds.Key, "a-1"), (grounds.Uri, "urn:x"), (settings.Url, "https://a.example/"),
        (settings.Mail, "a@b.example"), (documents.Label, "a"), (documents.GroupId, "groep"),
    ],
)  # fmt: skip
def test_a_line_end_behind_it_is_no_part_of_a_name(kind: object, value: str) -> None:
    assert msgspec.convert(value, kind) == value
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(f"{value}\n", kind)


def test_a_published_schema_says_it_as_every_reader_of_schemas_knows_it() -> None:
    found = re.findall(r'"pattern":"[^"]*"', msgspec.json.encode(schemas()).decode())
    assert len(found) > 5
    assert [one for one in found if "(?!" in one] == []
