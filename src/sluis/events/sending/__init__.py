"""Sending what waits, to whom it is for."""

from sluis.events.sending.agreed import WhileAgreed
from sluis.events.sending.base import ARRIVED, Result, Transport
from sluis.events.sending.connections import Connections
from sluis.events.sending.fsc import SUBSCRIPTION, Fsc
from sluis.events.sending.service import Sender
from sluis.events.sending.signing import Signer
from sluis.events.sending.slots import Slots
from sluis.events.sending.waking import Nats, NatsSettings, Waking
from sluis.events.sending.webhook import Webhook

__all__ = [
    "ARRIVED",
    "SUBSCRIPTION",
    "Connections",
    "Fsc",
    "Nats",
    "NatsSettings",
    "Result",
    "Sender",
    "Signer",
    "Slots",
    "Transport",
    "Waking",
    "Webhook",
    "WhileAgreed",
]
