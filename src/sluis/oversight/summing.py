"""What of the log is summed up, from a stretch of its records: decisions as they are looked for, and who used what when. Pure."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import msgspec

from sluis.kernel import HERE, from_milliseconds
from sluis.ledger import ACTIVITY, SUBJECT, Decision, Destruction, Processing

REQUEST, RESPONSE, REFERENCES = "adl.core.request", "adl.core.response", "adl.core.policies"
COUNTED = frozenset({"ask", "consult"})
"""Actions by which data is used."""

_LONGEST = 400


class Row(msgspec.Struct, frozen=True):
    """A decision as it is looked for. `at` in milliseconds; `peer` and `activity` empty where it is about none."""

    idx: int
    at: int
    permit: bool
    action: str
    rule: str
    peer: str
    activity: str
    resource: str


class Streak(msgspec.Struct, frozen=True):
    """Refusals without a break, at the end of what was read, and the most of the day."""

    day: int
    running: int
    longest: int


class Sums(msgspec.Struct):
    """What a stretch comes down to."""

    rows: list[Row] = []
    use: dict[tuple[int, int, str, str, str], list[int]] = {}
    """Permitted and refused, by day, hour, organisation, person and activity."""
    outcomes: list[tuple[str, str, int, bool]] = []
    """Organisation, person, day and yes or no, in order: what streaks are made of."""
    people: dict[tuple[int, str, str], list[str]] = {}
    """Traces in order, by day, pseudonym and activity."""
    asked: dict[tuple[str, str], list[int]] = {}
    """How often and when last, by activity and dataset."""
    destroyed: list[tuple[int, int]] = []


def summed(records: Iterable[tuple[int, Any]]) -> Sums:
    """What a stretch of the log comes down to."""
    sums = Sums()
    for idx, record in records:
        if isinstance(record, Decision):
            _decision(sums, idx, record)
        elif isinstance(record, Processing):
            _line(sums, record)
        elif isinstance(record, Destruction):
            sums.destroyed += record.stretches
    return sums


def row_of(idx: int, record: Decision) -> Row:
    """A decision as it is looked for; whatever it does not say is empty."""
    request, response = record.body.get(REQUEST), record.body.get(RESPONSE)
    subject, action, resource = (_part(request, name) for name in ("subject", "action", "resource"))
    name = _text(action.get("name")) or record.event_name.removeprefix("adl.")
    peer = _text(subject.get("id")) if subject.get("type") == "peer" else ""
    told = response if isinstance(response, dict) else {}
    context = told.get("context")
    rule = _text(context.get("rule")) if isinstance(context, dict) else ""
    activity = _text(_part(action, "properties").get("processing_activity_id"))
    return Row(
        idx, record.timestamp, _permits(told), name, rule or ("" if told else "no-answer"), peer, activity,
        _text(resource.get("id")),
    )  # fmt: skip


def streak(before: Streak | None, outcomes: Iterable[tuple[int, bool]]) -> Streak | None:
    """How it goes on with refusals without a break: days and yes or no, in order."""
    at = before
    for day, permit in outcomes:
        running = 0 if permit else (at.running if at else 0) + 1
        longest = running if at is None or at.day != day else max(at.longest, running)
        at = Streak(day, running, longest)
    return at


def day_and_hour(at: int) -> tuple[int, int]:
    """The day (proleptic ordinal) and hour by the clock here, of a moment in milliseconds."""
    moment = from_milliseconds(at).astimezone(HERE)
    return moment.toordinal(), moment.hour


def as_day(ordinal: int) -> date:
    """The day of an ordinal."""
    return date.fromordinal(ordinal)


def _decision(sums: Sums, idx: int, record: Decision) -> None:
    row = row_of(idx, record)
    sums.rows.append(row)
    if row.action not in COUNTED:
        return
    request = record.body.get(REQUEST)
    subject = _part(request, "subject")
    person = _text(_part(subject, "properties").get("person")) if row.peer else _text(subject.get("id"))
    day, hour = day_and_hour(record.timestamp)
    if (
        record.parent_span_id is None or row.peer
    ):  # the second record of one question of this organisation is no other question
        many = 1 if row.permit else _many(record)
        counts = sums.use.setdefault((day, hour, row.peer, person, row.activity), [0, 0])
        counts[0 if row.permit else 1] += many
        sums.outcomes += [(row.peer, person, day, row.permit)] * min(many, 1000)
    for dataset in _offers(record):
        known = sums.asked.setdefault((row.activity, dataset), [0, 0])
        known[0], known[1] = known[0] + 1, max(known[1], record.timestamp)


def _line(sums: Sums, record: Processing) -> None:
    subject, activity = record.attributes.get(SUBJECT), _text(record.attributes.get(ACTIVITY))
    if isinstance(subject, str):
        day, _ = day_and_hour(record.start_time)
        traces = sums.people.setdefault((day, _text(subject), activity), [])
        if not traces or traces[-1] != record.trace_id:
            traces.append(record.trace_id)


def _offers(record: Decision) -> Iterator[str]:
    """The datasets of others that a question of this organisation named."""
    offers = _part(record.attributes.get(REFERENCES), "offers")
    yield from (_text(one) for one in list(offers)[:100] if isinstance(one, str))


def _permits(response: dict[str, Any]) -> bool:
    listed = response.get("evaluations")
    if isinstance(listed, list):
        return bool(listed) and all(isinstance(one, dict) and one.get("decision") is True for one in listed)
    return response.get("decision") is True or "results" in response


def _many(record: Decision) -> int:
    """How many refusals a record stands for: those of one organisation in a minute are counted together."""
    count = _part(record.body.get(RESPONSE), "context").get("count")
    return count if type(count) is int and 0 < count <= 10**9 else 1


def _part(value: Any, name: str) -> dict[str, Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    """What a record says, as any database can keep it. Whoever asks chooses these texts: one that cannot be kept would stop the
    summary for good. Only of the log itself is every byte kept."""
    return value[:_LONGEST].replace("\0", "\ufffd") if isinstance(value, str) else ""
