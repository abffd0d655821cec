"""The command `sluis`. One thin module per command, loaded when it is used, so that the small ones start fast.

A module exposes `command`. A `kernel.Problem` that a command raises is printed here and becomes the exit code.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from sluis.cli.terminal import choose_language, fail, in_words, say
from sluis.kernel import Problem, Text

COMMANDS: dict[str, tuple[str, Text]] = {
    "ask": (
        "sluis.cli.ask",
        Text("Stel een vraag over meer organisaties.", "Ask a question over organisations."),
    ),
    "explain": (
        "sluis.cli.explain",
        Text("Laat zien wat een vraag zou krijgen, en waarom.", "Show what a question would get, and why."),
    ),
    "activity": (
        "sluis.cli.activity",
        Text(
            "Toon verwerkingsactiviteiten en wat zij openen.",
            "Show processing activities and what they open.",
        ),
    ),
    "source": (
        "sluis.cli.source",
        Text("Bekijk een bron, of meet of zij werkt.", "Inspect or probe a source."),
    ),
    "check": (
        "sluis.cli.check",
        Text("Controleer de bestanden van een knooppunt.", "Check the files of a node."),
    ),
    "init": ("sluis.cli.init", Text("Maak een nieuw knooppunt.", "Make a new node.")),
    "serve": ("sluis.cli.serve", Text("Start een knooppunt.", "Start a node.")),
    "ledger": ("sluis.cli.ledger", Text("Controleer of toon het logboek.", "Verify or show the log.")),
    "openapi": (
        "sluis.cli.openapi",
        Text("Schrijf de gepubliceerde documenten.", "Write the published documents."),
    ),
    "demo": ("sluis_demo.command", Text("Start een fictieve federatie.", "Start a fictitious federation.")),
}
"""Each command, the module it is in, and what it does. The demo is a package of its own and may be absent."""


class Commands(click.Group):
    """Finds a command's module by name; a module that is not installed is a command that does not exist."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, (module, _) in COMMANDS.items() if _present(module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = COMMANDS.get(cmd_name, ("", None))[0]
        if not module or not _present(module):
            return None
        command: click.Command = import_module(module).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(say("Opdrachten", "Commands")):
            formatter.write_dl([(name, in_words(COMMANDS[name][1])) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:
        as_json = "--json" in ctx.args
        try:
            return super().invoke(ctx)
        except Problem as problem:
            ctx.exit(fail(problem, as_json))


def _present(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _choose(_context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    choose_language(value)


@click.command(
    cls=Commands,
    help="Vraag en geef overheidsgegevens, met een grond. / Ask and give government data, with a ground.",
    epilog="Voorbeeld / example:  sluis check /etc/sluis",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option(
    "--language",
    type=click.Choice(["nl", "en"]),
    is_eager=True,
    expose_value=False,
    callback=_choose,
    help="Taal / language.",
)
@click.version_option(package_name="sluis", message="%(version)s")
def main() -> None:
    """The commands of a node."""


__all__ = ["COMMANDS", "main"]
