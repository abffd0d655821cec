"""JSON Web Tokens as this node makes and believes them (RFC 7519, RFC 8725; OAuth-NL 1.2, OIDC-NLGOV 1.0.1).

joserfc does the arithmetic; what it leaves open is closed here: one way to write a byte, no member twice, no `crit`,
no algorithm but those that the caller allows *and* the key is for, no symmetric keys at all, none that are too small,
and a `typ` that says what the token is. Whatever key or address a header carries (`jwk`, `jku`, `x5c`, `x5u`) is never
looked at: keys come from the caller. Encryption is RSA-OAEP with A256GCM alone (OIDC-NLGOV).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from sluis.crypto.ijson import read_json
from sluis.crypto.jose import decode_base64url, encode_base64url, read_jws
from sluis.kernel import Invalid, Text

PROFILE = frozenset({"RS256", "PS256"})
"""Signature algorithms of OAuth-NL and OIDC-NLGOV."""

SIGNATURES = PROFILE | {"ES256", "ES384", "ES512", "EdDSA"}
"""All that can be allowed here; HMAC and `none` never are."""

LONGEST_JWT = 16 * 1024
"""Characters; a longer one is not looked at."""

LEEWAY = 60
"""Seconds that two clocks may differ."""

Use = Literal["sig", "enc"]
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_RSA_BITS = range(2048, 8192 + 1)  # RFC 7518, 3.3; beyond it a verification costs what an attacker likes
_EXPONENTS = range(65537, 2**32)  # FIPS 186-5, A.1.1, and bounded for the same reason
_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}
_ENCRYPTION = ("RSA-OAEP", "A256GCM")
_READING = jwe.JWERegistry(algorithms=list(_ENCRYPTION), strict_check_header=False)
"""A header may repeat claims, to nobody's profit (RFC 7519, 5.3); what must not stand in it is looked at here."""
_MOST_KEYS = 100
_IV, _TAG = 12, 16  # bytes: RFC 7518, 5.3; a shorter tag is easier to guess


class Jwk(msgspec.Struct, frozen=True):
    """A key, and what it may be used for (RFC 7517). Made by `read_jwks` and `jwk_of`.

    Attributes:
        raw: the key itself.
        kid: its name in its set; empty when it has none.
        use: signatures or encryption; None when its set does not say.
        algorithms: of signatures, the one that is meant first; empty for a key that only encrypts.
    """

    raw: RSAKey | ECKey | OKPKey
    kid: str
    use: Use | None
    algorithms: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Jwk({self.kid!r})"

    @property
    def public(self) -> dict[str, Any]:
        """The public key as it is published."""
        named = {
            "kid": self.kid,
            "use": self.use,
            "alg": self.algorithms[0] if self.algorithms else _ENCRYPTION[0],
        }
        return {**self.raw.as_dict(private=False), **{name: value for name, value in named.items() if value}}

    @property
    def thumbprint(self) -> str:
        """SHA-256 over the public key, base64url (RFC 7638)."""
        return self.raw.thumbprint()


class Keys(msgspec.Struct, frozen=True):
    """Keys of one party, in the order in which they stand in its set."""

    all: tuple[Jwk, ...] = ()

    def __iter__(self) -> Iterator[Jwk]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    def fitting(self, kid: object, use: Use, algorithm: str | None = None) -> tuple[Jwk, ...]:
        """The keys that a header may mean: by its name; without a name only when there is but one that fits
        (OpenID Connect Core 1.0, 10.1).

        Args:
            kid: as in the header; None when it has none.
            use: what for.
            algorithm: of a signature.
        """
        found = tuple(
            key
            for key in self.all
            if key.use in (use, None)
            and (algorithm is None or algorithm in key.algorithms)
            and (kid is None or key.kid == kid)
        )
        return found if kid is not None or len(found) == 1 else ()


def jwk_of(
    key: PublicKey | PrivateKey, kid: str | None = None, *, use: Use = "sig", algorithm: str | None = None
) -> Jwk:
    """A key of our own, or one that came in a certificate.

    Args:
        key: public or private.
        kid: its name; the thumbprint of RFC 7638 when left out.
        use: what for.
        algorithm: the only one that it is for; left out: all that the key can make.

    Raises:
        Invalid: too small, or of a kind that is not known here.
    """
    raw = _wrap(key)
    return Jwk(
        raw,
        kid if kid is not None else raw.thumbprint(),
        use,
        _algorithms(raw, algorithm) if use == "sig" else (),
    )


