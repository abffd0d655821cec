"""Nodes that keep their log in PostgreSQL: they ask, answer, record, stop, start and are killed as with SQLite.

All persons are fictitious.
"""

import http.client
import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.integration.nodes import PATIENCE, Hosted, Running, until
from tests.integration.pair import BOB, Pair, verified
from tests.servers import Server


@pytest.fixture
def kind() -> type[Running] | type[Hosted]:
    """How the nodes run."""
    return Hosted


@pytest.fixture
def pair(tmp_path: Path, postgres: Server, kind: type[Running] | type[Hosted]) -> Iterator[Pair]:
    def store(directory: Path) -> str:
        return f'\n[store]\nurl = "{postgres.url.rpartition("/")[0]}/node_{directory.name}"\n'

    made = Pair(tmp_path, store, kind)
    for directory in (made.asker, made.owner):
        _server(postgres, f"DROP DATABASE IF EXISTS node_{directory.name} WITH (FORCE)")
        _server(postgres, f"CREATE DATABASE node_{directory.name}")
    yield made
    made.end()
    for directory in (made.asker, made.owner):
        _server(postgres, f"DROP DATABASE node_{directory.name} WITH (FORCE)")


def _server(postgres: Server, statement: str) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(statement.encode())


def test_nodes_on_postgres_answer_and_both_logs_hold_it_across_a_restart(pair: Pair) -> None:
    pair.start()
    status, answer = pair.ask()
    assert (status, answer["rows"]) == (200, [["Ann"]])
    assert [verified(one)["size"] > 0 for one in (pair.asker, pair.owner)] == [True, True]
    assert pair.end() == [0, 0]
    size = verified(pair.owner)["size"]
    pair.start()
    assert until(lambda: pair.ask(BOB)[1].get("rows")) == [["Bob"]]  # the other may still be starting
    assert verified(pair.owner)["size"] > size
    assert pair.end() == [0, 0]
    assert pair.traces(pair.asker) & pair.traces(pair.owner)


def test_a_second_process_on_one_database_is_told_who_holds_the_log(pair: Pair) -> None:
    pair.start()
    second = Running(pair.owner)
    output, errors = second.process.communicate(timeout=PATIENCE)
    assert (output, second.process.returncode) == ("", 5)
    assert "Traceback" not in errors
    assert pair.ask()[0] == 200


@pytest.mark.parametrize("kind", [Running])
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


def test_a_database_that_drops_its_connections_costs_no_more_than_a_refusal(
    pair: Pair, postgres: Server
) -> None:
    pair.start()
    assert pair.ask()[0] == 200
    _server(
        postgres,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'node_%'",
    )
    outcomes = [pair.ask()[0] for _ in range(5)]
    assert set(outcomes) <= {200, 502, 503}
    assert outcomes[-1] == 200
    assert pair.end() == [0, 0]
    for directory in (pair.asker, pair.owner):
        verified(directory)
