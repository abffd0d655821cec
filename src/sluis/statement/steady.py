"""Questions whose answer follows from the data alone. A question that stands is read again and again: where the order in which a
source happens to give rows decides about the answer, it would seem to change when nothing did.

What draws lots or reads a clock is let in by no question (`parse`), but for the day, which is the same for all owners and does
change. Sums of floating-point numbers are let in: their last digit may differ with the order, which an owner keeps out by
opening amounts as DECIMAL.
"""

from collections.abc import Iterator

from sqlglot import exp

from sluis.kernel import Invalid, Text
from sluis.statement.parse import AGGREGATES

_BY_PLACE = (
    exp.RowNumber, exp.Ntile, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue, exp.First, exp.Last,
    exp.AnyValue, exp.Mode,
)  # fmt: skip
"""What picks one of several rows that may be equal in every order."""

_LISTS = (exp.ArrayAgg, exp.GroupConcat)


def require_steady(tree: exp.Query) -> None:
    """Raises `Invalid` (`answer-by-order`) for a question whose answer may differ while the data is the same.

    Args:
        tree: as `parse` gave it.
    """
    for node in tree.walk():
        part = next(_unsteady(node), None)
        if part is not None:
            raise _by_order(part)


def _unsteady(node: exp.Expression) -> Iterator[Text]:
    if isinstance(node, exp.Query) and (node.args.get("limit") or node.args.get("offset")):
        if not _ordered_whole(node):
            yield Text("LIMIT of OFFSET, zonder ORDER BY over alle kolommen van de uitkomst",
                       "LIMIT or OFFSET, without ORDER BY over all columns of the answer")  # fmt: skip
    elif isinstance(node, _BY_PLACE):
        name = node.sql_name()
        yield Text(f"{name}, dat bij gelijke rijen een willekeurige neemt",
                   f"{name}, which takes any one of rows that are equal")  # fmt: skip
    elif isinstance(node, _LISTS) and not _ordered_list(node):
        name = node.sql_name()
        yield Text(f"{name} zonder ORDER BY over wat het opsomt",
                   f"{name} without ORDER BY over what it lists")  # fmt: skip
    elif isinstance(node, exp.WindowSpec) and node.args.get("kind") == "ROWS":
        yield Text("een venster met ROWS", "a window with ROWS")


def _ordered_whole(query: exp.Query) -> bool:
    """Whether rows that are equal in the order are equal altogether, so that it does not matter which of them is kept."""
    if isinstance(query, exp.Select) and _one_row(query):
        return True
    if any(one.find(exp.Star) and not one.find(exp.Count) for one in query.selects):
        return False
    order = query.args.get("order")
    keys = [one.this.unnest() for one in order.expressions] if order is not None else []
    names = {one.name.lower() for one in keys if isinstance(one, exp.Column) and not one.table}
    places = {int(one.name) for one in keys if isinstance(one, exp.Literal) and one.is_int}
    return all(
        place in places
        or one.alias_or_name.lower() in names
        or one.unalias() in keys
        or isinstance(one.unalias(), exp.Literal | exp.Boolean | exp.Null | exp.Placeholder)
        for place, one in enumerate(query.selects, 1)
    )


def _one_row(select: exp.Select) -> bool:
    """Whether a SELECT gives one row, whatever the data: aggregates without groups."""
    return select.args.get("group") is None and any(
        isinstance(node, AGGREGATES) and node.find_ancestor(exp.Window, exp.Query) in (None, select)
        for one in select.expressions
        for node in one.find_all(*AGGREGATES)
    )


def _ordered_list(node: exp.Expression) -> bool:
    """Whether a list is ordered by what it lists first of all."""
    inside = node.this
    return isinstance(inside, exp.Order) and any(one.this == inside.this for one in inside.expressions)


def _by_order(part: Text) -> Invalid:
    return Invalid(
        "answer-by-order",
        Text("Deze vraag kan niet blijven staan.", "This question cannot be left standing."),
        Text(f"Haar antwoord kan wijzigen terwijl de gegevens gelijk blijven, door: {part.nl}.",
             f"Its answer may change while the data stays the same, because of: {part.en}."),
        Text("Vraag alle rijen, of sorteer op elke kolom die u vraagt.",
             "Ask for all rows, or order by every column that you ask for."),
    )  # fmt: skip
