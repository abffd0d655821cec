"""What follows from an answer, how long to wait, and signatures that others can verify."""

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from sluis.crypto import FileKeyStore
from sluis.events.queue import TROUBLES, explained
from sluis.events.sending.rules import LONGEST_WAIT, backoff, quiet_for, result_of
from sluis.events.sending.signing import GOOD_FOR, Signer
from sluis.events.subscriptions.rules import KEYS

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_these_say_that_it_arrived(status: int) -> None:
    assert result_of(status, None, NOW).verdict == "arrived"


@given(st.integers(100, 599))
def test_every_other_answer_has_its_explanation(status: int) -> None:
    result = result_of(status, None, NOW)
    assert (result.verdict == "arrived") == (200 <= status < 300)
    assert result.verdict == "arrived" or result.trouble in TROUBLES


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (410, "gone"),
        (415, "refused"),
        (400, "refused"),
        (301, "again"),
        (401, "again"),
        (429, "again"),
        (500, "again"),
    ],
)
def test_what_helps_is_tried_again_and_nothing_else(status: int, verdict: str) -> None:
    assert result_of(status, None, NOW).verdict == verdict


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120.0), ("Sun, 22 Nov 2026 12:01:00 GMT", 60.0), ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("99999999", LONGEST_WAIT), ("soon", 0.0), ("-1", 0.0), ("²", 0.0),
        (" " * 12 + "5", 5.0), ("Sun, 22 Nov 99999999999999999999 12:01:00 GMT", 0.0),
    ],
)  # fmt: skip
def test_retry_after_is_read_in_both_forms_and_bounded(said: str, seconds: float) -> None:
    assert result_of(500, said, NOW).wait == seconds


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_the_wait_is_drawn_from_a_bound_that_doubles_and_ends(failures: int, spread: float) -> None:
    assert 0 <= backoff(failures, lambda: spread) <= min(2.0 ** min(failures - 1, 40), 3600.0)


@pytest.mark.parametrize(
    ("hour", "minutes"),
    [(20, 0), (21, 9 * 60), (23, 7 * 60), (5, 60), (6, 0)],
)
def test_quiet_hours_go_past_midnight_by_the_clock_in_amsterdam(hour: int, minutes: int) -> None:
    assert quiet_for((22 * 60, 7 * 60), datetime(2026, 11, 22, hour, tzinfo=UTC)) == minutes * 60


def test_what_is_not_known_still_has_words() -> None:
    assert explained("?").nl
    assert explained("expired:too-slow").en.count(".") == 2


def test_every_trouble_is_in_the_reference() -> None:
    reference = Path(__file__).parents[3].joinpath("docs/reference/deliveries.md").read_text(encoding="utf-8")
    assert [code for code in TROUBLES if f"`{code}`" not in reference] == []


def test_every_key_of_the_configuration_is_in_the_reference() -> None:
    reference = Path(__file__).parents[3].joinpath("docs/reference/deliveries.md").read_text(encoding="utf-8")
    assert [key for key in KEYS if f"| `{key}` |" not in reference] == []


URL = "https://afnemer.example/in?x=1"
HEADERS = [("content-type", "application/cloudevents+json"), ("ce-id", "7")]
BODY = b'{"id":"7"}'


def verified(
    url: str, headers: list[tuple[str, str]], body: bytes, sent: dict[str, str], jwk: dict[str, str]
) -> None:
    """Verify as a recipient does, from RFC 9421 and RFC 9530 alone. Raises when it is not right."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert sent["content-digest"] == f"sha-256=:{digest}:"
    label, _, parameters = sent["signature-input"].partition("=")
    covered = re.findall(r'"([^"]+)"', parameters.partition(")")[0])
    values = {
        "@method": "POST",
        "@target-uri": url,
        **dict(headers),
        "content-digest": sent["content-digest"],
    }
    base = "".join(f'"{name}": {values[name]}\n' for name in covered) + f'"@signature-params": {parameters}'
    signature = base64.b64decode(sent["signature"].removeprefix(f"{label}=:").removesuffix(":"))
    raw = base64.urlsafe_b64decode(jwk["x"] + "==")
    Ed25519PublicKey.from_public_bytes(raw).verify(signature, base.encode())


@pytest.fixture
def now() -> list[datetime]:
    return [NOW]


@pytest.fixture
def signer(tmp_path: Path, now: list[datetime]) -> Signer:
    return Signer(FileKeyStore(tmp_path / "keys"), lambda: now[0])


def key_of(signer: Signer, sent: dict[str, str]) -> dict[str, str]:
    kid = re.search(r'keyid="([^"]+)"', sent["signature-input"])
    assert kid is not None
    [found] = [key for key in signer.jwks()["keys"] if key["kid"] == kid[1]]
    assert (found["kty"], found["crv"]) == ("OKP", "Ed25519")
    return found


def test_a_recipient_verifies_a_signature_with_the_published_key(signer: Signer) -> None:
    sent = dict(signer.headers(URL, HEADERS, BODY))
    verified(URL, HEADERS, BODY, sent, key_of(signer, sent))
    assert (
        f"created={int(NOW.timestamp())};expires={int(NOW.timestamp()) + GOOD_FOR}" in sent["signature-input"]
    )


@pytest.mark.parametrize(
    ("url", "headers", "body"),
    [
        ("https://ander.example/in?x=1", HEADERS, BODY),
        (URL, [HEADERS[0], ("ce-id", "8")], BODY),
        (URL, HEADERS, b'{"id":"8"}'),
    ],
)
def test_whatever_is_changed_on_the_way_shows(
    signer: Signer, url: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    sent = dict(signer.headers(URL, HEADERS, BODY))
    with pytest.raises((InvalidSignature, AssertionError)):
        verified(url, headers, body, sent, key_of(signer, sent))


def test_keys_take_turns_and_are_published_before_and_after_their_turn(
    signer: Signer, now: list[datetime]
) -> None:
    first = signer.jwks()["keys"]
    now[0] = NOW + timedelta(days=92)
    second = signer.jwks()["keys"]
    sent = dict(signer.headers(URL, HEADERS, BODY))
    assert [first[1]["kid"], first[0]["kid"]] == [second[0]["kid"], second[2]["kid"]]
    assert second[0]["kid"] in sent["signature-input"]
    assert all("d" not in key for key in second)
