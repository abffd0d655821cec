"""The transaction log: one durable line on each side of every crossing, before it passes (FSC Logging 1.0.0)."""

from sluis.gateway.transactions.model import (
    INCOMING,
    OUTGOING,
    Counted,
    Crossing,
    Direction,
    Line,
    Outcome,
    Page,
    Passage,
    Search,
    TransactionRecord,
)
from sluis.gateway.transactions.rules import (
    OUTCOME,
    OUTCOMES,
    crossing_of,
    new_transaction,
    noted,
    outcome_of,
    read_transaction_id,
)
from sluis.gateway.transactions.sealing import Sealing, fits, open_sealing
from sluis.gateway.transactions.service import TransactionLog, Write, durable, open_transactions, unwritten

__all__ = [
    "INCOMING",
    "OUTCOME",
    "OUTCOMES",
    "OUTGOING",
    "Counted",
    "Crossing",
    "Direction",
    "Line",
    "Outcome",
    "Page",
    "Passage",
    "Sealing",
    "Search",
    "TransactionLog",
    "TransactionRecord",
    "Write",
    "crossing_of",
    "durable",
    "fits",
    "new_transaction",
    "noted",
    "open_sealing",
    "open_transactions",
    "outcome_of",
    "read_transaction_id",
    "unwritten",
]
