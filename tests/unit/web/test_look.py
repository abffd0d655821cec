"""The look of pages, as far as figures tell: contrast of WCAG 2.2 (1.4.3, 1.4.11), in the light and in the dark."""

import gzip
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.browser import Browser

import sluis.web
from sluis.kernel import Invalid
from sluis.web import House, SignedIn, look_of, make_portal
from sluis.web.contrast import colour_of, contrast
from sluis.web.look import static_files
from sluis.web.theme import MOST, parse_theme, read_theme

ROOT = Path(__file__).parents[3]

CSS = (Path(sluis.web.__file__).parent / "static/portal.css").read_text(encoding="utf-8")

TEXT = [
    *((front, back) for front in ("ink", "soft", "link", "strong", "bad", "good", "care") for back in ("paper", "shade")),
    *((front, f"{front}-shade") for front in ("bad", "good", "care")),
    *(("ink", f"{front}-shade") for front in ("bad", "good", "care")),
    ("on-brand", "brand"), ("on-brand", "brand-more"), ("on-warn", "warn"), ("on-focus", "focus"),
]  # fmt: skip


def colours(dark: bool) -> dict[str, str]:
    blocks = re.findall(r":root(?::not\(.light\))? \{(.*?)\}", CSS, re.DOTALL)
    given: dict[str, str] = {}
    for block in blocks[: 2 if dark else 1]:
        given |= dict(re.findall(r"--sluis-([\w-]+): (#[0-9a-f]{6});", block))
    return given


def apart(one: str, other: str) -> float:
    """The contrast of two colours, as `#rrggbb`."""
    first, second = (colour_of({"--x": value}, "--x") for value in (one, other))
    assert first is not None
    assert second is not None
    return contrast(first[0], second[0])


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("front", "back"), TEXT)
def test_text_can_be_read(front: str, back: str, dark: bool) -> None:
    known = colours(dark)
    assert apart(known[front], known[back]) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
def test_where_the_keyboard_is_can_be_seen(dark: bool) -> None:
    known = colours(dark)
    assert max(apart(known[ring], known["paper"]) for ring in ("focus", "on-focus")) >= 3


@pytest.mark.parametrize("dark", [False, True])
def test_a_field_can_be_told_from_the_page(dark: bool) -> None:
    known = colours(dark)
    assert apart(known["edge"], known["paper"]) >= 3
    assert apart(known["edge"], known["shade"]) >= 3


def system() -> str:
    return static_files()["/static/web/system.css"].content.decode()


def test_pages_have_the_components_with_our_colours_alone() -> None:
    """What a component takes a colour from is a token of ours, in the light and in the dark; none of the example theme's is left."""
    own = {name: value.strip() for name, value in re.findall(r"(--[\w-]+):([^;{}]+);", CSS)}
    [block] = re.findall(r":root\{(.*?)\}", system())
    tokens = dict(re.findall(r"(--[\w-]+):([^;]*);", block)) | own
    used = set(re.findall(r"var\(\s*(--[\w-]+)", system().replace(block, "") + CSS))
    left, seen = set(), set(used)
    while used:
        name = used.pop()
        value = tokens.get(name, "")
        if (
            not name.startswith("--sluis-")
            and re.search(r"#[0-9a-f]{3}|rgb|hsl", value)
            and name != "--basis-color-transparent"
        ):
            left.add(name)
        more = set(re.findall(r"--[\w-]+", value)) - seen
        seen |= more
        used |= more
    assert left == set()


def test_rules_name_what_pages_have() -> None:
    assert ":is(.utrecht-button,button,.button){" in system()
    assert ".utrecht-textbox--invalid" not in system()
    assert "@layer system{" in system()
    assert "http" not in re.sub(r"/\*.*?\*/", "", system())


THEME = """/* Tokens of a town. */
.utrecht-theme { --utrecht-link-color: #a00; --utrecht-heading-1-color: var(--town-red); --town-red: rgb(170 0 0); --unused: 1 }
@media (prefers-color-scheme: dark) { :root { --utrecht-link-color: #faa } }"""


