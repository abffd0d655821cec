"""`sluis people …`: who acts for another by law, and the services that one can be mandated for.

Mandates are given by people themselves, at the portal; what two directors sign together too.
"""

import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

from sluis.cli.local import call
from sluis.cli.options import example, json_option, node_option
from sluis.cli.terminal import in_words, json_text, language, moment_told, say, shown
from sluis.kernel import Text

KINDS = {
    "curator": Text("curator", "curator"),
    "administrator": Text("bewindvoerder", "administrator"),
    "parent": Text("ouder met gezag", "parent with authority"),
}


@click.group(
    "people",
    help=say("Wie voor een ander handelt.", "Who acts for another."),
    epilog=example("sluis people guardians --node /etc/sluis"),
)
def command() -> None:
    """Asks the running node, over its socket."""


@command.command("guardians", epilog=example("sluis people guardians --all"))
@click.option("--all", "every", is_flag=True, help=say("Ook wat voorbij is.", "Also what is over."))
@node_option
@json_option
def guardians(every: bool, directory: Path, as_json: bool) -> None:
    found = call(directory, "GET", "/v1/people/guardians").document()
    found = [one for one in found if every or one["holds"]]
    told = "\n".join(map(_told, found)) or say("Er is niemand.", "There is nobody.")
    click.echo(json_text(found) if as_json else told)


guardians.help = say(
    "Noem curatoren, bewindvoerders en ouders, met waar het op rust.",
    "List curators, administrators and parents, with what it rests on.",
)


@command.command(
    "appoint",
    epilog=example(
        "sluis people appoint --kind curator --name 'C. Urator (fictief)' --ward 'W. Ard (fictief)' --evidence 'C/10/000000 FT RK 26-1'"
    ),
)
@click.option("--kind", type=click.Choice([*KINDS]), required=True, help=say("Hoe deze persoon handelt.", "How this person acts."))  # fmt: skip
@click.option(
    "--name", "guardian_name", required=True, help=say("Naam van wie handelt.", "Name of who acts.")
)
@click.option("--ward", "ward_name", required=True, help=say("Naam van de ander.", "Name of the other."))
@click.option("--evidence", required=True, help=say("Kenmerk van de uitspraak, of van het uittreksel uit de BRP.", "Reference of the judgment, or of the extract of the BRP."))  # fmt: skip
@click.option("--service", "services", multiple=True, help=say("Dienst, bij een bewindvoerder; zie `sluis people services`.", "Service, for an administrator; see `sluis people services`."))  # fmt: skip
@click.option("--until", help=say("Laatste dag, jjjj-mm-dd.", "Last day, yyyy-mm-dd."))
@click.option("--born", help=say("Geboortedatum van het kind, bij een ouder.", "Date of birth of the child, for a parent."))  # fmt: skip
@node_option
@json_option
def appoint(
    kind: str,
    guardian_name: str,
    ward_name: str,
    evidence: str,
    services: tuple[str, ...],
    until: str | None,
    born: str | None,
    directory: Path,
    as_json: bool,
) -> None:
    body: dict[str, Any] = {
        "kind": kind,
        "guardian_name": guardian_name,
        "ward_name": ward_name,
        "evidence": evidence,
        **({"services": list(services)} if services else {}),
        **{name: _day(given) for name, given in (("until", until), ("born", born)) if given},
        "guardian": _bsn(say("BSN van wie handelt", "BSN of who acts")),
        "ward": _bsn(say("BSN van de ander", "BSN of the other")),
    }
    _done(call(directory, "POST", "/v1/people/guardians", body).document(), as_json)


appoint.help = say(
    "Leg vast dat iemand volgens de wet voor een ander handelt. De nummers van beiden worden gevraagd, of staan op twee "
    "regels van de standaardinvoer: eerst wie handelt.",
    "Write down that somebody acts for another by law. The numbers of both are asked for, or stand on two lines of standard "
    "input: first who acts.",
)


@command.command("end", epilog=example(f"sluis people end {'0a' * 16}"))
@click.argument("id")
@node_option
@json_option
def end(id: str, directory: Path, as_json: bool) -> None:
    _done(call(directory, "POST", f"/v1/people/guardians/{id}/endings").document(), as_json)


end.help = say(
    "Laat iemand niet meer voor een ander handelen. Dat werkt meteen.",
    "Let somebody act for another no more. That bites at once.",
)


@command.command("services", epilog=example("sluis people services --json"))
@node_option
@json_option
def services(directory: Path, as_json: bool) -> None:
    found = call(directory, "GET", "/v1/people/services").document()
    told = "\n".join(
        f"{shown(one['id'])}\n  {shown(one['title'][language()])}: {shown(one['about'][language()])}"
        for one in found
    )
    click.echo(json_text(found) if as_json else told)


services.help = say(
    "Noem de diensten waarvoor iemand een machtiging of bewind kan hebben.",
    "List the services for which somebody can have a mandate or an administration.",
)


def _done(one: dict[str, Any], as_json: bool) -> None:
    click.echo(json_text(one) if as_json else _told(one))


def _told(one: dict[str, Any]) -> str:
    holds = "" if one["holds"] else say(", afgelopen", ", ended")
    who = say(
        f"{one['guardian_name']} voor {one['ward_name']}", f"{one['guardian_name']} for {one['ward_name']}"
    )
    period = say(f"vanaf {moment_told(one['since'])}", f"from {moment_told(one['since'])}")
    if one.get("until"):
        period += say(f" tot {moment_told(one['until'])}", f" until {moment_told(one['until'])}")
    return "\n".join(
        (
            shown(f"{one['id']}: {who} ({in_words(KINDS[one['kind']])}{holds})"),
            shown(f"  {one['evidence']}; {', '.join(one['services'])}; {period}"),
        )
    )


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise click.BadParameter(say("Schrijf jjjj-mm-dd.", "Write yyyy-mm-dd.")) from None


def _bsn(asked: str) -> str:
    """Typed by a person, unseen; or else the next line of standard input. Never an argument, which others can see."""
    if sys.stdin.isatty():
        return str(click.prompt(asked, hide_input=True, err=True))
    return sys.stdin.readline().strip()
