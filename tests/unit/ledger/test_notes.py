"""Signed notes, checkpoints and receipts (C2SP): what verifies, and that nothing else does."""

from base64 import b64encode
from pathlib import Path

import pytest

from sluis.crypto import FileKeyStore
from sluis.ledger.notes import cosignature, log_key, signed_checkpoint, witness_key
from sluis.ledger.verifier import Checkpoint, Key, Receipt, Rejected, open_checkpoint, open_note

# The example of signed-note itself.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
ROOT = bytes(range(32))


@pytest.fixture
def keys(tmp_path: Path) -> FileKeyStore:
    return FileKeyStore(tmp_path / "keys")


@pytest.fixture
def others(tmp_path: Path) -> FileKeyStore:
    return FileKeyStore(tmp_path / "others")


def test_the_example_of_signed_note_verifies() -> None:
    key = Key.parse(VKEY)
    assert open_note(NOTE, [key]).text == "This is an example message.\n"
    assert str(key) == VKEY


@pytest.mark.parametrize(
    "note",
    [
        NOTE.replace("example message", "example massage"),
        NOTE.replace("Uw2QOkn8", "Uw2QOkn9"),
        NOTE.rstrip("\n"),
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("— ", "- "),
        NOTE.replace(" example.com/foo ", " example.com/bar "),
        NOTE.replace("message.", "message.\t"),
        NOTE.replace("aQM=", "aQN="),
        "",
    ],
)
def test_a_changed_note_is_rejected(note: str) -> None:
    with pytest.raises(Rejected):
        open_note(note, [Key.parse(VKEY)])


@pytest.mark.parametrize(
    "vkey",
    [VKEY.replace("530d903a", "530d903b"), VKEY.replace("+A", "+B"), "x+y", "", VKEY.replace("foo", "fob")],
)
def test_a_key_that_does_not_fit_its_id_is_rejected(vkey: str) -> None:
    with pytest.raises(Rejected):
        Key.parse(vkey)


def test_signatures_of_strangers_are_passed_over(keys: FileKeyStore, others: FileKeyStore) -> None:
    note = signed_checkpoint("log.example", 7, ROOT, keys) + cosignature("anything", "w.example", 1, others)
    assert open_checkpoint(note, log_key("log.example", keys)) == Checkpoint("log.example", 7, ROOT)


def test_a_false_signature_of_a_known_key_rejects_the_note(keys: FileKeyStore, others: FileKeyStore) -> None:
    note = signed_checkpoint("log.example", 7, ROOT, keys) + cosignature("anything", "w.example", 1, others)
    with pytest.raises(Rejected):
        open_checkpoint(note, log_key("log.example", keys), [witness_key("w.example", others)])


def test_a_checkpoint_of_another_origin_is_rejected(keys: FileKeyStore) -> None:
    note = signed_checkpoint("log.example", 7, ROOT, keys)
    with pytest.raises(Rejected):
        open_checkpoint(note, log_key("other.example", keys))


def test_a_cosignature_counts_once_and_tells_when(keys: FileKeyStore, others: FileKeyStore) -> None:
    note = signed_checkpoint("log.example", 7, ROOT, keys)
    text = note.rpartition("\n\n")[0] + "\n"
    line = cosignature(text, "w.example", 1_679_315_147, others)
    log, witness = log_key("log.example", keys), witness_key("w.example", others)
    assert open_note(note + line, [witness]).times == {witness: 1_679_315_147}
    open_checkpoint(note + line + line, log, [witness], 1)
    with pytest.raises(Rejected):
        open_checkpoint(note + line + line, log, [witness, witness], 2)


@pytest.mark.parametrize(
    "text",
    [
        "log.example\n07\n{root}\n",
        "log.example\n-7\n{root}\n",
        "\n7\n{root}\n",
        "log.example\n7\nAAAA\n",
        "log.example\n7\n",
    ],
)
def test_a_malformed_checkpoint_is_rejected(text: str) -> None:
    with pytest.raises(Rejected):
        Checkpoint.parse(text.format(root=b64encode(ROOT).decode()))


@pytest.mark.parametrize(
    "text",
    [
        "c2sp.org/tlog-proof@v2\nindex 1\n\nx",
        "c2sp.org/tlog-proof@v1\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 01\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 1\nAA\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 1",
    ],
)
def test_a_malformed_receipt_is_rejected(text: str) -> None:
    with pytest.raises(Rejected):
        Receipt.parse(text)


def test_a_receipt_is_read_with_and_without_extra() -> None:
    hash_ = b64encode(ROOT).decode()
    assert Receipt.parse(f"c2sp.org/tlog-proof@v1\nextra YWI=\nindex 3\n{hash_}\n\nnote") == Receipt(
        3, [ROOT], "note", b"ab"
    )
    assert Receipt.parse("c2sp.org/tlog-proof@v1\nindex 0\n\nnote") == Receipt(0, [], "note", b"")
