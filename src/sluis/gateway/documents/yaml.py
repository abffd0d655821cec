"""YAML text with line numbers, for documents that people write and review.

PyYAML parses; what YAML 1.1 makes of plain text is not taken over, because it surprises: here `no` and `2026-01-31` are
text, and so is a number that starts with a zero, such as an OIN. Anchors, tags and double names are refused.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from sluis.grounds import Document, Keys
from sluis.kernel import Invalid, Place, Text

LARGEST = 1_048_576
"""Bytes of text. Documents that people review are far smaller."""

DEEPEST = 16
"""Lists and tables inside one another."""

_SCALARS = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)
"""What PyYAML takes plain text for by itself; any other tag was written."""

_INT = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,15}")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


def parse_documents(text: str, name: str) -> tuple[Document, ...]:
    """The documents in YAML text, each a table at its top; empty ones are left out.

    Args:
        text: one or more documents, separated by `---`.
        name: what messages call the file.

    Raises `Invalid` with the line at fault.
    """
    if len(text.encode()) > LARGEST:
        raise _invalid(
            "file-too-large", name, 0, Text(f"Ten hoogste {LARGEST} bytes.", f"At most {LARGEST} bytes.")
        )
    try:
        return tuple(_documents(text, name))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = str(getattr(error, "problem", None) or "not YAML")
        raise _syntax(name, mark.line + 1 if mark else 0, reason) from None
    except RecursionError:
        raise _syntax(name, 0, "lists or tables nested too deeply") from None


def _documents(text: str, name: str) -> Iterator[Document]:
    for node in yaml.compose_all(text, Loader=yaml.SafeLoader):
        walk = _Walk(name)
        value = walk.value(node, ())
        if value is None:
            continue
        if not isinstance(value, dict):
            raise _syntax(name, node.start_mark.line + 1, "a document is a table of names and values")
        yield Document(name, value, walk.lines)


class _Walk:
    """From nodes to plain values, noting the line of every name and element."""

    def __init__(self, name: str) -> None:
        self._name, self._seen = name, set[int]()
        self.lines: dict[Keys, int] = {}

    def value(self, node: yaml.Node, keys: Keys) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(keys, line)
        if len(keys) > DEEPEST:
            raise RecursionError
        if id(node) in self._seen:
            raise _syntax(self._name, line, "anchors and aliases are not used here")
        self._seen.add(id(node))
        match node:
            case yaml.MappingNode(tag="tag:yaml.org,2002:map"):
                return self._table(node, keys)
            case yaml.SequenceNode(tag="tag:yaml.org,2002:seq"):
                return [self.value(one, (*keys, place)) for place, one in enumerate(node.value)]
            case yaml.ScalarNode() if node.tag in _SCALARS:
                return node.value if node.style else _plain(node.value)
        raise _syntax(self._name, line, "tags are not used here")

    def _table(self, node: yaml.MappingNode, keys: Keys) -> dict[str, Any]:
        table: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or not isinstance(key.value, str):
                raise _syntax(self._name, line, "a name is text")
            if key.value in table:
                raise _syntax(self._name, line, f"`{key.value[:60]}` stands here twice")
            self.lines[(*keys, key.value)] = line
            table[key.value] = self.value(value, (*keys, key.value))
        return table


def _plain(text: str) -> Any:
    """What plain text stands for: true, false, nothing, a decimal number; anything else is that text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _syntax(name: str, line: int, reason: str) -> Invalid:
    return _invalid(
        "yaml-syntax", name, line, Text(f"De lezer meldt: {reason}.", f"The parser says: {reason}.")
    )


def _invalid(code: str, name: str, line: int, why: Text) -> Invalid:
    return Invalid(
        code,
        Text("Dit is geen YAML die hier past.", "This is not YAML as it is used here."),
        why,
        Text("Kijk op deze regel en de regel ervoor.", "Look at this line and the one before."),
        place=Place(name, line),
    )
