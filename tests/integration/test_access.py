"""Access, given and taken between two nodes of a group: revoking bites at once where it is done, and everywhere soon."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.integration.nodes import ASKER, local, until
from tests.integration.pair import ANN, BOB, DATASET, DISCLOSURE, Pair

from sluis.cli import main

SOON = 5.0
"""Seconds within which a revocation must be known to every peer that can be reached."""

UNTIL = (datetime.now(UTC).date() + timedelta(30)).isoformat()
WISHES = DATASET.replace('name = "personen"', 'name = "wensen"')
BY_CONSENT = (
    DISCLOSURE.replace("personen-bijstand", "wensen-bijstand")
    .replace('dataset = "personen"', 'dataset = "wensen"')
    .replace('"legal-obligation"', '"consent"')
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    pair = Pair(tmp_path_factory.mktemp("access"))
    (pair.owner / "datasets" / "wensen.toml").write_text(WISHES)
    (pair.owner / "disclosures" / "wensen.toml").write_text(BY_CONSENT)
    for directory in (pair.asker, pair.owner):
        file = directory / "node.toml"
        file.write_text(file.read_text().replace('"fsc-admin"]', '"fsc-admin", "access-admin"]'))
    pair.start()
    yield pair
    pair.end()


def ask(pair: Pair, bsn: str, dataset: str = "wensen") -> tuple[int, Any]:
    question = {
        "sql": f"SELECT p.naam AS naam FROM uwv.{dataset} AS p WHERE p.bsn = $bsn",
        "activity": "urn:test:bijstand",
        "case": "ZAAK-1",
        "parameters": {"bsn": bsn},
    }
    return local(pair.asker, "POST", "/v1/questions", question)


def rows(pair: Pair, bsn: str, dataset: str = "wensen") -> list[Any]:
    status, told = until(lambda: found if (found := ask(pair, bsn, dataset))[0] == 200 else None)
    assert status == 200
    return list(told["rows"])


def sluis(directory: Path, *arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, ["access", *arguments, "--node", str(directory)], input=typed)


def given(pair: Pair, bsn: str = ANN) -> dict[str, Any]:
    result = sluis(
        pair.owner, "give", "--recipient", "gemeente", "--activity", "urn:test:bijstand", "--dataset", "wensen",
        "--until", UNTIL, "--json", typed=f"{bsn}\n",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    consent: dict[str, Any] = json.loads(result.stdout)
    return consent


def listed(directory: Path) -> dict[str, Any]:
    result = sluis(directory, "list", "--json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_a_consent_opens_a_row_and_its_revocation_closes_it_at_the_next_question(pair: Pair) -> None:
    assert rows(pair, ANN) == []
    consent = given(pair)
    assert consent["datasets"] == {"wensen": ["naam"]}
    assert (rows(pair, ANN), rows(pair, BOB)) == ([["Ann"]], [])
    began = time.monotonic()
    assert sluis(pair.owner, "revoke", consent["id"]).exit_code == 0
    assert rows(pair, ANN) == []
    assert time.monotonic() - began < SOON
    assert rows(pair, ANN, "personen") == [["Ann"]]  # what the law opens stays open


def test_a_consent_is_narrowed_and_listed_without_whose_it_is(pair: Pair) -> None:
    consent = given(pair)
    tomorrow = (datetime.now(UTC).date() + timedelta(1)).isoformat()
    assert sluis(pair.owner, "narrow", consent["id"], "--until", tomorrow).exit_code == 0
    shown = sluis(pair.owner, "list", "--consents", "--recipient", "gemeente").output
    assert consent["id"] in shown
    assert tomorrow in shown
    assert ANN not in shown
    wider = sluis(pair.owner, "narrow", consent["id"], "--until", UNTIL)
    assert wider.exit_code == 2
    assert sluis(pair.owner, "revoke", consent["id"]).exit_code == 0
    assert sluis(pair.owner, "narrow", consent["id"], "--until", tomorrow).exit_code == 5


def test_what_is_no_consent_is_told_where_it_is_narrowed(pair: Pair) -> None:
    for command, code in (("narrow", 2), ("revoke", 2)):
        result = sluis(pair.owner, command, "wensen-bijstand")
        assert result.exit_code == code
    assert "disclosures" in sluis(pair.owner, "narrow", "$1$1$x").output


def test_the_list_says_who_has_access_to_what_on_which_ground_and_when_it_was_used(pair: Pair) -> None:
    rows(pair, ANN, "personen")
    found = {one["disclosure"]: one for one in listed(pair.owner)["disclosures"]}
    law, consent = found["personen-bijstand"], found["wensen-bijstand"]
    assert (law["state"], law["ground"], law["recipient"]) == ("open", "legal-obligation", str.__str__(ASKER))
    assert law["articles"] == ["Participatiewet, art. 64"]
    assert law["contracts"] == consent["contracts"] != []
    assert time.time() * 1000 - law["last_used"] < 60_000
    assert (consent["state"], consent["consents"]) == ("consent-missing", 0)
    shown = sluis(pair.owner, "list").output
    assert "sluis access revoke '$1$1$" in shown
    assert "Participatiewet, art. 64" in shown


def test_a_revoked_contract_closes_all_it_opened_at_once_here_and_soon_there(pair: Pair) -> None:
    given(pair)
    assert rows(pair, ANN) == [["Ann"]]
    (contract,) = listed(pair.owner)["disclosures"][0]["contracts"]
    assert sluis(pair.owner, "revoke", contract).exit_code == 2  # without a reason
    assert sluis(pair.owner, "revoke", contract, "--reason", "Taak vervallen").exit_code == 0
    began = time.monotonic()
    assert ask(pair, ANN)[0] != 200
    until(lambda: ask(pair, ANN)[1].get("code") == "contract-missing", SOON)
    seconds = time.monotonic() - began
    assert seconds < SOON
    states = {one["disclosure"]: one["state"] for one in listed(pair.owner)["disclosures"]}
    assert set(states.values()) == {"contract-missing"}
    print(f"known everywhere after {seconds:.2f} s")
