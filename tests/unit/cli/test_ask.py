"""`sluis ask` and `sluis explain`: what a person types, what the node is sent, and what they read."""

import csv
import io
import json
import socket
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from sluis.cli import ask, explain, local, main
from sluis.cli.local import Body

ANSWER = {
    "question": "select …",
    "traceId": "0" * 32,
    "columns": [{"name": "naam", "type": "string"}, {"name": "bedrag", "type": "int64"}],
    "rows": [["Fictief Een", 100], ["Fictief, Twee", None]],
    "provenance": [
        {"column": "naam", "origins": [{"owner": "rvig", "dataset": "personen", "column": "naam", "masked": "left(naam, 1)"}]},
        {"column": "bedrag", "origins": [{"owner": "bd", "dataset": "inkomen", "column": "bedrag"}], "unit": "eurocent"},
    ],
    "receipts": [
        {"owner": "rvig", "datasets": ["personen"],
         "receipt": {"rows": 1, "subjects": 1, "position": 7, "origin": "rvig.example/log"}}
    ],
    "closed": [
        {"owner": "rvig", "dataset": "personen", "what": "columns", "columns": ["geheim"],
         "because": {"nl": "Geheim.", "en": "Secret."}, "article": "Wet BRP, art. 3.2"}
    ],
    "missing": [],
    "timings": {"total": 1.0},
}  # fmt: skip


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any], str]]:
    """What would have gone to the node; it answers `ANSWER`."""
    found: list[tuple[str, dict[str, Any], str]] = []

    def call(node: Path, method: str, path: str, body: Any = None, accept: str = "application/json") -> Body:
        found.append((path, body, accept))
        return Body(msgspec.json.encode(ANSWER))

    monkeypatch.setattr(ask, "call", call)
    monkeypatch.setattr(explain, "call", call)
    monkeypatch.setenv("SLUIS_LANGUAGE", "nl")
    return found