def read_jwks(document: bytes | Mapping[str, Any]) -> Keys:
    """The public keys in a set that another published (RFC 7517, 5).

    A key that is of no use here is passed over, as the RFC asks: an unknown or symmetric kind, one that is too small,
    one whose private half stands beside it, one for another purpose.

    Args:
        document: as bytes, or parsed already.

    Raises:
        Invalid: it is no key set, or has more than 100 keys, or two with one name.
    """
    parsed = read_json(document) if isinstance(document, bytes) else document
    keys = parsed.get("keys") if isinstance(parsed, Mapping) else None
    if not isinstance(keys, list) or len(keys) > _MOST_KEYS:
        raise refused_jwt("key-set")
    read = tuple(key for one in keys if (key := _read_key(one)) is not None)
    names = [(key.kid, key.use) for key in read if key.kid]
    if len(set(names)) != len(names):
        raise refused_jwt("key-set")
    return Keys(read)


def sign_jwt(key: Jwk, claims: Mapping[str, Any], *, typ: str = "JWT") -> str:
    """A signed token.

    Args:
        key: private; the first of its algorithms is used.
        claims: what it says.
        typ: what it is, such as `at+jwt` (RFC 8725, 3.11).
    """
    algorithm = key.algorithms[0]
    header = {"alg": algorithm, "typ": typ, **({"kid": key.kid} if key.kid else {})}
    signed = ".".join(encode_base64url(msgspec.json.encode(part)) for part in (header, dict(claims)))
    return f"{signed}.{encode_base64url(JWSRegistry.algorithms[algorithm].sign(signed.encode(), key.raw))}"


def read_jwt(
    text: str, keys: Keys | Iterable[Jwk], *, typ: str = "JWT", algorithms: Collection[str] = PROFILE
) -> dict[str, Any]:
    """The claims of a token that one of these keys signed. Hold them against `check_claims` before they are believed.

    Args:
        text: compact JWS.
        keys: of the party that should have signed it.
        typ: what it must be; `JWT` may be left out of the header, all others must stand there.
        algorithms: those that are believed.

    Raises:
        Invalid: with the rule that it breaks: `form`, `typ`, `algorithm`, `key`, `signature`.
    """
    try:
        jws = read_jws(text, LONGEST_JWT)
    except Invalid:
        raise refused_jwt("form") from None
    if "b64" in jws.header:  # RFC 7797: other bytes would be signed than those that are read
        raise refused_jwt("form")
    _check_typ(jws.header, typ)
    if jws.algorithm not in SIGNATURES or jws.algorithm not in algorithms:
        raise refused_jwt("algorithm")
    named = jws.header.get("kid")
    fitting = (keys if isinstance(keys, Keys) else Keys(tuple(keys))).fitting(named, "sig", jws.algorithm)
    if not fitting:
        raise refused_jwt("key")
    if not any(_verifies(key, jws.algorithm, jws.signed, jws.signature) for key in fitting):
        raise refused_jwt("signature")
    return _claims(jws.payload)


def check_claims(
    claims: Mapping[str, Any],
    *,
    issuer: str | None,
    audience: str | Collection[str],
    now: float,
    leeway: int = LEEWAY,
    longest: int | None = None,
) -> None:
    """That a token is from whom, for whom, and of now (RFC 7519, 4.1).

    Args:
        claims: of `read_jwt`.
        issuer: who must have made it, literally; None where the caller checks that itself.
        audience: for whom it must be: one of these must stand in `aud`.
        now: seconds since the epoch.
        leeway: seconds that clocks may differ.
        longest: seconds that it may have been made to last, from `iat`; `iat` must then be there.

    Raises:
        Invalid: with the rule that it breaks: `issuer`, `audience`, `expired`, `future`, `too-long`.
    """
    if issuer is not None and claims.get("iss") != issuer:
        raise refused_jwt("issuer")
    if not set(_audiences(claims)) & ({audience} if isinstance(audience, str) else set(audience)):
        raise refused_jwt("audience")
    end, made, start = (_moment(claims, name) for name in ("exp", "iat", "nbf"))
    if end is None or end <= now - leeway:
        raise refused_jwt("expired")
    if any(moment is not None and moment > now + leeway for moment in (made, start)):
        raise refused_jwt("future")
    if longest is not None and (made is None or end - made > longest):
        raise refused_jwt("too-long")


