"""Contracts that no rule fits: asked of this node's own decision point, and on record before anything is signed."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.kept import Kept

from sluis.config.model import Config, FscConfig, NodeConfig
from sluis.kernel import PeerId, Unkept
from sluis.policy import STANDARD, DecisionPoint, Policies
from sluis.serve.group import judge_of

OWN, OTHER = PeerId("00000001826002785000"), PeerId("00000001001000001000")
SIGNS = """
@id("sign-connections")
permit (principal == peer::"00000001001000001000", action == Action::"autosign_contract", resource is contract)
when { resource.grant_types == [2] };
"""


def config(decision_point: str | None) -> Config:
    node = NodeConfig(OWN, "Voorbeeld (fictief)", "voorbeeld", "https://node.example")
    return Config(node, fsc=FscConfig(decision_point=decision_point))


def question(peer: PeerId, *types: int) -> dict[str, Any]:
    return {
        "subject": {
            "type": "peer",
            "id": str.__str__(peer),
            "properties": {"self_peer_id": str.__str__(OWN)},
        },
        "action": {"name": "autosign_contract"},
        "resource": {"type": "contract", "id": "$1$4$x", "properties": {"grant_types": list(types)}},
        "context": {"doelbinding": "auto_sign_contract"},
    }


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def point(kept: Kept) -> DecisionPoint:
    policies = Policies({**STANDARD, "own.cedar": SIGNS}, contracts=True)
    return DecisionPoint(policies, "voorbeeld", kept, lambda: datetime(2026, 6, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("peer", "types", "permit"), [(OTHER, (2,), True), (OTHER, (1, 2), False), (OWN, (2,), False)]
)
async def test_the_own_decision_point_says_whether_to_sign_and_that_is_on_record(
    point: DecisionPoint, kept: Kept, peer: PeerId, types: tuple[int, ...], permit: bool
) -> None:
    judge = judge_of(config("own"), point)
    assert judge is not None
    assert await judge(question(peer, *types)) is permit
    [record] = kept.records
    assert record.body["adl.core.response"]["decision"] is permit


async def test_what_cannot_be_recorded_is_not_signed(point: DecisionPoint, kept: Kept) -> None:
    judge, kept.full = judge_of(config("own"), point), True
    assert judge is not None
    with pytest.raises(Unkept):
        await judge(question(OTHER, 2))


def test_nobody_is_asked_unless_the_settings_say_so(point: DecisionPoint) -> None:
    assert judge_of(config(None), point) is None
