"""Rows of MariaDB as they stand on the line."""

import io
import struct
from datetime import date
from decimal import Decimal

import pymysql
import pytest
from pymysql.constants import FIELD_TYPE

from sluis.sources.mariadb_rows import all_rows

END = b"\xfe\0\0\2\0"
LARGEST = 0xFFFFFF


def packets(*bodies: bytes) -> bytes:
    return b"".join(
        len(part).to_bytes(3, "little") + b"\0" + part
        for body in bodies
        for part in [body[at : at + LARGEST] for at in range(0, len(body) + 1, LARGEST)]
    )


def text(value: bytes) -> bytes:
    if len(value) < 0xFB:
        return bytes([len(value)]) + value
    if len(value) < 1 << 16:
        return b"\xfc" + struct.pack("<H", len(value)) + value
    return b"\xfd" + len(value).to_bytes(3, "little") + value


def column(kind: int, charset: int = 45) -> bytes:
    names = b"".join(map(text, (b"def", b"db", b"t", b"t", b"c", b"c")))
    return names + struct.pack("<BHIBHBxx", 12, charset, 0, kind, 0, 0)


def answer(columns: list[bytes], *rows: bytes) -> bytes:
    return packets(bytes([len(columns)]), *columns, END, *rows, END)


def read(raw: bytes) -> tuple[tuple[object, ...], ...]:
    return all_rows(io.BytesIO(raw).read)


def test_values_are_of_their_columns_types() -> None:
    kinds = [FIELD_TYPE.LONG, FIELD_TYPE.VAR_STRING, FIELD_TYPE.DATE, FIELD_TYPE.NEWDECIMAL, FIELD_TYPE.JSON]
    columns = [*map(column, kinds), column(FIELD_TYPE.BLOB, 63)]
    raw = [b"-7", "één".encode(), b"2026-02-03", b"1.50", b"{}", b"\xff\x00"]
    row = (-7, "één", date(2026, 2, 3), Decimal("1.50"), "{}", b"\xff\x00")
    assert read(answer(columns, b"".join(map(text, raw)), b"\xfb" * 6)) == (row, (None,) * 6)


@pytest.mark.parametrize("size", [0, 0xFA, 0xFB, 0xFFFF, 0x10000, LARGEST - 4, LARGEST + 9])
def test_a_value_may_have_any_length(size: int) -> None:
    value = b"x" * size
    written = text(value) if size < LARGEST else b"\xfe" + struct.pack("<Q", size) + value
    assert read(answer([column(FIELD_TYPE.VAR_STRING)], written)) == ((value.decode(),),)


def test_no_rows_and_no_columns_are_no_rows() -> None:
    assert read(answer([column(FIELD_TYPE.LONG)])) == read(packets(b"\0\0\0\2\0\0\0")) == ()


@pytest.mark.parametrize("before", [[], [b"\1", column(FIELD_TYPE.LONG), END, text(b"1")]])
def test_what_the_server_refuses_is_raised_wherever_it_says_so(before: list[bytes]) -> None:
    with pytest.raises(pymysql.Error) as refused:
        read(packets(*before, b"\xff" + struct.pack("<H", 1969) + b"#70100too slow"))
    assert refused.value.args[0] == 1969


def test_an_answer_that_is_cut_off_anywhere_is_none() -> None:
    whole = answer([column(FIELD_TYPE.LONG)], text(b"12"))
    for length in range(len(whole)):
        with pytest.raises(pymysql.OperationalError):
            read(whole[:length])
