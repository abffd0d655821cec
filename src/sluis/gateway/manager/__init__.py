"""The Manager of a peer (FSC Core 2.0.0): contracts with others, its directory side, and tokens; with its API."""

from sluis.gateway.manager.client import Answered, Managers, ServiceListed
from sluis.gateway.manager.directory import DirectoryClient
from sluis.gateway.manager.http import ManagerApi
from sluis.gateway.manager.model import AutoSign, DecisionPoint
from sluis.gateway.manager.running import Running, Settings, open_manager
from sluis.gateway.manager.service import Manager, Trust

__all__ = [
    "Answered",
    "AutoSign",
    "DecisionPoint",
    "DirectoryClient",
    "Manager",
    "ManagerApi",
    "Managers",
    "Running",
    "ServiceListed",
    "Settings",
    "Trust",
    "open_manager",
]
