"""`sluis usage list|show`: what was used in a month, of others and by others, and what it costs."""

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import click

from sluis.cli.local import call
from sluis.cli.options import example, json_option, node_option
from sluis.cli.terminal import all_shown, in_words, json_text, say
from sluis.kernel import euros


@click.group(
    "usage",
    help=say("Wat er gebruikt is, en wat het kost.", "What was used, and what it costs."),
    epilog=example("sluis usage list --month 2026-11 --node /etc/sluis"),
)
def command() -> None:
    """Asks this organisation's own node."""


@command.command(
    "list",
    help=say("Noem de overzichten van een maand.", "List the statements of a month."),
    epilog=example("sluis usage list --month 2026-11 --node /etc/sluis"),
)
@click.option(
    "--month",
    default="",
    help=say(
        "De maand (UTC), zoals 2026-06; zonder is dat deze.", "The month (UTC), as 2026-06; this one without."
    ),
)
@node_option
@json_option
def list_statements(month: str, directory: Path, as_json: bool) -> None:
    query = f"?{urlencode({'month': month})}" if month else ""
    found = call(directory, "GET", f"/v1/usage{query}").document()
    if as_json:
        click.echo(json_text(found, indent=2))
        return
    for one in all_shown(found):
        click.echo(f"{one['number']}  {_who(one)}  {one['service']}  {in_words(euros(one['total']))}")
    if not found:
        click.echo(say("Er is niets gebruikt.", "Nothing was used."))


@command.command(
    "show",
    help=say("Toon een overzicht.", "Show a statement."),
    epilog=example("sluis usage show 2026-11-0a1b2c3d4e --node /etc/sluis"),
)
@click.argument("number")
@node_option
@json_option
def show(number: str, directory: Path, as_json: bool) -> None:
    found = call(directory, "GET", f"/v1/usage/{quote(number, safe='')}").document()
    if as_json:
        click.echo(json_text(found, indent=2))
        return
    one = all_shown(found)
    final = say("definitief", "final") if one["final"] else say("voorlopig", "provisional")
    click.echo(
        f"{one['number']} ({final})\n  {_who(one)}, {one['service']} {one['agreed'].get('activity', '')}".rstrip()
    )
    counted = one["counted"]
    click.echo(say(
        f"  aanroepen: {counted['calls']}, mislukt: {counted['failed']}; vragen met een prijs: {counted['questions']}",
        f"  calls: {counted['calls']}, failed: {counted['failed']}; questions with a price: {counted['questions']}",
    ))  # fmt: skip
    for line in one["lines"]:
        words = say(line["words"]["nl"], line["words"]["en"])
        click.echo(f"  {words}: {line['quantity']}, {in_words(euros(line['cents']))}")
    if one["vat"] is not None:
        click.echo(f"  {say('btw', 'VAT')} {one['vat']}%: {in_words(euros(one['tax']))}")
    click.echo(f"  {say('totaal', 'total')}: {in_words(euros(one['total']))}")


def _who(one: dict[str, Any]) -> str:
    return say(f"{one['supplier']} aan {one['user']}", f"{one['supplier']} to {one['user']}")
