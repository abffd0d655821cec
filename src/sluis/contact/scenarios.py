"""The scenarios of a node directory: `scenarios/*.toml`, one to a file, read as the other files are, and held against what they
name: channels, processing activities, event types, and their templates, each rendered once with made-up facts.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from sluis.contact.model import Occurrence, Scenario
from sluis.contact.rendering import LANGUAGES, Templates
from sluis.contact.rules import seconds
from sluis.events.cesql import Expression, compile_expression
from sluis.grounds import Document, Fault, faults, meant, read_document
from sluis.kernel import Invalid, Place, Text, convert

SCENARIOS = "scenarios"
"""The folder that they are in."""

SAMPLES: dict[str, Any] = {"text": "voorbeeld", "number": 1, "boolean": True, "date": "2026-11-22"}
"""A fact of each type, made up."""

FactTypes = Mapping[str, Mapping[str, str]]
"""Per event type the type of each fact, by name."""


class WrittenScenario(msgspec.Struct, frozen=True):
    """A scenario and the file it stands in."""

    scenario: Scenario
    document: Document


class ScenarioReading(msgspec.Struct, frozen=True):
    """What was read, and every problem with the files one by one."""

    written: tuple[WrittenScenario, ...]
    problems: tuple[Invalid, ...]


class Around(msgspec.Struct, frozen=True):
    """What scenarios are held against; None where it is not known.

    Args:
        channels: names in the settings.
        activities: ids in the register of processing.
        facts: of each event type.
        templates: that there are.
    """

    channels: Collection[str] | None = None
    activities: Collection[str] | None = None
    facts: FactTypes | None = None
    templates: Templates | None = None


class Listening(msgspec.Struct, frozen=True):
    """A scenario, ready to hear events."""

    scenario: Scenario
    condition: Expression | None

    def concerns(self, occurrence: Occurrence) -> bool:
        """Whether its person is told of this one."""
        return self.scenario.event == occurrence.type and (
            self.condition is None or self.condition.holds(occurrence.facts)
        )


def read_scenarios(directory: Path) -> ScenarioReading:
    """Every file in `scenarios/` of a node directory. Does not raise for what is wrong inside: see `problems`."""
    written, problems = list[WrittenScenario](), list[Invalid]()
    try:
        paths = sorted((directory / SCENARIOS).glob("[!.]*.toml"))
    except OSError:
        paths = []
    for path in paths:
        try:
            document = read_document(path)
        except Invalid as problem:
            problems.append(problem)
            continue
        found = [fault.problem(document) for fault in faults(document.tables, Scenario)]
        problems += found
        if not found:
            written.append(WrittenScenario(convert(document.tables, Scenario), document))
    return ScenarioReading(tuple(written), tuple(problems))


def examine_scenarios(reading: ScenarioReading, around: Around) -> tuple[Invalid, ...]:
    """Every problem: of the files one by one, and with what they name."""
    told = list(reading.problems)
    seen: dict[str, str] = {}
    for one in reading.written:
        for fault in (*_unknown(one.scenario, around), *_twice(one, seen), *_unfit(one.scenario)):
            told.append(fault.problem(one.document))
        told += _condition(one, around)
        told += _templates(one.scenario, around)
    return tuple(told)


def listening(reading: ScenarioReading) -> tuple[Listening, ...]:
    """The scenarios, their conditions compiled. Raises `Invalid` for one that cannot be."""
    return tuple(
        Listening(
            one.scenario, None if (text := one.scenario.condition) is None else compile_expression(text)
        )
        for one in reading.written
    )


def _unknown(scenario: Scenario, around: Around) -> Iterator[Fault]:
    if around.activities is not None and scenario.activity not in around.activities:
        yield _absent(("activity",), "unknown-activity", scenario.activity, around.activities)
    if around.facts is not None and scenario.event not in around.facts:
        yield _absent(("event",), "unknown-event-type", scenario.event, around.facts)
    elif around.facts is not None and scenario.case not in (None, *around.facts[scenario.event]):
        yield _absent(("case",), "unknown-fact", str(scenario.case), around.facts[scenario.event])
    for number, step in enumerate(scenario.steps):
        if around.channels is not None and step.channel not in around.channels:
            yield _absent(("steps", number, "channel"), "unknown-channel", step.channel, around.channels)


def _absent(keys: tuple[str | int, ...], code: str, name: str, known: Collection[str]) -> Fault:
    return Fault(
        keys,
        code,
        Text(f"`{name}` is er niet.", f"`{name}` is not there."),
        Text("Een scenario noemt alleen wat in dit knooppunt bestaat.",
             "A scenario names only what exists in this node."),
        meant(name, known),
    )  # fmt: skip


def _twice(one: WrittenScenario, seen: dict[str, str]) -> Iterator[Fault]:
    other = seen.setdefault(one.scenario.id, one.document.file)
    if other != one.document.file:
        yield Fault(
            ("id",),
            "scenario-twice",
            Text(f"`{one.scenario.id}` is er al.", f"`{one.scenario.id}` is there already."),
            Text(f"Het staat ook in {other}.", f"It stands in {other} too."),
            Text("Kies een andere naam.", "Choose another name."),
        )
    channels = [step.channel for step in one.scenario.steps]
    for number, channel in enumerate(channels):
        if channel in channels[:number]:
            yield Fault(
                ("steps", number, "channel"),
                "channel-twice",
                Text(f"`{channel}` staat er twee keer.", f"`{channel}` stands there twice."),
                Text("Een bericht gaat één keer langs elk kanaal.", "A message goes by each channel once."),
                Text("Haal één van beide weg.", "Remove one of the two."),
            )


def _unfit(scenario: Scenario) -> Iterator[Fault]:
    """What would make every message fail: a subject of more lines, or a message that is destroyed before its last step."""
    for language in LANGUAGES:
        if not getattr(scenario.subject, language).isprintable():
            yield Fault(
                ("subject", language),
                "subject-lines",
                Text("Dit onderwerp is meer dan één regel.", "This subject is more than one line."),
                Text("Een e-mail met zo'n onderwerp gaat nooit weg.", "An e-mail with such a subject never leaves."),
                Text("Zet het op één regel, zonder stuurtekens.", "Put it on one line, without control characters."),
            )  # fmt: skip
    if sum(seconds(step.wait) for step in scenario.steps) > seconds(scenario.retention):
        yield Fault(
            ("retention",),
            "retention-short",
            Text("Een bericht wordt vernietigd voor zijn laatste stap voorbij is.",
                 "A message is destroyed before its last step is over."),
            Text("De wachttijden zijn samen langer dan `retention`.", "Together the waits are longer than `retention`."),
            Text("Maak `retention` langer, of de wachttijden korter.", "Make `retention` longer, or the waits shorter."),
        )  # fmt: skip


def _condition(one: WrittenScenario, around: Around) -> Iterator[Invalid]:
    if one.scenario.condition is None:
        return
    place = one.document.place(("condition",))
    try:
        expression = compile_expression(one.scenario.condition)
    except Invalid as problem:
        yield Invalid(problem.code, problem.what, problem.why, problem.next, place=place)
        return
    for doubt in expression.doubts:
        yield _doubtful(doubt.name, place)
    if around.facts is not None and one.scenario.event in around.facts:
        known = around.facts[one.scenario.event]
        for name in sorted(expression.names - set(known)):
            yield _absent(("condition",), "unknown-fact", name, known).problem(one.document)


def _doubtful(name: str, place: Place) -> Invalid:
    return Invalid(
        "unknown-function",
        Text(f"`{name}` is geen functie van CESQL.", f"`{name}` is no function of CESQL."),
        Text("De voorwaarde zou dan nooit gelden.", "Then the condition would never hold."),
        Text("Kijk de naam en het aantal waarden na.", "Check the name and the number of values."),
        place=place,
    )


def _templates(scenario: Scenario, around: Around) -> Iterator[Invalid]:
    """Rendered in a test with made-up facts; where the event type is not known, that cannot be done."""
    if around.templates is None or around.facts is None or scenario.event not in around.facts:
        return
    facts = {name: SAMPLES[kind] for name, kind in around.facts[scenario.event].items()}
    told = dict[Place | None, Invalid]()
    for language in LANGUAGES:
        try:
            around.templates.render(scenario, language, facts)
        except Invalid as problem:
            told.setdefault(problem.place, problem)
    yield from told.values()
