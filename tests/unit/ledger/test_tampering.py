"""Flip, delete, reorder, truncate, fork: each is found, from the inside and from the public tiles alone."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.ledger.examples import ORIGIN, appended, change, export, fill, opened, processing

from sluis.crypto import FileKeyStore
from sluis.ledger import Verification, verifier, verify
from sluis.ledger.notes import log_key, signed_checkpoint
from sluis.ledger.verifier import Rejected, check_log, from_directory
from sluis.store import open_store

SIZE = 600


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node directory with a log of 600 records, a checkpoint kept at 400, and its tiles."""
    directory = tmp_path_factory.mktemp("node")
    with opened(directory) as (_, ledger):
        fill(ledger, 400)
        (directory / "earlier").write_text(ledger.publish())
        fill(ledger, SIZE - 400)
        export(ledger.log, directory / "tiles", ledger.publish(), SIZE)
    return directory


@pytest.fixture
def copy(node: Path, tmp_path: Path) -> Path:
    shutil.copytree(node, tmp_path / "copy")
    return tmp_path / "copy"


def inside(directory: Path, *seen: str) -> Verification:
    store = open_store(directory / "node.db")
    try:
        return verify(store, FileKeyStore(directory / "keys").public, seen)
    finally:
        store.close()


def outside(directory: Path) -> list[str]:
    key = log_key(ORIGIN, FileKeyStore(directory / "keys"))
    return check_log(from_directory(directory / "tiles"), key, [(directory / "earlier").read_text()]).faults


def kinds(found: Verification) -> set[tuple[str, int]]:
    return {(fault.kind, fault.index) for fault in found.faults}


def test_an_honest_log_is_sound(node: Path) -> None:
    found = inside(node, (node / "earlier").read_text())
    assert (found.faults, found.size, found.destroyed, found.checkpoints) == ((), SIZE, 0, 2)
    assert outside(node) == []


@pytest.mark.parametrize("index", [0, 255, 256, 511, 512, 599])
def test_a_flipped_bit_of_a_record_is_found(copy: Path, index: int) -> None:
    with sqlite3.connect(copy / "node.db") as connection:
        (salted,) = connection.execute(f"SELECT salted FROM ledger_records WHERE idx = {index}").fetchone()
        flipped = bytes([*salted[:-5], salted[-5] ^ 1, *salted[-4:]])
        connection.execute(f"UPDATE ledger_records SET salted = ? WHERE idx = {index}", (flipped,))
    connection.close()
    assert kinds(inside(copy)) == {("altered", index)}


def test_a_record_changed_with_its_leaf_is_found(copy: Path) -> None:
    change(copy, "UPDATE ledger_records SET salted = (SELECT salted FROM ledger_records WHERE idx = 8), "
                 "leaf = (SELECT leaf FROM ledger_records WHERE idx = 8) WHERE idx = 7")  # fmt: skip
    assert {"tile", "forked"} <= {kind for kind, _ in kinds(inside(copy))}


@pytest.mark.parametrize("index", [7, 300, 550])
def test_a_deleted_record_is_found(copy: Path, index: int) -> None:
    change(copy, f"DELETE FROM ledger_records WHERE idx = {index}")
    assert ("missing", index) in kinds(inside(copy))


def test_reordered_records_are_found(copy: Path) -> None:
    change(
        copy,
        "UPDATE ledger_records SET idx = -1 WHERE idx = 7",
        "UPDATE ledger_records SET idx = 7 WHERE idx = 8",
        "UPDATE ledger_records SET idx = 8 WHERE idx = -1",
    )
    assert {"tile", "forked"} <= {kind for kind, _ in kinds(inside(copy))}


def test_truncation_is_found_by_the_log_s_own_checkpoint(copy: Path) -> None:
    change(copy, "DELETE FROM ledger_records WHERE idx >= 590")
    assert kinds(inside(copy)) == {("truncated", SIZE)}


def test_truncation_with_its_checkpoint_is_found_by_one_kept_elsewhere(copy: Path) -> None:
    newest = (copy / "tiles" / "checkpoint").read_text()
    change(copy, "DELETE FROM ledger_records WHERE idx >= 590", "UPDATE ledger_epochs SET checkpoint = NULL")
    assert kinds(inside(copy)) == set()
    assert kinds(inside(copy, newest)) == {("truncated", SIZE)}


def test_a_destroyed_record_that_nothing_accounts_for_is_found(copy: Path) -> None:
    change(copy, "UPDATE ledger_records SET salted = NULL WHERE idx = 9")
    assert {("altered", 9), ("unaccounted", 9)} <= kinds(inside(copy))


@pytest.mark.parametrize("far", [100_000, 2**40, 2**62], ids=["some", "many", "more than anybody has"])
def test_one_record_far_away_is_found_in_no_time(copy: Path, far: int) -> None:
    change(copy, f"UPDATE ledger_records SET idx = {far} WHERE idx = 599")
    found = inside(copy)
    assert ("missing", 599) in kinds(found)
    assert found.faults[-1].kind == "unchecked"


