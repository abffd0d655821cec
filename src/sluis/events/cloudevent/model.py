"""One event on the wire, as CloudEvents 1.0.2 means it, and what its attributes may hold.

An event that exists has been checked: every attribute has the type and the form of the specification (section
"Context Attributes"), so nothing after this point needs to look again. Formats and HTTP are in `json` and `http`.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from sluis.kernel import Invalid, Text

Value = str | int | bool | bytes
"""What an attribute holds: String, URI, URI-reference and Timestamp are text; Integer, Boolean, Binary."""

SPECVERSION: Final = "1.0"
MAX_EVENT: Final = 65_536
"""Bytes of one event, as every intermediary must carry it (CloudEvents 1.0.2, "Size Limits")."""
MAX_EXTENSIONS: Final = 64
CORE: Final = ("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema")
"""Attributes that the specification itself names; everything else is an extension."""

INT32: Final = range(-(2**31), 2**31)

_NAME = re.compile(r"[a-z0-9]{1,64}")
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Characters that no String may hold: controls, surrogates, noncharacters (section "Type System")."""
_PLANE_ENDS = re.compile(
    "["
    + "".join(chr(plane + end) for plane in range(0x10000, 0x110000, 0x10000) for end in (0xFFFE, 0xFFFF))
    + "]"
)
_URI_REFERENCE = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?:[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*"
    r"(?:#(?:[A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?"
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.+")
_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.\d{1,18})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
)
_MEDIA_TYPE = re.compile(
    r"[\w!#$%&'*+.^`|~-]+/[\w!#$%&'*+.^`|~-]+(?:[ \t]*;[ \t]*[\w!#$%&'*+.^`|~-]+=(?:[\w!#$%&'*+.^`|~-]+|\"[^\"\\]*\"))*",
    re.ASCII,
)
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class CloudEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event. Raises `Invalid` where an attribute is not what the specification says.

    Args:
        id: unique within `source`; the two together name the event.
        source: URI-reference of the context in which it happened.
        type: what kind of thing happened, in reverse DNS.
        subject: what it is about within the source; here the recipient's own handle.
        time: RFC 3339; in the NL GOV profile the moment at which it was recorded.
        datacontenttype: media type of `data`; absent means JSON.
        dataschema: URI of the schema of `data`.
        extensions: further attributes by name: lower case letters and digits.
        data: the payload as bytes in `datacontenttype`; None when there is none.
    """

    id: str
    source: str
    type: str
    subject: str | None = None
    time: str | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    extensions: Mapping[str, Value] = {}
    data: bytes | None = None

    def __post_init__(self) -> None:
        for name in ("id", "source", "type"):
            _check_text(name, getattr(self, name))
        for name in ("subject", "time", "datacontenttype", "dataschema"):
            if getattr(self, name) is not None:
                _check_text(name, getattr(self, name))
        _check_forms(self)
        if len(self.extensions) > MAX_EXTENSIONS:
            raise unfit(
                "extensions",
                Text(f"er zijn er meer dan {MAX_EXTENSIONS}", f"there are more than {MAX_EXTENSIONS}"),
            )
        for name, value in self.extensions.items():
            _check_extension(name, value)


def attributes(event: CloudEvent) -> dict[str, Value]:
    """All attributes of an event by name, `specversion` included and what is absent left out; for filters."""
    found: dict[str, Value] = {
        "specversion": SPECVERSION,
        "id": event.id,
        "source": event.source,
        "type": event.type,
    }
    if event.subject is not None:
        found["subject"] = event.subject
    if event.time is not None:
        found["time"] = event.time
    if event.datacontenttype is not None:
        found["datacontenttype"] = event.datacontenttype
    if event.dataschema is not None:
        found["dataschema"] = event.dataschema
    found.update(event.extensions)
    return found


def unfit(name: str, why: Text) -> Invalid:
    """The problem of an attribute `name` that cannot be; never with its value."""
    return Invalid(
        "unfit-event",
        Text(
            f"Het attribuut `{name}` van een CloudEvent klopt niet.",
            f"The attribute `{name}` of a CloudEvent is not right.",
        ),
        Text(f"Want {why.nl}.", f"For {why.en}."),
        Text(
            "Verbeter het attribuut; zie CloudEvents 1.0.2.", "Correct the attribute; see CloudEvents 1.0.2."
        ),
    )


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str) or not value:
        raise unfit(name, Text("het is geen tekst, of leeg", "it is not a text, or empty"))
    if not value.isascii() or not value.isprintable():
        _check_characters(name, value)


def _check_characters(name: str, value: str) -> None:
    if _UNFIT.search(value) or _PLANE_ENDS.search(value):
        raise unfit(
            name, Text("er staat een teken in dat niet mag", "it has a character that is not allowed")
        )


def _check_forms(event: CloudEvent) -> None:
    if not _URI_REFERENCE.fullmatch(event.source):
        raise unfit("source", Text("het is geen URI-verwijzing", "it is no URI-reference"))
    if event.dataschema is not None and not (
        _URI.fullmatch(event.dataschema) and _URI_REFERENCE.fullmatch(event.dataschema)
    ):
        raise unfit("dataschema", Text("het is geen volledige URI", "it is no absolute URI"))
    if event.time is not None and not is_timestamp(event.time):
        raise unfit("time", Text("het is geen tijd volgens RFC 3339", "it is no time of RFC 3339"))
    if event.datacontenttype is not None and not _MEDIA_TYPE.fullmatch(event.datacontenttype):
        raise unfit("datacontenttype", Text("het is geen mediatype", "it is no media type"))


def is_timestamp(value: str) -> bool:
    """Whether a text is a time of RFC 3339, on a day that exists."""
    found = _TIMESTAMP.fullmatch(value)
    if found is None:
        return False
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1] + (leap and month == 2)


def _check_extension(name: object, value: object) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name in CORE or name == "data":
        raise unfit(
            "extensions",
            Text(
                "de naam van een uitbreiding bestaat uit kleine letters en cijfers, en is geen naam van de standaard",
                "the name of an extension consists of lower case letters and digits, and is no name of the standard",
            ),
        )
    if isinstance(value, str):
        if not value.isascii() or not value.isprintable():
            _check_characters(name, value)
    elif isinstance(value, int) and not isinstance(value, bool):
        if value not in INT32:
            raise unfit(name, Text("het getal past niet in 32 bits", "the number does not fit in 32 bits"))
    elif not isinstance(value, bool | bytes):
        raise unfit(
            name,
            Text(
                "het is geen tekst, geheel getal, waarheidswaarde of bytes",
                "it is no text, whole number, boolean or bytes",
            ),
        )
