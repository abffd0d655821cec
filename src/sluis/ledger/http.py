"""The log over HTTP: the LDV reading extension for whoever may read, and the transparency log for anyone.

LDV reading extension 1.1.0 (`POST /processing-activities`; search values in the body, so that no identifier gets
into a URL); C2SP tlog-tiles and tlog-witness. Their documents are those of the standards, so that these routes stay
out of the node's own.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.kernel import Invalid, NotFound, Text
from sluis.ledger.model import ACTIVITY, PROCESSOR, SUBJECT, SUBJECT_TYPE, Processing, Search
from sluis.ledger.service import Ledger
from sluis.ledger.verifier import tile_path
from sluis.ledger.witness import LARGEST_REQUEST, Witness

LDV_VERSION = "1.1.0"

Allowed = frozenset[str] | Literal["all"]

Authorise = Callable[[Request[Any, Any, Any], bool], Awaitable[Allowed]]
"""The pseudonyms of the subjects whose records the caller of a request may read; `all` for the privacy officer. Whether the
request names a trace is told with it. Raises `Unidentified`, `Refused` or `Invalid`."""

_TRACE = re.compile(r"[0-9a-f]{32}")
_DASHED = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
_TILE = re.compile(r"((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_NOTE = {"content-type": "text/plain; charset=utf-8"}
_FOREVER = {"cache-control": "public, max-age=31536000, immutable"}
_BRIEFLY = {"cache-control": "public, max-age=2"}


Moment = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""Milliseconds since the epoch, as far as a database counts."""


class Wanted(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={
        "trace_id": "traceId",
        "start_time": "startTime",
        "end_time": "endTime",
        "activity": ACTIVITY,
        "subject": SUBJECT,
        "subject_type": SUBJECT_TYPE,
        "processor": PROCESSOR,
    },
):
    """The body of a search. A field that is not known is refused: passing over it would give more than was asked."""

    trace_id: str | None = None
    start_time: Moment | None = None
    end_time: Moment | None = None
    activity: str | None = None
    subject: str | None = None
    subject_type: str | None = None
    processor: str | None = None


