"""What the commands that talk to this organisation's own node share: its socket, and the question."""

import http.client
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from sluis.cli.options import settings
from sluis.cli.terminal import language, many, say
from sluis.kernel import Bsn, Invalid, NotFound, Problem, Text, Upstream

JSON = "application/json"

SECONDS = 600
"""How long a command waits for its own node."""

_GROUP = "/v1/group/"  # paths that only a node in a group has


def question_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The question itself, and what it is asked for."""
    for option in (
        click.option(
            "--set",
            "given",
            multiple=True,
            metavar=say("NAAM=WAARDE", "NAME=VALUE"),
            help=say(
                "Een waarde voor $NAAM; `-` vraagt erom (zonder terminal: een regel van de standaardinvoer), `@bestand` leest een lijst.",
                "A value for $NAME; `-` asks for it (without a terminal: a line of standard input), `@file` reads a list.",
            ),
        ),
        click.option("--case", required=True, help=say("Kenmerk van de zaak.", "Reference of the case.")),
        click.option(
            "--activity",
            required=True,
            help=say("Id van de verwerkingsactiviteit.", "Id of the processing activity."),
        ),
        click.argument("sql"),
    ):
        function = option(function)
    return function


def question_of(sql: str, activity: str, case: str, given: tuple[str, ...]) -> dict[str, Any]:
    """The body of a question; `sql` may be `@file`."""
    text = _read(sql[1:]) if sql.startswith("@") else sql
    parameters = dict(_value(entry) for entry in given)
    for name, value in parameters.items():
        _warn(name, value)
    return {"sql": text, "activity": activity, "case": case, "parameters": parameters}


def _value(entry: str) -> tuple[str, str | list[str]]:
    name, equals, value = entry.partition("=")
    if not equals:
        raise click.BadParameter(say("Schrijf NAAM=WAARDE.", "Write NAME=VALUE."), param_hint="--set")
    if value == "-":
        value = _typed(name)
    elif value.startswith("@"):
        return name, [line.strip() for line in _read(value[1:]).splitlines() if line.strip()]
    return name, value


def _typed(name: str) -> str:
    """A value from a person, unseen; or where no person is at a terminal, the next line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt(f"${name}", hide_input=True, err=True))
    value = sys.stdin.readline().strip()
    if not value:
        raise Invalid(
            "no-value",
            Text(f"Er is geen waarde voor ${name}.", f"There is no value for ${name}."),
            Text("De standaardinvoer is geen terminal, en heeft geen regel meer.",
                 "Standard input is no terminal, and has no line left."),
            Text(f"Geef de waarde op een regel van de standaardinvoer, of met --set {name}=@bestand.",
                 f"Give the value on a line of standard input, or with --set {name}=@file."),
        )  # fmt: skip
    return value


def _warn(name: str, value: str | list[str]) -> None:
    """Say that what seems to be meant as a BSN is none: a slip of the keys, most often. The value is not repeated."""
    wrong = sum(not Bsn.accepts(one) for one in ([value] if isinstance(value, str) else value))
    if "bsn" in name.lower().split("_") and wrong:
        count = many(wrong, Text("waarde", "value"), Text("waarden", "values"))
        click.echo(
            say(f"Let op: {count} van ${name} doorstaan de elfproef niet, en zijn dus geen BSN."
                if wrong > 1 else f"Let op: {count} van ${name} doorstaat de elfproef niet, en is dus geen BSN.",
                f"Mind: {count} of ${name} {'fail' if wrong > 1 else 'fails'} the eleven-test, so no BSN."),
            err=True,
        )  # fmt: skip


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(
            "unreadable-file",
            Text(f"Het bestand {file} is niet te lezen.", f"The file {file} cannot be read."),
            Text(
                "Het bestaat niet, u mag het niet lezen, of het is geen tekst in UTF-8.",
                "It does not exist, you may not read it, or it is not text in UTF-8.",
            ),
            Text("Noem na de @ een tekstbestand.", "Name a text file after the @."),
        ) from error


