"""The HTTP binding of CloudEvents 1.0.2: three modes, and how attributes stand in headers."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluis.events.cloudevent import (
    BATCH,
    MAX_EVENT,
    STRUCTURED,
    CloudEvent,
    attributes,
    check_fits,
    decode,
    encode_batch,
    encode_binary,
    encode_structured,
)
from sluis.kernel import Invalid

HEADERS = {
    "ce-specversion": "1.0",
    "ce-type": "nl.voorbeeld.iets",
    "ce-time": "2018-04-05T03:56:24Z",
    "ce-id": "1234-1234-1234",
    "ce-source": "/mijncontext/onderdeel",
}
MEANT = {name.removeprefix("ce-"): value for name, value in HEADERS.items()}


def event(**changed: Any) -> CloudEvent:
    return CloudEvent(**{"id": "1", "source": "/a", "type": "t", **changed})


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
def test_conformance_binary_content_mode(content_type: str) -> None:
    (found,) = decode(
        {"Host": "voorbeeld.nl", **HEADERS, "Content-Type": content_type}, b'{"message": "Hallo!"}'
    )
    assert attributes(found) == {**MEANT, "datacontenttype": content_type}
    assert found.data == b'{"message": "Hallo!"}'


@pytest.mark.parametrize(
    "content_type", [STRUCTURED, f"{STRUCTURED}; charset=utf-8", "Application/CloudEvents+JSON"]
)
def test_conformance_structured_content_mode(content_type: str) -> None:
    body = {**MEANT, "datacontenttype": "application/json", "data": {"message": "Hallo!"}}
    (found,) = decode({"Content-Type": content_type}, json.dumps(body).encode())
    assert attributes(found) == {**MEANT, "datacontenttype": "application/json"}
    assert json.loads(found.data or b"") == {"message": "Hallo!"}


def test_batched_content_mode() -> None:
    events = [event(), event(id="2")]
    assert decode([("content-type", f"{BATCH}; charset=UTF-8")], encode_batch(events), most=2) == events
    assert decode([("content-type", BATCH)], b"[]", most=2) == []
    with pytest.raises(Invalid) as raised:
        decode([("content-type", BATCH)], encode_batch(events), most=1)
    assert raised.value.code == "batch-too-large"


def test_names_of_headers_are_in_any_case() -> None:
    (found,) = decode({name.upper(): value for name, value in HEADERS.items()}, b"")
    assert attributes(found) == MEANT


def test_in_structured_mode_headers_that_repeat_attributes_say_nothing() -> None:
    (found,) = decode({"content-type": STRUCTURED, "ce-id": "andere"}, encode_structured(event()))
    assert found.id == "1"


def test_binary_mode_writes_headers_and_the_data_as_it_is() -> None:
    headers, body = encode_binary(
        event(
            time="2026-11-22T10:00:00Z",
            datacontenttype="text/plain",
            data=b"tekst",
            extensions={"getal": -5, "waar": True, "raw": b"\x00", "sequence": "7"},
        )
    )
    assert body == b"tekst"
    assert headers == {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/a",
        "ce-type": "t",
        "ce-time": "2026-11-22T10:00:00Z",
        "ce-getal": "-5",
        "ce-waar": "true",
        "ce-raw": "AA==",
        "ce-sequence": "7",
        "content-type": "text/plain",
    }


def test_the_content_type_that_json_implied_is_said_in_binary_mode() -> None:
    assert encode_binary(event(data=b"{}"))[0]["content-type"] == "application/json"
    assert "content-type" not in encode_binary(event())[0]


@pytest.mark.parametrize(
    ("value", "header"),
    [
        ("Euro € 😀", "Euro%20%E2%82%AC%20%F0%9F%98%80"),
        ("a b", "a%20b"),
        ('a"b', "a%22b"),
        ("100%", "100%25"),
        ("!#$&'()*+,-./:;<=>?@[\\]^_`{|}~", "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    ],
)
def test_values_are_percent_encoded_as_the_binding_says(value: str, header: str) -> None:
    headers, body = encode_binary(event(subject=value))
    assert headers["ce-subject"] == header
    assert decode(headers, body)[0].subject == value


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("%61b", "ab"),
        ("%e2%82%ac", "€"),
        ('"a b"', "a b"),
        ('"a\\"b\\\\c"', 'a"b\\c'),
        ('"%20"', " "),
        ("%2520", "%20"),
        ("  a  ", "a"),
        ('a"b', 'a"b'),
    ],
)
def test_what_others_encode_otherwise_is_read(header: str, value: str) -> None:
    assert decode({**HEADERS, "ce-subject": header}, b"")[0].subject == value


@pytest.mark.parametrize(
    "changed",
    [
        {"ce-subject": "%C0%A0"},
        {"ce-subject": "%ED%A0%80"},
        {"ce-subject": "%FF"},
        {"ce-subject": "%2"},
        {"ce-subject": "%zz"},
        {"ce-subject": "é"},
        {"ce-subject": '"open'},
        {"ce-subject": '"a" b'},
        {"ce-subject": "%00"},
        {"ce-subject": ""},
        {"ce-datacontenttype": "text/plain"},
        {"ce-specversion": "0.3"},
        {"ce-specversion": ""},
        {"ce-time": "vandaag"},
        {"ce-id": ""},
        {"ce-data": "a"},
        {"ce-": "a"},
        {"ce-met_streep": "a"},
        {"content-type": "geen"},
    ],
)
def test_headers_that_break_a_rule_make_no_event(changed: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        decode({**HEADERS, **changed}, b"")


@pytest.mark.parametrize("name", ["ce-specversion", "ce-id", "ce-source", "ce-type"])
def test_without_a_required_header_there_is_no_event(name: str) -> None:
    with pytest.raises(Invalid) as raised:
        decode({key: value for key, value in HEADERS.items() if key != name}, b"")
    assert f"`{name[3:]}`" in raised.value.what.en


@pytest.mark.parametrize("name", ["ce-id", "CE-ID", "content-type"])
def test_a_header_that_stands_twice_makes_no_event(name: str) -> None:
    with pytest.raises(Invalid):
        decode([*HEADERS.items(), ("content-type", "text/plain"), (name, "text/plain")], b"")


def test_headers_of_the_way_may_stand_twice() -> None:
    assert decode([*HEADERS.items(), ("via", "a"), ("via", "b")], b"")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/cloudevents+avro",
        "application/cloudevents",
        "application/cloudevents-batch+xml",
        f"{STRUCTURED}; charset=utf-16",
    ],
)
def test_other_formats_have_a_problem_of_their_own(content_type: str) -> None:
    with pytest.raises(Invalid) as raised:
        decode({"content-type": content_type}, b"{}")
    assert raised.value.code == "unsupported-event-format"


def test_the_size_counts_headers_and_body() -> None:
    fitting = MAX_EVENT - sum(len(name) + len(value) for name, value in HEADERS.items())
    assert decode(HEADERS, b"a" * fitting)
    for headers, body in ((HEADERS, b"a" * (fitting + 1)), ({**HEADERS, "ce-x": "a"}, b"a" * fitting)):
        with pytest.raises(Invalid) as raised:
            decode(headers, body)
        assert raised.value.code == "event-too-large"
    with pytest.raises(Invalid):
        encode_binary(event(data=b"a" * MAX_EVENT))


TEXT = st.text("aB0é€😀 \"%\\'/{}~", min_size=1, max_size=12)


@given(subject=TEXT, extension=TEXT, data=st.binary(min_size=1, max_size=100))
def test_binary_mode_reads_back_as_text_what_was_written(subject: str, extension: str, data: bytes) -> None:
    sent = event(
        subject=subject, datacontenttype="application/octet-stream", data=data, extensions={"ext": extension}
    )
    headers, body = encode_binary(sent)
    assert all(value.isascii() and value.isprintable() and " " not in value for value in headers.values())
    assert decode(headers, body) == [sent]


@given(
    st.dictionaries(st.sampled_from([*HEADERS, "content-type", "ce-x"]), st.text(max_size=20)),
    st.binary(max_size=50),
)
def test_no_headers_make_reading_fail_otherwise(headers: dict[str, str], body: bytes) -> None:
    with suppress(Invalid):
        decode({**HEADERS, **headers}, body)


@pytest.mark.parametrize(
    "event",
    [
        CloudEvent("1", "/x", "t", datacontenttype="text/plain", data=b"\x01" * 40_000),
        CloudEvent("1", "/x", "t", extensions={"dataref": "https://x/" + "é" * 20_000}),
        CloudEvent("1", "/x", "t", data=b'"' + b"1" * (MAX_EVENT - 1_000) + b'"'),
    ],
)
def test_what_comes_in_and_could_not_go_on_is_seen(event: CloudEvent) -> None:
    with pytest.raises(Invalid) as raised:
        check_fits(event)
    assert raised.value.code == "event-too-large"


def test_what_fits_when_everything_is_added_is_taken() -> None:
    check_fits(CloudEvent("1", "/x", "t", data=b'"' + b"1" * (MAX_EVENT - 2_000) + b'"'))
