"""A standing question between two organisations of a group: placed under the contract that signs itself, read in the owner's rounds,
told of by a CloudEvent with the asker's own reference. Persons are fictitious."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.integration.nodes import Hosted, until
from tests.integration.pair import ANN, DISCLOSURE, Pair
from tests.integration.test_fsc_commands import document, sluis

from sluis.events.records import SIGNAL
from sluis.events.subscriptions import INBOX
from sluis.kernel import utc_now
from sluis.ledger import Search

ASK = ("events", "standing", "ask", "select p.naam from uwv.personen p where p.bsn = $bsn", "--source", "uwv")
FOR = ("--activity", "urn:test:bijstand", "--case", "Z-1", "--set", f"bsn={ANN}", "--until", "2026-12-31")


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair(tmp_path)
    for directory in (made.asker, made.owner):
        file = directory / "node.toml"
        file.write_text(file.read_text().replace("roles = [", 'roles = ["event-admin", ', 1))
    (made.owner / "disclosures/personen.toml").write_text(
        DISCLOSURE + 'standing = { cadence = "PT15M", most = 2 }\n'
    )
    made.start()
    yield made
    made.end()


def run(node: Any, work: Any) -> Any:
    assert isinstance(node, Hosted)
    return asyncio.run_coroutine_threadsafe(work, node._loop).result(30)


def lines(node: Any, bsn: str) -> list[str]:
    """What the log of a node says about somebody."""
    ledger = node.node.parts.ledger
    search = Search(subjects=ledger.subjects("BSN", bsn))
    return [one.name for one in run(node, ledger.processing_of(search, withheld=True))]


def signals(pair: Pair) -> int:
    with sqlite3.connect(pair.owner / "var/node.db") as connection:
        (found,) = connection.execute("SELECT COUNT(*) FROM events_deliveries").fetchone()
    connection.close()
    return int(found)


def test_the_asker_hears_that_the_answer_changed_and_asks_no_other_way(pair: Pair, tmp_path: Path) -> None:
    owner, asker = pair.running
    hours = 0

    def later() -> None:
        """An hour goes by at the owner, and then it holds a round."""
        nonlocal hours
        hours += 1
        standing = owner.node.parts.standing  # type: ignore[union-attr]
        standing._clock = lambda: utc_now() + timedelta(hours=hours)
        run(owner, standing.round())

    assert pair.ask()[0] == 403  # this activity is for standing questions alone
    feed = document(pair.asker, "events", "subscribe", "urn:sluis:feed")["id"]
    document(pair.asker, "events", "subscribe", INBOX, "--source", "uwv")
    days = FOR[:-1] + ((utc_now() + timedelta(days=30)).date().isoformat(),)
    placed = document(pair.asker, *ASK, "--reference", "client-1", *days)
    assert placed["state"] == "standing"
    assert "Staande vraag: personen" in lines(owner, ANN)
    assert any("Staande vraag bij uwv" in one for one in lines(asker, ANN))

    later()
    later()
    assert signals(pair) == 0
    with sqlite3.connect(tmp_path / "people.sqlite") as connection:
        connection.execute("UPDATE person SET naam = 'Anna' WHERE bsn = ?", (ANN,))
    connection.close()
    later()
    assert signals(pair) == 1
    assert "Raadpleging Personen" in lines(owner, ANN)
    heard = asker.node.parts.events.queue  # type: ignore[union-attr]
    [signal] = until(lambda: heard.since(feed, 0, 10))
    assert (signal.event.type, signal.subject, signal.event.data) == (SIGNAL, "client-1", None)
    assert "Kennisgeving ontvangen van uwv (fictief): antwoord gewijzigd" in lines(asker, ANN)

    [listed] = document(pair.asker, "events", "standing", "list", "--source", "uwv")
    assert (listed["reference"], listed["state"], "because" in listed) == ("client-1", "standing", False)
    again = sluis(pair.asker, *ASK, "--reference", "client-1", *days, "--json")
    assert json.loads(again.stdout)["code"] == "reference-in-use"
    assert sluis(pair.asker, "events", "standing", "end", listed["id"], "--source", "uwv").exit_code == 0
    assert "withdrawn" in sluis(pair.asker, "events", "standing", "list", "--source", "uwv").output
