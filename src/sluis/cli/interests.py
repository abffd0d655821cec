"""`sluis events interests …`: at other organisations, about whom this one wants to hear.

Whom it is about never stands in an argument, which others on the machine can see: it is in a file, on standard input, or in the
answer to a question.
"""

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from sluis.cli.local import call, question_of
from sluis.cli.options import example, json_option, node_option, source_option
from sluis.cli.terminal import json_text, language, say, shown, working
from sluis.kernel import Invalid, NotFound, Text

_EACH = 5000  # of one request to the node

_COLUMNS = {"subject", "reference"}
_ONLY_QUERY = say(
    "--activity, --case en --end-others horen bij --query.",
    "--activity, --case and --end-others belong to --query.",
)
_QUERY_NEEDS = say("Bij --query horen --activity en --case.", "--query takes --activity and --case.")

_notice = click.option(
    "--notice", required=True, help=say("Naam van de kennisgeving.", "Name of the notice.")
)


@click.group(
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
@source_option
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
@source_option
@_notice
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
@click.option(
    "--query",
    metavar="SQL",
    help=say(
        "Neem in plaats van een bestand het antwoord op deze vraag over uw eigen gegevens, met dezelfde kolommen; `@bestand` kan ook.",
        "Take, instead of a file, the answer to this question over your own data, with the same columns; `@file` will do too.",
    ),
)
@click.option(
    "--activity",
    help=say("Bij --query: id van de verwerkingsactiviteit.", "With --query: id of the processing activity."),
)
@click.option("--case", help=say("Bij --query: kenmerk van de zaak.", "With --query: reference of the case."))
@click.option(
    "--end-others",
    is_flag=True,
    help=say(
        "Bij --query: beëindig daarna wie niet in het antwoord staat.",
        "With --query: end afterwards who is not in the answer.",
    ),
)
@node_option
@json_option
def register(
    source: str, notice: str, file: str, until: str | None, query: str | None, activity: str | None, case: str | None,
    end_others: bool, directory: Path, as_json: bool,
) -> None:  # fmt: skip
    kind, began = _kind(directory, source, notice), datetime.now(UTC)
    passed = 0
    if query is None:
        if activity or case or end_others:
            raise click.UsageError(_ONLY_QUERY)
        rows = _rows(_table(text_of(file), _COLUMNS), kind, until)
    elif not (activity and case):
        raise click.UsageError(_QUERY_NEEDS)
    else:
        found = _answer(directory, query, activity, case)
        some = [(place, row) for place, row in found if row["subject"]]
        rows, passed = _rows(some, kind, until), len(found) - len(some)
        _check_once(rows)
    done = _registered(directory, source, notice, rows, changed=query is not None)
    if end_others:
        body = {"source": source, "notice": notice, "since": began.isoformat()}
        with working("Het knooppunt beëindigt de andere…", "The node is ending the others…"):
            done |= call(directory, "POST", "/v1/registrations/ends/unrenewed", body).document()
    click.echo(json_text(done) if as_json else _told(done, passed))


register.help = say(
    "Registreer bij een andere organisatie met wie u een actieve relatie hebt, of verleng dat: uit een bestand, of uit het antwoord op "
    "een vraag. Nog eens registreren kan geen kwaad; met --query gaat alleen wat nieuw is of anders.",
    "Register at another organisation with whom you have an active relation, or renew that: out of a file, or out of the answer to a "
    "question. Registering again does no harm; with --query only what is new or different goes.",
)


@interests.command("list", epilog=example("sluis events interests list --source ind --notice besluiten"))
@source_option
@_notice
@node_option
@json_option
def listed(source: str, notice: str, directory: Path, as_json: bool) -> None:
    found, cursor = list[dict[str, Any]](), ""
    with working("Het knooppunt vraagt het na…", "The node is asking…"):
        while True:
            query = urlencode({"source": source, "notice": notice, "cursor": cursor})
            page = call(directory, "GET", f"/v1/registrations?{query}").document()
            found += page["interests"]
            cursor = page["next_cursor"]
            if not cursor:
                break
    if as_json:
        click.echo(json_text(found))
        return
    for one in found:
        click.echo(shown(say(f"{one['reference']}  tot en met {one['until']}",
                             f"{one['reference']}  until {one['until']}")))  # fmt: skip
    if not found:
        click.echo(say("Er zijn geen afnemersindicaties.", "There are no interests."))


listed.help = say(
    "Noem uw afnemersindicaties bij een andere organisatie: uw eigen kenmerken. Over wie zij gaan, staat er niet bij.",
    "List your interests at another organisation: your own references. In whom they are, is not among it.",
)


@interests.command(
    "end", epilog=example("sluis events interests end --source ind --notice besluiten --from weg.csv")
)
@source_option
@_notice
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
    found = list(_table(text_of(file), {"subject"}))
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


def _notices(directory: Path, source: str) -> list[dict[str, Any]]:
    with working("Het knooppunt vraagt het na…", "The node is asking…"):
        found: list[dict[str, Any]] = call(
            directory, "POST", "/v1/registrations/notices", {"source": source}
        ).document()
    return found


def _answer(directory: Path, query: str, activity: str, case: str) -> list[tuple[int, dict[str, Any]]]:
    """The rows of the answer to a question, numbered from 1. Raises `Problem`."""
    question = question_of(query, activity, case, ())
    with working("De vraag is onderweg…", "The question is under way…"):
        answer = call(directory, "POST", "/v1/questions", question).document()
    names = [column["name"] for column in answer["columns"]]
    if not set(names) >= _COLUMNS or not answer["rows"]:
        raise _no_answer()
    texts = (["" if value is None else str(value) for value in row] for row in answer["rows"])
    return list(enumerate((dict(zip(names, row, strict=True)) for row in texts), 1))


def _check_once(rows: Sequence[dict[str, Any]]) -> None:
    """Raises `Invalid` when a person is in the answer more than once: which reference would count?"""
    double = len(rows) - len({row["subject"]["value"] for row in rows})
    if double:
        raise _more_than_once(double)


def _registered(
    directory: Path, source: str, notice: str, rows: Sequence[dict[str, Any]], changed: bool
) -> dict[str, int]:
    """Register in batches, with a word about how far it is; what went before a problem stays registered."""
    done = {"registered": 0, "renewed": 0, "stood": 0}
    with working("Het knooppunt registreert…", "The node is registering…") as told:
        for at in range(0, len(rows), _EACH):
            some = rows[at : at + _EACH]
            body = {"source": source, "notice": notice, "interests": some, "changed": changed}
            answer = call(directory, "POST", "/v1/registrations", body).document()
            done = {name: count + answer[name] for name, count in done.items()}
            told(say(f"{at + len(some)} van {len(rows)} gedaan…", f"{at + len(some)} of {len(rows)} done…"))
    return done


def _told(done: dict[str, int], passed: int) -> str:
    told = [say(f"Nieuw: {done['registered']}. Verlengd: {done['renewed']}.",
                f"New: {done['registered']}. Renewed: {done['renewed']}.")]  # fmt: skip
    if done["stood"]:
        told.append(say(f"Stond al zo: {done['stood']}.", f"Stood like that: {done['stood']}."))
    if "ended" in done:
        told.append(say(f"Beëindigd: {done['ended']}.", f"Ended: {done['ended']}."))
    if passed:
        told.append(
            say(
                f"Zonder subject, en overgeslagen: {passed}.",
                f"Without a subject, and passed over: {passed}.",
            )
        )
    return " ".join(told)


def _rows(found: Iterable[tuple[int, dict[str, str]]], kind: str, until: str | None) -> list[dict[str, Any]]:
    """The rows of a table as interests. Raises `Invalid`, by line, without a value."""
    rows = []
    for line, row in found:
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


def text_of(file: str) -> str:
    """The text of a file; of standard input when it is `-`. Raises `Invalid`."""
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


def _no_answer() -> Invalid:
    return Invalid(
        "no-interests",
        Text("Dit antwoord heeft geen afnemersindicaties.", "This answer has no interests."),
        Text("Het heeft geen rijen, of niet de kolommen `subject` en `reference`. Er is niets geregistreerd of beëindigd.",
             "It has no rows, or not the columns `subject` and `reference`. Nothing was registered or ended."),
        Text("Noem de kolommen zo in de SQL: select bsn as subject, zaak as reference …",
             "Name the columns like that in the SQL: select bsn as subject, zaak as reference …"),
    )  # fmt: skip


def _more_than_once(count: int) -> Invalid:
    return Invalid(
        "no-interests",
        Text("Iemand staat vaker in het antwoord.", "Somebody is in the answer more than once."),
        Text(f"Er zijn {count} rijen te veel. Per persoon is er één afnemersindicatie, met één kenmerk. Er is niets geregistreerd.",
             f"There are {count} rows too many. There is one interest in one person, with one reference. Nothing was registered."),
        Text("Kies in de SQL één kenmerk per persoon, zoals met min(zaak) en group by.",
             "Choose one reference per person in the SQL, as with min(zaak) and group by."),
    )  # fmt: skip
