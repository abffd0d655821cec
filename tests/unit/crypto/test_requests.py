"""Requests for certificates: what they ask for, and what a test authority makes of them."""

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from sluis.crypto import (
    Identity,
    key_text,
    make_authority,
    make_request,
    new_key,
    open_authority,
    peer_of,
    read_certificates,
    read_key,
    unfit_hosts,
    verify_chain,
)
from sluis.kernel import Invalid, PeerId, utc_now

OIN = PeerId("00000001001000001000")
HOSTS = ["fsc.gemeente.example", "127.0.0.1", "fsc.gemeente.example"]


def test_a_request_asks_for_what_a_peer_certificate_holds() -> None:
    request = make_request(new_key(), OIN, "Gemeente (fictief)", HOSTS)
    assert request.is_signature_valid
    subject = {one.oid: one.value for one in request.subject}
    assert subject == {
        NameOID.ORGANIZATION_NAME: "Gemeente (fictief)",
        NameOID.SERIAL_NUMBER: f"{OIN!s}",
        NameOID.COMMON_NAME: "fsc.gemeente.example",
    }
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["fsc.gemeente.example"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_a_key_is_ecdsa_p256_or_rsa_when_asked() -> None:
    own, other = new_key(), new_key(in_rsa=True)
    assert isinstance(own, ec.EllipticCurvePrivateKey)
    assert isinstance(own.curve, ec.SECP256R1)
    assert isinstance(other, rsa.RSAPrivateKey)
    assert other.key_size >= 3072


@pytest.mark.parametrize("in_rsa", [False, True])
def test_an_authority_certifies_what_a_request_asks_for(tmp_path: Path, in_rsa: bool) -> None:
    make_authority(tmp_path, "Groep")
    key = new_key(in_rsa)
    certificate = open_authority(tmp_path).certify(make_request(key, OIN, "Gemeente (fictief)", HOSTS))
    assert certificate.public_key() == key.public_key()
    anchors = [open_authority(tmp_path).certificate]
    assert verify_chain(certificate, (), anchors, utc_now()) == peer_of(certificate)
    assert peer_of(certificate).id == OIN


def test_a_request_for_another_kind_of_key_gets_no_certificate(tmp_path: Path) -> None:
    names = x509.Name([x509.NameAttribute(NameOID.SERIAL_NUMBER, f"{OIN!s}")])
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(names)
        .sign(ed25519.Ed25519PrivateKey.generate(), None)
    )
    with pytest.raises(Invalid) as refused:
        make_authority(tmp_path, "Groep").certify(request)
    assert refused.value.code == "certificate-request-unfit"


def test_a_name_too_long_for_the_common_name_is_only_an_alternative() -> None:
    long = f"{'a' * 60}.gemeente.example"
    request = make_request(new_key(), OIN, "Gemeente (fictief)", [long])
    assert not request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    with pytest.raises(Invalid) as refused:
        make_request(new_key(), OIN, "Gemeente (fictief)", ["a" * 70])
    assert refused.value.code == "host-unfit"


def test_a_key_that_everyone_may_read_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(key_text(new_key()))
    (tmp_path / "key.pem").chmod(0o644)
    assert (tmp_path / "key.pem").stat().st_mode & stat.S_IROTH
    with pytest.raises(Invalid) as refused:
        read_key(tmp_path / "key.pem")
    assert refused.value.code == "key-for-everyone"


def test_an_authority_without_its_own_key_is_none(tmp_path: Path) -> None:
    make_authority(tmp_path / "one", "Een")
    other = make_authority(tmp_path / "other", "Ander")
    (tmp_path / "one/authority.key").write_bytes((other.directory / "authority.key").read_bytes())
    with pytest.raises(Invalid):
        open_authority(tmp_path / "one")


def test_what_an_authority_issues_is_an_identity(tmp_path: Path) -> None:
    certificate, key = make_authority(tmp_path, "Groep").issue(
        tmp_path / "tls", OIN, "Gemeente (fictief)", HOSTS
    )
    assert Identity.load(certificate, key).peer.id == OIN


@pytest.mark.parametrize(
    ("asked", "unfit"),
    [
        (["fsc.gemeente.example", "a.intern.example", "127.0.0.1", "localhost"], []),
        (["gemeente.example", "127.0.0.2", "b.a.intern.example"], ["gemeente.example", "127.0.0.2", "b.a.intern.example"]),
        (["fsc.gemeente.example", "ander.example"], ["ander.example"]),
        (["a_b.example", "localhost"], ["a_b.example"]),
    ],
)  # fmt: skip
def test_a_certificate_is_good_for_the_hosts_that_it_names_and_no_other(
    tmp_path: Path, asked: list[str], unfit: list[str]
) -> None:
    authority = make_authority(tmp_path, "Groep")
    named = ["fsc.gemeente.example", "*.intern.example", "127.0.0.1", "localhost"]
    chain = read_certificates(authority.issue(tmp_path / "tls", OIN, "Gemeente (fictief)", named)[0])
    assert unfit_hosts(chain, [authority.certificate], asked, utc_now()) == unfit
