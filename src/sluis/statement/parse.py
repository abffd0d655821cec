"""From SQL text to a tree that may be reasoned about: one SELECT, only what is on the allow-list, every column
named with its table. SQL means what DuckDB 1.5 says it means.

Parsing is sqlglot's; this module decides what is let in. Nothing here decides what may be *seen*: `columns` does.
"""

import difflib
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify as sqlglot_qualify
from sqlglot.schema import MappingSchema

from sluis.kernel import Invalid, Place, Text
from sluis.statement.cost import bound_resolved, bound_written

_NUMBER = re.compile(r"[0-9]{8,}")
MAX_SQL, MAX_WORDS = 65_536, 12_000
"""Characters in a question; and words and marks, a text in quotes being one."""
_WORD = re.compile(r"""'[^']*'|"[^"]*"|\w+|[^\w\s]""")
TODAY = "today"
"""CURRENT_DATE becomes this parameter, so that every owner computes with the same day."""

RESERVED = "sluis_"
"""What the names of a node's own parameters begin with, and nobody else's."""

Schema = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Per owner alias ("" on the owner's own side), per dataset, per column its DuckDB type."""

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # its warnings repeat the SQL, constants and all

_STRUCTURE = (
    exp.Select, exp.Union, exp.Intersect, exp.Except, exp.Subquery, exp.With, exp.CTE, exp.From, exp.Join, exp.Where,
    exp.Group, exp.Having, exp.Qualify, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Distinct, exp.Table,
    exp.TableAlias, exp.Column, exp.Identifier, exp.Star, exp.Alias, exp.Literal, exp.Boolean, exp.Null,
    exp.Placeholder, exp.Paren, exp.Tuple, exp.Var, exp.DataType, exp.DataTypeParam, exp.Interval,
    exp.Rollup, exp.Cube, exp.GroupingSets, exp.Window, exp.WindowSpec, exp.Filter, exp.WithinGroup,
    exp.IgnoreNulls, exp.RespectNulls,
)  # fmt: skip
_OPERATORS = (
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ,
    exp.Is, exp.In, exp.Between, exp.Like, exp.ILike, exp.Escape, exp.Exists, exp.Any, exp.Add, exp.Sub, exp.Mul,
    exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.DPipe, exp.Case, exp.If, exp.Cast, exp.TryCast,
)  # fmt: skip
_FUNCTIONS = (
    exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Concat, exp.ConcatWs, exp.Lower, exp.Upper, exp.Trim,
    exp.Length, exp.Substring, exp.Left, exp.Right, exp.Replace, exp.StartsWith, exp.EndsWith, exp.Contains,
    exp.StrPosition, exp.SplitPart, exp.Pad, exp.Reverse, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Sign, exp.Sqrt,
    exp.Extract, exp.Year, exp.Month, exp.Day, exp.Quarter, exp.Week, exp.DayOfWeek, exp.DayOfYear,
    exp.DateDiff, exp.DateTrunc, exp.TimestampTrunc, exp.DateAdd, exp.DateSub, exp.LastDay, exp.CurrentDate,
    exp.TsOrDsToDate, exp.Date,
)  # fmt: skip
_AGGREGATES = (
    exp.Count, exp.CountIf, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Stddev, exp.StddevPop, exp.StddevSamp,
    exp.Variance, exp.VariancePop, exp.Median, exp.Mode, exp.Quantile, exp.PercentileCont, exp.PercentileDisc,
    exp.GroupConcat, exp.ArrayAgg, exp.AnyValue, exp.First, exp.Last, exp.LogicalAnd, exp.LogicalOr,
    exp.ApproxDistinct, exp.Corr,
)  # fmt: skip
_WINDOW = (
    exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile, exp.Lag, exp.Lead,
    exp.FirstValue, exp.LastValue, exp.NthValue,
)  # fmt: skip
ALLOWED = frozenset((*_STRUCTURE, *_OPERATORS, *_FUNCTIONS, *_AGGREGATES, *_WINDOW))
"""Node types let in, by exact type. What is not here is refused before any source is contacted."""

AGGREGATES = _AGGREGATES
_JOIN_KINDS = {"", "INNER", "OUTER", "CROSS", "SEMI", "ANTI"}
_JOIN_SIDES = {"", "LEFT", "RIGHT", "FULL"}
_CAST_TYPES = {
    exp.DataType.Type[name]
    for name in (
        "VARCHAR TEXT CHAR BOOLEAN TINYINT SMALLINT INT BIGINT INT128 UTINYINT USMALLINT UINT UBIGINT FLOAT DOUBLE "
        "DECIMAL DATE TIMESTAMP TIMESTAMPTZ TIME INTERVAL"
    ).split()
}


class Dialect(DuckDB):  # type: ignore[misc] # sqlglot's own classes are made at run time
    """DuckDB's, without dollar-quoted text: for its beginning sqlglot takes any parameter that a `''` follows."""

    class Tokenizer(DuckDB.Tokenizer):  # type: ignore[misc]
        HEREDOC_STRINGS: ClassVar[list[str | tuple[str, str]]] = []


def _invalid(code: str, nl: str, en: str, next_nl: str, next_en: str) -> Invalid:
    return Invalid(
        code, Text("De vraag kan zo niet gesteld worden.", "The question cannot be asked like this."),
        Text(nl, en), Text(next_nl, next_en),
    )  # fmt: skip


def parse(sql: str) -> exp.Query:
    """Read one SELECT.

    Args:
        sql: the text of the question, DuckDB dialect, at most `MAX_SQL` characters and `MAX_WORDS` words; parameters are `$name`.

    Returns:
        its tree, identifiers as written, CURRENT_DATE replaced by the parameter `$today`.

    Raises:
        Invalid: `sql-too-long`, `sql-syntax`, `one-statement`, `only-select`, `not-allowed`. The text of the problem
            never repeats a constant from the question.
    """
    if len(sql) > MAX_SQL:
        raise _invalid(
            "sql-too-long", f"De vraag is langer dan {MAX_SQL} tekens.", f"The question is over {MAX_SQL} characters.",
            "Geef lange lijsten mee als parameter.", "Pass long lists as a parameter.",
        )  # fmt: skip
    if len(_WORD.findall(sql)) > MAX_WORDS:  # reading takes its time by these
        raise _invalid(
            "sql-too-long", f"De vraag heeft meer dan {MAX_WORDS} woorden en leestekens.",
            f"The question has over {MAX_WORDS} words and marks.",
            "Geef lange lijsten mee als parameter.", "Pass long lists as a parameter.",
        )  # fmt: skip
    try:
        trees = [tree for tree in sqlglot.parse(sql, read=Dialect) if tree is not None]
    except (SqlglotError, RecursionError) as error:
        line, column = _position(error)
        unreadable = _invalid(
            "sql-syntax", f"De SQL is niet te lezen (regel {line}, positie {column}).",
            f"The SQL cannot be read (line {line}, position {column}).",
            "Verbeter de SQL op die plaats.", "Mend the SQL at that place.",
        )  # fmt: skip
        unreadable.place = Place("sql", line)
        raise unreadable from None
    if len(trees) != 1:
        raise _invalid(
            "one-statement", f"Er staan {len(trees)} opdrachten in plaats van één.",
            f"There are {len(trees)} statements instead of one.",
            "Stel één vraag tegelijk.", "Ask one question at a time.",
        )  # fmt: skip
    tree = trees[0]
    if isinstance(tree, exp.Subquery) and not tree.alias:
        tree = tree.unnest()
    if not isinstance(tree, exp.Select | exp.SetOperation):
        raise _invalid(
            "only-select", "Alleen een SELECT mag; deze opdracht doet iets anders.",
            "Only a SELECT is allowed; this statement does something else.",
            "Begin de vraag met SELECT.", "Begin the question with SELECT.",
        )  # fmt: skip
    return _admit(tree.transform(_one_form, copy=False))


def _one_form(node: exp.Expression) -> exp.Expression:
    """`x = ANY (SELECT …)` is `x IN (SELECT …)`; the rest of the code knows the second."""
    if isinstance(node, exp.EQ) and isinstance(node.expression, exp.Any):
        query = node.expression.this
        if isinstance(query, exp.Query) and isinstance(query.unnest(), exp.Query):
            return exp.In(this=node.this, query=exp.Subquery(this=query.unnest()))
    return node


def _position(error: Exception) -> tuple[int, int]:
    details = getattr(error, "errors", None) or [{}]
    return int(details[0].get("line") or 1), int(details[0].get("col") or 1)


def _admit(tree: exp.Query) -> exp.Query:
    """Refuse whatever is not on the allow-list, and bring what is to one form."""
    bound_written(tree)
    for node in tree.walk():
        node.comments = None
        if type(node) not in ALLOWED:
            _refuse(_name_of(node))
        _admit_details(node)
    for node in list(tree.find_all(exp.CurrentDate)):
        node.replace(exp.Placeholder(this=TODAY))
    _admit_names({str(node.this) for node in tree.find_all(exp.Placeholder)})
    for select in tree.find_all(exp.Select):
        _expand_group_all(select)
    return tree


def _admit_names(parameters: set[str]) -> None:
    """To DuckDB `$a` and `$A` are one parameter, so that one of two values would count for both; and what a node adds itself
    must be nobody else's."""
    names = {name.lower() for name in parameters}
    own = any(name.startswith(RESERVED) for name in names)
    if own or len(names) < len(parameters) or not "".join(names).isascii():
        raise _invalid(
            "parameter-name", "De namen van de parameters kunnen zo niet.",
            "The names of the parameters cannot be like this.",
            f"Geef elke parameter een eigen naam, ook zonder hoofdletters, van letters zonder accent; niet met {RESERVED} ervoor.",
            f"Give each a name of its own, in lower case too, of letters without accents; not with {RESERVED} before it.",
        )  # fmt: skip


def _name_of(node: exp.Expression) -> str:
    """What to call a node in an error; never a constant of the question."""
    if isinstance(node, exp.Anonymous):
        name = str(node.this)
        return name.lower()[:60] if name.replace("_", "").isalnum() else "function"
    return node.sql_name().lower() if isinstance(node, exp.Func) else type(node).__name__.upper()


def _refuse(name: str) -> None:
    raise _invalid(
        "not-allowed", f"{name} mag niet in een vraag.", f"{name} is not allowed in a question.",
        "Herschrijf de vraag zonder dit onderdeel.", "Rewrite the question without it.",
    )  # fmt: skip


def _admit_details(node: exp.Expression) -> None:
    """Arguments that change what an allowed node means."""
    if isinstance(node, exp.Select):
        for name in ("into", "laterals", "pivots", "locks", "sample", "hint", "cluster", "sort", "distribute",
                     "windows", "match", "connect", "prewhere", "settings", "format", "kind", "exclude"):  # fmt: skip
            if node.args.get(name):
                _refuse(name.upper())
        distinct = node.args.get("distinct")
        if distinct is not None and distinct.args.get("on") is not None:
            _refuse("DISTINCT ON")
    elif isinstance(node, exp.With):
        if node.args.get("recursive"):
            _refuse("RECURSIVE")
    elif isinstance(node, exp.Join):
        # An ASOF, NATURAL or POSITIONAL join pairs rows by what this module does not see.
        if node.args.get("method") or node.kind not in _JOIN_KINDS or node.side not in _JOIN_SIDES:
            _refuse(f"{node.args.get('method') or node.kind or node.side} JOIN")
    elif isinstance(node, exp.Table):
        if not isinstance(node.this, exp.Identifier) or node.args.get("catalog"):
            _refuse("TABLE FUNCTION")
        if node.alias_column_names:  # renames columns by place, which nothing after this looks at
            _refuse("COLUMN ALIAS")
        for name in (
            "pivots",
            "sample",
            "joins",
            "laterals",
            "when",
            "version",
            "ordinality",
            "rows_from",
            "changes",
        ):
            if node.args.get(name):
                _refuse(name.upper())
    elif isinstance(node, exp.Any):
        if not isinstance(node.this.unnest(), exp.Placeholder) or not isinstance(node.parent, exp.EQ):
            _refuse("ANY")
    elif isinstance(node, exp.Cast):
        if node.to.this not in _CAST_TYPES or node.args.get("format"):
            _refuse("CAST")
    elif isinstance(node, exp.Placeholder):
        # What reads as `$t$a$t$` would be a parameter to us, and a constant to a database.
        if not isinstance(node.this, str) or not node.this.isidentifier():
            raise _invalid(
                "parameter-name", "Een parameter heeft hier geen naam.", "A parameter has no name here.",
                "Schrijf parameters als $naam.", "Write parameters as $name.",
            )  # fmt: skip
    elif isinstance(node, exp.Limit | exp.Offset) and not isinstance(node.expression, exp.Literal):
        _refuse("LIMIT")


def _expand_group_all(select: exp.Select) -> None:
    """GROUP BY ALL becomes the projections without aggregates, in words."""
    group = select.args.get("group")
    if group is None or not group.args.get("all"):
        return
    plain = [item.unalias().copy() for item in select.expressions if not item.find(*_AGGREGATES)]
    select.set("group", exp.Group(expressions=plain) if plain else None)


def datasets(tree: exp.Query) -> tuple[tuple[str, str], ...]:
    """The (alias, dataset) pairs a parsed question names, lower case, each once, in order of appearance.

    Names of common table expressions are not datasets.
    """
    local = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    found = [
        (table.db.lower(), table.name.lower())
        for table in tree.find_all(exp.Table)
        if table.db or table.name.lower() not in local
    ]
    return tuple(dict.fromkeys(found))


def qualify(tree: exp.Query, schema: Schema, visible: Schema) -> exp.Query:
    """Give every column its table, every table an alias, and write `*` out.

    Args:
        tree: from `parse`; not changed.
        schema: all columns of every dataset in the question, closed ones too.
        visible: those that `*` stands for, in order.

    Returns:
        a new tree: identifiers lower case, no stars but in COUNT(*), no ordinals, no USING.

    Raises:
        Invalid: `unknown-column`, `ambiguous`, with the nearest name that exists; `sql-too-long`, when it is too much
            with its common tables written out.
    """
    mapping = MappingSchema(_nested(schema, visible), visible=_nested(visible, visible), dialect="duckdb")
    try:
        qualified = sqlglot_qualify(
            tree.copy(), schema=mapping, dialect="duckdb", quote_identifiers=False, identify=False
        )
    except (SqlglotError, RecursionError) as error:
        raise _unresolved(str(error), schema) from None
    _check_resolved(qualified, schema)
    bound_resolved(qualified)
    for cast in list(qualified.find_all(exp.Cast)):
        # A cast that fails on a value would tell that the value is there: casts of columns are the total ones.
        if type(cast) is exp.Cast and cast.find(exp.Column):
            cast.replace(exp.TryCast(this=cast.this, to=cast.to))
    assert isinstance(qualified, exp.Query)
    return qualified


def _nested(schema: Schema, visible: Schema) -> dict[str, Any]:
    """The form sqlglot takes, what `*` stands for first; without the owner's level on the owner's own side."""
    tables: dict[str, Any] = {
        owner: {name: {**visible[owner][name], **columns} for name, columns in datasets.items()}
        for owner, datasets in schema.items()
    }
    own: dict[str, Any] = tables.pop("", {})
    return own or tables


def _names(schema: Schema) -> list[str]:
    return sorted({name for tables in schema.values() for columns in tables.values() for name in columns})


def _unresolved(message: str, schema: Schema) -> Invalid:
    parts = message.split("'")
    name = parts[1].lower() if len(parts) > 2 else ""
    if name in _names(schema):
        return _invalid(
            "ambiguous-column",
            f"De kolom {name} staat in meer dan één tabel van de vraag, of in geen ervan.",
            f"Column {name} stands in more than one table of the question, or in none of them.",
            "Zet de naam van de tabel ervoor.",
            "Put the name of the table before it.",
        )
    return unknown("unknown-column", "kolom", "column", name, _names(schema))


def unknown(code: str, kind_nl: str, kind_en: str, name: str, known: Iterable[str]) -> Invalid:
    """The problem of a name that does not exist, with the nearest names that do.

    Args:
        code: of the problem.
        kind_nl, kind_en: what people call what it would name.
        name: as the asker wrote it; it is shown when it looks like a name.
        known: names that there are.
    """
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    shown = name if name.replace("_", "").replace(".", "").isalnum() and len(name) <= 80 else "?"
    return _invalid(
        code, f"De {kind_nl} {shown} bestaat niet in deze verwerkingsactiviteit.", f"There is no {kind_en} {shown} in this activity.",
        f"Bedoelt u {', '.join(near)}?" if near else "Zie met `sluis activity show` wat er wel is.",
        f"Did you mean {', '.join(near)}?" if near else "See with `sluis activity show` what there is.",
    )  # fmt: skip


def _check_resolved(tree: exp.Query, schema: Schema) -> None:
    """sqlglot lets a few things pass unresolved; none may reach an owner.

    Resolving also makes new kinds of node: the name of a table where a column is expected is its whole row, closed
    columns and all, and a name with a dot too many is a field of a column.
    """
    for node in tree.walk():
        if type(node) not in ALLOWED:
            raise _invalid(
                "whole-row", "Een tabelnaam of een veld van een kolom staat waar een kolom hoort.",
                "The name of a table, or a field of a column, stands where a column belongs.",
                "Noem de kolom: tabel.kolom.", "Name the column: table.column.",
            )  # fmt: skip
        if isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
            _refuse("*")
        if isinstance(node, exp.Join) and node.args.get("using"):
            _refuse("USING")
    for column in tree.find_all(exp.Column):
        if not column.table and not _orders_output(column):
            raise unknown("unknown-column", "kolom", "column", column.name.lower(), _names(schema))


def _orders_output(column: exp.Column) -> bool:
    """Whether a name without table is an output column that an ORDER BY sorts on."""
    order = column.find_ancestor(exp.Order)
    query = order.parent if order is not None else None
    return isinstance(query, exp.Query) and column.name.lower() in {
        name.lower() for name in query.named_selects
    }


def text(tree: exp.Expression) -> str:
    """The SQL of a tree, in DuckDB dialect, on one line."""
    return str(tree.sql(dialect="duckdb", comments=False))


def shape(tree: exp.Expression) -> str:
    """The SQL of a tree with every constant replaced by `?`, and every row of digits in a name, which may be somebody's
    number: fit for a log."""
    copy = tree.copy()
    for literal in copy.find_all(exp.Literal):  # in place: replacing each of a long list takes its square
        literal.set("this", "?")
        literal.set("is_string", False)
    return _NUMBER.sub("?", text(copy))


def output_names(tree: exp.Query) -> Sequence[str]:
    """The names of the answer's columns, in order."""
    return [name.lower() for name in tree.named_selects]
