"""A node that asks for passports, a simulated issuer and a simulated wallet, in one process and without sockets."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from jwcrypto.jwk import JWK

from sluis.crypto import Authority, Identity, make_authority
from sluis.identity.passport import Issuer, Passports, Signer, StatusLists, Verifier, Way
from sluis.kernel import PeerId, Problem, Text, Upstream
from sluis_demo.simulators.model import CITIZEN, COMPANY
from sluis_demo.simulators.passports import SimulatedIssuer
from sluis_demo.simulators.wallet import Card, Shown, Wallet, presentation

PORTAL = "https://portaal.dienst.example"
STATUS = "https://status.uitgever.example"
BROWSER = "browser-1"
WHY = Text("Om u te laten inloggen.", "To let you sign in.")
PERSON = {"given_name": "Fenna", "family_name": "Fictief", "bsn": "999990019", "birthdate": "1990-01-01"}
FIRM = {"kvk_number": "90000003", "legal_name": "Verzonnen Fietsen B.V. (fictief)", "person": "p-1"}
WAYS = {
    "burger": Way("burger", Text("Paspoort", "Passport"), "citizen", CITIZEN,
                  {"bsn": (("bsn",),), "name": (("given_name",), ("family_name",))}, "high", WHY),
    "bedrijf": Way("bedrijf", Text("Bedrijfspas", "Company pass"), "company", COMPANY,
                   {"person": (("person",),), "kvk": (("kvk_number",),), "company": (("legal_name",),)},
                   "substantial", WHY),
}  # fmt: skip


def certified(authority: Authority, folder: Path, host: str) -> Identity:
    """A certificate under a test authority."""
    return Identity.load(
        *authority.issue(folder, PeerId("00000099000000001000"), "Voorbeeld (fictief)", [host])
    )


class Counter:
    """All of them together, with one clock.

    Attributes:
        lists: what the issuer's status host serves, by address; a Problem: it fails.
        fetched: how often it was asked.
    """

    def __init__(self, folder: Path, **verifier: Any) -> None:
        # Certificates are made now, so the clock of these tests begins a little later.
        self.now = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5)
        self.folder = folder
        self.authority = make_authority(folder / "group", "Groep")
        issuers = make_authority(folder / "issuers", "Uitgevers")
        self.issuer = SimulatedIssuer(
            certified(issuers, folder / "issuer", "uitgever.example"), STATUS, self.clock
        )
        self.trusted = Issuer(
            "simulator", "Uitgever (fictief)", (issuers.certificate,), frozenset({CITIZEN, COMPANY}), None, (STATUS,)
        )  # fmt: skip
        self.lists: dict[str, bytes | Problem] = {}
        self.fetched = 0
        identity = certified(self.authority, folder / "portal", "portaal.dienst.example")
        self.verifier = msgspec.structs.replace(
            Verifier(PORTAL, "Dienst Voorbeeld (fictief)", Signer(identity.chain, identity.key), test=True),
            **verifier,
        )
        self.passports = self.opened()
        self.wallet = Wallet(self.authority.certificate, self.post)
        self.person = self.held(CITIZEN, PERSON)
        self.firm = self.held(COMPANY, FIRM)

    def clock(self) -> datetime:
        return self.now

    def opened(self, *issuers: Issuer) -> Passports:
        statuses = StatusLists(self.fetch, self.clock, self.verifier.test)
        return Passports(self.verifier, issuers or (self.trusted,), WAYS, statuses, self.clock)

    def held(self, type: str, claims: dict[str, Any], **plain: Any) -> Card:
        key = JWK.generate(kty="EC", crv="P-256")
        card = Card(type, "pas (fictief)", self.issuer.issue(type, claims, key, **plain), key)
        self.wallet.cards.append(card)
        return card

    async def fetch(self, url: str) -> bytes:
        self.fetched += 1
        found = self.lists.get(url, self.issuer.status_list())
        if isinstance(found, Problem):
            raise found
        return found

    async def post(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """What the node's routes do with what a wallet sends."""
        *_, handle, what = urlsplit(url).path.split("/")
        try:
            if what == "request":
                return 200, self.passports.request(handle, form.get("wallet_nonce")).encode()
            return 200, json.dumps({"redirect_uri": await self.passports.answer(handle, form)}).encode()
        except Problem as problem:
            return problem.status, json.dumps(problem.members("en")).encode()

    async def asked(self, way: str = "burger", browser: str = BROWSER) -> tuple[str, Shown]:
        handle = self.passports.begin(way, browser, "/zaken")
        return handle, await self.wallet.open(self.passports.link(handle))

    async def answered(self, way: str = "burger") -> tuple[str, str]:
        """The handle of a request that the wallet answered, and the proof that it brings back."""
        handle, shown = await self.asked(way)
        status, said = await self.wallet.show(shown, shown.cards[0])
        assert status == 200, said
        return handle, proof_in(said["redirect_uri"])

    async def refusal(self, text: str, shown: Shown) -> str:
        """The rule that a presentation breaks."""
        token = {"passport": [text]}
        status, said = await self.wallet.send(
            shown.request, {"vp_token": token, "state": shown.request["state"]}
        )
        assert status == 403, said
        return str(said["rule"]).removeprefix("presentation-")

    def presented(self, shown: Shown, card: Card | None = None) -> str:
        return presentation(shown.request, card or self.person, shown.claims)


def proof_in(url: str) -> str:
    return parse_qs(urlsplit(url).query)["response_code"][0]


AWAY = Upstream(
    "status-away", Text("Weg.", "Away."), Text("Weg.", "Away."), Text("Later.", "Later."), retry=True
)
