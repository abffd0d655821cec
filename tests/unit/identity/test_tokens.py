"""Keys of the provider that take turns, pseudonyms, and assertions about a person for one organisation."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.clocks import Clock
from tests.unit.identity.provider.world import ISSUER, private

from sluis.crypto import FileKeyStore, Keys, decrypt_jwt, encrypt_jwt, jwk_of, read_jwks, read_jwt, sign_jwt
from sluis.identity.tokens import Tokens
from sluis.identity.tokens.keys import Ring
from sluis.identity.tokens.model import ASSERTION
from sluis.identity.tokens.rules import AFTER, AHEAD, USED_FOR, identifier_of, standing
from sluis.kernel import Acting, Invalid
from sluis.store import open_once, open_store

PEER = "urn:nld:oin:00000001823288444000"
ACTING = Acting("person-pseudonym")
ACR = "http://eidas.europa.eu/LoA/substantial"


def tokens_in(directory: Path, clock: Clock, names: str = "ab") -> Tokens:
    """Tokens of a node whose rings make these keys, one after another."""
    rings = []
    for name, use in (("tokens", "sig"), ("opening", "enc")):
        made = iter(names)
        rings.append(Ring(directory, name, use, clock, lambda made=made: private(next(made))))  # type: ignore[arg-type, misc]
    return Tokens(ISSUER, FileKeyStore(directory), *rings, clock)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(tmp_path: Path, clock: Clock) -> Tokens:
    return tokens_in(tmp_path / "keys", clock)


def kids(tokens: Tokens) -> list[str]:
    return [key["kid"] for key in tokens.jwks()["keys"] if key["use"] == "sig"]


# Turns


def test_the_first_key_is_used_at_once() -> None:
    found = standing([1000], 1000)
    assert (found.current, found.kept, found.ended, found.due) == (1000, (1000,), (), False)


def test_a_new_key_is_published_before_it_is_used_and_the_old_one_stays_after_it() -> None:
    first, second = 0, USED_FOR - AHEAD
    assert not standing([first], second - 1).due
    assert standing([first], second).due
    before = standing([first, second], second)
    assert (before.current, before.kept, before.due) == (first, (first, second), False)
    assert standing([first, second], USED_FOR - 1).current == first
    after = standing([first, second], USED_FOR)
    assert (after.current, after.kept, after.ended) == (second, (first, second), ())
    assert standing([first, second], USED_FOR + AFTER - 1).ended == ()
    assert standing([first, second], USED_FOR + AFTER).ended == (first,)


@given(
    st.lists(st.integers(0, 3 * USED_FOR), min_size=1, max_size=5, unique=True), st.integers(0, 5 * USED_FOR)
)
def test_there_is_always_a_key_that_others_know(made: list[int], now: int) -> None:
    made.sort()
    found = standing(made, now)
    assert found.current in found.kept
    assert set(found.kept) | set(found.ended) == set(made)
    if found.current != made[0]:
        assert found.current + AHEAD <= now


def test_keys_take_turns_and_the_old_one_is_destroyed(tmp_path: Path, tokens: Tokens, clock: Clock) -> None:
    token, _ = tokens.access({"sub": "x"}, client="c", audience=ISSUER, scope=("openid",))
    (first,) = kids(tokens)
    clock.later(seconds=USED_FOR - AHEAD)
    tokens.turn()
    assert kids(tokens)[0] == first
    assert len(kids(tokens)) == 2
    clock.later(seconds=AHEAD)
    second = kids(tokens)[0]
    assert second != first
    assert first in kids(tokens)
    assert read_jwt(token, read_jwks(tokens.jwks()), typ="at+jwt")["sub"] == "x", (
        "what the old one signed is still read"
    )
    clock.later(seconds=AFTER)
    tokens.turn()
    assert kids(tokens) == [second]
    assert len(list((tmp_path / "keys").glob("tokens-*.pem"))) == 1


def test_keys_are_their_owners_alone_and_outlive_the_process(
    tmp_path: Path, tokens: Tokens, clock: Clock
) -> None:
    assert len(tokens.jwks()["keys"]) == 2
    files = sorted((tmp_path / "keys").glob("*-[0-9]*.pem"))
    assert [path.name.split("-")[0] for path in files] == ["opening", "tokens"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert kids(tokens_in(tmp_path / "keys", clock, "")) == kids(tokens)


def test_a_broken_key_file_is_told_of(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "tokens-1.pem").write_text("x")
    with pytest.raises(Invalid) as caught:
        Ring(tmp_path, "tokens", "sig", clock)
    assert caught.value.code == "token-key-unreadable"


# Pseudonyms


def test_a_pseudonym_is_of_sector_person_company_and_intermediary_together(tokens: Tokens) -> None:
    made = {
        tokens.pairwise(*one)
        for one in (
            ("a", Acting("p")),
            ("b", Acting("p")),
            ("a", Acting("q")),
            ("a", Acting("p", "urn:nl:kvk:90000003")),
            ("a", Acting("p", "urn:nl:kvk:90000003", "urn:nl:kvk:90000011")),
            ("a", Acting("p", "urn:nl:kvk:90000003urn:nl:kvk:90000011")),
            ("ap", Acting("")),
        )
    }
    assert len(made) == 7
    assert {len(one) for one in made} == {43}
    assert tokens.pairwise("a", Acting("p")) == tokens.pairwise("a", Acting("p"))


@pytest.mark.parametrize(
    ("urn", "found"),
    [
        ("urn:nl:kvk:90000003", ("90000003", "KvKnr")),
        ("urn:nl:rsin:001234567", ("001234567", "RSIN")),
        ("urn:nld:oin:00000001823288444000", ("00000001823288444000", "OIN")),
        ("urn:sluis:person:abc", ("urn:sluis:person:abc", "Pseudonym")),
        ("urn:nl:kvkx:1", ("urn:nl:kvkx:1", "Pseudonym")),
    ],
)
def test_what_is_no_public_number_is_a_pseudonym(urn: str, found: tuple[str, str]) -> None:
    assert identifier_of(urn) == found


# Assertions for one organisation


class Peer:
    """Another organisation, with keys of its own."""

    def __init__(self, directory: Path, clock: Clock, names: str = "cd") -> None:
        self.tokens = tokens_in(directory, clock, names)

    @property
    def reader(self) -> Any:
        return next(key for key in read_jwks(self.tokens.jwks()) if key.use == "enc")


@pytest.fixture
def peer(tmp_path: Path, clock: Clock) -> Peer:
    return Peer(tmp_path / "peer", clock)


def asserted(tokens: Tokens, peer: Peer, **changed: Any) -> str:
    how: dict[str, Any] = {
        "acr": ACR,
        "at": 7,
        "identifier": ("BSN", "999990019"),
        "reader": peer.reader,
        **changed,
    }
    return tokens.assertion(ACTING, how.pop("audience", PEER), **how)


def believed(tokens: Tokens, peer: Peer, text: str, **changed: Any) -> Any:
    how: dict[str, Any] = {"keys": read_jwks(tokens.jwks()), "issuer": ISSUER, "audience": PEER, **changed}
    return peer.tokens.read_assertion(text, how.pop("keys"), **how)


def test_a_peer_believes_what_the_provider_says_of_a_person(tokens: Tokens, peer: Peer, clock: Clock) -> None:
    text = asserted(tokens, peer)
    found = believed(tokens, peer, text)
    assert (found.kind, found.value, found.acr, found.at) == ("BSN", "999990019", ACR, 7)
    assert found.subject == tokens.pairwise(PEER, ACTING)
    assert found.ends == int(clock().timestamp()) + 120
    assert "999990019" not in repr(found)
    plain = read_jwt(text, read_jwks(tokens.jwks()), typ=ASSERTION)
    assert "999990019" not in json.dumps(plain)
    assert plain["sub_id_type"].endswith(":Pseudonym")


def test_an_assertion_may_tell_a_pseudonym_alone(tokens: Tokens, peer: Peer) -> None:
    found = believed(tokens, peer, asserted(tokens, peer, identifier=None))
    assert (found.kind, found.value) == (None, None)


def test_an_identifier_is_never_told_openly(tokens: Tokens, peer: Peer) -> None:
    with pytest.raises(Invalid):
        asserted(tokens, peer, reader=None)


def test_an_assertion_is_for_one_organisation_from_one_issuer_and_of_now(
    tokens: Tokens, peer: Peer, clock: Clock, tmp_path: Path
) -> None:
    text = asserted(tokens, peer)
    for wrong in ({"audience": "urn:nld:oin:x"}, {"issuer": "https://evil.example"}, {"keys": Keys()}):
        with pytest.raises(Invalid):
            believed(tokens, peer, text, **wrong)
    stranger = Peer(tmp_path / "stranger", clock, "ef")
    with pytest.raises(Invalid):
        believed(tokens, stranger, text)
    clock.later(seconds=181)
    with pytest.raises(Invalid):
        believed(tokens, peer, text)


def test_an_identifier_cannot_be_cut_out_and_put_into_another_assertion(tokens: Tokens, peer: Peer) -> None:
    """Even the provider's own key signs no other assertion around it that is believed."""
    keys = read_jwks(tokens.jwks())
    first, second = (read_jwt(asserted(tokens, peer), keys, typ=ASSERTION) for _ in range(2))
    second["alt_sub"] = first["alt_sub"]
    own = jwk_of(private("a"), algorithm="RS256")
    with pytest.raises(Invalid):
        believed(tokens, peer, sign_jwt(own, second, typ=ASSERTION))
    second["alt_sub"][0]["sub"] = encrypt_jwt(b"[]", peer.reader)
    with pytest.raises(Invalid):
        believed(tokens, peer, sign_jwt(own, second, typ=ASSERTION))


