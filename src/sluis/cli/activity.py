"""`sluis activity list|show`: what each processing activity is for, its articles, and what it opens and keeps closed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from sluis.cli.options import example, here, json_option, node_option
from sluis.cli.terminal import in_words, say
from sluis.grounds import (
    AVG_GROUNDS,
    COLUMN_ROLES,
    Activity,
    Disclosure,
    Grounds,
    Price,
    meant,
    read_directory,
    refuse_any,
)  # fmt: skip
from sluis.kernel import NotFound, Text, euros, plain


@click.group(
    "activity",
    help=say("Verwerkingsactiviteiten van dit knooppunt.", "Processing activities of this node."),
    epilog=example("sluis activity list --node /etc/sluis"),
)
def command() -> None:
    """Reads the files of a node directory; asks nobody."""


@command.command("list", epilog=example("sluis activity list --node /etc/sluis"))
@node_option
@json_option
def list_activities(directory: Path, as_json: bool) -> None:
    grounds = _load(directory)
    if as_json:
        click.echo(_as_json([_document(one, grounds) for one in grounds.activities]))
        return
    for one in grounds.activities:
        click.echo(f"{in_words(one.name)}\n  {one.id}\n  {'; '.join(map(str, one.articles))}")
    if not grounds.activities:
        click.echo(say("Er zijn geen verwerkingsactiviteiten.", "There are no processing activities."))


list_activities.help = say("Noem alle activiteiten.", "List all activities.")


@command.command(
    "show",
    epilog=example("sluis activity show https://register.voorbeeld.nl/bijstand"),
)
@click.argument("id")
@node_option
@json_option
def show_activity(id: str, directory: Path, as_json: bool) -> None:
    grounds = _load(directory)
    activity = grounds.activity(id)
    if activity is None:
        raise NotFound(
            "unknown-activity",
            Text("Deze verwerkingsactiviteit is hier niet bekend.", "This processing activity is not known here."),
            Text(f"Geen bestand in {directory / 'activities'} heeft dit `id`.",
                 f"No file in {directory / 'activities'} has this `id`."),
            meant(id, [one.id for one in grounds.activities]),
        )  # fmt: skip
    click.echo(_as_json(_document(activity, grounds)) if as_json else "\n".join(_told(activity, grounds)))


show_activity.help = say(
    "Toon één activiteit: doel, wet, en wat zij opent.", "Show one: purpose, law, what it opens."
)


def _load(directory: Path) -> Grounds:
    """The files as they are; whether they agree with one another is for `sluis check`, and takes longer."""
    here(directory, "activities")
    reading = read_directory(directory)
    refuse_any(list(reading.problems))
    return reading.grounds


def _opened(activity: Activity, grounds: Grounds) -> list[Disclosure]:
    return [one for one in grounds.disclosures if one.activity == activity.id]


def _document(activity: Activity, grounds: Grounds) -> dict[str, Any]:
    document: dict[str, Any] = plain(activity)
    return {**document, "disclosures": [plain(one) for one in _opened(activity, grounds)]}


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _told(activity: Activity, grounds: Grounds) -> Iterator[str]:
    yield in_words(activity.name)
    yield f"  {activity.id}"
    yield ""
    yield say("Waarvoor: ", "Purpose: ") + in_words(activity.purpose)
    yield say("Grondslag (AVG art. 6): ", "Ground (GDPR art. 6): ") + in_words(AVG_GROUNDS[activity.ground])
    yield say("Wet: ", "Law: ") + "; ".join(map(str, activity.articles))
    if activity.subjects:
        yield say("Over wie: ", "About: ") + in_words(activity.subjects)
    opened = _opened(activity, grounds)
    if not opened:
        yield ""
        yield say("Dit knooppunt opent hiervoor geen gegevens.", "This node opens no data for it.")
    for one in opened:
        yield from _disclosure_told(one, grounds)


def _priced(price: Price) -> str:
    each = (
        (price.per_question, say("per vraag", "per question")),
        (price.per_subject, say("per persoon", "per person")),
    )
    return ", ".join(f"{in_words(euros(cents))} {unit}" for cents, unit in each if cents) or say(
        "geen", "none"
    )


def _disclosure_told(one: Disclosure, grounds: Grounds) -> Iterator[str]:
    dataset = grounds.dataset(one.dataset)
    title = in_words(dataset.title) if dataset else one.dataset
    yield ""
    yield say(
        f"{title} ({one.dataset}), voor {one.recipient}", f"{title} ({one.dataset}), for {one.recipient}"
    )
    yield "  " + say("Wet: ", "Law: ") + "; ".join(map(str, one.articles))
    yield f"  {say('Geldig', 'Valid')}: {one.valid.since} – {one.valid.until or say('verder', 'onwards')}"
    if one.price:
        yield "  " + say("Kosten: ", "Price: ") + _priced(one.price)
    for name, role in one.columns.items():
        mask = say(", afgeschermd", ", altered") if name in one.masks else ""
        yield f"  {name}: {in_words(COLUMN_ROLES[role])}{mask}"
    if one.aggregate:
        yield "  " + say(
            f"Alleen aantallen en gemiddelden, over groepen van ten minste {one.aggregate.minimum} personen.",
            f"Only counts and averages, over groups of at least {one.aggregate.minimum} people.",
        )
    if one.rows:
        because = in_words(one.rows_because) if one.rows_because else one.rows
        yield "  " + say("Niet alle rijen: ", "Not all rows: ") + because
    for closed in one.closed:
        law = f" ({closed.article})" if closed.article else ""
        yield (
            "  "
            + say("Gesloten: ", "Closed: ")
            + f"{', '.join(closed.columns)}. {in_words(closed.because)}{law}"
        )
    if one.withhold:
        yield "  " + say(
            f"De betrokkene ziet dit na {one.withhold.days} dagen ({one.withhold.article}).",
            f"The subject sees this after {one.withhold.days} days ({one.withhold.article}).",
        )
