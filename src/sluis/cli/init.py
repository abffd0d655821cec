"""`sluis init DIR`: a working node directory, in one step or not at all.

Everything is written beside DIR first, checked as `sluis check` does, made durable, and then renamed. What a crash
leaves is therefore never DIR itself but the unfinished folder beside it, which the next `init` recognises and removes.
"""

import fcntl
import os
import pwd
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click
import msgspec

from sluis.cli.options import example
from sluis.cli.terminal import say, working
from sluis.config import NODE_FILE, Address, NodeConfig, absolute_address, examine_node, load_config
from sluis.grounds import (
    FOLDERS,
    Activity,
    Article,
    Closed,
    Dataset,
    Disclosure,
    Item,
    faults,
    parse_document,
    refuse_any,
    render,
    render_tables,
)
from sluis.kernel import Conflict, Oin, PeerId, Period, Place, Text, convert

SOURCE = "main"
MARK = ".sluis-init"
"""Stands in an unfinished folder, so that only folders of this command are ever removed."""

TEST_OIN = "00000099000000001000"
EXAMPLE_DAYS = 365


class Wish(msgspec.Struct, frozen=True):
    """What the new node must be; None where the caller said nothing."""

    source: str | None
    oin: str | None
    name: str | None
    alias: str | None
    url: str
    environment: str


@click.command(
    "init",
    help=say(
        "Maak een map met een werkend knooppunt. Zonder meer is het een testknooppunt, met een eigen testautoriteit.",
        "Make a directory with a working node. By default a test node, with a test authority of its own.",
    ),
    epilog=example("sluis init /srv/sluis --source sqlite:///personen.db --alias gemeente"),
)
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--source",
    metavar="URL",
    help=say("Bron om datasets uit voor te stellen.", "Source to propose datasets from."),
)
@click.option("--oin", help=say("OIN: twintig cijfers.", "OIN: twenty digits."))
@click.option("--name", help=say("Naam van de organisatie.", "Name of the organisation."))
@click.option("--alias", help=say("Naam voor de punt in een vraag.", "Name before the dot in a question."))
@click.option(
    "--url",
    default="https://localhost:8443",
    show_default=True,
    help=say("Adres voor andere organisaties.", "Address for other organisations."),
)
@click.option(
    "--environment",
    type=click.Choice(["test", "production"]),
    default="test",
    show_default=True,
    help=say("Productie vraagt een eigen certificaat.", "Production needs a certificate of your own."),
)
def command(directory: Path, **wished: str) -> None:
    """Exit code 5 when the directory is in use for something else."""
    wish = Wish(**wished)
    target = directory.absolute()
    if _is_done(target, wish):
        click.echo(
            say(
                f"{directory} is al dit knooppunt; niets veranderd.",
                f"{directory} is this node already; nothing changed.",
            )
        )
        return
    node = _node_settings(wish, target)
    busy = working("Het knooppunt wordt gemaakt…", "The node is being made…")
    with busy, _staging(target) as staging:
        datasets = _propose(wish.source) if wish.source else ()
        _write(staging, node, wish, datasets)
        problems = [one for one in examine_node(staging) if one.code != "missing-file" or node.test]
        refuse_any(problems)
        _publish(staging, target)
    click.echo("\n".join(_done(directory, node, datasets)))


def _is_done(target: Path, wish: Wish) -> bool:
    """Whether `target` is already the node that is wished for. Raises Conflict when it is anything else but empty."""
    if not (target.exists() or target.is_symlink()):
        return False
    if target.is_dir() and not any(target.iterdir()):
        return False
    if not (target / NODE_FILE).is_file():
        raise _taken(
            target,
            Text("Er staan bestanden in die geen knooppunt zijn.", "It holds files that are not a node."),
            Text("Kies een nieuwe of lege map.", "Choose a new or empty directory."),
        )
    found = load_config(target / NODE_FILE).node
    for name in ("oin", "name", "alias"):
        if getattr(wish, name) not in (None, getattr(found, name)):
            raise _taken(
                target,
                Text(f"Er staat een knooppunt met een andere `{name}`.", f"It holds a node with another `{name}`."),
                Text("Kies een andere map; een knooppunt wordt nooit overschreven.",
                     "Choose another directory; a node is never overwritten."),
            )  # fmt: skip
    return True


