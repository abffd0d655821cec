"""What can be proved afterwards: who looked at a citizen's data, that every log is whole, and that a change is found."""

from datetime import UTC, datetime
import msgspec


class Looked(msgspec.Struct, frozen=True):
    """A line of the log of one organisation about one citizen."""

    owner: str
    organisation: str
    moment: datetime
    what: str
    activity: str


class Verdict(msgspec.Struct, frozen=True):
    """What the verifier says of a log. `what` is what was done to it, where something was."""

    owner: str
    whole: bool
    sentence: str
    what: str = ""


def who_looked(running, bsn):
    return [
        Looked(
            "rvig",
            "RvIG (fictief)",
            datetime.now(UTC),
            "raadpleging",
            "https://sluiswijk.example/verwerkingen/bijstand",
        )
    ] * 3


def verified(running):
    return [Verdict("rvig", True, "rvig: 12 regels, alles klopt")]


def tampering_found(running):
    return Verdict("rvig", False, "Regel 4 is veranderd", "In een kopie")
