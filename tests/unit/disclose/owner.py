"""An owner's node without network: a real SQLite source, a real key store, a ledger that is a list. People and
numbers are fictitious; the BSNs pass the eleven-test and belong to nobody that this project knows.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from sluis.crypto import FileKeyStore
from sluis.disclose import Bounds, Discloser
from sluis.disclose.model import Consenting, Consultation
from sluis.gateway import Card
from sluis.grounds import Activity, Article, Column, Dataset, Disclosure, Grounds, Subject
from sluis.kernel import Oin, PeerId, Period, Text, Trace
from sluis.ledger import Decision, Position, Processing
from sluis.policy import DecisionPoint, Policies, rulings_of
from sluis.sources import Source, open_source
from sluis.statement import Acting, Combiner, KeyList, Memory, SubQuestion
from sluis.statement.differencing import Level, too_close
from sluis.statement.receipt import AnswerReader, Closing

OWNER, ASKER, OTHER = (PeerId(f"0000000300000000000{i}") for i in range(3))
ACTIVITY = "https://example.nl/verwerkingen/bijstand"
LAW = Article("Participatiewet", "64", "BWBR0015703")
NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
ANN, BOB, CIM, DEE, NOBODY = "999990019", "999990020", "999990032", "999990044", "999990056"

PEOPLE = [
    (ANN, "Ann", "1000AA", 30, 1_200_00, 0, "Zwolle", 11),
    (BOB, "Bob", "1000AB", 40, 2_300_00, 0, "Zwolle", 12),
    (CIM, "Cim", "2000BA", 50, 3_400_00, 1, "Assen", 13),
    (DEE, "Dee", "2000BB", None, None, 0, "Assen", None),
]
JOBS = [
    (1, ANN, "Bakker", 800_00),
    (2, ANN, "Kok", 400_00),
    (3, BOB, "Smid", 2_300_00),
    (4, CIM, "Kok", 3_400_00),
]


def text(words: str) -> Text:
    return Text(words, words)


def dataset(name: str, columns: str, subject: str | None, key: tuple[str, ...], **more: Any) -> Dataset:
    pairs = [column.split(":") for column in columns.split()]
    made = tuple(Column(named, kind) for named, kind in pairs)
    return Dataset(
        name, text(name), "db", more.pop("table", name), made,
        subject=Subject(subject, "BSN") if subject else None, key=key, **more,
    )  # fmt: skip


PERSONS = dataset(
    "persons", "bsn:VARCHAR name:VARCHAR postcode:VARCHAR age:BIGINT income:BIGINT secret:BIGINT city:VARCHAR house:BIGINT",
    "bsn", ("bsn",), table="person",
)  # fmt: skip
WORK = dataset("jobs", "id:BIGINT bsn:VARCHAR job:VARCHAR wage:BIGINT", "bsn", ("id",), table="job")
CITIES = dataset("cities", "city:VARCHAR province:VARCHAR", None, ("city",), table="city")
OPEN_ALL: dict[str, dict[str, Any]] = {
    one.name: {column.name: "output" for column in one.columns} for one in (PERSONS, WORK, CITIES)
}


def disclosure(name: str = "persons", **changed: Any) -> Disclosure:
    told: dict[str, Any] = {
        "id": f"d-{name}", "version": 1, "dataset": name, "recipient": ASKER, "activity": ACTIVITY,
        "columns": OPEN_ALL.get(name, {}), "articles": (LAW,), "ground": "public-task", "controller": Oin(OWNER),
        "valid": Period(date(2026, 1, 1), date(2026, 12, 31)),
    }  # fmt: skip
    return Disclosure(**{**told, **changed})


class FakeLog:
    """A ledger that is a list; `broken` makes it refuse to keep."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.commits = 0
        self.broken: Exception | None = None

    async def append(self, records: Sequence[Processing | Decision]) -> Position:
        if self.broken is not None:
            raise self.broken
        self.records += records
        self.commits += 1
        return Position("log.example", len(self.records) - 1, len(self.records), 0)

    def subject(self, kind: str, value: str, moment: datetime) -> str:
        return f"pseudonym-{kind}-{value}"

    def subjects(self) -> list[str]:
        found = (one.attributes.get("dpl.core.data_subject_id") for one in self.records)
        return [one.removeprefix("pseudonym-BSN-") for one in found if one]

    def refusals(self) -> list[Decision]:
        decisions = (one for one in self.records if isinstance(one, Decision))
        return [one for one in decisions if not one.body["adl.core.response"]["decision"]]


class FakeMemory(Memory):
    """Budgets and told groups in a dictionary."""

    def __init__(self) -> None:
        self.spent: dict[tuple[str, date], set[str]] = {}
        self.told: dict[str, dict[str, Sequence[Level]]] = {}

    def digest(self, value: Any) -> str:
        return repr(value if isinstance(value, list) else str(value))

    async def spend(self, purse: str, day: date, question: str, limit: int) -> bool:
        had = self.spent.setdefault((purse, day), set())
        if len(had - {question}) >= limit:
            return False
        had.add(question)
        return True

    async def tell(self, board: str, day: date, question: str, levels: Sequence[Level], minimum: int) -> bool:
        others = [one for key, told in self.told.get(board, {}).items() if key != question for one in told]
        if too_close(levels, others, minimum):
            return False
        self.told.setdefault(board, {})[question] = levels
        return True


