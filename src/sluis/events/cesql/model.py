"""What an expression of CESQL 1.0.0 says about an event, and what can go wrong (section 3.3, "Errors").

Evaluation is total: there always is a value. It stops at the first error (section 4.1, "fail fast"), and then the value is
the one that the operator or function in error has itself when it is the whole expression, and the zero value of the whole
expression's type when it is not.
"""

from typing import Final, Literal

import msgspec

from sluis.kernel import Invalid, Text

MAX_TEXT: Final = 4_096
"""Characters of an expression."""
MAX_DEPTH: Final = 150
"""How deep operators, functions and parentheses may be inside each other; a chain of ANDs counts one for each."""

Result = str | int | bool
"""The three types of the language. Binary attributes are read as their base64 text."""

Kind = Literal["math", "cast", "missing-attribute", "missing-function", "function-evaluation"]
"""Errors of evaluation, as the specification names them. A ParseError is an `Invalid` when the expression is compiled."""

_SAID: Final[dict[Kind, Text]] = {
    "math": Text("De berekening kan niet", "The calculation cannot be done"),
    "cast": Text(
        "De waarde is niet om te zetten in het type dat hier hoort",
        "The value cannot be cast to the type that belongs here",
    ),
    "missing-attribute": Text(
        "Dit attribuut heeft de gebeurtenis niet", "The event does not have this attribute"
    ),
    "missing-function": Text(
        "Deze functie bestaat niet, of niet met zo veel argumenten",
        "This function does not exist, or not with so many arguments",
    ),
    "function-evaluation": Text(
        "De functie kan met deze argumenten niets", "The function can do nothing with these arguments"
    ),
}


class Fault(msgspec.Struct, frozen=True):
    """One error. It names operators, functions and attributes, and never a value.

    Args:
        kind: which error of the specification.
        at: where in the expression, in characters from 1.
        name: the operator, function or attribute.
    """

    kind: Kind
    at: int
    name: str

    @property
    def text(self) -> Text:
        """The error in words, with its place."""
        said = _SAID[self.kind]
        return Text(
            f"{said.nl} (`{self.name}`, teken {self.at}).", f"{said.en} (`{self.name}`, character {self.at})."
        )


class Outcome(msgspec.Struct, frozen=True):
    """The value of an expression for one event, and the error that there was."""

    value: Result
    error: Fault | None = None


class Stop(Exception):
    """Ends an evaluation at its first error; never leaves this room.

    Raised with: which error; where in the expression, in characters from 1; the operator, function or attribute; and for
    what has a value all the same, that value. Kept as `args`, for an `__init__` would cost as much as all the rest: an
    attribute that an event does not have is nothing rare.
    """

    @property
    def fault(self) -> Fault:
        """What is said of it."""
        return Fault(*self.args[:3])

    @property
    def value(self) -> Result | None:
        """What the operator or function itself then has for a value; None for the zero value."""
        found: Result | None = self.args[3] if len(self.args) > 3 else None
        return found


def unreadable(why: Text, at: int) -> Invalid:
    """The ParseError of the specification, at a character (from 1)."""
    return Invalid(
        "unreadable-expression",
        Text(
            f"De expressie is bij teken {at} niet te lezen.",
            f"The expression cannot be read at character {at}.",
        ),
        why,
        Text("Verbeter de expressie; zij is CESQL 1.0.", "Correct the expression; it is CESQL 1.0."),
    )
