"""What a subscription's owner is told."""

from sluis.kernel import Conflict, Invalid, NotFound, Text


def unfit(pointer: str, why: Text) -> Invalid:
    """Something in the document of a subscription is not right; `pointer` says where (RFC 6901)."""
    return Invalid(
        "unfit-subscription",
        Text("Dit abonnement klopt niet.", "This subscription is not right."),
        Text(f"{pointer}: {why.nl}", f"{pointer}: {why.en}"),
        Text("Vergelijk het met de CloudEvents Subscriptions API 0.2.", "Compare it with the CloudEvents Subscriptions API 0.2."),
    )  # fmt: skip


def unknown() -> NotFound:
    """There is none with that id, or it is another's."""
    return NotFound(
        "unknown-subscription",
        Text("Dit abonnement bestaat niet.", "There is no such subscription."),
        Text("Het is er niet, of het is niet van u.", "It is not there, or it is not yours."),
        Text("`sluis events subscriptions` en GET /subscriptions noemen uw abonnementen.",
             "`sluis events subscriptions` and GET /subscriptions list your subscriptions."),
    )  # fmt: skip


def too_many(most: int) -> Conflict:
    """One owner has as many as there may be."""
    return Conflict(
        "too-many-subscriptions",
        Text("U hebt te veel abonnementen.", "You have too many subscriptions."),
        Text(f"Eén organisatie kan er {most} hebben.", f"One organisation may have {most}."),
        Text("Beëindig er een, of voeg er twee samen.", "End one, or make one of two."),
    )


def too_much_sql(most: int) -> Conflict:
    """The expressions of one owner together cost this node too much."""
    return Conflict(
        "too-much-filtering",
        Text("Uw abonnementen filteren samen te veel.", "Your subscriptions filter too much together."),
        Text(f"Samen mogen hun CESQL-expressies {most} tekens lang zijn.",
             f"Together their CESQL expressions may have {most} characters."),
        Text("Maak ze korter, of gebruik `exact`, `prefix` en `suffix`.",
             "Make them shorter, or use `exact`, `prefix` and `suffix`."),
    )  # fmt: skip
