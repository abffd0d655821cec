"""The Manager of a peer (FSC Core 2.0.0): contracts with others, its directory side, and tokens; with its API."""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.gateway.manager.client import Managers
    from sluis.gateway.manager.decision import elsewhere
    from sluis.gateway.manager.model import AutoSign, DecisionPoint, Judge
    from sluis.gateway.manager.running import Running, Settings, open_manager
    from sluis.gateway.manager.service import Manager, Trust
else:
    __getattr__ = on_demand(__name__)

__all__ = [
    "AutoSign",
    "DecisionPoint",
    "Judge",
    "Manager",
    "Managers",
    "Running",
    "Settings",
    "Trust",
    "elsewhere",
    "open_manager",
]
