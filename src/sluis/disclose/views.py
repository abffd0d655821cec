"""What the asker's SQL really runs on: every dataset in it becomes a view with the opened columns, the owner's own
condition and the masks, so that whatever stands above, predicates included, can see nothing else. A value at the source that does
not fit its column is NULL here; that no such value counts in an answer, `fitting` sees to.

Also adds, below, the hidden columns that tell whom a row is about (`expose`). Pure: trees in, trees out.
"""

from collections.abc import Callable, Iterator, Mapping

from sqlglot import exp, parse_one

from sluis.disclose.model import BROKEN, SUBJECT, Opened, Trail
from sluis.grounds import Subject
from sluis.statement import AGGREGATES, base_tables, conjuncts, is_base, looks_aside, tied, uses

OWN_DAY = "sluis_own_day"
"""CURRENT_DATE in an owner's own expressions: this parameter. No asker's begins with `statement.parse.RESERVED`."""

Native = Mapping[str, str]
"""DuckDB type per column of a source's table, lower case."""


def install(tree: exp.Query, opened: Mapping[str, Opened], native: Mapping[str, Native]) -> exp.Query:
    """Put each dataset's view in its place. Its table is then named `source.table`.

    Args:
        tree: a qualified question; changed and given back.
        opened: per dataset name what was opened.
        native: per dataset name the types of its table at the source.
    """
    used: dict[int, list[exp.Column]] = {}
    for use in uses(tree):
        used.setdefault(id(use.table), []).append(use.node)
    for table in base_tables(tree):
        columns, one = used.get(id(table), []), opened[table.name.lower()]
        shown = _shown(one, [column.name.lower() for column in columns], native[one.dataset.name])
        if not _conditional(one) and all(isinstance(what, exp.Column) for what in shown.values()):
            _rename(table, columns, one, shown)
        else:
            below = view(one, shown, native[one.dataset.name])
            for condition in _keys(table, shown):
                below.where(condition, copy=False)
            table.replace(
                exp.Subquery(this=below, alias=exp.TableAlias(this=_identifier(table.alias_or_name)))
            )
    return tree


def _rename(
    table: exp.Table, columns: list[exp.Column], one: Opened, shown: Mapping[str, exp.Expression]
) -> None:
    """A view that only renames needs no SELECT of its own: the source's names stand in the question itself."""
    alias = table.alias_or_name
    for column in columns:
        column.set("this", shown[column.name.lower()].this.copy())
    table.set("this", _identifier(one.dataset.table))
    table.set("db", _identifier(one.dataset.source))
    table.set("alias", exp.TableAlias(this=_identifier(alias)))


def _keys(table: exp.Table, shown: Mapping[str, exp.Expression]) -> Iterator[exp.Expression]:
    """Conditions of the question that select this table's rows by keys, as conditions on the source's own columns.

    They hold above as well; below they keep rows from being fetched at all. A masked column gives none.
    """
    select = table.find_ancestor(exp.Select)
    where = select.args.get("where") if select is not None else None
    for condition in conjuncts(where.this if where else None):
        column = condition.this.unnest() if isinstance(condition, exp.EQ) else None
        if not isinstance(column, exp.Column) or column.table != table.alias_or_name:
            continue
        other = condition.expression.unnest()
        other = other.this.unnest() if isinstance(other, exp.Any) else other
        below = shown[column.name.lower()]
        if isinstance(other, exp.Placeholder) and isinstance(below, exp.Column):
            yield exp.EQ(this=below.copy(), expression=condition.expression.copy())


