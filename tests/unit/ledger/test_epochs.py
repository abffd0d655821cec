"""A log that was put back from a backup goes on under a new origin, and says so; an honest one never does."""

import json
import shutil
from pathlib import Path

import pytest
from tests.unit.ledger.examples import ORIGIN, clock, fill, opened, processing

from sluis.crypto import FileKeyStore
from sluis.kernel import Conflict
from sluis.ledger import base_origin, open_ledger
from sluis.ledger.notes import signed_checkpoint
from sluis.ledger.service import epoch_number
from sluis.ledger.verifier import Checkpoint
from sluis.store import open_store

SECOND = f"{ORIGIN}/epoch-2"


def backed_up(node: Path, before: int, after: int, memory: Path | None) -> str:
    """Grow a log, put back a copy made at `before` records; gives its last checkpoint."""
    with opened(node, memory=memory) as (_, ledger):
        fill(ledger, before)
        ledger.publish()
    shutil.copytree(node, node.parent / "backup")
    with opened(node, memory=memory) as (_, ledger):
        fill(ledger, after)
        note = ledger.publish()
    shutil.rmtree(node)
    shutil.copytree(node.parent / "backup", node)
    return note


def test_an_honest_restart_stays_in_its_epoch(tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    for size in (0, 5, 10):
        with opened(
            tmp_path / "node", memory=memory, seen=[memory.read_text()] if memory.exists() else []
        ) as (_, ledger):
            assert (ledger.origin, ledger.log.size()) == (ORIGIN, size)
            fill(ledger, 5)
            ledger.publish()


@pytest.mark.parametrize("by", ["memory", "witness"])
async def test_a_restored_backup_begins_an_epoch_that_names_what_was_seen(tmp_path: Path, by: str) -> None:
    memory = tmp_path / "memory" if by == "memory" else None
    note = backed_up(tmp_path / "node", 5, 3, memory)
    with opened(tmp_path / "node", memory=memory, seen=[] if memory else [note]) as (_, ledger):
        position = await ledger.append([processing("a")])
        assert (position.origin, position.index, position.witnesses) == (SECOND, 6, 0)
        record = json.loads(ledger.log.stored(5).json or b"")
        assert (record["kind"], record["origin"], record["seen"], record["found"]) == (
            "epoch",
            SECOND,
            note,
            5,
        )
        assert Checkpoint.parse(await ledger.checkpoint()).origin == SECOND
        assert (await ledger.verify()).faults == ()
    with opened(tmp_path / "node", memory=memory, seen=[note]) as (_, ledger):
        assert (ledger.origin, ledger.log.size()) == (SECOND, 7)


async def test_a_backup_that_already_went_on_is_seen_to_differ(tmp_path: Path) -> None:
    note = backed_up(tmp_path / "node", 5, 3, None)
    with opened(tmp_path / "node") as (_, ledger):
        fill(ledger, 10)
    with opened(tmp_path / "node", seen=[note]) as (_, ledger):
        assert ledger.origin == SECOND
        found = await ledger.verify([note])
        assert {fault.kind for fault in found.faults} == {"forked"}


def test_a_backup_of_before_an_epoch_begins_the_one_after_it(tmp_path: Path) -> None:
    first = backed_up(tmp_path / "node", 5, 3, None)
    with opened(tmp_path / "node", seen=[first]) as (_, ledger):
        second = ledger.publish()
    shutil.rmtree(tmp_path / "node")
    shutil.copytree(tmp_path / "backup", tmp_path / "node")
    with opened(tmp_path / "node", seen=[first, second]) as (_, ledger):
        assert ledger.origin == f"{ORIGIN}/epoch-3"


def test_a_checkpoint_that_this_node_did_not_sign_says_nothing(tmp_path: Path) -> None:
    note = signed_checkpoint(ORIGIN, 100, bytes(32), FileKeyStore(tmp_path / "stranger"))
    other = signed_checkpoint("other.example/log", 100, bytes(32), FileKeyStore(tmp_path / "node" / "keys"))
    with opened(tmp_path / "node", seen=[note, other]) as (_, ledger):
        assert ledger.origin == ORIGIN


def test_another_log_s_database_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    store = open_store(tmp_path / "node.db")
    try:
        with pytest.raises(Conflict):
            open_ledger(store, FileKeyStore(tmp_path / "keys"), "other.example/log", clock)
    finally:
        store.close()


def test_an_origin_names_its_epoch() -> None:
    assert [(base_origin(one), epoch_number(one)) for one in (ORIGIN, SECOND)] == [(ORIGIN, 1), (ORIGIN, 2)]
