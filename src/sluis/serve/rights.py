"""What people ask about their own data, put together from a node's settings: what the rooms around hold of a person is handed to it
here, since it knows none of them."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from litestar.handlers import HTTPRouteHandler

from sluis.catalogue import Catalogue, Harvester
from sluis.config import Config
from sluis.crypto import KeyStore
from sluis.kernel import Acting, Clock, PeerId, Refused, Text, Unidentified, plain
from sluis.ledger import ACTIVITY, PROCESSOR, Ledger, Processing, Search, line_of
from sluis.query import Asker, Owners
from sluis.rights import (
    Confirmed,
    DataSubject,
    Inspection,
    Part,
    Placed,
    Request,
    Rights,
    Traced,
    data_subject,
    desk_routes,
    of_another,
    open_rights,
    page_routes,
    request_urn,
)
from sluis.serve.identity import IdentityRooms
from sluis.serve.looked import Looking
from sluis.serve.names import all_names
from sluis.store import Store
from sluis.web import Gate, SignedIn

if TYPE_CHECKING:
    from sluis.serve.parts import Parts

MOST_LINES = 10_000
"""Lines of the log, and messages, in a download: the newest."""


class Identities:
    """Whose requests are: asserted by this node's sign-in provider where they leave, and made sure of where they come in.

    Args:
        own: this node.
        looking: makes assertions, and believes them; None where nobody signs in and nobody is believed.
    """

    def __init__(self, own: PeerId, looking: Looking | None) -> None:
        self._own, self._looking = own, looking

    async def asserted(self, request: Request) -> str:
        """The `Asserting` of this node. Somebody who asks it of this organisation itself need not be asserted to it."""
        signed, whom = request.content.signed, request.content.whom
        if self._looking is None or signed is None or request.peer == self._own:
            return ""
        return await self._looking.asserted(
            signed.acting, signed.acr, signed.at, (whom.kind, whom.value), request.peer, request_urn(request.receipt)
        )  # fmt: skip

    async def confirmed(self, peer: PeerId, placed: Placed) -> Confirmed | None:
        """The `Confirming` of this node. What is not believed is no reason to turn away somebody who has a right: the desk sees that."""
        if peer == self._own:
            return Confirmed("", placed.level, placed.placed)
        if self._looking is None or not placed.assertion:
            return None
        try:
            found = await self._looking.trusted.believed(placed.assertion, request_urn(placed.receipt))
        except (Unidentified, Refused):
            return None
        if (found.kind, found.value) != (placed.whom.kind, placed.whom.value):
            raise of_another()
        return Confirmed(found.issuer, found.level, found.at)


def rights_of(
    config: Config, store: Store, ledger: Ledger, keys: KeyStore, clock: Clock, identities: Identities
) -> Rights:
    """This room, from a node's settings. Blocks. Raises `Problem`."""
    kept, most_open = timedelta(days=config.rights.keep_days), config.rights.open_per_organisation
    return open_rights(store, ledger, keys, clock, all_names(config), kept, most_open, identities.confirmed)


def inspection_of(
    asker: Asker, owners: Owners, catalogue: Catalogue | None, harvester: Harvester | None, clock: Clock
) -> Inspection:
    """What asks what is known about people, at whom this node can ask."""
    return Inspection(asker, owners, _Named(catalogue, harvester), clock)


def rights_routes(config: Config, parts: "Parts", rooms: IdentityRooms) -> list[HTTPRouteHandler]:
    """Its pages at the portal, for who is signed in and for staff."""
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


class _Named:
    """What organisations say in their catalogues that they have: the `Kinds` of this node."""

    def __init__(self, catalogue: Catalogue | None, harvester: Harvester | None) -> None:
        self._catalogue, self._harvester = catalogue, harvester
        self._kept: tuple[Any, dict[str, list[tuple[str, Text]]]] = (None, {})
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self) -> Mapping[str, Sequence[tuple[str, Text]]]:
        async with (
            self._one_at_a_time
        ):  # all that others offer is much to read: once, until something changes
            own = self._catalogue.entries() if self._catalogue is not None else ()
            now = own, self._harvester.changes if self._harvester is not None else 0
            if self._kept[0] is None or self._kept[0][0] is not own or self._kept[0][1] != now[1]:
                self._kept = now, await asyncio.to_thread(self._found)
            return self._kept[1]

    def _found(self) -> dict[str, list[tuple[str, Text]]]:
        found: dict[str, list[tuple[str, Text]]] = {}
        if self._catalogue is not None:
            own = [one for one in self._catalogue.entries() if one.published and one.kind == "dataset"]
            of = self._catalogue.of
            found[str.__str__(of.oin)] = [(one.name, one.title) for one in own if one.subject is not None]
        for harvest in self._harvester.found() if self._harvester is not None else ():
            found[str.__str__(harvest.peer)] = [
                (one.iri.rpartition("/")[2], one.title) for one in harvest.entries if one.kind == "dataset"
            ]
        return found


class _Tracing:
    """Finds a question about a person in this node's log: the `Tracing` of this node."""

    def __init__(self, parts: "Parts", own: PeerId) -> None:
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


def download_of(parts: "Parts", rooms: IdentityRooms) -> list[Part]:
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
