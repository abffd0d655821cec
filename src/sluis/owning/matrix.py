"""Who may see what of a dataset: columns beside disclosures. Pure."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from sluis.grounds import COLUMN_ROLES, Column, Dataset, Disclosure
from sluis.kernel import Text

Openness = Literal["open", "masked", "groups", "join", "filter", "closed"]

OPENNESS: dict[Openness, tuple[Text, Text]] = {
    "open": (COLUMN_ROLES["output"], Text("De ontvanger ziet de waarde.", "The recipient sees the value.")),
    "masked": (
        Text("gemaskeerd", "masked"),
        Text("Er staat iets anders in de plaats van de waarde.", "Something else stands in the place of the value."),
    ),
    "groups": (
        Text("alleen groepen", "groups only"),
        Text("Alleen in aantallen en sommen over groepen.", "Only in counts and sums over groups."),
    ),
    "join": (
        COLUMN_ROLES["join"],
        Text("Alleen om gegevens bij elkaar te zoeken; de waarde gaat verzegeld mee.",
             "Only to put data together; the value travels sealed."),
    ),
    "filter": (
        COLUMN_ROLES["filter"],
        Text("Alleen om rijen te kiezen; de waarde is niet te zien.", "Only to select rows; the value is not seen."),
    ),
    "closed": (Text("gesloten", "closed"), Text("De ontvanger ziet dit niet.", "The recipient does not see this.")),
}  # fmt: skip
"""What it is called, and what it means."""


class Line(msgspec.Struct, frozen=True):
    """A column of a dataset, and how open it is under each disclosure."""

    column: Column
    cells: tuple[Openness, ...]


def matrix(dataset: Dataset, disclosures: Sequence[Disclosure]) -> tuple[Line, ...]:
    """Every column of a dataset beside some disclosures of it, in their order."""
    return tuple(
        Line(column, tuple(openness(column.name, one) for one in disclosures)) for column in dataset.columns
    )


def openness(column: str, one: Disclosure) -> Openness:
    """How open a column is under a disclosure."""
    role = one.columns.get(column)
    if role is None:
        return "closed"
    if role != "output":
        return role
    if one.aggregate is not None:
        return "groups"
    return "masked" if column in one.masks else "open"
