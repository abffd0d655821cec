"""Which contracts a Manager signs by itself, and what it asks a decision point about one. Pure."""

from collections.abc import Callable, Sequence
from typing import Any

from sluis.crypto import canonical
from sluis.gateway.contracts import Contract, Grant, GrantType, may_propose
from sluis.gateway.manager.model import AutoSign, Role
from sluis.gateway.properties import refers_to_external
from sluis.kernel import PeerId

_DAY = 86_400  # seconds

_NUMBERS: dict[GrantType, int] = {
    "GRANT_TYPE_SERVICE_PUBLICATION": 1,
    "GRANT_TYPE_SERVICE_CONNECTION": 2,
    "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION": 3,
    "GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION": 4,
}


def roles_in(grant: Grant, peer: PeerId) -> frozenset[Role]:
    """What a peer is in a grant; it may be more than one thing."""
    found: dict[Role, tuple[PeerId | None, ...]] = {
        "directory": (grant.directory,),
        "service": (grant.service_peer,),
        "outway": (grant.outway.peer_id if grant.outway else None,),
        "delegator": (grant.delegator, grant.service_delegator),
    }
    return frozenset(role for role, peers in found.items() if peer in peers)


def signs_itself(
    contract: Contract, own: PeerId, rules: Sequence[AutoSign], offers: Callable[[str], bool]
) -> str | None:
    """The name of the rule by which this peer signs a contract without asking; None when it does not.

    A reference to an external contract must be verified before signing (External Contract Reference 1.0.0): a rule for any
    properties does not do that, one that names this very reference was made by somebody who did.

    Args:
        contract: that waits for this peer.
        own: this peer.
        rules: each grant of the contract must fit one of them.
        offers: whether this peer offers a service of that name; one that it does not, it does not sign for.
    """
    content = contract.content
    seconds = content.not_after - content.not_before
    found = []
    for grant in content.grants:
        fits = [rule for rule in rules if _fits(rule, grant, own, seconds)]
        ours = grant.service_peer == own
        if not fits or (ours and not offers(grant.service_name)):
            return None
        if ours and grant.type == "GRANT_TYPE_SERVICE_PUBLICATION":
            return None  # what this peer publishes it proposes itself; another makes up that it does
        found.append(fits[0].name or "auto-sign")
    return ", ".join(dict.fromkeys(found)) or None


def offered_by(contract: Contract, own: PeerId) -> PeerId | None:
    """Who offered a contract to this peer: who brought it here. When that may not offer it, it accepted what another is
    about to offer, and was quicker; then whoever of those signed. None as long as nobody has."""
    brought = contract.submitter or own
    signed = [brought, *sorted(contract.signed("accept"))]
    return next((peer for peer in signed if peer == own or may_propose(contract.content, own, peer)), None)


def question(contract: Contract, own: PeerId, submitter: PeerId) -> dict[str, Any]:
    """What a decision point is asked about a contract (AuthZEN Authorization API 1.0, evaluation request).

    The shape is the one that operators of FSC know, with what the contract is about added to it: without that a
    decision point can only look at who asks.

    Args:
        contract: that waits for this peer.
        own: this peer.
        submitter: who offered it.
    """
    content = contract.content
    peers = sorted(str.__str__(peer) for peer in content.parties)
    about = {"self_peer_id": str.__str__(own), "peer_ids": peers}
    return {
        "subject": {"type": "peer", "id": str.__str__(submitter), "properties": about},
        "action": {"name": "autosign_contract"},
        "resource": {
            "type": "contract",
            "id": content.hash,
            "properties": {
                "grant_types": [_NUMBERS[grant.type] for grant in content.grants],
                "grants": [_described(grant) for grant in content.grants],
                "not_before": content.not_before,
                "not_after": content.not_after,
            },
        },
        "context": {"doelbinding": "auto_sign_contract"},
    }


def permits(answer: Any) -> bool:
    """Whether a decision point said yes: `decision` is true, and nothing like it."""
    return isinstance(answer, dict) and answer.get("decision") is True


def _described(grant: Grant) -> dict[str, Any]:
    outway = grant.outway
    said = {
        "type": grant.type,
        "service_peer_id": str.__str__(grant.service_peer),
        "service_name": grant.service_name,
        "directory_peer_id": grant.directory and str.__str__(grant.directory),
        "outway_peer_id": outway and str.__str__(outway.peer_id),
        "outway_domain_name": outway and outway.domain_name,
        "delegator_peer_id": grant.delegator and str.__str__(grant.delegator),
        "service_delegator_peer_id": grant.service_delegator and str.__str__(grant.service_delegator),
        "properties": grant.properties,
    }
    return {name: value for name, value in said.items() if value is not None}


def _fits(rule: AutoSign, grant: Grant, own: PeerId, seconds: int) -> bool:
    roles = roles_in(grant, own)
    others = grant.parties - {own}
    return (
        bool(roles)
        and roles <= set(rule.roles)
        and (not rule.grants or grant.type in rule.grants)
        and (not rule.peers or others <= set(rule.peers))
        and (not rule.services or grant.service_name in rule.services)
        and (rule.by_domain_name or grant.outway is None or grant.outway.thumbprint is not None)
        and (rule.days is None or seconds <= rule.days * _DAY)
        and (
            (rule.any_properties and not refers_to_external(grant.properties)) or _properties_fit(rule, grant)
        )
    )


def _properties_fit(rule: AutoSign, grant: Grant) -> bool:
    given = grant.properties or {}
    return given.keys() == rule.properties.keys() and all(
        _among(value, rule.properties[name]) for name, value in given.items()
    )


def _among(value: Any, allowed: Sequence[Any]) -> bool:
    """Whether a value is one of these, as JSON; true is not 1, also not inside a list."""
    return canonical(value) in map(canonical, allowed)
