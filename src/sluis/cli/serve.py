"""`sluis serve`: run a node until it is told to stop."""

import json
import logging
from pathlib import Path
from typing import Any

import click

from sluis.cli.options import example, here, node_option
from sluis.cli.terminal import say


@click.command(
    "serve",
    help=say(
        "Start een knooppunt. Zodra het luistert staat er een regel JSON op de uitvoer; SIGTERM stopt het.",
        "Start a node. Once it listens, one line of JSON is printed; SIGTERM stops it.",
    ),
    epilog=example("sluis serve --node /etc/sluis"),
)
@node_option
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help=say("Schrijf de regel JSON ook in dit bestand.", "Write the line of JSON to this file as well."),
)
def command(directory: Path, ready_file: Path | None) -> None:
    """Load lazily: a wrong setting should be told in a moment."""
    from sluis.config import load_node
    from sluis.serve import run

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.WARNING)
    logging.getLogger("sluis").setLevel(logging.INFO)

    def told(ready: dict[str, Any]) -> None:
        line = json.dumps(ready)
        if ready_file is not None:
            fresh = ready_file.with_name(ready_file.name + ".new")
            fresh.write_text(line + "\n", encoding="utf-8")
            fresh.replace(ready_file)
        click.echo(line)

    here(directory)
    run(load_node(directory), told)
