"""The reading API (LDV reading extension 1.1.0) and the tiles, over ASGI."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from litestar import Litestar, Request, Response
from litestar.testing import TestClient
from tests.conftest import SHARED
from tests.unit.ledger.examples import ACTIVITY, NOW, NOW_MS, ORIGIN, clock, fill, opened, processing

from sluis.crypto import FileKeyStore
from sluis.kernel import Problem
from sluis.ledger import Ledger, Withheld, Witness, log_routes, reading_routes
from sluis.ledger.verifier import check_log, open_checkpoint
from sluis.ledger.witness import request_body

BSN = "999990019"  # fictitious
PATH = "/processing-activities"
allowed: "list[frozenset[str] | Literal['all']]" = ["all"]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with opened(tmp_path) as (_, ledger):
        yield ledger


@pytest.fixture
def client(ledger: Ledger, tmp_path: Path) -> Iterator[TestClient[Litestar]]:
    def problem(_request: Request[Any, Any, Any], failure: Problem) -> Response[dict[str, Any]]:
        return Response(failure.members(), status_code=failure.status)

    allowed[:] = ["all"]
    keys = FileKeyStore(tmp_path / "keys")
    witness = Witness(ledger._store, keys, "witness.example", {ORIGIN: keys.public}.get, clock)
    routes = [*reading_routes(ledger, lambda _request: allowed[0]), *log_routes(ledger, witness)]
    app = Litestar(routes, exception_handlers={Problem: problem}, dependencies={})  # type: ignore[arg-type,dict-item]
    with TestClient(app) as client:
        yield client


def found(client: TestClient[Litestar], **body: Any) -> list[dict[str, Any]]:
    answer = client.post(PATH, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["api-version"] == "1.1.0"
    lines: list[dict[str, Any]] = answer.json()["processingActivities"]
    return lines
