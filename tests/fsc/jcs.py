"""Contracts as bytes, for the peer of the tests: strict JSON, canonical JSON, and the hashes of FSC.

RFC 8259 and RFC 7493 (what may come in), RFC 8785 (one way to write it), FSC Core 2.0.0 sections 4.2.4 and 4.2.5. Written
from those texts alone: nothing here comes from the product, because it is there to find where the product is wrong.
"""

import base64
import hashlib
import json
import math
import re
from typing import Any

HASH_TYPES = {
    "GRANT_TYPE_SERVICE_PUBLICATION": 2,
    "GRANT_TYPE_SERVICE_CONNECTION": 3,
    "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION": 4,
    "GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION": 5,
}
"""Section 4.2.6.1: the type of a hash is not the number of the grant's type."""

_LARGEST = 2**53 - 1
_ESCAPED = re.compile(r'["\\\x00-\x1f]')
_SHORT = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}


class NotIJson(ValueError):
    """The bytes are no I-JSON."""


def b64u(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64u(text: str) -> bytes:
    """What stands in base64url: without padding, and written in the only way there is."""
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64u(raw) != text:
        raise NotIJson("base64url is written in another way than the only one")
    return raw


def loads(raw: bytes) -> Any:
    """I-JSON as Python values; raises `NotIJson` at names that come twice, lone surrogates, numbers that no double holds."""
    try:
        text = raw.decode("utf-8")
        found = json.loads(
            text,
            object_pairs_hook=_members,
            parse_int=_integer,
            parse_float=_double,
            parse_constant=_constant,
        )
    except NotIJson:
        raise
    except ValueError as error:
        raise NotIJson(str(error)) from error
    _no_surrogates(found)
    return found


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise NotIJson("a name comes twice")
    return made


def _integer(digits: str) -> int:
    value = int(digits) if len(digits) < 20 else _LARGEST + 1
    if abs(value) > _LARGEST:
        raise NotIJson("an integer that a double does not hold exactly")
    return value


def _double(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise NotIJson("a number beyond every double")
    return value


def _constant(name: str) -> Any:
    raise NotIJson(f"{name} is no JSON")


def _no_surrogates(value: Any) -> None:
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise NotIJson("half of a pair of surrogates") from error
    elif isinstance(value, dict):
        for name, member in value.items():
            _no_surrogates(name)
            _no_surrogates(member)
    elif isinstance(value, list):
        for member in value:
            _no_surrogates(member)


def canonical(value: Any) -> bytes:
    """RFC 8785: names in order of their UTF-16 code units, numbers as ECMAScript writes them, no space."""
    return _text(value).encode("utf-8")


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int):
        if abs(value) > _LARGEST:
            raise NotIJson("an integer that a double does not hold exactly")
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list | tuple):
        return "[" + ",".join(_text(member) for member in value) + "]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join(f"{_quoted(name)}:{_text(value[name])}" for name in names) + "}"


def _quoted(text: str) -> str:
    return (
        '"' + _ESCAPED.sub(lambda found: _SHORT.get(ord(found[0])) or f"\\u{ord(found[0]):04x}", text) + '"'
    )


def _number(value: float) -> str:
    """ECMA-262, Number::toString: the fewest digits that give the same double, and its rules for the point."""
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    matched = re.fullmatch(r"(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?", repr(abs(value)))
    assert matched
    whole, fraction, exponent = matched[1], matched[2] or "", int(matched[3] or 0)
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + exponent - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    shown = digits[0] + ("." + digits[1:] if count > 1 else "")
    return f"{sign}{shown}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def content_hash(content: Any) -> str:
    """Section 4.2.4: `$1$1$` and SHA3-512 over the canonical content."""
    return "$1$1$" + b64u(hashlib.sha3_512(canonical(content)).digest())


def grant_hash(content: Any, grant: Any) -> str:
    """Section 4.2.5, read as: the whole content hash, prefix and all, then the canonical `data` of the grant.

    `grant` is one of `content["grants"]`, with its wrapper `data`.
    """
    data = grant["data"]
    digest = hashlib.sha3_512(content_hash(content).encode() + canonical(data)).digest()
    return f"$1${HASH_TYPES[data['type']]}$" + b64u(digest)
