"""Canonical JSON: the one byte form of a value that is hashed or signed (JCS, RFC 8785).

The `rfc8785` package is the reference. Records pass through here by the ten thousand per second, so values that
hold only strings, small integers, booleans, null, lists and dicts with ASCII keys take msgspec's sorted encoder,
which writes the same bytes about fifty times as fast. A property test holds the two together.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import msgspec
import rfc8785

from sluis.kernel import Invalid, Text, plain

_SORTED = msgspec.json.Encoder(order="sorted")
_ATOMS = frozenset({str, bool, type(None)})
_LARGEST = 2**53 - 1  # JCS numbers are IEEE 754 doubles (RFC 8785, 3.2.2.3)


def canonical(value: Any) -> bytes:
    """The JCS bytes of plain values (dict, list, str, int, float, bool, None) or of a struct.

    Raises:
        Invalid: an integer beyond 2^53 - 1, NaN or infinity, a lone surrogate, or a type JSON does not have.
    """
    return _encode(value) if is_plain(value) else _through(value)


def canonical_texts(*texts: str) -> bytes:
    """The JCS bytes of a list of strings, of exactly that type.

    Raises:
        Invalid: a lone surrogate.
    """
    return _encode(texts)


def canonical_structs(structs: Sequence[msgspec.Struct], free: Sequence[Sequence[Any]]) -> list[bytes]:
    """The JCS bytes of structs whose own fields are strings and small integers, named in ASCII.

    Args:
        structs: what to write; their fixed fields are trusted to be plain, because their type says so.
        free: the values in them whose type is open (`dict[str, Any]`, None), field by field; these are looked through.

    Raises:
        Invalid: as `canonical`.
    """
    try:
        if all(map(_are_flat, free)):
            return list(map(_SORTED.encode, structs))
    except (TypeError, UnicodeEncodeError):  # a str subclass in a fixed field, or a lone surrogate
        pass
    return [_struct(struct, values) for struct, *values in zip(structs, *free, strict=True)]


def _are_flat(values: Sequence[Any]) -> bool:
    """`is_plain` of dicts without nesting or numbers, which nearly all records have, without a Python loop."""
    dicts = list(filter(None, values))
    return not dicts or (
        {dict}.issuperset(map(type, dicts))
        and _ATOMS.issuperset(map(type, chain.from_iterable(map(dict.values, dicts))))
        and "".join(set().union(*dicts)).isascii()
    )


def _struct(struct: msgspec.Struct, free: Sequence[Any]) -> bytes:
    try:
        return _SORTED.encode(struct) if all(map(is_plain, free)) else _through(struct)
    except (TypeError, UnicodeEncodeError):
        return _through(struct)


def is_plain(value: Any) -> bool:
    """Whether msgspec's sorted encoder is known to write the JCS bytes of `value`."""
    kind = type(value)
    if kind in _ATOMS:
        return True
    if kind is int:
        return bool(-_LARGEST <= value <= _LARGEST)
    if kind is dict:
        for key, member in value.items():
            # Above ASCII the two sort keys differently: JCS by UTF-16 code units, msgspec by UTF-8 bytes.
            if type(key) is not str or not key.isascii():
                return False
            if type(member) not in _ATOMS and not is_plain(member):
                return False
        return True
    if kind is list or kind is tuple:
        return all(is_plain(member) for member in value)
    return False


def _encode(value: Any) -> bytes:
    try:
        return _SORTED.encode(value)
    except UnicodeEncodeError as problem:
        raise _no_form() from problem


def _through(value: Any) -> bytes:
    """The long way: to plain values first (structs, identifiers), then the reference where it is needed."""
    try:
        value = plain(value)
        return _encode(value) if is_plain(value) else rfc8785.dumps(value)
    except (TypeError, rfc8785.CanonicalizationError, UnicodeEncodeError) as problem:
        raise _no_form() from problem


def _no_form() -> Invalid:
    return Invalid(
        "no-canonical-json",
        Text("Deze waarde heeft geen canonieke JSON-vorm.", "This value has no canonical JSON form."),
        Text(
            "Er staat een getal in dat te groot is of geen getal is, of tekst die geen geldige Unicode is.",
            "It holds a number that is too large or not a number, or text that is not valid Unicode.",
        ),
        Text("Schrijf grote getallen als tekst.", "Write large numbers as text."),
    )
