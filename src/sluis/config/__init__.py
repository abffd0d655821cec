"""The settings of a node: one frozen tree, read once from `node.toml` and the environment. Production is the default.

Only `serve` and `cli` read this; rooms get plain arguments.
"""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.config.change import Setting, with_settings
    from sluis.config.clients import client_of
    from sluis.config.contact import consulted_channels
    from sluis.config.group import read_group
    from sluis.config.model import (
        Address,
        ChannelConfig,
        ClientConfig,
        Config,
        NodeConfig,
        RegisterConfig,
        SourceConfig,
    )
    from sluis.config.node import (
        NODE_FILE,
        Node,
        advise_node,
        examine_node,
        load_node,
        node_policies,
        templates_of,
    )
    from sluis.config.notificaties import applications_of
    from sluis.config.publishing import schemas
    from sluis.config.read import absolute_address, load_config
else:
    __getattr__ = on_demand(__name__)

__all__ = [
    "NODE_FILE",
    "Address",
    "ChannelConfig",
    "ClientConfig",
    "Config",
    "Node",
    "NodeConfig",
    "RegisterConfig",
    "Setting",
    "SourceConfig",
    "absolute_address",
    "advise_node",
    "applications_of",
    "client_of",
    "consulted_channels",
    "examine_node",
    "load_config",
    "load_node",
    "node_policies",
    "read_group",
    "schemas",
    "templates_of",
    "with_settings",
]
