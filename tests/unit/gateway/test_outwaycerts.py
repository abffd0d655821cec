"""Which certificates the outway shows after a renewal, and under which contract. Names and numbers are fictitious."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tests.unit.gateway.contracts.making import CONSUMER, as_json, by_key, connection, content

from sluis.crypto import (
    certificate_thumbprint,
    make_authority,
    public_key_thumbprint,
    read_certificates,
)
from sluis.gateway.contracts import Grant, read_content
from sluis.gateway.outwaycerts import OutwayCertificates
from sluis.kernel import PeerId


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> list[x509.Certificate]:
    """Three, each with a key of its own; each ends ten days after the one before."""
    home = tmp_path_factory.mktemp("authority")
    authority = make_authority(home, "Groep")
    made = [
        authority.issue(home / f"{days}", PeerId(CONSUMER), "Gemeente (fictief)", ["localhost"], days)
        for days in (10, 20, 30)
    ]
    return [read_certificates(path)[0] for path, _ in made]


class Showing:
    """The first of the certificates, and what may happen to it."""

    def __init__(self, first: x509.Certificate) -> None:
        self.now, self.revoked = datetime.now(UTC), set[bytes]()
        self.shown = OutwayCertificates(first, self.revoked.__contains__, lambda: self.now)


def grant_for(certificate: x509.Certificate) -> Grant:
    outway = {"peer_id": CONSUMER, "identification": by_key(public_key_thumbprint(certificate))}
    [grant] = read_content(as_json(content(connection(outway=outway)))).grants
    return grant


def test_one_certificate_before_the_present_one_is_shown(issued: list[x509.Certificate]) -> None:
    one, two, three = issued
    showing = Showing(one)
    showing.shown.take(two)
    assert showing.shown.certificates == (two, one)
    showing.shown.take(three)
    assert showing.shown.certificates == (three, two)
    assert showing.shown.thumbprints == {certificate_thumbprint(three), certificate_thumbprint(two)}


def test_a_certificate_is_shown_for_the_key_that_a_contract_names(issued: list[x509.Certificate]) -> None:
    one, two, three = issued
    showing = Showing(one)
    showing.shown.take(two)
    assert showing.shown.for_grant(grant_for(two)) == ()
    assert showing.shown.for_grant(grant_for(one)) == (certificate_thumbprint(one),)
    assert showing.shown.for_grant(grant_for(three)) == ()


def test_a_certificate_that_was_revoked_is_not_shown_as_the_one_before(
    issued: list[x509.Certificate],
) -> None:
    one, two, _ = issued
    showing = Showing(one)
    showing.shown.take(two)
    showing.revoked.add(one.public_bytes(Encoding.DER))
    showing.shown.tidy()
    assert showing.shown.certificates == (two,)
    assert showing.shown.thumbprints == {certificate_thumbprint(two)}


def test_a_certificate_that_has_ended_is_not_shown_as_the_one_before(issued: list[x509.Certificate]) -> None:
    one, two, _ = issued
    showing = Showing(one)
    showing.shown.take(two)
    showing.now += timedelta(days=11)
    showing.shown.tidy()
    assert showing.shown.certificates == (two,)
