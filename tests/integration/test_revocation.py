"""Revoked certificates are refused in the handshake, by both sides, and a renewed list counts without a restart. The nodes
have the contracts between them already: it is the certificate alone that keeps anybody out."""

import asyncio
import gc
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from tests.integration.managers import until
from tests.integration.nodes import OWNER, Federation, build, reach, refused

from sluis.crypto import Authority, client_context, make_authority, read_certificates
from sluis.gateway.forward import read_url
from sluis.gateway.streams import FAILURES, Exchange, Streams, why
from sluis.kernel import Upstream


def revoke(path: Path, issuer: Authority, *revoked: Path, age: int = 60, days: int = 1) -> None:
    """Write the list of an authority. `age`: how many seconds ago it was made, as lists follow each other by that."""
    now = datetime.now(UTC)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now - timedelta(seconds=age))
        .next_update(now + timedelta(days=days))
    )
    for file in revoked:
        serial = read_certificates(file)[0].serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
        builder = builder.add_revoked_certificate(entry.build())
    fresh = path.with_suffix(".new")
    fresh.write_bytes(builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.PEM))
    fresh.replace(path)


class Group:
    """Two nodes whose lists of revoked certificates are files that may be renewed."""

    def __init__(self, federation: Federation) -> None:
        self.federation = federation
        self.asker, self.owner = federation.asker, federation.owner
        self.authority = federation.authority
        for directory in (self.asker, self.owner):
            settings = directory / "node.toml"
            settings.write_text(settings.read_text().replace("[tls]\n", '[tls]\ncrl = "tls/revoked.pem"\n'))
            revoke(directory / "tls" / "revoked.pem", self.authority)

    def certificate(self, directory: Path) -> Path:
        return directory / "tls" / "certificate.pem"


@pytest.fixture
def group(group: Federation) -> Group:
    """The same, with lists."""
    return Group(group)


async def knock(group: Group, part: str) -> str:
    """What comes of a bare request of the asker at a door of the owner: a status, or why there was none."""
    tls = group.asker / "tls"
    context = client_context(tls / "certificate.pem", tls / "key.pem", [group.authority.path])
    streams, target = Streams(context), read_url(group.federation.address("uwv", part), OWNER)[0]
    try:
        async with Exchange(streams, target, 5) as exchange:
            await exchange.send("GET", "/", {})
            return str(exchange.status)
    except FAILURES as failure:
        return why(failure)
    finally:
        streams.close()


async def outcome(group: Group) -> str:
    asker, owner = build(group.asker), build(group.owner)
    await owner.start()
    try:
        return await reach(asker)
    finally:
        await owner.stop()
        await asker.stop()


async def test_lists_that_revoke_nobody_stop_nobody(group: Group) -> None:
    assert await outcome(group) == "200"


async def test_an_owner_refuses_an_asker_that_was_revoked(group: Group) -> None:
    revoke(group.owner / "tls" / "revoked.pem", group.authority, group.certificate(group.asker))
    assert await outcome(group) in {"peer-not-trusted", "peer-broke-off", "peer-unreachable"}


@pytest.mark.parametrize("part", ["manager", "inway"])
async def test_no_door_of_an_owner_opens_for_who_was_revoked(group: Group, part: str) -> None:
    revoke(group.owner / "tls" / "revoked.pem", group.authority, group.certificate(group.asker))
    owner = build(group.owner)
    await owner.start()
    try:
        assert await knock(group, part) in {"peer-not-trusted", "peer-broke-off"}
        revoke(group.owner / "tls" / "revoked.pem", group.authority, age=0)
        for _ in range(100):
            if (await knock(group, part)).isdecimal():
                break
            await asyncio.sleep(0.05)
        assert (await knock(group, part)).isdecimal()
    finally:
        await owner.stop()


async def test_an_asker_refuses_an_owner_that_was_revoked(group: Group) -> None:
    revoke(group.asker / "tls" / "revoked.pem", group.authority, group.certificate(group.owner))
    asker, owner = build(group.asker), build(group.owner)
    await owner.start()
    try:
        assert await reach(asker) == "not-connected"  # nothing that it signed holds
        membership = asker.parts.membership
        assert membership is not None
        with pytest.raises(Upstream, match="is not trusted, was revoked"):
            await membership.running.managers.info(OWNER)
    finally:
        await owner.stop()
        await asker.stop()


