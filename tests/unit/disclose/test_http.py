import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.unit.disclose.owner import ANN, ASKER, OTHER, Owner, disclosure
from tests.unit.web.conftest import crossing

from sluis.disclose import Bounds, routes
from sluis.kernel import PeerId, Text, Unkept, Upstream, encode
from sluis.sources import Limits, Source, SourceFailure, TableInfo, open_source
from sluis.statement import AnswerReader, KeyList
from sluis.web import About, Access, make_api

Call = Callable[..., Any]
TRANSACTION = "0190d2f0-0000-7000-8000-000000000000"
HEADERS = {
    "content-type": "application/json", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "fsc-transaction-id": TRANSACTION,
}  # fmt: skip
BY_KEY = "SELECT p.name AS name FROM persons AS p WHERE p.bsn = ANY($k)"


class Client:
    """A peer that speaks ASGI. `parts` are the pieces of the last answer; `leaves` makes it go away after
    the first; None makes it go away before."""

    def __init__(self, owner: Owner, peer: PeerId | None) -> None:
        async def told(refusal: object) -> None:
            pass

        access = Access([ASKER, OTHER], lambda user: None, told)
        about = About("A", "https://own.example", "B", "b@own.example", "https://own.example")
        self._api = make_api(routes(owner.discloser), access, about)
        self._crossed = crossing(peer, "Peer") if peer else {}
        self.parts: list[bytes] = []
        self.leaves: bool | None = False

    async def __call__(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
            "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
            "scheme": "https", "server": ("own", 443), "client": ("127.0.0.1", 1), "state": {},
            "headers": [(k.encode(), v.encode()) for k, v in (HEADERS | headers).items()], "extensions": self._crossed,
        }  # fmt: skip
        left, sent = asyncio.Event(), []
        if self.leaves is None:
            asyncio.get_running_loop().call_later(0.2, left.set)
        incoming = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            if incoming:
                return incoming.pop(0)
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                left.set()  # as a server does once the answer is complete
            if message.get("body"):
                self.parts.append(message["body"])
                if self.leaves:
                    left.set()
                    await asyncio.sleep(0.05)

        self.parts = []
        await self._api(scope, receive, send)  # type: ignore[arg-type]
        return sent[0]["status"], b"".join(self.parts)


async def test_a_peer_asks_and_gets_a_stream_with_a_receipt(tmp_path: Path) -> None:
    owner = Owner(tmp_path, disclosure())
    client = Client(owner, ASKER)
    question = owner.question(BY_KEY, keys={"k": KeyList("VARCHAR", [ANN])})
    status, body = await client("POST", "/v1/consultations", encode(question))
    reader = AnswerReader()
    (batch,) = reader.feed(body)
    receipt = reader.finish(owner.keys.public).receipt
    assert (status, batch.to_pylist()) == (200, [{"name": "Ann"}])
    assert (receipt.asker, receipt.trace_id, receipt.transaction_id) == (ASKER, "a" * 32, TRANSACTION)


async def test_a_peer_sees_what_is_open_to_it_only(tmp_path: Path) -> None:
    owner = Owner(tmp_path, disclosure(), disclosure("jobs", recipient=OTHER))
    status, body = await Client(owner, ASKER)("GET", "/v1/offers")
    assert (status, [offer["dataset"] for offer in json.loads(body)]) == (200, ["persons"])


async def test_nobody_unknown_gets_anything(tmp_path: Path) -> None:
    client = Client(Owner(tmp_path, disclosure()), None)
    assert (await client("GET", "/v1/offers"))[0] == 401
    assert (await client("POST", "/v1/consultations", b"{}"))[0] == 401


async def test_a_refusal_is_a_problem_in_two_languages(tmp_path: Path) -> None:
    owner = Owner(tmp_path, disclosure())
    question = owner.question("SELECT p.name AS name FROM persons AS p")
    status, body = await Client(owner, ASKER)("POST", "/v1/consultations", encode(question))
    problem = json.loads(body)
    assert (status, problem["rule"], set(problem["texts"])) == (403, "subject-required", {"nl", "en"})


@pytest.mark.parametrize("transaction", ["", "7", "x" * 36])
async def test_a_crossing_has_a_transaction_id(tmp_path: Path, transaction: str) -> None:
    owner = Owner(tmp_path, disclosure())
    question = owner.question(BY_KEY, keys={"k": KeyList("VARCHAR", [ANN])})
    client = Client(owner, ASKER)
    headers = {"fsc-transaction-id": transaction}
    assert (await client("POST", "/v1/consultations", encode(question), **headers))[0] == 400
    assert owner.log.records == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"sql": 1}', b"null"])
async def test_what_is_no_question_is_invalid(tmp_path: Path, body: bytes) -> None:
    client = Client(Owner(tmp_path, disclosure()), ASKER)
    assert (await client("POST", "/v1/consultations", body))[0] == 400


async def test_a_failure_halfway_leaves_no_answer(tmp_path: Path) -> None:
    owner = Owner(tmp_path, disclosure(subject_required=False), bounds=Bounds(batch_rows=1))
    client = Client(owner, ASKER)
    append, left = owner.log.append, [2]

    async def twice(records: Any) -> Any:
        position = await append(records)
        left[0] -= 1
        if left[0] == 0:
            owner.log.broken = Unkept("full", *[Text("", "")] * 3)
        return position

    owner.log.append = twice  # type: ignore[method-assign]
    question = owner.question("SELECT p.name AS name FROM persons AS p")
    status, body = await client("POST", "/v1/consultations", encode(question))
    reader = AnswerReader()
    assert (status, sum(batch.num_rows for batch in reader.feed(body))) == (200, 2)
    with pytest.raises(Upstream):
        reader.finish(owner.keys.public)


async def test_what_was_sent_to_an_asker_that_left_is_on_record(tmp_path: Path) -> None:
    owner = Owner(tmp_path, disclosure(subject_required=False), bounds=Bounds(batch_rows=1))
    client = Client(owner, ASKER)
    client.leaves = True
    question = owner.question("SELECT p.name AS name FROM persons AS p")
    await client("POST", "/v1/consultations", encode(question))
    reader = AnswerReader()
    sent = sum(batch.num_rows for part in client.parts for batch in reader.feed(part))
    assert 1 <= sent <= len(owner.log.subjects()) < 4
    with pytest.raises(Upstream):
        reader.finish(owner.keys.public)


class SlowSource:
    """A source that waits until it is cancelled."""

    def __init__(self, inner: Source) -> None:
        self._inner, self.dialect, self.cancelled = inner, inner.dialect, threading.Event()

    def tables(self) -> tuple[TableInfo, ...]:
        return self._inner.tables()

    def prepare(self, *_: Any) -> "SlowSource":
        return self

    def run(self, values: Mapping[str, Any], limits: Limits) -> Iterator[pa.RecordBatch]:
        yield from ()
        assert limits.cancelled.wait(10)
        self.cancelled.set()
        raise SourceFailure("cancelled", "")


async def test_an_asker_that_leaves_before_the_answer_stops_the_source(tmp_path: Path) -> None:
    Owner(tmp_path, disclosure())
    source: Any = SlowSource(open_source(f"sqlite:///{tmp_path}/people.sqlite"))
    owner = Owner(tmp_path, disclosure(), source=source)
    client = Client(owner, ASKER)
    client.leaves = None
    question = owner.question(BY_KEY, keys={"k": KeyList("VARCHAR", [ANN])})
    await client("POST", "/v1/consultations", encode(question))
    assert await asyncio.to_thread(source.cancelled.wait, 5)
    assert client.parts == [] or b"Ann" not in b"".join(client.parts)
