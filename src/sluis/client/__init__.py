"""For programs: call a service of another organisation through this organisation's outway."""

from sluis.client.calls import AsyncClient, Client, Connection
from sluis.client.errors import GatewayError, InwayError, NoOutway, OutwayError

__all__ = [
    "AsyncClient",
    "Client",
    "Connection",
    "GatewayError",
    "InwayError",
    "NoOutway",
    "OutwayError",
]
