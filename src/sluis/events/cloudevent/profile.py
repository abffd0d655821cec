"""The NL GOV profile for CloudEvents 1.1: what an event of a Dutch government organisation keeps to beyond the specification.

What a program can see of it is checked: the forms of `source`, `type`, `dataref` and `sequence`, short names, and that no
attribute holds what looks like the number of a citizen. What only people can judge (plural domains, no names of
organisations, what `time` means) is for who writes the event type.
"""

import re
from typing import Final

from sluis.events.cloudevent.json import is_json
from sluis.events.cloudevent.model import CloudEvent, attributes
from sluis.kernel import Text, passes_eleven_test

LONGEST_NAME: Final = 20
_SOURCE = re.compile(
    r"urn:nld:(?:oin:\d{20}|kvknr:\d{8}|(?!oin:|kvknr:)[a-z0-9][\w%().-]*)[:.][\w%().:-]+",
    re.ASCII | re.IGNORECASE,
)
_TYPE = re.compile(r"[a-z]{2,}(?:\.[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?){2,}")
_VERSION = re.compile(r"v?\d+(?:[._-]\d+)*")
_NINE_DIGITS = re.compile(r"(?<!\d)\d{9}(?!\d)")
_SEQUENCE = re.compile(r"-?[0-9]{1,10}")


def check_profile(event: CloudEvent) -> list[Text]:
    """What an event does not keep to; empty when it keeps to everything that can be seen. Never with values."""
    return [
        *_names(event),
        *_origin(event),
        *_type(event.type),
        *_extensions(event),
        *_persons(event),
        *_payload(event),
    ]


def _names(event: CloudEvent) -> list[Text]:
    return [
        Text(
            f"De naam van de uitbreiding `{name}` is langer dan {LONGEST_NAME} tekens.",
            f"The name of the extension `{name}` is longer than {LONGEST_NAME} characters.",
        )
        for name in event.extensions
        if len(name) > LONGEST_NAME
    ]


def _origin(event: CloudEvent) -> list[Text]:
    if _SOURCE.fullmatch(event.source):
        return []
    return [
        Text(
            "`source` is geen URN in `nld` met een organisatie en een systeem (`urn:nld:oin:<OIN>:systeem:<naam>`).",
            "`source` is no URN in `nld` with an organisation and a system (`urn:nld:oin:<OIN>:systeem:<name>`).",
        )
    ]


def _type(name: str) -> list[Text]:
    found = []
    if not _TYPE.fullmatch(name):
        found.append(
            Text(
                "`type` is geen omgekeerde domeinnaam van ten minste drie delen in kleine letters.",
                "`type` is no reverse domain name of at least three parts in lower case.",
            )
        )
    labels = name.split(".")
    versions = [label for label in labels if _VERSION.fullmatch(label)]
    if versions and (len(versions) > 1 or not re.fullmatch(r"v\d+", versions[0])):
        found.append(
            Text(
                "`type` heeft ten hoogste één versie, met een `v` ervoor.",
                "`type` has at most one version, with a `v` before it.",
            )
        )
    return found


def _extensions(event: CloudEvent) -> list[Text]:
    found = []
    dataref = event.extensions.get("dataref")
    if dataref is not None and (
        not isinstance(dataref, str) or not re.match(r"(?:https://|urn:|/)", dataref)
    ):
        found.append(
            Text("`dataref` is geen verwijzing met `https`.", "`dataref` is no reference over `https`.")
        )
    sequence, kind = event.extensions.get("sequence"), event.extensions.get("sequencetype")
    if kind is not None and sequence is None:
        found.append(
            Text("`sequencetype` staat er zonder `sequence`.", "`sequencetype` is there without `sequence`.")
        )
    if sequence is not None and not isinstance(sequence, str):
        found.append(Text("`sequence` is geen tekst.", "`sequence` is not a text."))
    elif isinstance(sequence, str) and (
        not sequence or (kind == "Integer" and not _SEQUENCE.fullmatch(sequence))
    ):
        found.append(
            Text("`sequence` is leeg of geen geheel getal.", "`sequence` is empty or no whole number.")
        )
    return found


def _persons(event: CloudEvent) -> list[Text]:
    """Attributes pass through systems and logs of others, so no number of a citizen stands in one."""
    return [
        Text(
            f"In `{name}` lijkt een burgerservicenummer te staan.",
            f"`{name}` seems to hold a citizen service number.",
        )
        for name, value in attributes(event).items()
        if any(passes_eleven_test(digits) for digits in _NINE_DIGITS.findall(str(value)))
    ]


def _payload(event: CloudEvent) -> list[Text]:
    if event.data is None or is_json(event.datacontenttype):
        return []
    return [Text("De gegevens zijn geen JSON.", "The data is not JSON.")]
