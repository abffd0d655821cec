"""`sluis ask`: put a question to your own node, and read the answer with where it came from."""

import csv
import re
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text as Line

from sluis.cli.local import call, question_of, question_options
from sluis.cli.options import example, node_option, settings
from sluis.cli.terminal import all_shown, hung, in_words, language, many, quoted, say, shown, working
from sluis.kernel import Refused, Text, euros

_ROWS = Text("rij", "row"), Text("rijen", "rows")
_PEOPLE = Text("mens", "person"), Text("mensen", "people")
ARROW = "application/vnd.apache.arrow.stream"


@click.command(
    "ask",
    help=say(
        "Stel in SQL een vraag over datasets van meer organisaties.\n\n"
        "Gegevens vraagt u voor een verwerkingsactiviteit en een zaak; wat de wet daarvoor niet opent, blijft gesloten, en"
        " iedereen die erbij betrokken is, kan later zien dat u het vroeg. Geef de waarde van `$naam` met --set"
        " naam=waarde; `-` vraagt om de waarde zonder haar te tonen, zodat zij in geen geschiedenis staat."
        " `naam=@bestand` leest een lijst, één waarde per regel.",
        "Ask SQL over the datasets of several organisations.\n\n"
        "Data is asked for a processing activity and a case; what the law does not open for it stays closed, and"
        " everyone involved can see afterwards that you asked. Give the values of `$name` with --set name=value; `-`"
        " asks for the value without showing it, so that it stands in no history. `name=@file` reads a list, one value"
        " per line.",
    ),
    epilog=example(
        "sluis ask 'select voornaam from rvig.personen where bsn = $bsn' --activity "
        "https://sluiswijk.example/verwerkingen/bijstand --case ZAAK-2026-1 --set bsn=-"
    ),
)
@question_options
@node_option
@click.option(
    "--partial",
    is_flag=True,
    help=say(
        "Geef de rest als een organisatie uitvalt, gemerkt als onvolledig.",
        "Give the rest when an owner fails, marked as incomplete.",
    ),
)
@click.option(
    "--json",
    "form",
    flag_value="json",
    help=say("Het hele antwoord als JSON.", "The whole answer as one JSON document."),
)
@click.option(
    "--csv",
    "form",
    flag_value="csv",
    help=say(
        "De rijen als CSV; een tekst die als een formule begint, krijgt een ' ervoor.",
        "The rows as CSV; text that begins like a formula gets a ' before it.",
    ),
)
@click.option(
    "--arrow",
    "form",
    flag_value="arrow",
    help=say("De rijen als Arrow IPC-stroom.", "The rows as an Arrow IPC stream."),
)
def command(directory: Path, partial: bool, form: str | None, **options: Any) -> None:
    """Only what was asked for goes to standard output, so that it can be piped on."""
    question = question_of(**options)
    if partial:
        question["partial"] = "flagged"
    accept = ARROW if form == "arrow" else "application/json"
    try:
        with working("De vraag is onderweg…", "The question is under way…"):
            body = call(directory, "POST", "/v1/questions", question, accept=accept)
    except Refused as problem:
        raise _with_request(problem, directory, question["activity"]) from None
    if form == "arrow":
        sys.stdout.buffer.write(body.raw)
    elif form == "json":
        click.echo(quoted(body.raw.decode()))
    elif form == "csv":
        _write_csv(body.document())
    else:
        show(body.document(), Console())


def _with_request(problem: Refused, directory: Path, activity: str) -> Refused:
    """A refusal for want of a contract, with the command that requests it."""
    names = [alias for alias, peer in settings(directory).peers.items() if peer.name == problem.peer]
    if problem.code == "contract-missing" and names:
        command = f"sluis fsc request {names[0]} --activity {activity}"
        problem.next = Text(f"Vraag het contract aan met: {command}", f"Request the contract with: {command}")
    return problem


