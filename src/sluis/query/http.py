"""Questions over HTTP, for the people of this organisation: on the node's own socket, never on the network."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, Operation

from sluis.grounds import Activity
from sluis.kernel import Acting, encode, plain
from sluis.query.model import Answer, AnswerColumn, AnswerDocument, Explanation, Question, Who
from sluis.query.service import Asker
from sluis.statement import MEDIA_TYPE
from sluis.web import SHORT, Person, header

ANSWERED = (
    "De rijen, en daarbij: van wie elke kolom komt, wat elke bronhouder tekende, en wat gesloten blijft."
)


@dataclass
class _Asking(Operation):
    """In the document, the answer is there as an Arrow IPC stream too; the rest of it in the schema's metadata."""

    def __post_init__(self) -> None:
        answered = (self.responses or {})["200"]
        if isinstance(answered, OpenAPIResponse):
            answered.content = {**(answered.content or {}), MEDIA_TYPE: OpenAPIMediaType()}


def routes(asker: Asker) -> list[HTTPRouteHandler]:
    """The routes of this room, around one asker."""

    @post(
        "/questions",
        opt={SHORT: True},
        status_code=200,
        summary="Stel een vraag aan meer organisaties tegelijk",
        tags=["vragen"],
        responses={200: ResponseSpec(AnswerDocument, generate_examples=False, description=ANSWERED)},
        operation_class=_Asking,
    )
    async def ask(data: Question, person: Person, request: Request[Any, Any, Any]) -> Response[bytes]:
        who = Who(Acting(person.person), person.acr, person.level, person.roles)
        if MEDIA_TYPE in header(request.scope, b"accept"):
            return Response(as_arrow(await asker.ask(data, who)), media_type=MEDIA_TYPE)
        document = await asker.rendered(data, who, as_document)
        return Response(encode(document), media_type="application/json")

    @post(
        "/questions/_explain",
        status_code=200,
        summary="Leg uit wat een vraag zou doen",
        tags=["vragen"],
        response_description="Per bronhouder welke kolommen en rijen, en wat gesloten blijft.",
    )
    async def explain(data: Question, person: Person) -> Explanation:
        return await asker.explain(data)

    @get(
        "/activities",
        summary="Het register van verwerkingsactiviteiten",
        tags=["vragen"],
        response_description="Alle verwerkingsactiviteiten van deze organisatie.",
    )
    async def activities(person: Person) -> list[Activity]:
        return list(asker.activities())

    return [ask, explain, activities]


def as_document(answer: Answer) -> AnswerDocument:
    """An answer as one JSON document."""
    return AnswerDocument(
        answer.question,
        answer.trace_id,
        tuple(AnswerColumn(field.name, str(field.type)) for field in answer.table.schema),
        _rows(answer.table),
        answer.provenance,
        answer.consulted,
        answer.closed,
        answer.missing,
        answer.timings,
    )


def _rows(table: pa.Table) -> list[list[Any]]:
    columns = [column.to_pylist() for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def as_arrow(answer: Answer) -> bytes:
    """An answer as an Arrow IPC stream; all but the rows as JSON in the schema's metadata, under `sluis.answer`."""
    document: dict[str, Any] = plain(as_document(answer))
    beside = {name: value for name, value in document.items() if name not in {"rows", "columns"}}
    sink = pa.BufferOutputStream()
    table = answer.table.replace_schema_metadata({"sluis.answer": encode(beside)})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    raw: bytes = sink.getvalue().to_pybytes()
    return raw
