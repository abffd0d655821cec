"""Ways of signing in at others, from the settings of a node."""

import msgspec

from sluis.config import Config
from sluis.crypto import KeyStore
from sluis.identity.upstream import Method, Officials, OwnKeys, Upstreams, open_upstreams
from sluis.kernel import Clock
from sluis.store import Store


def upstreams_of(config: Config, store: Store, keys: KeyStore, own: OwnKeys, clock: Clock) -> Upstreams:
    """The ways of signing in at others that `[signin]` names. Blocks.

    Args:
        config: of a node with a portal.
        store: of the node.
        keys: of the node.
        own: keys that the portal publishes.
        clock: aware UTC.

    Raises `Problem`.
    """
    methods = [Method(name=name, **msgspec.structs.asdict(way)) for name, way in config.signin.items()]
    return open_upstreams(
        store,
        methods,
        portal=str(config.portal.address),
        own=own,
        keys=keys,
        clock=clock,
        test=config.node.test,
        officials={name: _officials(config, name) for name in config.signin},
    )


def _officials(config: Config, method: str) -> Officials:
    """Who signs in with a way for staff, by what its provider calls them (`[people.NAME]`, `signin`)."""
    return {
        subject: (name, person.roles)
        for name, person in config.people.items()
        for way, _, subject in [(person.signin or "").partition(":")]
        if way == method
    }
