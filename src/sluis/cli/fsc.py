"""`sluis fsc …`: the group that this node is in: peers, services, contracts, the transaction log, and a doctor."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import click
from rich.console import Console
from rich.table import Table

from sluis.cli.apply import STATES, outcome_told
from sluis.cli.local import call
from sluis.cli.options import example, json_option, node_option
from sluis.cli.terminal import in_words, json_text, language, say, shown, working
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
ROLES = {
    "output": Text("zichtbaar", "visible"),
    "join": Text("alleen om te koppelen", "only to join"),
    "filter": Text("alleen om te kiezen", "only to select"),
}
STEPS = {
    "certificate": Text("Eigen certificaat", "Own certificate"),
    "directory": Text("Directory", "Directory"),
    "address": Text("Adres van de organisatie", "Address of the organisation"),
    "manager": Text("Haar Manager", "Its Manager"),
    "listed": Text("Publicatie van de dienst", "Publication of the service"),
    "contract": Text("Contract", "Contract"),
    "token": Text("Token", "Token"),
    "inway": Text("Haar inway", "Its inway"),
    "service": Text("De dienst", "The service"),
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
    _print(found, as_json, [say("dienst", "service"), say("organisatie", "organisation"), "OIN"],
           ([one["name"], one["peer_name"], one["peer"]] for one in found))  # fmt: skip


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
    click.echo("\n\n".join("\n".join(_contract_told(one)) for one in found) or _nothing())


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


@command.command("sign", epilog=example("sluis fsc sign '$1$1$…'"))
@click.argument("hash")
@node_option
@json_option
def sign(hash: str, directory: Path, as_json: bool) -> None:
    _act(directory, hash, "accept", "", as_json)


sign.help = say("Teken een contract. Lees het eerst: sluis fsc contracts HASH.",
                "Sign a contract. Read it first: sluis fsc contracts HASH.")  # fmt: skip


@command.command("reject", epilog=example("sluis fsc reject '$1$1$…' --reason 'Geen grondslag'"))
@click.argument("hash")
@click.option("--reason", required=True, help=say("Waarom niet.", "Why not."))
@node_option
@json_option
def reject(hash: str, reason: str, directory: Path, as_json: bool) -> None:
    _act(directory, hash, "reject", reason, as_json)


reject.help = say("Wijs een contract af.", "Reject a contract.")


@command.command("revoke", epilog=example("sluis fsc revoke '$1$1$…' --reason 'Taak vervallen'"))
@click.argument("hash")
@click.option("--reason", required=True, help=say("Waarom.", "Why."))
@node_option
@json_option
def revoke(hash: str, reason: str, directory: Path, as_json: bool) -> None:
    _act(directory, hash, "revoke", reason, as_json)


revoke.help = say("Trek een contract in; dat werkt meteen.", "Revoke a contract; that bites at once.")


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
        found = _asked(directory, "/v1/group/differences")
        _print(found, as_json, [say("gevonden", "found"), say("organisatie", "organisation"), say("dienst", "service"),
                                say("verschil", "difference"), say("transactie", "transaction")],
               ([_moment(one["found_at"]), one["peer"], one["service"], in_words(KINDS[one["kind"]]),
                 one["transaction_id"]] for one in found))  # fmt: skip
        return
    page = _asked(directory, "/v1/group/transactions", organisation=peer)
    _print(page["lines"], as_json, [say("tijd", "time"), "", say("van", "from"), say("naar", "to"),
                                    say("dienst", "service"), say("transactie", "transaction"),
                                    say("uitkomst", "outcome")],
           ([_moment(one["created_at"] // 1000), in_words(DIRECTIONS[one["direction"]]), one["outway_peer"],
             one["service_peer"], one["service"], one["transaction_id"],
             in_words(OUTCOMES[one["outcome"]])] for one in page["lines"]))  # fmt: skip


logs.help = say("Toon het transactielogboek, nieuwste eerst.", "Show the transaction log, newest first.")


@command.command("doctor", epilog=example("sluis fsc doctor uwv loon"))
@click.argument("peer")
@click.argument("service")
@node_option
@json_option
def doctor(peer: str, service: str, directory: Path, as_json: bool) -> None:
    with working("De weg wordt gelopen…", "The way is being walked…"):
        found = call(directory, "POST", "/v1/group/diagnoses", {"peer": peer, "service": service}).document()
    if as_json:
        click.echo(json_text(found))
    else:
        click.echo("\n".join(line for step in found["steps"] for line in _step_told(step)))
    if not found["well"]:
        raise click.exceptions.Exit(5)


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


def _act(directory: Path, hash: str, action: str, reason: str, as_json: bool) -> None:
    path = f"/v1/group/contracts/{quote(hash, safe='')}/signatures"
    found = call(directory, "POST", path, {"action": action, "reason": reason}).document()
    click.echo(json_text(found) if as_json else "\n".join(_contract_told(found)))


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
        table.add_row(*map(shown, row))
    if count:
        Console().print(table)
    else:
        click.echo(_nothing())


def _contract_told(one: dict[str, Any]) -> Iterator[str]:
    state = in_words(STATES[one["state"]])
    yield f"{one['hash']}"
    yield say(f"  {state}, {_day(one['not_before'])} tot en met {_day(one['not_after'])}",
              f"  {state}, {_day(one['not_before'])} until {_day(one['not_after'])}")  # fmt: skip
    for grant in one["grants"]:
        yield from _grant_told(grant)
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
        yield say(
            f"  → Tekenen: sluis fsc sign '{one['hash']}'", f"  → To sign: sluis fsc sign '{one['hash']}'"
        )


def _grant_told(grant: dict[str, Any]) -> Iterator[str]:
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
        yield from _purpose_told(grant["purpose"])
    elif grant["properties"]:
        yield shown(f"    {json_text(grant['properties'])}")


def _purpose_told(purpose: dict[str, Any]) -> Iterator[str]:
    yield shown("    " + say("Waarvoor: ", "Purpose: ") + purpose["activity"])
    for one in purpose["disclosures"]:
        if not one["known"]:
            yield shown(say(f"    Verstrekking {one['id']}: niet (meer) zo bij dit knooppunt. Teken niet voor dat klopt.",
                            f"    Disclosure {one['id']}: not (any more) like this at this node. Do not sign before it is."))  # fmt: skip
            continue
        columns = ", ".join(f"{name} ({in_words(ROLES[role])})" for name, role in one["columns"].items())
        yield shown(f"    {one['dataset']}: {columns}")
        yield shown("      " + say("Wet: ", "Law: ") + "; ".join(one["articles"]))


def _step_told(step: dict[str, Any]) -> Iterator[str]:
    mark = {"ok": "✓", "wrong": "✗", "skipped": "·"}[step["result"]]
    spoken = language()
    told = step[spoken] or say("niet bekeken", "not looked at")
    yield shown(f"{mark} {in_words(STEPS[step['name']])}: {told}")
    if step["result"] == "wrong":
        yield shown(f"  → {step[f'next_{spoken}']}")


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _nothing() -> str:
    return say("Er is niets.", "There is nothing.")
