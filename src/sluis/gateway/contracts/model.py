"""Contracts of FSC Core 2.0.0 as values: their content, the grants in it, signatures, and the states they go through.

A contract is its content as it was received, and whose signatures came. Its state is never stored and never taken
from another: it follows from the signatures and the time (`STATES`, with `rules.state`).
"""

from typing import Any, Literal

import msgspec

from sluis.kernel import PeerId

GrantType = Literal[
    "GRANT_TYPE_SERVICE_PUBLICATION",
    "GRANT_TYPE_SERVICE_CONNECTION",
    "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION",
    "GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION",
]
PUBLICATIONS: frozenset[GrantType] = frozenset(
    {"GRANT_TYPE_SERVICE_PUBLICATION", "GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION"}
)
DELEGATED: frozenset[GrantType] = frozenset(
    {"GRANT_TYPE_DELEGATED_SERVICE_CONNECTION", "GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION"}
)

Protocol = Literal["PROTOCOL_TCP_HTTP_1.1", "PROTOCOL_TCP_HTTP_2"]
"""What a publication says is spoken at the inway."""

SPOKEN: Protocol = "PROTOCOL_TCP_HTTP_1.1"
"""What this node's own inway speaks."""

Action = Literal["accept", "reject", "revoke"]
"""What a signature does."""


class OutwayId(msgspec.Struct, frozen=True):
    """Which outway may connect: of which peer, and known by its public key or by a name in its certificate.

    Exactly one of `thumbprint` (64 lower-case hex digits) and `domain_name` is there.
    """

    peer_id: PeerId
    thumbprint: str | None = None
    domain_name: str | None = None


class Grant(msgspec.Struct, frozen=True):
    """One thing that a contract allows.

    Attributes:
        type: which of the four.
        hash: `$1$…`, which names it everywhere.
        service_peer: who offers the service.
        service_name: the service, unique at that peer.
        protocol: of a publication, what its inway speaks.
        directory: of a publication, where it is published.
        outway: of a connection, who connects.
        service_delegator: of a connection, on whose behalf the service is offered, if on another's.
        delegator: of a delegated grant, on whose behalf it is published or connected.
        properties: what else was agreed; None when the grant has none.
    """

    type: GrantType
    hash: str
    service_peer: PeerId
    service_name: str
    protocol: Protocol | None = None
    directory: PeerId | None = None
    outway: OutwayId | None = None
    service_delegator: PeerId | None = None
    delegator: PeerId | None = None
    properties: dict[str, Any] | None = None

    @property
    def parties(self) -> frozenset[PeerId]:
        """Everyone it names; all of them must accept (Core 2.0.0, Signatures)."""
        outway = self.outway.peer_id if self.outway else None
        named = (self.service_peer, self.directory, outway, self.service_delegator, self.delegator)
        return frozenset(peer for peer in named if peer is not None)


class Content(msgspec.Struct, frozen=True):
    """What is agreed. It never changes: another wish is another contract.

    Attributes:
        json: as it was received, the member `content`; sent on byte for byte, because its hash hangs on all of it.
        hash: `$1$1$…`, over the canonical form of that JSON.
        iv: UUID, lower case; unique at every peer.
        group_id: the group in which it holds.
        not_before: seconds since the epoch; holds from then on.
        not_after: seconds since the epoch; holds up to and including then.
        created_at: seconds since the epoch.
        grants: in the order in which they stand.
    """

    json: bytes
    hash: str
    iv: str
    group_id: str
    not_before: int
    not_after: int
    created_at: int
    grants: tuple[Grant, ...]

    @property
    def parties(self) -> frozenset[PeerId]:
        """Everyone it names; all of them must accept."""
        return frozenset[PeerId]().union(*(grant.parties for grant in self.grants))


class Signature(msgspec.Struct, frozen=True):
    """A signature that was verified when it came.

    Attributes:
        peer: who signed.
        action: what for.
        jws: as it was received.
        signed_at: seconds since the epoch, by the signer's clock.
        thumbprint: of the certificate that it was made with.
        until: seconds since the epoch; up to and including then that certificate is valid, as far as is known now. Zero
            when it was revoked, or leads to no anchor of the group any more.
    """

    peer: PeerId
    action: Action
    jws: str
    signed_at: int
    thumbprint: str
    until: int


class Contract(msgspec.Struct, frozen=True):
    """Content, and at most one signature of each peer for each action.

    Attributes:
        content: what is agreed.
        signatures: those that count.
        submitter: who brought it here: whose signature came with it first. That is noted when it comes, and follows from
            no date that somebody writes. None before it is kept.
    """

    content: Content
    signatures: tuple[Signature, ...] = ()
    submitter: PeerId | None = None

    def signed(self, action: Action) -> dict[PeerId, Signature]:
        """Who signed for `action`."""
        return {signature.peer: signature for signature in self.signatures if signature.action == action}


State = Literal["proposed", "valid", "rejected", "revoked", "expired"]

Event = Literal["agree", "reject", "revoke", "end"]
"""What changes a state: all accepted and its time has come; someone rejected; someone revoked; its time is over."""

STATES: dict[State, dict[Event, State]] = {
    "proposed": {"agree": "valid", "reject": "rejected", "revoke": "revoked", "end": "expired"},
    "valid": {"agree": "valid", "reject": "rejected", "revoke": "revoked", "end": "expired"},
    "rejected": {"agree": "rejected", "reject": "rejected", "revoke": "revoked", "end": "rejected"},
    "revoked": {"agree": "revoked", "reject": "revoked", "revoke": "revoked", "end": "revoked"},
    "expired": {"agree": "expired", "reject": "rejected", "revoke": "revoked", "end": "expired"},
}
"""Signatures reach peers in any order, so the order must not matter: whichever way the same events come, the same state
follows. Nothing leads out of `rejected` and `revoked` to a state in which something is allowed."""


class InForce(msgspec.Struct, frozen=True):
    """A grant that everyone accepted and nobody took back, with the time in which it holds.

    Attributes:
        grant: what is allowed.
        content_hash: of its contract.
        created_at: of its contract, seconds since the epoch.
        not_before: seconds since the epoch.
        until: seconds since the epoch; the end of its contract, or of the first certificate to end that it was accepted
            with.
    """

    grant: Grant
    content_hash: str
    created_at: int
    not_before: int
    until: int

    def holds(self, now: int) -> bool:
        """Whether this is the time in which it holds; both ends included."""
        return self.not_before <= now <= self.until


class Kept(msgspec.Struct, frozen=True):
    """What became of a signature that was kept.

    Attributes:
        contract: as it is known now.
        new_contract: whether its content was not known before.
        new_signature: whether the signature was not, and is now the one that counts.
    """

    contract: Contract
    new_contract: bool
    new_signature: bool


class AcceptedWith(msgspec.Struct, frozen=True):
    """A certificate that contracts hang on.

    Attributes:
        peer: whose.
        thumbprint: of the certificate.
        until: as in `Signature`.
    """

    peer: PeerId
    thumbprint: str
    until: int
