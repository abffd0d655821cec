"""`sluis openapi`: every document that a node publishes, as a file."""

import json
from pathlib import Path

import click

from sluis.cli.options import example
from sluis.cli.terminal import say, working


@click.command(
    "openapi",
    help=say(
        "Schrijf de gepubliceerde documenten in een map.", "Write the published documents to a directory."
    ),
    epilog=example("sluis openapi --out docs/api"),
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help=say("Map, wordt gemaakt.", "Directory, made when absent."),
)
def command(out: Path) -> None:
    """The node's API as OpenAPI, and the JSON Schema of every file in a node directory."""
    with working("De documenten worden gemaakt…", "The documents are being made…"):
        from sluis.config import schemas
        from sluis.serve import published

        documents = {"openapi.json": published().document(), **schemas()}
    out.mkdir(parents=True, exist_ok=True)
    for name, document in documents.items():
        text = json.dumps(document, ensure_ascii=False, indent=2)
        (out / name).write_text(text + "\n", encoding="utf-8")
        click.echo(out / name)
