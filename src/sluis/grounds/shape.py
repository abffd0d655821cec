"""Whether plain values have the shape of a struct: every fault with its place, not only the first.

The struct is the only description: its fields, types and `msgspec.Meta` constraints are what is checked here and
what `schemas` publishes. Unknown keys are faults, with the name that was probably meant.
"""

import math
import re
from collections.abc import Iterable, Iterator
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from sluis.grounds.toml import Document, Keys
from sluis.kernel import Invalid, Oin, Text


class Fault(msgspec.Struct, frozen=True):
    """Something wrong at `keys`, apart from the file it stands in."""

    keys: Keys
    code: str
    what: Text
    why: Text
    next: Text

    def problem(self, document: Document) -> Invalid:
        """This fault as a Problem with file and line."""
        return Invalid(self.code, self.what, self.why, self.next, place=document.place(self.keys))


def faults(plain: Any, kind: type) -> Iterator[Fault]:
    """Every way in which `plain` is not a `kind`, in the order of the fields."""
    return _faults(plain, _described(kind), ())


@cache
def _described(kind: type) -> inspect.Type:
    """To take a struct apart takes longer than to check most files."""
    return inspect.type_info(kind)


def meant(name: str, known: Iterable[str]) -> Text:
    """The sentence that helps someone who wrote `name`: the known name closest to it, or all of them."""
    names = sorted(known)
    close = get_close_matches(name.lower(), names, n=1)
    if close:
        return Text(f"Bedoelde u `{close[0]}`?", f"Did you mean `{close[0]}`?")
    if not names:
        return Text("Haal deze regel weg.", "Remove this line.")
    listed = ", ".join(f"`{one}`" for one in names[:40])
    return Text(f"Kies uit: {listed}.", f"Choose from: {listed}.")


def _faults(value: Any, kind: inspect.Type, keys: Keys) -> Iterator[Fault]:
    match kind:
        case inspect.Metadata():
            yield from _faults(value, kind.type, keys)
        case inspect.UnionType():
            yield from _union(value, kind, keys)
        case inspect.StructType():
            yield from _struct(value, kind, keys) if isinstance(value, dict) else _wrong(value, kind, keys)
        case inspect.DictType():
            yield from _dict(value, kind, keys) if isinstance(value, dict) else _wrong(value, kind, keys)
        case inspect.VarTupleType():
            yield from _list(value, kind, keys) if isinstance(value, list) else _wrong(value, kind, keys)
        case _:
            yield from _scalar(value, kind, keys)


def _struct(value: dict[str, Any], kind: inspect.StructType, keys: Keys) -> Iterator[Fault]:
    fields = {field.encode_name: field for field in kind.fields}
    for name, field in fields.items():
        if name in value:
            yield from _faults(value[name], field.type, (*keys, name))
        elif field.required:
            yield _missing(name, field.type, keys)
    for name in value:
        if name not in fields:
            yield Fault(
                (*keys, name),
                "unknown-key",
                Text(
                    f"`{_dotted((*keys, name))}` is hier niet bekend.",
                    f"`{_dotted((*keys, name))}` is not known here.",
                ),
                Text(
                    "Alleen bekende namen mogen in dit bestand staan.",
                    "Only known names may stand in this file.",
                ),
                meant(name, fields.keys() - value.keys()),
            )


def _dict(value: dict[str, Any], kind: inspect.DictType, keys: Keys) -> Iterator[Fault]:
    if len(value) < (kind.min_length or 0):
        yield _empty(keys)
    for name, inner in value.items():
        yield from _scalar(name, kind.key_type, (*keys, name))
        yield from _faults(inner, kind.value_type, (*keys, name))


def _list(value: list[Any], kind: inspect.VarTupleType, keys: Keys) -> Iterator[Fault]:
    if len(value) < (kind.min_length or 0):
        yield _empty(keys)
    for position, inner in enumerate(value):
        yield from _faults(inner, kind.item_type, (*keys, position))


def _union(value: Any, kind: inspect.UnionType, keys: Keys) -> Iterator[Fault]:
    choices = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
    fitting = [one for one in choices if _fits(value, one)]
    if len(choices) == 1:
        fitting = choices
    if fitting:
        yield from _faults(value, fitting[0], keys)
    else:
        yield from _wrong(value, inspect.UnionType(tuple(choices)), keys)


