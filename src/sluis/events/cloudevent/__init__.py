"""CloudEvents 1.0.2: the event, its formats, and how it goes over HTTP; and the NL GOV profile 1.1."""

from sluis.events.cloudevent.model import CORE, MAX_EVENT, SPECVERSION, CloudEvent, Value, attributes

__all__ = ["CORE", "MAX_EVENT", "SPECVERSION", "CloudEvent", "Value", "attributes"]
