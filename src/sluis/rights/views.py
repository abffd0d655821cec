"""Values of registers as people write them, in Dutch or English: dates, amounts, numbers of people. Pure."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sluis.kernel import Text
from sluis.rights.mine import Cell

_MONTHS = (
    "januari februari maart april mei juni juli augustus september oktober november december".split(),
    "January February March April May June July August September October November December".split(),
)
_CENTS = re.compile(r"eurocents?\b\s*(.*)")
_PER = {
    "per maand": Text("per maand", "a month"),
    "per jaar": Text("per jaar", "a year"),
    "per kwartaal": Text("per kwartaal", "a quarter"),
}
_NOTHING = Text("niet ingevuld", "not filled in")
_YES, _NO = Text("ja", "yes"), Text("nee", "no")


def value_in_words(cell: Cell, language: str) -> str:
    """A value for a page or form: `nl` or `en`."""
    value = cell.value
    if value is None or value == "":
        return _say(_NOTHING, language)
    if isinstance(value, bool):
        return _say(_YES if value else _NO, language)
    if isinstance(value, datetime):
        return f"{_day(value.date(), language)} {value:%H:%M}"
    if isinstance(value, date):
        return _day(value, language)
    if cell.number and len(digits := str(value)) == 9 and digits.isdecimal():
        return f"{digits[:4]}.{digits[4:6]}.{digits[6:]}"
    if isinstance(value, int | float | Decimal):
        return _number(value, cell.unit or "", language)
    return str(value)


def _number(value: Any, unit: str, language: str) -> str:
    cents = _CENTS.fullmatch(unit)
    if cents is not None:
        per = _PER.get(cents[1])
        return f"€ {_grouped(Decimal(value) / 100, language)} {_say(per, language) if per else cents[1]}".rstrip()
    plain = str(value) if isinstance(value, int) else f"{value:f}".rstrip("0").rstrip(".")
    return f"{plain.replace('.', ',') if language == 'nl' else plain} {unit}".rstrip()


def _grouped(value: Decimal, language: str) -> str:
    english = f"{value:,.2f}"
    return english if language == "en" else english.translate(str.maketrans(",.", ".,"))


def _day(day: date, language: str) -> str:
    return f"{day.day} {_MONTHS[language == 'en'][day.month - 1]} {day.year}"


def _say(text: Text, language: str) -> str:
    return text.en if language == "en" else text.nl