def _scalar(value: Any, kind: inspect.Type, keys: Keys) -> Iterator[Fault]:
    if not _fits(value, kind):
        yield from _wrong(value, kind, keys)
        return
    match kind:
        case inspect.StrType():
            yield from _string(value, kind, keys)
        case inspect.IntType() | inspect.FloatType():
            yield from _number(value, kind, keys)
        case inspect.LiteralType() if value not in kind.values:
            yield _refused(keys, value, meant(str(value), map(str, kind.values)))
        case inspect.CustomType() if issubclass(kind.cls, Oin) and not kind.cls.accepts(value):
            yield _refused(keys, value, kind.cls.shape)
        case inspect.DateType() if isinstance(value, str):
            try:
                date.fromisoformat(value)
            except ValueError:
                yield _refused(
                    keys, value, Text("Schrijf een datum als 2026-01-31.", "Write a date as 2026-01-31.")
                )


def _fits(value: Any, kind: inspect.Type) -> bool:
    """Whether the TOML kind of `value` is right; not yet whether its content is."""
    match kind:
        case inspect.Metadata():
            return _fits(value, kind.type)
        case inspect.AnyType():
            return True
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType():
            return isinstance(value, int) and not isinstance(value, bool)
        case inspect.FloatType():
            return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        case inspect.DateType():
            return isinstance(value, str) or type(value) is date
        case inspect.StructType() | inspect.DictType():
            return isinstance(value, dict)
        case inspect.VarTupleType():
            return isinstance(value, list)
        case _:
            return isinstance(value, str)


def _string(value: str, kind: inspect.StrType, keys: Keys) -> Iterator[Fault]:
    if len(value) < (kind.min_length or 0):
        yield _empty(keys)
    elif kind.max_length is not None and len(value) > kind.max_length:
        most = Text(
            f"Gebruik ten hoogste {kind.max_length} tekens.", f"Use at most {kind.max_length} characters."
        )
        yield _refused(keys, value, most)
    elif kind.pattern is not None and not re.fullmatch(kind.pattern, value):
        yield _refused(keys, value, _form(kind.pattern))


def _number(value: float, kind: inspect.IntType | inspect.FloatType, keys: Keys) -> Iterator[Fault]:
    low, high = kind.ge, kind.le
    if (low is not None and value < low) or (high is not None and value > high):
        between = Text(
            f"Kies een getal van {low} tot en met {high}.", f"Choose a number from {low} to {high}."
        )
        yield _refused(keys, value, between)


FORMS = {
    "[a-z][a-z0-9]{0,19}": Text(
        "Begin met een kleine letter; daarna kleine letters en cijfers, samen ten hoogste 20.",
        "Begin with a lower-case letter; then lower-case letters and digits, 20 at most.",
    ),
    "[a-z][a-z0-9-]*(": Text(
        "Schrijf een omgekeerde domeinnaam met ten minste drie delen, zoals `nl.wegen.brug`.",
        "Write a reverse domain name of at least three parts, such as `nl.wegen.brug`.",
    ),
    "[a-z_]": Text(
        "Begin met een kleine letter; daarna kleine letters, cijfers en `_`, samen ten hoogste 63.",
        "Begin with a lower-case letter; then lower-case letters, digits and `_`, 63 at most.",
    ),
    "[A-Za-z0-9]": Text(
        "Gebruik letters, cijfers, punt, streepje en `_`, ten hoogste 100.",
        "Use letters, digits, dot, dash and `_`, 100 at most.",
    ),
    "[A-Za-z0-9._-]": Text(
        "Gebruik letters, cijfers, punt, streepje en `_`, ten hoogste 100.",
        "Use letters, digits, dot, dash and `_`, 100 at most.",
    ),
    "[A-Za-z0-9./_-]": Text(
        "Gebruik letters, cijfers, punt, schuine streep, streepje en `_`, ten hoogste 100.",
        "Use letters, digits, dot, slash, dash and `_`, 100 at most.",
    ),
    "[a-z][a-z0-9_]{0,62}:": Text(
        "Schrijf de naam van een manier van inloggen, een dubbele punt, en hoe iemand daar heet: `staf:anna`.",
        "Write the name of a way of signing in, a colon, and what somebody is called there: `staff:anna`.",
    ),
    "[0-9a-f.:]": Text("Schrijf een netwerk als `10.1.0.0/16`.", "Write a network as `10.1.0.0/16`."),
    "[0-9a-f]": Text("Schrijf 64 kleine hexadecimale cijfers.", "Write 64 lower-case hex digits."),
    "sha256:": Text(
        "Schrijf `sha256:` en 64 kleine hexadecimale cijfers.",
        "Write `sha256:` and 64 lower-case hex digits.",
    ),
    "[A-Za-z]": Text(
        "Schrijf een URI, zoals `https://…` of `urn:…`.", "Write a URI, such as `https://…` or `urn:…`."
    ),
    "P": Text("Schrijf een duur als `P0D`, `P30D` of `P5Y`.", "Write a duration as `P0D`, `P30D` or `P5Y`."),
    "(VARCHAR": Text(
        "Kies VARCHAR, BIGINT, INTEGER, DOUBLE, BOOLEAN, DATE, TIMESTAMP of DECIMAL(p,s).",
        "Choose VARCHAR, BIGINT, INTEGER, DOUBLE, BOOLEAN, DATE, TIMESTAMP or DECIMAL(p,s).",
    ),
    "BWB": Text("Schrijf een BWB-nummer als `BWBR0015703`.", "Write a BWB number as `BWBR0015703`."),
    "(BSN": Text("Schrijf `BSN` of een URI.", "Write `BSN` or a URI."),
    "/": Text(
        "Schrijf een volledig pad, zoals `/etc/map/bestand`.", "Write a full path, such as `/etc/dir/file`."
    ),
    "https://": Text(
        "Schrijf een adres als `https://naam:8443`.", "Write an address as `https://name:8443`."
    ),
    "[^\\s@": Text(
        "Schrijf een e-mailadres als `naam@voorbeeld.nl`.", "Write an e-mail address as `name@example.org`."
    ),
    "\\+[0-9]": Text(
        "Schrijf een telefoonnummer als `+31201234567`.", "Write a telephone number as `+31201234567`."
    ),
    "([01]": Text("Schrijf een tijd als `21:00`.", "Write a time as `21:00`."),
    "(own": Text(
        "Schrijf `own`, of een adres als `https://naam/pad`.",
        "Write `own`, or an address as `https://name/path`.",
    ),
    "https?://": Text(
        "Schrijf een adres als `https://naam/pad`.", "Write an address as `https://name/path`."
    ),
}
"""How a string must look, by the beginning of its pattern."""


