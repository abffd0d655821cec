"""`sluis fsc …`: the group that this node is in: peers, services, contracts, the transaction log, and a doctor."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote as quoted
from typing import Any
from urllib.parse import quote, urlencode

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text as Line

from sluis.cli.apply import STATES, outcome_told
from sluis.cli.diagnosis import tell_diagnosis
from sluis.cli.local import call
from sluis.cli.options import example, json_option, node_option
from sluis.cli.terminal import in_words, json_text, moment_told, say, shown, working
from sluis.grounds import COLUMN_ROLES
from sluis.kernel import Text

TYPES = {
    "GRANT_TYPE_SERVICE_PUBLICATION": Text("publicatie", "publication"),
    "GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION": Text("publicatie namens een ander", "delegated publication"),
    "GRANT_TYPE_SERVICE_CONNECTION": Text("verbinding", "connection"),
    "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION": Text("verbinding namens een ander", "delegated connection"),
}
DIRECTIONS = {
    "DIRECTION_INCOMING": Text("in", "in"),
    "DIRECTION_OUTGOING": Text("uit", "out"),
}
KINDS = {
    "only-here": Text("staat alleen hier", "is only here"),
    "only-there": Text("staat alleen daar", "is only there"),
    "differs": Text("staat er anders", "is there differently"),
    "failed-here": Text("mislukt onderweg, staat hier", "failed on the way, is here"),
    "failed-there": Text("mislukt onderweg, staat daar", "failed on the way, is there"),
}
OUTCOMES = {
    "": Text("", ""),
    "no-answer": Text("geen antwoord", "no answer"),
    "refused": Text("geweigerd", "refused"),
}


@click.group(
    "fsc",
    help=say("De FSC-groep van dit knooppunt.", "The FSC group of this node."),
    epilog=example("sluis fsc contracts --node /etc/sluis"),
)
def command() -> None:
    """Asks the running node, over its socket."""


@command.command("peers", epilog=example("sluis fsc peers --name gemeente"))
@click.option("--name", default="", help=say("Deel van de naam.", "Part of the name."))
@node_option
@json_option
def peers(name: str, directory: Path, as_json: bool) -> None:
    found = _asked(directory, "/v1/group/peers", name=name)
    _print(found, as_json, [say("OIN", "OIN"), say("naam", "name"), say("Manager", "Manager")],
           ([one["id"], one["name"], one["manager"]] for one in found))  # fmt: skip


peers.help = say("Noem wie in de groep zit.", "List who is in the group.")


@command.command("services", epilog=example("sluis fsc services --peer uwv"))
@click.option("--peer", default="", help=say("Organisatie: naam of OIN.", "Organisation: name or OIN."))
@click.option("--name", default="", help=say("Deel van de naam.", "Part of the name."))
@node_option
@json_option
def services(peer: str, name: str, directory: Path, as_json: bool) -> None:
    found = _asked(directory, "/v1/group/services", organisation=peer, name=name)
    heads = [say("dienst", "service"), say("organisatie", "organisation"), "OIN"]
    rows = [[one["name"], one["peer_name"], one["peer"], *_besides(one)] for one in found]
    if any(row[3:] != ["", ""] for row in rows):
        heads += [say("namens", "on behalf of"), say("bij storing", "when it cannot be reached")]
    _print(found, as_json, heads, (row[: len(heads)] for row in rows))


services.help = say("Noem de diensten in de directory.", "List the services in the directory.")


@command.command("contracts", epilog=example("sluis fsc contracts --waiting"))
@click.argument("hash", required=False)
@click.option("--waiting", is_flag=True, help=say("Alleen wat op u wacht.", "Only what waits for you."))
@node_option
@json_option
def contracts(hash: str | None, waiting: bool, directory: Path, as_json: bool) -> None:
    if hash:
        found = [call(directory, "GET", f"/v1/group/contracts/{quote(hash, safe='')}").document()]
    else:
        found = [one for one in _contracts(directory) if one["yours"] or not waiting]
    if as_json:
        click.echo(json_text(found))
        return
    click.echo("\n\n".join("\n".join(_contract_told(one, directory)) for one in found) or _nothing())


contracts.help = say(
    "Toon contracten: met wie, waarvoor, en op wie zij wachten.",
    "Show contracts: with whom, what for, who is to sign.",
)


@command.command(
    "request", epilog=example("sluis fsc request uwv --activity https://register.voorbeeld.nl/bijstand")
)
@click.argument("organisation")
@click.option(
    "--activity",
    required=True,
    help=say("Id van de verwerkingsactiviteit.", "Id of the processing activity."),
)
@node_option
@json_option
def request(organisation: str, activity: str, directory: Path, as_json: bool) -> None:
    body = {"organisation": organisation, "activity": activity}
    with working("Het contract wordt voorgesteld…", "The contract is being proposed…"):
        found = call(directory, "POST", "/v1/group/requests", body).document()
    click.echo(json_text(found) if as_json else "\n".join(map(outcome_told, found["outcomes"])))


request.help = say(
    "Vraag een contract aan voor alles wat een organisatie u voor een activiteit aanbiedt.",
    "Request a contract for all that an organisation offers you for an activity.",
)


def _add_act(name: str, action: str, told: Text, shape: str, why: Text | None) -> None:
    """Add the command by which this organisation says something under a contract; `why` asks for its reason."""

    def act(hash: str, directory: Path, as_json: bool, reason: str = "") -> None:
        path = f"/v1/group/contracts/{quote(hash, safe='')}/signatures"
        found = call(directory, "POST", path, {"action": action, "reason": reason}).document()
        click.echo(json_text(found) if as_json else "\n".join(_contract_told(found, directory)))

    options = [click.argument("hash"), node_option, json_option]
    if why is not None:
        options.insert(1, click.option("--reason", required=True, help=in_words(why)))
    for option in reversed(options):
        act = option(act)
    command.command(name, help=in_words(told), epilog=example(f"sluis fsc {name} {shape}"))(act)


_add_act(
    "sign", "accept",
    Text("Teken een contract. Lees het eerst: sluis fsc contracts HASH.",
         "Sign a contract. Read it first: sluis fsc contracts HASH."),
    "'$1$1$…'", None,
)  # fmt: skip
_add_act(
    "reject", "reject", Text("Wijs een contract af.", "Reject a contract."),
    "'$1$1$…' --reason 'Geen grondslag'", Text("Waarom niet.", "Why not."),
)  # fmt: skip
_add_act(
    "revoke", "revoke", Text("Trek een contract in; dat werkt meteen.", "Revoke a contract; that bites at once."),
    "'$1$1$…' --reason 'Taak vervallen'", Text("Waarom.", "Why."),
)  # fmt: skip


@command.command("logs", epilog=example("sluis fsc logs --peer uwv"))
@click.option("--peer", default="", help=say("Organisatie: naam of OIN.", "Organisation: name or OIN."))
@click.option(
    "--differences",
    is_flag=True,
    help=say("Alleen waar beide logboeken verschillen.", "Only where the two logs differ."),
)
@node_option
@json_option
def logs(peer: str, differences: bool, directory: Path, as_json: bool) -> None:
    if differences:
        _tell(_asked(directory, "/v1/group/differences"), as_json, _difference_told)
    else:
        page = _asked(directory, "/v1/group/transactions", organisation=peer)
        _tell(page["lines"], as_json, _transaction_told)


logs.help = say("Toon het transactielogboek, nieuwste eerst.", "Show the transaction log, newest first.")


@command.command("doctor", epilog=example("sluis fsc doctor uwv loon"))
@click.argument("peer")
@click.argument("service")
@node_option
@json_option
def doctor(peer: str, service: str, directory: Path, as_json: bool) -> None:
    with working("De weg wordt gelopen…", "The way is being walked…"):
        found = call(directory, "POST", "/v1/group/diagnoses", {"peer": peer, "service": service}).document()
    tell_diagnosis(found, as_json)


doctor.help = say(
    "Loop de hele weg naar een dienst, en zeg bij welke stap wat mis is.",
    "Walk the whole way to a service, and say what is wrong at which step.",
)


def _asked(directory: Path, path: str, **query: str) -> Any:
    given = {name: value for name, value in query.items() if value}
    with working("Het knooppunt kijkt…", "The node is looking…"):
        return call(directory, "GET", f"{path}?{urlencode(given)}" if given else path).document()


def _contracts(directory: Path) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        page = _asked(directory, "/v1/group/contracts", cursor=cursor)
        yield from page["contracts"]
        cursor = page["next_cursor"]
        if not cursor:
            return


def _print(found: Any, as_json: bool, heads: list[str], rows: Iterator[list[str]]) -> None:
    if as_json:
        click.echo(json_text(found))
        return
    table = Table(box=None, pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    count = 0
    for row in rows:
        count += 1
        table.add_row(*(Line(shown(cell)) for cell in row))  # a plain str would be read as markup
    if count:
        Console().print(table)
    else:
        click.echo(_nothing())


def _tell(found: Any, as_json: bool, told: Callable[[dict[str, Any]], Iterator[str]]) -> None:
    """Lines, no table: what is to be copied stays whole on a narrow screen."""
    if as_json:
        click.echo(json_text(found))
    else:
        click.echo("\n".join(shown(line) for one in found for line in told(one)) or _nothing())


def _transaction_told(one: dict[str, Any]) -> Iterator[str]:
    moment = moment_told(one["created_at"] // 1000)
    yield f"{moment}  {one['transaction_id']}  {in_words(DIRECTIONS[one['direction']])}"
    outcome = in_words(OUTCOMES[one["outcome"]])
    way = f"  {one['outway_peer']} → {one['service_peer']}: {one['service']}"
    yield way + (f" ({outcome})" if outcome else "")


def _difference_told(one: dict[str, Any]) -> Iterator[str]:
    yield f"{moment_told(one['found_at'])}  {one['transaction_id']}"
    yield f"  {one['peer']}: {one['service']} ({in_words(KINDS[one['kind']])})"


def _besides(service: dict[str, Any]) -> list[str]:
    external, instead = service["external_contract"], service["alternative"]
    behalf = (
        f"{external['delegator_name']} ({external['reference']})" if external else service["delegator"] or ""
    )
    return [behalf, f"{instead['service']}, {instead['peer']}" if instead else ""]


def _contract_told(one: dict[str, Any], directory: Path) -> Iterator[str]:
    state = in_words(STATES[one["state"]])
    yield f"{one['hash']}"
    yield say(f"  {state}, {_day(one['not_before'])} tot en met {_day(one['not_after'])}",
              f"  {state}, {_day(one['not_before'])} until {_day(one['not_after'])}")  # fmt: skip
    for grant in one["grants"]:
        yield from _grant_told(grant, one["yours"])
    if one["waiting_for"] and one["state"] == "proposed":
        yield "  " + say("Wacht op: ", "Waits for: ") + shown(", ".join(one["waiting_for"]))
    for key, nl, en in (
        ("rejected", "Afgewezen door", "Rejected by"),
        ("revoked", "Ingetrokken door", "Revoked by"),
    ):
        if one[key]:
            yield f"  {say(nl, en)}: {shown(', '.join(one[key]))}"
    if one["reason"]:
        yield "  " + say("Reden: ", "Reason: ") + shown(one["reason"])
    if one["yours"]:
        sign = f"sluis fsc sign '{one['hash']}' --node {quoted(str(directory))}"
        yield say(f"  → Tekenen: {sign}", f"  → To sign: {sign}")


def _grant_told(grant: dict[str, Any], yours: bool) -> Iterator[str]:
    kind = in_words(TYPES[grant["type"]])
    if grant["outway_peer"]:
        yield shown(say(f"  {kind}: {grant['outway_peer']} bij dienst {grant['service']} van {grant['service_peer']}",
                        f"  {kind}: {grant['outway_peer']} to service {grant['service']} of {grant['service_peer']}"))  # fmt: skip
    else:
        yield shown(say(f"  {kind}: dienst {grant['service']} van {grant['service_peer']} in {grant['directory']}",
                        f"  {kind}: service {grant['service']} of {grant['service_peer']} in {grant['directory']}"))  # fmt: skip
    for key, nl, en in (
        ("delegator", "namens", "on behalf of"),
        ("service_delegator", "dienst namens", "service on behalf of"),
    ):
        if grant[key]:
            yield shown(f"    {say(nl, en)} {grant[key]}")
    if grant["purpose"]:
        yield from _purpose_told(grant["purpose"], grant["service_peer"], yours)
    if external := grant["external_contract"]:
        whose = f"{external['delegator_name']} ({external['delegator']})"
        yield shown("    " + say("Namens ", "On behalf of ") + whose
                    + say(", volgens contract ", ", by contract ") + external["reference"])  # fmt: skip
        yield say(
            "      Teken pas als u dat contract hebt gezien.",
            "      Do not sign before you have seen that contract.",
        )
    if instead := grant["alternative"]:
        yield shown(
            "    "
            + say("Bij storing: ", "When it cannot be reached: ")
            + f"{instead['service']}, {instead['peer']}"
        )
    told = {name for name, key in _TOLD.items() if grant[key]}
    if rest := {name: value for name, value in (grant["properties"] or {}).items() if name not in told}:
        yield shown(f"    {json_text(rest)}")


_TOLD = {
    "sluis.purpose": "purpose",
    "sluis.alternative": "alternative",
    "delegation.connection.external_contract_reference": "external_contract",
    "delegation.publication.external_contract_reference": "external_contract",
}
"""Properties that are told in words, and where these words come from."""


def _purpose_told(purpose: dict[str, Any], owner: str, yours: bool) -> Iterator[str]:
    """What a purpose opens. Only its owner knows; so who is to sign it is warned where this node does not."""
    yield shown("    " + say("Waarvoor: ", "Purpose: ") + purpose["activity"])
    for one in purpose["disclosures"]:
        if not one["known"] and not yours:
            yield shown(say(f"    Verstrekking {one['id']}: bij dit knooppunt niet (meer) bekend. Wat zij opent, weet {owner}.",
                            f"    Disclosure {one['id']}: not known (any more) at this node. What it opens, {owner} knows."))  # fmt: skip
            continue
        if not one["known"]:
            yield shown(say(f"    Verstrekking {one['id']}: niet (meer) zo bij dit knooppunt. Teken niet voor dat klopt.",
                            f"    Disclosure {one['id']}: not (any more) like this at this node. Do not sign before it is."))  # fmt: skip
            continue
        columns = ", ".join(
            f"{name} ({in_words(COLUMN_ROLES[role])})" for name, role in one["columns"].items()
        )
        yield shown(f"    {one['dataset']}: {columns}")
        yield shown("      " + say("Wet: ", "Law: ") + "; ".join(one["articles"]))
    for one in purpose.get("notices", ()):
        if not one["known"]:
            where = say(f"Wat zij meldt, weet {owner}.", f"What it tells, {owner} knows.")
            if yours:
                where = say("Teken niet voor dat klopt.", "Do not sign before it is.")
            yield shown(say(f"    Kennisgeving {one['id']}: niet (meer) zo bij dit knooppunt. {where}",
                            f"    Notice {one['id']}: not (any more) like this at this node. {where}"))  # fmt: skip
            continue
        data = f": {', '.join(one['data'])}" if one["data"] else ""
        yield shown("    " + say("Meldt ", "Tells of ") + f"{one['event']}{data}")
        yield shown("      " + say("Wet: ", "Law: ") + "; ".join(one["articles"]))


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _nothing() -> str:
    return say("Er is niets.", "There is nothing.")
