"""A letter as PDF/A-2a (ISO 19005-2, level A: every letter of it can be read as text, in an order, and aloud), made of HTML by
WeasyPrint.

The same letter gives the same bytes. Nothing is fetched while it is made: no picture, font or style from elsewhere.
"""

import logging

from sluis.contact.channels.base import Failed, Parcel
from sluis.contact.channels.layout import PAPER, Paper, letter_page
from sluis.kernel import Text

VARIANT = "pdf/a-2a"


def make_letter(parcel: Parcel, paper: Paper = PAPER) -> bytes:
    """The letter. Blocks, for a fifth of a second; the first time for some seconds.

    Raises `Failed`: the libraries that WeasyPrint draws with (Pango) are not on this machine, or the letter cannot be made.
    """
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError):
        raise Failed("letter-no-pango", "later", told=[_NO_PANGO]) from None
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)  # it would quote what stands in a letter
    try:
        page = HTML(string=letter_page(parcel, paper), url_fetcher=URLFetcher(allowed_protocols=()))
        made: bytes = page.write_pdf(pdf_variant=VARIANT, pdf_identifier=parcel.reference.encode())
    except Exception:
        # What such a library says of a document may hold what is in it.
        raise Failed("letter-unmakable", "never") from None
    return made


_NO_PANGO = Text(
    "Op deze machine ontbreekt Pango (libpango-1.0-0, libpangoft2-1.0-0); zonder kan er geen brief worden gemaakt.",
    "Pango (libpango-1.0-0, libpangoft2-1.0-0) is not on this machine; without it no letter can be made.",
)
