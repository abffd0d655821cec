"""`sluis events subscribe|tail|deadletters|replay`: what of the events of this node goes to whom, and what did not arrive. All of
them ask the running node."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import click

from sluis.cli.local import call
from sluis.cli.options import example, json_option, node_option
from sluis.cli.terminal import json_text, language, say

_EACH = 500  # of one answer
_WAIT = 5  # seconds that an answer waits for something


@click.command(
    "subscribe",
    help=say(
        "Neem voor een eigen systeem een abonnement op gebeurtenissen; zonder SINK: noem alle abonnementen.",
        "Subscribe a system of your own to events; without SINK: list all subscriptions.",
    ),
    epilog=example(
        "sluis events subscribe https://zaken.voorbeeld.nl/events --type nl.uitkeringen.beslissing-genomen"
    ),
)
@click.argument("sink", required=False)
@click.option(
    "--type",
    "types",
    multiple=True,
    help=say("Alleen dit soort; vaker kan.", "Only this type; may be repeated."),
)
@click.option(
    "--filter", "sql", help=say("Alleen wat aan deze CESQL voldoet.", "Only what meets this CESQL.")
)
@click.option(
    "--config", "config", multiple=True, metavar=say("NAAM=WAARDE", "NAME=VALUE"),
    help=say("Zoals content=binary of retryhours=24.", "Such as content=binary or retryhours=24."),
)  # fmt: skip
@click.option(
    "--source",
    help=say(
        "Neem het bij deze organisatie (naam of OIN), voor gebeurtenissen van daar.",
        "Take it at this organisation (name or OIN), for events from there.",
    ),
)
@node_option
@json_option
def subscribe(
    sink: str | None, types: tuple[str, ...], sql: str | None, config: tuple[str, ...], source: str | None,
    directory: Path, as_json: bool,
) -> None:  # fmt: skip
    if sink is None:
        found = call(directory, "GET", "/v1/events/standing").document()
        click.echo(json_text(found) if as_json else "\n".join(_standing(found)))
        return
    body: dict[str, Any] = {"sink": sink, "protocol": "HTTP", "types": list(types)}
    body["config"] = dict(_pair(one) for one in config)
    body["filters"] = [{"sql": sql}] if sql else []
    path = "/v1/subscriptions"
    if source is not None:
        path, body = "/v1/registrations/subscriptions", {"source": source, "subscription": body}
    made = call(directory, "POST", path, body).document()
    if as_json:
        click.echo(json_text(made))
    elif made["state"] == "active":
        click.echo(say(f"Abonnement {made['id']} is actief.", f"Subscription {made['id']} is active."))
    else:
        click.echo(
            say(f"Abonnement {made['id']} wacht: dit adres heeft nog niet gezegd dat het gebeurtenissen wil.",
                f"Subscription {made['id']} waits: this address has not said yet that it wants events.")
        )  # fmt: skip


@click.command(
    "tail",
    help=say(
        "Toon wat een abonnement krijgt, en wat het kreeg.", "Show what a subscription gets, and what it got."
    ),
    epilog=example("sluis events tail 5f0c… --after 120 --follow"),
)
@click.argument("subscription")
@click.option("--after", default=0, help=say("Na dit nummer.", "After this number."))
@click.option("--follow", is_flag=True, help=say("Blijf tonen wat komt.", "Go on with what comes."))
@node_option
def tail(subscription: str, after: int, follow: bool, directory: Path) -> None:
    wait = _WAIT if follow else 0
    while True:
        place = f"/v1/subscriptions/{quote(subscription, safe='')}/events?{urlencode({'after': after, 'most': _EACH, 'wait': wait})}"
        page = call(directory, "GET", place).document()
        for event in page["events"]:
            click.echo(json_text(event))
        if page["after"] == after and not follow:
            return
        after = page["after"]


@click.command(
    "deadletters",
    help=say(
        "Toon wat van een abonnement niet aankwam, en waarom.",
        "Show what of a subscription did not arrive, and why.",
    ),
    epilog=example("sluis events deadletters 5f0c…"),
)
@click.argument("subscription")
@node_option
@json_option
def deadletters(subscription: str, directory: Path, as_json: bool) -> None:
    found = [*_dead_letters(directory, subscription)]
    if as_json:
        click.echo(json_text(found))
        return
    for one in found:
        times = say(f"{one['attempts']} keer geprobeerd", f"tried {one['attempts']} times")
        click.echo(
            f"{one['sequence']}  {one['type']}  {one['event']}  ({times})\n   {one['because'][language()]}"
        )
    if not found:
        click.echo(say("Alles kwam aan, of wacht nog.", "Everything arrived, or still waits."))


@click.command(
    "replay",
    help=say(
        "Probeer opnieuw wat van een abonnement niet aankwam: één nummer, of van FIRST tot en met LAST.",
        "Try again what of a subscription did not arrive: one number, or from FIRST up to LAST.",
    ),
    epilog=example("sluis events replay 5f0c… 120 180"),
)
@click.argument("subscription")
@click.argument("first", type=int)
@click.argument("last", type=int, required=False)
@node_option
def replay(subscription: str, first: int, last: int | None, directory: Path) -> None:
    place = f"/v1/subscriptions/{quote(subscription, safe='')}/replays"
    stretch = {"first": first, "last": first if last is None else last}
    count = call(directory, "POST", place, stretch).document()["replayed"]
    click.echo(say(f"{count} wachten opnieuw.", f"{count} wait again."))


def _dead_letters(directory: Path, subscription: str) -> Iterator[dict[str, Any]]:
    after = 0
    while True:
        place = f"/v1/subscriptions/{quote(subscription, safe='')}/dead-letters?{urlencode({'after': after, 'most': _EACH})}"
        page = call(directory, "GET", place).document()
        yield from page
        if len(page) < _EACH:
            return
        after = page[-1]["sequence"]


def _standing(found: list[dict[str, Any]]) -> Iterator[str]:
    for one in found:
        waits = say(
            f"{one['waiting']} wachten, {one['dead']} onbestelbaar",
            f"{one['waiting']} wait, {one['dead']} dead letters",
        )
        yield f"{one['id']}  {one['state']}  {one['owner']}  {one['sink']}\n   {waits}"
    if not found:
        yield say("Er zijn geen abonnementen.", "There are no subscriptions.")


def _pair(said: str) -> tuple[str, str]:
    name, equals, value = said.partition("=")
    if not equals:
        raise click.BadParameter(say("Schrijf NAAM=WAARDE.", "Write NAME=VALUE."), param_hint="--config")
    return name, value
