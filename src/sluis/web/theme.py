"""An organisation's own look: design tokens of NL Design System in a file, which change how the pages look and nothing else.

A theme is a style sheet of custom properties (CSS Custom Properties level 1), as design tokens are published: in `:root` or
below one class, and again for the dark if there are others then. Of it those tokens are served that the pages name, written anew. It can
bring no rule, no selector, no address and no file of its own: what it would load, and what it would hide, stays the portal's.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import tinycss2

from sluis.kernel import Invalid, Text

MOST = 512 * 1024
"""Bytes of a theme, and of a logo."""

_NAMED = re.compile(r"(--[\w-]+)")
_SELECTOR = re.compile(r"(:root|\.[A-Za-z][\w-]*)(\s*,\s*(:root|\.[A-Za-z][\w-]*))*")
_DARK = re.compile(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)")
_FETCHING = frozenset(
    (
        "url",
        "src",
        "image",
        "image-set",
        "-webkit-image-set",
        "cross-fade",
        "element",
        "paint",
        "attr",
        "expression",
    )
)

Tokens = Mapping[str, str]


class Theme(msgspec.Struct, frozen=True):
    """The look of an organisation.

    Args:
        tokens: by name, with what they are.
        dark: those that are otherwise in the dark; none where the theme knows no dark.
    """

    tokens: Tokens
    dark: Tokens

    def sheet(self, used: str) -> str:
        """As a style sheet.

        Args:
            used: all other style sheets of the portal: what none of them names is left out.
        """
        light = _block(referred(self.tokens, used))
        if not self.dark:
            return light
        return f"{light}@media(prefers-color-scheme:dark){{{_block(referred({**self.tokens, **self.dark}, used))}}}"


def read_theme(path: Path) -> Theme:
    """A theme from a file. Raises `Invalid` when it is none, too large, or holds more than tokens."""
    try:
        content = path.read_bytes()
    except OSError:
        raise _wrong(Text(f"{path} is niet te lezen.", f"{path} cannot be read.")) from None
    if len(content) > MOST:
        raise _wrong(Text(f"Hij is groter dan {MOST // 1024} kB.", f"It is larger than {MOST // 1024} kB."))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise _wrong(Text("Het is geen tekst in UTF-8.", "It is no text in UTF-8.")) from None
    return parse_theme(text)


def parse_theme(text: str) -> Theme:
    """The same, of its text."""
    tokens: dict[str, str] = {}
    dark: dict[str, str] = {}
    for node in tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True):
        if node.type == "at-rule" and node.lower_at_keyword == "media" and node.content is not None:
            if not _DARK.fullmatch(tinycss2.serialize(node.prelude).strip()):
                raise _line(node)
            for rule in tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True):
                dark |= dict(_tokens(rule))
        else:
            tokens |= dict(_tokens(node))
    if not tokens:
        raise _wrong(Text("Er staan geen tokens in.", "There are no tokens in it."))
    return Theme(tokens, dark)


def referred(tokens: Tokens, used: str) -> dict[str, str]:
    """Those tokens that a style sheet names, and those that these name in turn."""
    wanted, found = _NAMED.findall(used), dict[str, str]()
    while wanted:
        name = wanted.pop()
        if name in tokens and name not in found:
            found[name] = tokens[name]
            wanted += _NAMED.findall(tokens[name])
    return {name: value for name, value in tokens.items() if name in found}


def _tokens(rule: Any) -> Iterator[tuple[str, str]]:
    """What a rule declares. Raises `Invalid` for any but tokens that load nothing."""
    if rule.type != "qualified-rule" or not _SELECTOR.fullmatch(tinycss2.serialize(rule.prelude).strip()):
        raise _line(rule)
    for one in tinycss2.parse_declaration_list(rule.content, skip_comments=True, skip_whitespace=True):
        if (
            one.type != "declaration"
            or not _NAMED.fullmatch(one.name)
            or one.important
            or not _harmless(one.value)
        ):
            raise _line(one)
        yield one.name, " ".join(tinycss2.serialize(one.value).split())


def _harmless(value: list[Any]) -> bool:
    for part in value:
        if part.type in ("url", "error", "{} block", "at-keyword"):
            return False
        if part.type == "function" and (part.lower_name in _FETCHING or not _harmless(part.arguments)):
            return False
        if part.type in ("() block", "[] block") and not _harmless(part.content):
            return False
        if part.type == "literal" and part.value in ("<!--", "-->", ";"):
            return False
        if part.type in ("string", "ident") and "<" in part.value:
            return False
    return True


def _block(tokens: Tokens) -> str:
    return f":root{{{''.join(f'{name}:{value};' for name, value in tokens.items())}}}"


def _line(node: Any) -> Invalid:
    return _wrong(
        Text(f"Regel {node.source_line} is geen token, of laadt iets van elders.",
             f"Line {node.source_line} is no token, or loads something from elsewhere.")
    )  # fmt: skip


def _wrong(why: Text) -> Invalid:
    return Invalid(
        "unusable-theme",
        Text("Dit thema kan niet worden gebruikt.", "This theme cannot be used."),
        why,
        Text("Een thema bestaat uit regels als `--utrecht-link-color: #06c;` in `:root { … }`.",
             "A theme consists of lines such as `--utrecht-link-color: #06c;` in `:root { … }`."),
    )  # fmt: skip
