"""A node in a group, put together and not started: nothing listens and nobody is called, and its pages are in a portal without
sockets. Contracts are put into its store. All names and numbers are fictitious."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.browser import Browser
from tests.kept import Kept
from tests.unit.gateway.contracts.making import CONSUMER, PROVIDER, as_json, connection, content

from sluis.crypto import FileKeyStore, Identity, client_context, make_authority, read_certificates
from sluis.gateway.contracts import Action, Content, Signature, read_content
from sluis.gateway.manager import Settings, Trust
from sluis.gateway.membership import open_membership
from sluis.gateway.operating import Step, open_operator
from sluis.gateway.pages import NAVIGATION, Own, Part, Revoked, Shown, page_routes
from sluis.gateway.peers import Directory, Group, Known
from sluis.gateway.traffic import Traffic
from sluis.grounds import Article, Disclosure, Offer, OfferedColumn, Opened
from sluis.kernel import Acting, Oin, PeerId, Period, Text, Upstream, utc_now
from sluis.ledger import open_ledger
from sluis.policy import STANDARD, DecisionPoint, Policies
from sluis.store import open_store
from sluis.web import COOKIE, Gate, House, SignedIn, make_portal

OWN, OTHER, DIRECTORY = PeerId(CONSUMER), PeerId(PROVIDER), PeerId("00000000000000000099")
NAMES = {
    OWN: "Gemeente Voorbeeld (fictief)",
    OTHER: "Bron Voorbeeld (fictief)",
    DIRECTORY: "Directory (fictief)",
}
ACTIVITY = "https://register.voorbeeld.nl/bijstand"
TITLE = Text("Bijstand beoordelen", "Assessing social assistance")
EVIL = '<script>alert("x")</script>\u202e'
DAY = 86_400
INCOME = Disclosure(
    "inkomen", 1, "inkomen", OTHER, ACTIVITY, {"bedrag": "output"},
    (Article("Participatiewet", "53a", "BWBR0015703"),), "legal-obligation", Oin(CONSUMER), Period(date(2026, 1, 1)),
)  # fmt: skip
OPENS = Opened(
    {
        "inkomen": Offer(
            OWN, "own", "inkomen", Text("Inkomen", "Income"), (OfferedColumn("bedrag", "BIGINT", "output"),), INCOME,
            f"sha256:{'a' * 64}",
        )
    }
)  # fmt: skip
"""What the node itself opens."""


class Clock:
    """The time, which a test moves on."""

    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self) -> datetime:
        return self.now

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class World:
    """The node, its pages, and who looks at them."""

    def __init__(self, folder: Path, store: Any, authority: Any) -> None:
        self.clock, self.kept, self.offered, self.asked = (
            Clock(),
            Kept(),
            dict[str, Opened | Upstream](),
            list[str](),
        )
        files = authority.issue(folder / "own", OWN, NAMES[OWN], ["localhost"])
        self.identity = Identity.load(*files)
        group = Group("fsc-voorbeeld", (authority.path,), Directory(DIRECTORY, "https://localhost:8443"))
        keys, anchors = FileKeyStore(folder / "keys"), tuple(read_certificates(authority.path))
        self.membership = open_membership(
            store, open_ledger(store, keys, "test/own", self.clock), self.identity, group,
            Settings("https://localhost:8443", "https://localhost:443", True), Trust(anchors),
            client_context(*files, [authority.path]), {"bron": OTHER}, self.clock,
        )  # fmt: skip
        self.store, self.authority, self.folder = store, authority, folder
        self.operator = open_operator(
            store, self.membership, OPENS, {"bron": OTHER}, self._offers, self.clock
        )
        gate = Gate(DecisionPoint(Policies(STANDARD), "own", self.kept, self.clock))
        self.traffic = Traffic(self.membership, self.clock)
        self.parts = [Part("node", Text("Het knooppunt", "The node"), self._examined)]
        certificates = Own(self._shown, lambda: self.lists, lambda: ["CN=zonder lijst"])
        routes = page_routes(
            self.membership, self.operator, self.traffic, certificates, self.parts, gate, {ACTIVITY: TITLE}, self.clock
        )  # fmt: skip
        self.app = make_portal(routes, self, House(NAMES[OWN], True, NAVIGATION), b"s" * 32)

    async def _offers(self, alias: str) -> Opened:
        self.asked.append(alias)
        found = self.offered.get(alias, Opened())
        if isinstance(found, Upstream):
            raise found
        if alias in self.hanging:
            await asyncio.sleep(3600)
        return found

    hanging: frozenset[str] = frozenset()
    lists: tuple[Revoked, ...] = ()

    async def _examined(self) -> list[Step]:
        return [
            Step("database", "ok", "Hij antwoordt.", "It answers."),
            Step("disk", "wrong", "Vol.", "Full.", "Maak ruimte.", "Make room."),
        ]

    def _shown(self) -> list[Shown]:
        return [
            Shown(
                Text("Dit knooppunt", "This node"),
                self.identity.certificate,
                Text("Vernieuw het.", "Renew it."),
            )
        ]

    async def know(self, peer: PeerId, name: str) -> None:
        """A peer is known by this name."""
        await self.membership.running.peers.told(Known(peer, name, "https://localhost:8443"))

    def now(self) -> int:
        return int(self.clock().timestamp())

    async def agree(
        self, *grants: Mapping[str, Any], by: tuple[PeerId, ...] = (OTHER,), days: int = 100, **changes: Any
    ) -> Content:
        """A contract that these accepted, the first of whom proposed it."""
        now = self.now()
        changes = {
            "validity": {"not_before": now - 10, "not_after": now + days * DAY},
            "created_at": now,
        } | changes
        read = read_content(as_json(content(*map(dict, grants or (connection(),)), **changes)))
        await self.membership.contracts.receive(read, self.signature(by[0]))
        for one in by[1:]:
            await self.membership.contracts.add_signature(read, self.signature(one))
        return read

    def signature(self, peer: PeerId, action: Action = "accept") -> Signature:
        return Signature(peer, action, f"{peer}.{action}.x", self.now(), "-", 2**40)

    def browser(self, *roles: str, language: str = "nl", audience: str = "staff") -> Browser:
        browser = Browser(self.app, language=language)
        browser.cookies[COOKIE] = "|".join((audience, *roles))
        return browser

    def by_cookie(self, secret: str) -> SignedIn | None:
        audience, *roles = secret.split("|")
        return SignedIn(
            f"s{secret}",
            Acting("p"),
            audience,
            "high",
            "acr",
            "way",
            0,
            "Henk Hypothetisch",
            roles=tuple(roles),
        )  # type: ignore[arg-type]

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        return None


@contextmanager
def world_in(folder: Path) -> Iterator[World]:
    """A world with its files in a folder, closed when the block ends."""
    authority = make_authority(folder / "authority", "Groep (fictief)")
    with closing(open_store(folder / "node.db")) as store:
        yield World(folder, store, authority)
