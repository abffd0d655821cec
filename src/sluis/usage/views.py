"""Statements as tables: what the list of a month shows of each, and the lines of one. Pure."""

from sluis.kernel import Text
from sluis.usage.model import Side, Statement
from sluis.web import Cell, Column, Row

SIDES: dict[Side, Text] = {"use": Text("Wij gebruiken", "We use"), "supply": Text("Wij leveren", "We supply")}

COLUMNS = (
    Column("number", Text("Nummer", "Number"), sort=True),
    Column("organisation", Text("Organisatie", "Organisation"), sort=True, filter=True, foreign=True),
    Column("side", Text("Wie gebruikt", "Who uses"), filter=True, choices=tuple(SIDES.items())),
    Column("service", Text("Dienst", "Service"), sort=True, filter=True, foreign=True),
    Column("activity", Text("Waarvoor", "For what"), filter=True, foreign=True),
    Column("calls", Text("Aanroepen", "Calls"), sort=True, align="end", kind="number"),
    Column(
        "questions", Text("Vragen met prijs", "Questions with a price"), sort=True, align="end", kind="number"
    ),
    Column("total", Text("Bedrag", "Amount"), sort=True, align="end", kind="amount"),
)

LINES = (
    Column("what", Text("Wat", "What")),
    Column("quantity", Text("Aantal", "Number"), align="end", kind="number"),
    Column("each", Text("Per stuk", "Each"), align="end", kind="amount"),
    Column("cents", Text("Bedrag", "Amount"), align="end", kind="amount"),
)


def row_of(one: Statement, activities: dict[str, Text]) -> Row:
    """A statement as a line of the list."""
    other = one.supplier if one.agreed.side == "use" else one.user
    activity = activities.get(one.agreed.activity, one.agreed.activity) if one.agreed.activity else None
    return Row((
        Cell(one.number, href=f"/usage/{one.number}"), other, one.agreed.side, one.service, activity, one.counted.calls,
        one.counted.questions, one.total,
    ), one)  # fmt: skip


def lines_of_statement(one: Statement) -> list[Row]:
    """Its lines, and what they come to."""
    rows = [Row((line.words, line.quantity, line.each, line.cents)) for line in one.lines]
    rows.append(Row((Text("Samen, zonder btw", "Together, without VAT"), None, None, one.net)))
    if one.vat is not None:
        rows.append(Row((Text(f"Btw {one.vat}%", f"VAT {one.vat}%"), None, None, one.tax)))
    rows.append(Row((Text("Totaal", "Total"), None, None, one.total)))
    return rows
