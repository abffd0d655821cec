"""Canonical JSON (RFC 8785): the fast path writes what the reference writes."""

import json
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from sluis.crypto import canonical, canonical_structs
from sluis.kernel import Invalid, Oin

TEXT = st.text(max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT | st.floats(-1e6, 1e6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


class Line(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="line"):
    zulu: str
    alpha: int = 0
    free: dict[str, Any] = {}


@given(VALUES)
@example({"\U0001f600": 1, "\ufb33": 2, "z": 3})
@example({'\x00\x1f\x7f\u2028"\\/': "\b\t\n\x0b\f\r"})
@example([-0.0, 1e21, 1.5, 333333333.33333329])
def test_every_value_is_written_as_the_reference_writes_it(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


FREE = st.dictionaries(TEXT, VALUES, max_size=5) | st.dictionaries(TEXT, TEXT | st.none(), max_size=5)


@given(st.lists(st.builds(Line, TEXT, st.integers(0, 2**53 - 1), FREE), max_size=4))
@example([Line("a", 1, {"\U0001f600": "x", "\ufb33": "y"}), Line("\n")])
def test_every_struct_is_written_as_its_plain_values_are(lines: list[Line]) -> None:
    written = canonical_structs(lines, [[line.free for line in lines]])
    assert written == [rfc8785.dumps(msgspec.to_builtins(line)) for line in lines]


def structs(line: Line) -> bytes:
    return canonical_structs([line], [[line.free]])[0]


def test_keys_sort_by_utf16_code_units() -> None:
    assert canonical({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


def test_an_identifier_is_written_as_its_digits() -> None:
    oin = Oin("00000099000000001000")
    assert canonical({"oin": oin}) == b'{"oin":"00000099000000001000"}'
    assert json.loads(structs(Line(oin, free={"oin": oin})))["zulu"] == oin


@pytest.mark.parametrize(
    "value", [2**53, float("nan"), float("inf"), "\ud800", {"\ud800": 1}, {1: 2}, object()]
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(Invalid):
        canonical(value)
    with pytest.raises(Invalid):
        structs(Line("x", free={"v": value}))
