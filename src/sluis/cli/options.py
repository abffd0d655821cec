"""Options that several commands share. Loaded with those commands: the language of the help texts is known by then."""

from pathlib import Path

import click

from sluis.cli.terminal import say

node_option = click.option(
    "--node",
    "directory",
    type=click.Path(path_type=Path),
    default=".",
    envvar="SLUIS_NODE",
    show_default=True,
    help=say("Map van het knooppunt (of SLUIS_NODE).", "Directory of the node (or SLUIS_NODE)."),
)
json_option = click.option("--json", "as_json", is_flag=True, help=say("Schrijf JSON.", "Write JSON."))


def example(command: str) -> str:
    """The last line of a command's help: one way to use it."""
    return say("Voorbeeld", "Example") + f":  {command}"
