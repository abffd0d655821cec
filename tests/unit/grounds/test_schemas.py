"""The published schemas accept what the loader accepts, and refuse what it refuses wherever a schema can."""

import copy
import json
import tomllib
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.unit.grounds.examples import ACTIVITY, DATASET, DISCLOSURE, THIRD
from tests.unit.test_config import NODE

from sluis.config import Config, schemas
from sluis.grounds import Activity, Dataset, Disclosure, faults
from sluis.grounds.files import FORMS

MORE = f"""
[withhold]
days = 30
article = {{ law = "AVG", article = "23" }}

[aggregate]
minimum = 10
combiner = "{THIRD}"
functions.inkomen = ["max"]

[price]
per_question = 10
"""
NODE_MORE = """
[ledger]
witnesses = ["gemeente"]

[limits]
question_seconds = 2.5

[tls]
authorities = ["a.pem"]
"""


def as_json(text: str) -> dict[str, Any]:
    """TOML as a schema sees it: dates as strings."""
    plain: dict[str, Any] = json.loads(json.dumps(tomllib.loads(text), default=date.isoformat))
    return plain


FILES: dict[str, tuple[type, dict[str, Any]]] = {
    "dataset": (FORMS[Dataset], as_json(DATASET)),
    "activity": (FORMS[Activity], as_json(ACTIVITY)),
    "disclosure": (FORMS[Disclosure], as_json(DISCLOSURE + MORE)),
    "node": (Config, as_json(NODE + NODE_MORE)),
}
VALIDATORS = {name: Draft202012Validator(schemas()[f"{name}.schema.json"]) for name in FILES}
ODD: list[Any] = [
    "",
    "x",
    "X Y",
    "2026-01-01",
    "BSN",
    "P0D",
    THIRD,
    0,
    1,
    -1,
    10**30,
    0.5,
    True,
    [],
    {},
    ["x"],
    [1],
    {"x": 1},
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, inner in children:
        yield (*path, key)
        yield from places(inner, (*path, key))


@pytest.mark.parametrize("name", FILES)
def test_a_schema_is_itself_valid(name: str) -> None:
    Draft202012Validator.check_schema(schemas()[f"{name}.schema.json"])


@pytest.mark.parametrize("name", FILES)
def test_every_example_file_validates(name: str) -> None:
    kind, plain = FILES[name]
    assert list(VALIDATORS[name].iter_errors(plain)) == []
    assert list(faults(plain, kind)) == []


@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_changed_file_is_refused_by_both_or_by_neither(name: str, data: st.DataObject) -> None:
    kind, original = FILES[name]
    changed = copy.deepcopy(original)
    path = data.draw(st.sampled_from(list(places(changed))))
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    match data.draw(st.sampled_from(["replace", "remove", "add"])):
        case "replace":
            parent[path[-1]] = data.draw(st.sampled_from(ODD))
        case "remove":
            parent.pop(path[-1])
        case "add":
            assume(isinstance(parent, dict))
            parent[data.draw(st.sampled_from(["x", "Naam", "nl", "rows"]))] = data.draw(st.sampled_from(ODD))
    refused = [fault.what.en for fault in faults(changed, kind)]
    assert bool(refused) == (not VALIDATORS[name].is_valid(changed)), refused


def test_every_key_has_a_meaning_in_both_languages() -> None:
    for document in schemas().values():
        for path in places(document):
            # A key may itself be called `properties`: then the one above it says so too.
            if len(path) > 1 and path[-2] == "properties" and path[-3:-2] != ("properties",):
                part: Any = document
                for key in path:
                    part = part[key]
                dutch, english = part["description"].split("\n\n")
                assert dutch
                assert english
