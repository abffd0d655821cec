"""A node in which people act for fictitious companies, for the tests of this room."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from tests.clocks import Clock
from tests.unit.identity.companies import (
    ANNE,
    CARLA,
    COMPANY,
    NAMES,
    NOW,
    SECONDS,
    FakeRegister,
    acting,
    director,
)

from sluis.crypto import FileKeyStore
from sluis.identity.people import People, Service, open_people
from sluis.identity.people.model import Act, Allowed, Denied, Mandate, Terms
from sluis.identity.register import PERSON, person_urn
from sluis.kernel import Text
from sluis.ledger import Ledger, open_ledger
from sluis.store import Store, open_store

DAY = 86_400
SERVICE, ACTION = "permits", "apply"
SERVICES = [
    Service(id, Text(f"{id}-nl", f"{id}-en"), Text("Wat het is.", "What it is."))
    for id in (SERVICE, "subsidies")
]


class Node:
    """The parts of a node that this room works with. `again` starts it anew on the same database."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock, self.register = folder, Clock(), FakeRegister()
        self.clock.now = NOW
        self.store: Store
        self.ledger: Ledger
        self.people: People
        self.start()

    def start(self) -> None:
        keys = FileKeyStore(self.folder / "keys")
        self.store = open_store(self.folder / "node.db")
        self.ledger = open_ledger(self.store, keys, "node.example/log", self.clock)
        self.people = open_people(
            self.store, self.ledger, keys, self.clock, register=self.register, services=SERVICES
        )

    def again(self) -> None:
        self.store.close()
        self.start()

    def later(self, **how_long: float) -> None:
        """Let time pass; the register keeps answering."""
        self.clock.later(**how_long)
        self.register.at = self.clock.now

    async def know(self, *people: str) -> None:
        for one in people:
            await self.people.recognise(one, NAMES[one])

    async def given(self, holder: str = person_urn(CARLA), who: str = ANNE, **changed: Any) -> Mandate:
        """A mandate that was given and, when its holder is a person, accepted."""
        mandate, _ = await self.people.mandates.give(acting(who), terms(holder=holder, **changed))
        if holder.startswith(PERSON):
            mandate = await self.people.mandates.accept(acting(holder.removeprefix(PERSON), None), mandate.id)
        return mandate


def terms(**changed: Any) -> Terms:
    given = Terms(COMPANY, person_urn(CARLA), (SERVICE,), (ACTION,), SECONDS, SECONDS + 30 * DAY)
    return msgspec.structs.replace(given, **changed)


def act(entity: str = COMPANY, intermediary: str | None = None, **more: Any) -> Act:
    return Act(entity, intermediary, **{"service": SERVICE, "action": ACTION, **more})


def rule(found: Allowed | Denied) -> str:
    """The rule that stood in the way; empty when nothing did."""
    return found.rule if isinstance(found, Denied) else ""


@contextmanager
def opened(folder: Path) -> Iterator[Node]:
    """A node that reads one company, of which the first person is the only director."""
    one = Node(folder)
    one.register.put(director(ANNE))
    yield one
    one.store.close()
