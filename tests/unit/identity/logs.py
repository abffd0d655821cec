"""Organisations of one group with a log each, that read each other's without a network. Fictitious, all of them."""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from tests.unit.grounds.examples import ACTIVITY_ID, activity
from tests.unit.web.conftest import ABOUT, calling, crossing

from sluis.crypto import FileKeyStore, Jwk, read_jwks
from sluis.grounds import Grounds
from sluis.identity.looked import Bounds, Organisation, Trust, Trusted, WhoLooked
from sluis.identity.tokens import Tokens
from sluis.identity.tokens.keys import Ring
from sluis.kernel import Acting, PeerId, Problem, Text, Upstream, decode, new_span_id
from sluis.ledger import (
    ACTIVITY,
    PROCESSOR,
    SUBJECT,
    SUBJECT_TYPE,
    Found,
    Line,
    Processing,
    Withheld,
    open_ledger,
    reading_routes,
)
from sluis.serve.api import readers
from sluis.store import open_once, open_store
from sluis.web import Access, make_api

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MS = int(NOW.timestamp() * 1000)
ANN, BOB = ("BSN", "999990019"), ("BSN", "999990020")
HIGH = "http://eidas.europa.eu/LoA/high"
PROVIDER = "https://inloggen.example"


@cache
def ring(name: str, use: Any) -> Ring:
    """Keys that all groups of a test run share: making one takes a second, and reading one a tenth."""
    home = Path(tempfile.mkdtemp(prefix="sluis-rings-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return Ring(home, name, use, lambda: NOW, lambda: rsa.generate_private_key(65537, 2048))


def peer(number: int) -> PeerId:
    return PeerId(f"0000000300000000000{number}")


class Node:
    """One organisation: its log, its reading API, and whom it believes."""

    def __init__(self, group: "Group", number: int, home: Path) -> None:
        self.peer, self.name, self.url = peer(number), f"Organisatie {number}", f"https://o{number}.example"
        store, keys = open_store(home / "node.db"), FileKeyStore(home / "keys")
        group.closing.callback(store.close)
        self.store = store
        self.ledger = open_ledger(store, keys, f"test/{number}", group.clock)
        self.tokens = Tokens(
            self.url, keys, ring("signing", "sig"), ring(f"opening-{number % 2}", "enc"), group.clock
        )
        self.trusted = Trusted(
            self.peer, [Trust(PROVIDER, read_jwks(group.provider.jwks()))], self.tokens, open_once(store)
        )
        parts: Any = SimpleNamespace(
            looking=SimpleNamespace(trusted=self.trusted), ledger=self.ledger, point=None
        )
        peers = [peer(one) for one in range(10)]
        api = make_api(reading_routes(self.ledger, readers(parts)), Access(peers, lambda _: None), ABOUT)
        self.call = calling(api)

    async def read(self, by: PeerId, token: str | None, body: Mapping[str, Any]) -> Any:
        """What the reading API answers a peer that brings this assertion."""
        headers = {"authorization": f"Bearer {token}"} if token is not None else {}
        return await self.call("POST", "/v1/processing-activities", dict(body), headers, crossing(by, "-"))

    async def log(self, trace: str, whom: tuple[str, str], at: int = MS, **more: Any) -> None:
        """Write down that something was done about somebody; `to` is whom was asked, `by` who asks, `parent` the span of
        the request."""
        attributes = {
            ACTIVITY: ACTIVITY_ID,
            SUBJECT: self.ledger.subject(*whom, datetime.fromtimestamp(at / 1000, UTC)),
            SUBJECT_TYPE: whom[0],
            **({PROCESSOR: more["by"]} if "by" in more else {}),
            **({"dpl.read.externalReadAPI_id": f"{more['to']}/v1"} if "to" in more else {}),
        }
        hidden = Withheld("art. 1", MS + 86_400_000) if more.get("withheld") else None
        line = Processing(
            trace, new_span_id(), f"Raadpleging bij {self.name}", "Ok", at, at + 5, more.get("parent"),
            attributes=attributes, withheld=hidden,
        )  # fmt: skip
        await self.ledger.append([line])


class Group:
    """A group, and the sign-in provider that everybody in it believes."""

    def __init__(self, home: Path, count: int) -> None:
        self.now, self.closing = NOW, ExitStack()
        provider_keys = FileKeyStore(home / "provider")
        self.provider: Tokens = Tokens(
            PROVIDER, provider_keys, ring("provider", "sig"), ring("opening-2", "enc"), self.clock
        )
        self.nodes = [Node(self, number, home / str(number)) for number in range(count)]
        self.down: set[PeerId] = set()
        self.slow: dict[PeerId, float] = {}
        self.asked: list[tuple[PeerId, str]] = []
        self.lies: dict[PeerId, list[Line]] = {}
        self.tokens: list[str] = []

    def clock(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def over(self, number: int, bounds: Bounds | None = None) -> WhoLooked:
        """What makes overviews at one of the nodes."""
        node = self.nodes[number]
        grounds = Grounds(activities=(activity(),))
        return WhoLooked(
            Organisation(node.peer, node.name), node.ledger, grounds, _Elsewhere(self, node), bounds
        )

    def asserting(self, whom: tuple[str, str] = ANN, acr: str = HIGH) -> Any:
        """What makes assertions about a person who signed in."""

        def made(audience: str, reader: Jwk) -> str:
            kind: Any = whom
            token = self.provider.assertion(
                Acting("p"), audience, acr=acr, at=int(NOW.timestamp()), identifier=kind, reader=reader
            )
            self.tokens.append(token)
            return token

        return made

    def assertion(self, node: Node, whom: tuple[str, str] = ANN, acr: str = HIGH) -> str:
        """One assertion, for one node."""
        key = read_jwks(node.tokens.jwks()).fitting(None, "enc")[0]
        made: str = self.asserting(whom, acr)(f"urn:nld:oin:{node.peer!s}", key)
        return made


class _Elsewhere:
    """The way from one node to the others."""

    def __init__(self, group: Group, own: Node) -> None:
        self._group, self._own = group, own

    async def look_around(self, seconds: float) -> None:
        pass

    def organisation(self, address: str) -> Organisation | None:
        found = [one for one in self._group.nodes if address.removesuffix("/v1") == one.url]
        return Organisation(found[0].peer, found[0].name) if found else None

    async def key(self, peer: PeerId) -> Jwk:
        return read_jwks(self._node(peer).tokens.jwks()).fitting(None, "enc")[0]

    async def read(
        self, peer: PeerId, assertion: str, trace_id: str, most: int, seconds: float
    ) -> list[Line]:
        group = self._group
        group.asked.append((peer, trace_id))
        await asyncio.sleep(group.slow.get(peer, 0))
        if peer in group.lies:
            return group.lies[peer]
        reply = await self._node(peer).read(self._own.peer, assertion, {"traceId": trace_id})
        if reply.status != 200:
            raise Problem.from_members(reply.json)
        return decode(reply.body, Found).processing_activities

    def _node(self, peer: PeerId) -> Node:
        if peer in self._group.down:
            text = Text("Weg.", "Away.")
            raise Upstream("peer-unreachable", text, text, text, retry=True)
        return next(one for one in self._group.nodes if one.peer == peer)
