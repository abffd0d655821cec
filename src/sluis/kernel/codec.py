"""JSON to structs and back, with the kernel's identifiers as fields; and forms. One strict decoder for every room."""

from threading import Lock
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from sluis.kernel.identifiers import Bsn, Kvk, Oin, Rsin, Vestiging

T = TypeVar("T")


_IDENTIFIERS = (Oin, Bsn, Kvk, Rsin, Vestiging)


def _build(kind: type, value: Any) -> Any:
    if issubclass(kind, _IDENTIFIERS):
        return kind(value)
    raise TypeError(f"no decoder for {kind.__name__}")


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return str.__str__(value)
    raise TypeError(f"no encoder for {type(value).__name__}")


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)


_DECODERS = dict[Any, msgspec.json.Decoder[Any]]()
_ONE_BUILDS = Lock()


def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """The decoder of a kind, made by one thread at a time.

    While msgspec looks at a struct for the first time, it shows other threads what it has so far, and they crash on it.
    """
    found = _DECODERS.get(kind)
    if found is None:
        with _ONE_BUILDS:
            found = _DECODERS.get(kind) or msgspec.json.Decoder(kind, dec_hook=_build)
            _DECODERS[kind] = found
    return found


def decode(raw: bytes | str, kind: type[T]) -> T:
    """JSON text to `kind`. Raises `msgspec.ValidationError` or `msgspec.DecodeError` with the path at fault."""
    try:
        wanted: Any = kind
        found: T = _decoder(wanted).decode(raw)
    except RecursionError:
        raise msgspec.DecodeError("JSON is nested too deeply") from None
    except UnicodeDecodeError:
        raise msgspec.DecodeError("a text is no UTF-8") from None
    return found


def convert(plain: Any, kind: type[T]) -> T:
    """Plain values (from TOML, JSON) to `kind`. Raises `msgspec.ValidationError` with the path at fault."""
    _decoder(kind)  # looks at the kind, alone
    return msgspec.convert(plain, kind, dec_hook=_build)


def encode(value: Any) -> bytes:
    """A struct to JSON text. Not canonical: `crypto.canonical` is."""
    return _ENCODER.encode(value)


def plain(value: Any) -> Any:
    """A struct to dicts, lists, strings and numbers."""
    return msgspec.to_builtins(value, enc_hook=_plain)


class Repeated(ValueError):
    """A field that stands in a form twice, so that two readers could read it in two ways."""


def read_fields(text: str, most: int, strict: bool = False) -> dict[str, str]:
    """The fields of a query or a form (`application/x-www-form-urlencoded`), each there once. None holds a NUL: nobody types
    one, and not every database can keep it.

    Args:
        text: bounded by the caller.
        most: fields.
        strict: whether each must have its `=`.

    Raises `ValueError` when it cannot be read or is too much, and `Repeated`, which is one.
    """
    pairs = parse_qsl(
        text,
        keep_blank_values=True,
        strict_parsing=strict and bool(text),
        errors="strict",
        max_num_fields=most,
    )
    fields = dict(pairs)
    if any("\0" in one for pair in pairs for one in pair):
        raise ValueError("NUL")
    if len(fields) != len(pairs):
        raise Repeated
    return fields
