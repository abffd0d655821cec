"""`sluis access …`: who has access to what of this organisation, and giving, narrowing and taking it back.

Access of an organisation is a disclosure with a contract over it: made in a file and with `sluis fsc`, told and revoked here
too. Access that a person gives to data about them is a consent.
"""

import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from shlex import quote as quoted
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import click

from sluis.cli.local import call
from sluis.cli.options import example, json_option, node_option, settings
from sluis.cli.terminal import in_words, json_text, language, many, moment_told, say, shown, working
from sluis.grounds import AVG_GROUNDS
from sluis.kernel import Invalid, Text

F = TypeVar("F", bound=Callable[..., Any])

STATES = {
    "open": Text("open", "open"),
    "contract-missing": Text("wacht op een contract", "waits for a contract"),
    "consent-missing": Text("niemand geeft toestemming", "nobody consents"),
    "not-today": Text("geldt vandaag niet", "not in force today"),
}
_CONSENT = re.compile(r"[0-9a-f]{32}")
_CONTRACT = re.compile(r"\$1\$1\$.+")


@click.group(
    "access",
    help=say("Wie toegang heeft tot wat, en waarom.", "Who has access to what, and why."),
    epilog=example("sluis access list --node /etc/sluis"),
)
def command() -> None:
    """Asks the running node, over its socket."""


def _dataset_option(help: str) -> Callable[[F], F]:
    return click.option(
        "--dataset", "datasets", multiple=True, metavar=say("NAAM[:KOLOM,…]", "NAME[:COLUMN,…]"), help=help
    )


_until_help = say("Laatste dag, jjjj-mm-dd.", "Last day, yyyy-mm-dd.")


@command.command("list", epilog=example("sluis access list --consents"))
@click.option(
    "--consents",
    is_flag=True,
    help=say("Toon toestemmingen één voor één.", "Show consents one by one."),
)
@click.option(
    "--recipient", default="", help=say("Alleen van deze organisatie.", "Of this organisation only.")
)
@click.option("--activity", default="", help=say("Alleen hiervoor.", "For this activity only."))
@node_option
@json_option
def list_access(consents: bool, recipient: str, activity: str, directory: Path, as_json: bool) -> None:
    peer = _peer(recipient, directory) if recipient else ""
    if consents:
        given = {name: one for name, one in (("recipient", peer), ("activity", activity)) if one}
        found = _asked(directory, "/v1/access/consents" + (f"?{urlencode(given)}" if given else ""))
        told = [line for one in found for line in _consent_told(one)]
    else:
        found = _asked(directory, "/v1/access")
        found["disclosures"] = [
            one
            for one in found["disclosures"]
            if peer in ("", one["recipient"]) and activity in ("", one["activity"])
        ]
        found["notices"] = [
            one
            for one in found["notices"]
            if peer in ("", one["recipient"]) and activity in ("", one["activity"])
        ]
        told = [line for one in found["disclosures"] for line in _disclosed_told(one, directory)]
        told += [line for one in found["notices"] for line in _noticed_told(one, directory)]
        if not (peer or activity):
            told += [line for one in found["services"] for line in _service_told(one, directory)]
    click.echo(json_text(found) if as_json else "\n".join(told) or say("Er is niets.", "There is nothing."))


list_access.help = say(
    "Noem wie toegang heeft: tot wat, op welke grond, onder welk contract, en wanneer het laatst gebruikt.",
    "List who has access: to what, on which ground, under which contract, and when last used.",
)


@command.command(
    "give",
    epilog=example(
        "sluis access give --recipient gemeente --activity https://register.voorbeeld.nl/schuldhulp --dataset inkomen --until 2027-12-31"
    ),
)
@click.option(
    "--recipient", required=True, help=say("Organisatie: naam of OIN.", "Organisation: name or OIN.")
)
@click.option(
    "--activity",
    required=True,
    help=say("Id van de verwerkingsactiviteit.", "Id of the processing activity."),
)
@_dataset_option(
    say("Wat; zonder kolommen alles wat gevraagd wordt.", "What; without columns all that is asked for.")
)
@click.option("--until", required=True, help=_until_help)
@click.option("--since", help=say("Eerste dag; anders vandaag.", "First day; else today."))
@click.option("--key-type", default="BSN", show_default=True, help=say("Soort nummer van de persoon.", "Kind of key of the person."))  # fmt: skip
@node_option
@json_option
def give(
    recipient: str,
    activity: str,
    datasets: tuple[str, ...],
    until: str,
    since: str | None,
    key_type: str,
    directory: Path,
    as_json: bool,
) -> None:
    body: dict[str, Any] = {
        "recipient": _peer(recipient, directory),
        "activity": activity,
        "datasets": dict(map(_dataset, datasets)),
        "until": _day(until),
        "person": {"type": key_type, "value": _key_of_person(key_type)},
    }
    if since:
        body["since"] = _day(since)
    _done(call(directory, "POST", "/v1/access/consents", body).document(), as_json)


