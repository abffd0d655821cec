"""`sluis events work`: a process beside a node that sends what waits there."""

import json
import logging
from pathlib import Path

import click

from sluis.cli.options import example, here, node_option
from sluis.cli.terminal import say


@click.command(
    "work",
    help=say(
        "Verstuur wat bij een knooppunt op bezorging wacht, naast dat knooppunt. Het knooppunt bewaart in PostgreSQL; zoveel "
        "processen als u wilt mogen dit doen, ook op andere machines. SIGTERM stopt het.",
        "Send what waits at a node to be delivered, beside that node. The node keeps its records in PostgreSQL; as many processes "
        "as you like may do this, on other machines too. SIGTERM stops it.",
    ),
    epilog=example("sluis events work --node /etc/sluis"),
)
@node_option
def work(directory: Path) -> None:
    """Load lazily: a wrong setting should be told in a moment."""
    from sluis.config import load_node
    from sluis.serve import work as run

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.WARNING)
    logging.getLogger("sluis").setLevel(logging.INFO)
    here(directory)
    run(load_node(directory), lambda ready: click.echo(json.dumps(ready)))
