"""Asking wallets: begin, hand over the request, take the answer, and give it to the browser that asked and to no other.

OpenID4VP 1.0: request by reference (5), `direct_post` and `direct_post.jwt` (8.2, 8.3), binding to the browser (13.3, 14.2).
Everything is in memory alone for five minutes, and gone once it was taken; what a wallet showed is never logged.

An answer reaches the browser that asked in two ways. On one device the wallet opens the address that we answer it with, in
that browser. When the wallet is on another device, that address shows a code there, which the person types in the browser
that asked. So whoever lures another into answering gets nothing, unless that person also hands over the code.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from sluis.crypto import read_json
from sluis.identity.passport import rules
from sluis.identity.passport.encryption import ResponseKey, unreadable
from sluis.identity.passport.model import Issuer, Presentation, ResponseMode, Signer, Way
from sluis.identity.passport.presentation import verify_presentation
from sluis.identity.passport.status import StatusLists
from sluis.identity.sessions import Established
from sluis.identity.waiting import Waiting
from sluis.kernel import Clock, Invalid, NotFound, Problem, Text

LASTS = 300
"""Seconds that a wallet has."""

TRIES = 5
"""How often a code may be typed wrong."""

_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ23456789"  # none that look alike, and no words
_CODE = 8


class Verifier(msgspec.Struct, frozen=True):
    """Who asks, as wallets get to know it.

    Args:
        address: of the portal.
        name: of this organisation.
        signer: certificate and key that requests are signed with.
        mode: how wallets answer.
        wallet: where wallets take requests; `openid4vp://` for whichever is on the device.
        test: whether test issuers are believed.
    """

    address: str
    name: str
    signer: Signer
    mode: ResponseMode = "direct_post.jwt"
    wallet: str = "openid4vp://"
    test: bool = False


class _Request:
    """One request, until it is taken."""

    def __init__(self, way: Way, next: str, encrypted: bool) -> None:
        self.way, self.next = way, next
        self.nonce, self.state = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self.key = ResponseKey() if encrypted else None
        self.answered = False
        self.outcome: Presentation | Problem | None = None
        self.proof = self.code = ""  # what the browser that asked must bring: by itself, or typed by a person
        self.tries = TRIES

    def open_up(self, outcome: Presentation | Problem) -> None:
        self.outcome = outcome
        self.proof = secrets.token_urlsafe(32)
        self.code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE))


class Passports:
    """Requests to wallets, and their answers. For one event loop.

    Attributes:
        ways: of signing in, by name.
        verifier: who asks.
    """

    def __init__(
        self,
        verifier: Verifier,
        issuers: Sequence[Issuer],
        ways: Mapping[str, Way],
        statuses: StatusLists,
        clock: Clock,
    ) -> None:
        self.verifier, self.ways = verifier, dict(ways)
        self._issuers, self._statuses, self._clock = tuple(issuers), statuses, clock
        self._waiting: Waiting[_Request] = Waiting(LASTS, clock)

    def way(self, name: str) -> Way:
        """A way of signing in. Raises `NotFound`."""
        if name not in self.ways:
            raise NotFound(
                "unknown-passport",
                Text("Zo kunt u hier niet inloggen.", "You cannot sign in here in this way."),
                Text("Deze manier bestaat niet (meer).", "There is no such way (any more)."),
                Text("Kies een andere manier.", "Choose another way."),
            )
        return self.ways[name]

    def begin(self, way: str, browser: str, next: str, address: str = "") -> str:
        """Ask. Gives the handle of the request.

        Args:
            way: of signing in.
            browser: the secret of the browser that asks.
            next: local path to go to afterwards.
            address: where the browser is.

        Raises:
            NotFound: there is no such way.
        """
        encrypted = self.verifier.mode == "direct_post.jwt"
        return self._waiting.put(browser, _Request(self.way(way), next, encrypted), address)

    def asked(self, handle: str) -> tuple[Way, str]:
        """The way of signing in of a request, and the local path to go to afterwards.

        Raises:
            Refused: there is no such request.
        """
        found = self._waiting.look(handle)
        if found is None:
            raise rules.gone()
        return found.way, found.next

    def link(self, handle: str) -> str:
        """What opens a wallet with a request (OpenID4VP 1.0, 5.7 and 9)."""
        query = {
            "client_id": rules.client_id(self.verifier.signer),
            "request_uri": f"{self._at(handle)}/request",
            "request_uri_method": "post",
        }
        return f"{self.verifier.wallet}?{urlencode(query)}"

    def request(self, handle: str, wallet_nonce: str | None = None) -> str:
        """The request as a wallet fetches it, as often as it likes until it answers.

        Raises:
            Refused: there is no such request.
        """
        found, verifier = self._open(handle), self.verifier
        return rules.request_object(
            verifier.signer,
            found.way.asked,
            name=verifier.name,
            answer_to=f"{self._at(handle)}/answer",
            mode=verifier.mode,
            nonce=found.nonce,
            state=found.state,
            key=found.key.public if found.key else None,
            wallet_nonce=wallet_nonce,
            now=int(self._clock().timestamp()),
        )

    async def answer(self, handle: str, form: Mapping[str, str]) -> str:
        """Take a wallet's answer, once. Gives the address that its person goes to.

        Args:
            handle: of the request.
            form: as it was sent.

        Raises:
            Refused: there is no such request, or what it shows is not believed; then nobody gets anything.
            Invalid: it cannot be read, or is no answer to this request.
            Upstream: whether the credential is still good cannot be found out now.
        """
        found = self._open(handle)
        said = self._said(found, form)
        if not hmac.compare_digest(str(said.get("state")).encode(), found.state.encode()):
            raise unreadable()
        found.answered = True
        try:
            found.open_up(rules.declined() if "error" in said else await self._verified(found, said))
        except Problem as problem:
            found.open_up(problem)
            raise
        return f"{self._at(handle)}/done?{urlencode({'response_code': found.proof})}"

    def code(self, handle: str, browser: str, proof: str) -> str | None:
        """The code that a person types in the browser that asked; None when this is that browser.

        Args:
            handle: of the request.
            browser: the secret of the browser that came.
            proof: what it brought (`response_code`).

        Raises:
            Refused: there is no such request, or this is no proof that it was answered here.
        """
        found = self._waiting.look(handle)
        if found is None or not found.proof or not _same(proof, found.proof):
            raise rules.gone()
        return None if self._waiting.owns(handle, browser) else found.code

    def take(self, handle: str, browser: str, proof: str) -> tuple[Established, str]:
        """Who answered, for the browser that asked, once; and the local path to go to.

        Args:
            handle: of the request.
            browser: the secret of the browser that came.
            proof: what it brought, or what a person typed.

        Raises:
            Refused: it is not this browser's, the code is wrong, or what the wallet showed was refused.
            Problem: why the answer was no good.
        """
        found = self._waiting.look(handle)
        if found is None or not self._waiting.owns(handle, browser) or found.outcome is None:
            raise rules.gone()
        typed = proof.upper().replace("-", "").replace(" ", "")
        if not (_same(proof, found.proof) or _same(typed, found.code)):
            found.tries -= 1
            if found.tries <= 0:
                self._waiting.drop(handle)
                raise rules.gone()
            raise rules.wrong_code(found.tries)
        self._waiting.drop(handle)
        if isinstance(found.outcome, Problem):
            raise found.outcome
        now = int(self._clock().timestamp())
        return rules.established(found.way, found.outcome, now, self.verifier.test), found.next

    def _said(self, found: _Request, form: Mapping[str, str]) -> Mapping[str, Any]:
        """The members of an answer. An error may come without encryption (OpenID4VP 1.0, 8.3.1)."""
        if found.key is None or ("error" in form and "response" not in form):
            return form
        if set(form) - {"state"} != {"response"}:
            raise unreadable()
        return found.key.open(form["response"])

    async def _verified(self, found: _Request, said: Mapping[str, Any]) -> Presentation:
        token = said.get("vp_token")
        try:
            read = read_json(token.encode()) if isinstance(token, str) else token
        except Invalid:
            raise unreadable() from None
        shown = verify_presentation(
            rules.presented(read),
            found.way.asked,
            self._issuers,
            audience=rules.client_id(self.verifier.signer),
            nonce=found.nonce,
            now=self._clock(),
            test=self.verifier.test,
        )
        if shown.status is not None:
            await self._statuses.check(shown.issuer, shown.status)
        return shown

    def _open(self, handle: str) -> _Request:
        """A request that was not answered yet."""
        found = self._waiting.look(handle)
        if found is None or found.answered:
            raise rules.gone()
        return found

    def _at(self, handle: str) -> str:
        return f"{self.verifier.address}/passport/{handle}"


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(hashlib.sha256(one.encode()).digest(), hashlib.sha256(other.encode()).digest())
