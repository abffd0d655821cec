"""JWS for the peer of the tests: RFC 7515 compact serialisation with the six algorithms of FSC Core 2.0.0 section 4.2.3,
and every way of getting it wrong that a test wants to send."""

import json
import time
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from tests.fsc.authority import Identity, certificate_thumbprint
from tests.fsc.jcs import NotIJson, b64u, loads, unb64u

_DIGESTS = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
_CURVES = {"ES256": ("secp256r1", 32), "ES384": ("secp384r1", 48), "ES512": ("secp521r1", 66)}
ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")


class BadJws(ValueError):
    """Not a JWS that FSC allows. `unknown_algorithm` says whether that is what is wrong."""

    def __init__(self, why: str, *, unknown_algorithm: bool = False) -> None:
        super().__init__(why)
        self.unknown_algorithm = unknown_algorithm


def algorithm_of(key: Any) -> str:
    """The algorithm this peer uses with a key."""
    if isinstance(key, rsa.RSAPrivateKey):
        return "RS256"
    return next(name for name, (curve, _) in _CURVES.items() if curve == key.curve.name)


def sign(
    identity: Identity, payload: bytes, *, algorithm: str | None = None, header: dict[str, Any] | None = None
) -> str:
    """A JWS by an identity. `header` replaces or adds members; `algorithm` is otherwise the key's own."""
    algorithm = algorithm or algorithm_of(identity.key)
    head = {"alg": algorithm, "x5t#S256": identity.thumbprint, **(header or {})}
    return sign_raw(identity.key, algorithm, json.dumps(head).encode(), payload)


def sign_raw(key: Any, algorithm: str, header: bytes, payload: bytes) -> str:
    """A JWS over exactly these bytes."""
    signed = f"{b64u(header)}.{b64u(payload)}".encode()
    return f"{signed.decode()}.{b64u(_signature(key, algorithm, signed))}"


def _signature(key: Any, algorithm: str, signed: bytes) -> bytes:
    digest = _DIGESTS[algorithm[2:]]()
    if algorithm.startswith("RS"):
        return bytes(key.sign(signed, padding.PKCS1v15(), digest))
    if algorithm.startswith("PS"):
        return bytes(key.sign(signed, padding.PSS(padding.MGF1(digest), digest.digest_size), digest))
    size = _CURVES[algorithm][1]
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(digest)))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def verify(text: str, certificate: x509.Certificate) -> dict[str, Any]:
    """The payload of a JWS that this certificate's key made; raises `BadJws`."""
    header, payload, signed, signature = parts(text)
    algorithm = header["alg"]
    key: Any = certificate.public_key()
    digest = _DIGESTS[algorithm[2:]]()
    try:
        if algorithm.startswith("RS"):
            if not isinstance(key, rsa.RSAPublicKey):
                raise BadJws("the algorithm does not fit the key")
            key.verify(signature, signed, padding.PKCS1v15(), digest)
        else:
            curve, size = _CURVES[algorithm]
            if (
                not isinstance(key, ec.EllipticCurvePublicKey)
                or key.curve.name != curve
                or len(signature) != 2 * size
            ):
                raise BadJws("the algorithm does not fit the key")
            r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
            key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(digest))
    except InvalidSignature as error:
        raise BadJws("the signature is not of this key") from error
    return payload


def parts(text: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    """Header, payload, what was signed, and the signature; nothing is verified. Raises `BadJws`."""
    pieces = text.split(".")
    if len(pieces) != 3:
        raise BadJws("a compact JWS has three parts")
    try:
        header, payload = loads(unb64u(pieces[0])), loads(unb64u(pieces[1]))
        signature = unb64u(pieces[2])
    except (NotIJson, ValueError) as error:
        raise BadJws(str(error)) from error
    if not isinstance(header, dict) or not isinstance(payload, dict):
        raise BadJws("header and payload are objects")
    if header.get("alg") not in ALGORITHMS:
        raise BadJws("an algorithm that FSC does not know", unknown_algorithm=True)
    if "crit" in header:
        raise BadJws("a header that must be understood and is not")
    return header, payload, f"{pieces[0]}.{pieces[1]}".encode(), signature


def thumbprint_in(header: dict[str, Any]) -> str | None:
    """The certificate a header names. The standard writes `x5t#S256`; its OpenAPI file has a small s."""
    found = header.get("x5t#S256", header.get("x5t#s256"))
    return found if isinstance(found, str) else None


def statement(
    identity: Identity, content_hash: str, kind: str, signed_at: int | None = None, **more: Any
) -> str:
    """A signature on a contract: section 4.2.3. `more` goes to `sign`."""
    body = {"contract_content_hash": content_hash, "type": kind, "signed_at": int(signed_at or time.time())}
    return sign(identity, json.dumps(body).encode(), **more)


# What a peer that cheats sends


def unsigned(jws: str) -> str:
    """The same statement with algorithm `none` and no signature."""
    header, _, signed, _ = parts(jws)
    return f"{b64u(json.dumps({**header, 'alg': 'none'}).encode())}.{signed.decode().split('.')[1]}."


def with_public_key_as_secret(identity: Identity, payload: bytes) -> str:
    """HS256 with the public certificate as the secret: the old confusion of algorithms."""
    head = json.dumps({"alg": "HS256", "x5t#S256": identity.thumbprint}).encode()
    signed = f"{b64u(head)}.{b64u(payload)}".encode()
    code = hmac.HMAC(identity.certificate_pem, hashes.SHA256())
    code.update(signed)
    return f"{signed.decode()}.{b64u(code.finalize())}"


def altered(jws: str, **members: Any) -> str:
    """The same signature under a payload with other members."""
    head, payload, signature = jws.split(".")
    return f"{head}.{b64u(json.dumps({**loads(unb64u(payload)), **members}).encode())}.{signature}"


def jwks(identities: list[Identity]) -> dict[str, Any]:
    """A key set in which every key bears its chain without the root (section 4.4.1.4)."""
    return {"keys": [_jwk(identity) for identity in identities]}


def _jwk(identity: Identity) -> dict[str, Any]:
    public: Any = identity.certificate.public_key()
    common = {
        "use": "sig",
        "alg": algorithm_of(identity.key),
        "x5c": identity.chain_base64,
        "x5t#S256": identity.thumbprint,
    }
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        return {"kty": "RSA", "n": b64u(_shortest(numbers.n)), "e": b64u(_shortest(numbers.e)), **common}
    name, size = {"secp256r1": ("P-256", 32), "secp384r1": ("P-384", 48), "secp521r1": ("P-521", 66)}[
        public.curve.name
    ]
    point = public.public_numbers()
    x, y = (b64u(value.to_bytes(size, "big")) for value in (point.x, point.y))
    return {"kty": "EC", "crv": name, "x": x, "y": y, **common}


def _shortest(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


__all__ = [
    "ALGORITHMS",
    "BadJws",
    "algorithm_of",
    "altered",
    "certificate_thumbprint",
    "jwks",
    "parts",
    "sign",
    "sign_raw",
    "statement",
    "thumbprint_in",
    "unsigned",
    "verify",
    "with_public_key_as_secret",
]
