"""Whether the colours of a theme can be told apart: contrast of WCAG 2.2, 1.4.3 (text) and 1.4.11 (controls).

It follows what tokens refer to, as browsers do (CSS Custom Properties level 1, 3), through the theme and the portal's own sheets.
A colour that is no sRGB by itself, such as `oklch()` or `color-mix()`, is not judged.
"""

import re
from collections.abc import Iterator, Mapping

import msgspec
import tinycss2
from tinycss2 import color4

from sluis.kernel import Invalid, Place, Text
from sluis.web.theme import Theme, Tokens

TEXT_LEAST, CONTROL_LEAST = 4.5, 3.0
"""Contrast of letters with what is behind them, and of a control with what is around it; to 1."""

_DEEP = 30  # references one behind the other
_REFERENCE = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,\s*([^()]*(?:\([^()]*\))?[^()]*))?\)")

_PAPER, _SHADE = "--utrecht-document-background-color", "--basis-color-default-bg-subtle"
_BUTTON = "--utrecht-button-primary-action"


class Pair(msgspec.Struct, frozen=True):
    """Two tokens that meet on pages.

    Args:
        front: of the letters, or of the control.
        back: of what is behind or around it.
        least: contrast that is needed.
        what: what somebody cannot see otherwise.
    """

    front: str
    back: str
    least: float
    what: Text


class Weak(msgspec.Struct, frozen=True):
    """A pair that can hardly be told apart.

    Args:
        pair: which.
        colours: of front and back, as `#rrggbb`.
        ratio: their contrast, to 1.
        dark: whether that is so in the dark.
        tokens: of the theme, from which the colours come.
    """

    pair: Pair
    colours: tuple[str, str]
    ratio: float
    dark: bool
    tokens: tuple[str, ...]


_WORDS, _QUIET, _LINKS = (
    Text("de tekst", "the text"),
    Text("stille tekst", "quiet text"),
    Text("links", "links"),
)

PAIRS = (
    Pair("--utrecht-document-color", _PAPER, TEXT_LEAST, _WORDS),
    Pair("--utrecht-document-color", _SHADE, TEXT_LEAST, Text("de tekst op vlakken", "the text on planes")),
    Pair("--basis-color-default-color-subtle", _PAPER, TEXT_LEAST, _QUIET),
    Pair("--basis-color-default-color-subtle", _SHADE, TEXT_LEAST, Text("stille tekst op vlakken", "quiet text on planes")),
    Pair("--basis-heading-color", _PAPER, TEXT_LEAST, Text("koppen", "headings")),
    Pair("--utrecht-link-color", _PAPER, TEXT_LEAST, _LINKS),
    Pair("--utrecht-link-color", _SHADE, TEXT_LEAST, Text("links op vlakken", "links on planes")),
    Pair("--utrecht-link-hover-color", _PAPER, TEXT_LEAST, Text("een link die u aanwijst", "a link that you point at")),
    Pair(f"{_BUTTON}-color", f"{_BUTTON}-background-color", TEXT_LEAST, Text("de letters op de knop", "the letters on the button")),
    Pair(f"{_BUTTON}-hover-color", f"{_BUTTON}-hover-background-color", TEXT_LEAST,
         Text("de letters op een knop die u aanwijst", "the letters on a button that you point at")),
    Pair(f"{_BUTTON}-background-color", _PAPER, CONTROL_LEAST, Text("de knop", "the button")),
    Pair("--utrecht-button-secondary-action-color", _PAPER, TEXT_LEAST, Text("de letters op een tweede knop", "the letters on a second button")),
    Pair("--utrecht-textbox-border-color", _PAPER, CONTROL_LEAST, Text("de rand van een invoerveld", "the edge of a field")),
    Pair("--basis-color-negative-color-default", _PAPER, TEXT_LEAST, Text("wat fout is", "what is wrong")),
    Pair("--basis-color-positive-color-default", _PAPER, TEXT_LEAST, Text("wat goed is", "what is well")),
    Pair("--basis-color-warning-color-default", _PAPER, TEXT_LEAST, Text("waarschuwingen", "warnings")),
)  # fmt: skip


