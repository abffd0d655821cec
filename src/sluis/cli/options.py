"""Options that several commands share. Loaded with those commands: the language of the help texts is known by then."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sluis.cli.terminal import say
from sluis.kernel import NotFound, Text

if TYPE_CHECKING:
    from sluis.config import Config

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
    """The end of a command's help: one way to use it, on lines of its own."""
    return "\b\n" + say("Voorbeeld", "Example") + f":\n  {command}"


def settings(directory: Path, *, secrets: bool = False) -> "Config":
    """The settings of the node in a directory, with passwords where `secrets` says so.

    Raises:
        NotFound: there is no node there.
        Invalid: its settings are not right.
    """
    from sluis.config import NODE_FILE, load_config

    here(directory)
    return load_config(directory / NODE_FILE, secrets=secrets)


def here(directory: Path, sign: str = "node.toml") -> None:
    """Raises NotFound when a directory does not hold `sign`, by which a node is known."""
    if (directory / sign).exists():
        return
    raise NotFound(
        "no-node-here",
        Text("Hier is geen knooppunt.", "There is no node here."),
        Text(f"In de map `{directory}` staat geen {sign}.", f"The directory `{directory}` holds no {sign}."),
        Text("Geef de map van uw knooppunt met --node of SLUIS_NODE; een nieuw maakt u met `sluis init`.",
             "Give your node's directory with --node or SLUIS_NODE; make a new one with `sluis init`."),
    )  # fmt: skip
