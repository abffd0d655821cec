"""The story of one benefit application, told with the same requests that anybody's node takes.

Each chapter asks something and shows it. With `--json` nothing is shown, and what the chapters found becomes one
document. A chapter for which there is no data, or whose owner is down, says so and is skipped.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Line

from sluis.cli.local import call
from sluis.cli.terminal import in_words, say
from sluis.kernel import Problem, Text
from sluis_demo import script
from sluis_demo.evidence import tampering_found, verified, who_looked
from sluis_demo.organisations import ACTIVITIES, BENEFIT, PARKING, POVERTY
from sluis_demo.people import DISTRICTS
from sluis_demo.run import Running

CASE = "Z-2026-0001"
WIDTH = 100
Answer = dict[str, Any]


class Story:
    """One telling. `found` fills up with what `--json` prints."""

    def __init__(self, running: Running, console: Console) -> None:
        self.running, self.console = running, console
        self.federation = running.federation
        self.offered = script.Offered(running.federation)
        self.bsn = running.federation.applicant
        self.found: dict[str, Any] = {}

    def tell(self) -> dict[str, Any]:
        """Tell every chapter in turn. Raises: Problem when the main question itself gets no answer."""
        chapters: tuple[Callable[[], None], ...] = (
            self.opening,
            self.application,
            self.partner,
            self.purpose,
            self.groups,
            self.refusal,
            self.secret_address,
            self.citizen,
            self.tampering,
        )
        for chapter in chapters:
            chapter()
        return self.found

    def opening(self) -> None:
        """Who takes part, and that nobody of it exists."""
        federation, seconds = self.federation, self.running.started_in
        self.heading(
            say(
                "Sluis: één vraag, meer organisaties, één wet tegelijk", "Sluis: one question, several owners"
            )
        )
        self.write(
            say(
                f"{len(federation.places)} organisaties, {federation.rows:,} rijen, klaar in {seconds:.1f} s. "
                "Alles is verzonnen: mensen, BSN's, bedrijven en kentekens.",
                f"{len(federation.places)} organisations, {federation.rows:,} rows, ready in {seconds:.1f} s. "
                "All of it is invented: people, BSNs, companies and number plates.",
            ).replace(",", ".", 1)
        )
        for alias in self.running.down:
            self.write(
                say(f"{alias} doet niet mee (--down).", f"{alias} does not take part (--down)."), "bold red"
            )

    def application(self) -> None:
        """The question over all owners, what came back, from whom, and what stayed closed."""
        sql = script.question(script.ABOUT_THE_APPLICANT, self.offered)
        if sql is None:
            return self.left_out(
                say("de aanvraag", "the application"), say("gegevens van RvIG", "data of RvIG")
            )
        articles = ", ".join(str(article) for article in BENEFIT.articles)
        self.heading(say("1. Een aanvraag voor bijstand", "1. An application for social assistance"))
        self.write(
            say(
                "Iemand vraagt bijstand aan in Sluiswijk. De medewerker stelt één vraag, voor één zaak en één doel.",
                "Somebody in Sluiswijk applies for assistance. The official asks one question, for one case and purpose.",
            )
        )
        self.write(f"{in_words(BENEFIT.name)} ({articles}); {say('zaak', 'case')} {CASE}", "dim")
        self.write(sql, "cyan")
        answer = self.ask(sql, partial=bool(self.running.down))
        self.show_person(answer)
        self.show_receipts(answer)
        self.show_closed(answer)
        kept = ("question", "columns", "rows", "provenance", "receipts", "closed", "timings")
        self.found.update({name: answer[name] for name in kept})
        self.found["timings"] |= {"ready": round(self.running.started_in * 1000, 1)}

    def partner(self) -> None:
        """A join on a number that the asker may not see, and what happens when it asks for that number."""
        title = say(
            "2. Een nummer dat de gemeente niet mag zien", "2. A number that the municipality may not see"
        )
        sql = script.question(script.ABOUT_THE_PARTNER, self.offered, key="partner_bsn")
        if not self.can_ask(title, sql, "rvig", "belastingdienst"):
            return
        self.write(
            say(
                "Het inkomen van de partner telt mee. RvIG weet wie dat is, maar geeft het nummer verzegeld door:\n"
                "alleen de andere eigenaren kunnen het openen. De gemeente koppelt, en ziet het niet.",
                "The partner's income counts. RvIG knows who that is, and passes the number on sealed: only the other\n"
                "owners can open it. The municipality joins, and does not see it.",
            )
        )
        self.write(sql or "", "cyan")
        self.show_person(self.ask(sql or "", partial=bool(self.running.down)))
        self.show_refusal(
            say("En wie het nummer zelf vraagt:", "And whoever asks for the number itself:"),
            script.PARTNER_NUMBER,
        )

    def purpose(self) -> None:
        """The same column for another purpose."""
        title = say("3. Hetzelfde gegeven, een ander doel", "3. The same data, another purpose")
        if not self.can_ask(
            title, script.PLATE if self.offered.opens("rdw.voertuigen", ["kenteken"]) else None, "rdw"
        ):
            return
        masked, whole = self.ask(script.PLATE), self.ask(script.PLATE, PARKING.id)
        for activity, answer in ((BENEFIT, masked), (PARKING, whole)):
            plates = ", ".join(str(row[0]) for row in answer["rows"])
            self.write(f"{in_words(activity.name):<36}{say('kenteken', 'number plate')} {plates}")

    def groups(self) -> None:
        """Groups instead of people; small groups are not there."""
        title = say("4. Groepen in plaats van mensen", "4. Groups instead of people")
        open_to_count = self.offered.opens("belastingdienst.inkomen", ["wijk"], POVERTY.id)
        if not self.can_ask(title, script.POVERTY_PER_DISTRICT if open_to_count else None, "belastingdienst"):
            return
        self.write(
            say(
                "Voor armoedebeleid hoeft niemand namen te zien. Groepen van minder dan tien mensen blijven weg.",
                "Poverty policy needs nobody's name. Groups of fewer than ten people are left out.",
            )
        )
        self.write(script.POVERTY_PER_DISTRICT, "cyan")
        answer = self.ask(script.POVERTY_PER_DISTRICT, POVERTY.id, {})
        table = Table(show_edge=False, header_style="bold")
        for column in answer["columns"]:
            table.add_column(column["name"], justify="left" if column["name"] == "wijk" else "right")
        for row in answer["rows"]:
            table.add_row(*(self.cell(answer, at, value) for at, value in enumerate(row)))
        self.indented(table)
        shown = {row[0] for row in answer["rows"]}
        absent = ", ".join(name for name, _ in DISTRICTS if name not in shown)
        if absent:
            self.write(
                say(f"Niet getoond, te klein: {absent}.", f"Not shown, too small: {absent}."), "yellow"
            )

    def refusal(self) -> None:
        """A closed column: refused, with the law, and before anyone was asked."""
        title = say("5. Een vraag die niet mag", "5. A question that is not allowed")
        closed = self.offered.closed()
        if not self.can_ask(
            title, script.SAVINGS if closed else None, *([closed[0].split(".")[0]] if closed else [])
        ):
            return
        dataset, column = closed or ("", "")
        self.show_refusal(
            "",
            script.SAVINGS if column == "spaargeld" else f"SELECT {column} FROM {dataset} WHERE bsn = $bsn",
        )

    def secret_address(self) -> None:
        """A hidden row reads as an absent one."""
        title = say("6. Een geheim adres", "6. A secret address")
        if not self.can_ask(title, script.HOME if self.federation.hidden else None, "rvig"):
            return
        answer = self.ask(script.HOME, parameters={"bsn": self.federation.hidden}, case="Z-2026-0002")
        self.show_person(answer)
        self.write(
            say(
                "Het adres is er wel, maar RvIG geeft het voor dit doel niet. Het antwoord leest hetzelfde als bij\n"
                "iemand zonder adres: ook dat het geheim is, blijft geheim.",
                "There is an address, and RvIG does not give it for this purpose. The answer reads the same as for\n"
                "somebody without one: that it is secret stays secret as well.",
            )
        )

    def citizen(self) -> None:
        """What the applicant sees: who looked, when, why."""
        self.heading(say("7. Wie keek er in mijn gegevens?", "7. Who looked at my data?"))
        looked = who_looked(self.running, self.bsn)
        purposes = {activity.id: activity for activity in ACTIVITIES}
        table = Table(show_edge=False, header_style="bold")
        for name in (
            say("tijd", "time"),
            say("logboek van", "log of"),
            say("wat", "what"),
            say("doel", "purpose"),
            say("grond", "ground"),
        ):
            table.add_column(name)
        for line in looked:
            activity = purposes[line.activity]
            moment = line.moment.astimezone().strftime("%H:%M:%S")
            table.add_row(
                moment, line.organisation, line.what, in_words(activity.name), str(activity.articles[-1])
            )
        self.indented(table)
        self.write(
            say(
                "Bij een weigering keek niemand, en staat er niets. Wie het opvroeg, staat in het besluitlogboek.",
                "Where a question was refused nobody looked, and nothing is listed.",
            )
        )
        self.found["consultations"] = [msgspec.to_builtins(line) for line in looked]

    def tampering(self) -> None:
        """Every log is whole; one changed line in a copy of one is found."""
        self.heading(say("8. Knoeien met het logboek valt op", "8. Tampering with a log is found"))
        whole = verified(self.running)
        for one in whole:
            self.write(one.sentence, "green" if one.whole else "bold red")
        tampered = tampering_found(self.running)
        self.write(tampered.what)
        self.write(tampered.sentence, "bold red")
        self.found["ledger"] = {
            "verified": [msgspec.to_builtins(one) for one in whole],
            "tampered": msgspec.to_builtins(tampered),
        }

    # How it asks and shows.

    def ask(
        self,
        sql: str,
        activity: str = BENEFIT.id,
        parameters: dict[str, Any] | None = None,
        *,
        case: str = CASE,
        partial: bool = False,
    ) -> Answer:
        """One question to the municipality's own node, as `sluis ask` does it."""
        question: dict[str, Any] = {"sql": sql, "activity": activity, "case": case}
        question["parameters"] = {"bsn": self.bsn} if parameters is None else parameters
        if partial:
            question["partial"] = "flagged"
        answer: Answer = call(self.federation.asker.directory, "POST", "/v1/questions", question).document()
        return answer

    def can_ask(self, title: str, sql: str | None, *owners: str) -> bool:
        """Show the heading; say so when there is nothing to ask, or an owner is down."""
        self.heading(title)
        absent = [owner for owner in owners if owner in self.running.down]
        if absent:
            self.left_out(title[3:], say(f"{', '.join(absent)} is er niet", f"{', '.join(absent)} is down"))
        elif sql is None:
            self.left_out(
                title[3:], say("de gegevens of de grond ontbreken", "the data or the ground is missing")
            )
        return sql is not None and not absent

    def left_out(self, what: str, why: str) -> None:
        self.write(say(f"Weggelaten: {why}.", f"Left out: {why}."), "yellow")

    def show_person(self, answer: Answer) -> None:
        """A row as lines: what it is, its value, whose it is."""
        table = Table(show_edge=False, header_style="bold", box=None, padding=(0, 2, 0, 0))
        table.add_column(say("gegeven", "data"))
        table.add_column(say("waarde", "value"), overflow="fold")
        table.add_column(say("van", "from"))
        for at, (column, entry) in enumerate(zip(answer["columns"], answer["provenance"], strict=True)):
            origin = entry["origins"][0] if entry["origins"] else {"owner": "-", "dataset": "-"}
            values = dict.fromkeys(self.cell(answer, at, row[at]) for row in answer["rows"])
            masked = Line(say("  afgeschermd", "  masked"), "yellow") if origin.get("masked") else Line("")
            table.add_row(
                column["name"].replace("_", " "),
                Line(" / ".join(values)) + masked,
                f"{origin['owner']}.{origin['dataset']}",
            )
        self.indented(table)
        for missing in answer["missing"]:
            told = Problem.from_members(missing["problem"])
            self.write(
                f"{say('Ontbreekt', 'Missing')}: {missing['owner']}. {in_words(told.what)}", "bold red"
            )

    def show_receipts(self, answer: Answer) -> None:
        """What each owner signed."""
        self.write(
            say("Elke eigenaar heeft getekend voor wat hij gaf:", "Each owner signed for what it gave:"),
            "bold",
        )
        for entry in answer["receipts"]:
            receipt = entry["receipt"]
            self.write(
                say(
                    f"{entry['owner']:<16} {receipt['rows']} rij(en) over {receipt['subjects']} mens(en), "
                    f"logregel {receipt['position']}, {entry['milliseconds']:.0f} ms",
                    f"{entry['owner']:<16} {receipt['rows']} row(s) about {receipt['subjects']} person(s), "
                    f"log line {receipt['position']}, {entry['milliseconds']:.0f} ms",
                )
            )
        total = answer["timings"]["total"]
        self.write(say(f"Alles samen: {total:.0f} ms.", f"All together: {total:.0f} ms."), "dim")

    def show_closed(self, answer: Answer) -> None:
        """What stays closed, and on which article."""
        self.write(say("Dicht bleef:", "Closed stayed:"), "bold")
        for entry in answer["closed"]:
            names = ", ".join(entry["columns"]) or say("sommige rijen", "some rows")
            because = in_words(msgspec.convert(entry["because"], Text)).rstrip(".")
            article = f" [{entry['article']}]" if entry.get("article") else ""
            self.write(f"{entry['owner']}.{entry['dataset']}: {names}. {because}{article}")

    def show_refusal(self, before: str, sql: str) -> None:
        """Ask what is closed, and show the answer to that."""
        if before:
            self.write(before)
        self.write(sql, "cyan")
        try:
            self.ask(sql)
        except Problem as problem:
            self.write(f"{in_words(problem.what)} {in_words(problem.why)}", "bold red")
            if problem.legal:
                self.write(say(f"Grond: {problem.legal}", f"Ground: {problem.legal}"), "red")
            self.write(in_words(problem.next))

    def cell(self, answer: Answer, at: int, value: Any) -> str:
        """A value as people write it: euros with two decimals, days the Dutch way."""
        if value is None:
            return "-"
        origins = answer["provenance"][at]["origins"]
        unit = (
            self.offered.unit(f"{origins[0]['owner']}.{origins[0]['dataset']}", origins[0]["column"])
            if origins
            else ""
        )
        kind = answer["columns"][at]["type"]
        if unit.startswith("eurocent") and not answer["columns"][at]["name"].startswith("mensen"):
            amount = f"{float(value) / 100:,.2f}"
            return "€ " + say(amount.translate(str.maketrans(",.", ".,")), amount)
        if kind.startswith("date"):
            return date.fromisoformat(value).strftime(say("%d-%m-%Y", "%d %b %Y"))
        if isinstance(value, bool):
            return say("ja", "yes") if value else say("nee", "no")
        return str(value)

    def heading(self, text: str) -> None:
        self.console.print()
        self.console.print(Line(text, "bold"))
        self.console.print(Line("─" * len(text), "dim"))

    def write(self, text: str, style: str = "") -> None:
        self.indented(Line(text, style))

    def indented(self, what: Any) -> None:
        self.console.print(Padding(what, (0, 0, 0, 2)))
