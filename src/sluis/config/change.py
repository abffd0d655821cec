"""Changing settings in a file that people wrote: only the lines of those settings change, everything else stays."""

import re
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from sluis.grounds import parse_document, render_tables
from sluis.kernel import Invalid, Place, Text

Setting = tuple[str, str]
"""A table and a key in it; with an empty table, a key above all tables."""


def with_settings(text: str, changes: Mapping[Setting, Any], name: str) -> str:
    """TOML text with other values for some settings, and the same text when it has those values already.

    Args:
        text: of the file.
        changes: the new value of each setting: text, numbers, or lists of these.
        name: what messages call the file.

    Raises `Invalid`: the text is not TOML, or is written in a way (an inline table) that only a person can change.
    """
    wanted = deepcopy(parse_document(text, name).tables)
    for (table, key), value in changes.items():
        held = wanted.setdefault(table, {}) if table else wanted
        if held.get(key) != value:
            held[key] = value
            text = _with_setting(text, table, key, value, name)
    try:
        if tomllib.loads(text) == wanted:
            return text
    except tomllib.TOMLDecodeError:
        pass
    raise _only_by_hand(changes, name)


def _with_setting(text: str, table: str, key: str, value: Any, name: str) -> str:
    at, lines = parse_document(text, name).lines, text.splitlines(keepends=True)
    keys = (table, key) if table else (key,)
    entry = render_tables({key: value})
    if keys in at:
        start = at[keys] - 1
        end, comment = _extent(lines, start)
        return "".join([*lines[:start], entry.rstrip("\n"), comment, "\n", *lines[end:]])
    header = at.get((table,), 0)
    if header and re.match(rf"\s*\[\s*{re.escape(table)}\s*\]", lines[header - 1]):
        return "".join([*lines[:header], entry, *lines[header:]])
    return f"{text.rstrip()}\n\n[{table}]\n{entry}"


def _extent(lines: list[str], start: int) -> tuple[int, str]:
    """Where the setting that begins at a line ends, and the comment behind it."""
    for end in range(start + 1, len(lines) + 1):
        block = "".join(lines[start:end])
        if _is_toml(block):
            whole = next((at for at, one in enumerate(block) if one == "#" and _is_toml(block[:at])), None)
            return end, "" if whole is None else f"  {block[whole:].rstrip()}"
    return start + 1, ""


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _only_by_hand(changes: Mapping[Setting, Any], name: str) -> Invalid:
    lines = "; ".join(
        f"[{table}] {render_tables({key: value}).strip()}" for (table, key), value in changes.items()
    )
    return Invalid(
        "settings-by-hand",
        Text("De instellingen kunnen niet vanzelf worden aangepast.", "The settings cannot be changed by themselves."),
        Text("Het bestand is op een eigen manier geschreven, bijvoorbeeld met een tabel op één regel.",
             "The file is written in a way of its own, for example with a table on one line."),
        Text(f"Zet dit zelf in het bestand, en geef de opdracht opnieuw: {lines}",
             f"Put this in the file yourself, and give the command again: {lines}"),
        place=Place(name),
    )  # fmt: skip