give.help = say(
    "Leg vast dat een persoon toestemming geeft; het nummer wordt gevraagd, of staat op de standaardinvoer. "
    "Een organisatie geeft u toegang met een bestand in disclosures/, en haar contract tekent u met `sluis fsc sign`.",
    "Write down that a person consents; their number is asked for, or stands on standard input. "
    "An organisation gets access by a file in disclosures/, and its contract you sign with `sluis fsc sign`.",
)


@command.command("narrow", epilog=example(f"sluis access narrow {'0a' * 16} --dataset inkomen:jaar"))
@click.argument("id")
@_dataset_option(say("Wat er overblijft.", "What is left."))
@click.option("--until", help=_until_help)
@node_option
@json_option
def narrow(id: str, datasets: tuple[str, ...], until: str | None, directory: Path, as_json: bool) -> None:
    if not _CONSENT.fullmatch(id):
        raise _narrow_elsewhere(directory)
    body: dict[str, Any] = {"datasets": dict(map(_dataset, datasets))} if datasets else {}
    if until:
        body["until"] = _day(until)
    _done(call(directory, "PATCH", f"/v1/access/consents/{id}", body).document(), as_json)


narrow.help = say("Laat minder over van een toestemming.", "Leave less of a consent.")


@command.command("revoke", epilog=example(f"sluis access revoke {'0a' * 16}"))
@click.argument("id")
@click.option(
    "--reason", default="", help=say("Waarom; nodig bij een contract.", "Why; needed for a contract.")
)
@node_option
@json_option
def revoke(id: str, reason: str, directory: Path, as_json: bool) -> None:
    if _CONTRACT.fullmatch(id):
        path = f"/v1/group/contracts/{quote(id, safe='')}/signatures"
        found = call(directory, "POST", path, {"action": "revoke", "reason": reason}).document()
        told = say(f"Ingetrokken: {id}", f"Revoked: {id}")
        click.echo(json_text(found) if as_json else told)
        return
    if not _CONSENT.fullmatch(id):
        raise _no_such_access()
    _done(call(directory, "POST", f"/v1/access/consents/{id}/revocations").document(), as_json)


revoke.help = say(
    "Trek toegang in: een contract (zijn hash) of een toestemming (haar nummer). Dat werkt meteen.",
    "Revoke access: a contract (by its hash) or a consent (by its number). That bites at once.",
)


def _asked(directory: Path, path: str) -> Any:
    with working("Het knooppunt kijkt…", "The node is looking…"):
        return call(directory, "GET", path).document()


def _done(consent: dict[str, Any], as_json: bool) -> None:
    click.echo(json_text(consent) if as_json else "\n".join(_consent_told(consent)))