class Line(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A processing record as the reading extension writes it."""

    trace_id: str
    span_id: str
    status: str
    name: str
    start_time: int
    end_time: int
    attributes: dict[str, Any]
    parent_span_id: str | None = None
    resource: dict[str, Any] | None = None


class Found(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to a search."""

    processing_activities: list[Line]


def reading_routes(ledger: Ledger, authorise: Authorise) -> list[HTTPRouteHandler]:
    """The reading API of this node's log.

    Args:
        ledger: the log.
        authorise: who may read what.
    """

    @post("/processing-activities", status_code=200, include_in_schema=False)
    async def find(data: Wanted, request: Request[Any, Any, Any], caller: object) -> Response[Found]:
        """Zoek verwerkingen op trace, verwerkingsactiviteit of betrokkene."""
        allowed = await authorise(request, data.trace_id is not None)
        search = _search(data, ledger, allowed)
        records = await ledger.processing_of(search, withheld=allowed == "all")
        return Response(Found([line_of(record) for record in records]), headers={"API-Version": LDV_VERSION})

    return [find]


def log_routes(
    ledger: Ledger, witness: Witness | None = None, crossed: Callable[[str], None] | None = None
) -> list[HTTPRouteHandler]:
    """The transparency log, for anyone who can connect; and this node as a witness of others.

    Args:
        ledger: the log.
        witness: cosigns the checkpoints of others; None when this node witnesses nobody.
        crossed: told the transaction (FSC Core, `Fsc-Transaction-Id`) by which it was asked to.
    """

    @get("/log/checkpoint", opt={"open": True}, include_in_schema=False)
    async def checkpoint() -> Response[bytes]:
        """Het nieuwste checkpoint van dit logboek."""
        note = ledger.log.checkpoint() or await ledger.checkpoint()
        return Response(note.encode(), headers={**_NOTE, **_BRIEFLY})

    @get("/log/tile/{level:str}/{rest:path}", opt={"open": True}, include_in_schema=False)
    async def tile(level: str, rest: str) -> Response[bytes]:
        """Een tegel van de Merkle-boom, of van wat de bladeren zijn."""
        at, number, width = _tile_of(level, rest.removeprefix("/"))
        body = ledger.log.tile(at, number, width)
        return Response(body, media_type="application/octet-stream", headers=_FOREVER)

    if witness is None:
        return [checkpoint, tile]

    @post("/log/add-checkpoint", status_code=200, opt={"open": True}, include_in_schema=False,
          request_max_body_size=LARGEST_REQUEST)  # fmt: skip
    async def add_checkpoint(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Teken mee met het checkpoint van een ander logboek."""
        if crossed is not None:
            crossed(request.headers.get("fsc-transaction-id", ""))
        answer = await witness.add(await request.body())
        headers = {
            "content-type": answer.content_type
        }  # as media type it would get a charset, which is not exact
        return Response(answer.body.encode(), status_code=answer.status, headers=headers)

    @get("/log/witnessed/{digest:str}/checkpoint", opt={"open": True}, include_in_schema=False)
    async def witnessed(digest: str) -> Response[bytes]:
        """Het nieuwste checkpoint van een ander logboek dat dit knooppunt zag."""
        note = await witness.newest(digest)
        if note is None:
            raise _not_witnessed()
        return Response(note.encode(), headers={**_NOTE, **_BRIEFLY})

    return [checkpoint, tile, add_checkpoint, witnessed]


def _search(wanted: Wanted, ledger: Ledger, allowed: Allowed) -> Search:
    if wanted.trace_id is None and wanted.activity is None and wanted.subject is None:
        raise _too_wide()
    subjects: tuple[str, ...] | None = None
    if wanted.subject is not None:
        # The value may be the pseudonym itself or the key it was made of.
        subjects = (wanted.subject, *ledger.subjects(wanted.subject_type or "BSN", wanted.subject))
    if allowed != "all":
        subjects = tuple(allowed if subjects is None else allowed.intersection(subjects))
    return Search(
        _plain_trace(wanted.trace_id),
        wanted.activity,
        subjects,
        wanted.processor,
        wanted.start_time,
        wanted.end_time,
    )


def _plain_trace(trace_id: str | None) -> str | None:
    """A trace id without dashes; the core standard writes it so, the reading extension as a UUID."""
    if trace_id is None:
        return None
    lower = trace_id.lower()
    if not (_TRACE.fullmatch(lower) or _DASHED.fullmatch(lower)):
        raise Invalid(
            "invalid-trace-id",
            Text("Dit traceId klopt niet.", "This traceId is malformed."),
            Text("Het heeft 32 hexadecimale cijfers.", "It has 32 hex digits."),
            Text("Neem het over uit een logregel.", "Copy it from a log record."),
        )
    return lower.replace("-", "")


def line_of(record: Processing) -> Line:
    """A processing record as the reading extension writes it."""
    plain = record.trace_id
    dashed = f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:]}"
    return Line(
        dashed,
        record.span_id,
        record.status,
        record.name,
        record.start_time,
        record.end_time,
        record.attributes,
        record.parent_span_id,
        record.resource,
    )


def _tile_of(level: str, rest: str) -> tuple[int | str, int, int]:
    """Level, number and width of a tile path, which must be written in the one way that tlog-tiles allows."""
    match = _TILE.fullmatch(rest)
    if match is not None and (
        level == "entries" or (level.isdecimal() and level.isascii() and int(level) < 64)
    ):
        at = level if level == "entries" else int(level)
        number, width = int(match[1].replace("x", "").replace("/", "")), int(match[2] or 256)
        if width <= 256 and tile_path(at, number, width) == f"tile/{level}/{rest}":
            return at, number, width
    raise NotFound(
        "unknown-tile",
        Text("Deze tegel is er niet.", "There is no such tile."),
        Text("Het pad is geen pad van een tegel.", "The path is no path of a tile."),
        Text("Zie c2sp.org/tlog-tiles voor de vorm.", "See c2sp.org/tlog-tiles for its form."),
    )


def _too_wide() -> Invalid:
    return Invalid(
        "search-too-wide",
        Text("Deze zoekvraag is te ruim.", "This search is too wide."),
        Text(
            f"Er staat geen traceId, {ACTIVITY} of {SUBJECT} in.",
            f"It names no traceId, {ACTIVITY} or {SUBJECT}.",
        ),
        Text("Noem er minstens één.", "Name at least one."),
    )


def _not_witnessed() -> NotFound:
    return NotFound(
        "not-witnessed",
        Text("Dit logboek tekent dit knooppunt niet mee.", "This node does not witness that log."),
        Text("Er is geen checkpoint van gezien.", "No checkpoint of it was seen."),
        Text("Vraag een andere getuige.", "Ask another witness."),
    )
