"""Questions between nodes of a group: nothing is answered without a contract that names the purpose and the rules."""

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.nodes import Hosted, until
from tests.integration.pair import ACTIVITY, ANN, BOB, DATASET, DISCLOSURE
from tests.integration.test_fsc_commands import Group, document, sluis

QUESTION = "select p.naam from uwv.personen as p where p.bsn = $bsn"


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    group = Group(tmp_path)
    with sqlite3.connect(tmp_path / "people.sqlite") as connection:
        connection.execute("CREATE TABLE person (bsn TEXT PRIMARY KEY, naam TEXT)")
        connection.executemany("INSERT INTO person VALUES (?, ?)", [(ANN, "Ann"), (BOB, "Bob")])
    connection.close()
    file = group.owner / "node.toml"
    file.write_text(file.read_text() + f'\n[sources.main]\nurl = "sqlite:///{tmp_path / "people.sqlite"}"\n')
    for directory in (group.asker, group.owner):
        write(directory / "activities" / "bijstand.toml", ACTIVITY)
    write(group.owner / "datasets" / "personen.toml", DATASET)
    write(group.owner / "disclosures" / "personen.toml", DISCLOSURE)
    running = [Hosted(group.owner), Hosted(group.asker)]
    for one in running:
        assert one.ready()["ready"]
    yield group
    for one in running:
        one.end()


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def ask(directory: Path) -> tuple[int, Any]:
    result = sluis(
        directory,
        "ask",
        QUESTION,
        "--activity",
        "urn:test:bijstand",
        "--case",
        "Z-1",
        "--set",
        f"bsn={ANN}",
        "--json",
    )
    return result.exit_code, json.loads(result.stdout)


def refusal(directory: Path) -> str:
    code, told = ask(directory)
    assert code != 0, told
    return str(told["code"])


def test_a_question_waits_for_a_contract_and_is_answered_under_it(group: Group) -> None:
    until(lambda: refusal(group.asker) == "contract-missing")
    assert "sluis fsc request uwv --activity urn:test:bijstand" in ask(group.asker)[1]["texts"]["nl"]["next"]
    made = document(group.asker, "fsc", "request", "uwv", "--activity", "urn:test:bijstand")
    assert made["outcomes"][0]["state"] == "proposed"
    waiting = until(lambda: document(group.owner, "fsc", "contracts", "--waiting"))[0]
    assert waiting["grants"][0]["purpose"] is not None
    shown = sluis(group.owner, "fsc", "contracts", waiting["hash"]).output
    assert "Waarvoor: urn:test:bijstand" in shown
    assert "personen: bsn (zichtbaar), naam (zichtbaar)" in shown
    assert "Participatiewet, art. 64" in shown
    assert refusal(group.asker) == "contract-missing"

    assert sluis(group.owner, "fsc", "sign", waiting["hash"]).exit_code == 0
    answered = until(lambda: ask(group.asker)[1] if ask(group.asker)[0] == 0 else None)
    assert answered["rows"] == [["Ann"]]
    under = waiting["grants"][0]["hash"]
    crossed = [one["direction"] for one in document(group.owner, "fsc", "logs") if one["grant_hash"] == under]
    assert crossed
    assert set(crossed) == {"DIRECTION_INCOMING"}  # under another contract it harvests its peers meanwhile
    assert waiting["grants"][0]["hash"] in {one["grant_hash"] for one in document(group.owner, "fsc", "logs")}

    assert sluis(group.owner, "fsc", "revoke", waiting["hash"], "--reason", "Taak vervallen").exit_code == 0
    began = time.monotonic()
    assert ask(group.asker)[0] != 0  # at once at the owner, whatever the asker knows
    until(lambda: refusal(group.asker) == "contract-missing", 5)
    assert time.monotonic() - began < 5
