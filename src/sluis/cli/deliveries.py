"""`sluis events tail|deadletters|replay`: what a subscription gets, and what did not arrive. All of them ask the running node."""

from collections.abc import Iterator
from contextlib import suppress
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
    "tail",
    help=say(
        "Toon wat een abonnement krijgt, en wat het kreeg.", "Show what a subscription gets, and what it got."
    ),
    epilog=example("sluis events tail 5f0c… --after 120 --follow"),
)
@click.argument("subscription")
@click.option("--after", default=0, help=say("Na dit nummer.", "After this number."))
@click.option("--follow", is_flag=True, help=say("Blijf tonen wat komt.", "Go on with what comes."))
@click.option(
    "--done",
    is_flag=True,
    help=say(
        "Zeg van een feed dat u hebt wat getoond is: het wacht dan niet meer.",
        "Say of a feed that you have what was shown: it waits no longer.",
    ),
)
@node_option
def tail(subscription: str, after: int, follow: bool, done: bool, directory: Path) -> None:
    query = {"after": after, "most": _EACH, "wait": _WAIT if follow else 0}
    with suppress(KeyboardInterrupt):
        while True:
            place = f"/v1/subscriptions/{quote(subscription, safe='')}/events?{urlencode(query)}"
            page = call(directory, "GET", place).document()
            for event in page["events"]:
                click.echo(json_text(event))
            if page["after"] == query["after"] and not follow:
                return
            query["after"] = page["after"]
            if done and page["events"]:
                query["done"] = page["after"]


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
    click.echo(
        say(f"{count} wachten opnieuw.", f"{count} wait again.")
        if count
        else say(f"Hiervan is niets onbestelbaar. Kijk met: sluis events deadletters {subscription}",
                 f"None of these is a dead letter. See: sluis events deadletters {subscription}")
    )  # fmt: skip


def _dead_letters(directory: Path, subscription: str) -> Iterator[dict[str, Any]]:
    after = 0
    while True:
        place = f"/v1/subscriptions/{quote(subscription, safe='')}/dead-letters?{urlencode({'after': after, 'most': _EACH})}"
        page = call(directory, "GET", place).document()
        yield from page
        if len(page) < _EACH:
            return
        after = page[-1]["sequence"]
