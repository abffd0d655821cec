"""A node that reaches fictitious people, with channels that a test tells what to do."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from sluis.contact import (
    Channel,
    Contact,
    Entry,
    Failed,
    Kind,
    Listening,
    Parcel,
    Party,
    PostalAddress,
    Quiet,
    Report,
    Scenario,
    Sent,
    Settings,
    Telling,
    Templates,
    Waiting,
    open_contact,
    own_party,
)
from sluis.contact.channels import Doubt
from sluis.contact.model import Address, Enough, Step
from sluis.crypto import FileKeyStore
from sluis.events.cesql import compile_expression
from sluis.kernel import Text, Trace
from sluis.ledger import Ledger, Processing, Search, open_ledger
from sluis.store import Store, open_store

NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)  # a Monday, twelve o'clock in Amsterdam
BSN, OTHER = "999990019", "999990020"  # of nobody: they fail the eleven-test
EVENT = "nl.voorbeeld.besluit.genomen"
QUIET = Quiet(time(21, 0), time(8, 0))
DAY = 86_400


class Whom(msgspec.Struct, frozen=True):
    """Whom something is about."""

    kind: str
    value: str


class Happened(msgspec.Struct, frozen=True):
    """An occurrence, as `events` tells it."""

    type: str = EVENT
    id: str = "1"
    about: Whom | None = Whom("BSN", BSN)
    facts: Mapping[str, Any] = MappingProxyType({"uitkomst": "afgewezen", "kenmerk": "Z-1", "bedrag": 250})
    trace_id: str | None = None


class Clock:
    """A clock that the test moves."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Fake:
    """A channel that keeps what it got. `says` answers in turn; when it is empty the parcel is taken."""

    def __init__(self, kind: Kind, doubt: Doubt = "again", enough: Enough = "sent") -> None:
        self.kind, self.doubt, self.enough = kind, doubt, enough
        self.got: list[Parcel] = []
        self.says: list[Failed | Exception] = []
        self.told: list[Report] = []
        self.heeded: list[Report] = []
        self.has: set[str] = set()

    async def send(self, parcel: Parcel) -> Sent:
        self.got.append(parcel)
        if self.says:
            raise self.says.pop(0)
        self.has.add(parcel.reference)
        return Sent(remote=f"r-{parcel.reference[:4]}")

    async def find(self, waiting: Waiting) -> Sent | None:
        return Sent() if waiting.reference in self.has else None

    async def reports(self, waiting: Sequence[Waiting]) -> list[Report]:
        return list(self.told)

    async def heed(self, reports: Sequence[Report]) -> None:
        self.heeded += reports
        self.told = [one for one in self.told if one not in reports]

    async def close(self) -> None:
        pass


class Homes:
    """Where people live."""

    def __init__(self) -> None:
        self.at: dict[str, PostalAddress | Exception] = {
            BSN: PostalAddress(("A. Fictief", "Nergensstraat 1", "1234 AB Nergenshuizen"))
        }
        self.asked = 0

    def asks(self, kind: str) -> bool:
        return True

    async def postal(self, kind: str, value: str, case: str, trace: Trace) -> PostalAddress | None:
        self.asked += 1
        found = self.at.get(value)
        if isinstance(found, Exception):
            raise found
        return found


def scenario(*channels: str, **more: Any) -> Scenario:
    """A scenario over these channels."""
    given: dict[str, Any] = {
        "id": "besluit",
        "title": Text("Besluit over uw aanvraag", "Decision on your application"),
        "event": EVENT,
        "activity": "https://register.voorbeeld.nl/besluiten",
        "template": "besluit",
        "subject": Text("Er is een besluit", "There is a decision"),
        "short": Text("Er is een besluit. Zie {{ portal }}", "There is a decision. See {{ portal }}"),
        "steps": tuple(Step(one, "P2D") for one in channels),
        "case": "kenmerk",
    }
    return Scenario(**{**given, **more})


def write_templates(folder: Path) -> Path:
    """The four forms of one template."""
    folder.mkdir(exist_ok=True)
    for language, word in (("nl", "Uitkomst"), ("en", "Outcome")):
        (folder / f"besluit.{language}.txt").write_text(f"{word}: {{{{ uitkomst }}}}\n", encoding="utf-8")
        (folder / f"besluit.{language}.html").write_text(
            f"<p>{word}: {{{{ uitkomst }}}}</p>\n", encoding="utf-8"
        )
    return folder


class World:
    """The parts of a node that this room works with. `again` starts it anew on the same database."""

    def __init__(self, folder: Path, channels: Mapping[str, Channel], *scenarios: Scenario, quiet: Quiet | None = None,
                 where: Path | str | None = None) -> None:  # fmt: skip
        self.folder, self.clock, self.channels, self.scenarios = folder, Clock(), channels, scenarios
        self.homes, self.quiet, self.where = Homes(), quiet, where or folder / "node.db"
        write_templates(folder / "templates")
        self.store: Store
        self.ledger: Ledger
        self.contact: Contact
        self.start()

    def start(self) -> None:
        keys = FileKeyStore(self.folder / "keys")
        self.store = open_store(self.where)
        self.ledger = open_ledger(self.store, keys, "node.example/log", self.clock)
        templates = Templates(
            self.folder / "templates", "Dienst Voorbeeld (fictief)", "https://dienst.example"
        )
        ready = [
            Listening(one, compile_expression(one.condition) if one.condition else None)
            for one in self.scenarios
        ]
        self.contact = open_contact(
            self.store, self.ledger, keys, self.clock, self.channels, ready, templates, self.homes,
            Settings("Dienst Voorbeeld (fictief)", "nl", self.quiet), self.telling,
        )  # fmt: skip

    @property
    def telling(self) -> Telling | None:
        """How people are told that they were consulted: not, unless a test says so."""
        return None

    def again(self) -> None:
        """Start anew, as after the process was killed: what was in hand is gone from memory."""
        self.store.close()
        self.start()

    @property
    def person(self) -> str:
        return self.contact._keeping.person(BSN)

    @property
    def party(self) -> Party:
        """The person, for themselves."""
        return own_party(self.person)

    async def happens(self, **more: Any) -> None:
        """An event, heard in a transaction."""
        occurrence = Happened(**more)
        await self.store.write(lambda connection: self.contact.heard(connection, occurrence))

    async def settle(self) -> None:
        """Do all that can be done at this moment."""
        for _ in range(12):
            begun = await self.contact.reaching.round()
            await self.contact.reaching.settled()
            if not begun:
                return

    async def hear(self) -> None:
        """Let channels tell, and do what follows."""
        for name in self.channels:
            await self.contact.hearing.listen(name)
        await self.settle()

    async def later(self, seconds: float) -> None:
        self.clock.later(seconds)
        await self.settle()

    async def reachable_by(self, kind: str, value: str, person: str | None = None) -> None:
        """A proven address, without the mail."""
        address = Address(kind, value, 0)  # type: ignore[arg-type]
        whose = person or self.person
        await self.store.write(lambda connection: self.contact._keeping.keep(connection, whose, address, 0))

    async def entry(self) -> Entry:
        """The one message that there is."""
        (found,) = await self.contact.history(self.party)
        return found

    async def states(self) -> list[tuple[str, str]]:
        """Kind and state of each try of the one message."""
        return [(one.kind, one.state) for one in (await self.entry()).steps]

    async def lines(self) -> list[Processing]:
        """What the log says of the person."""
        return await self.ledger.processing_of(
            Search(subjects=self.ledger.subjects("BSN", BSN)), withheld=False
        )
