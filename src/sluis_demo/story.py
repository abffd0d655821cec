"""The story of one benefit application, told with the same requests that anybody's node takes.

Each chapter asks something and shows it; what the chapters found is the document of `--json`. A chapter for which
there is no data, or whose owner is down, says so and is skipped.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from sluis.cli.terminal import in_words, say
from sluis_demo import official, oneself, script, visit
from sluis_demo.activities import ACTIVITIES, BENEFIT, PARKING, POVERTY
from sluis_demo.agreements import crossed
from sluis_demo.chain import chapters
from sluis_demo.chain.cases import cases_of
from sluis_demo.chain.chapters import Beside
from sluis_demo.evidence import Looked, tampering_found, verified, who_looked, witnessed
from sluis_demo.page import BAD, GOOD, NOTE, cited
from sluis_demo.people import DISTRICTS
from sluis_demo.reception import Reception
from sluis_demo.telling import CASE, Teller

OTHER_CASE = "Z-2026-0002"


class Story(Teller):
    """One telling of the story."""

    def tell(self) -> dict[str, Any]:
        """Tell every chapter in turn. Raises: Problem when a question that should be answered is not."""
        self.opening()
        self.application()
        options = self.running.options
        cases = cases_of(options.data) if options.chain else None
        reception = Reception(self.running, cases)  # the first answer does not wait for it, nor for the chain
        chain = Beside(self.running, cases, reception)
        self.contracts()
        self.partner()
        self.purpose()
        self.groups()
        self.combined()
        self.refusal()
        self.secret_address()
        self.citizen()
        self.tampering()
        visit.tell(self, reception)
        chapters.tell(self, chain)
        official.tell(self)
        oneself.tell(self)
        return self.found

    def opening(self) -> None:
        """Who takes part, and that nobody of it exists."""
        places, rows = len(self.federation.places), f"{self.federation.rows:,}"
        seconds = f"{self.running.started_in:.1f}"
        self.page.heading(
            say("Sluis: één vraag aan meer organisaties", "Sluis: one question to several organisations")
        )
        self.page.write(
            say(
                f"{places} organisaties, elk met een eigen knooppunt en database; {rows.replace(',', '.')} rijen; klaar in "
                f"{seconds.replace('.', ',')} s.\nAlles is verzonnen: de mensen, hun BSN's, de bedrijven en de kentekens.",
                f"{places} organisations, each with its own node and database; {rows} rows; ready in {seconds} s. "
                "All of it is invented: the people, their BSNs, the companies and the number plates.",
            )
        )
        for alias in self.running.down:
            self.page.write(
                say(f"{alias} doet niet mee (--down).", f"{alias} does not take part (--down)."), BAD
            )

    def application(self) -> None:
        """The question over all owners, what came back, from whom, and what stayed closed."""
        sql = script.question(script.about_the_applicant(self.running.down), self.offered)
        if not self.can_ask(say("Een aanvraag voor bijstand", "An application for social assistance"), sql):
            return
        self.page.write(
            say(
                "Iemand in Sluiswijk vraagt bijstand aan. Wie is het, waarvan leeft het gezin, wat bezit het? "
                "Andere organisaties weten dat. De medewerker stelt één vraag, voor één zaak en één doel:",
                "Somebody in Sluiswijk applies for assistance. Who is it, what does the family live on and own? "
                "Other organisations know. The official asks one question, for one case and one purpose:",
            )
        )
        self.page.write(
            f"{in_words(BENEFIT.name)}, {say('zaak', 'case')} {CASE}. {cited(BENEFIT.articles)}.", "bold"
        )
        self.show(sql)
        if self.running.down:
            self.page.write(
                say(
                    "Er ontbreekt een bronhouder. Sluis geeft dan geen antwoord, tenzij de vraag zegt dat de rest ook goed is:",
                    "An owner is missing. Sluis then gives no answer, unless the question says that the rest will do:",
                ),
                NOTE,
            )
        answer = self.ask(sql, partial=bool(self.running.down))
        self.page.person(answer)
        self.page.receipts(answer)
        self.page.closed(answer)
        kept = ("question", "columns", "rows", "provenance", "receipts", "closed", "timings")
        self.found.update({name: answer[name] for name in kept})
        self.found["timings"]["ready"] = round(self.running.started_in * 1000, 1)

    def contracts(self) -> None:
        """What was agreed on beforehand, who signed it, and that each request under it stands in both logs."""
        agreed, asker = self.running.contracts, self.federation.asker
        self.page.chapter(say("Waarom dat mocht: contracten", "Why that was allowed: contracts"))
        self.page.write(
            say(
                "Vóór de vraag heeft Sluiswijk elke bronhouder per doel om een contract gevraagd. Zonder dat opent geen "
                "knooppunt iets. Alles gaat door een FSC-gateway, en Sluiswijk houdt de directory van de groep bij.",
                "Before the question Sluiswijk requested a contract of every owner for each purpose. Without one no node "
                "opens anything. All goes through an FSC gateway, and Sluiswijk keeps the group's directory.",
            )
        )
        self.page.contracts(agreed)
        if agreed:
            first = agreed[0]
            self.page.write(
                say(
                    f"Dit las {first.owner} voor het tekende:",
                    f"This is what {first.owner} read before it signed:",
                ),
                "bold",
            )
            self.page.contract(first)
        owners = [place for place in self.federation.places if place.alias in {one.owner for one in agreed}]
        lines = [line for owner in owners for line in crossed(asker, owner, agreed)]
        if lines:
            self.page.write(
                say(
                    "Elke deelvraag van daarnet ging onder zo'n contract, en staat aan beide kanten in het transactielogboek:",
                    "Every sub-question of just now went under such a contract, and stands in the transaction logs of both:",
                ),
                "bold",
            )
            self.page.crossed(lines)
        self.found["contracts"] = [
            msgspec.to_builtins(one)
            | {"transactions": msgspec.to_builtins([line for line in lines if line.grant == one.grant])}
            for one in agreed
        ]

    def partner(self) -> None:
        """A join on a number that the asker may not see, and what happens when it asks for that number."""
        sql = script.question(script.ABOUT_THE_PARTNER, self.offered, key="partner_bsn")
        title = say("Een nummer dat de gemeente niet mag zien", "A number that the municipality may not see")
        if not self.can_ask(title, sql, "rvig", "belastingdienst"):
            return
        self.page.write(
            say(
                "Het inkomen van de partner telt mee. RvIG weet wie dat is, en geeft het nummer verzegeld door: "
                "alleen de andere bronhouders kunnen het openen. De gemeente koppelt ermee, en ziet het niet.",
                "The partner's income counts. RvIG knows who that is, and passes the number on sealed: only the "
                "other owners can open it. The municipality joins on it, and does not see it.",
            )
        )
        self.show(sql)
        self.page.person(self.ask(sql, partial=bool(self.running.down)))
        self.page.write(say("En wie het nummer zelf vraagt:", "And whoever asks for the number itself:"))
        self.refused(script.PARTNER_NUMBER)

    def purpose(self) -> None:
        """The same column for another purpose."""
        both = self.offered.opens("rdw.voertuigen", ["kenteken"], PARKING.id)
        title = say("Hetzelfde gegeven, een ander doel", "The same data, another purpose")
        if not self.can_ask(title, script.PLATE if both else "", "rdw"):
            return
        self.show(script.PLATE)
        plates = [
            (
                in_words(activity.name),
                ", ".join(str(row[0]) for row in self.ask(script.PLATE, activity.id)["rows"]),
            )
            for activity in (BENEFIT, PARKING)
        ]
        self.page.table((say("doel", "purpose"), say("kenteken", "number plate")), plates)

    def groups(self) -> None:
        """Groups instead of people; small groups are not there."""
        open_to_count = self.offered.opens("belastingdienst.inkomen", ["wijk"], POVERTY.id)
        sql = script.POVERTY_PER_DISTRICT if open_to_count else ""
        title = say("Groepen in plaats van mensen", "Groups instead of people")
        if not self.can_ask(title, sql, "belastingdienst"):
            return
        self.page.write(
            say(
                "Hoeveel inwoners hebben een laag inkomen? Daarvoor hoeft niemand namen te zien. De Belastingdienst "
                "geeft alleen groepen, en geen groep van minder dan tien mensen.",
                "How many residents have a low income? Nobody needs names for that. The tax office gives groups only, "
                "and no group of fewer than ten people.",
            )
        )
        self.show(sql)
        if self.per_district(sql):
            self.page.more(
                say(
                    "Blijft er één groep weg, dan ook de eerstvolgende: anders is zij uit een totaal terug te rekenen.",
                    "Where one group is left out the next smallest is too: else a total would give it away.",
                )
            )

    def combined(self) -> None:
        """Groups over sealed rows of two owners: the asking node joins them, and no person sees a row."""
        datasets = (("svb.kinderbijslag", "bsn"), ("belastingdienst.inkomen", "bsn"))
        open_to_join = all(self.offered.opens(dataset, [column], POVERTY.id) for dataset, column in datasets)
        sql = script.PARENTS_PER_DISTRICT if open_to_join else ""
        title = say("Groepen over twee bronhouders", "Groups over two owners")
        if not self.can_ask(title, sql, "belastingdienst", "svb"):
            return
        self.page.write(
            say(
                "Hoeveel ouders met kinderbijslag hebben een laag inkomen? Geen van beide bronhouders weet dat alleen. "
                "Zij wezen het knooppunt van Sluiswijk aan als combinator: het krijgt regels met een verzegeld nummer, "
                "koppelt die in het geheugen, en geeft alleen groepen van ten minste tien mensen aan de medewerker.",
                "How many parents with child benefit have a low income? Neither owner knows that alone. Both named the "
                "node of Sluiswijk as combiner: it gets rows with a sealed number, joins them in memory, and hands the "
                "official only groups of at least ten people.",
            )
        )
        self.show(sql)
        self.per_district(sql)

    def per_district(self, sql: str) -> bool:
        """Ask for groups per district and show them; whether some district is not there, which is said."""
        answer = self.ask(sql, POVERTY.id, {})
        self.page.groups(answer)
        shown = {row[0] for row in answer["rows"]}
        absent = ", ".join(name for name, _ in DISTRICTS if name not in shown)
        if absent:
            self.page.write(say(f"Niet gegeven: {absent}.", f"Not given: {absent}."), NOTE)
        return bool(absent)

    def refusal(self) -> None:
        """A closed column: refused, with the law, before anyone was asked."""
        dataset, column = self.offered.closed()
        sql = f"SELECT {column} FROM {dataset} WHERE bsn = $bsn" if column else ""
        title = say("Een vraag die niet mag", "A question that is not allowed")
        if self.can_ask(title, sql, dataset.partition(".")[0]):
            self.refused(sql)

    def secret_address(self) -> None:
        """A hidden row reads as an absent one."""
        title = say("Een geheim adres", "A secret address")
        hidden = self.federation.hidden
        if not self.can_ask(title, script.HOME if hidden else "", "rvig"):
            return
        self.show(script.HOME)
        self.page.person(self.ask(script.HOME, parameters={"bsn": hidden}, case=OTHER_CASE))
        self.page.write(
            say(
                "Dit adres is geheim; RvIG geeft het voor dit doel niet. Het antwoord leest hetzelfde als bij iemand "
                "zonder adres. Zo verraadt het ook niet dát er iets geheim is.",
                "This address is secret, and RvIG does not give it for this purpose. The answer reads the same as for "
                "somebody without an address, so that it does not betray that anything is secret.",
            )
        )

    def citizen(self) -> None:
        """What the applicant sees: who looked, when, why."""
        self.page.chapter(
            say("Wie keek er naar de gegevens van deze inwoner?", "Who looked at this resident's data?")
        )
        self.page.write(
            say(
                "Elke organisatie schreef op dat zij naar deze inwoner keek, vóór er iets de deur uit ging. Hier leest de "
                "privacyfunctionaris van elke organisatie het voor; in deel 11 kijkt de inwoner zelf.",
                "Every organisation wrote down that it looked at this resident, before anything left. Here the privacy "
                "officer of each organisation reads it out; in part 11 residents look for themselves.",
            )
        )
        looked = who_looked(self.running, self.bsn)
        purposes = {activity.id: activity for activity in ACTIVITIES}
        for lines in by_question(looked):
            first = lines[0]
            purpose = purposes[first.activity]
            moment = first.moment.astimezone().strftime(say("%d-%m-%Y %H:%M:%S", "%d %b %Y %H:%M:%S"))
            self.page.write(
                f"{moment}  {first.asker}: {in_words(purpose.name)} ({cited(purpose.articles)})", "bold"
            )
            for line in lines:
                if line.log != first.asker:
                    self.page.more(f"{line.log}: {line.what}", depth=4)
        self.found["consultations"] = msgspec.to_builtins(looked)

    def tampering(self) -> None:
        """Every log is whole; one changed line in a copy of one is found."""
        self.page.chapter(say("Knoeien met een logboek valt op", "Tampering with a log is found"))
        self.page.write(say("De controleur rekent elk logboek na:", "The verifier recomputes every log:"))
        whole = verified(self.running)
        for one in whole:
            self.page.more(f"{one.owner}: {one.sentence}", GOOD if one.whole else BAD)
        seen_by = witnessed(self.running)
        self.page.write(
            say(
                f"Van elk logboek tekenen {'' if self.running.down else 'twee '}andere organisaties mee met de stand: zijn "
                "getuigen. Wie later zijn hele logboek herschrijft, komt niet meer uit op wat zij zagen.",
                f"{'Other' if self.running.down else 'Two other'} organisations cosign the state of every log: its "
                "witnesses. Whoever rewrites their whole log later no longer arrives at what these saw.",
            )
        )
        told = [
            f"{log} ({', '.join(names) or say('nog niemand', 'nobody yet')})"
            for log, names in seen_by.items()
        ]
        self.page.more("; ".join(told) + ".")
        tampered = tampering_found(self.running)
        self.page.write(tampered.what)
        self.page.more(f"{tampered.owner}: {tampered.sentence}", BAD)
        self.found["ledger"] = {
            "verified": msgspec.to_builtins(whole),
            "tampered": msgspec.to_builtins(tampered),
            "witnessed": seen_by,
        }


def by_question(looked: Iterable[Looked]) -> list[list[Looked]]:
    """Lines that belong to one question together, in the order of the questions."""
    questions: dict[str, list[Looked]] = {}
    for line in looked:
        questions.setdefault(line.trace, []).append(line)
    return list(questions.values())
