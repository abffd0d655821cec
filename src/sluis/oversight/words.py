"""What was found, in sentences that say how it was counted. Pure."""

from sluis.kernel import Text
from sluis.oversight.model import Finding, Kind
from sluis.oversight.unusual import TIMES

KINDS: dict[Kind, Text] = {
    "person": Text("iemand is vaak opgezocht", "somebody was looked up often"),
    "asker": Text("iemand vroeg veel", "somebody asked much"),
    "volume": Text("veel op één dag", "much in one day"),
    "persons": Text("veel personen op één dag", "many persons in one day"),
    "hour": Text("veel in één uur", "much in one hour"),
    "off-hours": Text("buiten werktijd", "outside office hours"),
    "refused": Text("telkens geweigerd", "refused again and again"),
}
_WHAT: dict[Kind, Text] = {
    "person": Text("Deze persoon is in dertig dagen {count} keer opgezocht.", "This person was looked up {count} times in thirty days."),
    "asker": Text("Deze medewerker stelde die dag {count} vragen.", "This member of staff asked {count} questions that day."),
    "volume": Text("Voor deze verwerking kwamen die dag {count} vragen.", "For this activity {count} questions came that day."),
    "persons": Text("Voor deze verwerking gaf deze organisatie die dag gegevens over {count} personen.",
                    "For this activity this organisation gave data of {count} persons that day."),
    "hour": Text("In één uur kwamen {count} vragen.", "In one hour {count} questions came."),
    "off-hours": Text("Deze medewerker stelde die dag {count} vragen buiten werktijd.",
                      "This member of staff asked {count} questions that day outside office hours."),
    "refused": Text("Deze vrager werd {count} keer achter elkaar geweigerd.", "This asker was refused {count} times in a row."),
}  # fmt: skip
_AMONG: dict[Kind, Text] = {
    "person": Text("andere personen", "other persons"),
    "asker": Text(
        "dagen van deze medewerker, of van collega's als die nieuw is",
        "days of this person, or of colleagues for who is new",
    ),
    "volume": Text("dagen ervoor", "days before"),
    "persons": Text("dagen ervoor", "days before"),
    "hour": Text("andere uren", "other hours"),
    "off-hours": Text("dagen ervoor", "days before"),
    "refused": Text("vragers", "askers"),
}


def told(finding: Finding) -> tuple[Text, ...]:
    """What was found, what is normal, and how the limit comes about."""
    of, what, among = finding.normal, _WHAT[finding.kind], _AMONG[finding.kind]
    lines = [Text(what.nl.format(count=finding.count), what.en.format(count=finding.count))]
    if finding.kind == "refused":
        lines.append(
            Text(f"Vanaf {of.limit} keer zonder onderbreking is het geen vergissing meer.",
                 f"From {of.limit} times without a break it is no mistake any more.")
        )  # fmt: skip
        return tuple(lines)
    if not of.among:
        lines.append(
            Text(
                f"Dit kwam hier nog niet voor. Boven {of.limit} is het ongewoon.",
                f"This did not happen here before. Above {of.limit} it is unusual.",
            )
        )
        return tuple(lines)
    lines.append(
        Text(f"Gewoon is {_nl(of.typical)}: de middelste van {of.among} aantallen ({among.nl}).",
             f"Usual is {of.typical:g}: the middle one of {of.among} numbers ({among.en}).")
    )  # fmt: skip
    lines.append(
        Text(
            f"De aantallen liggen meestal {_nl(of.spread)} uit elkaar. Boven {of.limit} is het ongewoon: {TIMES} keer die spreiding "
            "boven het gewone, of het minste aantal waarop wij letten.",
            f"The numbers mostly lie {of.spread:.1f} apart. Above {of.limit} it is unusual: {TIMES} times that spread above what is "
            "usual, or the smallest number that we look at.",
        )
    )
    return tuple(lines)


def _nl(value: float) -> str:
    return f"{round(value, 1):g}".replace(".", ",")