def _node_settings(wish: Wish, target: Path) -> NodeConfig:
    test = wish.environment == "test"
    own = re.sub(r"[^a-z0-9]+", "_", target.name.lower()).strip("_")
    tables = {
        "oin": wish.oin or (TEST_OIN if test else None),
        "name": wish.name or ("Voorbeeldorganisatie (fictief)" if test else None),
        "alias": wish.alias or (own if own[:1].isalpha() else f"node_{own}".rstrip("_")),
        "url": wish.url,
        "environment": wish.environment,
    }
    plain = {key: value for key, value in tables.items() if value is not None}
    document = parse_document("", "sluis init")
    for fault in faults(plain, NodeConfig):
        raise fault.problem(document)
    return convert(plain, NodeConfig)


def _propose(url: str) -> tuple[Dataset, ...]:
    from sluis.sources import inspect

    found = inspect(absolute_address(Address(url), Path.cwd()))
    return tuple(msgspec.structs.replace(one, source=SOURCE) for one in found)


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """The folder beside `target` to write in, alone; gone afterwards, with what an earlier crash left in it."""
    folder = target.parent / f".{target.name}.unfinished"
    target.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise _taken(
            folder,
            Text(
                "Deze map is niet door `sluis init` gemaakt.", "This directory was not made by `sluis init`."
            ),
            Text("Verplaats haar en probeer het opnieuw.", "Move it and try again."),
        )
    folder.mkdir(exist_ok=True)
    with (folder / MARK).open("a") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise _taken(
                folder,
                Text("Een andere `sluis init` is hier bezig.", "Another `sluis init` is at work here."),
                Text("Wacht tot die klaar is.", "Wait until it is done."),
            ) from None
        _empty(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _empty(folder: Path) -> None:
    for left in folder.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        elif left.name != MARK:
            left.unlink()


def _publish(staging: Path, target: Path) -> None:
    """Make everything durable, then give it its name: from here on it is there, whole."""
    for path in [*staging.rglob("*"), staging]:
        _sync(path)
    (staging / MARK).unlink()
    try:
        staging.rename(target)  # also over an empty directory
    except OSError as error:
        raise _taken(
            target,
            Text(f"Het systeem meldt: {error.strerror}.", f"The system says: {error.strerror}."),
            Text("Kies een nieuwe of lege map.", "Choose a new or empty directory."),
        ) from None
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(staging: Path, node: NodeConfig, wish: Wish, datasets: tuple[Dataset, ...]) -> None:
    for folder in FOLDERS:
        (staging / folder).mkdir()
    tables: dict[str, Any] = {"node": msgspec.to_builtins(node, enc_hook=str.__str__)}
    tables["people"] = {"medewerker": {"os_user": _user(), "roles": ["medewerker"]}}
    if node.test:
        tables["tls"] = _test_certificate(staging, node)
    if wish.source:
        tables["sources"] = {SOURCE: _source_settings(staging, wish.source)}
    heading = f"# {node.name}. Uitleg van elke instelling: docs/reference/configuration.md\n\n"
    (staging / NODE_FILE).write_text(heading + render_tables(tables))
    for dataset in datasets:
        _write_item(staging / "datasets" / f"{dataset.name}.toml", dataset)
    if datasets:
        today = datetime.now(UTC).date()
        activity = _example_activity(node, today)
        _write_item(staging / "activities/voorbeeld.toml", activity)
        chosen = next((one for one in datasets if one.subject), datasets[0])
        _write_item(staging / "disclosures/voorbeeld.toml", _example_disclosure(node, activity, chosen))


def _write_item(path: Path, item: Item) -> None:
    notice = "# Voorstel van `sluis init`. Lees het na en pas het aan.\n\n"
    path.write_text(notice + render(item))


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _test_certificate(staging: Path, node: NodeConfig) -> dict[str, Any]:
    from sluis.crypto import make_authority

    authority = make_authority(staging / "authority", f"{node.name} testautoriteit")
    hosts = list(dict.fromkeys([urlsplit(node.url).hostname or "localhost", "localhost", "127.0.0.1"]))
    certificate, key = authority.issue(staging / "tls", node.oin, node.name, hosts)
    paths = {"certificate": certificate, "key": key, "authorities": authority.path}
    names = {name: str(path.relative_to(staging)) for name, path in paths.items()}
    return {**names, "authorities": [names["authorities"]]}


def _source_settings(staging: Path, source: str) -> dict[str, str]:
    """The source's settings; a password in the URL goes into a file that only this user can read."""
    url = absolute_address(Address(source), Path.cwd())
    found = re.fullmatch(r"([^:]+://[^:@/]*):([^@/]+)@(.*)", url)
    if found is None:
        return {"url": str.__str__(url)}
    secret = staging / "secrets" / SOURCE
    secret.parent.mkdir(mode=0o700)
    secret.touch(mode=0o600)
    secret.write_text(unquote(found[2]))
    return {"url": f"{found[1]}@{found[3]}", "password_file": str(secret.relative_to(staging))}


def _example_activity(node: NodeConfig, today: date) -> Activity:
    return Activity(
        id=f"urn:sluis:activity:{node.oin}:voorbeeld",
        name=Text("Voorbeeld: vervang dit", "Example: replace this"),
        purpose=Text("Uitproberen of dit knooppunt werkt.", "Trying whether this node works."),
        controller=Oin(node.oin),
        ground="public-task",
        articles=(Article("Voorbeeldwet (fictief, vervang dit)", "1"),),
        valid=Period(today, today + timedelta(days=EXAMPLE_DAYS)),
    )


def _example_disclosure(node: NodeConfig, activity: Activity, dataset: Dataset) -> Disclosure:
    """One that opens little: whom a row is about, and the first column that is not special; to this node itself."""
    subject = dataset.subject.column if dataset.subject else None
    plain = [one.name for one in dataset.columns if one.sensitivity != "special" and one.name != subject]
    opened = [subject, *plain[:1]] if subject else plain[:1] or [dataset.columns[0].name]
    closed = tuple(one.name for one in dataset.columns if one.name not in opened)
    why = Text(
        "Nog niemand heeft gezegd waarvoor dit nodig is.", "Nobody has said yet what this is needed for."
    )
    return Disclosure(
        id="voorbeeld",
        version=1,
        dataset=dataset.name,
        recipient=PeerId(node.oin),
        activity=activity.id,
        columns=dict.fromkeys(opened, "output"),
        articles=activity.articles,
        ground=activity.ground,
        controller=activity.controller,
        valid=activity.valid,
        subject_required=subject is not None,
        max_subjects=10,
        max_rows=1000,
        closed=(Closed(closed, why),) if closed else (),
    )


def _taken(path: Path, why: Text, next: Text) -> Conflict:
    return Conflict(
        "directory-taken",
        Text(f"{path} kan niet worden gebruikt.", f"{path} cannot be used."),
        why,
        next,
        place=Place(str(path)),
    )


def _done(directory: Path, node: NodeConfig, datasets: tuple[Dataset, ...]) -> Iterator[str]:
    yield say(f"Knooppunt `{node.alias}` staat in {directory}.", f"Node `{node.alias}` is in {directory}.")
    if datasets:
        names = ", ".join(one.name for one in datasets)
        yield say(
            f"Voorgestelde datasets: {names}. Lees ze na.", f"Proposed datasets: {names}. Read them over."
        )
    if node.test:
        yield say(
            "Dit is een testknooppunt: het vertrouwt alleen zijn eigen testautoriteit.",
            "This is a test node: it trusts only its own test authority.",
        )
    else:
        yield say(
            f"Zet certificaat, sleutel en autoriteit in {directory / 'tls'}; zie `sluis check {directory}`.",
            f"Put certificate, key and authority in {directory / 'tls'}; see `sluis check {directory}`.",
        )
    yield say(
        f"Start het met: sluis serve --node {directory}", f"Start it with: sluis serve --node {directory}"
    )
