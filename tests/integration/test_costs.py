"""What answers cost is added up alike by who pays and who is paid, each from its own log."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.integration.nodes import ASKER, OWNER
from tests.integration.pair import ANN, BOB, Pair, verified

from sluis.cli import main, terminal


def costs(directory: Path, *more: str) -> Any:
    result = CliRunner().invoke(main, ["ledger", "costs", "--json", "--node", str(directory), *more])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    made = Pair(tmp_path)
    disclosure = made.owner / "disclosures" / "personen.toml"
    disclosure.write_text(disclosure.read_text() + "price = { per_question = 25, per_subject = 10 }\n")
    return made


def test_both_sides_add_up_the_same(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    terminal.choose_language(None)
    pair.start()
    try:
        answers = [pair.ask(bsn)[1] for bsn in (ANN, BOB, ANN)]
        assert [one["receipts"][0]["receipt"]["charge"] for one in answers] == [
            {"cents": 35, "subjects": 1}
        ] * 3
    finally:
        pair.end()
    owed = {
        "payer": str.__str__(ASKER),
        "payee": str.__str__(OWNER),
        "questions": 3,
        "subjects": 3,
        "cents": 105,
    }
    month = f"{datetime.now(UTC):%Y-%m}"
    for directory in (pair.asker, pair.owner):
        assert costs(directory) == {"month": month, "totals": [owed]}
        assert costs(directory, "--month", "2020-12")["totals"] == []
        verified(directory)
    told = CliRunner().invoke(main, ["ledger", "costs", "--node", str(pair.asker)]).stdout
    assert told == f"{month}\n  to pay to uwv (fictief): €1.05 (3 questions, 3 people)\n"


def test_what_is_no_month_is_told_as_such(pair: Pair) -> None:
    result = CliRunner().invoke(main, ["ledger", "costs", "--month", "juni", "--node", str(pair.owner)])
    assert result.exit_code == 2
