"""Tokens that are refused, in the manner of Wycheproof, and those that are not."""

import base64
import hashlib
import hmac
import json
import warnings
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwe
from joserfc.jwk import OctKey, RSAKey

from sluis.crypto.jose import encode_base64url, sign_jws
from sluis.crypto.jwt import (
    PROFILE,
    SIGNATURES,
    Jwk,
    Keys,
    check_claims,
    decrypt_jwt,
    encrypt_jwt,
    jwk_of,
    read_jwks,
    read_jwt,
    sign_jwt,
)
from sluis.kernel import Invalid

NOW = 1_900_000_000
CLAIMS = {"iss": "https://a.test", "aud": "b", "exp": NOW + 60, "iat": NOW}


@cache
def rsa_key(bits: int = 2048, which: int = 0) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


def key(**how: Any) -> Jwk:
    return jwk_of(rsa_key(), "k", **how)


def published(*keys: Jwk) -> Keys:
    return read_jwks(json.dumps({"keys": [one.public for one in keys]}).encode())


def made(header: dict[str, Any], claims: Any = CLAIMS) -> str:
    """A token with this header, signed well with RS256."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return sign_jws(rsa_key(), "RS256", header, payload)


def rule(caught: pytest.ExceptionInfo[Invalid]) -> str | None:
    return caught.value.rule


def refuses(text: str, keys: Keys | None = None, **how: Any) -> str | None:
    with pytest.raises(Invalid) as caught:
        read_jwt(text, published(key()) if keys is None else keys, **how)
    assert caught.value.code == "jwt-refused"
    return rule(caught)


@pytest.mark.parametrize(
    ("algorithm", "private"),
    [
        ("RS256", lambda: rsa_key()),
        ("PS256", lambda: rsa_key()),
        ("ES256", lambda: ec_key()),
        ("ES384", lambda: ec_key(ec.SECP384R1)),
        ("ES512", lambda: ec_key(ec.SECP521R1)),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate),
    ],
)
def test_what_a_key_signs_its_published_half_believes(algorithm: str, private: Any) -> None:
    own = jwk_of(private(), algorithm=algorithm)
    token = sign_jwt(own, CLAIMS, typ="at+jwt")
    assert read_jwt(token, published(own), typ="at+jwt", algorithms=SIGNATURES) == CLAIMS
    assert own.kid == own.thumbprint


def test_what_is_published_holds_no_private_half() -> None:
    assert set(key().public) == {"kty", "n", "e", "kid", "use", "alg"}


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
def test_a_token_without_signature_is_refused(name: str) -> None:
    head = encode_base64url(json.dumps({"alg": name, "kid": "k"}).encode())
    body = encode_base64url(json.dumps(CLAIMS).encode())
    for signature in ("", made({"kid": "k"}).split(".")[2]):
        assert refuses(f"{head}.{body}.{signature}", algorithms={"none", "", *SIGNATURES}) == "algorithm"


def test_a_public_key_is_never_the_secret_of_an_hmac() -> None:
    """Algorithm confusion: RS256 into HS256 (RFC 8725, 2.1)."""
    public = rsa_key().public_key()
    secrets = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(key().public).encode(),
        b"",
    ]
    for secret in secrets:
        signed = ".".join(
            encode_base64url(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "k"}, CLAIMS)
        )
        forged = f"{signed}.{encode_base64url(hmac.digest(secret, signed.encode(), hashlib.sha256))}"
        assert refuses(forged) == "algorithm"
        assert refuses(forged, algorithms={"HS256", "RS256"}) == "algorithm"


@pytest.mark.parametrize("bits", [512, 1024, 2047])
def test_an_rsa_key_below_2048_bits_is_no_key(bits: int) -> None:
    modulus = encode_base64url(((1 << bits) - 1).to_bytes((bits + 7) // 8))
    assert not read_jwks({"keys": [{"kty": "RSA", "kid": "k", "e": "AQAB", "n": modulus}]})


def test_a_key_that_would_cost_too_much_is_no_key() -> None:
    huge = {"kty": "RSA", "kid": "k", "e": "AQAB", "n": encode_base64url(b"\xff" * 1100)}
    exponent = {**key().public, "e": encode_base64url(b"\xff" * 200)}
    small = {**key().public, "e": "Aw"}
    assert not read_jwks({"keys": [huge, exponent, small]})


@pytest.mark.parametrize("secret", ["", "c2VjcmV0", encode_base64url(bytes(32))])
def test_a_symmetric_key_is_no_key(secret: str) -> None:
    assert not read_jwks({"keys": [{"kty": "oct", "kid": "k", "k": secret, "alg": "HS256"}]})


def test_a_key_whose_private_half_was_published_is_no_key() -> None:
    assert not read_jwks({"keys": [dict(RSAKey.import_key(rsa_key(which=0)).as_dict(private=True))]})


def test_a_key_that_is_for_one_algorithm_is_used_with_no_other() -> None:
    token = sign_jwt(key(algorithm="RS256"), CLAIMS)
    assert refuses(token, published(key(algorithm="PS256"))) == "key"
    assert read_jwt(token, published(key(algorithm="RS256"))) == CLAIMS


@pytest.mark.parametrize(
    "extra",
    [
        {"use": "enc"},
        {"use": "enc", "alg": "RSA-OAEP"},
        {"use": "sig", "alg": "RSA-OAEP"},
        {"use": "other"},
        {"alg": "ES256"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": ["RS256"]},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"kid": 7},
    ],
)
def test_a_key_for_something_else_signs_nothing(extra: dict[str, Any]) -> None:
    members = {name: value for name, value in key().public.items() if name not in ("use", "alg")} | extra
    token = sign_jwt(key(algorithm="RS256"), CLAIMS)
    assert refuses(token, read_jwks({"keys": [members]})) == "key"


@pytest.mark.parametrize(
    "kind", [{"kty": "EC", "crv": "secp256k1"}, {"kty": "OKP", "crv": "X25519"}, {"kty": "?"}, {}]
)
def test_kinds_of_keys_that_are_not_known_are_passed_over(kind: dict[str, str]) -> None:
    x = {"x": encode_base64url(bytes(32)), "y": encode_base64url(bytes(32))}
    assert [one.kid for one in read_jwks({"keys": [{**kind, **x}, 7, key().public]})] == ["k"]


def test_a_point_beside_the_curve_is_no_key() -> None:
    members = jwk_of(ec_key(), "k").public
    wrong = {**members, "y": members["x"]}
    assert not read_jwks({"keys": [wrong, {**members, "x": members["x"] + "="}]})


@pytest.mark.parametrize(
    "document", [b"[]", b'{"keys":{}}', b'{"keys":[],"keys":[]}', b"", b'{"keys":[' + b"0," * 100 + b"0]}"]
)
def test_what_is_no_key_set_is_refused(document: bytes) -> None:
    with pytest.raises(Invalid):
        read_jwks(document)


def test_two_keys_of_one_name_make_no_key_set() -> None:
    with pytest.raises(Invalid):
        published(key(), jwk_of(ec_key(), "k"))


def test_bytes_are_written_in_one_way_only() -> None:
    """Wycheproof: wrong padding and stray bits in base64url."""
    head, body, signature = sign_jwt(key(), CLAIMS).split(".")
    last = signature[-1]
    stray = signature[:-1] + chr(ord(last) + 1)  # the same bytes, other unused bits
    assert base64.urlsafe_b64decode(stray + "==") == base64.urlsafe_b64decode(signature + "==")
    for text in (
        f"{head}.{body}.{signature}=",
        f"{head}.{body}.{signature}==",
        f"{head}=.{body}.{signature}",
        f"{head}.{body}=.{signature}",
        f"{head}.{body}.{stray}",
        f"{head}.{body}.{signature} ",
        f" {head}.{body}.{signature}",
        f"{head}.{body}.{signature}\n",
        f"{head}.{body}.{signature[:4]}\n{signature[4:]}",
        f"{head}.{body}.{signature}.",
        f"{head}.{body}",
        f"{head}..{signature}",
        "",
        "é.é.é",
        json.dumps({"protected": head, "payload": body, "signature": signature}),
    ):
        assert refuses(text) in {"form", "signature"}, text
    assert refuses(f"{head}.{body}.") == "signature"
    assert refuses(f"{head}.{body}.{encode_base64url(bytes(256))}") == "signature"


@pytest.mark.parametrize("crit", [[], ["b64"], ["exp"], ["unknown"], "exp", None])
def test_nothing_critical_is_understood(crit: Any) -> None:
    assert refuses(made({"kid": "k", "crit": crit, "unknown": 1})) == "form"


@pytest.mark.parametrize("b64", [True, False])
def test_an_unencoded_payload_is_refused(b64: bool) -> None:
    assert refuses(made({"kid": "k", "b64": b64})) == "form"


@pytest.mark.parametrize(
    "payload", [b'{"iss":"a","iss":"b"}', b"[]", b'"x"', b"", b"{", b'{"a":1e999}', b"\xff"]
)
def test_claims_that_can_be_read_in_two_ways_are_refused(payload: bytes) -> None:
    assert refuses(made({"kid": "k"}, payload)) == "form"


def test_a_header_that_can_be_read_in_two_ways_is_refused() -> None:
    head = encode_base64url(b'{"alg":"none","alg":"RS256","kid":"k"}')
    signed = f"{head}.{encode_base64url(json.dumps(CLAIMS).encode())}"
    signature = rsa_key().sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    assert refuses(f"{signed}.{encode_base64url(signature)}") == "form"


def test_keys_that_a_header_brings_along_are_not_looked_at() -> None:
    """RFC 8725, 3.10; RFC 7515, 10.2: `jwk`, `jku`, `x5c` and `x5u` of an attacker."""
    foreign = jwk_of(rsa_key(which=1), "k")
    brought: dict[str, Any] = {"jwk": foreign.public, "jku": "https://evil.test/", "x5u": "https://evil.test/", "x5c": ["AA"]}  # fmt: skip
    for name, value in brought.items():
        header = {"kid": "k", name: value}
        assert (
            refuses(sign_jws(rsa_key(which=1), "RS256", header, json.dumps(CLAIMS).encode())) == "signature"
        )
        assert read_jwt(made(header), published(key())) == CLAIMS


def test_a_header_that_names_no_key_is_enough_only_for_a_single_one() -> None:
    other = jwk_of(rsa_key(which=1), "l")
    assert read_jwt(made({}), published(key())) == CLAIMS
    assert refuses(made({}), published(key(), other)) == "key"
    assert refuses(made({"kid": "../k"})) == "key"
    assert refuses(made({"kid": ["k"]})) == "key"
    assert refuses(made({"kid": "l"}), published(key(), other)) == "signature"


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_a_type_is_compared_as_a_media_type(typ: str) -> None:
    assert read_jwt(made({"kid": "k", "typ": typ}), published(key()), typ="at+jwt") == CLAIMS


def test_a_token_of_another_type_is_refused() -> None:
    assert refuses(made({"kid": "k", "typ": "logout+jwt"}), typ="at+jwt") == "typ"
    assert refuses(made({"kid": "k", "typ": "at+jwt"})) == "typ"
    assert refuses(made({"kid": "k"}), typ="at+jwt") == "typ"
    assert refuses(made({"kid": "k", "typ": 1})) == "typ"
    assert read_jwt(made({"kid": "k"}), published(key())) == CLAIMS


def test_an_algorithm_that_the_caller_does_not_name_is_refused() -> None:
    own = jwk_of(ec_key(), "k")
    token = sign_jwt(own, CLAIMS)
    assert refuses(token, published(own), algorithms=PROFILE) == "algorithm"
    assert refuses(token, published(own), algorithms=()) == "algorithm"


def test_a_long_token_is_not_looked_at() -> None:
    assert refuses(made({"kid": "k"}, {"x": "y" * 16_384})) == "form"


def test_a_signature_over_other_claims_is_refused() -> None:
    head, _body, signature = sign_jwt(key(), CLAIMS).split(".")
    other = encode_base64url(json.dumps({**CLAIMS, "aud": "c"}).encode())
    assert refuses(f"{head}.{other}.{signature}") == "signature"


def test_a_key_too_small_signs_nothing_of_ours() -> None:
    with pytest.raises(Invalid):
        jwk_of(rsa_key(1024))
    with pytest.raises(Invalid):
        jwk_of(ec.generate_private_key(ec.SECP256K1()))


def claimed(without: str = "", **changed: Any) -> dict[str, Any]:
    return {name: value for name, value in {**CLAIMS, **changed}.items() if name != without}


@pytest.mark.parametrize(
    ("claims", "broken"),
    [
        (claimed(iss="https://a.test/"), "issuer"),
        (claimed(iss="https://A.test"), "issuer"),
        (claimed(iss=["https://a.test"]), "issuer"),
        (claimed("iss"), "issuer"),
        (claimed(aud="c"), "audience"),
        (claimed(aud=[]), "audience"),
        (claimed(aud=[["b"]]), "audience"),
        (claimed(aud={"b": 1}), "audience"),
        (claimed("aud"), "audience"),
        (claimed(exp=NOW - 60), "expired"),
        (claimed("exp"), "expired"),
        (claimed(exp=None), "expired"),
        (claimed(exp=str(NOW + 60)), "form"),
        (claimed(exp=True), "form"),
        (claimed(iat=NOW + 61), "future"),
        (claimed(nbf=NOW + 61), "future"),
        (claimed(nbf="soon"), "form"),
        (claimed(iat=[NOW]), "form"),
        (claimed(exp=NOW + 301), "too-long"),
        (claimed("iat"), "too-long"),
    ],
)  # fmt: skip
def test_claims_of_another_or_of_another_time_are_refused(claims: dict[str, Any], broken: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_claims(claims, issuer="https://a.test", audience="b", now=NOW, longest=300)
    assert rule(caught) == broken


@pytest.mark.parametrize(
    "claims", [CLAIMS, claimed(aud=["c", "b"]), claimed(exp=NOW - 59), claimed(iat=NOW + 60, exp=NOW + 360)]
)
def test_claims_within_the_limits_are_believed(claims: dict[str, Any]) -> None:
    check_claims(claims, issuer="https://a.test", audience={"b", "x"}, now=NOW, longest=300)
    check_claims(claims, issuer=None, audience="b", now=NOW)


def enc(which: int = 0) -> Jwk:
    return jwk_of(rsa_key(which=which), f"e{which}", use="enc")


def test_what_is_encrypted_for_a_published_key_only_its_owner_reads() -> None:
    (public,) = published(enc())
    text = encrypt_jwt(b'{"a":1}', public, typ="sub+jwt")
    assert json.loads(base64.urlsafe_b64decode(text.split(".")[0] + "==")) == {
        "alg": "RSA-OAEP", "enc": "A256GCM", "typ": "sub+jwt", "kid": "e0",
    }  # fmt: skip
    assert decrypt_jwt(text, [enc(), enc(1)], typ="sub+jwt") == b'{"a":1}'
    for keys, typ in (([enc(1)], "sub+jwt"), ([enc()], "JWT"), ([key()], "sub+jwt"), ([], "sub+jwt")):
        with pytest.raises(Invalid) as caught:
            decrypt_jwt(text, keys, typ=typ)
        assert rule(caught) == "encryption"


def changed(text: str, part: int, content: str) -> str:
    parts = text.split(".")
    return ".".join([*parts[:part], content, *parts[part + 1 :]])


def test_a_ciphertext_that_was_touched_says_nothing_but_that() -> None:
    """Wycheproof: each part flipped, cut short, padded; a shorter tag; another length of iv."""
    text = encrypt_jwt(b"secret", enc())
    parts = text.split(".")
    touched = [changed(text, at, one) for at, part in enumerate(parts) for one in (
        part + "=", part[:-4], "", encode_base64url(bytes([base64.urlsafe_b64decode(part + "==")[0] ^ 1])
        + base64.urlsafe_b64decode(part + "==")[1:]))]  # fmt: skip
    for wrong in (*touched, text + ".", "", "a.b.c.d.e", "é.é.é.é.é", text + "A" * 20_000):
        with pytest.raises(Invalid) as caught:
            decrypt_jwt(wrong, [enc()])
        assert rule(caught) == "encryption"


@pytest.mark.parametrize(
    ("algorithm", "encryption", "more"),
    [
        ("RSA-OAEP-256", "A256GCM", {}),
        ("RSA1_5", "A256GCM", {}),
        ("RSA-OAEP", "A128CBC-HS256", {}),
        ("RSA-OAEP", "A256GCM", {"zip": "DEF"}),
    ],
)
def test_other_ways_to_encrypt_are_refused(algorithm: str, encryption: str, more: dict[str, str]) -> None:
    header = {"alg": algorithm, "enc": encryption, "kid": "e0", **more}
    with warnings.catch_warnings(action="ignore"):
        text = jwe.encrypt_compact(
            header, b"x", RSAKey.import_key(rsa_key(which=0)), [algorithm, encryption, "DEF"]
        )
    with pytest.raises(Invalid):
        decrypt_jwt(text, [enc()])


def test_a_header_may_repeat_claims() -> None:
    header = {"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "e0", "iss": "https://x.nl", "aud": "y"}
    registry = jwe.JWERegistry(algorithms=["RSA-OAEP", "A256GCM"], strict_check_header=False)
    text = jwe.encrypt_compact(header, b"x", RSAKey.import_key(rsa_key(which=0)), registry=registry)
    assert decrypt_jwt(text, [enc()]) == b"x"


def test_a_shared_secret_encrypts_nothing_for_us() -> None:
    text = jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM", "kid": "e0"}, b"x", OctKey.generate_key(256))
    with pytest.raises(Invalid):
        decrypt_jwt(text, [enc()])


def test_a_key_for_signatures_encrypts_nothing() -> None:
    for wrong in (key(), jwk_of(ec_key(), use="enc")):
        with pytest.raises(Invalid):
            encrypt_jwt(b"x", wrong)
