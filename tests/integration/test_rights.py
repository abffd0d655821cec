"""What people ask about their own data, over two nodes of one group: what is known of them, asked live; and a report that arrives,
is answered, and waits where the other node is away. Persons are fictitious."""

import asyncio
import sqlite3
import time
from collections.abc import Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.integration.nodes import ASKER, OWNER, Hosted, local, until
from tests.integration.pair import ANN, BOB, DATASET, DISCLOSURE, Pair

from sluis.crypto import FileKeyStore
from sluis.identity.sessions import person_of
from sluis.kernel import ACR, Acting, Problem
from sluis.ledger import Search
from sluis.query import Question, Who
from sluis.rights import DataSubject
from sluis.rights.mine import Told
from sluis.rights.model import About, Asked, Signed

INSPECTION = f"""
id = "urn:test:inzage"
name.nl = "Inzage"
name.en = "Inspection"
purpose.nl = "Iemand laten zien wat er over hem bekend is."
purpose.en = "Showing people what is known about them."
controller = "{ASKER!s}"
ground = "legal-obligation"
articles = [{{ law = "AVG", article = "15" }}]
valid = {{ since = 2020-01-01 }}
inspection = "people"
"""
OPENED = (
    DISCLOSURE.replace("personen-bijstand", "personen-inzage").replace("urn:test:bijstand", "urn:test:inzage")
    + 'max_subjects = 1\nminimum_level = "substantial"\nrefuse_acr = ["local"]\n'
)


BAKERY, OTHER = "90000003", "90000004"
OF_COMPANIES = INSPECTION.replace("urn:test:inzage", "urn:test:bedrijven").replace('"people"', '"companies"')
COMPANIES = (
    DATASET.replace('"personen"', '"ondernemingen"')
    .replace('"person"', '"company"')
    .replace('"BSN"', '"urn:nl:kvk"')
).replace("bsn", "kvk")
OPENED_TO_COMPANIES = (
    OPENED.replace("personen", "ondernemingen").replace("urn:test:inzage", "urn:test:bedrijven")
).replace("bsn", "kvk")


