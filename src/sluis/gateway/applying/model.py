"""What was applied, and what came of it."""

from typing import Literal

import msgspec

from sluis.gateway.contracts import State

Change = Literal["unchanged", "made", "changed", "withdrawn"]

Origin = Literal["apply", "request", "node"]
"""Who declares: an operator in documents, an operator who asks for data, or the node itself, with the peers it knows."""


class Applied(msgspec.Struct, frozen=True):
    """A declaration as this node keeps it.

    Attributes:
        kind: of the document.
        name: of the document.
        digest: over what it declares; the same digest is the same wish.
        body: JSON of what it declares, as far as this node must know it again.
        contract: hash of the contract that was made for it; empty when it needs none.
        before: hash of the contract that it replaces; revoked once the new one is valid, and empty then.
        origin: who declared it; only what documents declare can be withdrawn by their leaving it out.
    """

    kind: str
    name: str
    digest: str
    body: bytes
    contract: str = ""
    before: str = ""
    origin: Origin = "apply"


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What applying one document did.

    Attributes:
        kind: of the document.
        name: of the document.
        change: whether anything was done.
        contract: hash of the contract behind it.
        state: of that contract now.
        grant: hash of its grant; what a program may name.
    """

    kind: str
    name: str
    change: Change
    contract: str = ""
    state: State | None = None
    grant: str = ""
