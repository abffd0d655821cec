"""The file key store: made once, private, and gone when destroyed."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from sluis.crypto import FileKeyStore
from sluis.kernel import Invalid, NotFound


def test_a_key_stays_the_same_when_opened_again(tmp_path: Path) -> None:
    first, second = FileKeyStore(tmp_path), FileKeyStore(tmp_path)
    assert first.public == second.public
    assert first.sealing_public == second.sealing_public
    assert first.mac("pseudonym-2026", b"x") == second.mac("pseudonym-2026", b"x")


def test_only_the_owner_may_read_a_key(tmp_path: Path) -> None:
    FileKeyStore(tmp_path / "keys").mac("pseudonym-2026", b"x")
    files = sorted((tmp_path / "keys").iterdir())
    assert [file.name for file in files] == ["pseudonym-2026.secret", "sealing.pem", "signing.pem"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_starting_together_gives_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: FileKeyStore(tmp_path), range(8)))
        macs = list(pool.map(lambda store: store.mac("pseudonym-2026", b"x"), stores))
    assert len({store.public for store in stores}) == 1
    assert len(set(macs)) == 1


def test_a_signature_verifies(tmp_path: Path) -> None:
    keys = FileKeyStore(tmp_path)
    Ed25519PublicKey.from_public_bytes(keys.public).verify(keys.sign(b"message"), b"message")


def test_both_sides_agree_on_a_secret(tmp_path: Path) -> None:
    keys, peer = FileKeyStore(tmp_path), X25519PrivateKey.generate()
    shared = peer.exchange(X25519PublicKey.from_public_bytes(keys.sealing_public))
    assert keys.agree(peer.public_key().public_bytes_raw()) == shared


@pytest.mark.parametrize("public", [b"short", bytes(32)])
def test_a_useless_public_key_is_refused(tmp_path: Path, public: bytes) -> None:
    with pytest.raises(Invalid):
        FileKeyStore(tmp_path).agree(public)


def test_a_destroyed_secret_never_comes_back(tmp_path: Path) -> None:
    keys = FileKeyStore(tmp_path)
    keys.mac("pseudonym-2025", b"x")
    keys.destroy("pseudonym-2025")
    for store in (keys, FileKeyStore(tmp_path)):
        assert store.names() == ()
        with pytest.raises(NotFound):
            store.mac("pseudonym-2025", b"x")


def test_reading_does_not_make_a_secret(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        FileKeyStore(tmp_path).mac("pseudonym-2026", b"x", create=False)
    assert FileKeyStore(tmp_path).names() == ()


@pytest.mark.parametrize("name", ["../signing", "a/b", "", "A", "x.pem"])
def test_a_name_cannot_reach_another_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound):
        FileKeyStore(tmp_path).mac(name, b"x")


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    FileKeyStore(tmp_path)
    (tmp_path / "signing.pem").write_bytes((tmp_path / "sealing.pem").read_bytes())
    with pytest.raises(Invalid):
        FileKeyStore(tmp_path)
