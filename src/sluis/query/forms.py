"""From what an official ticks and fills in to a question in SQL. Pure: a tree is built, and no text is ever put together, so
that whatever stands in a field can only be the value of a parameter.

The first dataset that has somebody in it is where the question begins; each other is joined to what is there, on a key that
both have. A condition on a joined dataset stands in its join: a row that does not meet it leaves its cells empty and drops
nobody else's.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlglot import exp

from sluis.grounds import Offer, OfferedColumn
from sluis.kernel import Invalid, Text

Dataset = tuple[str, str]
Spot = tuple[str, str, str]
"""A column: name of its owner, of the dataset, and its own."""

CONDITIONS = 5
"""That the form has room for."""
MOST_COLUMNS = 200
MOST_LINKS = 20  # that are proposed for one dataset

OPERATORS: dict[str, tuple[type[exp.Expression], Text]] = {
    "eq": (exp.EQ, Text("is", "is")),
    "ne": (exp.NEQ, Text("is niet", "is not")),
    "lt": (exp.LT, Text("is kleiner dan", "is less than")),
    "le": (exp.LTE, Text("is hoogstens", "is at most")),
    "gt": (exp.GT, Text("is groter dan", "is more than")),
    "ge": (exp.GTE, Text("is minstens", "is at least")),
    "null": (exp.Is, Text("is leeg", "is empty")),
    "filled": (exp.Not, Text("is gevuld", "is not empty")),
}
"""Of a condition, by the value of its field."""

_WRITTEN = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "null": "is null", "filled": "is not null"}  # fmt: skip
_NUMBERS = ("BIGINT", "INTEGER", "DOUBLE", "DECIMAL")
_PART = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_DUTCH_DAY = re.compile(r"(\d{1,2})[-/](\d{1,2})[-/](\d{4})", re.ASCII)
_THOUSANDS = re.compile(r"-?\d{1,3}(\.\d{3})+(,\d+)?", re.ASCII)


class Condition(msgspec.Struct, frozen=True):
    """Something that must hold of a column: `operator` is a key of `OPERATORS`, `place` the number of its field."""

    place: int
    column: Spot
    operator: str


class Wish(msgspec.Struct, frozen=True):
    """What was ticked and filled in, without any value."""

    columns: tuple[Spot, ...] = ()
    links: Mapping[Dataset, tuple[str, Spot]] = {}
    """Per dataset the column of its own by which it is joined, and the column that this equals."""
    conditions: tuple[Condition, ...] = ()


class Link(msgspec.Struct, frozen=True):
    """A way to join a dataset: its own column, and the one of another dataset that this equals."""

    own: str
    other: Spot

    @property
    def written(self) -> str:
        """As the value of a field."""
        return f"{self.own}={'.'.join(self.other)}"


class Parameter(msgspec.Struct, frozen=True):
    """A value that the question needs: its name in the SQL, the column that it is compared with, and the number of the
    condition that it is of; 0 for the key."""

    name: str
    column: Spot
    type: str
    place: int


class Made(msgspec.Struct, frozen=True):
    """The question as SQL, what it needs, and by what each dataset was joined."""

    sql: str
    parameters: tuple[Parameter, ...]
    joined: tuple[tuple[Dataset, Link], ...]
    grouped: bool


def wish_in(form: Mapping[str, str]) -> Wish:
    """What the fields of a form say. Fields: `c.OWNER.DATASET.COLUMN`, `j.OWNER.DATASET`, `wN.column`, `wN.is`.

    What has not that form counts as not filled in; whether it exists, `make` looks at.
    """
    columns = [spot for name in form if name.startswith("c.") and (spot := spot_in(name[2:]))]
    links: dict[Dataset, tuple[str, Spot]] = {}
    for name, value in form.items():
        parts = name.split(".")
        if parts[0] != "j" or len(parts) != 3:
            continue
        own, _, other = value.partition("=")
        spot = spot_in(other)
        if spot and _PART.fullmatch(own):
            links[parts[1], parts[2]] = (own, spot)
    conditions = []
    for place in range(1, CONDITIONS + 1):
        column, operator = spot_in(form.get(f"w{place}.column", "")), form.get(f"w{place}.is", "")
        if column and operator in OPERATORS:
            conditions.append(Condition(place, column, operator))
    return Wish(tuple(columns[:MOST_COLUMNS]), links, tuple(conditions))


def spot_in(text: str) -> Spot | None:
    """`owner.dataset.column` as a spot; None when it is none."""
    parts = text.split(".")
    if len(parts) != 3 or not all(_PART.fullmatch(part) for part in parts):
        return None
    return parts[0], parts[1], parts[2]


class Keys:
    """By which columns datasets can be joined to each other, found without comparing each with each.

    Args:
        offers: among which.
    """

    def __init__(self, offers: Iterable[Offer]) -> None:
        self._of: dict[tuple[str, str], list[tuple[Offer, OfferedColumn]]] = {}
        for offer in offers:
            for column in _joinable(offer):
                for key in {column.name, column.concept or column.name, column.name.rpartition("_")[2]}:
                    self._of.setdefault((key, column.type), []).append((offer, column))

    def links(self, offer: Offer) -> tuple[Link, ...]:
        """The ways in which a dataset can be joined to another, other than that both are about the same person: on what is one
        concept, on what has one name and says which row it is, and as `bsn` to `partner_bsn`."""
        found: dict[Link, int] = {}
        for mine in _joinable(offer):
            for key in dict.fromkeys((mine.concept or mine.name, mine.name)):
                for other, theirs in self._of.get((key, mine.type), ()):
                    rank = _alike(offer, mine, other, theirs) if other is not offer else None
                    if rank and len(found) < MOST_LINKS:
                        found.setdefault(_link_to(mine, other, theirs), rank)
        return tuple(sorted(found, key=lambda link: found[link]))


def _link_to(mine: OfferedColumn, other: Offer, theirs: OfferedColumn) -> Link:
    return Link(mine.name, (other.alias, other.dataset, theirs.name))


def _joinable(offer: Offer) -> list[OfferedColumn]:
    masked = offer.disclosure.masks
    return [one for one in offer.columns if one.role in ("output", "join") and one.name not in masked]


def _alike(offer: Offer, mine: OfferedColumn, other: Offer, theirs: OfferedColumn) -> int | None:
    """How near two columns are to one key: 0 the person in both, then one concept, one name, and `partner_bsn` to `bsn`."""
    own, subject = offer.subject, other.subject
    if mine.type != theirs.type:
        return None
    mine_is, theirs_is = (
        (own is not None and own.column == mine.name), (subject is not None and subject.column == theirs.name),
    )  # fmt: skip
    if own and subject and mine_is and theirs_is:
        return 0 if own.type == subject.type else None
    if mine.concept and mine.concept == theirs.concept:
        return 1
    if own and mine_is and theirs.name.endswith(f"_{mine.name}"):
        return 2
    keyed = mine.name in offer.key or theirs.name in other.key
    return 3 if keyed and mine.name == theirs.name and not (mine_is or theirs_is) else None


def make(wish: Wish, offers: Sequence[Offer], keyed: bool) -> Made:
    """The question that was wished for.

    Args:
        wish: what was ticked.
        offers: all that is open for the activity, in the order of the page.
        keyed: whether it is about one person, or one thing, whose key will be given.

    Raises:
        Invalid: nothing was ticked, a column is not open for this, or a dataset has no key in common with the others.
    """
    known = {(offer.alias, offer.dataset): offer for offer in offers}
    _check(wish, known)
    grouped = any(known[one[:2]].disclosure.aggregate for one in wish.columns)
    used = [name for name in known if name in wished(wish)]
    if not used:
        raise _wrong("nothing-ticked", "Er is nog niets aangekruist.", "Nothing is ticked yet.",
                     "Kruis aan welke gegevens u nodig hebt.", "Tick which data you need.", "columns")  # fmt: skip
    base, joined = _joined(used, wish, known)
    names = _names([base, *(dataset for dataset, _ in joined)])
    parameters = _Parameters()
    select = exp.Select().from_(_table(base, names))
    on = {dataset: list[exp.Expression]() for dataset, _ in joined}
    where: list[exp.Expression] = []
    subject = known[base].subject
    if keyed and subject is not None and not grouped:
        spot = (*base, subject.column)
        where.append(exp.EQ(this=_column(spot, names), expression=parameters.add(spot, known, 0)))
    for condition in wish.conditions:
        home = on.get(condition.column[:2], where) if not grouped else where
        home.append(_condition(condition, names, parameters, known))
    for dataset, link in joined:
        key = exp.EQ(this=_column((*dataset, link.own), names), expression=_column(link.other, names))
        kind = "inner" if grouped else "left"
        select = select.join(_table(dataset, names), on=exp.and_(key, *on[dataset]), join_type=kind)
    select = _shown(select, wish, known, names, grouped)
    if where:
        select = select.where(exp.and_(*where))
    return Made(select.sql(dialect="duckdb", pretty=True), tuple(parameters.all), tuple(joined), grouped)


def read_value(text: str, kind: str) -> Any:
    """What was typed as the value of a parameter, from Dutch notation where that differs: days, amounts, yes and no.

    Args:
        text: of the field.
        kind: DuckDB type of the parameter.

    Returns the text that `statement.bind` takes; it is what says whether that is right.
    """
    text = text.strip()
    if kind == "DATE" and (day := _DUTCH_DAY.fullmatch(text)):
        return f"{day[3]}-{int(day[2]):02}-{int(day[1]):02}"
    if kind == "BOOLEAN":
        return {"ja": "true", "nee": "false", "yes": "true", "no": "false"}.get(text.lower(), text)
    if kind.startswith(_NUMBERS):
        if _THOUSANDS.fullmatch(text):
            text = text.replace(".", "")
        return text.replace(",", ".")
    return text


def wished(wish: Wish) -> set[Dataset]:
    """The datasets of a wish, and those by which one of them is joined."""
    used = {spot[:2] for spot in wish.columns} | {one.column[:2] for one in wish.conditions}
    while more := {wish.links[one][1][:2] for one in used if one in wish.links} - used:
        used |= more
    return used


def _joined(
    used: Sequence[Dataset], wish: Wish, known: Mapping[Dataset, Offer]
) -> tuple[Dataset, list[tuple[Dataset, Link]]]:
    """Where the question begins, and what is joined to it in order."""
    free = [one for one in used if one not in wish.links] or list(used)
    base = next((one for one in free if known[one].subject), free[0])
    there, joined, waiting = [base], list[tuple[Dataset, Link]](), [one for one in used if one != base]
    while waiting:
        found = next(
            ((one, link) for one in waiting if (link := _link(one, there, wish, known)) is not None), None
        )
        if found is None:
            names = ", ".join(f"{alias}.{dataset}" for alias, dataset in waiting)
            raise _wrong(
                "no-shared-key", f"{names} heeft geen sleutel gemeen met de rest.", f"{names} has no key in common with the rest.",
                "Kies een koppeling, of stel er een vraag apart over.", "Choose how to join it, or ask about it by itself.",
                f"j.{waiting[0][0]}.{waiting[0][1]}",
            )  # fmt: skip
        joined.append(found)
        there.append(found[0])
        waiting.remove(found[0])
    return base, joined


def _link(
    dataset: Dataset, there: Sequence[Dataset], wish: Wish, known: Mapping[Dataset, Offer]
) -> Link | None:
    """The way that was chosen, or the one that fits best, to what is there."""
    offer = known[dataset]
    if dataset in wish.links:
        own, other = wish.links[dataset]
        there = [one for one in there if one == other[:2]]
        wanted = Link(own, other)
        return wanted if wanted in (link for _, link in _all_links(offer, there, known)) else None
    mine = offer.subject
    for name in there:  # nearly always
        theirs = known[name].subject
        if (
            mine
            and theirs
            and mine.type == theirs.type
            and mine.column in _open(offer)
            and theirs.column in _open(known[name])
        ):
            return Link(mine.column, (*name, theirs.column))
    return min(_all_links(offer, there, known), key=lambda one: one[0], default=(0, None))[1]


def _open(offer: Offer) -> set[str]:
    return {one.name for one in _joinable(offer)}


def _all_links(
    offer: Offer, there: Sequence[Dataset], known: Mapping[Dataset, Offer]
) -> Iterator[tuple[int, Link]]:
    for name in there:
        for mine in _joinable(offer):
            for theirs in _joinable(known[name]):
                rank = _alike(offer, mine, known[name], theirs)
                if rank is not None:
                    yield rank, _link_to(mine, known[name], theirs)


def _names(datasets: Sequence[Dataset]) -> dict[Dataset, str]:
    """A short name for each: that of the dataset, with its owner's before it where two have the same."""
    count: dict[str, int] = {}
    for _, dataset in datasets:
        count[dataset] = count.get(dataset, 0) + 1
    return {
        (alias, dataset): dataset if count[dataset] == 1 else f"{alias}_{dataset}"
        for alias, dataset in datasets
    }


