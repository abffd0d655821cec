"""`sluis events …`: what happened here, told to who needs to know; and interests at other organisations.

Whom something is about never stands in an argument, which others on the machine can see: it is in a file, or on standard input.
"""

import csv
import io
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
import msgspec

from sluis.cli.deliveries import deadletters, replay, subscribe, tail
from sluis.cli.local import call
from sluis.cli.options import example, json_option, node_option
from sluis.cli.standing import standing
from sluis.cli.terminal import in_words, json_text, language, say, shown, working
from sluis.cli.work import work
from sluis.kernel import Invalid, NotFound, Text

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


for one in (subscribe, tail, deadletters, replay, standing, work):
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


@command.group(
    "interests",
    help=say(
        "Afnemersindicaties bij andere organisaties: over wie u wilt horen.",
        "Interests at other organisations: whom you want to hear of.",
    ),
    epilog=example("sluis events interests notices --source ind"),
)
def interests() -> None:
    """Interests of this organisation elsewhere."""


@interests.command("notices", epilog=example("sluis events interests notices --source ind"))
@click.option("--source", required=True, help=say("Organisatie: naam of OIN.", "Organisation: name or OIN."))
@node_option
@json_option
def notices(source: str, directory: Path, as_json: bool) -> None:
    found = _notices(directory, source)
    if as_json:
        click.echo(json_text(found))
        return
    for one in found:
        notice = one["notice"]
        click.echo(shown(f"{notice['id']}: {notice['tells'][language()]}"))
        click.echo(shown(f"  {notice['event']}"))
        click.echo(shown("  " + say("Waarvoor: ", "Purpose: ") + notice["activity"]))


notices.help = say("Wat een andere organisatie u kan melden.", "What another organisation can tell you of.")


@interests.command(
    "register",
    epilog=example("sluis events interests register --source ind --notice besluiten --from casussen.csv"),
)
@click.option("--source", required=True, help=say("Organisatie: naam of OIN.", "Organisation: name or OIN."))
@click.option("--notice", required=True, help=say("Naam van de kennisgeving.", "Name of the notice."))
@click.option(
    "--from",
    "file",
    default="-",
    help=say(
        "CSV met de kolommen subject, reference en until; `-` is de standaardinvoer.",
        "CSV with the columns subject, reference and until; `-` is standard input.",
    ),
)
@click.option("--until", help=say("Laatste dag voor rijen zonder until.", "Last day for rows without until."))
@node_option
@json_option
def register(source: str, notice: str, file: str, until: str | None, directory: Path, as_json: bool) -> None:
    rows = _rows(_text(file), _kind(directory, source, notice), until)
    body = {"source": source, "notice": notice, "interests": rows}
    with working("Het knooppunt registreert…", "The node is registering…"):
        done = call(directory, "POST", "/v1/registrations", body).document()
    click.echo(
        json_text(done)
        if as_json
        else say(f"Nieuw: {done['registered']}. Verlengd: {done['renewed']}.",
                 f"New: {done['registered']}. Renewed: {done['renewed']}.")
    )  # fmt: skip


register.help = say(
    "Registreer bij een andere organisatie met wie u een actieve relatie hebt, of verleng dat. Nog eens registreren kan geen kwaad.",
    "Register at another organisation with whom you have an active relation, or renew that. Registering again does no harm.",
)


@interests.command(
    "end", epilog=example("sluis events interests end --source ind --notice besluiten --from weg.csv")
)
@click.option("--source", required=True, help=say("Organisatie: naam of OIN.", "Organisation: name or OIN."))
@click.option("--notice", required=True, help=say("Naam van de kennisgeving.", "Name of the notice."))
@click.option(
    "--from",
    "file",
    default="-",
    help=say(
        "CSV met de kolom subject; `-` is de standaardinvoer.",
        "CSV with the column subject; `-` is standard input.",
    ),
)
@node_option
@json_option
def end(source: str, notice: str, file: str, directory: Path, as_json: bool) -> None:
    kind = _kind(directory, source, notice)
    found = list(_table(_text(file), {"subject"}))
    subjects = [{"kind": kind, "value": row["subject"].strip()} for _, row in found if row["subject"]]
    body = {"source": source, "notice": notice, "subjects": subjects}
    with working("Het knooppunt beëindigt ze…", "The node is ending them…"):
        done = call(directory, "POST", "/v1/registrations/ends", body).document()
    click.echo(
        json_text(done) if as_json else say(f"Beëindigd: {done['ended']}.", f"Ended: {done['ended']}.")
    )


