"""A portal with passkeys and passports in it, without sockets, and a way of signing in as whom a test says."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response, get
from tests.browser import Browser

from sluis.crypto import FileKeyStore
from sluis.identity import pages, passkeys, passport
from sluis.identity.people import Choice
from sluis.identity.sessions import Established, SigningIn, open_sessions
from sluis.ledger import open_ledger
from sluis.store import Store
from sluis.web import House, SignedIn, make_portal

ORIGIN = "https://portaal.dienst.example"


class Pages:
    """The portal of a fictitious organisation.

    Args:
        store: of the node.
        folder: for its keys.
        clock: the time.
        origin: of the portal.
        passports: when it asks for them.
    """

    def __init__(
        self,
        store: Store,
        folder: Path,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        origin: str = ORIGIN,
        passports: passport.Passports | None = None,
    ) -> None:
        keys = FileKeyStore(folder / "keys")
        self.origin, self.clock = origin, clock
        self.sessions = open_sessions(store, keys, clock)
        self.signing_in = SigningIn(self.sessions, self._nobody)
        settings = passkeys.Settings(origin, str(urlsplit(origin).hostname), "Dienst Voorbeeld (fictief)")
        self.passkeys = passkeys.open_passkeys(
            store, open_ledger(store, keys, "portaal.dienst.example/log", clock), keys, clock, settings
        )
        self.staff = Established("directory", "staff", "staff", "medewerker-1", "substantial", "loa", 0,
                                 "https://id.example", name="Fenna Fictief")  # fmt: skip

        @get("/way/directory")
        async def directory(
            visitor: SignedIn | None, request: Request[Any, Any, Any], next: str = "/"
        ) -> Response[Any]:
            """A way of signing in that asks nothing."""
            at = int(clock().timestamp())
            return await self.signing_in.finish(msgspec.structs.replace(self.staff, at=at), request, next)

        finish = self.signing_in.finish
        ways = [passkeys.way(self.passkeys), *(passport.ways(passports) if passports else [])]
        routes = [
            directory,
            *pages.routes(self.sessions, self.signing_in, lambda: ways),
            *passkeys.routes(self.passkeys, self.sessions, finish),
            *(passport.routes(passports, finish) if passports else []),
        ]
        house = House("Dienst Voorbeeld (fictief)", True, (*pages.NAVIGATION, *passkeys.NAVIGATION))
        self.app = make_portal(routes, self, house, b"s" * 32)

    def browser(self, **other: Any) -> Browser:
        return Browser(self.app, self.origin, **other)

    async def wallet_post(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """A form as a wallet sends it: a program, without cookies."""
        program = Browser(self.app, self.origin, address="198.51.100.7")
        shown = await program.post(urlsplit(url).path, form, accept="*/*", origin="", sec_fetch_site="")
        return shown.status, shown.body if shown.status == 200 else json.dumps(shown.json).encode()

    def by_cookie(self, secret: str) -> SignedIn | None:
        return self.sessions.by_cookie(secret)

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        return None

    async def _nobody(self, signed_in: SignedIn) -> Sequence[Choice]:
        return ()
