"""SQL as data, shared by the asker's side (`query`) and the owner's (`disclose`): parse, check, split, combine."""

from sluis.statement.about import looks_aside, tied
from sluis.statement.aggregates import guarded
from sluis.statement.binding import (
    Binding,
    bindings,
    equalities,
    require,
)
from sluis.statement.columns import (
    Use,
    base_tables,
    check,
    closed,
    closing,
    conjuncts,
    dataset_of,
    definition,
    is_base,
    missing_parameter,
    source_of,
    tables_of,
    uses,
)
from sluis.statement.combine import (
    Combiner,
    EngineLimits,
)
from sluis.statement.counts import Groups, Guarded, constants, levels, reduce
from sluis.statement.differencing import Level
from sluis.statement.model import (
    Acting,
    KeyList,
    Receipt,
    Seal,
    SubQuestion,
)
from sluis.statement.normal import (
    normalise,
)
from sluis.statement.parameters import (
    bind,
    from_plain,
    list_parameters,
    parameter_types,
    parameterise,
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
from sluis.statement.pushdown import (
    obstacles,
    pushable,
    pushable_condition,
)
from sluis.statement.receipt import (
    MEDIA_TYPE,
    NONCE,
    RECEIPT,
    SEALS,
    AnswerReader,
    AnswerWriter,
    Closing,
    commitment,
    open_receipt,
    seal_receipt,
)
from sluis.statement.run import (
    Outcome,
    checked,
    run,
)
from sluis.statement.shapes import (
    arrow_type,
    describe,
)
from sluis.statement.split import (
    Fetch,
    FetchColumn,
    KeyUse,
    Plan,
    split,
)
from sluis.statement.sql import Memory, open_memory

__all__ = [
    "AGGREGATES",
    "MEDIA_TYPE",
    "NONCE",
    "RECEIPT",
    "SEALS",
    "TODAY",
    "Acting",
    "AnswerReader",
    "AnswerWriter",
    "Binding",
    "Closing",
    "Combiner",
    "EngineLimits",
    "Fetch",
    "FetchColumn",
    "Groups",
    "Guarded",
    "KeyList",
    "KeyUse",
    "Level",
    "Memory",
    "Outcome",
    "Plan",
    "Receipt",
    "Seal",
    "SubQuestion",
    "Use",
    "arrow_type",
    "base_tables",
    "bind",
    "bindings",
    "check",
    "checked",
    "closed",
    "closing",
    "commitment",
    "conjuncts",
    "constants",
    "dataset_of",
    "datasets",
    "definition",
    "describe",
    "equalities",
    "from_plain",
    "guarded",
    "is_base",
    "levels",
    "list_parameters",
    "looks_aside",
    "missing_parameter",
    "normalise",
    "obstacles",
    "open_memory",
    "open_receipt",
    "output_names",
    "parameter_types",
    "parameterise",
    "parse",
    "pushable",
    "pushable_condition",
    "qualify",
    "reduce",
    "require",
    "run",
    "seal_receipt",
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
