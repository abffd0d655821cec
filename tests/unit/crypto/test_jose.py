"""JSON Web Signatures: made and believed only with the algorithm that is allowed and fits the key."""

import hashlib
import hmac
import json
import subprocess
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from sluis.crypto import (
    ALGORITHMS,
    algorithm_for,
    certificate_thumbprint,
    chains_of,
    jwks,
    public_key_thumbprint,
    read_jws,
    sign_jws,
    thumbprint_in,
    verify_jws,
)
from sluis.kernel import Invalid

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

KEYS: dict[str, Key] = {
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "RS": rsa.generate_private_key(65537, 2048),
}


def certificate(key: Any, number: int = 7) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Voorbeeld")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(number)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )


CERTIFICATES = {name: certificate(key) for name, key in KEYS.items()}


def holder(algorithm: str) -> str:
    return "RS" if algorithm[0] != "E" else algorithm


def b64u(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_each_algorithm_of_fsc_signs_and_verifies(algorithm: str) -> None:
    text = sign_jws(KEYS[holder(algorithm)], algorithm, {"kid": "x"}, b"payload")
    read = read_jws(text)
    assert (read.header, read.payload) == ({"alg": algorithm, "kid": "x"}, b"payload")
    assert verify_jws(read, CERTIFICATES[holder(algorithm)])


def test_the_example_of_rfc_7515_a_3_verifies() -> None:
    secret = int.from_bytes(
        b"\x8e\x9b\x10\x9eq\x90\x98\xbf\x98\x04\x87\xdf\x1f]w\xe9\xcb)`n\xbe\xd2&;_W\xc2\x13\xdf\x84\xf4\xb2"
    )
    owner = certificate(ec.derive_private_key(secret, ec.SECP256R1()))
    text = (
        "eyJhbGciOiJFUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    )
    assert verify_jws(read_jws(text), owner)
    assert jwks([(owner,)])["keys"][0]["x"] == "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
    assert jwks([(owner,)])["keys"][0]["y"] == "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [(algorithm, key) for algorithm in sorted(ALGORITHMS) for key in KEYS if key != holder(algorithm)],
)
def test_an_algorithm_of_another_key_is_not_believed(algorithm: str, key: str) -> None:
    read = read_jws(sign_jws(KEYS[holder(algorithm)], algorithm, {}, b"payload"))
    assert not verify_jws(read, CERTIFICATES[key])


@pytest.mark.parametrize(("key", "algorithm"), [("ES256", "ES512"), ("ES384", "ES256"), ("ES512", "ES384")])
def test_a_curve_goes_with_one_digest(key: str, algorithm: str) -> None:
    assert not verify_jws(read_jws(sign_jws(KEYS[key], algorithm, {}, b"payload")), CERTIFICATES[key])


def test_another_curve_of_the_same_size_is_not_believed() -> None:
    koblitz = ec.generate_private_key(ec.SECP256K1())
    assert not verify_jws(read_jws(sign_jws(koblitz, "ES256", {}, b"payload")), certificate(koblitz))


def test_an_algorithm_that_is_not_allowed_is_not_believed_with_the_right_key() -> None:
    pss = read_jws(sign_jws(KEYS["RS"], "PS256", {}, b"payload"))
    assert not verify_jws(pss, CERTIFICATES["RS"])
    assert verify_jws(pss, CERTIFICATES["RS"], {"PS256"})
    assert not verify_jws(read_jws(sign_jws(KEYS["RS"], "RS256", {}, b"")), CERTIFICATES["RS"], {"PS256"})


@pytest.mark.parametrize("algorithm", ["none", "HS256", "EdDSA", "ES256K", "RS1", "ES", "RS", ""])
def test_an_unknown_algorithm_is_not_believed_even_when_allowed(algorithm: str) -> None:
    head = b64u(json.dumps({"alg": algorithm}).encode())
    for certificate in CERTIFICATES.values():
        assert not verify_jws(read_jws(f"{head}.{b64u(b'x')}."), certificate, {algorithm})


def test_a_public_key_as_shared_secret_is_not_believed() -> None:
    pem = CERTIFICATES["RS"].public_bytes(Encoding.PEM)
    signed = b64u(b'{"alg":"HS256"}') + "." + b64u(b"payload")
    read = read_jws(f"{signed}.{b64u(hmac.digest(pem, signed.encode(), 'sha256'))}")
    assert not verify_jws(read, CERTIFICATES["RS"], ALGORITHMS | {"HS256"})


def test_a_small_rsa_key_is_not_believed() -> None:
    small = rsa.generate_private_key(65537, 1024)
    read = read_jws(sign_jws(small, "RS256", {}, b"payload"))
    assert not verify_jws(read, certificate(small))
    with pytest.raises(Invalid):
        algorithm_for(certificate(small))


def test_a_key_that_fsc_does_not_know_cannot_sign() -> None:
    for key in (ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256K1())):
        with pytest.raises(Invalid) as refused:
            algorithm_for(certificate(key))
        assert refused.value.code == "unusable-key"


@pytest.mark.parametrize("name", ["ES256", "ES384", "ES512"])
def test_the_numbers_of_an_ecdsa_signature_have_their_full_length(name: str) -> None:
    read = read_jws(sign_jws(KEYS[name], name, {}, b"payload"))
    assert len(read.signature) == {"ES256": 64, "ES384": 96, "ES512": 132}[name]
    half = len(read.signature) // 2
    padded = read.signature[:half] + b"\0" + read.signature[half:]  # the same numbers
    for other in (padded, b"\0" + read.signature, read.signature[1:], b"", bytes(2 * half)):
        head, body, _ = f"{read.signed.decode()}.".split(".")
        assert not verify_jws(read_jws(f"{head}.{body}.{b64u(other)}"), CERTIFICATES[name])


