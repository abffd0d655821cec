"""The key with which other nodes encrypt who a person is, for this node alone (LDV reading across organisations)."""

import asyncio
from collections.abc import Callable
from typing import Any

from litestar import get
from litestar.handlers import HTTPRouteHandler

from sluis.crypto import Peer


def routes(keys: Callable[[], dict[str, Any]]) -> list[HTTPRouteHandler]:
    """The routes of this room on the node's API.

    Args:
        keys: the key set that this node publishes (RFC 7517), a key for encryption in it. May block.
    """

    @get("/assertion-keys", include_in_schema=False)
    async def assertion_keys(peer: Peer) -> dict[str, Any]:
        """Sleutels waarmee een verklaring voor dit knooppunt wordt versleuteld."""
        return await asyncio.to_thread(keys)  # who asks first waits for them to be made

    return [assertion_keys]