class Mine(Pair):
    """The pair, whose owner opens what it has to whom it is about."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        for directory in (self.asker, self.owner):
            self._write(directory / "activities" / "inzage.toml", INSPECTION)
        self._write(self.owner / "disclosures" / "inzage.toml", OPENED)
        for directory in (self.asker, self.owner):
            self._write(directory / "activities" / "bedrijven.toml", OF_COMPANIES)
        self._write(self.owner / "datasets" / "ondernemingen.toml", COMPANIES)
        self._write(self.owner / "disclosures" / "bedrijven.toml", OPENED_TO_COMPANIES)
        with sqlite3.connect(home / "people.sqlite") as connection:
            connection.execute("CREATE TABLE company (kvk TEXT PRIMARY KEY, naam TEXT)")
            connection.executemany(
                "INSERT INTO company VALUES (?, ?)", [(BAKERY, "Bakkerij Fictief"), (OTHER, "Ander")]
            )
        connection.close()

    def start(self, kind: Any = None) -> None:
        super().start(kind)
        for activity in ("urn:test:inzage", "urn:test:bedrijven"):
            until(partial(self._valid, activity))

    def _valid(self, activity: str) -> bool:
        wish = {"organisation": "uwv", "activity": activity}
        made = local(self.asker, "POST", "/v1/group/requests", wish)[1]
        return bool(made["outcomes"][0]["state"] == "valid")

    @property
    def there(self) -> Hosted:
        return self._hosted(0)

    @property
    def here(self) -> Hosted:
        return self._hosted(1)

    def _hosted(self, at: int) -> Hosted:
        found = self.running[at]
        assert isinstance(found, Hosted)
        return found

    def who(self, bsn: str, **other: Any) -> Who:
        person = person_of(FileKeyStore(self.asker / "keys"), "BSN", bsn)
        known = {"acr": ACR["substantial"], "level": "substantial", "audience": "citizen", **other}
        return Who(Acting(person), **known)

    def known(self, bsn: str, **other: Any) -> list[Told]:
        return self.asked(self.who(bsn, **other), DataSubject("BSN", bsn))

    def known_of_company(self, kvk: str, entity: str | None, **other: Any) -> list[Told]:
        who = self.who(ANN, **{"audience": "company", **other})
        acting = msgspec.structs.replace(who.acting, entity=entity)
        return self.asked(msgspec.structs.replace(who, acting=acting), DataSubject("urn:nl:kvk", kvk))

    def asked(self, who: Who, whom: DataSubject) -> list[Told]:
        found: list[Told] = within(self.here, self.here.node.parts.inspection.ask(who, [whom]))
        return found


def within(node: Hosted, work: Coroutine[Any, Any, Any]) -> Any:
    """Do something on the loop of a node."""
    return asyncio.run_coroutine_threadsafe(work, node._loop).result(60)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mine]:
    made = Mine(tmp_path_factory.mktemp("rights"))
    made.start()
    yield made
    made.end()


def test_somebody_sees_what_is_known_of_them_and_that_they_looked(pair: Mine) -> None:
    (told,) = [one for one in pair.known(ANN) if one.groups]
    (group,) = told.groups
    assert (told.name, group.problem) == ("uwv (fictief)", None)
    assert [[cell.value for cell in row] for row in group.rows] == [["Ann"]]
    ledger = pair.here.node.parts.ledger
    found = within(
        pair.here, ledger.processing_of(Search(subjects=ledger.subjects("BSN", ANN)), withheld=False)
    )
    assert {one.attributes["dpl.core.processing_activity_id"] for one in found} == {"urn:test:inzage"}


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"level": "low", "acr": ACR["low"]}, "may-not-ask"),
        ({"audience": "staff"}, "may-not-ask"),
        ({"audience": "company"}, "may-not-ask"),
    ],
)
def test_nobody_else_asks_under_the_activity_of_inspection(pair: Mine, other: Any, code: str) -> None:
    (told,) = [one for one in pair.known(BOB, **other) if one.groups]
    problem = told.groups[0].problem
    assert problem is not None
    assert (problem.status, told.groups[0].rows) == (403, ())
    question = Question(
        "SELECT p.naam AS naam FROM uwv.personen AS p WHERE p.bsn = $bsn",
        "urn:test:bijstand",
        "Z-1",
        {"bsn": BOB},
    )
    citizen = pair.who(BOB)
    with pytest.raises(Problem):
        within(pair.here, pair.here.node.parts.asker.ask(question, citizen))


@pytest.mark.parametrize("audience", ["company", "citizen"])
def test_who_acts_for_a_company_sees_what_is_known_of_it_and_that_they_looked(
    pair: Mine, audience: str
) -> None:
    (told,) = [
        one for one in pair.known_of_company(BAKERY, f"urn:nl:kvk:{BAKERY}", audience=audience) if one.groups
    ]
    (group,) = told.groups
    assert (group.dataset, group.problem) == ("ondernemingen", None)
    assert [[cell.value for cell in row] for row in group.rows] == [["Bakkerij Fictief"]]
    for node in (pair.here, pair.there):
        ledger = node.node.parts.ledger
        search = Search(subjects=ledger.subjects("urn:nl:kvk", BAKERY))
        found = within(node, ledger.processing_of(search, withheld=False))
        assert {one.attributes["dpl.core.processing_activity_id"] for one in found} == {"urn:test:bedrijven"}
        search = Search(subjects=ledger.subjects("urn:nl:kvk", OTHER))
        assert within(node, ledger.processing_of(search, withheld=False)) == []


@pytest.mark.parametrize(
    ("entity", "other"),
    [
        (None, {}),
        (f"urn:sluis:person:{'x' * 43}", {"audience": "citizen"}),
        (f"urn:nl:kvk:{BAKERY}", {"audience": "staff"}),
        (f"urn:nl:kvk:{BAKERY}", {"level": "low", "acr": ACR["low"]}),
    ],
)
def test_nobody_but_who_acts_for_a_company_asks_what_is_known_of_one(
    pair: Mine, entity: str | None, other: Any
) -> None:
    (told,) = [one for one in pair.known_of_company(BAKERY, entity, **other) if one.groups]
    problem = told.groups[0].problem
    assert problem is not None
    assert (problem.code, told.groups[0].rows) == ("may-not-ask", ())


def test_who_acts_for_a_company_does_not_ask_as_a_person(pair: Mine) -> None:
    who = pair.who(ANN)
    acting = msgspec.structs.replace(who.acting, entity=f"urn:nl:kvk:{BAKERY}")
    told = pair.asked(msgspec.structs.replace(who, acting=acting), DataSubject("BSN", ANN))
    (problem,) = [group.problem for one in told for group in one.groups]
    assert problem is not None
    assert problem.code == "may-not-ask"


def placed(pair: Mine, to: Any = OWNER) -> str:
    rights = pair.here.node.parts.rights
    made = within(
        pair.here,
        rights.place(
            Signed(pair.who(ANN).acting, ACR["substantial"], "substantial", int(time.time())),
            DataSubject("BSN", ANN), str.__str__(to), "correction",
            About("personen", "Personen"), Asked("naam: Ann", "naam: Anna <script>alert(1)</script>"),
        ),
    )  # fmt: skip
    return str(made.receipt)


def state(pair: Mine, receipt: str) -> str:
    found = within(pair.here, pair.here.node.parts.rights.of_person(DataSubject("BSN", ANN)))
    return next(one.state for one in found if one.receipt == receipt)


def test_a_report_arrives_and_its_answer_comes_back(pair: Mine) -> None:
    receipt = placed(pair)
    until(lambda: state(pair, receipt) == "received")
    there = pair.there.node.parts.rights
    asker = str.__str__(ASKER)
    opened = within(pair.there, there.opened("baliemedewerker", asker, receipt, ("correction",)))
    assert opened.content.whom.value == ANN
    for step, reason in (("investigating", ""), ("granted", "Verbeterd.")):
        within(pair.there, there.decide("baliemedewerker", asker, receipt, ("correction",), step, reason))
    until(lambda: state(pair, receipt) == "granted")


def test_a_node_reports_to_itself(pair: Mine) -> None:
    receipt = placed(pair, ASKER)
    until(lambda: state(pair, receipt) == "received")


def test_who_is_away_leaves_a_gap_and_gets_the_report_later(pair: Mine) -> None:
    known = pair.known(ANN)
    assert [one for one in known if one.silent] == []
    pair.running[0].end()
    try:
        pair.here.node.parts.inspection._seconds = 3.0
        (told,) = [one for one in pair.known(ANN) if one.groups or one.problem]
        assert told.silent
        receipt = placed(pair)
        assert state(pair, receipt) == "waiting"
    finally:
        pair.running[0] = Hosted(pair.owner)
        pair.running[0].ready()
    until(lambda: state(pair, receipt) == "received", 60)
