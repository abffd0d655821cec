"""Core 2.0.0 section 4.4.3 and Logging 1.0.0 section 3.2.2: the interface is that of the OpenAPI files.

Schemathesis makes requests from the files, good ones and bad ones, and holds the answers against them.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.conftest import SHARED
from tests.fsc import openapi
from tests.fsc.meeting import introduced
from tests.fsc.musts import holds
from tests.fsc.peer import Peer
from tests.fsc.product import Product

FOLDER = SHARED / "specs" / "fsc" if SHARED else None
pytestmark = [
    pytest.mark.fsc,
    pytest.mark.filterwarnings(
        "ignore::hypothesis.errors.HypothesisDeprecationWarning"
    ),  # within Schemathesis
    pytest.mark.skipif(
        FOLDER is None or not FOLDER.is_dir(), reason="the official files are not beside this checkout"
    ),
]
CONFORMS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = [
    ("core", "PUT", "/announce"),
    ("core", "POST", "/contracts"),
    ("core", "GET", "/contracts"),
    ("core", "PUT", "/contracts/{hash}/accept"),
    ("core", "PUT", "/contracts/{hash}/reject"),
    ("core", "PUT", "/contracts/{hash}/revoke"),
    ("core", "POST", "/token"),
    ("core", "GET", "/peer"),
    ("core", "GET", "/peers"),
    ("core", "GET", "/services"),
    ("core", "GET", "/.well-known/jwks.json"),
    ("logging", "GET", "/logs"),
]
GOOD, BAD = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
NOTHING_TO_GET_WRONG = {"/peer", "/.well-known/jwks.json"}
CASES = [
    (*operation, mode)
    for operation in OPERATIONS
    for mode in (GOOD, BAD)
    if mode is GOOD or operation[2] not in NOTHING_TO_GET_WRONG
]


@pytest.fixture
def session(peer: Peer) -> Iterator[requests.Session]:
    """Connections with the peer's certificate."""
    with requests.Session() as session:
        session.cert = (str(peer.signing.chain_file), str(peer.signing.key_file))
        session.verify = str(peer.authority.root_file)
        session.trust_env = False
        yield session


@holds("core-4.4.3-interface", "logging-3.2.2-interface")
@pytest.mark.parametrize("examples", [8, pytest.param(100, marks=pytest.mark.prove)])
@pytest.mark.parametrize(
    ("file", "method", "path", "mode"), CASES, ids=lambda one: getattr(one, "value", one)
)
def test_4_4_3_what_is_answered_is_what_the_file_says(
    peer: Peer,
    product: Product,
    session: requests.Session,
    file: str,
    method: str,
    path: str,
    mode: Any,
    examples: int,
) -> None:
    assert FOLDER is not None
    introduced(peer, product)
    schema = schemathesis.openapi.from_dict(getattr(openapi, file)(FOLDER))
    operation = schema[path][method]
    checks = CONFORMS if mode is GOOD else [not_a_server_error]

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        if (
            mode is GOOD
            and file == "core"
            and "fsc-manager-address" in {name.lower() for name in case.headers or {}}
        ):
            case.headers["fsc-manager-address"] = peer.manager_address
        try:
            case.call_and_validate(
                base_url=product.manager_address + "/v1",
                session=session,
                checks=checks,
                verify=session.verify,
                cert=session.cert,
            )
        except requests.ConnectionError:
            # A target beyond every measure is cut off while it is still being sent.
            assert len(str(case.as_transport_kwargs(product.manager_address)["params"])) > 15_000

    ask()
