"""The JSON format and the JSON batch format of CloudEvents 1.0.2: events as text, both ways.

What comes in is hostile: it is read as I-JSON (`crypto.read_json`), so that nobody can mean two things with it, and the
bytes of `data` are kept as they were sent. What goes out is the same: JSON data stands there as it is, other text as a
string, and what is no text as base64.
"""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from sluis.crypto import read_json
from sluis.events.cloudevent.model import CORE, MAX_EVENT, SPECVERSION, CloudEvent, Value, unfit
from sluis.kernel import Invalid, Text, encode

_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_VALUES: Final = 20_000
"""JSON values of one event, its data included."""
_TEXTUAL: Final = ("xml", "html", "csv", "plain", "javascript", "yaml", "markdown")
"""Subtypes of media types that are text; others go as base64."""


def encode_structured(event: CloudEvent) -> bytes:
    """An event as one JSON object, with the media type `application/cloudevents+json`.

    Raises:
        Invalid: it is larger than `MAX_EVENT` bytes.
    """
    return _bounded(encode(_members(event)))


def encode_batch(events: Iterable[CloudEvent]) -> bytes:
    """Events as one JSON array, with the media type `application/cloudevents-batch+json`.

    Raises:
        Invalid: one of them is larger than `MAX_EVENT` bytes.
    """
    return b"[" + b",".join(encode_structured(event) for event in events) + b"]"


def decode_structured(body: bytes) -> CloudEvent:
    """The event in one JSON object.

    Raises:
        Invalid: it is larger than `MAX_EVENT` bytes, no I-JSON, or no event of version 1.0.
    """
    _bounded(body)
    if not isinstance(read_json(body, most=_VALUES), dict):
        raise _no_object()
    return _event(_MEMBERS.decode(body))


def decode_batch(body: bytes, most: int) -> list[CloudEvent]:
    """The events in one JSON array, in its order.

    Args:
        body: UTF-8.
        most: how many events there may be.

    Raises:
        Invalid: there are more than that, or one of them is no event; then none of them counts.
    """
    if len(body) > (MAX_EVENT + 1) * most + 2:
        raise too_many(most)
    try:
        found = _ELEMENTS.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Invalid(
            "no-batch",
            Text("Deze reeks CloudEvents is niet te lezen.", "This batch of CloudEvents cannot be read."),
            Text("De tekst is geen JSON-lijst.", "The text is not a JSON array."),
            Text("Stuur een lijst van objecten.", "Send an array of objects."),
        ) from None
    if len(found) > most:
        raise too_many(most)
    return [decode_structured(bytes(one)) for one in found]


def is_json(datacontenttype: str | None) -> bool:
    """Whether a media type declares JSON (section 3.1.1); absent means that it does."""
    if datacontenttype is None:
        return True
    subtype = _subtype(datacontenttype)
    return subtype == "json" or subtype.endswith("+json")


def too_many(most: int) -> Invalid:
    """The problem of a batch with more than `most` events."""
    return Invalid(
        "batch-too-large",
        Text("Deze reeks CloudEvents is te groot.", "This batch of CloudEvents is too large."),
        Text(f"Hier passen er ten hoogste {most} in.", f"It takes at most {most} here."),
        Text("Stuur er minder tegelijk.", "Send fewer at once."),
    )


