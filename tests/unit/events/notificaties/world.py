"""A node with the ZGW Notificaties API, applications of a fictitious organisation with their tokens, and calls that hold every
answer against the official document."""

import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import yaml
from jsonschema import Draft202012Validator
from tests.conftest import SHARED

from sluis.crypto import FileKeyStore
from sluis.events.notificaties import BASE, Application, Notificaties, Settings, make_app, open_notificaties
from sluis.events.queue import Queue, open_queue
from sluis.kernel import PeerId
from sluis.ledger import Ledger, open_ledger
from sluis.policy import STANDARD, DecisionPoint, Policies
from sluis.store import Store, open_store

ADDRESS = "https://node.example"
OWN = PeerId("00000099000000001000")
APPLICATIONS = {
    one.id: one
    for one in (
        Application(
            "openzaak",
            b"geheim-van-openzaak-voor-de-proef!",
            frozenset({"notificaties.publiceren", "notificaties.consumeren"}),
            ("https://zaken.example/",),
        ),
        Application(
            "formulieren",
            b"geheim-van-formulieren-voor-proef!",
            frozenset({"notificaties.consumeren"}),
            ("https://formulieren.example/api/", "https://formulieren.example:8443/"),
        ),
        Application(
            "meldingen", b"geheim-van-meldingen-voor-de-proef", frozenset({"notificaties.publiceren"})
        ),
    )
}
OFFICIAL = SHARED / "specs/zgw/openapi/notificaties-1.0.1.yaml" if SHARED else None
CONSUMER = SHARED / "specs/zgw/openapi/notificaties-consumer.yaml" if SHARED else None

KANAAL = {
    "naam": "zaken",
    "documentatieLink": "https://zaken.example/docs",
    "filters": ["bronorganisatie", "zaaktype"],
}
ABONNEMENT = {
    "callbackUrl": "https://zaken.example/callbacks",
    "auth": "Bearer abc123",
    "kanalen": [{"naam": "zaken", "filters": {"bronorganisatie": "*"}}],
}
MESSAGE = {
    "kanaal": "zaken",
    "hoofdObject": "https://zaken.example/zaken/1",
    "resource": "status",
    "resourceUrl": "https://zaken.example/statussen/5",
    "actie": "create",
    "aanmaakdatum": "2026-11-22T11:59:58.250Z",
    "kenmerken": {"bronorganisatie": "000000000", "zaaktype": "https://catalogi.example/zaaktypen/1"},
}


FAULT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Fout"}}}
FAULTS = {400: {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ValidatieFout"}}}}
"""What an answer looks like that an operation of the document does not describe."""


@cache
def official() -> dict[str, Any] | None:
    """The official document; None where it does not lie beside the checkout."""
    if OFFICIAL is None or not OFFICIAL.exists():
        return None
    document: dict[str, Any] = yaml.load(OFFICIAL.read_text(), yaml.CSafeLoader)
    return document


def conforms(method: str, path: str, answer: httpx.Response) -> None:
    """Hold an answer against the official document: its status and its schema."""
    document = official()
    if document is None:
        return
    shape = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "{uuid}", path.partition("?")[0])
    operation = document["paths"].get(shape, {}).get(method.lower())
    if operation is None:
        return
    assert answer.headers["api-version"] == "1.0.1"
    described = operation["responses"].get(
        str(answer.status_code), {"content": FAULTS.get(answer.status_code, FAULT)}
    )
    for media_type, content in described.get("content", {}).items():
        assert answer.headers["content-type"].startswith(media_type)
        schema = {**content["schema"], "components": document["components"]}
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
            answer.json()
        )


def encoded(part: Mapping[str, Any] | bytes) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


def token(claims: Mapping[str, Any], secret: bytes, header: Mapping[str, Any] | None = None) -> str:
    signed = f"{encoded(header or {'typ': 'JWT', 'alg': 'HS256'})}.{encoded(claims)}"
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), 'sha256'))}"


class Caller:
    """An application that calls."""

    def __init__(
        self, client: httpx.AsyncClient, application: Application, clock: Callable[[], datetime]
    ) -> None:
        self.client, self.known, self.clock = client, application, clock

    def claims(self, **changed: Any) -> dict[str, Any]:
        name = self.known.id
        whole = {
            "iss": name,
            "client_id": name,
            "iat": int(self.clock().timestamp()),
            "user_id": "x",
            "user_representation": "X",
        }
        return {key: value for key, value in {**whole, **changed}.items() if value is not None}

    async def __call__(
        self, method: str, path: str, body: Any = None, *, auth: str | None = None, **headers: str
    ) -> httpx.Response:
        bearer = f"Bearer {token(self.claims(), self.known.secret)}" if auth is None else auth
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {
            "authorization": bearer,
            **({"content-type": "application/json"} if content is not None else {}),
        }
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.client.request(method, BASE + path, content=content, headers=sent)
        conforms(method, path, answer)
        return answer


class Node:
    """What the tests look at."""

    def __init__(
        self, directory: Path, applications: Mapping[str, Application] = APPLICATIONS, test: bool = False
    ) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)
        self.directory, self.applications, self.test = directory, applications, test
        self.store: Store = open_store(directory / "node.db")
        self.keys = FileKeyStore(directory / "keys")
        self.ledger: Ledger = open_ledger(self.store, self.keys, "node.example/log", self.clock)
        self.queue: Queue = open_queue(self.store, self.keys, self.clock)
        self.point = self.ruled()
        self.notificaties = self.opened()
        self.refused: list[str] = []

    def clock(self) -> datetime:
        return self.now

    def ruled(self, **own: str) -> DecisionPoint:
        """The decision point, with these policies beside those that every node has."""
        return DecisionPoint(Policies({**STANDARD, **own}), "gemeente", self.ledger, self.clock)

    def opened(self) -> Notificaties:
        settings = Settings(OWN, "gemeente", "zaakgericht-werken", self.test)
        return open_notificaties(
            settings,
            self.applications,
            self.store,
            self.keys,
            self.ledger,
            self.queue,
            self.point,
            self.clock,
        )

    def caller(self, application: str = "openzaak") -> Caller:
        async def refused(problem: object) -> None:
            self.refused.append(getattr(problem, "code", ""))

        app = make_app(self.notificaties, ADDRESS, refused)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ADDRESS)
        return Caller(client, self.applications[application], self.clock)
