"""Whose messages these are, and how far whoever is signed in reaches for them: for themselves everything, for a company or a
person whom they represent as far as the representation goes.

Whether somebody represents another, `identity` knows. Here only stands what that opens: all messages and how they come, for who
may do that (`MESSAGES`); otherwise the messages of what the representation is for, and nothing else.
"""

import re
from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

from sluis.contact.keeping import Keeping
from sluis.contact.model import Scenario
from sluis.contact.saying import unreachable
from sluis.kernel import Refused
from sluis.web import SignedIn

MESSAGES = "urn:sluis:service:messages"
"""The service under which the messages of another are read, and it is said how they come; a mandate may be for it."""

Doing = Literal["read", "edit"]

PERSON_URN = "urn:sluis:person:"
"""Before this node's pseudonym of a person who is represented, and of whoever a record is about."""

_COMPANY = re.compile(r"(urn:nl:(?:kvk:\d{8}|rsin:\d{9}))")


class Reach(Protocol):
    """Whether whoever is signed in may do something for whom they act; `serve` fills it in."""

    async def __call__(self, who: SignedIn, service: str, action: str) -> Refused | None:
        """Why not; None when they may.

        Args:
            who: acts for another.
            service: URI of what it is about.
            action: what is done there.
        """


class Party(msgspec.Struct, frozen=True):
    """Whose messages, and who looks after them.

    Args:
        whose: under what these are kept.
        by: pseudonym of who is signed in.
        about: whom the record of a change is about, as a URN.
        scenarios: ids of those whose messages are shown; None: all.
    """

    whose: str
    by: str
    about: str
    scenarios: frozenset[str] | None = None

    @property
    def for_another(self) -> bool:
        """Whether somebody acts for another than themselves."""
        return self.about != PERSON_URN + self.by

    def __repr__(self) -> str:
        return "Party(•)"


class Parties:
    """Knows whose messages a visitor may look after.

    Args:
        keeping: names people and companies.
        scenarios: by id.
        reach: knows who represents whom; None: then nobody looks after the messages of another.
    """

    def __init__(self, keeping: Keeping, scenarios: Mapping[str, Scenario], reach: Reach | None) -> None:
        self.keeping, self._scenarios, self.reach = keeping, scenarios, reach

    async def of(self, who: SignedIn, doing: Doing) -> Party:
        """For whom somebody acts here, and how far. Raises `Refused`."""
        own = own_party(who.acting.person)
        entity = who.acting.entity or own.about
        if entity == own.about and who.acting.intermediary is None:
            return own
        whose = self._whose(entity)
        if whose is None or self.reach is None:
            raise unreachable()
        refusal = await self.reach(who, MESSAGES, doing)
        if refusal is None:
            return Party(whose, own.by, entity)
        opened = await self._opened(who) if doing == "read" else frozenset[str]()
        if not opened:
            raise refusal
        return Party(whose, own.by, entity, opened)

    def _whose(self, entity: str) -> str | None:
        if entity.startswith(PERSON_URN):
            return entity.removeprefix(PERSON_URN)
        return self.keeping.entity(entity) if _COMPANY.fullmatch(entity) else None

    async def _opened(self, who: SignedIn) -> frozenset[str]:
        """The scenarios that somebody's representation is for."""
        assert self.reach is not None
        services = {name for one in self._scenarios.values() for name in services_of(one)}
        may = {one for one in sorted(services) if await self.reach(who, one, "read") is None}
        return frozenset(id for id, one in self._scenarios.items() if may & services_of(one))


def own_party(person: str) -> Party:
    """Somebody (a pseudonym) who acts for themselves."""
    return Party(person, person, PERSON_URN + person)


def services_of(scenario: Scenario) -> set[str]:
    """What a representation must be for, to see the messages of a scenario."""
    return {scenario.activity, *([scenario.service] if scenario.service else [])}
