"""Activities from elsewhere, as the files that would hold them: each checked as a file of this node is, and nothing put in
force. Configuration stays files, which somebody reviews. Pure.

JSON is a list of objects, or what the register exports (`activities`); CSV has a heading line with the names of the fields.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from sluis.grounds import Activity, Fault, faults, parse_document, render, render_tables
from sluis.kernel import Invalid, Text, convert
from sluis.oversight.register import key_of

MOST_BYTES = 48 * 1024
"""Of what is offered at once, as a form carries it."""
MOST = 200
"""Activities at once."""

FIELDS = (
    "id",
    "name",
    "purpose",
    "controller",
    "ground",
    "articles",
    "since",
    "until",
    "processor",
    "retention",
    "subjects",
)
"""The columns of CSV. `name`, `purpose` and `subjects` may have `.nl` and `.en` behind them; `articles` is `law, art. number (BWBR…)`, and
several are separated by `;`."""


class Proposed(msgspec.Struct, frozen=True):
    """An activity as it would stand in a file, and everything that is wrong with it."""

    file: str
    name: str
    text: str
    problems: tuple[Invalid, ...]
    known: bool
    """Whether this node has an activity with that id already: then the file takes its place."""


def proposals(text: str, known: Sequence[str]) -> tuple[Proposed, ...]:
    """Files for what is offered.

    Args:
        text: JSON or CSV.
        known: ids of the activities that there are.

    Raises:
        Invalid: it is too much, neither of the two, or holds nothing.
    """
    if len(text.encode()) > MOST_BYTES:
        raise _unfit(
            Text(f"Het is meer dan {MOST_BYTES // 1024} kB.", f"It is more than {MOST_BYTES // 1024} kB.")
        )
    if not text.strip():
        raise _unfit(_NOTHING)
    listed = list(_json(text) if text.lstrip()[:1] in ("[", "{") else _csv(text))
    if not listed:
        raise _unfit(_NOTHING)
    if len(listed) > MOST:
        raise _unfit(Text(f"Het zijn er meer dan {MOST}.", f"They are more than {MOST}."))
    made, names = [], set[str]()
    for number, one in enumerate(listed, 1):
        proposed = _proposed(one, number, known)
        file, again = proposed.file, 2
        while file in names:
            file, again = f"{proposed.file[:-5]}-{again}.toml", again + 1
        names.add(file)
        made.append(msgspec.structs.replace(proposed, file=file))
    return tuple(made)


_NOTHING = Text("Er staat geen verwerking in.", "There is no activity in it.")


def _proposed(one: Mapping[str, Any], number: int, known: Sequence[str]) -> Proposed:
    id = one.get("id")
    file = f"{key_of(id) if isinstance(id, str) else f'verwerking-{number}'}.toml"
    name = one.get("name")
    title = str(name.get("nl", "") if isinstance(name, dict) else name or "")[:200] or f"{number}"
    try:
        document = parse_document(render_tables(dict(one)), file)
        wrong = [fault.problem(document) for fault in faults(document.tables, Activity)]
        text = document_text(document.tables, not wrong)
    except Invalid as problem:
        wrong, text = [problem], ""
    except (TypeError, ValueError, AttributeError, RecursionError):
        wrong, text = [_no_activity(file)], ""
    return Proposed(file, title, text, tuple(wrong), isinstance(id, str) and id in known)


def document_text(tables: dict[str, Any], right: bool) -> str:
    """The text of the file: as people write it when it is right, else as it was offered."""
    return render(convert(tables, Activity)) if right else render_tables(tables)


def _json(text: str) -> Iterator[dict[str, Any]]:
    try:
        given = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise _unfit(Text("Het is geen geldige JSON.", "It is not valid JSON.")) from None
    listed = given.get("activities", [given]) if isinstance(given, dict) else given
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise _unfit(Text("Het is geen lijst van verwerkingen.", "It is no list of activities."))
    for one in listed:
        yield _as_file(one)


def _as_file(one: dict[str, Any]) -> dict[str, Any]:
    """What a file has; what the register adds when it exports is left out."""
    made = {name: value for name, value in one.items() if name in _FILE or name not in _ADDED}
    controller = made.get("controller")
    if isinstance(controller, dict):
        made["controller"] = controller.get("oin")
    articles = made.get("articles")
    if isinstance(articles, list):
        made["articles"] = [
            {name: value for name, value in each.items() if name != "page" and value is not None}
            if isinstance(each, dict)
            else each
            for each in articles
        ]
    valid = made.get("valid")
    if isinstance(valid, dict):
        made["valid"] = {name: _day(value) for name, value in valid.items() if value is not None}
    return {name: value for name, value in made.items() if value is not None}


_FILE = frozenset(
    msgspec.structs.fields(Activity)[at].name for at in range(len(msgspec.structs.fields(Activity)))
)
_ADDED = frozenset({"data", "recipients", "security", "review", "state", "law_changed"})


def _csv(text: str) -> Iterator[dict[str, Any]]:
    first = text.lstrip("\ufeff").partition("\n")[0]
    rows = csv.DictReader(
        io.StringIO(text.lstrip("\ufeff")), delimiter=";" if first.count(";") > first.count(",") else ","
    )
    try:
        names = [name.strip().lower() for name in rows.fieldnames or ()]
        unknown = [name for name in names if name.partition(".")[0] not in FIELDS]
        if "id" not in names or unknown:
            raise _unfit(
                Text(f"De eerste regel noemt niet de velden ({', '.join(FIELDS)}).",
                     f"The first line does not name the fields ({', '.join(FIELDS)})."),
            )  # fmt: skip
        rows.fieldnames = names
        for row in rows:
            yield _of_row(
                {
                    name: (value or "").strip()
                    for name, value in row.items()
                    if isinstance(name, str) and not isinstance(value, list)
                }
            )
    except csv.Error:
        raise _unfit(Text("Het is geen geldige CSV.", "It is not valid CSV.")) from None


def _of_row(row: Mapping[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {name: row[name] for name in ("id", "controller", "ground") if row.get(name)}
    for name in ("name", "purpose", "subjects"):
        nl = row.get(f"{name}.nl") or row.get(name) or ""
        if name == "subjects" and not nl:
            continue
        made[name] = {"nl": nl, "en": row.get(f"{name}.en") or nl}
    made["articles"] = [_article(one) for one in row.get("articles", "").split(";") if one.strip()]
    valid = {name: _day(row[name]) for name in ("since", "until") if row.get(name)}
    made["valid"] = valid
    made |= {name: row[name] for name in ("processor", "retention") if row.get(name)}
    return made


def _article(text: str) -> dict[str, str]:
    rest, _, bwb = text.strip().partition("(BWB")
    law, _, number = rest.strip().partition(", art. ")
    return {"law": law.strip(), "article": number.strip()} | (
        {"bwb": f"BWB{bwb.rstrip(') ')}"} if bwb else {}
    )


def _day(value: Any) -> Any:
    """A day as TOML has it, without quotes; whatever it was when it is none, for the checker to name."""
    from datetime import date

    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _no_activity(file: str) -> Invalid:
    return Invalid(
        "unwritable-activity",
        Text("Van deze verwerking is geen bestand te maken.", "No file can be made of this activity."),
        Text(
            "Er staat een waarde in die een bestand niet kan hebben.",
            "It holds a value that a file cannot have.",
        ),
        Text("Kijk de waarden na.", "Check its values."),
        field="text",
    )


def _unfit(why: Text) -> Invalid:
    return Invalid(
        "unreadable-register",
        Text("Hier is geen register van te maken.", "No register can be made of this."),
        why,
        Text(
            "Bied JSON of CSV aan zoals dit register die zelf geeft.",
            "Offer JSON or CSV as this register itself gives it.",
        ),
        field="text",
    )


__all__ = ["FIELDS", "MOST", "MOST_BYTES", "Fault", "Proposed", "proposals"]
