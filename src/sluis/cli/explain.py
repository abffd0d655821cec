"""`sluis explain`: what a question would do, without asking it."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text as Line

from sluis.cli.local import call, question_of, question_options
from sluis.cli.options import example, json_option, node_option
from sluis.cli.terminal import all_shown, hung, in_words, language, quoted, say, working
from sluis.grounds import COLUMN_ROLES
from sluis.kernel import LEVEL_NAMES


@click.command(
    "explain",
    help=say(
        "Laat per organisatie zien welke kolommen en rijen een vraag zou krijgen, en waarom. Niemand wordt iets gevraagd.",
        "Tell per owner which columns and rows a question would get, and why. Nobody is asked.",
    ),
    epilog=example(
        "sluis explain 'select voornaam from rvig.personen where bsn = $bsn' --activity "
        "https://sluiswijk.example/verwerkingen/bijstand --case ZAAK-2026-1 --set bsn=-"
    ),
)
@question_options
@node_option
@click.option(
    "--partial",
    is_flag=True,
    help=say(
        "Leg de rest uit als een organisatie niet zegt wat zij opent.",
        "Tell the rest when an owner does not say what it opens.",
    ),
)
@json_option
def command(directory: Path, partial: bool, as_json: bool, **options: Any) -> None:
    """What the node answers, as lines of text."""
    question = question_of(**options)
    if partial:
        question["partial"] = "flagged"
    with working("De bronhouders zeggen wat zij openen…", "The owners say what they open…"):
        body = call(directory, "POST", "/v1/questions/_explain", question)
    if as_json:
        click.echo(quoted(body.raw.decode()))
        return
    console, told = Console(), all_shown(body.document())
    for part in told["parts"]:
        _show_part(part, console)
    for entry in told["closed"]:
        names = ", ".join(entry["columns"])
        line = f"{say('gesloten', 'closed')}: {entry['owner']}.{entry['dataset']} {names}: {entry['because'][language()]}"
        console.print(Line(line + (f" [{entry['article']}]" if entry.get("article") else "")))
    for missing in told["missing"]:
        texts = missing["problem"]["texts"][language()]
        console.print(
            Line(
                f"{say('Vooraf niet bekend', 'Not known beforehand')}: {missing['owner']}: {texts['what']} {texts['why']}",
                style="bold red",
            )
        )


def _show_part(part: dict[str, Any], console: Console) -> None:
    console.print(Line(f"{part['owner']}: {', '.join(part['datasets'])}", style="bold"))
    console.print(hung(part["sql"], style="dim"))
    for dataset, columns in part["columns"].items():
        opened = ", ".join(f"{column['name']} ({_role(column)})" for column in columns)
        console.print(hung(f"open in {dataset}: {opened}"))
    for text in part["rows"]:
        console.print(hung(text[language()]))
    for article in part["articles"]:
        console.print(hung(f"{say('op grond van', 'under')} {article}"))
    if level := part.get("level"):
        name = in_words(LEVEL_NAMES[level])
        console.print(hung(say(f"alleen op niveau {name} of hoger", f"only at level {name} or higher")))
    for owner in part.get("keysFrom", []):
        console.print(hung(f"{say('sleutels van', 'keys from')} {owner}"))
    console.print()


def _role(column: dict[str, Any]) -> str:
    masked = say("afgeschermd, ", "masked, ") if column.get("masked") else ""
    sealed = say(", verzegeld", ", sealed") if column["role"] == "join" else ""
    return masked + in_words(COLUMN_ROLES[column["role"]]) + sealed
