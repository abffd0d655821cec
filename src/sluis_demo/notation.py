"""Datasets and disclosures in a few words: how `organisations` writes them.

A column is written as `name:TYPE=own_name [unit]`; the type is VARCHAR and the own name the same where they are left out; `!` behind
the name marks the key, and `{…}` in the place of the own name is an expression.
"""

import re

import msgspec

from sluis.grounds import Activity, Article, Closed, Column, Dataset, Disclosure, Role, Subject
from sluis.kernel import Oin, PeerId, Text
from sluis_demo.activities import COMPANY_INSPECTION, INSPECTION, SINCE
from sluis_demo.laws import COMPANY_INSPECTION_RIGHT, INSPECTION_RIGHT
from sluis_demo.titles import TITLES

_COLUMN = re.compile(
    r"(?P<name>\w+)(?P<key>!)?(:(?P<type>\w+))?(=(?P<own>\w+|\{[^}]*\}))?( \[(?P<unit>[^]]*)\])?"
)


def dataset(
    name: str, table: str, nl: str, en: str, subject: str, *columns: str, number: str = "BSN"
) -> Dataset:
    found = [_read(column) for column in columns]
    key = tuple(one["name"] for one in found if one["key"])
    faces = tuple(map(_column, found))
    return Dataset(name, Text(nl, en), "register", table, faces, subject=Subject(subject, number), key=key)


def titled(dataset: Dataset, **titles: Text) -> Dataset:
    """With what some of its columns are called, for people who are asked for consent."""
    columns = tuple(
        msgspec.structs.replace(one, title=titles.get(one.name, one.title)) for one in dataset.columns
    )
    return msgspec.structs.replace(dataset, columns=columns)


def _read(text: str) -> re.Match[str]:
    found = _COLUMN.fullmatch(text)
    if found is None:
        raise ValueError(f"not a column: {text}")
    return found


def _column(found: re.Match[str]) -> Column:
    own = found["own"]
    computed = own[1:-1] if own and own.startswith("{") else None
    return Column(
        found["name"],
        found["type"] or "VARCHAR",
        source=None if computed else own,
        expression=computed,
        title=TITLES.get(found["name"]),
        unit=found["unit"],
        sensitivity="identifying" if found["name"].endswith("bsn") else "personal",
    )


def opens(
    dataset: Dataset,
    activity: Activity,
    owner: PeerId,
    articles: tuple[Article, ...],
    columns: str,
    **special: object,
) -> Disclosure:
    """A disclosure; `columns` are names, with `:join` or `:filter` where they may not be seen."""
    roles: dict[str, Role] = {}
    for part in columns.split():
        name, _, role = part.partition(":")
        roles[name] = "join" if role == "join" else "filter" if role == "filter" else "output"
    basis = Disclosure(
        id=f"{activity.id.rsplit('/', 1)[1]}-{dataset.name.replace('_', '-')}",
        version=1,
        dataset=dataset.name,
        recipient=PeerId(activity.controller),
        activity=activity.id,
        columns=roles,
        articles=articles,
        ground=activity.ground,
        controller=Oin(owner),
        valid=SINCE,
        max_subjects=25,
    )
    return msgspec.structs.replace(basis, **special)


def shown(dataset: Dataset, owner: PeerId, article: Article, **special: object) -> Disclosure:
    """Opens a dataset to whom it is about, a person or a company, who signed in surely and asks for themselves: everything but what is
    closed."""
    assert dataset.subject is not None
    people = dataset.subject.type == "BSN"
    activity, right = (
        (INSPECTION, INSPECTION_RIGHT) if people else (COMPANY_INSPECTION, COMPANY_INSPECTION_RIGHT)
    )
    closed: tuple[Closed, ...] = special.get("closed", ())  # type: ignore[assignment]
    shut = {name for one in closed for name in one.columns}
    columns = " ".join(one.name for one in dataset.columns if one.name not in shut)
    return opens(
        dataset, activity, owner, (right, article), columns,
        max_subjects=1, minimum_level="substantial", refuse_acr=("local",), **special,
    )  # fmt: skip


def closed(columns: str, because: Text, article: Article) -> Closed:
    return Closed(tuple(columns.split()), because, article)
