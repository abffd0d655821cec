"""What the queue tells its callers."""

from sluis.kernel import Text, Unkept


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
