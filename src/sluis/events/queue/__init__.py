"""Deliveries: kept with the fact they tell of, until somebody has them."""

from sluis.events.queue.http import routes
from sluis.events.queue.lanes import NODE, SURE, Colleague, Lanes, Round
from sluis.events.queue.model import (
    DEAD,
    DELIVERED,
    WAITING,
    Addition,
    Course,
    DeadLetter,
    Delivery,
    Found,
    News,
    Outcome,
    Outgoing,
    Place,
    Seen,
    Standing,
    Wanted,
)
from sluis.events.queue.programs import program_routes
from sluis.events.queue.reading import Readers
from sluis.events.queue.rules import TROUBLES, Agreed, crossing_event, event_of, explained, held_to
from sluis.events.queue.service import MOST_WAITING, Queue, join_queue, open_queue

__all__ = [
    "DEAD",
    "DELIVERED",
    "MOST_WAITING",
    "NODE",
    "SURE",
    "TROUBLES",
    "WAITING",
    "Addition",
    "Agreed",
    "Colleague",
    "Course",
    "DeadLetter",
    "Delivery",
    "Found",
    "Lanes",
    "News",
    "Outcome",
    "Outgoing",
    "Place",
    "Queue",
    "Readers",
    "Round",
    "Seen",
    "Standing",
    "Wanted",
    "crossing_event",
    "event_of",
    "explained",
    "held_to",
    "join_queue",
    "open_queue",
    "program_routes",
    "routes",
]
