"""The portal of a node, with its listeners; and the node's API for programs that bring an access token."""

import asyncio
import logging
import ssl
from typing import Any

from sluis import catalogue, contact, oversight, owning, policy, query, rights
from sluis.config import Config
from sluis.crypto import Revocations, browser_context, file_stamp, hand_over
from sluis.identity.provider import tell_of_sign_outs
from sluis.identity.sessions import IDLE
from sluis.kernel import Invalid
from sluis.ledger import reading_routes
from sluis.serve.about import explained
from sluis.serve.administering import administering_navigation, administering_routes
from sluis.serve.api import portal_about
from sluis.serve.asking import asking_routes
from sluis.serve.citizen import NAVIGATION, ReadingAccess, citizen_routes, own_lines
from sluis.serve.contact import callbacks_of
from sluis.serve.deciding import DECIDING, PUBLISHING, READING, by_token
from sluis.serve.events import portal_routes
from sluis.serve.found import found_navigation, found_routes
from sluis.serve.identity import IdentityRooms
from sluis.serve.mine import rights_routes
from sluis.serve.notificaties import beside_portal
from sluis.serve.owning import owning_routes
from sluis.serve.parts import Parts
from sluis.serve.start import sources_of
from sluis.web import (
    Api,
    BrowserListener,
    Gate,
    House,
    Portal,
    Server,
    TokenAccess,
    advice_on,
    look_of,
    make_api,
    make_portal,
)

log = logging.getLogger("sluis.node")


def portal_of(config: Config, parts: Parts) -> "OwnPortal | None":
    """The portal of a node with these rooms; None when it has none."""
    if parts.identity is None:
        return None
    app = portal_app(config, parts, parts.identity)
    return OwnPortal(config, app, parts.identity, parts.revocations, parts.desk)


def portal_app(config: Config, parts: Parts, rooms: IdentityRooms) -> Portal:
    """The portal as an app, of a node with these rooms."""
    rooms.start.tells(sources_of(parts, rooms))
    messages = contact.NAVIGATION if parts.contact else ()
    # What people come for first.
    found = found_navigation(parts)
    own = (*rights.NAVIGATION, *NAVIGATION, *rights.DESK, *query.NAVIGATION, *messages, *rooms.navigation)
    owned = owning.NAVIGATION if parts.holdings else ()
    others = (*administering_navigation(parts), *oversight.NAVIGATION)
    navigation = explained((*own, *owned, *found, *others))
    look = look_of(config.portal.theme, config.portal.logo)
    for one in advice_on(config.portal.theme) if config.portal.theme else ():
        log.warning("%s: %s", config.portal.theme, one)
    house = House(config.node.name, config.node.test, navigation, IDLE, look)
    api = token_api(config, parts, rooms)
    refused = parts.refusals.record
    who = by_token(DECIDING, rooms.provider, TokenAccess(rooms.visiting), refused)
    decisions = policy.routes(parts.point, who, str(config.portal.address).rstrip("/"))
    reached = (
        contact.routes(parts.contact, callbacks_of(config), rooms.representing.whose) if parts.contact else ()
    )
    routes = [
        *rooms.routes,
        *asking_routes(parts),
        *citizen_routes(parts, rooms.representing),
        *rights_routes(config, parts, rooms),
        *reached,
        *found_routes(config, parts),
        *decisions,
    ]
    return make_portal(
        [
            *routes,
            *administering_routes(config, parts),
            *owning_routes(parts.holdings, parts.point),
            *oversight.page_routes(parts.oversight, Gate(parts.point)),
        ],
        rooms.visiting,
        house,
        rooms.forms,
        api,
        on_refusal=refused,
        representing=rooms.representing.represents,
        beside=beside_portal(config, parts.events.notificaties, refused),
    )


