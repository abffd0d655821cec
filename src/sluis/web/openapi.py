"""The OpenAPI document of a node: what the framework derives from the routes, finished to the API Design Rules.

REST API Design Rules 2.2: major version in the server URL, contact, `API-Version` on every answer, problem details
for every error, 400 wherever there is input.
"""

from copy import deepcopy
from typing import Any

import msgspec
from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Contact

from sluis.web.problems import MEDIA_TYPE, problem_schema

API_VERSION = "1.0.0"
"""Of the node's own API, semantic; the major part is the `/v1` of its paths."""

_BASE = "/v1"
_METHODS = ("get", "put", "post", "delete", "patch")
_ERRORS = {
    "400": "What was sent cannot be understood, or breaks a published limit.",
    "401": "Nobody proved who is asking.",
    "403": "Understood, and not allowed: names the rule and, where there is one, the law.",
}


class About(msgspec.Struct, frozen=True):
    """What the document says of the node: title, where it is, and whom to write to."""

    title: str
    url: str
    """Base address, `https://host:port`, without path."""
    contact_name: str
    contact_email: str
    contact_url: str


def configuration(about: About) -> OpenAPIConfig:
    """What the framework needs to know before it derives anything."""
    return OpenAPIConfig(
        title=about.title,
        version=API_VERSION,
        contact=Contact(name=about.contact_name, email=about.contact_email, url=about.contact_url),
        use_handler_docstrings=True,
    )


def finished(framework: Litestar, about: About) -> dict[str, Any]:
    """The document of all routes of `framework`, ready to publish."""
    document = deepcopy(framework.openapi_schema.to_schema())
    document["servers"] = [{"url": about.url + _BASE}]
    document["paths"] = {
        path.removeprefix(_BASE) or "/": _without_options(item) for path, item in document["paths"].items()
    }
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = problem_schema()
    schemas["ProblemText"] = {
        "type": "object",
        "required": ["what", "why", "next"],
        "properties": {part: {"type": "string"} for part in ("what", "why", "next")},
    }
    return document
