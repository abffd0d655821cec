"""Events between organisations of a group: a recipient registers an interest under a contract that names the notice, and
hears; without that contract it does not. Persons are fictitious."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.nodes import ASKER, OWNER, Hosted, until
from tests.integration.pair import ACTIVITY, ANN, BOB
from tests.integration.test_fsc_commands import Group, document, sluis

from sluis.ledger import Processing, Search

TYPE = "nl.bijstand.uitkering.gestopt"
EVENT = f"""
type = "{TYPE}"
title.nl = "Uitkering gestopt"
title.en = "Benefit stopped"
description.nl = "Een uitkering is gestopt."
description.en = "A benefit was stopped."
subject = "BSN"
[facts.reden]
type = "text"
meaning.nl = "Waarom"
meaning.en = "Why"
"""
NOTICE = f"""
id = "gestopt"
version = 1
event = "{TYPE}"
recipient = "{ASKER!s}"
activity = "urn:test:bijstand"
tells.nl = "De uitkering van een cliënt is gestopt."
tells.en = "The benefit of a client was stopped."
condition = "reden <> 'verhuisd'"
ground = "legal-obligation"
controller = "{OWNER!s}"
articles = [{{ law = "Participatiewet", article = "64" }}]
valid = {{ since = 2020-01-01 }}
"""


class Running:
    """Both nodes of a group."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.owner, self.asker = Hosted(group.owner), Hosted(group.asker)
        for one in (self.owner, self.asker):
            assert one.ready()["ready"]

    def lines(self, node: Hosted, bsn: str) -> list[Processing]:
        """What the log of a node says about somebody."""
        ledger = node.node.parts.ledger
        search = Search(subjects=ledger.subjects("BSN", bsn))
        return self.run(node, ledger.processing_of(search, withheld=True))

    @staticmethod
    def run(node: Hosted, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, node._loop).result(30)

    def waiting(self) -> list[tuple[str, str]]:
        """Deliveries at the owner: subscription, and notice."""
        with sqlite3.connect(self.group.owner / "var/node.db") as connection:
            found = connection.execute("SELECT subscription, notice FROM events_deliveries").fetchall()
        connection.close()
        return [(str(one), str(notice)) for one, notice in found]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    group = Group(tmp_path)
    for directory in (group.asker, group.owner):
        file = directory / "node.toml"
        file.write_text(file.read_text().replace("roles = [", 'roles = ["event-admin", "event-publisher", '))
        (directory / "activities").mkdir(exist_ok=True)
        (directory / "activities/bijstand.toml").write_text(ACTIVITY)
    for folder, text in (("event-types", EVENT), ("notices", NOTICE)):
        (group.owner / folder).mkdir()
        (group.owner / folder / "gestopt.toml").write_text(text)
    made = Running(group)
    yield made
    made.asker.end()
    made.owner.end()


def event(id: str, bsn: str = ANN, reden: str = "werk") -> dict[str, Any]:
    data = {"about": {"kind": "BSN", "value": bsn}, "facts": {"reden": reden}}
    return {"type": TYPE, "id": id, "data": data}


def test_who_registered_under_a_contract_for_the_notice_hears(running: Running, tmp_path: Path) -> None:
    asker, owner = running.group.asker, running.group.owner
    clients = tmp_path / "clients.csv"
    clients.write_text(f"subject,reference,until\n{ANN},cliënt-1,\n".replace("ë", "e"))
    days = tmp_path / "events.json"

    def register() -> Any:
        words = ("--source", "uwv", "--notice", "gestopt", "--from", str(clients), "--until", "2026-12-31")
        result = sluis(asker, "events", "interests", "register", *words, "--json")
        return json.loads(result.stdout)

    def publish(*events: dict[str, Any]) -> list[tuple[str, int, dict[str, int]]]:
        days.write_text(json.dumps(events))
        found = document(owner, "events", "publish", str(days))
        return [(one["id"], one["told"], one["withheld"]) for one in found]

    until(lambda: register()["code"] == "contract-missing")
    assert publish(event("u-0")) == [("u-0", 0, {"no-relation": 1})]

    made = document(asker, "fsc", "request", "uwv", "--activity", "urn:test:bijstand")
    assert made["outcomes"][0]["state"] == "proposed"
    waiting = until(lambda: document(owner, "fsc", "contracts", "--waiting"))[0]
    shown = sluis(owner, "fsc", "contracts", waiting["hash"]).output
    assert f"Meldt {TYPE}" in shown
    assert sluis(owner, "fsc", "sign", waiting["hash"]).exit_code == 0

    assert until(lambda: (found := register()).get("registered") is not None and found) == {
        "registered": 1,
        "renewed": 0,
    }
    assert [one.name for one in running.lines(running.owner, ANN)] == ["Afnemersindicatie: Uitkering gestopt"]
    assert any("Afnemersindicatie bij uwv" in one.name for one in running.lines(running.asker, ANN))

    assert publish(event("u-1")) == [("u-1", 0, {"no-subscription": 1})]
    sink = ("urn:sluis:feed", "--type", TYPE, "--source", "uwv")
    subscription = document(asker, "events", "subscribe", *sink)["id"]
    assert publish(event("u-2"), event("u-3", BOB), event("u-4", reden="verhuisd"), event("u-2")) == [
        ("u-2", 1, {}),
        ("u-3", 0, {"no-relation": 1}),
        ("u-4", 0, {"condition": 1}),
        ("u-2", 1, {}),
    ]
    assert running.waiting() == [(subscription, "gestopt")]
    told = [one for one in running.lines(running.owner, ANN) if one.name == "Kennisgeving: Uitkering gestopt"]
    assert len(told) == 1
    assert running.lines(running.owner, BOB) == []

    gone = ("--source", "uwv", "--notice", "gestopt", "--from", str(clients))
    assert document(asker, "events", "interests", "end", *gone) == {"ended": 1}
    assert publish(event("u-4b")) == [("u-4b", 0, {"no-relation": 1})]
    assert register() == {"registered": 1, "renewed": 0}

    assert sluis(owner, "fsc", "revoke", waiting["hash"], "--reason", "Taak vervallen").exit_code == 0
    assert publish(event("u-5")) == [("u-5", 0, {"no-contract": 1})]
    rules = {(one["rule"], one["count"]) for one in document(owner, "events", "counts")}
    assert {("told", 1), ("condition", 1), ("no-contract", 1), ("no-subscription", 1)} <= rules
