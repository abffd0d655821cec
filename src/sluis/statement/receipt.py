"""The frame of an answer: an Arrow IPC stream whose last, empty batch carries a signed receipt.

Shared by the owner, who writes it, and the asker, who checks it. *The bytes of the answer* are the encapsulated IPC
messages (Arrow columnar format, "Encapsulated message format") of the schema and of every batch but the last, in the
order and exactly as they crossed. Each starts with the continuation marker FFFFFFFF and ends with its padded body.
The commitment is SHA-256(nonce || SHA-256(bytes of the answer)); the inner digest lets both sides hash while they
stream, the 32-byte random nonce keeps one boolean from being guessed out of a stored receipt. The receipt is a
compact JWS (RFC 7515, EdDSA of RFC 8037) over the receipt as canonical JSON (RFC 8785). A stream that ends without
one is no answer.
"""

import base64
import binascii
import hashlib
import struct
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

import msgspec
import pyarrow as pa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sluis.crypto import canonical
from sluis.kernel import Problem, Text, Upstream, decode, plain
from sluis.statement.model import Receipt

MEDIA_TYPE = "application/vnd.apache.arrow.stream"
RECEIPT, NONCE, SEALS = b"sluis.receipt", b"sluis.nonce", b"sluis.seals"
"""Names in the custom metadata of the last batch."""

NONCE_BYTES = 32
_HEADER = {"alg": "EdDSA", "typ": "sluis-receipt+jws"}
_MARKER = b"\xff\xff\xff\xff"
_METADATA_LIMIT, _SCHEMA_LIMIT = 1 << 22, 1 << 20  # bytes; the last batch carries the seals for other owners
_SCHEMA, _BATCH = 1, 3  # what a message is (`Message.fbs`, MessageHeader)
_MOST_COLUMNS, _DEEPEST = 2_000, 3
_ROWS_A_BYTE = 8  # booleans; whatever claims to hold more has rows that take no space
_MOST_SAID = 16  # entries of custom metadata; they may all point at the same megabytes
_SMALL = 1 << 10  # bytes of metadata that is worth remembering; those with a receipt have more


def commitment(nonce: bytes, answer_digest: bytes) -> str:
    """What a receipt says of an answer, in hex.

    Args:
        nonce: 32 random bytes that travel with the answer.
        answer_digest: SHA-256 over the bytes of the answer.
    """
    return hashlib.sha256(nonce + answer_digest).hexdigest()


def seal_receipt(receipt: Receipt, sign: Callable[[bytes], bytes]) -> str:
    """The receipt as a compact JWS, signed with the node's Ed25519 key."""
    content = f"{_HEADER_ENCODED}.{_encoded(canonical(plain(receipt)))}"
    return f"{content}.{_encoded(sign(content.encode()))}"


def open_receipt(jws: str, public: bytes) -> Receipt:
    """The receipt in a JWS. Raises `Upstream` when it was not signed with this raw Ed25519 key, or is no receipt."""
    try:
        header, payload, signature = jws.split(".")
        if header != _HEADER_ENCODED and msgspec.json.decode(_decoded(header)) != _HEADER:
            raise _broken()
        _verifier(public).verify(_decoded(signature), f"{header}.{payload}".encode())
        return decode(_decoded(payload), Receipt)
    except (ValueError, InvalidSignature, msgspec.MsgspecError, Problem) as error:
        raise _broken() from error


@lru_cache(maxsize=1024)
def _verifier(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)


class AnswerForm:
    """What answers of one schema have in common. Made once per statement: nothing of an answer's rows is in it.

    Attributes:
        schema: of every batch.
        head: the schema message, which is sent first.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.head: bytes = schema.serialize().to_pybytes()
        self._empty = pa.RecordBatch.from_arrays(
            [pa.array([], field.type) for field in schema], schema=schema
        )
        self._blanks: dict[int, bytes] = {}

    def end(self, metadata: Mapping[bytes, bytes]) -> bytes:
        """The last, empty batch with this custom metadata, and the end of the stream."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.schema, options=_OPTIONS) as writer:
            writer.write_batch(self._empty, custom_metadata=metadata)
        closing: bytes = sink.getvalue().to_pybytes()
        return closing[len(self.head) :]

    def plain_end(self, receipt: bytes, nonce: bytes) -> bytes:
        """The same with a receipt and a nonce alone: all of one length are laid out alike, so that is done once."""
        blank = self._blanks.get(len(receipt))
        if blank is None:
            if len(self._blanks) >= _LENGTHS:
                self._blanks.clear()
            blank = self.end({RECEIPT: b"R" * len(receipt), NONCE: b"N" * len(nonce)})
            self._blanks[len(receipt)] = blank
        # The nonce first: what stands in a receipt is not for us to say, and might look like a blank.
        return blank.replace(b"N" * len(nonce), nonce, 1).replace(b"R" * len(receipt), receipt, 1)


