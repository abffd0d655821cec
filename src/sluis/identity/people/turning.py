"""On record: who asked to be signed in to a portal for somebody for whom they may do nothing. Authorization Decision Log 0.0.1.

Who keeps trying is recorded once a minute, with how often it was, so that nobody fills the log by being refused.
"""

from collections import OrderedDict
from typing import Any

import msgspec

from sluis.identity.people.rules import entity_of
from sluis.kernel import Acting, Clock, Trace, milliseconds
from sluis.ledger import Decision, Ledger

MINUTE = 60.0
_MOST = 10_000  # whose tries are counted at once; of who tried longest ago the count is forgotten

_Who = tuple[Acting, str, str]


class _Tries(msgspec.Struct):
    at: float
    since: int = 0  # tries after the record of that moment


class TurningAway:
    """Records refusals of representation.

    Args:
        ledger: where to.
        clock: aware UTC.
    """

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self._tries: OrderedDict[_Who, _Tries] = OrderedDict()

    async def record(self, acting: Acting, client: str, rule: str) -> None:
        """Put on record that a portal (`client_id`) got nobody signed in, and by which rule; or count it. Raises `Unkept`."""
        who, now = (acting, client, rule), self._clock().timestamp()
        before = self._tries.get(who)
        if before is not None and now < before.at + MINUTE:
            before.since += 1
            return
        self._tries[who] = _Tries(now)
        self._tries.move_to_end(who)
        if len(self._tries) > _MOST:
            self._tries.popitem(last=False)
        times = 1 if before is None else before.since + 1
        await self._ledger.append([self._decision(acting, client, rule, times)])

    async def tidy(self) -> None:
        """Put on record how often it was of those who tried no more, and forget them. To be called every minute. Raises
        `Unkept`."""
        before = self._clock().timestamp() - MINUTE
        over = [(who, tries) for who, tries in self._tries.items() if tries.at <= before]
        for who, _ in over:
            del self._tries[who]
        counted = [self._decision(*who, tries.since) for who, tries in over if tries.since]
        if counted:
            await self._ledger.append(counted)

    def _decision(self, acting: Acting, client: str, rule: str, times: int) -> Decision:
        trace, properties = Trace.begin(), {"entity": entity_of(acting)}
        if acting.intermediary is not None:
            properties["intermediary"] = acting.intermediary
        request: dict[str, Any] = {
            "subject": {"type": "person", "id": acting.person, "properties": properties},
            "action": {"name": "represent"},
            "resource": {"type": "client", "id": client},
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
