"""The federation of the question figures: a register of persons (PostgreSQL), one of addresses (MariaDB), one of
permits (SQLite), and a municipality that asks. All fictitious; the data are `_data`'s.
"""

import argparse
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from _baseline import attached
from _data import MINIMUM, PERSONS, Databases, databases, reference
from _federation import Federation, Organisation, federation
from _measure import must
from _servers import BASELINE, NODE
from sluis.grounds import Activity, Aggregate, Article, Column, Dataset, Disclosure, Role, Subject
from sluis.kernel import PeerId, Period, Text

ABOUT_PEOPLE = "https://register.voorbeeld.nl/toezicht"
OVERVIEW = "https://register.voorbeeld.nl/inkomensbeeld"

_FROM = """
    FROM brp.persons AS p
    JOIN bag.addresses AS a ON a.adres_id = p.adres_id
    LEFT JOIN ruimte.permits AS v ON v.bsn = p.bsn"""
_SELECT = """SELECT p.bsn, p.naam, p.geboortedatum, a.straat, a.huisnummer, a.postcode, a.plaats,
           v.nummer, v.soort, v.verleend, v.status"""
ONE = f"{_SELECT}{_FROM}\n    WHERE p.bsn = $bsn"
"""About one person, over the three owners."""
MANY = f"{_SELECT}{_FROM}\n    WHERE p.bsn = ANY($people)"
"""The same about a list of people."""
GROUPS = """SELECT gemeente, count(*) AS personen, avg(inkomen) AS inkomen
    FROM brp.persons GROUP BY gemeente ORDER BY gemeente"""
"""Over all people, in groups."""

_ASKER, _BRP, _BAG, _RUIMTE = (PeerId(f"0000000100000000{number}000") for number in "1234")
_LAW = Article("Wet van de metingen (fictief)", "1")
_SINCE = Period(date(2025, 1, 1))


def _both(text: str) -> Text:
    return Text(text, text)


def _activity(name: str, purpose: str, uri: str) -> Activity:
    return Activity(uri, _both(name), _both(purpose), _ASKER, "public-task", (_LAW,), _SINCE)


ACTIVITIES = (
    _activity("Toezicht (fictief)", "Nagaan wie een vergunning heeft.", ABOUT_PEOPLE),
    _activity("Inkomensbeeld (fictief)", "Zien hoe inkomens verdeeld zijn.", OVERVIEW),
)
MUNICIPALITY = Organisation("sluiswijk", _ASKER, "Gemeente Sluiswijk (fictief)")


def _dataset(name: str, rows: int, subject: Subject, key: str, columns: dict[str, str]) -> Dataset:
    return Dataset(
        name=name,
        title=_both(f"{name} (fictief)"),
        source="register",
        table=name,
        columns=tuple(Column(column, kind) for column, kind in columns.items()),
        subject=subject,
        key=(key,),
        rows=rows,
    )


def _disclosure(
    owner: PeerId, dataset: str, columns: Iterable[str], activity: str, **more: Any
) -> Disclosure:
    roles: dict[str, Role] = dict.fromkeys(columns, "output")
    return Disclosure(
        id=f"{dataset}-{activity.rpartition('/')[2]}",
        version=1,
        dataset=dataset,
        recipient=_ASKER,
        activity=activity,
        columns=roles,
        articles=(_LAW,),
        ground="public-task",
        controller=owner,
        valid=_SINCE,
        **more,
    )


_PERSONS = {
    "bsn": "VARCHAR",
    "naam": "VARCHAR",
    "geboortedatum": "DATE",
    "adres_id": "INTEGER",
    "gemeente": "VARCHAR",
    "inkomen": "BIGINT",
}
_ADDRESSES = {
    "adres_id": "INTEGER",
    "postcode": "VARCHAR",
    "huisnummer": "INTEGER",
    "straat": "VARCHAR",
    "plaats": "VARCHAR",
}
_PERMITS = {
    "nummer": "BIGINT",
    "bsn": "VARCHAR",
    "soort": "VARCHAR",
    "verleend": "DATE",
    "status": "VARCHAR",
}