def _identifier(name: str) -> exp.Identifier:
    """Quoted, where it is a word that SQL reads otherwise."""
    return exp.to_identifier(name, quoted=name.upper() in _RESERVED)


def _table(dataset: Dataset, names: Mapping[Dataset, str]) -> exp.Table:
    return exp.Table(
        this=_identifier(dataset[1]), db=_identifier(dataset[0]),
        alias=exp.TableAlias(this=_identifier(names[dataset])),
    )  # fmt: skip


def _column(spot: Spot, names: Mapping[Dataset, str]) -> exp.Column:
    return exp.Column(this=_identifier(spot[2]), table=_identifier(names[spot[:2]]))


def _shown(
    select: exp.Select, wish: Wish, known: Mapping[Dataset, Offer], names: Mapping[Dataset, str], grouped: bool
) -> exp.Select:  # fmt: skip
    """The columns; of groups how many there are, and of numbers the average."""
    taken: dict[str, int] = {}
    for spot in wish.columns:
        taken[spot[2]] = taken.get(spot[2], 0) + 1
    if not grouped:
        for spot in wish.columns:
            name = spot[2] if taken[spot[2]] == 1 else f"{names[spot[:2]]}_{spot[2]}"
            column = _column(spot, names)
            select = select.select(column if name == spot[2] else exp.alias_(column, _identifier(name)))
        return select
    numbers = [spot for spot in wish.columns if _offered(known, spot).type.startswith(_NUMBERS)]
    groups = [spot for spot in wish.columns if spot not in numbers]
    for spot in groups:
        select = select.select(_column(spot, names)).group_by(_column(spot, names))
    select = select.select(exp.alias_(exp.Count(this=exp.Star()), "aantal"))
    for spot in numbers:
        name = f"gemiddeld_{spot[2]}" if taken[spot[2]] == 1 else f"gemiddeld_{names[spot[:2]]}_{spot[2]}"
        select = select.select(exp.alias_(exp.Avg(this=_column(spot, names)), name))
    return select


