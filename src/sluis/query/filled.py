"""What an official filled in, held together: the fields that go from page to page by POST, and the question that they make.

A value is in a field that is posted, and in the parameters of the question; never in its text, an address or a title.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlglot import exp

from sluis.grounds import Offer
from sluis.kernel import Invalid, Text
from sluis.query.forms import Made, Parameter, make, read_value, wish_in, wished
from sluis.query.model import Question
from sluis.query.rules import MAX_CASE
from sluis.query.saved import Mode
from sluis.statement import TODAY, parameters_of, parse

MOST_FIELDS = 400
_LONGEST = 8_000  # characters of a field; the SQL may be longer
_FIELD = re.compile(
    r"(activity|mode|case|sql|partial|key|find|[cj]\.[a-z0-9_.]{1,200}|w\d\.(column|is|value)|p\.\w{1,63})",
    re.ASCII,
)
_SEVERAL = re.compile(r"[\s,;]+")


class Filled(msgspec.Struct, frozen=True):
    """The fields of the pages on which a question is made."""

    fields: Mapping[str, str]

    @property
    def activity(self) -> str:
        """The id of the processing activity."""
        return self.fields.get("activity", "")

    @property
    def mode(self) -> Mode:
        """Whether the question was ticked, or written."""
        return "sql" if self.fields.get("mode") == "sql" else "form"

    @property
    def case(self) -> str:
        """The reference of the case."""
        return self.fields.get("case", "").strip()

    @property
    def sql(self) -> str:
        """What was written."""
        return self.fields.get("sql", "")

    def get(self, name: str, otherwise: str = "") -> str:
        """The value of a field."""
        return self.fields.get(name, otherwise)

    def but(self, **other: str) -> "Filled":
        """With other values in some fields."""
        return Filled({**self.fields, **other})

    def hidden(self) -> list[tuple[str, str]]:
        """All of it, to be carried to the next page in a form that is posted."""
        return list(self.fields.items())

    def elsewhere(self) -> list[tuple[str, str]]:
        """What was filled in the other way of making a question, to be carried along unseen."""
        ticked = [
            (name, value)
            for name, value in self.fields.items()
            if name.startswith(("c.", "j.", "w")) or name == "key"
        ]
        written = [
            (name, value) for name, value in self.fields.items() if name.startswith("p.") or name == "sql"
        ]
        return ticked if self.mode == "sql" else written

    def made(self, offers: Sequence[Offer]) -> Made:
        """The question that was ticked. Raises `Invalid`."""
        return make(wish_in(self.fields), offers, bool(self.get("key").strip()))

    def ticked(self) -> bool:
        """Whether anything was."""
        return any(name.startswith("c.") for name in self.fields)

    def tied_to(self, owners: Collection[str]) -> set[tuple[str, str]]:
        """The datasets of these owners in what was ticked, and those that are joined by way of them."""
        wish = wish_in(self.fields)
        asked = wished(wish)
        links = {one: wish.links[one][1][:2] for one in asked if one in wish.links}
        gone = {one for one in asked if one[0] in owners}
        while more := {one for one, by in links.items() if by in gone} - gone:
            gone |= more
        return gone

    def of(self, owners: Collection[str]) -> dict[str, str]:
        """The fields of what is tied to these owners: what was ticked, joins and conditions."""
        gone = self.tied_to(owners)
        places = {f"w{one.place}" for one in wish_in(self.fields).conditions if one.column[:2] in gone}
        return {
            name: value
            for name, value in self.fields.items()
            if (name.startswith(("c.", "j.")) and tuple(name.split(".")[1:3]) in gone)
            or name.partition(".")[0] in places
        }

    def without(self, owners: Collection[str]) -> "Filled":
        """All but what is `of` these owners."""
        gone = self.of(owners)
        return Filled({name: value for name, value in self.fields.items() if name not in gone})


def filled_in(form: Mapping[str, str]) -> Filled:
    """The fields of a form that are known here, of a length that may be."""
    kept = {
        name: value.replace("\r\n", "\n")[: None if name == "sql" else _LONGEST]
        for name, value in form.items()
        if _FIELD.fullmatch(name)
    }
    return Filled(dict(list(kept.items())[:MOST_FIELDS]))


def placeholders(sql: str) -> list[str]:
    """The parameters that somebody wrote, in order. Raises `Invalid`."""
    return [name for name in parameters_of(parse(sql)) if name != TODAY]


def ticked_question(filled: Filled, made: Made, offers: Sequence[Offer]) -> Question:
    """The question that was ticked, with what was filled in. Raises `Invalid` when a value is missing."""
    _need_case(filled)
    required = any(
        offer.disclosure.subject_required
        for offer in offers
        if offer.subject and not made.grouped and f"{offer.alias}.{offer.dataset}" in _named(made.sql)
    )
    if required and not filled.get("key").strip():
        raise _missing(
            "key", Text("Vul in over wie de vraag gaat.", "Fill in whom the question is about."),
            Text("De bronhouder geeft alleen antwoord over iemand die u noemt.", "The owner answers only about somebody whom you name."),
        )  # fmt: skip
    values = {one.name: _value(filled, one) for one in made.parameters}
    return asked_of(filled, made.sql, values)


def written_question(filled: Filled, types: Mapping[str, str], lists: frozenset[str]) -> Question:
    """The question that was written, with what was filled in. Raises `Invalid` when a value is missing."""
    _need_case(filled)
    values: dict[str, Any] = {}
    for name, kind in types.items():
        text = filled.get(f"p.{name}").strip()
        if not text:
            raise _missing(
                f"p.{name}", Text(f"Vul een waarde in voor ${name}.", f"Fill in a value for ${name}."),
                Text("De vraag gebruikt deze waarde.", "The question uses this value."),
            )  # fmt: skip
        several = [read_value(one, kind) for one in _SEVERAL.split(text) if one]
        values[name] = several if name in lists else read_value(text, kind)
    return asked_of(filled, filled.sql, values)


def _named(sql: str) -> set[str]:
    return {f"{table.db}.{table.name}" for table in parse(sql).find_all(exp.Table)}


def asked_of(filled: Filled, sql: str, values: Mapping[str, Any]) -> Question:
    """What was filled in, as a question with this text and these values."""
    return Question(
        sql, filled.activity, filled.case, dict(values), "flagged" if filled.get("partial") else "never"
    )


def _value(filled: Filled, parameter: Parameter) -> Any:
    field = f"w{parameter.place}.value" if parameter.place else "key"
    text = filled.get(field).strip()
    if not text:
        raise _missing(
            field, Text("Vul een waarde in.", "Fill in a value."),
            Text("Bij deze voorwaarde hoort een waarde.", "This condition takes a value."),
        )  # fmt: skip
    return read_value(text, parameter.type)


def _need_case(filled: Filled) -> None:
    if not filled.case or len(filled.case) > MAX_CASE or not filled.case.isprintable():
        raise _missing(
            "case", Text("Vul het kenmerk van de zaak in.", "Fill in the reference of the case."),
            Text(f"U vraagt altijd voor een zaak. Een kenmerk heeft hoogstens {MAX_CASE} tekens.",
                 f"You always ask for a case. A reference has at most {MAX_CASE} characters."),
        )  # fmt: skip


def _missing(field: str, next: Text, why: Text) -> Invalid:
    return Invalid(
        "value-missing", Text("Er mist nog iets.", "Something is missing."), why, next, field=field
    )
