"""What the queue tells its callers."""

from sluis.kernel import Invalid, Text, Unkept


def busy() -> Unkept:
    """Too much waits at this node."""
    return Unkept(
        "events-busy",
        Text("Dit knooppunt neemt nu geen gebeurtenissen aan.", "This node takes no events now."),
        Text("Er wachten er te veel op bezorging.", "Too many are waiting to be delivered."),
        Text(
            "Er is niets vastgelegd. Probeer het straks opnieuw.",
            "Nothing was recorded. Try again in a moment.",
        ),
        retry=True,
    )


def wrong_stretch() -> Invalid:
    """Numbers that are no stretch."""
    return Invalid(
        "wrong-stretch",
        Text("Deze nummers kunnen niet.", "These numbers cannot be."),
        Text("`first` is minstens 1 en niet hoger dan `last`.", "`first` is at least 1 and not above `last`."),
        Text("`sluis events deadletters` zegt welke nummers er zijn.", "`sluis events deadletters` tells which numbers there are."),
    )  # fmt: skip
