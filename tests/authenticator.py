"""A passkey in software, written from the standard (Web Authentication level 3, section 6) and sharing no code with the
product: keys on P-256, attestation `none` or `packed`. It does as it is told, also what no honest one would."""

import base64
import hashlib
import json
import os
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Authenticator:
    """One device with one passkey at most for each site.

    Args:
        origin: of the page that the browser shows.
        counts: whether it has a counter.
        synced: whether the passkey is copied to other devices.
    """

    def __init__(self, origin: str, *, counts: bool = True, synced: bool = False) -> None:
        self.origin, self.counts, self.synced = origin, counts, synced
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = os.urandom(32)
        self.user = b""
        self.count = 0

    def create(self, options: str, *, packed: bool = False, **how: Any) -> str:
        """What `navigator.credentials.create` gives, as JSON."""
        asked = json.loads(options)
        self.user = unb64(asked["user"]["id"])
        client = self._client("webauthn.create", asked["challenge"], how)
        data = self._data(asked["rp"]["id"], how, attested=True)
        statement: dict[str, Any] = {}
        if packed:
            statement = {"alg": -7, "sig": self._sign(data, client)}
        made = cbor2.dumps({"fmt": "packed" if packed else "none", "attStmt": statement, "authData": data})
        return self._answer(
            {"clientDataJSON": b64(client), "attestationObject": b64(made), "transports": ["internal", "usb"]}
        )

    def get(self, options: str, **how: Any) -> str:
        """What `navigator.credentials.get` gives, as JSON."""
        asked = json.loads(options)
        client = self._client("webauthn.get", asked["challenge"], how)
        data = self._data(asked["rpId"], how, attested=False)
        return self._answer(
            {
                "clientDataJSON": b64(client),
                "authenticatorData": b64(data),
                "signature": b64(self._sign(data, client)),
                "userHandle": b64(how.get("user", self.user)),
            }
        )

    def _answer(self, response: dict[str, Any]) -> str:
        return json.dumps(
            {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "response": response}
        )

    def _client(self, kind: str, challenge: str, how: dict[str, Any]) -> bytes:
        said = {
            "type": how.get("kind", kind),
            "challenge": how.get("challenge", challenge),
            "origin": how.get("origin", self.origin),
            "crossOrigin": how.get("framed", False),
            **({"topOrigin": how["top"]} if "top" in how else {}),
        }
        return json.dumps(said).encode()

    def _data(self, host: str, how: dict[str, Any], attested: bool) -> bytes:
        verified, present = how.get("verified", True), how.get("present", True)
        self.count += 1 if self.counts else 0
        flags = present | verified << 2 | self.synced << 3 | self.synced << 4 | attested << 6
        data = hashlib.sha256(how.get("host", host).encode()).digest() + bytes([flags])
        data += how.get("count", self.count).to_bytes(4)
        if attested:
            numbers = self.key.public_key().public_numbers()
            key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
            data += bytes(16) + len(self.id).to_bytes(2) + self.id + cbor2.dumps(key)
        return data

    def _sign(self, data: bytes, client: bytes) -> bytes:
        return self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
