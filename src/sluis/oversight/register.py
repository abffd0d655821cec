"""The register of processing (AVG article 30) as it follows from this node's files and the contracts in force. Pure.

Nothing in it is written for the register: what it says is what the node does. What the files do not hold (whether an assessment
was made, when somebody looked) comes from reviews.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from sluis.crypto import canonical
from sluis.grounds import (
    AVG_GROUNDS,
    Activity,
    AvgGround,
    Column,
    Dataset,
    Disclosure,
    Filter,
    Grounds,
    Notice,
    lasting,
)
from sluis.kernel import PeerId, Text, plain
from sluis.oversight.model import Entry, Opens, Recipient, Standing

GROUNDS: dict[AvgGround, Text] = {
    name: Text(f"{words.nl} (art. 6, lid 1, onder {part})", f"{words.en} (art. 6(1)({part}))")
    for part, (name, words) in zip("abcdef", AVG_GROUNDS.items(), strict=True)
}
_SLUG = re.compile(r"[^a-z0-9]+")


class Agreement(msgspec.Struct, frozen=True):
    """A contract in force: its hash, for which activity, and which disclosures and notices it covers."""

    contract: str
    activity: str | None
    disclosures: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


Name = Callable[[PeerId], str]


def key_of(activity: str) -> str:
    """What addresses name an activity by: the end of its URI as people read it, and what keeps two apart."""
    said = _SLUG.sub("-", activity.rstrip("/").rpartition("/")[2].lower()).strip("-")[:60] or "verwerking"
    return f"{said}-{hashlib.sha256(activity.encode()).hexdigest()[:6]}"


def entries(
    grounds: Grounds, own: PeerId, name: Name, agreements: Iterable[Agreement] = ()
) -> tuple[Entry, ...]:
    """Every activity of a node, its own and those that others use with it, in order of name.

    Args:
        grounds: the node's files.
        own: this node.
        name: what organisations are called.
        agreements: contracts in force.
    """
    under = {
        (one.activity, id): one.contract for one in agreements for id in (*one.disclosures, *one.notices)
    }
    made = [_entry(one, grounds, own, name, under) for one in grounds.activities]
    return tuple(sorted(made, key=lambda one: (not one.own, one.activity.name.nl.lower(), one.activity.id)))


def matches(entry: Entry, text: str) -> bool:
    """Whether every word stands in what the register says of an entry."""
    activity = entry.activity
    said = " ".join(
        [
            activity.id, activity.name.nl, activity.name.en, activity.purpose.nl, activity.purpose.en, entry.controller,
            *map(str, activity.articles), *([activity.subjects.nl, activity.subjects.en] if activity.subjects else ()), *(one.name for one in entry.recipients),
            *(title.nl for title, _ in entry.data),
        ]
    ).lower()  # fmt: skip
    return all(word in said for word in text.lower().split())


def duration(text: str) -> Text:
    """How long an answer may be kept, in words.

    Args:
        text: ISO 8601 duration.
    """
    if text == "P0D":
        return Text("niet langer dan nodig is om het te tonen", "no longer than it takes to show it")
    return lasting(text)


def document(entry: Entry, standing: Standing, security: Sequence[Text]) -> dict[str, Any]:
    """An entry as plain values, with every field of article 30, in Dutch and English where there is text."""
    activity, review = entry.activity, standing.review
    return {
        "id": activity.id,
        "name": plain(activity.name),
        "purpose": plain(activity.purpose),
        "controller": {"oin": str.__str__(activity.controller), "name": entry.controller},
        "processor": str.__str__(activity.processor) if activity.processor else None,
        "ground": activity.ground,
        "articles": [
            {"law": one.law, "article": one.article, "bwb": one.bwb, "page": one.page} for one in activity.articles
        ],
        "valid": {"since": activity.valid.since.isoformat(),
                  "until": activity.valid.until.isoformat() if activity.valid.until else None},
        "subjects": plain(activity.subjects) if activity.subjects else None,
        "data": [
            {"dataset": plain(title),
             "columns": [{"name": one.name, "title": plain(one.title) if one.title else None, "sensitivity": one.sensitivity}
                         for one in columns]}
            for title, columns in entry.data
        ],
        "recipients": [
            {"oin": str.__str__(one.peer), "name": one.name, "by": one.id, "version": one.version,
             "kind": "notice" if one.notice else "disclosure", "articles": list(one.articles),
             "columns": [column.name for column in one.columns], "contract": one.contract}
            for one in entry.recipients
        ],
        "retention": activity.retention,
        "security": [plain(one) for one in security],
        "review": None if review is None else {
            "at": review.at, "by": review.by, "outcome": review.outcome, "due": review.due.isoformat(), "dpia": review.dpia,
            "dpia_day": review.dpia_day.isoformat() if review.dpia_day else None,
        },
        "state": standing.state,
        "law_changed": [plain(one) for one in standing.changed],
    }  # fmt: skip


def _entry(
    activity: Activity, grounds: Grounds, own: PeerId, name: Name, under: Mapping[tuple[str | None, str], str]
) -> Entry:
    opened = [one for one in grounds.disclosures if one.activity == activity.id]
    told = [one for one in grounds.notices if one.activity == activity.id]
    recipients = [
        *(_disclosed(one, grounds.dataset(one.dataset), name, under.get((activity.id, one.id))) for one in opened),
        *(_noticed(one, grounds, name, under.get((activity.id, one.id))) for one in told),
    ]  # fmt: skip
    data = []
    for dataset in grounds.datasets:
        used = {column for one in opened if one.dataset == dataset.name for column in one.columns}
        if used:
            data.append((dataset.title, tuple(one for one in dataset.columns if one.name in used)))
    whole = canonical(plain((activity, opened, told)))
    return Entry(
        key_of(activity.id), activity, activity.controller == own, name(PeerId(str.__str__(activity.controller))),
        tuple(recipients), tuple(data), hashlib.sha256(whole).hexdigest(),
    )  # fmt: skip


def _disclosed(one: Disclosure, dataset: Dataset | None, name: Name, contract: str | None) -> Recipient:
    columns = tuple(
        _opens(column, one, dataset.column(column) if dataset else None) for column in one.columns
    )
    closed = tuple(
        Text(f"{', '.join(each.columns)}: {each.because.nl}", f"{', '.join(each.columns)}: {each.because.en}")
        for each in one.closed
    )
    return Recipient(
        one.recipient, name(one.recipient), one.id, one.version,
        dataset.title if dataset else Text(one.dataset, one.dataset), tuple(map(str, one.articles)), one.valid.since,
        one.valid.until, columns, closed, _limits(one), one.retention, contract,
    )  # fmt: skip


def _noticed(one: Notice, grounds: Grounds, name: Name, contract: str | None) -> Recipient:
    event = grounds.event(one.event)
    columns = tuple(Opens(each, "output", event.data[each].meaning if event else None) for each in one.data)
    limits = (one.condition_because,) if one.condition_because else ()
    return Recipient(
        one.recipient, name(one.recipient), one.id, one.version, one.tells, tuple(map(str, one.articles)), one.valid.since,
        one.valid.until, columns, (), limits, "P0D", contract, True,
    )  # fmt: skip


def _opens(name: str, one: Disclosure, column: Column | None) -> Opens:
    filtered = one.filters.get(name)
    return Opens(
        name, one.columns[name], column.title if column else None, one.masks.get(name),
        _filter(filtered) if filtered else "", column.sensitivity if column else "personal",
    )  # fmt: skip


def _filter(one: Filter) -> str:
    values = f" {', '.join(map(str, one.values))}" if one.values else ""
    return f"{', '.join(one.operators)}{values}"


def _limits(one: Disclosure) -> tuple[Text, ...]:
    """What a disclosure says further, in words."""
    made = []
    if one.rows_because is not None:
        made.append(one.rows_because)
    elif one.rows is not None:
        made.append(Text(f"Alleen rijen waarvoor geldt: {one.rows}", f"Only rows for which: {one.rows}"))
    if one.aggregate is not None:
        least = one.aggregate.minimum
        made.append(
            Text(f"Alleen groepen van minstens {least} mensen.", f"Only groups of at least {least} people.")
        )
    elif one.subject_required:
        made.append(Text(f"Alleen over bekende personen, hoogstens {one.max_subjects} per vraag.",
                         f"Only about known persons, at most {one.max_subjects} in a question."))  # fmt: skip
    if one.questions_per_hour is not None:
        made.append(
            Text(
                f"Hoogstens {one.questions_per_hour} vragen per uur.",
                f"At most {one.questions_per_hour} questions an hour.",
            )
        )
    if one.minimum_level is not None:
        made.append(Text(f"Alleen wie is ingelogd op niveau {one.minimum_level} of hoger.",
                         f"Only who signed in at level {one.minimum_level} or higher."))  # fmt: skip
    if one.withhold is not None:
        made.append(Text(f"De betrokkene ziet het pas na {one.withhold.days} dagen ({one.withhold.article}).",
                         f"The data subject sees it only after {one.withhold.days} days ({one.withhold.article})."))  # fmt: skip
    return tuple(made)
