"""The rooms of events, furnished from a node's settings; and their life."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_network
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler
from sqlalchemy import Connection

from sluis.config import Config
from sluis.crypto import KeyStore, Vault, calling_context, encode_base64url
from sluis.events import doctor, interests, publishing, subscriptions
from sluis.events import inbox as inboxes
from sluis.events.inbox import Catching, Inbox, Origin, open_inbox
from sluis.events.interests import (
    Bounds,
    Interests,
    References,
    RegisteredThere,
    Registrar,
    open_interests,
    open_references,
    open_registered,
)
from sluis.events.notices import Notices
from sluis.events.notificaties import VAULT, Notificaties, read_subscriptions
from sluis.events.publishing import Hearer, Publisher, Settings, open_publisher
from sluis.events.queue import Agreed as MayLeave
from sluis.events.queue import Lanes, Queue, Readers, open_queue, program_routes
from sluis.events.queue import routes as delivery_routes
from sluis.events.sending import Fsc, Sender, Signer, WhileAgreed
from sluis.events.subscriptions import Subscription, Subscriptions, open_subscriptions
from sluis.gateway import Agreed, Delivering, Link, Membership
from sluis.grounds import Grounds
from sluis.kernel import Clock, PeerId, cause_of
from sluis.ledger import Ledger
from sluis.policy import DecisionPoint, Who
from sluis.serve.group import aliases
from sluis.serve.names import namer
from sluis.serve.notificaties import Everyone, notificaties_of
from sluis.serve.sending import here_of, may_leave_of, waking_of, webhooks_of
from sluis.store import Store
from sluis.web import Gate, OnRefusal, Outgoing

log = logging.getLogger("sluis.events")

_AGAIN = 5.0  # seconds until sending goes on after it broke off


class EventRooms(msgspec.Struct, frozen=True):
    """What a node tells others of, and what it asks others to be told of."""

    notices: Notices
    may_leave: MayLeave
    """Of a notice, or of the disclosure of a standing question."""
    interests: Interests
    registrar: Registrar
    subscriptions: Subscriptions
    queue: Queue
    readers: Readers
    sender: Sender
    signer: Signer
    publisher: Publisher
    everyone: Everyone
    notificaties: Notificaties | None
    references: References
    there: RegisteredThere
    inbox: Inbox | None
    """None in a node without a group: nobody can bring it anything."""
    catching: Catching | None
    name: Callable[[PeerId], str]
    """What an organisation is called."""
    clock: Clock
    held: list[asyncio.Task[None]]
    """What goes on by itself, and what is being done about a recipient that wants nothing more."""
    close: Callable[[], Any]

    def start(self) -> None:
        """Begin to send what waits."""
        self.subscriptions.listen(self.sender.change)
        if self.notificaties is not None:
            self.notificaties.listen(self.sender.change)
        self.held.append(asyncio.create_task(self._send()))
        if self.catching is not None:
            self.held.append(asyncio.create_task(self.catching.run()))

    def end_streams(self) -> None:
        """Let nobody wait for events any more, so that the listeners can close."""
        self.readers.close()

    async def stop(self) -> None:
        """Send nothing more; what is under way goes again later. May be called twice."""
        for task in self.held:
            task.cancel()
        await asyncio.gather(*self.held, return_exceptions=True)
        self.held.clear()
        await self.close()

    async def tidy(self) -> None:
        """Let go of what is over. To be called every hour. Raises `Unkept`."""
        await self.interests.sweep()
        await self.publisher.sweep()
        await self.references.sweep()
        await asyncio.to_thread(self.signer.ready)
        await self.there.sweep()
        if self.inbox is not None:
            await self.inbox.sweep()

    def delivering(self) -> Delivering:
        """How deliveries stand, for the metrics. Blocks."""
        standing = self.queue.standing().values()
        oldest = min((one.oldest for one in standing if one.oldest is not None), default=None)
        age = 0.0 if oldest is None else max(time.time() - oldest / 1000, 0.0)
        waiting, dead = sum(one.waiting for one in standing), sum(one.dead for one in standing)
        return Delivering(waiting, dead, self.sender.sent_by_all, age, self.sender.colleagues())

    async def _send(self) -> None:
        async def known() -> Sequence[Subscription]:
            return self.everyone.all()

        while True:
            try:
                await self.sender.run(known)
            except Exception as failure:  # what waits must go on, whatever one recipient brings about
                log.error("sending events: %s", cause_of(failure))
            await asyncio.sleep(_AGAIN)


def event_rooms(
    config: Config,
    grounds: Grounds,
    store: Store,
    ledger: Ledger,
    keys: KeyStore,
    point: DecisionPoint,
    link: Link,
    membership: Membership | None,
    address: Callable[[PeerId], str],
    hearer: Hearer | None,
    clock: Clock,
) -> EventRooms:
    """These rooms; `hearer` hears of every occurrence. Blocks.

    Raises `Problem`: a condition that cannot be read, an authority that cannot, or a database that cannot be used.
    """
    node, settings = config.node, config.events
    agreed = Agreed(membership.contracts.allowed, clock) if membership else None
    notices = Notices(grounds, node.oin, point, agreed, clock)
    may_leave = may_leave_of(config, grounds, notices, agreed, clock)
    bounds = Bounds(settings.interest_days, settings.interests_each, node.test)
    kept = open_interests(
        store, ledger, keys, notices, address, node.alias, clock, bounds, membership is not None
    )
    name = namer(config)
    inside = [ip_network(one) for one in settings.inside]
    context = calling_context(settings.authorities)
    calls = Outgoing(context, inside, plain=node.test)
    here = here_of(config)
    subscribed = open_subscriptions(store, keys, ledger, calls, here, clock)
    queue = open_queue(store, keys, clock)

    def withdraw(connection: Connection, recipient: PeerId, notice: str, whom: Sequence[bytes]) -> None:
        theirs = [one.id for one in subscribed.of(recipient)]
        queue.withdraw(connection, theirs, notice, [encode_base64url(one) for one in whom])

    kept.withdraw = withdraw
    signer = Signer(keys, clock)
    signer.ready()  # workers make no keys: they find them here
    zgw = notificaties_of(config, store, keys, ledger, queue, point, clock)
    left = () if zgw else read_subscriptions(node.oin, {}, node.test, store, Vault(keys, VAULT))
    webhooks = webhooks_of(config, signer, here, may_leave, queue.waits, clock)
    transports = webhooks.transports | {
        "fsc": WhileAgreed(Fsc(link, clock), node.oin, may_leave, queue.waits, clock)
    }
    lanes = Lanes(store, node=True) if store.dialect == "postgresql" else None
    held: list[asyncio.Task[None]] = []

    def gone(subscription: str) -> None:
        room = subscribed if zgw is None or not zgw.has(subscription) else zgw
        task = asyncio.create_task(room.suspend(subscription))
        held.append(task)
        task.add_done_callback(held.remove)

    async def close() -> None:
        await webhooks.close()
        await calls.close()

    publisher = open_publisher(
        Settings(node.oin, node.alias, node.test),
        store,
        ledger,
        keys,
        notices,
        kept,
        subscribed,
        queue,
        address,
        clock,
    )
    if hearer is not None:
        publisher.hearers.append(hearer)
    references, seconds = open_references(store, keys, clock), config.limits.peer_seconds
    there = open_registered(store, keys, clock)
    registrar = Registrar(
        link, ledger, references, there, aliases(config), name, address, node.alias, clock, seconds
    )
    inbox = None
    if membership is not None:
        origin = Origin(node.oin, node.alias, name, address)
        purposes = Agreed(membership.contracts.connections, clock)
        inbox = open_inbox(
            origin, store, ledger, keys, registrar, references, subscribed, queue, purposes, clock
        )
    return EventRooms(
        notices=notices,
        may_leave=may_leave,
        interests=kept,
        registrar=registrar,
        references=references,
        there=there,
        inbox=inbox,
        catching=None if inbox is None else Catching(inbox, link, registrar, seconds),
        subscriptions=subscribed,
        queue=queue,
        readers=Readers(queue),
        sender=Sender(queue, transports, gone, clock, lanes=lanes, waking=waking_of(config)),
        signer=signer,
        publisher=publisher,
        everyone=Everyone(subscribed, zgw, left),
        notificaties=zgw,
        name=name,
        clock=clock,
        held=held,
        close=close,
    )


def event_routes(
    rooms: EventRooms, gate: Gate, own: PeerId, who: Who, on_refusal: OnRefusal
) -> list[HTTPRouteHandler]:
    """Their routes, on the node's own listeners."""
    known = rooms.everyone
    followed = None if rooms.inbox is None else rooms.inbox.followed
    return [
        *interests.routes(rooms.notices, rooms.interests, on_refusal),
        *interests.official_routes(rooms.registrar, gate, own),
        *subscriptions.routes(
            rooms.subscriptions, gate, own, interests.not_yours, lambda person: person.person
        ),
        *delivery_routes(
            rooms.queue,
            rooms.readers,
            known,
            gate,
            own,
            interests.not_yours,
            rooms.may_leave,
        ),
        *(inboxes.routes(rooms.inbox, on_refusal) if rooms.inbox else ()),
        *(
            inboxes.official_routes(rooms.inbox, rooms.catching, gate, own)
            if rooms.inbox and rooms.catching
            else ()
        ),
        *publishing.routes(rooms.publisher, who, counted=True),
        *publishing.official_routes(rooms.publisher, gate, own),
        *doctor.routes(rooms.queue, known, followed, rooms.name, gate, own, rooms.clock),
    ]


def portal_routes(rooms: EventRooms, own: PeerId, tells: Who, reads: Who) -> list[HTTPRouteHandler]:
    """Their routes for programs that come with an access token, and for recipients that are no peers.

    Args:
        rooms: of this node.
        own: this organisation.
        tells: knows who calls to tell what happened, and that it may.
        reads: the same, to read what others told.
    """
    return [
        *publishing.routes(rooms.publisher, tells, counted=False),
        *program_routes(rooms.readers, rooms.subscriptions, own, reads),
        *subscriptions.open_routes(rooms.subscriptions, rooms.signer.jwks),
    ]
