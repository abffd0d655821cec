"""Deliveries: kept with the fact they tell of, until somebody has them."""

from sluis.events.queue.http import routes
from sluis.events.queue.model import (
    DEAD,
    DELIVERED,
    WAITING,
    Addition,
    DeadLetter,
    Delivery,
    Found,
    News,
    Outcome,
    Outgoing,
    Standing,
    Wanted,
)
from sluis.events.queue.programs import program_routes
from sluis.events.queue.reading import Readers
from sluis.events.queue.rules import TROUBLES, crossing_event, event_of, explained
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
    "Found",
    "News",
    "Outcome",
    "Outgoing",
    "Queue",
    "Readers",
    "Standing",
    "Wanted",
    "crossing_event",
    "event_of",
    "explained",
    "open_queue",
    "program_routes",
    "routes",
]
