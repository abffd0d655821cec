"""Asking a decision point whether to sign a contract: AuthZEN Authorization API 1.0, one evaluation over HTTP(S).

No answer, a late one, or one that is not understood is a no: the contract then waits for a person.
"""

import logging
from functools import partial
from typing import Any

import msgspec

from sluis.crypto import calling_context
from sluis.gateway.manager.model import DecisionPoint, Judge
from sluis.gateway.manager.rules import permits
from sluis.kernel import cause_of
from sluis.web import EVERYWHERE, Outgoing, Unreached

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
    asked = {"content-type": "application/json"}
    try:
        async with Outgoing(calling_context(), EVERYWHERE, plain=True) as web:
            answer = await web.call(
                "POST",
                point.url,
                msgspec.json.encode(question),
                asked,
                seconds=point.seconds,
                most=_MOST_BYTES,
            )
        if answer.status != 200:
            raise OSError(f"HTTP {answer.status}")
        if not answer.whole:
            raise OSError("too long")
        return permits(msgspec.json.decode(answer.body))
    except (Unreached, OSError, ValueError, msgspec.MsgspecError, RecursionError) as failure:
        log.warning("no decision from %s: %s", point.url, cause_of(failure))
        return False
