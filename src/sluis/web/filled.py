"""What was filled in on a page, read one field at a time: a problem with it names the field, so that the page can say it there
(WCAG 2.2, 3.3.1)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from sluis.kernel import Invalid, Text
from sluis.web.routes import Form

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@contextmanager
def at_field(name: str) -> Iterator[None]:
    """What goes wrong within, and names no field itself, is about this one."""
    try:
        yield
    except Invalid as problem:
        problem.field = problem.field or name
        raise


def read_day(form: Form, field: str) -> date | None:
    """The day in a field, as browsers send it (RFC 3339 full-date); None where nothing was filled in. Raises `Invalid`."""
    text = form.get(field, "").strip()
    if not text:
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise _no_day(field)


def required_day(form: Form, field: str) -> date:
    """The same, where one is needed. Raises `Invalid`."""
    found = read_day(form, field)
    if found is None:
        raise _no_day(field)
    return found


def _no_day(field: str) -> Invalid:
    return Invalid(
        "invalid-date",
        Text("Een datum ontbreekt, of klopt niet.", "A date is missing, or wrong."),
        Text("Een datum heeft dag, maand en jaar.", "A date has a day, month and year."),
        Text("Kies een datum.", "Choose a date."),
        field=field,
    )
