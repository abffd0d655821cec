"""`sluis register`: which versions of laws there are, so that the register of processing can say that an article changed; and a
doctor that says whether one did."""

from pathlib import Path

import click

from sluis.cli.diagnosis import tell_diagnosis
from sluis.cli.local import call
from sluis.cli.options import example, here, json_option, node_option
from sluis.cli.terminal import json_text, say, working


@click.group(
    "register",
    help=say(
        "Het register van verwerkingen: versies van wetten inlezen, en zien of er een artikel veranderde.",
        "The register of processing: read in versions of laws, and see whether an article changed.",
    ),
    epilog=example("sluis register laws --node /etc/sluis manifest.xml"),
)
def command() -> None:
    """Works on the files of a node; the node itself may be running."""


@command.command(
    "laws",
    help=say(
        "Voeg versies van wetten toe aan `laws.toml`: uit een manifest of wettekst (XML) van het Basiswettenbestand, of een "
        "lijst (TOML, JSON). Sluis haalt niets op: download de bestanden zelf.",
        "Add versions of laws to `laws.toml`: from a manifest or text of a law (XML) of the national register (BWB), or a list "
        "(TOML, JSON). Sluis fetches nothing: download the files yourself.",
    ),
    epilog=example("sluis register laws --node /etc/sluis BWBR0015703/manifest.xml"),
)
@click.argument("sources", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@node_option
@json_option
def laws(sources: tuple[Path, ...], directory: Path, as_json: bool) -> None:
    from sluis.oversight import LAWS_FILE, joined, read_laws, written
    from sluis.store import write_durably

    here(directory)
    file = directory / LAWS_FILE
    before = read_laws(file)
    found = [one for source in sources for one in read_laws(source, there=True)]
    after = joined(before, found)
    write_durably(file, written(after).encode())
    added = len(after) - len(set(before))
    if as_json:
        click.echo(json_text({"file": str(file), "versions": len(after), "added": added}))
    else:
        click.echo(
            say(
                f"{file}: {len(after)} versies, {added} nieuw.",
                f"{file}: {len(after)} versions, {added} new.",
            )
        )


@command.command("doctor", epilog=example("sluis register doctor"))
@node_option
@json_option
def doctor(directory: Path, as_json: bool) -> None:
    with working("Het knooppunt kijkt…", "The node is looking…"):
        found = call(directory, "GET", "/v1/register/diagnosis").document()
    tell_diagnosis(found, as_json)


doctor.help = say(
    "Zeg of een wetsartikel veranderde sinds de verwerking die erop rust werd getoetst, en wat helpt.",
    "Tell whether an article of law changed since the activity that rests on it was reviewed, and what helps.",
)