class AnswerWriter:
    """Writes an answer, batch by batch, and the receipt that closes it; gives the bytes to send.

    Args:
        form: of the answer.
        nonce: 32 random bytes.
    """

    def __init__(self, form: AnswerForm, nonce: bytes) -> None:
        self._form, self._nonce = form, nonce
        self.head = form.head
        """The schema message: what is sent first."""
        self._digest = hashlib.sha256(self.head)
        self.rows = 0

    def write(self, batch: pa.RecordBatch) -> bytes:
        """The bytes of one more batch."""
        raw: bytes = batch.serialize().to_pybytes()
        self._digest.update(raw)
        self.rows += batch.num_rows
        return raw

    @property
    def commitment(self) -> str:
        """Over the schema and everything written so far."""
        return commitment(self._nonce, self._digest.digest())

    def close(self, receipt: str, extra: Mapping[bytes, bytes] | None = None) -> bytes:
        """The last, empty batch with the receipt, and the end of the stream.

        Args:
            receipt: JWS, as `seal_receipt` gave it over this writer's commitment.
            extra: more custom metadata for the last batch.
        """
        signed, nonce = receipt.encode(), _encoded(self._nonce).encode()
        if extra:
            return self._form.end({RECEIPT: signed, NONCE: nonce, **extra})
        return self._form.plain_end(signed, nonce)


_OPTIONS = pa.ipc.IpcWriteOptions()
_LENGTHS = 64  # of receipts, whose layout is remembered


class Closing(msgspec.Struct, frozen=True):
    """How an answer ended: the receipt, its JWS to keep, the nonce to keep with it, and other metadata."""

    receipt: Receipt
    jws: str
    nonce: str
    extra: dict[bytes, bytes]


