"""What was declared stays true: contracts are renewed before they end. Organisations are fictitious."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.gateway.contracts.making import NOW, as_json, content

from sluis.crypto import Peer, make_authority
from sluis.gateway.applying import Applying, open_applying
from sluis.gateway.applying.model import Origin
from sluis.gateway.applying.rules import renewal_due
from sluis.gateway.contracts import Action, Contract, Signature, State, read_content, state
from sluis.gateway.documents import read
from sluis.gateway.services import Services
from sluis.kernel import Invalid, PeerId
from sluis.store import open_store

OWN, OTHER = PeerId("00000000000000000002"), PeerId("00000000000000000001")
DAY = 86_400
KEYS = ["a" * 64, "b" * 64]

WISH = f"""\
apiVersion: sluis/v1
kind: Connection
metadata: {{ name: loon }}
spec:
  service: {{ peer: "{OTHER}", name: loon }}
"""
PUBLICATION = """\
apiVersion: sluis/v1
kind: Publication
metadata: { name: loon }
spec: { service: loon }
"""
LINK = """\
---
apiVersion: sluis/v1
kind: Link
metadata: { name: lonen }
spec: { connection: loon }
"""


class Managing:
    """A Manager as far as declarations need one: contracts in memory, signed when a test says so."""

    def __init__(self) -> None:
        self.own, self.made, self.contracts = Peer(OWN, "Gemeente Voorbeeld"), dict[str, Contract](), self
        self.group = msgspec.defstruct("Rules", ["id"])(id="fsc-voorbeeld")
        self.now = NOW

    def get(self, content_hash: str) -> Contract | None:
        return self.made.get(content_hash)

    async def propose(self, grants: Sequence[Mapping[str, Any]], not_before: int, not_after: int) -> Contract:
        validity = {"not_before": not_before, "not_after": not_after}
        made = read_content(as_json(content(*map(dict, grants), validity=validity, created_at=self.now)))
        self.made[made.hash] = Contract(made)
        return self.sign(made.hash, OWN)

    async def act(self, content_hash: str, action: Action) -> Contract:
        return self.sign(content_hash, OWN, action)

    def sign(self, content_hash: str, peer: PeerId = OTHER, action: Action = "accept") -> Contract:
        before = self.made[content_hash]
        signature = Signature(peer, action, "-", self.now, "-", 2**40)
        after = msgspec.structs.replace(before, signatures=(*before.signatures, signature))
        self.made[content_hash] = after
        return after

    async def told(self, known: Any) -> None:
        """Peers are taken for known."""

    def name(self, peer: PeerId) -> str:
        """What a peer is called."""
        return peer

    def states(self) -> list[State]:
        """Of each contract, in the order in which they were made."""
        return [state(one, self.now) for one in self.made.values()]

    def last(self) -> Contract:
        return list(self.made.values())[-1]


class Node:
    """Declarations over a store and that Manager."""

    def __init__(self, folder: Path) -> None:
        self.manager, self.key, self.store = Managing(), KEYS[0], open_store(folder / "node.db")
        self.applying = self.open()

    def open(self) -> Applying:
        """As it is at a start."""
        given: Any = self.manager
        return open_applying(
            self.store, given, given, Services(), {}, lambda: self.key, lambda: datetime.fromtimestamp(self.manager.now, UTC)
        )  # fmt: skip

    async def apply(self, text: str) -> list[str]:
        declared, problems = read(text, "x.yaml")
        assert problems == ()
        return [one.change for one in await self.applying.apply(declared)]

    async def connected(self, text: str = WISH) -> Contract:
        """Applied, and signed by both."""
        await self.apply(text)
        self.manager.sign(self.manager.last().content.hash)
        await self.applying.settle()
        return self.manager.last()

    async def after(self, days: float) -> None:
        """So many days later, the daily work is done."""
        self.manager.now += int(days * DAY)
        await self.applying.renew()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path)
    with closing(made.store):
        yield made


@pytest.mark.parametrize(
    ("origin", "states"), [("apply", ["rejected"]), ("request", ["rejected", "proposed"])]
)
async def test_only_who_asks_in_person_asks_again_after_a_no(
    node: Node, origin: Origin, states: list[str]
) -> None:
    declared, _ = read(WISH, "x.yaml")
    await node.applying.apply(declared, origin)
    node.manager.now += 1
    node.manager.sign(node.manager.last().content.hash, action="reject")
    await node.applying.apply(declared, origin)
    assert node.manager.states() == states


async def test_what_is_not_offered_is_not_published(node: Node) -> None:
    declared, _ = read(PUBLICATION, "x.yaml")
    with pytest.raises(Invalid) as raised:
        await node.applying.apply(declared)
    assert (raised.value.code, raised.value.place and raised.value.place.file) == (
        "service-not-offered",
        "x.yaml",
    )


async def test_the_next_contract_is_proposed_two_months_before_the_end_and_once(node: Node) -> None:
    first = await node.connected()
    await node.after(304)
    assert node.manager.states() == ["valid"]
    await node.after(2)
    await node.after(1)
    assert node.manager.states() == ["valid", "proposed"]
    assert node.manager.last().content.not_after > first.content.not_after + 300 * DAY


def test_a_short_contract_is_renewed_when_a_third_is_left() -> None:
    assert [renewal_due(0, 30 * DAY, day * DAY) for day in (19, 20)] == [False, True]


async def test_links_go_over_when_the_next_is_signed_and_the_old_contract_runs_out(node: Node) -> None:
    first = await node.connected(WISH + LINK)
    await node.after(306)
    assert node.applying.links == {"lonen": first.content.grants[0].hash}
    node.manager.sign(node.manager.last().content.hash)
    await node.applying.settle()
    assert node.applying.links == {"lonen": node.manager.last().content.grants[0].hash}
    assert node.manager.states() == ["valid", "valid"]
    await node.after(60)
    assert node.manager.states() == ["expired", "valid"]
    assert [one.before for one in node.applying.declared()] == ["", ""]


async def test_a_link_goes_over_before_what_is_replaced_is_revoked(node: Node) -> None:
    await node.connected(WISH + LINK)
    links, revoke = list[dict[str, str]](), node.manager.act

    async def seen(content_hash: str, action: Action) -> Contract:
        links.append(dict(node.applying.links))
        return await revoke(content_hash, action)

    node.manager.act = seen  # type: ignore[method-assign]
    node.key = KEYS[1]
    await node.applying.renew()
    node.manager.sign(node.manager.last().content.hash)
    await node.applying.settle()
    assert node.manager.states() == ["revoked", "valid"]
    assert links == [{"lonen": node.manager.last().content.grants[0].hash}]


async def test_a_change_after_renewal_leaves_nothing_of_before_in_force(node: Node) -> None:
    await node.connected(WISH + LINK)
    await node.after(306)
    node.manager.sign(node.manager.last().content.hash)
    await node.apply(WISH + "  properties: { a: 1 }\n" + LINK)
    assert node.manager.states() == ["revoked", "valid", "proposed"]
    node.manager.sign(node.manager.last().content.hash)
    await node.applying.settle()
    assert node.manager.states() == ["revoked", "revoked", "valid"]
    assert node.applying.links == {"lonen": node.manager.last().content.grants[0].hash}


async def test_what_was_renewed_is_what_was_declared(node: Node) -> None:
    await node.connected()
    await node.after(306)
    assert await node.apply(WISH) == ["unchanged"]
    node.applying = node.open()
    assert await node.apply(WISH) == ["unchanged"]


async def test_a_contract_that_ended_while_the_node_was_off_is_proposed_again(node: Node) -> None:
    await node.connected()
    await node.after(400)
    assert node.manager.states() == ["expired", "proposed"]


async def test_a_declaration_that_says_until_when_ends_then(node: Node) -> None:
    stated = "  valid: { since: 2026-01-01, until: 2026-12-31 }\n"
    await node.connected(WISH + stated)
    await node.after(400)
    assert node.manager.states() == ["expired"]


@pytest.mark.parametrize("said", ["reject", "revoke"])
async def test_who_said_no_is_not_asked_again(node: Node, said: Action) -> None:
    await node.connected()
    await node.after(306)
    node.manager.sign(node.manager.last().content.hash, OTHER, said)
    await node.after(70)
    assert len(node.manager.made) == 2


async def test_another_key_of_the_outway_gets_a_contract_for_that_key(node: Node) -> None:
    await node.connected()
    node.key = KEYS[1]
    await node.after(1)
    new = node.manager.last().content.grants[0].outway
    assert new is not None
    assert new.thumbprint == KEYS[1]
    node.manager.sign(node.manager.last().content.hash)
    await node.applying.settle()
    assert node.manager.states() == ["revoked", "valid"]
    assert await node.apply(WISH) == ["unchanged"]


async def test_two_changes_before_anybody_signs_leave_one_to_sign_and_the_old_one_in_force(
    node: Node,
) -> None:
    await node.connected()
    await node.apply(WISH + "  properties: { a: 1 }\n")
    await node.apply(WISH + "  properties: { a: 2 }\n")
    assert node.manager.states() == ["valid", "revoked", "proposed"]
    node.manager.sign(node.manager.last().content.hash)
    await node.applying.settle()
    assert node.manager.states() == ["revoked", "revoked", "valid"]


@pytest.mark.parametrize(("said", "told"), [(None, "not signed"), ("reject", "refused")])
async def test_it_is_warned_in_time_that_the_next_contract_does_not_count(
    node: Node, caplog: pytest.LogCaptureFixture, said: Action | None, told: str
) -> None:
    await node.connected()
    await node.after(306)
    if said:
        node.manager.sign(node.manager.last().content.hash, OTHER, said)
    await node.after(20)
    assert _warnings(caplog) == []
    await node.after(20)
    [message] = _warnings(caplog)
    assert "Connection loon ends in 19 days" in message
    assert told in message
    assert node.manager.last().content.hash in message


async def test_a_client_certificate_of_no_use_is_refused_and_one_that_ends_is_warned_about(
    node: Node, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    text = f"""\
apiVersion: sluis/v1
kind: Service
metadata: {{ name: loon }}
spec:
  url: https://loon.voorbeeld.nl/api
  authentication: {{ type: mutual-tls, certificates: [{{ name: own, path: {tmp_path}/own.crt }}] }}
"""
    node.manager.now = int(datetime.now(UTC).timestamp())
    with pytest.raises(Invalid, match=r"own\.crt"):
        await node.apply(text)
    assert node.applying.declared() == []
    certificate, key = make_authority(tmp_path, "Dienst").issue(
        tmp_path / "x", OWN, "Gemeente", ["localhost"]
    )
    certificate.rename(tmp_path / "own.crt")
    key = key.rename(tmp_path / "own.key")
    assert await node.apply(text) == ["made"]
    await node.after(0)
    assert caplog.messages == []
    await node.after(340.5)
    assert [one for one in caplog.messages if "client certificate for service loon ends in 24 days" in one]
    caplog.clear()
    key.unlink()
    await node.after(1)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
