"""Filters of the CloudEvents Subscriptions API (section "Filters"), compiled once to one predicate over attributes.

Each filter is an object with one member that names its dialect. `all`, `any` and `not` hold other filters; `exact`, `prefix`
and `suffix` hold attributes with the text that must be there, as it is or at its begin or end; `sql` holds an expression of
CESQL. An attribute that an event does not have makes `exact`, `prefix` and `suffix` false. An error in CESQL makes that
filter false, and so a `not` around it true.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sluis.events.cesql import compile_expression, to_text
from sluis.events.cloudevent import Value
from sluis.kernel import Invalid, Text

Predicate = Callable[[Mapping[str, Value]], bool]
"""Whether an event with these attributes passes. Never raises."""

MAX_DEPTH: Final = 16
"""How deep `all`, `any` and `not` may be inside each other."""
MAX_FILTERS: Final = 256
"""Filters of one subscription, those inside others counted too; and each attribute that is compared is one."""
MAX_SQL: Final = 4_096
"""Characters of CESQL in one subscription. What reading and evaluating it costs grows with them, and the node pays."""
MAX_VALUE: Final = 2_048
"""Characters of a text that an attribute is compared with."""


def compile_filters(documents: Sequence[Mapping[str, Any]]) -> Predicate:
    """One predicate that holds when every filter does; with no filters, always.

    Args:
        documents: the member `filters` of a subscription, as decoded from JSON.

    Raises:
        Invalid: an unknown dialect, a member too many, a wrong type, an expression that cannot be read, or too many or
            too deep; with the place as a JSON pointer.
    """
    return _every(_Compiling().compile_list(documents, "/filters", 1))


def characters_of_sql(documents: Sequence[Mapping[str, Any]]) -> int:
    """How many characters of CESQL there are in filters that `compile_filters` takes."""
    found, waiting = 0, list[Any](documents)
    while waiting:
        ((dialect, content),) = waiting.pop().items()
        if dialect in ("all", "any"):
            waiting += content
        elif dialect == "not":
            waiting.append(content)
        elif dialect == "sql":
            found += len(content)
    return found


class _Compiling:
    """Compiles the filters of one subscription, and counts them."""

    def __init__(self) -> None:
        self._left, self._characters = MAX_FILTERS, 0

    def compile_list(self, documents: object, where: str, depth: int) -> list[Predicate]:
        if not isinstance(documents, list | tuple):
            raise _unfit(where, Text("het is geen lijst", "it is not a list"))
        if depth > MAX_DEPTH:
            raise _unfit(where, Text(f"het is dieper dan {MAX_DEPTH}", f"it is deeper than {MAX_DEPTH}"))
        return [self.compile(document, f"{where}/{place}", depth) for place, document in enumerate(documents)]

    def compile(self, document: object, where: str, depth: int) -> Predicate:
        self._count(where, 1)
        if not isinstance(document, Mapping) or len(document) != 1:
            raise _unfit(
                where,
                Text(
                    "het is geen object met precies één dialect", "it is no object with exactly one dialect"
                ),
            )
        ((dialect, content),) = document.items()
        if dialect in ("all", "any"):
            return self._several(str(dialect), content, f"{where}/{dialect}", depth)
        if dialect == "not":
            return _negation(self._deeper(content, f"{where}/not", depth))
        if dialect == "sql":
            return self._sql(content, f"{where}/sql")
        if dialect in _COMPARISONS:
            self._count(where, len(content) - 1 if isinstance(content, Mapping) else 0)
            return _comparison(_COMPARISONS[str(dialect)], content, f"{where}/{dialect}")
        raise _unfit(where, Text("dit dialect is er niet", "there is no such dialect"))

    def _several(self, dialect: str, content: object, where: str, depth: int) -> Predicate:
        predicates = self.compile_list(content, where, depth + 1)
        if not predicates:
            raise _unfit(where, Text("de lijst is leeg", "the list is empty"))
        return _every(predicates) if dialect == "all" else _some(predicates)

    def _count(self, where: str, more: int) -> None:
        self._left -= more
        if self._left < 0:
            raise _unfit(
                where, Text(f"het zijn er meer dan {MAX_FILTERS}", f"there are more than {MAX_FILTERS}")
            )

    def _sql(self, content: object, where: str) -> Predicate:
        self._characters += len(content) if isinstance(content, str) else 0
        if self._characters > MAX_SQL:
            said = Text(
                f"samen zijn de expressies langer dan {MAX_SQL} tekens",
                f"together the expressions are longer than {MAX_SQL} characters",
            )
            raise _unfit(where, said)
        return _sql(content, where)

    def _deeper(self, content: object, where: str, depth: int) -> Predicate:
        if depth >= MAX_DEPTH:
            raise _unfit(where, Text(f"het is dieper dan {MAX_DEPTH}", f"it is deeper than {MAX_DEPTH}"))
        return self.compile(content, where, depth + 1)


def _every(predicates: Sequence[Predicate]) -> Predicate:
    if len(predicates) == 1:
        return predicates[0]

    def every(attributes: Mapping[str, Value]) -> bool:
        for predicate in predicates:  # noqa: SIM110 - all() over a generator takes twice the time
            if not predicate(attributes):
                return False
        return True

    return every


def _some(predicates: Sequence[Predicate]) -> Predicate:
    if len(predicates) == 1:
        return predicates[0]

    def some(attributes: Mapping[str, Value]) -> bool:
        for predicate in predicates:  # noqa: SIM110 - as above
            if predicate(attributes):
                return True
        return False

    return some


def _negation(predicate: Predicate) -> Predicate:
    return lambda attributes: not predicate(attributes)


def _sql(content: object, where: str) -> Predicate:
    if not isinstance(content, str):
        raise _unfit(where, Text("het is geen tekst", "it is not a text"))
    try:
        expression = compile_expression(content)
    except Invalid as problem:
        raise _unfit(where, Text(_inside(problem, "nl"), _inside(problem, "en"))) from None
    if expression.doubts:
        said = expression.doubts[0].text
        raise _unfit(where, Text(_lowered(said.nl), _lowered(said.en)))
    return expression.holds


def _inside(problem: Invalid, language: str) -> str:
    what, why = getattr(problem.what, language), getattr(problem.why, language)
    return f"{_lowered(what)}: {_lowered(why)}"


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


_COMPARISONS: Final[dict[str, Callable[[str, str], bool]]] = {
    "exact": str.__eq__,
    "prefix": str.startswith,
    "suffix": str.endswith,
}


def _comparison(compare: Callable[[str, str], bool], content: object, where: str) -> Predicate:
    if not isinstance(content, Mapping) or not content:
        raise _unfit(where, Text("het is geen object met attributen", "it is no object with attributes"))
    for name, text in content.items():
        if (
            not isinstance(name, str)
            or not name
            or not isinstance(text, str)
            or not 0 < len(text) <= MAX_VALUE
        ):
            raise _unfit(
                where,
                Text(
                    f"een attribuut krijgt een tekst van 1 tot en met {MAX_VALUE} tekens",
                    f"an attribute takes a text of 1 to {MAX_VALUE} characters",
                ),
            )
    return _every([_one(compare, name, text) for name, text in content.items()])


def _one(compare: Callable[[str, str], bool], name: str, text: str) -> Predicate:
    def one(attributes: Mapping[str, Value]) -> bool:
        value = attributes.get(name)
        return value is not None and compare(value if isinstance(value, str) else to_text(value), text)

    return one


def _unfit(where: str, why: Text) -> Invalid:
    return Invalid(
        "unfit-filter",
        Text(f"Het filter op `{where}` klopt niet.", f"The filter at `{where}` is not right."),
        Text(f"Want {why.nl}.", f"For {why.en}."),
        Text(
            "Verbeter het filter; zie de CloudEvents Subscriptions API.",
            "Correct the filter; see the CloudEvents Subscriptions API.",
        ),
    )