@pytest.mark.parametrize("whose", ["asker", "owner"])
async def test_a_renewed_list_counts_within_seconds_also_for_who_is_connected(
    group: Group, whose: str
) -> None:
    asker, owner = build(group.asker), build(group.owner)
    await owner.start()
    await asker.start()
    try:
        assert await reach(asker) == "200"
        by, of = (group.asker, group.owner) if whose == "asker" else (group.owner, group.asker)
        revoke(by / "tls" / "revoked.pem", group.authority, group.certificate(of), age=0)
        for _ in range(100):
            if await reach(asker) != "200":
                break
            await asyncio.sleep(0.05)
        assert await reach(asker) != "200"
    finally:
        await asker.stop()
        await owner.stop()


async def test_no_list_is_kept_once_a_newer_one_is_in_force(group: Group) -> None:
    """OpenSSL keeps every list that a context was given: with one an hour that is a gigabyte in a year, or in a week."""
    asker, owner = build(group.asker), build(group.owner)
    await owner.start()
    await asker.start()
    revocations = asker.parts.revocations

    def kept() -> list[int]:
        """By each context, the fewest first: after those for both directions come those of connections that are still there."""
        gc.collect()
        return sorted(context.cert_store_stats()["crl"] for context in revocations._contexts)

    try:
        for age in range(4, 0, -1):
            before = revocations.lists
            revoke(group.asker / "tls" / "revoked.pem", group.authority, age=age)
            await until(lambda before=before: revocations.lists != before and kept()[:2] == [1, 1])
            assert await reach(asker) == "200"
    finally:
        await asker.stop()
        await owner.stop()


async def test_a_list_that_is_no_list_is_told_and_the_one_before_stays(
    group: Group, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    revoke(group.owner / "tls" / "revoked.pem", group.authority, group.certificate(group.asker))
    asker, owner = build(group.asker), build(group.owner)
    await owner.start()
    try:
        other = make_authority(tmp_path / "other", "Ander")
        anchor = other.path.read_bytes()
        (group.owner / "tls" / "revoked.pem").write_bytes(anchor)
        with caplog.at_level(logging.ERROR):
            for _ in range(100):
                if "revoked certificates" in caplog.text:
                    break
                await asyncio.sleep(0.05)
        assert "cannot be read" in caplog.text
        assert await reach(asker) != "200"
    finally:
        await owner.stop()
        await asker.stop()


def test_a_list_in_the_name_of_the_group_that_it_did_not_sign_stops_the_start(
    group: Group, tmp_path: Path
) -> None:
    impostor = make_authority(tmp_path / "impostor", "Groep")
    revoke(group.owner / "tls" / "revoked.pem", impostor)
    assert refused(group.owner).code == "revocations-unreadable"


@pytest.mark.parametrize(
    "content", [b"", b"nothing", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"]
)
def test_an_unreadable_list_stops_the_start(group: Group, content: bytes) -> None:
    (group.owner / "tls" / "revoked.pem").write_bytes(content)
    assert refused(group.owner).code == "revocations-unreadable"


def test_a_certificate_among_the_lists_never_becomes_an_anchor(group: Group, tmp_path: Path) -> None:
    path = group.owner / "tls" / "revoked.pem"
    path.write_bytes(path.read_bytes() + make_authority(tmp_path / "other", "Ander").path.read_bytes())
    assert refused(group.owner).code == "revocations-unreadable"


async def test_a_list_that_has_ended_lets_nobody_in_and_the_operator_is_told(
    group: Group, caplog: pytest.LogCaptureFixture
) -> None:
    revoke(group.owner / "tls" / "revoked.pem", group.authority, age=3 * 86_400, days=-1)
    asker, owner = build(group.asker), build(group.owner)
    await owner.start()
    try:
        assert await reach(asker) != "200"
        assert "then nobody connects" in caplog.text
    finally:
        await owner.stop()
        await asker.stop()
