"""Nodes that keep their log in PostgreSQL: they ask, answer, record, stop, start and are killed as with SQLite.

All persons are fictitious.
"""

import asyncio
import http.client
import json
import signal
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from tests.integration.test_serve import ASKER, OWNER, Federation, Running, local
from tests.servers import Server

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


class Pair:
    """Two nodes of one group, each with a PostgreSQL database of its own."""

    def __init__(self, home: Path, server: Server) -> None:
        self.server = server
        group = Federation(home)
        self.asker, self.owner = group.asker, group.owner
        self.running: list[Running] = []
        with sqlite3.connect(home / "people.sqlite") as connection:
            connection.execute("CREATE TABLE person (bsn TEXT PRIMARY KEY, naam TEXT)")
            connection.executemany("INSERT INTO person VALUES (?, ?)", [(ANN, "Ann"), (BOB, "Bob")])
        connection.close()
        source = f'\n[sources.main]\nurl = "sqlite:///{home / "people.sqlite"}"\n'
        for directory, more in ((self.asker, ""), (self.owner, source)):
            settings = directory / "node.toml"
            store = f'\n[store]\nurl = "{self.database(directory)}"\n'
            settings.write_text(settings.read_text() + store + more)
            self._write(directory / "activities" / "bijstand.toml", ACTIVITY)
        self._write(self.owner / "datasets" / "personen.toml", DATASET)
        self._write(self.owner / "disclosures" / "personen.toml", DISCLOSURE)

    def database(self, directory: Path) -> str:
        return f"{self.server.url.rpartition('/')[0]}/node_{directory.name}"

    def start(self) -> None:
        self.running = [Running(self.owner), Running(self.asker)]
        for one in self.running:
            assert one.ready()["ready"]

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


@pytest.fixture
def pair(tmp_path: Path, postgres: Server) -> Iterator[Pair]:
    made = Pair(tmp_path, postgres)
    for directory in (made.asker, made.owner):
        _server(postgres, f"DROP DATABASE IF EXISTS node_{directory.name} WITH (FORCE)")
        _server(postgres, f"CREATE DATABASE node_{directory.name}")
    yield made
    for one in made.running:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)
    for directory in (made.asker, made.owner):
        _server(postgres, f"DROP DATABASE node_{directory.name} WITH (FORCE)")


def _server(postgres: Server, statement: str) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(statement.encode())


def verified(directory: Path) -> dict[str, Any]:
    result = CliRunner().invoke(main, ["ledger", "verify", "--json", "--node", str(directory)])
    document: dict[str, Any] = json.loads(result.stdout)
    assert (result.exit_code, document["faults"]) == (0, [])
    return document


def test_nodes_on_postgres_answer_and_both_logs_hold_it_across_a_restart(pair: Pair) -> None:
    pair.start()
    status, answer = pair.ask()
    assert (status, answer["rows"]) == (200, [["Ann"]])
    assert [verified(one)["size"] > 0 for one in (pair.asker, pair.owner)] == [True, True]
    assert pair.end() == [0, 0]
    size = verified(pair.owner)["size"]
    pair.start()
    assert pair.ask(BOB)[1]["rows"] == [["Bob"]]
    assert verified(pair.owner)["size"] > size
    assert pair.end() == [0, 0]
    assert pair.traces(pair.asker) & pair.traces(pair.owner)


def test_a_second_process_on_one_database_is_told_who_holds_the_log(pair: Pair) -> None:
    pair.start()
    second = Running(pair.owner)
    output, errors = second.process.communicate(timeout=30)
    assert (output, second.process.returncode) == ("", 5)
    assert "Traceback" not in errors
    assert pair.ask()[0] == 200


def test_killed_nodes_have_what_they_answered_and_start_again(pair: Pair) -> None:
    answered: list[str] = []

    def ask_for_ever() -> None:
        try:
            while True:
                status, answer = pair.ask()
                if status == 200:
                    answered.append(answer["traceId"])
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            return

    for _ in range(2):
        before = len(answered)
        pair.start()
        asking = [threading.Thread(target=ask_for_ever) for _ in range(4)]
        for thread in asking:
            thread.start()
        while len(answered) < before + 20:
            asking[0].join(0.01)
        pair.end(signal.SIGKILL)
        for thread in asking:
            thread.join()
    assert set(answered) <= pair.traces(pair.asker)
    assert set(answered) <= pair.traces(pair.owner)
    for directory in (pair.asker, pair.owner):
        verified(directory)


def test_a_database_that_drops_its_connections_costs_no_more_than_a_refusal(pair: Pair) -> None:
    pair.start()
    assert pair.ask()[0] == 200
    _server(
        pair.server,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'node_%'",
    )
    outcomes = [pair.ask()[0] for _ in range(5)]
    assert set(outcomes) <= {200, 502, 503}
    assert outcomes[-1] == 200
    assert pair.end() == [0, 0]
    for directory in (pair.asker, pair.owner):
        verified(directory)