def view(opened: Opened, shown: Mapping[str, exp.Expression], native: Native) -> exp.Select:
    """One dataset as this asker may see it. The owner's condition looks at the real values, the asker at masked ones."""
    select = exp.select(*(exp.alias_(what.copy(), _identifier(name)) for name, what in shown.items()))
    table = exp.Table(
        this=_identifier(opened.dataset.table),
        db=_identifier(opened.dataset.source),
        alias=exp.TableAlias(this=_identifier("t")),
    )
    select = select.from_(table, copy=False)
    if opened.disclosure.rows is not None:
        condition = _over(_own(opened.disclosure.rows), opened, native)
        select = select.where(exp.paren(condition, copy=False), copy=False)
    if opened.by_consent is not None:
        select = select.where(_consented(opened, opened.by_consent, native), copy=False)
    return select


def _conditional(opened: Opened) -> bool:
    """Whether not every row of a dataset is shown."""
    return opened.disclosure.rows is not None or opened.by_consent is not None


def _consented(opened: Opened, parameter: str, native: Native) -> exp.Expression:
    """That the person a row is about is one of those who consented; the key as the source has it, unmasked."""
    assert opened.dataset.subject is not None
    subject = at_source(opened, opened.dataset.subject.column, native)
    return exp.EQ(this=subject, expression=exp.Any(this=exp.paren(exp.Placeholder(this=parameter))))


def _shown(opened: Opened, used: list[str], native: Native) -> dict[str, exp.Expression]:
    """Per column in use, at least one, what it is in terms of the source's own columns: masked where it is masked."""
    dataset, masks = opened.dataset, opened.disclosure.masks
    shown: dict[str, exp.Expression] = {}
    for name in used or [(dataset.key or (dataset.columns[0].name,))[0]]:
        if name == SUBJECT:
            assert dataset.subject is not None
            shown[name] = at_source(opened, dataset.subject.column, native)
        elif name.startswith(BROKEN):
            shown[name] = misfit(opened, name.removeprefix(BROKEN), native)
        elif name in masks:
            column = dataset.column(name)
            assert column is not None
            kind = exp.DataType.build(column.type, dialect="duckdb")
            shown[name] = exp.TryCast(this=_over(_own(masks[name]), opened, native), to=kind)
        else:
            shown[name] = at_source(opened, name, native)
    return shown


def at_source(opened: Opened, name: str, native: Native) -> exp.Expression:
    """A column of a view, unmasked, in terms of the source's own columns and of the type that the dataset declares."""
    column = opened.dataset.column(name)
    assert column is not None
    if column.expression is not None:
        found = _own(column.expression)
        for inner in list(found.find_all(exp.Column)):
            inner.replace(exp.column(_identifier(inner.name), table=_identifier("t")))
        kind = None
    else:
        source = column.source or column.name
        found = exp.column(_identifier(source), table=_identifier("t"))
        kind = native.get(source.lower())
    if kind == column.type:
        return found
    return exp.TryCast(this=found, to=exp.DataType.build(column.type, dialect="duckdb"))


def misfit(opened: Opened, name: str, native: Native) -> exp.Expression:
    """Whether a column, which is not computed, has a value at the source that does not fit its type."""
    column = opened.dataset.column(name)
    assert column is not None
    value = exp.column(_identifier(column.source or column.name), table=_identifier("t"))
    there = exp.Not(this=exp.Is(this=value, expression=exp.null()))
    return exp.paren(
        exp.And(this=there, expression=exp.Is(this=at_source(opened, name, native), expression=exp.null()))
    )


def _own(text: str) -> exp.Expression:
    """An owner's expression as a tree: casts made total, so that none fails on one row and tells it is there."""
    holder = exp.Paren(this=parse_one(text, read="duckdb"))
    for cast in list(holder.find_all(exp.Cast)):
        if type(cast) is exp.Cast and cast.find(exp.Column):
            cast.replace(exp.TryCast(this=cast.this, to=cast.to))
    for today in list(holder.find_all(exp.CurrentDate)):
        today.replace(exp.Placeholder(this=OWN_DAY))
    found: exp.Expression = holder.this
    return found if isinstance(found, exp.Column | exp.Literal) else holder


