"""JSON Web Signatures with the keys of certificates (RFC 7515, RFC 7518), and the key sets that go with them (RFC 7517).

FSC Core 2.0.0 signs contracts and tokens with these. Compact serialisation only. Which algorithms are believed says
the caller, never the header alone (RFC 8725, 3.1): the one named there must be allowed, and be one that the key in
the certificate can make.
"""

import hashlib
import re
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sluis.crypto.ijson import read_json
from sluis.crypto.requests import SigningKey
from sluis.kernel import Invalid, Text

ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "ES256", "ES384", "ES512"})
"""What FSC signs with (Core 2.0.0, Signatures)."""

MAX_JWS = 64 * 1024
"""Characters; a longer one is not looked at."""

MAX_CHAIN = 5
"""Certificates that are looked at in one chain."""

Chain = tuple[x509.Certificate, ...]
"""A certificate and those that lead from it towards a root, which itself is left out."""

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
_CURVES = {"secp256r1": ("ES256", "P-256"), "secp384r1": ("ES384", "P-384"), "secp521r1": ("ES512", "P-521")}
_SMALLEST_RSA = 2048  # RFC 7518, 3.3
_MAX_KEYS = 100
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
_SPELLINGS = ("x5t#S256", "x5t#s256")  # RFC 7515, 4.1.8, and the OpenAPI file of FSC


class Jws(msgspec.Struct, frozen=True):
    """A signature that was taken apart, and not yet believed.

    Attributes:
        header: the protected header; `alg` is a string.
        payload: what was signed.
        signed: the bytes that the signature is over.
        signature: as it came.
    """

    header: dict[str, Any]
    payload: bytes
    signed: bytes
    signature: bytes

    @property
    def algorithm(self) -> str:
        """What the header says it was made with."""
        return str(self.header["alg"])


def sign_jws(key: SigningKey, algorithm: str, header: Mapping[str, Any], payload: bytes) -> str:
    """Sign, in compact serialisation.

    Args:
        key: the private key of a certificate.
        algorithm: one that fits the key (`algorithm_for`); also PS256.
        header: what else goes into the protected header.
        payload: what to sign.
    """
    head = encode_base64url(msgspec.json.encode({"alg": algorithm, **header}))
    signed = f"{head}.{encode_base64url(payload)}"
    return f"{signed}.{encode_base64url(_sign(key, algorithm, signed.encode()))}"


def algorithm_for(certificate: x509.Certificate) -> str:
    """The algorithm to sign with, for the key in a certificate.

    Raises:
        Invalid: a key that FSC does not know, or an RSA key of less than 2,048 bits.
    """
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _SMALLEST_RSA:
        return "RS256"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name][0]
    raise Invalid(
        "unusable-key",
        Text("Met deze sleutel kan niet worden getekend.", "This key cannot sign."),
        Text(
            "FSC kent RSA vanaf 2048 bits en ECDSA met P-256, P-384 of P-521.",
            "FSC knows RSA from 2,048 bits, and ECDSA with P-256, P-384 or P-521.",
        ),
        Text("Vraag een certificaat aan met zo'n sleutel.", "Request a certificate with such a key."),
    )


def read_jws(text: str, most: int = MAX_JWS) -> Jws:
    """Take a compact serialisation apart. Nothing in it is believed yet.

    Args:
        text: three parts of base64url with dots between them.
        most: characters; a longer one is not looked at.

    Raises:
        Invalid: not such a text, another way to write the same bytes, or a header with `crit` (none is understood).
    """
    try:
        if len(text) > most:
            raise ValueError
        head, body, signature = text.split(".")
        header = read_json(decode_base64url(head))
        if not (isinstance(header, dict) and isinstance(header.get("alg"), str)) or "crit" in header:
            raise ValueError
        return Jws(header, decode_base64url(body), f"{head}.{body}".encode(), decode_base64url(signature))
    except (ValueError, Invalid):
        raise Invalid(
            "malformed-jws",
            Text("Deze handtekening is niet te lezen.", "This signature cannot be read."),
            Text(
                "Het is geen JWS in compacte vorm (RFC 7515).", "It is not a JWS in compact form (RFC 7515)."
            ),
            Text("Maak de handtekening opnieuw.", "Make the signature again."),
        ) from None


def verify_jws(jws: Jws, certificate: x509.Certificate, allowed: Collection[str] = ALGORITHMS) -> bool:
    """Whether the key in `certificate` made this signature, with an algorithm that is allowed and fits it."""
    family, digest = jws.algorithm[:2], _HASHES.get(jws.algorithm[2:])
    if jws.algorithm not in allowed or digest is None:
        return False
    try:
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey) and family in _RSA and key.key_size >= _SMALLEST_RSA:
            key.verify(jws.signature, jws.signed, _RSA[family](digest), digest)
            return True
        if isinstance(key, ec.EllipticCurvePublicKey) and _fits(key.curve, jws.algorithm):
            key.verify(_der(jws.signature, key.curve), jws.signed, ec.ECDSA(digest))
            return True
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return False


@lru_cache(maxsize=1024)
def certificate_thumbprint(certificate: x509.Certificate | bytes) -> str:
    """SHA-256 over a certificate (parsed, or DER), base64url (RFC 7515, 4.1.8)."""
    der = certificate if isinstance(certificate, bytes) else certificate.public_bytes(Encoding.DER)
    return encode_base64url(hashlib.sha256(der).digest())


def public_key_thumbprint(certificate: x509.Certificate) -> str:
    """SHA-256 over the SubjectPublicKeyInfo of a certificate, in lower-case hex (FSC Core 2.0.0): it outlives the
    certificate when the next one has the same key."""
    public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()


