"""The portal of a node, with its listener for browsers; and the node's API for programs that bring an access token."""

import logging
import ssl
from typing import Any

from sluis import query
from sluis.config import Config
from sluis.crypto import browser_context, file_stamp, hand_over
from sluis.kernel import Invalid
from sluis.ledger import reading_routes
from sluis.serve.api import about, may_read
from sluis.serve.identity import IdentityRooms
from sluis.serve.parts import Parts
from sluis.web import Api, BrowserListener, House, Portal, Server, TokenAccess, make_api, make_portal

log = logging.getLogger("sluis.node")


def portal_of(config: Config, parts: Parts) -> "OwnPortal | None":
    """The portal of a node with these rooms; None when it has none."""
    if parts.identity is None:
        return None
    return OwnPortal(config, portal_app(config, parts, parts.identity), parts.identity)


def portal_app(config: Config, parts: Parts, rooms: IdentityRooms) -> Portal:
    """The portal as an app, of a node with these rooms."""
    house = House(config.node.name, str(config.portal.address), config.node.test, rooms.navigation)
    return make_portal(rooms.routes, rooms.visiting, house, rooms.forms, token_api(config, parts, rooms))


def token_api(config: Config, parts: Parts, rooms: IdentityRooms) -> Api:
    """What of the node's API officials reach with an access token: questions, and the log for who may read it. Nothing by
    which the node itself is run."""
    access = TokenAccess(rooms.visiting, parts.refusals.record)
    return make_api(
        [*query.routes(parts.asker), *reading_routes(parts.ledger, may_read)], access, about(config)
    )


class OwnPortal:
    """A node's portal, and its life."""

    def __init__(self, config: Config, app: Portal, rooms: IdentityRooms) -> None:
        self.app, self._rooms, self._settings = app, rooms, config.portal
        self._files = (
            config.portal.certificate or config.tls.certificate,
            config.portal.key or config.tls.key,
        )
        self._server = Server(app, browsers=True)
        self._door: ssl.SSLContext | None = None
        self._seen: Any = None

    async def start(self) -> tuple[str, int]:
        """Open the listener. Raises `Problem` when it cannot listen, or its certificate is not right."""
        self._seen = self._stamps()
        self._door = browser_context(*self._files)
        listener = BrowserListener(self._settings.host, self._settings.port, self._door)
        place = await self._server.listen(listener)
        assert isinstance(place, tuple)
        return place

    async def stop(self) -> None:
        """Let what is in hand finish, and close the listener. May be called twice."""
        await self._server.stop()

    async def tidy(self) -> None:
        """Forget sessions that are over, and show a renewed certificate. To be called every minute."""
        await self._rooms.sessions.tidy()
        stamps = self._stamps()
        if self._door is None or stamps == self._seen:
            return
        try:
            hand_over(self._door, browser_context(*self._files))
        except Invalid as problem:  # files are renewed one after the other: the next look may find them right
            log.error(
                "the renewed certificate of the portal is not in use, and the one before stays: %s", problem
            )
        else:
            self._seen = stamps
            log.info("a renewed certificate of the portal is in use")

    def _stamps(self) -> Any:
        return tuple(map(file_stamp, self._files))