class Answered(msgspec.Struct, frozen=True):
    """An answer as the asker has it."""

    table: pa.Table
    closing: Closing

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.table.to_pylist()]


class Owner:
    """One owner and its asker."""

    def __init__(
        self,
        path: Path,
        *disclosures: Disclosure,
        datasets: Sequence[Dataset] = (PERSONS, WORK, CITIES),
        bounds: Bounds | None = None,
        source: Source | None = None,
        peer: PeerId = OWNER,
        cards: Mapping[str, Card] | None = None,
        own: dict[str, str] | None = None,
        consents: Consenting | None = None,
        contracts: bool = False,
        log: Any = None,
    ) -> None:
        self.now = NOW
        self.log, self.memory = FakeLog() if log is None else log, FakeMemory()
        self.keys = FileKeyStore(path / f"keys-{peer}")
        self.cards = dict(cards or {})
        self.cards[f"card-{peer}"] = Card(
            peer, "Own", "own", "https://own.example", self.keys.public, self.keys.sealing_public, NOW
        )
        database = path / "people.sqlite"
        if source is None:
            if not database.exists():
                fill(database)
            source = open_source(f"sqlite:///{database}")
        self.peer = peer
        activity = Activity(
            ACTIVITY,
            text("Bijstand"),
            text("Recht"),
            Oin(ASKER),
            "public-task",
            (LAW,),
            Period(date(2020, 1, 1)),
        )
        grounds = self.grounds = Grounds(tuple(datasets), (activity,), disclosures)
        policies = Policies(own or {}, rulings_of(grounds, "own", contracts), contracts=contracts)
        self.point = DecisionPoint(policies, "own", self.log, lambda: self.now)
        self.discloser = Discloser(
            own=peer, alias="own", grounds=grounds, point=self.point,
            sources={"db": source}, log=self.log, memory=self.memory, keys=self.keys, card=lambda: f"card-{peer}",
            card_of=self.cards.__getitem__, combiner=Combiner(spares=0),
            address=lambda peer: "https://asker.example", clock=lambda: self.now, bounds=bounds,
            consents=consents, contracts=contracts,
        )  # fmt: skip

    def question(self, sql: str, **changed: Any) -> SubQuestion:
        digests = {offer.dataset: offer.digest for offer in self.discloser.offers(ASKER)}
        named = {name: digest for name, digest in digests.items() if f" {name}" in sql}
        told: dict[str, Any] = {
            "sql": sql, "activity": ACTIVITY, "case": "Z-1", "acting": Acting("p1", "local"), "disclosures": named,
        }  # fmt: skip
        return SubQuestion(**{**told, **changed})

    async def consult(self, question: SubQuestion, peer: PeerId = ASKER) -> Consultation:
        return await self.discloser.consult(peer, Trace("a" * 32, "b" * 16), "transaction-1", question)

    async def ask(self, sql: str, people: Sequence[str] | None = None, **changed: Any) -> Answered:
        """Ask, as the asker does; `people` is the list `$k`, other arguments are fields of the sub-question."""
        if people is not None:
            changed["keys"] = {"k": KeyList("VARCHAR", list(people))}
        return await read(await self.consult(self.question(sql, **changed)), self.keys.public)


async def read(consultation: Consultation, public: bytes) -> Answered:
    reader = AnswerReader()
    batches = [batch async for chunk in consultation.body for batch in reader.feed(chunk)]
    closing = reader.finish(public)
    assert reader.schema == consultation.schema
    return Answered(pa.Table.from_batches(batches, reader.schema), closing)


def fill(
    database: Path, people: Sequence[tuple[Any, ...]] = PEOPLE, jobs: Sequence[tuple[Any, ...]] = JOBS
) -> None:
    connection = sqlite3.connect(database)
    connection.execute(
        "CREATE TABLE person (bsn TEXT PRIMARY KEY, name TEXT, postcode TEXT, age INTEGER, income INTEGER,"
        " secret INTEGER, city TEXT, house INTEGER)"
    )
    connection.execute("CREATE TABLE job (id INTEGER PRIMARY KEY, bsn TEXT, job TEXT, wage INTEGER)")
    connection.execute("CREATE TABLE city (city TEXT PRIMARY KEY, province TEXT)")
    connection.executemany("INSERT INTO person VALUES (?,?,?,?,?,?,?,?)", people)
    connection.executemany("INSERT INTO job VALUES (?,?,?,?)", jobs)
    connection.executemany("INSERT INTO city VALUES (?,?)", [("Zwolle", "Overijssel"), ("Assen", "Drenthe")])
    connection.commit()
    connection.close()
