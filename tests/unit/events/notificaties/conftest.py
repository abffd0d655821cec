"""The ZGW Notificaties API of a node, in this process, with two applications that use it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.events.notificaties.calling import ADDRESS, APPLICATIONS, OWN, Caller

from sluis.crypto import FileKeyStore
from sluis.events.notificaties import Notificaties, Settings, make_app, open_notificaties
from sluis.events.queue import Queue, open_queue
from sluis.ledger import Ledger, open_ledger
from sluis.store import Store, open_store


class Node:
    """What the tests look at."""

    def __init__(self, directory: Path) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)
        self.directory = directory
        self.store: Store = open_store(directory / "node.db")
        self.keys = FileKeyStore(directory / "keys")
        self.ledger: Ledger = open_ledger(self.store, self.keys, "node.example/log", self.clock)
        self.queue: Queue = open_queue(self.store, self.keys, self.clock)
        self.notificaties = self.opened()
        self.refused: list[str] = []

    def clock(self) -> datetime:
        return self.now

    def opened(self) -> Notificaties:
        settings = Settings(OWN, "gemeente", "zaakgericht-werken")
        return open_notificaties(
            settings, APPLICATIONS, self.store, self.keys, self.ledger, self.queue, self.clock
        )

    def caller(self, application: str = "openzaak") -> Caller:
        async def refused(problem: object) -> None:
            self.refused.append(getattr(problem, "code", ""))

        return Caller(make_app(self.notificaties, ADDRESS, self.clock, refused), application, self.clock)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    made = Node(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def api(node: Node) -> Caller:
    return node.caller()
