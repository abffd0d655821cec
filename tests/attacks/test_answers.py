"""A hostile owner answers with other bytes than an answer: each is a problem, before it costs time or memory."""

import time
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pytest

from sluis.kernel import Upstream
from sluis.statement import AnswerReader

TEXT = pa.schema([("name", pa.string())])
EMPTY = pa.record_batch([pa.array([], pa.string())], schema=TEXT)


def stream(*batches: pa.RecordBatch, custom: dict[bytes, bytes] | None = None, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batches[0].schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        for batch in batches:
            writer.write_batch(batch, custom_metadata=custom)
    raw: bytes = sink.getvalue().to_pybytes()
    return raw


def column(values: pa.Array) -> pa.RecordBatch:
    return pa.record_batch([values], names=["name"])


RUNS = pa.RunEndEncodedArray.from_arrays(pa.array([2**31 - 1], pa.int32()), pa.array(["x"]))
NOT_PLAIN = {
    "two thousand million rows in no bytes": column(pa.nulls(2**31 - 1)),
    "one run of as many": column(RUNS),
    "a dictionary": column(pa.array(["x", "x"]).dictionary_encode()),
    "a struct": column(pa.array([{"a": 1}])),
    "a map": column(pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8()))),
    "a union": column(pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])),
    "a view": column(pa.array(["x"], pa.string_view())),
    "a list of nothings": column(pa.array([[None, None]], pa.list_(pa.null()))),
    "lists without end": column(pa.nulls(1, pa.list_(pa.list_(pa.list_(pa.list_(pa.int8())))))),
    "no columns at all": pa.RecordBatch.from_struct_array(pa.nulls(2**31 - 1, pa.struct([]))),
    "very many columns": pa.record_batch([pa.array([1])] * 5_000, names=[str(n) for n in range(5_000)]),
}


@pytest.mark.parametrize("case", NOT_PLAIN)
def test_only_types_whose_values_lie_in_the_message_are_read(case: str) -> None:
    with pytest.raises(Upstream):
        AnswerReader().feed(stream(NOT_PLAIN[case]))


def test_a_compressed_batch_is_refused_before_it_unfolds() -> None:
    bomb = stream(column(pa.array([0] * 1_000_000)), compression="zstd")
    assert len(bomb) < 10_000
    with pytest.raises(Upstream):
        AnswerReader().feed(bomb)


def test_columns_that_share_their_bytes_are_refused() -> None:
    two = pa.schema([("a", pa.int64()), ("b", pa.int64())])
    values = [pa.array(range(1000)), pa.array(range(1000, 2000))]
    head, whole = two.serialize().to_pybytes(), pa.record_batch(values, schema=two).serialize().to_pybytes()
    assert AnswerReader().feed(head + whole)
    start = whole.rindex(
        (8000).to_bytes(8, "little") + (8000).to_bytes(8, "little")
    )  # buffer: offset, length
    shared = whole[:start] + bytes(8) + whole[start + 8 :]
    length = whole.index((16000).to_bytes(8, "little"))  # of the body
    shared = shared[:length] + (8000).to_bytes(8, "little") + shared[length + 8 : -8000]
    with pytest.raises(Upstream):
        AnswerReader().feed(head + shared)


@pytest.mark.parametrize("limit", [1 << 20, 1 << 22])
def test_metadata_that_is_megabytes_long_is_refused(limit: int) -> None:
    custom = {b"k": b"x" * limit}
    body = stream(EMPTY.replace_schema_metadata(custom)) if limit == 1 << 20 else stream(EMPTY, custom=custom)
    with pytest.raises(Upstream):
        AnswerReader().feed(body)


def test_metadata_is_looked_at_once_however_slowly_the_body_comes() -> None:
    wide = pa.record_batch([pa.array(["x" * 200])] * 2_000, names=[f"column{n:04}" for n in range(2_000)])
    body, reader = stream(wide), AnswerReader()
    began = time.process_time()
    batches = [batch for at in range(0, len(body), 100) for batch in reader.feed(body[at : at + 100])]
    assert len(batches) == 1
    assert time.process_time() - began < 1


def test_custom_metadata_belongs_to_the_last_batch_alone() -> None:
    with pytest.raises(Upstream):
        AnswerReader().feed(stream(EMPTY, custom={b"other": b"x"}))


RECEIPT = {b"sluis.receipt": b"x.y.z", b"sluis.nonce": b"n"}


def test_metadata_of_the_last_batch_that_points_anywhere_is_refused_or_read() -> None:
    body = stream(EMPTY, custom=RECEIPT)
    start = len(TEXT.serialize())
    size = int.from_bytes(body[start + 4 : start + 8], "little")
    for at in range(start + 8, start + 8 + size):
        for value in (0x00, 0x7F, 0x80, 0xFF):
            with suppress(Upstream):
                AnswerReader().feed(body[:at] + bytes([value]) + body[at + 1 :])


@pytest.mark.parametrize("told", [17, 1 << 16, 1 << 31])
def test_entries_of_metadata_are_counted_before_they_are_read(told: int) -> None:
    custom = {b"%d" % number: b"" for number in range(14)} | RECEIPT
    body, start = stream(EMPTY, custom=custom), len(TEXT.serialize())
    AnswerReader().feed(body)
    swollen = body[start:].replace((16).to_bytes(4, "little"), told.to_bytes(4, "little"))
    with pytest.raises(Upstream):
        AnswerReader().feed(body[:start] + swollen)


def test_the_last_batch_has_no_rows() -> None:
    with pytest.raises(Upstream):
        AnswerReader().feed(stream(column(pa.array(["x"])), custom=RECEIPT))


def test_a_batch_without_a_schema_is_refused() -> None:
    with pytest.raises(Upstream):
        AnswerReader().feed(EMPTY.serialize().to_pybytes())
    with pytest.raises(Upstream):
        AnswerReader().feed(TEXT.serialize().to_pybytes() * 2)
