"""The OpenAPI document of a node: what the framework derives from the routes, finished to the API Design Rules.

OpenAPI 3.1.0. REST API Design Rules 2.2: major version in the server URL, contact, `API-Version` on every answer,
problem details for every error, 400 wherever there is input.
"""

import http
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import msgspec
from litestar import Litestar
from litestar._openapi.schema_generation import SchemaCreator
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Contact, OpenAPIType, Schema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.types import Method
from litestar.typing import FieldDefinition

from sluis.kernel import Bsn, Kvk, Oin, Problem
from sluis.web.problems import MEDIA_TYPE, problem_schema

API_VERSION = "1.0.0"
"""Of the node's own API, semantic; the major part is the `/v1` of its paths."""

BASE = "/v1"
_DESCRIPTION = (
    "De API van een Sluis-knooppunt. Andere organisaties verbinden met een clientcertificaat (mTLS); medewerkers van de "
    "eigen organisatie via de unix-socket van het knooppunt, of met een access token via het portaal. Elke fout is een problem-document (RFC 9457)."
)
_VERSION_HEADER = {
    "API-Version": {
        "description": "Volledige versie van deze API.",
        "schema": {"type": "string", "examples": [API_VERSION]},
    }
}
_DIGITS = {Oin: 20, Bsn: 9, Kvk: 8}


class About(msgspec.Struct, frozen=True):
    """What the document says of the node: title, where it is, and whom to write to."""

    title: str
    url: str
    """Base address, `https://host:port`, without path."""
    contact_name: str
    contact_email: str
    contact_url: str
    by_token: bool = False
    """Whether its people come with an access token, and not over the node's socket."""


class Identifiers(OpenAPISchemaPlugin):
    """Tells the framework that the kernel's identifiers are strings of digits."""

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        kind = field_definition.annotation
        return isinstance(kind, type) and issubclass(kind, tuple(_DIGITS))

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: SchemaCreator) -> Schema:
        count = next(
            digits for kind, digits in _DIGITS.items() if issubclass(field_definition.annotation, kind)
        )
        return Schema(type=OpenAPIType.STRING, pattern=f"^[0-9]{{{count}}}$")


def configuration(about: About) -> OpenAPIConfig:
    """What the framework needs to know before it derives anything."""
    return OpenAPIConfig(
        title=about.title,
        version=API_VERSION,
        description=_DESCRIPTION,
        contact=Contact(name=about.contact_name, email=about.contact_email, url=about.contact_url),
        use_handler_docstrings=True,
        operation_id_creator=_operation_id,
    )


def finished(framework: Litestar, callers: dict[tuple[str, str], str], about: About) -> dict[str, Any]:
    """The document of all routes of `framework`, ready to publish.

    Args:
        framework: with `configuration(about)`.
        callers: whom each (method, path) serves: `anyone`, `peers`, `people` or `both`.
        about: the node.
    """
    document = deepcopy(framework.openapi_schema.to_schema())
    document["servers"] = [{"url": about.url + BASE}]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            _finish(operation, method, callers[method.upper(), path], about.by_token)
    document["paths"] = {path.removeprefix(BASE): item for path, item in sorted(document["paths"].items())}
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(Problem=problem_schema(), ProblemText=_TEXT)
    components["securitySchemes"] = _TOKEN_SCHEME if about.by_token else _PEER_SCHEME
    _mend_unions(document)
    plain: dict[str, Any] = msgspec.to_builtins(
        document
    )  # what a field is when it is left out may be a struct
    return plain


def _mend_unions(part: Any) -> None:
    """A union of types is any of them: 5 is an integer and a number. And where the framework reads `tuple[str, ...]` with
    a constraint as strings or anything at all, it is strings."""
    if isinstance(part, dict) and isinstance(part.get("oneOf"), list):
        kinds = [kind for kind in part.pop("oneOf") if kind]
        part.update(kinds[0] if len(kinds) == 1 else {"anyOf": kinds})
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _mend_unions(inner)


def _finish(operation: dict[str, Any], method: str, callers: str, by_token: bool) -> None:
    described = [
        operation.get("description", ""),
        _OFFICIALS if by_token and callers != "anyone" else _CALLERS[callers],
    ]
    operation["description"] = "\n\n".join(filter(None, described))
    if by_token:
        operation["security"] = [] if callers == "anyone" else [{"token": []}]
    elif callers != "people":  # OpenAPI has no name for a unix socket; the description says it
        operation["security"] = {"anyone": [], "peers": [{"peer": []}], "both": [{"peer": []}, {}]}[callers]
    responses = operation["responses"]
    stated = {int(status) for status in responses if int(status) >= 400} - {400}
    takes_body = method in ("post", "put", "patch")
    takes_input = takes_body or bool(operation.get("parameters"))
    always = {
        500,
        *({400} if takes_input else ()),
        *({401, 403, 503} if callers != "anyone" else ()),
        *({404, 409, 502} if takes_body else ()),
    }
    for status in sorted(stated | always):
        responses[str(status)] = _problem_response(status)
    if not takes_input:
        responses.pop("400", None)
    for response in responses.values():
        response["headers"] = {**response.get("headers", {}), **_VERSION_HEADER}


def _problem_response(status: int) -> dict[str, Any]:
    kinds = {kind.status: kind for kind in Problem.__subclasses__()}
    description = (kinds[status].__doc__ or "").strip() if status in kinds else http.HTTPStatus(status).phrase
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _operation_id(handler: HTTPRouteHandler, method: Method, components: Iterable[Any]) -> str:
    """`postQuestionsExplain`: the method and the words of the path."""
    words = [
        part
        for piece in components
        for part in str(getattr(piece, "name", piece)).replace("-", "_").split("_")
    ]
    return method.lower() + "".join(word[:1].upper() + word[1:] for word in words if word and word != "v1")


_CALLERS = {
    "anyone": "Open voor iedereen die kan verbinden.",
    "peers": "Voor andere organisaties uit de groep, via de inway.",
    "people": "Voor medewerkers, via de unix-socket van het knooppunt; het besturingssysteem zegt wie verbindt.",
    "both": "Voor andere organisaties uit de groep, via de inway, en voor medewerkers via de unix-socket.",
}
_OFFICIALS = "Voor medewerkers, met een access token voor dit knooppunt, gegeven voor de scope `api`."
_TOKEN_SCHEME = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Een access token van de inlogvoorziening van dit knooppunt.",
    }
}
_PEER_SCHEME = {
    "peer": {
        "type": "mutualTLS",
        "description": "Aan de inway: het clientcertificaat van een organisatie uit de groep, en in `Fsc-Authorization`"
        " een token voor de dienst `sluis`.",
    }
}
_TEXT = {
    "type": "object",
    "required": ["what", "why", "next"],
    "properties": {part: {"type": "string"} for part in ("what", "why", "next")},
}
