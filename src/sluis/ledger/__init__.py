"""The only writer of records, and their proof: leaves, Merkle tree, checkpoints, witnesses."""

from sluis.ledger.model import Decision, Epoch, Position, Processing, Withheld
from sluis.ledger.service import Ledger, open_ledger

__all__ = ["Decision", "Epoch", "Ledger", "Position", "Processing", "Withheld", "open_ledger"]