def owners(found: Databases) -> tuple[Organisation, ...]:
    """The three owners, with what they open: people who are named, and of persons also groups."""
    persons = _dataset("persons", PERSONS, Subject("bsn", "BSN"), "bsn", _PERSONS)
    addresses = _dataset(
        "addresses",
        PERSONS,
        Subject("adres_id", "https://register.voorbeeld.nl/adres"),
        "adres_id",
        _ADDRESSES,
    )
    permits = _dataset("permits", PERSONS // 5, Subject("bsn", "BSN"), "nummer", _PERMITS)
    named = ("bsn", "naam", "geboortedatum", "adres_id")
    groups = _disclosure(
        _BRP,
        "persons",
        ("gemeente", "inkomen"),
        OVERVIEW,
        subject_required=False,
        aggregate=Aggregate(minimum=MINIMUM),
    )
    return (
        Organisation("brp", _BRP, "Register van personen (fictief)", found.persons, (persons,),
                     (_disclosure(_BRP, "persons", named, ABOUT_PEOPLE), groups)),
        Organisation("bag", _BAG, "Register van adressen (fictief)", found.addresses, (addresses,),
                     (_disclosure(_BAG, "addresses", _ADDRESSES, ABOUT_PEOPLE),)),
        Organisation("ruimte", _RUIMTE, "Register van vergunningen (fictief)", found.permits, (permits,),
                     (_disclosure(_RUIMTE, "permits", _PERMITS, ABOUT_PEOPLE),)),
    )  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """All that a measurement needs: the nodes, what they are compared with, and the right answers."""

    nodes: Federation
    found: Databases
    baseline: Any
    reference: Any

    def people(self, count: int, seed: int) -> list[str]:
        """BSNs of invented people, drawn at random, the same ones each run."""
        places = random.Random(seed).sample(range(PERSONS), count)
        rows = self.reference.execute(
            "SELECT bsn FROM (SELECT bsn, row_number() OVER (ORDER BY bsn) - 1 AS i FROM persons)"
            " JOIN (SELECT unnest($places) AS i) USING (i)",
            {"places": places},
        ).fetchall()
        people = [bsn for (bsn,) in rows]
        random.Random(seed).shuffle(people)
        return people

    def right(self, people: Sequence[str]) -> dict[str, list[tuple[Any, ...]]]:
        """Per person, the rows that an answer about that person must have."""
        rows = self.reference.execute(_everywhere(MANY), {"people": list(people)}).fetchall()
        found: dict[str, list[tuple[Any, ...]]] = {bsn: [] for bsn in people}
        for row in rows:
            found[row[0]].append(row)
        return found

    def check(self, rows: Sequence[Sequence[Any]], right: Sequence[Sequence[Any]], who: str) -> None:
        """An answer has exactly the right rows, in any order."""
        must(
            sorted(map(_text, rows)) == sorted(map(_text, right)),
            f"{who} gave other rows than one database does",
        )

    def leaving(self) -> "Leaving":
        """Start counting the rows that leave the owners' databases for the nodes."""
        return Leaving(self)


class Leaving:
    """Rows that left for the nodes since this was made, and those that were needed.

    PostgreSQL and MariaDB count what they send to the account of the nodes. SQLite keeps no count and lives in its
    owner's process: there the owner's receipts count, and `bytes_read` shows that no table was read through.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        setting.found.postgres.reset()
        self._mariadb = setting.found.mariadb.counted(NODE)
        self._bytes = setting.nodes.owners["ruimte"].bytes_read()
        self.receipts = 0
        self.needed = {"brp": 0, "bag": 0, "ruimte": 0}
        self.questions = 0

    def answered(self, answer: dict[str, Any], right: Sequence[Sequence[Any]]) -> None:
        """Note an answer and the right rows: a person and an address each, and a permit where there is one."""
        self.questions += 1
        self.receipts += sum(part["rows"] for part in answer["receipts"] if part["owner"] == "ruimte")
        people = len({row[0] for row in right})
        self.needed["brp"] += people
        self.needed["bag"] += people  # everybody lives alone
        self.needed["ruimte"] += sum(row[7] is not None for row in right)

    def left(self) -> dict[str, int]:
        """Rows that left, per owner."""
        return {
            "brp": self._setting.found.postgres.counted(NODE, "persons"),
            "bag": self._setting.found.mariadb.counted(NODE) - self._mariadb,
            "ruimte": self.receipts,
        }

    def bytes_per_question(self) -> float:
        """What the owner of the SQLite file read, from the file and from the network."""
        return (self._setting.nodes.owners["ruimte"].bytes_read() - self._bytes) / self.questions

    def ratio(self) -> float:
        """Rows that left for each row needed; prints how it came about."""
        left = self.left()
        for alias, needed in self.needed.items():
            print(f"rows leaving {alias:<21} {left[alias]:>10}   needed {needed:>10}")
        read = self.bytes_per_question()
        print(f"read by the owner of the SQLite file {read / 1024:10.1f} KiB per question")
        return sum(left.values()) / sum(self.needed.values())


@contextmanager
def setting(wrapped: dict[str, list[str]] | None = None) -> Iterator[Setting]:
    """Start the databases and the nodes, and attach the baseline."""
    with databases() as found, federation(MUNICIPALITY, owners(found), ACTIVITIES, wrapped) as nodes:
        urls = {
            "brp": found.persons.replace(f"://{NODE}:", f"://{BASELINE}:"),
            "bag": found.addresses.replace(f"://{NODE}:", f"://{BASELINE}:"),
            "ruimte": found.permits,
        }
        with attached(urls) as baseline, reference() as everything:
            yield Setting(nodes, found, baseline, everything)


def options(**rounds: int) -> argparse.Namespace:
    """The arguments of a question bench: how often, as numbers."""
    parser = argparse.ArgumentParser()
    for name, standard in rounds.items():
        parser.add_argument(f"--{name}", type=int, default=standard)
    return parser.parse_args()


def _everywhere(sql: str) -> str:
    """A question as the one database that holds everything takes it."""
    for alias in ("brp", "bag", "ruimte"):
        sql = sql.replace(f"{alias}.", "")
    return sql


def _text(row: Sequence[Any]) -> tuple[str, ...]:
    return tuple("" if value is None else str(value) for value in row)
