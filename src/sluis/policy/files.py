"""The organisation's own policies, as people write them: `*.cedar`, tests beside them in `*.test.toml`, what is known of
people and things in `entities.json`, and a `schema.cedarschema` where somebody wants one.

A file that nobody would read is told, and so is a test that does not come out: a policy that forbids and is not there
opens what it was to close.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
from cedarpy import Entities

from sluis.crypto import read_json
from sluis.grounds import Document, Fault, Grounds, faults, parse_document, read_text
from sluis.kernel import Clock, Invalid, Place, Text, convert
from sluis.policy.cedar import read_policies, read_schema, schema_faults, twice
from sluis.policy.disclosures import rulings_of
from sluis.policy.engine import Engine
from sluis.policy.model import Action, Evaluation, Policies, Properties, Resource, Subject
from sluis.policy.standard import STANDARD

ENTITIES, SCHEMA = "entities.json", "schema.cedarschema"
_POLICIES, _TESTS = ".cedar", ".test.toml"

BY_DAY = "policy-test-of-today"
"""The finding of a test without `at` that does not come out: time alone can bring it about, so a node starts with it."""


def holds_policies(path: Path) -> bool:
    """Whether a file is one of those in a folder of policies, by its name."""
    return path.suffix == _POLICIES or path.name.endswith(_TESTS) or path.name in (ENTITIES, SCHEMA)


class Named(msgspec.Struct, frozen=True):
    """An action in a test."""

    name: str
    properties: Properties = {}


class Thing(msgspec.Struct, frozen=True):
    """A subject or resource in a test."""

    type: str
    id: str
    properties: Properties = {}


class Case(msgspec.Struct, frozen=True):
    """One test: this request, decided at that moment (the present when it names none), comes out so."""

    name: str
    subject: Thing
    action: Named
    resource: Thing
    expect: Literal["permit", "deny"]
    context: Properties = {}
    at: str | None = None
    rule: str | None = None

    @property
    def evaluation(self) -> Evaluation:
        """The request."""
        one, thing = self.subject, self.resource
        return Evaluation(
            Subject(one.type, one.id, one.properties),
            Action(self.action.name, self.action.properties),
            Resource(thing.type, thing.id, thing.properties),
            self.context,
        )


class Cases(msgspec.Struct, frozen=True):
    """A file of tests."""

    test: tuple[Case, ...]


class Tried(msgspec.Struct, frozen=True):
    """A test and what came of it: `problem` is None when it came out."""

    case: Case
    place: Place
    problem: Invalid | None


class Own(msgspec.Struct, frozen=True):
    """What stands in a folder of policies, and every problem with the files one by one."""

    texts: dict[str, str] = {}
    entities: tuple[dict[str, Any], ...] = ()
    schema: str | None = None
    cases: tuple[tuple[Case, Place], ...] = ()
    problems: tuple[Invalid, ...] = ()


def read_own(folder: Path) -> Own:
    """Read the own policies of a node; a folder that is not there has none. Raises nothing: see `Own.problems`."""
    reading = _Reading(folder)
    reading.run()
    return Own(reading.texts, reading.entities, reading.schema, tuple(reading.cases), tuple(reading.problems))


def policies_of(
    own: Own, grounds: Grounds, alias: str, contracts: bool, known: Sequence[dict[str, Any]] = ()
) -> Policies:
    """All that decisions follow from.

    Args:
        own: as read, without problems.
        grounds: the node's, as loaded.
        alias: the name that askers put before the dot.
        contracts: whether peers come under contracts.
        known: what the node knows besides, such as its peers, in Cedar's JSON form; this goes before `entities.json`.
    """
    entities = {_key(one): one for one in (*own.entities, *known)}
    ordered = tuple(entities[key] for key in sorted(entities))
    return Policies(
        {**STANDARD, **own.texts}, rulings_of(grounds, alias, contracts), ordered, own.schema, contracts
    )


def try_cases(own: Own, engine: Engine, clock: Clock) -> Iterator[Tried]:
    """Decide every test, in order."""
    for case, place in own.cases:
        moment = datetime.fromisoformat(case.at) if case.at is not None else clock()
        try:
            decided = engine.decide(case.evaluation, moment)
        except Invalid as problem:
            yield Tried(
                case, place, Invalid(problem.code, problem.what, problem.why, problem.next, place=place)
            )
            continue
        came = "permit" if decided.permit else "deny"
        fits = came == case.expect and case.rule in (None, decided.rule)
        yield Tried(case, place, None if fits else _came_out(case, came, decided.rule, place))


def examine_own(own: Own, policies: Policies, clock: Clock) -> tuple[Invalid, ...]:
    """Every problem with the own policies: of the files, and of the tests when all files can be read; `policies` are those
    that `policies_of` made of them."""
    if own.problems or not own.cases:
        return own.problems
    engine = Engine(policies)
    return tuple(one.problem for one in try_cases(own, engine, clock) if one.problem is not None)


class _Reading:
    """Goes through a folder once, and gathers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.texts: dict[str, str] = {}
        self.entities: tuple[dict[str, Any], ...] = ()
        self.schema: str | None = None
        self.cases: list[tuple[Case, Place]] = []
        self.problems: list[Invalid] = []
        self.ids = {one.id for file, text in STANDARD.items() for one in read_policies(text, file)}

    def run(self) -> None:
        try:
            paths = sorted(self.folder.iterdir()) if self.folder.exists() else []
        except OSError as error:
            self.problems.append(_closed(self.folder, error))
            return
        schemas = [path for path in paths if path.name == SCHEMA]
        for path in schemas + [path for path in paths if path.name != SCHEMA]:
            if path.name.startswith(".") or path.suffix == ".md":
                continue
            try:
                self.read(path)
            except Invalid as problem:
                self.problems.append(problem)

    def read(self, path: Path) -> None:
        if path.name == SCHEMA:
            self.schema = read_schema(read_text(path), str(path))
        elif path.name == ENTITIES:
            self.entities = _entities(read_text(path), str(path), self.schema)
        elif path.name.endswith(_TESTS):
            self.tests(parse_document(read_text(path), str(path)))
        elif path.suffix == _POLICIES:
            self.policies(path)
        else:
            raise _unknown(path)

    def policies(self, path: Path) -> None:
        text = read_text(path)
        found = read_policies(text, str(path))
        for one in found:
            if one.id in self.ids:
                self.problems.append(twice(one.id, Place(str(path), one.line)))
            self.ids.add(one.id)
        self.texts[path.name] = text
        if self.schema is not None:
            self.problems += schema_faults(text, self.schema, str(path))

    def tests(self, document: Document) -> None:
        tables = _moments_as_text(document.tables)
        found = [*faults(tables, Cases)]
        found += [] if found else _wrong_moments(tables)
        self.problems += [fault.problem(document) for fault in found]
        if not found:
            read = convert(tables, Cases)
            self.cases += [(case, document.place(("test", at))) for at, case in enumerate(read.test)]


