"""Push to the node of a recipient, over the gateway: through this node's outway and the recipient's inway, under the contract
between the two nodes. What may be told at all, the contract that names the notice says (`agreed`).
"""

from collections.abc import Sequence

from sluis.events.cloudevent import BATCH, STRUCTURED, encode_batch, encode_structured
from sluis.events.queue import Delivery, crossing_event
from sluis.events.sending.base import Result
from sluis.events.sending.rules import result_of
from sluis.events.subscriptions import INBOX, Subscription
from sluis.gateway import Link, headers_for
from sluis.kernel import Clock, Problem, Refused, Trace, Upstream

SUBSCRIPTION = "sluis-subscription"
"""Header: the subscription that these events are of, within which `sequence` counts."""

_PATH = INBOX.removeprefix("fsc:sluis")

SECONDS = 10.0
"""For one request."""

_MOST_ANSWER = 64 * 1024  # bytes


class Fsc:
    """A `Transport` to the inboxes of other nodes.

    Args:
        link: the way to them.
        clock: aware UTC.
        seconds: for one request.
    """

    def __init__(self, link: Link, clock: Clock, seconds: float = SECONDS) -> None:
        self._link, self._clock, self._seconds = link, clock, seconds

    async def send(self, subscription: Subscription, deliveries: Sequence[Delivery]) -> Result:
        """Send one delivery, or in the mode `batch` several."""
        trace = Trace(deliveries[0].trace_id, Trace.begin().span_id)
        headers = headers_for(trace) | {
            "content-type": BATCH if subscription.config.content == "batch" else STRUCTURED,
            SUBSCRIPTION: subscription.id,
        }
        try:
            return await self._sent(subscription, headers, _body(subscription, deliveries))
        except Upstream as problem:
            return Result("again", _TROUBLES.get(problem.code, "unreachable"), whole=True)
        except Refused:
            return Result("again", "no-contract", whole=True)
        except Problem:  # this node cannot record that it leaves, so it does not
            return Result("again", "failed", whole=True)

    async def close(self) -> None:
        """The link belongs to the node."""

    async def _sent(self, subscription: Subscription, headers: dict[str, str], body: bytes) -> Result:
        async with self._link.send(subscription.owner, "POST", _PATH, headers, body, self._seconds) as answer:
            read = 0
            async for piece in answer.body:  # so that the connection can be kept
                read += len(piece)
                if read > _MOST_ANSWER:
                    break
            return result_of(answer.status, answer.headers.get("retry-after"), self._clock())


def _body(subscription: Subscription, deliveries: Sequence[Delivery]) -> bytes:
    events = [crossing_event(one) for one in deliveries]
    return encode_batch(events) if subscription.config.content == "batch" else encode_structured(events[0])


_TROUBLES = {
    "peer-too-slow": "too-slow",
    "peer-broke-off": "broke-off",
    "wrong-peer": "not-trusted",
    "peer-not-trusted": "not-trusted",
    "inway-refused": "not-authorised",
}