def token_api(config: Config, parts: Parts, rooms: IdentityRooms) -> Api:
    """What of the node's API officials reach with an access token: questions, and the log for who may read it, which are
    data subjects too. And what systems reach: where they tell what happened, and where recipients of events say that they
    want them. Nothing by which the node itself is run."""
    access = ReadingAccess(rooms.visiting, parts.refusals.record)
    reading = reading_routes(parts.ledger, own_lines(parts, rooms.sessions))
    messages = contact.api_routes(parts.contact) if parts.contact else ()
    tells, reads = (
        by_token(right, rooms.provider, TokenAccess(rooms.visiting), parts.refusals.record)
        for right in (PUBLISHING, READING)
    )
    events = portal_routes(parts.events, config.node.oin, tells, reads)
    found = [
        *catalogue.routes(parts.catalogue, "/catalogue"),
        *catalogue.search_routes(parts.finder),
        *catalogue.document_routes(parts.trying, parts.catalogue),
    ]
    return make_api(
        [*query.routes(parts.asker), *reading, *messages, *events, *found], access, portal_about(config)
    )


class OwnPortal:
    """A node's portal, and its life.

    Args:
        config: names the listeners and the files of the certificate.
        app: the portal.
        rooms: what it is of.
        revocations: certificates of programs that are not taken any more.
        desk: where questions of officials wait.
    """

    def __init__(
        self, config: Config, app: Portal, rooms: IdentityRooms, revocations: Revocations, desk: query.Desk
    ) -> None:
        self._desk = desk
        rooms.sessions.on_end(lambda person: desk.leave(person.session))
        self.app, self._rooms, self._settings, self._revocations = app, rooms, config.portal, revocations
        own = config.portal
        self._files = own.certificate or config.tls.certificate, own.key or config.tls.key
        self._authorities = config.tls.authorities
        self._server = Server(app, browsers=True)
        self._doors: dict[int, ssl.SSLContext] = {}  # by port
        self._shown: Any = None
        self._telling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the listeners. Raises `Problem` when one cannot, or the certificate is not right."""
        self._shown = self._stamps()
        for port in filter(None, (self._settings.port, self._settings.machine_port)):
            door = self._doors[port] = self._context(port)
            await self._server.listen(BrowserListener(self._settings.host, port, door))
        if self._rooms.provider.endings.tells:
            self._telling = asyncio.create_task(
                tell_of_sign_outs(self._rooms.provider.endings, self._trusting())
            )

    async def stop(self) -> None:
        """Let what is in hand finish, and close the listeners. May be called twice."""
        await self._server.stop()
        await self._desk.close()
        await self._rooms.upstreams.close()
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)

    async def tidy(self) -> None:
        """Forget sessions that are over and what rested on them, and show a renewed certificate. To be called every minute."""
        self._desk.tidy()
        await self._rooms.sessions.tidy()
        await self._rooms.upstreams.tidy()
        await self._rooms.provider.endings.tidy()
        await self._rooms.representing.people.tidy()
        stamps = self._stamps()
        if stamps == self._shown:
            return
        try:
            self._renew()
        except Invalid as problem:  # files are renewed one after the other: the next look may find them right
            log.error("the renewed certificate of the portal is not in use: %s", problem)
        else:
            self._shown = stamps
            log.info("a renewed certificate of the portal is in use")

    async def hold_to_lists(self) -> None:
        """Close every connection of a program whose certificate was revoked, and take none of it any more. Raises `Invalid`."""
        self._server.cut_off(self._revocations.revokes)
        await asyncio.to_thread(self._renew)

    def _renew(self) -> None:
        made = {port: self._context(port) for port in self._doors}
        for port, door in self._doors.items():
            hand_over(door, made[port])

    def _context(self, port: int) -> ssl.SSLContext:
        """Of programs a certificate is asked; of people none, for a browser would have them choose one."""
        if port != self._settings.machine_port:
            return browser_context(*self._files)
        context = browser_context(*self._files, self._authorities)
        self._revocations.guard(context)
        return context

    def _trusting(self) -> ssl.SSLContext:
        """Whose certificates are trusted of portals that are told of a sign-out: those of the system and of the node."""
        context = ssl.create_default_context()
        for file in self._authorities:
            context.load_verify_locations(file)
        return context

    def _stamps(self) -> Any:
        return tuple(map(file_stamp, self._files))
