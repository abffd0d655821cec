"""Random tables and random questions over them, for hypothesis. Every question has one answer: where it takes a part
of its rows, the order is total over what it shows."""

from typing import Any

from hypothesis import strategies as st

COLUMNS = {"k": "INTEGER", "g": "INTEGER", "v": "BIGINT", "s": "VARCHAR", "m": "DECIMAL(8,2)"}
TABLES = ("a.p", "a.q", "b.t", "b.u", "c.w", "d.x")

_NUMBERS = ("k", "g", "v")


@st.composite
def rows(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """Rows with NULLs and duplicates; keys often match."""
    number = st.sampled_from([0, 1, 1, 2, 2, 2, 3, None])
    text = st.sampled_from([None, "", "a", "b"])
    row = st.tuples(number, number, number, text, number)
    found: list[tuple[Any, ...]] = draw(
        st.lists(row, min_size=draw(st.sampled_from([0, 3, 3, 3])), max_size=7)
    )
    return found


def tables() -> st.SearchStrategy[dict[str, tuple[dict[str, str], list[tuple[Any, ...]]]]]:
    return st.fixed_dictionaries({name: rows().map(lambda found: (COLUMNS, found)) for name in TABLES})


class Writer:
    """Writes one question. `scope` is a list of (alias, {column: type}); later lists are inner."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.count = 0
        self.ctes: dict[str, dict[str, str]] = {}

    def choose(self, options: Any) -> Any:
        return self.draw(st.sampled_from(list(options)))

    def chance(self, percent: int) -> bool:
        return bool(self.draw(st.integers(0, 99)) < percent)

    def alias(self) -> str:
        self.count += 1
        return f"r{self.count}"

    def column(self, scope: list[tuple[str, dict[str, str]]], kinds: tuple[str, ...] = ()) -> tuple[str, str]:
        found = [
            (f"{alias}.{name}", kind)
            for alias, columns in scope
            for name, kind in columns.items()
            if not kinds or kind in kinds
        ]
        return self.choose(found) if found else ("CAST(NULL AS INTEGER)", "INTEGER")

    def number(self, scope: Any) -> str:
        return self.column(scope, ("INTEGER", "BIGINT"))[0]

    def question(self) -> tuple[str, bool]:
        parts = []
        for _ in range(self.draw(st.sampled_from([0, 0, 0, 1, 2]))):
            name = f"c{len(self.ctes)}"
            sql, columns = self.query(2, [])
            self.ctes[name] = columns
            parts.append(f"{name} AS ({sql})")
        sql, columns = self.query(2, [])
        with_ = f"WITH {', '.join(parts)} " if parts else ""
        ordered = self.chance(30)
        if ordered:
            sql = f"SELECT * FROM ({sql}) AS top ORDER BY ALL"
            sql = sql.replace("ORDER BY ALL", "ORDER BY " + ", ".join(f"top.{name}" for name in columns))
            if self.chance(60):
                sql += f" LIMIT {self.draw(st.integers(0, 4))}"
                if self.chance(30):
                    sql += " OFFSET 1"
        return with_ + sql, ordered

    def query(self, depth: int, outer: Any, columns: int | None = None) -> tuple[str, dict[str, str]]:
        if depth > 0 and self.chance(15):
            left, names = self.select(depth - 1, outer, columns or 2, "INTEGER")
            right, _ = self.query_like(depth - 1, outer, len(names))
            word = self.choose(["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"])
            sql = f"{left} {word} {right}"
            if self.chance(20):
                sql = f"SELECT * FROM ({sql}) AS {self.alias()} ORDER BY ALL LIMIT 3".replace(
                    "ORDER BY ALL", "ORDER BY " + ", ".join(str(n + 1) for n in range(len(names)))
                )
            return sql, names
        return self.select(depth, outer, columns)

    def query_like(self, depth: int, outer: Any, columns: int) -> tuple[str, dict[str, str]]:
        return self.select(depth, outer, columns, "INTEGER")

    def item(self, depth: int, alias: str) -> tuple[str, dict[str, str]]:
        if self.ctes and self.chance(35):
            name = self.choose(self.ctes)
            return f"{name} AS {alias}", self.ctes[name]
        if depth > 0 and self.chance(25):
            sql, columns = self.query(depth - 1, [])
            return f"({sql}) AS {alias}", columns
        return f"{self.choose(TABLES)} AS {alias}", dict(COLUMNS)

    def select(self, depth: int, outer: Any, columns: int | None = None, kind: str | None = None) -> Any:
        scope: list[tuple[str, dict[str, str]]] = []
        alias = self.alias()
        text, names = self.item(depth, alias)
        from_ = text
        scope.append((alias, names))
        for _ in range(self.draw(st.sampled_from([0, 0, 1, 1, 2, 3] if not outer else [0, 0, 0, 1]))):
            from_ += self.join(depth, scope)
        inside = [*outer, *scope]
        where = [self.predicate(depth, scope, outer) for _ in range(self.draw(st.sampled_from([0, 1, 1, 2])))]
        if outer and self.chance(85):
            where.append(f"{self.number(scope)} = {self.number(outer)}")
        clause = f" WHERE {' AND '.join(where)}" if where else ""
        grouped = self.chance(25)
        list_, outputs, group = self.projections(depth, scope, inside, columns, kind, grouped)
        distinct = "DISTINCT " if self.chance(15) else ""
        sql = f"SELECT {distinct}{list_} FROM {from_}{clause}{group}"
        return sql, outputs

    def join(self, depth: int, scope: list[tuple[str, dict[str, str]]]) -> str:
        alias = self.alias()
        text, names = self.item(depth, alias)
        kind = self.choose(
            ["JOIN"] * 5
            + ["LEFT JOIN"] * 4
            + ["RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "SEMI JOIN", "ANTI JOIN"]
        )
        if kind == "CROSS JOIN":
            scope.append((alias, names))
            return f" CROSS JOIN {text}"
        new = [(alias, names)]
        on = [f"{self.number(scope)} = {self.number(new)}"]
        if self.chance(30):
            both = [*scope, *new]
            on.append(self.simple(self.choose([scope, new, both])))
        if kind not in ("SEMI JOIN", "ANTI JOIN"):
            scope.append((alias, names))
        return f" {kind} {text} ON {' AND '.join(on)}"

    def simple(self, scope: Any) -> str:
        column = self.number(scope)
        return str(
            self.choose(
                [
                    f"{column} = {self.draw(st.integers(0, 4))}",
                    f"{column} IN (1, 2)",
                    f"{column} IS NULL",
                    f"{column} IS NOT NULL",
                    f"{column} > {self.draw(st.integers(0, 3))}",
                    f"{column} <> {self.number(scope)}",
                    f"{column} = {self.number(scope)}",
                    f"{column} BETWEEN 1 AND 3",
                    f"COALESCE({column}, 1) = 1",
                    f"CAST({self.column(scope, ('VARCHAR',))[0]} AS VARCHAR) LIKE 'a%'",
                    f"NOT ({column} = 2)",
                ]
            )
        )

    def predicate(self, depth: int, scope: Any, outer: Any) -> str:
        if depth == 0 or self.chance(55):
            if self.chance(20):
                return f"({self.simple(scope)} OR {self.simple(scope)})"
            return self.simple(scope)
        kind = self.choose(["in", "in", "not in", "exists", "exists", "not exists", "scalar", "any", "or"])
        column = self.number(scope)
        if kind in ("in", "not in", "any", "or"):
            correlated = scope if self.chance(30) else []
            sql, _ = self.select(depth - 1, correlated, 1, "INTEGER")
            if kind == "any":
                return f"{column} = ANY ({sql})"
            if kind == "or":
                return f"({column} IN ({sql}) OR {self.simple(scope)})"
            return f"{column} {kind.upper()} ({sql})"
        if kind == "scalar":
            return f"{column} {self.choose(['=', '<', '>'])} ({self.scalar(depth - 1, scope)})"
        sql, _ = self.select(depth - 1, scope if self.chance(85) else [], 1)
        return f"{kind.upper()} ({sql})"

    def scalar(self, depth: int, outer: Any) -> str:
        """One value: an aggregate over rows that the outer ones pick."""
        alias = self.alias()
        text, names = self.item(0, alias)
        inner = [(alias, names)]
        where = f" WHERE {self.number(inner)} = {self.number(outer)}" if outer and self.chance(70) else ""
        function = self.choose(["max", "min", "sum", "count"])
        return f"SELECT {function}({self.number(inner)}) FROM {text}{where}"

    def projections(
        self, depth: int, scope: Any, inside: Any, columns: int | None, kind: str | None, grouped: bool
    ) -> tuple[str, dict[str, str], str]:
        wanted = columns or self.draw(st.integers(1, 3))
        outputs: dict[str, str] = {}
        parts: list[str] = []
        keys: list[str] = []
        kinds = ("INTEGER", "BIGINT") if kind else ()
        for number in range(wanted):
            name = f"o{number}"
            value, type_ = self.column(scope, kinds)
            if grouped and (number > 0 or self.chance(40)):
                value, type_ = self.aggregate(scope)
            elif grouped:
                keys.append(value)
            elif not kind and self.chance(12):
                value = f"CASE WHEN {self.simple(scope)} THEN {self.number(scope)} ELSE 0 END"
                type_ = "OTHER"
            elif not kind and depth > 0 and self.chance(10):
                value, type_ = f"({self.scalar(depth - 1, scope)})", "OTHER"
            elif not kind and self.chance(10):
                by = self.number(scope)
                value = self.choose(
                    [
                        f"count(*) OVER (PARTITION BY {by})",
                        f"sum({self.number(scope)}) OVER (PARTITION BY {by})",
                        f"rank() OVER (PARTITION BY {by} ORDER BY {self.number(scope)})",
                    ]
                )
                type_ = "OTHER"
            if kind:
                value = f"CAST({value} AS INTEGER)" if self.chance(50) or type_ != "INTEGER" else value
                type_ = "INTEGER"
            parts.append(f"{value} AS {name}")
            outputs[name] = type_
        group = f" GROUP BY {', '.join(keys)}" if keys else ""
        if grouped and self.chance(30):
            group += f" HAVING {self.aggregate(scope)[0]} > 1"
        return ", ".join(parts), outputs, group

    def aggregate(self, scope: Any) -> tuple[str, str]:
        column = self.number(scope)
        decimal = self.column(scope, ("DECIMAL(8,2)",))[0]
        return (
            self.choose(
                [
                    "count(*)",
                    *(f"{name}({column})" for name in ("count", "sum", "min", "max", "avg")),
                    f"count(DISTINCT {column})",
                    f"sum({decimal})",
                    f"avg({decimal})",
                ]
            ),
            "OTHER",
        )


@st.composite
def questions(draw: st.DrawFn) -> tuple[str, bool]:
    """A question, and whether the order of its rows is part of the answer."""
    return Writer(draw).question()
