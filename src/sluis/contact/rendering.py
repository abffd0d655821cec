"""Templates into words: Jinja in its sandbox, so that whoever writes a template reaches nothing but what it is given.

An unknown name is a fault, never an empty place in a letter. What comes from an event is escaped in HTML. `sluis check` tries
every template with made-up facts before anybody gets a message.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sluis.contact.model import Language, Said, Scenario
from sluis.kernel import Invalid, Place, Text, written_day

LANGUAGES: tuple[Language, ...] = ("nl", "en")
FORMS = ("txt", "html")

NOTICES = Path(__file__).parent / "notices"
"""Templates of messages that the node sends of itself, for who wrote none."""

LONGEST = {"txt": 100_000, "html": 200_000}
"""Characters of what a template may give."""

LONGEST_SHORT = 612
"""Characters of a text message: four parts of 153 (3GPP TS 23.040)."""


class Templates:
    """The templates of one folder: `NAME.nl.txt`, `NAME.nl.html`, `NAME.en.txt`, `NAME.en.html`.

    Args:
        folder: where they are.
        organisation: whose messages these are; `{{ organisation }}` in a template.
        portal: address of its pages, `{{ portal }}`; empty when it has none.
    """

    def __init__(self, folder: Path, organisation: str, portal: str = "") -> None:
        self._folder = folder
        loader = FileSystemLoader([folder, NOTICES])  # what an organisation writes itself comes first
        self._given = {"organisation": organisation, "portal": portal}
        self._environments = {
            (language, form): _environment(loader, language, form) for language in LANGUAGES for form in FORMS
        }

    def render(self, scenario: Scenario, language: Language, facts: Mapping[str, Any]) -> Said:
        """A message in words.

        Args:
            scenario: names the template.
            language: of the message.
            facts: of the event, each by its name.

        Raises: Invalid, with the file, for a template that is not there, is no Jinja, names what is not given, or gives too much.
        """
        given = {**facts, **self._given}
        subject = scenario.subject.en if language == "en" else scenario.subject.nl
        short = scenario.short.en if language == "en" else scenario.short.nl
        text, html = (
            self._file(f"{scenario.template}.{language}.{form}", language, form, given) for form in FORMS
        )
        return Said(language, subject, text, html, self._short(short, language, given, scenario))

    def _file(self, name: str, language: Language, form: str, given: Mapping[str, Any]) -> str:
        try:
            made = self._environments[language, form].get_template(name).render(given)
        except (TemplateError, OSError, ValueError, TypeError, ArithmeticError, LookupError) as failure:
            raise wrong_template(self._folder / name, failure) from None
        if len(made) > LONGEST[form]:
            raise _too_long(self._folder / name, LONGEST[form])
        return made

    def _short(self, text: str, language: Language, given: Mapping[str, Any], scenario: Scenario) -> str:
        place = self._folder.parent / "scenarios" / f"{scenario.id}.toml"
        try:
            made = self._environments[language, "txt"].from_string(text).render(given)
        except (TemplateError, ValueError, TypeError, ArithmeticError, LookupError) as failure:
            raise wrong_template(place, failure) from None
        if len(made) > LONGEST_SHORT:
            raise _too_long(place, LONGEST_SHORT)
        return made


def _environment(loader: FileSystemLoader, language: Language, form: str) -> ImmutableSandboxedEnvironment:
    """One for each form: what an HTML template takes in from another file is escaped too, whatever that file is called."""
    environment = ImmutableSandboxedEnvironment(
        loader=loader,
        autoescape=form == "html",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["day"] = lambda value: _day(value, language)
    return environment


def _day(value: Any, language: Language) -> str:
    """A date as people write it. Raises `ValueError`."""
    day = value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
    return written_day(day).said_in(language)


def wrong_template(path: Path, failure: Exception) -> Invalid:
    """What is wrong with a template. Only what Jinja says of the template itself is told: other errors may hold a fact."""
    line = getattr(failure, "lineno", None) or 0
    said = (
        failure.message if isinstance(failure, TemplateError) and failure.message else type(failure).__name__
    )
    return Invalid(
        "template-wrong",
        Text("Dit sjabloon geeft geen bericht.", "This template gives no message."),
        Text(f"Jinja meldt: {said}.", f"Jinja says: {said}."),
        Text(
            "Gebruik alleen feiten van het gebeurtenistype, `organisation` en `portal`.",
            "Use only facts of the event type, `organisation` and `portal`.",
        ),
        place=Place(str(path), line),
    )


def _too_long(path: Path, most: int) -> Invalid:
    return Invalid(
        "template-too-long",
        Text("Dit bericht is te lang.", "This message is too long."),
        Text(f"Het mag ten hoogste {most} tekens hebben.", f"It may have {most} characters at most."),
        Text("Maak het korter.", "Make it shorter."),
        place=Place(str(path)),
    )
