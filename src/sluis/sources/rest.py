"""JSON over HTTP, described by an OpenAPI 3 document: a path with GET is a table, in the plain shape only.

A property of the answer's objects is a column; so is a parameter of the path or query, under its own name. A key list
becomes one request per key, or one per so many keys where the parameter takes an array. Pages are followed as the
document or the answer shows them: `Link: rel="next"` (RFC 8288), `_links.next.href`, a cursor, or page numbers. Only
the declared server is spoken to: no redirects, no links elsewhere. A 404 on a path with a key is no row.
"""

import http.client
import json
import re
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit

import pyarrow as pa
from sqlglot import exp

from sluis.sources.base import Limits, Prepared, Probe, SourceFailure, TableInfo, Value
from sluis.sources.files import json_text
from sluis.sources.openapi import CURSOR, FIELDS, ITEMS, PAGE, SIZE, Resource, resources
from sluis.sources.plain import Plain, batches, read_plain
from sluis.sources.shape import Shape
from sluis.sources.watch import Reading, watched

MAX_BYTES = 50_000_000
"""Bytes in one answer."""
MAX_PAGES = 10_000
"""Pages in one reading."""

_NEXT_CURSOR = ("nextCursor", "next_cursor", "nextPageToken")


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


class Line:
    """One HTTP connection to the declared server, for one reading."""

    def __init__(self, base: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(base)
        self.base, self._headers = base.rstrip("/"), {"Accept": "application/json", **headers}
        self._origin = (parts.scheme, parts.netloc)
        self._root = parts.path.rstrip("/")
        self._connection: http.client.HTTPConnection
        if parts.scheme == "https":
            self._connection = http.client.HTTPSConnection(parts.netloc, context=ssl.create_default_context())
        else:
            self._connection = http.client.HTTPConnection(parts.netloc)

    def get(self, target: str, seconds: float) -> tuple[Any, str | None] | None:
        """What stands at a URL, and the next page that its Link header names; None for a 404.

        Raises:
            SourceFailure: `refused`, `unreachable`, `failed`; `broken-row` when it is no JSON.
        """
        parts = urlsplit(target)
        inside = parts.path == self._root or parts.path.startswith(self._root + "/")
        if (parts.scheme, parts.netloc) != self._origin or not inside or "/../" in parts.path:
            raise SourceFailure("failed", "a link leads outside the declared server")
        self._connection.timeout = max(0.001, seconds)
        if self._connection.sock is not None:
            self._connection.sock.settimeout(max(0.001, seconds))
        try:
            where = parts.path + (f"?{parts.query}" if parts.query else "")
            self._connection.request("GET", where, headers=self._headers)
            answer = self._connection.getresponse()
            raw = answer.read(MAX_BYTES + 1)
        except TimeoutError as error:
            raise SourceFailure("timeout", "no answer in time") from error
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise SourceFailure("unreachable", f"{type(error).__name__}") from error
        if len(raw) > MAX_BYTES:
            self._connection.close()
            raise SourceFailure("failed", f"an answer of more than {MAX_BYTES} bytes")
        return self._decoded(answer, raw)

    def _decoded(self, answer: http.client.HTTPResponse, raw: bytes) -> tuple[Any, str | None] | None:
        if answer.status == 404:
            return None
        if answer.status in {401, 403}:
            raise SourceFailure("refused", f"the server answered {answer.status}")
        if answer.status != 200:
            kind = "unreachable" if answer.status >= 500 or answer.status == 429 else "failed"
            raise SourceFailure(kind, f"the server answered {answer.status}")
        try:
            return json.loads(raw, parse_float=Decimal), _next_link(answer.headers.get("Link"))
        except ValueError as error:
            raise SourceFailure("broken-row", "the answer is no JSON") from error

    def close(self) -> None:
        """Give the connection back; a reader that waits on it stops."""
        if (sock := self._connection.sock) is not None:
            try:
                sock.shutdown(2)
            except OSError:
                return
            finally:
                self._connection.close()


def _next_link(header: str | None) -> str | None:
    for link in re.finditer(r'<([^>]*)>\s*((?:;\s*[\w*]+\s*=\s*(?:"[^"]*"|[^\s",;]+)\s*)*)', header or ""):
        if re.search(r';\s*rel\s*=\s*"?([^";]*\s)?next(\s[^";]*)?"?(;|\s|$)', link[2]):
            return link[1]
    return None


def _next_inside(body: Any) -> str | None:
    """The next page as a HAL link, or as a plain `next` URL."""
    if not isinstance(body, dict):
        return None
    links = body.get("_links")
    found = links.get("next") if isinstance(links, dict) else body.get("next")
    found = found.get("href") if isinstance(found, dict) else found
    return found if isinstance(found, str) else None


def rows_of(body: Any) -> list[Mapping[str, Any]]:
    """The objects in an answer: an array, the array in a wrapper, or the one object."""
    if isinstance(body, dict):
        for name, inner in body.items():
            if not ITEMS.fullmatch(name):
                continue
            if isinstance(inner, list):
                body = inner
                break
            if name == "_embedded" and isinstance(inner, dict) and len(inner) == 1:
                body = next(iter(inner.values()))
                break
        else:
            body = [body]
    if not isinstance(body, list) or not all(isinstance(row, dict) for row in body):
        raise SourceFailure("broken-row", "the answer holds something else than objects")
    return body


class RestPrepared:
    """A plain query over a path."""

    def __init__(self, source: "RestSource", resource: Resource, plain: Plain, shape: Shape) -> None:
        self._source, self._resource, self._plain, self._shape = source, resource, plain, shape
        asked = {condition.column for condition in plain.conditions}
        missing = [p.name for p in resource.keys.values() if p.required and p.name not in asked]
        if missing:
            raise SourceFailure("failed", f"{resource.path} needs a value for {', '.join(missing)}")

    def run(self, values: Mapping[str, Value], limits: Limits) -> Iterator[pa.RecordBatch]:
        """See `base.Prepared.run`."""
        wanted = self._plain.wanted(values)
        line = self._source.line()
        try:
            with watched(limits, line.close) as reading:
                pages = (
                    [self._row(row, request) for row in found]
                    for request in self._requests(wanted)
                    for found in self._pages(line, request, reading)
                )
                yield from batches(self._plain, self._shape, wanted, pages, limits)
        finally:
            line.close()

    def _requests(self, wanted: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, list[Any]]]:
        """The combinations of parameter values to ask for."""
        combined: list[dict[str, list[Any]]] = [{}]
        for name, values in wanted.items():
            if parameter := self._resource.keys.get(name):
                pieces = [list(values[n : n + parameter.most]) for n in range(0, len(values), parameter.most)]
                combined = [{**before, name: piece} for before in combined for piece in pieces]
        yield from combined

    def _row(self, row: Mapping[str, Any], request: Mapping[str, list[Any]]) -> dict[str, Any]:
        """Values of the columns needed; a parameter that is no property has the value that was asked for."""
        found = {}
        for name in self._plain.columns:
            value = row.get(name)
            if name not in row and len(request.get(name, ())) == 1:
                value = request[name][0]
            nested = name in self._resource.nested or isinstance(value, dict | list)
            found[name] = json_text(value) if nested and value is not None else value
        return found

    def _pages(
        self, line: Line, request: Mapping[str, list[Any]], reading: Reading
    ) -> Iterator[list[Mapping[str, Any]]]:
        steering = self._steering()
        target = self._target(line.base, request, steering)
        linked = False
        for _ in range(MAX_PAGES):
            reading.check()
            answer = line.get(target, reading.deadline - time.monotonic())
            if answer is None:
                return
            rows = rows_of(answer[0])
            yield rows
            link = answer[1] or _next_inside(answer[0])
            if link:
                linked, target = True, urljoin(target, link)
            elif linked or not self._turn(steering, answer[0], len(rows)):
                return  # an API that links its pages links all but the last
            else:
                target = self._target(line.base, request, steering)
        raise SourceFailure("too-many-rows", f"more than {MAX_PAGES} pages")

    def _steering(self) -> dict[str, str]:
        """The first page's steering parameters: only the fields needed, page 1, pages as large as the document allows."""
        known = self._resource.steering
        own = {
            column.name
            for column in self._resource.table.columns
            if not column.native_type.endswith("parameter")
        }
        fields = {
            name: ",".join(n for n in self._plain.columns if n in own) for name in FIELDS if name in known
        }
        sizes = {name: str(known[name]) for name in SIZE if known.get(name)}
        return fields | sizes | {name: "1" for name in PAGE if name in known}

    def _target(self, base: str, request: Mapping[str, list[Any]], steering: Mapping[str, str]) -> str:
        path, query = self._resource.path, list(steering.items())
        for name, values in request.items():
            parameter = self._resource.keys[name]
            if parameter.place == "path":
                path = path.replace("{" + name + "}", quote(_written(values[0]), safe=""))
            elif parameter.explode:
                query += [(name, _written(value)) for value in values]
            else:
                query.append((name, ",".join(map(_written, values))))
        return base + path + (f"?{urlencode(query)}" if query else "")

    def _turn(self, steering: dict[str, str], body: Any, rows: int) -> bool:
        """Turn to the next page by cursor or number; False after the last."""
        known = self._resource.steering
        parameter = next((name for name in CURSOR if name in known), None)
        if parameter:
            cursor = (
                next((body[n] for n in _NEXT_CURSOR if body.get(n)), None) if isinstance(body, dict) else None
            )
            if cursor:
                steering[parameter] = str(cursor)
            return bool(cursor)
        page = next((name for name in PAGE if name in known), None)
        largest = next((known[name] for name in SIZE if known.get(name)), None)
        if page is None or rows < (largest or 1):
            return False
        steering[page] = str(int(steering[page]) + 1)
        return True


