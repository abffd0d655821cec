"""The link to a wallet as a QR code (ISO/IEC 18004), for a wallet on another device. Library `segno`; as SVG with attributes
alone, since a page may hold no style."""

import segno
from markupsafe import Markup

_QUIET = 4  # modules of white around it (ISO/IEC 18004, 9.1)
_MASK = 3


def drawn(link: str) -> Markup:
    """The picture, black on white whatever the colours of the page, as large as where it is put."""
    # Trying out all eight masks takes four times as long, on a page that is open to all; what is random in the link keeps
    # large even areas away.
    code = segno.make_qr(link, error="m", boost_error=False, mask=_MASK)
    return Markup(  # noqa: S704 - made of the squares, not of the text
        code.svg_inline(omitsize=True, light="#fff", border=_QUIET, svgclass=None, lineclass=None)
    )