def headed(header: bytes) -> str:
    return f"{b64u(header)}.e30.e30"


HEAD = b64u(b'{"alg":"ES256"}')


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        f"{HEAD}.e30.e30.e30",
        f"{HEAD}=.e30.e30",
        f"{HEAD}.e31.e30",
        f"{HEAD}.e3 0.e30",
        f"{HEAD}.e30.+/+/",
        headed(b"[]"),
        headed(b"{}"),
        headed(b"nonsense"),
        headed(b'{"alg":1}'),
        headed(b'{"alg":"ES256","alg":"none"}'),
        headed(b'{"alg":"ES256","crit":["b64"],"b64":false}'),
        f"{HEAD}.{'A' * 70_000}.e30",
        f"{HEAD}.é.e30",
    ],
)
def test_what_is_no_compact_jws_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_jws(text)
    assert refused.value.code == "malformed-jws"


SIGNED = sign_jws(
    KEYS["ES256"], "ES256", {"x5t#S256": "a"}, b'{"a":1}'
)  # once: no two signatures are the same


@given(st.data())
def test_no_change_of_one_character_is_believed(data: st.DataObject) -> None:
    text = SIGNED
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("AQgw._-=+").filter(lambda one: one != text[place]))
    try:
        read = read_jws(text[:place] + other + text[place + 1 :])
    except Invalid:
        return
    assert not verify_jws(read, CERTIFICATES["ES256"])


def test_thumbprints_are_what_openssl_says(tmp_path: Any) -> None:
    mine = CERTIFICATES["ES256"]
    pem = tmp_path / "certificate.pem"
    pem.write_bytes(mine.public_bytes(Encoding.PEM))
    der = subprocess.run(
        ["openssl", "x509", "-in", pem, "-outform", "DER"], capture_output=True, check=True
    ).stdout
    public = subprocess.run(
        ["openssl", "x509", "-in", pem, "-pubkey", "-noout"], capture_output=True, check=True
    )
    spki = subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "DER"], input=public.stdout, capture_output=True, check=True
    ).stdout
    assert certificate_thumbprint(mine) == certificate_thumbprint(der) == b64u(hashlib.sha256(der).digest())
    assert public_key_thumbprint(mine) == hashlib.sha256(spki).hexdigest()


def test_a_renewed_certificate_keeps_its_public_key_thumbprint() -> None:
    again = certificate(KEYS["RS"], 8)
    assert certificate_thumbprint(again) != certificate_thumbprint(CERTIFICATES["RS"])
    assert public_key_thumbprint(again) == public_key_thumbprint(CERTIFICATES["RS"])


THUMBPRINT = certificate_thumbprint(CERTIFICATES["ES256"])


@pytest.mark.parametrize(
    "header",
    [
        {"x5t#S256": THUMBPRINT},
        {"x5t#s256": THUMBPRINT},
        {"x5t#S256": THUMBPRINT, "x5t#s256": THUMBPRINT + "="},
        {"x5t#S256": THUMBPRINT.replace("-", "+").replace("_", "/") + "="},
    ],
)
def test_a_thumbprint_is_read_in_each_spelling(header: dict[str, str]) -> None:
    assert thumbprint_in(header) == THUMBPRINT


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"x5t": THUMBPRINT},
        {"x5t#S256": 1},
        {"x5t#S256": "kort"},
        {"x5t#S256": THUMBPRINT, "x5t#s256": "A" * 43},
    ],
)
def test_a_header_without_one_thumbprint_is_refused(header: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        thumbprint_in(header)


def test_a_key_set_gives_back_the_chains_that_it_was_made_of() -> None:
    chains = [(CERTIFICATES["ES256"], CERTIFICATES["RS"]), (CERTIFICATES["ES512"],), (CERTIFICATES["RS"],)]
    published = json.loads(json.dumps(jwks(chains)))
    assert chains_of(published) == {certificate_thumbprint(chain[0]): chain for chain in chains}
    assert [(key["kty"], key["alg"], key["use"]) for key in published["keys"]] == [
        ("EC", "ES256", "sig"), ("EC", "ES512", "sig"), ("RSA", "RS256", "sig"),
    ]  # fmt: skip
    assert published["keys"][2]["e"] == "AQAB"
    assert len(published["keys"][1]["x"]) == len(published["keys"][1]["y"]) == 88


def test_a_key_goes_by_its_certificate_whatever_stands_beside_it() -> None:
    lying = jwks([(CERTIFICATES["ES256"],)])["keys"][0] | {"kid": "x", "x5t#S256": "A" * 43}
    assert set(chains_of({"keys": [lying]})) == {THUMBPRINT}


def test_keys_that_cannot_be_read_are_passed_over() -> None:
    good = jwks([(CERTIFICATES["ES256"],)])["keys"][0]
    odd = [
        None,
        {},
        {"kty": "OKP"},
        {"x5c": "x"},
        {"x5c": []},
        {"x5c": ["!"]},
        {"x5c": [1]},
        {"x5c": ["AAAA"]},
    ]
    assert set(chains_of({"keys": [*odd, good]})) == {THUMBPRINT}


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, {"keys": [{}] * 101}])
def test_what_is_no_key_set_is_refused(document: Any) -> None:
    with pytest.raises(Invalid) as refused:
        chains_of(document)
    assert refused.value.code == "malformed-jwks"


def test_a_long_chain_is_cut_short() -> None:
    der = b64encode(CERTIFICATES["ES256"].public_bytes(Encoding.DER)).decode()
    assert len(chains_of({"keys": [{"x5c": [der] * 50}]})[THUMBPRINT]) == 5