def encrypt_jwt(content: bytes, key: Jwk, *, typ: str = "JWT", content_type: str | None = None) -> str:
    """Encrypt for one reader: RSA-OAEP and A256GCM (OIDC-NLGOV 1.0.1), compact.

    Args:
        content: claims as JSON, or a signed token.
        key: public, RSA, of the reader.
        typ: what it is.
        content_type: `JWT` when `content` is a signed token (RFC 7519, 5.2).

    Raises:
        Invalid: the key is not for encryption.
    """
    if key.use == "sig" or not isinstance(key.raw, RSAKey):
        raise refused_jwt("key")
    algorithm, encryption = _ENCRYPTION
    header = {"alg": algorithm, "enc": encryption, "typ": typ}
    header |= {name: value for name, value in (("kid", key.kid), ("cty", content_type)) if value}
    return jwe.encrypt_compact(header, content, RSAKey.import_key(key.raw.public_key), list(_ENCRYPTION))


def decrypt_jwt(text: str, keys: Keys | Iterable[Jwk], *, typ: str = "JWT") -> bytes:
    """What was encrypted for us. Nothing proves who did: a signature inside must.

    Args:
        text: compact JWE.
        keys: our private keys.
        typ: what it must be, as for `read_jwt`.

    Raises:
        Invalid: it cannot be decrypted; why is not told, lest it says something of the key.
    """
    try:
        header, fitting = _encrypted(text, keys)
        _check_typ(header, typ)
        content = jwe.decrypt_compact(text, fitting, registry=_READING).plaintext
        if content is None:
            raise ValueError
        return content
    except (JoseError, ValueError, TypeError, AssertionError, Invalid):
        raise refused_jwt("encryption") from None


def _encrypted(text: str, keys: Keys | Iterable[Jwk]) -> tuple[dict[str, Any], RSAKey]:
    """The header of a compact JWE, and the key that it is for. Raises ValueError or Invalid."""
    if len(text) > LONGEST_JWT or text.count(".") != 4:
        raise ValueError
    head, _key, iv, _content, tag = (decode_base64url(part) for part in text.split("."))
    header = read_json(head)
    if not isinstance(header, dict) or {"crit", "zip"} & set(header) or (len(iv), len(tag)) != (_IV, _TAG):
        raise ValueError
    if (header.get("alg"), header.get("enc")) != _ENCRYPTION:
        raise ValueError
    fitting = (keys if isinstance(keys, Keys) else Keys(tuple(keys))).fitting(header.get("kid"), "enc")
    if len(fitting) != 1 or not isinstance(fitting[0].raw, RSAKey):
        raise ValueError
    return header, fitting[0].raw


def _check_typ(header: Mapping[str, Any], typ: str) -> None:
    """RFC 7515, 4.1.9: `application/` may be left out, and case does not matter."""
    named = header.get("typ", "JWT")
    if not isinstance(named, str) or named.lower().removeprefix("application/") != typ.lower():
        raise refused_jwt("typ")


def _claims(payload: bytes) -> dict[str, Any]:
    try:
        claims = read_json(payload)
    except Invalid:
        raise refused_jwt("form") from None
    if not isinstance(claims, dict):
        raise refused_jwt("form")
    return claims


def _verifies(key: Jwk, algorithm: str, signed: bytes, signature: bytes) -> bool:
    try:
        return JWSRegistry.algorithms[algorithm].verify(signed, signature, key.raw)
    except (JoseError, ValueError):
        return False


