"""A log anchored in time: a node that asks for stamps by itself, and the commands that ask for one and check them."""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.integration.nodes import Federation, build
from tests.integration.test_serve import line
from tests.timestamps import NAME, Authority, served
from tests.unit.ledger.examples import appended

from sluis.cli import main, terminal
from sluis.serve import Node


@pytest.fixture(autouse=True)
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    terminal.choose_language(None)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "tsa")


@pytest.fixture
def directory(tmp_path: Path, authority: Authority) -> Iterator[Path]:
    """A node directory whose settings name a timestamping authority that answers."""
    with served(authority.answer) as url:
        yield anchored_at(url, Federation(tmp_path).owner, authority)


def anchored_at(url: str, directory: Path, authority: Authority) -> Path:
    settings = directory / "node.toml"
    settings.write_text(
        settings.read_text() + f'\n[anchor]\nurl = "{url}"\ncertificates = ["{authority.root}"]\n'
    )
    return directory


def run(command: str, directory: Path) -> Result:
    return CliRunner().invoke(main, ["ledger", command, "--node", str(directory)])


async def fill(directory: Path, count: int = 3) -> Node:
    """A node with records, not listening: nothing is stamped by itself."""
    node = build(directory)
    appended(node.parts.ledger, [line() for _ in range(count)])
    return node


async def test_a_stamp_is_asked_for_by_hand_beside_a_running_node_and_verified(directory: Path) -> None:
    node = await fill(directory)
    node.parts.ledger.publish()
    stamped = await asyncio.to_thread(run, "anchor", directory)
    assert stamped.stdout.startswith("Anchored until size 3 at 20")
    assert stamped.stdout.endswith(f" by {NAME}.\n")
    verified = await asyncio.to_thread(run, "verify", directory)
    assert verified.exit_code == 0
    assert verified.stdout.endswith(stamped.stdout)
    await node.stop()


async def test_a_stopped_node_can_be_anchored_too(directory: Path) -> None:
    node = await fill(directory)
    await node.stop()
    assert (await asyncio.to_thread(run, "anchor", directory)).exit_code == 0


async def test_a_log_rewritten_with_its_own_key_does_not_fit_its_stamp(directory: Path) -> None:
    node = await fill(directory)
    await node.stop()
    await asyncio.to_thread(run, "anchor", directory)
    with sqlite3.connect(directory / "var" / "node.db") as connection:
        for table in ("ledger_records", "ledger_tiles", "ledger_epochs"):
            connection.execute(f"DELETE FROM {table}")
    connection.close()
    (directory / "keys" / "newest.checkpoint").unlink()
    node = await fill(directory)
    await node.stop()
    verified = await asyncio.to_thread(run, "verify", directory)
    assert verified.exit_code == 5
    assert "The first 3 records are not those of a checkpoint that was signed earlier." in verified.stdout


async def test_a_stamp_that_was_touched_is_a_fault(directory: Path) -> None:
    node = await fill(directory)
    await node.stop()
    await asyncio.to_thread(run, "anchor", directory)
    (stamp,) = (directory / "keys" / "anchors").glob("*.tsr")
    stamp.write_bytes(stamp.read_bytes()[:-1])
    verified = await asyncio.to_thread(run, "verify", directory)
    assert (verified.exit_code, verified.stdout) == (5, f"The timestamp {stamp.name} proves nothing.\n")


async def test_a_node_without_an_authority_says_what_to_fill_in(tmp_path: Path) -> None:
    node = await fill(Federation(tmp_path).owner)
    await node.stop()
    result = await asyncio.to_thread(run, "anchor", tmp_path / "owner")
    assert (result.exit_code, "anchor.certificates" in result.stderr) == (4, True)


async def test_a_running_node_is_anchored_without_being_asked(directory: Path) -> None:
    node = await fill(directory)
    await node.start()
    for _ in range(100):
        if node.parts.stamps.kept()[0]:
            break
        await asyncio.sleep(0.1)
    await node.stop()
    assert [one.size for one in node.parts.stamps.kept()[0]] == [3]


async def test_an_authority_that_fails_is_told_to_the_operator_and_stops_nothing(
    tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    with served(lambda request: b"garbage") as url:
        directory = anchored_at(url, Federation(tmp_path).owner, authority)
        node = await fill(directory)
        with caplog.at_level(logging.ERROR, "sluis.node"):
            await node.start()
            for _ in range(100):
                if "no timestamp from" in caplog.text:
                    break
                await asyncio.sleep(0.1)
        assert f"no timestamp from {url}" in caplog.text
        assert (await node.parts.ledger.append([line()])).index == 3
        await node.stop()


@pytest.mark.parametrize("answer", [b"x" * 70_000, b""])
async def test_whatever_an_authority_answers_the_command_says_what_is_wrong(
    tmp_path: Path, authority: Authority, answer: bytes
) -> None:
    with served(lambda request: answer) as url:
        directory = anchored_at(url, Federation(tmp_path).owner, authority)
        node = await fill(directory)
        await node.stop()
        result = await asyncio.to_thread(run, "anchor", directory)
    assert (result.exit_code, "No valid timestamp came." in result.stderr) == (6, True)


async def test_json_says_until_where_when_and_by_whom(directory: Path) -> None:
    node = await fill(directory)
    await node.stop()
    result = await asyncio.to_thread(
        CliRunner().invoke, main, ["ledger", "anchor", "--json", "--node", str(directory)]
    )
    document = json.loads(result.stdout)
    assert (document["size"], document["by"], document["time"][-1]) == (3, NAME, "Z")


def test_an_authority_without_certificate_is_a_wrong_setting(tmp_path: Path) -> None:
    directory = Federation(tmp_path).owner
    settings = directory / "node.toml"
    settings.write_text(settings.read_text() + '\n[anchor]\nurl = "http://tsa.example/"\n')
    result = CliRunner().invoke(main, ["check", str(directory)])
    assert "timestamps" in result.output
    assert result.exit_code == 2