def test_a_theme_is_the_tokens_that_pages_name() -> None:
    sheet = parse_theme(THEME).sheet(
        "a{color:var(--utrecht-link-color)} h1{color:var(--utrecht-heading-1-color)}"
    )
    assert sheet == (
        ":root{--utrecht-link-color:#a00;--utrecht-heading-1-color:var(--town-red);--town-red:rgb(170 0 0);}"
        "@media(prefers-color-scheme:dark){:root{--utrecht-link-color:#faa;--utrecht-heading-1-color:var(--town-red);--town-red:rgb(170 0 0);}}"
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "a{--x:1}", ":root{color:red}", "@import 'x';", ":root{--x:url(https://elsewhere.example/x)}", ":root{--x:a;--y:image-set('x' 1x)}",
     "@media print{:root{--x:1}}", ":root{--x:1!important}", ":root{--x:{}}", ":root{--x:'</style>'}", "@font-face{src:url(x)}",
     ":root{--x:calc(1px + u\\72l(x))}", ":root{--x:1}} body{display:none}", ".a .b{--x:1}", "\ufeff<style>"],
)  # fmt: skip
def test_a_theme_holds_nothing_but_tokens(text: str) -> None:
    with pytest.raises(Invalid, match="theme"):
        parse_theme(text)


def test_a_theme_has_a_size(tmp_path: Path) -> None:
    (tmp_path / "theme.css").write_text(":root{--x:1}" + " " * MOST)
    with pytest.raises(Invalid, match="theme"):
        read_theme(tmp_path / "theme.css")


def test_the_theme_that_the_how_to_makes_is_one() -> None:
    text = (ROOT / "docs/how-to/huisstijl.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```css\n(.*?)```", text, re.DOTALL)
    theme = parse_theme(example)
    named = set(re.findall(r"`(--[\w-]+)`", text)) | {*theme.tokens, *theme.dark}
    assert {name for name in named if f"var({name}" not in CSS + system()} == set()


async def test_an_organisation_has_its_own_look(tmp_path: Path) -> None:
    (tmp_path / "town.css").write_text(":root{--utrecht-link-color:#a00}")
    (tmp_path / "town.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    look = look_of(tmp_path / "town.css", tmp_path / "town.svg")
    browser = Browser(make_portal([], Nobody(), House("Dienst", True, look=look), b"s" * 32))
    shown = (await browser.get("/nothing")).text
    assert '<html lang="nl" class="light">' in shown  # its theme knows no dark
    assert shown.index("portal.css") < shown.index(look.sheet)
    assert f'<img src="{look.logo}"' in shown
    sheet = await browser.get(look.sheet)
    assert (sheet.text, sheet.headers["cache-control"]) == (
        ":root{--utrecht-link-color:#a00;}", "public, max-age=31536000, immutable",
    )  # fmt: skip
    assert (await browser.get(look.logo)).headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.svg", "<svg><script/></svg>"),
        ("x.png", "<svg/>"),
        ("x.gif", "GIF89a"),
        ("x.svg", "<svg>" + " " * 200_000),
    ],
)
def test_a_logo_is_a_picture(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(Invalid, match="logo"):
        look_of(None, tmp_path / name)


class Nobody:
    """Nobody is signed in."""

    def by_cookie(self, secret: str) -> SignedIn | None:
        return None

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        return None


async def test_files_come_compressed_to_who_takes_them_so() -> None:
    browser = Browser(make_portal([], Nobody(), House("Dienst", True), b"s" * 32))
    whole = await browser.get("/static/web/portal.css")
    packed = await browser.get("/static/web/portal.css", accept_encoding="br, gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == whole.body
    assert whole.headers["vary"] == packed.headers["vary"] == "accept-encoding"


def test_a_wheel_has_what_pages_load_and_their_licences(tmp_path: Path) -> None:
    names = zipfile.ZipFile(built(tmp_path)).namelist()
    assert {
        f"sluis/web/static/{name}"
        for name in ("system.css", "htmx.js", "uplot.js", "uplot.css", "portal.css")
    } <= {*names}
    assert len([name for name in names if "/licenses/var/assets/licenses/" in name]) >= 3


def built(folder: Path) -> Path:
    """The wheel of this checkout."""
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return folder / done.stdout.strip()


def test_what_is_fetched_is_fixed_and_names_no_registry() -> None:
    lock = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    packages = json.loads(lock)["packages"]
    assert all(one.get("integrity", "").startswith("sha512-") for name, one in packages.items() if name)
    shipped = {one["license"] for name, one in packages.items() if name and not one.get("dev")}
    assert shipped == {"EUPL-1.2", "MIT", "BSD-0-Clause"}
