"""Colours of a theme that can hardly be told apart are found before somebody has to read them (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from pathlib import Path

import pytest

from sluis.kernel import Place
from sluis.web.contrast import PAIRS, colour_of, contrast, declared, told_of, weak_pairs
from sluis.web.look import advice_on, static_files
from sluis.web.theme import parse_theme

SHEETS = "".join(
    static_files()[name].content.decode() for name in ("/static/web/system.css", "/static/web/portal.css")
)
BLACK, WHITE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def found(theme: str) -> set[tuple[str, bool]]:
    return {(one.pair.what.en, one.dark) for one in weak_pairs(parse_theme(theme), SHEETS)}


def test_contrast_is_that_of_wcag() -> None:
    assert contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast(WHITE, WHITE) == pytest.approx(1)
    gray = tuple(0x76 / 255 for _ in range(3))
    assert contrast(gray, WHITE) == pytest.approx(4.54, abs=0.005)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "colour"),
    [("#fff", WHITE), ("white", WHITE), ("rgb(255 255 255)", WHITE), ("hsl(0 0% 0%)", BLACK), ("var(--b)", BLACK),
     ("var(--none, #fff)", WHITE), ("var(--none, var(--b))", BLACK), ("oklch(0.5 0.1 20)", None), ("var(--x)", None), ("currentcolor", None)],
)  # fmt: skip
def test_a_token_is_followed_to_its_colour(value: str, colour: tuple[float, float, float] | None) -> None:
    read = colour_of({"--x": value, "--b": "#000"}, "--x")
    assert (read and read[0]) == colour


def test_every_token_that_is_compared_is_one_of_the_pages_in_the_light_and_in_the_dark() -> None:
    for tokens in (declared(SHEETS, dark=False), declared(SHEETS, dark=False) | declared(SHEETS, dark=True)):
        assert [
            name for pair in PAIRS for name in (pair.front, pair.back) if colour_of(tokens, name) is None
        ] == []
        for pair in PAIRS:
            front, back = colour_of(tokens, pair.front), colour_of(tokens, pair.back)
            assert front is not None
            assert back is not None
            assert contrast(front[0], back[0]) >= pair.least, pair


def test_what_can_hardly_be_read_is_found() -> None:
    assert found(":root{--utrecht-link-color:#999}") == {("links", False), ("links on planes", False)}
    assert found(":root{--basis-color-action-1-inverse-bg-default:#ffb612}") >= {
        ("the button", False),
        ("the letters on the button", False),
    }
    assert found(":root{--utrecht-link-color:#0000004d}") == {("links", False), ("links on planes", False)}
    assert found(":root{--utrecht-link-color:#063754}") == set()
    assert found(":root{--utrecht-button-border-radius:0}") == set()


def test_the_dark_is_judged_where_a_theme_knows_it() -> None:
    pale = ":root{--utrecht-link-color:#063754}"
    assert found(pale) == set()
    assert found(f"{pale}@media(prefers-color-scheme:dark){{:root{{--basis-heading-color:#fff}}}}") == {
        ("links", True), ("links on planes", True),
    }  # fmt: skip


def test_advice_says_where_what_and_what_helps(tmp_path: Path) -> None:
    theme = tmp_path / "theme.css"
    theme.write_text(":root {\n  --utrecht-link-color: #999;\n}\n")
    [links, on_planes] = advice_on(theme)
    assert links.place == Place(str(theme), 2)
    assert links.what.nl == "Dit thema maakt links slecht leesbaar."
    assert links.why.nl == "#999999 op #ffffff verschilt 2,8 op 1; nodig is 4,5 op 1 (WCAG 2.2)."
    assert links.why.en == "#999999 on #ffffff is 2.8 to 1; 4.5 to 1 is needed (WCAG 2.2)."
    assert "`--utrecht-link-color`" in links.next.nl
    assert on_planes.code == "weak-contrast"
    theme.write_text(":root{}}")
    assert advice_on(theme) == []  # which it is no theme for is told elsewhere


def test_the_theme_of_the_how_to_can_be_read() -> None:
    text = (Path(__file__).parents[3] / "docs/how-to/huisstijl.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```css\n(.*?)```", text, re.DOTALL)
    assert found(example) == set()


def test_a_weak_pair_in_the_dark_says_so() -> None:
    theme = ":root{--x:#fff}@media(prefers-color-scheme:dark){:root{--utrecht-link-color:#333}}"
    one = weak_pairs(parse_theme(theme), SHEETS)[0]
    assert told_of(one, "theme.css", theme).what.en.endswith("hard to see in the dark.")
