"""The doctor: how events of this node and to it stand, and at each point what helps when something is wrong.

It looks at what the node knows anyway; whether another organisation can be reached, the doctor of the gateway finds out
(`gateway.operating.doctor`).
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler

from sluis.events.inbox import Followed
from sluis.events.interests import not_yours
from sluis.events.queue import MOST_WAITING, Queue, Standing
from sluis.events.subscriptions import Subscription
from sluis.gateway import Diagnosis, Step
from sluis.kernel import Clock, PeerId, Text, figure, milliseconds
from sluis.policy import EVENTS, READ_EVENTS, Resource
from sluis.web import Gate, Person

LONG, UNREAD, QUIET = 300_000, 3_600_000, 86_400_000
"""Milliseconds that something may wait before it is told as wrong: what the node brings itself, what others come for, and what is
not to be sent at night."""

_NEARLY_FULL = MOST_WAITING * 8 // 10
_NAMED = 5  # subscriptions that are named in one step

Name = Callable[[PeerId], str]


class Here(msgspec.Struct, frozen=True):
    """What the doctor looks at.

    Args:
        own: this organisation.
        subscriptions: every one at this node.
        standing: how each stands that has or had something, by its id.
        followed: this organisation's subscriptions at sources, as far as something came; None without a group.
        now: milliseconds since the epoch.
        name: what an organisation is called.
    """

    own: PeerId
    subscriptions: Sequence[Subscription]
    standing: Mapping[str, Standing]
    followed: Sequence[Followed] | None
    now: int
    name: Name


def examine(here: Here) -> Diagnosis:
    """What is well and what is not."""
    steps = [
        _room(here), _waiting(here), _coming_for(here), _dead(here), _addresses(here), _suspended(here), *_inbox(here),
    ]  # fmt: skip
    return Diagnosis(all(step.result == "ok" for step in steps), tuple(steps))


def _room(here: Here) -> Step:
    total = sum(one.waiting for one in here.standing.values())
    many, most = figure(total), figure(MOST_WAITING)
    saw = Text(f"{many.nl} {'wacht' if total == 1 else 'wachten'} op bezorging; er is plaats voor {most.nl}.",
               f"{many.en} {'waits' if total == 1 else 'wait'} to be delivered; there is room for {most.en}.")  # fmt: skip
    if total < _NEARLY_FULL:
        return _well("room", saw)
    return _wrong(
        "room", saw,
        Text("Wordt het vol, dan neemt dit knooppunt niets meer aan. `sluis events subscriptions` zegt bij wie het wacht.",
             "When it is full, this node takes nothing more. `sluis events subscriptions` tells for whom it waits."),
    )  # fmt: skip


def _waiting(here: Here) -> Step:
    """Of what this node brings itself."""
    late = [one for one in _late(here) if one.mode not in ("feed", "sse")]
    if not late:
        return _well(
            "waiting",
            Text("Niets wacht langer dan vijf minuten.", "Nothing waits for more than five minutes."),
        )
    over = sorted({here.name(one.owner) for one in late if one.mode == "fsc"})
    helps = Text("Kijk of het adres antwoordt; het knooppunt probeert het vanzelf opnieuw.",
                 "See whether the address answers; the node tries again by itself.")  # fmt: skip
    if over:
        helps = Text(f"Loop de weg na: sluis fsc doctor '{over[0]}' sluis. Het knooppunt probeert het vanzelf opnieuw.",
                     f"Walk the way: sluis fsc doctor '{over[0]}' sluis. The node tries again by itself.")  # fmt: skip
    named = _named(late, here)
    return _wrong("waiting", Text(f"Langer dan vijf minuten wacht iets voor: {named}.",
                                  f"For more than five minutes something waits for: {named}."), helps)  # fmt: skip


def _coming_for(here: Here) -> Step:
    """Of what recipients come for themselves."""
    late = [one for one in _late(here) if one.mode in ("feed", "sse")]
    if not late:
        return _well("reading", Text("Wie zelf komt lezen, is bij.", "Who comes to read is up to date."))
    named = _named(late, here)
    return _wrong(
        "reading",
        Text(f"Langer dan een uur niet gelezen, of niet gezegd dat het er is: {named}.",
             f"For more than an hour not read, or not said to be there: {named}."),
        Text("Laat de lezer zeggen wat hij heeft (`done`, of `sluis events tail --done`), of beëindig het: sluis events unsubscribe.",
             "Have the reader say what it has (`done`, or `sluis events tail --done`), or end it: sluis events unsubscribe."),
    )  # fmt: skip


def _dead(here: Here) -> Step:
    dead = {one.id: here.standing[one.id].dead for one in here.subscriptions if one.id in here.standing}
    dead = {id: count for id, count in dead.items() if count}
    if not dead:
        return _well("dead-letters", Text("Niets is onbestelbaar.", "There are no dead letters."))
    first = max(dead, key=lambda id: dead[id])
    count, where = sum(dead.values()), len(dead)
    return _wrong(
        "dead-letters",
        Text(f"{figure(count).nl} onbestelbaar, bij {where} {'abonnement' if where == 1 else 'abonnementen'}.",
             f"{figure(count).en} dead {'letter' if count == 1 else 'letters'}, of {where} {'subscription' if where == 1 else 'subscriptions'}."),
        Text(f"Lees waarom en probeer het opnieuw op de pagina Bezorgingen; of lees: sluis events deadletters {first}. Is het verholpen, dan: sluis events replay {first} EERSTE LAATSTE.",
             f"Read why and try again on the page Deliveries; or read: sluis events deadletters {first}. When it is mended: sluis events replay {first} FIRST LAST."),
    )  # fmt: skip


def _addresses(here: Here) -> Step:
    some = [one for one in here.subscriptions if one.state == "waiting-for-proof"]
    if not some:
        return _well("addresses", Text("Elk adres wil gebeurtenissen.", "Every address wants events."))
    named = _named(some, here)
    return _wrong(
        "addresses",
        Text(f"Het adres zei nog niet dat het gebeurtenissen wil: {named}.",
             f"The address has not said yet that it wants events: {named}."),
        Text("Laat het op OPTIONS antwoorden met WebHook-Allowed-Origin; wie het nam, geeft daarna: sluis events resume.",
             "Have it answer OPTIONS with WebHook-Allowed-Origin; its owner gives afterwards: sluis events resume."),
    )  # fmt: skip


def _suspended(here: Here) -> Step:
    some = [one for one in here.subscriptions if one.state == "suspended"]
    if not some:
        return _well("suspended", Text("Geen abonnement staat stil.", "No subscription stands still."))
    named = _named(some, here)
    return _wrong(
        "suspended",
        Text(f"De ontvanger wilde niets meer (410), en wat komt wacht: {named}.",
             f"The recipient wanted nothing more (410), and what comes waits: {named}."),
        Text("Wie het nam, laat het verdergaan met `sluis events resume`, of beëindigt het met `sluis events unsubscribe`.",
             "Its owner has it go on with `sluis events resume`, or ends it with `sluis events unsubscribe`."),
    )  # fmt: skip


def _inbox(here: Here) -> Iterable[Step]:
    if here.followed is None:
        return
    own = any(one.owner == here.own and one.state != "waiting-for-proof" for one in here.subscriptions)
    if here.followed and not own:
        yield _wrong(
            "listening",
            Text("Geen eigen systeem heeft een abonnement; wat anderen melden, neemt het knooppunt niet aan.",
                 "No system of your own has a subscription; what others tell, the node does not take in."),
            Text("Geef het er een, of lees zelf: sluis events subscribe urn:sluis:feed.",
                 "Give it one, or read yourself: sluis events subscribe urn:sluis:feed."),
        )  # fmt: skip
    else:
        yield _well("listening", Text("Wat anderen melden, kan verder.", "What others tell can go on."))
    held = {one.source: len(one.held) for one in here.followed if one.held}
    if not held:
        yield _well(
            "inbox", Text("Niets wacht op een eerdere gebeurtenis.", "Nothing waits for an earlier event.")
        )
        return
    source = max(held, key=lambda one: held[one])
    named = here.name(source)
    yield _wrong(
        "inbox",
        Text(f"{sum(held.values())} wachten op een eerdere gebeurtenis, de meeste van {named}.",
             f"{sum(held.values())} wait for an earlier event, most of them of {named}."),
        Text(f"Het knooppunt leest daar zelf wat er mist. Blijft het zo, loop dan de weg na: sluis fsc doctor '{named}' sluis.",
             f"The node reads there itself what is missing. If it stays so, walk the way: sluis fsc doctor '{named}' sluis."),
    )  # fmt: skip


def _late(here: Here) -> list[Subscription]:
    """Those for which something has waited too long, and which could have had it."""
    return [
        one
        for one in here.subscriptions
        if one.id in here.standing and waits_long(one, here.standing[one.id], here.now)
    ]


def waits_long(one: Subscription, standing: Standing, now: int) -> bool:
    """Whether something has waited too long for a subscription that could have had it; `now` in milliseconds since the epoch."""
    return one.state == "active" and standing.oldest is not None and now - standing.oldest > _patience(one)


def _patience(one: Subscription) -> int:
    if one.mode in ("feed", "sse"):
        return UNREAD
    return QUIET if one.config.quiet else LONG


def _named(some: Sequence[Subscription], here: Here) -> str:
    """Some subscriptions by their id, and whose they are when they are another's."""
    told = [
        one.id if one.owner == here.own else f"{one.id} ({here.name(one.owner)})" for one in some[:_NAMED]
    ]
    return ", ".join(told) + (f" (+{len(some) - _NAMED})" if len(some) > _NAMED else "")


