"""What a hostile peer publishes of itself: its card, and the checkpoints of its log."""

import asyncio
import json
import random
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from sluis.crypto import Authority, FileKeyStore, Identity, Revocations, make_authority
from sluis.gateway import read_card, sign_card
from sluis.gateway.manager.callers import Callers
from sluis.kernel import PeerId, Problem
from sluis.ledger import base_origin, open_ledger
from sluis.serve import node
from sluis.store import open_store

SVB = PeerId("00000004000000044000")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"), "Groep")


@pytest.fixture(scope="module")
def identity(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity.load(*authority.issue(tmp_path_factory.mktemp("svb"), SVB, "SVB", ["svb.example"]))


def card(identity: Identity, alias: str = "svb", url: str = "https://svb.example", log: str = "") -> str:
    return sign_card(identity, alias, url, b"v" * 32, b"s" * 32, log)


def read(jws: str, authority: Authority, *crls: x509.CertificateRevocationList) -> Any:
    return read_card(jws, [authority.certificate], datetime.now(UTC), crls)


def test_a_card_with_the_name_of_its_own_log_is_believed(authority: Authority, identity: Identity) -> None:
    log = f"svb.example/{SVB}"
    assert read(card(identity, log=log), authority).log == log


@pytest.mark.parametrize(
    "hostile",
    [
        {"log": "rdw.example/00000004003214345001"},
        {"log": f"rdw.example /{SVB}"},
        {"log": f"a\n/{SVB}"},
        {"log": "x" * 600 + f"/{SVB}"},
        {"url": "http://svb.example"},
        {"url": "https://svb.example\x1b[2J"},
        {"url": "https://svb.example/" + "x" * 3000},
        {"alias": "rvig.personen"},
        {"alias": "x" * 64},
    ],
)
def test_a_card_that_claims_what_is_not_its_own_is_refused(
    authority: Authority, identity: Identity, hostile: dict[str, str]
) -> None:
    with pytest.raises(Problem):
        read(card(identity, **hostile), authority)


def revoking(authority: Authority, *identities: Identity) -> x509.CertificateRevocationList:
    now = datetime.now(UTC)
    builder = x509.CertificateRevocationListBuilder(
        authority.certificate.subject, now, now + timedelta(days=1), []
    )
    for one in identities:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
        builder = builder.add_revoked_certificate(entry.revocation_date(now).build())
    return builder.sign(authority.key, hashes.SHA256())


def test_a_revoked_certificate_speaks_for_nobody(authority: Authority, identity: Identity) -> None:
    with pytest.raises(Problem) as caught:
        read(card(identity), authority, revoking(authority, identity))
    assert caught.value.code == "certificate-revoked"


def test_who_was_revoked_is_out_at_the_next_request(
    authority: Authority, identity: Identity, tmp_path: Path
) -> None:
    file = tmp_path / "crl.pem"
    file.write_bytes(revoking(authority).public_bytes(Encoding.PEM))
    known = Revocations(file, [authority.certificate])
    callers = Callers(lambda: datetime.now(UTC), True, lambda: known.lists)
    pem = identity.certificate.public_bytes(Encoding.PEM).decode()
    connection = {"tls": {"client_cert_chain": [pem]}}
    assert callers.caller(connection).peer.id == SVB
    file.write_bytes(revoking(authority, identity).public_bytes(Encoding.PEM))
    assert known.renew()
    with pytest.raises(Problem) as caught:
        callers.caller(connection)
    assert caught.value.code == "certificate-revoked"


async def test_what_recurs_goes_on_whatever_went_wrong_once() -> None:
    again = asyncio.Event()

    async def work() -> None:
        if again.is_set():
            await asyncio.sleep(60)
        again.set()
        raise RecursionError

    task = asyncio.create_task(node._repeat(0, work))
    await asyncio.wait_for(again.wait(), 5)
    await asyncio.sleep(0.01)
    assert not task.done()
    task.cancel()


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_a_card_of_any_bytes_is_a_problem_and_nothing_else(authority: Authority, identity: Identity) -> None:
    head, body, signature = card(identity).split(".")
    header = json.loads(urlsafe_b64decode(head + "=="))
    der, chance = b64decode(header["x5c"][0]), random.Random(1)
    for _ in range(1500):
        forged = bytearray(der)
        forged[chance.randrange(len(der))] = chance.randrange(256)
        if forged == der:
            continue
        header["x5c"] = [b64encode(forged).decode()]
        changed = urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
        with pytest.raises(Problem):
            read(f"{changed}.{body}.{signature}", authority)


@pytest.mark.parametrize("part", [0, 1])
def test_a_card_nested_without_end_is_a_problem(authority: Authority, identity: Identity, part: int) -> None:
    parts = card(identity).split(".")
    parts[part] = urlsafe_b64encode(b'{"x":' + b"[" * 40_000).rstrip(b"=").decode()
    with pytest.raises(Problem):
        read(".".join(parts), authority)


@pytest.mark.parametrize("number", ["²", "9" * 5000, "٣", "01", "-1", ""])
def test_an_epoch_that_is_no_number_begins_none(tmp_path: Path, number: str) -> None:
    with_log = open_store(tmp_path / "node.db")
    ledger = open_ledger(
        with_log, FileKeyStore(tmp_path / "keys"), "log.example/1", lambda: datetime.now(UTC)
    )
    assert ledger.begin_epoch([f"log.example/1/epoch-{number}\n1\nx\n"]) is None
    assert base_origin(f"log.example/1/epoch-{number}") == f"log.example/1/epoch-{number}"
    with_log.close()