def _write_csv(answer: dict[str, Any]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(column["name"] for column in answer["columns"])
    writer.writerows(map(_cell, row) for row in answer["rows"])


_FORMULA = re.compile(r"[=+\-@\t\r\n](?![0-9]*([.,][0-9]+)?$)")
"""The beginning of what a spreadsheet computes (OWASP, CSV injection); a plain number is what it says."""


def _cell(value: Any) -> Any:
    """A value that a spreadsheet shows and does not compute: text that begins like a formula gets a `'` before it."""
    if not isinstance(value, str):
        return value
    text = shown(value) if sys.stdout.isatty() else value
    return f"'{text}" if _FORMULA.match(text) else text


def show(answer: dict[str, Any], console: Console) -> None:
    """An answer as a person reads it: the rows, who gave what, and what stays closed."""
    answer = all_shown(answer)
    console.print(_rows(answer))
    console.print(Group(*_origins(answer)))
    console.print(Group(*_receipts(answer)))
    console.print(Group(*_closed(answer)))
    for missing in answer["missing"]:
        told = missing["problem"]["texts"][language()]
        console.print(
            Line(
                f"{say('Ontbreekt', 'Missing')}: {missing['owner']}: {told['what']} {told['why']}",
                style="bold red",
            )
        )


def _rows(answer: dict[str, Any]) -> Table:
    table = Table(header_style="bold", show_edge=False)
    units = {entry["column"]: entry.get("unit") for entry in answer["provenance"]}
    for column in answer["columns"]:
        number = column["type"].startswith(("int", "decimal", "double", "float"))
        unit = units.get(column["name"])
        name = f"{column['name']} ({unit})" if unit else column["name"]
        table.add_column(Line(name), justify="right" if number else "left", overflow="fold")
    for row in answer["rows"]:
        table.add_row(*(Line("" if value is None else str(value)) for value in row))
    table.caption = many(len(answer["rows"]), *_ROWS)
    return table


def _origins(answer: dict[str, Any]) -> list[RenderableType]:
    lines: list[RenderableType] = [
        Line(),
        Line(say("Waar het vandaan komt", "Where it comes from"), style="bold"),
    ]
    for entry in answer["provenance"]:
        places = ", ".join(
            f"{origin['owner']}.{origin['dataset']}.{origin['column']}"
            + (say(" (afgeschermd)", " (masked)") if origin.get("masked") else "")
            for origin in entry["origins"]
        )
        lines.append(hung(f"{entry['column']}: {places or say('een vaste waarde', 'a constant')}"))
    return lines


def _costs(charge: dict[str, Any] | None) -> str:
    return "" if charge is None else f"; {say('kosten', 'costs')} {in_words(euros(charge['cents']))}"


def _receipts(answer: dict[str, Any]) -> list[RenderableType]:
    lines: list[RenderableType] = [Line(), Line(say("Ontvangstbewijzen", "Receipts"), style="bold")]
    for entry in answer["receipts"]:
        receipt = entry["receipt"]
        lines.append(
            hung(
                f"{entry['owner']}: {many(receipt['rows'], *_ROWS)} {say('over', 'about')} "
                f"{many(receipt['subjects'], *_PEOPLE)} {say('uit', 'from')} {', '.join(entry['datasets'])}; "
                f"{say('logregel', 'log line')} {receipt['position']} {say('van', 'of')} {receipt['origin']}"
                + _costs(receipt.get("charge"))
            )
        )
    lines.append(hung(f"trace: {answer['traceId']}", style="dim"))
    return lines


_WHAT = {
    "columns": ("kolommen", "columns"),
    "rows": ("rijen", "rows"),
    "values": ("waarden van", "values of"),
}


def _closed(answer: dict[str, Any]) -> list[RenderableType]:
    lines: list[RenderableType] = [
        Line(),
        Line(say("Wat gesloten blijft", "What stays closed"), style="bold"),
    ]
    for entry in answer["closed"]:
        names = f" {', '.join(entry['columns'])}" if entry["columns"] else ""
        article = f" [{entry['article']}]" if entry.get("article") else ""
        because = entry["because"][language()]
        lines.append(
            hung(
                f"{entry['owner']}.{entry['dataset']}: {say(*_WHAT[entry['what']])}{names}: {because}{article}"
            )
        )
    if not answer["closed"]:
        lines.append(hung(say("niets", "nothing")))
    return lines
