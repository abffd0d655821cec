from datetime import date, datetime
from decimal import Decimal

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from sluis.crypto.sealing import (
    Grant,
    Scope,
    Tokens,
    draw_key,
    key_digest,
    open_grant,
    open_key,
    seal_key,
    sign_grant,
)
from sluis.kernel import Refused

SCOPE = Scope("q1", "maker", "asker", "urn:activity", 2_000_000_000)
KEY = draw_key()
JOINABLE = st.one_of(
    st.text(), st.integers(), st.booleans(), st.dates(), st.datetimes(),
    st.decimals(allow_nan=False, allow_infinity=False),
)  # fmt: skip
OTHER_SCOPES = [
    msgspec.structs.replace(SCOPE, **{name: value})
    for name, value in [("question", "q2"), ("maker", "m"), ("asker", "a"), ("activity", "u"), ("expires", 1)]
]


class Node:
    """An owner with a sealing key."""

    def __init__(self) -> None:
        self._private = X25519PrivateKey.generate()
        self.public = self._private.public_key().public_bytes_raw()

    def exchange(self, other: bytes) -> bytes:
        return self._private.exchange(X25519PublicKey.from_public_bytes(other))


@given(JOINABLE)
def test_a_token_opens_to_an_equal_value_of_the_same_kind(value: str) -> None:
    opened = Tokens(KEY, SCOPE).open(Tokens(KEY, SCOPE).seal(value))
    assert opened == value
    assert isinstance(opened, str) == isinstance(value, str)


def test_equal_numbers_have_one_token() -> None:
    tokens = Tokens(KEY, SCOPE)
    assert len({tokens.seal(7), tokens.seal(Decimal("7.00")), tokens.seal(Decimal("7"))}) == 1


@pytest.mark.parametrize("other", ["7", True, date(2026, 1, 1), datetime(2026, 1, 1), Decimal("7.5")])
def test_values_of_different_kinds_never_share_a_token(other: str) -> None:
    tokens = Tokens(KEY, SCOPE)
    assert tokens.seal(other) != tokens.seal(7)


def test_a_floating_point_number_is_no_key() -> None:
    with pytest.raises(TypeError):
        Tokens(KEY, SCOPE).seal(1.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("scope", OTHER_SCOPES)
def test_a_token_of_another_scope_is_refused(scope: Scope) -> None:
    with pytest.raises(Refused, match="refused"):
        Tokens(KEY, scope).open(Tokens(KEY, SCOPE).seal("123456782"))


@given(st.text(max_size=60))
def test_a_token_that_no_owner_made_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        Tokens(KEY, SCOPE).open(text)


def test_another_key_makes_other_tokens() -> None:
    assert Tokens(draw_key(), SCOPE).seal("a") != Tokens(KEY, SCOPE).seal("a")


def test_only_the_addressee_opens_a_sealed_key() -> None:
    node, other = Node(), Node()
    sealed = seal_key(KEY, SCOPE, node.public)
    assert open_key(sealed, SCOPE, node.public, node.exchange) == KEY
    with pytest.raises(Refused):
        open_key(sealed, SCOPE, other.public, other.exchange)


@pytest.mark.parametrize("scope", OTHER_SCOPES)
def test_a_sealed_key_of_another_scope_is_refused(scope: Scope) -> None:
    node = Node()
    with pytest.raises(Refused):
        open_key(seal_key(KEY, SCOPE, node.public), scope, node.public, node.exchange)


@pytest.mark.parametrize("sealed", ["", "AAAA", "A" * 43, "A" * 200, "!"])
def test_a_broken_sealed_key_is_refused(sealed: str) -> None:
    node = Node()
    with pytest.raises(Refused):
        open_key(sealed, SCOPE, node.public, node.exchange)


MAKER = Ed25519PrivateKey.generate()
GRANT = Grant(SCOPE, "addressee", key_digest("sealed"))


def key_of(card: str) -> tuple[str, bytes]:
    return card, MAKER.public_key().public_bytes_raw()


def test_a_grant_opens_when_its_maker_signed_it() -> None:
    assert open_grant(sign_grant(GRANT, MAKER.sign, "maker"), key_of) == GRANT


def test_a_grant_signed_by_another_is_refused() -> None:
    with pytest.raises(Refused):
        open_grant(sign_grant(GRANT, Ed25519PrivateKey.generate().sign, "maker"), key_of)


def test_a_grant_in_the_name_of_another_maker_is_refused() -> None:
    with pytest.raises(Refused):
        open_grant(sign_grant(GRANT, MAKER.sign, "someone"), key_of)


@given(st.integers(0, 500), st.integers(1, 255))
def test_a_changed_grant_is_refused(at: int, flip: int) -> None:
    jws = bytearray(sign_grant(GRANT, MAKER.sign, "maker").encode())
    jws[at % len(jws)] ^= flip
    with pytest.raises(Refused):
        open_grant(jws.decode("latin-1"), key_of)
