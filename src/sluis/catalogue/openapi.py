"""An OpenAPI document (3.0 and 3.1) read for what people want to know of it: operations, parameters, bodies, answers. Pure, and wary:
it may come from elsewhere.

Nothing is fetched: of references only those within the document are followed (`#/…`), no deeper than `DEEPEST`, and a circle ends where
it began. How much is read is bounded, and texts are cut; what is no document is a problem.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final, Literal, cast

import msgspec

from sluis.kernel import Invalid, Text, decode

MOST_BYTES: Final = 1024 * 1024
MOST_OPERATIONS, MOST_PARAMETERS, MOST_FIELDS, DEEPEST, LONGEST = 200, 40, 200, 5, 2000
# Schemas, parameters and answers that are looked at in all, and characters that are kept of them: a small document can name the same
# again and again.
_MOST_STEPS, _MOST_CHARACTERS = 20_000, 1_000_000
_MEDIA = 20  # of one body

Method = Literal["get", "head", "post", "put", "patch", "delete"]
METHODS: Final[tuple[Method, ...]] = ("get", "head", "post", "put", "patch", "delete")
Where = Literal["path", "query", "header"]

TRY: Final = "x-sluis-try"
"""Member at the top of a document whose service may be tried out, also where it is no test."""

_PATH = re.compile(r"/(?!/)[A-Za-z0-9._~!$&'()*+,;=:@%{}/-]{0,300}")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,60}")
_TAKEN = frozenset(
    "authorization cookie host connection content-length transfer-encoding te trailer upgrade proxy-authorization expect content-type "
    "accept traceparent".split()
)
"""Headers that nobody types: they belong to the connection, or to who asks."""


class Field(msgspec.Struct, frozen=True):
    """A member of a body: its name with those above it, what it is, and what is said of it."""

    name: str
    type: str
    required: bool
    description: str


class Parameter(msgspec.Struct, frozen=True):
    """Something that a request is made with."""

    name: str
    where: Where
    type: str
    required: bool
    description: str
    example: str = ""
    choices: tuple[str, ...] = ()


class Body(msgspec.Struct, frozen=True):
    """What is sent or answered, in one media type."""

    media: str
    fields: tuple[Field, ...]
    example: str = ""


class Result(msgspec.Struct, frozen=True):
    """An answer that may come."""

    status: str
    description: str
    body: Body | None


class Operation(msgspec.Struct, frozen=True):
    """What can be done: a method at a path."""

    method: Method
    path: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    body: Body | None
    results: tuple[Result, ...]
    deprecated: bool

    @property
    def id(self) -> str:
        """Names it within its document."""
        return f"{self.method} {self.path}"


class Document(msgspec.Struct, frozen=True):
    """What a document says. `prefix` is the path before those of its operations; `may_try` whether it is marked for that."""

    title: str
    version: str
    description: str
    prefix: str
    auth: tuple[str, ...]
    operations: tuple[Operation, ...]
    left_out: int
    may_try: bool


def read_openapi(raw: bytes) -> Document:
    """What a document says. Raises `Invalid` when it is none."""
    if len(raw) > MOST_BYTES:
        raise _unreadable(Text("Het is groter dan 1 MB.", "It is larger than 1 MB."))
    try:
        whole = decode(raw, dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, ValueError):
        raise _unreadable(Text("Het is geen JSON.", "It is not JSON.")) from None
    if not str(whole.get("openapi", "")).startswith("3.") or not isinstance(whole.get("paths"), dict):
        raise _unreadable(Text("Het is geen OpenAPI 3.", "It is not OpenAPI 3."))
    return _Reader(whole).document()


class _Reader:
    def __init__(self, whole: Mapping[str, Any]) -> None:
        self._whole, self._steps, self._characters = whole, 0, 0
        self._examples: dict[int, str] = {}
        self._left_out = 0

    def document(self) -> Document:
        info = self._map(self._whole.get("info"))
        found = list(self._operations())
        return Document(
            title=_text(info.get("title")) or "API",
            version=_text(info.get("version"), 40),
            description=_text(info.get("description")),
            prefix=self._prefix(),
            auth=tuple(self._auth()),
            operations=tuple(found),
            left_out=self._left_out,
            may_try=self._whole.get(TRY) is True,
        )

    def _prefix(self) -> str:
        """The path of the first server: which host it is on, the contract says."""
        servers = self._list(self._whole.get("servers"))
        url = _text(self._map(servers[0]).get("url")) if servers else ""
        path = re.sub(r"^https?://[^/]*", "", url).rstrip("/")
        return path if _PATH.fullmatch(path) and "{" not in path and ".." not in path else ""

    def _auth(self) -> Iterator[str]:
        schemes = self._map(self._map(self._whole.get("components")).get("securitySchemes"))
        for name, one in list(schemes.items())[:MOST_PARAMETERS]:
            said = self._followed(one)
            told = " ".join(
                filter(
                    None,
                    (_text(said.get("type"), 40), _text(said.get("scheme"), 40), _text(said.get("in"), 40)),
                )
            )
            yield f"{_text(name, 80)}: {told}"

    def _operations(self) -> Iterator[Operation]:
        made = 0
        for path, given in islice(self._whole["paths"].items(), MOST_OPERATIONS * 2):
            item = self._followed(given)
            if not isinstance(path, str) or not _PATH.fullmatch(path) or ".." in path:
                continue
            for method in METHODS:
                if not isinstance(item.get(method), dict):
                    continue
                if made < MOST_OPERATIONS:
                    made += 1
                    yield self._operation(method, path, item, item[method])
                else:
                    self._left_out += 1

    def _operation(
        self, method: Method, path: str, item: Mapping[str, Any], one: Mapping[str, Any]
    ) -> Operation:
        named: dict[tuple[str, str], Parameter] = {}
        for given in [*self._list(item.get("parameters")), *self._list(one.get("parameters"))][
            :MOST_PARAMETERS
        ]:
            found = self._parameter(self._followed(given)) if self._goes_on() else None
            if found is not None:
                named[found.where, found.name] = found
        results = self._map(one.get("responses"))
        return Operation(
            method=method,
            path=path,
            summary=self._said(one.get("summary"), 300) or self._said(one.get("operationId"), 300),
            description=self._said(one.get("description")),
            parameters=tuple(named.values()),
            body=self._body(self._followed(one.get("requestBody"))),
            results=tuple(
                self._result(str(status), self._followed(said))
                for status, said in islice(results.items(), 20)
                if self._goes_on()
            ),
            deprecated=one.get("deprecated") is True,
        )

    def _parameter(self, one: Mapping[str, Any]) -> Parameter | None:
        name, where = _text(one.get("name"), 100), one.get("in")
        if not name or where not in ("path", "query", "header"):
            return None
        if where == "header" and (
            not _HEADER.fullmatch(name) or name.lower() in _TAKEN or name.lower().startswith("fsc-")
        ):
            return None
        schema = self._followed(one.get("schema"))
        choices = tuple(
            self._said(value, 100) for value in self._list(schema.get("enum"))[:50] if self._goes_on()
        )
        example = one.get("example", schema.get("example", schema.get("default")))
        return Parameter(
            name, cast(Where, where), self._type(schema), one.get("required") is True or where == "path",
            self._said(one.get("description"), 500), self._said(example, 200), choices,
        )  # fmt: skip

    def _body(self, one: Mapping[str, Any]) -> Body | None:
        content = self._map(one.get("content"))
        names = [*islice(content, _MEDIA)]
        media = next(
            (name for name in names if isinstance(name, str) and "json" in name), next(iter(names), None)
        )
        if not isinstance(media, str):
            return None
        said = self._map(content[media])
        examples = self._map(said.get("examples"))
        example = said.get("example", self._map(next(iter(examples.values()), None)).get("value"))
        schema = self._followed(said.get("schema"))
        example = schema.get("example") if example is None else example
        fields = tuple(islice(self._fields(schema, "", 0, ()), MOST_FIELDS))
        return Body(_text(media, 100), fields, self._example(example))

    def _result(self, status: str, one: Mapping[str, Any]) -> Result:
        return Result(status[:7], self._said(one.get("description"), 500), self._body(one))

    def _example(self, given: Any) -> str:
        """An example as text; one that is named more often is written once."""
        if id(given) not in self._examples:
            self._examples[id(given)] = _example(given) if self._goes_on() else ""
        return self._said(self._examples[id(given)])

    def _goes_on(self) -> bool:
        """Count one more thing that is looked at; whether that is not too much."""
        self._steps += 1
        return self._steps <= _MOST_STEPS

    def _said(self, given: Any, longest: int = LONGEST) -> str:
        """A text, as long as there are not too many."""
        if self._characters >= _MOST_CHARACTERS:
            return ""
        said = _text(given, longest)
        self._characters += len(said)
        return said

    def _fields(
        self, schema: Mapping[str, Any], above: str, depth: int, seen: tuple[int, ...]
    ) -> Iterator[Field]:
        if not self._goes_on() or depth > DEEPEST or id(schema) in seen:
            return
        seen = (*seen, id(schema))
        for part in self._list(schema.get("allOf"))[:20]:
            yield from self._fields(self._followed(part), above, depth + 1, seen)
        if "items" in schema:
            yield from self._fields(self._followed(schema["items"]), f"{above}[]", depth + 1, seen)
        required = self._list(schema.get("required"))[:MOST_FIELDS]
        for name, given in islice(self._map(schema.get("properties")).items(), MOST_FIELDS):
            one, full = self._followed(given), f"{above}.{_text(name, 100)}".lstrip(".")
            yield Field(full, self._type(one), name in required, self._said(one.get("description"), 500))
            yield from self._fields(one, full, depth + 1, seen)

    def _type(self, schema: Mapping[str, Any]) -> str:
        given = schema.get("type")
        name = (
            " | ".join(_text(one, 40) for one in given[:5]) if isinstance(given, list) else _text(given, 40)
        )
        if name == "array":
            name = f"array: {_text(self._followed(schema.get('items')).get('type'), 40) or 'object'}"
        form = _text(schema.get("format"), 40)
        return f"{name or 'object'}{f' ({form})' if form else ''}"

    def _followed(self, given: Any) -> Mapping[str, Any]:
        """What a reference within the document leads to; nothing for one that leads out of it, or in a circle."""
        for _ in range(DEEPEST):
            one = self._map(given)
            reference = one.get("$ref")
            if not isinstance(reference, str):
                return one
            if not reference.startswith("#/") or len(reference) > 300:
                return {"description": reference[:200], "type": "elsewhere"}
            given = self._whole
            for step in reference[2:].split("/"):
                given = self._map(given).get(step.replace("~1", "/").replace("~0", "~"))
        return {}

    @staticmethod
    def _map(given: Any) -> Mapping[str, Any]:
        return given if isinstance(given, dict) else {}

    @staticmethod
    def _list(given: Any) -> list[Any]:
        return given if isinstance(given, list) else []


def _text(given: Any, longest: int = LONGEST) -> str:
    if isinstance(given, bool):
        return "true" if given else "false"
    return str(given)[:longest].strip() if isinstance(given, str | int | float) else ""


def _example(given: Any) -> str:
    if given is None:
        return ""
    if isinstance(given, str):
        return given[:LONGEST]
    try:
        return msgspec.json.format(msgspec.json.encode(given), indent=2).decode()[:LONGEST]
    except (RecursionError, ValueError, TypeError):
        return ""


def _unreadable(why: Text) -> Invalid:
    return Invalid(
        "unreadable-openapi",
        Text("De beschrijving van deze API is niet te lezen.", "The description of this API cannot be read."),
        why,
        Text(
            "Meld het aan de organisatie die de dienst aanbiedt.",
            "Tell the organisation that offers the service.",
        ),
    )
