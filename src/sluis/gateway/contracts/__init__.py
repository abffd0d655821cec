"""Contracts between peers (FSC Core 2.0.0, Contracts): reading and checking, signing, and which are in force."""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.gateway.contracts.hashes import (
        ALGORITHM,
        VERSION,
        content_hash,
        grant_hash,
        is_hash,
        plain_hash,
    )
    from sluis.gateway.contracts.model import (
        SPOKEN,
        STATES,
        Action,
        Content,
        Contract,
        Grant,
        GrantType,
        InForce,
        Kept,
        OutwayId,
        Protocol,
        Signature,
        State,
    )
    from sluis.gateway.contracts.reading import MAX_BODY, Submission, read_content, read_submission
    from sluis.gateway.contracts.rules import (
        check_content,
        check_own_act,
        fits_outway,
        may_propose,
        proposers,
        said,
        signers,
        state,
        waiting_for,
    )
    from sluis.gateway.contracts.service import Contracts, Order, open_contracts, read_allowed
    from sluis.gateway.contracts.signatures import certificate_named, check_path, check_signature, sign
else:
    __getattr__ = on_demand(__name__)

__all__ = [
    "ALGORITHM",
    "MAX_BODY",
    "SPOKEN",
    "STATES",
    "VERSION",
    "Action",
    "Content",
    "Contract",
    "Contracts",
    "Grant",
    "GrantType",
    "InForce",
    "Kept",
    "Order",
    "OutwayId",
    "Protocol",
    "Signature",
    "State",
    "Submission",
    "certificate_named",
    "check_content",
    "check_own_act",
    "check_path",
    "check_signature",
    "content_hash",
    "fits_outway",
    "grant_hash",
    "is_hash",
    "may_propose",
    "open_contracts",
    "plain_hash",
    "proposers",
    "read_allowed",
    "read_content",
    "read_submission",
    "said",
    "sign",
    "signers",
    "state",
    "waiting_for",
]
