"""Who gets a token, and in which words somebody is refused (RFC 6749 §5.2)."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography import x509
from tests.unit.gateway.contracts.making import (
    CONSUMER,
    DIRECTORY,
    PRINCIPAL,
    PROVIDER,
    as_json,
    by_key,
    connection,
    content,
    delegated_connection,
    publication,
)

from sluis.crypto import make_authority, public_key_thumbprint, read_certificates
from sluis.gateway.contracts import Grant, read_content
from sluis.gateway.manager.token import Refusal, granted
from sluis.kernel import PeerId

CLIENT = PeerId(CONSUMER)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> x509.Certificate:
    home: Path = tmp_path_factory.mktemp("authority")
    path, _ = make_authority(home / "a", "G").issue(home / "c", CLIENT, "Consument", ["outway.example"])
    return read_certificates(path)[0]


def grant(certificate: x509.Certificate, **more: Any) -> Grant:
    outway = {"peer_id": CONSUMER, "identification": by_key(public_key_thumbprint(certificate))}
    return read_content(as_json(content(connection(outway=outway, **more)))).grants[0]


def asked(
    certificate: x509.Certificate, known: Grant, body: bytes | None = None, offered: bool = True,
    own: str = PROVIDER, client: PeerId = CLIENT, **changes: str,
) -> Grant:  # fmt: skip
    form = {
        "grant_type": "client_credentials",
        "scope": known.hash,
        "client_id": str.__str__(client),
        **changes,
    }
    raw = urlencode(form).encode() if body is None else body
    return granted(raw, client, certificate, PeerId(own), {known.hash: known}.get, lambda name: offered)


def refusal(*args: Any, **more: Any) -> str:
    with pytest.raises(Refusal) as refused:
        asked(*args, **more)
    return refused.value.error


def test_the_outway_in_the_grant_gets_a_token(certificate: x509.Certificate) -> None:
    known = grant(certificate)
    assert asked(certificate, known) is known


def test_a_hash_may_come_percent_encoded_twice(certificate: x509.Certificate) -> None:
    known = grant(certificate)
    assert asked(certificate, known, scope=known.hash.replace("$", "%24")) is known


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "invalid_request"),
        ({"client_id": ""}, "invalid_request"),
        ({"scope": ""}, "invalid_request"),
        ({"client_id": PROVIDER}, "invalid_client"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "$1$3$" + "A" * 86}, "invalid_grant"),
        ({"scope": "x" * 1025}, "invalid_request"),
    ],
)
def test_a_form_that_is_not_right_is_refused(
    certificate: x509.Certificate, changes: dict[str, str], error: str
) -> None:
    assert refusal(certificate, grant(certificate), **changes) == error


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"a", b"grant_type=client_credentials&grant_type=client_credentials"]
)
def test_what_is_no_form_is_refused(certificate: x509.Certificate, body: bytes) -> None:
    assert refusal(certificate, grant(certificate), body) == "invalid_request"


def test_another_key_than_that_in_the_grant_is_refused(certificate: x509.Certificate) -> None:
    known = read_content(as_json(content(connection()))).grants[0]
    assert refusal(certificate, known) == "unauthorized_client"


def test_an_outway_by_name_needs_that_name_in_its_certificate(certificate: x509.Certificate) -> None:
    def known(name: str) -> Grant:
        by_name = {"type": "OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME", "domain_name": name}
        outway = {"peer_id": CONSUMER, "identification": by_name}
        return read_content(as_json(content(connection(outway=outway)))).grants[0]

    assert asked(certificate, known("Outway.Example")).outway is not None
    assert refusal(certificate, known("other.example")) == "unauthorized_client"


def test_a_service_of_another_peer_is_refused(certificate: x509.Certificate) -> None:
    assert refusal(certificate, grant(certificate), own=DIRECTORY) == "invalid_grant"


def test_a_service_that_is_not_offered_is_refused(certificate: x509.Certificate) -> None:
    assert refusal(certificate, grant(certificate), offered=False) == "invalid_grant"


def test_a_publication_gives_no_token(certificate: x509.Certificate) -> None:
    known = read_content(as_json(content(publication()))).grants[0]
    assert refusal(certificate, known, client=PeerId(DIRECTORY)) == "invalid_scope"


def test_a_delegator_gets_no_token_for_the_outway_that_it_delegated_to(certificate: x509.Certificate) -> None:
    known = read_content(as_json(content(delegated_connection()))).grants[0]
    assert refusal(certificate, known, client=PeerId(PRINCIPAL)) == "invalid_client"


def test_who_has_no_part_in_a_grant_does_not_learn_that_it_is_there(certificate: x509.Certificate) -> None:
    stranger = PeerId("00000000000000000009")
    there = refusal(certificate, grant(certificate), client=stranger)
    absent = refusal(certificate, grant(certificate), client=stranger, scope="$1$3$" + "A" * 86)
    assert there == absent == "invalid_grant"