def _disclosed_told(one: dict[str, Any], directory: Path) -> Iterator[str]:
    recipient = f"{one['recipient_name']} ({one['recipient']})"
    yield shown(f"{recipient}: {one['dataset']} ({', '.join(one['columns'])})")
    yield shown("  " + say("Waarvoor: ", "Purpose: ") + _activity(one))
    yield shown(
        "  "
        + say("Grond: ", "Ground: ")
        + in_words(AVG_GROUNDS[one["ground"]])
        + "; "
        + "; ".join(one["articles"])
    )
    period = say(f"vanaf {one['since']}", f"from {one['since']}")
    if one.get("until"):
        period += say(f" tot en met {one['until']}", f" up to {one['until']}")
    state = in_words(STATES[one["state"]])
    yield shown(f"  {one['disclosure']}@{one['version']}: {state}, {period}")
    if one.get("consents") is not None:
        yield "  " + many(one["consents"], Text("toestemming", "consent"), Text("toestemmingen", "consents"))
    if one.get("last_used"):
        yield "  " + say("Laatst gebruikt: ", "Last used: ") + moment_told(one["last_used"] // 1000)
    for contract in one["contracts"]:
        yield "  " + say("Contract: ", "Contract: ") + contract
        yield from _to_revoke(contract, directory)
    if one["state"] == "contract-missing":
        wish = f"sluis fsc request … --activity {quoted(one['activity'])}"
        yield shown(say(f"  → De ontvanger vraagt het aan met: {wish}; u tekent met: sluis fsc sign",
                        f"  → The recipient requests it with: {wish}; you sign with: sluis fsc sign"))  # fmt: skip


def _noticed_told(one: dict[str, Any], directory: Path) -> Iterator[str]:
    hears = say("hoort van", "hears of")
    yield shown(
        f"{one['recipient_name']} ({one['recipient']}) {hears} {one['event']}: {one['tells'][language()]}"
    )
    yield shown("  " + say("Waarvoor: ", "Purpose: ") + _activity(one))
    articles = "; ".join(one["articles"])
    yield shown("  " + say("Grond: ", "Ground: ") + in_words(AVG_GROUNDS[one["ground"]]) + "; " + articles)
    yield shown(f"  {one['notice']}@{one['version']}: {in_words(STATES[one['state']])}")
    for contract in one["contracts"]:
        yield "  " + say("Contract: ", "Contract: ") + contract
        yield from _to_revoke(contract, directory)


def _service_told(one: dict[str, Any], directory: Path) -> Iterator[str]:
    yield shown(f"{one['recipient_name']}: " + say(f"dienst {one['service']}", f"service {one['service']}"))
    since, until = (datetime.fromtimestamp(one[key], UTC).date().isoformat() for key in ("since", "until"))
    yield f"  {one['contract']}, " + say(f"{since} tot en met {until}", f"{since} up to {until}")
    yield from _to_revoke(one["contract"], directory)


def _to_revoke(contract: str, directory: Path) -> Iterator[str]:
    revoke = f"sluis access revoke '{contract}' --reason '…' --node {quoted(str(directory))}"
    yield say(f"  → Intrekken: {revoke}", f"  → To revoke: {revoke}")


def _consent_told(one: dict[str, Any]) -> Iterator[str]:
    yield shown(f"{one['id']}: {one['recipient_name']} ({one['recipient']})")
    yield shown("  " + say("Waarvoor: ", "Purpose: ") + _activity(one))
    for name, columns in one["datasets"].items():
        yield shown(f"  {name}: {', '.join(columns)}")
    yield say(f"  {one['since']} tot en met {one['until']}", f"  {one['since']} up to {one['until']}")
    if one.get("revoked"):
        yield "  " + say("Ingetrokken: ", "Revoked: ") + moment_told(one["revoked"] // 1000)


def _activity(one: dict[str, Any]) -> str:
    name = one.get("activity_name")
    return f"{name[language()]} <{one['activity']}>" if name else str(one["activity"])


def _dataset(text: str) -> tuple[str, list[str]]:
    name, _, columns = text.partition(":")
    return name, [one.strip() for one in columns.split(",") if one.strip()]


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise click.BadParameter(say("Schrijf jjjj-mm-dd.", "Write yyyy-mm-dd.")) from None


def _peer(name: str, directory: Path) -> str:
    """The Peer ID of an organisation that goes by a name of the settings, or by its OIN."""
    config = settings(directory)
    known = {alias: peer.oin for alias, peer in config.peers.items()} | {config.node.alias: config.node.oin}
    return str.__str__(known.get(name, name))


def _key_of_person(kind: str) -> str:
    """Typed by a person, unseen; or else the next line of standard input. Never an argument, which others can see."""
    if sys.stdin.isatty():
        return str(click.prompt(kind, hide_input=True, err=True))
    return sys.stdin.readline().strip()


def _narrow_elsewhere(directory: Path) -> Invalid:
    return Invalid(
        "narrow-disclosure",
        Text("Dit is geen nummer van een toestemming.", "This is no number of a consent."),
        Text("Toegang van een organisatie staat in een bestand, en wordt daar beperkt.",
             "The access of an organisation stands in a file, and is narrowed there."),
        Text(f"Beperk het bestand in {directory / 'disclosures'}, verhoog `version`, controleer met `sluis check`, en start "
             "het knooppunt opnieuw; contracten over de vorige versie openen dan niets meer.",
             f"Narrow the file in {directory / 'disclosures'}, raise `version`, check it with `sluis check`, and restart the "
             "node; contracts over the version before then open nothing any more."),
    )  # fmt: skip


def _no_such_access() -> Invalid:
    return Invalid(
        "unknown-access",
        Text("Dit is geen contract en geen toestemming.", "This is no contract and no consent."),
        Text("Een contract begint met $1$1$; een toestemming heeft 32 cijfers en letters.",
             "A contract begins with $1$1$; a consent has 32 digits and letters."),
        Text("Neem het over uit `sluis access list`.", "Copy it from `sluis access list`."),
    )  # fmt: skip
