"""`sluis events …`: what happened here, told to who needs to know; and what this organisation wants to hear of.

Whom something is about never stands in an argument, which others on the machine can see: it is in a file, or on standard input.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
import msgspec

from sluis.cli.deliveries import deadletters, replay, tail
from sluis.cli.diagnosis import tell_diagnosis
from sluis.cli.interests import interests, text_of
from sluis.cli.local import call
from sluis.cli.options import example, json_option, node_option
from sluis.cli.standing import standing
from sluis.cli.subscriptions import resume, subscribe, subscriptions, unsubscribe
from sluis.cli.terminal import in_words, json_text, say, shown, working
from sluis.cli.work import work
from sluis.kernel import Invalid, Text

BATCH = "application/cloudevents-batch+json"

RULES = {
    "told": Text("gemeld", "told"),
    "condition": Text("voldeed niet aan de voorwaarde", "did not meet the condition"),
    "no-relation": Text("geen afnemersindicatie", "no interest"),
    "no-contract": Text("geen contract", "no contract"),
    "not-permitted": Text("het beslispunt stond het niet toe", "the decision point did not permit it"),
    "no-subscription": Text("geen abonnement", "no subscription"),
    "filtered": Text("het abonnement wil dit niet", "the subscription does not want this"),
    "told-already": Text("hoorde het al op een andere kennisgeving", "heard already by another notice"),
}


@click.group(
    "events",
    help=say("Meld wat er gebeurde aan wie het moet weten.", "Tell what happened to who needs to know."),
    epilog=example("sluis events publish besluit.json"),
)
def command() -> None:
    """Asks the running node, over its socket."""


_PARTS = (interests, subscribe, subscriptions, resume, unsubscribe, tail, deadletters, replay, standing, work)
for one in _PARTS:
    command.add_command(one)


@command.command("publish", epilog=example("sluis events publish besluit.json"))
@click.argument("file", default="-")
@node_option
@json_option
def publish(file: str, directory: Path, as_json: bool) -> None:
    told = _document(file)
    events = [_completed(one) for one in (told if isinstance(told, list) else [told])]
    with working("Het knooppunt meldt het…", "The node is telling…"):
        found = call(directory, "POST", "/v1/events", events, content_type=BATCH).document()
    if as_json:
        click.echo(json_text(found))
        return
    for one in found:
        click.echo(shown(_published(one)))


publish.help = say(
    "Meld één CloudEvent of een lijst, uit een bestand of van de standaardinvoer. In `data` staat over wie het gaat (`about`) en "
    "welke feiten er zijn (`facts`). Dezelfde gebeurtenis nog eens doet niets.",
    "Publish one CloudEvent or a list, from a file or standard input. Its `data` says whom it is about (`about`) and which facts "
    "there are (`facts`). The same event once more does nothing.",
)


@command.command("counts", epilog=example("sluis events counts --days 7"))
@click.option(
    "--days", default=30, show_default=True, help=say("Hoeveel dagen terug.", "How many days back.")
)
@node_option
@json_option
def counts(days: int, directory: Path, as_json: bool) -> None:
    since = (date.today() - timedelta(days=max(days, 0))).isoformat()
    found = call(directory, "GET", f"/v1/events/counts?since={since}").document()
    if as_json:
        click.echo(json_text(found))
        return
    for one in found:
        rule = in_words(RULES[one["rule"]]) if one["rule"] in RULES else one["rule"]
        click.echo(shown(f"{one['day']}  {one['count']:>8}  {one['type']}: {rule}"))


counts.help = say(
    "Hoe vaak er iets gemeld werd, en hoe vaak niet en waarom: per dag en soort.",
    "How often something was told, and how often not and why: by day and type.",
)


@command.command("doctor", epilog=example("sluis events doctor"))
@node_option
@json_option
def doctor(directory: Path, as_json: bool) -> None:
    with working("Het knooppunt kijkt…", "The node is looking…"):
        found = call(directory, "GET", "/v1/events/diagnosis").document()
    tell_diagnosis(found, as_json)


doctor.help = say(
    "Zeg hoe het met de gebeurtenissen staat: wat er wacht, wat onbestelbaar is, wie niets meer wil, en wat helpt.",
    "Tell how events stand: what waits, what is a dead letter, who wants nothing more, and what helps.",
)


def _published(one: dict[str, Any]) -> str:
    if one["repeated"]:
        return say(f"{one['id']}: al eerder gemeld", f"{one['id']}: told before")
    because = ", ".join(f"{count} {in_words(RULES[rule])}" for rule, count in one["withheld"].items())
    told = say(f"gemeld: {one['told']}", f"told: {one['told']}")
    return f"{one['id']}: {told}" + (say(f"; niet: {because}", f"; not: {because}") if because else "")


def _completed(event: Any) -> dict[str, Any]:
    """An event with what everybody would fill in alike."""
    if not isinstance(event, dict):
        raise _no_events()
    return {"specversion": "1.0", "id": str(uuid4()), "source": "urn:sluis:cli", **event}


def _document(file: str) -> Any:
    try:
        return msgspec.json.decode(text_of(file))
    except msgspec.DecodeError:
        raise _no_events() from None


def _no_events() -> Invalid:
    return Invalid(
        "no-events",
        Text("Hierin staat geen gebeurtenis.", "There is no event in this."),
        Text(
            "Het hoort een JSON-object te zijn, of een lijst daarvan.",
            "It must be a JSON object, or a list of them.",
        ),
        Text(
            "Zie docs/how-to/gebeurtenissen.md voor een voorbeeld.",
            "See docs/how-to/gebeurtenissen.md for an example.",
        ),
    )
