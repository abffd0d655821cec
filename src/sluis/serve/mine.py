"""The pages on which people ask about their own data, at the portal: how a question is found in the log, and what all the rooms hold of
a person, to take along."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler

from sluis.config import Config
from sluis.kernel import Acting, PeerId, Text, plain
from sluis.ledger import ACTIVITY, PROCESSOR, Processing, Search, line_of
from sluis.rights import DataSubject, Part, Request, Traced, data_subject, desk_routes, page_routes
from sluis.serve.identity import IdentityRooms
from sluis.serve.parts import Parts
from sluis.web import Gate, SignedIn

MOST_LINES = 10_000
"""Lines of the log, and messages, in a download: the newest."""


def rights_routes(config: Config, parts: Parts, rooms: IdentityRooms) -> list[HTTPRouteHandler]:
    """The pages at the portal, for who is signed in and for staff."""
    whose = rooms.representing.whose
    gate, own = Gate(parts.point), config.node.oin
    return [
        *page_routes(
            parts.rights,
            parts.inspection,
            whose,
            _Tracing(parts, own),
            download_of(parts, rooms),
            rooms.representing.people.rsin,
        ),
        *desk_routes(parts.rights, gate, own),
    ]


class _Tracing:
    """Finds a question about a person in this node's log: the `Tracing` of this node."""

    def __init__(self, parts: Parts, own: PeerId) -> None:
        self._ledger, self._grounds, self._looking = parts.ledger, parts.accesses.grounds, parts.looking
        self._own = str.__str__(own)

    async def __call__(self, whom: DataSubject, trace: str) -> Traced:
        search = Search(trace_id=trace, subjects=self._ledger.subjects(whom.kind, whom.value), limit=100)
        lines = await self._ledger.processing_of(search, withheld=False)
        if not lines:
            return Traced()
        activities = {str(one.attributes.get(ACTIVITY, "")): None for one in lines}
        known = [found for id in activities if (found := self._grounds.activity(id)) is not None]
        # The organisation that asked is responsible for what it did with the answer, and comes first.
        named = [*(str.__str__(one.controller) for one in known), self._own, *self._others(lines)]
        title = known[0].name if known else Text(next(iter(activities)), next(iter(activities)))
        return Traced(title, tuple(dict.fromkeys(named)))

    def _others(self, lines: Sequence[Processing]) -> list[str]:
        logs = self._looking.logs if self._looking is not None else None
        found = [logs.organisation(str(one.attributes.get(PROCESSOR, ""))) for one in lines] if logs else []
        return [str.__str__(one.peer) for one in found if one is not None]


def download_of(parts: Parts, rooms: IdentityRooms) -> list[Part]:
    """The files of a download of everything: what this node holds about a person, in order."""
    whose = rooms.representing.whose

    async def number(person: SignedIn) -> tuple[str, str]:
        return await whose(person, "read")

    def oneself(person: SignedIn) -> bool:
        return person.acting.entity is None and person.acting.intermediary is None

    async def log(person: SignedIn) -> Any:
        search = Search(subjects=parts.ledger.subjects(*await number(person)), limit=MOST_LINES)
        return [line_of(one) for one in await parts.ledger.processing_of(search, withheld=False)]

    async def consents(person: SignedIn) -> Any:
        return await parts.accesses.of(await number(person))

    async def requests(person: SignedIn) -> Any:
        whom = data_subject(*await number(person))
        if whom is None:
            return []
        return [_without(_own(one), "person", "due", "attempts") for one in await parts.rights.every(whom)]

    async def mandates(person: SignedIn) -> Any:
        own, held = Acting(person.acting.person), rooms.representing.people
        if not oneself(person):
            return []
        found = [*held.mandates.given(own), *held.mandates.held(own)]
        wards = [*held.guardians.over(own.person), *held.guardians.of(own.person)]
        return [*(_without(one, "invitation") for one in found), *(_without(one, "number") for one in wards)]

    async def sessions(person: SignedIn) -> Any:
        if not oneself(person):
            return []
        return [
            _without(one, "handle")
            for one in await asyncio.to_thread(rooms.sessions.of, person.acting.person)
        ]

    async def messages(person: SignedIn) -> Any:
        assert parts.contact is not None
        party, found = await parts.contact.parties.of(person, "read"), list[Any]()
        until = None
        while len(found) < MOST_LINES:
            page = await parts.contact.history(party, until) if until else await parts.contact.history(party)
            found += page
            if not page or page[-1].at == until:
                break
            until = page[-1].at
        return found

    async def reached(person: SignedIn) -> Any:
        assert parts.contact is not None
        known = await parts.contact.known(await parts.contact.parties.of(person, "edit"))
        return {"addresses": known.addresses, "preferences": known.preferences}

    made = [
        Part("who-looked", Text("Wie keek er", "Who looked"),
             Text("Elke keer dat iets met uw gegevens is gedaan, zoals het in dit logboek staat. Hoogstens tienduizend regels, de nieuwste.",
                  "Each time that something was done with your data, as it is in this log. Ten thousand lines at most, the newest."), log),
        Part("requests", Text("Verzoeken en meldingen", "Requests and reports"),
             Text("Wat u vroeg of meldde over uw gegevens, en de antwoorden.", "What you asked or reported about your data, and the answers."), requests),
        Part("consents", Text("Toestemmingen", "Consents"), Text("Toegang die u gaf.", "Access that you gave."), consents),
        Part("mandates", Text("Machtigingen", "Mandates"),
             Text("Wie u vertegenwoordigt, en wie u.", "Whom you represent, and who you."), mandates),
        Part("sessions", Text("Ingelogd", "Signed in"), Text("Waar u nu bent ingelogd.", "Where you are signed in now."), sessions),
    ]  # fmt: skip
    if parts.contact is not None:
        made += [
            Part("messages", Text("Berichten", "Messages"),
                 Text("Wat wij u lieten weten, en hoe het bij u kwam.", "What we let you know, and how it got to you."), messages),
            Part("contact", Text("Voorkeuren", "Preferences"),
                 Text("Hoe wij u bereiken, en hoe u dat wilt.", "How we reach you, and how you want that."), reached),
        ]  # fmt: skip
    return made


def _own(request: Request) -> Request:
    """A request without how this node has its sign-in provider assert who made it."""
    return msgspec.structs.replace(request, content=msgspec.structs.replace(request.content, signed=None))


def _without(one: Any, *names: str) -> dict[str, Any]:
    """A thing as plain values, without what is of the node and not of the person."""
    found: dict[str, Any] = plain(one)
    return {name: value for name, value in found.items() if name not in names}