def _form(pattern: str) -> Text:
    found = max((start for start in FORMS if pattern.removeprefix("^").startswith(start)), key=len)
    return FORMS[found]


def _dotted(keys: Keys) -> str:
    return "".join(f"[{key + 1}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")


def _words(kind: inspect.Type) -> Text:
    match kind:
        case inspect.Metadata():
            return _words(kind.type)
        case inspect.BoolType():
            return Text("`true` of `false`", "`true` or `false`")
        case inspect.IntType():
            return Text("een heel getal", "a whole number")
        case inspect.FloatType():
            return Text("een getal", "a number")
        case inspect.DateType():
            return Text("een datum, zoals 2026-01-31", "a date, such as 2026-01-31")
        case inspect.StructType() | inspect.DictType():
            return Text("een tabel met namen en waarden", "a table of names and values")
        case inspect.VarTupleType():
            return Text("een lijst tussen `[` en `]`", "a list between `[` and `]`")
        case inspect.UnionType():
            all_words = [_words(one) for one in kind.types]
            return Text(" of ".join(one.nl for one in all_words), " or ".join(one.en for one in all_words))
        case inspect.CustomType() if kind.cls is Path:
            return Text("een bestandsnaam tussen aanhalingstekens", "a file name between quotes")
        case _:
            return Text("tekst tussen aanhalingstekens", "text between quotes")


def _wrong(value: Any, kind: inspect.Type, keys: Keys) -> Iterator[Fault]:
    need = _words(kind)
    yield Fault(
        keys,
        "wrong-type",
        Text(
            f"`{_dotted(keys)}` heeft de verkeerde soort waarde.",
            f"`{_dotted(keys)}` has the wrong kind of value.",
        ),
        Text(f"Hier hoort {need.nl}.", f"This takes {need.en}."),
        Text("Verander de waarde.", "Change the value."),
    )


def _missing(name: str, kind: inspect.Type, keys: Keys) -> Fault:
    need, full = _words(kind), _dotted((*keys, name))
    return Fault(
        (*keys, name),
        "missing-key",
        Text(f"`{full}` ontbreekt.", f"`{full}` is missing."),
        Text("Zonder deze waarde is dit niet volledig.", "Without this value it is not complete."),
        Text(f"Voeg `{full}` toe: {need.nl}.", f"Add `{full}`: {need.en}."),
    )


def _empty(keys: Keys) -> Fault:
    return Fault(
        keys,
        "empty-value",
        Text(f"`{_dotted(keys)}` is leeg.", f"`{_dotted(keys)}` is empty."),
        Text("Hier is ten minste één waarde nodig.", "At least one value is needed here."),
        Text("Vul een waarde in.", "Fill in a value."),
    )


def _refused(keys: Keys, value: object, next: Text) -> Fault:
    shown = str(value) if len(str(value)) <= 60 else str(value)[:60] + "…"
    return Fault(
        keys,
        "wrong-value",
        Text(
            f"De waarde van `{_dotted(keys)}` kan niet.", f"The value of `{_dotted(keys)}` is not possible."
        ),
        Text(f"Er staat `{shown}`.", f"It says `{shown}`."),
        next,
    )