def _over(tree: exp.Expression, opened: Opened, native: Native) -> exp.Expression:
    """An expression over the dataset's columns in terms of the source's."""
    holder = exp.Paren(this=tree)
    for column in list(holder.find_all(exp.Column)):
        column.replace(at_source(opened, column.name.lower(), native))
    found: exp.Expression = holder.this
    return found


def expose(
    tree: exp.Query, opened: Mapping[str, Opened], wanted: Callable[[exp.Table], bool]
) -> tuple[exp.Query, tuple[Trail, ...]] | None:
    """Add hidden outputs that tell whom each row is about.

    Args:
        tree: a qualified question; changed.
        opened: per dataset name what was opened.
        wanted: whether the subjects of this table must be followed.

    Returns:
        the question with hidden outputs at the end, and what they are (a value, or a list of values); None when
        rows of this shape cannot be followed to the people they are about.
    """
    people = [table for table in base_tables(tree) if wanted(table)]
    if not people:
        return tree, ()
    finder = _Finder(opened, wanted)
    if isinstance(tree, exp.Union) and not _limited(tree):
        made = _expose_union(tree, finder)
    elif isinstance(tree, exp.Select):
        made = _expose_select(tree, finder)
    else:
        made = None
    followed = tied(tree, real_subjects(opened), finder.shown)
    return made if all(id(table) in followed for table in people) else None


def real_subjects(opened: Mapping[str, Opened]) -> dict[tuple[str, str], Subject | None]:
    """Per dataset its subject, None where a mask hides who it is."""
    return {
        ("", name): None if subject is None or subject.column in one.disclosure.masks else subject
        for name, one in opened.items()
        for subject in (one.dataset.subject,)
    }


def _expose_select(tree: exp.Select, finder: "_Finder") -> tuple[exp.Query, tuple[Trail, ...]] | None:
    distinct, groups = tree.args.get("distinct") is not None, _aggregates(tree)
    if distinct and groups:
        return None
    found = finder.within(tree, outermost=True)
    if found is None:
        return None
    if distinct:
        _group_instead(tree)
    for name, (value, _) in found.items():
        shown = exp.ArrayAgg(this=exp.Distinct(expressions=[value])) if distinct or groups else value
        tree.select(exp.alias_(shown, _identifier(name)), copy=False)
    return tree, tuple(Trail(name, subject) for name, (_, subject) in found.items())


_Found = dict[str, tuple[exp.Expression, Subject]]


class _Finder:
    """Finds the columns that hold subjects. `shown` are the table references (by id) that they belong to."""

    def __init__(self, opened: Mapping[str, Opened], wanted: Callable[[exp.Table], bool]) -> None:
        self._opened, self._wanted = opened, wanted
        self._subjects = real_subjects(opened)
        self._names = iter(f"trail{number}$" for number in range(1_000))
        self.shown: set[int] = set()

    def within(self, select: exp.Select, *, outermost: bool) -> _Found | None:
        """Per new name, the column of this SELECT's tables that holds a subject; None when one cannot be reached."""
        if select.args.get("with_") or (not outermost and _aggregates(select)):
            return None
        drops = not outermost or _limited(select) or select.args.get("qualify")
        if drops and looks_aside(select, self._subjects):
            return None  # what a window took from a row stays when that row goes
        found: _Found = {}
        for table, hidden in _tables(select):
            below = self._of(table, hidden)
            if below is None:
                return None
            found.update(below)
        return found

    def _of(self, table: exp.Expression, hidden: bool) -> _Found | None:
        """The subjects of one table of a SELECT; a semi or anti join hides its columns."""
        if isinstance(table, exp.Table) and is_base(table):
            subject = self._opened[table.name.lower()].dataset.subject
            if subject is None or hidden or not self._wanted(table):
                return {}
            self.shown.add(id(table))
            return {next(self._names): (exp.column(_identifier(SUBJECT), table=table.alias_or_name), subject)}
        if not isinstance(table, exp.Subquery):
            return None
        if not any(self._wanted(one) for one in base_tables(table)):
            return {}
        inner = table.unnest()
        unfit = hidden or not isinstance(inner, exp.Select) or inner.args.get("distinct")
        return None if unfit or table.alias_column_names else self._passed_on(table, inner)

    def _passed_on(self, table: exp.Subquery, inner: exp.Select) -> _Found | None:
        below = self.within(inner, outermost=False)
        for name, (value, _) in (below or {}).items():
            inner.select(exp.alias_(value, _identifier(name)), copy=False)
        if below is None:
            return None
        return {
            name: (exp.column(_identifier(name), table=table.alias), subject)
            for name, (_, subject) in below.items()
        }


