"""CloudEvents 1.0.2: the event, its formats, and how it goes over HTTP; and the NL GOV profile 1.1."""

from sluis.events.cloudevent.http import BATCH, STRUCTURED, Headers, check_fits, decode, encode_binary
from sluis.events.cloudevent.json import decode_batch, decode_structured, encode_batch, encode_structured
from sluis.events.cloudevent.model import (
    CORE,
    MAX_EVENT,
    SPECVERSION,
    CloudEvent,
    Value,
    attributes,
    is_timestamp,
)
from sluis.events.cloudevent.profile import check_profile

__all__ = [
    "BATCH",
    "CORE",
    "MAX_EVENT",
    "SPECVERSION",
    "STRUCTURED",
    "CloudEvent",
    "Headers",
    "Value",
    "attributes",
    "check_fits",
    "check_profile",
    "decode",
    "decode_batch",
    "decode_structured",
    "encode_batch",
    "encode_binary",
    "encode_structured",
    "is_timestamp",
]