class AnswerReader:
    """Reads an answer as its bytes come in.

    The bytes are hostile input: lengths are checked before they are believed, and what could stand for more than its
    own bytes is refused: compression, dictionaries, rows and types that take no space, buffers used twice.

    Args:
        limit: bytes after which the answer is refused.
    """

    def __init__(self, limit: int = 1 << 32) -> None:
        self._limit, self._buffer, self._digest = limit, bytearray(), hashlib.sha256()
        self._most = limit
        self._due: _Message | None = None
        self._last: dict[bytes, bytes] | None = None
        self._ended = False
        self.schema: pa.Schema | None = None
        self.rows = 0

    def feed(self, chunk: bytes) -> list[pa.RecordBatch]:
        """The batches that `chunk` completes. Raises `Upstream` for anything but an answer, and for one that is too large."""
        self._limit -= len(chunk)
        if self._limit < 0:
            raise _over_limit(self._most)
        self._buffer += chunk
        batches = []
        while (message := self._next()) is not None:
            try:
                batch = self._read(*message)
            except (pa.ArrowException, OSError, ValueError) as error:
                raise _broken() from error
            if batch is not None:
                self.rows += batch.num_rows
                batches.append(batch)
        return batches

    @property
    def whole(self) -> bool:
        """Whether it came to its end, with something that says to be its receipt."""
        return self._last is not None and self._ended and not self._buffer

    def finish(self, public: bytes) -> Closing:
        """Check how the answer ended, after the last chunk.

        Args:
            public: the owner's raw Ed25519 key, from its signed card.

        Raises:
            Upstream: it broke off, its receipt was not signed by the owner, or says other than what came.
        """
        if self._last is None or not self.whole:
            raise _broken()
        extra = dict(self._last)
        jws, nonce = (
            extra.pop(RECEIPT).decode("ascii", "replace"),
            extra.pop(NONCE, b"").decode("ascii", "replace"),
        )
        receipt = open_receipt(jws, public)
        try:
            raw = _decoded(nonce)
        except ValueError as error:
            raise _broken() from error
        told = (receipt.commitment, receipt.rows)
        if len(raw) != NONCE_BYTES or told != (commitment(raw, self._digest.digest()), self.rows):
            raise _broken()
        return Closing(receipt, jws, nonce, extra)

    def _next(self) -> "tuple[_Message, bytes] | None":
        if self._ended:
            return None
        if self._due is None:
            self._due = self._announced()
        due = self._due
        if due is None or len(self._buffer) < due.size:
            return None
        raw = bytes(memoryview(self._buffer)[: due.size])
        del self._buffer[: due.size]
        self._due = None
        return due, raw

    def _announced(self) -> "_Message | None":
        """What the next message says of itself, once its metadata is there."""
        if len(self._buffer) < 8:
            return None
        size = int.from_bytes(self._buffer[4:8], "little")
        limit = _SCHEMA_LIMIT if self.schema is None else _METADATA_LIMIT
        if self._buffer[:4] != _MARKER or size > limit:
            raise _broken()
        if size == 0:
            self._ended = True
            del self._buffer[:8]
            return None
        if len(self._buffer) < 8 + size:
            return None
        metadata = bytes(self._buffer[8 : 8 + size])
        message = _known_message(metadata) if size <= _SMALL else _message(metadata)
        wanted = _SCHEMA if self.schema is None else _BATCH
        if (
            message.kind != wanted
            or message.compressed
            or not 0 <= message.size <= self._limit + len(self._buffer)
        ):
            raise _broken()
        return message

    def _read(self, message: "_Message", raw: bytes) -> pa.RecordBatch | None:
        if self._last is not None:
            raise _broken()
        if self.schema is None:
            self.schema = _known_schema(raw) if len(raw) <= _SMALL else _schema(raw)
            self._digest.update(raw)
            return None
        if message.custom:
            self._last = _last(raw[8 : 8 + int.from_bytes(raw[4:8], "little")])
            return None
        batch = pa.ipc.read_record_batch(pa.py_buffer(raw), self.schema)
        batch.validate(full=True)
        if batch.num_rows > _ROWS_A_BYTE * len(raw) or message.held > len(raw):
            raise _broken()
        self._digest.update(raw)
        return batch


def _schema(raw: bytes) -> pa.Schema:
    schema = pa.ipc.read_schema(pa.BufferReader(raw))
    if len(schema) > _MOST_COLUMNS or not all(_is_plain(field.type) for field in schema):
        raise _broken()
    return schema


class _Message(NamedTuple):
    """An encapsulated message, as its metadata announces it. `size` counts all its bytes, marker and body included;
    `held` adds up what the buffers of a batch hold: more than that only where some bytes stand for several."""

    kind: int
    size: int
    compressed: bool
    custom: bool
    held: int


def _message(metadata: bytes) -> _Message:
    """Read what matters of the flatbuffer table `Message`, and of the `RecordBatch` in it (Arrow `Message.fbs`)."""
    try:
        root = _offset(metadata, 0)
        kind, header, body = (_field(metadata, root, number) for number in (1, 2, 3))
        table = _offset(metadata, header) if header else 0
        length = struct.unpack_from("<q", metadata, body)[0] if body else 0
        sort = metadata[kind] if kind else 0
        return _Message(
            sort,
            8 + len(metadata) + length if length >= 0 else -1,
            bool(table and _field(metadata, table, 3)),
            bool(_field(metadata, root, 4)),
            _held(metadata, table) if table and sort == _BATCH else 0,
        )
    except (struct.error, IndexError) as error:
        raise _broken() from error


def _held(metadata: bytes, batch: int) -> int:
    """The bytes in all buffers of a `RecordBatch` together (`Message.fbs`, Buffer)."""
    field = _field(metadata, batch, 2)
    if not field:
        return 0
    buffers = _offset(metadata, field)
    count = struct.unpack_from("<I", metadata, buffers)[0]
    lengths = struct.unpack_from(f"<{2 * count}q", metadata, buffers + 4)[1::2]
    if min(lengths, default=0) < 0:
        raise struct.error("a buffer of less than nothing")
    return sum(lengths)


