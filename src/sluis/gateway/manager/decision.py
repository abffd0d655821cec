"""Asking a decision point whether to sign a contract: AuthZEN Authorization API 1.0, one evaluation over HTTP(S).

No answer, a late one, or one that is not understood is a no: the contract then waits for a person.
"""

import logging
from functools import partial
from typing import Any

import msgspec

from sluis.gateway.manager.model import DecisionPoint, Judge
from sluis.gateway.manager.rules import permits

log = logging.getLogger("sluis.manager")

_MOST_BYTES = 64 * 1024


def elsewhere(point: DecisionPoint) -> Judge:
    """What asks a decision point of others, and takes its word."""
    return partial(ask, point)


async def ask(point: DecisionPoint, question: dict[str, Any]) -> bool:
    """Whether a decision point says yes. Raises nothing.

    Args:
        point: where it is.
        question: an evaluation request.
    """
    import aiohttp  # only nodes with a decision point need it

    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=point.seconds)) as session,
            session.post(point.url, json=question, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise OSError(f"HTTP {answer.status}")
            read = bytearray()
            async for chunk in answer.content.iter_any():
                read += chunk
                if len(read) > _MOST_BYTES:
                    raise OSError("too long")
            return permits(msgspec.json.decode(bytes(read)))
    except (
        aiohttp.ClientError,
        OSError,
        TimeoutError,
        ValueError,
        msgspec.MsgspecError,
        RecursionError,
    ) as failure:
        log.warning("no decision from %s: %s", point.url, type(failure).__name__)
        return False
