"""`sluis check PATH`: every problem in the files of a node, with file, line and remedy."""

import json
from pathlib import Path

import click

from sluis.cli.options import example
from sluis.cli.terminal import language, lines, say, working
from sluis.config import advise_node, examine_node


@click.command(
    "check",
    help=say(
        "Controleer de bestanden van een knooppunt: een map, of één bestand.",
        "Check the files of a node: a directory, or one file.",
    ),
    epilog=example("sluis check /etc/sluis/disclosures/inkomen.toml"),
)
@click.argument("path", type=click.Path(path_type=Path), default=".", envvar="SLUIS_NODE")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help=say("Schrijf de problemen als JSON.", "Write the problems as JSON."),
)
@click.pass_context
def command(context: click.Context, path: Path, as_json: bool) -> None:
    """Exit code 0 when nothing is wrong, 2 when something is; advice is not wrong."""
    with working("De bestanden worden nagekeken…", "The files are being checked…"):
        problems, advice = examine_node(path), advise_node(path)
    if as_json:
        told = [problem.members(language()) for problem in problems]
        told += [{**one.members(language()), "advice": True} for one in advice]
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for problem in problems:
            click.echo(lines(problem))
        click.echo(
            say(f"Problemen in {path}: {len(problems)}.", f"Problems in {path}: {len(problems)}.")
            if problems
            else say(f"{path} is in orde.", f"{path} is in order.")
        )
        for one in advice:
            click.echo(say("Advies: ", "Advice: ") + lines(one))
    context.exit(2 if problems else 0)
