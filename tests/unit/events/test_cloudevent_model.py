"""An event that exists is one of the specification: CloudEvents 1.0.2, "Context Attributes" and "Type System"."""

import pytest

from sluis.events.cloudevent import CloudEvent, attributes
from sluis.kernel import Invalid


def event(**changed: object) -> CloudEvent:
    whole: dict[str, object] = {
        "id": "1",
        "source": "urn:nld:oin:00000001823288444000:systeem:zaken",
        "type": "nl.zaken.zaak-geopend",
        **changed,
    }
    return CloudEvent(**whole)  # type: ignore[arg-type]


def test_attributes_are_flat_and_without_what_is_absent() -> None:
    assert attributes(event(subject="s", extensions={"sequence": 3})) == {
        "specversion": "1.0",
        "id": "1",
        "source": "urn:nld:oin:00000001823288444000:systeem:zaken",
        "type": "nl.zaken.zaak-geopend",
        "subject": "s",
        "sequence": 3,
    }


@pytest.mark.parametrize(
    "fine",
    [
        {"source": "/sensors/tn-1234567/alerts"},
        {"source": "1-555-123-4567"},
        {"source": "mailto:kpn@voorbeeld.nl"},
        {"source": "https://voorbeeld.nl/a?b=%20#c"},
        {"subject": "zaak é 🌷"},
        {"time": "2026-11-22T14:00:00Z"},
        {"time": "2026-11-22T14:00:00.123456789+01:00"},
        {"time": "2024-02-29t23:59:60z"},
        {"datacontenttype": "application/json"},
        {"datacontenttype": "text/plain; charset=utf-8"},
        {"dataschema": "https://voorbeeld.nl/schema.json"},
        {
            "extensions": {
                "dataref": "https://voorbeeld.nl",
                "n": -(2**31),
                "b": True,
                "raw": b"\x00",
                "leeg": "",
            }
        },
    ],
)
def test_what_the_specification_allows_is_an_event(fine: dict[str, object]) -> None:
    assert event(**fine)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"id": ""}, "id"),
        ({"id": None}, "id"),
        ({"type": 3}, "type"),
        ({"id": "a\nb"}, "id"),
        ({"id": "a\x85b"}, "id"),
        ({"id": "a\ud800b"}, "id"),
        ({"id": "a\ufdd0b"}, "id"),
        ({"id": "a\U0001fffeb"}, "id"),
        ({"source": "geen uri"}, "source"),
        ({"source": "a%2"}, "source"),
        ({"source": "a#b#c"}, "source"),
        ({"subject": ""}, "subject"),
        ({"time": "gisteren"}, "time"),
        ({"time": "2026-02-29T10:00:00Z"}, "time"),
        ({"time": "2026-13-01T10:00:00Z"}, "time"),
        ({"time": "2026-11-22T14:00:00"}, "time"),
        ({"time": "2026-11-22 14:00:00Z"}, "time"),
        ({"datacontenttype": "json"}, "datacontenttype"),
        ({"dataschema": "/relative"}, "dataschema"),
        ({"extensions": {"Naam": "a"}}, "extensions"),
        ({"extensions": {"": "a"}}, "extensions"),
        ({"extensions": {"data": "a"}}, "extensions"),
        ({"extensions": {"id": "a"}}, "extensions"),
        ({"extensions": {"met_streep": "a"}}, "extensions"),
        ({"extensions": {f"a{n}": "" for n in range(65)}}, "extensions"),
        ({"extensions": {"n": 2**31}}, "n"),
        ({"extensions": {"n": 1.5}}, "n"),
        ({"extensions": {"n": None}}, "n"),
        ({"extensions": {"n": "a\x00"}}, "n"),
    ],
)
def test_what_it_does_not_allow_is_no_event_and_the_attribute_is_named(
    wrong: dict[str, object], named: str
) -> None:
    with pytest.raises(Invalid) as raised:
        event(**wrong)
    assert raised.value.code == "unfit-event"
    assert f"`{named}`" in raised.value.what.nl
