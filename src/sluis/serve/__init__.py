"""The composition root: the only room that builds a node from its settings, and runs it.

What a room needs it gets here as plain arguments. Starting checks what would otherwise go wrong later: certificates,
keys, the clock, the lock of the log, the listeners.
"""

from sluis.serve.api import published
from sluis.serve.contact import channel_of
from sluis.serve.node import Node, build_node, run
from sluis.serve.settling import settle
from sluis.serve.worker import work

__all__ = ["Node", "build_node", "channel_of", "published", "run", "settle", "work"]
