"""JSON Schemas (draft 2020-12) of the files, made from the structs that read them, so that editors can help.

What a schema cannot say stays with `sluis check`: names that must exist, SQL, and what files say together. A date is
a string here, because JSON has no dates; in TOML it stands without quotes.
"""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from sluis.grounds.files import DatasetFile
from sluis.grounds.model import Activity, Disclosure, EventType, Notice
from sluis.grounds.words import WORDS, Words
from sluis.kernel import Oin, Text

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """The schemas of the kinds of file in this room, by file name."""
    return {
        "dataset.schema.json": schema(DatasetFile, Text("Dataset", "Dataset"), WORDS),
        "activity.schema.json": schema(Activity, Text("Verwerkingsactiviteit", "Processing activity"), WORDS),
        "disclosure.schema.json": schema(Disclosure, Text("Verstrekking", "Disclosure"), WORDS),
        "event-type.schema.json": schema(EventType, Text("Gebeurtenistype", "Event type"), WORDS),
        "notice.schema.json": schema(Notice, Text("Kennisgeving", "Notice"), WORDS),
    }


def schema(kind: type[msgspec.Struct], title: Text, words: Words) -> dict[str, Any]:
    """The schema of a file that holds one `kind`.

    Args:
        kind: the struct; its constraints become the schema's.
        title: what the file is called.
        words: the meaning of every field of `kind` and of the structs in it.
    """
    return {
        "$schema": DRAFT,
        "$id": f"urn:sluis:schema:{kind.__name__.lower()}",
        "title": f"{title.nl} / {title.en}",
        **_of(inspect.type_info(kind), words),
    }


def _of(kind: inspect.Type, words: Words) -> dict[str, Any]:
    match kind:
        case inspect.Metadata():
            return _of(kind.type, words)
        case inspect.AnyType():
            return {}
        case inspect.StructType():
            return _struct(kind, words)
        case inspect.UnionType():
            choices = [_of(one, words) for one in kind.types if not isinstance(one, inspect.NoneType)]
            return choices[0] if len(choices) == 1 else {"anyOf": choices}
        case inspect.DictType():
            names = _of(kind.key_type, words)
            return _bounded(
                {
                    "type": "object",
                    "propertyNames": names,
                    "additionalProperties": _of(kind.value_type, words),
                },
                minProperties=kind.min_length,
            )
        case inspect.VarTupleType():
            return _bounded({"type": "array", "items": _of(kind.item_type, words)}, minItems=kind.min_length)
        case inspect.LiteralType():
            return {"enum": sorted(kind.values)}
        case inspect.StrType():
            # Only in Python does `$` also stand before a line end, and not every reader of schemas knows what excludes that.
            pattern = kind.pattern and kind.pattern.replace(r"$(?!\n)", "$")
            return _bounded(
                {"type": "string"}, minLength=kind.min_length, maxLength=kind.max_length, pattern=pattern
            )
        case inspect.IntType():
            return _bounded({"type": "integer"}, minimum=kind.ge, maximum=kind.le)
        case inspect.FloatType():
            return _bounded({"type": "number"}, minimum=kind.ge, maximum=kind.le)
        case inspect.BoolType():
            return {"type": "boolean"}
        case inspect.DateType():
            return {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
        case inspect.CustomType() if issubclass(kind.cls, Oin):
            return {"type": "string", "pattern": "^[0-9]{20}$"}
        case _:
            return {"type": "string"}


def _struct(kind: inspect.StructType, words: Words) -> dict[str, Any]:
    properties = {}
    for field in kind.fields:
        meaning = words[kind.cls.__name__][field.encode_name]
        described = {"description": f"{meaning.nl}\n\n{meaning.en}"}
        properties[field.encode_name] = {**_of(field.type, words), **described, **_default(field)}
    required = [field.encode_name for field in kind.fields if field.required]
    return {
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _default(field: inspect.Field) -> dict[str, Any]:
    """The default of a field where it is a value of its own; a table's defaults stand with its fields."""
    if isinstance(field.default, Path):
        return {"default": str(field.default)}
    if isinstance(field.default, tuple) and field.default:
        return {"default": [str(one) for one in field.default]}
    if isinstance(field.default, str) and field.default:
        return {"default": str.__str__(field.default)}
    return {"default": field.default} if isinstance(field.default, bool | int | float) else {}


def _bounded(base: dict[str, Any], **bounds: Any) -> dict[str, Any]:
    return {**base, **{name: bound for name, bound in bounds.items() if bound is not None}}
