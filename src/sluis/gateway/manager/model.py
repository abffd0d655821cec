"""What a Manager is told beforehand: which contracts it signs by itself."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec

from sluis.gateway.contracts import GrantType
from sluis.kernel import PeerId

Role = Literal["directory", "service", "outway", "delegator"]
"""What a peer is in a grant. Who offers a service for another is `service`, the other is `delegator`."""


class AutoSign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule by which a grant is agreed to without asking anybody. All that it says must fit.

    Args:
        name: what it is called in the log.
        grants: the types of grants; empty for all four.
        roles: what this peer is in the grant. That it publishes a service it proposes itself, and no rule signs it.
        peers: all other peers of the grant must be among these; empty for any that is known, or is in the directory.
        services: names of services; empty for all.
        properties: values that each property may have. A property of the grant that is not named here does not fit,
            and one that is named here must be there.
        any_properties: let properties be as they are.
        by_domain_name: let an outway be known by a name instead of by its key, which is weaker.
        days: a contract that lasts longer does not fit.
    """

    name: str = ""
    grants: tuple[GrantType, ...] = ()
    roles: tuple[Role, ...] = ("directory", "service")
    peers: tuple[PeerId, ...] = ()
    services: tuple[str, ...] = ()
    properties: dict[str, tuple[Any, ...]] = {}
    any_properties: bool = False
    by_domain_name: bool = False
    days: int | None = None


Judge = Callable[[dict[str, Any]], Awaitable[bool]]
"""Says whether to sign a contract, asked with an AuthZEN evaluation request (`rules.question`). Raises `Unkept` when it
cannot record what it decided."""


class DecisionPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An AuthZEN decision point of others (Authorization API 1.0) that is asked whether to sign.

    Args:
        url: of its evaluation endpoint, `https://…/access/v1/evaluation`.
        seconds: how long it may take; no answer is a no.
    """

    url: str
    seconds: float = 5.0
