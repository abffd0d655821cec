"""`sluis passkeys …`: the passkeys of a member of staff, listed and revoked, for who lost a device or has left."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from sluis.cli.local import call
from sluis.cli.options import example, json_option, node_option
from sluis.cli.terminal import in_words, json_text, say, shown
from sluis.kernel import Text

STATES = {
    "active": Text("werkt", "works"),
    "revoked": Text("ingetrokken", "revoked"),
    "cloned": Text("geblokkeerd: er kan een kopie van zijn", "blocked: there may be a copy of it"),
}


@click.group(
    "passkeys",
    help=say(
        "Passkeys van medewerkers: bekijken en intrekken.", "Passkeys of staff: look at them, revoke them."
    ),
    epilog=example("sluis passkeys list fenna --node /etc/sluis"),
)
def command() -> None:
    """Asks the running node, over its socket."""


@command.command(
    "list",
    help=say(
        "Noem de passkeys van een medewerker (naam onder `people`).",
        "List the passkeys of a member of staff (name under `people`).",
    ),
    epilog=example("sluis passkeys list fenna"),
)
@click.argument("person")
@node_option
@json_option
def listed(person: str, directory: Path, as_json: bool) -> None:
    found = call(directory, "POST", "/v1/passkeys/searches", {"person": person}).document()
    _show(found, as_json)


@command.command(
    "revoke",
    help=say(
        "Trek één passkey in, of zonder nummer alle, en beëindig de sessies van de medewerker. Een nieuwe maakt hij na inloggen "
        "via de organisatie.",
        "Revoke one passkey, or without a number all, and end the sessions of the member of staff, who makes a new one after "
        "signing in through the organisation.",
    ),
    epilog=example("sluis passkeys revoke fenna"),
)  # fmt: skip
@click.argument("person")
@click.argument("passkey", required=False)
@node_option
@json_option
def revoke(person: str, passkey: str | None, directory: Path, as_json: bool) -> None:
    body = {"person": person} | ({"passkey": passkey} if passkey else {})
    _show(call(directory, "POST", "/v1/passkeys/revocations", body).document(), as_json)
    if not as_json:
        click.echo(say("Alle sessies zijn beëindigd.", "All sessions were ended."))


def _show(found: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        click.echo(json_text(found))
        return
    for one in found:
        click.echo(shown(f"{one['passkey']}  {one['name']}: {in_words(STATES[one['state']])}"))
        used = one.get("used")
        click.echo(
            "  "
            + say(f"gemaakt {_day(one['made'])}", f"made {_day(one['made'])}")
            + ", "
            + (
                say(f"gebruikt {_day(used)}", f"used {_day(used)}")
                if used
                else say("nooit gebruikt", "never used")
            )
        )


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