class RestSource:
    """An API by its OpenAPI document.

    Args:
        url: `openapi+https://host/openapi.json`, or `openapi+file:///path/openapi.json`; `?base=URL` names the server
            where the document does not, or names another.
        headers: sent with every request (an API key).
    """

    dialect: str | None = None

    def __init__(self, url: str, base: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        parts = urlsplit(url.removeprefix("openapi+"))
        self._location = parts._replace(query="").geturl()
        self._given = base or dict(parse_qsl(parts.query)).get("base")
        self._headers = dict(headers or {})
        self._known: tuple[str, dict[str, Resource]] | None = None
        self._lock = threading.Lock()

    def line(self) -> Line:
        """A connection to the declared server."""
        return Line(self._api()[0], self._headers)

    def _api(self) -> tuple[str, dict[str, Resource]]:
        with self._lock:
            if self._known is None:
                document = self._document()
                servers = document.get("servers") or [{"url": "/"}]
                base = self._given or urljoin(self._location, str(servers[0].get("url", "/")))
                if urlsplit(base).scheme not in {"http", "https"}:
                    raise SourceFailure(
                        "failed", "the document names no server; give it with ?base=https://…"
                    )
                self._known = base.rstrip("/"), resources(document)
            return self._known

    def _document(self) -> Mapping[str, Any]:
        parts = urlsplit(self._location)
        if parts.scheme == "file":
            try:
                document = json.loads(Path(unquote(parts.path)).read_bytes())
            except (OSError, ValueError) as error:
                raise SourceFailure("unreachable", f"no OpenAPI document: {type(error).__name__}") from error
        else:
            line = Line(f"{parts.scheme}://{parts.netloc}", self._headers)
            try:
                answer = line.get(self._location, 10)
            finally:
                line.close()
            if answer is None:
                raise SourceFailure("unreachable", "there is no OpenAPI document at this URL")
            document = answer[0]
        if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
            raise SourceFailure("failed", "this is no OpenAPI 3 document in JSON")
        return document

    def tables(self) -> tuple[TableInfo, ...]:
        """See `base.Source.tables`: the paths that give objects, under the path's own name."""
        return tuple(resource.table for resource in self._api()[1].values())

    def prepare(self, query: exp.Query, parameters: Mapping[str, str], schema: pa.Schema) -> Prepared:
        """See `base.Source.prepare`. Every required parameter must be bound."""
        plain = read_plain(query, self.tables())
        places = [f"{plain.table.name}.{name}" for name in plain.outputs]
        keys = [place for place, name in enumerate(plain.outputs) if name in plain.table.key]
        return RestPrepared(self, self._api()[1][plain.table.name], plain, Shape(schema, places, keys))

    def probe(self) -> Probe:
        """See `base.Source.probe`: whether the server accepts a connection; only GET is ever sent."""
        begin = time.perf_counter()
        try:
            line = self.line()
            try:
                line.get(line.base + "/", 5)
            finally:
                line.close()
        except SourceFailure as error:
            if error.kind not in {"failed", "broken-row"}:  # any answer at all shows that it is there
                return Probe(False, (time.perf_counter() - begin) * 1000, None, None, error.detail)
        return Probe(True, (time.perf_counter() - begin) * 1000, datetime.now(UTC), True)

    def close(self) -> None:
        """See `base.Source.close`."""
        self._known = None
