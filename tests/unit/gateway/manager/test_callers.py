"""Who calls a Manager: the certificate is looked at again at every request, also over a connection that was opened
while it was good."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sluis.crypto import make_authority
from sluis.gateway.faults import FscProblem
from sluis.gateway.manager.callers import Callers
from sluis.kernel import PeerId

UWV = PeerId("00000001826002785000")


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("callers")
    authority = make_authority(home / "authority", "Groep")
    file, _ = authority.issue(Path(home / "uwv"), UWV, "UWV", ["localhost"], 30)
    return {"tls": {"client_cert_chain": [file.read_text()]}}


def refused(callers: Callers, connection: dict[str, Any]) -> str:
    with pytest.raises(FscProblem) as problem:
        callers.caller(connection)
    assert problem.value.fsc_code == "ERROR_CODE_PEER_CERTIFICATE_VERIFICATION_FAILED"
    return problem.value.code


def test_a_peer_is_known_by_its_certificate(connection: dict[str, Any]) -> None:
    assert Callers(lambda: datetime.now(UTC), True).caller(connection).peer.id == UWV


@pytest.mark.parametrize("nobody", [{}, {"tls": {}}, {"tls": {"client_cert_chain": []}}])
def test_without_a_certificate_nobody_calls(nobody: dict[str, Any]) -> None:
    assert refused(Callers(lambda: datetime.now(UTC), True), nobody) == "certificate-required"


def test_certificate_that_ends_while_the_connection_is_open_is_refused(connection: dict[str, Any]) -> None:
    callers = Callers(lambda: datetime.now(UTC) + timedelta(days=31), True)
    assert refused(callers, connection) == "certificate-ended"


def test_certificate_of_a_test_authority_is_refused_in_production(connection: dict[str, Any]) -> None:
    assert refused(Callers(lambda: datetime.now(UTC), False), connection) == "test-certificate"
