"""A federation in which one owner answers what it likes: properly signed, with its own card and key."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pyarrow as pa
from tests.federation import TODAY, Federation

from sluis.gateway import Answer, Covers
from sluis.kernel import PeerId, Trace, decode
from sluis.statement import Receipt, SubQuestion
from sluis.statement.receipt import SEALS, AnswerForm, AnswerWriter, seal_receipt

Body = bytes | AsyncIterator[bytes]


class Forger:
    """Stands in the place of the federation's link; what `answers` has for a path is answered by `peer`, the rest is
    honest."""

    def __init__(self, federation: Federation, peer: PeerId) -> None:
        self.federation, self.peer, self.honest = federation, peer, federation.link
        self.answers: dict[str, Callable[[Mapping[str, str], bytes], tuple[int, Body]]] = {}
        self.asked: list[tuple[PeerId, SubQuestion]] = []
        federation.asker._means.link = self  # type: ignore[assignment]
        federation.asker._owners._link = self  # type: ignore[assignment]

    @asynccontextmanager
    async def send(
        self,
        peer: PeerId,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
        covers: Covers | None = None,
        ready: Awaitable[object] | None = None,
    ) -> AsyncIterator[Answer]:
        if path == "/v1/consultations":
            self.asked.append((peer, decode(body, SubQuestion)))
        if peer == self.peer and path in self.answers:
            if ready is not None:
                await ready
            status, content = self.answers[path](headers, body)
            yield Answer(status, {}, _once(content) if isinstance(content, bytes) else content)
            return
        async with self.honest.send(peer, method, path, headers, body, seconds, covers, ready) as answer:
            yield answer

    async def close(self) -> None:
        pass

    def consultation(self, table: pa.Table, seals: bytes | None = None, **told: Any) -> None:
        """Answer every sub-question with this table, under a receipt that fits but for what is `told`."""

        def answer(headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
            question, trace = decode(body, SubQuestion), Trace.parse(headers["traceparent"])
            assert trace is not None
            writer = AnswerWriter(AnswerForm(table.schema), bytes(32))
            raw = writer.head + b"".join(writer.write(batch) for batch in table.to_batches())
            receipt = Receipt(
                self.peer, self._asker, question.activity, question.case,
                {name: f"d@1 {digest}" for name, digest in question.disclosures.items()}, {}, writer.rows, 0,
                headers["fsc-transaction-id"], trace.trace_id, TODAY.isoformat(), writer.commitment, 1, "test/forged", 2,
            )  # fmt: skip
            sign = self.federation.parties[self.peer].keys.sign
            jws = seal_receipt(msgspec.structs.replace(receipt, **told), sign)
            return 200, raw + writer.close(jws, None if seals is None else {SEALS: seals})

        self.answers["/v1/consultations"] = answer

    @property
    def _asker(self) -> PeerId:
        return self.federation.asker._means.peer


async def _once(raw: bytes) -> AsyncIterator[bytes]:
    yield raw


async def endless(piece: bytes) -> AsyncIterator[bytes]:
    """A body that does not end."""
    while True:
        yield piece
        await asyncio.sleep(0)
