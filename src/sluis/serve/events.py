"""The rooms of events, furnished from a node's settings."""

from collections.abc import Callable

import msgspec
from litestar.handlers import HTTPRouteHandler

from sluis.config import Config
from sluis.crypto import KeyStore
from sluis.events import interests
from sluis.events.interests import Bounds, Interests, Registrar, open_interests
from sluis.events.notices import Notices
from sluis.gateway import Agreed, Link, Membership
from sluis.grounds import Grounds
from sluis.kernel import Clock, PeerId
from sluis.ledger import Ledger
from sluis.policy import DecisionPoint
from sluis.serve.group import aliases
from sluis.store import Store
from sluis.web import Gate, OnRefusal


class EventRooms(msgspec.Struct, frozen=True):
    """What a node tells others of, and what it asks others to be told of."""

    notices: Notices
    interests: Interests
    registrar: Registrar

    async def tidy(self) -> None:
        """Let go of what is over. To be called every hour. Raises `Unkept`."""
        await self.interests.sweep()


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
    clock: Clock,
) -> EventRooms:
    """These rooms. Blocks. Raises `Problem`: a condition that cannot be read, or a database that cannot be used."""
    node, settings = config.node, config.events
    agreed = Agreed(membership.contracts.allowed, clock) if membership else None
    notices = Notices(grounds, node.oin, point, agreed, clock)
    bounds = Bounds(settings.interest_days, settings.interests_each, node.test)
    names = {peer.oin: peer.name for peer in config.peers.values()} | {node.oin: node.name}

    def name(peer: PeerId) -> str:
        return names.get(peer, str.__str__(peer))

    return EventRooms(
        notices,
        open_interests(
            store, ledger, keys, notices, address, node.alias, clock, bounds, membership is not None
        ),
        Registrar(
            link, ledger, aliases(config), name, address, node.alias, clock, config.limits.peer_seconds
        ),
    )


def event_routes(rooms: EventRooms, gate: Gate, own: PeerId, on_refusal: OnRefusal) -> list[HTTPRouteHandler]:
    """Their routes, on the node's own listeners."""
    return [
        *interests.routes(rooms.notices, rooms.interests, on_refusal),
        *interests.official_routes(rooms.registrar, gate, own),
    ]
