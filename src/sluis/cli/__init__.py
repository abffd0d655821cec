"""The command `sluis`. One thin module per command, loaded when it is used, so that the small ones start fast.

A module exposes `command`. A `kernel.Problem` that a command raises is printed here and becomes the exit code.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click
from click.exceptions import Exit, NoArgsIsHelpError

from sluis.cli.terminal import Context, choose_language, fail, in_words, say
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
    "catalogue": (
        "sluis.cli.catalogue",
        Text("Toon wat dit knooppunt aanbiedt.", "Show what this node offers."),
    ),
    "usage": (
        "sluis.cli.statements",
        Text("Toon wat er gebruikt is, en wat het kost.", "Show what was used, and what it costs."),
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
    "join": (
        "sluis.cli.join",
        Text("Maak het knooppunt lid van een FSC-groep.", "Make the node a peer of an FSC group."),
    ),
    "serve": ("sluis.cli.serve", Text("Start een knooppunt.", "Start a node.")),
    "apply": (
        "sluis.cli.apply",
        Text("Maak het knooppunt wat documenten zeggen.", "Make the node what documents say."),
    ),
    "fsc": ("sluis.cli.fsc", Text("Bekijk en teken in de FSC-groep.", "Look and sign in the FSC group.")),
    "access": (
        "sluis.cli.access",
        Text("Toon, geef of trek toegang in.", "Show, give or revoke access."),
    ),
    "events": (
        "sluis.cli.events",
        Text("Meld wat er gebeurde aan wie het moet weten.", "Tell what happened to who needs to know."),
    ),
    "people": (
        "sluis.cli.people",
        Text("Leg vast wie voor een ander handelt.", "Write down who acts for another."),
    ),
    "passkeys": (
        "sluis.cli.passkeys",
        Text("Bekijk passkeys van medewerkers, of trek ze in.", "Look at passkeys of staff, or revoke them."),
    ),
    "register": (
        "sluis.cli.register",
        Text("Houd wetten in het register bij.", "Keep laws in the register up to date."),
    ),
    "ledger": ("sluis.cli.ledger", Text("Controleer of toon het logboek.", "Verify or show the log.")),
    "policy": (
        "sluis.cli.policy",
        Text(
            "Toon wat het beslispunt zou zeggen, en waarom.",
            "Show what the decision point would say, and why.",
        ),
    ),
    "channel": (
        "sluis.cli.channel",
        Text("Probeer een kanaal om mensen te bereiken.", "Try a channel by which people are reached."),
    ),
    "openapi": (
        "sluis.cli.openapi",
        Text("Schrijf de gepubliceerde documenten.", "Write the published documents."),
    ),
    "demo": ("sluis_demo.command", Text("Start een fictieve federatie.", "Start a fictitious federation.")),
}
"""Each command, the module it is in, and what it does. The demo is a package of its own and may be absent."""


ABOUT = Text(
    "Vraag en geef overheidsgegevens, met een grond in de wet.",
    "Ask and give government data, on a legal ground.",
)


class Commands(click.Group):
    """Finds a command's module by name; a module that is not installed is a command that does not exist."""

    context_class = Context

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(in_words(ABOUT))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(say("Voorbeeld", "Example") + ":  sluis check /etc/sluis")
            formatter.write_text(
                say("`sluis OPDRACHT --help` zegt meer, met een voorbeeld.",
                    "`sluis COMMAND --help` says more, with an example.")
            )  # fmt: skip

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, (module, _) in COMMANDS.items() if _present(module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = COMMANDS.get(cmd_name, ("", None))[0]
        if not module or not _present(module):
            return None
        command: click.Command = import_module(module).command
        for one in _within(command):
            one.context_class = Context
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(say("Opdrachten", "Commands")):
            formatter.write_dl([(name, in_words(COMMANDS[name][1])) for name in self.list_commands(ctx)])

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **extra: Any) -> click.Context:
        with _told("--json" in args):
            return super().make_context(info_name, args, *more, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _told("--json" in ctx.args):
            return super().invoke(ctx)


def _within(command: click.Command) -> Iterator[click.Command]:
    """A command, and all below it."""
    yield command
    for one in command.commands.values() if isinstance(command, click.Group) else ():
        yield from _within(one)


@contextmanager
def _told(as_json: bool) -> Iterator[None]:
    """What goes wrong, printed; and the exit code that belongs to it."""
    try:
        yield
    except Problem as problem:
        raise Exit(fail(problem, as_json)) from None
    except NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        from sluis.cli.usage import problem_of

        raise Exit(fail(problem_of(error), as_json)) from None
    except (click.Abort, KeyboardInterrupt):
        click.echo(say("Afgebroken.", "Stopped."), err=True)
        raise Exit(1) from None


def _present(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _choose(_context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    choose_language(value)


@click.command(
    cls=Commands,
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
    """The commands of a node; `Commands.format_help_text` says so in the language asked."""


__all__ = ["COMMANDS", "main"]
