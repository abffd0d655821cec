"""A disclosure in words, and two of its versions beside each other. Pure.

Names of organisations, columns and laws stand in these words as their owners wrote them; pages set them apart.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from sluis.grounds import WORDS, Closed, Dataset, Disclosure, Filter, Price, lasting
from sluis.kernel import LEVEL_NAMES, Text, euros, figure, plain

_OPERATORS = {
    "=": Text("is gelijk aan", "equals"),
    "<>": Text("is niet", "is not"),
    "<": Text("is kleiner dan", "is less than"),
    "<=": Text("is hoogstens", "is at most"),
    ">": Text("is groter dan", "is more than"),
    ">=": Text("is minstens", "is at least"),
    "in": Text("is een van", "is one of"),
    "between": Text("ligt tussen", "lies between"),
    "is null": Text("is leeg", "is empty"),
    "is not null": Text("is ingevuld", "is filled in"),
}
_FIRST = re.compile(
    r"(?:left|substr|substring)\s*\(\s*\"?(\w+)\"?\s*,\s*(?:1\s*,\s*)?(\d{1,3})\s*\)", re.IGNORECASE
)
_CUT = re.compile(r"date_trunc\s*\(\s*'(year|month)'\s*,.*\)", re.IGNORECASE)
_YEAR = re.compile(r"(?:year\s*\(.*\)|make_date\s*\(\s*year\s*\(.*\)\s*,\s*1\s*,\s*1\s*\))", re.IGNORECASE)
_ALWAYS = re.compile(r"'([^']*)'")


class Named(msgspec.Struct, frozen=True):
    """A column as people know it, and what is said of it."""

    name: str
    title: Text
    told: Text | None = None
    code: str | None = None
    """The expression, where words do not say all of it."""


class Told(msgspec.Struct, frozen=True):
    """A disclosure in words.

    Args:
        sees: what the recipient gets to see.
        masked: what it sees of which something else takes the place, and what.
        joins: what it may only join by.
        chooses: what it may only select by, and how.
        closed: what stays closed, with the reason that its owner gives.
        silent: what stays closed, of which nothing is said.
        rows: which rows; None for every row.
        condition: the same as its file writes it.
        asks: what a question has to name.
        limits: how much, how often, how sure.
        groups: that there are groups only, and how large.
        keeps: how long the recipient may keep it.
        costs: what it costs; None when nothing.
        hidden: that the person is not shown the consultation for a while.
        standing: that it is for standing questions.
    """

    sees: tuple[Named, ...]
    masked: tuple[Named, ...]
    joins: tuple[Named, ...]
    chooses: tuple[Named, ...]
    closed: tuple[tuple[tuple[Named, ...], Closed], ...]
    silent: tuple[Named, ...]
    rows: Text | None
    condition: str | None
    asks: Text
    limits: tuple[Text, ...]
    groups: Text | None
    keeps: Text
    costs: Text | None
    hidden: Text | None
    standing: Text | None


class Changed(msgspec.Struct, frozen=True):
    """Something that another version had otherwise; None where it was not there."""

    what: Text
    before: str | None
    after: str | None


def told(dataset: Dataset, one: Disclosure) -> Told:
    """A disclosure of a dataset, in words."""
    named = {
        column.name: Named(column.name, column.title or Text(column.name, column.name))
        for column in dataset.columns
    }

    def of(role: str, masked: bool = False) -> Iterator[Named]:
        return (
            named[column.name]
            for column in dataset.columns
            if one.columns.get(column.name) == role and (column.name in one.masks) == masked
        )

    explained = {name for closed in one.closed for name in closed.columns}
    return Told(
        sees=tuple(of("output")),
        masked=tuple(_masked(each, one.masks[each.name]) for each in of("output", masked=True)),
        joins=(*of("join"), *of("join", masked=True)),
        chooses=tuple(
            _filtered(each, one.filters.get(each.name))
            for each in (*of("filter"), *of("filter", masked=True))
        ),
        closed=tuple(
            (tuple(named[name] for name in each.columns if name in named), each) for each in one.closed
        ),
        silent=tuple(
            each for name, each in named.items() if name not in one.columns and name not in explained
        ),
        rows=one.rows_because if one.rows is not None else None,
        condition=one.rows,
        asks=_asks(dataset, one),
        limits=tuple(_limits(one)),
        groups=_groups(one),
        keeps=_keeps(one.retention),
        costs=_costs(one.price),
        hidden=_hidden(one),
        standing=_standing(one),
    )


def _masked(column: Named, expression: str) -> Named:
    words, code = masked_as(expression)
    return msgspec.structs.replace(column, told=words, code=code)


def masked_as(expression: str) -> tuple[Text, str | None]:
    """What takes the place of a value, in words; and the expression, where these do not say it."""
    text = expression.strip()
    if text.upper() == "NULL":
        return Text("altijd leeg", "always empty"), None
    if found := _ALWAYS.fullmatch(text):
        return Text(f"altijd ‘{found[1]}’", f"always ‘{found[1]}’"), None
    if found := _FIRST.fullmatch(text):
        return Text(f"alleen de eerste {found[2]} tekens", f"only the first {found[2]} characters"), None
    if found := _CUT.fullmatch(text):
        month = found[1].lower() == "month"
        return (
            Text("alleen jaar en maand", "only year and month")
            if month
            else Text("alleen het jaar", "only the year")
        ), None
    if _YEAR.fullmatch(text):
        return Text("alleen het jaar", "only the year"), None
    return Text(
        "iets anders in de plaats, berekend als", "something else in its place, computed as"
    ), expression


def _filtered(column: Named, rule: Filter | None) -> Named:
    if rule is None:
        return column
    values = " ".join(f"‘{value}’" for value in rule.values)
    budget = figure(rule.budget)
    return msgspec.structs.replace(
        column,
        told=Text(
            f"{', '.join(_OPERATORS[one].nl for one in rule.operators)}"
            f"{f', met {values}' if values else ''}; hoogstens {budget.nl} keer per dag",
            f"{', '.join(_OPERATORS[one].en for one in rule.operators)}"
            f"{f', with {values}' if values else ''}; at most {budget.en} times a day",
        ),
    )


def _asks(dataset: Dataset, one: Disclosure) -> Text:
    if dataset.subject is None:
        return Text("De gegevens gaan niet over personen.", "The data are not about persons.")
    if one.ground == "consent":
        return Text(
            "De vrager noemt over wie het gaat, en ziet alleen wie daarin toestemde.",
            "The asker names whom it is about, and sees only those who consented to it.",
        )
    if one.aggregate is not None or not one.subject_required:
        return Text(
            "De vrager hoeft niet te noemen over wie het gaat.", "The asker need not name whom it is about."
        )
    return Text("De vrager moet noemen over wie het gaat.", "The asker must name whom it is about.")


def _limits(one: Disclosure) -> Iterator[Text]:
    people, rows = figure(one.max_subjects), figure(one.max_rows)
    if one.aggregate is None:
        yield Text(
            f"Hoogstens {people.nl} personen in één vraag.", f"At most {people.en} people in one question."
        )
    yield Text(f"Hoogstens {rows.nl} rijen in één antwoord.", f"At most {rows.en} rows in one answer.")
    if one.questions_per_hour is not None:
        often = figure(one.questions_per_hour)
        yield Text(f"Hoogstens {often.nl} vragen per uur.", f"At most {often.en} questions an hour.")
    if one.aggregate is not None:
        often = figure(one.aggregate.budget)
        yield Text(
            f"Hoogstens {often.nl} verschillende vragen per dag.",
            f"At most {often.en} different questions a day.",
        )
    if one.minimum_level is not None:
        level = LEVEL_NAMES[one.minimum_level]
        yield Text(
            f"Alleen voor wie is ingelogd met betrouwbaarheidsniveau {level.nl} of hoger.",
            f"Only for who signed in at assurance level {level.en} or higher.",
        )
    if one.refuse_acr:
        ways = ", ".join(one.refuse_acr)
        yield Text(f"Niet voor wie zo is ingelogd: {ways}.", f"Not for who signed in like this: {ways}.")


def _groups(one: Disclosure) -> Text | None:
    rule = one.aggregate
    if rule is None:
        return None
    least = figure(rule.minimum)
    more = (
        Text(" Eén andere organisatie mag rijen met verzegelde sleutels koppelen.",
             " One other organisation may join rows by sealed keys.")
        if rule.combiner is not None
        else Text("", "")
    )  # fmt: skip
    return Text(
        f"Nooit een rij: alleen aantallen en sommen over groepen van minstens {least.nl} personen.{more.nl}",
        f"Never a row: only counts and sums over groups of at least {least.en} people.{more.en}",
    )


def _keeps(duration: str) -> Text:
    if duration == "P0D":
        return Text(
            "De ontvanger mag het niet bewaren nadat het is getoond.",
            "The recipient may not keep it once it was shown.",
        )
    words = lasting(duration)
    return Text(f"De ontvanger mag het {words.nl} bewaren.", f"The recipient may keep it for {words.en}.")


def _costs(price: Price | None) -> Text | None:
    if price is None or not (price.per_question or price.per_subject):
        return None
    parts = [
        (euros(price.per_question), Text("per vraag", "per question"), price.per_question),
        (euros(price.per_subject), Text("per persoon", "per person"), price.per_subject),
    ]
    asked = [(amount, per) for amount, per, cents in parts if cents]
    return Text(
        " en ".join(f"{amount.nl} {per.nl}" for amount, per in asked),
        " and ".join(f"{amount.en} {per.en}" for amount, per in asked),
    )


def _hidden(one: Disclosure) -> Text | None:
    if one.withhold is None:
        return None
    days = figure(one.withhold.days)
    return Text(
        f"De betrokkene ziet de raadpleging pas na {days.nl} dagen ({one.withhold.article!s}).",
        f"The person sees the consultation only after {days.en} days ({one.withhold.article!s}).",
    )


def _standing(one: Disclosure) -> Text | None:
    if one.standing is None:
        return None
    most = figure(one.standing.most)
    return Text(
        f"Alleen voor vragen die blijven staan: de ontvanger hoort dát het antwoord wijzigde. Hoogstens {most.nl} tegelijk.",
        f"Only for questions left standing: the recipient hears that the answer changed. At most {most.en} at a time.",
    )


def differences(before: Disclosure, after: Disclosure) -> tuple[Changed, ...]:
    """What another version of a disclosure had otherwise, field by field; a table entry by entry."""
    old, new = plain(before), plain(after)
    found: list[Changed] = []
    for name in sorted({*old, *new} - {"id", "version"}, key=list(WORDS["Disclosure"]).index):
        one, other = old.get(name), new.get(name)
        if one == other:
            continue
        label = WORDS["Disclosure"][name]
        if isinstance(one or other, dict) and name in ("columns", "masks", "filters"):
            found += _entries(label, one or {}, other or {})
        else:
            found.append(Changed(label, _said(one), _said(other)))
    return tuple(found)


def _entries(label: Text, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Changed]:
    short = Text(label.nl.partition(":")[0].rstrip("."), label.en.partition(":")[0].rstrip("."))
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield Changed(
                Text(f"{short.nl} – {name}", f"{short.en} – {name}"),
                _said(old.get(name)),
                _said(new.get(name)),
            )


def _said(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
