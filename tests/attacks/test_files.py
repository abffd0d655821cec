"""Other users of the same machine: what they may read of a node's files, and who may connect."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.nodes import Federation, build
from tests.integration.test_serve import federation

__all__ = ["federation"]


@pytest.fixture
def careless() -> Iterator[None]:
    """Somebody who takes nothing away from new files."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("careless")
async def test_what_a_running_node_keeps_is_for_its_own_user(federation: Federation) -> None:
    node = build(federation.owner)
    await node.start()
    kept = [
        path for place in ("var", "keys") for path in (federation.owner / place).rglob("*") if path.is_file()
    ]
    assert {"node.db", "node.db-wal", "signing.pem"} <= {path.name for path in kept}
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert stat.S_IMODE((federation.owner / "tls/key.pem").stat().st_mode) == 0o600
    assert not [
        path for path in (federation.owner / "var", federation.owner / "keys") if path.stat().st_mode & 0o022
    ]
    socket = federation.owner / "var/node.sock"
    assert not socket.stat().st_mode & 0o007
    await node.stop()


async def test_a_link_in_the_place_of_the_socket_leads_nowhere(
    federation: Federation, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("whole")
    (federation.owner / "var").mkdir()
    (federation.owner / "var/node.sock").symlink_to(precious)
    node = build(federation.owner)
    await node.start()
    await node.stop()
    assert precious.read_text() == "whole"
