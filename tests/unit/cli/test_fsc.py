"""`sluis fsc`: what a person reads of contracts and of the transaction log."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from sluis.cli import fsc, local
from sluis.cli.local import Body
from sluis.kernel import NotFound

ID = "0192f0c4-7d1e-7c2a-8e7b-3a5a7a1b2c3d"
LINE = {
    "created_at": 1_760_000_000_000,
    "direction": "DIRECTION_OUTGOING",
    "outway_peer": "Gemeente met een lange naam, en nog een bijnaam (fictief)",
    "service_peer": "Dienst voor het wegverkeer en alles daaromheen (fictief)",
    "service": "voertuigen",
    "transaction_id": ID,
    "outcome": "no-answer",
}
DIFFERENCE = {
    "found_at": 1_760_000_000,
    "peer": "Dienst voor het wegverkeer en alles daaromheen (fictief)",
    "service": "voertuigen",
    "kind": "failed-there",
    "transaction_id": ID,
}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the node answers, by path."""
    found: dict[str, Any] = {
        "/v1/group/transactions": {"lines": [LINE, LINE | {"outcome": ""}]},
        "/v1/group/differences": [DIFFERENCE],
    }
    monkeypatch.setattr(
        fsc, "call", lambda node, method, path, body=None: Body(msgspec.json.encode(found[path]))
    )
    monkeypatch.setenv("SLUIS_LANGUAGE", "nl")
    return found


def read(*words: str) -> list[str]:
    result = CliRunner(env={"COLUMNS": "80"}).invoke(
        fsc.logs, [*words, "--node", str(Path())], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_a_transaction_number_stays_whole_on_a_narrow_screen(answers: dict[str, Any]) -> None:
    for words in ([], ["--differences"]):
        numbered = [line for line in read(*words) if ID in line]
        assert len(numbered) == (1 if words else 2)
        assert all(len(line) <= 80 for line in numbered)


def test_a_transaction_tells_who_asked_whom_for_what_and_how_it_ended(answers: dict[str, Any]) -> None:
    first, second, _, without = read()
    assert first.split() == ["2025-10-09", "08:53:20Z", ID, "uit"]
    assert second == f"  {LINE['outway_peer']} → {LINE['service_peer']}: voertuigen (geen antwoord)"
    assert without == f"  {LINE['outway_peer']} → {LINE['service_peer']}: voertuigen"


def test_a_difference_tells_with_whom_and_what_differs(answers: dict[str, Any]) -> None:
    _, told = read("--differences")
    assert told == f"  {DIFFERENCE['peer']}: voertuigen (mislukt onderweg, staat daar)"


def test_where_there_is_nothing_that_is_said(answers: dict[str, Any]) -> None:
    answers["/v1/group/transactions"] = {"lines": []}
    assert read() == ["Er is niets."]


@pytest.mark.parametrize("yours", [True, False])
def test_only_who_is_to_sign_is_warned_of_a_disclosure_that_this_node_does_not_have(
    answers: dict[str, Any], yours: bool
) -> None:
    purpose = {"activity": "urn:x", "disclosures": [{"id": "bijstand-inkomen", "known": False}]}
    grant = dict.fromkeys(
        ("directory", "delegator", "service_delegator", "properties", "external_contract", "alternative")
    )
    grant |= {"type": "GRANT_TYPE_SERVICE_CONNECTION", "outway_peer": "Gemeente", "service": "sluis"}
    grant |= {"service_peer": "Belastingdienst (fictief) (00000009990000000003)", "purpose": purpose}
    contract = {
        "hash": "$1$1$x",
        "state": "proposed",
        "not_before": 0,
        "not_after": 1,
        "reason": "",
        "yours": yours,
    }
    contract |= {name: [] for name in ("waiting_for", "rejected", "revoked")} | {"grants": [grant]}
    answers["/v1/group/contracts"] = {"contracts": [contract], "next_cursor": ""}
    told = CliRunner().invoke(fsc.contracts, [], catch_exceptions=False).stdout
    assert ("Teken niet" in told) is yours
    assert ("weet Belastingdienst (fictief)" in told) is not yours


def test_a_node_without_a_group_says_how_it_comes_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_such_path(self: Any, *_: Any, **__: Any) -> Any:
        class Answer:
            status = 404

            def read(self) -> bytes:
                return b'{"status": 404, "code": "unknown-path", "texts": {}}'

        return Answer()

    monkeypatch.setattr("http.client.HTTPConnection.request", lambda *_, **__: None)
    monkeypatch.setattr("http.client.HTTPConnection.getresponse", no_such_path)
    for path, code in (("/v1/group/peers", "in-no-group"), ("/v1/activities", "unknown-path")):
        with pytest.raises(NotFound) as raised:
            local.call_at(tmp_path / "node.sock", tmp_path, "GET", path)
        assert raised.value.code == code
