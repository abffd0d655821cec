"""SIMULATOR of an issuer of credentials: SD-JWT VC about fictitious people, and the list of those that it took back.

Its certificate is of a test authority, so that a production node believes none of them. SD-JWT VC
(draft-ietf-oauth-sd-jwt-vc) with the library `sd-jwt`; Token Status List (draft-ietf-oauth-status-list).
"""

import json
import zlib
from typing import Any

from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from sd_jwt.common import SDObj
from sd_jwt.issuer import SDJWTIssuer

from sluis.crypto import Identity, encode_base64url, encode_chain, is_test
from sluis.kernel import Clock

VALID, REVOKED, SUSPENDED = 0, 1, 2

_ENTRIES = 256
_LASTS = 90 * 86_400  # seconds
_TTL = 60  # seconds


class SimulatedIssuer:
    """An issuer of fictitious credentials.

    Args:
        identity: its certificate, of a test authority, and key.
        address: where its status list is, `https://HOST[:PORT]`.
        clock: the time.

    Raises `ValueError` when the certificate is of no test authority.
    """

    def __init__(self, identity: Identity, address: str, clock: Clock) -> None:
        if not is_test(identity.certificate):
            raise ValueError("a simulator works under a test authority alone")
        self._identity, self._clock = identity, clock
        self._key = JWK.from_pyca(identity.key)
        self.list_at = f"{address}/status/1"
        self._entries = bytearray(_ENTRIES // 4)  # two bits each
        self._next = 0

    def issue(self, type: str, claims: dict[str, Any], holder: JWK, **plain: Any) -> str:
        """A credential, with all disclosures.

        Args:
            type: `vct`.
            claims: each can be disclosed on its own.
            holder: key of the wallet.
            plain: other claims, always visible; they go before those that are always there.
        """
        now, index = int(self._clock().timestamp()), self._next
        self._next += 1
        always = {
            "iss": "https://uitgever.simulator.example",
            "vct": type,
            "iat": now,
            "exp": now + _LASTS,
            "status": {"status_list": {"idx": index, "uri": self.list_at}},
        } | plain
        said = {SDObj(name): value for name, value in claims.items()} | always
        made = SDJWTIssuer(
            said,
            self._key,
            holder,
            add_decoy_claims=True,
            extra_header_parameters={"typ": "dc+sd-jwt", "x5c": encode_chain(self._identity.chain)},
        )
        return str(made.sd_jwt_issuance)

    def set_status(self, index: int, status: int) -> None:
        """Take a credential back, suspend it, or let it count again.

        Args:
            index: the how manieth credential it was, from 0.
            status: `VALID`, `REVOKED` or `SUSPENDED`.
        """
        byte, shift = divmod(index * 2, 8)
        self._entries[byte] = self._entries[byte] & ~(3 << shift) | status << shift

    def status_list(self, **other: Any) -> bytes:
        """The signed list. `other` goes before what it says of itself."""
        now = int(self._clock().timestamp())
        claims = {
            "sub": self.list_at,
            "iat": now,
            "exp": now + 3600,
            "ttl": _TTL,
            "status_list": {"bits": 2, "lst": encode_base64url(zlib.compress(bytes(self._entries)))},
        } | other
        token = JWS(json.dumps(claims))
        header = {"alg": "ES256", "typ": "statuslist+jwt", "x5c": encode_chain(self._identity.chain)}
        token.add_signature(self._key, alg="ES256", protected=json.dumps(header))
        return str(token.serialize(compact=True)).encode()
