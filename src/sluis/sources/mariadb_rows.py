"""Rows of MariaDB and MySQL straight off the line (MySQL protocol, "Text Resultset").

For a question about one person pymysql's own reading takes as long as the database, most of it to find out once more
which columns there are: the same statement describes them in the same bytes each time. What a value means is left to
pymysql's own tables.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pymysql
from pymysql.constants import FIELD_TYPE
from pymysql.converters import decoders, through
from pymysql.err import raise_mysql_exception
from pymysql.protocol import FieldDescriptorPacket

Read = Callable[[int], bytes]
"""Gives so many bytes, or fewer when the connection has ended."""

_LARGEST = 0xFFFFFF  # bytes in a packet; one of that size goes on in the next
_BINARY = 63  # a character set: none
_NULL, _ERROR, _END = 0xFB, 0xFF, 0xFE
_TEXTS = {
    FIELD_TYPE.BIT,
    FIELD_TYPE.BLOB,
    FIELD_TYPE.LONG_BLOB,
    FIELD_TYPE.MEDIUM_BLOB,
    FIELD_TYPE.STRING,
    FIELD_TYPE.TINY_BLOB,
    FIELD_TYPE.VAR_STRING,
    FIELD_TYPE.VARCHAR,
    FIELD_TYPE.GEOMETRY,
}


def all_rows(read: Read) -> tuple[tuple[Any, ...], ...]:
    """All rows that answer the query just sent. Raises `pymysql.Error`, as the server says or when it fell silent."""
    count, _ = _length(_packet(read), 0)
    columns = [_column(_packet(read)) for _ in range(count)]
    found: list[tuple[Any, ...]] = []
    if columns:
        _packet(read)  # the end of the descriptions
        while len(packet := _packet(read)) > 8 or packet[0] != _END:
            found.append(_row(packet, columns))
    return tuple(found)


def _packet(read: Read) -> bytes:
    whole, size = b"", _LARGEST
    while size == _LARGEST:
        size = int.from_bytes(read(4)[:3], "little")
        part = read(size)
        if len(part) < size or not (part or whole):
            raise pymysql.OperationalError(2013, "Lost connection to MySQL server during query")
        whole = whole + part if whole else part
    if whole[0] == _ERROR:
        raise_mysql_exception(whole)
    return whole


def _row(packet: bytes, columns: list[Callable[[bytes], Any]]) -> tuple[Any, ...]:
    row: list[Any] = []
    at = 0
    for value in columns:
        if packet[at] == _NULL:
            row.append(None)
            at += 1
        else:
            size, start = _length(packet, at)
            at = start + size
            row.append(value(packet[start:at]))
    return tuple(row)


def _length(packet: bytes, at: int) -> tuple[int, int]:
    """A number as the protocol writes it ("Length-Encoded Integer"), and where it ends."""
    first = packet[at]
    if first < _NULL:
        return first, at + 1
    end = at + {0xFC: 3, 0xFD: 4, 0xFE: 9}[first]
    return int.from_bytes(packet[at + 1 : end], "little"), end


@lru_cache(maxsize=4096)
def _column(packet: bytes) -> Callable[[bytes], Any]:
    """How the values of a column are read, from its description."""
    field: Any = FieldDescriptorPacket(packet, "utf8")
    convert = decoders.get(field.type_code)
    if field.type_code in _TEXTS and field.charsetnr == _BINARY:
        return convert if convert not in (None, through) else bytes
    if convert is None or convert is through:
        return bytes.decode
    return lambda raw: convert(raw.decode())
