"""The ZGW Notificaties API of a node, furnished from its settings."""

from collections.abc import Awaitable, Callable, Sequence

from sluis.config import Config, applications_of
from sluis.crypto import KeyStore
from sluis.events.notificaties import (
    BASE,
    MIGRATIONS,
    Deliveries,
    Notificaties,
    Settings,
    make_app,
    open_notificaties,
)
from sluis.events.subscriptions import Subscription, Subscriptions
from sluis.kernel import Clock, PeerId, Refused
from sluis.ledger import Ledger
from sluis.policy import DecisionPoint
from sluis.store import Store, migrate
from sluis.web import Beside


def notificaties_of(
    config: Config,
    store: Store,
    keys: KeyStore,
    ledger: Ledger,
    queue: Deliveries,
    point: DecisionPoint,
    clock: Clock,
) -> Notificaties | None:
    """The API over a database; None when no application may use it. Blocks. Raises `Problem`."""
    settings = config.notificaties
    migrate(store, "notificaties", MIGRATIONS)  # of what was subscribed before, something may wait
    if not settings.applications or settings.activity is None:
        return None
    node = config.node
    own = Settings(node.oin, node.alias, settings.activity, node.test)
    return open_notificaties(own, applications_of(config), store, keys, ledger, queue, point, clock)


class Everyone:
    """The subscriptions of all rooms, for who looks after deliveries: an operator sees what did not arrive at an application of
    the organisation itself like the rest. Peers see their own.

    Args:
        subscriptions: of recipients.
        notificaties: the API of the organisation's own applications; None when it is off.
        left: what was subscribed to it before it was off: it gets nothing, and what waits for it is kept.
    """

    def __init__(
        self,
        subscriptions: Subscriptions,
        notificaties: Notificaties | None,
        left: Sequence[Subscription],
    ) -> None:
        self._subscriptions, self._notificaties, self._left = subscriptions, notificaties, left

    def get(self, owner: PeerId, name: str) -> Subscription:
        """One of an owner. Raises `NotFound`."""
        return self._subscriptions.get(owner, name)

    def named(self, name: str) -> Subscription:
        """One of whatever owner or application. Raises `NotFound`."""
        own = [one for one in self._own() if one.id == name]
        return own[0] if own else self._subscriptions.named(name)

    def all(self) -> Sequence[Subscription]:
        """Every one."""
        return [*self._subscriptions.all(), *self._own()]

    def _own(self) -> Sequence[Subscription]:
        return self._notificaties.subscriptions() if self._notificaties is not None else self._left


def beside_portal(
    config: Config,
    notificaties: Notificaties | None,
    on_refusal: Callable[[Refused], Awaitable[None]],
) -> Beside:
    """What answers beside the pages, by the path below which it does."""
    if notificaties is None or config.portal.address is None:
        return {}
    return {BASE: make_app(notificaties, config.portal.address, on_refusal)}
