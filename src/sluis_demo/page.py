"""How the story looks on a terminal: headings, paragraphs, tables, and values as people write them."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Line

from sluis.cli.terminal import in_words, say
from sluis.grounds import Article
from sluis.kernel import Problem, Text
from sluis_demo.activities import ACTIVITIES
from sluis_demo.agreements import Agreed, Crossed
from sluis_demo.organisations import ORGANISATIONS
from sluis_demo.script import Offered

Answer = dict[str, Any]
SQL, BAD, GOOD, NOTE = "cyan", "bold red", "green", "yellow"
_PURPOSES = {activity.id: activity.name for activity in ACTIVITIES}
_ALIASES = {f"{one.name} ({one.oin})": one.alias for one in ORGANISATIONS}


class Page:
    """Writes on a console, 100 columns wide; `offered` knows the units of columns."""

    def __init__(self, console: Console, offered: Offered) -> None:
        self._console, self._offered = console, offered
        self._chapters = 0

    def heading(self, text: str) -> None:
        """What comes first, without a number."""
        self._console.print()
        self._console.rule(Line(text, "bold"), align="left", style="dim")

    def chapter(self, title: str) -> None:
        """The title of the next chapter: they are counted as they are told, for some may be left out."""
        self._chapters += 1
        self.heading(f"{self._chapters}. {title}")

    def write(self, text: str, style: str = "") -> None:
        """A paragraph."""
        self._console.print()
        self._indented(Line(text, style))

    def more(self, text: str, style: str = "", depth: int = 2) -> None:
        """A line that belongs to what stands above it."""
        self._indented(Line(text, style), depth)

    def table(self, names: Iterable[str], rows: Iterable[Iterable[str | Line]]) -> None:
        """A table without lines."""
        table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), pad_edge=False)
        for name in names:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(Line(cell) if isinstance(cell, str) else cell for cell in row))
        self._console.print()
        self._indented(table)

    def person(self, answer: Answer) -> None:
        """The rows about one person as lines: what it is, its value, whose it is."""
        rows = []
        for at, (column, entry) in enumerate(zip(answer["columns"], answer["provenance"], strict=True)):
            if not entry["origins"]:
                rows.append((column["name"].replace("_", " "), Line(say("ontbreekt", "missing"), BAD), "-"))
                continue
            origin = entry["origins"][0]
            values = dict.fromkeys(self._cell(answer, at, row[at]) for row in answer["rows"])
            masked = Line(say("  afgeschermd", "  masked"), NOTE) if origin.get("masked") else Line("")
            shown = Line(" / ".join(values)) + masked
            rows.append(
                (
                    column["name"].replace("_", " "),
                    shown,
                    f"{origin['owner']}.{origin['dataset']}" if origin else "-",
                )
            )
        self.table((say("gegeven", "data"), say("waarde", "value"), say("van", "from")), rows)
        for missing in answer["missing"]:
            told = Problem.from_members(missing["problem"])
            self.write(
                f"{say('Ontbreekt', 'Missing')}: {missing['owner']}. {in_words(told.what)} {in_words(told.why)}",
                BAD,
            )

    def groups(self, answer: Answer) -> None:
        """Rows that are groups."""
        names = [column["name"].replace("_", " ") for column in answer["columns"]]
        cells = ([self._cell(answer, at, value) for at, value in enumerate(row)] for row in answer["rows"])
        self.table(names, cells)

    def receipts(self, answer: Answer) -> None:
        """What each owner signed, on which articles it gave it, and how long all of it took."""
        self.write(
            say("Elke bronhouder tekende voor wat hij gaf:", "Each owner signed for what it gave:"), "bold"
        )
        rows = []
        for entry in answer["receipts"]:
            receipt = entry["receipt"]
            numbers = (
                receipt["rows"],
                receipt["subjects"],
                receipt["position"],
                f"{entry['milliseconds']:.0f}",
            )
            rows.append((entry["owner"], ", ".join(entry["datasets"]), *map(str, numbers)))
        columns = say("van dataset rijen mensen logregel ms", "from dataset rows people line ms")
        self.table(columns.split(), rows)
        self.write(say("Zij deden dat op grond van:", "They did so under:"), "bold")
        for owner, articles in self._offered.articles(answer["receipts"]).items():
            self.more(f"{owner}: {cited(articles)}")
        total = answer["timings"]["total"]
        self.write(
            say(f"Het hele antwoord kostte {total:.0f} ms.", f"The whole answer took {total:.0f} ms."), "dim"
        )

    def closed(self, answer: Answer) -> None:
        """What stays closed, by the reason and the article it stays closed on."""
        reasons: dict[str, list[str]] = {}
        for entry in answer["closed"]:
            because = in_words(msgspec.convert(entry["because"], Text)).rstrip(".")
            article = entry.get("article")
            reason = because + (f" [{article}]" if article else "")
            columns = ", ".join(entry["columns"])
            what = {"columns": columns, "values": say(f"deel van {columns}", f"part of {columns}")}
            reasons.setdefault(reason, []).append(
                f"{entry['owner']}.{entry['dataset']}: {what.get(entry['what'], say('sommige rijen', 'some rows'))}"
            )
        self.write(say("Dit bleef gesloten:", "This stayed closed:"), "bold")
        for reason, names in reasons.items():
            self.more(reason)
            self.more("; ".join(names), "dim", depth=4)

    def contracts(self, agreed: Iterable[Agreed]) -> None:
        """Each contract on a line: of whom, for what, over which datasets, and who signed."""
        rows = [
            (
                one.owner,
                in_words(_PURPOSES[one.activity]),
                ", ".join(opened.dataset for opened in one.opens),
                ", ".join(_ALIASES.get(name, name) for name in one.signed),
            )
            for one in agreed
        ]
        names = (say("van", "from"), say("doel", "purpose"), "datasets", say("getekend door", "signed by"))
        self.table(names, rows)

    def contract(self, one: Agreed) -> None:
        """What stands in a contract: per dataset the columns, with their role where nobody may see them, and the law."""
        for opened in one.opens:
            columns = ", ".join(
                name if role == "output" else f"{name} ({say('alleen om te koppelen', 'to join on only')})"
                for name, role in opened.columns.items()
            )
            self.more(f"{opened.dataset}: {columns}", depth=4)
            self.more("; ".join(opened.articles), "dim", depth=6)

    def crossed(self, lines: Iterable[Crossed]) -> None:
        """Requests under contracts, and in whose transaction logs each stands."""
        rows = [(line.owner, line.transaction, say(" en ", " and ").join(line.logs)) for line in lines]
        names = (
            say("aan", "to"),
            say("transactie", "transaction"),
            say("staat in het logboek van", "stands in the log of"),
        )
        self.table(names, rows)

    def refusal(self, problem: Problem) -> None:
        """Why something was refused, on which law, and what helps."""
        self.write(f"{in_words(problem.what)} {in_words(problem.why)}", BAD)
        if problem.legal:
            self.more(say(f"Grond: {problem.legal}.", f"Ground: {problem.legal}."), "red")
        self.more(in_words(problem.next))

    def _indented(self, what: Any, depth: int = 2) -> None:
        self._console.print(Padding(what, (0, 0, 0, depth), expand=False))

    def _cell(self, answer: Answer, at: int, value: Any) -> str:
        """Euros with two decimals, days the way of the language; `-` for nothing."""
        if value is None:
            return "-"
        if isinstance(value, bool):
            return say("ja", "yes") if value else say("nee", "no")
        origins = answer["provenance"][at]["origins"]
        units = {self._offered.unit(f"{one['owner']}.{one['dataset']}", one["column"]) for one in origins}
        if any(unit.startswith("eurocent") for unit in units):
            amount = f"{float(value) / 100:,.2f}"
            return "€ " + say(amount.translate(str.maketrans(",.", ".,")), amount)
        if isinstance(value, float):
            return f"{value:.1f}".replace(".", say(",", "."))
        if answer["columns"][at]["type"].startswith("date"):
            return date.fromisoformat(value).strftime(say("%d-%m-%Y", "%d %b %Y"))
        return str(value)


def cited(articles: Iterable[Article]) -> str:
    """Articles as a lawyer cites them: each law once."""
    laws: dict[str, list[str]] = {}
    for article in articles:
        laws.setdefault(article.law, []).append(
            article.article.replace(", lid", " lid").replace(", onder", " onder")
        )
    both = say(" en ", " and ")
    return "; ".join(
        f"{law}, art. {both.join(', '.join(some).rsplit(', ', 1))}" for law, some in laws.items()
    )
