"""Events between organisations of a group: a recipient registers an interest under a contract that names the notice, and
hears; without that contract it does not. Persons are fictitious."""

import asyncio
import json
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


class Webhook:
    """An address that wants events, and answers as it is told; 204 when it was told nothing."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.answers: list[int] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_OPTIONS(self) -> None:
                self.send_response(200)
                self.send_header("webhook-allowed-origin", self.headers["webhook-request-origin"])
                self.send_header("webhook-allowed-rate", "*")
                self.send_header("content-length", "0")
                self.end_headers()

            def do_POST(self) -> None:
                hook.events.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(hook.answers.pop() if hook.answers else 204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *said: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/events"

    def __enter__(self) -> "Webhook":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._server.shutdown()
        self._server.server_close()


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
        text = file.read_text().replace(
            "roles = [", 'roles = ["privacy-officer", "event-admin", "event-publisher", '
        )
        file.write_text(text + '\n[events]\ninside = ["127.0.0.0/8"]\n')
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
        "stood": 0,
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

    with Webhook() as hook:
        hook.answers = [400]
        name = document(asker, "events", "subscribe", hook.url, "--type", TYPE, "--source", "uwv")["id"]
        assert publish(event("u-6")) == [("u-6", 1, {})]
        [letter] = until(lambda: document(owner, "events", "deadletters", name))
        assert (letter["event"], letter["trouble"]) == ("u-6", "refused")
        assert sluis(owner, "events", "replay", name, "1").exit_code == 0
        until(lambda: len(hook.events) == 2)
        assert [(one["id"], one["sequence"], one["subject"]) for one in hook.events] == [
            ("u-6", "1", "client-1")
        ] * 2
        assert until(lambda: document(owner, "events", "deadletters", name) == [])
        assert '"id": "u-6"' in sluis(owner, "events", "tail", name).stdout
        standing = {one["id"]: one for one in document(owner, "events", "subscriptions")}
        assert (standing[name]["state"], standing[name]["newest"]) == ("active", 1)

    (noticed,) = document(owner, "access", "list")["notices"]
    assert (noticed["notice"], noticed["state"], len(noticed["contracts"])) == ("gestopt", "open", 1)
    assert f"hoort van {TYPE}" in sluis(owner, "access", "list").output

    gone = ("--source", "uwv", "--notice", "gestopt", "--from", str(clients))
    assert (subscription, "gestopt") in running.waiting()
    assert document(asker, "events", "interests", "end", *gone) == {"ended": 1}
    assert subscription not in {one for one, _ in running.waiting()}  # what waited for it is withdrawn
    assert publish(event("u-4b")) == [("u-4b", 0, {"no-relation": 1})]
    assert register() == {"registered": 1, "renewed": 0, "stood": 0}

    assert sluis(owner, "fsc", "revoke", waiting["hash"], "--reason", "Taak vervallen").exit_code == 0
    assert publish(event("u-5")) == [("u-5", 0, {"no-contract": 1})]
    rules = {(one["rule"], one["count"]) for one in document(owner, "events", "counts")}
    assert {("told", 2), ("condition", 1), ("no-contract", 1), ("no-subscription", 1)} <= rules
