"""The only writer of records, and their proof: leaves, Merkle tree, checkpoints, witnesses."""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.ledger import verifier
    from sluis.ledger.anchoring import Anchored, Anchors, no_authority
    from sluis.ledger.audit import Verification, verify
    from sluis.ledger.following import Batch, Lane, Records
    from sluis.ledger.http import Allowed, Authorise, Found, Line, line_of, log_routes, reading_routes
    from sluis.ledger.model import (
        ACTIVITY,
        DATASETS,
        MESSAGE,
        PROCESSOR,
        SUBJECT,
        SUBJECT_TYPE,
        Agreement,
        Arrangement,
        Crossings,
        Decision,
        Destruction,
        Position,
        Processing,
        Search,
        Stored,
        Withheld,
    )
    from sluis.ledger.notes import witness_key
    from sluis.ledger.reading import Log, is_withheld
    from sluis.ledger.rules import subject_term
    from sluis.ledger.scan import crossings, decisions, lines_with
    from sluis.ledger.service import Ledger, base_origin, open_ledger, receipt
    from sluis.ledger.witness import Cosigned, Peer, Witness
else:
    __getattr__ = on_demand(__name__)

__all__ = [
    "ACTIVITY",
    "DATASETS",
    "MESSAGE",
    "PROCESSOR",
    "SUBJECT",
    "SUBJECT_TYPE",
    "Agreement",
    "Allowed",
    "Anchored",
    "Anchors",
    "Arrangement",
    "Authorise",
    "Batch",
    "Cosigned",
    "Crossings",
    "Decision",
    "Destruction",
    "Found",
    "Lane",
    "Ledger",
    "Line",
    "Log",
    "Peer",
    "Position",
    "Processing",
    "Records",
    "Search",
    "Stored",
    "Verification",
    "Withheld",
    "Witness",
    "base_origin",
    "crossings",
    "decisions",
    "is_withheld",
    "line_of",
    "lines_with",
    "log_routes",
    "no_authority",
    "open_ledger",
    "reading_routes",
    "receipt",
    "subject_term",
    "verifier",
    "verify",
    "witness_key",
]
