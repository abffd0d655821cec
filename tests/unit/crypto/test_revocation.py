"""Which certificates TLS turns away: whole handshakes in memory, under a root with an authority between it and the peers."""

import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from tests.unit.crypto.test_certificates import renewed

from sluis.crypto import Authority, Revocations, client_context, make_authority, server_context
from sluis.kernel import PeerId

NOW = datetime.now(UTC)


class World:
    """A root, an authority under it, and a peer under that; and the file with lists."""

    def __init__(self, folder: Path) -> None:
        made, between = (
            make_authority(folder / "root", "Wortel"),
            make_authority(folder / "between", "Tussen"),
        )
        self.root = Authority(
            made.directory, renewed(made.certificate, made.certificate, made.key, 1), made.key
        )
        made.path.write_bytes(self.root.certificate.public_bytes(Encoding.PEM))
        middle = renewed(between.certificate, self.root.certificate, made.key, 0)
        self.between = Authority(between.directory, middle, between.key)
        self.file, self._age = folder / "revoked.pem", 100
        self.certificate, self.key = between.issue(
            folder / "peer", PeerId("0" * 19 + "1"), "Gemeente Fictiestad", ["localhost"]
        )
        own = self.certificate.read_bytes() + middle.public_bytes(Encoding.PEM)
        self.certificate.write_bytes(own)
        self.leaf = x509.load_pem_x509_certificates(own)[0]

    def write(self, **revoked: list[x509.Certificate]) -> None:
        """The lists of `root`, `between`, or both, with what they revoke; each newer than those before it."""
        self._age -= 1
        named = {"root": self.root, "between": self.between}
        self.file.write_bytes(b"".join(self._made(named[name], some) for name, some in revoked.items()))

    def _made(self, issuer: Authority, revoked: list[x509.Certificate]) -> bytes:
        builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
        builder = builder.last_update(NOW - timedelta(seconds=self._age)).next_update(NOW + timedelta(days=1))
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.serial_number).revocation_date(NOW)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def revocations(self) -> Revocations:
        return Revocations(self.file, [self.root.certificate], [self.between.certificate])

    def meet(self, revocations: Revocations) -> tuple[bool, bool]:
        """Whether a listener that holds to the lists lets the peer in, and whether it is believed as a server."""
        return self._both(revocations, True), self._both(revocations, False)

    def _both(self, revocations: Revocations, at_server: bool) -> bool:
        files = self.certificate, self.key, [self.root.path]
        server, client = server_context(*files), client_context(*files)
        revocations.guard(server if at_server else client)
        return shaken(server, client)


def shaken(server: ssl.SSLContext, client: ssl.SSLContext) -> bool:
    """Whether two contexts finish a handshake."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(back, there, server_hostname="localhost"),
        server.wrap_bio(there, back, server_side=True),
    ]
    for _ in range(4):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError:
                return False
    return all(side.version() for side in sides)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


def test_who_is_on_no_list_meets(made: World) -> None:
    for lists in ({"between": []}, {"root": [], "between": []}):
        made.write(**lists)
        assert made.meet(made.revocations()) == (True, True)


def test_a_peer_that_was_revoked_meets_nobody(made: World) -> None:
    for others in ({}, {"root": []}):
        made.write(between=[made.leaf], **others)
        assert made.meet(made.revocations()) == (False, False)


def test_nobody_is_met_under_an_authority_that_was_revoked(made: World) -> None:
    made.write(root=[made.between.certificate], between=[])
    assert made.meet(made.revocations()) == (False, False)


def test_the_lists_that_are_missing_are_named(made: World) -> None:
    made.write(between=[])
    assert made.revocations().unlisted == [made.root.certificate.subject.rfc4514_string()]
    made.write(root=[])
    assert made.revocations().unlisted == [made.between.certificate.subject.rfc4514_string()]
    made.write(root=[], between=[])
    assert made.revocations().unlisted == []
    assert Revocations(None, [made.root.certificate]).unlisted == []


def test_after_a_renewal_the_list_of_another_issuer_is_wanted_too(made: World) -> None:
    made.write(root=[])
    revocations = Revocations(made.file, [made.root.certificate])
    assert revocations.unlisted == []
    revocations.also_under([made.between.certificate])
    assert revocations.unlisted == [made.between.certificate.subject.rfc4514_string()]


def test_a_renewed_list_counts_for_authorities_too_and_one_less_locks_nobody_out(made: World) -> None:
    made.write(root=[], between=[])
    revocations = made.revocations()
    files = made.certificate, made.key, [made.root.path]
    server, client = server_context(*files), client_context(*files)
    revocations.guard(server)
    assert shaken(server, client)
    made.write(root=[made.between.certificate], between=[])
    assert revocations.renew()
    assert not shaken(server, client)
    made.write(between=[])
    assert revocations.renew()
    assert not server.verify_flags & (ssl.VERIFY_CRL_CHECK_CHAIN & ~ssl.VERIFY_CRL_CHECK_LEAF)
    assert shaken(server, client)


def test_a_full_disk_keeps_no_renewed_list_out_of_force(made: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made.write(between=[])
    revocations, files = made.revocations(), (made.certificate, made.key, [made.root.path])
    server = server_context(*files)
    revocations.guard(server)
    monkeypatch.setattr("tempfile.tempdir", "/dev/full")
    made.write(between=[made.leaf])
    assert revocations.renew()
    assert not shaken(server, client_context(*files))


def test_lists_that_could_not_be_put_in_force_are_tried_again(
    made: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.write(between=[])
    revocations, files = made.revocations(), (made.certificate, made.key, [made.root.path])
    server = server_context(*files)
    revocations.guard(server)
    made.write(between=[made.leaf])
    with monkeypatch.context() as patch:
        patch.setattr("os.memfd_create", lambda name: os.open("/nowhere", os.O_RDONLY))
        with pytest.raises(OSError, match="nowhere"):
            revocations.renew()
    assert revocations.renew()
    assert not shaken(server, client_context(*files))
