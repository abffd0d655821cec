"""`sluis people`: what it sends to the node, and what it tells."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sluis.cli import main

FOUND = {
    "id": "0a" * 16, "kind": "curator", "guardian_name": "Fictieve Curator", "ward_name": "Fictieve Ander",
    "evidence": "C/10/000000", "services": ["*"], "since": 1_764_000_000, "holds": True,
}  # fmt: skip
GIVEN = [
    "--kind",
    "curator",
    "--name",
    "Fictieve Curator",
    "--ward",
    "Fictieve Ander",
    "--evidence",
    "C/10/000000",
]


class Node:
    """In the place of the running node."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Any]] = []
        self.answer: Any = FOUND

    def __call__(self, directory: Path, method: str, path: str, body: Any = None) -> "Node":
        self.calls.append((method, path, body))
        return self

    def document(self) -> Any:
        return self.answer


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Node:
    made = Node()
    monkeypatch.setattr("sluis.cli.people.call", made)
    return made


def told(*arguments: str, input: str = "") -> str:
    result = CliRunner().invoke(main, ["--language", "nl", "people", *arguments], input=input)
    assert result.exit_code == 0, result.output
    return result.output


def test_numbers_of_people_come_from_standard_input_and_never_from_arguments(node: Node) -> None:
    output = told("appoint", *GIVEN, "--until", "2027-12-31", input="999990019\n999990020\n")
    assert node.calls == [("POST", "/v1/people/guardians", {
        "kind": "curator", "guardian_name": "Fictieve Curator", "ward_name": "Fictieve Ander", "evidence": "C/10/000000",
        "until": "2027-12-31", "guardian": "999990019", "ward": "999990020",
    })]  # fmt: skip
    assert "Fictieve Curator voor Fictieve Ander (curator)" in output
    assert "99999" not in output


def test_an_administrator_is_for_services(node: Node) -> None:
    told("appoint", *GIVEN, "--service", "permits", "--service", "subsidies", input="1\n2\n")
    assert node.calls[0][2]["services"] == ["permits", "subsidies"]


def test_what_is_over_is_shown_when_asked(node: Node) -> None:
    node.answer = [FOUND, {**FOUND, "id": "0b" * 16, "holds": False, "until": 1_765_000_000}]
    assert "0b0b" not in told("guardians")
    assert "afgelopen" in told("guardians", "--all")
    assert [one["id"] for one in json.loads(told("guardians", "--json"))] == ["0a" * 16]


def test_a_guardianship_is_ended_by_its_number(node: Node) -> None:
    node.answer = {**FOUND, "holds": False}
    assert "afgelopen" in told("end", "0a" * 16)
    assert node.calls == [("POST", f"/v1/people/guardians/{'0a' * 16}/endings", None)]


def test_services_are_told_with_what_they_are(node: Node) -> None:
    node.answer = [{"id": "permits", "title": {"nl": "Vergunningen", "en": "Permits"}, "about": {"nl": "Aanvragen.", "en": "Apply."}}]  # fmt: skip
    assert "permits\n  Vergunningen: Aanvragen." in told("services")
