"""Two organisations on two machines: the product in a network namespace of its own, the peer outside, one wire between
them, which can be cut."""

import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.fsc.authority import Authority
from tests.fsc.conftest import next_oin
from tests.fsc.meeting import consuming, introduced, providing
from tests.fsc.papers import connection, content
from tests.fsc.peer import Peer, echo
from tests.fsc.product_process import ProductProcess
from tests.fsc.wire import until

pytestmark = [pytest.mark.fsc, pytest.mark.prove]

_COUNT = itertools.count()


@dataclass
class Wire:
    """A cable: one end here, one in a namespace."""

    namespace: str
    here: str
    there: str

    def up(self, up: bool) -> None:
        """Cut it, or mend it."""
        _ip("link", "set", f"v{self.namespace}", "up" if up else "down")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A namespace with a cable to it; skipped where this account may not make one."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        pytest.skip("network namespaces need root and iproute2")
    count, number = next(_COUNT), os.getpid() % 80 * 3 + 1
    number += count % 3
    wire = Wire(f"fsc{os.getpid() % 100_000}{count}", f"10.231.{number}.1", f"10.231.{number}.2")
    try:
        _ip("netns", "add", wire.namespace)
    except subprocess.CalledProcessError:
        pytest.skip("this machine lets nobody make a network namespace")
    try:
        _ip(
            "link",
            "add",
            f"v{wire.namespace}",
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            wire.namespace,
        )
        _ip("addr", "add", f"{wire.here}/30", "dev", f"v{wire.namespace}")
        wire.up(True)
        for words in (
            ("addr", "add", f"{wire.there}/30", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", wire.namespace, *words)
        yield wire
    finally:
        _ip("netns", "del", wire.namespace)


@pytest.fixture
def far(authority: Authority, tmp_path: Path, wire: Wire) -> Iterator[ProductProcess]:
    """The product, beyond the wire."""
    where = {"host": wire.there, "namespace": wire.namespace}
    with ProductProcess(
        authority, tmp_path / "product", next_oin(), "Ministerie van Verzinsels", **where
    ) as far:
        yield far


@pytest.fixture
def near(authority: Authority, wire: Wire) -> Iterator[Peer]:
    """The peer, on this side."""
    with Peer(authority, next_oin(), "Gemeente Fictiestad", host=wire.here) as near:
        near.services["echo"] = echo
        yield near


def test_contract_token_and_call_pass_in_both_directions(near: Peer, far: ProductProcess) -> None:
    _, there = consuming(near, far)  # type: ignore[arg-type]
    assert near.call(there, far.manager_address).status == 200
    _, here = providing(far, near)  # type: ignore[arg-type]
    status, text = far.app_there("GET", "/een/pad", [("Fsc-Grant-Hash", here)])
    assert (status, json.loads(text)["target"]) == (200, "/een/pad")


def test_what_was_done_while_the_wire_was_cut_arrives_when_it_is_mended(
    near: Peer, far: ProductProcess, wire: Wire
) -> None:
    contract, grant = consuming(near, far)  # type: ignore[arg-type]
    introduced(near, far)  # type: ignore[arg-type]
    near.accepts = lambda _: True
    wire.up(False)
    far.revoke(contract.hash)
    made = far.propose(content(far.group, connection(far.id, far.outway_thumbprint, near.id, "echo")))
    assert far.state(contract.hash) == "revoked"
    wire.up(True)
    until(lambda: contract.state() == "revoked", "the revocation arrives", 60)
    until(
        lambda: any(one.content["iv"] == made["iv"] for one in near.contracts.values()),
        "the new contract arrives",
        60,
    )
    assert near.outway.token(grant, far.manager_address).status == 400


def test_a_call_over_a_cut_wire_is_told_to_the_application(
    near: Peer, far: ProductProcess, wire: Wire
) -> None:
    _, grant = providing(far, near)  # type: ignore[arg-type]
    assert far.app_there("GET", "/", [("Fsc-Grant-Hash", grant)])[0] == 200
    wire.up(False)
    status, text = far.app_there("GET", "/", [("Fsc-Grant-Hash", grant)])
    assert status >= 500
    assert json.loads(text)["domain"] == "ERROR_DOMAIN_OUTWAY"
    wire.up(True)
    until(lambda: far.app_there("GET", "/", [("Fsc-Grant-Hash", grant)])[0] == 200, "it works again", 60)
