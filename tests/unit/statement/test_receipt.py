from typing import Any

import msgspec
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import assume, given
from hypothesis import strategies as st

from sluis.kernel import PeerId, Upstream
from sluis.statement.model import Receipt
from sluis.statement.receipt import SEALS, AnswerForm, AnswerReader, AnswerWriter, open_receipt, seal_receipt

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes_raw()
NONCE = bytes(range(32))
SCHEMA = pa.schema([("name", pa.string()), ("cents", pa.int64())])
BATCHES = [
    pa.record_batch([["a", None], [1, 2]], schema=SCHEMA),
    pa.record_batch([["é" * 70], [None]], schema=SCHEMA),
]
RECEIPT = Receipt(
    PeerId("0" * 19 + "1"), PeerId("0" * 19 + "2"), "urn:a", "Z-1", {"people": "d@1 sha256:0"}, {"people": ("name",)},
    0, 1, "t", "0" * 32, "2026-01-01T00:00:00Z", "", 7, "log.example", 8,
)  # fmt: skip


def answer(batches: list[pa.RecordBatch] = BATCHES, **changed: Any) -> bytes:
    writer = AnswerWriter(AnswerForm(SCHEMA), NONCE)
    body = writer.head + b"".join(writer.write(batch) for batch in batches)
    told = {"rows": writer.rows, "commitment": writer.commitment, **changed}
    receipt = seal_receipt(msgspec.structs.replace(RECEIPT, **told), KEY.sign)
    return body + writer.close(receipt, {SEALS: b"{}"})


def read(body: bytes, step: int = 1 << 20) -> tuple[AnswerReader, list[pa.RecordBatch]]:
    reader = AnswerReader()
    batches = [batch for at in range(0, len(body), step) for batch in reader.feed(body[at : at + step])]
    return reader, batches


@pytest.mark.parametrize("step", [1, 7, 64, 1 << 20])
def test_an_answer_reads_back_however_it_was_cut(step: int) -> None:
    reader, batches = read(answer(), step)
    closing = reader.finish(PUBLIC)
    assert (batches, closing.receipt.rows, closing.extra) == (BATCHES, 3, {SEALS: b"{}"})


def test_any_arrow_reader_reads_an_answer() -> None:
    with pa.ipc.open_stream(answer()) as stream:
        assert stream.read_all() == pa.Table.from_batches(BATCHES, SCHEMA)


@given(st.text("NRx", min_size=60, max_size=64), st.text("NRx", min_size=43, max_size=43))
def test_an_end_that_was_laid_out_before_is_the_same(receipt: str, nonce: str) -> None:
    assume("R" * len(receipt) not in nonce + receipt and "N" * 43 not in nonce)
    signed, drawn = receipt.encode(), nonce.encode()
    form = AnswerForm(SCHEMA)
    form.plain_end(b"y" * len(signed), b"z" * 43)
    assert form.plain_end(signed, drawn) == form.end({b"sluis.receipt": signed, b"sluis.nonce": drawn})


def test_an_answer_without_rows_has_a_receipt() -> None:
    reader, batches = read(answer([]))
    assert (batches, reader.schema, reader.finish(PUBLIC).receipt.rows) == ([], SCHEMA, 0)


@given(st.integers(0, 10_000))
def test_an_answer_that_broke_off_is_no_answer(at: int) -> None:
    body = answer()
    reader, _ = read(body[: at % len(body)])
    with pytest.raises(Upstream):
        reader.finish(PUBLIC)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_in_the_rows_is_found(at: int, flip: int) -> None:
    body = bytearray(answer())
    rows = len(AnswerWriter(AnswerForm(SCHEMA), NONCE).head) + sum(
        len(batch.serialize()) for batch in BATCHES
    )
    body[at % rows] ^= flip
    with pytest.raises(Upstream):
        read(bytes(body))[0].finish(PUBLIC)


@pytest.mark.parametrize("changed", [{"rows": 2}, {"commitment": "0" * 64}])
def test_a_receipt_that_says_other_than_what_came_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Upstream):
        read(answer(**changed))[0].finish(PUBLIC)


def test_a_receipt_of_another_signer_is_refused() -> None:
    with pytest.raises(Upstream):
        read(answer())[0].finish(Ed25519PrivateKey.generate().public_key().public_bytes_raw())


def test_what_follows_the_end_is_refused() -> None:
    with pytest.raises(Upstream):
        read(answer() + b"x")[0].finish(PUBLIC)


def test_a_length_beyond_the_limit_is_not_believed() -> None:
    with pytest.raises(Upstream):
        AnswerReader().feed(b"\xff\xff\xff\xff\xff\xff\xff\x7f")
    with pytest.raises(Upstream):
        read_limited(answer(), 100)


def test_an_answer_that_is_too_large_is_said_to_be_that() -> None:
    body = answer()
    with pytest.raises(Upstream) as caught:
        read_limited(body, len(body) - 1)
    assert caught.value.code == "answer-over-limit"
    assert not caught.value.retry
    assert f"{len(body) - 1} bytes" in caught.value.why.nl
    read_limited(body, len(body))


def read_limited(body: bytes, limit: int) -> None:
    AnswerReader(limit).feed(body)


@given(st.binary(max_size=300))
def test_bytes_that_are_no_answer_give_a_problem(raw: bytes) -> None:
    reader = AnswerReader()
    with pytest.raises(Upstream):
        (reader.feed(raw), reader.finish(PUBLIC))


@given(st.text(max_size=200))
def test_text_that_is_no_receipt_gives_a_problem(text: str) -> None:
    with pytest.raises(Upstream):
        open_receipt(text, PUBLIC)
