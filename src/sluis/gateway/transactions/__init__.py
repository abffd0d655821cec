"""The transaction log: one durable line on each side of every crossing, before it passes (FSC Logging 1.0.0)."""

from sluis.gateway.transactions.model import (
    INCOMING,
    OUTGOING,
    Crossing,
    Direction,
    Line,
    Page,
    Passage,
    Search,
    TransactionRecord,
)
from sluis.gateway.transactions.rules import crossing_of, new_transaction, read_transaction_id
from sluis.gateway.transactions.sealing import Seal, Sealing, fits, open_sealing
from sluis.gateway.transactions.service import TransactionLog, durable, open_transactions, unwritten

__all__ = [
    "INCOMING",
    "OUTGOING",
    "Crossing",
    "Direction",
    "Line",
    "Page",
    "Passage",
    "Seal",
    "Sealing",
    "Search",
    "TransactionLog",
    "TransactionRecord",
    "crossing_of",
    "durable",
    "fits",
    "new_transaction",
    "open_sealing",
    "open_transactions",
    "read_transaction_id",
    "unwritten",
]
