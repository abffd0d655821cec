"""The ZGW Notificaties API of a node, furnished from its settings."""

from collections.abc import Awaitable, Callable

from sluis.config import Config, applications_of
from sluis.crypto import KeyStore
from sluis.events.notificaties import BASE, Deliveries, Notificaties, Settings, make_app, open_notificaties
from sluis.kernel import Clock, Refused
from sluis.ledger import Ledger
from sluis.store import Store
from sluis.web import Beside


def notificaties_of(
    config: Config, store: Store, keys: KeyStore, ledger: Ledger, queue: Deliveries, clock: Clock
) -> Notificaties | None:
    """The API over a database; None when no application may use it. Blocks. Raises `Problem`."""
    settings = config.notificaties
    if not settings.applications or settings.activity is None:
        return None
    node = config.node
    own = Settings(node.oin, node.alias, settings.activity, node.test)
    return open_notificaties(own, applications_of(config), store, keys, ledger, queue, clock)


def beside_portal(
    config: Config,
    notificaties: Notificaties | None,
    on_refusal: Callable[[Refused], Awaitable[None]],
) -> Beside:
    """What answers beside the pages, by the path below which it does."""
    if notificaties is None or config.portal.address is None:
        return {}
    return {BASE: make_app(notificaties, config.portal.address, on_refusal)}
