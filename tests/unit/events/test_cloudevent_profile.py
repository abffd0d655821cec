"""The NL GOV profile for CloudEvents 1.1: what a program can see of it."""

from typing import Any

import pytest

from sluis.events.cloudevent import CloudEvent, check_profile


def event(**changed: Any) -> CloudEvent:
    whole = {
        "id": "f3dce042-cd6e-4977-844d-05be8dce7cea",
        "source": "urn:nld:oin:00000001823288444000:systeem:BRP-component",
        "type": "nl.brp.persoon-verhuisd.v1",
        "time": "2026-11-22T10:00:00Z",
        **changed,
    }
    return CloudEvent(**whole)


@pytest.mark.parametrize(
    "fine",
    [
        {},
        {"source": "urn:nld:kvknr:09220932.burgerzakensysteem"},
        {"source": "urn:nld:gemeente-nijmegen.burgerzakensysteem"},
        {"source": "urn:nld:gemeente-Bergen%20%28L%29.burgerzakensysteem"},
        {"type": "nl.brp.verhuizing.binnengemeentelijk"},
        {"type": "nl.natuurlijke-personen.persoon-verhuisd"},
        {
            "extensions": {
                "dataref": "https://voorbeeld.nl/zaken/1",
                "sequence": "1",
                "sequencetype": "Integer",
            }
        },
        {"extensions": {"sequence": "2026-a"}},
        {"data": b"{}"},
        {"subject": "klant-8891"},
        {"id": "1234567890"},
        {"id": "123456789"},
    ],
)
def test_an_event_of_the_profile_has_nothing_against_it(fine: dict[str, Any]) -> None:
    assert check_profile(event(**fine)) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"source": "https://voorbeeld.nl/zaken"}, "`source`"),
        ({"source": "urn:nld:oin:123:systeem:a"}, "`source`"),
        ({"source": "urn:nld:oin:00000001823288444000"}, "`source`"),
        ({"source": "urn:uuid:f3dce042-cd6e-4977-844d-05be8dce7cea"}, "`source`"),
        ({"type": "verhuizing"}, "`type`"),
        ({"type": "nl.Brp.verhuisd"}, "`type`"),
        ({"type": "nl.brp.verhuisd.v1.v2"}, "version"),
        ({"type": "nl.brp.verhuisd.1"}, "version"),
        ({"type": "nl.brp.verhuisd.v1.2"}, "version"),
        ({"extensions": {"eenheellangenaamvandeuitbreiding": "a"}}, "longer"),
        ({"extensions": {"dataref": "http://voorbeeld.nl"}}, "`dataref`"),
        ({"extensions": {"sequencetype": "Integer"}}, "`sequencetype`"),
        ({"extensions": {"sequence": 5}}, "`sequence`"),
        ({"extensions": {"sequence": "vijf", "sequencetype": "Integer"}}, "`sequence`"),
        ({"subject": "999990342"}, "citizen service number"),
        ({"extensions": {"dataref": "https://voorbeeld.nl/personen/999990342"}}, "citizen service number"),
        ({"data": b"<a/>", "datacontenttype": "application/xml"}, "JSON"),
    ],
)
def test_what_the_profile_asks_and_an_event_lacks_is_said(wrong: dict[str, Any], said: str) -> None:
    (found,) = check_profile(event(**wrong))
    assert said in found.en
    assert "999990342" not in found.nl
