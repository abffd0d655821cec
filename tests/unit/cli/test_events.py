"""`sluis events`: what is sensitive is never an argument, and what is wrong with a file is told by line, without a value."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sluis.cli import events, main

NUMBER = "999990019"


class Body:
    def __init__(self, document: Any) -> None:
        self._document = document

    def document(self) -> Any:
        return self._document


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What the node is asked; it answers as one would."""
    found: list[tuple[str, Any]] = []
    offered = [{"notice": {"id": "besluiten"}, "subject": "BSN"}]
    published = [{"id": "b-1", "told": 1, "withheld": {"no-relation": 2}, "repeated": False}]

    def call(directory: Path, method: str, path: str, body: Any = None, **more: Any) -> Body:
        found.append((path, body))
        answers = {"/v1/registrations/notices": offered, "/v1/events": published}
        return Body(answers.get(path, {"registered": 1, "renewed": 0, "ended": 1}))

    monkeypatch.setattr(events, "call", call)
    return found


def run(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["events", *words], input=typed)


def test_an_event_comes_from_standard_input_and_is_completed(asked: list[tuple[str, Any]]) -> None:
    result = run(
        "publish", typed=json.dumps({"type": "nl.a.b", "data": {"about": {"kind": "BSN", "value": NUMBER}}})
    )
    ((path, (event,)),) = asked
    assert (path, event["specversion"], event["type"]) == ("/v1/events", "1.0", "nl.a.b")
    assert len(event["id"]) == 36
    assert "2 geen afnemersindicatie" in result.output or "2 no interest" in result.output
    assert NUMBER not in result.output


@pytest.mark.parametrize("text", ["", "{", "7", "[1]"])
def test_what_is_no_event_is_told(asked: list[tuple[str, Any]], text: str) -> None:
    result = run("publish", typed=text)
    assert (result.exit_code, asked) == (2, [])


def register(text: str, *more: str) -> Result:
    return run("interests", "register", "--source", "bron", "--notice", "besluiten", *more, typed=text)


def test_interests_come_from_a_table(asked: list[tuple[str, Any]]) -> None:
    result = register(
        f"reference,subject,until\nz-1,{NUMBER},\nz-2, 999990020 ,2026-08-01\n", "--until", "2026-07-01"
    )
    assert result.exit_code == 0, result.output
    assert asked[-1] == (
        "/v1/registrations",
        {
            "source": "bron",
            "notice": "besluiten",
            "interests": [
                {"subject": {"kind": "BSN", "value": NUMBER}, "reference": "z-1", "until": "2026-07-01"},
                {"subject": {"kind": "BSN", "value": "999990020"}, "reference": "z-2", "until": "2026-08-01"},
            ],
        },
    )


@pytest.mark.parametrize(
    "text", ["", "subject\n", f"subject\n{NUMBER}\n", f"subject,reference,until\n{NUMBER},z,\n"]
)
def test_a_table_that_is_not_complete_registers_nothing_and_repeats_nothing(
    asked: list[tuple[str, Any]], text: str
) -> None:
    result = register(text)
    assert (result.exit_code, [path for path, _ in asked]) == (2, ["/v1/registrations/notices"])
    assert NUMBER not in result.output


def test_interests_end_by_person(asked: list[tuple[str, Any]]) -> None:
    words = ("interests", "end", "--source", "bron", "--notice", "besluiten")
    assert run(*words, typed=f"subject\n{NUMBER}\n").exit_code == 0
    assert asked[-1][1]["subjects"] == [{"kind": "BSN", "value": NUMBER}]


def test_no_command_takes_a_person_as_an_argument() -> None:
    for name in ("register", "end"):
        options = {option for one in events.interests.commands[name].params for option in one.opts}
        assert options == {"--source", "--notice", "--from", "--node", "--json"} | (
            {"--until"} if name == "register" else set()
        )