def _subtype(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower().partition("/")[2]


def _bounded(body: bytes) -> bytes:
    if len(body) > MAX_EVENT:
        raise too_large()
    return body


def too_large() -> Invalid:
    """The problem of an event larger than `MAX_EVENT` bytes."""
    return Invalid(
        "event-too-large",
        Text("Dit CloudEvent is te groot.", "This CloudEvent is too large."),
        Text(f"Het heeft meer dan {MAX_EVENT} bytes.", f"It has more than {MAX_EVENT} bytes."),
        Text(
            "Zet de gegevens achter een `dataref`, en niet in het CloudEvent.",
            "Put the data behind a `dataref`, and not in the CloudEvent.",
        ),
    )


def _no_object() -> Invalid:
    return Invalid(
        "no-event",
        Text("Dit CloudEvent is niet te lezen.", "This CloudEvent cannot be read."),
        Text("De tekst is geen JSON-object.", "The text is not a JSON object."),
        Text(
            "Stuur een object met de attributen van CloudEvents 1.0.",
            "Send an object with the attributes of CloudEvents 1.0.",
        ),
    )


def _members(event: CloudEvent) -> dict[str, Any]:
    members: dict[str, Any] = {
        "specversion": SPECVERSION,
        "id": event.id,
        "source": event.source,
        "type": event.type,
    }
    for name in CORE[4:]:
        value = getattr(event, name)
        if value is not None:
            members[name] = value
    for name, held in event.extensions.items():
        members[name] = b64encode(held).decode() if isinstance(held, bytes) else held
    if event.data is not None:
        members.update(_data_members(event.data, event.datacontenttype))
    return members


def _data_members(data: bytes, datacontenttype: str | None) -> dict[str, Any]:
    """How data stands in JSON: a value, a string, or base64 when it cannot be either."""
    if is_json(datacontenttype):
        try:
            read_json(data, most=_VALUES)
        except Invalid:
            return {"data_base64": b64encode(data).decode()}
        return {"data": msgspec.Raw(data)}
    if _is_text(datacontenttype or ""):
        try:
            return {"data": data.decode()}
        except UnicodeDecodeError:
            pass
    return {"data_base64": b64encode(data).decode()}


def _is_text(media_type: str) -> bool:
    subtype = _subtype(media_type)
    if (
        "charset" in media_type.lower()
        and "utf-8" not in media_type.lower()
        and "us-ascii" not in media_type.lower()
    ):
        return False
    return (
        media_type.lower().startswith("text/") or subtype in _TEXTUAL or subtype.endswith(("+xml", "+yaml"))
    )


def _event(members: Mapping[str, msgspec.Raw]) -> CloudEvent:
    known: dict[str, Any] = {}
    extensions: dict[str, Value] = {}
    for name, raw in members.items():
        if name in ("data", "data_base64"):
            continue
        value = msgspec.json.decode(raw)
        if value is None:
            continue  # the same as absent (section 2.2)
        if isinstance(value, float | dict | list):
            raise unfit(
                _shown(name), Text("zo’n waarde heeft een attribuut nooit", "no attribute has such a value")
            )
        (known if name in CORE else extensions)[name] = value
    check_version(known.pop("specversion", None))
    for name in ("id", "source", "type"):
        if name not in known:
            raise missing(name)
    return CloudEvent(**known, extensions=extensions, data=_data(members, known.get("datacontenttype")))


def check_version(specversion: object) -> None:
    """Raises `Invalid` when an event is not of the version that this node speaks."""
    if specversion is None:
        raise missing("specversion")
    if specversion != SPECVERSION:
        raise unfit(
            "specversion",
            Text(f"alleen versie {SPECVERSION} wordt gelezen", f"only version {SPECVERSION} is read"),
        )


def missing(name: str) -> Invalid:
    """The problem of an event without an attribute that it must have."""
    return unfit(name, Text("het ontbreekt, en is verplicht", "it is missing, and required"))


def _shown(name: str) -> str:
    """A name that somebody else chose, only when it is one."""
    return name if name.isascii() and name.isalnum() and len(name) <= 64 else "?"


def _data(members: Mapping[str, msgspec.Raw], datacontenttype: object) -> bytes | None:
    plain, coded = members.get("data"), members.get("data_base64")
    if coded is not None and bytes(coded) == b"null":
        coded = None
    if plain is not None and coded is not None:
        raise unfit(
            "data",
            Text("`data` en `data_base64` staan er allebei", "both `data` and `data_base64` are there"),
        )
    if coded is not None:
        return _decoded(msgspec.json.decode(coded))
    if plain is None or is_json(datacontenttype if isinstance(datacontenttype, str) else None):
        return None if plain is None else bytes(plain)
    text = msgspec.json.decode(plain)
    if not isinstance(text, str):
        raise unfit(
            "data",
            Text(
                "het is geen tekst, en `datacontenttype` zegt niet dat het JSON is",
                "it is not a text, and `datacontenttype` does not say that it is JSON",
            ),
        )
    return text.encode()


def _decoded(text: object) -> bytes:
    try:
        if isinstance(text, str):
            return b64decode(text, validate=True)
    except (NotBase64, ValueError):
        pass
    raise unfit("data_base64", Text("het is geen base64", "it is no base64"))
