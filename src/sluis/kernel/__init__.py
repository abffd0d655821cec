"""Value types and errors that every room speaks. Pure: no I/O but the clock and the random source."""

from sluis.kernel.acting import ACR, LEVELS, Acting, Level, is_simulator, level_of, reaches
from sluis.kernel.codec import Repeated, convert, decode, encode, plain, read_fields
from sluis.kernel.faces import on_demand
from sluis.kernel.identifiers import Bsn, Kvk, Oin, PeerId, Rsin, Vestiging, nine_digits, passes_eleven_test
from sluis.kernel.moments import HERE, Clock, Period, beginning, from_milliseconds, milliseconds, utc_now
from sluis.kernel.problem import (
    Conflict,
    Invalid,
    NotFound,
    Place,
    Problem,
    Refused,
    Text,
    Unidentified,
    Unkept,
    Upstream,
    cause_of,
)
from sluis.kernel.trace import Trace, new_span_id, new_trace_id, new_transaction_id
from sluis.kernel.written import LEVEL_NAMES, euros, figure, grouped, written_day

__all__ = [
    "ACR",
    "HERE",
    "LEVELS",
    "LEVEL_NAMES",
    "Acting",
    "Bsn",
    "Clock",
    "Conflict",
    "Invalid",
    "Kvk",
    "Level",
    "NotFound",
    "Oin",
    "PeerId",
    "Period",
    "Place",
    "Problem",
    "Refused",
    "Repeated",
    "Rsin",
    "Text",
    "Trace",
    "Unidentified",
    "Unkept",
    "Upstream",
    "Vestiging",
    "beginning",
    "cause_of",
    "convert",
    "decode",
    "encode",
    "euros",
    "figure",
    "from_milliseconds",
    "grouped",
    "is_simulator",
    "level_of",
    "milliseconds",
    "new_span_id",
    "new_trace_id",
    "new_transaction_id",
    "nine_digits",
    "on_demand",
    "passes_eleven_test",
    "plain",
    "reaches",
    "read_fields",
    "utc_now",
    "written_day",
]
