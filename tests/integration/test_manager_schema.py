"""The Manager API against the OpenAPI files that were published of it: what it answers has their shape, and whatever is
sent that they allow, or do not, it answers and never fails.

The files are of the draft before 2.0.0; `as_of_2_0` makes the differences that 2.0.0 has.
"""

import asyncio
import json
import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from tests.conftest import SHARED
from tests.integration.calls import Foreign, contract
from tests.integration.managers import (
    DIRECTORY,
    GEMEENTE,
    UWV,
    Place,
    World,
    connection,
    member,
    now,
    publication,
)
from tests.unit.gateway.contracts.making import hashes

CORE, LOGGING = "specs/fsc/fsc-core-manager.develop-2025-10.yaml", "specs/fsc/fsc-logging.v1.0.0.yaml"
PROCESSES = multiprocessing.get_context("forkserver")

pytestmark = pytest.mark.skipif(
    SHARED is None or not (SHARED / CORE).exists(),
    reason="the published files do not lie beside the checkout",
)


def as_of_2_0(document: dict[str, Any]) -> dict[str, Any]:
    """The differences of 2.0.0, and what is broken in the file itself."""
    schemas = document["components"]["schemas"]
    schemas["contractContent"]["properties"]["fsc_version"] = {"type": "string", "enum": ["2.0.0"]}
    schemas["contractContent"]["required"].append("fsc_version")
    schemas["fscVersion"]["enum"] = ["2.0.0"]
    by_key = {
        "type": {"type": "string", "enum": ["OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT"]},
        "public_key_thumbprint": schemas["publicKeyThumbprint"],
    }
    identification = {"type": "object", "properties": by_key, "required": list(by_key)}
    schemas["outway"]["properties"] = {"peer_id": schemas["peerID"], "identification": identification}
    schemas["outway"]["required"] = ["peer_id", "identification"]
    bodies = [
        document["components"]["requestBodies"]["signatureRequest"]["content"],
        document["paths"]["/contracts"]["post"]["requestBody"]["content"],
    ]
    for body in bodies:
        schema = body["application/json"]["schema"]
        schema["properties"]["content"] = schema["properties"].pop("contract_content")
        schema["required"] = ["content", "signature"]
    schemas["serviceListing"]["required"] = ["data"]  # `type` stands inside data
    del schemas["ecPublicKey"]["properties"]["y"]["minLength"]  # is that of P-521 only
    schemas["jwk"]["anyOf"] = schemas["jwk"].pop(
        "oneOf"
    )  # neither kind requires anything, so both always fit
    return document


def published(path: str) -> dict[str, Any]:
    assert SHARED is not None
    document: dict[str, Any] = yaml.load((SHARED / path).read_text(), yaml.CSafeLoader)
    return as_of_2_0(document) if path == CORE else document


def conforms(document: dict[str, Any], path: str, answer: bytes) -> Any:
    """The answer to a GET, checked against its schema."""
    schema = document["paths"][path]["get"]["responses"][200]["content"]["application/json"]["schema"]
    read = json.loads(answer)
    jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(read)
    return read


async def test_every_list_has_the_published_shape(tmp_path: Path) -> None:
    world = World(tmp_path)
    foreign = Foreign(world, GEMEENTE)
    server = await foreign.listen()
    core, logging = published(CORE), published(LOGGING)
    async with member(world.place(DIRECTORY), services=("loon",)) as manager:
        grants = [
            publication(GEMEENTE, "loon"),
            connection(foreign.place, DIRECTORY, "loon", properties={"a": 1}),
        ]
        for grant in grants:
            content = contract("test-group", now(), grant)
            body = {"content": content, "signature": foreign.signature(content, "accept", now())}
            reply = await foreign.call(
                manager.place.address, "POST", "/v1/contracts", json.dumps(body).encode()
            )
            assert reply[0] == 201, reply
            await manager.manager.act(hashes(content)[0], "accept")
        for document, path, member_of in [
            (core, "/contracts", "contracts"), (core, "/peers", "peers"), (core, "/services", "services"),
            (core, "/.well-known/jwks.json", "keys"), (core, "/peer", "peer_id"), (logging, "/logs", "records"),
        ]:  # fmt: skip
            status, _, answer = await foreign.call(manager.place.address, "GET", f"/v1{path}")
            assert status == 200
            found = conforms(document, path, answer)[member_of]
            assert found or path == "/logs"
    server.close()


def serve(place: Place, told: Pipe) -> None:
    """A Manager, until its other end says stop."""

    async def live() -> None:
        async with member(place, services=("loon",)):
            told.send("ready")
            await asyncio.to_thread(told.recv)

    asyncio.run(live())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Place]]:
    world = World(tmp_path_factory.mktemp("world"))
    place, caller = world.place(UWV), world.place(GEMEENTE)
    ours, theirs = PROCESSES.Pipe()
    child = PROCESSES.Process(target=serve, args=(place, theirs))
    child.start()
    assert ours.recv() == "ready"
    yield f"{place.address}/v1", caller
    ours.send("stop")
    child.join(20)


@pytest.mark.parametrize("file", [CORE, LOGGING])
def test_whatever_is_sent_is_answered(served: tuple[str, Place], file: str) -> None:
    url, caller = served
    schema = schemathesis.openapi.from_dict(published(file))
    for operation in schema.get_all_operations():

        @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.ok().as_strategy())
        def answers(case: Any) -> None:
            answer = case.call(
                base_url=url,
                cert=(str(caller.certificate), str(caller.key)),
                verify=str(caller.anchors[0]),
            )
            case.validate_response(answer, checks=[not_a_server_error])
            if answer.status_code >= 400 and "/token" not in case.path:
                assert answer.json()["domain"] == "ERROR_DOMAIN_MANAGER"
                assert answer.headers["fsc-error-code"] == [answer.json()["code"]]

        answers()
