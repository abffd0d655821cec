"""Contracts between peers (FSC Core 2.0.0, Contracts): reading and checking, signing, and which are in force."""

from sluis.gateway.contracts.hashes import ALGORITHM, VERSION, content_hash, grant_hash, is_hash, plain_hash
from sluis.gateway.contracts.model import (
    STATES,
    Action,
    Content,
    Contract,
    Grant,
    GrantType,
    InForce,
    Kept,
    OutwayId,
    Signature,
    State,
)
from sluis.gateway.contracts.reading import MAX_BODY, Submission, read_content, read_submission
from sluis.gateway.contracts.rules import (
    check_content,
    check_own_act,
    fits_outway,
    proposers,
    said,
    signers,
    state,
    waiting_for,
)
from sluis.gateway.contracts.service import Contracts, Order, open_contracts
from sluis.gateway.contracts.signatures import certificate_named, check_path, check_signature, sign

__all__ = [
    "ALGORITHM",
    "MAX_BODY",
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
    "open_contracts",
    "plain_hash",
    "proposers",
    "read_content",
    "read_submission",
    "said",
    "sign",
    "signers",
    "state",
    "waiting_for",
]
