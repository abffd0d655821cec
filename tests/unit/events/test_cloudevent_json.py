"""The JSON format and JSON batches of CloudEvents 1.0.2, and the conformance cases of the project's own suite by name."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from sluis.events.cloudevent import (
    MAX_EVENT,
    CloudEvent,
    attributes,
    decode_batch,
    decode_structured,
    encode_batch,
    encode_structured,
)
from sluis.kernel import Invalid

MINIMAL = {"specversion": "1.0", "id": "1", "type": "nl.zaken.geopend", "source": "https://voorbeeld.nl"}
ALL_CORE = {
    **MINIMAL,
    "datacontenttype": "text/plain",
    "dataschema": "https://voorbeeld.nl/schema",
    "subject": "proef",
    "time": "2018-04-05T17:31:00Z",
}
ALL_EXTENSIONS = {
    **MINIMAL,
    "extinteger": 10,
    "extboolean": True,
    "extstring": "tekst",
    "exturi": "https://voorbeeld.nl",
    "exturiref": "//gezag/pad",
    "exttimestamp": "2023-03-31T15:12:00Z",
    "extbinary": "TWE=",
}
SCHEMA = Path(__file__).resolve().parents[4] / "shared/specs/standards/cloudevents/cloudevents.schema.json"


def text(members: Any) -> bytes:
    return json.dumps(members).encode()


VALID = {
    "validMinimal": (MINIMAL, MINIMAL),
    "validMinimalWithNullForOptional": (
        {**MINIMAL, "datacontenttype": None, "dataschema": None, "subject": None, "time": None},
        MINIMAL,
    ),
    "validAllCoreAttributes": (ALL_CORE, ALL_CORE),
    "validMinimalWithTimeUtc": ({**MINIMAL, "time": "2018-04-05T17:31:00Z"},) * 2,
    "validMinimalWithTimeToNanosecondsUtc": ({**MINIMAL, "time": "2018-04-05T17:31:00.000000000Z"},) * 2,
    "validMinimalWithTimeUsingPositiveOffset": ({**MINIMAL, "time": "2018-04-05T18:31:00+01:00"},) * 2,
    "validMinimalWithTimeUsingNegativeOffset": ({**MINIMAL, "time": "2018-04-05T16:31:00-01:00"},) * 2,
    "validRelativeSource": ({**MINIMAL, "source": "#fragment"},) * 2,
    "validAllExtensionTypes": (ALL_EXTENSIONS, ALL_EXTENSIONS),
}


@pytest.mark.parametrize("name", VALID)
def test_conformance_valid_events(name: str) -> None:
    sent, meant = VALID[name]
    event = decode_structured(text(sent))
    assert attributes(event) == meant
    assert event.data is None
    assert json.loads(encode_structured(event)) == meant


def test_conformance_valid_simple_text_data() -> None:
    sent = {**MINIMAL, "datacontenttype": "text/plain", "data": "Gewone tekst"}
    event = decode_structured(text(sent))
    assert event.data == b"Gewone tekst"
    assert json.loads(encode_structured(event)) == sent


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in MINIMAL.items() if key != name}


INVALID: dict[str, Any] = {
    "invalidNoSpecVersion": without("specversion"),
    "invalidNoId": without("id"),
    "invalidNoType": without("type"),
    "invalidNoSource": without("source"),
    "invalidTimeGarbage": {**MINIMAL, "time": "lunchtijd"},
    "invalidTimeToMinute": {**MINIMAL, "time": "2018-04-05T18:31Z"},
    "invalidTimeOffsetX": {**MINIMAL, "time": "2018-04-05T18:31:00X"},
    "invalidTimeOffsetOutOfRange": {**MINIMAL, "time": "2018-04-05T18:31:00+25:00"},
    "invalidTimeOffsetNonInteger": {**MINIMAL, "time": "2018-04-05T18:31:00+xx:00"},
    "invalidTimeOffsetHourOnly": {**MINIMAL, "time": "2018-04-05T18:31:00+05"},
    "invalidEmptyId": {**MINIMAL, "id": ""},
    "invalidEmptyType": {**MINIMAL, "type": ""},
    "invalidEmptySource": {**MINIMAL, "source": ""},
    "invalidEmptySpecVersion": {**MINIMAL, "specversion": ""},
    "invalidUnknownSpecVersion": {**MINIMAL, "specversion": "0.9"},
    "invalidNonRfc2046DataContentType": {**MINIMAL, "datacontenttype": "xyz"},
    "invalidEmptyDataContentType": {**MINIMAL, "datacontenttype": ""},
    "invalidEmptyDataSchema": {**MINIMAL, "dataschema": ""},
    "invalidEmptySubject": {**MINIMAL, "subject": ""},
    "invalidNumericId": {**MINIMAL, "id": 25},
    "invalidObjectId": {**MINIMAL, "id": {"xyz": "abc"}},
    "invalidCapitalizedExtension": {**MINIMAL, "MijnUitbreiding": "fout"},
    "invalidPunctuatedExtension": {**MINIMAL, "mijn.uitbreiding": "fout"},
    "invalidNonIntegerExtensionValue": {**MINIMAL, "uitbreiding": 1.5},
    "invalidBothDataAndDataBase64": {**MINIMAL, "data": "tekst", "data_base64": "eyAieHl6IjogMTIzIH0="},
    # beyond the conformance suite
    "an attribute that is a list": {**MINIMAL, "lijst": [1]},
    "an extension beyond 32 bits": {**MINIMAL, "getal": 2**31},
    "the version as a number": {**MINIMAL, "specversion": 1.0},
    "the version as null": {**MINIMAL, "specversion": None},
    "base64 that is none": {**MINIMAL, "data_base64": "!!!"},
    "base64 with an end too soon": {**MINIMAL, "data_base64": "YQ="},
    "base64 that is no text": {**MINIMAL, "data_base64": 5},
    "data that is no text, of a type that is": {**MINIMAL, "datacontenttype": "text/plain", "data": {"a": 1}},
    "more extensions than there may be": {**MINIMAL, **{f"x{n}": 1 for n in range(65)}},
    "a list": [MINIMAL],
    "a text": "gebeurtenis",
    "null": None,
}


@pytest.mark.parametrize("name", INVALID)
def test_conformance_invalid_events(name: str) -> None:
    with pytest.raises(Invalid):
        decode_structured(text(INVALID[name]))


@pytest.mark.parametrize(
    "hostile",
    [
        b'{"specversion":"1.0","id":"1","id":"2","type":"a","source":"b"}',
        b'{"specversion":"1.0","id":"1","\\u0069d":"2","type":"a","source":"b"}',
        b'{"specversion":"1.0","id":"1","type":"a","source":"b","data":{"a":1,"a":2}}',
        b'{"specversion":"1.0","id":"1","type":"a","source":"b","data":NaN}',
        b'{"specversion":"1.0","id":"1","type":"a","source":"b","data":1e999}',
        b'{"specversion":"1.0","id":"1","type":"a","source":"b","n":Infinity}',
        b'{"specversion":"1.0","id":"\xff","type":"a","source":"b"}',
        b'{"specversion":"1.0","id":"1","type":"a","source":"b","data":"\xff"}',
        b'{"specversion":"1.0","id":"\\ud800","type":"a","source":"b"}',
        b'\xef\xbb\xbf{"specversion":"1.0","id":"1","type":"a","source":"b"}',
        b'{"specversion":"1.0","id":"1","type":"a","source":"b"} extra',
        b'{"specversion":"1.0","id":"1","type":"a","source":"b",}',
        b'{"specversion":"1.0","id":"1","type":"a","source":"b","data":'
        + b"[" * 30_000
        + b"]" * 30_000
        + b"}",
        b'{"specversion":"1.0","id":"1","type":"a","source":"b","data":"' + b"a" * MAX_EVENT + b'"}',
        b"",
        b"{",
    ],
    ids=range(16),
)
def test_hostile_text_is_invalid_and_nothing_else(hostile: bytes) -> None:
    with pytest.raises(Invalid) as raised:
        decode_structured(hostile)
    assert "\xff" not in str(raised.value)


def test_problems_do_not_repeat_names_that_are_none() -> None:
    with pytest.raises(Invalid) as raised:
        decode_structured(text({**MINIMAL, "900000001 jansen": []}))
    assert "jansen" not in json.dumps(raised.value.members())


def test_conformance_valid_batches() -> None:
    assert decode_batch(b"[]", 10) == []
    for batch in ([MINIMAL], [MINIMAL, MINIMAL], [MINIMAL, ALL_CORE], [MINIMAL, ALL_EXTENSIONS]):
        events = decode_batch(text(batch), 10)
        assert [attributes(event) for event in events] == batch
        assert json.loads(encode_batch(events)) == batch


@pytest.mark.parametrize(
    "batch",
    [
        [MINIMAL, {**MINIMAL, "specversion": "0.9"}],
        [without("id")],
        ["geen object", MINIMAL],
        MINIMAL,
        [[MINIMAL]],
        [None],
    ],
    ids=["mixed versions", "an invalid event", "no object", "one event", "a batch in a batch", "null"],
)
def test_conformance_invalid_batches(batch: Any) -> None:
    with pytest.raises(Invalid):
        decode_batch(text(batch), 10)


@pytest.mark.parametrize("broken", [b"", b"[", b"[{]", b"\xff", b"[" * 100_000, b"[1] 2"])
def test_a_batch_that_is_no_json_is_invalid(broken: bytes) -> None:
    with pytest.raises(Invalid):
        decode_batch(broken, 10)


def test_a_batch_takes_no_more_than_was_said() -> None:
    assert len(decode_batch(text([MINIMAL] * 3), 3)) == 3
    with pytest.raises(Invalid) as raised:
        decode_batch(text([MINIMAL] * 4), 3)
    assert raised.value.code == "batch-too-large"


def made(data: bytes | None, media_type: str | None = None) -> CloudEvent:
    return CloudEvent(id="1", source="/a", type="t", datacontenttype=media_type, data=data)


@pytest.mark.parametrize(
    ("data", "media_type", "members"),
    [
        (b'{"a": 1.10}', None, {"data": {"a": 1.1}}),
        (b'"tekst"', "application/json", {"data": "tekst"}),
        (b"null", "application/vnd.zaak+json; charset=utf-8", {"data": None}),
        (b"<a/>", "application/xml", {"data": "<a/>"}),
        (b"<a/>", "image/svg+xml", {"data": "<a/>"}),
        ("één".encode(), "text/plain", {"data": "één"}),
        (b"\xff", "text/plain", {"data_base64": "/w=="}),
        ("één".encode("latin-1"), "text/plain; charset=iso-8859-1", {"data_base64": "6elu"}),
        (b"\x00\x01", "application/octet-stream", {"data_base64": "AAE="}),
        (b"{", "application/json", {"data_base64": "ew=="}),
        (b'{"a":1,"a":2}', None, {"data_base64": "eyJhIjoxLCJhIjoyfQ=="}),
        (None, "application/json", {}),
    ],
)
def test_data_stands_in_json_as_what_it_is(
    data: bytes | None, media_type: str | None, members: dict[str, Any]
) -> None:
    event = made(data, media_type)
    written = json.loads(encode_structured(event))
    assert {
        name: value
        for name, value in written.items()
        if name.startswith("data") and name != "datacontenttype"
    } == members
    assert decode_structured(encode_structured(event)) == event


def test_numbers_in_data_stay_as_they_were_written() -> None:
    event = decode_structured(
        b'{"specversion":"1.0","id":"1","source":"/a","type":"t","data":{"bedrag": 1.10}}'
    )
    assert event.data == b'{"bedrag": 1.10}'
    assert b'{"bedrag": 1.10}' in encode_structured(event)


def test_an_event_beyond_the_size_is_not_written() -> None:
    with pytest.raises(Invalid) as raised:
        encode_structured(made(b'"' + b"a" * MAX_EVENT + b'"'))
    assert raised.value.code == "event-too-large"


STRINGS = st.text("aB0é€😀 \"%\\'/{}~", min_size=1, max_size=12)


@given(
    id=STRINGS,
    subject=st.none() | STRINGS,
    data=st.none() | st.binary(max_size=200),
    media_type=st.sampled_from([None, "application/json", "text/plain", "application/octet-stream"]),
    extensions=st.dictionaries(
        st.from_regex(r"ext[a-z0-9]{1,8}", fullmatch=True),
        st.integers(-(2**31), 2**31 - 1) | st.booleans() | STRINGS,
        max_size=4,
    ),
)
def test_what_is_written_reads_back_the_same(
    id: str, subject: str | None, data: bytes | None, media_type: str | None, extensions: dict[str, Any]
) -> None:
    event = CloudEvent(
        id=id,
        source="/a",
        type="t",
        subject=subject,
        datacontenttype=media_type,
        data=data,
        extensions=extensions,
    )
    again = decode_structured(encode_structured(event))
    assert attributes(again) == attributes(event)
    assert again.data == event.data or json.loads(again.data or b"0") == json.loads(event.data or b"0")
    assert decode_batch(encode_batch([event, event]), 2) == [again, again]


@given(st.binary(max_size=300))
def test_no_bytes_make_reading_fail_otherwise(raw: bytes) -> None:
    for read in (decode_structured, lambda body: decode_batch(body, 3)):
        try:
            read(raw)
        except Invalid:
            continue


@pytest.mark.skipif(not SCHEMA.is_file(), reason="the official schema is not there")
@pytest.mark.parametrize(
    "event",
    [
        made(None),
        made(b'{"a":1}', "application/json"),
        made(b"\x00", "application/octet-stream"),
        CloudEvent(
            id="1",
            source="/a",
            type="t",
            subject="s",
            time="2026-11-22T10:00:00Z",
            extensions={"n": 1, "raw": b"a"},
        ),
    ],
)
def test_what_is_written_keeps_to_the_official_schema(event: CloudEvent) -> None:
    Draft7Validator(json.loads(SCHEMA.read_text())).validate(json.loads(encode_structured(event)))
