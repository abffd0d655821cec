"""What is sealed at rest: opened only whole, in its own place, with its own key."""

from pathlib import Path

import pytest

from sluis.crypto import FileKeyStore, Vault
from sluis.kernel import Invalid


@pytest.fixture
def keys(tmp_path: Path) -> FileKeyStore:
    return FileKeyStore(tmp_path)


def test_what_was_sealed_opens_also_after_a_restart(keys: FileKeyStore, tmp_path: Path) -> None:
    sealed = Vault(keys, "things").seal(b"content", "row 1")
    assert b"content" not in sealed
    assert Vault(FileKeyStore(tmp_path), "things").open(sealed, "row 1") == b"content"


def test_the_same_content_is_sealed_differently_each_time(keys: FileKeyStore) -> None:
    vault = Vault(keys, "things")
    assert vault.seal(b"content", "row 1") != vault.seal(b"content", "row 1")


def test_what_was_moved_does_not_open(keys: FileKeyStore) -> None:
    vault = Vault(keys, "things")
    with pytest.raises(Invalid):
        vault.open(vault.seal(b"content", "row 1"), "row 2")


def test_another_name_is_another_key(keys: FileKeyStore) -> None:
    with pytest.raises(Invalid):
        Vault(keys, "others").open(Vault(keys, "things").seal(b"content", "row 1"), "row 1")


@pytest.mark.parametrize("place", [0, 12, -1])
def test_what_was_changed_does_not_open(keys: FileKeyStore, place: int) -> None:
    vault = Vault(keys, "things")
    sealed = bytearray(vault.seal(b"content", "row 1"))
    sealed[place] ^= 1
    with pytest.raises(Invalid):
        vault.open(bytes(sealed), "row 1")


@pytest.mark.parametrize("size", [0, 5, 12, 20])
def test_what_was_cut_off_does_not_open(keys: FileKeyStore, size: int) -> None:
    vault = Vault(keys, "things")
    with pytest.raises(Invalid):
        vault.open(vault.seal(b"content", "row 1")[:size], "row 1")
