"""What sends events, furnished from a node's settings: the same for the node and for workers beside it."""

import ssl
from collections.abc import Callable, Collection, Sequence
from ipaddress import ip_network
from urllib.parse import urlsplit

import msgspec

from sluis.config import Config
from sluis.crypto import calling_context
from sluis.events.notices import Agreements, InForce
from sluis.events.queue import Agreed
from sluis.events.sending import (
    Connections,
    Nats,
    NatsSettings,
    Signer,
    Slots,
    Transport,
    Waking,
    Webhook,
    WhileAgreed,
)
from sluis.events.subscriptions import Here, Mode
from sluis.grounds import Grounds
from sluis.identity.provider import READ_EVENTS
from sluis.kernel import Clock, PeerId
from sluis.serve.standing import may_signal
from sluis.web import EVERYWHERE

Waits = Callable[[str, Sequence[int]], bool]
"""Whether deliveries of a subscription still wait."""


def may_leave_of(
    config: Config, grounds: Grounds, notices: InForce, agreed: Agreements | None, clock: Clock
) -> Agreed:
    """What is asked of everything that leaves for another organisation; from memory."""
    signals = may_signal(grounds, config.node.oin, config.node.alias, agreed, clock)

    def agreed_now(id: str, recipient: PeerId) -> Collection[str] | None:
        told = notices.agreed(id, recipient)
        return () if told is None and signals(id, recipient) else told

    return agreed_now


def here_of(config: Config) -> Here:
    """How this node is known to those it sends to."""
    portal = config.portal.address
    return Here(
        urlsplit(portal or config.node.url).hostname or "",
        f"{str(portal).rstrip('/')}/v1/events/permissions" if portal else "",
        config.node.test,
        config.node.oin,
        frozenset(name for name, one in config.clients.items() if READ_EVENTS in one.scopes),
    )


class Webhooks(msgspec.Struct, frozen=True):
    """The ways to addresses of recipients' own, and of the organisation's."""

    transports: dict[Mode, Transport]

    async def close(self) -> None:
        """Close every connection."""
        for transport in self.transports.values():
            await transport.close()


def webhooks_of(
    config: Config, signer: Signer, here: Here, may_leave: Agreed, waits: Waits, clock: Clock
) -> Webhooks:
    """These ways. Raises `Invalid` when an authority cannot be read."""
    inside = [ip_network(one) for one in config.events.inside]
    context = calling_context(config.events.authorities)
    slots = Slots()
    connections, own = Connections(lambda: context, inside), Connections(lambda: context, EVERYWHERE)
    return Webhooks(
        {
            "push": WhileAgreed(
                Webhook(connections, signer, here.origin, clock, slots=slots),
                config.node.oin,
                may_leave,
                waits,
                clock,
            ),
            "own": Webhook(own, signer, here.origin, clock, slots=slots),
        }
    )


def waking_of(config: Config) -> Waking | None:
    """How processes that send wake each other; None when the settings name no NATS. Raises `Invalid`, `OSError`."""
    settings = config.events
    if settings.nats is None:
        return None
    context: ssl.SSLContext | None = None
    if settings.nats.startswith("tls://"):
        context = calling_context(settings.nats_authorities)
        if settings.nats_certificate is not None and settings.nats_key is not None:
            context.load_cert_chain(settings.nats_certificate, settings.nats_key)
    secret = settings.nats_secret.read_text(encoding="utf-8").strip() if settings.nats_secret else ""
    user = tuple(secret.split(":", 1)) if secret else ()
    return Nats(NatsSettings(settings.nats, f"sluis.{config.node.oin!s}.events", context, user))