def _condition(
    condition: Condition, names: Mapping[Dataset, str], parameters: "_Parameters", known: Mapping[Dataset, Offer]
) -> exp.Expression:  # fmt: skip
    column, kind = _column(condition.column, names), OPERATORS[condition.operator][0]
    if condition.operator == "null":
        return exp.Is(this=column, expression=exp.Null())
    if condition.operator == "filled":
        return exp.Not(this=exp.Is(this=column, expression=exp.Null()))
    return kind(this=column, expression=parameters.add(condition.column, known, condition.place))


class _Parameters:
    """Those of a question, each under a name of its own."""

    def __init__(self) -> None:
        self.all: list[Parameter] = []

    def add(self, column: Spot, known: Mapping[Dataset, Offer], place: int) -> exp.Placeholder:
        taken = {one.name for one in self.all} | {"today"}
        name = next(name for name in _numbered(column[2]) if name not in taken)
        self.all.append(Parameter(name, column, _offered(known, column).type, place))
        return exp.Placeholder(this=name)


def _numbered(name: str) -> Iterator[str]:
    name = name if not name.startswith("sluis_") else f"v_{name}"
    yield name
    number = 2
    while True:
        yield f"{name}_{number}"
        number += 1


def _offered(known: Mapping[Dataset, Offer], spot: Spot) -> OfferedColumn:
    return next(column for column in known[spot[:2]].columns if column.name == spot[2])