class Body(msgspec.Struct, frozen=True):
    """What the node answered."""

    raw: bytes

    def document(self) -> Any:
        """The answer as plain values."""
        return msgspec.json.decode(self.raw)


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over the node's unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(SECONDS)
        self.sock.connect(self._path)


def call(
    node: Path, method: str, path: str, body: Any = None, accept: str = JSON, content_type: str = JSON
) -> Body:
    """One request to the person's own node.

    Raises:
        Problem: what the node answered; `Upstream` when it did not, or not wholly.
    """
    return call_at(settings(node).listen.socket, node, method, path, body, accept, content_type)


def call_at(
    listening: Path,
    node: Path,
    method: str,
    path: str,
    body: Any = None,
    accept: str = JSON,
    content_type: str = JSON,
) -> Body:
    """The same for who knows at which socket the node listens; its settings are not read, which takes a second."""
    connection = _SocketConnection(str(listening))
    headers = {"accept": accept, "accept-language": language(), "content-type": content_type}
    try:
        connection.request(method, path, msgspec.json.encode(body) if body is not None else None, headers)
        answer = connection.getresponse()
        raw = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise _unanswered(error, listening, node) from error
    finally:
        connection.close()
    if answer.status >= 400:
        problem = _problem(raw)
        raise _no_group() if path.startswith(_GROUP) and problem.code == "unknown-path" else problem
    return Body(raw)


def _unanswered(error: Exception, listening: Path, node: Path) -> Upstream:
    match error:
        case FileNotFoundError() | ConnectionRefusedError():
            return Upstream(
                "node-not-running",
                Text("Uw knooppunt draait niet.", "Your node is not running."),
                Text("Het luistert niet op zijn socket.", "It does not listen on its socket."),
                Text(
                    f"Start het met: sluis serve --node {node}", f"Start it with: sluis serve --node {node}"
                ),
                retry=True,
            )
        case PermissionError():
            return Upstream(
                "node-closed-to-you",
                Text("U mag uw knooppunt niets vragen.", "You may not ask your node anything."),
                Text(f"Het systeem laat u niet bij zijn socket: {listening}.",
                     f"The system keeps you from its socket: {listening}."),
                Text("Vraag de beheerder of u bij de groep van die socket mag horen.",
                     "Ask the administrator whether you may belong to the group of that socket."),
            )  # fmt: skip
        case TimeoutError():
            return Upstream(
                "node-silent",
                Text("Uw knooppunt antwoordde niet.", "Your node did not answer."),
                Text(f"Het draait, maar gaf in {SECONDS // 60} minuten geen antwoord.",
                     f"It runs, but gave no answer in {SECONDS // 60} minutes."),
                Text("Vraag het straks opnieuw. Blijft het stil, kijk dan in het logboek van het knooppunt.",
                     "Ask again in a moment. If it stays silent, look in the node's log."),
                retry=True,
            )  # fmt: skip
    return Upstream(
        "node-broke-off",
        Text("Uw knooppunt brak zijn antwoord af.", "Your node broke off its answer."),
        Text("Het stopte, of de verbinding ging verloren, voordat alles er was.",
             "It stopped, or the connection was lost, before everything had come."),
        Text("Kijk of het nog draait, en vraag het opnieuw.", "See whether it still runs, and ask again."),
        retry=True,
    )  # fmt: skip


def _no_group() -> NotFound:
    return NotFound(
        "in-no-group",
        Text("Dit knooppunt draait zonder FSC-groep.", "This node runs without an FSC group."),
        Text("Het was in geen groep toen het startte.", "It was in no group when it started."),
        Text("Maak het lid met `sluis join`, en start het opnieuw.", "Make it a peer with `sluis join`, and start it again."),
    )  # fmt: skip


def _problem(raw: bytes) -> Problem:
    try:
        return Problem.from_members(msgspec.json.decode(raw, type=dict[str, Any]))
    except msgspec.MsgspecError:
        return Invalid(
            "unreadable",
            Text("Het knooppunt gaf een onleesbaar antwoord.", "The node gave an unreadable answer."),
            Text("Het is geen JSON.", "It is not JSON."),
            Text("Kijk in het logboek van het knooppunt.", "Look in the node's log."),
        )
