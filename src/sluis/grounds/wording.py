"""What the files say in codes, in words: grounds of the AVG, roles and sensitivities of columns, how long something is kept. Pure.

Pages and commands of every room write these alike, so that somebody who reads one of them recognises it in the next.
"""

import re

from sluis.grounds.model import AvgGround, Role, Sensitivity
from sluis.kernel import Text

AVG_GROUNDS: dict[AvgGround, Text] = {
    "consent": Text("toestemming van de betrokkene", "consent of the data subject"),
    "contract": Text("overeenkomst met de betrokkene", "contract with the data subject"),
    "legal-obligation": Text("wettelijke verplichting", "legal obligation"),
    "vital-interest": Text("vitaal belang", "vital interest"),
    "public-task": Text("taak van algemeen belang", "task in the public interest"),
    "legitimate-interest": Text("gerechtvaardigd belang", "legitimate interest"),
}
"""AVG article 6, first paragraph, in the order of its parts: a to f."""

COLUMN_ROLES: dict[Role, Text] = {
    "output": Text("zichtbaar", "visible"),
    "join": Text("alleen om te koppelen", "only to join"),
    "filter": Text("alleen om te kiezen", "only to select"),
}

SENSITIVITIES: dict[Sensitivity, Text] = {
    "open": Text("geen persoonsgegeven", "no personal data"),
    "personal": Text("persoonsgegeven", "personal data"),
    "identifying": Text("wijst iemand aan", "identifies a person"),
    "special": Text("bijzonder persoonsgegeven", "special category of personal data"),
}

_PERIODS = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?")
_WORDS = (
    (Text("jaar", "year"), Text("jaar", "years")), (Text("maand", "month"), Text("maanden", "months")),
    (Text("week", "week"), Text("weken", "weeks")), (Text("dag", "day"), Text("dagen", "days")),
)  # fmt: skip


def lasting(duration: str) -> Text:
    """An ISO 8601 duration (§5.5.2.2) of years to days in words; one with hours, or of nothing at all, as it is written.

    Args:
        duration: such as `P1Y6M`.
    """
    found = _PERIODS.fullmatch(duration)
    counts = [int(one or 0) for one in found.groups()] if found else []
    parts = [
        (count, one if count == 1 else more)
        for count, (one, more) in zip(counts, _WORDS, strict=False)
        if count
    ]
    if not parts:
        return Text(duration, duration)
    return Text(
        " en ".join(f"{count} {word.nl}" for count, word in parts),
        " and ".join(f"{count} {word.en}" for count, word in parts),
    )
