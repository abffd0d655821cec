"""Values of registers as people write them, in Dutch or English: days, amounts, numbers of people. Pure."""

import re
from datetime import date
from decimal import Decimal

from sluis.kernel import Text
from sluis.rights.mine import Cell
from sluis.web import amount, bsn, day

_CENTS = re.compile(r"eurocents?\b\s*(.*)")
_PER = {
    "per maand": Text("per maand", "a month"),
    "per jaar": Text("per jaar", "a year"),
    "per kwartaal": Text("per kwartaal", "a quarter"),
}
_NOTHING = Text("niet ingevuld", "not filled in")
_YES, _NO = Text("ja", "yes"), Text("nee", "no")


def value_in_words(cell: Cell, language: str) -> str:
    """A value for a page or form, as text: `nl` or `en`."""
    value = cell.value
    if value is None or value == "":
        return _NOTHING.said_in(language)
    if isinstance(value, bool):
        return (_YES if value else _NO).said_in(language)
    if isinstance(value, date):
        return day(value, language).striptags()
    if cell.number:
        return bsn(str(value))
    if isinstance(value, int | float | Decimal):
        return _number(value, cell.unit or "", language)
    return str(value)


def _number(value: float | Decimal, unit: str, language: str) -> str:
    cents = _CENTS.fullmatch(unit)
    if cents is not None:
        per = _PER.get(cents[1])
        return f"{amount(int(value), language)} {per.said_in(language) if per else cents[1]}".rstrip()
    plain = str(value) if isinstance(value, int) else f"{value:f}".rstrip("0").rstrip(".")
    return f"{plain.replace('.', ',') if language == 'nl' else plain} {unit}".rstrip()
