"""What is no longer declared is taken back, and nothing else. Organisations are fictitious."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.unit.gateway.applying.test_renewal import LINK, OTHER, WISH, Node

from sluis.gateway.documents import read
from sluis.kernel import Invalid

OFFER = """\
apiVersion: sluis/v1
kind: Service
metadata: { name: zaken }
spec: { url: "http://127.0.0.1:8099" }
"""
PEER = f"""\
---
apiVersion: sluis/v1
kind: Peer
metadata: {{ name: uwv }}
spec: {{ id: "{OTHER}", address: "https://uwv.voorbeeld.nl:8443" }}
"""
RULED = OFFER.rstrip()[:-2] + ", rules: [{ organizations: [uwv], permissions: [read] }] }\n"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path)
    with closing(made.store):
        yield made


async def without(node: Node, text: str, check: bool = False) -> list[tuple[str, str, str | None]]:
    """What is withdrawn when this is all that is declared still."""
    keep = {one.key for one in read(text, "x.yaml")[0]}
    return [(one.kind, one.name, one.state) for one in await node.applying.withdraw(keep, check)]


async def test_a_connection_that_is_no_longer_declared_is_revoked_and_its_link_goes(node: Node) -> None:
    await node.connected(WISH + LINK + "---\n" + OFFER)
    told = [("Link", "lonen", None), ("Connection", "loon", "valid")]
    assert await without(node, OFFER, check=True) == told
    assert (node.manager.states(), len(node.applying.links)) == (["valid"], 1)
    assert await without(node, OFFER) == told
    assert (node.manager.states(), node.applying.links) == (["revoked"], {})
    assert node.applying.services.names() == {"zaken"}
    assert await without(node, OFFER) == []
    node.applying = node.open()
    assert [one.name for one in node.applying.declared()] == ["zaken"]


async def test_a_service_that_is_no_longer_declared_is_no_longer_offered(node: Node) -> None:
    await node.apply(OFFER)
    assert await without(node, "") == [("Service", "zaken", None)]
    assert node.applying.services.names() == frozenset()
    assert await node.apply(OFFER) == ["made"]


@pytest.mark.parametrize("signed", [False, True])
async def test_both_contracts_of_a_connection_that_was_renewed_are_revoked(node: Node, signed: bool) -> None:
    await node.connected()
    await node.after(306)
    if signed:
        node.manager.sign(node.manager.last().content.hash)
    await without(node, "")
    assert node.manager.states() == ["revoked", "revoked"]


async def test_what_the_node_itself_or_somebody_who_asked_declared_stays(node: Node) -> None:
    declared, _ = read(WISH, "x.yaml")
    await node.applying.apply(declared, "node")
    assert await without(node, "") == []
    await node.applying.apply(declared, "request")
    assert await without(node, "") == []
    await node.applying.apply(declared)
    assert await without(node, "") == [("Connection", "loon", "proposed")]


async def test_an_organisation_that_a_rule_still_names_is_not_forgotten(node: Node) -> None:
    await node.apply(RULED + PEER)
    with pytest.raises(Invalid, match="uwv"):
        await without(node, RULED)
    assert len(node.applying.declared()) == 2
    assert await without(node, "") == [("Service", "zaken", None), ("Peer", "uwv", None)]