def _moments_as_text(value: Any) -> Any:
    """TOML has dates and times of its own; what decides is their text."""
    if isinstance(value, dict):
        return {name: _moments_as_text(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_moments_as_text(one) for one in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _wrong_moments(tables: dict[str, Any]) -> Iterator[Fault]:
    for at, one in enumerate(tables["test"]):
        if "at" not in one:
            continue
        try:
            aware = datetime.fromisoformat(one["at"]).tzinfo is not None
        except ValueError:
            aware = False
        if not aware:
            yield Fault(
                ("test", at, "at"),
                "policy-test-moment",
                Text("`at` is geen moment.", "`at` is no moment."),
                Text("Er hoort een datum te staan, een tijd en een tijdzone.", "It needs a date, a time and a time zone."),
                Text("Schrijf bijvoorbeeld `2026-06-01T12:00:00Z`.", "Write `2026-06-01T12:00:00Z`, for instance."),
            )  # fmt: skip


def _entities(text: str, file: str, schema: str | None) -> tuple[dict[str, Any], ...]:
    """Entities with their type and id written in the one way that is used here."""
    try:
        found = read_json(text.encode(), most=200_000)
        Entities.from_json_str(text, schema)
        return tuple({**one, "uid": _uid(one["uid"]), "attrs": one.get("attrs", {}),
                      "parents": [_uid(parent) for parent in one.get("parents", [])]} for one in found)  # fmt: skip
    except (ValueError, Invalid) as problem:
        reason = problem.why if isinstance(problem, Invalid) else Text(
            f"De lezer meldt: {problem}.", f"The parser says: {problem}.")  # fmt: skip
        raise Invalid(
            "cedar-entities",
            Text("Dit bestand beschrijft geen entiteiten voor Cedar.", "This file describes no entities for Cedar."),
            reason,
            Text("Schrijf een lijst van objecten met `uid`, `attrs` en `parents`.",
                 "Write a list of objects with `uid`, `attrs` and `parents`."),
            place=Place(file),
        ) from None  # fmt: skip


def _uid(value: dict[str, Any]) -> dict[str, str]:
    inner = value.get("__entity", value)
    return {"type": inner["type"], "id": inner["id"]}


def _key(entity: dict[str, Any]) -> tuple[str, str]:
    return entity["uid"]["type"], entity["uid"]["id"]


def _came_out(case: Case, came: str, rule: str, place: Place) -> Invalid:
    wanted = case.expect if case.rule is None else f"{case.expect} ({case.rule})"
    return Invalid(
        "policy-test" if case.at is not None else BY_DAY,
        Text(f"De test `{case.name}` komt niet uit.", f"The test `{case.name}` does not come out."),
        Text(
            f"Verwacht: {wanted}. Beslist: {came} ({rule}).", f"Expected: {wanted}. Decided: {came} ({rule})."
        ),
        Text("Verander de regel, of de test.", "Change the policy, or the test."),
        place=place,
    )


def _unknown(path: Path) -> Invalid:
    return Invalid(
        "unknown-policy-file",
        Text("Dit bestand wordt niet gelezen.", "This file is not read."),
        Text(f"Gelezen worden `*{_POLICIES}`, `*{_TESTS}`, `{ENTITIES}` en `{SCHEMA}`.",
             f"Those that are read are `*{_POLICIES}`, `*{_TESTS}`, `{ENTITIES}` and `{SCHEMA}`."),
        Text("Geef het een van deze namen, of zet het ergens anders.", "Give it one of these names, or put it elsewhere."),
        place=Place(str(path)),
    )  # fmt: skip


def _closed(folder: Path, error: OSError) -> Invalid:
    reason = error.strerror or type(error).__name__
    return Invalid(
        "unreadable-folder",
        Text("De map is niet te lezen.", "The folder cannot be read."),
        Text(f"Het systeem meldt: {reason}.", f"The system says: {reason}."),
        Text("Controleer de naam en de rechten.", "Check the name and the permissions."),
        place=Place(str(folder)),
    )
