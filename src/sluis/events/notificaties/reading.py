"""From the body of a request to what it means, with every field that is not right at once (ZGW Notificaties API 1.0.1,
schemas Kanaal, Abonnement and Message). Members that the standard does not know are passed over. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sluis.events.cloudevent import is_timestamp
from sluis.events.notificaties.faults import Param, Unfit
from sluis.events.notificaties.model import (
    LONGEST_URL,
    MOST_FEATURES,
    MOST_GROUPS,
    FilterGroup,
    Notificatie,
)
from sluis.kernel import Text

_URL = re.compile(r"https?://[^\s/?#@\x00-\x20\x7f-\U0010ffff]+(?:[/?#][\x21-\x7e]*)?")
_NO_WRITING = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Control characters, and halves of a character: no database or header takes them all."""
_HEADER = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*")
_REQUIRED = Text("Dit veld is vereist.", "This field is required.")
_NULL = Text("Dit veld mag niet leeg zijn.", "This field may not be null.")
_BLANK = Text("Dit veld mag niet leeg zijn.", "This field may not be blank.")
_NO_TEXT = Text("Dit is geen tekst.", "This is not a text.")
_NO_URL = Text("Dit is geen geldige URL.", "This is not a valid URL.")


def _is_text(value: Any, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and not _NO_WRITING.search(value)


class Body:
    """A JSON object of which fields are read. What is not right is gathered; `end` raises it."""

    def __init__(
        self, document: Mapping[str, Any], within: str = "", params: list[Param] | None = None
    ) -> None:
        self._document, self._within = document, within
        self.params = [] if params is None else params

    def has(self, name: str) -> bool:
        """Whether a field was sent."""
        return name in self._document

    def wrong(self, name: str, code: str, reason: Text) -> None:
        """Say that a field is not right."""
        self.params.append(Param(self._within + name, code, reason))

    def text(self, name: str, most: int, required: bool = True) -> str:
        """A text of 1 to `most` characters; empty when it is not right, or absent and not required."""
        value = self._document.get(name)
        if value is None:
            if required or name in self._document:
                self.wrong(
                    name,
                    "null" if name in self._document else "required",
                    _NULL if name in self._document else _REQUIRED,
                )
            return ""
        if not isinstance(value, str) or _NO_WRITING.search(value):
            self.wrong(name, "invalid", _NO_TEXT)
        elif not value and required:
            self.wrong(name, "blank", _BLANK)
        elif len(value) > most:
            self.wrong(name, "max_length", Text(f"Ten hoogste {most} tekens.", f"At most {most} characters."))
        else:
            return value
        return ""

    def url(self, name: str, most: int = LONGEST_URL, required: bool = True) -> str:
        """An absolute address over HTTP."""
        value = self.text(name, most, required)
        if value and not _URL.fullmatch(value):
            self.wrong(name, "invalid", _NO_URL)
            return ""
        return value

    def texts(self, name: str, most: int, longest: int) -> tuple[str, ...]:
        """A list of texts; empty when absent."""
        value = self._document.get(name, [])
        if not isinstance(value, list) or len(value) > most:
            self.wrong(
                name, "not_a_list", Text(f"Een lijst van ten hoogste {most}.", f"A list of at most {most}.")
            )
            return ()
        if any(not _is_text(one, longest) for one in value):
            self.wrong(
                name,
                "max_length",
                Text(f"Elk 1 tot {longest} tekens.", f"Each of 1 to {longest} characters."),
            )
            return ()
        return tuple(value)

    def features(self, name: str) -> dict[str, str]:
        """Kenmerken: texts by name; empty when absent."""
        value = self._document.get(name, {})
        if not isinstance(value, dict) or len(value) > MOST_FEATURES:
            self.wrong(name, "not_a_dict", Text(f"Een object met ten hoogste {MOST_FEATURES} kenmerken.", f"An object with at most {MOST_FEATURES} members."))  # fmt: skip
            return {}
        for key, one in value.items():
            if not _is_text(key, 100) or not _is_text(one, 1_000):
                self.wrong(name, "max_length", Text("Elk kenmerk is een tekst van 1 tot 1000 tekens.", "Each is a text of 1 to 1000 characters."))  # fmt: skip
                return {}
        return value

    def parts(self, name: str, most: int) -> "list[Body]":
        """A list of objects, to be read in turn."""
        value = self._document.get(name)
        if value is None:
            self.wrong(name, "required", _REQUIRED)
            return []
        if (
            not isinstance(value, list)
            or len(value) > most
            or any(not isinstance(one, dict) for one in value)
        ):
            self.wrong(
                name,
                "not_a_list",
                Text(f"Een lijst van ten hoogste {most} objecten.", f"A list of at most {most} objects."),
            )
            return []
        return [Body(one, f"{self._within}{name}.{place}.", self.params) for place, one in enumerate(value)]

    def end(self) -> None:
        """Raises `Unfit` with every field that is not right."""
        if self.params:
            raise Unfit(self.params)


def body_of(document: Any) -> Body:
    """A body to read fields from. Raises `Unfit` when it is no object."""
    if not isinstance(document, dict):
        raise Unfit(
            [Param("nonFieldErrors", "invalid", Text("Dit is geen object.", "This is not an object."))]
        )
    return Body(document)


def read_kanaal(document: Any) -> tuple[str, str, tuple[str, ...]]:
    """Name, documentation and filters of a new channel. Raises `Unfit`."""
    body = body_of(document)
    naam = body.text("naam", 50)
    link = body.url("documentatieLink", 200, required=False)
    filters = body.texts("filters", MOST_FEATURES, 100)
    body.end()
    return naam, link, filters


def read_groups(body: Body) -> tuple[FilterGroup, ...]:
    """The channels of an abonnement, whose names are not looked up here."""
    return tuple(
        FilterGroup(part.text("naam", 50), part.features("filters"))
        for part in body.parts("kanalen", MOST_GROUPS)
    )


def read_auth(body: Body) -> str:
    """What stands in the header `Authorization`."""
    auth = body.text("auth", 1_000)
    if auth and not _HEADER.fullmatch(auth):
        body.wrong("auth", "invalid", Text("Dit past niet in een header.", "This does not fit in a header."))
        return ""
    return auth


def read_notificatie(document: Any) -> Notificatie:
    """A message. Raises `Unfit`."""
    body = body_of(document)
    found = Notificatie(
        kanaal=body.text("kanaal", 50),
        hoofdObject=body.url("hoofdObject"),
        resource=body.text("resource", 100),
        resourceUrl=body.url("resourceUrl"),
        actie=body.text("actie", 100),
        aanmaakdatum=body.text("aanmaakdatum", 50),
        kenmerken=body.features("kenmerken"),
    )
    if found.aanmaakdatum and not is_timestamp(found.aanmaakdatum):
        body.wrong(
            "aanmaakdatum",
            "invalid",
            Text("Dit is geen tijd volgens RFC 3339.", "This is no time of RFC 3339."),
        )
    body.end()
    return found


def names_fit(names: Sequence[str], filters: Sequence[str]) -> bool:
    """Whether kenmerken are those of a channel: some of its filters, or all of them and more, as is the practice."""
    return set(names) <= set(filters) or set(names) >= set(filters)
