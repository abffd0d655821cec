"""`sluis source inspect URL`: datasets proposed for a source nobody prepared. `sluis source probe`: does it work, how fast,
and can this node's account really not write. Neither ever shows a value out of a source."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import click
import msgspec

from sluis.catalogue import (
    MEASUREMENTS_FILE,
    Description,
    Measurement,
    examine_catalogue,
    keep_measurements,
    measure,
    read_catalogue,
)
from sluis.cli.options import example, json_option, node_option, settings
from sluis.cli.terminal import EXIT_CODES, json_text, say
from sluis.config import Address, absolute_address
from sluis.grounds import Dataset, read_directory, refuse_any, render
from sluis.kernel import Conflict, Invalid, Place, Text, Upstream, plain, utc_now
from sluis.sources import (
    Limits,
    Probe,
    Proposal,
    SourceFailure,
    TableInfo,
    missing_file,
    open_source,
    problem_of,
    propose,
    source_name,
)


@click.group(
    "source",
    help=say("Bekijk een bron, of meet of zij werkt.", "Inspect or probe a source."),
    epilog=example("sluis source probe --node /etc/sluis"),
)
def command() -> None:
    """Reads sources with the rights the URL gives; changes nothing there."""


@command.command(
    "inspect",
    help=say(
        "Stel datasets voor bij een bron: namen, typen, sleutels, over wie de rijen gaan. URL: postgresql://, mariadb://,"
        " sqlite:///PAD, file:///MAP, openapi+https://… of een andere SQLAlchemy-URL.",
        "Propose datasets for a source: names, types, keys, whom the rows are about. URL: postgresql://, mariadb://,"
        " sqlite:///PATH, file:///DIR, openapi+https://… or another SQLAlchemy URL.",
    ),
    epilog=example("sluis source inspect sqlite:///personen.db --out datasets"),
)
@click.argument("url")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help=say(
        "Schrijf elk voorstel als bestand in deze map.", "Write each proposal as a file in this directory."
    ),
)
@click.option("--name", help=say("Naam van de bron in node.toml.", "Name of the source in node.toml."))
@click.option("--encoding", help=say("Codering van tekstbestanden.", "Encoding of text files."))
@click.option("--separator", help=say("Scheidingsteken in CSV.", "Separator in CSV."))
@click.option("--base", help=say("Server van een OpenAPI-document.", "Server of an OpenAPI document."))
@json_option
def inspect_source(
    url: str, out: Path | None, name: str | None, as_json: bool, **options: str | None
) -> None:
    given = {key: value for key, value in options.items() if value is not None}
    proposals = list(_propose(absolute_address(Address(url), Path.cwd()), name, given))
    if out is not None:
        written = _write(out, proposals)
        click.echo("\n".join(map(str, written)) if not as_json else json.dumps(list(map(str, written))))
        click.echo("\n".join(_summary(proposals)), err=True)
    elif as_json:
        click.echo(json.dumps([_document(one) for one in proposals], ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(f"# {line}".rstrip() for line in _summary(proposals)))
        for one in proposals:
            click.echo(f"\n# datasets/{one.dataset.name}.toml\n{render(one.dataset)}", nl=False)


def _propose(url: str, name: str | None, options: dict[str, Any]) -> Iterator[Proposal]:
    try:
        source = open_source(url, **options)
        try:
            tables = len([table for table in source.tables() if table.columns])
            found = propose(source, name or source_name(url))
            yield from _with_progress(found, tables)
        finally:
            source.close()
    except SourceFailure as failure:
        raise problem_of(failure, url) from None


def _with_progress(proposals: Iterable[Proposal], length: int) -> Iterator[Proposal]:
    """The proposals; how far it is shows on the terminal, and only there."""
    with click.progressbar(
        proposals,
        length=length,
        label=say("Tabellen bekijken", "Looking at tables"),
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
    ) as bar:
        yield from bar


def _summary(proposals: list[Proposal]) -> Iterator[str]:
    if not proposals:
        yield say("Er is niets gevonden om te lezen.", "Nothing was found to read.")
    for one in proposals:
        dataset = one.dataset
        rows = "?" if dataset.rows is None else f"{dataset.rows}"
        about = dataset.subject.column if dataset.subject else say("niemand gevonden", "nobody found")
        yield say(
            f"{dataset.name}: {len(dataset.columns)} kolommen, ongeveer {rows} rijen, over: {about}",
            f"{dataset.name}: {len(dataset.columns)} columns, about {rows} rows, about: {about}",
        )
        others = [name for name in one.candidates if not dataset.subject or name != dataset.subject.column]
        if others:
            yield say(
                f"  ook een BSN, zo te zien: {', '.join(others)}",
                f"  also a BSN by the look of it: {', '.join(others)}",
            )
        special = [column.name for column in dataset.columns if column.sensitivity == "special"]
        if special:
            yield say(
                f"  bijzonder, zo te zien: {', '.join(special)}",
                f"  special by the look of it: {', '.join(special)}",
            )
        if not one.sampled:
            yield say("  geen waarden bekeken; het voorstel steunt op namen alleen",
                      "  no values looked at; the proposal rests on names alone")  # fmt: skip
    if proposals:
        yield say(
            "Lees elk voorstel na: sleutel, typen, over wie, en hoe gevoelig.",
            "Read every proposal over: key, types, whom it is about, and how sensitive.",
        )


def _document(one: Proposal) -> dict[str, Any]:
    return {**plain(one.dataset), "candidates": list(one.candidates), "sampled": one.sampled}


def _write(out: Path, proposals: list[Proposal]) -> list[Path]:
    """A file per dataset. Nothing is written when one of them is there already."""
    files = {out / f"{one.dataset.name}.toml": render(one.dataset) for one in proposals}
    for path in files:
        if path.exists():
            raise Conflict(
                "file-exists",
                Text("Er is niets geschreven.", "Nothing was written."),
                Text("Dit bestand bestaat al.", "This file exists already."),
                Text(
                    "Kies een lege map, of haal het bestand weg.",
                    "Choose an empty directory, or remove the file.",
                ),
                place=Place(str(path)),
            )
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            path.write_text(text)
    except OSError as error:
        raise Invalid(
            "cannot-write",
            Text("De voorstellen kunnen niet geschreven worden.", "The proposals cannot be written."),
            Text(f"Het systeem meldt: {error.strerror}.", f"The system says: {error.strerror}."),
            Text("Kies een map waarin u mag schrijven.", "Choose a directory where you may write."),
            place=Place(str(out)),
        ) from None
    return list(files)


class Measured(msgspec.Struct, frozen=True):
    """A source as it was found. `failure` is the kind of what went wrong while listing its tables."""

    name: str
    probe: Probe
    tables: tuple[TableInfo, ...]
    failure: str | None


@command.command(
    "probe",
    help=say(
        "Meet of een bron werkt: de bronnen van een knooppunt, of één URL.",
        "Measure whether a source works: those of a node, or one URL.",
    ),
    epilog=example("sluis source probe --node /etc/sluis"),
)
@click.argument("url", required=False)
@click.option(
    "--keep",
    is_flag=True,
    help=say(
        "Meet ook elke dataset van het knooppunt, en bewaar dat voor de catalogus.",
        "Measure every dataset of the node too, and keep that for the catalogue.",
    ),
)
@node_option
@json_option
@click.pass_context
def probe_source(context: click.Context, url: str | None, keep: bool, directory: Path, as_json: bool) -> None:
    if keep:
        if url:
            raise click.UsageError(
                say("Geef een URL of --keep, niet beide.", "Give a URL or --keep, not both.")
            )
        _probe_datasets(context, directory, as_json)
    if url:
        urls = {source_name(url): str(absolute_address(Address(url), Path.cwd()))}
    else:
        config = settings(directory, secrets=True)
        urls = {name: str(source.url) for name, source in config.sources.items()}
    label, hidden = say("Bronnen meten", "Measuring sources"), not sys.stderr.isatty()
    with click.progressbar(list(urls.items()), label=label, file=sys.stderr, hidden=hidden) as bar:
        measured = [_measure(name, address) for name, address in bar]
    if as_json:
        click.echo(json.dumps([_measures(one) for one in measured], ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(line for one in measured for line in _told(one)) or _none(directory))
    well = all(one.probe.healthy and one.failure is None for one in measured)
    context.exit(0 if well else EXIT_CODES[Upstream])


def _probe_datasets(context: click.Context, directory: Path, as_json: bool) -> None:
    """Measure the datasets of a node, keep what was found, and leave."""
    label, hidden = say("Datasets meten", "Measuring datasets"), not sys.stderr.isatty()

    def bar(datasets: Sequence[Dataset]) -> AbstractContextManager[Iterable[Dataset]]:
        return click.progressbar(datasets, label=label, file=sys.stderr, hidden=hidden)

    found, failed = measure_datasets(directory, bar)
    if as_json:
        click.echo(json_text({"measured": [plain(one) for one in found], "failed": failed}, indent=2))
    else:
        click.echo("\n".join([*map(_dataset_told, found), *_failed_told(failed)]) or _no_datasets(directory))
    context.exit(EXIT_CODES[Upstream] if failed else 0)


def measure_datasets(
    directory: Path,
    bar: Callable[[Sequence[Dataset]], AbstractContextManager[Iterable[Dataset]]] = nullcontext,
) -> tuple[list[Measurement], dict[str, str]]:
    """Measure the datasets of a node at their sources, and keep what was found for its catalogue.

    Args:
        directory: of the node, which may be running.
        bar: shows how far it is.

    Returns what was measured, and why others could not be, by their names. Raises `Problem`: something is wrong with the files.
    """
    config, reading, catalogue = (
        settings(directory, secrets=True),
        read_directory(directory),
        read_catalogue(directory),
    )
    grounds = reading.grounds
    refuse_any([*reading.problems, *examine_catalogue(catalogue, grounds)])
    said = {one.name: one for one in catalogue.descriptions if one.kind == "dataset"}
    found, failed = list[Measurement](), dict[str, str]()
    with bar(grounds.datasets) as datasets:
        for dataset in datasets:
            settled = config.sources.get(dataset.source)
            if settled is None:
                failed[dataset.name] = "unknown-source"
                continue
            limits = Limits(settled.timeout_seconds, settled.max_rows)
            try:
                found.append(_measured(dataset, said.get(dataset.name), str(settled.url), limits))
            except SourceFailure as failure:
                failed[dataset.name] = failure.kind
    try:
        keep_measurements(directory, found)
    except OSError as error:
        raise _cannot_keep(directory, error) from None
    return found, failed


def _measured(dataset: Dataset, said: Description | None, url: str, limits: Limits) -> Measurement:
    source = open_source(url)
    try:
        return measure(dataset, said, source, limits, utc_now)
    finally:
        source.close()


def _dataset_told(one: Measurement) -> str:
    newest = say(f", bijgewerkt tot {one.newest}", f", updated until {one.newest}") if one.newest else ""
    return say(
        f"{one.dataset}: ongeveer {one.rows} rijen, {one.milliseconds} ms{newest}",
        f"{one.dataset}: about {one.rows} rows, {one.milliseconds} ms{newest}",
    )


def _failed_told(failed: Mapping[str, str]) -> Iterator[str]:
    for name, kind in failed.items():
        yield say(f"{name}: NIET GEMETEN ({kind})", f"{name}: NOT MEASURED ({kind})")


def _no_datasets(directory: Path) -> str:
    return say(f"{directory} heeft geen datasets.", f"{directory} has no datasets.")


def _cannot_keep(directory: Path, error: OSError) -> Invalid:
    return Invalid(
        "cannot-write",
        Text("De metingen kunnen niet bewaard worden.", "The measurements cannot be kept."),
        Text(f"Het systeem meldt: {error.strerror}.", f"The system says: {error.strerror}."),
        Text("Doe dit als de gebruiker van het knooppunt.", "Do this as the user of the node."),
        place=Place(str(directory / MEASUREMENTS_FILE)),
    )


def _none(directory: Path) -> str:
    return say(f"{directory} noemt geen bronnen.", f"{directory} names no sources.")


def _measure(name: str, url: str) -> Measured:
    if missing := missing_file(url):
        told = say(f"{missing} bestaat niet", f"there is no {missing}")
        return Measured(name, Probe(False, 0.0, None, None, told), (), None)
    try:
        source = open_source(url)
    except SourceFailure as failure:
        return Measured(name, Probe(False, 0.0, None, None), (), failure.kind)
    try:
        probe = source.probe()
        if not probe.healthy and not probe.detail.startswith("broken-row"):
            return Measured(name, probe, (), None)
        return Measured(name, probe, source.tables(), None)
    except SourceFailure as failure:
        return Measured(name, probe, (), failure.kind)
    finally:
        source.close()


def _told(one: Measured) -> Iterator[str]:
    probe = one.probe
    state = say("werkt", "works") if probe.healthy else say("WERKT NIET", "DOES NOT WORK")
    yield f"{one.name}: {state}, {probe.milliseconds:.1f} ms"
    if probe.detail or one.failure:
        yield f"  {probe.detail or one.failure}"
    if probe.as_of:
        yield say(
            f"  tijd van de bron: {probe.as_of:%Y-%m-%d %H:%M:%S %Z}",
            f"  time of the source: {probe.as_of:%Y-%m-%d %H:%M:%S %Z}",
        )
    if probe.read_only is False:
        yield click.style(
            say(
                "  LET OP: dit account kan schrijven. Geef het knooppunt een account dat alleen mag lezen (SELECT).",
                "  WARNING: this account can write. Give the node an account that may only read (SELECT).",
            ),
            fg="red",
            bold=True,
        )
    elif probe.read_only:
        yield say("  alleen lezen: ja", "  read-only: yes")
    elif probe.healthy:
        yield say("  alleen lezen: niet vast te stellen", "  read-only: cannot be told")
    for table in one.tables:
        rows = "?" if table.rows is None else str(table.rows)
        yield say(f"  {table.name}: ongeveer {rows} rijen", f"  {table.name}: about {rows} rows")


def _measures(one: Measured) -> dict[str, Any]:
    return {
        "name": one.name,
        "healthy": one.probe.healthy and one.failure is None,
        "milliseconds": round(one.probe.milliseconds, 3),
        "as_of": one.probe.as_of.isoformat() if one.probe.as_of else None,
        "read_only": one.probe.read_only,
        "detail": one.probe.detail or one.failure or "",
        "tables": [{"name": table.name, "rows": table.rows} for table in one.tables],
    }
