"""Deliveries as HTTP messages: what is the same for all recipients of an event is made once, and each recipient's own handle
and number are added to it (CloudEvents JSON Format and HTTP Protocol Binding 1.0.2)."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from sluis.events.cloudevent import CloudEvent, attributes
from sluis.events.queue import Delivery
from sluis.events.subscriptions.model import Content

T = TypeVar("T")
Headers = list[tuple[str, str]]

STRUCTURED = [("content-type", "application/cloudevents+json")]
BATCH = [("content-type", "application/cloudevents-batch+json")]

_REMEMBERED = 512  # events
_PRINTABLE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


class Messages:
    """Makes messages. What is the same for all is kept for those that come next."""

    def __init__(self) -> None:
        self._json: dict[int, bytes] = {}
        self._headers: dict[int, Headers] = {}

    def of(self, content: Content, deliveries: Sequence[Delivery]) -> tuple[Headers, bytes]:
        """The headers that describe a message, and its body.

        Args:
            content: the mode. What has no data goes structured where binary was wanted: a webhook wants a body
                (HTTP Webhooks 1.0.2, section 2.1).
            deliveries: one; in the mode `batch` one or more.
        """
        if content == "batch":
            return BATCH, b"[" + b",".join(map(self._structured, deliveries)) + b"]"
        first = deliveries[0]
        if content == "binary" and first.event.data is not None:
            return self._binary(first), first.event.data
        return STRUCTURED, self._structured(first)

    def _structured(self, delivery: Delivery) -> bytes:
        whole = _kept(self._json, delivery, _json)
        own = {"subject": delivery.subject} if delivery.subject is not None else {}
        added = msgspec.json.encode({**own, "sequence": str(delivery.sequence), "sequencetype": "Integer"})
        return whole[:-1] + b"," + added[1:]

    def _binary(self, delivery: Delivery) -> Headers:
        own = [("ce-sequence", str(delivery.sequence)), ("ce-sequencetype", "Integer")]
        if delivery.subject is not None:
            own.append(("ce-subject", quote(delivery.subject, safe=_PRINTABLE)))
        return [*_kept(self._headers, delivery, _headers), *own]


def _kept(kept: dict[int, T], delivery: Delivery, make: Callable[[CloudEvent], T]) -> T:
    found = kept.get(delivery.number)
    if found is None:
        found = kept[delivery.number] = make(delivery.event)
        if len(kept) > _REMEMBERED:
            del kept[next(iter(kept))]
    return found


def _json(event: CloudEvent) -> bytes:
    document: dict[str, Any] = dict(attributes(event))
    if event.data is not None:
        kind = (event.datacontenttype or "application/json").partition(";")[0].strip().lower()
        if kind == "application/json" or kind.endswith("+json"):
            document["data"] = msgspec.Raw(event.data)
        else:
            document["data_base64"] = b64encode(event.data).decode()
    return msgspec.json.encode(document)


def _headers(event: CloudEvent) -> Headers:
    found = {name: _said(value) for name, value in attributes(event).items() if name != "datacontenttype"}
    return [
        ("content-type", event.datacontenttype or "application/json"),
        *((f"ce-{name}", quote(value, safe=_PRINTABLE)) for name, value in found.items()),
    ]


def _said(value: str | int | bool | bytes) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return b64encode(value).decode() if isinstance(value, bytes) else str(value)
