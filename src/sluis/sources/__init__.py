"""Where data lives: one file per kind of source; what all of them promise stands in `base`."""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.sources.base import Limits, Prepared, Probe, Source, SourceFailure, TableInfo
    from sluis.sources.fold import is_constant, is_simple, locked_duckdb
    from sluis.sources.opening import inspect, open_source, opener_of, source_name
    from sluis.sources.plain import is_plain
    from sluis.sources.proposing import Proposal, missing_file, problem_of, propose
    from sluis.sources.types import (
        Types,
        Typing,
        column_types,
        decimal_parts,
        family,
        normal,
        unexpected,
        widens,
    )
else:
    __getattr__ = on_demand(__name__)

__all__ = [
    "Limits",
    "Prepared",
    "Probe",
    "Proposal",
    "Source",
    "SourceFailure",
    "TableInfo",
    "Types",
    "Typing",
    "column_types",
    "decimal_parts",
    "family",
    "inspect",
    "is_constant",
    "is_plain",
    "is_simple",
    "locked_duckdb",
    "missing_file",
    "normal",
    "open_source",
    "opener_of",
    "problem_of",
    "propose",
    "source_name",
    "unexpected",
    "widens",
]