def _audiences(claims: Mapping[str, Any]) -> tuple[str, ...]:
    found = claims.get("aud")
    named = found if isinstance(found, list) else [found]
    return tuple(one for one in named if isinstance(one, str))


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate; one that is something else makes the token unreadable."""
    found = claims.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise refused_jwt("form")
    return float(found)


def _read_key(found: Any) -> Jwk | None:
    """One member of a key set; None when it is of no use here."""
    try:
        if not isinstance(found, dict) or "d" in found:
            return None
        raw, use, kid = _public(found), found.get("use"), found.get("kid", "")
        if use not in ("sig", "enc", None) or not isinstance(kid, str) or not _operations_fit(found):
            return None
        if use == "enc" or found.get("alg") == _ENCRYPTION[0]:
            fits = (
                isinstance(raw, RSAKey)
                and found.get("alg", _ENCRYPTION[0]) == _ENCRYPTION[0]
                and use != "sig"
            )
            return Jwk(raw, kid, "enc", ()) if fits else None
        return Jwk(raw, kid, use, _algorithms(raw, found.get("alg")))
    except (Invalid, JoseError, ValueError, TypeError):
        return None


def _public(found: Mapping[str, Any]) -> RSAKey | ECKey | OKPKey:
    """The key in a JWK, its numbers written in the one way there is (RFC 7518, 6)."""
    if found.get("kty") == "RSA":
        n, e = (int.from_bytes(decode_base64url(found[name])) for name in _members(found, "n", "e"))
        if n.bit_length() not in _RSA_BITS or e not in _EXPONENTS:
            raise ValueError
        return _wrap(rsa.RSAPublicNumbers(e, n).public_key())
    if found.get("kty") == "OKP" and found.get("crv") == "Ed25519":
        (x,) = _members(found, "x")
        return _wrap(ed25519.Ed25519PublicKey.from_public_bytes(decode_base64url(found[x])))
    if found.get("kty") == "EC" and found.get("crv") in _CURVES:
        for name in _members(found, "x", "y"):
            decode_base64url(found[name])
        return ECKey.import_key({name: found[name] for name in ("kty", "crv", "x", "y")})
    raise ValueError


def _members(found: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    if not all(isinstance(found.get(name), str) and len(found[name]) <= 1500 for name in names):
        raise ValueError
    return names


def _operations_fit(found: Mapping[str, Any]) -> bool:
    """RFC 7517, 4.3: a key whose set says what may be done with it is used for nothing else."""
    if "key_ops" not in found:
        return True
    wanted = {"encrypt", "wrapKey"} if found.get("use") == "enc" else {"verify"}
    operations = found["key_ops"]
    return isinstance(operations, list) and any(one in operations for one in wanted)


def _wrap(key: PublicKey | PrivateKey) -> RSAKey | ECKey | OKPKey:
    if isinstance(key, rsa.RSAPublicKey | rsa.RSAPrivateKey) and key.key_size in _RSA_BITS:
        return RSAKey.import_key(key)
    if isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey):
        wrapped = ECKey(key, key)
        if wrapped.curve_name in _CURVES:
            return wrapped
    if isinstance(key, ed25519.Ed25519PublicKey | ed25519.Ed25519PrivateKey):
        return OKPKey(key, key)
    raise refused_jwt("key")


def _algorithms(raw: RSAKey | ECKey | OKPKey, only: Any) -> tuple[str, ...]:
    """What this key can sign with, or only the one that its set names (RFC 7517, 4.4)."""
    can = (
        ("RS256", "PS256") if isinstance(raw, RSAKey) else (_CURVES[str(raw.as_dict(private=False)["crv"])],)
    )
    if only is not None and only not in can:
        raise refused_jwt("key")
    return can if only is None else (only,)


_WORDS = {
    "form": Text("Het is geen JWT in compacte vorm (RFC 7519).", "It is not a JWT in compact form (RFC 7519)."),
    "typ": Text("Het is een ander soort token.", "It is another kind of token."),
    "algorithm": Text("Dit algoritme is niet toegestaan.", "This algorithm is not allowed."),
    "key": Text("Er is geen sleutel die hierbij past.", "There is no key that fits."),
    "signature": Text("De handtekening klopt niet.", "The signature is wrong."),
    "encryption": Text("Het is niet te ontsleutelen.", "It cannot be decrypted."),
    "issuer": Text("Het is door een ander uitgegeven.", "Someone else issued it."),
    "audience": Text("Het is voor een ander bedoeld.", "It is meant for someone else."),
    "expired": Text("Het is verlopen, of noemt geen einde.", "It has ended, or names no end."),
    "future": Text("Het geldt nog niet.", "It is not good yet."),
    "too-long": Text("Het is voor te lange tijd uitgegeven.", "It was issued for too long."),
    "key-set": Text("De lijst met sleutels is niet te lezen.", "The list of keys cannot be read."),
}  # fmt: skip


def refused_jwt(rule: str) -> Invalid:
    """The problem of a token that is not believed.

    Args:
        rule: the check that it failed, a key of the table of texts here.
    """
    return Invalid(
        "jwt-refused",
        Text("Dit token wordt niet aanvaard.", "This token is not accepted."),
        _WORDS[rule],
        Text("Vraag een nieuw token aan.", "Ask for a new token."),
        rule=rule,
    )