def _well(name: str, saw: Text) -> Step:
    return Step(name, "ok", saw.nl, saw.en)


def _wrong(name: str, saw: Text, helps: Text) -> Step:
    return Step(name, "wrong", saw.nl, saw.en, helps.nl, helps.en)


class Known(Protocol):
    """The subscriptions of a node."""

    def all(self) -> Sequence[Subscription]:
        """Every one."""


def routes(
    queue: Queue,
    subscriptions: Known,
    followed: Callable[[], Sequence[Followed]] | None,
    name: Name,
    gate: Gate,
    own: PeerId,
    clock: Clock,
) -> list[HTTPRouteHandler]:
    """The route for operators, on the node's own socket.

    Args:
        queue: knows how deliveries stand.
        subscriptions: at this node.
        followed: those at sources; None without a group.
        name: what an organisation is called.
        gate: asks who may.
        own: this node.
        clock: aware UTC.
    """

    @get("/events/diagnosis", summary="Hoe het met de gebeurtenissen staat", tags=["gebeurtenissen"],
         response_description="Per punt wat er is, en wat helpt.")  # fmt: skip
    async def diagnosis(person: Person) -> Diagnosis:
        await gate.require(person, READ_EVENTS, Resource(EVENTS, str.__str__(own)), not_yours())
        standing = await asyncio.to_thread(queue.standing)
        there = None if followed is None else followed()
        return examine(Here(own, subscriptions.all(), standing, there, milliseconds(clock()), name))

    return [diagnosis]
