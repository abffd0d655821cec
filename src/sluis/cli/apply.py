"""`sluis apply -f FILE`: make the node what YAML documents say: what it offers, publishes and connects to."""

from pathlib import Path
from typing import Any

import click

from sluis.cli.local import call
from sluis.cli.options import example, json_option, node_option
from sluis.cli.terminal import in_words, json_text, say, shown, working
from sluis.gateway import read_documents
from sluis.grounds import read_text, refuse_any
from sluis.kernel import Text

CHANGES = {
    "unchanged": Text("ongewijzigd", "unchanged"),
    "made": Text("gemaakt", "made"),
    "changed": Text("gewijzigd", "changed"),
}
STATES = {
    "proposed": Text("voorgesteld", "proposed"),
    "valid": Text("geldig", "valid"),
    "rejected": Text("afgewezen", "rejected"),
    "revoked": Text("ingetrokken", "revoked"),
    "expired": Text("verlopen", "expired"),
}


@click.command(
    "apply",
    help=say(
        "Maak het knooppunt wat documenten in YAML zeggen: groep, organisaties, diensten, publicaties, verbindingen en"
        " links. Een tweede keer verandert niets. Een contract wordt voorgesteld; anderen tekenen in hun eigen tijd.",
        "Make the node what YAML documents say: group, peers, services, publications, connections and links. A second"
        " time changes nothing. A contract is proposed; others sign it in their own time.",
    ),
    epilog=example("sluis apply -f diensten.yaml --node /etc/sluis"),
)
@click.option(
    "-f",
    "--file",
    "files",
    required=True,
    multiple=True,
    type=click.Path(path_type=Path),
    help=say("Bestand met documenten; mag vaker.", "File with documents; may be given more often."),
)
@click.option(
    "--check", is_flag=True, help=say("Kijk alleen of het zou kunnen.", "Only see whether it could be done.")
)
@node_option
@json_option
def command(files: tuple[Path, ...], check: bool, directory: Path, as_json: bool) -> None:
    outcomes: list[dict[str, Any]] = []
    for file in files:
        text = read_text(file)
        refuse_any(list(read_documents(text, str(file))[1]))  # here, where the file and its lines are at hand
        body = {"text": text, "name": str(file), "check": check}
        with working("De documenten worden toegepast…", "The documents are being applied…"):
            outcomes += call(directory, "POST", "/v1/group/declarations", body).document()["outcomes"]
    if as_json:
        click.echo(json_text({"outcomes": outcomes}))
    elif check:
        click.echo(say("Dit kan zo worden toegepast.", "This can be applied as it is."))
    else:
        click.echo("\n".join(map(outcome_told, outcomes)))


def outcome_told(outcome: dict[str, Any]) -> str:
    """What applying one document did, for a person."""
    told = f"{shown(outcome['kind'])} {shown(outcome['name'])}: {in_words(CHANGES[outcome['change']])}"
    if "state" in outcome:
        told += say(
            f"; contract {in_words(STATES[outcome['state']])}",
            f"; contract {in_words(STATES[outcome['state']])}",
        )
        told += f"\n  {outcome['contract']}"
    return told
