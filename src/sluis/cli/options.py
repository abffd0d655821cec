"""Options that several commands share. Loaded with those commands: the language of the help texts is known by then."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sluis.cli.terminal import say
from sluis.kernel import NotFound, Text

if TYPE_CHECKING:
    from sluis.config import Config
    from sluis.store import Store

node_option = click.option(
    "--node",
    "directory",
    type=click.Path(path_type=Path),
    default=".",
    envvar="SLUIS_NODE",
    show_default=True,
    help=say("Map van het knooppunt (of SLUIS_NODE).", "Directory of the node (or SLUIS_NODE)."),
)
source_option = click.option(
    "--source", required=True, help=say("Organisatie: naam of OIN.", "Organisation: name or OIN.")
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


def log_store(directory: Path) -> "Store":
    """The database with the log of the node in a directory; to read, also beside a running node.

    Raises `NotFound`: the node has no log yet.
    """
    from sluis.store import open_store

    store = open_store(str(settings(directory, secrets=True).store.url))
    if store.path is not None and not store.path.exists():
        raise NotFound(
            "no-log",
            Text("Dit knooppunt heeft nog geen logboek.", "This node has no log yet."),
            Text(f"{store.path} bestaat niet.", f"{store.path} does not exist."),
            Text("Start het knooppunt met `sluis serve`.", "Start the node with `sluis serve`."),
        )
    return store
