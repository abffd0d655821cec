"""SIMULATOR of a wallet: it holds fictitious credentials, shows what is asked and by whom, and presents when its holder says
so. OpenID4VP 1.0 from the side of a wallet, with other libraries than the node has for it.

Believes whoever signs a request with a certificate under its one anchor, that of a test authority.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS, InvalidJWSSignature
from sd_jwt.holder import SDJWTHolder

from sluis.crypto import is_test

Post = Callable[[str, Mapping[str, str]], Awaitable[tuple[int, bytes]]]
"""Sends a form to an address; gives status and body."""


class Unfit(Exception):
    """A request that this wallet does not answer."""


class Card(msgspec.Struct, frozen=True):
    """A credential in the wallet.

    Args:
        type: `vct`.
        title: as its holder sees it.
        credential: SD-JWT with all disclosures.
        key: of the holder.
    """

    type: str
    title: str
    credential: str
    key: JWK


class Shown(msgspec.Struct, frozen=True):
    """A request, checked, as the holder gets to see it.

    Args:
        verifier: who asks.
        cards: those that would do.
        claims: what would be shown, by path.
        request: the whole of it.
    """

    verifier: str
    cards: tuple[Card, ...]
    claims: tuple[tuple[str, ...], ...]
    request: dict[str, Any]


class Wallet:
    """A wallet of a fictitious person.

    Args:
        anchor: the test authority whose verifiers it answers.
        post: sends forms.

    Raises `ValueError` when that is no test authority.
    """

    def __init__(self, anchor: x509.Certificate, post: Post) -> None:
        if not is_test(anchor):
            raise ValueError("a simulator works under a test authority alone")
        self._anchor, self._post = anchor, post
        self.cards: list[Card] = []

    async def open(self, link: str) -> Shown:
        """Fetch and check the request that a link points to. Raises `Unfit`."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
        nonce = secrets.token_urlsafe(16)
        status, body = await self._post(query["request_uri"], {"wallet_nonce": nonce})
        if status != 200:
            raise Unfit(f"request {status}")
        request = self._checked(body.decode(), query["client_id"])
        if request.get("wallet_nonce") != nonce:
            raise Unfit("wallet_nonce")
        [asked] = request["dcql_query"]["credentials"]
        fitting = tuple(card for card in self.cards if card.type in asked["meta"]["vct_values"])
        claims = tuple(tuple(claim["path"]) for claim in asked["claims"])
        return Shown(request["client_metadata"]["client_name"], fitting, claims, request)

    async def show(self, shown: Shown, card: Card) -> tuple[int, dict[str, Any]]:
        """Present what was asked, from one card; gives what the verifier answers."""
        [asked] = shown.request["dcql_query"]["credentials"]
        token = {asked["id"]: [presentation(shown.request, card, shown.claims)]}
        return await self.send(shown.request, {"vp_token": token, "state": shown.request["state"]})

    async def refuse(self, shown: Shown) -> tuple[int, dict[str, Any]]:
        """Show nothing."""
        return await self.send(shown.request, {"error": "access_denied", "state": shown.request["state"]})

    async def send(self, request: Mapping[str, Any], said: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send an answer in the way that was asked."""
        if request["response_mode"] == "direct_post.jwt" and "error" not in said:
            form = {"response": encrypted(request, said)}
        else:
            form = {
                name: value if isinstance(value, str) else json.dumps(value) for name, value in said.items()
            }
        status, body = await self._post(request["response_uri"], form)
        return status, json.loads(body)

    def _checked(self, text: str, client: str) -> dict[str, Any]:
        """The request, after its signature and who made it: the certificate behind `x509_hash` (OpenID4VP 1.0, 5.9.3)."""
        token = JWS()
        token.deserialize(text)
        header = token.jose_header
        leaf = base64.b64decode(header["x5c"][0])
        named = base64.urlsafe_b64encode(hashlib.sha256(leaf).digest()).rstrip(b"=").decode()
        certificate = x509.load_der_x509_certificate(leaf)
        try:
            certificate.verify_directly_issued_by(self._anchor)
            token.verify(JWK.from_pem(certificate.public_bytes(Encoding.PEM)), alg="ES256")
        except (InvalidSignature, InvalidJWSSignature, ValueError):
            raise Unfit("signature") from None
        request: dict[str, Any] = json.loads(token.payload)
        if (
            header["typ"] != "oauth-authz-req+jwt"
            or client != f"x509_hash:{named}"
            or request["client_id"] != client
            or request["response_type"] != "vp_token"
        ):
            raise Unfit("request")
        return request


def presentation(request: Mapping[str, Any], card: Card, claims: tuple[tuple[str, ...], ...]) -> str:
    """Claims of a card, bound to this request by the holder's key."""
    holder = SDJWTHolder(card.credential)
    chosen: dict[str, Any] = {}
    for path in claims:
        inner = chosen
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = True
    holder.create_presentation(chosen, request["nonce"], request["client_id"], card.key)
    return str(holder.sd_jwt_presentation)


def encrypted(request: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    """An answer that only who asked can read."""
    [key] = request["client_metadata"]["jwks"]["keys"]
    [encryption, *_] = request["client_metadata"]["encrypted_response_enc_values_supported"]
    header = {"alg": key["alg"], "enc": encryption, "kid": key["kid"]}
    token = JWE(json.dumps(said).encode(), protected=json.dumps(header), recipient=JWK(**key))
    return str(token.serialize(compact=True))
