"""What an operator declares in YAML, for `sluis apply`: read, checked, and held against one another."""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.gateway.documents.model import (
        Connection,
        Declared,
        ExternalContract,
        Group,
        Instead,
        Link,
        Metadata,
        Peer,
        Permission,
        Publication,
        PublicService,
        Rule,
        Wanted,
    )
    from sluis.gateway.documents.rules import Offered, missing, names, offered, peer_named, read
else:
    __getattr__ = on_demand(__name__)

__all__ = [
    "Connection",
    "Declared",
    "ExternalContract",
    "Group",
    "Instead",
    "Link",
    "Metadata",
    "Offered",
    "Peer",
    "Permission",
    "PublicService",
    "Publication",
    "Rule",
    "Wanted",
    "missing",
    "names",
    "offered",
    "peer_named",
    "read",
]
