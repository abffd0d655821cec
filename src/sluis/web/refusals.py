"""Refusals at the door are records too: who was turned away, and on which rule. Authorization Decision Log 0.0.1.

Of a caller who keeps knocking only the first of a minute are recorded one by one; what follows is counted, and the
count is one record, so that nobody can fill the log by being refused.
"""

from typing import Any

from sluis.kernel import Clock, Refused, Trace, milliseconds
from sluis.ledger import Decision, Ledger

PER_MINUTE = 20
"""Refusals of one caller that are recorded one by one."""

_MINUTE = 60.0


class Refusals:
    """Records refusals in this node's ledger.

    Args:
        ledger: where to.
        clock: the node's clock.
    """

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self._since = clock().timestamp()
        self._seen: dict[tuple[str, str], int] = {}

    async def record(self, refusal: Refused) -> None:
        """Record one refusal, or count it. Raises `Unkept` when it cannot be recorded."""
        await self._begin_minute()
        who = (refusal.peer or "local", refusal.code)
        self._seen[who] = self._seen.get(who, 0) + 1
        if self._seen[who] <= PER_MINUTE:
            await self._ledger.append([self._decision(who, 1)])

    async def flush(self) -> None:
        """Record the counts there are, at the end of a minute or of the node's life."""
        counted = {who: count - PER_MINUTE for who, count in self._seen.items() if count > PER_MINUTE}
        self._seen, self._since = {}, self._clock().timestamp()
        if counted:
            await self._ledger.append([self._decision(who, count) for who, count in counted.items()])

    async def _begin_minute(self) -> None:
        if not 0 <= self._clock().timestamp() - self._since < _MINUTE:
            await self.flush()

    def _decision(self, who: tuple[str, str], times: int) -> Decision:
        caller, rule = who
        trace = Trace.begin()
        subject = {"type": "person" if caller == "local" else "peer", "id": caller}
        request: dict[str, Any] = {
            "subject": subject,
            "action": {"name": "connect"},
            "resource": {"type": "node", "id": "self"},
        }
        response = {"decision": False, "context": {"rule": rule, "times": times}}
        return Decision(
            trace_id=trace.trace_id,
            span_id=trace.span_id,
            event_name="adl.access_evaluation",
            timestamp=milliseconds(self._clock()),
            status="Ok",
            body={"adl.core.request": request, "adl.core.response": response},
        )
