"""The look of pages, as far as figures tell: contrast of WCAG 2.2 (1.4.3, 1.4.11), in the light and in the dark."""

import re
from pathlib import Path

import pytest

import sluis.web

CSS = (Path(sluis.web.__file__).parent / "static/portal.css").read_text(encoding="utf-8")

TEXT = [
    ("ink", "paper"), ("ink", "shade"), ("soft", "paper"), ("soft", "shade"), ("link", "paper"), ("link", "shade"),
    ("strong", "paper"), ("strong", "shade"), ("bad", "paper"), ("good", "paper"), ("good", "shade"), ("care", "paper"), ("care", "shade"), ("bad", "shade"), ("on-brand", "brand"), ("on-warn", "warn"),
    ("on-focus", "focus"),
]  # fmt: skip


def colours(dark: bool) -> dict[str, str]:
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    given: dict[str, str] = {}
    for block in blocks[: 2 if dark else 1]:
        given |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    return given


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("front", "back"), TEXT)
def test_text_can_be_read(front: str, back: str, dark: bool) -> None:
    known = colours(dark)
    assert contrast(known[front], known[back]) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
def test_where_the_keyboard_is_can_be_seen(dark: bool) -> None:
    known = colours(dark)
    assert max(contrast(known[ring], known["paper"]) for ring in ("focus", "on-focus")) >= 3


def test_a_field_can_be_told_from_the_page() -> None:
    assert "border: 1px solid var(--soft)" in CSS  # whose contrast is that of text
