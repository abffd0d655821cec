"""What WeasyPrint draws letters with: libraries and a font of the distribution, installed when they are not there."""

from ctypes.util import find_library
from pathlib import Path

from tests.servers import need


def need_pango() -> None:
    """Skips the test where they cannot be had."""
    need("libpangoft2-1.0-0", lambda: find_library("pangoft2-1.0") is not None)
    need("libharfbuzz-subset0", lambda: find_library("harfbuzz-subset") is not None)
    need("fonts-liberation", lambda: any(Path("/usr/share/fonts").glob("truetype/*/*.ttf")))
