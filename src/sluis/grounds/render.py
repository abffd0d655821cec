"""Structs as TOML text that a person would have written: scalars first, then tables, `.nl` and `.en` together.

`files` reads back exactly the item that was written.
"""

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec

from sluis.grounds.model import Dataset
from sluis.grounds.rules import Item

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def render(item: Item) -> str:
    """The text of the file that holds `item`; defaults are left out."""
    tables = msgspec.to_builtins(item, builtin_types=(date,), enc_hook=str.__str__)
    if isinstance(item, Dataset):
        tables["columns"] = {column.pop("name"): column for column in tables["columns"]}
    return render_tables(tables)


def render_tables(tables: dict[str, Any]) -> str:
    """TOML text of plain tables: strings, whole and other numbers, booleans, dates, lists and dicts of these."""
    return "\n".join(_table((), tables)).strip() + "\n"


def _table(path: tuple[str, ...], table: dict[str, Any]) -> Iterator[str]:
    inner = {key: value for key, value in table.items() if _own_header(value)}
    for key, value in table.items():
        if key in inner:
            continue
        if _is_text(value):
            yield from (f"{_key(key)}.{language} = {_value(text)}" for language, text in value.items())
        else:
            yield f"{_key(key)} = {_value(value)}"
    for key, value in inner.items():
        name = ".".join(_key(part) for part in (*path, key))
        for element in value if isinstance(value, list | tuple) else [value]:
            listed = isinstance(value, list | tuple)
            if listed or not _only_names(element):
                yield ""
                yield f"[[{name}]]" if listed else f"[{name}]"
            yield from _table((*path, key), element)


def _own_header(value: Any) -> bool:
    if isinstance(value, dict):
        return not _is_text(value)
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, dict) for one in value)


def _only_names(table: Any) -> bool:
    """Whether a table only holds tables, so that their own headings say enough."""
    return (
        isinstance(table, dict)
        and bool(table)
        and all(isinstance(value, dict) and _own_header(value) for value in table.values())
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, dict) and list(value) == ["nl", "en"] and isinstance(value["nl"], str)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    return json.dumps(value)
