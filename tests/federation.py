"""A federation in one process, without sockets: the real asker, the real owners, real ledgers; only the wire and the
certificates are left out (those have tests of their own)."""

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from sluis.crypto import FileKeyStore
from sluis.disclose import Discloser
from sluis.gateway import Answer as WireAnswer
from sluis.gateway import Card, Covers
from sluis.grounds import Activity, Dataset, Disclosure, Grounds
from sluis.kernel import Acting, PeerId, Problem, Text, Trace, Upstream, decode, encode
from sluis.ledger import Ledger, open_ledger
from sluis.policy import STANDARD, DecisionPoint, Policies, rulings_of
from sluis.query import Answer, Asker, Explanation, Owner, Owners, Question, Who
from sluis.sources import open_source
from sluis.statement import Combiner, SubQuestion, open_memory
from sluis.store import Store, open_store

ASKER = PeerId("00000009900000000000")
OFFICIAL = Who(Acting("ambtenaar-fictief"), "local")
TODAY = datetime(2026, 6, 1, 12, tzinfo=UTC)


class OwnerSetup(msgspec.Struct, frozen=True):
    """An owner: its sources by name (URL), datasets and disclosures."""

    alias: str
    peer: PeerId
    sources: Mapping[str, str]
    datasets: Sequence[Dataset]
    disclosures: Sequence[Disclosure]


class _Party:
    """A running owner: its discloser and its ledger."""

    def __init__(self, setup: OwnerSetup, activities: Sequence[Activity], home: Path, clock: Any) -> None:
        self.setup = setup
        self.keys = FileKeyStore(home / "keys")
        self.store: Store = open_store(f"sqlite:///{home / 'node.db'}")
        self.ledger: Ledger = open_ledger(self.store, self.keys, f"test/{setup.alias}", clock)
        self.card = encode(
            Card(
                setup.peer, setup.alias, setup.alias, f"https://{setup.alias}.example", self.keys.public,
                self.keys.sealing_public, TODAY,
            )
        ).decode()  # fmt: skip
        self.sources = {name: open_source(url) for name, url in setup.sources.items()}
        self._combiner = Combiner()
        grounds = Grounds(tuple(setup.datasets), tuple(activities), tuple(setup.disclosures))
        policies = Policies(STANDARD, rulings_of(grounds, setup.alias, False))
        self.point = DecisionPoint(policies, setup.alias, self.ledger, clock)
        self.discloser = Discloser(
            own=setup.peer,
            alias=setup.alias,
            grounds=grounds,
            point=self.point,
            sources=self.sources,
            log=self.ledger,
            memory=open_memory(self.store, self.keys),
            keys=self.keys,
            card=lambda: self.card,
            card_of=_card,
            combiner=self._combiner,
            address=lambda peer: f"urn:nld:oin:{peer!s}",
            clock=clock,
        )

    def close(self) -> None:
        for source in self.sources.values():
            source.close()
        self._combiner.close()
        self.store.close()


def _card(text: str) -> Card:
    """Cards are not signed here; what signing proves is tested with the gateway."""
    return decode(text, Card)


class InProcessLink:
    """Hands requests to the owners of one process. `down` peers cannot be reached; `sent` counts consultations."""

    def __init__(self, parties: Mapping[PeerId, _Party], asker: PeerId) -> None:
        self._parties, self._asker = parties, asker
        self.down: set[PeerId] = set()
        self.sent: list[tuple[PeerId, SubQuestion]] = []

    @asynccontextmanager
    async def send(
        self,
        peer: PeerId,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
        covers: Covers | None = None,
        ready: Awaitable[object] | None = None,
    ) -> AsyncIterator[WireAnswer]:
        if ready is not None:
            await ready
        if peer in self.down:
            text = Text("De bronhouder is niet bereikbaar.", "The owner cannot be reached.")
            raise Upstream("unreachable", text, text, text, peer=peer, retry=True)
        try:
            yield WireAnswer(200, {}, await self._handle(self._parties[peer], path, headers, body))
        except Problem as problem:
            yield WireAnswer(problem.status, {}, _once(encode(problem.members())))

    async def _handle(
        self, party: _Party, path: str, headers: Mapping[str, str], body: bytes
    ) -> AsyncIterator[bytes]:
        if path == "/v1/offers":
            return _once(encode(list(party.discloser.offers(self._asker))))
        if path == "/v1/node":
            return _once(encode({"card": party.card}))
        question = decode(body, SubQuestion)
        self.sent.append((party.setup.peer, question))
        trace = Trace.parse(headers["traceparent"])
        assert trace is not None
        consultation = await party.discloser.consult(
            self._asker, trace, headers["fsc-transaction-id"], question
        )
        return consultation.body

    async def close(self) -> None:
        pass


async def _once(raw: bytes) -> AsyncIterator[bytes]:
    yield raw


class Federation:
    """One asking organisation and its owners.

    Args:
        home: an empty directory for keys and stores.
        owners: who owns what.
        activities: the register of the asker, known to the owners too.
        own: Cedar policies of the asker, by file name.
    """

    def __init__(
        self,
        home: Path,
        owners: Sequence[OwnerSetup],
        activities: Sequence[Activity],
        moment: datetime = TODAY,
        own: dict[str, str] | None = None,
    ) -> None:
        self.moment = moment
        clock = lambda: self.moment  # noqa: E731
        self.parties = {one.peer: _Party(one, activities, home / one.alias, clock) for one in owners}
        self.link = InProcessLink(self.parties, ASKER)
        keys = FileKeyStore(home / "asker" / "keys")
        self.store = open_store(f"sqlite:///{home / 'asker' / 'node.db'}")
        self.ledger = open_ledger(self.store, keys, "test/asker", clock)
        self._combiner = Combiner()
        book = Owners(
            [Owner(one.alias, one.peer, one.alias) for one in owners], self.link, _card, clock, 10.0
        )
        self.point = DecisionPoint(Policies({**STANDARD, **(own or {})}), "asker", self.ledger, clock)
        self.asker = Asker(
            peer=ASKER, activities={one.id: one for one in activities}, owners=book, link=self.link,
            ledger=self.ledger, point=self.point, combiner=self._combiner,
            memory=open_memory(self.store, keys), clock=clock,
        )  # fmt: skip

    async def ask(
        self, sql: str, activity: str, case: str = "ZAAK-2026-1", partial: str = "never", **parameters: Any
    ) -> Answer:
        """Ask as the fictitious official."""
        return await self.asker.ask(Question(sql, activity, case, parameters, partial), OFFICIAL)  # type: ignore[arg-type]

    async def explain(
        self, sql: str, activity: str, case: str = "ZAAK-2026-1", partial: str = "never", **parameters: Any
    ) -> Explanation:
        """Explain without asking."""
        return await self.asker.explain(Question(sql, activity, case, parameters, partial))  # type: ignore[arg-type]

    def close(self) -> None:
        """End everything."""
        for party in self.parties.values():
            party.close()
        self.store.close()
        self._combiner.close()
