"""A recipient's side: leaving a question standing at another organisation.

That another organisation hears whom it is about is processing like any other: a line in this node's own log about everybody whom
the question names, before a byte leaves.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Annotated, Protocol, TypeVar

import msgspec

from sluis.events.interests import Reference, References, Referred, Registrar
from sluis.events.records import about
from sluis.events.standing.model import NewQuestion, StandingQuestion, StandingView, Value
from sluis.gateway import Link
from sluis.grounds import Name, Offer, Purpose
from sluis.kernel import Clock, Level, PeerId, Refused, Text, Trace, encode
from sluis.ledger import Ledger

T = TypeVar("T")

_Asked = tuple[str, Sequence[tuple[str, str]]]


class Placing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to leave standing where: `source` is the organisation, by its alias or OIN; `sql` names the dataset with or without it.
    The dataset may be left out where only one is open for the activity."""

    source: str
    sql: str
    activity: str
    case: str
    reference: Reference
    until: date
    dataset: Name | None = None
    parameters: dict[str, Value] = {}
    lists: dict[str, list[str]] = {}

    def __repr__(self) -> str:
        return "Placing(•)"


class At(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An organisation, by its alias or OIN."""

    source: str


class EndingQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which question is over, at which organisation."""

    source: str
    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{22}$(?!\n)")]


class Actor(msgspec.Struct, frozen=True):
    """Who leaves a question standing: this node's pseudonym, and how that person signed in."""

    person: str
    acr: str
    level: Level | None


class Phrasing(Protocol):
    """What this room cannot do itself: it does not read SQL."""

    def __call__(self, placing: Placing, offer: Offer) -> _Asked:
        """The SQL as the owner reads it, and (kind of key, key) of everybody whom it names. Raises `Invalid`."""


class Placer:
    """Leaves questions of this organisation standing at others.

    Args:
        references: remember who is meant when a signal comes, where the question names one person.
        registrar: knows other organisations, and reads what they answer.
        link: the way to them.
        ledger: where it is recorded that they were told.
        phrasing: reads a question.
        name: what a peer is called.
        address: where a peer is, for the log.
        service: name of this node in its records.
        clock: aware UTC.
        seconds: how long another may take.
    """

    def __init__(
        self,
        references: References,
        registrar: Registrar,
        link: Link,
        ledger: Ledger,
        phrasing: Phrasing,
        name: Callable[[PeerId], str],
        address: Callable[[PeerId], str],
        service: str,
        clock: Clock,
        seconds: float,
    ) -> None:
        self._references = references
        self._registrar, self._link, self._ledger, self._phrasing = registrar, link, ledger, phrasing
        self._name, self._address, self._service = name, address, service
        self._clock, self._seconds = clock, seconds

    async def place(self, placing: Placing, actor: Actor, trace: Trace) -> StandingView:
        """Leave a question standing.

        Raises:
            NotFound: nobody goes by that name.
            Refused: nothing is open there for standing questions under this activity, no contract covers it, or it refuses.
            Invalid: the question cannot be understood.
            Conflict: as the owner answers.
            Upstream: the owner cannot be reached.
            Unkept: it could not be recorded here; nothing left.
        """
        peer = self._registrar.peer(placing.source)
        offer = self._choose(peer, placing, await self._send(peer, "GET", "/v1/offers", list[Offer], trace))
        sql, people = self._phrasing(placing, offer)
        question = StandingQuestion(
            sql, placing.activity, placing.case, offer.dataset, offer.digest, actor.person, actor.acr, actor.level,
            placing.parameters, placing.lists,
        )  # fmt: skip
        step, now = trace.child(), self._clock()
        subjects: list[tuple[str, str] | None] = [
            (kind, self._ledger.subject(kind, key, now)) for kind, key in people
        ]
        lines = [
            about(
                f"Staande vraag bij {self._name(peer)}: {offer.title.nl}", offer.disclosure, step, now,
                service=self._service, processor=self._address(peer), subject=one,
                more={"sluis.standing": {"change": "placed"}},
            )
            for one in subjects or [None]
        ]  # fmt: skip
        if len(people) == 1 and subjects[0] is not None:
            named = Referred(peer, offer.disclosure.id, placing.reference, *subjects[0], placing.until)
            await self._references.keep([named])
        body = encode(NewQuestion(question, placing.reference, placing.until))

        def covers(purpose: Purpose) -> bool:
            return purpose.covers(placing.activity, offer.disclosure.id, offer.digest)

        recorded = self._ledger.append(lines)
        return await self._send(
            peer, "POST", "/v1/standing-questions", StandingView, step, body, covers, recorded
        )

    async def placed(self, source: str, trace: Trace) -> list[StandingView]:
        """What this organisation has standing elsewhere. Raises `NotFound`, `Upstream`."""
        peer = self._registrar.peer(source)
        return await self._send(peer, "GET", "/v1/standing-questions", list[StandingView], trace)

    async def end(self, ended: EndingQuestion, trace: Trace) -> StandingView:
        """End a question elsewhere; the owner has a line of it about the people in it. Raises `NotFound`, `Upstream`."""
        peer = self._registrar.peer(ended.source)
        return await self._send(peer, "DELETE", f"/v1/standing-questions/{ended.id}", StandingView, trace)

    async def _send(
        self,
        peer: PeerId,
        method: str,
        path: str,
        kind: type[T],
        trace: Trace,
        body: bytes = b"",
        covers: Callable[[Purpose], bool] | None = None,
        ready: Awaitable[object] | None = None,
    ) -> T:
        headers = self._registrar.headers(trace)
        async with self._link.send(
            peer, method, path, headers, body, self._seconds, covers=covers, ready=ready
        ) as answer:
            return await self._registrar.answered(peer, answer, kind)

    def _choose(self, peer: PeerId, placing: Placing, offers: Sequence[Offer]) -> Offer:
        found = [
            one
            for one in offers
            if one.owner == peer
            and one.disclosure.activity == placing.activity
            and one.disclosure.standing is not None
            and placing.dataset in (None, one.dataset)
        ]
        if len(found) != 1:
            raise _no_offer(self._name(peer), [one.dataset for one in found])
        return found[0]


def _no_offer(name: str, datasets: Sequence[str]) -> Refused:
    many = ", ".join(datasets)
    why = (
        Text(f"Er zijn er meer: {many}.", f"There are more: {many}.")
        if datasets
        else Text("Geen verstrekking laat staande vragen toe voor deze verwerkingsactiviteit.",
                  "No disclosure allows standing questions for this activity.")
    )  # fmt: skip
    return Refused(
        "no-standing-questions",
        Text(f"Bij {name} is niet te zeggen over welke dataset deze vraag kan staan.",
             f"At {name} it cannot be told about which dataset this question can stand."),
        why,
        Text("Noem de dataset, of vraag de bronhouder om een verstrekking daarvoor.",
             "Name the dataset, or ask the owner for a disclosure for it."),
        rule="no-standing-questions",
    )  # fmt: skip
