"""`sluis events`: what is sensitive is never an argument, and what is wrong with a file is told by line, without a value."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sluis.cli import events, interests, main, subscriptions

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
        return Body(answers.get(path, {"registered": 1, "renewed": 0, "stood": 0, "ended": 1}))

    for module in (events, interests):
        monkeypatch.setattr(module, "call", call)
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
            "changed": False,
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
    more = {
        "register": {"--from", "--until", "--query", "--activity", "--case", "--end-others"},
        "end": {"--from"},
    }
    for name, one in interests.interests.commands.items():
        options = {option for option in one.params for option in option.opts}
        assert options <= {"--source", "--notice", "--node", "--json"} | more.get(name, set())


QUERY = (
    "--query",
    "select bsn as subject, zaak as reference from hier.casussen",
    "--activity",
    "urn:a",
    "--case",
    "z",
)


def answering(monkeypatch: pytest.MonkeyPatch, rows: list[list[Any]]) -> list[tuple[str, Any]]:
    """A node that answers a question with these rows."""
    found: list[tuple[str, Any]] = []

    def call(directory: Path, method: str, path: str, body: Any = None, **more: Any) -> Body:
        found.append((path, body))
        answers: dict[str, Any] = {
            "/v1/registrations/notices": [{"notice": {"id": "besluiten"}, "subject": "BSN"}],
            "/v1/questions": {"columns": [{"name": "subject"}, {"name": "reference"}], "rows": rows},
            "/v1/registrations/ends/unrenewed": {"ended": 7},
        }
        return Body(answers.get(path, {"registered": 1, "renewed": 0, "stood": 2}))

    monkeypatch.setattr(interests, "call", call)
    return found


def test_interests_come_from_a_question_under_an_activity_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, [[NUMBER, "z-1"], [None, "z-2"], [999990020, "z-3"]])
    result = register("", "--until", "2026-07-01", *QUERY)
    assert result.exit_code == 0, result.output
    assert asked[1][1]["activity"] == "urn:a"
    body = asked[2][1]
    assert [(one["subject"]["value"], one["reference"]) for one in body["interests"]] == [
        (NUMBER, "z-1"),
        ("999990020", "z-3"),
    ]
    assert body["changed"] is True
    assert [path for path, _ in asked[3:]] == []  # nobody is ended without being told to
    assert NUMBER not in result.output


def test_who_is_not_in_the_answer_is_ended_only_when_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    began = datetime.now(UTC)
    asked = answering(monkeypatch, [[NUMBER, "z-1"]])
    assert register("", "--until", "2026-07-01", *QUERY, "--end-others").exit_code == 0
    path, body = asked[-1]
    assert path == "/v1/registrations/ends/unrenewed"
    assert datetime.fromisoformat(body["since"]) >= began


@pytest.mark.parametrize("rows", [[], [[NUMBER, "z-1"], [NUMBER, "z-2"]]])
def test_an_answer_without_anybody_or_with_somebody_twice_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, rows: list[list[Any]]
) -> None:
    asked = answering(monkeypatch, rows)
    result = register("", "--until", "2026-07-01", *QUERY, "--end-others")
    assert (result.exit_code, [path for path, _ in asked][2:]) == (2, [])
    assert NUMBER not in result.output


@pytest.mark.parametrize("words", [QUERY[:2], ("--end-others",), ("--case", "z")])
def test_a_question_takes_an_activity_and_a_case_and_the_other_way_round(
    asked: list[tuple[str, Any]], words: tuple[str, ...]
) -> None:
    assert register(f"subject,reference\n{NUMBER},z\n", "--until", "2026-07-01", *words).exit_code == 2
    assert "/v1/registrations" not in [path for path, _ in asked]


THERE = {"id": "a1", "sink": "https://x.example/in", "protocol": "HTTP", "state": "suspended", "because": "gone",
         "types": ["nl.a.b"], "config": {"content": "batch"}, "rate": 60}  # fmt: skip
FOLLOWED = {"source": "1", "subscription": "a1", "upto": 4, "waiting": 2}


@pytest.fixture
def subscribed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, Any]]:
    """What the node is asked that has a subscription at a source."""
    found: list[tuple[str, str, Any]] = []

    def call(directory: Path, method: str, path: str, body: Any = None) -> Body:
        found.append((method, path, body))
        if path.endswith("/subscriptions"):
            return Body([FOLLOWED])
        return Body([dict(THERE)] if method == "GET" else {**THERE, "state": "active"})

    monkeypatch.setattr(subscriptions, "call", call)
    monkeypatch.setattr(subscriptions, "settings", lambda directory: SimpleNamespace(peers={}))
    return found


def test_subscriptions_at_a_source_are_told_with_what_came_and_what_helps(
    subscribed: list[tuple[str, str, Any]],
) -> None:
    told = run("subscriptions", "--source", "bron").output
    assert "sluis events resume a1 --source bron" in told
    (one,) = json.loads(run("subscriptions", "--source", "bron", "--json").output)
    assert (one["state"], one["upto"], one["held"]) == ("suspended", 4, 2)


def test_what_stands_still_goes_on_with_the_document_that_it_has(
    subscribed: list[tuple[str, str, Any]],
) -> None:
    assert run("resume", "a1", "--source", "bron").exit_code == 0
    wanted = {name: THERE[name] for name in ("sink", "protocol", "types", "config")}
    assert subscribed[-1] == ("PUT", "/v1/registrations/subscriptions/bron/a1", wanted)
    assert run("resume", "a2", "--source", "bron").exit_code == 4


@pytest.mark.parametrize(
    ("words", "path"),
    [((), "/v1/subscriptions/a1"), (("--source", "bron"), "/v1/registrations/subscriptions/bron/a1")],
)
def test_a_subscription_ends_here_or_at_its_source(
    subscribed: list[tuple[str, str, Any]], words: tuple[str, ...], path: str
) -> None:
    assert run("unsubscribe", "a1", *words).exit_code == 0
    assert subscribed[-1] == ("DELETE", path, None)
