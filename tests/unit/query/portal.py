"""The pages on which officials ask, in a portal without sockets, over two owners of which one can hang."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.browser import Browser, Shown
from tests.federation import Federation
from tests.integration.test_asking import BENEFIT, two_owners

from sluis.crypto import FileKeyStore
from sluis.kernel import Acting, PeerId, Refused
from sluis.query import NAVIGATION, Desk, open_shelf, page_routes
from sluis.query.desk import Limits
from sluis.web import COOKIE, Gate, House, SignedIn, make_portal, problem_of

TICKED = {
    "activity": BENEFIT, "mode": "form", "case": "Z-2026-1", "c.rvig.personen.naam": "on", "c.bd.inkomen.bedrag": "on",
    "c.bd.inkomen.jaar": "on",
}  # fmt: skip
WRITTEN = {"activity": BENEFIT, "mode": "sql", "case": "Z-2026-1"}


ROLES = {"vera": ("contract-requester",)}


class AskingPortal:
    """A portal of an asker with its owners.

    Args:
        home: empty.
        own: Cedar policies of the asker.
        limits: of what is held.
        contracts: whether contracts are requested here.
    """

    def __init__(
        self, home: Path, own: dict[str, str] | None = None, limits: Limits | None = None, contracts: bool = True,
        **income: Any,
    ) -> None:  # fmt: skip
        self.federation: Federation = two_owners(home, own, **income)
        self.refused: list[Refused] = []
        self.hangs: set[PeerId] = set()
        self.silent = False  # whether those that hang do not even say what they open
        self.let_go = asyncio.Event()
        self._send = self.federation.link.send
        self.federation.link.send = self._slowly  # type: ignore[method-assign]
        clock = lambda: self.federation.moment  # noqa: E731
        asker, point = self.federation.asker, self.federation.point
        self.desk = Desk(asker, clock, problem_of, limits)
        self.shelf = open_shelf(self.federation.store, FileKeyStore(home / "asker" / "keys"), clock)
        routes = page_routes(asker, self.desk, self.shelf, Gate(point), self._note, contracts)
        self.app = make_portal(
            routes, self, House("Gemeente Voorbeeld (fictief)", True, NAVIGATION), b"s" * 32
        )

    async def close(self) -> None:
        await self.desk.close()
        self.federation.close()

    def browser(self, who: str = "staff/s1/fenna", language: str = "nl") -> Browser:
        browser = Browser(self.app, language=language)
        browser.cookies[COOKIE] = who
        return browser

    def later(self, **time: int) -> None:
        self.federation.moment += timedelta(**time)

    def by_cookie(self, secret: str) -> SignedIn | None:
        audience, session, person = secret.split("/")
        return SignedIn(
            session,
            Acting(person),
            audience,
            "substantial",
            "acr",
            "staff",
            0,
            "Fenna Fictief",
            roles=ROLES.get(person, ()),
        )  # type: ignore[arg-type]

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        return None

    async def _note(self, refusal: Refused) -> None:
        self.refused.append(refusal)

    @asynccontextmanager
    async def _slowly(self, peer: PeerId, method: str, path: str, *more: Any) -> AsyncIterator[Any]:
        if peer in self.hangs and path == "/v1/consultations":
            await more[-1]
            await self.let_go.wait()
        if peer in self.hangs and self.silent:
            await self.let_go.wait()
        async with self._send(peer, method, path, *more) as answer:
            yield answer


async def token(browser: Browser) -> dict[str, str]:
    """What a form of this visitor carries."""
    shown = await browser.get("/ask/saved")
    return {"csrf": re.findall(r'name="csrf" value="([^"]+)"', shown.text)[0]}


async def send(browser: Browser, path: str, fields: dict[str, str], follow: bool = True) -> Shown:
    """A form with these fields, as a page of the portal sends it."""
    return await browser.post(path, {**fields, **await token(browser)}, follow=follow)