@pytest.mark.parametrize("tile", ["0, 2", "0, 1000", "1, 0", "0, -1", "9, 0", "0, 'a text'"])
def test_a_tile_that_cannot_be_is_found_and_is_in_nobody_s_way(copy: Path, tile: str) -> None:
    change(copy, f"INSERT INTO ledger_tiles VALUES ({tile}, zeroblob(8192), zeroblob(32))")
    assert ("tile", 512) in kinds(inside(copy))
    with opened(copy) as (_, ledger):
        fill(ledger, 300)
        ledger.publish()
    assert kinds(inside(copy)) == set()


def test_a_changed_tile_is_found(copy: Path) -> None:
    change(copy, "UPDATE ledger_tiles SET root = zeroblob(32) WHERE level = 0 AND number = 1")
    assert kinds(inside(copy)) == {("tile", 256)}


def test_a_fork_is_found_from_the_inside(tmp_path: Path, node: Path) -> None:
    """A second log, signed with the same key, that began the same: the checkpoint of the first is not of it."""
    shutil.copytree(node / "keys", tmp_path / "keys")
    with opened(tmp_path) as (_, ledger):
        fill(ledger, SIZE)
        ledger.publish()
    newest = (node / "tiles" / "checkpoint").read_text()
    assert kinds(inside(tmp_path, newest)) == {("forked", SIZE)}


def test_a_checkpoint_of_somebody_else_is_said_to_be_so(copy: Path, tmp_path: Path) -> None:
    note = signed_checkpoint(ORIGIN, 10, bytes(32), FileKeyStore(tmp_path / "other"))
    assert kinds(inside(copy, note)) == {("checkpoint", 0)}


def files(directory: Path) -> Iterator[Path]:
    return (path for path in sorted((directory / "tiles").rglob("*")) if path.is_file())


def test_every_flipped_byte_of_a_tile_is_found_from_outside(copy: Path) -> None:
    for path in files(copy):
        whole = path.read_bytes()
        for at in {0, len(whole) // 2, len(whole) - 1}:
            path.write_bytes(bytes([*whole[:at], whole[at] ^ 1, *whole[at + 1 :]]))
            try:
                assert outside(copy), path
            except Rejected:
                assert path.name == "checkpoint"
        path.write_bytes(whole)
    assert outside(copy) == []


def test_every_missing_file_is_found_from_outside(copy: Path) -> None:
    for path in files(copy):
        whole = path.read_bytes()
        path.unlink()
        try:
            assert outside(copy), path
        except Rejected:
            assert path.name == "checkpoint"
        path.write_bytes(whole)


def test_truncation_is_found_from_outside(copy: Path) -> None:
    with opened(copy) as (_, ledger):
        note = signed_checkpoint(ORIGIN, 300, ledger.log.root(300), FileKeyStore(copy / "keys"))
        shutil.rmtree(copy / "tiles")
        export(ledger.log, copy / "tiles", note, 300)
    assert any("truncated" in fault for fault in outside(copy))


def test_a_fork_is_found_from_outside(copy: Path, tmp_path: Path) -> None:
    shutil.copytree(copy / "keys", tmp_path / "fork" / "keys")
    with opened(tmp_path / "fork") as (_, ledger):
        fill(ledger, SIZE)
        shutil.rmtree(copy / "tiles")
        export(ledger.log, copy / "tiles", ledger.publish(), SIZE)
    assert any("forked" in fault for fault in outside(copy))


def test_reordered_entries_are_found_from_outside(copy: Path) -> None:
    path = copy / "tiles" / "tile" / "entries" / "000"
    whole = path.read_bytes()
    path.write_bytes(whole[34:68] + whole[:34] + whole[68:])
    assert len(outside(copy)) == 2


def test_the_tiles_hold_nothing_of_a_record(tmp_path: Path) -> None:
    with opened(tmp_path) as (_, ledger):
        appended(ledger, [processing("pseudonym-to-look-for")])
        export(ledger.log, tmp_path / "tiles", ledger.publish(), 1)
    for path in files(tmp_path):
        assert b"pseudonym" not in path.read_bytes()
        assert b"processing" not in path.read_bytes()


def test_the_verifier_runs_alone(node: Path, tmp_path: Path) -> None:
    alone = shutil.copy(verifier.__file__, tmp_path / "verifier.py")
    without_sluis = "import runpy, sys; sys.modules['sluis'] = None; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"
    key = str(log_key(ORIGIN, FileKeyStore(node / "keys")))
    command = [sys.executable, "-c", without_sluis, str(alone), str(node / "tiles"), "--key", key]
    command += ["--earlier", str(node / "earlier")]

    def run(*more: str) -> tuple[int, str]:
        result = subprocess.run([*command, *more], capture_output=True, text=True, check=False, cwd=tmp_path)
        return result.returncode, result.stdout + result.stderr

    assert run() == (0, f"Sound: {ORIGIN}, {SIZE} leaves.\n")
    assert run("--quorum", "1") == (1, "The checkpoint has 0 cosignatures of witnesses; 1 are needed.\n")