def _tables(select: exp.Select) -> Iterator[tuple[exp.Expression, bool]]:
    """The tables of a SELECT, and whether a semi or anti join keeps their columns from being seen."""
    start = select.args.get("from_")
    if start is not None:
        yield start.this, False
    for join in select.args.get("joins") or ():
        yield join.this, join.kind in {"SEMI", "ANTI"}


def _expose_union(tree: exp.Union, finder: _Finder) -> tuple[exp.Query, tuple[Trail, ...]] | None:
    """Each side gets its own hidden outputs and NULL for the other's. A UNION that drops duplicates keeps, for every
    row it leaves, the subjects of all rows that were the same."""
    sides = [tree.left, tree.right]
    found: list[_Found] = []
    for side in sides:
        if (
            not isinstance(side, exp.Select)
            or side.args.get("distinct")
            or _limited(side)
            or _aggregates(side)
        ):
            return None
        one = finder.within(side, outermost=True)
        if one is None:
            return None
        found.append(one)
    outputs = [name.lower() for name in tree.named_selects]
    for side, own in zip(sides, found, strict=True):
        for name in (*found[0], *found[1]):
            value = own[name][0] if name in own else exp.null()
            side.select(exp.alias_(value, _identifier(name)), copy=False)
    trails = tuple(Trail(name, subject) for one in found for name, (_, subject) in one.items())
    if not tree.args.get("distinct"):
        return tree, trails
    tree.set("distinct", False)
    below = exp.Subquery(this=tree, alias=exp.TableAlias(this=_identifier("u$")))
    kept = [exp.column(_identifier(name), table=_identifier("u$")) for name in outputs]
    lists = [
        exp.alias_(
            exp.ArrayAgg(
                this=exp.Distinct(
                    expressions=[exp.column(_identifier(trail.column), table=_identifier("u$"))]
                )
            ),
            _identifier(trail.column),
        )
        for trail in trails
    ]
    above = exp.select(*(exp.alias_(column, _identifier(column.name)) for column in kept), *lists).from_(
        below
    )
    return above.group_by(*(column.copy() for column in kept)), trails


def _group_instead(select: exp.Select) -> None:
    """SELECT DISTINCT as the GROUP BY that gives the same rows, so that subjects can be gathered beside them."""
    select.set("distinct", None)
    select.set("group", exp.Group(expressions=[item.unalias().copy() for item in select.expressions]))


def _aggregates(select: exp.Select) -> bool:
    """Whether a SELECT makes groups: it has GROUP BY, HAVING, or an aggregate that is not a window."""
    if select.args.get("group") or select.args.get("having"):
        return True
    for item in select.expressions:
        for node in item.find_all(*AGGREGATES):
            window = node.find_ancestor(exp.Window, exp.Select)
            if not isinstance(window, exp.Window) and node.find_ancestor(exp.Select) is select:
                return True
    return False


def summarises(tree: exp.Query) -> bool:
    """Whether a question's answer holds groups instead of rows."""
    return isinstance(tree, exp.Select) and _aggregates(tree)


def _limited(tree: exp.Query) -> bool:
    return any(tree.args.get(name) for name in ("order", "limit", "offset", "with_"))


def _identifier(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)
