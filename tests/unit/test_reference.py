"""The reference documents every setting and every key of a file, with its default and its meaning."""

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sluis.cli.terminal import EXIT_CODES
from sluis.config import schemas

KINDS = ["node", "group", "dataset", "activity", "disclosure", "event-type", "notice"]
REFERENCE = Path(__file__).parents[2] / "docs/reference/configuration.md"


def rows(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """The line of the reference for every key in a schema; `NAAM` stands for a name of one's own choice."""
    for name, part in schema["properties"].items():
        at = f"{path}{name}"
        inner = part.get("items", part)
        if "properties" in inner and set(inner["properties"]) == {"nl", "en"}:
            at, inner = f"{at}.nl` `{at}.en", {}
        default = (
            "nodig"
            if name in schema.get("required", ())
            else f"`{str(part['default']).lower()}`"
            if "default" in part
            else "–"
        )
        yield f"| `{at}` | {default} | {part['description'].split(chr(10))[0]} |"
        if "properties" in inner:
            yield from rows(inner, f"{path}{name}.")
        named = part.get("additionalProperties")
        if isinstance(named, dict) and "properties" in named:
            yield from rows(named, f"{path}{name}.NAAM.")


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_is_documented(kind: str) -> None:
    text = REFERENCE.read_text()
    assert [row for row in rows(schemas()[f"{kind}.schema.json"]) if row not in text] == []


def test_the_reference_documents_nothing_that_is_not_there() -> None:
    known = {row for schema in schemas().values() for row in rows(schema)}
    written = {
        line for line in REFERENCE.read_text().splitlines() if line.startswith("| `") and line.count("|") == 4
    }
    assert written - known == set()


def test_every_exit_code_is_documented() -> None:
    text = REFERENCE.read_text()
    assert all(f"| {code} |" in text for code in EXIT_CODES.values())


def test_every_example_in_the_reference_is_a_file_that_validates() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", REFERENCE.read_text(), re.DOTALL)
    for kind, block in zip(KINDS, blocks, strict=True):
        plain = json.loads(json.dumps(tomllib.loads(block), default=date.isoformat))
        assert list(Draft202012Validator(schemas()[f"{kind}.schema.json"]).iter_errors(plain)) == []
