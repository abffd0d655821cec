"""SIMULATOR of a wallet as pages: what is asked and by whom, a choice of cards, show or refuse; and beside it the status list
of the simulated issuer. Works without script. It is one wallet of one fictitious person, open to whoever comes by.
"""

import secrets
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import parse_qsl

import aiohttp
import msgspec
from cryptography import x509
from jinja2 import Environment, PackageLoader, StrictUndefined
from jwcrypto.jwk import JWK
from litestar import Litestar, Request, Response, get, post
from litestar.params import PathParameter

from sluis.crypto import Identity
from sluis.kernel import Clock, utc_now
from sluis_demo.simulators.app import BASE
from sluis_demo.simulators.model import CITIZEN, COMPANY
from sluis_demo.simulators.passports import SimulatedIssuer
from sluis_demo.simulators.wallet import Card, Post, Shown, Unfit, Wallet

_HTML, _JSON = "text/html; charset=utf-8", "application/json"
_MOST = 100  # requests that wait for the holder
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

Printed = tuple[str, str, dict[str, Any]]
"""A card before it is issued: type, title, claims."""

CARDS: tuple[Printed, ...] = (
    (CITIZEN, "Persoonsgegevens van Fenna Fictief (verzonnen)",
     {"given_name": "Fenna", "family_name": "Fictief", "birthdate": "1990-01-01", "bsn": "999990019"}),
    (CITIZEN, "Persoonsgegevens van Bram Bedacht (verzonnen)",
     {"given_name": "Bram", "family_name": "Bedacht", "birthdate": "1961-05-17", "bsn": "999990020"}),
    (COMPANY, "Bedrijfsgegevens van Verzonnen Fietsen B.V. (verzonnen)",
     {"kvk_number": "90000003", "legal_name": "Verzonnen Fietsen B.V.", "person": "simulator-1"}),
)  # fmt: skip
"""What is in the wallet, unless said otherwise. Nobody and nothing of it exists."""


class WalletApp:
    """The pages, as an ASGI app.

    Attributes:
        issuer: of the cards.
        wallet: that shows them.
        link: that opens the wallet; for the setting `passport.wallet` of a node.
    """

    def __init__(
        self,
        address: str,
        identity: Identity,
        anchor: x509.Certificate,
        post: Post,
        clock: Clock,
        cards: tuple[Printed, ...],
    ) -> None:
        self.issuer = SimulatedIssuer(identity, f"{address}{BASE}/passports", clock)
        self.wallet = Wallet(anchor, post)
        self.link = f"{address}{BASE}/wallet"
        for type, title, claims in cards:
            key = JWK.generate(kty="EC", crv="P-256")
            self.wallet.cards.append(Card(type, title, self.issuer.issue(type, claims, key), key))
        self._asked: dict[str, Shown] = {}
        self._framework = Litestar(
            route_handlers=self._routes(), openapi_config=None, logging_config=None, debug=False
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self._framework(scope, receive, send)

    def _routes(self) -> list[Any]:
        @get(f"{BASE}/wallet")
        async def ask(request: Request[Any, Any, Any]) -> Response[bytes]:
            try:
                shown = await self.wallet.open(str(request.url))
            except (Unfit, KeyError, ValueError):
                return _page("wallet_done.html", 400, told="unfit")
            id = secrets.token_urlsafe(16)
            while len(self._asked) >= _MOST:
                del self._asked[next(iter(self._asked))]
            self._asked[id] = shown
            action = f"{BASE}/wallet/{id}"
            if request.headers.get("accept") == _JSON:  # a wallet in a terminal
                told = {
                    "verifier": shown.verifier,
                    "claims": [".".join(path) for path in shown.claims],
                    "cards": [card.title for card in shown.cards],
                    "answer": action,
                }
                return Response(msgspec.json.encode(told), media_type=_JSON, headers=_HEADERS)
            return _page("wallet.html", shown=shown, action=action)

        @post(f"{BASE}/wallet/{{id:str}}", status_code=200)
        async def answer(
            request: Request[Any, Any, Any], id: Annotated[str, PathParameter()]
        ) -> Response[bytes]:
            shown, form = self._asked.pop(id, None), dict(parse_qsl((await request.body()).decode()))
            if shown is None:
                return _page("wallet_done.html", 400, told="gone")
            if "refuse" in form or not shown.cards:
                status, said = await self.wallet.refuse(shown)
            else:
                card = shown.cards[int(form.get("card", "0")) % len(shown.cards)]
                status, said = await self.wallet.show(shown, card)
            if status == 200 and "redirect_uri" in said:
                return Response(b"", status_code=303, headers={**_HEADERS, "location": said["redirect_uri"]})
            return _page("wallet_done.html", told="refused", why=said.get("detail", ""))

        @get(f"{BASE}/passports/status/1")
        async def status_list() -> Response[bytes]:
            return Response(
                self.issuer.status_list(), media_type="application/statuslist+jwt", headers=_HEADERS
            )

        @get(f"{BASE}/wallet.css")
        async def style() -> Response[bytes]:
            return Response(_template("style.css").render().encode(), media_type="text/css", headers=_HEADERS)

        return [ask, answer, status_list, style]


def make_wallet(
    address: str,
    identity: Identity,
    anchor: x509.Certificate,
    context: ssl.SSLContext,
    clock: Clock = utc_now,
    cards: tuple[Printed, ...] = CARDS,
) -> WalletApp:
    """A wallet with the cards of a simulated issuer.

    Args:
        address: where browsers and nodes reach it, `https://HOST[:PORT]`.
        identity: certificate and key of the issuer, of a test authority.
        anchor: the test authority of the group whose nodes the wallet answers.
        context: for calls to those nodes.
        clock: the time.
        cards: what is in it.

    Raises `ValueError` when either is of no test authority.
    """

    async def send(url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        connector = aiohttp.TCPConnector(ssl=context)
        async with (
            aiohttp.ClientSession(connector=connector) as http,
            http.post(url, data=form, allow_redirects=False) as said,
        ):
            return said.status, await said.read()

    return WalletApp(address, identity, anchor, send, clock, cards)


def _page(template: str, status: int = 200, **values: Any) -> Response[bytes]:
    html = _template(template).render(language="nl", style=f"{BASE}/wallet.css", **values)
    return Response(html.encode(), media_type=_HTML, status_code=status, headers=_HEADERS)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("sluis_demo.simulators"), autoescape=True, undefined=StrictUndefined
    )


def _template(name: str) -> Any:
    return _environment().get_template(name)
