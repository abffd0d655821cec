"""Requests to the decision point as options of a command, and the policies of a node as its files say them."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sluis import policy
from sluis.cli.options import settings
from sluis.cli.terminal import say
from sluis.kernel import ACR, LEVELS, Invalid, Place, Text, convert, utc_now

if TYPE_CHECKING:
    from sluis.config import Config

F = TypeVar("F", bound=Callable[..., Any])


def subject_options(command: F) -> F:
    """Who it is about, and when."""
    for option in reversed(
        [
            click.option("--subject", metavar="TYPE:ID", help=say(
                "Wie: peer:OIN of person:NAAM.", "Who: peer:OIN or person:NAME.")),
            click.option("--role", "roles", multiple=True, help=say(
                "Rol; zonder tellen die uit de instellingen.", "Role; without, those of the settings count.")),
            click.option("--level", type=click.Choice(LEVELS), help=say(
                "Betrouwbaarheidsniveau.", "Assurance level.")),
            click.option("--acr", help=say("Manier van aanmelden, zoals local.", "Way of signing in, such as local.")),
            click.option("--property", "properties", multiple=True, metavar="NAME=VALUE", help=say(
                "Nog een eigenschap van wie.", "One more property of who it is.")),
            click.option("--at", metavar="MOMENT", help=say(
                "Op dit moment, zoals 2026-06-01T12:00:00Z; zonder is dat nu.",
                "At this moment, such as 2026-06-01T12:00:00Z; without, that is now.")),
        ]
    ):  # fmt: skip
        command = option(command)
    return command


def request_options(command: F) -> F:
    """A whole request, as options or as a file."""
    for option in reversed(
        [
            click.option("--action", help=say("Wat: ask, consult, …", "What: ask, consult, …")),
            click.option("--resource", metavar="TYPE:ID", help=say(
                "Waarmee: dataset:uwv.inkomen of activity:URI.", "With what: dataset:uwv.income or activity:URI.")),
            click.option("--activity", help=say("Verwerkingsactiviteit.", "Processing activity.")),
            click.option("--contract/--no-contract", default=True, help=say(
                "Of een contract de verstrekkingen dekt.", "Whether a contract covers the disclosures.")),
            click.option("--context", "context", multiple=True, metavar="NAME=VALUE", help=say(
                "Nog iets uit de omstandigheden.", "One more thing of the circumstances.")),
            click.option("--request", "file", type=click.File("rb"), help=say(
                "Het verzoek als JSON (AuthZEN), in plaats van opties.", "The request as JSON (AuthZEN), not as options.")),
        ]
    ):  # fmt: skip
        command = option(command)
    return subject_options(command)


def node_engine(directory: Path) -> "tuple[Config, policy.Engine]":
    """The settings of a node, and its policies as its files say them now.

    Raises:
        NotFound: there is no node there.
        Invalid: its files are not right.
    """
    config = settings(directory)
    return config, _engine(config, directory, config.policy.directory)


def changed_engine(directory: Path, changed: Path) -> "policy.Engine":
    """What would decide with a changed folder: of own policies, or a whole node directory. Raises as `node_engine`."""
    from sluis.config import NODE_FILE

    if (changed / NODE_FILE).exists():
        return node_engine(changed)[1]
    return _engine(settings(directory), directory, changed)


def _engine(config: "Config", directory: Path, policies: Path) -> "policy.Engine":
    from sluis.config import node_policies
    from sluis.grounds import read_directory, refuse_any

    reading, own = read_directory(directory), policy.read_own(policies)
    refuse_any([*reading.problems, *own.problems])
    return policy.Engine(node_policies(config, reading.grounds, own))


def evaluation_of(engine: "policy.Engine", options: dict[str, Any]) -> "policy.Evaluation":
    """The request that the options of `request_options` describe. Raises `Invalid` when they describe none."""
    if options["file"] is not None:
        return _read(options["file"])
    kind, id = _two(options["resource"], "--resource")
    activity = options["activity"] or (id if kind == "activity" else None)
    agreed = sorted({one.disclosure for one in engine.policies.rulings}) if options["contract"] else []
    context = _values(options["context"], "--context")
    if not options["action"]:
        raise _unclear(
            "--action", Text("Er staat niet wat er gedaan wordt.", "It does not say what is done.")
        )
    action = policy.Action(options["action"], {"processing_activity_id": activity} if activity else {})
    return policy.Evaluation(
        subject_of(options),
        action,
        policy.Resource(kind, id),
        ({"agreed": agreed} if action.name == "consult" else {}) | context,
    )


def subject_of(options: dict[str, Any]) -> "policy.Subject":
    """Whom the options of `subject_options` describe. Raises `Invalid`."""
    kind, id = _two(options["subject"], "--subject")
    level, roles = options["level"], list(options["roles"])
    said: dict[str, Any] = {"audience": "staff"} if kind == "person" else {}
    said |= {"acr": options["acr"] or ACR.get(level, "local"), "roles": roles, "level": level}
    said = {name: value for name, value in said.items() if value not in (None, [])}
    return policy.Subject(kind, id, said | _values(options["properties"], "--property"))


def moment_of(at: str | None) -> datetime:
    """The moment of `--at`; the present without. Raises `Invalid`."""
    if at is None:
        return utc_now()
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _unclear(
            "--at", Text("Dit is geen moment met een tijdzone.", "This is no moment with a time zone.")
        )
    return moment


def _read(file: Any) -> "policy.Evaluation":
    try:
        return convert(json.loads(file.read()), policy.Evaluation)
    except ValueError as error:
        raise _unclear("--request", Text(f"De lezer meldt: {error}.", f"The parser says: {error}.")) from None


def _two(text: str | None, option: str) -> tuple[str, str]:
    kind, colon, id = (text or "").partition(":")
    if not (kind and colon and id):
        raise _unclear(option, Text("Er staat geen soort en naam.", "It names no type and id."))
    return kind, id


def _values(given: tuple[str, ...], option: str) -> dict[str, Any]:
    """NAME=VALUE; a value that is JSON is what it says, any other is text."""
    values: dict[str, Any] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not (name and equals):
            raise _unclear(option, Text("Er staat geen `naam=waarde`.", "It is no `name=value`."))
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = value
    return values


def _unclear(option: str, why: Text) -> Invalid:
    return Invalid(
        "request-unclear",
        Text(f"`{option}` is niet te begrijpen.", f"`{option}` cannot be understood."),
        why,
        Text("Zie `sluis policy explain --help` voor een voorbeeld.", "See `sluis policy explain --help` for an example."),
        place=Place(option),
    )  # fmt: skip
