"""Deliveries: kept with the fact they tell of, until somebody has them."""

from sluis.events.queue.model import (
    DEAD,
    DELIVERED,
    WAITING,
    Addition,
    DeadLetter,
    Delivery,
    News,
    Outcome,
    Outgoing,
    Standing,
)
from sluis.events.queue.rules import TROUBLES, explained
from sluis.events.queue.service import MOST_WAITING, Queue, open_queue

__all__ = [
    "DEAD",
    "DELIVERED",
    "MOST_WAITING",
    "TROUBLES",
    "WAITING",
    "Addition",
    "DeadLetter",
    "Delivery",
    "News",
    "Outcome",
    "Outgoing",
    "Queue",
    "Standing",
    "explained",
    "open_queue",
]
