"""`sluis demo`: start the fictitious federation, tell the story, and stay up until Ctrl-C."""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from sluis.cli.terminal import choose_language, say
from sluis_demo.databases import KINDS
from sluis_demo.organisations import ASKER, ORGANISATIONS

OWNERS = [one.alias for one in ORGANISATIONS if one is not ASKER]
WIDTH = 100


class Kinds(click.ParamType[tuple[str, ...]]):
    """A list of database kinds, such as `postgres,mariadb,sqlite`."""

    name = "kinds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        kinds = tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value
        if unknown := set(kinds) - set(KINDS):
            self.fail(
                say(f"kies uit {', '.join(KINDS)}", f"choose from {', '.join(KINDS)}") + f": {unknown.pop()}",
                param,
                ctx,
            )
        return tuple(kinds)


def _speak(_context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value:
        choose_language(value)


@click.group(
    "demo",
    invoke_without_command=True,
    help=say(
        "Start een fictieve federatie, en vertel het verhaal van een aanvraag en van een beslissing.",
        "Start a fictitious federation, and tell the story of an application and of a decision.",
    ),
    epilog=say("Voorbeeld", "Example") + ":  sluis demo --once --down rdw",
)
@click.option("--once", is_flag=True, help=say("Vertel het verhaal en stop.", "Tell the story and stop."))
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help=say("Eén JSON-document, geen verhaal.", "One JSON document, no story."),
)
@click.option(
    "--down",
    multiple=True,
    type=click.Choice(OWNERS),
    help=say("Laat een organisatie weg.", "Leave an organisation out."),
)
@click.option(
    "--databases",
    type=Kinds(),
    default="sqlite",
    show_default=True,
    metavar="KINDS",
    help=say(
        "Soorten databases, om de beurt uitgedeeld. Voor postgres en mariadb moeten postgresql en mariadb-server"
        " van Debian er zijn.",
        "Kinds of databases, handed out in turn. For postgres and mariadb Debian's postgresql and mariadb-server"
        " must be there.",
    )
    + f" ({', '.join(KINDS)})",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help=say(
        "Map met tabellen in plaats van verzonnen mensen.", "Folder with tables instead of invented people."
    ),
)
@click.option(
    "--grounds",
    type=click.Path(path_type=Path),
    help=say("Lijst van grondslagen (CSV) bij --data.", "List of legal grounds (CSV) for --data."),
)
@click.option(
    "--chain/--no-chain",
    default=True,
    help=say(
        "Vertel ook van de migratieketen: vijf knooppunten erbij.",
        "Tell of the migration chain too: five more nodes.",
    ),
)
@click.option(
    "--home", type=click.Path(path_type=Path), default=Path("var/demo"), show_default=True, hidden=True
)
@click.option(
    "--language",
    type=click.Choice(["nl", "en"]),
    expose_value=False,
    is_eager=True,
    callback=_speak,
    help="Taal / language.",
)
def command(once: bool, as_json: bool, down: tuple[str, ...], home: Path, **wanted: Any) -> None:
    """Starting takes a few seconds; the heavy parts are loaded after the options are known to be right."""
    context = click.get_current_context()
    context.obj = home
    if context.invoked_subcommand is not None:
        return
    from sluis_demo import official, oneself
    from sluis_demo.administered import leave_open
    from sluis_demo.federation import Options
    from sluis_demo.run import running, stay
    from sluis_demo.story import Story
    from sluis_demo.visit import invitation

    console = Console(width=WIDTH, quiet=as_json, highlight=False)
    waiting = Console(stderr=True, width=WIDTH)
    try:
        starting = waiting.status(say("De federatie start…", "The federation is starting…"))
        with starting, running(Options(home=home, **wanted), down) as up:
            starting.stop()
            story = Story(up, console)
            found = story.tell()
            if as_json:
                click.echo(json.dumps(found, ensure_ascii=False, indent=2))
            if not once:
                others = [one for one in up.federation.places if one.alias not in down]
                up.ending.callback(leave_open(up.federation.asker, others).end)
                looks = (
                    invitation(up.federation),
                    official.invitation(up.federation),
                    oneself.invitation(up.federation.portal),
                )
                look = "\n\n".join(looks)
                _invite(console, look, story.example())
                stay(up)
    except KeyboardInterrupt:
        waiting.print(say("Gestopt; er draait niets meer.", "Stopped; nothing is running any more."))


@command.command(
    "wallet",
    help=say(
        "Speel de wallet op een ander apparaat: toon een verzonnen paspoort aan de demo die draait.",
        "Play the wallet on another device: show an invented passport to the demo that is running.",
    ),
    epilog=say("Voorbeeld", "Example") + ":  sluis demo wallet 'https://127.77.1.100:8490/…' --card 1",
)
@click.argument("link")
@click.option(
    "--card",
    type=click.IntRange(min=1),
    help=say("Welke kaart, van boven naar beneden.", "Which card, from top to bottom."),
)
@click.option("--refuse", is_flag=True, help=say("Laat niets zien.", "Show nothing."))
@click.pass_obj
def wallet(home: Path, link: str, card: int | None, refuse: bool) -> None:
    """Who asks, what, and with which card; then the code to type."""
    from sluis_demo.otherdevice import Device

    with Device(home) as device:
        asked = device.open(link)
        click.echo(say(f"{asked.verifier} vraagt uw gegevens:", f"{asked.verifier} asks for your data:"))
        for claim in asked.claims:
            click.echo(f"  - {claim}")
        for number, title in enumerate(asked.cards, 1):
            click.echo(f"  {number}. {title}")
        if not (refuse or card) and asked.cards:
            choices = click.IntRange(1, len(asked.cards))
            said = say("Welke kaart laat u zien?", "Which card do you show?")
            card = click.prompt(said, type=choices, default=1)
        if card and card > len(asked.cards):
            raise click.BadParameter(
                say("Zo'n kaart is er niet.", "There is no such card."), param_hint="--card"
            )
        click.echo(device.answer(asked, None if refuse else card))


def _invite(console: Console, look: str, example: str) -> None:
    console.print()
    console.print(look, markup=False)
    console.print()
    console.print(
        say(
            "De federatie draait door tot u op Ctrl-C drukt. Stel in een ander venster uw eigen vraag:",
            "The federation stays up until Ctrl-C. Ask a question of your own in another terminal:",
        )
    )
    console.print(example, style="cyan", markup=False, soft_wrap=True)
