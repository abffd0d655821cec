"""What the log says of a passkey that was made, revoked or blocked: which, and by whom. BIO2 8.15.01."""

import hashlib
from typing import Literal

from sluis.identity.passkeys.model import Passkey
from sluis.kernel import new_span_id
from sluis.ledger import Arrangement

Change = Literal["make", "revoke", "block"]


def trace_of(id: str) -> str:
    """Under what all that ever happened to a passkey is found: a digest of its id, 32 hex digits."""
    return hashlib.sha256(id.encode()).hexdigest()[:32]


def changed(change: Change, passkey: Passkey, now: int, by: str | None = None) -> Arrangement:
    """The record of one change. The owner is the actor, also when the node blocks it as they sign in.

    Args:
        change: what was done.
        passkey: to which.
        now: seconds since the epoch.
        by: who did it, when it was not the owner.
    """
    return Arrangement(
        trace_id=trace_of(passkey.id),
        span_id=new_span_id(),
        action=f"passkey.{change}",
        actor=by or passkey.person,
        about=f"urn:sluis:passkey:{trace_of(passkey.id)}",
        timestamp=now * 1000,
        body={"level": passkey.level, "travels": passkey.travels},
    )
