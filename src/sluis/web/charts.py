"""Charts: a table of figures that is drawn as well, where script runs. The table is what there is; nothing stands only in the picture."""

from typing import Literal

import msgspec

from sluis.kernel import Text
from sluis.web.listing import Column, Row


class Chart(msgspec.Struct, frozen=True):
    """A table that can be drawn.

    Args:
        title: what it shows.
        columns: the first lies along the bottom (moments, figures, or words); each other is a line of figures.
        rows: in the order in which they are drawn; some hundreds at most.
        form: as what it is drawn.
        told: what one can see in it, in a sentence.
    """

    title: Text
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    form: Literal["line", "bars"] = "line"
    told: Text | None = None
