"""SQL expressions that an owner writes in a disclosure or dataset: one scalar expression over known columns.

They are put inside every question, so nothing that reads elsewhere, looks at other rows or changes from call to call
may stand in them. Dialect: DuckDB 1.5, read by sqlglot; that the functions exist is for `sluis check` to try.
"""

from collections.abc import Collection
from functools import cache

from sluis.kernel import Text

_UNSTEADY = frozenset(
    "random rand setseed gen_random_uuid uuid uuidv4 uuidv7 nextval currval now current_timestamp get_current_timestamp "
    "transaction_timestamp current_localtimestamp current_time get_current_time current_setting getvariable getenv "
    "current_user user session_user current_database current_schema current_query current_role txid_current version "
    "read_text read_blob read_csv read_json read_parquet query query_table pg_sleep error write_log sleep_ms "
    "unnest generate_subscripts columns exclude alias typeof in_search_path".split()
)


def expression_fault(text: str, columns: Collection[str] | None) -> Text | None:
    """Why `text` is not one scalar expression over `columns`; None when it is.

    Args:
        text: the expression, DuckDB dialect.
        columns: names it may use, lower case; None when they are the source's own and not known here.
    """
    from sqlglot import exp, parse
    from sqlglot.errors import SqlglotError

    try:
        trees = parse(text, read="duckdb")
    except SqlglotError as error:
        place = (getattr(error, "errors", None) or [{}])[0]
        at = place.get("col")
        return Text(
            "De SQL is niet te lezen" + (f" (bij teken {at})." if at else "."),
            "The SQL cannot be read" + (f" (at character {at})." if at else "."),
        )
    except RecursionError:
        return Text("De expressie is te diep genest.", "The expression is nested too deeply.")
    tree = trees[0] if len(trees) == 1 else None
    if (
        tree is None
        or not isinstance(tree, exp.Condition | exp.Paren | exp.Cast | exp.Interval)
        or isinstance(tree, exp.Query)
    ):
        return Text("Hier hoort precies één expressie.", "Exactly one expression belongs here.")
    for node in tree.walk():
        if isinstance(node, _forbidden()):
            kind = type(node).__name__.lower()
            return Text(
                f"Een deelvraag, aggregaat, venster of parameter mag hier niet (`{kind}`).",
                f"No subquery, aggregate, window or parameter is allowed here (`{kind}`).",
            )
        if isinstance(node, exp.Func) and not isinstance(node, exp.And | exp.Or):
            name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
            if name in _UNSTEADY:
                return Text(
                    f"De functie `{name}` mag hier niet: zij hangt van meer af dan de rij.",
                    f"The function `{name}` is not allowed here: it depends on more than the row.",
                )
        if isinstance(node, exp.Column):
            if node.table:
                return Text("Noem kolommen zonder tabel ervoor.", "Name columns without a table before them.")
            if columns is not None and node.name.lower() not in columns:
                return Text(f"De kolom `{node.name}` bestaat niet.", f"There is no column `{node.name}`.")
    return None


@cache
def _forbidden() -> tuple[type, ...]:
    from sqlglot import exp

    return (
        exp.Query, exp.AggFunc, exp.Window, exp.Filter, exp.Placeholder, exp.Parameter, exp.SessionParameter, exp.Star,
        exp.Columns, exp.Alias, exp.Aliases, exp.Table, exp.From, exp.Command, exp.DDL, exp.DML, exp.Lambda, exp.UDTF, exp.Dot,
        exp.Rand, exp.Uuid, exp.CurrentTimestamp, exp.CurrentTime, exp.CurrentUser, exp.Explode, exp.Tuple,
        exp.Exists, exp.PropertyEQ, exp.AnonymousAggFunc,
    )  # fmt: skip
