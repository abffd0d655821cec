"""`sluis ledger`: verify, prove and show the log of a node, also while it runs."""

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.unit.ledger.examples import appended, clock, export, fill, processing

from sluis.cli import main, terminal
from sluis.config import load_config
from sluis.crypto import FileKeyStore
from sluis.ledger import Ledger, open_ledger
from sluis.ledger.notes import log_key
from sluis.ledger.verifier import check_receipt
from sluis.store import Store, open_store

NODE_TOML = """\
[node]
oin = "00000099000000001000"
name = "Voorbeeld (fictief)"
alias = "voorbeeld"
url = "https://127.0.0.1:8443"
environment = "test"
"""


@pytest.fixture(autouse=True)
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    monkeypatch.delenv("SLUIS_NODE", raising=False)
    terminal.choose_language(None)


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A node directory with thirty records and a checkpoint over twenty."""
    (tmp_path / "node.toml").write_text(NODE_TOML)
    store, ledger = running(tmp_path)
    fill(ledger, 20)
    ledger.publish()
    fill(ledger, 10)
    store.close()
    return tmp_path


def running(directory: Path) -> tuple[Store, Ledger]:
    config = load_config(directory / "node.toml", secrets=True)
    store = open_store(str(config.store.url))
    return store, open_ledger(store, FileKeyStore(config.keys.directory), config.log_origin, clock)


def run(*arguments: str, node: Path) -> Result:
    return CliRunner().invoke(main, ["ledger", *arguments, "--node", str(node)])


def test_a_sound_log_is_said_to_be_so(node: Path) -> None:
    result = run("verify", node=node)
    assert (result.exit_code, result.stdout) == (
        0,
        "127.0.0.1/00000099000000001000: 30 records, all sound. Lawfully destroyed: 0. Signed checkpoints that agree: 1.\n",
    )


def test_a_changed_record_is_named_and_gives_its_own_exit_code(node: Path) -> None:
    with sqlite3.connect(node / "var" / "node.db") as connection:
        connection.execute("UPDATE ledger_records SET salted = zeroblob(99) WHERE idx = 4")
    connection.close()
    result = run("verify", node=node)
    assert (result.exit_code, result.stdout) == (5, "Record 4 was changed.\n")
    document = json.loads(run("verify", "--json", node=node).stdout)
    assert document["faults"] == [{"kind": "altered", "index": 4, "text": "Record 4 was changed."}]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_records SET salted = CAST(x'ff' AS TEXT) WHERE idx = 4",
        "UPDATE ledger_records SET salted = 99999999999999 WHERE idx = 4",
        f"UPDATE ledger_records SET idx = {2**62} WHERE idx = 29",
    ],
    ids=["no text", "no bytes", "far away"],
)
def test_whatever_somebody_put_there_is_told(node: Path, change: str) -> None:
    with sqlite3.connect(node / "var" / "node.db") as connection:
        connection.execute(change)
    connection.close()
    result = run("verify", node=node)
    assert result.exit_code == 5
    assert {"Record 4 was changed.", "Record 29 is gone."} & set(result.stdout.splitlines())


def test_a_checkpoint_kept_elsewhere_shows_what_is_gone(node: Path, tmp_path: Path) -> None:
    store, ledger = running(node)
    (tmp_path / "kept").write_text(ledger.publish())
    store.close()
    with sqlite3.connect(node / "var" / "node.db") as connection:
        connection.execute("DELETE FROM ledger_records WHERE idx >= 25")
        connection.execute("UPDATE ledger_epochs SET checkpoint = NULL")
    connection.close()
    assert run("verify", node=node).exit_code == 0
    result = run("verify", "--earlier", str(tmp_path / "kept"), node=node)
    assert (result.exit_code, result.stdout) == (5, "The log had 30 records before; now it has fewer.\n")


@pytest.mark.parametrize("index", [3, 27])
def test_a_receipt_proves_a_record_also_one_not_published_yet(node: Path, tmp_path: Path, index: int) -> None:
    out = tmp_path / "record.tlog-proof"
    assert run("prove", str(index), "--out", str(out), node=node).exit_code == 0
    store, ledger = running(node)
    found, _ = check_receipt(out.read_text(), ledger.log.stored(index).entry, ledger.key)
    store.close()
    assert found == index


def test_everything_works_beside_a_running_node(node: Path) -> None:
    store, ledger = running(node)
    ledger.publish()
    try:
        assert run("verify", node=node).exit_code == 0
        assert run("prove", "29", node=node).stdout.startswith("c2sp.org/tlog-proof@v1\n")
        assert json.loads(run("show", "29", node=node).stdout)["index"] == 29
    finally:
        store.close()


def test_a_record_a_trace_and_the_whole_are_shown(node: Path) -> None:
    store, ledger = running(node)
    line = processing("a")
    appended(ledger, [line])
    store.close()
    assert json.loads(run("show", "30", node=node).stdout)["record"]["span_id"] == line.span_id
    (found,) = json.loads(run("show", "--trace", line.trace_id, node=node).stdout)
    assert found["span_id"] == line.span_id
    whole = json.loads(run("show", "--json", node=node).stdout)
    assert (whole["size"], whole["published"], whole["epochs"]) == (31, 20, 1)


def test_another_s_log_is_verified_from_its_tiles(node: Path, tmp_path: Path) -> None:
    store, ledger = running(node)
    export(ledger.log, tmp_path / "tiles", ledger.publish(), 30)
    key = str(log_key(ledger.origin, FileKeyStore(node / "keys")))
    store.close()
    place = ["verify", "--log", str(tmp_path / "tiles"), "--key", key]
    assert "30 records, all sound" in run(*place, node=node).stdout
    (tmp_path / "tiles" / "tile" / "0" / "000.p" / "30").write_bytes(bytes(960))
    assert run(*place, node=node).exit_code == 5
    assert run("verify", "--log", str(tmp_path / "tiles"), node=node).exit_code == 2


@pytest.mark.parametrize("arguments", [("show", "99"), ("prove", "99")])
def test_a_record_that_is_not_there_is_not_found(node: Path, arguments: tuple[str, str]) -> None:
    assert run(*arguments, node=node).exit_code == 4


def test_a_node_that_never_ran_has_no_log_and_gets_none(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text(NODE_TOML)
    assert run("show", node=tmp_path).exit_code == 4
    assert not (tmp_path / "var" / "node.db").exists()


@pytest.mark.parametrize("name", ["verify", "prove", "show", "anchor", "costs"])
def test_every_help_has_an_example(name: str) -> None:
    assert "  sluis ledger " + name in CliRunner().invoke(main, ["ledger", name, "--help"]).stdout