def test_an_access_token_is_no_assertion(tokens: Tokens, peer: Peer) -> None:
    access, _ = tokens.access({"sub": "x"}, client="c", audience=PEER, scope=("openid",), more={"acr": ACR})
    with pytest.raises(Invalid):
        believed(tokens, peer, access)
    with pytest.raises(Invalid):
        tokens.read_access(asserted(tokens, peer))


def test_what_is_encrypted_for_a_key_that_took_its_turn_is_still_read(peer: Peer, clock: Clock) -> None:
    text = encrypt_jwt(b"x", peer.reader)
    clock.later(seconds=USED_FOR - AHEAD)
    peer.tokens.turn()
    clock.later(seconds=AHEAD)
    assert decrypt_jwt(text, peer.tokens._opening.kept) == b"x"


async def test_what_is_used_stays_used_after_a_restart(tmp_path: Path) -> None:
    store = open_store(tmp_path / "node.db")
    once = open_once(store)
    assert [await once.spend("a", "x", 10), await once.spend("a", "x", 10)] == [True, False]
    assert [
        await once.spend("b", "x", 20),
        await once.spend("a", "y", 10),
        await once.spend("", "ax", 10),
    ] == [True] * 3
    store.close()
    store = open_store(tmp_path / "node.db")
    once = open_once(store)
    assert not await once.spend("a", "x", 10)
    await once.sweep(11)
    assert [await once.spend("a", "x", 10), await once.spend("b", "x", 20)] == [True, False]
    store.close()
