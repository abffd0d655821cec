"""SQL as data, shared by the asker's side (`query`) and the owner's (`disclose`): parse, check, split, combine."""

from sluis.statement.about import looks_aside, tied
from sluis.statement.aggregates import guarded
from sluis.statement.binding import Binding, bindings, equalities, keys_asked, named, require
from sluis.statement.charges import CHARGE, charge_attribute, charge_for
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
from sluis.statement.counts import Groups, Guarded, constants
from sluis.statement.model import Acting, Charge, KeyList, Receipt, Seal, SubQuestion
from sluis.statement.normal import normalise
from sluis.statement.parameters import (
    bind,
    list_parameters,
    parameter_types,
    parameterise,
    parameters_of,
    to_plain,
)
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
from sluis.statement.receipt import MEDIA_TYPE, SEALS, AnswerForm, AnswerReader, Closing
from sluis.statement.run import checked, run
from sluis.statement.scopes import conjuncts
from sluis.statement.shapes import arrow_type, describe
from sluis.statement.split import Fetch, Plan, split
from sluis.statement.sql import Memory, TooClose, open_memory
from sluis.statement.steady import require_steady

__all__ = [
    "AGGREGATES",
    "CHARGE",
    "MEDIA_TYPE",
    "SEALS",
    "TODAY",
    "Acting",
    "AnswerForm",
    "AnswerReader",
    "Binding",
    "Charge",
    "Closing",
    "Combiner",
    "EngineLimits",
    "Fetch",
    "Groups",
    "Guarded",
    "KeyList",
    "Memory",
    "Plan",
    "Receipt",
    "Seal",
    "SubQuestion",
    "TooClose",
    "arrow_type",
    "base_tables",
    "bind",
    "bindings",
    "charge_attribute",
    "charge_for",
    "check",
    "checked",
    "closing",
    "conjuncts",
    "constants",
    "dataset_of",
    "datasets",
    "definition",
    "describe",
    "equalities",
    "guarded",
    "is_base",
    "keys_asked",
    "list_parameters",
    "looks_aside",
    "missing_parameter",
    "named",
    "normalise",
    "open_memory",
    "output_names",
    "parameter_types",
    "parameterise",
    "parameters_of",
    "parse",
    "pushable",
    "qualify",
    "require",
    "require_steady",
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