def _check(wish: Wish, known: Mapping[Dataset, Offer]) -> None:
    """Hold a wish against what is open. Raises `Invalid`."""
    for spot in wish.columns:
        if _role(known, spot) != "output":
            raise _not_open(spot, "columns")
    for one in wish.conditions:
        if not allows(known, one.column, one.operator):
            raise _not_open(one.column, f"w{one.place}.column")
    for dataset, (_, other) in wish.links.items():
        if dataset in wished(wish) and (dataset not in known or other[:2] not in known):
            raise _not_open(other, f"j.{dataset[0]}.{dataset[1]}")


def allows(known: Mapping[Dataset, Offer], spot: Spot, operator: str) -> bool:
    """Whether a column may be in a condition with this operator."""
    role = _role(known, spot)
    if role != "filter":
        return role == "output"
    rule = known[spot[:2]].disclosure.filters.get(spot[2])
    return rule is None or _WRITTEN[operator] in rule.operators


def _role(known: Mapping[Dataset, Offer], spot: Spot) -> str | None:
    offer = known.get(spot[:2])
    return next((one.role for one in offer.columns if one.name == spot[2]), None) if offer else None


def _not_open(spot: Spot, field: str) -> Invalid:
    name = ".".join(spot)
    return _wrong(
        "column-not-open", f"{name} is hiervoor niet open.", f"{name} is not open for this.",
        "Kies een gegeven van deze pagina, en een vergelijking die daarbij mag.", "Choose data of this page, and a comparison that it allows.",
        field,
    )  # fmt: skip


