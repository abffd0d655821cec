"""What the settings say of previews, held against the files of the node."""

from collections.abc import Iterator

from sluis.config.model import Config
from sluis.grounds import Grounds
from sluis.kernel import Invalid, Text


def wrong_data(config: Config, grounds: Grounds) -> Iterator[tuple[tuple[str, ...], Invalid]]:
    """What stands in the way of previews, each with the keys of the setting that it is about.

    Args:
        config: of the node.
        grounds: its files.
    """
    settings = config.data
    if settings.preview_activity is not None and grounds.activity(settings.preview_activity) is None:
        yield ("data", "preview_activity"), _no_activity()
    for place in settings.secrecy:
        name, _, column = place.partition(".")
        dataset = grounds.dataset(name)
        if dataset is None or dataset.subject is None or dataset.column(column) is None:
            yield ("data", "secrecy"), _no_column(place)


def _no_activity() -> Invalid:
    return Invalid(
        "unknown-preview-activity",
        Text("De verwerkingsactiviteit voor proefblikken is er niet.", "The processing activity for previews is not there."),
        Text("`data.preview_activity` noemt een activiteit die niet in de map `activities` staat.",
             "`data.preview_activity` names an activity that is not in the folder `activities`."),
        Text("Schrijf de activiteit, of verbeter de naam.", "Write the activity, or mend its name."),
    )  # fmt: skip


def _no_column(place: str) -> Invalid:
    return Invalid(
        "unknown-secrecy-column",
        Text(f"De kolom {place} is er niet.", f"There is no column {place}."),
        Text("`data.secrecy` noemt kolommen van datasets over personen, als `dataset.kolom`.",
             "`data.secrecy` names columns of datasets about persons, as `dataset.column`."),
        Text("Verbeter de naam.", "Mend the name."),
    )  # fmt: skip
