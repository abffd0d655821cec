"""Where and how somebody wants its events (CloudEvents Subscriptions API 0.2)."""

from sluis.events.subscriptions.faults import unknown
from sluis.events.subscriptions.http import open_routes, routes
from sluis.events.subscriptions.model import INBOX, Config, Credential, Mode, State, Subscription
from sluis.events.subscriptions.rules import SubscriptionRequest
from sluis.events.subscriptions.service import (
    VAULT,
    Calls,
    Here,
    Subscriptions,
    open_subscriptions,
    read_subscriptions,
)

__all__ = [
    "INBOX",
    "VAULT",
    "Calls",
    "Config",
    "Credential",
    "Here",
    "Mode",
    "State",
    "Subscription",
    "SubscriptionRequest",
    "Subscriptions",
    "open_routes",
    "open_subscriptions",
    "read_subscriptions",
    "routes",
    "unknown",
]
