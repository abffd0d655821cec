"""The HTTP binding of CloudEvents 1.0.2: an event as headers and a body, in binary, structured and batched mode.

Nothing is sent or received here. Which mode a message has, its `Content-Type` says (section 1.3). In binary mode every
attribute but `datacontenttype` is a header of its own, percent-encoded (section 3.1.3.2), and then is text on the other side.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from sluis.events.cloudevent.json import (
    check_version,
    decode_batch,
    decode_structured,
    encode_structured,
    missing,
    too_large,
)
from sluis.events.cloudevent.model import CORE, MAX_EVENT, CloudEvent, Value, attributes, unfit
from sluis.kernel import Invalid, Text

Headers = Mapping[str, str] | Iterable[tuple[str, str]]
"""Names in any case, values as HTTP has them: characters of one byte each."""

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
_PREFIX: Final = "ce-"
_ADDED: Final = 1_024  # bytes: a handle, a number, a notice and a trace
_PLAIN: Final = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def encode_binary(event: CloudEvent) -> tuple[dict[str, str], bytes]:
    """An event in binary mode.

    Returns:
        the headers, names in lower case, and the body: `data` as it is, empty when there is none.

    Raises:
        Invalid: headers and body together are larger than `MAX_EVENT` bytes.
    """
    headers = {
        _PREFIX + name: _header(value)
        for name, value in attributes(event).items()
        if name != "datacontenttype"
    }
    media_type = event.datacontenttype
    if media_type is None and event.data is not None:
        media_type = (
            "application/json"  # what absence meant must be said when the format changes (JSON, 3.1.2)
        )
    if media_type is not None:
        headers["content-type"] = media_type
    body = event.data or b""
    if sum(len(name) + len(value) for name, value in headers.items()) + len(body) > MAX_EVENT:
        raise too_large()
    return headers, body


def check_fits(event: CloudEvent) -> None:
    """Whether an event can be sent on in every mode, also with what is added for each recipient.

    It may come in smaller than it goes out: base64 becomes text with escapes, and an attribute becomes a header with three
    characters for a byte. One that does not fit could not be sent, and everything behind it in a page could not be read.

    Raises:
        Invalid: it is too large.
    """
    headers, body = encode_binary(event)
    carried = sum(len(name) + len(value) for name, value in headers.items()) + len(body)
    if max(len(encode_structured(event)), carried) > MAX_EVENT - _ADDED:
        raise too_large()


def decode(headers: Headers, body: bytes, *, most: int = 1) -> list[CloudEvent]:
    """The events in an HTTP message.

    Args:
        headers: of the request or answer.
        body: as received; the caller has bounded what it reads.
        most: how many events a batch may have.

    Returns:
        one event in binary or structured mode, any number up to `most` in batched mode.

    Raises:
        Invalid: `unsupported-event-format` for a format other than JSON (HTTP 415); otherwise it is no event, or one that
            breaks a rule or a bound of the specification.
    """
    named = _named(headers)
    media_type = named.get("content-type", "")
    base = media_type.partition(";")[0].strip().lower()
    if not base.startswith("application/cloudevents"):
        return [_decode_binary(named, body)]
    if base not in (STRUCTURED, BATCH) or not _is_utf8(media_type):
        raise _unsupported()
    if base == BATCH:
        return decode_batch(body, most)
    return [decode_structured(body)]


def _named(headers: Headers) -> dict[str, str]:
    """Headers by name in lower case. One that describes the event and stands twice could mean two things."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    found: dict[str, str] = {}
    for name, value in pairs:
        lower = name.lower()
        if lower in found and (lower.startswith(_PREFIX) or lower == "content-type"):
            raise unfit(_attribute(lower), Text("de header staat er twee keer", "the header is there twice"))
        found[lower] = value.strip(" \t")
    return found


def _attribute(header: str) -> str:
    """How a header is called in a problem: names of others are not repeated when they are no names of attributes."""
    name = "datacontenttype" if header == "content-type" else header.removeprefix(_PREFIX)
    return name if name.isascii() and name.isalnum() and len(name) <= 64 else "?"


def _decode_binary(named: Mapping[str, str], body: bytes) -> CloudEvent:
    known: dict[str, Any] = {}
    extensions: dict[str, Value] = {}
    size = len(body)
    for header, value in named.items():
        if not header.startswith(_PREFIX):
            continue
        size += len(header) + len(value)
        name = header.removeprefix(_PREFIX)
        if name == "datacontenttype":
            raise unfit(
                name,
                Text("dat staat in `Content-Type`, niet ernaast", "that is in `Content-Type`, not beside it"),
            )
        (known if name in CORE else extensions)[name] = _value(name, value)
    if size > MAX_EVENT:
        raise too_large()
    check_version(known.pop("specversion", None))
    for name in ("id", "source", "type"):
        if name not in known:
            raise missing(name)
    media_type = named.get("content-type")
    return CloudEvent(**known, datacontenttype=media_type or None, extensions=extensions, data=body or None)


def _header(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return quote_from_bytes(str(value).encode(), safe=_PLAIN)


def _value(name: str, header: str) -> str:
    """The text of a header: quotes taken off when it has them, then percent-decoded, once."""
    if header.startswith('"'):
        quoted = _QUOTED.fullmatch(header)
        if quoted is None:
            raise unfit(
                _attribute(name), Text("de aanhalingstekens kloppen niet", "its quotes are not right")
            )
        header = re.sub(r"\\(.)", r"\1", quoted[1])
    if _ESCAPE.search(header) or not header.isascii():
        raise unfit(
            _attribute(name), Text("de codering met % klopt niet", "its percent-encoding is not right")
        )
    try:
        return unquote_to_bytes(header).decode()
    except UnicodeDecodeError:
        raise unfit(_attribute(name), Text("het is geen UTF-8", "it is no UTF-8")) from None


def _is_utf8(media_type: str) -> bool:
    found = re.search(r";\s*charset\s*=\s*\"?([^\s;\"]+)", media_type, re.IGNORECASE)
    return found is None or found[1].lower() in ("utf-8", "utf8", "us-ascii")


def _unsupported() -> Invalid:
    return Invalid(
        "unsupported-event-format",
        Text(
            "Deze vorm van CloudEvents leest dit knooppunt niet.",
            "This node does not read this format of CloudEvents.",
        ),
        Text("Het leest JSON in UTF-8.", "It reads JSON in UTF-8."),
        Text(
            f"Gebruik `{STRUCTURED}`, `{BATCH}` of de binaire vorm.",
            f"Use `{STRUCTURED}`, `{BATCH}` or binary mode.",
        ),
    )
