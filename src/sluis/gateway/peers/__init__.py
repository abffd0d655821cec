"""Who is in the group: the rules it agreed on, the peers that are known, and the certificates that they sign with."""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.gateway.peers.model import Directory, Group, Known
    from sluis.gateway.peers.rules import check_group, in_pages, manager_address, name_holds
    from sluis.gateway.peers.service import Certificates, Peers, hold_to, open_peers
else:
    __getattr__ = on_demand(__name__)

__all__ = [
    "Certificates",
    "Directory",
    "Group",
    "Known",
    "Peers",
    "check_group",
    "hold_to",
    "in_pages",
    "manager_address",
    "name_holds",
    "open_peers",
]
