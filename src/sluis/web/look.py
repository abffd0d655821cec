"""What pages load: the files in the `static` folder of any room, what `tools/assets` made of others, and what an organisation puts in
their place: its theme and its logo. Each has a name that says which version it is."""

import gzip
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from mimetypes import guess_type
from pathlib import Path

import msgspec

from sluis.kernel import Invalid, Text
from sluis.web.contrast import told_of, weak_pairs
from sluis.web.theme import read_theme

_MADE = Path(__file__).resolve().parents[3] / "var/assets/static"
"""Where a checkout has what `tools/assets` made; in a wheel it lies among the room's own files."""

_TEXT = ("text/", "image/svg", "application/javascript")
_MOST_LOGO = 128 * 1024  # bytes


class File(msgspec.Struct, frozen=True):
    """A file that pages load, such as a style sheet. `packed` is the same compressed with gzip; None where that is no smaller."""

    content: bytes
    media_type: str
    version: str
    packed: bytes | None

    @property
    def tag(self) -> str:
        """What an address ends with that names this version."""
        return f"v={self.version}"


Files = Mapping[str, File]


class Look(msgspec.Struct, frozen=True):
    """What an organisation changes about the pages.

    Args:
        sheet: address of its style sheet; empty where it has none.
        logo: address of its logo; the same.
        light: whether pages stay light in the dark, since its theme knows no dark.
        files: those two, by path.
    """

    sheet: str = ""
    logo: str = ""
    light: bool = False
    files: Files = {}


@lru_cache(maxsize=1)
def static_files() -> Files:
    """All of them, by the path under which pages load it: `/static/web/portal.css`."""
    house = Path(str(files("sluis")))
    found = {}
    for path in sorted(house.glob("**/static/*")):
        room = "/".join(path.relative_to(house).parts[:-2])
        found[f"/static/{room}/{path.name}"] = _file(path.name, path.read_bytes())
    for path in sorted(_MADE.glob("*")):
        found[f"/static/web/{path.name}"] = _file(path.name, path.read_bytes())
    return found


def look_of(theme: Path | None, logo: Path | None) -> Look:
    """The look that an organisation's files give.

    Args:
        theme: its design tokens; None for those of the portal.
        logo: SVG or PNG; None for that of the portal.

    Raises `Invalid` when one is not what it should be.
    """
    read = None if theme is None else read_theme(theme)
    made: dict[str, File] = {}
    if read is not None:
        used = b"".join(file.content for file in static_files().values() if "css" in file.media_type)
        made["/static/theme.css"] = _file("theme.css", read.sheet(used.decode()).encode())
    if logo is not None:
        made[f"/static/logo{logo.suffix.lower()}"] = _logo(logo)
    address = {path.partition(".")[0]: f"{path}?{file.tag}" for path, file in made.items()}
    light = read is not None and not read.dark
    return Look(address.get("/static/theme", ""), address.get("/static/logo", ""), light, made)


def advice_on(theme: Path) -> list[Invalid]:
    """What of a theme can hardly be seen, each with its place in the file and what helps; nothing of a file that is no theme."""
    try:
        read = read_theme(theme)
    except Invalid:
        return []
    names = [name for name in ("/static/web/system.css", "/static/web/portal.css") if name in static_files()]
    sheets = "".join(static_files()[name].content.decode() for name in names)
    text = theme.read_text(encoding="utf-8")
    return [told_of(one, str(theme), text) for one in weak_pairs(read, sheets)]


def _file(name: str, content: bytes) -> File:
    kind = guess_type(name)[0] or "application/octet-stream"
    text = "; charset=utf-8" if kind.startswith("text/") else ""
    packed = gzip.compress(content, 9, mtime=0) if kind.startswith(_TEXT) else content
    version = hashlib.sha256(content).hexdigest()[:12]
    return File(content, kind + text, version, packed if len(packed) < len(content) else None)


def _logo(path: Path) -> File:
    """A picture that shows nothing but itself: pages load it as an image, where no script of it runs."""
    try:
        content = path.read_bytes()
    except OSError:
        raise _no_logo(Text(f"{path} is niet te lezen.", f"{path} cannot be read.")) from None
    if len(content) > _MOST_LOGO:
        raise _no_logo(
            Text(f"Het is groter dan {_MOST_LOGO // 1024} kB.", f"It is larger than {_MOST_LOGO // 1024} kB.")
        )
    svg = path.suffix.lower() == ".svg" and b"<svg" in content and b"<script" not in content.lower()
    png = path.suffix.lower() == ".png" and content.startswith(b"\x89PNG\r\n\x1a\n")
    if not (svg or png):
        raise _no_logo(
            Text("Het is geen SVG zonder script, en geen PNG.", "It is no SVG without script, and no PNG.")
        )
    return _file(path.name.lower(), content)


def _no_logo(why: Text) -> Invalid:
    return Invalid(
        "unusable-logo",
        Text("Dit logo kan niet worden gebruikt.", "This logo cannot be used."),
        why,
        Text("Kies een SVG- of PNG-bestand.", "Choose an SVG or PNG file."),
    )
