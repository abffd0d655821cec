"""A renewed certificate: which pair of files is taken in use, and which is not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from tests.integration.nodes import Federation
from tests.renewal import renewed

from sluis.config import load_node
from sluis.crypto import make_authority
from sluis.kernel import Invalid, PeerId, Refused
from sluis.serve.certificate import AGAIN, Certificate

OTHER = PeerId("00000001800000000999")


class Looking:
    """The certificate of a node, with clocks of its own."""

    def __init__(self, federation: Federation) -> None:
        self.federation, self.directory = federation, federation.asker
        self.moment, self.now = 0.0, datetime.now(UTC)
        config = load_node(self.directory, environ={}).config
        self.certificate = Certificate(config, lambda: self.now, lambda: self.moment)
        self.lists: list[x509.CertificateRevocationList] = []

    @property
    def tls(self) -> Path:
        return self.directory / "tls"

    def look(self) -> x509.Certificate | None:
        """The certificate that there is to be taken in use."""
        found = self.certificate.look(self.lists)
        return found and found.certificate

    def later(self) -> x509.Certificate | None:
        """The same, once files that did not fit are looked at again."""
        self.moment += AGAIN
        return self.look()

    def code(self) -> str:
        """Why what lies there is not taken in use, which is not said at once."""
        assert self.look() is None
        assert self.look() is None
        with pytest.raises((Invalid, Refused)) as refused:
            self.later()
        assert refused.value.next.nl
        assert refused.value.next.en
        return refused.value.code


@pytest.fixture
def looking(tmp_path: Path) -> Looking:
    return Looking(Federation(tmp_path, group=True))


@pytest.mark.parametrize("same_key", [True, False])
def test_a_renewed_pair_is_there_once(looking: Looking, same_key: bool) -> None:
    assert looking.look() is None
    made = renewed(looking.directory, looking.federation.authority, same_key=same_key)
    found = looking.certificate.look([])
    assert found is not None
    assert found.certificate == made
    looking.certificate.take(found)
    assert looking.certificate.identity is found
    assert looking.later() is None


def test_what_was_not_taken_in_use_is_there_again(looking: Looking) -> None:
    made = renewed(looking.directory, looking.federation.authority)
    assert looking.look() == made
    assert looking.look() is None
    assert looking.later() == made


def test_a_pair_that_is_half_written_is_no_error_and_counts_once_it_is_whole(looking: Looking) -> None:
    own = {name: (looking.tls / name).read_bytes() for name in ("certificate.pem", "key.pem")}
    made = renewed(looking.directory, looking.federation.authority, same_key=False)
    certificate = (looking.tls / "certificate.pem").read_bytes()
    (looking.tls / "certificate.pem").write_bytes(own["certificate.pem"])  # the key alone
    assert looking.look() is None
    (looking.tls / "certificate.pem").write_bytes(certificate[:100])
    assert looking.look() is None
    (looking.tls / "certificate.pem").write_bytes(certificate)
    assert looking.look() == made


def test_what_stays_half_written_is_said_once(looking: Looking) -> None:
    before = (looking.tls / "certificate.pem").read_bytes()
    renewed(looking.directory, looking.federation.authority, same_key=False)
    (looking.tls / "certificate.pem").write_bytes(before)
    assert looking.code() == "key-of-another-certificate"
    assert looking.later() is None


def test_the_same_certificate_written_anew_is_none(looking: Looking) -> None:
    content = (looking.tls / "certificate.pem").read_bytes()
    (looking.tls / "certificate.pem").write_bytes(content)
    assert looking.look() is None
    assert looking.later() is None


def test_the_certificate_of_another_organisation_is_not_taken(looking: Looking) -> None:
    renewed(looking.directory, looking.federation.authority, oin=OTHER)
    assert looking.code() == "certificate-of-another"


def test_one_that_has_ended_is_not_taken(looking: Looking) -> None:
    renewed(looking.directory, looking.federation.authority, days=0)
    looking.now += timedelta(seconds=2)  # a certificate ends at a whole second
    assert looking.code() == "certificate-ended"


def test_one_of_another_authority_is_not_taken(looking: Looking, tmp_path: Path) -> None:
    other = make_authority(tmp_path / "other", "Ander")
    renewed(looking.directory, other)
    assert looking.code() == "certificate-not-trusted"


def test_one_that_was_revoked_is_not_taken(looking: Looking) -> None:
    made, authority, now = (
        renewed(looking.directory, looking.federation.authority),
        looking.federation.authority,
        looking.now,
    )
    entry = x509.RevokedCertificateBuilder(made.serial_number, now).build()
    builder = x509.CertificateRevocationListBuilder(
        authority.certificate.subject, now, now + timedelta(days=1)
    )
    looking.lists = [builder.add_revoked_certificate(entry).sign(authority.key, hashes.SHA256())]
    assert looking.code() == "certificate-revoked"


@pytest.mark.parametrize("late", [timedelta(0), timedelta(days=400)])  # the one before lasts a year
def test_one_without_the_name_that_others_reach_this_node_by_is_not_taken(
    looking: Looking, late: timedelta
) -> None:
    renewed(looking.directory, looking.federation.authority, hosts=["elders.example"], days=800)
    looking.now += late
    assert looking.code() == "certificate-of-other-hosts"


def test_one_for_later_is_taken_when_its_time_has_come(looking: Looking) -> None:
    made = renewed(looking.directory, looking.federation.authority)
    looking.now -= timedelta(hours=1)
    assert looking.code() == "certificate-not-yet"
    assert looking.later() is None
    looking.now += timedelta(hours=1)
    assert looking.later() == made


def test_a_key_that_everyone_may_read_is_not_taken(looking: Looking) -> None:
    renewed(looking.directory, looking.federation.authority)
    (looking.tls / "key.pem").chmod(0o644)
    assert looking.code() == "key-for-everyone"


def test_a_node_without_a_group_is_held_against_its_own_authorities(tmp_path: Path) -> None:
    looking = Looking(Federation(tmp_path))
    made = renewed(looking.directory, looking.federation.authority)
    assert looking.look() == made