def _last(metadata: bytes) -> dict[bytes, bytes]:
    """The custom metadata of the last batch, which has no rows and bears a receipt (`Message.fbs`, KeyValue)."""
    try:
        root = _offset(metadata, 0)
        batch, entries = (_offset(metadata, _field(metadata, root, number)) for number in (2, 4))
        rows, count = _field(metadata, batch, 0), struct.unpack_from("<I", metadata, entries)[0]
        if (rows and struct.unpack_from("<q", metadata, rows)[0]) or count > _MOST_SAID:
            raise _broken()
        places = [_offset(metadata, entries + 4 * (1 + number)) for number in range(count)]
        said = {_text(metadata, place, 0): _text(metadata, place, 1) for place in places}
    except (struct.error, IndexError) as error:
        raise _broken() from error
    if RECEIPT not in said:
        raise _broken()
    return said


def _text(metadata: bytes, table: int, number: int) -> bytes:
    """A text field of a flatbuffer table; nothing when it is absent."""
    field = _field(metadata, table, number)
    if not field:
        return b""
    start = _offset(metadata, field) + 4
    end = start + struct.unpack_from("<I", metadata, start - 4)[0]
    if end > len(metadata):
        raise struct.error("text ends after the message")
    return metadata[start:end]


def _offset(metadata: bytes, at: int) -> int:
    """Where a flatbuffer reference at this place points to."""
    place: int = at + struct.unpack_from("<I", metadata, at)[0]
    return place


def _field(metadata: bytes, table: int, number: int) -> int:
    """Where a field of a flatbuffer table stands; 0 when it is absent."""
    fields = table - struct.unpack_from("<i", metadata, table)[0]
    if fields < 0:
        raise struct.error("table lies before the message")
    size = struct.unpack_from("<H", metadata, fields)[0]
    place = 4 + 2 * number
    found = struct.unpack_from("<H", metadata, fields + place)[0] if place + 2 <= size else 0
    return table + found if found else 0


# The same statement is answered in the same form, and short answers to it are laid out alike. No values are in these.
_known_schema = lru_cache(maxsize=256)(_schema)
_known_message = lru_cache(maxsize=1024)(_message)


def _is_plain(kind: pa.DataType, depth: int = 0) -> bool:
    """Whether values of a type lie in the message one by one: numbers, text, bytes, times, and lists of these."""
    if pa.types.is_list(kind):
        return depth < _DEEPEST and _is_plain(kind.value_type, depth + 1)
    return (
        pa.types.is_primitive(kind)
        or pa.types.is_decimal(kind)
        or kind in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())
    )


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _encoded(raw) != text:  # which finds whatever is no base64url as well
        raise binascii.Error("not the canonical spelling")
    return raw


_HEADER_ENCODED = _encoded(canonical(_HEADER))


def _over_limit(most: int) -> Upstream:
    size = f"{most >> 20} MB" if most >> 20 else f"{most} bytes"
    return Upstream(
        "answer-over-limit",
        Text("Het antwoord van een bronhouder is te groot.", "The answer of an owner is too large."),
        Text(f"Uw knooppunt neemt van één bronhouder niet meer dan {size} per antwoord aan.",
             f"Your node takes no more than {size} per answer from one owner."),
        Text("Vraag minder kolommen, of met meer voorwaarden. Uw beheerder kan limits.answer_megabytes verhogen.",
             "Ask for fewer columns, or with more conditions. Your operator can raise limits.answer_megabytes."),
    )  # fmt: skip


def _broken() -> Upstream:
    return Upstream(
        "answer-broken",
        Text("Het antwoord van een bronhouder is niet geldig.", "The answer of an owner is not valid."),
        Text(
            "Het brak af, of het ontvangstbewijs past niet bij wat er kwam.",
            "It broke off, or its receipt does not match what came.",
        ),
        Text(
            "Stel de vraag opnieuw; blijft dit zo, meld het dan bij de bronhouder.",
            "Ask again; if this goes on, tell the owner.",
        ),
        retry=True,
    )
