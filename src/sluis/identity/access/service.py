"""Access as its owner sees it, put together from what the rooms know: disclosures, contracts in force, consents, and the
log, which tells when a disclosure last opened something.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date

from sluis.grounds import Activity, Disclosure, Grounds, Notice
from sluis.grounds.consents import Consent, Consents, Narrowing, Request, Terms, Whom
from sluis.identity.access.model import (
    AccessView,
    Agreed,
    ConsentView,
    DisclosedView,
    NewConsent,
    NoticedView,
    ServiceAccess,
    State,
    consent_view,
)
from sluis.kernel import Clock, PeerId
from sluis.ledger import Decision, Log, Search
from sluis.policy import references_of

_LINES, _TRACES = 2_000, 200
"""How far back the log is looked through for the last use, per processing activity: lines, and traces of these."""


class Accesses:
    """Who has access to what at one node.

    Attributes:
        grounds: as loaded and checked.
        name: what an organisation is called; its Peer ID when that is not known.

    Args:
        grounds: as above.
        consents: of people.
        log: tells when a disclosure was last used.
        agreed: the contracts in force with others, newest first; None for a node in no group, where none are needed.
        name: as above.
        clock: aware UTC.
    """

    def __init__(
        self,
        grounds: Grounds,
        consents: Consents,
        log: Log,
        agreed: Callable[[], Awaitable[Sequence[Agreed]]] | None,
        name: Callable[[PeerId], str],
        clock: Clock,
    ) -> None:
        self.grounds, self._consents, self._log = grounds, consents, log
        self._agreed, self.name, self._clock = agreed, name, clock

    async def every(self) -> AccessView:
        """The whole list, in the order of the disclosures and notices. Raises `Unkept`: the database cannot be read."""
        agreed = None if self._agreed is None else await self._agreed()
        used = await asyncio.to_thread(self._last_used)
        asked = {one.disclosure: self._consents.in_force(one) for one in self._consents.requests()}
        today = self.today()
        disclosures = tuple(
            self._disclosed(one, today, agreed, asked.get(one.id), used.get(one.id))
            for one in self.grounds.disclosures
        )
        services = tuple(
            ServiceAccess(one.service, one.recipient, one.contract, one.since, one.until)
            for one in agreed or ()
            if one.activity is None
        )
        notices = tuple(self._noticed(one, today, agreed) for one in self.grounds.notices)
        return AccessView(disclosures, notices, services)

    def consents(self, recipient: PeerId | None = None, activity: str | None = None) -> list[ConsentView]:
        """Consents that hold or will, newest first, without whose they are."""
        return self._viewed(self._consents.every(recipient, activity))

    def today(self) -> date:
        """This node's own day."""
        return self._clock().date()

    def requests(self) -> tuple[Request, ...]:
        """What people may consent to here."""
        return self._consents.requests()

    async def give(self, new: NewConsent, by: str) -> ConsentView:
        """Write down a consent; raises as `Consents.give`."""
        terms = Terms(new.recipient, new.activity, new.datasets, new.until, new.since)
        return self._view(await self._consents.give((new.person.type, new.person.value), terms, by))

    async def narrow(self, id: str, change: Narrowing, by: str, whom: Whom | None = None) -> ConsentView:
        """Leave less of a consent; raises as `Consents.narrow`."""
        return self._view(await self._consents.narrow(id, change, by, whom))

    async def revoke(self, id: str, by: str, whom: Whom | None = None) -> ConsentView:
        """Take a consent back; raises as `Consents.revoke`."""
        return self._view(await self._consents.revoke(id, by, whom))

    async def of(self, whom: Whom) -> list[ConsentView]:
        """One person's own consents, newest first, also those that ended."""
        return self._viewed(await asyncio.to_thread(self._consents.of, whom))

    async def tidy(self) -> None:
        """Forget consents that ended too long ago; see `Consents.tidy`."""
        await self._consents.tidy()

    def _disclosed(
        self,
        one: Disclosure,
        today: date,
        agreed: Sequence[Agreed] | None,
        consents: int | None,
        used: int | None,
    ) -> DisclosedView:
        activity = self.grounds.activity(one.activity)
        contracts = tuple(each.contract for each in agreed or () if one.id in each.disclosures)
        return DisclosedView(
            one.id, one.version, one.recipient, self.name(one.recipient), one.activity, one.dataset, one.columns,
            one.ground, tuple(map(str, one.articles)),
            state_of(one, activity, today, agreed is None or bool(contracts), consents),
            contracts, one.valid.since, one.valid.until, activity.name if activity else None, consents, used,
        )  # fmt: skip

    def _noticed(self, one: Notice, today: date, agreed: Sequence[Agreed] | None) -> NoticedView:
        activity = self.grounds.activity(one.activity)
        contracts = tuple(each.contract for each in agreed or () if one.id in each.notices)
        return NoticedView(
            one.id, one.version, one.recipient, self.name(one.recipient), one.activity, one.event, one.tells,
            one.ground, tuple(map(str, one.articles)),
            state_of(one, activity, today, agreed is None or bool(contracts), None),
            contracts, one.valid.since, one.valid.until, activity.name if activity else None,
        )  # fmt: skip

    def _last_used(self) -> dict[str, int]:
        """When each disclosure last opened something, by its id; those found that far back. Blocks."""
        wanted: dict[str, set[str]] = {}
        for one in self.grounds.disclosures:
            wanted.setdefault(one.activity, set()).add(one.id)
        found: dict[str, int] = {}
        for activity, ids in wanted.items():
            seen: set[str] = set()
            for line in self._log.processing(Search(activity=activity, limit=_LINES)):
                if ids <= found.keys() or len(seen) == _TRACES:
                    break
                if line.trace_id not in seen:
                    seen.add(line.trace_id)
                    for id in ids & used_by(one for _, one in self._log.decisions(line.trace_id)):
                        found.setdefault(id, line.start_time)
        return found

    def _viewed(self, consents: Iterable[Consent]) -> list[ConsentView]:
        return [self._view(one) for one in consents]

    def _view(self, consent: Consent) -> ConsentView:
        activity = self.grounds.activity(consent.activity)
        name, purpose = (activity.name, activity.purpose) if activity else (None, None)
        return consent_view(consent, self.name(consent.recipient), name, purpose)


def state_of(
    one: Disclosure | Notice,
    activity: Activity | None,
    today: date,
    agreed: bool,
    consents: int | None,
) -> State:
    """Whether a disclosure opens anything today, or a notice tells anything.

    Args:
        one: the disclosure or notice.
        activity: that it is for; None when it is not known here.
        today: the owner's own day.
        agreed: whether a contract covers it, or none is needed.
        consents: how many people consent; None where that is not the ground.
    """
    if activity is None or not activity.valid.holds(today) or not one.valid.holds(today):
        return "not-today"
    if not agreed:
        return "contract-missing"
    return "consent-missing" if consents == 0 else "open"


def used_by(decisions: Iterable[Decision]) -> set[str]:
    """The ids of the disclosures under which these decisions opened something."""
    used = [references_of(one).get("disclosure") for one in decisions]
    return {str(one["id"]) for one in used if isinstance(one, dict) and "id" in one}
