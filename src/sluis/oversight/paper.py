"""A page as a document: PDF/A-2a, made of a template by WeasyPrint, with nothing fetched."""

import logging
from collections.abc import Mapping
from typing import Any

from sluis.kernel import Text, Upstream
from sluis.web import Setting, rendered

VARIANT = "pdf/a-2a"


def as_pdf(setting: Setting, template: str, values: Mapping[str, Any]) -> bytes:
    """The document. Blocks, for a second.

    Raises `Upstream`: the libraries that WeasyPrint draws with (Pango) are not on this machine.
    """
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError):
        raise _no_pango() from None
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    page = HTML(
        string=rendered(setting, template, **values).decode(), url_fetcher=URLFetcher(allowed_protocols=())
    )
    made: bytes = page.write_pdf(pdf_variant=VARIANT)
    return made


def _no_pango() -> Upstream:
    return Upstream(
        "no-pango",
        Text("Hier kan geen PDF worden gemaakt.", "No PDF can be made here."),
        Text("Op deze machine ontbreekt Pango.", "Pango is not on this machine."),
        Text("Druk de pagina zelf af naar PDF.", "Print the page itself to PDF."),
    )
