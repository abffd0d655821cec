"""Certificates: who a peer is, what is refused, and what a test authority makes."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sluis.crypto.authority import Authority, make_authority
from sluis.crypto.certificates import (
    Identity,
    is_test,
    peer_of,
    read_certificates,
    time_left,
    verify_chain,
)
from sluis.crypto.tls import client_context, server_context
from sluis.kernel import Invalid, PeerId, Refused

RDW = PeerId("00000004003214345001")
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"), "Groep Noord")


@pytest.fixture(scope="module")
def issued(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return authority.issue(tmp_path_factory.mktemp("rdw"), RDW, "RDW", ["localhost", "127.0.0.1"])


def with_subject(authority: Authority, *attributes: x509.NameAttribute[str]) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name(attributes))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(authority.key, hashes.SHA256())
    )


def crl_of(issuer: Authority, *revoked: x509.Certificate) -> x509.CertificateRevocationList:
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(NOW).next_update(NOW + timedelta(days=1))
    for certificate in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(NOW)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, hashes.SHA256())


def test_peer_is_serial_number_and_organisation_of_subject(issued: tuple[Path, Path]) -> None:
    peer = peer_of(read_certificates(issued[0])[0])
    assert (peer.id, peer.name) == (RDW, "RDW")


def test_peer_is_read_from_pem_and_der_alike(issued: tuple[Path, Path]) -> None:
    certificate = read_certificates(issued[0])[0]
    assert peer_of(certificate.public_bytes(Encoding.DER)) == peer_of(certificate.public_bytes(Encoding.PEM))


@pytest.mark.parametrize(
    "subject",
    [
        [(NameOID.ORGANIZATION_NAME, "RDW")],
        [(NameOID.SERIAL_NUMBER, str(RDW))],
        [
            (NameOID.SERIAL_NUMBER, str(RDW)),
            (NameOID.SERIAL_NUMBER, "1" * 20),
            (NameOID.ORGANIZATION_NAME, "RDW"),
        ],
        [
            (NameOID.SERIAL_NUMBER, str(RDW)),
            (NameOID.ORGANIZATION_NAME, "RDW"),
            (NameOID.ORGANIZATION_NAME, "UWV"),
        ],
        [(NameOID.SERIAL_NUMBER, "123"), (NameOID.ORGANIZATION_NAME, "RDW")],
        [(NameOID.SERIAL_NUMBER, str(RDW)), (NameOID.ORGANIZATION_NAME, " ")],
    ],
)
def test_subject_without_exactly_one_peer_is_refused(
    authority: Authority, subject: list[tuple[x509.ObjectIdentifier, str]]
) -> None:
    certificate = with_subject(authority, *(x509.NameAttribute(oid, value) for oid, value in subject))
    with pytest.raises(Refused) as refusal:
        peer_of(certificate)
    assert refusal.value.code == "certificate-without-peer"


@pytest.mark.parametrize(
    "raw", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\x30\x82"]
)
def test_bytes_that_are_no_certificate_are_refused(raw: bytes) -> None:
    with pytest.raises(Refused):
        peer_of(raw)


def test_private_keys_are_readable_by_their_owner_only(
    authority: Authority, issued: tuple[Path, Path]
) -> None:
    for path in (issued[1], authority.directory / "authority.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_issued_certificate_serves_both_sides_of_a_connection(issued: tuple[Path, Path]) -> None:
    certificate = read_certificates(issued[0])[0]
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {oid.dotted_string for oid in usage} == {"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"}
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_chain_to_an_anchor_of_the_group_is_trusted(authority: Authority, issued: tuple[Path, Path]) -> None:
    leaf = read_certificates(issued[0])[0]
    assert verify_chain(leaf, [], [authority.certificate], datetime.now(UTC)).id == RDW


def test_chain_to_another_authority_of_the_same_name_is_refused(
    issued: tuple[Path, Path], tmp_path: Path
) -> None:
    other = make_authority(tmp_path, "Groep Noord")
    with pytest.raises(Refused) as refusal:
        verify_chain(read_certificates(issued[0])[0], [], [other.certificate], datetime.now(UTC))
    assert refusal.value.code == "certificate-not-trusted"


def test_certificate_that_has_ended_is_refused(authority: Authority, tmp_path: Path) -> None:
    path, _ = authority.issue(tmp_path, RDW, "RDW", ["localhost"], days=-1)
    leaf = read_certificates(path)[0]
    assert time_left(leaf, datetime.now(UTC)) < timedelta(0)
    with pytest.raises(Refused):
        verify_chain(leaf, [], [authority.certificate], datetime.now(UTC))


def test_revoked_certificate_is_refused(authority: Authority, issued: tuple[Path, Path]) -> None:
    leaf = read_certificates(issued[0])[0]
    with pytest.raises(Refused) as refusal:
        verify_chain(leaf, [], [authority.certificate], datetime.now(UTC), [crl_of(authority, leaf)])
    assert refusal.value.code == "certificate-revoked"


def test_certificate_of_an_issuer_that_was_revoked_is_refused(authority: Authority, tmp_path: Path) -> None:
    between = make_authority(tmp_path / "between", "Tussen")
    root = Authority(
        tmp_path, renewed(authority.certificate, authority.certificate, authority.key, 1), authority.key
    )
    issuer = renewed(between.certificate, root.certificate, authority.key, 0)
    path, _ = between.issue(tmp_path / "rdw", RDW, "RDW", ["localhost"])
    leaf = read_certificates(path)[0]
    now = datetime.now(UTC)
    assert verify_chain(leaf, [issuer], [root.certificate], now, [crl_of(root)]).id == RDW
    with pytest.raises(Refused) as refusal:
        verify_chain(leaf, [issuer], [root.certificate], now, [crl_of(root, issuer)])
    assert refusal.value.code == "certificate-revoked"


def renewed(
    certificate: x509.Certificate, issuer: x509.Certificate, key: ec.EllipticCurvePrivateKey, length: int
) -> x509.Certificate:
    """The certificate of an authority as this issuer makes it, with room for so many more below it."""
    builder = x509.CertificateBuilder().subject_name(certificate.subject).issuer_name(issuer.subject)
    builder = builder.public_key(certificate.public_key()).serial_number(x509.random_serial_number())  # type: ignore[arg-type]
    builder = builder.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=9))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=length), critical=True)
    for kind in (x509.KeyUsage, x509.SubjectKeyIdentifier):
        found = certificate.extensions.get_extension_for_class(kind)
        builder = builder.add_extension(found.value, critical=found.critical)
    keyed = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return builder.add_extension(keyed, critical=False).sign(key, hashes.SHA256())


def test_revocation_list_of_another_issuer_revokes_nothing(
    authority: Authority, issued: tuple[Path, Path], tmp_path: Path
) -> None:
    leaf = read_certificates(issued[0])[0]
    impostor = make_authority(tmp_path, "Groep Noord")
    lists = [crl_of(impostor, leaf), crl_of(authority)]
    assert verify_chain(leaf, [], [authority.certificate], datetime.now(UTC), lists).id == RDW


def test_what_a_test_authority_makes_is_marked(authority: Authority, issued: tuple[Path, Path]) -> None:
    assert is_test(authority.certificate)
    assert is_test(read_certificates(issued[0])[0])
    assert (
        authority.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        == "TEST Groep Noord"
    )


def test_certificate_of_another_maker_is_not_marked_as_test(authority: Authority) -> None:
    assert not is_test(with_subject(authority, x509.NameAttribute(NameOID.ORGANIZATION_NAME, "RDW")))


def test_second_authority_in_one_directory_is_refused(authority: Authority) -> None:
    with pytest.raises(Invalid) as problem:
        make_authority(authority.directory, "Groep Zuid")
    assert problem.value.code == "authority-exists"


def test_identity_needs_the_key_of_its_certificate(
    authority: Authority, issued: tuple[Path, Path], tmp_path: Path
) -> None:
    assert Identity.load(*issued).peer.id == RDW
    _, stranger = authority.issue(tmp_path, RDW, "RDW", ["localhost"])
    with pytest.raises(Invalid) as problem:
        Identity.load(issued[0], stranger)
    assert problem.value.code == "key-of-another-certificate"


@pytest.mark.parametrize("broken", ["certificate", "key"])
def test_unreadable_file_is_named_without_its_directory(
    issued: tuple[Path, Path], tmp_path: Path, broken: str
) -> None:
    wrong = tmp_path / f"{broken}.pem"
    wrong.write_text("not PEM")
    paths = (wrong, issued[1]) if broken == "certificate" else (issued[0], wrong)
    with pytest.raises(Invalid) as problem:
        Identity.load(*paths)
    assert problem.value.code == f"{broken}-unreadable"
    assert str(tmp_path) not in problem.value.why.en


def test_tls_contexts_offer_nothing_below_sufficient(authority: Authority, issued: tuple[Path, Path]) -> None:
    allowed = {"ECDHE-ECDSA", "ECDHE-RSA"}
    for make in (server_context, client_context):
        context = make(*issued, [authority.path])
        assert context.minimum_version.name == "TLSv1_2"
        for cipher in context.get_ciphers():
            assert cipher["aead"]
            assert cipher["protocol"] == "TLSv1.3" or "-".join(cipher["name"].split("-")[:2]) in allowed


def test_tls_context_of_missing_files_is_a_problem(issued: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(Invalid) as problem:
        server_context(*issued, [tmp_path / "none.pem"])
    assert problem.value.code == "tls-files"


def test_a_key_that_everyone_may_read_is_not_used(issued: tuple[Path, Path]) -> None:
    certificate, key = issued
    key.chmod(0o640)
    Identity.load(certificate, key)
    key.chmod(0o644)
    with pytest.raises(Invalid) as refusal:
        Identity.load(certificate, key)
    key.chmod(0o600)
    assert refusal.value.code == "key-for-everyone"
