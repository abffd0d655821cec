"""I-JSON (RFC 7493): what two readers could read differently is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluis.crypto import canonical, read_json
from sluis.kernel import Invalid

_TEXT = st.text(
    st.characters(exclude_categories=["Cs"]).filter(
        lambda one: not (0xFDD0 <= ord(one) <= 0xFDEF or ord(one) & 0xFFFE == 0xFFFE)
    ),
    max_size=10,
)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=10,
)


@given(_VALUES, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_every_i_json_value_is_read(value: Any, escaped: bool, indent: Any) -> None:
    text = json.dumps(value, ensure_ascii=escaped, indent=indent)
    assert canonical(read_json(text.encode())) == canonical(value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"a":1,"a":1}', "twice"),
        (b'{"a":{"b":1,"\\u0062":2}}', "twice"),
        (b'{"a":"\\ud800"}', "Unicode"),
        (b'{"\\udc00":1}', "Unicode"),
        (b'["\\ufdd0"]', "Unicode"),
        ("[\"\U0010ffff\"]".encode(), "Unicode"),
        (b"[9007199254740992]", "larger"),
        (b"[-9007199254740992]", "larger"),
        (b"[" + b"9" * 5000 + b"]", "larger"),
        (b"[1e400]", "larger"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "NaN"),
        (b'"\xff"', "not JSON"),
        (b'"\xed\xa0\x80"', "not JSON"),
        (b'\xef\xbb\xbf{}', "not JSON"),
        (b"{}{}", "not JSON"),
        (b'{"a":1,}', "not JSON"),
        (b"['a']", "not JSON"),
        (b"[01]", "not JSON"),
        (b'["\t"]', "not JSON"),
        (b"", "not JSON"),
        ("[1]".encode("utf-16"), "not JSON"),
        (b"[" * 33 + b"]" * 33, "deeply"),
        (b"[" * 100_000 + b"]" * 100_000, ""),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "deeply"),
    ],
)  # fmt: skip
def test_what_reads_differently_elsewhere_is_refused(text: bytes, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_json(text)
    assert refused.value.code == "not-i-json"
    assert why in refused.value.why.en


def test_as_deep_as_is_allowed_is_read() -> None:
    assert read_json(b"[" * 32 + b"]" * 32) is not None
    assert read_json(b'{"a":' * 31 + b"[1]" + b"}" * 31) is not None


def test_the_largest_numbers_are_read() -> None:
    assert read_json(b"[9007199254740991,-9007199254740991,1.5,1e20]") == [2**53 - 1, 1 - 2**53, 1.5, 1e20]


def test_as_many_values_as_are_allowed_are_read() -> None:
    assert len(read_json(b"[" + b",".join([b"1"] * 19_999) + b"]")) == 19_999
    for text in (b"[" + b",".join([b"1"] * 20_000) + b"]", b"[" + b",".join([b"[[]]"] * 10_000) + b"]"):
        with pytest.raises(Invalid) as refused:
            read_json(text)
        assert "too many" in refused.value.why.en


def test_halves_of_a_pair_in_two_texts_are_no_character() -> None:
    with pytest.raises(Invalid):
        read_json(b'["\\ud83d","\\ude00"]')
    assert read_json(b'["\\ud83d\\ude00"]') == ["\U0001f600"]
