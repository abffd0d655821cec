"""Two nodes of one group that run: a municipality that asks, and an owner with one dataset, which signs what it is asked
to by itself. Persons are fictitious."""

import asyncio
import json
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from tests.integration.nodes import ASKER, OWNER, Federation, Hosted, Running, local, until

from sluis.cli import main
from sluis.config import load_node
from sluis.serve import build_node

ANN, BOB = "999990019", "999990020"

DATASET = """
name = "personen"
title.nl = "Personen"
title.en = "Persons"
source = "main"
table = "person"
key = ["bsn"]
subject = { column = "bsn", type = "BSN" }
[columns]
bsn = { type = "VARCHAR" }
naam = { type = "VARCHAR" }
"""
ACTIVITY = f"""
id = "urn:test:bijstand"
name.nl = "Bijstand"
name.en = "Benefit"
purpose.nl = "Recht vaststellen."
purpose.en = "Deciding."
controller = "{ASKER!s}"
ground = "legal-obligation"
articles = [{{ law = "Participatiewet", article = "53a" }}]
valid = {{ since = 2020-01-01 }}
"""
DISCLOSURE = f"""
id = "personen-bijstand"
version = 1
dataset = "personen"
recipient = "{ASKER!s}"
activity = "urn:test:bijstand"
ground = "legal-obligation"
controller = "{OWNER!s}"
articles = [{{ law = "Participatiewet", article = "64" }}]
valid = {{ since = 2020-01-01 }}
columns = {{ bsn = "output", naam = "output" }}
"""


SIGNS = f"""
[[fsc.auto_sign]]
name = "toets"
grants = ["GRANT_TYPE_SERVICE_CONNECTION"]
roles = ["service"]
peers = ["{ASKER!s}"]
services = ["sluis"]
any_properties = true
"""
"""In the settings of the owner."""


class Pair:
    """Two nodes of one group.

    Args:
        home: an empty directory.
        settings: gives what more stands in the settings of each directory.
        kind: how the nodes run; as processes where a test kills them, or takes away what only a process has.
    """

    def __init__(
        self,
        home: Path,
        settings: Callable[[Path], str] = lambda directory: "",
        kind: type[Running] | type[Hosted] = Hosted,
    ) -> None:
        self.group, self._kind, self._agreed = Federation(home, group=True), kind, False
        self.asker, self.owner = self.group.asker, self.group.owner
        self.running: list[Running | Hosted] = []
        with sqlite3.connect(home / "people.sqlite") as connection:
            connection.execute("CREATE TABLE person (bsn TEXT PRIMARY KEY, naam TEXT)")
            connection.executemany("INSERT INTO person VALUES (?, ?)", [(ANN, "Ann"), (BOB, "Bob")])
        connection.close()
        source = f'\n[sources.main]\nurl = "sqlite:///{home / "people.sqlite"}"\n'
        for directory, more in ((self.asker, ""), (self.owner, SIGNS + source)):
            file = directory / "node.toml"
            file.write_text(file.read_text() + settings(directory) + more)
            self._write(directory / "activities" / "bijstand.toml", ACTIVITY)
        self._write(self.owner / "datasets" / "personen.toml", DATASET)
        self._write(self.owner / "disclosures" / "personen.toml", DISCLOSURE)

    def start(self, kind: type[Running] | type[Hosted] | None = None) -> None:
        kind = kind or self._kind
        self.running = [kind(self.owner), kind(self.asker)]
        for one in self.running:
            assert one.ready()["ready"]
        if not self._agreed:
            until(self._agree)
            self._agreed = True

    def _agree(self) -> bool:
        """Request the contract that opens the data; whether it is in force at the asker."""
        wish = {"organisation": "uwv", "activity": "urn:test:bijstand"}
        status, made = local(self.asker, "POST", "/v1/group/requests", wish)
        return status == 200 and made["outcomes"][0]["state"] == "valid"

    def end(self, how: int = signal.SIGTERM) -> list[int]:
        codes = [one.end(how)[0] for one in self.running]
        self.running = []
        return codes

    def ask(self, bsn: str = ANN) -> tuple[int, Any]:
        question = {
            "sql": "SELECT p.naam AS naam FROM uwv.personen AS p WHERE p.bsn = $bsn",
            "activity": "urn:test:bijstand",
            "case": "ZAAK-1",
            "parameters": {"bsn": bsn},
        }
        return local(self.asker, "POST", "/v1/questions", question)

    def traces(self, directory: Path) -> set[str]:
        """The traces that the log of a node holds, once each."""
        node = build_node(load_node(directory, environ={}))
        try:
            log = node.parts.ledger.log
            bodies = [json.loads(log.stored(index).json or b"{}") for index in range(log.size())]
        finally:
            asyncio.run(node.stop())
        spans = [(one["trace_id"], one["span_id"], one["kind"]) for one in bodies]
        assert len(set(spans)) == len(spans), "a record was doubled"
        return {one["trace_id"] for one in bodies}

    @staticmethod
    def _write(path: Path, content: str) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)


def verified(directory: Path) -> dict[str, Any]:
    result = CliRunner().invoke(main, ["ledger", "verify", "--json", "--node", str(directory)])
    document: dict[str, Any] = json.loads(result.stdout)
    assert (result.exit_code, document["faults"]) == (0, [])
    return document