end.help = say(
    "Beëindig afnemersindicaties: met wie u geen relatie meer hebt.",
    "End interests: of those with whom you have no relation any more.",
)


def _kind(directory: Path, source: str, notice: str) -> str:
    """The kind of key of the persons that a notice is about. Raises `NotFound`."""
    offered = next((one for one in _notices(directory, source) if one["notice"]["id"] == notice), None)
    if offered is None:
        raise _no_notice(notice)
    return str(offered.get("subject"))


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


def _notices(directory: Path, source: str) -> list[dict[str, Any]]:
    with working("Het knooppunt vraagt het na…", "The node is asking…"):
        found: list[dict[str, Any]] = call(
            directory, "POST", "/v1/registrations/notices", {"source": source}
        ).document()
    return found


def _rows(text: str, kind: str, until: str | None) -> list[dict[str, Any]]:
    """The rows of a CSV as interests. Raises `Invalid`, by line, without a value."""
    rows = []
    for line, row in _table(text, {"subject", "reference"}):
        day = (row.get("until") or until or "").strip()
        if not (row["subject"] and row["reference"] and day):
            raise _incomplete(line)
        subject = {"kind": kind, "value": row["subject"].strip()}
        rows.append({"subject": subject, "reference": row["reference"].strip(), "until": day})
    return rows


def _table(text: str, columns: set[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines of a CSV that has these columns, numbered as in the file. Raises `Invalid` when there are none."""
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    rows = list(enumerate(reader, 2))
    if not rows or not columns <= set(reader.fieldnames or ()):
        raise _no_columns(columns)
    yield from rows


def _document(file: str) -> Any:
    try:
        return msgspec.json.decode(_text(file))
    except msgspec.DecodeError:
        raise _no_events() from None


def _text(file: str) -> str:
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise Invalid(
            "unreadable-file",
            Text(f"Het bestand {file} is niet te lezen.", f"The file {file} cannot be read."),
            Text("Het bestaat niet, u mag het niet lezen, of het is geen tekst in UTF-8.",
                 "It does not exist, you may not read it, or it is not text in UTF-8."),
            Text("Noem een tekstbestand.", "Name a text file."),
        ) from None  # fmt: skip


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


def _no_columns(columns: set[str]) -> Invalid:
    named = ", ".join(f"`{one}`" for one in sorted(columns))
    return Invalid(
        "no-interests",
        Text("Hierin staan geen afnemersindicaties.", "There are no interests in this."),
        Text(f"De eerste regel noemt {named}; daaronder staat ten minste één regel.",
             f"The first line names {named}; below it is at least one line."),
        Text("Verbeter het bestand.", "Correct the file."),
    )  # fmt: skip


def _incomplete(line: int) -> Invalid:
    return Invalid(
        "no-interests",
        Text(f"Regel {line} is niet volledig.", f"Line {line} is not complete."),
        Text("Elke regel heeft een subject, een reference en een laatste dag.",
             "Every line has a subject, a reference and a last day."),
        Text("Vul de regel aan, of geef --until.", "Complete the line, or give --until."),
    )  # fmt: skip


def _no_notice(id: str) -> NotFound:
    return NotFound(
        "unknown-notice",
        Text(f"Er is geen kennisgeving `{id}` voor u.", f"There is no notice `{id}` for you."),
        Text("Zij geldt vandaag niet, of heet anders.", "It does not hold today, or has another name."),
        Text("Kijk met `sluis events interests notices` wat er is.",
             "See with `sluis events interests notices` what there is."),
    )  # fmt: skip
