"""The reading API (LDV reading extension 1.1.0), the tiles and the witness, over ASGI."""

import json
import os
import pwd
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import jsonschema
import pytest
from tests.conftest import SHARED
from tests.unit.ledger.examples import ACTIVITY, NOW, NOW_MS, ORIGIN, clock, fill, opened, processing
from tests.unit.web.conftest import ABOUT, Caller, calling

from sluis.crypto import FileKeyStore
from sluis.ledger import Ledger, Withheld, Witness, log_routes, reading_routes
from sluis.ledger.verifier import check_log, open_checkpoint
from sluis.ledger.witness import request_body
from sluis.web import Access, Person, make_api

BSN = "999990019"  # fictitious
LOOKUPS = 8  # a minute; another comes after more than seven seconds
PATH = "/v1/processing-activities"
ME = pwd.getpwuid(os.getuid()).pw_name
LOCAL: dict[str, Any] = {"sluis.local": {"uid": os.getuid()}}


class Reader:
    """Who may read what, as a test says."""

    allowed: "frozenset[str] | Literal['all']" = "all"


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with opened(tmp_path, lookups=LOOKUPS) as (_, ledger):
        yield ledger


@pytest.fixture
def call(ledger: Ledger, reader: Reader, tmp_path: Path) -> Caller:
    keys = FileKeyStore(tmp_path / "keys")

    async def allowed(_request: Any, _traced: bool) -> "frozenset[str] | Literal['all']":
        return reader.allowed

    witness = Witness(ledger._store, keys, "witness.example", {ORIGIN: keys.public}.get, clock)
    routes = [*reading_routes(ledger, allowed), *log_routes(ledger, witness)]
    people = {ME: Person(ME, ME)}
    return calling(make_api(routes, Access([], people.get), ABOUT))


async def find(call: Caller, **body: Any) -> list[dict[str, Any]]:
    reply = await call("POST", PATH, body, extensions=LOCAL)
    assert reply.status == 200, reply.body
    lines: list[dict[str, Any]] = reply.json["processingActivities"]
    return lines


async def test_a_record_is_written_with_the_names_of_the_standard(ledger: Ledger, call: Caller) -> None:
    record = processing("pseudonym", trace_id="ef4e77b9b03b585fb6135fcf8d8555fb")
    await ledger.append([record])
    reply = await call("POST", PATH, {"traceId": record.trace_id}, extensions=LOCAL)
    assert reply.headers["api-version"] == "1.1.0"
    assert reply.json == {
        "processingActivities": [
            {
                "traceId": "ef4e77b9-b03b-585f-b613-5fcf8d8555fb",
                "spanId": record.span_id,
                "status": "Ok",
                "name": "consultation of income",
                "startTime": NOW_MS,
                "endTime": NOW_MS + 20,
                "attributes": record.attributes,
            }
        ]
    }


@pytest.mark.skipif(SHARED is None, reason="the published document does not lie beside the checkout")
async def test_the_answer_fits_the_published_document(ledger: Ledger, call: Caller) -> None:
    assert SHARED is not None
    folder = SHARED / "specs/standards/ldv"
    document = json.loads((folder / "lezen-openapi-1.1.0-repaired.json").read_text())
    schemas = document["components"]["schemas"]
    schemas["Attributes"] = json.loads((folder / "attributes.schema.json").read_text())
    fill(ledger, 3)
    reply = await call("POST", PATH, {"dpl.core.processing_activity_id": ACTIVITY}, extensions=LOCAL)
    schema = {"$ref": "#/components/schemas/ListProcessingActivities", "components": {"schemas": schemas}}
    jsonschema.validate(reply.json, schema)
    assert len(reply.json["processingActivities"]) == 3


@pytest.mark.parametrize(
    "trace", ["ef4e77b9-b03b-585f-b613-5fcf8d8555fb", "EF4E77B9B03B585FB6135FCF8D8555FB"]
)
async def test_a_trace_is_found_with_and_without_dashes(ledger: Ledger, call: Caller, trace: str) -> None:
    await ledger.append([processing("a", trace_id="ef4e77b9b03b585fb6135fcf8d8555fb"), processing("a")])
    assert len(await find(call, traceId=trace)) == 1


@pytest.mark.parametrize(
    "body",
    [
        {}, {"startTime": 1}, {"dpl.core.data_subject_id_type": "BSN"}, {"traceId": "zz"}, {"traceId": 5},
        {"traceId": "ef4e77b9-b03b585f-b613-5fcf8d8555fb"}, {"traceId": "a" * 32, "limit": 5}, [], "x",
        {"traceId": "a" * 32, "dpl.read.externalReadAPI_id": "https://x.example"},
    ],
)  # fmt: skip
async def test_a_search_that_is_too_wide_or_not_understood_is_refused(call: Caller, body: Any) -> None:
    assert (await call("POST", PATH, body, extensions=LOCAL)).status == 400


async def test_a_subject_is_found_by_their_number_in_every_year(ledger: Ledger, call: Caller) -> None:
    old = ledger.subject("BSN", BSN, NOW.replace(year=2025))
    new = ledger.subject("BSN", BSN, NOW)
    await ledger.append([processing(old), processing(new), processing("someone")])
    wanted = {"dpl.core.data_subject_id": BSN, "dpl.core.data_subject_id_type": "BSN"}
    found = [line["attributes"]["dpl.core.data_subject_id"] for line in await find(call, **wanted)]
    assert found == [new, old]
    assert len(await find(call, **{"dpl.core.data_subject_id": old})) == 1


