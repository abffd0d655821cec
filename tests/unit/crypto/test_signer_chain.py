"""Certificates that sign documents and are no peer's: held against the anchors for such documents."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sluis.crypto import Authority, make_authority, signer_chain
from sluis.kernel import Refused

NOW = datetime.now(UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path / "authority", "Uitgevers")


def leaf(authority: Authority, *, signs: bool | None = True, days: int = 1) -> x509.Certificate:
    """A certificate without serial number or organisation, as issuers of credentials have them."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Uitgever (fictief)")]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=2))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False
        )
    )
    if signs is not None:
        usage = x509.KeyUsage(signs, False, False, False, not signs, False, False, False, False)
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(authority.key, hashes.SHA256())


@pytest.mark.parametrize("signs", [True, None])
def test_a_certificate_that_may_sign_leads_to_its_anchor(authority: Authority, signs: bool | None) -> None:
    one = leaf(authority, signs=signs)
    assert signer_chain(one, (), [authority.certificate], NOW) == (one, authority.certificate)


def test_a_certificate_for_something_else_does_not_sign(authority: Authority) -> None:
    with pytest.raises(Refused):
        signer_chain(leaf(authority, signs=False), (), [authority.certificate], NOW)


def test_a_certificate_that_ended_does_not_sign(authority: Authority) -> None:
    with pytest.raises(Refused):
        signer_chain(leaf(authority, days=-1), (), [authority.certificate], NOW)


def test_a_certificate_of_another_authority_does_not_sign(authority: Authority, tmp_path: Path) -> None:
    other = make_authority(tmp_path / "other", "Anderen")
    with pytest.raises(Refused):
        signer_chain(leaf(other), (other.certificate,), [authority.certificate], NOW)
