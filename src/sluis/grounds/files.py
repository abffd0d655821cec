"""The files of a node directory, read into structs: `datasets/`, `activities/`, `disclosures/`, `event-types/` and
`notices/`, one item per file.

A file holds exactly the fields of the struct; only the columns of a dataset stand as tables by name, because that
reads better. Reading goes on after a problem, so that all of them can be told at once. `node.toml` is `config`'s.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import msgspec

from sluis.grounds.model import Activity, Column, Dataset, Disclosure, EventType, Grounds, Name, Notice
from sluis.grounds.rules import Item
from sluis.grounds.shape import faults
from sluis.grounds.toml import Document, read_document
from sluis.kernel import Invalid, Place, Text, convert


def _like(kind: type[msgspec.Struct], **types: Any) -> type[msgspec.Struct]:
    """A struct with the fields of `kind`, those in `types` of another type, or left out where that is None."""
    return msgspec.defstruct(
        kind.__name__,
        [
            (field.name, types.get(field.name, field.type), *(() if field.required else (field.default,)))
            for field in msgspec.structs.fields(kind)
            if types.get(field.name, field.type) is not None
        ],
    )


ColumnFile = _like(Column, name=None)
DatasetFile = _like(Dataset, columns=Annotated[dict[Name, ColumnFile], msgspec.Meta(min_length=1)])  # type: ignore[valid-type]
"""A dataset as its file writes it."""

FOLDERS: dict[str, type[Item]] = {
    "datasets": Dataset,
    "activities": Activity,
    "disclosures": Disclosure,
    "event-types": EventType,
    "notices": Notice,
}
"""What each folder of a node directory holds."""

FORMS: dict[type[Item], type[msgspec.Struct]] = {
    Dataset: DatasetFile,
    Activity: Activity,
    Disclosure: Disclosure,
    EventType: EventType,
    Notice: Notice,
}
"""The form a file has, for what it holds."""


class Written(msgspec.Struct, frozen=True):
    """An item and the file it stands in."""

    item: Item
    document: Document


class Reading(msgspec.Struct, frozen=True):
    """What was read from a directory, and every problem with the files one by one."""

    written: tuple[Written, ...]
    problems: tuple[Invalid, ...]

    @property
    def grounds(self) -> Grounds:
        """The items that could be read."""
        items = [one.item for one in self.written]
        return Grounds(
            tuple(item for item in items if isinstance(item, Dataset)),
            tuple(item for item in items if isinstance(item, Activity)),
            tuple(item for item in items if isinstance(item, Disclosure)),
            tuple(item for item in items if isinstance(item, EventType)),
            tuple(item for item in items if isinstance(item, Notice)),
        )


def read_directory(directory: Path) -> Reading:
    """Read every item file of a node directory. Does not raise for what is wrong inside: see `Reading.problems`."""
    written: list[Written] = []
    problems = list(_misnamed(directory))
    for folder, kind in FOLDERS.items():
        try:
            paths = sorted(_files(directory / folder))
        except OSError as error:
            problems.append(_closed_folder(directory / folder, error))
            continue
        for path in paths:
            one = read_item(path, kind)
            written.extend(one.written)
            problems.extend(one.problems)
    return Reading(tuple(written), tuple(problems))


def read_item(path: Path, kind: type[Item]) -> Reading:
    """Read one file that holds a `kind`."""
    try:
        document = read_document(path)
    except Invalid as problem:
        return Reading((), (problem,))
    problems = tuple(fault.problem(document) for fault in faults(document.tables, FORMS[kind]))
    if problems:
        return Reading((), problems)
    return Reading((Written(convert(_as_model(document.tables, kind), kind), document),), ())


def kind_of(path: Path) -> type[Item] | None:
    """What a single file holds, by the folder it is in; None when that says nothing."""
    return FOLDERS.get(path.absolute().parent.name)


def _as_model(tables: dict[str, Any], kind: type[Item]) -> dict[str, Any]:
    if kind is not Dataset:
        return tables
    return {**tables, "columns": [{"name": name, **rest} for name, rest in tables["columns"].items()]}


def _files(folder: Path) -> Iterator[Path]:
    """TOML files in a folder, without those an editor hides; an absent folder has none."""
    if folder.is_symlink() or folder.exists():
        yield from (
            path for path in folder.iterdir() if path.suffix == ".toml" and not path.name.startswith(".")
        )


def _misnamed(directory: Path) -> Iterator[Invalid]:
    """Folders that nobody reads, with a name so close to one that is read that it must be a slip."""
    try:
        names = sorted(path.name for path in directory.iterdir() if path.is_dir())
    except OSError as error:
        yield _closed_folder(directory, error)
        return
    for name in names:
        close = get_close_matches(name.lower(), FOLDERS, n=1, cutoff=0.8)
        if name not in FOLDERS and close:
            yield Invalid(
                "misnamed-folder",
                Text("Deze map wordt niet gelezen.", "This folder is not read."),
                Text(f"De naam lijkt op `{close[0]}`.", f"Its name is like `{close[0]}`."),
                Text(f"Noem de map `{close[0]}`, of geef haar een heel andere naam.",
                     f"Name the folder `{close[0]}`, or something quite different."),
                place=Place(str(directory / name)),
            )  # fmt: skip


def _closed_folder(folder: Path, error: OSError) -> Invalid:
    reason = error.strerror or type(error).__name__
    return Invalid(
        "unreadable-folder",
        Text("De map is niet te lezen.", "The folder cannot be read."),
        Text(f"Het systeem meldt: {reason}.", f"The system says: {reason}."),
        Text(
            "Controleer de naam, de koppelingen en de rechten.",
            "Check the name, the links and the permissions.",
        ),
        place=Place(str(folder)),
    )