async def test_a_subject_reads_their_own_records_and_no_other(
    ledger: Ledger, call: Caller, reader: Reader
) -> None:
    mine, trace = ledger.subject("BSN", BSN, NOW), "ef4e77b9b03b585fb6135fcf8d8555fb"
    hidden = processing(mine, trace_id=trace, withheld=Withheld("Wpg, art. 27", NOW_MS + 1))
    records = [
        processing(mine, trace_id=trace),
        processing("someone", trace_id=trace),
        processing(trace_id=trace),
    ]
    await ledger.append([*records, hidden])
    assert len(await find(call, traceId=trace)) == 4
    reader.allowed = frozenset([mine])
    for search in (
        {"traceId": trace},
        {"dpl.core.processing_activity_id": ACTIVITY},
        {"dpl.core.data_subject_id": BSN},
    ):
        assert [line["spanId"] for line in await find(call, **search)] == [records[0].span_id]
    assert await find(call, **{"dpl.core.data_subject_id": "someone"}) == []
    reader.allowed = frozenset()
    assert await find(call, traceId=trace) == []


async def test_a_period_and_a_processor_narrow_a_search(ledger: Ledger, call: Caller) -> None:
    processor = {"dpl.core.foreign_operation.processor": "https://a.example"}
    await ledger.append([processing("a", start=start, **processor) for start in (1000, 2000, 3000)])
    fill(ledger, 1)
    wanted = {"dpl.core.processing_activity_id": ACTIVITY}
    assert [line["startTime"] for line in await find(call, **wanted, startTime=2000, endTime=3020)] == [
        3000,
        2000,
    ]
    assert len(await find(call, **wanted, **processor)) == 3


async def test_nobody_unknown_reads_the_log(call: Caller) -> None:
    assert (await call("POST", PATH, {"traceId": "a" * 32})).status == 401


async def test_looking_up_persons_goes_at_a_limited_pace(call: Caller) -> None:
    async def look_up() -> int:
        return (await call("POST", PATH, {"dpl.core.data_subject_id": BSN}, extensions=LOCAL)).status

    assert [await look_up() for _ in range(LOOKUPS + 1)] == [*[200] * LOOKUPS, 403]


async def test_the_tiles_over_http_are_a_log_that_verifies(ledger: Ledger, call: Caller) -> None:
    fill(ledger, 700)
    got: dict[str, bytes] = {}
    paths = ["checkpoint", "tile/0/000", "tile/0/001", "tile/0/002.p/188", "tile/1/000.p/2"]
    for path in [*paths, "tile/entries/000", "tile/entries/001", "tile/entries/002.p/188"]:
        reply = await call("GET", f"/v1/log/{path}")
        assert reply.status == 200, path
        got[path] = reply.body
    assert (await call("GET", "/v1/log/checkpoint")).headers["content-type"] == "text/plain; charset=utf-8"
    tile = await call("GET", "/v1/log/tile/0/000")
    assert tile.headers["content-type"] == "application/octet-stream"
    assert "immutable" in tile.headers["cache-control"]

    def fetch(path: str) -> bytes:
        if path not in got:
            raise FileNotFoundError(path)
        return got[path]

    assert check_log(fetch, ledger.key).faults == []


@pytest.mark.parametrize(
    "path",
    ["0/001", "0/000.p/255", "0/000.p/0", "0/000.p/256", "0/0", "0/x000/000", "00/000", "-1/000", "64/000", "x/000",
     "entries/009", "1/000", "0/000/", "0/../checkpoint"],
)  # fmt: skip
async def test_what_is_no_tile_of_this_log_is_not_found(ledger: Ledger, call: Caller, path: str) -> None:
    fill(ledger, 200)
    assert (await call("GET", f"/v1/log/tile/{path}")).status == 404


async def test_a_partial_tile_stays_available_when_the_log_has_grown(ledger: Ledger, call: Caller) -> None:
    fill(ledger, 100)
    before = (await call("GET", "/v1/log/tile/0/000.p/100")).body
    fill(ledger, 300)
    assert (await call("GET", "/v1/log/tile/0/000.p/100")).body == before


async def test_a_checkpoint_is_cosigned_over_http(ledger: Ledger, call: Caller) -> None:
    fill(ledger, 5)
    note = (await call("GET", "/v1/log/checkpoint")).body.decode()
    reply = await call("POST", "/v1/log/add-checkpoint", request_body(0, [], note))
    assert reply.status == 200
    assert open_checkpoint(note + reply.body.decode(), ledger.key).size == 5
    again = await call("POST", "/v1/log/add-checkpoint", request_body(0, [], note))
    assert (again.status, again.body, again.headers["content-type"]) == (409, b"5\n", "text/x.tlog.size")


async def test_monitors_read_what_was_witnessed(ledger: Ledger, call: Caller) -> None:
    path = f"/v1/log/witnessed/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"
    assert (await call("GET", path)).status == 404
    await call("POST", "/v1/log/add-checkpoint", request_body(0, [], await ledger.checkpoint()))
    assert open_checkpoint((await call("GET", path)).body.decode(), ledger.key).size == 0