def run(*words: str, typed: str = "") -> str:
    question = ["select naam from rvig.personen where bsn = $bsn", "--activity", "urn:x", "--case", "Z-1"]
    result = CliRunner().invoke(ask.command, [*question, *words], input=typed, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_person_reads_rows_origins_receipts_and_what_stays_closed(sent: list[Any]) -> None:
    shown = run("--set", "bsn=999990019")
    for part in (
        "Fictief Een",
        "bedrag (eurocent)",
        "rvig.personen.naam (afgeschermd)",
        "logregel 7",
        "Wet BRP, art. 3.2",
    ):
        assert part in " ".join(shown.split())


def test_what_does_not_fit_on_a_line_goes_on_below_its_beginning(
    sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    told = run().split("Ontvangstbewijzen\n")[1]
    lines = [line for line in told.splitlines() if line.strip() and not line.startswith("Wat gesloten")]
    assert len(lines) > 4
    assert all(line.startswith("  ") for line in lines)


def test_the_node_gets_the_question_with_its_ground_and_case(sent: list[Any]) -> None:
    run("--set", "bsn=999990019", "--partial")
    [(path, body, _)] = sent
    assert path == "/v1/questions"
    assert (body["activity"], body["case"], body["partial"]) == ("urn:x", "Z-1", "flagged")
    assert body["parameters"] == {"bsn": "999990019"}


class Terminal(io.StringIO):
    """Standard input at which a person sits."""

    def isatty(self) -> bool:
        return True


def test_at_a_terminal_a_value_is_asked_for_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin", Terminal("seen\n"))
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or "unseen")
    question = local.question_of("select 1", "urn:x", "Z-1", ("naam=-",))
    assert question["parameters"] == {"naam": "unseen"}
    assert asked == ["$naam: "]


def test_without_a_terminal_each_value_is_the_next_line_of_standard_input_and_nothing_is_said(
    sent: list[Any],
) -> None:
    question = ["select 1", "--activity", "urn:x", "--case", "Z-1", "--csv", "--set", "a=-", "--set", "b=-"]
    result = CliRunner().invoke(ask.command, question, input="een\ntwee\n")
    assert (result.exit_code, result.stderr) == (0, "")
    assert sent[0][1]["parameters"] == {"a": "een", "b": "twee"}


def test_where_standard_input_has_no_value_that_is_said(sent: list[Any]) -> None:
    result = CliRunner().invoke(
        main, ["ask", "select 1", "--activity", "urn:x", "--case", "Z-1", "--set", "bsn=-"]
    )
    assert result.exit_code == 2
    assert "Er is geen waarde voor $bsn" in result.stderr
    assert sent == []


def test_a_list_is_read_from_a_file(sent: list[Any], tmp_path: Path) -> None:
    file = tmp_path / "lijst.txt"
    file.write_text("999990019\n\n 999990020 \n", encoding="utf-8")
    run("--set", f"bsn=@{file}")
    assert sent[0][1]["parameters"] == {"bsn": ["999990019", "999990020"]}


@pytest.mark.parametrize(("value", "warned"), [("999990019", False), ("123456789", True), ("123", True)])
def test_what_fails_the_eleven_test_is_warned_of_and_not_repeated(
    sent: list[Any], value: str, warned: bool
) -> None:
    question = ["select 1", "--activity", "urn:x", "--case", "Z-1", "--csv"]
    result = CliRunner().invoke(ask.command, [*question, "--set", f"partner_bsn={value}"])
    assert ("elfproef" in result.stderr) is warned
    assert value not in result.stderr
    assert sent[0][1]["parameters"] == {"partner_bsn": value}


def test_one_row_is_one_row(sent: list[Any]) -> None:
    shown = " ".join(run().split())
    assert "2 rijen" in shown
    assert "1 rij over 1 mens uit personen" in shown


def test_outside_a_node_directory_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLUIS_NODE", raising=False)
    monkeypatch.chdir(tmp_path)
    for command in ("ask", "explain"):
        result = CliRunner().invoke(main, [command, "select 1", "--activity", "a", "--case", "c"])
        assert result.exit_code == 4
        assert "Hier is geen knooppunt" in result.stderr
        assert "--node" in result.stderr


def test_csv_survives_commas(sent: list[Any]) -> None:
    rows = list(csv.reader(io.StringIO(run("--csv"))))
    assert rows == [["naam", "bedrag"], ["Fictief Een", "100"], ["Fictief, Twee", ""]]


def test_json_is_one_document(sent: list[Any]) -> None:
    assert json.loads(run("--json")) == ANSWER


def test_arrow_is_asked_for_as_such(sent: list[Any]) -> None:
    run("--arrow")
    assert sent[0][2] == ask.ARROW


def test_a_value_without_name_is_told(sent: list[Any]) -> None:
    result = CliRunner().invoke(ask.command, ["select 1", "--activity", "a", "--case", "c", "--set", "999"])
    assert result.exit_code == 2
    assert "NAAM=WAARDE" in result.output
    assert sent == []


def test_a_node_that_does_not_run_is_told_with_the_command_that_starts_it(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text(
        '[node]\noin = "00000009900000000001"\nname = "Fictief"\nalias = "fictief"\nurl = "https://127.0.0.1:8443"\n',
        encoding="utf-8",
    )
    with pytest.raises(local.Upstream) as caught:
        local.call(tmp_path, "GET", "/v1/activities")
    assert caught.value.code == "node-not-running"
    assert f"sluis serve --node {tmp_path}" in caught.value.next.en


@pytest.mark.parametrize(
    "answered",
    [
        b"",
        b"?\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{",
    ],
)
def test_a_node_that_breaks_off_its_answer_is_told(tmp_path: Path, answered: bytes) -> None:
    path = tmp_path / "node.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def answer() -> None:
            with listening.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(answered)

        node = threading.Thread(target=answer)
        node.start()
        with pytest.raises(local.Upstream) as caught:
            local.call_at(path, tmp_path, "GET", "/v1/activities")
        node.join()
    assert caught.value.code == "node-broke-off"


@pytest.mark.parametrize(
    ("problem", "code"), [(PermissionError, "node-closed-to-you"), (TimeoutError, "node-silent")]
)
def test_why_a_node_does_not_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: type[OSError], code: str
) -> None:
    def connect(_: Any) -> None:
        raise problem

    monkeypatch.setattr(local._SocketConnection, "connect", connect)
    with pytest.raises(local.Upstream) as caught:
        local.call_at(tmp_path / "node.sock", tmp_path, "GET", "/v1/activities")
    assert caught.value.code == code


def test_explain_says_columns_roles_and_articles(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        "parts": [
            {"owner": "bd", "datasets": ["inkomen"], "sql": "SELECT …", "rows": [{"nl": "Alleen genoemde mensen.", "en": "-"}],
             "columns": {"inkomen": [{"name": "bsn", "role": "join"}, {"name": "loon", "role": "output", "masked": "x"}]},
             "articles": ["Participatiewet, art. 64"], "level": "substantial", "keysFrom": ["rvig (sealed)"]}
        ],
        "closed": ANSWER["closed"],
        "missing": [],
    }  # fmt: skip
    monkeypatch.setattr(explain, "call", lambda *_: Body(msgspec.json.encode(told)))
    monkeypatch.setenv("SLUIS_LANGUAGE", "nl")
    result = CliRunner().invoke(
        explain.command, ["select 1", "--activity", "a", "--case", "c"], catch_exceptions=False
    )
    shown = " ".join(result.stdout.split())
    for part in (
        "bsn (alleen om te koppelen, verzegeld)",
        "loon (afgeschermd, zichtbaar)",
        "Participatiewet, art. 64",
        "alleen op niveau substantieel of hoger",
        "Geheim.",
    ):
        assert part in shown