def thumbprint_in(header: Mapping[str, Any]) -> str:
    """The certificate thumbprint that a header or key names, `x5t#S256`.

    `x5t#s256` is read too, and base64 with its own alphabet and padding, because both stand in FSC's OpenAPI file.

    Raises:
        Invalid: there is none, or it is not one.
    """
    named = {plain_base64url(header[name]) for name in _SPELLINGS if isinstance(header.get(name), str)}
    if len(named) != 1 or not _THUMBPRINT.fullmatch(found := named.pop()):
        raise Invalid(
            "no-thumbprint",
            Text("De handtekening noemt geen certificaat.", "The signature names no certificate."),
            Text("In de kop hoort één x5t#S256.", "Its header should have one x5t#S256."),
            Text("Maak de handtekening opnieuw.", "Make the signature again."),
        )
    return found


def jwks(chains: Iterable[Sequence[x509.Certificate]]) -> dict[str, Any]:
    """A JSON Web Key Set of certificates that sign, each with its chain in `x5c`.

    Args:
        chains: as in `Chain`; the root is left out by the caller.
    """
    return {"keys": [_jwk(chain) for chain in chains]}


def chains_of(document: Any) -> dict[str, Chain]:
    """The chains in a key set that another published, by certificate thumbprint.

    Only certificates count, and each goes by what it is, whatever the set says beside it. A key that cannot be read
    is passed over: a peer may have kinds of keys that are not known here.

    Args:
        document: a parsed key set.

    Raises:
        Invalid: it is no key set, or has more than 100 keys.
    """
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or len(keys) > _MAX_KEYS:
        raise Invalid(
            "malformed-jwks",
            Text(
                "De sleutels van deze organisatie zijn niet te lezen.",
                "The keys of this organisation cannot be read.",
            ),
            Text("Haar lijst is geen JWK Set (RFC 7517).", "Its list is not a JWK Set (RFC 7517)."),
            Text("Meld het bij die organisatie.", "Tell that organisation."),
        )
    found: dict[str, Chain] = {}
    for key in keys:
        chain = read_chain(key.get("x5c")) if isinstance(key, dict) else ()
        if chain:
            found[certificate_thumbprint(chain[0])] = chain
    return found


def encode_chain(chain: Sequence[x509.Certificate]) -> list[str]:
    """The form of a chain in `x5c` (RFC 7515, 4.1.6)."""
    return [b64encode(certificate.public_bytes(Encoding.DER)).decode() for certificate in chain]


def read_chain(encoded: Any) -> Chain:
    """The chain in an `x5c` member, at most five certificates; empty when there is none to be read."""
    if not isinstance(encoded, list):
        return ()
    try:
        return tuple(
            x509.load_der_x509_certificate(b64decode(one, validate=True)) for one in encoded[:MAX_CHAIN]
        )
    except (ValueError, TypeError, x509.InvalidVersion):
        return ()


def encode_base64url(raw: bytes) -> str:
    """Base64url without padding (RFC 7515, 2)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_base64url(text: str) -> bytes:
    """What `encode_base64url` wrote. Raises ValueError for any other way to write those bytes."""
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_base64url(raw) != text:
        raise ValueError("not base64url")
    return raw


def plain_base64url(text: str) -> str:
    """Base64 of either alphabet, with or without padding, as base64url without. Does not check that it is base64."""
    return text.rstrip("=").replace("+", "-").replace("/", "_")


def _pkcs1(_digest: hashes.HashAlgorithm) -> padding.AsymmetricPadding:
    return padding.PKCS1v15()


def _pss(digest: hashes.HashAlgorithm) -> padding.AsymmetricPadding:
    return padding.PSS(padding.MGF1(digest), digest.digest_size)


_RSA = {"RS": _pkcs1, "PS": _pss}


def _sign(key: SigningKey, algorithm: str, message: bytes) -> bytes:
    digest = _HASHES[algorithm[2:]]
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, _RSA[algorithm[:2]](digest), digest)
    size = _coordinate(key.curve)
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(digest)))
    return r.to_bytes(size) + s.to_bytes(size)


def _der(signature: bytes, curve: ec.EllipticCurve) -> bytes:
    """From the two numbers of fixed length that JWS has (RFC 7518, 3.4) to what the library reads."""
    size = _coordinate(curve)
    if len(signature) != 2 * size:
        raise ValueError("another length")
    return encode_dss_signature(int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))


def _fits(curve: ec.EllipticCurve, algorithm: str) -> bool:
    return curve.name in _CURVES and _CURVES[curve.name][0] == algorithm


def _coordinate(curve: ec.EllipticCurve) -> int:
    return (curve.key_size + 7) // 8


def _jwk(chain: Sequence[x509.Certificate]) -> dict[str, Any]:
    thumbprint = certificate_thumbprint(chain[0])
    return {
        **_numbers(chain[0].public_key()),
        "use": "sig",
        "alg": algorithm_for(chain[0]),
        "kid": thumbprint,
        "x5c": encode_chain(chain),
        "x5t#S256": thumbprint,
    }


def _numbers(key: Any) -> dict[str, str]:
    """The public key itself (RFC 7518, 6.2.1 and 6.3.1)."""
    numbers = key.public_numbers()
    if isinstance(numbers, rsa.RSAPublicNumbers):
        n, e = (number.to_bytes((number.bit_length() + 7) // 8) for number in (numbers.n, numbers.e))
        return {"kty": "RSA", "n": encode_base64url(n), "e": encode_base64url(e)}
    size = _coordinate(key.curve)
    x, y = (encode_base64url(number.to_bytes(size)) for number in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": _CURVES[key.curve.name][1], "x": x, "y": y}
