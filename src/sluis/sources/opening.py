"""Which kind of source a URL names, and opening it. Libraries and drivers are heavy, so each is loaded when first needed."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from sluis.kernel import Invalid, Text

if TYPE_CHECKING:
    from sluis.grounds import Dataset
    from sluis.sources.base import Source


def _sqlite(url: str, **options: Any) -> "Source":
    from sluis.sources.sqlite import SqliteSource

    return SqliteSource(unquote(url.removeprefix("sqlite:///")), **options)


def _postgres(url: str, **options: Any) -> "Source":
    from sluis.sources.postgres import PostgresSource

    return PostgresSource(url, **options)


def _mariadb(url: str, **options: Any) -> "Source":
    from sluis.sources.mariadb import MariadbSource

    return MariadbSource(url, **options)


def _files(url: str, **options: Any) -> "Source":
    from sluis.sources.files import FilesSource

    return FilesSource(unquote(urlsplit(url).path), **options)


def _rest(url: str, **options: Any) -> "Source":
    from sluis.sources.rest import RestSource

    return RestSource(url, **options)


def _generic(url: str, **options: Any) -> "Source":
    from sluis.sources.generic import GenericSource

    return GenericSource(url, **options)


KINDS: dict[str, Callable[..., "Source"]] = {
    "file": _files,
    "mariadb": _mariadb,
    "openapi+file": _rest,
    "openapi+http": _rest,
    "openapi+https": _rest,
    "mysql": _mariadb,
    "postgresql": _postgres,
    "postgres": _postgres,
    "sqlite": _sqlite,
}
"""URL scheme to what opens it."""


_POOLED = {"postgresql", "postgres", "mariadb", "mysql", "sqlite"}
"""Kinds that keep connections."""


def open_source(url: str, pool_size: int = 8, **options: Any) -> "Source":
    """Open a source. Nothing is contacted yet: an unreachable source fails when it is first asked something.

    Args:
        url: `postgresql://…`, `mariadb://…` or `mysql://…`, `sqlite:///path`, `file:///file-or-folder`,
            `openapi+https://…/openapi.json`, or any other URL that SQLAlchemy has a driver for (`oracle+oracledb://…`).
        pool_size: connections kept at once, for the kinds that keep any.
        options: for files `encoding`, `separator`, `header`; for OpenAPI `base`, `headers`.

    Raises:
        Invalid: `unknown-source-kind`, `unknown-source-option`.
        SourceFailure: `failed`, when the driver of another database is not installed.
    """
    scheme, opener = _scheme(url), opener_of(url)
    if scheme in _POOLED or opener is _generic:
        options["pool_size"] = pool_size
    try:
        return opener(url, **options)
    except TypeError as error:
        raise Invalid(
            "unknown-source-option",
            Text("Deze instelling past niet bij de bron.", "This option does not go with the source."),
            Text(
                f"Bij {scheme}: {', '.join(options.keys() - {'pool_size'})}.",
                f"With {scheme}: {', '.join(options.keys() - {'pool_size'})}.",
            ),
            Text("Haal de instelling weg.", "Remove the option."),
        ) from error


def opener_of(url: str) -> Callable[..., "Source"]:
    """What opens the source with this URL. Raises `Invalid` (`unknown-source-kind`)."""
    scheme = _scheme(url)
    opener = KINDS.get(scheme) or (_generic if _has_driver(scheme) else None)
    if opener is None or "://" not in url:
        raise Invalid(
            "unknown-source-kind",
            Text("Deze soort bron is niet bekend.", "This kind of source is not known."),
            Text(
                "Het begin van de URL zegt wat voor bron het is.",
                "The beginning of a URL says what kind it is.",
            ),
            _beginning(url),
        )
    return opener


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower()


def source_name(url: str) -> str:
    """What to call a source whose owner did not say: after its database, file or host."""
    parts = urlsplit(url.removeprefix("openapi+"))
    last = unquote(parts.path).rstrip("/").rpartition("/")[2].partition(".")[0]
    found = re.sub(r"[^A-Za-z0-9._-]+", "-", last or parts.hostname or "").strip("-._")
    return found or "main"


def inspect(url: str, **options: Any) -> tuple["Dataset", ...]:
    """Propose datasets for a source that nobody prepared.

    Args:
        url: as for `open_source`; `options` too.

    Raises:
        Invalid: the URL is not understood.
        Upstream: the source cannot be read.
    """
    from sluis.sources.base import SourceFailure
    from sluis.sources.proposing import problem_of, propose

    try:
        source = open_source(url, **options)
        try:
            return tuple(proposal.dataset for proposal in propose(source, source_name(url)))
        finally:
            source.close()
    except SourceFailure as failure:
        raise problem_of(failure, url) from failure


def _beginning(url: str) -> Text:
    """What the URL should begin with; for what looks like a file, the whole of it."""
    from sluis.sources.files import SUFFIXES

    path = Path(url.rpartition("://")[2])
    if path.suffix.lower() in SUFFIXES or path.is_dir():
        meant = f"file://{path.absolute()}"
        return Text(f"Bedoelt u {meant}?", f"Did you mean {meant}?")
    known = ", ".join(f"{scheme}://" for scheme in KINDS)
    return Text(f"Begin met een van: {known}.", f"Begin with one of: {known}.")


def _has_driver(scheme: str) -> bool:
    from sqlalchemy.dialects import registry
    from sqlalchemy.exc import NoSuchModuleError

    try:
        registry.load(scheme.replace("+", "."))
    except NoSuchModuleError:
        return False
    return True
