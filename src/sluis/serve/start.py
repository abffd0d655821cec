"""What the rooms of a node tell on the first page of a citizen or company."""

from sluis.contact import Contact
from sluis.identity.access import Accesses
from sluis.identity.looked import WhoLooked
from sluis.identity.people import People
from sluis.identity.start import FEW, Line, Source, Told
from sluis.kernel import Acting, Text
from sluis.rights import KIND_NAMES, Rights, data_subject, state_name
from sluis.serve.identity import IdentityRooms
from sluis.serve.parts import Parts
from sluis.serve.people import Representing
from sluis.web import SignedIn

_LATELY = 20
"""Requests among which those under way are looked for."""


def sources_of(parts: Parts, rooms: IdentityRooms) -> list[Source]:
    """Those of a node with these rooms, in the order of the page."""
    representing = rooms.representing
    found = [_to_sign(representing.people), _to_accept(representing.people)]
    if parts.looking is not None:
        found.append(_looked(parts.looking.over, representing))
    if parts.contact is not None:
        found.append(_messages(parts.contact))
    return [*found, _requests(parts.rights, representing), _access(parts.accesses, representing)]


def _to_sign(people: People) -> Source:
    async def read(person: SignedIn) -> Told | None:
        own, acts = person.acting.person, people.acts
        waiting = [one for one in await acts.of(own) if acts.state(one) == "waiting" and one.person != own]
        lines = [Line(Text(one.title, one.title), one.at, one.portal) for one in waiting[:FEW]]
        return Told(tuple(lines)) if lines else None

    title = Text("Een medebestuurder wacht op uw handtekening", "A fellow director waits for your signature")
    action = Text("Bekijk en teken", "See and sign")
    return Source(title, "/acts", action, read, level=None, waits=True)


def _to_accept(people: People) -> Source:
    async def read(person: SignedIn) -> Told | None:
        mandates = people.mandates
        held = mandates.held(Acting(person.acting.person))
        offered = [one for one in held if mandates.state(one) == "offered"]
        lines = [
            Line(Text("Machtiging", "Mandate"), one.terms.since, one.giver_name) for one in offered[:FEW]
        ]
        return Told(tuple(lines)) if lines else None

    title = Text("Een machtiging wacht op u", "A mandate waits for you")
    action = Text("Bekijk en aanvaard", "See and accept")
    return Source(title, "/mandates", action, read, level=None, waits=True)


def _looked(over: WhoLooked, representing: Representing) -> Source:
    async def read(person: SignedIn) -> Told:
        found = await over.latest(await representing.whose(person, "read"), FEW)
        lines = []
        for one in found:
            first = one.first
            name = first.name or Text(first.activity, first.activity)
            lines.append(Line(name, first.began // 1000, first.other or first.organisation))
        nothing = Text("Niemand vroeg hier gegevens op, voor zover wij u dat mogen vertellen.",
                       "Nobody asked for data here, as far as we may tell you.")  # fmt: skip
        return Told(tuple(lines), nothing)

    title = Text("Wie keek er het laatst", "Who looked last")
    return Source(title, "/looked", Text("Zie wie er keek, en waarom", "See who looked, and why"), read)


def _messages(contact: Contact) -> Source:
    async def read(person: SignedIn) -> Told:
        found = await contact.latest(await contact.parties.of(person, "read"), FEW)
        lines = tuple(Line(title, at, state=state) for title, at, state in found)
        return Told(lines, Text("Er is nog geen bericht.", "There is no message yet."))

    title = Text("Berichten", "Messages")
    return Source(title, "/messages", Text("Lees alle berichten", "Read all messages"), read)


def _requests(rights: Rights, representing: Representing) -> Source:
    async def read(person: SignedIn) -> Told | None:
        whom = data_subject(*await representing.whose(person, "read"))
        if whom is None:
            return None
        found = await rights.of_person(whom, most=_LATELY)
        lines = [
            Line(KIND_NAMES[one.kind], one.changed, state=state_name(one.kind, one.state))
            for one in found
            if not one.finished
        ]
        return Told(tuple(lines[:FEW]), Text("Er loopt geen verzoek.", "There is no request under way."))

    title = Text("Verzoeken en meldingen", "Requests and reports")
    action = Text("Bekijk de verzoeken, of doe er een", "See the requests, or make one")
    return Source(title, "/corrections", action, read)


def _access(accesses: Accesses, representing: Representing) -> Source:
    async def read(person: SignedIn) -> Told:
        found, today = await accesses.of(await representing.whose(person, "read")), accesses.today()
        given = [one for one in found if one.revoked is None and one.until >= today]
        lines = []
        for one in given[:FEW]:
            activity = accesses.grounds.activity(one.activity)
            name = activity.name if activity else Text(one.activity, one.activity)
            lines.append(Line(name, who=one.recipient_name))
        nothing = Text("U gaf niemand toegang. Wat de wet toestaat, staat hier los van.",
                       "You gave nobody access. What the law allows is apart from this.")  # fmt: skip
        return Told(tuple(lines), nothing)

    title = Text("Gegeven toegang", "Access given")
    action = Text("Bekijk, geef of trek in", "See, give or take back")
    return Source(title, "/consents", action, read, audiences=("citizen",))
