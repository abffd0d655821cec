"""Calls to a Manager with a client that shares no code with the product: the standard library's, in a thread."""

import asyncio
import base64
import http.client
import json
import ssl
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes as digests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from tests.integration.managers import MANAGEMENT, World
from tests.unit.gateway.contracts.making import hashes

from sluis.crypto import server_context
from sluis.kernel import PeerId

Reply = tuple[int, dict[str, str], bytes]


class Caller:
    """A peer that only calls: its files, and the Manager address that it says it has."""

    def __init__(self, certificate: Path, key: Path, anchor: Path, says: str) -> None:
        self.certificate, self.key, self.says = certificate, key, says
        self.context = ssl.create_default_context(cafile=str(anchor))
        self.context.load_cert_chain(certificate, key)

    async def call(
        self,
        url: str,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        if headers is None:
            headers = {"Fsc-Manager-Address": self.says} if method in ("POST", "PUT") else {}
        return await asyncio.to_thread(self._call, url, method, path, body, headers)

    def _call(self, url: str, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        parts = urlsplit(url)
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, context=self.context, timeout=10
        )
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    @property
    def der(self) -> bytes:
        return x509.load_pem_x509_certificate(self.certificate.read_bytes()).public_bytes(Encoding.DER)

    @property
    def thumbprint(self) -> str:
        digest = digests.Hash(digests.SHA256())
        digest.update(self.der)
        return b64(digest.finalize())

    def jwks(self) -> bytes:
        key = {
            "kty": "EC",
            "crv": "P-256",
            "x5c": [base64.b64encode(self.der).decode()],
            "x5t#S256": self.thumbprint,
        }
        return json.dumps({"keys": [key]}).encode()

    def jws(self, payload: Any, **header: Any) -> str:
        """ES256, by the letter of RFC 7515."""
        head = {"alg": "ES256", "x5t#S256": self.thumbprint, **header}
        signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(payload).encode())}"
        key = load_pem_private_key(self.key.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(digests.SHA256())))
        return f"{signed}.{b64(r.to_bytes(32) + s.to_bytes(32))}"

    def signature(self, content: dict[str, Any], action: str, moment: int, **header: Any) -> str:
        payload = {"contract_content_hash": hashes(content)[0], "type": action, "signed_at": moment}
        return self.jws(payload, **header)


class Foreign(Caller):
    """A peer that is no Sluis: it calls, and answers at its own address.

    Attributes:
        keys: what its `/.well-known/jwks.json` gives.
        answers: raw answers by the start of `METHOD /path`, instead of an empty object.
        received: request lines and bodies.
    """

    def __init__(self, world: World, peer: PeerId) -> None:
        self.place = world.place(peer)
        super().__init__(self.place.certificate, self.place.key, self.place.anchors[0], self.place.address)
        self.keys, self.answers, self.received = self.jwks(), dict[str, bytes](), list[tuple[str, bytes]]()
        self.connections = 0

    async def listen(self) -> asyncio.Server:
        context = server_context(self.place.certificate, self.place.key, self.place.anchors)
        return await asyncio.start_server(self._serve, self.place.host, MANAGEMENT, ssl=context)

    def pushed(self, start: str) -> list[bytes]:
        """The bodies of requests that begin so."""
        return [body for line, body in self.received if line.startswith(start)]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *fields = head.split("\r\n")
                length = next(
                    (int(one[15:]) for one in fields if one.lower().startswith("content-length:")), 0
                )
                self.received.append((line, await reader.readexactly(length)))
                writer.write(self._answer(line))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    def _answer(self, line: str) -> bytes:
        for start, answer in self.answers.items():
            if line.startswith(start):
                return answer
        return ok(self.keys if "jwks" in line else b"{}")


def ok(body: bytes, status: bytes = b"200 OK") -> bytes:
    """A whole answer."""
    return b"HTTP/1.1 %s\r\ncontent-length: %d\r\n\r\n" % (status, len(body)) + body


def contract(group: str, moment: int, *grants: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A content, as the standard writes it."""
    return {
        "fsc_version": "2.0.0",
        "iv": str(uuid.uuid4()),
        "group_id": group,
        "validity": {"not_before": moment - 60, "not_after": moment + 86_400},
        "grants": [{"data": grant} for grant in grants],
        "hash_algorithm": "HASH_ALGORITHM_SHA3_512",
        "created_at": moment,
        **changes,
    }


def signing_path(content: dict[str, Any], action: str, encoded: bool = True) -> str:
    hash = hashes(content)[0]
    return f"/v1/contracts/{quote(hash, safe='') if encoded else hash}/{action}"


def unpadded(text: str) -> bytes:
    """Base64url without padding, read."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def code(reply: Reply, fine: int = 0) -> tuple[int, str]:
    """Status and FSC code, which stand in body and header alike; with the status `fine` there is none."""
    status, headers, body = reply
    if status == fine:
        return status, ""
    said = json.loads(body)
    assert said["domain"] == "ERROR_DOMAIN_MANAGER"
    assert headers["fsc-error-code"] == said["code"]
    assert said["message"]
    return status, said["code"]
