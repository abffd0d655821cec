"""What an OpenAPI 3 document says can be read: which paths give objects, with which columns, keys and pages."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from sluis.sources.base import ColumnInfo, TableInfo

PAGE = ("page", "pagina", "pageNumber")
SIZE = ("pageSize", "page_size", "per_page", "perPage", "limit", "size")
CURSOR = ("cursor", "after", "pageToken")
FIELDS = ("fields", "velden")
ITEMS = re.compile(r"items|results|resultaten|data|content|value|_embedded", re.IGNORECASE)
_FORMATS = {"date": "DATE", "date-time": "TIMESTAMPTZ"}
_TYPES = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "string": "VARCHAR"}


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of a path. `most` is how many values one request may carry."""

    name: str
    place: str
    required: bool
    most: int = 1
    explode: bool = True
    type: str = "VARCHAR"


class Resource(msgspec.Struct, frozen=True):
    """A path that can be read. `keys` are parameters by which rows are found, `steering` those that page and select, with
    the largest value that the document gives them."""

    path: str
    table: TableInfo
    keys: Mapping[str, Parameter]
    steering: Mapping[str, int | None]
    nested: frozenset[str]


def _resolve(document: Mapping[str, Any], node: Any) -> Any:
    """Follow `$ref` inside the document; one to elsewhere is not followed."""
    for _ in range(20):
        reference = node.get("$ref") if isinstance(node, dict) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return node
        node = document
        for part in reference[2:].split("/"):
            node = node.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(node, dict) else {}
    return {}


def _properties(document: Mapping[str, Any], schema: Any, depth: int = 0) -> dict[str, Any]:
    """The properties of an object schema, those of `allOf` included."""
    schema = _resolve(document, schema)
    if not isinstance(schema, dict) or depth > 10:
        return {}
    found: dict[str, Any] = {}
    for part in schema.get("allOf") or ():
        found |= _properties(document, part, depth + 1)
    return found | (schema.get("properties") or {})


def _row_schema(document: Mapping[str, Any], schema: Any) -> Any:
    """The schema of one row: of the items of an array, or of the array in a wrapper, or of the object itself."""
    schema = _resolve(document, schema)
    if not isinstance(schema, dict):
        return {}
    if _kind(schema) == "array":
        return schema.get("items") or {}
    for name, inner in _properties(document, schema).items():
        inner = _resolve(document, inner)
        if not ITEMS.fullmatch(name) or not isinstance(inner, dict):
            continue
        if _kind(inner) == "array":
            return inner.get("items") or {}
        arrays = [_resolve(document, p) for p in _properties(document, inner).values()]
        if name == "_embedded" and len(arrays) == 1 and _kind(arrays[0]) == "array":
            return arrays[0].get("items") or {}
    return schema


def _kind(schema: Mapping[str, Any]) -> str:
    """The type of a schema; OpenAPI 3.1 may list several, of which `null` says nothing."""
    kind = schema.get("type", "")
    return str(next((name for name in kind if name != "null"), "") if isinstance(kind, list) else kind)


def _duckdb_type(schema: Any) -> str:
    if not isinstance(schema, dict):
        return "VARCHAR"
    kind = _kind(schema)
    return (
        _FORMATS.get(schema.get("format", ""), "VARCHAR") if kind == "string" else _TYPES.get(kind, "VARCHAR")
    )


def resources(document: Mapping[str, Any]) -> dict[str, Resource]:
    """Per path (as written in the document) what can be read there."""
    found = {}
    for path, item in (document.get("paths") or {}).items():
        operation = item.get("get") if isinstance(item, dict) else None
        if isinstance(operation, dict) and (resource := _resource(document, path, item, operation)):
            found[path] = resource
    return found


def _resource(
    document: Mapping[str, Any], path: str, item: Mapping[str, Any], operation: Mapping[str, Any]
) -> Resource | None:
    answer = _resolve(document, (operation.get("responses") or {}).get("200") or {})
    kinds = answer.get("content") or {}
    schema = next((kind.get("schema") for name, kind in kinds.items() if "json" in name), None)
    properties = _properties(document, _row_schema(document, schema)) if schema else {}
    if not properties:
        return None
    listed = [
        _resolve(document, p) for p in (*(item.get("parameters") or ()), *(operation.get("parameters") or ()))
    ]
    steering = {
        p["name"]: _resolve(document, p.get("schema") or {}).get("maximum")
        for p in listed
        if p["name"] in (*PAGE, *SIZE, *CURSOR, *FIELDS)
    }
    keys = {
        p["name"]: _parameter(document, p)
        for p in listed
        if p.get("in") in {"path", "query"} and p["name"] not in steering
    }
    resolved = {name: _resolve(document, inner) for name, inner in properties.items()}
    columns = [ColumnInfo(name, _duckdb_type(s), _kind(s or {}), True) for name, s in resolved.items()]
    columns += [
        ColumnInfo(p.name, p.type, f"{p.place} parameter", True)
        for p in keys.values()
        if p.name not in resolved
    ]
    nested = frozenset(n for n, s in resolved.items() if isinstance(s, dict) and _is_nested(document, s))
    key = tuple(p.name for p in keys.values() if p.place == "path")
    return Resource(path, TableInfo(path, tuple(columns), key, None), keys, steering, nested)


def _is_nested(document: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    return _kind(schema) in {"object", "array"} or bool(_properties(document, schema))


def _parameter(document: Mapping[str, Any], given: Mapping[str, Any]) -> Parameter:
    schema = _resolve(document, given.get("schema") or {})
    many = _kind(schema) == "array"
    inner = _resolve(document, schema.get("items") or {}) if many else schema
    place = str(given["in"])
    return Parameter(
        name=str(given["name"]),
        place=place,
        required=place == "path" or bool(given.get("required")),
        most=min(100, int(schema.get("maxItems", 100))) if many and place == "query" else 1,
        explode=bool(given.get("explode", True)),
        type=_duckdb_type(inner),
    )
