"""Questions over HTTP, for the people of this organisation: on the node's own socket, never on the network."""

from typing import Any

import pyarrow as pa
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.grounds import Activity
from sluis.kernel import encode, plain
from sluis.query.model import Answer, Explanation, Question, Who
from sluis.query.service import Asker
from sluis.statement import MEDIA_TYPE
from sluis.web import Person


def routes(asker: Asker) -> list[HTTPRouteHandler]:
    """The routes of this room, around one asker."""

    @post(
        "/questions",
        status_code=200,
        summary="Stel een vraag aan meer organisaties tegelijk",
        tags=["vragen"],
    )
    async def ask(data: Question, person: Person, request: Request[Any, Any, Any]) -> Response[bytes]:
        answer = await asker.ask(data, Who(person.person, person.acr))
        if MEDIA_TYPE in request.headers.get("accept", ""):
            return Response(as_arrow(answer), media_type=MEDIA_TYPE)
        return Response(encode(as_document(answer)), media_type="application/json")

    @post("/questions/_explain", status_code=200, summary="Leg uit wat een vraag zou doen", tags=["vragen"])
    async def explain(data: Question, person: Person) -> Explanation:
        return await asker.explain(data)

    @get("/activities", summary="Het register van verwerkingen", tags=["vragen"])
    async def activities(person: Person) -> list[Activity]:
        return list(asker.activities())

    return [ask, explain, activities]


def as_document(answer: Answer) -> dict[str, Any]:
    """An answer as one JSON document; decimals and dates as text."""
    table = answer.table
    return {
        "question": answer.question,
        "traceId": answer.trace_id,
        "columns": [{"name": field.name, "type": str(field.type)} for field in table.schema],
        "rows": _rows(table),
        "provenance": plain(answer.provenance),
        "receipts": plain(answer.consulted),
        "closed": plain(answer.closed),
        "missing": plain(answer.missing),
        "timings": answer.timings,
    }


def _rows(table: pa.Table) -> list[list[Any]]:
    columns = [column.to_pylist() for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def as_arrow(answer: Answer) -> bytes:
    """An answer as an Arrow IPC stream; all but the rows as JSON in the schema's metadata, under `sluis.answer`."""
    beside = {name: value for name, value in as_document(answer).items() if name not in {"rows", "columns"}}
    sink = pa.BufferOutputStream()
    table = answer.table.replace_schema_metadata({"sluis.answer": encode(beside)})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    raw: bytes = sink.getvalue().to_pybytes()
    return raw
