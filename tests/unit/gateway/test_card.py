"""Node cards: believed only when the organisation in the certificate made them."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.gateway.contracts.making import NOW
from tests.unit.gateway.contracts.signing import Root, rsa_key
from tests.unit.gateway.contracts.signing import jws as jws_by_hand

from sluis.crypto import Authority, Identity, make_authority, peer_of
from sluis.gateway import read_card, sign_card
from sluis.kernel import PeerId, Problem, Refused

SVB = PeerId("00000004000000044000")
URL = "https://svb.example:8443"


def now() -> datetime:
    """Asked when it is needed: certificates are made during the test, later than this module is read."""
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"), "Groep")


def identity(authority: Authority, directory: Path, oin: PeerId = SVB, name: str = "SVB") -> Identity:
    return Identity.load(*authority.issue(directory, oin, name, ["svb.example"]))


@pytest.fixture(scope="module")
def jws(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> str:
    return sign_card(identity(authority, tmp_path_factory.mktemp("svb")), "svb", URL, b"v" * 32, b"s" * 32)


def rewritten(jws: str, part: int, **changes: Any) -> str:
    parts = jws.split(".")
    plain = json.loads(urlsafe_b64decode(parts[part] + "=="))
    parts[part] = urlsafe_b64encode(json.dumps(plain | changes).encode()).rstrip(b"=").decode()
    return ".".join(parts)


def test_card_says_what_the_node_signed(authority: Authority, jws: str) -> None:
    card = read_card(jws, [authority.certificate], now())
    assert (card.peer, card.name, card.alias, card.url) == (SVB, "SVB", "svb", URL)
    assert (card.verification_key, card.sealing_key) == (b"v" * 32, b"s" * 32)


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "https://evil.example"},
        {"peer": "00000001826002785000"},
        {"sealingKey": urlsafe_b64encode(b"x" * 32).rstrip(b"=").decode()},
        {"notAfter": "2999-01-01T00:00:00Z"},
    ],
)
def test_card_with_another_word_on_it_is_refused(
    authority: Authority, jws: str, changes: dict[str, str]
) -> None:
    with pytest.raises(Refused) as refusal:
        read_card(rewritten(jws, 1, **changes), [authority.certificate], now())
    assert refusal.value.code == "card-not-genuine"


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES384", "RS256", ""])
def test_algorithm_in_the_header_does_not_decide(authority: Authority, jws: str, algorithm: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_card(rewritten(jws, 0, alg=algorithm), [authority.certificate], now())
    assert refusal.value.code == "card-not-genuine"


def test_card_from_another_authority_is_refused(jws: str, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refusal:
        read_card(jws, [make_authority(tmp_path, "Groep").certificate], now())
    assert refusal.value.code == "certificate-not-trusted"


def test_card_signed_with_another_members_certificate_is_refused(
    authority: Authority, jws: str, tmp_path: Path
) -> None:
    thief = sign_card(
        identity(authority, tmp_path, PeerId("00000009999999999000"), "Dief"),
        "svb",
        URL,
        b"t" * 32,
        b"t" * 32,
    )
    head, _, signature = thief.split(".")
    with pytest.raises(Refused):
        read_card(f"{head}.{jws.split('.')[1]}.{signature}", [authority.certificate], now())


def test_card_ends_with_its_certificate(authority: Authority, jws: str) -> None:
    with pytest.raises(Refused):
        read_card(jws, [authority.certificate], now() + timedelta(days=366))


@given(
    st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}")
)
def test_no_text_makes_reading_a_card_fail_otherwise(authority: Authority, text: str) -> None:
    with pytest.raises(Problem):
        read_card(text, [authority.certificate], now())


@given(st.data())
def test_no_change_of_one_character_is_believed(authority: Authority, jws: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(jws) - 1))
    other = data.draw(st.sampled_from("AQgw._-").filter(lambda one: one != jws[place]))
    with pytest.raises(Problem):
        read_card(jws[:place] + other + jws[place + 1 :], [authority.certificate], now())


def test_card_of_an_rsa_key_is_signed_with_pss_and_with_nothing_else() -> None:
    root, key = Root(), rsa_key()
    certificate = root.issue(SVB, key)
    card = sign_card(Identity((certificate,), key, peer_of(certificate)), "svb", URL, b"v" * 32, b"s" * 32)
    header, claims = (json.loads(urlsafe_b64decode(part + "==")) for part in card.split(".")[:2])
    moment = datetime.fromtimestamp(NOW, UTC)
    assert header["alg"] == "PS256"
    assert read_card(card, [root.certificate], moment).peer == SVB
    with pytest.raises(Refused) as refusal:
        read_card(jws_by_hand(key, header | {"alg": "RS256"}, claims), [root.certificate], moment)
    assert refusal.value.code == "card-not-genuine"