def weak_pairs(theme: Theme, sheets: str) -> list[Weak]:
    """What of a theme can hardly be told apart; only where a token of the theme itself plays a part.

    Args:
        theme: of an organisation.
        sheets: the portal's own style sheets, in their order.
    """
    own, own_dark = declared(sheets, dark=False), declared(sheets, dark=True)
    found = list(_weak({**own, **theme.tokens}, theme.tokens, dark=False))
    if theme.dark:  # a theme that knows no dark keeps pages light
        given = {**theme.tokens, **theme.dark}
        found += _weak({**own, **given, **own_dark}, given, dark=True)
    return found


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """How far two colours are apart, from 1 to 21 (WCAG 2.2, contrast ratio); red, green and blue from 0 to 1."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: tuple[float, float, float]) -> float:
    """How light a colour is, from 0 to 1 (WCAG 2.2, relative luminance)."""
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def colour_of(tokens: Tokens, name: str) -> tuple[tuple[float, float, float], float] | None:
    """The colour that a token stands for in the end, with how opaque it is; None when that is not known here."""
    value = tokens.get(name, "")
    for _ in range(_DEEP):
        found = _REFERENCE.search(value)
        if found is None:
            break
        value = value[: found.start()] + tokens.get(found[1], found[2] or "") + value[found.end() :]
    try:
        read = color4.parse_color(value.strip())
        if read is None or isinstance(read, str):
            return None
        red, green, blue = read.to("srgb").coordinates
    except (NotImplementedError, TypeError):
        return None
    return (red, green, blue), read.alpha


def declared(sheets: str, dark: bool) -> dict[str, str]:
    """Tokens that style sheets declare for the whole page, in the light, or beside these in the dark."""
    return dict(_declared(tinycss2.parse_stylesheet(sheets, skip_comments=True, skip_whitespace=True), dark))


def told_of(one: Weak, file: str, text: str) -> Invalid:
    """A weak pair as advice.

    Args:
        one: which.
        file: of the theme.
        text: of it, to find the line.
    """
    lines = text.splitlines()
    line = next(
        (
            at
            for at, each in enumerate(lines, 1)
            if any(f"{name}:" in each.replace(" ", "") for name in one.tokens)
        ),
        0,
    )
    ratio, least = (
        f"{int(one.ratio * 10) / 10:.1f}",
        f"{one.pair.least:g}",
    )  # never rounded up to what is needed
    in_nl, in_en = (" in het donker", " in the dark") if one.dark else ("", "")
    names = ", ".join(f"`{name}`" for name in one.tokens)
    front, back = one.colours
    return Invalid(
        "weak-contrast",
        Text(f"Dit thema maakt {one.pair.what.nl}{in_nl} slecht leesbaar.", f"This theme makes {one.pair.what.en} hard to see{in_en}."),
        Text(f"{front} op {back} verschilt {_comma(ratio)} op 1; nodig is {_comma(least)} op 1 (WCAG 2.2).",
             f"{front} on {back} is {ratio} to 1; {least} to 1 is needed (WCAG 2.2)."),
        Text(f"Maak het verschil groter: verander {names}.", f"Make them differ more: change {names}."),
        place=Place(file, line),
    )  # fmt: skip


def _weak(tokens: Mapping[str, str], theme: Tokens, dark: bool) -> Iterator[Weak]:
    for pair in PAIRS:
        used = tuple(
            name for name in theme if name in _behind(tokens, pair.front) | _behind(tokens, pair.back)
        )
        front, back = colour_of(tokens, pair.front), colour_of(tokens, pair.back)
        if not used or front is None or back is None:
            continue
        paper = colour_of(tokens, _PAPER)
        ground = _over(back, paper[0] if paper else (1.0, 1.0, 1.0))
        shown = _over(front, ground)
        ratio = contrast(shown, ground)
        if ratio < pair.least:
            yield Weak(pair, (_hex(shown), _hex(ground)), ratio, dark, used)


def _behind(tokens: Mapping[str, str], name: str) -> set[str]:
    """A token and those that it refers to."""
    wanted, found = [name], set[str]()
    while wanted:
        one = wanted.pop()
        if one not in found:
            found.add(one)
            wanted += re.findall(r"--[\w-]+", tokens.get(one, ""))
    return found


def _over(
    colour: tuple[tuple[float, float, float], float], ground: tuple[float, float, float]
) -> tuple[float, float, float]:
    """What somebody sees of a colour that lets through what is behind it."""
    (red, green, blue), opaque = colour
    mixed = [
        opaque * one + (1 - opaque) * other for one, other in zip((red, green, blue), ground, strict=True)
    ]
    return mixed[0], mixed[1], mixed[2]


def _comma(figure: str) -> str:
    return figure.replace(".", ",")


def _hex(colour: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(min(max(one, 0.0), 1.0) * 255):02x}" for one in colour)


def _declared(rules: list[object], dark: bool, inside: bool = False) -> Iterator[tuple[str, str]]:
    for rule in rules:
        kind = getattr(rule, "type", "")
        content = getattr(rule, "content", None)
        if kind == "at-rule" and content is not None:
            name, prelude = rule.lower_at_keyword, tinycss2.serialize(rule.prelude)  # type: ignore[attr-defined]
            within = tinycss2.parse_rule_list(content, skip_comments=True, skip_whitespace=True)
            if name == "layer":
                yield from _declared(within, dark, inside)
            elif name == "media" and re.fullmatch(
                r"\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)\s*", prelude
            ):
                yield from _declared(within, dark, True)
        elif kind == "qualified-rule" and inside is dark:
            selector = tinycss2.serialize(rule.prelude).strip()  # type: ignore[attr-defined]
            if selector.partition(":not(")[0] == ":root":
                for one in tinycss2.parse_declaration_list(content, skip_comments=True, skip_whitespace=True):
                    if one.type == "declaration" and one.name.startswith("--"):
                        yield one.name, tinycss2.serialize(one.value).strip()
