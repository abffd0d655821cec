"""A service of a peer is read in its OpenAPI document and tried out, over both gateways, and counts as any call."""

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.integration.nodes import ASKER, OWNER, local, until
from tests.integration.pair import Pair
from tests.unit.catalogue.examples import write
from tests.unit.catalogue.test_files import WHOLE

from sluis.kernel import Problem
from sluis_demo.cars import SERVICE, vehicle_files
from sluis_demo.vehicles import Vehicles


class At:
    """A node as the demo has it."""

    def __init__(self, directory: Path, oin: Any) -> None:
        self.directory, self.organisation = directory, SimpleNamespace(oin=oin)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = local(self.directory, method, path, body)
        if status >= 400:
            raise Problem.from_members(answer)
        return answer


def test_what_a_service_describes_is_tried_out_under_a_contract(tmp_path: Path) -> None:
    pair, vehicles = Pair(tmp_path), Vehicles()
    write(pair.owner, "catalogue.toml", WHOLE)
    for file, text in vehicle_files("rdw").items():
        write(pair.owner, file, text)
    pair.start()
    owner, asker = pair.running
    parts = asker.node.parts  # type: ignore[union-attr]

    def on(node: Any, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, node._loop).result(60)

    try:
        vehicles.offer(At(pair.owner, OWNER), At(pair.asker, ASKER))  # type: ignore[arg-type]
        on(asker, parts.harvester.round())  # what is in no catalogue is not asked for
        document = on(asker, parts.trying.document(OWNER, SERVICE))
        assert [one.id for one in document.operations] == ["get /voertuigen", "get /voertuigen/{kenteken}"]
        until(lambda: parts.trying.may(document, OWNER, SERVICE) == "", 60)
        send = parts.trying.send
        tried = on(
            asker, send(OWNER, SERVICE, document, "get /voertuigen/{kenteken}", {"path-kenteken": "XX-001-A"})
        )
        assert (tried.status, "Verzonnen Volt" in (tried.text or "")) == (200, True)
        tried = on(asker, send(OWNER, SERVICE, document, "get /voertuigen", {"query-brandstof": "diesel"}))
        assert "Fantasie Bestel" in (tried.text or "")
        on(asker, parts.harvester.round())
        month = date(datetime.now(UTC).year, datetime.now(UTC).month, 1)
        told = [on(node, node.node.parts.usage.statements(month)) for node in (owner, asker)]  # type: ignore[union-attr]
        for one in told:
            (service,) = [each for each in one if each.service == SERVICE]
            assert (service.counted.calls, service.net, service.tax, service.total) == (2, 10, 2, 12)
    finally:
        pair.end()
        vehicles.end()
