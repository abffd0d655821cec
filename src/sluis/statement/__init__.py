"""SQL as data, shared by the asker's side (`query`) and the owner's (`disclose`): parse, check, split, combine."""

from sluis.statement.about import looks_aside, tied
from sluis.statement.aggregates import Groups, Guarded, guarded, reduce
from sluis.statement.binding import Binding, bindings, require
from sluis.statement.columns import (
    base_tables,
    check,
    closing,
    dataset_of,
    definition,
    is_base,
    missing_parameter,
    source_of,
    tables_of,
    uses,
)
from sluis.statement.combine import Combiner, EngineLimits
from sluis.statement.model import Acting, KeyList, Receipt, Seal, SubQuestion
from sluis.statement.normal import normalise
from sluis.statement.parameters import bind, list_parameters, parameter_types, parameterise, to_plain
from sluis.statement.parse import (
    AGGREGATES,
    TODAY,
    datasets,
    output_names,
    parse,
    qualify,
    shape,
    text,
    unknown,
)
from sluis.statement.pushdown import pushable
from sluis.statement.receipt import MEDIA_TYPE, SEALS, AnswerReader
from sluis.statement.run import run
from sluis.statement.scopes import conjuncts
from sluis.statement.shapes import arrow_type, describe
from sluis.statement.split import Fetch, Plan, split

__all__ = [
    "AGGREGATES",
    "MEDIA_TYPE",
    "SEALS",
    "TODAY",
    "Acting",
    "AnswerReader",
    "Binding",
    "Combiner",
    "EngineLimits",
    "Fetch",
    "Groups",
    "Guarded",
    "KeyList",
    "Plan",
    "Receipt",
    "Seal",
    "SubQuestion",
    "arrow_type",
    "base_tables",
    "bind",
    "bindings",
    "check",
    "closing",
    "conjuncts",
    "dataset_of",
    "datasets",
    "definition",
    "describe",
    "guarded",
    "is_base",
    "list_parameters",
    "looks_aside",
    "missing_parameter",
    "normalise",
    "output_names",
    "parameter_types",
    "parameterise",
    "parse",
    "pushable",
    "qualify",
    "reduce",
    "require",
    "run",
    "shape",
    "source_of",
    "split",
    "tables_of",
    "text",
    "tied",
    "to_plain",
    "unknown",
    "uses",
]