def _wrong(code: str, nl: str, en: str, next_nl: str, next_en: str, field: str) -> Invalid:
    what = Text("Hier is nog geen vraag van te maken.", "No question can be made of this yet.")
    return Invalid(code, what, Text(nl, en), Text(next_nl, next_en), field=field)


_RESERVED = frozenset(
    "ALL ANALYSE ANALYZE AND ANY ARRAY AS ASC ASYMMETRIC BEGIN BOTH CASE CAST CHECK COLLATE COLUMN CONSTRAINT CREATE CURRENT_DATE "
    "DEFAULT DEFERRABLE DESC DESCRIBE DISTINCT DO ELSE END EXCEPT FALSE FETCH FOR FOREIGN FROM GRANT GROUP HAVING IN INITIALLY "
    "INTERSECT INTO LATERAL LEADING LIMIT LOCALTIME LOCALTIMESTAMP NOT NULL OFFSET ON ONLY OR ORDER PIVOT PLACING PRIMARY "
    "QUALIFY REFERENCES RETURNING SELECT SHOW SOME SUMMARIZE SYMMETRIC TABLE THEN TO TRAILING TRUE UNION UNIQUE UNPIVOT USING "
    "VALUES VARIADIC WHEN WHERE WINDOW WITH".split()
)
"""DuckDB's words that a column may not be named after without quotes."""
