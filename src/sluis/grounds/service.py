"""Loading a node's files: all or nothing for a node that starts, every finding for `sluis check`."""

from itertools import chain
from pathlib import Path

from sluis.grounds.files import Reading, read_directory
from sluis.grounds.model import Grounds
from sluis.grounds.notices import notice_consistency
from sluis.grounds.rules import LAPSED, Surroundings, consistency
from sluis.kernel import Invalid, Place, Text

UNKNOWN_IN = {
    "datasets": "unknown-dataset",
    "activities": "unknown-activity",
    "event-types": "unknown-event-type",
}
"""Findings that may only mean that a file in this folder could not be read; then they are not told."""


def examine(reading: Reading, around: Surroundings) -> tuple[Invalid, ...]:
    """Every problem in what was read: of the files one by one, then of the files together, by file and line."""
    documents = {id(one.item): one.document for one in reading.written}
    unread = {Path(one.place.file).parent.name for one in reading.problems if one.place}
    silent = {code for folder, code in UNKNOWN_IN.items() if folder in unread}
    together = [
        fault.problem(documents[id(item)])
        for item, fault in chain(
            consistency(reading.grounds, around), notice_consistency(reading.grounds, around)
        )
        if fault.code not in silent
    ]
    return tuple(sorted([*reading.problems, *together], key=_place))


def load_grounds(directory: Path, around: Surroundings) -> Grounds:
    """The items of a node directory.

    Args:
        directory: the node directory.
        around: what the files are held against.
    Raises: Invalid, the first problem there is, saying how many there are; what has merely expired does not count.
    """
    reading = read_directory(directory)
    refuse_any([one for one in examine(reading, around) if one.code not in LAPSED])
    return reading.grounds


def refuse_any(problems: list[Invalid]) -> None:
    """Raise the first of `problems`, with their number and the command that shows them all; nothing when empty."""
    if not problems:
        return
    first, more = problems[0], len(problems) - 1
    if not more:
        raise first
    place = first.place or Place("")
    raise Invalid(
        first.code,
        first.what,
        first.why,
        Text(
            f"{first.next.nl} Andere problemen: {more}; `sluis check` toont ze alle.",
            f"{first.next.en} Other problems: {more}; `sluis check` shows them all.",
        ),
        place=place,
    )


def _place(problem: Invalid) -> tuple[str, int]:
    return (problem.place.file, problem.place.line) if problem.place else ("", 0)
