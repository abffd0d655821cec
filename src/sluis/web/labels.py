"""What the fields of a form are called on its page, for pages that show again what somebody filled in. It is read from the templates
themselves, where each field has its label (WCAG 2.2, 3.3.2), so that there is one wording of it.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import msgspec

from sluis.kernel import Text

_CODE = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_VALUE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_HELD = re.compile("\ue000(\\d+)\ue001")
_OPEN = "\ue000"  # stands for what a template makes up while it runs
_SAID = re.compile(r't\(\s*"((?:[^"\\]|\\.)*)"\s*,\s*"((?:[^"\\]|\\.)*)"\s*\)')
_YES = Text("ja", "yes")
_NONE: Mapping[str, Mapping[str, Text]] = MappingProxyType({})
_FIELDS = frozenset(("input", "select", "textarea"))


class Labelled(msgspec.Struct, frozen=True):
    """A form, as its template has it.

    Args:
        path: which addresses it goes to, as a pattern.
        exact: how many letters of that are given; of forms that fit the same address, the one with the most is meant.
        fields: what those are called that somebody fills in; None where the template makes that up while it runs.
        choices: what a value of a field is called, by field and value.
        hidden: fields that nobody fills in.
    """

    path: re.Pattern[str]
    exact: int
    fields: Mapping[str, Text | None]
    choices: Mapping[tuple[str, str], Text]
    hidden: frozenset[str]


class Said(msgspec.Struct, frozen=True):
    """Something that was filled in: what it is called, and what it says."""

    label: Text
    value: Text


Words = Mapping[str, Mapping[str, Text]]
"""What values of fields are called that a template does not name itself, by field and value."""


def filled_in(path: str, form: Mapping[str, str], words: Words = _NONE) -> tuple[Said, ...]:
    """What somebody filled in on a form, in words; not what it carried along by itself, and not what was left empty.

    Args:
        path: where it goes.
        form: its fields.
        words: what their values are called, where the route of the form says so.
    """
    fit = sorted((one for one in forms() if one.path.fullmatch(path)), key=lambda one: -one.exact)
    hidden = {name for one in fit for name in one.hidden} - {name for one in fit for name in one.fields}
    return tuple(
        Said(_label(fit, name), words.get(name, {}).get(value) or _value(fit, name, value))
        for name, value in form.items()
        if value.strip() and name not in hidden
    )


@lru_cache(maxsize=1)
def forms() -> tuple[Labelled, ...]:
    """Every form of every room that changes something."""
    found = []
    for path in sorted(Path(str(files("sluis"))).glob("**/templates/*.html")):
        reading = _Reading(path.read_text(encoding="utf-8"))
        found += reading.found
    return tuple(found)


def _label(fit: list[Labelled], name: str) -> Text:
    for one in fit:
        for given, label in one.fields.items():
            if label is not None and _fits(given, name):
                return label
    plain = re.sub(r"[._-]+", " ", name).capitalize()
    return Text(plain, plain)


def _value(fit: list[Labelled], name: str, value: str) -> Text:
    said = next((one.choices[name, value] for one in fit if (name, value) in one.choices), None)
    if said is None:
        return _YES if value in ("on", "yes") else Text(value, value)
    return _YES if said == _label(fit, name) else said


def _fits(given: str, name: str) -> bool:
    """Whether a field of a template, part of whose name it may make up while it runs, is this one."""
    return given == name or (
        _OPEN in given and re.fullmatch(".+".join(map(re.escape, given.split(_OPEN))), name) is not None
    )


class _Reading(HTMLParser):
    """Reads the forms of a template; what Jinja fills in is held aside meanwhile."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[Labelled] = []
        self._held: list[str] = []
        self._labels: dict[str, Text] = {}  # by the id of a field
        self._ids: dict[str, str] = {}
        self._fields: dict[str, Text | None] | None = None
        self._action = ""
        self._choices: dict[tuple[str, str], Text] = {}
        self._hidden: set[str] = set()
        self._legend: Text | None = None
        self._within: tuple[str, dict[str, str | None], list[str]] | None = (
            None  # label, legend or option, and its words
        )
        self._ticked: tuple[str, str] | None = None
        self._select = self._inside = ""
        self.feed(_VALUE.sub(self._hold, _CODE.sub("", source)))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and (given.get("method") or "").lower() == "post":
            self._fields, self._action, self._choices, self._hidden, self._ids = (
                {},
                given.get("action") or "",
                {},
                set(),
                {},
            )
        elif tag in ("label", "legend", "option"):
            self._within = (tag, given, [])
        elif tag == "fieldset":
            self._legend = None
        if tag in _FIELDS and self._fields is not None:
            self._field(tag, given)

    def handle_data(self, data: str) -> None:
        if self._within is not None:
            self._within[2].append(data)

    def handle_endtag(self, tag: str) -> None:
        if self._within is not None and tag == self._within[0]:
            self._told(*self._within)
            self._within = self._ticked = None
            self._inside = ""
        elif tag == "fieldset":
            self._legend = None
        elif tag == "select":
            self._select = ""
        elif tag == "form" and self._fields is not None:
            self._close(self._fields)
            self._fields = None

    def _field(self, tag: str, given: Mapping[str, str | None]) -> None:
        name, kind = _opened(given.get("name")), given.get("type") or ""
        if self._fields is None or not name.strip(_OPEN):
            return
        if kind == "hidden" or "hidden" in given:
            self._hidden.add(name)
            return
        if tag == "select":
            self._select = name
        if kind in ("radio", "checkbox"):
            self._ticked = (name, given.get("value") or "on")
        elif self._within is not None and self._within[0] == "label":
            self._inside = name
        self._fields.setdefault(name, self._legend)
        self._ids[_opened(given.get("id")) or name] = name

    def _told(self, tag: str, given: Mapping[str, str | None], words: list[str]) -> None:
        said = self._said("".join(words))
        if said is None:
            return
        if tag == "legend":
            self._legend = said
        elif tag == "option":
            self._choices[self._select, given.get("value") or ""] = said
        elif self._inside and self._fields is not None:
            self._fields[self._inside] = said
        elif self._ticked is not None:
            name, value = self._ticked
            self._choices[name, value] = said
            if self._fields is not None and self._fields.get(name) is None:
                self._fields[name] = said
        else:
            self._labels[_opened(given.get("for"))] = said

    def _close(self, fields: dict[str, Text | None]) -> None:
        for id, name in self._ids.items():
            fields[name] = self._labels.get(id) or fields[name]
        parts = _HELD.split(self._action.partition("#")[0])[::2]
        pattern = re.compile(".*".join(map(re.escape, parts)))
        exact = sum(map(len, parts))
        self.found.append(Labelled(pattern, exact, fields, self._choices, frozenset(self._hidden)))

    def _said(self, text: str) -> Text | None:
        for number in _HELD.findall(text):
            said = _SAID.search(self._held[int(number)])
            if said is not None:
                return Text(_plain(said[1]), _plain(said[2]))
        return None

    def _hold(self, found: re.Match[str]) -> str:
        self._held.append(found[0])
        return f"\ue000{len(self._held) - 1}\ue001"


def _opened(name: str | None) -> str:
    return _HELD.sub(_OPEN, name or "")


def _plain(text: str) -> str:
    return text.replace('\\"', '"').rstrip(":")
