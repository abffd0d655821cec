"""An answer as a picture: each thing once, tied to whom it is about and to who gave it, and bounded however much there is."""

from sluis.kernel import Text
from sluis.query.graph import MOST_FOUND, picture
from sluis.query.model import Origin, Provenance

OF = (
    Provenance("bsn", (Origin("rvig", "personen", "bsn"),)),
    Provenance("naam", (Origin("rvig", "personen", "naam"),)),
    Provenance("bedrag", (Origin("bd", "inkomen", "bedrag"),)),
)
TITLES = {("rvig", "personen"): Text("Personen", "Persons"), ("bd", "inkomen"): Text("Inkomen", "Income")}
NAMES = {"rvig": "RvIG (fictief)", "bd": "Belastingdienst (fictief)"}


def test_what_is_in_more_rows_is_one_thing() -> None:
    drawn = picture([["1", "Een", "10"], ["1", "Een", "20"], ["2", "Twee", ""]], OF, 0, TITLES, NAMES)
    assert drawn is not None
    assert [(one.kind, one.label.nl) for one in drawn.nodes] == [
        ("person", "1"), ("person", "2"), ("found", "Een"), ("found", "10"), ("found", "20"), ("found", "Twee"),
        ("owner", "RvIG (fictief)"), ("owner", "Belastingdienst (fictief)"),
    ]  # fmt: skip
    assert len(drawn.lines) == 4 + 4
    assert [(one.about.nl, len(one.found)) for one in drawn.told] == [("1", 3), ("2", 1)]


def test_without_a_column_that_says_whom_there_is_whom_was_asked_about() -> None:
    drawn = picture([["Een", "10"]], OF[1:], None, TITLES, NAMES)
    assert drawn is not None
    assert drawn.nodes[0].label.nl == "Over wie u vroeg"


def test_a_picture_is_bounded_and_says_what_is_not_in_it() -> None:
    drawn = picture([["1", f"Naam {number}", ""] for number in range(1_000)], OF, 0, TITLES, NAMES)
    assert drawn is not None
    assert len(drawn.nodes) == MOST_FOUND + 2
    assert drawn.more == 160  # of the rows that were looked at
    assert all(0 <= node.y <= drawn.height for node in drawn.nodes)


def test_nothing_is_nothing_to_draw() -> None:
    assert picture([], OF, 0, TITLES, NAMES) is None
    assert picture([["1", "", ""]], OF, 0, TITLES, NAMES) is None
